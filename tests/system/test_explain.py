# SPDX-License-Identifier: BSD-2-Clause
"""`tunl explain` against tshark, over every kind of packet and form of file."""

import contextlib
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess

import pytest

import corpus

pytestmark = pytest.mark.unprivileged

ROOT = pathlib.Path(__file__).resolve().parents[2]
TUNL = pathlib.Path(os.environ.get("TUNL_BUILD", ROOT / "build")).resolve() / "tunl"

# Our layer names as tshark's protocols; a name that is not here has none there.
TSHARK = {"Ethernet": "eth", "VLAN": "vlan", "Linux cooked v1": "sll", "Linux cooked v2": "sll", "ARP": "arp",
          "IPv4": "ip", "IPv6": "ipv6", "IPv6 hop-by-hop options": "ipv6.hopopts",
          "IPv6 destination options": "ipv6.dstopts", "IPv6 fragment header": "ipv6.fraghdr",
          "ICMP": "icmp", "ICMPv6": "icmpv6", "TCP": "tcp", "UDP": "udp", "GRE": "gre", "ESP": "esp"}
STATUS = {"bad": "0", "good": "1", "unchecked": "2", "zero": "3", "absent": "3"}


def run(path, *options, stdin=None, status=0):
    done = subprocess.run([TUNL, "explain", *options, path], stdin=stdin, capture_output=True, timeout=60)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def explain(path, *options, **more):
    return json.loads(run(path, "-j", *options, **more)[0])


def layers(packet, name):
    return [layer for layer in packet["layers"] if layer["name"] == name]


def field(layer, name):
    return next((f["value"] for f in layer["fields"] if f["name"] == name), None)


def values(packet, name, key):
    return [field(layer, key) for layer in layers(packet, name) if field(layer, key) is not None]


# tshark's field: what we say of the same.
COMPARED = {
    "frame.len": lambda p: [str(p["length"])],
    "frame.cap_len": lambda p: [str(p["captured"])],
    "frame.time_epoch": lambda p: [p["time"]],
    "eth.src": lambda p: values(p, "Ethernet", "source"),
    "eth.dst": lambda p: values(p, "Ethernet", "destination"),
    "ip.src": lambda p: values(p, "IPv4", "source"),
    "ip.dst": lambda p: values(p, "IPv4", "destination"),
    "ip.len": lambda p: values(p, "IPv4", "total length"),
    "ip.ttl": lambda p: values(p, "IPv4", "ttl"),
    "ip.hdr_len": lambda p: [str(layer["header"]) for layer in layers(p, "IPv4")],
    "ip.frag_offset": lambda p: [str(int(field(layer, "fragment offset") or 0) // 8) for layer in layers(p, "IPv4")],
    "ip.checksum.status": lambda p: statuses(p, "IPv4"),
    "ipv6.src": lambda p: values(p, "IPv6", "source"),
    "ipv6.dst": lambda p: values(p, "IPv6", "destination"),
    "ipv6.plen": lambda p: values(p, "IPv6", "payload length"),
    "ipv6.hlim": lambda p: values(p, "IPv6", "hop limit"),
    "ipv6.fraghdr.ident": lambda p: values(p, "IPv6 fragment header", "id"),
    "icmp.mtu": lambda p: [v for v in values(p, "ICMP", "mtu")],
    "icmp.checksum.status": lambda p: statuses(p, "ICMP"),
    "icmpv6.checksum.status": lambda p: statuses(p, "ICMPv6"),
    "tcp.srcport": lambda p: values(p, "TCP", "source port"),
    "tcp.hdr_len": lambda p: [str(layer["header"]) for layer in layers(p, "TCP")],
    "tcp.options.mss_val": lambda p: values(p, "TCP", "mss"),
    "tcp.checksum.status": lambda p: statuses(p, "TCP"),
    "udp.dstport": lambda p: values(p, "UDP", "destination port"),
    "udp.length": lambda p: values(p, "UDP", "length"),
    "udp.checksum.status": lambda p: statuses(p, "UDP"),
    "gre.sequence_number": lambda p: values(p, "GRE", "sequence"),
    "gre.checksum.status": lambda p: statuses(p, "GRE"),
    "vlan.id": lambda p: values(p, "VLAN", "id"),
    "arp.src.proto_ipv4": lambda p: values(p, "ARP", "sender"),
    "arp.dst.proto_ipv4": lambda p: values(p, "ARP", "target"),
    "esp.sequence": lambda p: values(p, "ESP", "sequence"),
}


def statuses(packet, name):
    found = [layer.get("checksum", {}).get("verdict", "absent") for layer in layers(packet, name)]
    if name == "ICMP":  # within a quote tshark does not verify it
        found = ["unchecked" if layer.get("quoted") and verdict == "good" else verdict
                 for layer, verdict in zip(layers(packet, name), found)]
    if name == "GRE":  # tshark speaks of a checksum, not verified, where only the routing flag brings the field
        routed = ["R" in field(layer, "flags").split("(")[1] for layer in layers(packet, name)]
        found = [verdict if verdict != "absent" else "unchecked" for verdict, r in zip(found, routed)
                 if verdict != "absent" or r]
    return [STATUS[verdict] for verdict in found]


def tshark(path):
    if not shutil.which("tshark"):
        pytest.skip("needs tshark")
    fields = ["frame.protocols", "ieee8021ad.id", *COMPARED]
    options = [f"{p}.check_checksum:TRUE" for p in ("ip", "tcp", "udp")] + ["ip.defragment:FALSE",
                                                                            "ipv6.defragment:FALSE"]
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;",
                           *(word for option in options for word in ("-o", option)),
                           *(word for name in fields for word in ("-e", name))],
                          capture_output=True, text=True, timeout=60, check=True)
    for line in done.stdout.splitlines():
        row = dict(zip(fields, line.split("\t")))
        row = {name: [v for v in value.split(";") if v] for name, value in row.items()}
        row["vlan.id"] = row["ieee8021ad.id"] + row["vlan.id"]
        yield row


