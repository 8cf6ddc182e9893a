# SPDX-License-Identifier: BSD-2-Clause
"""What users build of tunnels, each in a world of its own: k by the driver, t by who is under test."""

import contextlib
import os
import socket

from host import expect, wait_until
from packets import exchange, received, udp_socket
from variants import K, T
from wire import checksum
from world import RK, RT, Way

IK, IT = "10.10.100.1", "10.10.200.1"
SPOKES = 50
MARK = 36  # SO_MARK


def way(w, source=IK, target=IT):
    return Way(w.k, w.t, K, source, T, target)


def back(w, source=IT, target=IK):
    return Way(w.t, w.k, T, source, K, target)


def device_mtu(end, dev):
    return end.space.mtu(dev)


def pair(w, name, mode, words=(), outer=(K, T), inner=(IK, IT)):
    """A tunnel at both ends, with addresses."""
    for end, own, far in ((w.k, 0, 1), (w.t, 1, 0)):
        w.add(end, name, "mode", mode, "remote", outer[far], "local", outer[own], *words)
        end.ip(f"addr add {inner[own]} peer {inner[far]} dev {name}")


def carries(w, dev="tun1", inner=(IK, IT), size=1 << 19):
    """Pings both ways, packets as large as the device takes, and a connection from each end."""
    w.k.answers(inner[1])
    w.t.answers(inner[0])
    full = str(min(device_mtu(w.k, dev), device_mtu(w.t, dev)) - 28)
    w.k.ping(inner[1], "-M", "do", "-s", full)
    w.t.ping(inner[0], "-M", "do", "-s", full)
    exchange(w, way(w, *inner), size)
    exchange(w, back(w, *reversed(inner)), size)


def gre_in_ipip(w):
    pair(w, "tun1", "ipip")
    pair(w, "tun2", "gre", ("key", "9"), (IK, IT), ("10.10.101.1", "10.10.201.1"))
    carries(w, "tun2", ("10.10.101.1", "10.10.201.1"))


def ipip_nested(w):
    """To the driver's limit: five, one in the other. What is deeper may be lost, and does no harm."""
    at = (K, T)
    for depth in range(1, 9):
        inner = (f"10.20.{depth}.1", f"10.20.{depth}.2")
        pair(w, f"tun{depth}", "ipip", (), at, inner)
        if depth <= 5:
            w.k.answers(inner[1])
            w.t.answers(inner[0])
        else:
            w.k.ping(inner[1], "-W", "1", check=False)
            w.t.ping(inner[0], "-W", "1", check=False)
        at = inner
    carries(w, "tun5", ("10.20.5.1", "10.20.5.2"))


def vrf(w):
    """Inner addresses in one VRF, the underlay in another. Both ends alike."""
    for end, dev, own, gateway, far, inner, peer in ((w.k, "v1", K, RK, T, IK, IT), (w.t, "v2", T, RT, K, IT, IK)):
        end.ip("link add inside type vrf table 11", "link set inside up", "link add outside type vrf table 12",
               "link set outside up", f"link set {dev} master outside",
               f"route replace default via {gateway} dev {dev} table 12")
        w.add(end, "tun1", "mode", "gre", "remote", far, "local", own, "dev", "outside")
        end.ip("link set tun1 master inside", f"addr add {inner}/16 dev tun1")
    w.k.answers(IT, 10, "-I", "inside")
    w.t.answers(IK, 10, "-I", "inside")
    w.t.ping(IK, "-I", "inside", "-M", "do", "-s", "1448")
    w.k.ping(IT, "-I", "inside", "-s", "8000")


def vrf_slave(w):
    """`dev` names the underlay device, which is in a VRF: the route is looked up there."""
    for end, dev, own, gateway, far, inner, peer in ((w.k, "v1", K, RK, T, IK, IT), (w.t, "v2", T, RT, K, IT, IK)):
        end.ip("link add outside type vrf table 12", "link set outside up", f"link set {dev} master outside",
               f"route replace default via {gateway} dev {dev} table 12")
        w.add(end, "tun1", "mode", "ipip", "remote", far, "local", own, "dev", dev)
        end.ip(f"addr add {inner} peer {peer} dev tun1")
    carries(w)


