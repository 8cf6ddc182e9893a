# SPDX-License-Identifier: BSD-2-Clause
"""Truncated and lying packets, at both datapaths: they move counters, nothing else."""

import pytest
from scapy.layers.inet import ICMP, IP, UDP

from net import wait_until

OUTER = dict(src="10.10.20.2", dst="10.10.10.2", proto=4)


def good(e, mark=b"ok"):
    return IP(**OUTER) / IP(src=e.B, dst=e.A) / UDP(sport=1, dport=9) / mark


def one_end(ends):
    e = ends()
    e.add(e.a, "remote 10.10.20.2 local 10.10.10.2")
    e.up(e.a, e.A, e.B)
    return e


def after(e, link, packets):
    """Send them, then a good one; the receive counters once that one is through."""
    with e.a.sniff("tun1") as device:
        for packet in packets:
            link.send(packet)
        link.send(good(e))
        device.wait(lambda p: p.haslayer(UDP) and bytes(p[UDP].payload) == b"ok")
        seen = device.all(lambda p: p.src == e.B)
    wait_until(lambda: e.stats(e.a)["rx_packets"])
    return e.stats(e.a), seen


def inner(e, **fields):
    return IP(src=e.B, dst=e.A, **fields) / UDP(sport=1, dport=9) / b"x"


LYING = {
    "outer total length beyond the frame": lambda e: IP(**{**OUTER}, len=200) / inner(e),
    "outer total length below its header": lambda e: IP(**OUTER, len=19) / inner(e),
    "outer header length 4": lambda e: IP(**OUTER, ihl=4) / inner(e),
    "outer header length beyond the packet": lambda e: IP(**OUTER, ihl=15, len=40) / bytes(20),
    "outer version 6": lambda e: IP(**OUTER, version=6) / inner(e),
    "outer checksum wrong": lambda e: IP(**OUTER, chksum=0x1234) / inner(e),
    "nothing inside": lambda e: IP(**OUTER),
    "19 bytes inside": lambda e: IP(**OUTER) / bytes(inner(e))[:19],
    "only a frame's head": lambda e: b"",
    "3 bytes": lambda e: b"\x45\x00\x00",
}


@pytest.mark.parametrize("name", LYING)
def test_lying_outer(ends, name):
    """What the stack or the handler refuses before a tunnel is found counts nowhere (spec 3.1)."""
    e = one_end(ends)
    link = e.net.wire_to_a()
    stats, seen = after(e, link, [LYING[name](e)] * 3)
    link.close()
    assert len(seen) == 1
    assert (stats["rx_packets"], stats["rx_bytes"]) == (1, 30)
    assert stats["rx_errors"] == 0


def test_inner_is_not_ipv4(ends):
    """A protocol-4 packet whose inside is something else is no IPv4 packet for the device's receivers."""
    e = one_end(ends)
    link = e.net.wire_to_a()
    with e.a.sniff("tun1") as device:
        link.send(IP(**OUTER) / (b"\x00" * 40))
        link.send(IP(**OUTER) / (b"\x60" + b"\x00" * 60))
        link.send(good(e))
        device.wait(lambda p: p.haslayer(UDP) and bytes(p[UDP].payload) == b"ok")
    link.close()
    e.net.b.ping(e.net.A)  # the host is well


@pytest.mark.parametrize("fields", [dict(len=2000), dict(len=10), dict(ihl=2), dict(ihl=15), dict(chksum=7)])
def test_lying_inner_stops_at_the_stack(ends, fields):
    """The inner header's lies are the stack's to refuse: no socket gets the packet."""
    import socket
    e = one_end(ends)
    link = e.net.wire_to_a()
    with e.a.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind((e.A, 9))
        sink.settimeout(5)
        for _ in range(3):
            link.send(IP(**OUTER) / inner(e, **fields))
        link.send(good(e))
        assert sink.recv(100) == b"ok"
    link.close()


def test_fragments_that_overlap_or_end_early(ends):
    """Nothing is delivered of a packet that never becomes whole (I57)."""
    e = one_end(ends)
    link = e.net.wire_to_a()
    whole = bytes(inner(e)) + bytes(400)
    first = IP(**OUTER, id=5, flags="MF") / whole[:200]
    over = IP(**OUTER, id=5, flags="MF", frag=10) / whole[:200]
    far = IP(**OUTER, id=6, frag=8100) / whole[:200]
    stats, seen = after(e, link, [first, over, far])
    link.close()
    assert len(seen) == 1 and stats["rx_packets"] == 1


@pytest.mark.parametrize("quote", [b"", b"\x45", bytes(27), b"\x4f" + bytes(40), b"\xff" * 60])
def test_icmp_with_a_lying_quote(ends, quote):
    """Errors that quote nonsense are no soft errors and learn no MTU."""
    e = ends().both()
    link = e.net.wire_to_a()
    for kind, code in ((3, 1), (3, 4), (11, 0), (12, 0)):
        link.send(IP(src="10.10.10.1", dst="10.10.10.2") / ICMP(type=kind, code=code, nexthopmtu=600) / quote)
    link.close()
    with e.a.sniff("lo") as host:
        e.a.ping(e.B, "-s", "1400", "-M", "do")
        assert not host.all(lambda p: p.haslayer(ICMP) and p[ICMP].type == 3)
    assert e.stats(e.a)["tx_errors"] == 0


def test_random_bytes(ends):
    """Two thousand random packets towards the tunnel's own addresses; then all is as it was."""
    import random
    e = ends().both()
    dice, link = random.Random(4), e.net.wire_to_a()
    for _ in range(2000):
        link.send(IP(**OUTER, tos=dice.randrange(256), flags=dice.choice(["", "DF", "MF"]),
                     frag=dice.choice([0, 0, 0, 7])) / dice.randbytes(dice.randrange(120)))
    link.close()
    parent, engine = e.tunl.parent_and_engine()
    e.b.ping(e.A)
    assert e.tunl.parent_and_engine() == (parent, engine)
