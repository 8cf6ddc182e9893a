# SPDX-License-Identifier: BSD-2-Clause
"""`tunl doctor`: a fault made, and found; a healthy tunnel, and nothing found."""

import json
import shutil

import pytest
from scapy.layers.inet import ICMP, IP

from net import wait_until
from tunnels import BUILD, Ends

needs_nft = pytest.mark.skipif(not shutil.which("nft"), reason="needs nft (nftables)")
PATIENCE = 120  # it waits for answers that do not come, and loads programs to listen


class Doctor:
    def __init__(self, tunl, ns, *words, front=()):
        done = ns.run(*front, BUILD / "tunl", "doctor", "-j", *words, env=tunl.env, check=False, timeout=PATIENCE)
        assert done.returncode in (0, 1), done.stderr
        self.said = json.loads(done.stdout)
        self.findings = self.said["findings"]
        assert done.returncode == (1 if self.findings else 0)

    def by(self, check):
        """The only finding of that check."""
        found = [f for f in self.findings if f["check"] == check]
        assert len(found) == 1, f"{check}: {self.findings}"
        assert found[0]["evidence"] and found[0]["remedy"]
        return found[0]

    def passed(self, check):
        return [p for p in self.said["passed"] if p["check"] == check]


@pytest.fixture
def doctor(tunl):
    return lambda ns, *words, **more: Doctor(tunl, ns, *words, **more)


@pytest.fixture
def pair(tunl, underlay):
    """A function: ipip between both ends, on the user datapath or another."""
    return lambda datapath="user", **options: Ends(tunl, underlay(**options), datapath).both()


@pytest.mark.parametrize("mode", ["ipip", "gre", "gre key 5 csum", "gre key 5 seq", "sit"])
def test_healthy(tunl, underlay, datapath, doctor, mode):
    e = Ends(tunl, underlay(), datapath)
    for ns, local, remote in (e.a, e.net.A, e.net.B), (e.b, e.net.B, e.net.A):
        how = "auto" if "csum" in mode and datapath == "bpf" else datapath
        tunl(ns, f"add tun1 mode {mode} local {local} remote {remote} datapath {how}")
        ns.ip("link set tun1 up")
    seen = doctor(e.a)
    assert seen.findings == []
    checks = {p["check"] for p in seen.said["passed"]}
    assert {"tun", "bpf", "owner", "route", "path-mtu", "nftables", "other-end", "key"} <= checks
    text = tunl(e.a, "doctor tun1").stdout
    assert text == f"1 tunnels, {len(seen.said['passed'])} checks, 0 findings\n"


def test_machine(pair, doctor):
    e = pair()
    seen = doctor(e.a, front=["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh"])
    assert "modprobe tun" in seen.by("tun")["remedy"]
    seen = doctor(e.a, front=["setpriv", "--bounding-set", "-bpf,-sys_admin"])
    assert seen.by("bpf")["severity"] == "warning"
    seen = doctor(e.a, front=["setpriv", "--bounding-set", "-net_raw"])
    assert "CAP_NET_RAW" in seen.by("raw-socket")["remedy"]


def test_foreign_tunl0(pair, doctor):
    e = pair()
    e.a.ip("tuntap add tunl0 mode tun")
    assert '"tun"' in doctor(e.a).by("owner")["evidence"]


def dropped(ns):
    """IpInAddrErrors of a namespace."""
    names, values = [line.split() for line in ns.run("cat", "/proc/net/snmp").stdout.splitlines()[:2]]
    return int(values[names.index("InAddrErrors")])


def test_forwarding(pair, doctor):
    e = pair()
    wire = e.net.wire_to_a()
    wire.send(IP(src=e.net.RA, dst="192.0.2.1") / ICMP())
    wire.close()
    wait_until(lambda: dropped(e.a), what="a packet for others")
    assert "ip_forward=1" in doctor(e.a).by("forwarding")["remedy"]
    e.a.sysctl(ip_forward=1)
    assert doctor(e.a).passed("forwarding")


def test_configuration(pair, doctor, tunl):
    e = pair()
    etc = tunl.rundir / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "tunl.conf").write_text(f"late mode ipip remote 10.10.20.9 dev nodev netns {e.a}\n")
    tunl(e.a, "reload", check=False)
    found = doctor(e.a).by("configuration")
    assert found["finding"].startswith("late ") and "nodev" in found["evidence"]


def test_down(pair, doctor):
    e = pair()
    e.a.ip("link set tun1 down")
    assert doctor(e.a).by("device")["remedy"] == "`ip link set tun1 up`"


def test_route(pair, doctor):
    e = pair()
    e.a.ip("route add 10.10.20.2 dev tun1")
    assert "through the tunnel itself" in doctor(e.a).by("route")["finding"]
    e.a.ip("route del 10.10.20.2 dev tun1", "route del default")
    assert "10.10.20.2" in doctor(e.a).by("route")["evidence"]
    e.a.ip("addr del 10.10.10.2/24 dev v1", "addr add 10.10.10.9/24 dev v1", "route add default via 10.10.10.1")
    assert "give this host the address 10.10.10.2" in doctor(e.a).by("route")["remedy"]


def test_remote_and_neighbour(pair, doctor):
    e = pair()
    e.a.ip("route add 10.10.20.2 via 10.10.10.77 dev v1")
    seen = doctor(e.a)
    assert "10.10.10.77 does not answer on v1" in seen.by("neighbour")["finding"]
    assert seen.by("remote") and "does not answer" in seen.by("other-end")["finding"]