def vrf_dev(w):
    """`dev` names the VRF that the underlay device is in, or that device: both take what comes in by it."""
    for end, dev, gateway in ((w.k, "v1", RK), (w.t, "v2", RT)):
        end.ip("link add outside type vrf table 12", "link set outside up", f"link set {dev} master outside",
               f"route replace default via {gateway} dev {dev} table 12")
    for mode, k, t in (("sit", "outside", "outside"), ("sit", "v1", "v2"), ("ipip", "outside", "outside")):
        at = ("2001:db8:57::1", "2001:db8:57::2") if mode == "sit" else (IK, IT)
        for end, own, far, dev, inner, peer in ((w.k, K, T, k, *at), (w.t, T, K, t, *reversed(at))):
            w.add(end, "tun1", "mode", mode, "remote", far, "local", own, "dev", dev)
            end.ip(f"addr add {inner} peer {peer} dev tun1 " + ("nodad" if mode == "sit" else ""))
        w.k.answers(at[1])
        w.t.answers(at[0])
        w.k.ping(at[1], "-s", "8000")
        for end in (w.k, w.t):
            w.tunnel(end, "del", "tun1")
    vrf_moved(w)


def vrf_moved(w):
    """What comes by a device is for a tunnel bound to its VRF, not when it is taken out, and when it is back."""
    at = ("2001:db8:58::1", "2001:db8:58::2")
    for end, own, far, inner, peer in ((w.k, K, T, *at), (w.t, T, K, *reversed(at))):
        w.add(end, "tun1", "mode", "sit", "remote", far, "local", own, "dev", "outside")
        end.ip(f"addr add {inner} peer {peer} dev tun1 nodad")
    w.k.answers(at[1])
    w.t.ip("link set v2 nomaster", f"route replace default via {RT}")
    wait_until(lambda: w.k.ping(at[1], "-W", "1", check=False).returncode, 10, "what is not in the VRF is not taken")
    before = received_by(w.t, "tun1")
    w.k.ping(at[1], "-W", "1", check=False)
    expect(received_by(w.t, "tun1") == before, "taken from a device that is not in the VRF")
    w.t.ip("link set v2 master outside", f"route replace default via {RT} dev v2 table 12")
    w.k.answers(at[1])


def received_by(end, dev):
    """Packets that the device gave to the host."""
    return int(end.run("cat", "/proc/self/net/dev").stdout.split(f"{dev}:")[1].split()[1])


def bound(w):
    """`dev`: the outer packet leaves there though a better route goes elsewhere."""
    for end, dev, own, far, inner, peer in ((w.k, "v1", K, T, IK, IT), (w.t, "v2", T, K, IT, IK)):
        w.add(end, "tun1", "mode", "ipip", "remote", far, "local", own, "dev", dev)
        end.ip(f"addr add {inner} peer {peer} dev tun1", "link add d0 type dummy", "link set d0 up",
               f"route add {far} dev d0")
    carries(w)


def keys(w):
    """Several tunnels between the same addresses, told apart by their keys."""
    nets = {None: 0, "1": 1, "2": 2, "0x10002": 3, "10.0.0.1": 4}
    for key, n in nets.items():
        pair(w, f"tun{n}", "gre", ("key", key) if key else (), (K, T), (f"10.30.{n}.1", f"10.30.{n}.2"))
    for n in nets.values():
        carries(w, f"tun{n}", (f"10.30.{n}.1", f"10.30.{n}.2"), 1 << 16)
    w.tunnel(w.t, "del", "tun2")
    done = w.k.ping("10.30.2.2", "-W", "1", check=False)
    expect(done.returncode, "the packets of a tunnel that is gone are taken by another")
    w.k.answers("10.30.1.2")


