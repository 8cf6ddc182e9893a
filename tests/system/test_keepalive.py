# SPDX-License-Identifier: BSD-2-Clause
"""keepalive SEC,COUNT: who does not answer has no carrier, and who does again has one."""

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import GRE

from net import Sniffer, wait_until
from test_monitor import Monitor
from tunnels import Ends

MODES = ["ipip", "gre", "gre key 7 seq", "sit"]


def carrier(ns, name="tun1"):
    return "LOWER_UP" in ns.link(name)["flags"]


def has_carrier(ns, want, name="tun1"):
    wait_until(lambda: carrier(ns, name) == want, 40, f"{name}: carrier {want}")


@pytest.fixture(params=MODES)
def pair(request, tunl, underlay, datapath):
    """Both ends of a mode; a asks b every second."""
    e = Ends(tunl, underlay(), datapath)
    tunl(e.b, f"add tun1 mode {request.param} remote 10.10.10.2 local 10.10.20.2 datapath {datapath}")
    e.b.ip("link set tun1 up")
    tunl(e.a, f"add tun1 mode {request.param} remote 10.10.20.2 local 10.10.10.2 keepalive 1,2 datapath {datapath}")
    e.a.ip("link set tun1 up")
    return e


def test_dies_and_comes_back(pair, tunl):
    rows = Monitor(tunl, pair.a, "-j")
    try:
        wait_until(lambda: tunl.stats(pair.a, "tun1")["tx_packets"] >= 4, 40, "four probes")
        assert carrier(pair.a), "it answers"
        pair.r.ip("link set v2_p down")
        has_carrier(pair.a, False)
        rows.wait("silent", ifname="tun1")
        assert "keepalive 1,2" in tunl(pair.a, "show --config tun1").stdout
        pair.r.ip("link set v2_p up")
        has_carrier(pair.a, True)
        rows.wait("back", ifname="tun1")
    finally:
        rows.close()


def test_the_other_end_without_tunnel(tunl, underlay, datapath):
    """No carrier; with `off` it is there again, and after that no probe is sent."""
    net = underlay()
    tunl(net.a, f"add tun1 mode gre remote 10.10.20.2 local 10.10.10.2 keepalive 1,1 datapath {datapath}")
    net.a.ip("link set tun1 up", "addr add 10.1.0.1/24 dev tun1")
    has_carrier(net.a, False)
    tunl(net.a, "change tun1 keepalive off")
    has_carrier(net.a, True)
    assert "keepalive" not in tunl(net.a, "show --config tun1").stdout


def test_route_fails_over(tunl, underlay, datapath):
    net = underlay()
    tunl(net.a, f"add tun1 mode ipip remote 10.10.20.2 keepalive 1,2 datapath {datapath}")
    net.a.sysctl(conf__tun1__ignore_routes_with_linkdown=1)
    net.a.ip("link set tun1 up", "route add 10.99.0.0/24 dev tun1 metric 10",
             "route add 10.99.0.0/24 via 10.10.10.1 metric 20")
    via = lambda: net.a.run("ip", "route", "get", "10.99.0.1").stdout  # noqa: E731
    assert "tun1" in via()
    net.b.run("ip", "link", "set", "v2", "down")
    wait_until(lambda: "via 10.10.10.1" in via(), 40, "the other route")


def test_form_of_the_probes(tunl, underlay, datapath):
    """Cisco's: GRE of type 0 from the peer to us, in GRE; elsewhere a datagram that is refused."""
    net = underlay()
    with_gre = f"add tun1 mode gre remote 10.10.20.2 local 10.10.10.2 key 9 keepalive 1,3 datapath {datapath}"
    sniffer = Sniffer(net.r, "v1_p")
    try:
        tunl(net.a, with_gre)
        net.a.ip("link set tun1 up")
        seen = sniffer.wait(lambda p: GRE in p and p.src == "10.10.10.2" and p[GRE].proto == 0x0800, 40)
        inner = seen[GRE].payload
        assert (seen[GRE].proto, seen[GRE].key) == (0x0800, 9)
        assert (inner.src, inner.dst, inner.proto) == ("10.10.20.2", "10.10.10.2", 47)
        assert (inner[GRE].proto, inner[GRE].key) == (0, 9)
        tunl(net.a, f"add tun2 mode ipip remote 10.10.20.2 local 10.10.10.2 keepalive 1,3 datapath {datapath}")
        net.a.ip("link set tun2 up")
        seen = sniffer.wait(lambda p: p.proto == 4 and p.src == "10.10.10.2", 40)
        assert isinstance(seen.payload, IP) and seen.payload.dst == "10.10.20.2" and seen.payload[UDP].dport == 33434
    finally:
        sniffer.close()


def test_words(tunl, underlay):
    net = underlay()
    for words in ("0,1", "1,0", "1", "1,256", "40000,1", "x,1", ",", "1,2,3"):
        tunl.refused(net.a, f"add tun1 mode gre remote 192.0.2.1 keepalive {words}")
    assert "remote" in tunl.refused(net.a, "add tun1 mode gre keepalive 1,2").stderr
    assert "remote" in tunl.refused(net.a, "add tun1 mode gre remote 224.0.0.9 local 10.10.10.2 keepalive 1,2").stderr
    tunl(net.a, "add tun1 mode gre remote 192.0.2.1 keepalive 32767,255")
    assert "keepalive 32767,255" in tunl(net.a, "show --config tun1").stdout
