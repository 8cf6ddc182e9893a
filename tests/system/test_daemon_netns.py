# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces end although tunnels are in them, and leave nothing behind."""

import os
import subprocess

import pytest

from net import Netns, run, wait_until
from tunnels import BUILD

GONE = 5.0  # seconds, the promise


@pytest.fixture
def witness(prefix):
    """A namespace that holds the other end of a veth: it vanishes when the watched namespace is freed."""
    ns = Netns(prefix + "w")
    yield ns
    ns.delete()


def inside(tunl, ns, datapath):
    tunl(ns, f"add tun1 mode ipip remote 10.9.0.1 local 10.9.0.2 datapath {datapath}")
    ns.ip("link set tun1 up")


def test_deleted_namespace_is_freed(tunl, datapath, prefix, witness):
    ns = Netns(prefix + "d")
    witness.ip(f"link add p0 type veth peer name p1 netns {ns}")
    ns.ip("addr add 10.9.0.2/24 dev p1", "link set p1 up")
    inside(tunl, ns, datapath)
    run("ip", "netns", "del", ns)
    wait_until(lambda: witness.link("p0") is None, GONE, "the namespace's end")
    assert len(tunl.pids()) == 2
    wait_until(lambda: f"/run/netns/{ns}" not in (tunl.rundir / "state").read_text(), GONE)


def test_namespace_of_the_same_name_again(tunl, datapath, prefix, witness):
    """A new namespace under an old name is another one: it starts without tunnels."""
    ns = Netns(prefix + "d")
    witness.ip(f"link add p0 type veth peer name p1 netns {ns}")
    inside(tunl, ns, datapath)
    ns.delete()
    again = Netns(ns.name)
    try:
        assert tunl(again, "show").stdout == ""
        inside(tunl, again, datapath)
        wait_until(lambda: witness.link("p0") is None, GONE, "the old namespace's end")
        assert tunl(again, "show").stdout.startswith("tun1: ")
        assert again.link("tun1")
    finally:
        again.delete()


def test_end_of_the_last_process(tunl, datapath, witness):
    """An unnamed namespace ends with its last process, tunnel or not."""
    holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        witness.ip(f"link add p0 type veth peer name p1 netns {holder.pid}")
        run("nsenter", f"--net=/proc/{holder.pid}/ns/net", BUILD / "tunl", "add", "tun1", "mode", "ipip",
            "remote", "10.9.0.1", "datapath", datapath, env=tunl.env)
        run("nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip", "link", "set", "tun1", "up")
        assert witness.link("p0")
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
    wait_until(lambda: witness.link("p0") is None, GONE, "the namespace's end")


def test_deleted_while_no_daemon_ran(tunl, datapath, prefix, witness):
    """The state names a namespace that has gone meanwhile: the new daemon lets it be."""
    ns, other = Netns(prefix + "d"), Netns(prefix + "o")
    try:
        witness.ip(f"link add p0 type veth peer name p1 netns {ns}")
        inside(tunl, ns, datapath)
        inside(tunl, other, datapath)
        tunl.kill(*tunl.parent_and_engine())
        ns.delete()
        wait_until(lambda: witness.link("p0") is None, GONE, "the namespace's end")
        tunl(witness, "add t0 mode ipip remote 10.9.0.3")
        assert tunl(other, "show").stdout.startswith("tun1: ")
        wait_until(lambda: len(tunl.pids()) == 2)
    finally:
        other.delete()


def test_daemon_keeps_no_namespace_it_was_started_from(tunl, prefix, witness):
    """Started by a command inside a namespace, tunld does not keep that one."""
    ns = Netns(prefix + "d")
    witness.ip(f"link add p0 type veth peer name p1 netns {ns}")
    tunl(ns, "add tun1 mode ipip remote 10.9.0.1")
    tunl(ns, "del tun1")
    ns.delete()
    wait_until(lambda: witness.link("p0") is None, GONE, "the namespace's end")
    assert len(tunl.pids()) == 2


# Each makes a namespace that no process lives in, adds tun1 there, and holds it by nothing but what it says.
HOLDERS = {
    "name-elsewhere": ["unshare", "--mount", "sh", "-c",
                       "mount -t tmpfs tmpfs /mnt && touch /mnt/n && unshare --net=/mnt/n true && "
                       "nsenter --net=/mnt/n \"$@\" && exec cat", "sh"],
    "descriptor": ["python3", "-c", """
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None)
home = os.open("/proc/self/ns/net", os.O_RDONLY)
assert libc.unshare(0x40000000) == 0  # CLONE_NEWNET
kept = os.open("/proc/self/ns/net", os.O_RDONLY)
subprocess.run(sys.argv[1:], check=True)
assert libc.setns(home, 0) == 0
print(flush=True)
sys.stdin.read()
"""],
    "thread": ["python3", "-c", """
import ctypes, subprocess, sys, threading
def live():
    assert ctypes.CDLL(None).unshare(0x40000000) == 0
    subprocess.run(sys.argv[1:], check=True)
    print(flush=True)
    threading.Event().wait()
threading.Thread(target=live, daemon=True).start()
sys.stdin.read()
"""],
}


@pytest.mark.parametrize("how", HOLDERS)
def test_adopts_where_no_process_lives(tunl, prefix, how):
    """A namespace that a descriptor, a thread or a name in another mount namespace keeps."""
    ns = Netns(prefix + "d")
    holder = subprocess.Popen(
        [*HOLDERS[how], BUILD / "tunl", "add", "tun1", "mode", "ipip", "remote", "10.9.0.1"],
        env=tunl.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        wait_until(lambda: "tunnels: 1" in tunl(None, "daemon status", check=False).stdout)
        wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"))
        tunl.kill(*tunl.parent_and_engine())
        inside(tunl, ns, "auto")
        assert "tunnels: 2" in tunl(None, "daemon status").stdout, tunl.log()
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
        ns.delete()
    wait_until(lambda: "tunnels: 0" in tunl(None, "daemon status").stdout, 2 * GONE)