def ecmp(w):
    """Flows are spread over two tunnels, and all arrive."""
    pair(w, "tun1", "gre", ("key", "1"), (K, T), ("10.31.1.1", "10.31.1.2"))
    pair(w, "tun2", "gre", ("key", "2"), (K, T), ("10.31.2.1", "10.31.2.2"))
    for end, own, far in ((w.k, IK, IT), (w.t, IT, IK)):
        end.sysctl(ipv4__fib_multipath_hash_policy=1)
        end.ip(f"addr add {own}/32 dev lo", f"route add {far} src {own} nexthop dev tun1 nexthop dev tun2")
    before = {key: len(seen(w, K, key)) for key in (1, 2)}
    with udp_socket(w, w.t, IT) as sink:
        for n in range(64):
            with udp_socket(w, w.k, IK) as source:
                source.sendto(bytes([n]), sink.getsockname())
                expect(received(w, sink)[0] == bytes([n]), "changed")
    used = {key: len(seen(w, K, key)) - before[key] for key in (1, 2)}
    expect(sum(used.values()) == 64 and min(used.values()) > 8, f"packets by key: {used}")
    exchange(w, way(w))
    exchange(w, back(w))


def seen(w, source, key):
    return w.taps["v1_p"].outer(source, lambda ip: ip[9] == 47 and ip[24:28] == key.to_bytes(4, "big"))


