# SPDX-License-Identifier: BSD-2-Clause
"""Path MTU: learned, honoured by the very next packet, told to inner senders (spec 2.4, 2.5, 5)."""

import socket

import pytest
from scapy.layers.inet import ICMP, IP

from net import wait_until

WRAPPED = "remote 10.10.20.2 local 10.10.10.2"


def dontfrag(ns, address, size):
    """An unconnected UDP socket's datagram with DF that makes an inner packet of size bytes."""
    sock = ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: DF, no caching
    with sock:
        sock.sendto(bytes(size - 28), (address, 9))


def outer(packet):
    return packet.proto == 4 and packet.src == "10.10.10.2" and packet.dst == "10.10.20.2"


def too_big(packet):
    return packet.haslayer(ICMP) and packet[ICMP].type == 3 and packet[ICMP].code == 4


@pytest.mark.parametrize("mtu", [1500, 9000, 1300])
def test_device_mtu(ends, mtu):
    """I27: 20 less than the underlay's device, once, at creation."""
    e = ends(mtu=mtu)
    e.add(e.a, WRAPPED)
    assert e.a.link("tun1")["mtu"] == mtu - 20
    e.a.ip("link set v1 mtu 1280")
    e.tunl(e.a, "show")
    assert e.a.link("tun1")["mtu"] == mtu - 20


def test_learned_by_the_very_next_packet(ends):
    """A router says 1400: the next packet of 1400 with DF draws 3/4 with 1380, one of 1380 passes (I70, I21, I22)."""
    e = ends(far_mtu=1400).both()
    with e.r.sniff("v1_p") as wire, e.a.sniff("tun1") as device, e.a.sniff("lo") as host:
        dontfrag(e.a, e.B, 1480)
        wire.wait(lambda p: too_big(p) and p.dst == "10.10.10.2")
        assert e.a.route_mtu("10.10.20.2") == 1400 or wait_until(lambda: e.a.route_mtu("10.10.20.2") == 1400)
        before, passed = e.stats(e.a), len(wire.all(outer))
        dontfrag(e.a, e.B, 1400)
        told = wait_until(lambda: host.all(too_big) + device.all(too_big), what="ICMP 3/4 to the inner sender")[0]
        assert told[ICMP].nexthopmtu == 1380 and told.dst == e.A
        assert (told[ICMP].payload.src, told[ICMP].payload.dst) == (e.A, e.B)
        wait_until(lambda: e.stats(e.a)["tx_errors"] == before["tx_errors"] + 1)
        dontfrag(e.a, e.B, 1380)
        wire.wait(lambda p: outer(p) and p.len == 1400 and p.flags == "DF")
        assert len(wire.all(outer)) == passed + 1


def test_inner_sender_adapts(ends):
    """An ordinary connected socket is told EMSGSIZE and learns 1380."""
    e = ends(far_mtu=1400).both()
    dontfrag(e.a, e.B, 1480)
    wait_until(lambda: e.a.route_mtu("10.10.20.2") == 1400)
    with e.a.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, 10, 2)  # IP_PMTUDISC_DO
        sock.connect((e.B, 9))

        def learned():
            try:
                sock.send(bytes(1400 - 28))
            except OSError:
                pass
            return sock.getsockopt(socket.IPPROTO_IP, 14) == 1380  # IP_MTU
        wait_until(learned, what="IP_MTU 1380")
    assert e.a.route_mtu(e.B) == 1380


def test_forwarded_inner_sender_is_told(ends):
    """The sender behind the tunnel's host gets the 3/4."""
    e = ends(far_mtu=1400).both()
    lan = e.net.add(e.a.name[:-1] + "l")
    e.a.ip(f"link add l0 type veth peer name l1 netns {lan}", "addr add 10.20.0.1/24 dev l0", "link set l0 up")
    lan.ip("addr add 10.20.0.2/24 dev l1", "link set l1 up", "route add default via 10.20.0.1")
    e.a.sysctl(ip_forward=1)
    e.b.ip("route add 10.20.0.0/24 dev tun1")
    dontfrag(e.a, e.B, 1480)
    wait_until(lambda: e.a.route_mtu("10.10.20.2") == 1400)
    with lan.sniff("l1") as seen:
        dontfrag(lan, e.B, 1400)
        told = seen.wait(too_big)
    assert told[ICMP].nexthopmtu == 1380 and told[ICMP].payload.src == "10.20.0.2"


