# SPDX-License-Identifier: BSD-2-Clause
"""What users build of tunnels, as far as any kernel has it; tests/interop/topology.py has more, beside the drivers."""

import socket

import pytest

from net import Netns, wait_until
from scapy.layers.inet import IP, TCP
from stream import tcp_exchange


def pair(e, name, words, own, far, outer=("10.10.10.2", "10.10.20.2")):
    """A tunnel at both ends, up, with addresses."""
    for ns, here, there, a, b in ((e.a, outer[0], outer[1], own, far), (e.b, outer[1], outer[0], far, own)):
        e.tunl(ns, f"add {name} {words} remote {there} local {here} datapath {e.datapath}")
        e.up(ns, a, b, name)


def answers(ns, address, *options):
    wait_until(lambda: not ns.ping(address, "-W", "1", *options, check=False).returncode, what=f"{ns}: {address} answers")


def test_gre_in_ipip(ends):
    e = ends().both()
    pair(e, "tun2", "mode gre key 9", "10.10.101.1", "10.10.201.1", (e.A, e.B))
    answers(e.a, "10.10.201.1")
    e.b.ping("10.10.101.1", "-M", "do", "-s", str(e.b.link("tun2")["mtu"] - 28))
    tcp_exchange(e.b, "10.10.201.1", e.a, 1 << 20)
    tcp_exchange(e.a, "10.10.101.1", e.b, 1 << 20)


def test_ipip_in_ipip(ends):
    """Five, one in the other, which is the drivers' limit."""
    e, at = ends(), ("10.10.10.2", "10.10.20.2")
    for depth in range(1, 6):
        inner = (f"10.20.{depth}.1", f"10.20.{depth}.2")
        pair(e, f"tun{depth}", "mode ipip", *inner, at)
        answers(e.a, inner[1])
        at = inner
    tcp_exchange(e.b, "10.20.5.2", e.a, 1 << 20)


def test_flows_over_two_tunnels(ends):
    e = ends()
    pair(e, "tun1", "mode gre key 1", "10.31.1.1", "10.31.1.2")
    pair(e, "tun2", "mode gre key 2", "10.31.2.1", "10.31.2.2")
    for ns, own, far in ((e.a, e.A, e.B), (e.b, e.B, e.A)):
        ns.sysctl(fib_multipath_hash_policy=1)
        ns.ip(f"addr add {own}/32 dev lo", f"route add {far} src {own} nexthop dev tun1 nexthop dev tun2")
    with e.b.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind((e.B, 0))
        sink.settimeout(10)
        for n in range(64):
            with e.a.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
                source.sendto(bytes([n]), sink.getsockname())
                assert sink.recv(9) == bytes([n])
    assert min(e.stats(e.b, name)["rx_packets"] for name in ("tun1", "tun2")) > 8


def test_hub(ends):
    """One tunnel without remote, ten to it, told apart by the gateway of a route."""
    e = ends()
    e.tunl(e.b, f"add hub mode ipip local 10.10.20.2 datapath {e.datapath}")
    e.b.ip("link set hub up", "addr add 10.40.0.254/32 dev hub")
    for n in range(1, 11):
        e.a.ip(f"addr add 10.10.10.{100 + n}/24 dev v1", f"addr add 10.40.0.{n}/32 dev lo")
        e.tunl(e.a, f"add s{n} mode ipip remote 10.10.20.2 local 10.10.10.{100 + n} datapath {e.datapath}")
        e.a.ip(f"link set s{n} up", f"rule add from 10.40.0.{n} lookup {1000 + n}", f"route add 10.40.0.254 dev s{n} table {1000 + n}")
        e.b.ip(f"route add 10.40.0.{n} via 10.10.10.{100 + n} dev hub onlink")
    for n in range(1, 11):
        answers(e.b, f"10.40.0.{n}")
        assert e.stats(e.a, f"s{n}")["rx_packets"] > 0


def test_both_ends_in_one_namespace(ends):
    """Over lo: what goes into one comes out of the other."""
    e = ends()
    e.a.ip("addr add 127.1.0.1/32 dev lo", "addr add 127.1.0.2/32 dev lo")
    for name, own, far in (("tun1", "127.1.0.1", "127.1.0.2"), ("tun2", "127.1.0.2", "127.1.0.1")):
        e.tunl(e.a, f"add {name} mode ipip remote {far} local {own} datapath {e.datapath}")
        e.a.ip(f"link set {name} up")
    e.a.ip("addr add 10.55.0.1/24 dev tun1")
    with e.a.sniff("tun2") as seen:
        e.a.ping("10.55.0.9", "-W", "1", check=False)
        seen.wait(lambda p: p[IP].dst == "10.55.0.9")
    wait_until(lambda: e.stats(e.a, "tun2")["rx_packets"] > 0)


@pytest.mark.parametrize("mode", ["ipip", "gre"])
def test_on_to_a_plain_device(ends, prefix, mode):
    """Merged packets that come out of the tunnel and leave by a device without segmentation or checksums."""
    e, host = ends(), Netns(f"{prefix}h")
    try:
        pair(e, "tun1", f"mode {mode}", e.A, e.B)
        e.b.ip(f"link add h1 type veth peer name e0 netns {host}", "addr add 192.168.9.1/24 dev h1", "link set h1 up")
        host.ip("addr add 192.168.9.2/24 dev e0", "link set e0 up", "route add default via 192.168.9.1")
        for ns, dev in ((e.b, "h1"), (host, "e0")):
            ns.run("ethtool", "-K", dev, "tso", "off", "gso", "off", "tx", "off", "gro", "off")
        e.b.sysctl(ip_forward=1)
        e.a.ip(f"route add 192.168.9.0/24 dev tun1 src {e.A}")
        answers(e.a, "192.168.9.2")
        with host.sniff("e0") as seen:
            tcp_exchange(host, "192.168.9.2", e.a, 1 << 20)
            packets = [bytes(p) for p in seen.all(lambda p: TCP in p and p[IP].src == e.A)]
        assert len(packets) > 300 and max(map(len, packets)) <= 1500
        for data in packets[::7]:
            again = IP(data)
            del again[IP].chksum, again[TCP].chksum
            assert bytes(again) == data[:len(bytes(again))]
    finally:
        host.delete()
