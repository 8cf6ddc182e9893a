# SPDX-License-Identifier: BSD-2-Clause
"""sit between namespaces: 6in4, 6to4, 6rd with its relay, isatap with its routers (spec datapath 6, 8)."""

import json
import signal

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_RA, ICMPv6NDOptPrefixInfo, IPv6

from net import run, wait_until
from stream import tcp_exchange

A, B, R = "10.10.10.2", "10.10.20.2", "10.10.10.1"
A6, B6 = "2001:db8:100::1", "2001:db8:200::1"
FAR = "2001:4860::1"  # beyond the relay, or the router
SIX_A, SIX_B = "2002:a0a:a02::1", "2002:a0a:1402::1"


def ping6(ns, address, *options, check=True):
    return ns.run("ping", "-6", "-n", "-c", "1", "-W", "5", *options, address, check=check)


def reaches(ns, address, *options):
    return wait_until(lambda: ping6(ns, address, "-W", "1", *options, check=False).returncode == 0, 5,
                      f"an answer of {address}")


def addresses6(ns, dev):
    rows = json.loads(run("ip", "-n", ns.name, "-j", "-6", "addr", "show", "dev", dev).stdout)
    return {f"{a['local']}/{a['prefixlen']}" for row in rows if row for a in row["addr_info"]}


def has_address(ns, dev, want):
    wait_until(lambda: want in addresses6(ns, dev), 5, f"{want} on {dev}")


def errors(tunl, ns, name):
    """What was counted as wrong in receiving."""
    return {k: n for k, n in tunl.stats(ns, name).items() if n and k.startswith("rx_") and
            k not in ("rx_packets", "rx_bytes")}


@pytest.fixture
def point(tunl, underlay, datapath):
    """6in4: s1 in a and b with each other as remote."""
    def make(options="", **more):
        net = underlay(**more)
        tunl(net.a, f"add s1 mode sit remote {B} local {A} {options} datapath {datapath}")
        tunl(net.b, f"add s1 mode sit remote {A} local {B} {options} datapath {datapath}")
        for ns, own, peer in ((net.a, A6, B6), (net.b, B6, A6)):
            ns.ip("link set s1 up", f"addr add {own} peer {peer} dev s1 nodad")
        reaches(net.a, B6)
        return net
    return make


@pytest.mark.parametrize("options", ["", "ttl 64", "nopmtudisc", "tos inherit"])
def test_6in4_carries(tunl, point, options):
    """Pings both ways, streams compared byte by byte; nothing is counted as wrong."""
    net = point(options)
    ping6(net.b, A6)
    tcp_exchange(net.b, B6, net.a, 8 << 20)
    for ns in (net.a, net.b):
        stats = tunl.stats(ns, "s1")
        assert stats["rx_packets"] and stats["tx_packets"]
        assert not any(n for name, n in stats.items() if not name.endswith(("packets", "bytes"))), stats


def test_link_local_address_comes_with_up(tunl, point):
    """fe80:: with the local IPv4 address, again after a down, and none of the kernel's own."""
    net = point()
    for _ in range(2):
        has_address(net.a, "s1", "fe80::a0a:a02/64")
        assert len([a for a in addresses6(net.a, "s1") if a.startswith("fe80")]) == 1
        net.a.ip("link set s1 down")
        wait_until(lambda: not addresses6(net.a, "s1"))
        net.a.ip("link set s1 down", "link set s1 up")
    reaches(net.a, "fe80::a0a:1402%s1")


def test_address_at_each_up_however_fast(tunl, point):
    """Down and up at once is an up."""
    net = point()
    for _ in range(5):
        net.a.ip("link set s1 down", "link set s1 up")
        has_address(net.a, "s1", "fe80::a0a:a02/64")


def test_no_address_where_ipv6_is_off(tunl, underlay):
    net = underlay()
    tunl(net.a, f"add s1 mode sit remote {B} local {A}")
    net.a.run("sysctl", "-qw", "net.ipv6.conf.s1.disable_ipv6=1")
    net.a.ip("link set s1 up")
    wait_until(lambda: json.loads(tunl(net.a, "-j show s1").stdout)[0]["up"])
    assert not addresses6(net.a, "s1")


def test_too_big_for_the_path(tunl, point):
    """The sender hears of 1380 once the router beyond has told; then it goes in smaller packets."""
    net = point(far_mtu=1400)

    def told():
        done = net.a.run("ping", "-6", "-n", "-c", "1", "-W", "1", "-s", "1400", "-M", "do", B6, check=False)
        return "mtu: 1380" in done.stdout + done.stderr or "mtu=1380" in done.stdout + done.stderr
    wait_until(told, 10, "packet too big, 1380")
    assert net.a.route_mtu(B) == 1400
    assert tunl.stats(net.a, "s1")["tx_errors"]
    tcp_exchange(net.b, B6, net.a, 2 << 20)


