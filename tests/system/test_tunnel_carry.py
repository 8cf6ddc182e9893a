# SPDX-License-Identifier: BSD-2-Clause
"""What a tunnel carries, and between which addresses: both datapaths."""

import socket

import pytest
from scapy.layers.inet import IP

from net import wait_until
from stream import blob, tcp_exchange

BOTH = "remote 10.10.20.2 local 10.10.10.2"


@pytest.mark.parametrize("a", [BOTH, "remote 10.10.20.2", "remote 10.10.20.2 dev v1",
                               BOTH + " dev v1", "remote 10.10.20.2 local any"])
def test_ping_with_remote(ends, a):
    """Remote and local given, remote alone, bound or not."""
    e = ends().both(a=a)
    e.a.ping(e.B)
    e.b.ping(e.A)


@pytest.mark.parametrize("a", ["local 10.10.10.2", "", "remote any local 10.10.10.2 dev v1"])
def test_nbma(ends, a):
    """Remote any: the outer destination is the inner route's gateway (spec 2.1, I17)."""
    e = ends()
    e.add(e.a, a)
    e.a.ip("link set tun1 up", f"addr add {e.A}/32 dev tun1",
           f"route add {e.B}/32 via 10.10.20.2 dev tun1 onlink")
    e.add(e.b, "remote 10.10.10.2 local 10.10.20.2")
    e.up(e.b, e.B, e.A)
    with e.r.sniff("v1_p") as wire:
        e.a.ping(e.B)
        packet = wire.wait(lambda p: p.proto == 4 and p.src == "10.10.10.2")
    assert packet.dst == "10.10.20.2"
    e.b.ping(e.A)


def test_nbma_without_gateway_loops(ends):
    """I18: then the outer destination is the inner one, whose route is the tunnel."""
    e = ends()
    e.add(e.a, "local 10.10.10.2")
    e.a.ip("link set tun1 up", f"addr add {e.A}/32 dev tun1", "route add 10.10.30.1/32 dev tun1")
    assert e.a.ping("10.10.30.1", "-W", "1", check=False).returncode
    wait_until(lambda: e.stats(e.a)["collisions"] == 1)
    assert e.stats(e.a)["tx_errors"] == 1


def test_no_route_to_remote(ends):
    """I14: counted, not told."""
    e = ends()
    e.a.ip("route del default")
    e.add(e.a, BOTH)
    e.up(e.a, e.A, e.B)
    done = e.a.ping(e.B, "-W", "1", check=False)
    assert done.returncode and "Unreachable" not in done.stdout
    wait_until(lambda: e.stats(e.a)["tx_carrier"] == 1)
    assert e.stats(e.a)["tx_errors"] == 1 and e.stats(e.a)["tx_packets"] == 0
    e.a.ip("route add default via 10.10.10.1")
    e.add(e.b, "remote 10.10.10.2 local 10.10.20.2")
    e.up(e.b, e.B, e.A)
    e.a.ping(e.B)


def test_local_that_is_not_ours(ends):
    """I13."""
    e = ends()
    e.add(e.a, "remote 10.10.20.2 local 203.0.113.5")
    e.up(e.a, e.A, e.B)
    assert e.a.ping(e.B, "-W", "1", check=False).returncode
    wait_until(lambda: e.stats(e.a)["tx_carrier"] == 1)


def test_tcp_both_ways(ends):
    """20 MB each way at once, compared: segmentation offload lies in between."""
    e = ends().both()
    tcp_exchange(e.b, e.B, e.a, 20 << 20)


def test_tcp_through_router_with_small_mtu(ends):
    """Segments are sized by what the path carries."""
    e = ends(far_mtu=1300).both()
    tcp_exchange(e.b, e.B, e.a, 2 << 20)


