# SPDX-License-Identifier: BSD-2-Clause
"""gre between two namespaces: both families, every option, NBMA, groups (spec datapath 7, 15.4)."""

import signal
import socket

import pytest
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import GRE

from net import wait_until
from stream import blob, tcp_exchange

A4, B4, A6, B6 = "10.10.100.1", "10.10.200.1", "2001:db8:100::1", "2001:db8:200::1"
TO_B, TO_A = "remote 10.10.20.2 local 10.10.10.2", "remote 10.10.10.2 local 10.10.20.2"
OUTER = dict(src="10.10.20.2", dst="10.10.10.2", proto=47)


def up(ns, dev, own4, peer4, own6, peer6):
    ns.ip(f"link set {dev} up", f"addr add {own4} peer {peer4} dev {dev}",
          f"addr add {own6} peer {peer6} dev {dev} nodad")


@pytest.fixture(params=["auto", "user"])
def gre(tunl, underlay, request):
    """A function that makes gre tunnels g1 in a and b: gre(options of a, options of b, underlay's)."""
    how = f"datapath {request.param}"

    def make(a="", b=None, **options):
        net = underlay(**options)
        tunl(net.a, f"add g1 mode gre {TO_B} {a} {how}")
        tunl(net.b, f"add g1 mode gre {TO_A} {a if b is None else b} {how}")
        net.b.ip("link set g1 mtu 1464")  # enough for IPv6, whatever its underlay has
        up(net.a, "g1", A4, B4, A6, B6)
        up(net.b, "g1", B4, A4, B6, A6)
        # the daemon hears of both devices being up a moment later
        wait_until(lambda: net.a.ping(B4, "-W", "1", check=False).returncode == 0)
        return net
    return make


def ping6(ns, address, *options, check=True):
    return ns.run("ping", "-6", "-n", "-c", "1", "-W", "5", *options, address, check=check)


OPTIONS = ["", "key 5", "csum", "seq", "csum key 1.2.3.4 seq", "ttl 64", "ttl inherit nopmtudisc"]


@pytest.mark.parametrize("options", OPTIONS)
def test_carries_both_families(tunl, gre, options):
    """Pings, and streams compared byte by byte; nothing is counted as wrong (numbers: but for overtaken ones)."""
    net = gre(options)
    net.a.ping(B4)
    ping6(net.a, B6)
    tcp_exchange(net.b, B4, net.a, 4 << 20)
    tcp_exchange(net.b, B6, net.a, 4 << 20)
    for ns in (net.a, net.b):
        stats = tunl.stats(ns, "g1")
        assert stats["rx_packets"] and stats["tx_packets"]
        wrong = {name: n for name, n in stats.items() if n and not name.endswith(("packets", "bytes"))}
        if "seq" in options:  # a stream that moves from one processor to the other overtakes itself, and is stale
            late = [wrong.pop(name, 0) for name in ("rx_errors", "rx_fifo")]
            assert max(late) <= stats["rx_packets"] / 50, stats
        assert not wrong, stats


def test_a_key_for_each_way(tunl, gre):
    """G08."""
    net = gre("ikey 1 okey 2", "ikey 2 okey 1")
    net.a.ping(B4)
    with net.r.sniff("v1_p") as wire:
        net.a.ping(B4)
        assert wire.wait(lambda p: p.proto == 47 and p.src == "10.10.10.2")[GRE].key == 2


def test_path_mtu_with_a_key_for_each_way(tunl, gre):
    """G70: the error quotes the okey; the tunnel that is found by it, if any, is another one."""
    net = gre("ikey 1 okey 2", "ikey 2 okey 1", far_mtu=1400)
    tunl(net.a, f"add other mode gre {TO_B} ikey 2 okey 9")
    big = ("-M", "do", "-s", "1400", "-W", "1")
    wait_until(lambda: "mtu = 1372" in net.a.ping(B4, *big, check=False).stdout, 10)
    with net.r.sniff("v1_p") as wire:
        net.a.ping(B4, "-M", "do", "-s", "1344")
        assert all(len(p) <= 1400 for p in wire.all(lambda p: p.proto == 47))


def test_header_on_the_wire(tunl, gre):
    """G05-G07: checksum, key and consecutive numbers, the number also after the engine died."""
    net = gre("csum key 5 seq")
    with net.r.sniff("v1_p") as wire:
        net.a.ping(B4, "-c", "3", "-i", "0.01")
        tunl.kill(tunl.parent_and_engine()[1])
        tunl.parent_and_engine()
        wait_until(lambda: net.a.ping(B4, "-W", "1", check=False).returncode == 0, 10)
        seen = wire.wait(lambda p: p.proto == 47 and p.src == "10.10.10.2", count=4)
    numbers = [p[GRE].sequence_number for p in seen]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for packet in seen:
        header = packet[GRE]
        assert (header.key, header.proto) == (5, 0x0800) and packet.flags == "DF"
        assert header.chksum_present and header.key_present and header.seqnum_present
        again = header.copy()
        del again.chksum
        assert GRE(bytes(again)).chksum == header.chksum


