# SPDX-License-Identifier: BSD-2-Clause
"""Path MTU: two ways between the ends, of different width, with one router and with two.
What a router says about outer packets is learned, the sender inside is told the right number,
and traffic recovers without help.

    k 10.10.10.2 ---- r ---------------- 10.10.20.2 t      1500, narrowed where a check says
    k 10.10.11.2 ---- s ---- q --------- 10.10.21.2 t      1400 between s and q, then 1360"""

import errno
import os
import threading

import packets
from host import Failed, expect, wait_until
from packets import directions, df_socket, exchange, received, told, udp_socket
from variants import K, T
from world import RK, RT, Way

EXPIRY, FLOOR = 3, 552  # seconds that a learned path MTU is kept where a check waits for it; min_pmtu
NARROW, MIDDLE, LAST = 1400, 1400, 1360
SK, SQ, QS, QT = "10.10.11.1", "10.10.12.1", "10.10.12.2", "10.10.21.1"
# Networks behind the ends: the address of the end, of the host, by inner addresses of the variant
BEHIND_4 = (("192.168.1.1/24", "192.168.1.2/24"), ("192.168.2.1/24", "192.168.2.2/24"))
BEHIND_6 = (("2001:db8:51::1/64", "2001:db8:51::2/64"), ("2001:db8:52::1/64", "2001:db8:52::2/64"))
BEHIND_TO_FOUR = (("2002:a0a:a02:1::1/64", "2002:a0a:a02:1::2/64"), ("2002:a0a:1402:1::1/64", "2002:a0a:1402:1::2/64"))
BEHIND_RAPID = (("2001:db8:a0a:201::1/64", "2001:db8:a0a:201::2/64"), ("2001:db8:a14:201::1/64", "2001:db8:a14:201::2/64"))


def behind(name):
    return {"ipip": BEHIND_4, "6to4": BEHIND_TO_FOUR, "6rd": BEHIND_RAPID}.get(
        name, BEHIND_6 if "ip6" in name or name in ("sit", "isatap") else BEHIND_4)


def plain(address):
    return address.split("/")[0]


def second_way(w):
    w.s, w.q = w.host("s"), w.host("q")
    w.join(w.k, "w1", "10.10.11.2", SK, w.s)
    w.join(w.t, "w2", "10.10.21.2", QT, w.q)
    w.s.ip(f"link add m1 mtu {MIDDLE} type veth peer name m2 netns {w.q.name} mtu {MIDDLE}",
           f"addr add {SQ}/24 dev m1", "link set m1 up", f"route add {K} via 10.10.11.2")
    w.q.ip(f"addr add {QS}/24 dev m2", "link set m2 up", f"route add {T} via 10.10.21.2")
    w.s.ip(f"route add default via {QS}")
    w.q.ip(f"route add default via {SQ}")
    for router in (w.s, w.q):
        router.sysctl(ipv4__ip_forward=1)
    w.tap("w1_p", w.s)
    by(w, 1)


def by(w, which):
    for end, first, second in ((w.k, RK, SK), (w.t, RT, QT)):
        end.ip(f"route replace default via {first if which == 1 else second}")


def network_behind(w, end, own, host_address):
    """A host behind an end of the tunnel."""
    host = w.host("h")
    host.ip("link set lo up")
    dev = f"h{len(w.hosts)}"
    end.ip(f"link add {dev} type veth peer name e0 netns {host.name}")
    if w.ip.version == 6:
        for where, name in ((end, dev), (host, "e0")):
            w.with_ip6(where, name)
    flag = " nodad" if w.ip.version == 6 else ""
    end.ip(f"addr add {own} dev {dev}{flag}", f"link set {dev} up")
    host.ip(f"addr add {host_address} dev e0{flag}", "link set e0 up", f"route add default via {plain(own)}")
    return host