def test_no_route_is_told(tunl, underlay, datapath):
    """ICMPv6 address unreachable to the sender, tx_carrier and tx_errors to the counters."""
    net = underlay()
    tunl(net.a, f"add s1 mode sit remote {B} local {A} datapath {datapath}")
    net.a.ip("link set s1 up", f"addr add {A6} peer {B6} dev s1 nodad", "route del default")
    done = wait_until(lambda: "ddress unreachable" in ping6(net.a, B6, "-W", "1", check=False).stdout, 10,
                      "an error")
    assert done
    stats = tunl.stats(net.a, "s1")
    assert stats["tx_carrier"] and stats["tx_errors"] >= stats["tx_carrier"]


@pytest.fixture
def six(tunl, underlay, datapath):
    """6to4: s1 in a and b without any remote or configuration."""
    net = underlay()
    for ns, local, own in ((net.a, A, SIX_A), (net.b, B, SIX_B)):
        tunl(ns, f"add s1 mode sit local {local} datapath {datapath}")
        ns.ip("link set s1 up", f"addr add {own}/16 dev s1 nodad")
    reaches(net.a, SIX_B)
    return net


def test_6to4_carries(tunl, six):
    has_address(six.a, "s1", "::10.10.10.2/96")
    assert six.a.link("s1")["link_type"] == "sit"
    ping6(six.b, SIX_A)
    tcp_exchange(six.b, SIX_B, six.a, 4 << 20)
    assert not errors(tunl, six.a, "s1") and not errors(tunl, six.b, "s1")


def test_spoofed_6to4_is_refused(tunl, six):
    """Counted as rx_errors alone, named by its reason, logged; a true one still comes through."""
    before = tunl.stats(six.a, "s1")
    wire = six.wire_to_a()
    for inner_src in ("2002:a0a:1403::1", "2002:c000:201::1"):
        wire.send(IP(src=B, dst=A, proto=41) / IPv6(src=inner_src, dst=SIX_A) / UDP(dport=9) / b"x")
    wire.send(IP(src=B, dst=A, proto=41) / IPv6(src=FAR, dst="2002:a0a:a03::1") / UDP(dport=9) / b"x")
    wire.close()
    wait_until(lambda: tunl.stats(six.a, "s1")["rx_errors"] == before["rx_errors"] + 3, 5, "three refusals")
    assert tunl.stats(six.a, "s1")["rx_packets"] == before["rx_packets"]
    row = json.loads(tunl(six.a, "-j show s1").stdout)[0]
    assert {r["reason"]: r["packets"] for r in row["reasons"]}["rx-spoofed"] == 3
    wait_until(lambda: "rx-spoofed" in tunl.log() and B in tunl.log(), 5, "a line of the log")
    ping6(six.b, SIX_A)


def test_6to4_destination_of_a_nat(tunl, six):
    """What is for a site's own prefix is taken, whatever the outer destination has become."""
    six.a.ip("addr add 2002:c000:209:5::1/64 dev s1 nodad")
    with six.a.sniff("s1"):
        wire = six.wire_to_a()
        before = tunl.stats(six.a, "s1")["rx_packets"]

        def taken():
            wire.send(IP(src=B, dst=A, proto=41) / IPv6(src=FAR, dst="2002:c000:209:5::1") / ICMPv6EchoRequest())
            return tunl.stats(six.a, "s1")["rx_packets"] > before
        wait_until(taken, 5, "the packet")
        wire.close()


def sixrd_end(tunl, ns, local, own, datapath):
    tunl(ns, f"add s1 mode sit local {local} ttl 64 datapath {datapath}")
    tunl(ns, "6rd dev s1 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.10.0.0/16")
    ns.ip("link set s1 up", f"addr add {own}/32 dev s1 nodad")


