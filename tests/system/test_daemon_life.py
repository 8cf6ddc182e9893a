# SPDX-License-Identifier: BSD-2-Clause
"""tunld: starting, stopping, dying, coming back."""

import os
import pathlib
import signal
import subprocess
import time

import pytest

from net import wait_until
from stream import Counted, tcp_exchange
from tunnels import BUILD, Ends

A = "remote 10.10.20.2 local 10.10.10.2"


def field(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split(":", 1)[1].strip()
    raise AssertionError(f"no {name} in /proc/{pid}/status")


def test_starts_by_itself_at_the_first_add(tunl, underlay):
    net = underlay()
    assert tunl.pids() == []
    assert tunl(net.a, "show").stdout == "" and tunl.pids() == []
    tunl(net.a, f"add tun1 mode ipip {A}")
    parent, engine = tunl.parent_and_engine()
    tunl(net.b, "add tun1 mode ipip remote 10.10.10.2 local 10.10.20.2")
    assert tunl.pids() == [parent, engine]


def test_status_stop(tunl, underlay):
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip {A}")
    parent, _ = tunl.parent_and_engine()
    assert str(parent) in tunl(None, "daemon status").stdout
    tunl(None, "daemon stop")
    wait_until(lambda: not tunl.pids())
    tunl.refused(None, "daemon status")
    assert net.a.link("tun1"), "stopping the daemon deletes no tunnel"


def test_restart(tunl, underlay):
    """Another engine, the same tunnels."""
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip {A}")
    _, engine = tunl.parent_and_engine()
    tunl(None, "daemon restart")
    wait_until(lambda: len(tunl.pids()) == 2 and engine not in tunl.pids(), what="another engine")
    assert tunl(net.a, "show").stdout.startswith("tun1: ")


def test_engine_holds_nothing(tunl, underlay):
    """The process that parses packets: no capability, seccomp, no way to get any."""
    tunl(underlay().a, f"add tun1 mode ipip {A} datapath user")
    _, engine = tunl.parent_and_engine()
    wait_until(lambda: field(engine, "Seccomp") == "2")
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(field(engine, name), 16) == 0, name
    assert field(engine, "NoNewPrivs") == "1"
    assert set(field(engine, "Uid").split()) != {"0"}


@pytest.mark.parametrize("victims", ["parent", "engine", "both"])
def test_kill_loses_nothing_on_bpf(tunl, underlay, victims):
    """kill -9 under load; the next command starts a daemon again, which adopts the tunnels."""
    e = Ends(tunl, underlay(), "bpf").both()
    with Counted(e.a, e.b, e.B) as flood:
        wait_until(lambda: len(flood.seen) > 500)
        parent, engine = tunl.parent_and_engine()
        before = e.stats(e.b)
        tunl.kill(*{"parent": [parent], "engine": [engine], "both": [parent, engine]}[victims])
        mark = flood.sent
        wait_until(lambda: flood.sent > mark + 1000)
        tunl(e.a, "add other mode ipip remote 192.0.2.9")
        tunl(e.a, "del other")
        wait_until(lambda: len(tunl.pids()) == 2, what="a parent and an engine again")
        mark = flood.sent
        wait_until(lambda: flood.sent > mark + 1000)
    assert flood.lost() == [] and flood.failures == 0
    after = e.stats(e.b)
    assert all(after[key] >= before[key] for key in before)
    assert after["rx_packets"] == flood.sent and e.stats(e.a)["tx_packets"] == flood.sent


def test_restart_loses_nothing_on_bpf(tunl, underlay):
    e = Ends(tunl, underlay(), "bpf").both()
    with Counted(e.a, e.b, e.B) as flood:
        wait_until(lambda: len(flood.seen) > 500)
        tunl(None, "daemon restart")
        mark = flood.sent
        wait_until(lambda: flood.sent > mark + 1000)
    assert flood.lost() == []


def test_adopts_tunnels_of_all_namespaces(ends):
    """After kill -9 of both: every tunnel is found where it is, with its counters, and carries."""
    e = ends().both()
    third = e.net.add(e.a.name[:-1] + "x")
    e.tunl(third, "add lonely mode ipip remote 192.0.2.1 local 192.0.2.2")
    e.b.ping(e.A, "-c", "3", "-i", "0.01")
    wait_until(lambda: e.stats(e.a)["rx_packets"] == 3)
    shown = [e.tunl(ns, "show").stdout for ns in (e.a, e.b, third)]
    before = [e.stats(ns) for ns in (e.a, e.b)]
    e.tunl.kill(*e.tunl.parent_and_engine())
    e.tunl(e.a, "add other mode ipip remote 192.0.2.9")
    e.tunl(e.a, "del other")
    assert [e.tunl(ns, "show").stdout for ns in (e.a, e.b, third)] == shown
    assert [e.stats(ns) for ns in (e.a, e.b)] == before
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)
    wait_until(lambda: e.stats(e.a)["rx_packets"] > 3)
    e.tunl(e.a, "change tun1 ttl 11")
    e.tunl(third, "del lonely")
    assert third.link("lonely") is None