def protocols(row):
    known = set(TSHARK.values())
    names = ["vlan" if name == "ieee8021ad" else name for name in row["frame.protocols"][0].split(":")]
    return [name for name in names if name in known]


def ours(packet):
    return [TSHARK[layer["name"]] for layer in packet["layers"] if layer["name"] in TSHARK]


def agree(path):
    packets, rows = explain(path), list(tshark(path))
    assert packets and len(packets) == len(rows)
    for packet, row in zip(packets, rows):
        where = f"packet {packet['number']}: {row['frame.protocols'][0]}"
        assert ours(packet) == protocols(row), where
        for name, say in COMPARED.items():
            assert same(name, say(packet), row[name]), f"{where}: {name}: {say(packet)} != {row[name]}"


def same(name, mine, theirs):
    if name == "ipv6.fraghdr.ident":
        return [int(v, 16) for v in mine] == [int(v, 16) for v in theirs]
    return mine == theirs


@pytest.mark.parametrize("group", corpus.GROUPS)
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_tshark_agrees(tmp_path, group, form):
    frames = corpus.GROUPS[group]()
    links = sorted({link for link, _ in frames})
    # a pcap file has one link type
    for link in links if form == "pcap" else [None]:
        path = tmp_path / f"{group}-{link}"
        chosen = [frame for frame in frames if link in (None, frame[0])]
        path.write_bytes(corpus.pcap(chosen) if form == "pcap" else corpus.pcapng(chosen))
        agree(path)


FORMS = {f"{name}-{'little' if order == '<' else 'big'}": lambda f, w=write, o=order, m=more: w(f, order=o, **m)
         for name, write, more in (("pcap", corpus.pcap, {}), ("pcap-nsec", corpus.pcap, {"nsec": True}),
                                   ("pcapng", corpus.pcapng, {}), ("pcapng-nsec", corpus.pcapng, {"resolution": 9}),
                                   ("pcapng-msec", corpus.pcapng, {"resolution": 3}))
         for order in "<>"}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file(tmp_path, form):
    path = tmp_path / "file"
    path.write_bytes(FORMS[form](corpus.GROUPS["errors"]()))
    agree(path)


def test_simple_packets_have_no_time(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(corpus.pcapng(corpus.GROUPS["errors"](), simple=True))
    packets = explain(path)
    assert len(packets) == len(corpus.GROUPS["errors"]())
    assert all("time" not in packet for packet in packets)
    assert "UTC" not in run(path)[0]


def test_a_cut_capture_is_not_malformed(tmp_path):
    frames = corpus.GROUPS["errors"]()
    for size in range(14, 120):
        path = tmp_path / "file"
        path.write_bytes(corpus.pcap(frames, snaplen=size))
        packets = explain(path)
        assert [p["captured"] for p in packets] == [min(size, len(data)) for _, data in frames]
        assert not any("error" in layer for p in packets for layer in p["layers"])


def story():
    from scapy.layers.inet import ICMP
    return corpus.ETHERNET, bytes(corpus.ETH / corpus.OUTER / corpus.IN4 / ICMP(id=5, seq=1) / (b"x" * 56))


def test_the_sum(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap([story()]))
    text = run(path)[0]
    assert "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104\n" in text
    assert "\033" not in text
    sums = explain(path)[0]["sum"]
    assert sums["total"] == 104
    assert [(p["name"], p["bytes"]) for p in sums["parts"]] == [("ICMP", 64), ("inner IP", 20), ("outer IP", 20)]


def test_every_sum_is_the_outer_length(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap(corpus.GROUPS["wrapped"]()))
    for packet in explain(path):
        outermost = packet["layers"][1]
        want = int(field(outermost, "total length") or int(field(outermost, "payload length")) + 40)
        assert packet["sum"]["total"] == sum(p["bytes"] for p in packet["sum"]["parts"]) == want


def test_gre_flags_in_all_combinations(tmp_path):
    inner, v6 = next(corpus.inners())
    flags = [c | k | s for c in (0, 0x8000) for k in (0, 0x2000) for s in (0, 0x1000)]
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap([corpus.ether(corpus.outer(47, corpus.gre(inner, v6, f))) for f in flags]))
    for packet, f in zip(explain(path), flags):
        gre, = layers(packet, "GRE")
        assert gre["header"] == 4 + 4 * bin(f).count("1")
        assert field(gre, "key") == ("16909060" if f & 0x2000 else None)
        assert field(gre, "sequence") == ("9" if f & 0x1000 else None)
        assert ("checksum" in gre) == bool(f & 0x8000)
        assert layers(packet, "ICMP")[0]["checksum"]["verdict"] == "good"