def test_6rd_with_a_relay(tunl, underlay, datapath):
    """Site to site within the prefix, and by the border relay to what is outside of it."""
    net = underlay()
    sixrd_end(tunl, net.a, A, "2001:db8:a02::1", datapath)
    sixrd_end(tunl, net.b, B, "2001:db8:1402::1", datapath)
    sixrd_end(tunl, net.r, R, "2001:db8:a01::1", datapath)
    net.r.ip(f"addr add {FAR}/128 dev lo")
    net.a.ip(f"route add default via ::{R} dev s1")
    reaches(net.a, "2001:db8:1402::1")
    reaches(net.a, FAR, "-I", "2001:db8:a02::1")
    tcp_exchange(net.b, "2001:db8:1402::1", net.a, 2 << 20)
    tcp_exchange(net.r, FAR, net.a, 2 << 20)
    assert "6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.10.0.0/16" in tunl(net.a, "show s1").stdout


def test_6rd_reset_is_6to4_again(tunl, underlay, datapath):
    net = underlay()
    sixrd_end(tunl, net.a, A, "2001:db8:a02::1", datapath)
    tunl(net.b, f"add s1 mode sit local {B}")
    net.b.ip("link set s1 up", f"addr add {SIX_B}/16 dev s1 nodad")
    net.a.ip(f"addr add {SIX_A}/16 dev s1 nodad")
    assert ping6(net.a, SIX_B, "-W", "1", check=False).returncode
    tunl(net.a, "6rd dev s1 6rd-reset")
    assert "6rd-prefix 2002::/16" in tunl(net.a, "show s1").stdout
    reaches(net.a, SIX_B)


@pytest.fixture
def site(tunl, underlay, datapath):
    """isatap: i1 in a and b, and in the router, which has the way out."""
    net = underlay()
    for ns, local in ((net.a, A), (net.b, B), (net.r, R)):
        tunl(ns, f"add i1 mode isatap local {local} datapath {datapath}")
        ns.ip("link set i1 up")
    net.r.ip(f"addr add {FAR}/128 dev lo", "addr add 2001:db8:1::5efe:a0a:a01/64 dev i1 nodad")
    has_address(net.a, "i1", "fe80::5efe:a0a:a02/64")
    has_address(net.b, "i1", "fe80::5efe:a0a:1402/64")
    has_address(net.r, "i1", "fe80::5efe:a0a:a01/64")
    return net


def test_isatap_neighbours(tunl, site):
    """Link-local addresses are made at up and reach each other, routers named or not."""
    reaches(site.a, "fe80::5efe:a0a:1402%i1")
    ping6(site.b, "fe80::5efe:a0a:a02%i1")
    tcp_to = "2001:db8:1::5efe:a0a:1402"
    site.a.ip("addr add 2001:db8:1::5efe:a0a:a02/64 dev i1 nodad")
    site.b.ip(f"addr add {tcp_to}/64 dev i1 nodad")
    reaches(site.a, tcp_to)
    tcp_exchange(site.b, tcp_to, site.a, 2 << 20)


def test_isatap_neighbours_of_the_program(tunl, site, datapath):
    """A host's packets pass with the daemon standing still; a prefix that goes, goes with it."""
    if datapath != "bpf":
        pytest.skip("the engine is that datapath")
    for ns, own in ((site.a, "a02"), (site.b, "1402")):
        ns.ip(f"addr add 2001:db8:1::5efe:a0a:{own}/64 dev i1 nodad")
    to_a = "2001:db8:1::5efe:a0a:a02"

    def without_daemon():
        reaches(site.b, to_a)
        tunl.kill(*tunl.parent_and_engine(), sig=signal.SIGSTOP)
        try:
            return ping6(site.b, to_a, "-W", "1", check=False).returncode == 0
        finally:
            tunl.kill(*tunl.pids(), sig=signal.SIGCONT)

    wait_until(without_daemon, 30)
    before = tunl.stats(site.a, "i1")["rx_errors"]
    site.a.ip("addr del 2001:db8:1::5efe:a0a:a02/64 dev i1")
    wait_until(lambda: ping6(site.b, to_a, "-W", "1", check=False).returncode and
               tunl.stats(site.a, "i1")["rx_errors"] > before)


def test_isatap_router_is_believed_by_the_list(tunl, site):
    """What comes from beyond the router is taken when the router is in the list, and only then."""
    site.a.ip("addr add 2001:db8:1::5efe:a0a:a02/64 dev i1 nodad",
              "route add default via fe80::5efe:a0a:a01 dev i1")
    reaches(site.a, "2001:db8:1::5efe:a0a:a01")
    assert ping6(site.a, FAR, "-W", "1", check=False).returncode
    assert tunl.stats(site.a, "i1")["rx_errors"]
    tunl(site.a, f"prl dev i1 prl-default {R}")
    reaches(site.a, FAR)
    tunl(site.a, f"prl dev i1 prl-delete {R}")
    assert ping6(site.a, FAR, "-W", "1", check=False).returncode