def test_mtu_by_header(tunl, underlay):
    """G09, and that a change of output flags shifts it."""
    net = underlay()
    for name, options, mtu in (("plain", "", 1476), ("keyed", "key 1", 1472), ("summed", "csum key 2", 1468),
                               ("full", "csum key 3 seq", 1464), ("inside", "ikey 4 iseq icsum", 1476)):
        tunl(net.a, f"add {name} mode gre {TO_B} {options}")
        assert net.a.link(name)["mtu"] == mtu
    tunl(net.a, "change plain key 9 csum seq")
    wait_until(lambda: net.a.link("plain")["mtu"] == 1464)


def send(net, tunl, packet):
    """Put a packet on a's wire; what moved among the counters of g1."""
    before, link = tunl.stats(net.a, "g1"), net.wire_to_a()
    link.send(packet)
    link.close()
    wait_until(lambda: tunl.stats(net.a, "g1") != before, what="a counter that moves")
    after = tunl.stats(net.a, "g1")
    return {k: after[k] - before[k] for k in after if after[k] != before[k] and k[0] == "r"}


INNER = IP(src=B4, dst=A4) / UDP(sport=1, dport=9) / b"x"


def test_wrong_keys_are_refused(tunl, gre):
    """G31-G33: ICMP port unreachable, no counter of the tunnel."""
    net = gre("key 5")
    before, link = tunl.stats(net.a, "g1"), net.wire_to_a()
    with net.r.sniff("v1_p") as wire:
        link.send(IP(**OUTER, id=4711) / GRE(key_present=1, key=6) / INNER)
        answer = wire.wait(lambda p: p.haslayer(ICMP) and p[ICMP].type == 3)
        assert answer[ICMP].code == 3 and answer[ICMP].payload.id == 4711
        link.send(IP(**OUTER, id=4712) / GRE() / INNER)
        wire.wait(lambda p: p.haslayer(ICMP) and p[ICMP].type == 3 and p[ICMP].payload.id == 4712)
    link.close()
    assert tunl.stats(net.a, "g1") == before
    assert send(net, tunl, IP(**OUTER) / GRE(key_present=1, key=5) / INNER) == dict(rx_packets=1, rx_bytes=29)


def test_checksum_and_sequence_are_demanded(tunl, gre):
    """G35-G41 with real packets."""
    net = gre("csum seq")
    good = dict(rx_packets=1, rx_bytes=29)

    def packet(**fields):
        return IP(**OUTER) / GRE(**fields) / INNER

    assert send(net, tunl, packet(seqnum_present=1)) == dict(rx_errors=1)
    assert send(net, tunl, packet(chksum_present=1)) == dict(rx_errors=1, rx_fifo=1)
    assert send(net, tunl, packet(chksum_present=1, seqnum_present=1, sequence_number=7)) == good
    assert send(net, tunl, packet(chksum_present=1, seqnum_present=1, sequence_number=7)) == dict(rx_errors=1, rx_fifo=1)
    link = net.wire_to_a()
    link.send(packet(chksum_present=1, chksum=0x1234, seqnum_present=1, sequence_number=8))  # counted nowhere
    link.close()
    assert send(net, tunl, packet(chksum_present=1, seqnum_present=1, sequence_number=8)) == good


def test_outer_fragments_are_summed_whole(tunl, gre):
    """G53: the checksum is over the packet that the fragments make."""
    from scapy.layers.inet import fragment
    net = gre("csum")
    inner = IP(src=B4, dst=A4) / UDP(sport=1, dport=9) / blob(1000)
    whole = IP(bytes(IP(**OUTER, id=77) / GRE(chksum_present=1) / inner))
    before, link = tunl.stats(net.a, "g1"), net.wire_to_a()
    pieces = fragment(whole, fragsize=600)
    assert len(pieces) == 2
    with net.a.sniff("g1") as device:
        for piece in pieces:
            link.send(piece)
        assert bytes(device.wait(lambda p: p.src == B4 and p.haslayer(UDP))) == bytes(inner)
    link.close()
    wait_until(lambda: tunl.stats(net.a, "g1")["rx_packets"] == before["rx_packets"] + 1)


def test_any_ethertype(tunl, gre):
    """G20, G50: MPLS and a type nobody knows come out as the type they went in."""
    net = gre("key 5")
    for kind in (0x8847, 0x1234):
        sink, source = (ns.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(kind)) for ns in (net.b, net.a))
        with sink, source:
            sink.bind(("g1", kind))
            sink.settimeout(5)
            data = bytes.fromhex("00010140") + blob(60)
            source.sendto(data, ("g1", kind))
            assert sink.recv(1000) == data