@pytest.mark.parametrize("option,port,head,chain", [
    ("", 6080, b"\x00\x04\x00\x00", ["UDP", "GUE", "IPv4", "ICMP"]),
    ("", 6080, b"", ["UDP", "IPv4", "ICMP"]),
    ("--gue 7000", 7000, b"\x02\x04\x00\x01\x80\0\0\0\0\x14\0\x1a", ["UDP", "GUE", "IPv4", "ICMP"]),
    ("--gue 7000", 6080, b"\x00\x04\x00\x00", ["UDP", "data"]),
    ("", 5555, b"", ["UDP", "data"]),
    ("--fou 5555", 5555, b"", ["UDP", "IPv4", "ICMP"]),
    ("--fou 5555:4", 5555, b"", ["UDP", "IPv4", "ICMP"]),
    ("--fou 5555:47", 5555, b"\x00\x00\x08\x00", ["UDP", "GRE", "IPv4", "ICMP"]),
])
def test_tunnels_by_port(tmp_path, option, port, head, chain):
    from scapy.layers.inet import IP, UDP
    inner, _ = next(corpus.inners())
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap([(corpus.ETHERNET, bytes(
        corpus.ETH / IP(src="1.1.1.1", dst="2.2.2.2") / UDP(sport=6666, dport=port, chksum=0) / (head + inner)))]))
    packet, = explain(path, *option.split())
    assert [layer["name"] for layer in packet["layers"]][2:2 + len(chain)] == chain


def test_partial_checksum_is_named(tmp_path):
    from scapy.layers.inet import IP, TCP
    good = bytes(IP(src="1.1.1.1", dst="2.2.2.2") / TCP(sport=1, dport=2))
    pseudo = corpus.checksum(good[12:20] + b"\0\6" + (20).to_bytes(2, "big")) ^ 0xffff
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap([(corpus.RAW, good[:36] + pseudo.to_bytes(2, "big") + good[38:])]))
    assert layers(explain(path)[0], "TCP")[0]["checksum"]["verdict"] == "partial"
    assert "left to the network card" in run(path)[0]


def test_padding_behind_arp(tmp_path):
    path = tmp_path / "file"
    frame = next(f for f in corpus.oddities() if len(f[1]) == 60 and f[1][12:14] == b"\x08\x06")
    path.write_bytes(corpus.pcap([frame]))
    arp, = layers(explain(path)[0], "ARP")
    assert (arp["header"], arp["size"], arp["trailer"]) == (28, 28, 18)
    assert arp["notes"] == ["18 bytes behind it belong to no packet (padding)"]
    path.write_bytes(corpus.pcap([frame], snaplen=30))
    arp, = layers(explain(path)[0], "ARP")
    assert "trailer" not in arp and arp["notes"] == ["the capture ends within its header: 16 of 18 bytes"]


def test_standard_input(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap([story()]))
    with path.open("rb") as stdin:
        assert run("-", stdin=stdin)[0] == run(path)[0]


def on_terminal(path, **environment):
    """What is written to a terminal."""
    main, other = pty.openpty()
    with os.fdopen(main, "rb", buffering=0) as screen:
        child = subprocess.Popen([TUNL, "explain", path], stdin=subprocess.DEVNULL, stdout=other,
                                 env={"PATH": os.environ["PATH"], **environment})
        os.close(other)
        text = b""
        with contextlib.suppress(OSError):  # EIO: the other side is closed
            while piece := screen.read(65536):
                text += piece
        assert child.wait(timeout=60) == 0
    return text.decode().replace("\r\n", "\n")


def test_colour_only_on_a_terminal(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap([story()]))
    plain = run(path)[0]
    coloured = on_terminal(path)
    assert "\033[1m" in coloured
    assert re.sub("\033\\[[0-9;]*m", "", coloured) == plain
    assert on_terminal(path, NO_COLOR="1") == plain
    assert on_terminal(path, NO_COLOR="") == coloured


def test_a_full_disk_is_said(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(corpus.pcap([story()]))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TUNL, "explain", path], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert done.stderr == b"tunl: standard output cannot be written: No space left on device\n"
