# SPDX-License-Identifier: BSD-2-Clause
"""gre and sit through the programs of the bpf datapath alone: no daemon, no engine; what
arrives was carried by the programs. IPv4 and IPv6 inside, single and merged packets."""

import pytest

from stream import tcp_exchange
from test_bpf_live import End, bpf_ctl  # noqa: F401 (fixture)

V4 = ("10.10.100.1", "10.10.200.1")
V6 = ("2001:db8:64::1", "2001:db8:64::2")
MODES = {
    "gre": (["mode", "gre"], (4, 6)),
    "gre-key": (["mode", "gre", "key", "5"], (4, 6)),
    "gre-seq": (["mode", "gre", "seq", "1"], (4, 6)),
    "gre-key-seq": (["mode", "gre", "key", "5", "seq", "1"], (4, 6)),
    "sit": (["mode", "sit"], (6,)),
}


class ModeEnd(End):
    """One end, with addresses of both families."""

    def __init__(self, ctl, space, dev, underlay, inner, words):
        local, remote, via = underlay
        super().__init__(ctl, space, dev, local, remote, via, inner[0][0], inner[0][1])
        space.ip("link set dev tun1 mtu 1400", f"addr add {inner[1][0]}/64 dev tun1 nodad")
        self.words += words
        self.up()


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def pair(underlay, bpf_ctl, mode):  # noqa: F811
    net, words = underlay(), MODES[mode][0]
    a = ModeEnd(bpf_ctl, net.a, "v1", (net.A, net.B, net.RA), (V4, V6), words)
    b = ModeEnd(bpf_ctl, net.b, "v2", (net.B, net.A, net.RB), (V4[::-1], V6[::-1]), words)
    return a, b


def targets(mode):
    return [{4: V4, 6: V6}[family][1] for family in MODES[mode][1]]


def test_ping(pair, mode):
    a, b = pair
    for target in targets(mode):
        a.space.ping(target)
        a.space.ping(target, "-s", "1300")
    for end in pair:
        stats = end.stats()
        assert stats["tx_packets"] == stats["rx_packets"] >= 2 * len(targets(mode))
        assert not end.errors()


@pytest.mark.parametrize("family", [4, 6])
def test_tcp(pair, mode, family):
    """The data intact, both ways at once, and super-packets whole."""
    if family not in MODES[mode][1] or "seq" in mode:
        pytest.skip("not carried by the programs alone: segments with numbers are the engine's to make")
    a, b = pair
    size = 16 << 20
    tcp_exchange(b.space, {4: V4, 6: V6}[family][1], a.space, size)
    for end in pair:
        stats = end.stats()
        assert stats["rx_bytes"] > size
        assert stats["rx_packets"] < size / 1300 / 2
        assert not end.errors()