def test_path_mtu_of_ipv6(tunl, gre):
    """G15: the sender hears of a smaller path, and its stream goes on."""
    net = gre(far_mtu=1400)
    wait_until(lambda: "mtu=1376" in ping6(net.a, B6, "-M", "do", "-s", "1400", "-W", "1", check=False).stdout, 10)
    tcp_exchange(net.b, B6, net.a, 1 << 20)


def test_path_below_1280(tunl, gre):
    """G16: IPv6 needs 1280 bytes, and gets them in fragments."""
    net = gre(far_mtu=1200)
    wait_until(lambda: ping6(net.a, B6, "-s", "1232", "-W", "1", check=False).returncode == 0, 10)
    tcp_exchange(net.b, B6, net.a, 1 << 20)


def without_daemon(tunl, net):
    """Whether the programs alone carry both families."""
    net.a.ping(B4, "-W", "1", check=False)
    ping6(net.a, B6, "-W", "1", check=False)
    tunl.kill(*tunl.parent_and_engine(), sig=signal.SIGSTOP)
    try:
        return not (net.a.ping(B4, "-W", "1", check=False).returncode or
                    ping6(net.a, B6, "-W", "1", check=False).returncode)
    finally:
        tunl.kill(*tunl.pids(), sig=signal.SIGCONT)


def test_nbma(tunl, underlay, datapath):
    """G63, G64: IPv6 by neighbour entries, IPv4 by gateways that are outer addresses."""
    net = underlay()
    for ns, local, own4, own6, peer4, peer6, outer in (
            (net.a, "10.10.10.2", A4, A6, B4, B6, "10.10.20.2"), (net.b, "10.10.20.2", B4, B6, A4, A6, "10.10.10.2")):
        tunl(ns, f"add g1 mode gre local {local} key 9 datapath {datapath}")
        ns.ip("link set g1 up", f"addr add {own4}/32 dev g1", f"addr add {own6}/128 dev g1 nodad",
              f"route add {peer4} via {outer} dev g1 onlink", f"route add {peer6} dev g1",
              f"neigh add {peer6} lladdr {outer} dev g1")
    net.a.ping(B4)
    ping6(net.a, B6)
    tcp_exchange(net.b, B4, net.a, 1 << 20)
    if datapath == "bpf":
        wait_until(lambda: without_daemon(tunl, net), 30)
    for _ in range(3):
        net.a.ip(f"neigh change {B6} lladdr 10.10.20.99 dev g1")
        wait_until(lambda: ping6(net.a, B6, "-W", "1", check=False).returncode)
        net.a.ip(f"neigh change {B6} lladdr 10.10.20.2 dev g1")
        wait_until(lambda: ping6(net.a, B6, "-W", "1", check=False).returncode == 0)
        net.a.ip(f"neigh del {B6} dev g1")
        wait_until(lambda: ping6(net.a, B6, "-W", "1", check=False).returncode)
        net.a.ip(f"neigh replace {B6} lladdr 10.10.20.2 dev g1")
        wait_until(lambda: ping6(net.a, B6, "-W", "1", check=False).returncode == 0)


def test_group(tunl, underlay):
    """G60-G62: both ends in a group on one link; joined while up, left when down."""
    net = underlay()
    other = net.add(net.a.name[:-1] + "g")
    net.a.ip(f"link add l0 type veth peer name l1 netns {other}", "addr add 192.0.2.1/24 dev l0", "link set l0 up")
    other.ip("addr add 192.0.2.2/24 dev l1", "link set l1 up")
    for ns, dev, local, own4, peer4, own6, peer6 in ((net.a, "l0", "192.0.2.1", A4, B4, A6, B6),
                                                     (other, "l1", "192.0.2.2", B4, A4, B6, A6)):
        ns.ip(f"route add 239.0.0.0/8 dev {dev}")
        tunl(ns, f"add g1 mode gre local {local} remote 239.1.1.1")
        up(ns, "g1", own4, peer4, own6, peer6)

    def joined():
        return "239.1.1.1" in net.a.run("ip", "maddr", "show", "dev", "l0").stdout

    wait_until(joined)
    with net.a.sniff("l0") as wire:
        net.a.ping(B4)
        packet = wire.wait(lambda p: p.proto == 47 and p.src == "192.0.2.1")
        assert packet.dst == "239.1.1.1" and packet[GRE].key == 0xEF010101
    stats = wait_until(lambda: tunl.stats(net.a, "g1")["multicast"] and tunl.stats(net.a, "g1"))
    assert stats["rx_packets"] == stats["multicast"]
    net.a.ip("link set g1 down")
    wait_until(lambda: not joined())