def test_prl_outlives_engine_and_daemon(tunl, site):
    for word, addr in (("nodefault", B), ("default", R)):
        tunl(site.a, f"prl dev i1 prl-{word} {addr}")
    shown = f"pdr {R} pr {B}"
    site.a.ip("addr add 2001:db8:1::5efe:a0a:a02/64 dev i1 nodad",
              "route add default via fe80::5efe:a0a:a01 dev i1")
    reaches(site.a, FAR)
    tunl.kill(tunl.parent_and_engine()[1])
    reaches(site.a, FAR)
    assert shown in tunl(site.a, "show i1").stdout
    tunl.kill(*tunl.pids())
    assert shown in tunl(site.a, "show i1").stdout
    reaches(site.a, FAR)
    row = json.loads(tunl(site.a, "-j show i1").stdout)[0]
    assert (row["pdr"], row["pr"]) == (R, B)


def advertise(wire):
    wire.send(IP(src=R, dst=A, proto=41) /
              IPv6(src="fe80::5efe:a0a:a01", dst="fe80::5efe:a0a:a02", hlim=255) /
              ICMPv6ND_RA(routerlifetime=1800) /
              ICMPv6NDOptPrefixInfo(prefix="2001:db8:77::", prefixlen=64))


def default_routes(ns):
    return run("ip", "-n", ns.name, "-6", "route", "show", "default").stdout


def test_advertisements_count_from_routers_of_the_list(tunl, site):
    """Delivered either way; a route and an address come of it only from a default router."""
    site.a.run("sysctl", "-qw", "net.ipv6.conf.i1.accept_ra=2")
    wire = site.wire_to_a()
    with site.a.sniff("i1"):
        before = tunl.stats(site.a, "i1")["rx_packets"]
        advertise(wire)
        wait_until(lambda: tunl.stats(site.a, "i1")["rx_packets"] > before, 5, "the advertisement")
    assert not default_routes(site.a)
    tunl(site.a, f"prl dev i1 prl-default {R}")

    def routed():
        advertise(wire)
        return "fe80::5efe:a0a:a01" in default_routes(site.a)
    wait_until(routed, 5, "a default route")
    wire.close()


REFUSED = [("prl dev i1 prl-default 0.0.0.0", "Invalid argument"),
           (f"prl dev i1 prl-nodefault {R}", "File exists"),
           (f"prl dev i1 prl-delete {B}", "No such device or address"),
           ("prl dev v1 prl-default 1.2.3.4", "Operation not supported"),
           ("6rd dev i1 6rd-prefix 2001:db8::/40", "Invalid argument"),
           ("6rd dev i1 6rd-prefix 2001:db8:1::/32", "Invalid argument"),
           ("6rd dev i1 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.1.0.0/8", "Invalid argument"),
           ("6rd dev nosuch 6rd-reset", "No such device")]


@pytest.mark.parametrize("words, says", REFUSED)
def test_refusals(tunl, site, words, says):
    tunl(site.a, f"prl dev i1 prl-default {R}")
    before = tunl(site.a, "show i1").stdout
    assert says in tunl.refused(site.a, words).stderr
    assert tunl(site.a, "show i1").stdout == before


def test_list_is_emptied_by_any(tunl, site):
    for n in range(1, 21):
        tunl(site.a, f"prl dev i1 prl-nodefault 192.0.2.{n}")
    shown = tunl(site.a, "show i1").stdout
    assert shown.count(" pr ") == 15 and " pr 192.0.2.20 pr 192.0.2.19 " in shown
    tunl(site.a, "prl dev i1 prl-delete any")
    assert " pr " not in tunl(site.a, "show i1").stdout


def test_next_hop_changes(tunl, six):
    """Another gateway counts for the next packet, whichever datapath has learned the first."""
    six.a.ip("route add 2001:db8:9::/48 via ::10.10.20.2 dev s1")

    def goes_to(outer):
        with six.a.sniff("v1") as wire:
            def sent():
                ping6(six.a, "2001:db8:9::9", "-W", "0.1", check=False)
                return wire.all(lambda p: p.proto == 41 and p.dst == outer)
            wait_until(sent, 5, f"a packet to {outer}")
    for _ in range(3):
        goes_to("10.10.20.2")
    six.a.ip("route replace 2001:db8:9::/48 via ::10.10.10.1 dev s1")
    goes_to("10.10.10.1")
    six.a.ip("route replace 2001:db8:9::/48 via ::10.10.20.2 dev s1")
    goes_to("10.10.20.2")