def test_mtu(pair, doctor):
    e = pair()
    e.a.ip("link set tun1 mtu 1490")
    assert doctor(e.a).by("mtu")["remedy"] == "`ip link set tun1 mtu 1480`"


def test_path_mtu_smaller(pair, doctor):
    e = pair(far_mtu=1400)
    found = doctor(e.a).by("path-mtu")
    assert found["severity"] == "warning" and "ip link set tun1 mtu 1380" in found["remedy"]
    e.a.ip("link set tun1 mtu 1380")
    assert doctor(e.a).findings == []


@needs_nft
def test_path_mtu_black_hole(pair, doctor):
    e = pair(far_mtu=1400)
    e.r.run("nft", "add table ip t; add chain ip t o { type filter hook output priority 0; }; "
            "add rule ip t o icmp type destination-unreachable drop")
    found = doctor(e.a).by("path-mtu")
    assert found["severity"] == "problem" and "up to 1400 are answered" in found["evidence"]


def test_rp_filter(pair, doctor, tunl):
    e = pair()
    e.a.sysctl(conf__tun1__rp_filter=1)
    e.b.ip("addr add 10.77.0.1/32 dev lo")
    assert doctor(e.a).passed("rp-filter"), "strict, but nothing was dropped"
    e.b.ping(e.A, "-I", "10.77.0.1", "-W", "1", check=False)
    assert "net.ipv4.conf.tun1.rp_filter=2" in doctor(e.a).by("rp-filter")["remedy"]


@needs_nft
def test_nftables(tunl, underlay, datapath, doctor):
    e = Ends(tunl, underlay(), datapath).both()
    e.a.run("nft", "add table inet t; add chain inet t o { type filter hook output priority 0; }; "
            "add chain inet t sub; add rule inet t sub ip protocol { 4, 41 } counter drop; "
            "add rule inet t o jump sub; add rule inet t o ip protocol 47 drop; "
            "add rule inet t o ip protocol 4 accept")
    seen = doctor(e.a)
    found = seen.by("nftables")
    assert "chain sub (hook output)" in found["evidence"]
    assert found["severity"] == ("problem" if datapath == "user" else "warning")
    assert bool(seen.passed("other-end")) == (datapath == "bpf"), "it does stop the one, and not the other"
    tunl(e.a, "add gre1 mode gre remote 10.10.20.9 local 10.10.10.2 datapath user")
    assert [f["finding"] for f in doctor(e.a, "gre1").findings if f["check"] == "nftables"] == [
        "a rule drops the tunnel's packets, protocol 47 (gre)"]


def test_the_other_end_has_no_tunnel(pair, doctor, tunl):
    e = pair()
    e.b.ip("link set tun1 down")
    assert "ICMP 3/3" in doctor(e.a).by("other-end")["evidence"]
    tunl(e.b, "del tun1")
    assert "ICMP 3/2" in doctor(e.a).by("other-end")["evidence"]


@needs_nft
def test_a_cloud_that_drops_the_protocol(pair, doctor):
    e = pair()
    e.r.run("nft", "add table ip t; add chain ip t f { type filter hook forward priority 0; }; "
            "add rule ip t f ip protocol 4 drop")
    found = doctor(e.a).by("other-end")
    assert found["finding"] == "protocol 4 (ipip) is dropped on the way, or by the other end"
    assert "clouds" in found["remedy"]


def test_wrong_key(tunl, underlay, datapath, doctor):
    e = Ends(tunl, underlay(), datapath)
    for ns, local, remote, key, own, peer in ((e.a, e.net.A, e.net.B, 5, e.A, e.B), (e.b, e.net.B, e.net.A, 7, e.B, e.A)):
        tunl(ns, f"add gre1 mode gre key {key} local {local} remote {remote} datapath {datapath}")
        e.up(ns, own, peer, "gre1")
    ping = e.b.popen("ping", "-q", "-i", "0.2", e.A)
    try:
        seen = doctor(e.a, "gre1")
    finally:
        ping.terminate()
        ping.communicate()
    found = seen.by("key")
    assert found["evidence"] == "gre1 has these addresses, but takes key 5, and the packet bears key 7"
    assert "tunl change gre1 ikey 7" in found["remedy"]
    assert seen.by("other-end"), "and what we send is refused there"


def test_options(tunl, underlay, doctor):
    e = Ends(tunl, underlay(), "user")
    tunl(e.a, "add gre1 mode gre local 10.10.10.2 remote 10.10.20.2 datapath user")
    tunl(e.b, "add gre1 mode gre local 10.10.20.2 remote 10.10.10.2 ocsum datapath user")
    e.up(e.a, e.A, e.B, "gre1")
    e.up(e.b, e.B, e.A, "gre1")
    e.b.ping(e.A, "-W", "1", check=False)
    assert "rx-csum-flag" in doctor(e.a).by("options")["evidence"]


def test_text_and_statuses(pair, tunl):
    e = pair()
    e.a.ip("link set tun1 down")
    done = tunl.refused(e.a, "doctor tun1 -d", status=1)
    lines = done.stdout.splitlines()
    assert "tun1: problem: the device is down" in lines and "    remedy:  `ip link set tun1 up`" in lines
    assert "fine: TUN devices can be made" in lines
    tunl.refused(e.a, "doctor tun9", status=2)
    tunl.refused(e.a, "doctor tun1 tun2", status=255)


def test_without_any_tunnel(tunl, underlay, doctor):
    assert doctor(underlay().a).said["tunnels"] == 0
