# SPDX-License-Identifier: BSD-2-Clause
"""Outer headers as they stand on the wire, both datapaths (spec datapath 2 and 15.1)."""

import pytest
from scapy.layers.inet import ICMP, IP, UDP

from net import wait_until

OUTER = dict(src="10.10.20.2", dst="10.10.10.2")


def tunnelled(packet):
    return packet.proto == 4 and packet.haslayer(ICMP)


def from_b(packet):
    return tunnelled(packet) and packet.src == "10.10.20.2"


def test_104_bytes(ends):
    """The story: one ping is 64 (ICMP) + 20 (inner IP) + 20 (outer IP) bytes; spec I01."""
    e = ends().both()
    with e.r.sniff("v1_p") as wire:
        e.b.ping(e.A)
        packet = wire.wait(from_b)
    assert packet.len == 104 == len(packet.getlayer(ICMP)) + 20 + 20
    assert (packet.version, packet.ihl, packet.proto, packet.tos) == (4, 5, 4, 0)
    assert (packet.flags, packet.frag) == ("DF", 0)
    assert (packet.src, packet.dst) == ("10.10.20.2", "10.10.10.2")
    assert packet.ttl == 63 and packet[IP:2].ttl == 64  # one router between sniffer and sender
    checksum = packet.chksum
    del packet.chksum
    assert IP(bytes(packet)).chksum == checksum


def test_counters_count_inner_bytes(ends):
    """Three pings: 3 packets of 84 inner bytes each way; nothing else moves."""
    e = ends().both()
    e.b.ping(e.A, "-c", "3", "-i", "0.01")
    want = dict(rx_packets=3, rx_bytes=252, tx_packets=3, tx_bytes=252)
    for ns in (e.a, e.b):
        wait_until(lambda: e.stats(ns)["rx_packets"] >= 3)
        got = e.stats(ns)
        assert {**dict.fromkeys(got, 0), **want} == got


def test_ids_differ_though_df(ends):
    """Spec I02."""
    e = ends().both()
    with e.r.sniff("v1_p") as wire:
        e.b.ping(e.A, "-c", "3", "-i", "0.01")
        packets = wire.wait(from_b, count=3)
    ids = [p.id for p in packets]
    assert len(set(ids)) == 3 and any(ids)


@pytest.mark.parametrize("options, ping, outer", [
    ("ttl 7", [], dict(ttl=6)),
    ("", ["-t", "5"], dict(ttl=4)),
    ("ttl inherit nopmtudisc", ["-M", "dont"], dict(flags=0)),
    ("ttl inherit nopmtudisc", ["-M", "do"], dict(flags=2)),
    ("tos 0xb8", ["-Q", "0x01"], dict(tos=0xB9)),
    ("tos inherit", ["-Q", "0xba"], dict(tos=0xBA)),
    ("tos inherit", ["-Q", "0xbb"], dict(tos=0xBA)),
    ("tos inherit/0x10", [], dict(tos=0)),
    ("", ["-Q", "0x02"], dict(tos=0x02)),
    ("", ["-Q", "0x01"], dict(tos=0x01)),
    ("", ["-Q", "0x03"], dict(tos=0x02)),
    ("", ["-Q", "0xb8"], dict(tos=0)),
])
def test_outer_fields(ends, options, ping, outer):
    """TTL, DF, TOS and ECN of the outer header by configuration and inner packet (I03-I11)."""
    e = ends().both(b=f"remote 10.10.10.2 local 10.10.20.2 {options}")
    with e.r.sniff("v1_p") as wire:
        e.b.ping(e.A, *ping)
        packet = wire.wait(from_b)
    assert {field: getattr(packet, field) for field in outer} == outer


def receive(e, inner, **outer):
    """Put one wrapped packet on a's wire; what tun1 shows of it, or None when it is refused."""
    before = e.stats(e.a)
    link = e.net.wire_to_a()
    with e.a.sniff("tun1") as device:
        link.send(IP(proto=4, **{**OUTER, **outer}) / inner)
        wait_until(lambda: e.stats(e.a) != before, what="a counter that moves")
        after = e.stats(e.a)
        moved = {k: after[k] - before[k] for k in after if after[k] != before[k] and k[0] == "r"}
        if "rx_packets" in moved:
            device.wait(lambda p: p.src == e.B)
        seen = device.all(lambda p: p.src == e.B)
    link.close()
    return (seen[0] if seen else None), moved


def only_a(ends, words="remote 10.10.20.2 local 10.10.10.2"):
    e = ends()
    e.add(e.a, words)
    e.up(e.a, e.A, e.B)
    return e


