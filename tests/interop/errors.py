# SPDX-License-Identifier: BSD-2-Clause
"""ICMP errors about outer packets: which of them the sender inside hears of, how often, and that
its packets go on (spec datapath 5). The end t sends; the driver there (`kernel`) shows what is right."""

import contextlib
import errno
import os
import random
import socket
import struct
import time

import wire
from host import Failed, at_once, expect, wait_until
from packets import outer_of, udp_socket
from variants import K, T
from world import RK, RT

QUOTED = 36  # of the outer packet: GRE's longest header is within
HOST, PORT, FRAG, ROUTE_FAILED = 1, 3, 4, 5
QUEUED = (errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.EMSGSIZE)


class Sender:
    """A socket inside that counts the errors it is told of."""

    def __init__(self, w, way, host=None):
        self.w, self.way = w, way
        self.sock = udp_socket(w, host or way.sender, way.source)
        self.sock.setsockopt(w.ip.level, w.ip.REFUSED, 1)
        self.sock.connect((way.target, 9))
        self.sock.setblocking(False)
        self.told = 0

    def drain(self):
        """Counts "unreachable host" (IPv4) and "address" (IPv6) in the error queue."""
        with contextlib.suppress(BlockingIOError):
            while True:
                _, ctl, _, _ = self.sock.recvmsg(2048, 512, socket.MSG_ERRQUEUE)
                for _, kind, data in ctl:
                    self.told += kind == self.w.ip.REFUSED and struct.unpack_from("I", data)[0] == errno.EHOSTUNREACH
        return self.told

    def send(self):
        """One datagram; its mark. What the socket remembers of an error is no reason not to send."""
        mark = os.urandom(8)
        while True:
            self.drain()
            try:
                self.sock.send(mark)
                return mark
            except OSError as error:
                if error.errno not in QUEUED:
                    raise

    def close(self):
        self.sock.close()


@contextlib.contextmanager
def sender(w, way, host=None):
    made = Sender(w, way, host)
    try:
        yield made
    finally:
        made.close()


def outer_packet(w, way):
    """One of the tunnel's own packets, as the network saw it."""
    return outer_of(w, way)


def inject(w, way, kind, code, rest=0, quote=None):
    """An ICMP error from the router at the sender's side, about the tunnel's packets."""
    source = RT if way.sender is w.t else RK
    packet = wire.icmp(kind, code, rest, (quote or outer_packet(w, way))[:QUOTED])
    with w.r.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        sock.sendto(wire.ipv4(source, way.outer, wire.ICMP, packet), (way.outer, 0))


def settled(w, way):
    """What was sent to the end before has been dealt with: it has answered an echo that came later."""
    w.r.ping(way.outer)


def outcome(w, way, packets=2):
    """How many of some datagrams the sender is told about; all of them must be sent."""
    with sender(w, way) as s:
        for _ in range(packets):
            mark = s.send()
            w.taps["v1_p"].wait(way.outer, lambda ip, mark=mark: ip.endswith(mark), f"a packet of {way.sender.name}")
            with contextlib.suppress(Failed):
                wait_until(lambda n=s.told: s.drain() > n, 0.15, "")
        return s.told


def expected(w, kind, code, ttl):
    """Whether the driver takes note (spec datapath 5.3)."""
    if not w.variant.remote:
        return False
    if kind == 11:
        return code == 0 and ttl != 0
    if kind != 3 or code in (FRAG, ROUTE_FAILED):
        return False
    return code != PORT or w.variant.mode != "gre"


def kinds(w):
    """Each kind of error, once, with TTL fixed and inherited: told once, and not again."""
    way, wrong = w.ways[1], []
    quote = outer_packet(w, way)
    for ttl in (64, 0):
        w.tunnel(w.t, "change", "tun1", "ttl", str(ttl))
        for kind, code in [(3, c) for c in (0, 1, 2, 3, 5, 6, 7, 9, 11, 13)] + [(4, 0), (11, 0), (11, 1), (12, 0), (5, 1)]:
            rest = int.from_bytes(socket.inet_aton(RT), "big") if kind == 5 else 0
            inject(w, way, kind, code, rest, quote)
            settled(w, way)
            got, want = outcome(w, way), int(expected(w, kind, code, ttl))
            if got != want:
                wrong.append(f"ttl {ttl}, ICMP {kind}/{code}: told {got} times, not {want}")
    if wrong:
        raise Failed("\n".join(wrong))


def several(w):
    """Three errors: told three times, with all packets sent."""
    way = w.ways[1]
    quote = outer_packet(w, way)
    for _ in range(3):
        inject(w, way, 3, HOST, 0, quote)
    settled(w, way)
    got, want = outcome(w, way, 5), 3 * expected(w, 3, HOST, 0)
    expect(got == want, f"told {got} times, not {want}")


def short_quotes(w):
    """Less than 8 bytes behind the quoted header, and garbage: nobody is told."""
    way, wrong = w.ways[1], []
    quote = outer_packet(w, way)
    for bad in (quote[:27], quote[:20], quote[:12], b"\0", b"\x4f" + quote[1:28], b"\x44" + quote[1:28], os.urandom(28)):
        inject(w, way, 3, HOST, 0, bad)
        settled(w, way)
        got = outcome(w, way)
        if got:
            wrong.append(f"told {got} times of an error that quotes {bad.hex()}")
    if wrong:
        raise Failed("\n".join(wrong))


