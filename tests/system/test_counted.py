# SPDX-License-Identifier: BSD-2-Clause
"""Every packet that came is counted once: as received, by the reason it was dropped for, or
- where no tunnel's - in what `tunl daemon status` tells."""

import json
import signal

import pytest
from net import wait_until
from scapy.compat import raw
from scapy.layers.inet import IP, UDP


def unmatched(tunl):
    return json.loads(tunl(None, "-j daemon status").stdout)["unmatched"]


def test_what_no_tunnel_is_for(ends):
    e = ends().both()
    before = unmatched(e.tunl).get("rx-no-tunnel", 0)
    wire = e.net.wire_to_a()
    for n in range(5):
        wire.send(IP(src=f"10.10.20.{90 + n}", dst=e.net.A, proto=4) / IP(src="10.9.9.1", dst="10.9.9.2"))
    wait_until(lambda: unmatched(e.tunl).get("rx-no-tunnel", 0) == before + 5)


@pytest.mark.parametrize("datapath", ["user"])
def test_what_the_queue_has_no_room_for(ends):
    """The engine stands still until its queue is full; afterwards the counts add up."""
    e = ends().both()
    _, engine = e.tunl.parent_and_engine()
    packet = raw(IP(src=e.net.B, dst=e.net.A, proto=4) / IP(src="198.51.100.1", dst="198.51.100.2") / UDP() / bytes(1000))
    wire, sent = e.net.wire_to_a(), 20000
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)
    before = e.stats(e.a)["rx_packets"]
    e.tunl.kill(engine, sig=signal.SIGSTOP)
    for _ in range(sent):
        wire.send(packet)
    e.tunl.kill(engine, sig=signal.SIGCONT)

    def counted():
        return e.stats(e.a)["rx_packets"] - before + unmatched(e.tunl).get("rx-queue", 0)

    wait_until(lambda: counted() == sent, 20, f"all of {sent} are counted")
    assert unmatched(e.tunl)["rx-queue"] > 0
