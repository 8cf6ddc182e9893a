# SPDX-License-Identifier: BSD-2-Clause
"""The programs of the bpf datapath at work, with no daemon: persistent TUN devices made
here, programs and maps by bpf_ctl, which goes away again at once."""

import fcntl
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.compat import raw

from net import ETH_P_ALL, wait_until
from stream import tcp_exchange

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TUNL_BUILD", ROOT / "build")).resolve()
TUNSETIFF, TUNSETPERSIST = 0x400454CA, 0x400454CB
IFF_TUN, IFF_NO_PI = 1, 0x1000
INNER_A, INNER_B = "10.10.100.1", "10.10.200.1"


@pytest.fixture(scope="session")
def bpf_ctl():
    path = BUILD / "test/bpf_ctl"
    subprocess.run(["make", "-s", "--no-print-directory", f"B={BUILD}", str(path)], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    return path


def make_tun(name):
    """A TUN device that stays, and that no process holds."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        fcntl.ioctl(tun, TUNSETPERSIST, 1)
    finally:
        os.close(tun)


class End:
    """One end of the tunnel."""

    def __init__(self, ctl, space, dev, local, remote, via, inner, peer):
        self.ctl, self.space, self.dev = ctl, space, dev
        space.call(make_tun, "tun1")
        space.ip("link set dev tun1 mtu 1480 up", f"addr add {inner} peer {peer} dev tun1")
        self.words = ["remote", remote, "local", local, "via", via]
        self.up()

    def bpf_ctl(self, *words):
        return self.space.run(self.ctl, *words).stdout

    def up(self, *more):
        self.bpf_ctl("up", "tun1", self.dev, *self.words, *more)

    def stats(self):
        return {k: int(v) for k, v in (line.split() for line in self.bpf_ctl("stats", "tun1").splitlines())}

    def errors(self):
        return {k: v for k, v in self.stats().items() if "-" in k and v}

    def tc(self, *words):
        return self.space.run("tc", *words, check=False).stdout


@pytest.fixture
def pair(underlay, bpf_ctl):
    net = underlay()
    a = End(bpf_ctl, net.a, "v1", net.A, net.B, net.RA, INNER_A, INNER_B)
    b = End(bpf_ctl, net.b, "v2", net.B, net.A, net.RB, INNER_B, INNER_A)
    return a, b


def test_ping_both_ways(pair):
    """The very first packet too, which has to wait for the neighbour's address."""
    a, b = pair
    a.space.ping(INNER_B)
    b.space.ping(INNER_A)
    for end in pair:
        stats = end.stats()
        assert (stats["tx_packets"], stats["rx_packets"]) == (2, 2)
        assert (stats["tx_bytes"], stats["rx_bytes"]) == (168, 168)
        assert not end.errors()


def test_wire(pair):
    """The outer header, as the other side of the underlay sees it."""
    a, b = pair
    with b.space.sniff("v2") as sniffer:
        a.space.ping(INNER_B, "-s", "56")
        outer = sniffer.wait(lambda p: p.src == "10.10.10.2" and p.proto == 4)
    assert (outer.len, outer.ttl, outer.tos, str(outer.flags)) == (104, 63, 0, "DF")
    assert outer[IP].payload.src == INNER_A and ICMP in outer


def test_tcp_whole(pair):
    """TCP both ways at once: the data intact, and super-packets not cut up before the underlay."""
    a, b = pair
    size = 32 << 20
    tcp_exchange(b.space, INNER_B, a.space, size)
    for end in pair:
        stats = end.stats()
        assert stats["rx_bytes"] > size
        assert stats["rx_packets"] < size / 1428 / 2
        assert not end.errors()


@pytest.mark.parametrize("off", ["tso", "gso", "tx", "gro"])
def test_tcp_without(pair, off):
    """The same where the underlay lacks an offload."""
    for end in pair:
        end.space.run("ethtool", "-K", end.dev, off, "off", *(["gso", "off"] if off == "tso" else []))
    tcp_exchange(pair[1].space, INNER_B, pair[0].space, 4 << 20)
    assert not pair[0].errors() and not pair[1].errors()


def send_inner(end, data):
    with end.space.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as sock:
        sock.sendto(data, ("tun1", 0x0800, 0, 0, b""))


def test_short_inner(pair):
    a, _ = pair
    send_inner(a, b"\x45" + bytes(18))
    assert a.errors() == {"tx-inner-short": 1}


def test_too_big_goes_to_the_queue(pair):
    """What the program cannot finish reaches the TUN device, where nobody is: it counts a drop there."""
    a, _ = pair
    a.up("mtu", "1400")
    send_inner(a, raw(IP(src=INNER_A, dst=INNER_B) / UDP() / bytes(1372)))
    row = json.loads(a.space.run("ip", "-j", "-s", "link", "show", "tun1").stdout)[0]
    assert row["stats64"]["tx"]["dropped"] == 1
    send_inner(a, raw(IP(src=INNER_A, dst=INNER_B) / UDP() / bytes(1352)))
    assert a.stats()["tx_packets"] == 1


def test_growing_counts_all(pair):
    """Maps grow, twice, in the midst of traffic: every packet arrives and is counted."""
    a, b = pair
    a.space.ping(INNER_B)
    before = a.stats()["tx_packets"]
    flood = a.space.popen("ping", "-n", "-q", "-i", "0.001", "-c", "1500", INNER_B)
    wait_until(lambda: a.stats()["tx_packets"] > before + 50, what="traffic")
    a.bpf_ctl("fill", "tun1", "600")
    in_midst = a.stats()["tx_packets"]
    text = flood.communicate(timeout=30)[0]
    assert in_midst < before + 1500
    assert " 1500 received" in text
    assert a.stats()["tx_packets"] == before + 1500
    # the receiving side of the maps in use is the new load's too
    assert a.stats()["rx_packets"] == before + 1500


def filters(end, dev, side):
    return end.tc("filter", "show", "dev", dev, side)


def add_filter(end, code):
    """A filter of the user's behind ours, in classic BPF: its result is the verdict."""
    end.space.run("tc", "filter", "add", "dev", end.dev, "ingress", "prio", "60000", "bpf",
                  "bytecode", code, "direct-action")


def test_reload_replaces(pair):
    """A second load adopts the maps with their counters and stands where the first stood."""
    a, _ = pair
    a.space.ping(INNER_B)
    first = filters(a, "tun1", "egress")
    a.up()
    second = filters(a, "tun1", "egress")
    assert first.count("handle") == second.count("handle") == 1 and first != second
    assert a.stats()["tx_packets"] == 1
    a.space.ping(INNER_B)
    assert a.stats()["tx_packets"] == 2


def test_detach_leaves_nothing(pair):
    a, _ = pair
    assert "clsact" in a.tc("qdisc", "show", "dev", "v1")
    a.bpf_ctl("down", "tun1", "v1")
    for dev in ("tun1", "v1"):
        assert "clsact" not in a.tc("qdisc", "show", "dev", dev)


def test_detach_leaves_what_others_put(pair):
    """A clsact that was there before, and one of ours that others have come to use."""
    a, _ = pair
    add_filter(a, "1,6 0 0 4294967295")
    a.bpf_ctl("down", "tun1", "v1")
    assert "60000" in filters(a, "v1", "ingress")
    a.space.run("tc", "filter", "del", "dev", "v1", "ingress")
    a.space.run("tc", "qdisc", "del", "dev", "v1", "clsact")
    a.space.run("tc", "qdisc", "add", "dev", "v1", "clsact")
    a.up()
    a.space.ping(INNER_B)
    a.bpf_ctl("down", "tun1", "v1")
    assert "clsact" in a.tc("qdisc", "show", "dev", "v1")
    assert "tunl" not in filters(a, "v1", "ingress")


def test_others_filters_go_on(pair):
    """What is not ours passes to filters behind ours: here one that drops it."""
    a, _ = pair
    a.space.ping(INNER_B)
    add_filter(a, "4,48 0 0 23,21 0 1 1,6 0 0 2,6 0 0 4294967295")
    assert a.space.ping("10.10.20.2", "-W", "1", check=False).returncode != 0
    a.space.ping(INNER_B)


@pytest.mark.parametrize("datapath", ["bpf"])
def test_received_by_the_programs(ends):
    """While parent and engine stand still: neither way needs the daemon."""
    e = ends().both()
    e.a.ping(e.B)
    pids = e.tunl.parent_and_engine()
    e.tunl.kill(*pids, sig=signal.SIGSTOP)
    try:
        wait_until(lambda: not e.a.ping(e.B, "-W", "1", check=False).returncode)
    finally:
        e.tunl.kill(*pids, sig=signal.SIGCONT)