def test_user_datapath_is_back_within_a_second(tunl, underlay):
    e = Ends(tunl, underlay(), "user").both()
    with Counted(e.a, e.b, e.B, rate=500) as flood:
        wait_until(lambda: len(flood.seen) > 100)
        tunl.kill(*tunl.parent_and_engine())
        start = time.monotonic()
        tunl(e.a, "add other mode ipip remote 192.0.2.9")
        mark = len(flood.seen)
        wait_until(lambda: len(flood.seen) > mark + 50, 5)
        took = time.monotonic() - start
    assert took < 1.5, f"{took:.2f} s, 0.1 of them for 50 packets"
    tcp_exchange(e.b, e.B, e.a, 1 << 20)


def test_dead_engine_is_replaced(tunl, underlay):
    e = Ends(tunl, underlay(), "user").both()
    e.b.ping(e.A)
    parent, engine = tunl.parent_and_engine()
    tunl.kill(engine)
    wait_until(lambda: tunl.pids()[:1] == [parent] and len(tunl.pids()) == 2 and engine not in tunl.pids())
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)


def test_hung_daemon_is_given_up(tunl, underlay):
    """The command says so after some seconds, and does nothing else."""
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip {A}")
    parent, _ = tunl.parent_and_engine()
    tunl.kill(parent, sig=signal.SIGSTOP)
    start = time.monotonic()
    done = tunl.refused(net.a, "add tun2 mode ipip remote 192.0.2.1")
    took = time.monotonic() - start
    tunl.kill(parent, sig=signal.SIGCONT)
    assert 10 <= took <= 25 and done.stderr.strip(), f"{took:.1f} s: {done.stderr}"
    assert "tunld" in done.stderr
    tunl(net.a, "show")


def test_two_starters(tunl, underlay):
    """Many commands at once where no daemon runs: one daemon, all served."""
    net = underlay()
    calls = [subprocess.Popen(["ip", "netns", "exec", str(net.a), BUILD / "tunl", "add", f"t{i}", "mode", "ipip",
                               "remote", f"192.0.2.{i + 1}"], env=tunl.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for i in range(8)]
    ends = [(call.communicate(timeout=20)[0], call.returncode) for call in calls]
    assert ends == [("", 0)] * 8
    wait_until(lambda: len(tunl.pids()) == 2)
    assert len(tunl(net.a, "show").stdout.splitlines()) == 8


def test_no_descriptor_is_leaked(tunl, underlay):
    """Thirty tunnels made and deleted, and refused requests: no more descriptors than before.
    Fewer there may be: one of the first tunnel's making can still be on its way out."""
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip {A}")
    pids = tunl.parent_and_engine()

    def descriptors():
        return [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]

    def around():
        tunl(net.a, "add x mode ipip remote 192.0.2.1")
        tunl.refused(net.a, "add y mode ipip remote 192.0.2.1")
        tunl(net.a, "del x")
    around()
    before = descriptors()
    for _ in range(30):
        around()
    wait_until(lambda: all(now <= then for now, then in zip(descriptors(), before)), what=f"no more than {before} descriptors")
    assert tunl.parent_and_engine() == pids


def test_nobody_elses_daemon(tunl, underlay):
    """The control socket admits root and the group only."""
    tunl(underlay().a, f"add tun1 mode ipip {A}")
    mode = (tunl.rundir / "control").stat().st_mode & 0o777
    assert mode & 0o007 == 0
