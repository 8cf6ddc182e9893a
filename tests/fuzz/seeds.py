#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""seeds.py TARGET FOLDER: first inputs for a fuzz target, made with scapy."""

import pathlib
import struct
import sys

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE

OUTER = IP(src="192.0.2.2", dst="192.0.2.1", proto=4)
INNER = IP(src="10.0.0.2", dst="10.0.0.1")


def record(op, packet, flags=0, gso=0, size=0, hdr_len=40, csum_start=20):
    data = bytes(packet)
    return struct.pack(">BBBBBBH", op, flags, gso, size, hdr_len, csum_start, len(data)) + data


def engine_packets():
    quoted = bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=4, len=120)) + bytes(8)
    yield b"\0" + record(0, INNER / UDP() / b"abc") + record(1, OUTER / INNER / UDP() / b"abc")
    yield b"\1" + record(0, INNER / TCP() / bytes(3000), flags=1, gso=1, size=88)
    yield b"\2" + record(1, OUTER / INNER / TCP() / bytes(3000), flags=1, gso=1, size=88, hdr_len=60, csum_start=40)
    yield b"\x80" + record(0, IP(dst="10.0.0.2", flags="DF") / UDP() / bytes(1372))
    yield b"\0" + record(3, IP(dst="192.0.2.1") / ICMP(type=3, code=4, nexthopmtu=1300) / quoted) \
        + record(0, INNER / UDP() / bytes(1400))
    yield b"\0" + record(3, IP(dst="192.0.2.1") / ICMP(type=3, code=1) / quoted) + record(0, INNER / UDP())
    yield b"\3" + record(0, INNER / ICMP()) + record(4, bytes(60))
    gre = IP(src="192.0.2.2", dst="192.0.2.1", proto=47)
    inner6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP() / bytes(1400)
    yield b"\x84" + record(0, INNER / UDP()) + record(4, inner6) + record(1, gre / GRE() / INNER / UDP() / b"abc")
    yield b"\x85" + record(0, INNER / UDP() / bytes(1400)) \
        + record(1, gre / GRE(chksum_present=1, key_present=1, key=5, seqnum_present=1) / INNER / UDP() / b"abc") \
        + record(0, INNER / TCP() / bytes(3000), flags=1, gso=1, size=88)
    yield b"\6" + record(4, inner6) + record(0, INNER / UDP()) + record(1, gre / GRE(proto=0x883e) / INNER)
    yield b"\7" + record(0, INNER / UDP()) + record(8, bytes(60)) \
        + record(3, IP(dst="192.0.2.1") / ICMP(type=3, code=1)
                 / bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=47, len=124)) / bytes.fromhex("0000080045000064"))


def model_grammar():
    for line in ("t1 mode ipip remote 10.0.0.2 local 10.0.0.1 ttl 64 tos inherit/0x10 dev eth0",
                 "mode gre remote 10.0.0.2 ikey 5 okey 1.2.3.4 csum oseq datapath user",
                 "sit1 mode sit local any remote 1.2 nopmtudisc", "name mode mode vti key 7",
                 "isatap0 mode isatap local 1.1.1.1 dev if3 tos EF", "help"):
        for verb in range(2):
            yield bytes([verb]) + line.encode()


def xfrm_grammar():
    state = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 mode tunnel reqid 1 mark 5 mask 0xff "
    for more in ("flag esn af-unspec replay-window 64 aead rfc4106(gcm(aes)) 0x0011 128",
                 "enc cbc(aes) 0x00 auth-trunc hmac(sha256) 0x11 128 sel src ::/0 dst ::/0 proto tcp sport 5",
                 "limit byte-soft 5 limit time-hard 9 output-mark 7 encap espinudp 4500 4501 0.0.0.0 enc aes key"):
        yield b"\0" + (state + more).encode()
    for line in ("src 0.0.0.0/0 dst 10.0.0.0/8 proto gre key 1.2.3.4 dir in priority 7 mark 5 "
                 "tmpl src 1.1.1.1 dst 2.2.2.2 proto esp reqid 1 mode tunnel level use",
                 "dir out index 9 action block ptype sub flag localok icmp limit packet-soft 5 if_id 4"):
        yield b"\1" + line.encode()


def esp_receive():
    for kind in range(16):
        inner = bytes(INNER / UDP(dport=9) / b"abc") if kind & 4 else bytes(IPv6(dst="2001:db8::2") / UDP() / b"a")
        whole = inner + bytes([1, 2, 3, 3, 4 if kind & 4 else 41])
        whole += bytes(len(whole) % 2)
        yield bytes([kind, len(whole) // 2]) + whole + bytes([kind ^ 1, 20]) + bytes([0, 0, 0, 1, 0, 0, 0, 9]) + bytes(32)


def capture_corpus():
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
    import corpus
    return corpus


def lab_dissect():
    links = [1, 101, 113, 276, 228, 229]  # as the target numbers them
    corpus = capture_corpus()
    for group in corpus.GROUPS.values():
        for link, data in group():
            yield bytes([links.index(link), 0]) + data


def lab_pcap():
    corpus = capture_corpus()
    frames = corpus.GROUPS["raw"]() + corpus.GROUPS["cooked"]()
    for order in "<>":
        yield corpus.pcap(frames[:2], order=order)
        yield corpus.pcap(frames[:2], order=order, nsec=True)
        yield corpus.pcapng(frames, order=order)
        yield corpus.pcapng(frames[:2], order=order, resolution=9, simple=True)


def lab_file():
    for path in sorted((pathlib.Path(__file__).resolve().parents[2] / "labs").glob("*.lab")):
        yield path.read_bytes()


def report_page():
    for group in capture_corpus().GROUPS.values():
        for _, data in group():
            yield data
    yield from (b"<script>", b"\"><img src=x onerror=alert(1)>", b"</script>&amp;'", "\u202e\u0085\u2066".encode())


def main(target, folder):
    for number, data in enumerate(globals().get(target, lambda: [])()):
        (pathlib.Path(folder) / f"seed{number}").write_bytes(data)


main(*sys.argv[1:])