def of_strangers(w):
    """An error about other addresses, another key: not ours."""
    way = w.ways[1]
    quote = outer_packet(w, way)
    inject(w, way, 3, HOST, 0, quote[:16] + socket.inet_aton("10.10.10.99") + quote[20:])
    inject(w, way, 3, HOST, 0, quote[:12] + socket.inet_aton("10.10.20.99") + quote[16:])
    if w.fronts[w.t].key is not None:
        at = 24 + 4 * w.fronts[w.t].csum
        inject(w, way, 3, HOST, 0, quote[:at] + b"\0\0\0\x63" + quote[at + 4:])
    settled(w, way)
    got = outcome(w, way)
    expect(got == 0, f"told {got} times of errors about others' packets")


def is_told(w, way, what):
    """Of IPv6 the drivers let go what Linux quotes, which is more than 48 bytes (BUG 5.4)."""
    if w.who == "kernel" and w.ip.version == 6:
        return
    with sender(w, way) as s:
        def heard():
            s.send()
            return s.drain()
        if w.variant.remote:
            wait_until(heard, 10, what)


def router_unreachable(w):
    """The router has no way to the far end, and says so itself."""
    w.r.ip(f"route add unreachable {K}")
    try:
        is_told(w, w.ways[1], "the sender hears of it")
    finally:
        w.r.ip(f"route del unreachable {K}")
    w.t.answers(w.inner[w.k])


def ttl_exceeded(w):
    """The outer TTL ends at the router; an inner one at the far end."""
    way = w.ways[1]
    w.tunnel(w.t, "change", "tun1", "ttl", "1")
    try:
        is_told(w, way, "the sender hears of the outer TTL")
    finally:
        w.tunnel(w.t, "change", "tun1", "ttl", "64")
    w.t.answers(w.inner[w.k])


def port_refused(w):
    """The far end has no such tunnel, and its driver says so. For gre that is no error of the path."""
    way = w.ways[1]
    w.k.ip("link set tun1 down")
    try:
        if w.variant.mode == "gre":
            settled(w, way)
            expect(outcome(w, way) == 0, "told of a port unreachable, which gre is not")
        else:
            is_told(w, way, "the sender hears of it")
    finally:
        w.up()
    w.t.answers(w.inner[w.k])


def injected():
    """Errors at moments that are the same for both ends: [(second, how many)]."""
    rng = random.Random(5)
    return [(at / 4, rng.choice((0, 0, 0, 0, 1, 1, 2, 3))) for at in range(0, 80, 2)] + [(21.5, 5), (55.5, 2), (56.5, 1)]


def strangers(w):
    """Outer packets of either end that no sender sent: who sends one is told of an error in a sender's stead."""
    sent = {own: w.taps["v1_p"].outer(own, lambda ip: ip[9] == w.protocol) for own in (K, T)}
    return [ip.hex() for packets in sent.values() for ip in packets
            if not (len(ip) == 20 + w.front + w.ip.head + 16 and ip[-14:-12] == b"\0\t")]


def pacing(w):
    """A minute of traffic with errors on the way, the same at both ends of a tunnel, of which k is the driver: each
    sender inside is told equally often. Between 22 s and 54 s nothing is sent: what is older than 30 s is not told."""
    errors, senders, history = dict(injected()), [], []
    # Somebody takes the datagrams: a "port unreachable" sent back by the tunnel would be told in a sender's stead.
    sinks = [udp_socket(w, way.receiver, way.target, 9) for way in w.ways]
    try:
        quotes = [outer_packet(w, way) for way in w.ways]
        senders = [Sender(w, way) for way in w.ways]
        started = time.monotonic()
        for due in (at / 4 for at in range(240)):
            wait_until(lambda due=due: time.monotonic() - started >= due, 70, "the next moment")
            for way, quote in zip(w.ways, quotes):
                for _ in range(errors.get(due, 0)):
                    inject(w, way, 3, HOST, 0, quote)
            if due * 4 % 2 and not 22 < due < 54:
                history.append((due, *(s.drain() for s in senders)))
                for s in senders * 2:
                    s.send()

        def alike():
            return senders[0].drain() == senders[1].drain() and senders[0].told > 20

        wait_until(alike, 3, lambda: f"{w.name}: told alike: the driver's {senders[0].told}, the other "
                   f"{senders[1].told}\n{history}\nnot the senders': {strangers(w)}")
    finally:
        for s in senders + sinks:
            s.close()


def pacing_of_all(w):
    """Of a mode with IPv4 inside, one that ignores port unreachables, and one with IPv6 inside, side by side."""
    worlds = [type(w)(w.who, w.build).make(name) for name in ("ipip", "gre", "sit")]
    try:
        at_once(*((lambda one=one: pacing(one)) for one in worlds))
    finally:
        for one in worlds:
            one.close()


CHECKS = {"kinds": kinds, "several": several, "short-quotes": short_quotes, "of-strangers": of_strangers,
          "router-unreachable": router_unreachable, "ttl-exceeded": ttl_exceeded, "port-refused": port_refused}
PACING = {"pacing": pacing_of_all}
