# SPDX-License-Identifier: BSD-2-Clause
"""Packets for the tests of `tunl explain`, made with scapy, and writers of capture files.

A corpus is a list of (link type, bytes). The writers are our own, so that every form of
the two formats can be made: byte orders, clocks, interfaces that differ."""

import itertools
import struct

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_Router_Alert, fragment
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6PacketTooBig,
                                IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, PadN,
                                fragment6)
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether

ETHERNET, RAW, SLL, IPV4, IPV6, SLL2 = 1, 101, 113, 228, 229, 276

ETH = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
OUTER = IP(src="10.10.20.2", dst="10.10.10.2", flags="DF", id=7)
IN4 = IP(src="10.10.200.1", dst="10.10.100.1", id=8)
IN6 = IPv6(src="2001:db8:200::1", dst="2001:db8:100::1", fl=0x12345, tc=0xb8)


def compute(packet):
    """With every length and checksum filled in."""
    return bytes(packet)


def leaves(v6):
    """What an inner packet may carry."""
    yield ICMPv6EchoRequest(id=5, seq=1, data=b"x" * 56) if v6 else ICMP(id=5, seq=1) / (b"x" * 56)
    yield UDP(sport=1000, dport=2000) / b"odd"
    yield TCP(sport=1000, dport=2000, flags="S",
              options=[("MSS", 1460), ("SAckOK", b""), ("Timestamp", (1, 2)), ("NOP", None), ("WScale", 7)])
    yield TCP(sport=1000, dport=2000, flags="PA", seq=77, ack=88) / b"some data"


def inners():
    for ip, v6 in ((IN4, False), (IN6, True)):
        for leaf in leaves(v6):
            yield compute(ip / leaf), v6


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def gre(payload, v6, flags, routing=b""):
    """Version 0 with C 0x8000, R 0x4000, K 0x2000, S 0x1000 as flagged."""
    head = struct.pack(">HH", flags, 0x86dd if v6 else 0x0800)
    rest = (struct.pack(">I", 0x01020304) if flags & 0x2000 else b"") \
        + (struct.pack(">I", 9) if flags & 0x1000 else b"") + routing
    if not flags & 0xc000:
        return head + rest + payload
    sums = b"\0\0\0\0"
    if flags & 0x8000:
        sums = struct.pack(">HH", checksum(head + sums + rest + payload), 0)
    return head + sums + rest + payload


def outer(proto, payload, **more):
    return compute(OUTER.copy().__class__(src=OUTER.src, dst=OUTER.dst, flags="DF", id=7, proto=proto, **more)
                   / payload)


def wrapped():
    """IPIP, SIT, GRE with every combination of its flags; plain packets too."""
    for inner, v6 in inners():
        yield inner
        yield outer(41 if v6 else 4, inner)
        yield compute(IPv6(src="2001:db8::1", dst="2001:db8::2", nh=41 if v6 else 4) / inner)
        for c, k, s in itertools.product((0, 0x8000), (0, 0x2000), (0, 0x1000)):
            yield outer(47, gre(inner, v6, c | k | s))
    inner, v6 = next(inners())
    for c, k, s in itertools.product((0, 0x8000), (0, 0x2000), (0, 0x1000)):
        yield outer(47, gre(inner, v6, 0x4000 | c | k | s, b"\x08\x00\x00\x04\x0a\x00\x00\x01\0\0\0\0"))
    yield outer(4, outer(47, gre(outer(4, inner), False, 0xb000)))


def ether(packet):
    return ETHERNET, compute(ETH / IP(packet) if packet[0] >> 4 == 4 else ETH / IPv6(packet))


def broken_checksums():
    for at in (14 + 10, 34 + 10, 54 + 2):
        data = bytearray(compute(ETH / OUTER / IN4 / ICMP(id=5, seq=1) / (b"x" * 56)))
        data[at] ^= 0x5a
        yield ETHERNET, bytes(data)
    inner, v6 = next(inners())
    data = bytearray(gre(inner, v6, 0x8000))
    data[4] ^= 0x5a
    yield ether(outer(47, bytes(data)))
    yield ETHERNET, compute(ETH / IN4 / UDP(sport=1, dport=2, chksum=0) / b"none")
    yield ETHERNET, compute(ETH / IN4 / UDP(sport=1, dport=2, chksum=0x1234) / b"wrong")
    yield ETHERNET, compute(ETH / IN6 / TCP(sport=1, dport=2, chksum=0x1234) / b"wrong")
    yield ETHERNET, compute(ETH / IN6 / ICMPv6EchoRequest(cksum=0x1234, data=b"wrong"))


def fragments():
    for piece in fragment(IN4 / UDP(sport=1000, dport=2000) / (b"y" * 3000), 1400):
        yield ETHERNET, compute(ETH / piece)
        yield ether(outer(4, compute(piece)))
    whole = IP(src="10.10.20.2", dst="10.10.10.2", id=9, proto=4) / IN4 / UDP(sport=1, dport=2) / (b"z" * 1470)
    for piece in fragment(IP(compute(whole)), 1000):
        yield ETHERNET, compute(ETH / piece)
    long6 = IN6 / IPv6ExtHdrFragment(id=4711) / UDP(sport=1000, dport=2000) / (b"w" * 3000)
    for piece in fragment6(long6, 1280):
        yield ETHERNET, compute(ETH / piece)