def test_nopmtudisc_fragments_outside(ends):
    """I24: DF 0 and a smaller path: outer fragments with one id; the far end puts them together."""
    e = ends(far_mtu=1400).both(a=WRAPPED + " nopmtudisc")
    e.a.ip("route add 10.10.20.2/32 via 10.10.10.1 mtu lock 1400")
    with e.r.sniff("v1_p") as wire, e.b.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind((e.B, 0))
        sink.settimeout(5)
        with e.a.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_PMTUDISC_DONT
            sock.sendto(bytes(1480 - 28), sink.getsockname())
        assert len(sink.recv(2000)) == 1480 - 28
        first, second = wire.wait(lambda p: p.proto == 4 and p.src == "10.10.10.2", count=2)[:2]
    assert first.id == second.id and (first.flags, second.flags) == ("MF", 0)
    assert first.frag == 0 and second.frag * 8 == first.len - 20


def test_nopmtudisc_still_follows_inner_df(ends):
    """I25."""
    e = ends().both(a=WRAPPED + " nopmtudisc")
    e.a.ip("route add 10.10.20.2/32 via 10.10.10.1 mtu 1400")
    with e.a.sniff("lo") as host, e.a.sniff("tun1") as device:
        dontfrag(e.a, e.B, 1400)
        told = wait_until(lambda: host.all(too_big) + device.all(too_big), what="ICMP 3/4")[0]
    assert told[ICMP].nexthopmtu == 1380


def test_locked_mtu_clears_df(ends):
    """I26."""
    e = ends().both()
    e.a.ip("route add 10.10.20.2/32 via 10.10.10.1 mtu lock 1400")
    with e.r.sniff("v1_p") as wire:
        e.a.ping(e.B, "-M", "dont")
        packet = wire.wait(outer)
    assert packet.flags == 0


def test_icmp_from_router_about_unknown_is_ignored(ends):
    """I71 in spirit: an error that quotes no packet of ours moves no counter and tells nobody."""
    e = ends().both()
    link, before = e.net.wire_to_a(), e.stats(e.a)
    quoted = IP(src="10.10.10.2", dst="10.10.77.7", proto=4, len=120) / bytes(8)
    with e.a.sniff("lo") as host:
        link.send(IP(src="10.10.10.1", dst="10.10.10.2") / ICMP(type=3, code=1) / quoted)
        e.a.ping(e.B)
        assert not host.all(lambda p: p.haslayer(ICMP) and p[ICMP].type == 3)
    link.close()
    after = e.stats(e.a)
    assert after["tx_errors"] == before["tx_errors"]


def test_soft_error_is_replayed_once(ends):
    """I74: after 3/1 about us the next inner packet is answered 3/1 and sent all the same."""
    e = ends().both()
    e.a.ping(e.B)
    link = e.net.wire_to_a()
    quoted = IP(src="10.10.10.2", dst="10.10.20.2", proto=4, len=120, flags="DF") / bytes(8)

    def unreachable(packet):
        return packet.haslayer(ICMP) and packet[ICMP].type == 3 and packet[ICMP].code == 1 and packet.dst == e.A

    with e.a.sniff("lo") as host, e.a.sniff("tun1") as device:
        def answered():
            found = host.all(unreachable) + device.all(unreachable)
            if not found:
                dontfrag(e.a, e.B, 100)
            return found
        link.send(IP(src="10.10.10.1", dst="10.10.10.2") / ICMP(type=3, code=1) / quoted)
        told = wait_until(answered, what="ICMP 3/1 to the inner sender")[0]
        assert told[ICMP].payload.dst == e.B
        e.a.ping(e.B)
        assert len(host.all(unreachable)) + len(device.all(unreachable)) == 1
    link.close()
    assert e.stats(e.a)["tx_errors"] == 0