@pytest.mark.parametrize("mtu", [1500, 9000])
def test_udp_sizes(ends, mtu):
    """Datagrams from 1 to 9000 bytes come as they were sent, both ways."""
    e = ends(mtu=mtu).both()
    data = blob(9000)
    for here, there, own, peer in ((e.a, e.b, e.A, e.B), (e.b, e.a, e.B, e.A)):
        sink, source = (ns.socket(socket.AF_INET, socket.SOCK_DGRAM) for ns in (there, here))
        with sink, source:
            sink.bind((peer, 0))
            sink.settimeout(5)
            source.connect(sink.getsockname())
            for size in (1, 2, 63, 64, 1000, 1451, 1452, 1453, 1480, 1500, 2000, 4096, 8192, 8952, 9000):
                source.send(data[:size])
                assert sink.recv(10000) == data[:size], size


def test_checksums_hold_on_the_wire(ends):
    """Where the underlay's device computes no checksum, what leaves has its inner one all the same."""
    from scapy.layers.inet import UDP
    e = ends().both()
    e.a.run("ethtool", "-K", "v1", "tx", "off")
    with e.r.sniff("v1_p") as wire, e.a.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.sendto(blob(100), (e.B, 9))
        packet = wire.wait(lambda p: p.proto == 4 and p.haslayer(UDP))
    inner = packet[IP:2]
    assert bytes(inner[UDP].payload) == blob(100)
    checksums = inner.chksum, inner[UDP].chksum
    del inner.chksum, inner[UDP].chksum
    again = IP(bytes(inner))
    assert (again.chksum, again[UDP].chksum) == checksums
    tcp_exchange(e.b, e.B, e.a, 1 << 20)


def test_forwarding(ends):
    """A network behind a reaches b through the tunnel; TTLs as of a router (I05)."""
    e = ends().both()
    lan = e.net.add(e.a.name[:-1] + "l")
    e.a.ip(f"link add l0 type veth peer name l1 netns {lan}", "addr add 10.20.0.1/24 dev l0", "link set l0 up")
    lan.ip("addr add 10.20.0.2/24 dev l1", "link set l1 up", "route add default via 10.20.0.1")
    e.a.sysctl(ip_forward=1)
    e.b.ip("route add 10.20.0.0/24 dev tun1")
    with e.r.sniff("v1_p") as wire:
        lan.ping(e.B, "-t", "5")
        packet = wire.wait(lambda p: p.proto == 4 and p.src == "10.10.10.2")
    assert packet[IP:2].ttl == 4 and packet.ttl == 4
    tcp_exchange(e.b, e.B, lan, 2 << 20)


def test_two_tunnels_between_the_same_hosts(ends):
    """The most specific one takes a packet (spec 3.2, I52); counters tell which."""
    e = ends().both()
    e.add(e.a, "remote 10.10.20.2", name="wide")
    e.a.ip("link set wide up")
    e.b.ping(e.A)
    wait_until(lambda: e.stats(e.a)["rx_packets"] == 1)
    assert e.stats(e.a, "wide")["rx_packets"] == 0
    e.a.ip("link set tun1 down", f"addr add {e.A}/32 dev wide")
    wait_until(lambda: e.b.ping(e.A, "-W", "1", check=False) and e.stats(e.a, "wide")["rx_packets"])


def test_v6_is_not_carried(ends):
    """I19: an ipip device refuses IPv6, and counts it."""
    e = ends().both()
    before = e.stats(e.a)["tx_errors"]
    e.a.ip("addr add 2001:db8::1/64 dev tun1 nodad", "route add 2001:db8:1::/64 dev tun1")
    assert e.a.run("ping", "-6", "-n", "-c", "1", "-W", "1", "2001:db8:1::1", check=False).returncode
    wait_until(lambda: e.stats(e.a)["tx_errors"] > before)


def test_inner_icmp_is_passed(ends):
    """An error of the far network comes back through the tunnel."""
    e = ends().both()
    e.b.sysctl(ip_forward=1)
    e.b.ip("route add unreachable 10.40.0.0/16")
    e.a.ip("route add 10.40.0.0/16 dev tun1")
    done = e.a.ping("10.40.0.1", check=False)
    assert "Host Unreachable" in done.stdout, done.stdout
