# SPDX-License-Identifier: BSD-2-Clause
"""What is done to a tunnel behind tunld's back, while it runs and while it does not."""

import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from net import run, wait_until
from tunnels import BUILD, Ends, Tunl

A = "remote 10.10.20.2 local 10.10.10.2"


def programs(ns, dev, side):
    return ns.run("tc", "filter", "show", "dev", dev, side).stdout.count("name tunl_")


def underlays(ns):
    return [dev for dev in ns.run("ls", "/sys/class/net").stdout.split() if dev not in ("lo", "tun1")]


def test_filters_taken_off_are_put_back(tunl, underlay):
    """On the tunnel's device and on the underlay, with the counters as they were."""
    e = Ends(tunl, underlay(), "bpf").both()
    e.b.ping(e.A)
    before = e.stats(e.a)
    for ns, dev, side in ((e.a, "tun1", "egress"), (e.b, underlays(e.b)[0], "ingress")):
        assert programs(ns, dev, side) == 1
        ns.run("tc", "qdisc", "del", "dev", dev, "clsact")
        wait_until(lambda: programs(ns, dev, side) == 1)
    e.b.ping(e.A)
    after = e.stats(e.a)
    assert after["rx_packets"] == before["rx_packets"] + 1 and after["tx_packets"] == before["tx_packets"] + 1


def test_new_underlay_device_gets_the_program(tunl, underlay):
    e = Ends(tunl, underlay(), "bpf").both()
    e.a.ip(f"link add late type veth peer name late1 netns {e.r}")
    wait_until(lambda: programs(e.a, "late", "ingress") == 1)


def test_programs_go_with_the_last_tunnel(tunl, underlay):
    e = Ends(tunl, underlay(), "bpf").both()
    dev = underlays(e.a)[0]
    assert programs(e.a, dev, "ingress") == 1
    tunl(e.a, "del tun1")
    assert programs(e.a, dev, "ingress") == 0
    assert "clsact" not in e.a.run("tc", "qdisc", "show").stdout


def test_renamed_while_no_daemon_ran(ends):
    e = ends().both()
    e.tunl.kill(*e.tunl.parent_and_engine())
    e.a.ip("link set tun1 down", "link set tun1 name newt", "link set newt up", f"route replace {e.B} dev newt")
    wait_until(lambda: e.tunl(e.a, "show").stdout.startswith("newt: ip/ip "))
    wait_until(lambda: not e.a.ping(e.B, "-W", "1", check=False).returncode)
    e.tunl(e.a, "del newt")
    assert e.a.link("newt") is None


def test_moved_there_and_back_unseen(ends):
    """Back under another index before the daemon looked: the same tunnel."""
    e = ends().both()
    far = e.net.add(e.a.name[:-1] + "m")
    index = e.a.link("tun1")["ifindex"]
    parent, _ = e.tunl.parent_and_engine()
    e.tunl.kill(parent, sig=signal.SIGSTOP)
    e.a.ip(f"link set tun1 netns {far}", f"link add d0 index {index} type veth peer name d1")
    far.ip(f"link set tun1 netns {e.a}")
    e.a.ip("link set tun1 up", f"addr add {e.A} peer {e.B} dev tun1")
    e.tunl.kill(parent, sig=signal.SIGCONT)
    assert e.a.link("tun1")["ifindex"] != index
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)
    assert e.tunl(e.a, "show").stdout.startswith("tun1: ip/ip "), e.tunl.log()


def test_moved_while_no_daemon_ran(ends):
    e = ends().both()
    far = e.net.add(e.a.name[:-1] + "m")
    e.tunl.kill(*e.tunl.parent_and_engine())
    e.a.ip(f"link set tun1 netns {far}")
    far.ip("link set tun1 up", f"addr add {e.A} peer {e.B} dev tun1")
    assert e.tunl(far, "show").stdout.startswith("tun1: ip/ip ")
    assert e.tunl(e.a, "show").stdout == ""
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)


def test_another_daemons_device_is_left_alone(ends, request):
    """It has the name of one that went while no daemon ran, and nobody attached to it either."""
    e = ends().both()
    other = Tunl()
    request.addfinalizer(other.close)
    far = e.net.add(e.a.name[:-1] + "m")
    other(far, "add tun1 mode ipip local 10.1.1.1 remote 10.1.1.2")
    other.kill(*other.parent_and_engine())
    e.tunl.kill(*e.tunl.parent_and_engine())
    e.a.ip("link del tun1")
    assert e.tunl(e.a, "show").stdout == ""
    assert e.tunl(far, "show").stdout == ""
    assert other(far, "show").stdout.startswith("tun1: ip/ip ")


def test_what_went_unseen_leaves_no_entry(ends):
    """A more specific tunnel that went while no daemon ran no longer takes packets from the other."""
    e = ends().both()
    e.add(e.b, "remote any local 10.10.20.2", name="tun2")
    e.b.ip("link set tun2 up")
    assert not e.a.ping(e.B, check=False).returncode
    e.tunl.kill(*e.tunl.parent_and_engine())
    e.b.ip("link del tun1")
    assert e.tunl(e.b, "show").stdout.startswith("tun2: ")
    before = e.stats(e.b, "tun2")["rx_packets"]
    e.a.ping(e.B, "-W", "1", check=False)
    wait_until(lambda: e.stats(e.b, "tun2")["rx_packets"] > before)


