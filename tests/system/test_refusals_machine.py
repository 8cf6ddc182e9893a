# SPDX-License-Identifier: BSD-2-Clause
"""What the machine lacks or has taken: a clear message, the right status, nothing changed."""

import ctypes
import errno
import json
import os
import struct
import subprocess

import pytest

from net import run, wait_until
from tunnels import BUILD

A = "remote 10.10.20.2 local 10.10.10.2"
ADD = f"add tun1 mode ipip {A}"


def devices(ns):
    return {row["ifname"] for row in json.loads(run("ip", "-n", ns, "-j", "link").stdout)}


def shell(tunl, ns, prepare, command):
    """`tunl COMMAND` in ns, in a mount namespace of its own where prepare was done first."""
    script = f'{prepare}\nexec "$@"'
    return run("unshare", "--mount", "--propagation", "private", "ip", "netns", "exec", ns,
               "sh", "-c", script, "sh", BUILD / "tunl", *command.split(), check=False, env=tunl.env)


def test_no_dev_net_tun(tunl, underlay, prefix):
    """The message names /dev/net/tun and what to do; no device, no state."""
    net = underlay()
    for datapath in ("", " datapath bpf", " datapath user"):
        done = shell(tunl, net.a, f"mount -t tmpfs none /dev/net; mount -t tmpfs -o mode=755 none {tunl.rundir}", ADD + datapath)
        assert done.returncode == 1 and "/dev/net/tun" in done.stderr, done.stderr
    assert "tun1" not in devices(net.a)
    assert tunl(net.a, "show").stdout == ""


@pytest.mark.parametrize("front", [
    ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-all"],
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"],
])
def test_no_net_admin(tunl, underlay, front):
    """Without CAP_NET_ADMIN: Operation not permitted, as `ip tunnel` says, or why the daemon is not reached."""
    net = underlay()
    os.chmod(tunl.rundir, 0o755)
    done = net.a.run(*front, BUILD / "tunl", *ADD.split(), check=False, env=tunl.env)
    assert done.returncode == 1 and done.stderr.strip()
    assert "permitted" in done.stderr or "ermission" in done.stderr, done.stderr
    assert "tun1" not in devices(net.a)


def test_caller_without_net_admin_is_refused_by_a_running_daemon(tunl, underlay):
    """The daemon's power is not lent to whoever has no CAP_NET_ADMIN in the namespace."""
    net = underlay()
    tunl(net.b, "add tun1 mode ipip remote 192.0.2.1")
    done = net.a.run("setpriv", "--bounding-set=-net_admin", "--inh-caps=-all", BUILD / "tunl", *ADD.split(),
                     check=False, env=tunl.env)
    assert done.returncode == 1 and "Operation not permitted" in done.stderr, done.stderr
    assert "tun1" not in devices(net.a)


# Asks for a tunnel as root without capabilities, in a user namespace where it has them all.
IN_A_USER_NAMESPACE = """
import array, ctypes, os, socket
assert ctypes.CDLL(None).unshare(0x10000000) == 0  # CLONE_NEWUSER
assert "CapEff:\\t0000000000000000" not in open("/proc/self/status").read()
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(os.environ["TUNL_RUNDIR"] + "/control")
ns = array.array("i", [os.open("/proc/self/ns/net", os.O_RDONLY)])
for request in (b"add - tun1 mode ipip remote 192.0.2.1", b"stop -"):
    s.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, ns)])
    print(s.recv(4096).decode())
"""


def test_capability_of_another_user_namespace_is_none(tunl, underlay):
    """CAP_NET_ADMIN counts where the network namespace is owned, not wherever the caller has it."""
    net = underlay()
    tunl(net.b, "add tun1 mode ipip remote 192.0.2.1")
    done = net.a.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", "python3", "-c", IN_A_USER_NAMESPACE,
                     env=tunl.env)
    assert done.stdout.count(f'"errno":{errno.EPERM}') == 2, done.stdout
    assert "tun1" not in devices(net.a) and len(tunl.pids()) == 2


def forbid_bpf():
    """From here on bpf(2) answers EPERM, as under a container's seccomp profile; children inherit it."""
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    code = struct.pack("HBBIHBBIHBBIHBBI", 0x20, 0, 0, 0, 0x15, 0, 1, number,
                       0x06, 0, 0, 0x00050000 | errno.EPERM, 0x06, 0, 0, 0x7FFF0000)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(22, 2, program, 0, 0):  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError(ctypes.get_errno(), "prctl")


