# SPDX-License-Identifier: BSD-2-Clause
"""Where packets go by what the maps have of the next hop's neighbour entry: a change of
whatever that was derived from is honoured, and traffic goes on."""

import json
import os
import signal
import socket
import threading
import time

import pytest

from net import ETH_P_ALL, Underlay, mac_of, run, wait_until

RA, B = Underlay.RA, Underlay.B
PORT = 7000


@pytest.fixture
def datapath():
    return "bpf"


class Stream:
    """Numbered datagrams from a to b's inner address, some hundred a second."""

    def __init__(self, ends):
        self.into = ends.b.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.into.bind((ends.B, PORT))
        self.into.settimeout(0.2)
        self.out = ends.a.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sent, self.last, self.over = 0, -1, False
        self.target = ends.B
        self.threads = [threading.Thread(target=self.send), threading.Thread(target=self.receive)]
        for thread in self.threads:
            thread.start()

    def send(self):
        while not self.over:
            try:
                self.out.sendto(str(self.sent).encode(), (self.target, PORT))
            except OSError:
                pass  # there is no way just now
            self.sent += 1
            time.sleep(0.002)

    def receive(self):
        while not self.over:
            try:
                self.last = int(self.into.recv(64))
            except TimeoutError:
                pass

    def goes_on(self, what, seconds=5):
        """Something that is sent from now on arrives."""
        now = self.sent
        wait_until(lambda: self.last > now, seconds, f"traffic after {what}")

    def close(self):
        self.over = True
        for thread in self.threads:
            thread.join()
        self.into.close()
        self.out.close()


@pytest.fixture
def stream(ends):
    """Both ends up, and traffic."""
    made = []

    def start():
        both = ends().both()
        wait_until(lambda: both.a.ping(both.B, check=False).returncode == 0, 20, "an answer")
        made.append(Stream(both))
        made[0].goes_on("the start")
        return both, made[0]

    yield start
    for one in made:
        one.close()


def neighbour(ns, address):
    rows = json.loads(run("ip", "-n", ns, "-j", "neigh", "show", "to", address).stdout or "[]")
    return rows[0]["state"] if rows else []


def frames(ns, dev):
    """A socket that hears frames with their source addresses."""
    sock = ns.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sock.bind((dev, ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.settimeout(0.05)
    return sock


def source_of_newest(sock):
    """The link-layer source of the newest outer packet towards b that was heard."""
    newest = None
    try:
        for _ in range(1000):
            data, (_, _, _, _, mac) = sock.recvfrom(2048)
            if data[9:10] == b"\x04" and data[16:20] == socket.inet_aton(B):
                newest = ":".join(f"{byte:02x}" for byte in mac)
    except TimeoutError:
        pass
    return newest


def test_the_neighbour_moves(stream):
    """Other addresses again and again, told in each of the states an entry has."""
    ends, traffic = stream()
    for i, state in enumerate(("permanent", "reachable", "stale", "delay") * 5):
        mac = f"02:00:00:00:01:{i:02x}"
        ends.r.ip(f"link set v1_p address {mac}")
        ends.a.ip(f"neigh replace {RA} lladdr {mac} dev v1 nud {state}")
        traffic.goes_on(f"move {i}, {state}")


def test_a_stale_entry_is_used(stream):
    """The kernel is made to ask whether the neighbour is there, as by packets of its own."""
    ends, traffic = stream()
    ends.a.ip(f"neigh replace {RA} lladdr {mac_of(ends.r, 'v1_p')} dev v1 nud stale")
    wait_until(lambda: "STALE" not in neighbour(ends.a, RA), 10, "the entry seen used")
    traffic.goes_on("that")


def test_the_entry_goes(stream):
    ends, traffic = stream()
    for _ in range(10):
        ends.a.ip("neigh flush dev v1")
        traffic.goes_on("a flush")
        wait_until(lambda: neighbour(ends.a, RA), 5, "the entry again")


def test_a_neighbour_that_is_dead(stream):
    """What the kernel would not send by is not sent by."""
    ends, traffic = stream()
    mac = mac_of(ends.r, "v1_p")
    ends.r.ip("link set v1_p address 02:00:00:00:02:01")
    ends.a.ip(f"neigh replace {RA} lladdr {mac} dev v1 nud stale")
    # it asks, gets no answer at the old address, and asks everybody
    traffic.goes_on("the kernel's asking", 40)


def test_own_address(stream):
    ends, traffic = stream()
    with frames(ends.r, "v1_p") as sock:
        for i in range(5):
            mac = f"02:00:00:00:03:{i:02x}"
            ends.a.ip(f"link set v1 address {mac}")
            wait_until(lambda: source_of_newest(sock) == mac, 5, f"frames from {mac}")
    traffic.goes_on("that")


def test_routes_rules_addresses_links(stream):
    """All that a next hop is derived from goes to and fro under load."""
    ends, traffic = stream()
    ends.r.ip("link add w_p type veth peer name w netns " + ends.a.name, "addr add 10.10.11.1/24 dev w_p", "link set w_p up")
    ends.a.ip("addr add 10.10.11.2/24 dev w", "link set w up")
    ends.r.sysctl(conf__all__rp_filter=0)
    for _ in range(3):
        for there, back in (
                (f"route add {B}/32 via 10.10.11.1 dev w", f"route del {B}/32"),
                (f"rule add to {B} lookup 77", f"rule del to {B} lookup 77"),
                ("link set v1 down", None),
                ("neigh flush all", None)):
            if "rule" in there:
                ends.a.ip("route replace default via 10.10.11.1 dev w table 77")
            if "down" in there:
                ends.a.ip(f"route add {B}/32 via 10.10.11.1 dev w")
            ends.a.ip(there)
            if "down" not in there:
                traffic.goes_on(there)
            if back:
                ends.a.ip(back)
            if "down" in there:
                ends.a.ip("link set v1 up", "route replace default via 10.10.10.1", f"route del {B}/32")
            traffic.goes_on(f"the end of {there}")


def test_nobody_keeps_it(stream):
    """With the daemon stopped what the maps say is believed for some seconds only."""
    ends, traffic = stream()
    parent, _ = ends.tunl.parent_and_engine()
    os.kill(parent, signal.SIGSTOP)
    try:
        ends.r.ip("link set v1_p address 02:00:00:00:04:01")
        ends.a.ip(f"neigh replace {RA} lladdr 02:00:00:00:04:01 dev v1 nud reachable")
        traffic.goes_on("the daemon's stop", 15)
    finally:
        os.kill(parent, signal.SIGCONT)
    traffic.goes_on("its return")