def test_device_is_roots(ends):
    """Who may open /dev/net/tun cannot take the queue of a tunnel that no engine has."""
    e = ends().both()
    data = json.loads(e.a.run("/usr/sbin/ip", "-d", "-j", "link", "show", "tun1").stdout)[0]["linkinfo"]["info_data"]
    assert data["persist"] and data["user"] in ("root", 0, "0")


def test_deleted_while_no_daemon_ran(ends):
    """It is forgotten, and no program of it stays on the underlay."""
    e = ends().both()
    dev = underlays(e.a)[0]
    e.tunl.kill(*e.tunl.parent_and_engine())
    e.a.ip("link del tun1")
    assert e.tunl(e.a, "show").stdout == ""
    assert programs(e.a, dev, "ingress") == 0
    e.add(e.a, A)
    e.up(e.a, e.A, e.B)
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)
    assert e.stats(e.a)["tx_packets"] <= 2, "a new tunnel counts from zero"


def test_end_of_home_ends_a_moved_tunnel(tunl, underlay, datapath):
    """With the namespace that it was made in goes the tunnel, wherever its device is; and the other way round."""
    net = underlay()
    homes = [net.add(net.a.name[:-1] + c) for c in "pq"]
    far = net.add(net.a.name[:-1] + "f")
    for i, home in enumerate(homes):
        tunl(home, f"add t{i} mode ipip remote 192.0.2.1 datapath {datapath}")
        home.ip(f"link set t{i} netns {far}")
    wait_until(lambda: len(tunl(far, "show").stdout.splitlines()) == 2)
    homes[0].delete()
    wait_until(lambda: far.link("t0") is None, 5, "the end of the moved device")
    assert tunl(far, "show").stdout.startswith("t1: ")
    far.delete()
    wait_until(lambda: "namespaces: 0" in tunl(None, "daemon status").stdout, 5, "the end of both")


def test_parent_holds_what_it_needs(tunl, underlay):
    """Few capabilities, no way to more, and a network namespace of its own."""
    tunl(underlay().a, f"add tun1 mode ipip {A}")
    parent, _ = tunl.parent_and_engine()
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{parent}/status").read_text().splitlines()
                  if ":\t" in line)
    caps = int(status["CapEff"], 16)
    needed, useless = {12, 13, 21}, {1, 2, 3, 4, 16, 17, 22, 23, 25}  # linux/capability.h
    assert all(caps >> bit & 1 for bit in needed) and not any(caps >> bit & 1 for bit in useless)
    assert status["NoNewPrivs"].strip() == "1"
    assert os.readlink(f"/proc/{parent}/ns/net") != os.readlink("/proc/self/ns/net")


def test_socket_activation(tunl, underlay, tmp_path):
    """As systemd does it: the socket is there first, its first client finds a daemon."""
    net = underlay()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(tunl.rundir / "control"))
    listener.listen(16)
    script = f'exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --foreground'
    daemon = subprocess.Popen(["bash", "-c", script, BUILD / "tunld"], pass_fds=[listener.fileno()], env=tunl.env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listener.close()
    try:
        tunl(net.a, f"add tun1 mode ipip {A}")
        assert f"pid: {daemon.pid}\n" in tunl(None, "daemon status").stdout
        tunl(None, "daemon restart")
        assert f"pid: {daemon.pid}\n" in tunl(None, "daemon status").stdout, "a restart keeps the process"
        assert tunl(net.a, "show").stdout.startswith("tun1: ")
        tunl(None, "daemon stop")
        assert daemon.wait(10) == 0
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()


@pytest.mark.parametrize("request_", [b"", b"add", b"nonsense - x", b"add - \xff\xfe", b"add -", b"list - " + b"x" * 3000,
                                      b"get - mode", b"delete tun9", b"add - tun2 mode ipip\0 remote 1.1.1.1"])
def test_nonsense_on_the_socket(tunl, underlay, request_):
    """A request that makes no sense, or comes without a namespace, is refused; the daemon goes on."""
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip {A}")
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(5)
    client.connect(str(tunl.rundir / "control"))
    client.send(request_)
    answer = client.recv(4096)
    assert answer == b"" or b'"done":true' in answer and b'"errno":0' not in answer
    client.close()
    assert tunl(net.a, "show").stdout.startswith("tun1: ")
    assert run("ip", "-n", net.a, "-o", "link").stdout.count("tun2") == 0


def test_a_client_that_reads_nothing_holds_up_nobody(tunl, underlay):
    net = underlay()
    for i in range(20):
        tunl(net.a, f"add t{i} mode ipip remote 192.0.2.{i + 1} datapath user")

    def ask_for_ever():
        stuck = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stuck.setblocking(False)
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        stuck.connect(str(tunl.rundir / "control"))
        with open("/proc/self/ns/net") as ns:
            try:
                for _ in range(200):
                    socket.send_fds(stuck, [b"list -"], [ns.fileno()])
            except BlockingIOError:
                pass
        return stuck
    stuck = [net.a.call(ask_for_ever) for _ in range(1)]
    assert len(tunl(net.a, "show").stdout.splitlines()) == 20
    del stuck