@pytest.mark.parametrize("inner, outer, result", [
    (0, 0, 0), (0, 2, 0), (0, 1, 0), (0, 3, None),
    (2, 0, 2), (2, 2, 2), (2, 1, 1), (2, 3, 3),
    (1, 0, 1), (1, 2, 1), (1, 1, 1), (1, 3, 3),
    (3, 0, 3), (3, 2, 3), (3, 1, 3), (3, 3, 3),
])
def test_ecn_unwrap(ends, inner, outer, result):
    """The whole table of spec 4; the inner TOS is otherwise left alone (I41)."""
    e = only_a(ends)
    packet = IP(src=e.B, dst=e.A, tos=0x20 | inner) / UDP(sport=1, dport=9) / b"x"
    seen, moved = receive(e, packet, tos=0xB8 | outer)
    if result is None:
        assert seen is None and moved == dict(rx_frame=1, rx_errors=1)
        return
    assert moved == dict(rx_packets=1, rx_bytes=29)
    assert seen.tos == 0x20 | result and seen.ttl == 64
    checksum = seen.chksum
    del seen.chksum
    assert IP(bytes(seen)).chksum == checksum


def test_outer_options_and_padding(ends):
    """I60, I61: options are skipped, Ethernet padding is no part of the inner packet."""
    from scapy.layers.inet import IPOption_NOP
    e = only_a(ends)
    inner = IP(src=e.B, dst=e.A) / UDP(sport=1, dport=9) / b"x"
    seen, moved = receive(e, inner, options=[IPOption_NOP()] * 4)
    assert bytes(seen) == bytes(inner) and moved == dict(rx_packets=1, rx_bytes=29)
    seen, moved = receive(e, inner / (b"\0" * 7), len=20 + 29)
    assert len(bytes(seen)) == 29 and moved == dict(rx_packets=1, rx_bytes=29)


def test_outer_fragments_reassembled(ends):
    """I56: two fragments are one packet."""
    from scapy.layers.inet import fragment
    e = only_a(ends)
    inner = IP(src=e.B, dst=e.A) / UDP(sport=1, dport=9) / (bytes(range(256)) * 4)
    pieces = fragment(IP(proto=4, id=77, **OUTER) / inner, fragsize=600)
    assert len(pieces) == 2
    link = e.net.wire_to_a()
    with e.a.sniff("tun1") as device:
        for piece in pieces:
            link.send(piece)
        seen = device.wait(lambda p: p.src == e.B)
    link.close()
    assert bytes(seen) == bytes(inner)
    wait_until(lambda: e.stats(e.a)["rx_packets"] == 1)
    assert e.stats(e.a)["rx_bytes"] == len(bytes(inner))


def test_strangers_get_port_unreachable(ends):
    """I48, I50, I58: nobody's packet draws ICMP 3/3; a short one draws nothing."""
    e = only_a(ends)
    inner = IP(src=e.B, dst=e.A) / UDP(sport=1, dport=9) / b"x"
    before, link = e.stats(e.a), e.net.wire_to_a()

    def unreachable(packet):
        return packet.haslayer(ICMP) and packet[ICMP].type == 3 and packet.dst == "10.10.20.99"

    with e.r.sniff("v1_p") as wire:
        link.send(IP(src="10.10.20.99", dst="10.10.10.2", proto=4) / bytes(19))
        link.send(IP(src="10.10.20.99", dst="10.10.10.2", proto=4, id=4711) / inner)
        answer = wire.wait(unreachable)
        assert answer[ICMP].code == 3 and answer.src == "10.10.10.2"
        assert answer[ICMP].payload.id == 4711 and len(wire.all(unreachable)) == 1
    assert e.stats(e.a) == before
    e.a.ip("link set tun1 down")
    with e.r.sniff("v1_p") as wire:
        def refused():
            link.send(IP(proto=4, **OUTER) / inner)
            return wire.all(lambda p: p.haslayer(ICMP) and p[ICMP].type == 3)
        assert wait_until(refused, what="a refusal once the device is down")[0][ICMP].code == 3
    link.close()


def test_icmp_answers_are_bounded(ends):
    """I49: twenty strangers' packets within a second draw at most seven answers."""
    e = only_a(ends)
    inner = IP(src=e.B, dst=e.A) / UDP(sport=1, dport=9) / b"x"
    link = e.net.wire_to_a()
    with e.r.sniff("v1_p") as wire:
        for _ in range(20):
            link.send(IP(src="10.10.20.98", dst="10.10.10.2", proto=4) / inner)
        link.send(IP(src="10.10.20.2", dst="10.10.10.2") / ICMP(id=99))  # comes back after all that
        wire.wait(lambda p: p.haslayer(ICMP) and p[ICMP].type == 0 and p[ICMP].id == 99)
        e.b.ping(e.net.A, "-c", "3", "-i", "0.1")
        answers = wire.all(lambda p: p.haslayer(ICMP) and p[ICMP].type == 3)
    link.close()
    assert 1 <= len(answers) <= 7
