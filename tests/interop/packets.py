# SPDX-License-Identifier: BSD-2-Clause
"""What must hold between the kernel's driver and who is under test at the other end,
whatever the mode. Each check is a function of a World; it returns, or raises Failed. The driver
at both ends (`kernel`) shows that a check asks for what the driver does."""

import hashlib
import os
import socket
import struct
import threading

from world import IK, IT, Failed, checksum, wait_until

IP_RECVTOS, IP_RECVTTL = 13, 12
UDP_SIZES = (0, 1, 2, 7, 63, 512, 1451, 1452, 1453, 1472, 1480, 2924, 2953, 4096, 8972, 9000)
# RFC 6040, figure 4, as the driver does it: inner ECN -> by outer ECN (Not, ECT1, ECT0, CE); None: dropped
NOT, ECT1, ECT0, CE = 0, 1, 2, 3
DECAPSULATED = {NOT: (NOT, NOT, NOT, None), ECT1: (ECT1, ECT1, ECT1, CE), ECT0: (ECT0, ECT1, ECT0, CE), CE: (CE,) * 4}


def expect(condition, text):
    if not condition:
        raise Failed(text)


def ipv4(source, target, proto, payload, tos=0, ttl=64):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), 7, 0, ttl, proto, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(payload, port):
    return struct.pack("!HHHH", 4000, port, 8 + len(payload), 0) + payload


def udp_socket(host, address, port=0):
    sock = host.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
    sock.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.bind((address, port))
    sock.settimeout(5)
    return sock


def received(sock):
    """(data, tos) of a datagram."""
    data, ctl, _, _ = sock.recvmsg(65536, 256)
    tos = next(c[2][0] for c in ctl if c[1] == socket.IP_TOS)
    return data, tos


def ping_56(w):
    w.k.ping(IT)
    w.t.ping(IK)


def df_at_mtu(w):
    for sender, _, _, _, _, target in w.ends():
        sender.ping(target, "-M", "do", "-s", w.mtu - 28)


def df_over_mtu(w):
    for sender, _, _, _, _, target in w.ends():
        done = sender.ping(target, "-M", "do", "-s", w.mtu - 27, check=False)
        expect(done.returncode and str(w.mtu) in done.stdout + done.stderr, f"{sender.name}: {done.stdout}{done.stderr}")


def over_mtu(w):
    for sender, _, _, _, _, target in w.ends():
        sender.ping(target, "-M", "dont", "-s", "4000")
        sender.ping(target, "-M", "dont", "-s", "60000")


def told(sender, target, mtu):
    done = sender.ping(target, "-M", "do", "-s", mtu + 72, check=False)
    return f"mtu = {mtu}" in done.stdout + done.stderr or f"mtu={mtu}" in done.stdout + done.stderr


def path_mtu(w):
    """A narrower link behind the router: the sender of the inner packet is told."""
    for (sender, _, _, _, _, target), far in zip(w.ends(), ("v2_p", "v1_p")):
        w.r.ip(f"link set {far} mtu 1400")
        try:
            wait_until(lambda: told(sender, target, w.mtu - 100), 10, f"{sender.name} is told of MTU {w.mtu - 100}")
            sender.ping(target, "-M", "do", "-s", w.mtu - 128)
        finally:
            w.r.ip(f"link set {far} mtu 1500")
            sender.ip("route flush cache")


def exchange(client, server, address):
    """A megabyte each way over one connection; both compare what they got."""
    sent, box = os.urandom(1 << 20), {}
    listener = server.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind((address, 0))
    listener.listen()
    listener.settimeout(20)

    def all_of(sock):
        digest, count = hashlib.sha256(), 0
        while count < len(sent):
            data = sock.recv(1 << 16)
            if not data:
                break
            digest.update(data)
            count += len(data)
        return digest.digest()

    def serve():
        try:
            sock, _ = listener.accept()
            sock.settimeout(20)
            box["got"] = all_of(sock)
            sock.sendall(sent)
            sock.close()
        except OSError as error:
            box["error"] = error

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(20)
            sock.connect((address, listener.getsockname()[1]))
            sock.sendall(sent)
            back = all_of(sock)
    except OSError as error:
        raise Failed(f"{client.name}: {error}; server: {box.get('error')}") from error
    finally:
        thread.join()
        listener.close()
    expect(box.get("got") == back == hashlib.sha256(sent).digest(), f"{client.name}: data differ, {box.get('error')}")


