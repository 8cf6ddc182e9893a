# SPDX-License-Identifier: BSD-2-Clause
"""What must hold between the kernel's driver and who is under test at the other end,
whatever the mode and the family inside. Each check is a function of a World and a Way (who sends);
it returns, or raises Failed. The driver at both ends (`kernel`) shows that a check asks for what the
driver does. matrix() runs a check one way, the other way, and both ways at once."""

import contextlib
import errno
import hashlib
import os
import socket
import threading

from host import Failed, at_once, expect, wait_until
from wire import UDP, ipv4

DO = 2  # IP_PMTUDISC_DO and IPV6_PMTUDISC_DO
# RFC 6040, figure 4, as the driver does it: inner ECN -> by outer ECN (Not, ECT1, ECT0, CE); None: dropped
NOT, ECT1, ECT0, CE = 0, 1, 2, 3
DECAPSULATED = {NOT: (NOT, NOT, NOT, None), ECT1: (ECT1, ECT1, ECT1, CE), ECT0: (ECT0, ECT1, ECT0, CE), CE: (CE,) * 4}


def udp_socket(w, host, address, port=0):
    sock = host.socket(w.ip.family, socket.SOCK_DGRAM)
    sock.setsockopt(w.ip.level, w.ip.RECVTOS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((address, port))
    sock.settimeout(5)
    return sock


def received(w, sock):
    """(data, tos) of a datagram."""
    data, ctl, _, _ = sock.recvmsg(65536, 256)
    tos = next(int.from_bytes(c[2][:4], "little") for c in ctl if (c[0], c[1]) == (w.ip.level, w.ip.TOS))
    return data, tos


def ping_56(w, way):
    way.sender.ping(way.target, "-s", "56")


def df_at_mtu(w, way):
    way.sender.ping(way.target, "-M", "do", "-s", w.mtu - w.ip.head - 8)


def df_socket(w, way):
    """A datagram socket towards the far end that lets nobody fragment."""
    sock = udp_socket(w, way.sender, way.source)
    sock.setsockopt(w.ip.level, w.ip.DISCOVER, DO)
    sock.setsockopt(w.ip.level, w.ip.REFUSED, 1)
    sock.connect((way.target, 9))
    sock.setblocking(False)
    return sock


def told(w, sock, length):
    """The path MTU that the sender of an inner packet of `length` bytes has been told; None: none."""
    with contextlib.suppress(ConnectionRefusedError, BlockingIOError):
        while True:
            sock.recvmsg(1, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    try:
        sock.send(b"\0" * (length - w.ip.head - 8))
    except OSError as error:
        if error.errno == errno.EMSGSIZE:
            return sock.getsockopt(w.ip.level, w.ip.MTU)
        if error.errno not in (errno.ECONNREFUSED, errno.EHOSTUNREACH):
            raise
    return None


def df_over_mtu(w, way):
    with df_socket(w, way) as sock:
        wait_until(lambda: told(w, sock, w.mtu + 1) == w.mtu, 5, f"{way.sender.name} is told of MTU {w.mtu}")


def over_mtu(w, way):
    for size in ("4000", "60000"):
        way.sender.ping(way.target, *(("-M", "dont") if w.ip.version == 4 else ()), "-s", size)


def exchange(w, way, size=1 << 20, limit=20, back=True):
    """Data each way over one connection (back: or of the answer a byte); both ends compare what they got."""
    sent, box = os.urandom(size), {}
    answer = sent if back else sent[:1]
    listener = way.receiver.socket(w.ip.family, socket.SOCK_STREAM)
    listener.bind((way.target, 0))
    listener.listen()
    listener.settimeout(limit)

    def all_of(sock, size):
        digest, count = hashlib.sha256(), 0
        while count < size:
            data = sock.recv(1 << 16)
            if not data:
                break
            digest.update(data)
            count += len(data)
        return digest.digest()

    def serve():
        try:
            sock, _ = listener.accept()
            sock.settimeout(limit)
            box["got"] = all_of(sock, size)
            sock.sendall(answer)
            sock.close()
        except OSError as error:
            box["error"] = error

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with way.sender.socket(w.ip.family, socket.SOCK_STREAM) as sock:
            sock.settimeout(limit)
            sock.bind((way.source, 0))
            sock.connect((way.target, listener.getsockname()[1]))
            sock.sendall(sent)
            came = all_of(sock, len(answer))
    except OSError as error:
        raise Failed(f"{way.sender.name}: {error}; server: {box.get('error')}") from error
    finally:
        thread.join()
        listener.close()
    expect((box.get("got"), came) == tuple(hashlib.sha256(data).digest() for data in (sent, answer)),
           f"{way.sender.name}: data differ, {box.get('error')}")


def tcp(w, way):
    """A megabyte, in writes of 64 KB."""
    exchange(w, way)


def udp_sizes(w, way):
    """From 1 to 9000 bytes, with those around where a packet or fragment is full."""
    full = w.mtu - w.ip.head - 8
    near = {base * times + off for base in (full, w.mtu - w.ip.head & ~7) for times in (1, 2, 6) for off in (-1, 0, 1, 8)}
    with udp_socket(w, way.sender, way.source) as a, udp_socket(w, way.receiver, way.target) as b:
        for size in sorted({0, 9000, *range(1, 9000, 251), *near} & {*range(9001)}):
            data = os.urandom(size)
            a.sendto(data, b.getsockname())
            try:
                got = received(w, b)[0]
            except TimeoutError as error:
                raise Failed(f"{way.sender.name}: {size} bytes did not arrive") from error
            expect(got == data, f"{way.sender.name}: {size} bytes arrived changed")


def ecn_receive(w, way):
    """All 16 pairs: what of the outer mark reaches the inner packet."""
    pairs = [(i, o) for i in range(4) for o in range(4)]
    want = {(i, o): 0x48 | DECAPSULATED[i][o] for i, o in pairs if DECAPSULATED[i][o] is not None}
    with udp_socket(w, way.receiver, way.target) as sock, \
            way.sender.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
        got = {}

        def send(inner, outer, data):
            datagram = w.ip.udp(way.source, way.target, data, sock.getsockname()[1])
            packet = w.ip.packet(way.source, way.target, UDP, datagram, 0x48 | inner)
            packet = w.fronts[way.sender].bytes(packet) + packet
            wire.sendto(ipv4(way.outer, way.outer_target, w.protocol, packet, outer), (way.outer_target, 0))

        def until(done):
            while not done():
                try:
                    data, tos = received(w, sock)
                except TimeoutError:
                    return
                got[tuple(data)] = tos

        for inner, outer in pairs:
            send(inner, outer, bytes((inner, outer)))
        until(lambda: want.keys() <= got.keys())
        # What was to be dropped is not merely late: these come after it, by either way of bpf.
        send(NOT, ECT0, b"slow")
        send(ECT0, ECT0, b"fast")
        until(lambda: {tuple(b"slow"), tuple(b"fast")} <= got.keys())
    got = {pair: tos for pair, tos in got.items() if len(pair) == 2}
    expect(got == want, f"to {way.receiver.name}: {sorted(got.items())}, wanted {sorted(want.items())}")


def outer_of(w, way, **options):
    """The outer packet that a datagram with these IP options (TOS, TTL) leaves in."""
    mark = os.urandom(8)
    with udp_socket(w, way.sender, way.source) as sock:
        for option, value in options.items():
            sock.setsockopt(w.ip.level, getattr(w.ip, option), value)
        sock.sendto(mark, (way.target, 9))
        return w.taps["v1_p"].wait(way.outer, lambda ip: ip.endswith(mark), f"{options} of {way.sender.name} on the wire")


def tos_send(w, way):
    """The outer TOS: fixed, inherited, and the ECN of the inner packet in both."""
    at = 20 + w.front
    for words, wanted in ((("tos", "0"), lambda tos: tos & 3), (("tos", "inherit"), lambda tos: tos),
                          (("tos", "0x48"), lambda tos: 0x48 | tos & 3), (("tos", "0"), lambda tos: tos & 3)):
        w.tunnel(way.sender, "change", "tun1", *words)
        for tos in (0x00, 0xB8, 0x28, 0x29, 0x2A, 0x2B):
            packet = outer_of(w, way, TOS=tos)
            inner = w.ip.tos(packet[at:])
            want = wanted(inner)
            want = want & ~3 | (ECT0 if inner & 3 == CE else inner & 3)  # CE is not sent on (spec datapath 2.2)
            expect(packet[1] == want, f"{way.sender.name} {words}: inner {inner:#x}, outer {packet[1]:#x} not {want:#x}")


def ttl_send(w, way):
    """The outer TTL at its sender: fixed, and inherited."""
    at = 20 + w.front
    near = way.sender is w.t  # the tap is where k's packets arrive, and t's leave one hop later
    for words, inner, want in ((("ttl", "7"), 33, 7), (("ttl", "0"), 33, 33), (("ttl", "0"), 64, 64)):
        w.tunnel(way.sender, "change", "tun1", *words)
        packet = outer_of(w, way, TTL=inner)
        got = w.ip.ttl(packet[at:])
        expect(got == inner, f"{way.sender.name}: inner TTL {got} on the wire, not {inner}")
        expect(packet[8] == want - near, f"{way.sender.name} {words}: outer TTL {packet[8]}, not {want - near}")


# ecn-receive last: its packets bear sequence numbers that the tunnel's own are behind
CHECKS = {"ping-56": ping_56, "df-at-mtu": df_at_mtu, "df-over-mtu": df_over_mtu, "no-df-over-mtu": over_mtu,
          "tcp": tcp, "udp-sizes": udp_sizes, "tos-send": tos_send, "ttl-send": ttl_send, "ecn-receive": ecn_receive}


def directions(check, both=True):
    """A function of a World: the check with the driver as sender, as receiver, as both at once."""
    def run(w):
        wrong = []
        for name, ways in (("send", w.ways[:1]), ("receive", w.ways[1:]), ("both", w.ways))[:2 + both]:
            try:
                at_once(*((lambda way=way: check(w, way)) for way in ways))
            except (Failed, OSError) as error:
                wrong.append(f"kernel end {name}: {error}")
        if wrong:
            raise Failed("\n".join(wrong))
    run.__doc__ = check.__doc__
    return run


MATRIX = {name: directions(check) for name, check in CHECKS.items()}
