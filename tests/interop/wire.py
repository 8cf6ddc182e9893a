# SPDX-License-Identifier: BSD-2-Clause
"""Packets as bytes: IPv4, IPv6, UDP, ICMP, and what a tunnel puts between its headers."""

import itertools
import socket
import struct

UDP, ICMP = 17, 1


def checksum(data):
    """RFC 1071, over bytes."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, target, proto, payload, tos=0, ttl=64, df=False):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), 7, 0x4000 * df, ttl, proto, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source, target, proto, payload, tos=0, ttl=64):
    return struct.pack("!IHBB16s16s", 6 << 28 | tos << 20, len(payload), proto, ttl,
                       socket.inet_pton(socket.AF_INET6, source), socket.inet_pton(socket.AF_INET6, target)) + payload


def udp4(source, target, payload, port):
    """IPv4 lets a checksum be missing."""
    return struct.pack("!HHHH", 4000, port, 8 + len(payload), 0) + payload


def udp6(source, target, payload, port):
    head = struct.pack("!HHHH", 4000, port, 8 + len(payload), 0)
    pseudo = (socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) +
              struct.pack("!II", 8 + len(payload), UDP))
    return head[:6] + struct.pack("!H", checksum(pseudo + head + payload) or 0xFFFF) + payload


def icmp(kind, code, rest, quote):
    """rest: the four bytes behind the checksum, as a number."""
    body = struct.pack("!BBHI", kind, code, 0, rest) + quote
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


class Front:
    """What one end puts between outer and inner IP header (RFC 2784, 2890)."""

    def __init__(self, mode, words):
        self.mode, self.csum, self.seq = mode, "csum" in words, "seq" in words
        self.key = next((int(words[words.index(w) + 1]) for w in ("key", "okey") if w in words), None)
        # Behind those of the tunnel itself, which are few.
        self.numbers = itertools.count(1 << 20)

    def bytes(self, inner):
        if self.mode != "gre":
            return b""
        flags = 0x8000 * self.csum | 0x2000 * (self.key is not None) | 0x1000 * self.seq
        tail = b"" if self.key is None else struct.pack("!I", self.key)
        tail += struct.pack("!I", next(self.numbers)) if self.seq else b""
        head = struct.pack("!HH", flags, 0x86DD if inner[:1] and inner[0] >> 4 == 6 else 0x0800)
        if not self.csum:
            return head + tail
        return head + struct.pack("!HH", checksum(head + b"\0" * 4 + tail + inner), 0) + tail
