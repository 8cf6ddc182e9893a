# SPDX-License-Identifier: BSD-2-Clause
"""What bpf carries by itself: tunnels that the daemon made, and the daemon standing still.
What then arrives was carried by the programs, and the counters that grew are theirs."""

import contextlib
import signal

import pytest

from net import wait_until
from stream import tcp_exchange

A, B = "10.10.10.2", "10.10.20.2"
A4, B4 = "10.10.100.1", "10.10.200.1"
A6, B6 = "2001:db8:100::1", "2001:db8:200::1"
SIZE = 4 << 20

# The tunnel's words, given (local, remote); the far address of each family with its own.
POINT = ("remote {remote} local {local}", ((A4, B4), (A6, B6)))
MODES = {
    "gre": ("gre", *POINT),
    "gre-key": ("gre key 5", *POINT),
    "gre-seq": ("gre seq", *POINT),
    "gre-key-seq": ("gre key 1.2.3.4 seq", *POINT),
    "sit": ("sit", POINT[0], ((A6, B6),)),
    "6to4": ("sit", "local {local}", (("2002:a0a:a02::1/16", "2002:a0a:1402::1/16"),)),
    "6rd": ("sit", "local {local}", (("2001:db8:a02::1/32", "2001:db8:1402::1/32"),)),
    "isatap": ("isatap", "local {local}", (("2001:db8:1::5efe:a0a:a02/64", "2001:db8:1::5efe:a0a:1402/64"),)),
}


def address(text):
    return text.split("/")[0]


def dress(ns, own, peer):
    """An address of a point-to-point tunnel, or one with the prefix it shares."""
    nodad = "nodad" if ":" in own else ""
    ns.ip(f"addr add {own} dev t1 {nodad}" if "/" in own else f"addr add {own} peer {peer} dev t1 {nodad}")


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def pair(tunl, underlay, mode):
    net = underlay()
    words, ends, inner = MODES[mode]
    for ns, local, remote, turn in ((net.a, A, B, 1), (net.b, B, A, -1)):
        tunl(ns, f"add t1 mode {words} {ends.format(local=local, remote=remote)} datapath bpf")
        if mode == "6rd":
            tunl(ns, "6rd dev t1 6rd-prefix 2001:db8::/32 6rd-relay_prefix 10.10.0.0/16")
        ns.ip("link set t1 up")
        for addresses in inner:
            dress(ns, *addresses[::turn])
    return net


@contextlib.contextmanager
def daemon_stopped(tunl):
    pids = tunl.parent_and_engine()
    tunl.kill(*pids, sig=signal.SIGSTOP)
    try:
        yield
    finally:
        tunl.kill(*pids, sig=signal.SIGCONT)


def answers(net, far):
    return not net.a.ping(far, "-W", "1", check=False).returncode


@contextlib.contextmanager
def programs_alone(tunl, net, far):
    """The daemon stopped at a moment when the programs know the way: what they know of it lapses
    with each change of routes, and the last one may not have been heard of yet."""
    def try_it():
        if not answers(net, far):
            return None
        stopped = contextlib.ExitStack()
        stopped.enter_context(daemon_stopped(tunl))
        if answers(net, far):
            return stopped
        stopped.close()
        return None
    with wait_until(try_it, 60, f"{far} by the programs alone"):
        yield


def packets(tunl, net):
    return [tunl.stats(ns, "t1")[n] for ns in (net.a, net.b) for n in ("rx_packets", "tx_packets")]


def test_carried_by_the_programs(tunl, pair, mode):
    """Pings and streams both ways with the data intact; TCP's packets stay merged, but for numbers."""
    net = pair
    assert "datapath bpf (asked: bpf)" in tunl(net.a, "-d show t1").stdout
    targets = [address(far) for _, far in MODES[mode][2]]
    before = packets(tunl, net)
    for far in targets:
        with programs_alone(tunl, net, far):
            tcp_exchange(net.b, far, net.a, SIZE, 60)
    grown = [now - then for now, then in zip(packets(tunl, net), before)]
    whole = len(targets) * SIZE / 1500
    assert min(grown) > 20
    if "seq" in mode:  # a number each; two processors' packets may change places, as any driver's
        return
    assert max(grown) < whole, f"{grown} packets where {whole} single ones carry the data one way"
    for ns in (net.a, net.b):
        assert not tunl.stats(ns, "t1")["rx_errors"]