def tcp(w):
    exchange(w.k, w.t, IT)
    exchange(w.t, w.k, IK)


def udp_sizes(w):
    for sender, receiver, _, source, _, target in w.ends():
        with udp_socket(sender, source) as a, udp_socket(receiver, target) as b:
            for size in UDP_SIZES:
                data = os.urandom(size)
                a.sendto(data, b.getsockname())
                expect(received(b)[0] == data, f"{sender.name}: {size} bytes arrived changed")


def ecn_receive(w):
    """All 16 pairs, in both directions: what of the outer mark reaches the inner packet."""
    pairs = [(i, o) for i in range(4) for o in range(4)]
    want = {(i, o): 0x48 | DECAPSULATED[i][o] for i, o in pairs if DECAPSULATED[i][o] is not None}
    for sender, receiver, outer_from, source, outer_to, target in w.ends():
        with udp_socket(receiver, target) as sock, \
                sender.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as wire:
            got = {}

            def send(inner, outer, data):
                packet = ipv4(source, target, 17, udp(data, sock.getsockname()[1]), 0x48 | inner)
                packet = w.fronts[sender].bytes(packet) + packet
                wire.sendto(ipv4(outer_from, outer_to, w.protocol, packet, outer), (outer_to, 0))

            def until(done):
                while not done():
                    try:
                        data, tos = received(sock)
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
        expect(got == want, f"to {receiver.name}: {sorted(got.items())}, wanted {sorted(want.items())}")


def outer_of(w, sender, source, target, outer_source, **options):
    """The outer packet that a datagram with these IP options leaves in."""
    mark = os.urandom(8)
    with udp_socket(sender, source) as sock:
        for option, value in options.items():
            sock.setsockopt(socket.IPPROTO_IP, getattr(socket, option), value)
        sock.sendto(mark, (target, 9))
        return w.tap.wait(outer_source, lambda ip: ip.endswith(mark), f"{options} of {sender.name} on the wire")


def tos_send(w):
    """The outer TOS: fixed, inherited, and the ECN of the inner packet in both."""
    at = 20 + w.front
    for sender, _, outer_source, source, _, target in w.ends():
        for words, wanted in ((("tos", "0"), lambda tos: tos & 3), (("tos", "inherit"), lambda tos: tos),
                              (("tos", "0x48"), lambda tos: 0x48 | tos & 3), (("tos", "0"), lambda tos: tos & 3)):
            w.tunnel(sender, "change", "tun1", *words)
            for tos in (0x00, 0xB8, 0x28, 0x29, 0x2A, 0x2B):
                packet = outer_of(w, sender, source, target, outer_source, IP_TOS=tos)
                inner, want = packet[at + 1], wanted(packet[at + 1])
                want = want & ~3 | (ECT0 if inner & 3 == CE else inner & 3)  # CE is not sent on (spec 2.2)
                expect(packet[1] == want, f"{sender.name} {words}: inner {inner:#x}, outer {packet[1]:#x} not {want:#x}")


def ttl_send(w):
    """The outer TTL at its sender: fixed, and inherited."""
    at = 20 + w.front
    near = 0  # the tap is where k's packets arrive, and t's leave one hop later
    for sender, _, outer_source, source, _, target in w.ends():
        for words, inner, want in ((("ttl", "7"), 33, 7), (("ttl", "0"), 33, 33), (("ttl", "0"), 64, 64)):
            w.tunnel(sender, "change", "tun1", *words)
            packet = outer_of(w, sender, source, target, outer_source, IP_TTL=inner)
            expect(packet[at + 8] == inner, f"{sender.name}: inner TTL {packet[at + 8]} on the wire, not {inner}")
            expect(packet[8] == want - near, f"{sender.name} {words}: outer TTL {packet[8]}, not {want - near}")
        near = 1


# ecn-receive last: its packets bear sequence numbers that the tunnel's own are behind
CHECKS = {"ping-56": ping_56, "df-at-mtu": df_at_mtu, "df-over-mtu": df_over_mtu, "no-df-over-mtu": over_mtu,
          "tcp": tcp, "udp-sizes": udp_sizes, "tos-send": tos_send, "ttl-send": ttl_send,
          "path-mtu": path_mtu, "ecn-receive": ecn_receive}