def hub(w, mode, words=()):
    """t has one tunnel without remote, k fifty tunnels to it, from addresses of their own."""
    if mode == "gre":
        w.tunnel(w.t, "add", "hub", "mode", "gre", "local", T, "key", "7")
    else:
        w.tunnel(w.t, "add", "hub", "mode", "ipip", "local", T)
    w.t.ip("link set hub up", "addr add 10.40.0.254/24 dev hub" if mode == "gre" else "addr add 10.40.0.254/32 dev hub")
    of_k, of_t = [], []
    for n in range(1, SPOKES + 1):
        outer, inner = f"10.10.10.{100 + n}", f"10.40.0.{n}"
        of_k += [f"addr add {outer}/24 dev v1", f"tunnel add s{n} mode {mode} remote {T} local {outer} {' '.join(words)}",
                 f"link set s{n} up", f"addr add {inner}/32 dev lo", f"rule add from {inner} lookup {1000 + n}",
                 f"route add 10.40.0.254 dev s{n} table {1000 + n}"]
        if mode == "gre" and w.who == "kernel":  # a TUN device has one neighbour entry (doc/compat.md)
            of_t.append(f"neigh add {inner} lladdr {outer} dev hub")
        else:
            of_t.append(f"route add {inner} via {outer} dev hub onlink")
    w.k.ip(*of_k)
    w.t.ip(*of_t)
    with udp_socket(w, w.t, "10.40.0.254") as center:
        for n in range(1, SPOKES + 1):
            with udp_socket(w, w.k, f"10.40.0.{n}") as spoke:
                for source, sink in ((center, spoke), (spoke, center)):
                    source.sendto(bytes([n]), sink.getsockname())
                    expect(received(w, sink)[0] == bytes([n]), f"spoke {n}: changed")
    for n in (1, SPOKES // 2, SPOKES):
        exchange(w, way(w, f"10.40.0.{n}", "10.40.0.254"), 1 << 16)
        exchange(w, back(w, "10.40.0.254", f"10.40.0.{n}"), 1 << 16)


def second_router(w):
    """Another way from t to k, by s."""
    w.s = w.host("s")
    w.join(w.k, "w1", "10.10.11.2", "10.10.11.1", w.s)
    w.join(w.t, "w2", "10.10.21.2", "10.10.21.1", w.s)
    w.s.sysctl(ipv4__ip_forward=1)
    w.s.ip(f"route add {K} via 10.10.11.2", f"route add {T} via 10.10.21.2")
    w.k.ip(f"route replace default via {RK}")
    w.t.ip(f"route replace default via {RT}")
    return w.tap("w2_p", w.s)


def mark(w):
    """The tunnel's mark chooses the outer route; a packet's own the tunnel, and not its outer route."""
    by_s = second_router(w)
    w.tunnel(w.k, "add", "tun1", "mode", "gre", "remote", T, "local", K)
    w.link_add(w.t, "tun1", "type", "gre", "remote", K, "local", T, "fwmark", "7")
    for end, own, far in ((w.k, IK, IT), (w.t, IT, IK)):
        end.ip("link set tun1 up", f"addr add {own} peer {far} dev tun1")
    w.t.ip("rule add fwmark 7 lookup 107", "route add default via 10.10.21.1 table 107",
           "rule add fwmark 9 lookup 109", "route add 10.50.0.0/16 dev tun1 table 109")
    w.k.ip("addr add 10.50.0.1/32 dev lo")
    carries(w)
    expect(by_s.outer(T) and not w.taps["v1_p"].outer(T), "outer packets of t did not go by the tunnel's mark")
    by_s.clear()
    with udp_socket(w, w.k, "10.50.0.1") as sink, udp_socket(w, w.t, IT) as source:
        source.setsockopt(socket.SOL_SOCKET, MARK, 9)
        source.sendto(b"marked", sink.getsockname())
        expect(received(w, sink)[0] == b"marked", "changed")
    expect(by_s.outer(T, lambda ip: ip.endswith(b"marked")), "the packet's mark changed the outer route")


def rp_filter(w):
    """Strict and loose, on underlay and tunnel; a source that has no way back by the tunnel is dropped there."""
    pair(w, "tun1", "ipip")
    w.k.ip("addr add 10.51.0.1/32 dev lo")
    w.t.ip("link add d0 type dummy", "link set d0 up", "route add 10.51.0.1 dev d0")
    for value, passes in ((1, False), (2, True)):
        w.t.sysctl(ipv4__conf__all__rp_filter=value, ipv4__conf__v2__rp_filter=value, ipv4__conf__tun1__rp_filter=value)
        carries(w)
        with udp_socket(w, w.t, IT) as sink, udp_socket(w, w.k, "10.51.0.1") as odd, udp_socket(w, w.k, IK) as even:
            odd.sendto(b"odd", sink.getsockname())
            even.sendto(b"even", sink.getsockname())
            got = [received(w, sink)[0]]
            if passes:
                got.append(received(w, sink)[0])
            expect(got == ([b"odd"] if passes else []) + [b"even"], f"rp_filter {value}: {got}")


RULES = """table ip filter {
	counter from_tunnel {}
	counter to_tunnel {}
	chain in {
		type filter hook input priority 0
		iifname tun1 udp dport 7 drop
		iifname tun1 udp dport 9 counter name from_tunnel
	}
	chain out {
		type filter hook output priority 0
		oifname tun1 udp dport 7 drop
		oifname tun1 udp dport 9 counter name to_tunnel
	}
}
"""
NETDEV = """table netdev under {
	chain in {
		type filter hook ingress device v2 priority -500
		ip protocol 47 ip saddr 10.10.10.3 drop
	}
}
"""


def nft(w):
    """Rules on the tunnel see inner packets; one before the tunnel refuses outer ones."""
    pair(w, "tun1", "gre")
    w.tunnel(w.k, "add", "tun2", "mode", "gre", "remote", T, "local", "10.10.10.3")
    w.tunnel(w.t, "add", "tun2", "mode", "gre", "remote", "10.10.10.3", "local", T)
    w.k.ip("addr add 10.10.10.3/24 dev v1", "link set tun2 up", "addr add 10.52.0.1 peer 10.52.0.2 dev tun2")
    w.t.ip("link set tun2 up", "addr add 10.52.0.2 peer 10.52.0.1 dev tun2")
    w.k.answers("10.52.0.2")
    w.t.nft(RULES)
    carries(w)
    with udp_socket(w, w.t, IT, 7) as no, udp_socket(w, w.t, IT, 9) as yes, udp_socket(w, w.k, IK) as source, \
            udp_socket(w, w.k, IK, 7) as far_no, udp_socket(w, w.k, IK, 9) as far_yes:
        for n in range(5):
            source.sendto(b"x", (IT, 7))
            source.sendto(bytes([n]), (IT, 9))
            expect(received(w, yes)[0] == bytes([n]), "changed")
            with contextlib.suppress(PermissionError):
                no.sendto(b"x", (IK, 7))
            no.sendto(bytes([n]), (IK, 9))
            expect(received(w, far_yes)[0] == bytes([n]), "changed")
        for silent in (no, far_no):
            silent.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                raise AssertionError(f"came through: {silent.recv(9)}")
    for name in ("from_tunnel", "to_tunnel"):
        said = w.t.run("nft", "list", "counter", "ip", "filter", name).stdout
        expect("packets 5 " in said, said)
    if w.who != "bpf":  # the kernel asks nftables after tc (doc/security.md)
        w.t.nft(NETDEV)
        refuses(w, "a netdev rule")
        w.t.nft("delete table netdev under")
        w.k.answers("10.52.0.2")
    w.t.run("tc", "qdisc", "add", "dev", "v2", "clsact", check=False)
    w.t.run("tc", *"filter add dev v2 ingress pref 10 protocol ip u32".split(),
            *"match ip protocol 47 0xff match ip src 10.10.10.3/32 action drop".split())
    refuses(w, "a tc filter")
    w.k.answers(IT)


def refuses(w, what):
    done = w.k.ping("10.52.0.2", "-W", "1", check=False)
    expect(done.returncode, f"an outer source that {what} drops came through")


def nat(w):
    """Connection tracking on inner packets: a host behind t is masqueraded into the tunnel, and one is reached by DNAT."""
    pair(w, "tun1", "ipip")
    host = w.host("h")
    w.t.ip(f"link add h1 type veth peer name e0 netns {host.name}", "addr add 192.168.9.1/24 dev h1", "link set h1 up")
    host.ip("link set lo up", "addr add 192.168.9.2/24 dev e0", "link set e0 up", "route add default via 192.168.9.1")
    w.t.sysctl(ipv4__ip_forward=1)
    w.t.nft("""table ip nat {
	chain post { type nat hook postrouting priority 100; oifname tun1 ip saddr 192.168.9.0/24 masquerade; }
	chain pre { type nat hook prerouting priority -100; iifname tun1 tcp dport 8080 dnat to 192.168.9.2:80; }
}
""")
    host.answers(IK)
    exchange(w, Way(host, w.k, T, "192.168.9.2", K, IK))
    with host.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("192.168.9.2", 80))
        listener.listen()
        listener.settimeout(5)
        with w.k.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect((IT, 8080))
            server, peer = listener.accept()
            with server:
                expect(peer[0] == IK, f"the client is {peer}")
                client.sendall(b"to dnat")
                expect(server.recv(100) == b"to dnat", "changed")


