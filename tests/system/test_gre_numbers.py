# SPDX-License-Identifier: BSD-2-Clause
"""gre's sequence numbers: one counter, whoever sends, across deaths and changes (spec datapath 7.1, 7.2)."""

import contextlib
import os
import socket
import time

import pytest
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.l2 import GRE

from net import wait_until
from stream import Counted

A, B = "10.10.100.1", "10.10.200.1"
TO_B, TO_A = "remote 10.10.20.2 local 10.10.10.2", "remote 10.10.10.2 local 10.10.20.2"


@contextlib.contextmanager
def one_cpu():
    """What one thread sends keeps its order only if it stays on one CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@pytest.fixture
def numbered(tunl, underlay, datapath):
    """g1 in a and b with numbers each way."""
    def make(options="seq", **how):
        net = underlay(**how)
        for ns, ends, own, peer in ((net.a, TO_B, A, B), (net.b, TO_A, B, A)):
            tunl(ns, f"add g1 mode gre {ends} {options} datapath {datapath}")
            ns.ip("link set g1 up", f"addr add {own} peer {peer} dev g1")
        wait_until(lambda: net.a.ping(B, "-W", "1", check=False).returncode == 0)
        return net
    return make


def numbers(wire):
    return [p[GRE].sequence_number for p in wire.all(lambda p: p.proto == 47 and p.src == "10.10.10.2")]


def assert_rising(seen):
    assert seen and all(a < b for a, b in zip(seen, seen[1:])), [
        (a, b) for a, b in zip(seen, seen[1:]) if a >= b]


def come_back(tunl, net):
    """A command finds no daemon and starts one, which adopts the tunnels."""
    tunl(net.a, "show")
    wait_until(lambda: len(tunl.pids()) == 2, 10, "a parent and an engine")


@pytest.mark.parametrize("how", ["restart", "parent", "engine", "both"])
def test_no_number_twice(tunl, numbered, how, datapath):
    """Under traffic, while daemon or engine are started anew."""
    net = numbered()
    with one_cpu(), net.r.sniff("v1_p") as wire, Counted(net.a, net.b, B, rate=500) as flood:
        wait_until(lambda: len(flood.seen) > 100)
        parent, engine = tunl.parent_and_engine()
        if how == "restart":
            tunl(None, "daemon restart")
        else:
            tunl.kill(*{"parent": [parent], "engine": [engine], "both": [parent, engine]}[how])
            come_back(tunl, net)
        mark = len(flood.seen)
        wait_until(lambda: len(flood.seen) > mark + 200, 20)
        flood.stop()
        seen = numbers(wire)
    # A packet that the engine had in hand when it ended comes late, and is stale to the receiver.
    late = [b for a, b in zip(seen, seen[1:]) if a >= b]
    assert seen and len(set(seen)) == len(seen)
    assert len(late) <= (0 if how == "restart" else 2), late
    if datapath == "bpf":
        assert len(seen) >= flood.sent and len(flood.lost()) <= len(late)


def test_program_and_engine_count_together(tunl, numbered, datapath):
    """What the engine has to send, and what the program does: one row of numbers without a gap."""
    net = numbered()
    odd = net.a.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x1234))
    with odd, net.r.sniff("v1_p") as wire:
        for i in range(4):
            odd.sendto(b"x" * 40, ("g1", 0x1234))
            wait_until(lambda: len(numbers(wire)) == 3 * i + 1)
            net.a.ping(B)
            time.sleep(0.03)  # the program's turn: it leaves the engine alone for 20 ms
            net.a.ping(B)
        seen = numbers(wire)
    assert seen == list(range(seen[0], seen[0] + 12))


def test_number_goes_on_from_datapath_to_datapath(tunl, numbered, datapath):
    """Also when no program has it any more, and nobody is alive."""
    net = numbered()
    with net.r.sniff("v1_p") as wire:
        for other in ("user", datapath, "user", datapath):
            net.a.ping(B)
            tunl(net.a, f"change g1 mode gre {TO_B} seq datapath {other}")
            tunl.kill(*tunl.parent_and_engine())
            come_back(tunl, net)
            wait_until(lambda: net.a.ping(B, "-W", "1", check=False).returncode == 0)
        seen = numbers(wire)
    assert_rising(seen)
    assert seen[-1] < seen[0] + 40


def test_maps_grow(tunl, numbered, datapath):
    """More tunnels than the first maps have room for; another with numbers begins at 0."""
    net = numbered()
    net.a.ping(B)
    with net.r.sniff("v1_p") as wire:
        net.a.ping(B)
        before = wait_until(lambda: numbers(wire))[-1]
        for i in range(70):
            tunl(net.a, f"add n{i} mode gre remote 192.0.2.{i + 1} seq datapath {datapath}")
        net.a.ping(B)
        # On a slow machine a router solicitation has had its number as well.
        seen = wait_until(lambda: len(numbers(wire)) > 1 and numbers(wire))
        assert seen == list(range(before, before + len(seen)))
        net.a.ip("route add 192.0.2.0/24 via 10.10.10.1", "link set n69 up", "addr add 10.9.9.1/24 dev n69")
        net.a.ping("10.9.9.2", "-W", "1", check=False)
        first = wire.wait(lambda p: p.proto == 47 and p.dst == "192.0.2.70")
    assert first[GRE].sequence_number == 0


INNER = IP(src=B, dst=A) / UDP(sport=1, dport=9)


def outer(number, size):
    return IP(bytes(IP(src="10.10.20.2", dst="10.10.10.2", id=1000 + number, proto=47) /
                    GRE(seqnum_present=1, sequence_number=number) / INNER / (b"x" * size)))


def test_nothing_overtakes_a_fragmented_packet(tunl, numbered):
    """The engine has it, its successor the program would have: both count, in their order."""
    net = numbered()
    before, link = tunl.stats(net.a, "g1"), net.wire_to_a()
    for number in range(50, 70):
        for packet in (*fragment(outer(2 * number, 900), fragsize=600), outer(2 * number + 1, 10)):
            link.send(packet)
    link.close()
    wait_until(lambda: tunl.stats(net.a, "g1")["rx_packets"] == before["rx_packets"] + 40)
    assert tunl.stats(net.a, "g1")["rx_fifo"] == 0


def test_stale_and_missing_numbers(tunl, numbered):
    """G38, G41 with real packets."""
    net = numbered()
    link = net.wire_to_a()
    for number in (107, 109, 108, 109, 110):
        link.send(outer(number, 10))
    link.send(IP(src="10.10.20.2", dst="10.10.10.2") / GRE() / INNER)
    link.close()
    wait_until(lambda: tunl.stats(net.a, "g1")["rx_fifo"] >= 3)
    stats = tunl.stats(net.a, "g1")
    assert (stats["rx_fifo"], stats["rx_errors"]) == (3, 3)
