# SPDX-License-Identifier: BSD-2-Clause
"""vti over tunl's own ESP, between namespaces: spec datapath 9 and 15.8."""

import pytest

from net import wait_until
from stream import Counted, tcp_exchange
from xfrm import GCM, SUITES, Vti


@pytest.fixture
def vti(tunl, underlay):
    tunl.env["TUNL_XFRM"] = "own"
    return Vti(tunl, underlay())


@pytest.mark.parametrize("suite", SUITES)
def test_carries(vti, suite):
    vti.all(SUITES[suite])
    vti.net.a.ping("10.0.0.2")
    vti.net.b.ping("2001:db8::1")
    vti.net.a.ping("10.0.0.2", "-s", "1450", "-M", "dont")
    assert vti.xfrm(0) == vti.xfrm(1) == {}


@pytest.mark.parametrize("more", ["replay-window 32", "replay-window 4096", "replay-window 128 flag esn",
                                  "replay-window 64 flag esn replay-oseq 0xfffffff0 replay-seq 0xfffffff0",
                                  ""])
def test_windows(vti, more):
    """Also over the end of the low half of extended numbers."""
    vti.devices().policies().states(GCM, more.replace("flag esn", "flag esn af-unspec"))
    vti.net.a.ping("10.0.0.2", "-c", "40", "-i", "0.01")
    assert vti.xfrm(0) == vti.xfrm(1) == {}


def test_numbers_end(vti):
    """Without extended numbers the last one is the last (V-rows, 9.3)."""
    vti.devices().policies().states(GCM, "replay-oseq 0xfffffffd")
    vti.net.a.ping("10.0.0.2", "-c", "4", "-i", "0.01", "-W", "1", check=False)
    assert vti.xfrm(0) == {"XfrmOutStateSeqError": 2}
    assert vti.tunl.stats(vti.net.a, "vti1")["tx_packets"] == 2


def test_tcp(vti):
    vti.all()
    tcp_exchange(vti.net.b, "10.0.0.2", vti.net.a, 20_000_000)
    assert vti.xfrm(0) == vti.xfrm(1) == {}


def test_mtu(vti):
    """V11, V14: the sender is told of what ESP leaves."""
    vti.all()
    done = vti.net.a.ping("10.0.0.2", "-s", str(1447 - 28), "-M", "do", check=False)
    assert "mtu = 1446" in done.stdout
    vti.net.b.ping("10.0.0.1", "-s", str(1446 - 28), "-M", "do")


def test_keys_are_marks(vti):
    """V07, V08: no policy, no association; the sender hears of it."""
    vti.devices()
    done = vti.net.a.ping("10.0.0.2", check=False)
    assert "Destination Host Unreachable" in done.stdout
    assert vti.xfrm(0) == {}
    vti.policies()
    vti.net.a.ping("10.0.0.2", check=False)
    assert vti.xfrm(0) == {"XfrmOutNoStates": 1}
    stats = vti.tunl.stats(vti.net.a, "vti1")
    assert stats["tx_carrier"] == stats["tx_errors"] == 2


def test_wrong_keys(vti):
    """Both ends have associations of one SPI with different keys: V24."""
    vti.devices().policies()
    vti.states(GCM, ends=(0,))
    vti._spi = iter((0x1001, 0x1002))
    vti.states(GCM.replace("0x0001", "0xff01"), ends=(1,))
    vti.net.a.ping("10.0.0.2", "-W", "1", check=False)
    assert vti.xfrm(1) == {"XfrmInStateProtoError": 1}
    stats = vti.tunl.stats(vti.net.b, "vti1")
    assert stats["rx_errors"] == 1 and stats["rx_packets"] == 0
    assert "rx-icv 1" in vti.tunl(vti.net.b, "-d show vti1").stdout


def test_policy_in_is_needed(vti):
    """V21."""
    vti.all()
    for net in ("0.0.0.0/0", "::/0"):
        vti.ip(1, f"delete src {net} dst {net} dir in mark 7", "policy")
    vti.net.a.ping("10.0.0.2", "-W", "1", check=False)
    assert vti.xfrm(1) == {"XfrmInNoPols": 1}


def test_state_deleted_in_mid_flow(vti):
    """V22 at the far end, V08 at the near one."""
    vti.all()
    vti.net.a.ping("10.0.0.2")
    vti.drop(vti.spis[0], 1)
    vti.net.a.ping("10.0.0.2", "-W", "1", check=False)
    assert vti.xfrm(1) == {"XfrmInNoStates": 1}
    vti.drop(vti.spis[0], 0)
    assert "Unreachable" in vti.net.a.ping("10.0.0.2", check=False).stdout


def test_limits(vti):
    """A hard limit ends the association; the parent takes it away and says so."""
    vti.devices().policies().states(GCM, "limit packet-soft 2 limit packet-hard 4")
    vti.net.a.ping("10.0.0.2", "-c", "6", "-i", "0.01", "-W", "1", check=False)
    wait_until(lambda: "SAD count 0" in vti.tunl(vti.net.a, "xfrm state count").stdout)
    assert "soft limit" in vti.tunl.log() and "hard limit and is gone" in vti.tunl.log()


def test_time_limit(vti):
    vti.devices().policies().states(GCM, "limit time-hard 2")
    vti.net.a.ping("10.0.0.2")
    wait_until(lambda: "SAD count 0" in vti.tunl(vti.net.b, "xfrm state count").stdout, 20)


def test_nat_traversal(vti):
    """ESP in UDP by port 4500, and nothing answers it `port unreachable`."""
    vti.all(GCM, "replay-window 64 encap espinudp 4500 4500 0.0.0.0")
    vti.net.a.ping("10.0.0.2", "-c", "3", "-i", "0.01")
    vti.net.a.ping("10.0.0.2", "-s", "1460", "-M", "dont")
    done = vti.net.a.ping("10.0.0.2", "-s", str(1439 - 28), "-M", "do", check=False)
    assert "mtu = 1438" in done.stdout
    assert vti.xfrm(0) == vti.xfrm(1) == {}


def test_engine_started_anew(vti):
    """Numbers go on: the far end's window takes what a new engine sends."""
    vti.all()
    vti.net.a.ping("10.0.0.2", "-c", "20", "-i", "0.01")
    _, engine = vti.tunl.parent_and_engine()
    vti.tunl.kill(engine)
    wait_until(lambda: vti.net.a.ping("10.0.0.2", "-W", "1", check=False).returncode == 0, 15)
    assert "XfrmInStateSeqError" not in vti.xfrm(1)


def test_rekey_without_loss(vti):
    """New associations are added at both ends, the old ones removed, under load."""
    vti.all()
    old = vti.spis[0]
    with Counted(vti.net.a, vti.net.b, "10.0.0.2", rate=500) as stream:
        for _ in range(3):
            new = vti.states()
            vti.drop(old, 0)
            vti.net.a.ping("10.0.0.2")  # what was on its way has arrived
            vti.drop(old, 1)
            old = new
    assert stream.sent and stream.lost() == []
    assert vti.xfrm(0) == vti.xfrm(1) == {}
