# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces to run programs and open sockets in, and what passes a device. A thread may
stand in a namespace for the moment of a call (Host.inside); what it opened there stays there."""

import contextlib
import os
import pathlib
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time

import sides

ETH_P_ALL, SO_RCVBUFFORCE = 3, 33
KEPT = 20000  # frames that a tap keeps


class Failed(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Failed(text)


def run(*words, check=True, timeout=60, **more):
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, **more)
    if check and done.returncode:
        raise Failed(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.01)


class Host:
    """A namespace; `fallbacks`: the drivers' devices are in it."""

    def __init__(self, name, fallbacks=False):
        self.name, self.space = name, sides.Space(name, fallbacks)
        self.home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    @contextlib.contextmanager
    def inside(self):
        sides.checked(sides.libc.setns(self.space.fd, sides.CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            sides.checked(sides.libc.setns(self.home, sides.CLONE_NEWNET), "setns")

    def run(self, *words, **more):
        with self.inside():
            return run(*words, **more)

    def _by_file(self, text, *words):
        with tempfile.NamedTemporaryFile("w") as batch:
            batch.write(text)
            batch.flush()
            self.run(*words, batch.name)

    def ip(self, *lines):
        self._by_file("".join(f"{line}\n" for line in lines), sides.REAL_IP, "-batch")

    def nft(self, rules):
        self._by_file(rules, "nft", "-f")

    def sysctl(self, **values):
        """Settings under net: sysctl(ipv4__ip_forward=1)."""
        with self.inside():
            for name, value in values.items():
                pathlib.Path("/proc/sys/net", *name.split("__")).write_text(f"{value}\n")

    def socket(self, *args):
        with self.inside():
            return socket.socket(*args)

    def ping(self, address, *options, check=True):
        return self.run("ping", "-n", "-c", "1", "-W", "10", *options, address, check=check)

    def answers(self, address, seconds=10, *options):
        """Waits until `address` answers a ping."""
        wait_until(lambda: not self.run("ping", "-n", "-c", "1", "-W", "1", *options, address, check=False).returncode,
                   seconds, f"{self.name}: {address} answers")

    def close(self):
        self.space.delete()
        os.close(self.home)


class Tap:
    """What passes one device: [(time, frame)]."""

    def __init__(self, host, dev):
        self.sock = host.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.sock.bind((dev, ETH_P_ALL))
        self.frames, self.lock = [], threading.Lock()

    def drain(self):
        with self.lock:
            while select.select([self.sock], [], [], 0)[0]:
                self.frames.append((time.time(), self.sock.recv(70000)))
            del self.frames[:-KEPT]
            return [frame for _, frame in self.frames]

    def clear(self):
        self.drain()
        self.frames = []

    def outer(self, source, wanted=lambda ip: True):
        """IPv4 packets from an outer source, without their Ethernet header."""
        return [f[14:] for f in self.drain() if f[12:14] == b"\x08\x00"
                and f[26:30] == socket.inet_aton(source) and wanted(f[14:])]

    def wait(self, source, wanted, what):
        return wait_until(lambda: self.outer(source, wanted), 5, what)[0]

    def save(self, path):
        self.drain()
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
            for when, frame in self.frames:
                out.write(struct.pack("<IIII", int(when), int(when % 1 * 1e6), len(frame), len(frame)) + frame)

    def close(self):
        self.sock.close()


def at_once(*calls):
    """Runs functions side by side; the first error of theirs is raised."""
    errors = []

    def guarded(call):
        try:
            call()
        except Exception as error:  # handed to the caller
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
