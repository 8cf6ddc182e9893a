# SPDX-License-Identifier: BSD-2-Clause
"""The tunnels of the matrix, and the family of IP that goes through them."""

import collections
import socket

import wire

K, T = "10.10.10.2", "10.10.20.2"  # outer addresses of the two ends
# k, t: what each end's tunnel is made with, besides mode and its own address; more: words of further
# commands about the device; inner: the addresses of k and t inside; bpf: that datapath carries it
Variant = collections.namedtuple("Variant", "mode k t inner remote more bpf", defaults=(True, (), True))
FOUR, SIX = ("10.10.100.1", "10.10.200.1"), ("2001:db8:9::1/64", "2001:db8:9::2/64")
TO_FOUR = ("2002:a0a:a02::1/16", "2002:a0a:1402::1/16")
RAPID = ("2001:db8:a0a:200::1/32", "2001:db8:a14:200::1/32")
ISATAP = ("2001:db8:7::5efe:a0a:a02/64", "2001:db8:7::5efe:a0a:1402/64")
SIXRD = ("6rd", "dev", "tun1", "6rd-prefix", "2001:db8::/32", "6rd-relay_prefix", "10.0.0.0/8")


def _gre(k=(), t=None, bpf=True):
    return {inner: Variant("gre", k, k if t is None else t, inner, bpf=bpf) for inner in (FOUR, SIX)}


_GRE = {
    "gre": _gre(),
    "gre+key": _gre(("key", "7")),
    "gre+ikey": _gre(("ikey", "5", "okey", "6"), ("ikey", "6", "okey", "5")),
    "gre+csum": _gre(("csum",), bpf=False),
    "gre+seq": _gre(("seq",)),
    "gre+all": _gre(("csum", "key", "7", "seq"), bpf=False),
}
VARIANTS = {
    "ipip": Variant("ipip", (), (), FOUR),
    **{name: pair[FOUR] for name, pair in _GRE.items()},
    **{f"{name}+ip6": pair[SIX] for name, pair in _GRE.items()},
    "sit": Variant("sit", (), (), SIX),
    "6to4": Variant("sit", (), (), TO_FOUR, remote=False),
    "6rd": Variant("sit", (), (), RAPID, remote=False, more=(SIXRD,)),
    "isatap": Variant("isatap", (), (), ISATAP, remote=False),
}
PROTOCOLS = {"ipip": 4, "gre": 47, "sit": 41, "isatap": 41}


class Four:
    """Inner IPv4."""

    version, head, family, level, least = 4, 20, socket.AF_INET, socket.IPPROTO_IP, 68
    TOS, TTL, RECVTOS = socket.IP_TOS, socket.IP_TTL, 13
    DISCOVER, MTU, REFUSED = 10, 14, 11  # IP_MTU_DISCOVER, IP_MTU, IP_RECVERR
    packet, udp = staticmethod(wire.ipv4), staticmethod(wire.udp4)

    @staticmethod
    def tos(packet):
        return packet[1]

    @staticmethod
    def ttl(packet):
        return packet[8]


class Six:
    """Inner IPv6."""

    version, head, family, level, least = 6, 40, socket.AF_INET6, socket.IPPROTO_IPV6, 1280
    TOS, TTL, RECVTOS = socket.IPV6_TCLASS, socket.IPV6_UNICAST_HOPS, socket.IPV6_RECVTCLASS
    DISCOVER, MTU, REFUSED = 23, 24, 25  # IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR
    packet, udp = staticmethod(wire.ipv6), staticmethod(wire.udp6)

    @staticmethod
    def tos(packet):
        return (packet[0] << 4 | packet[1] >> 4) & 0xFF

    @staticmethod
    def ttl(packet):
        return packet[7]