def ip6_underlay(w):
    """Devices that speak IPv6 stand beside: one with both families, one with IPv6 alone."""
    for end, dev, host in ((w.k, "v1", "1"), (w.t, "v2", "2")):
        w.with_ip6(end, dev)
        end.ip(f"addr add 2001:db8:a{host}::2/64 dev {dev} nodad", "link add six type dummy")
        w.with_ip6(end, "six")
        end.ip("link set six up", "addr add 2001:db8:66::1/64 dev six nodad")
    pair(w, "tun1", "ipip")
    pair(w, "tun2", "sit", (), (K, T), ("10.53.0.1", "10.53.0.2"))
    carries(w)
    for end, own in ((w.k, "1"), (w.t, "2")):
        end.ip(f"addr add 2001:db8:77::{own}/64 dev tun2 nodad")
    w.k.answers("2001:db8:77::2")
    w.t.ping("2001:db8:77::1", "-s", "8000")


def jumbo(w):
    """An underlay of MTU 9000: so the tunnel's."""
    w.r.ip("link set v1_p mtu 9000", "link set v2_p mtu 9000")
    w.k.ip("link set v1 mtu 9000")
    w.t.ip("link set v2 mtu 9000")
    pair(w, "tun1", "gre")
    expect(device_mtu(w.t, "tun1") == device_mtu(w.k, "tun1") == 8976, f"MTU {device_mtu(w.t, 'tun1')}")
    carries(w, size=1 << 21)
    with udp_socket(w, w.k, IK) as a, udp_socket(w, w.t, IT) as b:
        for source, sink in ((a, b), (b, a)):
            for size in (8947, 8948, 8949, 9000, 20000):
                data = os.urandom(size)
                source.sendto(data, sink.getsockname())
                expect(received(w, sink)[0] == data, "changed")