def errors():
    """ICMP about tunnelled packets: quotes whole, and cut behind the inner ICMP header."""
    sent = compute(OUTER / IN4 / ICMP(id=5, seq=1) / (b"x" * 56))
    back = IP(src="10.10.10.1", dst="10.10.20.2", id=3)
    yield ETHERNET, compute(ETH / back / ICMP(type=3, code=4, nexthopmtu=1400) / sent[:48])
    yield ETHERNET, compute(ETH / back / ICMP(type=3, code=1) / sent)
    yield ETHERNET, compute(ETH / back / ICMP(type=11, code=0) / sent)
    sent6 = compute(IN6 / UDP(sport=1000, dport=2000) / (b"q" * 40))
    back6 = IPv6(src="2001:db8::9", dst="2001:db8:200::1")
    yield ETHERNET, compute(ETH / back6 / ICMPv6PacketTooBig(mtu=1280) / sent6)
    yield ETHERNET, compute(ETH / back6 / ICMPv6DestUnreach(code=3) / sent6)


def oddities():
    yield ETHERNET, compute(ETH / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"))
    yield ETHERNET, compute(ETH / ARP(op=2, psrc="10.0.0.1", pdst="10.0.0.2")) + bytes(18)
    yield ETHERNET, compute(ETH / Dot1Q(vlan=42, prio=5) / OUTER / IN4 / ICMP() / b"tagged")
    yield ETHERNET, compute(ETH / Dot1AD(vlan=7) / Dot1Q(vlan=42) / IN6 / UDP(sport=1, dport=2) / b"twice")
    yield ETHERNET, compute(ETH / IN4 / UDP(sport=1, dport=2) / b"x") + bytes(17)
    yield ETHERNET, compute(ETH / IP(src="1.1.1.1", dst="2.2.2.2", options=[IPOption_Router_Alert()]) / ICMP())
    yield ether(outer(50, struct.pack(">II", 0x1001, 1) + bytes(range(64))))
    yield ETHERNET, compute(ETH / IN6 / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])
                            / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 12)])
                            / UDP(sport=1, dport=2) / b"behind")
    yield ETHERNET, compute(ETH / IPv6(src="fe80::1", dst="ff02::1:ff00:2", hlim=255) / ICMPv6ND_NS(tgt="fe80::2"))
    yield ETHERNET, compute(ETH / IN4.__class__(src="1.1.1.1", dst="2.2.2.2", proto=253) / b"nobody knows")


def cooked():
    sll = struct.pack(">HHH8sH", 4, 768, 0, b"", 0x0800)
    sll_eth = struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1", 0x86dd)
    sll2 = struct.pack(">HHIHBB8s", 0x0800, 0, 3, 1, 4, 6, b"\2\0\0\0\0\1")
    sll2_vlan = struct.pack(">HHIHBB8s", 0x8100, 0, 3, 1, 0, 6, b"\2\0\0\0\0\1")
    v4, v6 = compute(OUTER / IN4 / ICMP() / b"x"), compute(IN6 / UDP(sport=1, dport=2) / b"y")
    yield SLL, sll + v4
    yield SLL, sll_eth + v6
    yield SLL2, sll2 + v4
    yield SLL2, sll2_vlan + struct.pack(">HH", 42, 0x86dd) + v6


def raw():
    v4, v6 = compute(OUTER / IN4 / ICMP() / b"x"), compute(IN6 / UDP(sport=1, dport=2) / b"y")
    yield from ((RAW, v4), (RAW, v6), (IPV4, v4), (IPV6, v6))


GROUPS = {
    "wrapped": lambda: [ether(packet) for packet in wrapped()],
    "checksums": lambda: list(broken_checksums()),
    "fragments": lambda: list(fragments()),
    "errors": lambda: list(errors()),
    "oddities": lambda: list(oddities()),
    "cooked": lambda: list(cooked()),
    "raw": lambda: list(raw()),
}


def pcap(frames, order="<", nsec=False, snaplen=262144):
    """One link type a file, the first frame's."""
    out = struct.pack(order + "IHHiIII", 0xa1b23c4d if nsec else 0xa1b2c3d4, 2, 4, 0, 0, snaplen, frames[0][0])
    for number, (_, data) in enumerate(frames):
        kept = data[:snaplen]
        out += struct.pack(order + "IIII", 1700000000 + number, 123456789 if nsec else 123456,
                           len(kept), len(data)) + kept
    return out


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(frames, order="<", resolution=6, snaplen=262144, simple=False):
    """Each link type is an interface of its own; simple: packets without a time."""
    out = block(order, 0x0a0d0d0a, struct.pack(order + "IHHq", 0x1a2b3c4d, 1, 0, -1))
    ids = {}
    for number, (link, data) in enumerate(frames):
        if link not in ids:
            ids[link] = len(ids)
            options = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
            out += block(order, 1, struct.pack(order + "HHI", link, 0, snaplen) + options)
        kept = data[:snaplen]
        ticks = (1700000000 + number) * 10 ** resolution + 123456789 * 10 ** resolution // 10 ** 9
        if simple:
            out += block(order, 3, struct.pack(order + "I", len(data)) + kept)
        else:
            out += block(order, 6, struct.pack(order + "IIIII", ids[link], ticks >> 32, ticks & 0xffffffff,
                                               len(kept), len(data)) + kept)
    return out
