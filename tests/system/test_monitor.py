# SPDX-License-Identifier: BSD-2-Clause
"""tunl monitor: what happens to tunnels, told as it happens."""

import contextlib
import json
import signal
import subprocess
import threading

import pytest

from net import wait_until
from tunnels import BUILD, Ends

A = "remote 10.10.20.2 local 10.10.10.2"


class Monitor:
    """`tunl monitor` at work: events as it prints them."""

    def __init__(self, tunl, ns, *words, asks=True):
        self.events, self.lines, self.errors = [], [], []
        front = ["ip", "netns", "exec", str(ns)] if ns else []
        self.process = subprocess.Popen([*front, BUILD / "tunl", "monitor", *words], env=tunl.env,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.threads = [threading.Thread(target=self.read, args=(self.process.stdout, self.lines)),
                        threading.Thread(target=self.read, args=(self.process.stderr, self.errors))]
        for thread in self.threads:
            thread.start()
        if asks:
            wait_until(lambda: self.errors, what="the monitor's beginning")

    def read(self, stream, to):
        for line in stream:
            to.append(line.rstrip("\n"))

    def json(self, event, **fields):
        """Events of that kind with these fields."""
        rows = [json.loads(line) for line in list(self.lines)]
        return [r for r in rows if r["event"] == event and fields.items() <= r.items()]

    def wait(self, event, **fields):
        return wait_until(lambda: self.json(event, **fields), 40, f"{event} {fields}: {self.lines}")[-1]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(20)
        for thread in self.threads:
            thread.join(20)
        return status


@pytest.fixture
def monitor(tunl):
    made = []

    def make(ns, *words, **more):
        made.append(Monitor(tunl, ns, *words, **more))
        return made[-1]

    yield make
    for one in made:
        with contextlib.suppress(Exception):
            one.close()


def test_comes_changes_goes(tunl, underlay, monitor):
    net = underlay()
    tunl(net.a, f"add first mode ipip {A}")
    text, rows = monitor(net.a), monitor(net.a, "-j")
    other = monitor(net.b, "-j")
    tunl(net.a, "add tun1 mode gre remote 10.10.20.2 key 7")
    row = rows.wait("added", ifname="tun1")
    assert row["config"] == "tun1 mode gre remote 10.10.20.2 key 7" and row["up"] is False
    tunl(net.a, "change tun1 ttl 9")
    assert "ttl 9" in rows.wait("changed", ifname="tun1")["config"]
    net.a.ip("link set tun1 up")
    rows.wait("changed", ifname="tun1", up=True)
    net.a.ip("link set tun1 down")
    rows.wait("changed", ifname="tun1", up=False)
    net.a.ip("link set tun1 name tun2")
    rows.wait("changed", ifname="tun2")
    tunl(net.a, "del tun2")
    rows.wait("deleted", ifname="tun2")
    net.a.ip("link del first")
    rows.wait("deleted", ifname="first")
    wait_until(lambda: any(line.startswith("Deleted") and "first" in line for line in text.lines))
    index = row["ifindex"]
    assert text.lines[0] == f"{index}: tun1: added: mode gre remote 10.10.20.2 key 7, down, mtu 1472"
    assert f"Deleted {index}: tun2: deleted: mode gre" in "\n".join(text.lines)
    assert text.close() == 0 and rows.close() == 0
    assert other.lines == [], "what happens elsewhere is not told"


def test_add_that_fails_is_not_told(tunl, underlay, monitor):
    net = underlay()
    tunl(net.a, f"add first mode ipip {A}")
    rows = monitor(None, "all", "-j")
    tunl.refused(net.a, f"add second mode ipip {A}")
    tunl(net.a, "add third mode ipip remote 192.0.2.9")
    rows.wait("added", ifname="third")
    assert len(rows.lines) == 1


def test_survives_restarts(tunl, underlay, monitor):
    """It begins before there is a daemon, and goes on with the next."""
    net = underlay()
    rows = monitor(net.a, "-j", asks=False)
    tunl(net.a, f"add first mode ipip {A}")
    wait_until(lambda: rows.errors, what="that it found the daemon")
    tunl(None, "daemon restart")
    rows.wait("daemon restarted")
    tunl(net.a, "add tun1 mode gre remote 10.10.20.2")
    rows.wait("added", ifname="tun1")
    tunl.kill(*tunl.parent_and_engine())
    wait_until(lambda: len(rows.json("daemon stopped")) == 2)
    tunl(net.a, "show")
    wait_until(lambda: len(rows.json("daemon restarted")) == 2)
    tunl(net.a, "del tun1")
    rows.wait("deleted", ifname="tun1")
    assert rows.close() == 0


def test_learned_drops_datapath(tunl, underlay, datapath, monitor):
    e = Ends(tunl, underlay(mtu=1500, far_mtu=1400), datapath).both()
    rows = monitor(e.a, "-j")
    e.a.ping(e.B, "-c", "1", "-s", "1450", "-M", "dont", check=False)
    assert rows.wait("pmtu", ifname="tun1") ["pmtu"] == 1400
    e.a.ping(e.B, "-c", "2", "-s", "1450", "-M", "do", "-W", "1", check=False)
    e.a.ip("route add blackhole 10.10.20.2")
    # the first may still go by the route there was
    row = wait_until(lambda: e.a.ping(e.B, "-c", "1", "-W", "1", check=False) and
                     rows.json("drops", reason="tx-no-route"), 40)[-1]
    assert row["count"] >= 1 and row["text"] and row["remedy"]
    to = "user" if datapath == "bpf" else "bpf"
    tunl(e.a, f"change tun1 datapath {to}")
    rows.wait("datapath", datapath=to)


def test_who_does_not_read(tunl, underlay, monitor):
    """Its queue has an end, the daemon goes on, and it hears how much it missed."""
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip {A}")
    rows = monitor(net.a, "-j")
    rows.process.send_signal(signal.SIGSTOP)
    for ttl in range(1, 7):
        lines = "".join(f"change tun1 ttl {n}\n" for n in range(ttl, 250))
        tunl(net.a, "-b", "-", input=lines)
    rows.process.send_signal(signal.SIGCONT)
    row = rows.wait("lost")
    assert row["count"] > 100
    tunl(net.a, "del tun1")
    rows.wait("deleted")
    changed = len(rows.json("changed"))
    assert changed + sum(r["count"] for r in rows.json("lost")) == sum(250 - t for t in range(1, 7))


def test_too_many(tunl, underlay, monitor):
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip {A}")
    for _ in range(16):
        monitor(net.a, "-j")
    assert "16 others monitor" in tunl.refused(net.a, "monitor").stderr
    tunl.refused(net.a, "monitor nothing", status=255)