def underlay(w, make):
    """The underlay of t is a device of another kind, made over v2."""
    w.t.ip("addr flush dev v2")
    for line in make:
        w.t.ip(line)
    w.t.ip(f"addr add {T}/24 dev under", "link set under up", f"route replace default via {RT}")
    if make[0].startswith("link add link v2 name under type vlan"):
        w.r.ip("addr flush dev v2_p", "link add link v2_p name vlan_p type vlan id 5", "link set vlan_p up",
               f"addr add {RT}/24 dev vlan_p")
    w.t.answers(K)
    pair(w, "tun1", "gre", ("key", "3"))
    carries(w)
    pair(w, "tun2", "ipip", (), (K, T), ("10.54.0.1", "10.54.0.2"))
    carries(w, "tun2", ("10.54.0.1", "10.54.0.2"))


def bridge(w):
    underlay(w, ("link add under type bridge", "link set v2 master under"))


def vlan(w):
    underlay(w, ("link add link v2 name under type vlan id 5",))


def macvlan(w):
    underlay(w, ("link add link v2 name under type macvlan mode bridge",))


def loopback(w):
    """Both ends in one namespace, over lo; the inner sides in VRFs."""
    w.t.ip("addr add 127.1.0.1/32 dev lo", "addr add 127.1.0.2/32 dev lo")
    for n, own, far in ((1, "127.1.0.1", "127.1.0.2"), (2, "127.1.0.2", "127.1.0.1")):
        w.add(w.t, f"tun{n}", "mode", "gre", "remote", far, "local", own)
        w.t.ip(f"link add in{n} type vrf table {20 + n}", f"link set in{n} up", f"link set tun{n} master in{n}",
               f"addr add 10.55.0.{n}/24 dev tun{n}")
    w.t.answers("10.55.0.2", 10, "-I", "in1")
    w.t.answers("10.55.0.1", 10, "-I", "in2")
    w.t.ping("10.55.0.2", "-I", "in1", "-s", "30000")


def downstream(w):
    """Merged packets that come out of the tunnel and go on by a device without segmentation or checksums."""
    pair(w, "tun1", "gre")
    pair(w, "tun2", "ipip", (), (K, T), ("10.56.0.1", "10.56.0.2"))
    host = w.host("h")
    w.t.ip(f"link add h1 type veth peer name e0 netns {host.name}", "addr add 192.168.9.1/24 dev h1", "link set h1 up")
    host.ip("link set lo up", "addr add 192.168.9.2/24 dev e0", "link set e0 up", "route add default via 192.168.9.1")
    for end, dev in ((w.t, "h1"), (host, "e0")):
        end.run("ethtool", "-K", dev, "tso", "off", "gso", "off", "tx", "off", "gro", "off")
    w.t.sysctl(ipv4__ip_forward=1)
    tap = w.tap("e0", host)
    for dev in ("tun1", "tun2"):
        w.k.ip(f"route replace 192.168.9.0/24 dev {dev} src {IK}")
        w.k.answers("192.168.9.2")
        tap.clear()
        exchange(w, Way(w.k, host, K, IK, T, "192.168.9.2"), 1 << 21)
        frames = [f for f in tap.drain() if f[12:14] == b"\x08\x00" and f[26:30] == socket.inet_aton(IK) and f[23] == 6]
        expect(len(frames) > 500, f"{len(frames)} frames")
        expect(max(map(len, frames)) <= 1514, f"{dev}: a frame of {max(map(len, frames))} bytes")
        expect(all(tcp_sum_is_right(f[14:]) for f in frames), f"{dev}: a checksum is wrong")


def tcp_sum_is_right(ip):
    length = int.from_bytes(ip[2:4], "big")
    segment = ip[20:length]
    return checksum(ip[:20]) == 0 and checksum(ip[12:20] + b"\0\6" + len(segment).to_bytes(2, "big") + segment) == 0


CHECKS = {
    "gre-in-ipip": gre_in_ipip, "ipip-nested": ipip_nested, "vrf": vrf, "vrf-slave": vrf_slave, "vrf-dev": vrf_dev,
    "bound": bound, "keys": keys, "ecmp": ecmp, "hub-gre": lambda w: hub(w, "gre", ("key", "7")),
    "hub-ipip": lambda w: hub(w, "ipip"), "mark": mark, "rp-filter": rp_filter, "nft": nft, "nat": nat,
    "ip6-underlay": ip6_underlay, "jumbo": jumbo,
    "bridge": bridge, "vlan": vlan, "macvlan": macvlan, "loopback": loopback, "downstream": downstream,
}
