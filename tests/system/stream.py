# SPDX-License-Identifier: BSD-2-Clause
"""Data through a network, between two namespaces, with sockets made inside them."""

import hashlib
import random
import socket
import threading
import time


def blob(size, seed=1):
    """Bytes that repeat nowhere and are the same each time."""
    return random.Random(seed).randbytes(size)


def tcp_exchange(server, address, client, size, seconds=60):
    """Send size bytes each way at once over one connection; digests of what came must match."""
    down, up, got = blob(size, 1), blob(size, 2), {}
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = server.socket(family, socket.SOCK_STREAM)
    listener.settimeout(seconds)
    listener.bind((address, 0))
    listener.listen()
    caller = client.socket(family, socket.SOCK_STREAM)
    caller.settimeout(seconds)
    caller.connect(listener.getsockname())
    peer, _ = listener.accept()
    peer.settimeout(seconds)

    def send(sock, data):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)

    def receive(sock, key):
        digest, length = hashlib.sha256(), 0
        while data := sock.recv(1 << 18):
            digest.update(data)
            length += len(data)
        got[key] = (length, digest.hexdigest())

    threads = [threading.Thread(target=send, args=(caller, up)), threading.Thread(target=send, args=(peer, down)),
               threading.Thread(target=receive, args=(caller, "down")),
               threading.Thread(target=receive, args=(peer, "up"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sock in (caller, peer, listener):
        sock.close()
    assert got == {"down": (size, hashlib.sha256(down).hexdigest()), "up": (size, hashlib.sha256(up).hexdigest())}


class Counted:
    """Numbered datagrams at a steady rate from one namespace to another; which came is known."""

    def __init__(self, sender, receiver, address, rate=2000, size=64):
        self.rate, self.size, self.sent, self.seen = rate, size, 0, set()
        self.sink = receiver.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.sink.bind((address, 0))
        self.sink.settimeout(0.2)
        self.source = sender.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.source.connect(self.sink.getsockname())
        self.stopping = threading.Event()
        self.ended = threading.Event()
        self.failures = 0
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]

    def _send(self):
        start = time.monotonic()
        while not self.stopping.is_set():
            due = int((time.monotonic() - start) * self.rate)
            while self.sent < due:
                try:
                    self.source.send(self.sent.to_bytes(8, "big").ljust(self.size, b"."))
                except OSError:
                    self.failures += 1
                self.sent += 1
            time.sleep(0.002)

    def _receive(self):
        while True:
            try:
                self.seen.add(int.from_bytes(self.sink.recv(2000)[:8], "big"))
            except TimeoutError:
                if self.ended.is_set():
                    return

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        """End of sending; then all that is still under way is waited for."""
        self.stopping.set()
        self.threads[0].join()
        self.ended.set()
        self.threads[1].join()
        self.sink.close()
        self.source.close()

    def lost(self):
        return sorted(set(range(self.sent)) - self.seen)
