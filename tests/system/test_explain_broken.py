# SPDX-License-Identifier: BSD-2-Clause
"""`tunl explain` on files and packets that lie: each is named where it breaks."""

import json
import struct
import subprocess

import pytest

import corpus
from test_explain import TUNL, layers

pytestmark = pytest.mark.unprivileged


def run(path, *options):
    done = subprocess.run([TUNL, "explain", *options, path], capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def write(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    return path


def frames():
    from scapy.layers.inet import ICMP
    small = bytes(corpus.ETH / corpus.OUTER / corpus.IN4 / ICMP(id=5, seq=1) / b"1234")
    return [(corpus.ETHERNET, small), (corpus.ETHERNET, small)]


WHOLE = {"pcap": corpus.pcap(frames()), "pcap-big": corpus.pcap(frames(), order=">", nsec=True),
         "pcapng": corpus.pcapng(frames()), "pcapng-big": corpus.pcapng(frames(), order=">"),
         "pcapng-simple": corpus.pcapng(frames(), simple=True)}


def boundaries(form):
    """Lengths at which a file may end: {length: packets before it}."""
    both, one = WHOLE[form], len(WHOLE[form])
    if form.startswith("pcap-") or form == "pcap":
        size = 16 + len(frames()[0][1])
        return {24: 0, 24 + size: 1, 24 + 2 * size: 2}
    order = ">" if form.endswith("big") else "<"
    found, at, packets = {}, 0, 0
    while at < one:
        kind, size = struct.unpack(order + "II", both[at:at + 8])
        at, packets = at + size, packets + (kind in (3, 6))
        found[at] = packets
    return found


@pytest.mark.parametrize("form", WHOLE)
def test_cut_at_every_byte(tmp_path, form):
    ends, data = boundaries(form), WHOLE[form]
    for size in range(len(data) + 1):
        status, out, err = run(write(tmp_path, data[:size]), "-j")
        before = max((n for end, n in ends.items() if end <= size), default=0)
        assert len(json.loads(out)) == before, (size, err)
        if size in ends:
            assert (status, err) == (0, ""), size
        elif size == 0:
            assert (status, err) == (1, f"tunl: {tmp_path}/file: empty: neither pcap nor pcapng\n")
        else:
            assert status == 1 and f"cut short at packet {before + 1}: its " in err, (size, err)
            assert f"needs " in err and " at offset " in err and err.count("\n") == 1, (size, err)


def test_the_message_of_a_cut_file(tmp_path):
    path = write(tmp_path, WHOLE["pcap"][:24 + 16 + 66 + 16 + 10])
    status, out, err = run(path)
    assert status == 1
    assert err == f"tunl: {path}: cut short at packet 2: its data at offset 122 needs 66 bytes, the file has 10\n"
    assert out.startswith("packet 1 ") and "12 (ICMP) + 20 (inner IP) + 20 (outer IP) = 52\n" in out


def ng(*blocks):
    return corpus.pcapng(frames()[:1])[:28] + b"".join(blocks)


IDB = corpus.block("<", 1, struct.pack("<HHI", 1, 0, 0))


@pytest.mark.parametrize("data,says", [
    (b"\x7fELF and more", "neither pcap nor pcapng: it begins with 7f 45 4c 46"),
    (struct.pack("<IHHiIII", 0xa1b2c3d4, 9, 4, 0, 0, 0, 1), "pcap version 9.4 at offset 4 is not 2.x"),
    (WHOLE["pcap"][:24] + struct.pack("<IIII", 0, 0, 0x7fffffff, 0), "packet 1 at offset 24 says 2147483647 bytes"),
    (ng(struct.pack("<II", 6, 13)), "block of type 0x6 at offset 28 says 13 bytes, which cannot be"),
    (ng(struct.pack("<II", 6, 8)), "block of type 0x6 at offset 28 says 8 bytes, which cannot be"),
    (ng(struct.pack("<II", 6, 0xfffffffc)), "block of type 0x6 at offset 28 says 4294967292 bytes"),
    (ng(struct.pack("<III", 99, 12, 16)), "block of type 0x63 at offset 28: its two lengths differ"),
    (ng(corpus.block("<", 6, bytes(20))), "offset 28: names interface 0, which no block describes"),
    (ng(corpus.block("<", 3, bytes(4))), "offset 28: names interface 0, which no block describes"),
    (ng(IDB, corpus.block("<", 6, struct.pack("<IIIII", 1, 0, 0, 0, 0))), "offset 48: names interface 1"),
    (ng(IDB, corpus.block("<", 6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"abcd")),
     "offset 48: packet 1 says 5 bytes, the block holds 4"),
    (ng(IDB, corpus.block("<", 6, bytes(16))), "offset 48: it is too short"),
    (ng(corpus.block("<", 1, bytes(4))), "offset 28: it is too short"),
    (ng(corpus.block("<", 1, struct.pack("<HHIHH", 1, 0, 0, 2, 400))), "offset 28: an option is longer"),
    (ng(IDB * 257), "more interfaces than tunl reads"),
    (corpus.block("<", 0x0a0d0d0a, struct.pack("<IHHq", 0x11223344, 1, 0, -1)), "its byte-order mark is none"),
    (corpus.block("<", 0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 2, 0, -1)), "its version is not 1.x"),
])
def test_malformed_files(tmp_path, data, says):
    status, out, err = run(write(tmp_path, data))
    assert (status, err.count("\n")) == (1, 1)
    assert says in err
    assert not out


def changed(at, new):
    data = bytearray(frames()[0][1])
    data[at:at + len(new)] = new
    return corpus.ETHERNET, bytes(data)


def ip(payload, **more):
    from scapy.layers.inet import IP
    return corpus.ETHERNET, bytes(corpus.ETH / IP(src="1.1.1.1", dst="2.2.2.2", **more) / payload)


def ip6(payload, **more):
    from scapy.layers.inet6 import IPv6
    return corpus.ETHERNET, bytes(corpus.ETH / IPv6(src="::1", dst="::2", **more) / payload)


# every length field of every protocol, lying
LIES = [
    (changed(14, b"\x44"), "IPv4 at offset 14: header length 16 is below 20"),
    (changed(14, b"\x65"), "IPv4 at offset 14: version is 6, not 4"),
    (changed(14, b"\x4f"), None),
    (changed(16, b"\x00\x13"), "IPv4 at offset 14: total length 19 is less than its header of 20 bytes"),
    (changed(16, b"\x00\x00"), "IPv4 at offset 14: total length 0 is less than its header"),
    (changed(16, b"\x00\x35"), "IPv4 at offset 14: total length says 53 bytes, only 52 are there"),
    (changed(16, b"\xff\xff"), "IPv4 at offset 14: total length says 65535 bytes, only 52 are there"),
    (changed(36, b"\x00\x21"), "IPv4 at offset 34: total length says 33 bytes, only 32 are there"),
    (changed(34, b"\x41"), "IPv4 at offset 34: header length 4 is below 20"),
    (ip(b"\x46\x00\x00\x18" + bytes(16) + b"\x07\x01\x00\x00", proto=4), "option 7 at offset 54 has a length"),
    (ip(b"1234567", proto=1), "ICMP at offset 34: its header needs 8 bytes, only 7 are there"),
    (ip(b"1234567", proto=17), "UDP at offset 34: its header needs 8 bytes, only 7 are there"),
    (ip(struct.pack(">HHHH", 1, 2, 7, 0), proto=17), "UDP at offset 34: length 7 is less than its header"),
    (ip(struct.pack(">HHHH", 1, 2, 9, 0), proto=17), "UDP at offset 34: length says 9 bytes, only 8 are there"),
    (ip(bytes(19), proto=6), "TCP at offset 34: its header needs 20 bytes, only 19 are there"),
    (ip(bytes(12) + b"\x40" + bytes(7), proto=6), "TCP at offset 34: header length 16 is below 20"),
    (ip(bytes(12) + b"\x60" + bytes(7), proto=6), "TCP at offset 34: its header needs 24 bytes"),
    (ip(bytes(12) + b"\x60" + bytes(7) + b"\x02\x09\0\0", proto=6), "an option's length reaches beyond"),
    (ip(bytes(12) + b"\x60" + bytes(7) + b"\x02\x03\0\0", proto=6), "option 2 has a length of 3 bytes"),
    (ip(b"\0\0\x08", proto=47), "GRE at offset 34: its header needs 4 bytes, only 3 are there"),
    (ip(b"\xb0\0\x08\0" + bytes(8), proto=47), "GRE at offset 34: its header needs 16 bytes, only 12"),
    (ip(b"\0\5\x08\0" + bytes(8), proto=47), "GRE at offset 34: version 5 is not known"),
    (ip(b"\x40\0\x08\0" + bytes(4) + b"\x08\0\0\xff" + bytes(8), proto=47), "GRE at offset 34: its header needs"),
    (ip(b"1234567", proto=50), "ESP at offset 34: its header needs 8 bytes, only 7 are there"),
    (ip(b"\3\4\0\0\0\xff\0\0" + bytes(8), proto=1), "quote length says 1020 bytes, only 8 are there"),
    (ip(b"\x60" + bytes(38), proto=41), "IPv6 at offset 34: its header needs 40 bytes, only 39 are there"),
    (ip6(b"12345678", plen=9, nh=59), "IPv6 at offset 14: payload length"),
    (ip6(b"\x3b\x01" + bytes(6), nh=0), "hop-by-hop options at offset 54: its header needs 16 bytes"),
    (ip6(b"\x3b\x00\0\0", nh=44), "IPv6 fragment header at offset 54: its header needs 8 bytes, only 4"),
    (ip(struct.pack(">HHHH", 1, 6080, 12, 0) + b"\x1f\4\0\0", proto=17), "GUE at offset 42: its header needs 128"),
    (ip(struct.pack(">HHHH", 1, 6080, 12, 0) + b"\0\4\0\1", proto=17), "GUE at offset 42: its options do not fit"),
    (ip(struct.pack(">HHHH", 1, 6080, 12, 0) + b"\x80\4\0\0", proto=17), "GUE at offset 42: its version"),
    ((corpus.ETHERNET, frames()[0][1][:13]), "Ethernet at offset 0: its header needs 14 bytes, only 13"),
    ((corpus.ETHERNET, frames()[0][1][:12] + b"\x00\xff" + b"abc"), "Ethernet at offset 0: its length field says"),
    ((corpus.ETHERNET, bytes(12) + b"\x81\0\0"), "VLAN at offset 14: its header needs 4 bytes, only 1"),
    ((corpus.ETHERNET, bytes(12) + b"\x08\x06" + b"\0\1\x08\0\6\4\0\1" + bytes(19)), "ARP at offset 14: its header"),
    ((corpus.SLL, bytes(15)), "Linux cooked v1 at offset 0: its header needs 16 bytes, only 15"),
    ((corpus.SLL2, bytes(19)), "Linux cooked v2 at offset 0: its header needs 20 bytes, only 19"),
    ((corpus.RAW, b"\x55" + bytes(30)), "version 5 is neither IPv4 nor IPv6"),
    ((corpus.RAW, b""), "an IP packet should be here, but there are no bytes"),
    ((147, b"abc"), "link type 147 is none that tunl knows"),
]


@pytest.mark.parametrize("lie", range(len(LIES)))
def test_lying_packets(tmp_path, lie):
    frame, says = LIES[lie]
    path = write(tmp_path, corpus.pcap([frame, (frame[0], frames()[0][1])]))
    status, out, err = run(path, "-j")
    packets = json.loads(out)
    assert len(packets) == 2  # what comes after is still explained
    if says:
        assert status == 1
        assert f"tunl: {path}: packet 1: " in err and says in err
        assert any("error" in layer for layer in packets[0]["layers"])
        assert "malformed: " in run(path)[1]
    else:
        assert "error" not in layers(packets[0], "IPv4")[0] or says is None


def test_cut_packets_of_the_whole_corpus(tmp_path):
    """Every frame of every group, shortened to every length up to 200, in one file each."""
    for group, make in corpus.GROUPS.items():
        for link in sorted({link for link, _ in make()}):
            chosen = [data for kind, data in make() if kind == link][:12]
            cuts = [(link, data[:n]) for data in chosen for n in range(min(len(data), 200))]
            status, out, err = run(write(tmp_path, corpus.pcap(cuts)), "-j")
            assert status in (0, 1), (group, link, status, err[-2000:])
            assert len(json.loads(out)) == len(cuts)


def test_unreadable(tmp_path):
    status, out, err = run(tmp_path / "absent")
    assert (status, out, err) == (1, "", f"tunl: {tmp_path}/absent: No such file or directory\n")
    status, out, err = run(tmp_path)
    assert (status, out) == (1, "")
    assert "Is a directory" in err


@pytest.mark.parametrize("words", [[], ["a", "b"], ["--nonsense", "a"], ["--gue"], ["--gue", "0", "a"],
                                   ["--gue", "65536", "a"], ["--gue", "80x", "a"], ["--fou", "5555:", "a"],
                                   ["--fou", "5555:256", "a"], ["--fou", "-1", "a"]])
def test_wrong_command_lines(words):
    done = subprocess.run([TUNL, "explain", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 255
    assert done.stderr and not done.stdout