def networks(w):
    """Hosts behind both ends, and routes to them through the tunnel."""
    pairs, w.of_tunnel = behind(w.name), []
    w.hk, w.ht = (network_behind(w, end, own, host) for end, (own, host) in zip((w.k, w.t), pairs))
    far = {"isatap": ("fe80::5efe:a0a:1402", "fe80::5efe:a0a:a02")}.get(w.name, (None, None))
    for end, (_, there), gateway, peer in zip((w.k, w.t), reversed(pairs), far, (T, K)):
        end.sysctl(ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        if gateway:
            w.tunnel(end, "prl", "dev", "tun1", "prl-nodefault", peer)
        network = plain(there)[:-1] + ("/64" if w.ip.version == 6 else "0/24")
        w.of_tunnel.append((end, w.variant.inner[end is w.t], network))
        if w.name not in ("6to4", "6rd"):
            end.ip(f"route add {network} " + (f"via {gateway} " if gateway else "") + "dev tun1")
    addresses = [plain(host) for _, host in pairs]
    w.forwarded = (Way(w.hk, w.ht, K, addresses[0], T, addresses[1]), Way(w.ht, w.hk, T, addresses[1], K, addresses[0]))


def prepare(variant):
    def run(w):
        w.make(variant)
        second_way(w)
        networks(w)
        for end, far in ((w.k, w.inner[w.t]), (w.t, w.inner[w.k])):
            end.answers(far)
        w.hk.answers(w.forwarded[0].target)
    return run


def forget(w):
    """What hosts have learned of paths."""
    for host in w.hosts:
        for family in "-4", "-6":
            host.run("ip", family, "route", "flush", "cache", check=False)
    if keeps_for_ever(w):
        for end, own, network in w.of_tunnel:
            end.ip(f"addr del {own} dev tun1", f"addr add {own} dev tun1 nodad", f"route del {network} dev tun1",
                   f"route add {network} dev tun1")


def keeps_for_ever(w):
    """The gre driver writes what it learned for IPv6 into the route itself, where it stays (BUG)."""
    return w.ip.version == 6 and w.variant.mode == "gre"


def keep(w, seconds):
    """How long what is learned is kept."""
    for host in w.hosts:
        host.sysctl(ipv4__route__mtu_expires=seconds, ipv6__route__mtu_expires=seconds)


class Width:
    """The link behind the router r in the direction of the data, for the time of a check. Large frames
    the other way are lost there."""

    def __init__(self, w, way, mtu):
        self.w, self.mtu = w, mtu
        self.dev = "v2_p" if way.outer == K else "v1_p"

    def set(self, mtu):
        self.w.r.ip(f"link set {self.dev} mtu {mtu}")

    def __enter__(self):
        self.set(self.mtu)
        return self

    def __exit__(self, *_):
        self.set(1500)
        forget(self.w)


def room(w, path):
    """What an inner packet may have on a path."""
    return max(path - 20 - w.front, w.ip.least if w.ip.version == 6 else 0)


def is_told(w, way, path, least=0):
    """Waits until the sender is told; what it was told before was more, and is what it tries next."""
    want = max(room(w, path), least)
    with df_socket(w, way) as sock:
        heard = []

        def right():
            got = told(w, sock, heard[-1] if heard else w.mtu)
            heard.extend([got] if got else [])
            return got == want

        wait_until(right, 10, lambda: f"{way.sender.name} is told of MTU {want}; told {set(heard) or 'nothing'}")
        expect(min(heard) == want, f"{way.sender.name} was told {set(heard)}, not {want}")


def arrives(w, way, length, dont=False):
    """A datagram that makes an inner packet of `length` bytes; dont: DF clear. Within the packet's path
    it is the first that arrives, else what the sender does not repeat itself is sent again."""
    data = os.urandom(length - w.ip.head - 8)
    with udp_socket(w, way.receiver, way.target) as sink, udp_socket(w, way.sender, way.source) as source:
        source.setsockopt(w.ip.level, w.ip.DISCOVER, 0 if dont else packets.DO)
        source.settimeout(0.5)
        sink.settimeout(0.5)

        def once():
            try:
                source.sendto(data, sink.getsockname())
                return received(w, sink)[0] == data
            except TimeoutError:
                return False
            except OSError as error:
                if error.errno in (errno.EMSGSIZE, errno.ECONNREFUSED, errno.EHOSTUNREACH):
                    return False
                raise

        wait_until(once, 10, f"{way.sender.name}: {length} bytes arrive")


def learned(w, way):
    """A narrower link behind the router."""
    with Width(w, way, NARROW):
        is_told(w, way, NARROW)
        arrives(w, way, room(w, NARROW))


def raised(w, way):
    """The link is as wide again: so is, when what was learned has expired, the tunnel."""
    if keeps_for_ever(w) and not way.sender.of_tunl:
        return
    keep(w, EXPIRY)
    try:
        with Width(w, way, NARROW) as link:
            is_told(w, way, NARROW)
            link.set(1500)
            arrives(w, way, w.mtu)
    finally:
        keep(w, 600)


def other_way(w, way):
    """The route changes to one that is narrower, at its second router and at its third link."""
    by(w, 2)
    try:
        is_told(w, way, MIDDLE)
        last = (w.q, "w2_p") if way.outer == K else (w.s, "w1_p")
        last[0].ip(f"link set {last[1]} mtu {LAST}")
        try:
            is_told(w, way, LAST)
            arrives(w, way, room(w, LAST))
        finally:
            last[0].ip(f"link set {last[1]} mtu 1500")
    finally:
        by(w, 1)
        forget(w)
    arrives(w, way, w.mtu)


def during_tcp(w, way):
    """A connection goes on while the path gets narrower."""
    box = []

    def transfer():
        try:
            exchange(w, way, 3 << 20, 60, back=False)
        except Failed as error:
            box.append(error)

    thread = threading.Thread(target=transfer)
    with Width(w, way, 1500) as link:
        seen = len(w.taps["v1_p"].outer(way.outer))
        thread.start()
        wait_until(lambda: len(w.taps["v1_p"].outer(way.outer)) > seen + 200 or not thread.is_alive(), 30, "data pass")
        link.set(NARROW)
        thread.join()
    if box:
        raise box[0]


def forwarded(w, way):
    """The sender is a host behind the end, and is told all the same."""
    way = w.forwarded[w.ways.index(way)]
    with Width(w, way, NARROW):
        is_told(w, way, NARROW)
        arrives(w, way, room(w, NARROW))
        exchange(w, way, back=False)


def forwarded_df_clear(w, way):
    """Inner DF clear, outer DF set, behind the end: in fragments. The driver loses these (BUG)."""
    if w.ip.version == 6 or way.sender is w.k or w.who == "kernel":
        return
    way = w.forwarded[w.ways.index(way)]
    with Width(w, way, NARROW):
        arrives(w, way, w.mtu, dont=True)


def has_df(frame):
    return frame[6] & 0x40


def locked(w, way):
    """A route whose MTU is locked: the outer packet has DF off, and is fragmented."""
    gateway = RK if way.outer == K else RT
    way.sender.ip(f"route replace {way.outer_target} via {gateway} mtu lock {NARROW}")
    try:
        is_told(w, way, NARROW)
        tap = w.taps["v1_p"]
        tap.clear()
        if w.ip.version == 4:
            arrives(w, way, w.mtu, dont=True)
        arrives(w, way, room(w, NARROW))
        seen = tap.outer(way.outer, lambda ip: ip[9] == w.protocol)
        expect(seen and not any(map(has_df, seen)), f"{way.sender.name}: {len(seen)} outer packets, DF set")
    finally:
        way.sender.ip(f"route del {way.outer_target}")


def floor(w, way):
    """Told of less than min_pmtu, a host keeps to that, locked: DF is off from then on. So does the
    sender inside, whose own route is not told of less either."""
    with Width(w, way, 500):
        if w.ip.version == 4:
            is_told(w, way, FLOOR, FLOOR)
        arrives(w, way, room(w, FLOOR))


def below_1300(w, way):
    """IPv6 inside, and no room for 1280 bytes of it: in outer fragments. The gre driver loses these (BUG)."""
    if w.ip.version == 4 or (w.variant.mode == "gre" and (way.sender is w.k or w.who == "kernel")):
        return
    with Width(w, way, 1270):
        is_told(w, way, 1270)
        arrives(w, way, 1280)
        exchange(w, way, back=False)


CHECKS = {name: directions(check, both=False) for name, check in {
    "learned": learned, "raised": raised, "other-way": other_way, "during-tcp": during_tcp, "forwarded": forwarded,
    "forwarded-df-clear": forwarded_df_clear, "locked": locked, "floor": floor, "below-1300": below_1300}.items()}