def test_no_bpf_permission_falls_back(tunl, underlay):
    """auto takes the user datapath and show -d says why; `datapath bpf` is refused with the cause."""
    net = underlay()
    for ns, words in ((net.a, A), (net.b, "remote 10.10.10.2 local 10.10.20.2")):
        tunl(ns, f"add tun1 mode ipip {words}", preexec_fn=forbid_bpf)
    shown = tunl(net.a, "-d show tun1").stdout
    assert "user" in shown and ("permitted" in shown or "BPF" in shown or "bpf" in shown), shown
    done = tunl.refused(net.a, "add tun2 mode ipip remote 192.0.2.1 datapath bpf", status=1)
    assert "permitted" in done.stderr, done.stderr
    assert devices(net.a) >= {"tun1"} and "tun2" not in devices(net.a)
    net.a.ip("link set tun1 up", "addr add 10.10.100.1 peer 10.10.200.1 dev tun1")
    net.b.ip("link set tun1 up", "addr add 10.10.200.1 peer 10.10.100.1 dev tun1")
    net.a.ping("10.10.200.1")


def test_name_taken_by_another_device(tunl, underlay):
    net = underlay()
    net.a.ip("link add tun1 type veth peer name other")
    done = tunl.refused(net.a, ADD, status=1)
    assert done.stderr == 'add tunnel "tunl0" failed: File exists\n'
    assert net.a.link("tun1")["linkinfo"]["info_kind"] == "veth"
    tunl.refused(net.a, "del tun1", status=1)
    assert net.a.link("tun1")


def test_namespace_gone_mid_command(tunl, underlay, datapath):
    """The namespace loses its name while commands in it run: each ends, with 0 or a message; none stays."""
    net = underlay()
    tunl(net.b, "add tun1 mode ipip remote 192.0.2.1")
    gone = net.add(net.a.name[:-1] + "g")
    net.r.ip(f"link add g0 type veth peer name g1 netns {gone}")
    calls = [subprocess.Popen(["ip", "netns", "exec", str(gone), BUILD / "tunl", "add", f"t{i}", "mode", "ipip",
                               "remote", f"192.0.2.{i + 1}", "datapath", datapath], env=tunl.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
             for i in range(6)]
    gone.delete()
    for call in calls:
        text, _ = call.communicate(timeout=20)
        assert (call.returncode == 0) == (text == ""), text
    wait_until(lambda: net.r.link("g0") is None, 5, "the namespace's end")
    assert tunl(net.b, "show").stdout.startswith("tun1: ")


def test_full_runtime_folder(tunl, underlay):
    """No room in /run: the tunnel is not half made, the message says which file, the daemon lives on."""
    net = underlay()
    tunl(net.b, "add tun1 mode ipip remote 192.0.2.1")
    before = (tunl.rundir / "state").read_text()
    tunl(None, "daemon stop")
    wait_until(lambda: not tunl.pids())
    done = shell(tunl, net.a, f"mount -t tmpfs -o size=4k,mode=755 none {tunl.rundir} && "
                              f"head -c 4096 /dev/zero >{tunl.rundir}/filler", ADD)
    assert done.returncode == 1 and "No space left" in done.stderr, done.stderr
    assert "tun1" not in devices(net.a)
    assert (tunl.rundir / "state").read_text() == before


def test_runtime_folder_that_cannot_be(tunl, underlay):
    """TUNL_RUNDIR is a file: the message names it."""
    net = underlay()
    blocked = tunl.rundir / "file"
    blocked.write_text("")
    done = net.a.run(BUILD / "tunl", *ADD.split(), check=False, env={**tunl.env, "TUNL_RUNDIR": str(blocked)})
    assert done.returncode == 1 and str(blocked) in done.stderr, done.stderr
    assert "tun1" not in devices(net.a)


@pytest.mark.parametrize("how", ["open", "sticky", "strange"])
def test_runtime_folder_of_others(tunl, underlay, tmp_path, how):
    """What others could have put there is not believed: the message names folder and remedy."""
    net = underlay()
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod({"open": 0o777, "sticky": 0o1777, "strange": 0o755}[how])
    if how == "strange":
        os.chown(folder, 4711, 4711)
    done = net.a.run(BUILD / "tunl", *ADD.split(), check=False, env={**tunl.env, "TUNL_RUNDIR": str(folder)})
    assert done.returncode == 1 and str(folder) in done.stderr, done.stderr
    assert ("4711" if how == "strange" else "chmod o-w") in done.stderr
    assert list(folder.iterdir()) == [] and "tun1" not in devices(net.a)


def test_no_tunld(tunl, underlay):
    """The daemon's program is not where it should be: the message names the path."""
    net = underlay()
    done = net.a.run(BUILD / "tunl", *ADD.split(), check=False, env={**tunl.env, "TUNL_TUNLD": "/nonexistent/tunld"})
    assert done.returncode == 1 and "/nonexistent/tunld" in done.stderr, done.stderr


def test_damaged_state_file(tunl, underlay):
    """Lines that are no tunnels are named in the log and left out; the others come back."""
    net = underlay()
    tunl(net.a, ADD)
    tunl.kill(*tunl.parent_and_engine())
    state = tunl.rundir / "state"
    state.write_bytes(b"\xff\xfe garbage\nmode mode mode\n" + state.read_bytes() + b"tun9 mode ipip remo")
    tunl(net.b, "add tun1 mode ipip remote 192.0.2.1")
    assert tunl(net.a, "show").stdout.startswith("tun1: ")
