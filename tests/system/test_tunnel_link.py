# SPDX-License-Identifier: BSD-2-Clause
"""Ordinary tools on the tunnel's device, which tunl follows: both datapaths."""

import json
import signal

import pytest

from net import wait_until

A = "remote 10.10.20.2 local 10.10.10.2"


def show(e, ns, name=""):
    return e.tunl(ns, f"show {name}".strip()).stdout


def test_show_line(ends):
    """Spec cli 2.2."""
    e = ends()
    e.add(e.a, A + " ttl 64 tos inherit dev v1")
    assert show(e, e.a, "tun1") == "tun1: ip/ip remote 10.10.20.2 local 10.10.10.2 dev v1 ttl 64 tos inherit\n"
    row = json.loads(e.tunl(e.a, "-j show tun1").stdout)[0]
    assert row["ifname"] == "tun1" and row["mode"] == "ip/ip" and row["ttl"] == 64


def test_show_d_names_the_datapath(ends):
    e = ends()
    e.add(e.a, A)
    assert e.datapath in e.tunl(e.a, "-d show tun1").stdout


def test_each_namespace_shows_its_own(ends):
    e = ends()
    e.add(e.a, A)
    assert show(e, e.a).startswith("tun1:") and show(e, e.b) == "" and show(e, e.r) == ""


def test_device_looks_like_the_drivers(ends):
    e = ends()
    e.add(e.a, A)
    row = e.a.link("tun1")
    assert row["link_type"] == "ipip" and {"POINTOPOINT", "NOARP"} <= set(row["flags"])


def test_set_down_and_up(ends):
    """A device that is down carries nothing either way, and carries again once up."""
    e = ends().both()
    e.a.ping(e.B)
    e.a.ip("link set tun1 down")
    wait_until(lambda: e.b.ping(e.A, "-W", "1", check=False).returncode)
    e.a.ip("link set tun1 up", f"route replace {e.B} dev tun1 src {e.A}")
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)


def test_receives_as_soon_as_it_is_up(ends):
    """Whether or not the parent has got around to hearing of it."""
    e = ends()
    e.add(e.a, "remote 10.10.20.2 local 10.10.10.2")
    e.up(e.a, e.A, e.B)
    e.add(e.b, "remote 10.10.10.2 local 10.10.20.2")
    parent, _ = e.tunl.parent_and_engine()
    e.tunl.kill(parent, sig=signal.SIGSTOP)
    try:
        e.up(e.b, e.B, e.A)
        e.a.ping(e.B)
    finally:
        e.tunl.kill(parent, sig=signal.SIGCONT)


def test_rename(ends):
    """The tunnel goes on under its new name."""
    e = ends().both()
    e.a.ip("link set tun1 down", "link set tun1 name newt", "link set newt up", f"route replace {e.B} dev newt")
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)
    assert show(e, e.a).startswith("newt: ip/ip ") and show(e, e.a, "tun1") == ""
    e.tunl(e.a, "del newt")
    assert e.a.link("newt") is None and show(e, e.a) == ""


def test_move_to_another_namespace(ends):
    """Its outer packets stay in the namespace it was made in, its inner ones go along - or it says why not."""
    e = ends().both()
    far = e.net.add(e.a.name[:-1] + "m")
    e.a.ip(f"link set tun1 netns {far}")
    far.ip("link set tun1 up", f"addr add {e.A} peer {e.B} dev tun1")
    wait_until(lambda: show(e, far).startswith("tun1: ip/ip"))
    assert show(e, e.a) == ""
    wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode, 10)
    e.tunl(far, "del tun1")
    assert far.link("tun1") is None


def test_moved_there_and_back_without_a_command(ends):
    """The daemon follows by itself: no `tunl` is called that would make it look."""
    e = ends().both()
    far = e.net.add(e.a.name[:-1] + "m")
    for _ in range(2):
        for place, to in ((e.a, far), (far, e.a)):
            place.ip(f"link set tun1 netns {to}")
            to.ip("link set tun1 up", f"addr add {e.A} peer {e.B} dev tun1")
            wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode, 3, f"packets to {to}")


def test_mtu_set_by_ip(ends):
    """A smaller device MTU is the stack's to keep; tunl carries what comes."""
    e = ends().both()
    e.a.ip("link set tun1 mtu 1000")
    e.b.ping(e.A, "-s", "900")
    done = e.a.ping(e.B, "-s", "1400", "-M", "do", check=False)
    assert "mtu=1000" in done.stdout + done.stderr
    assert e.a.link("tun1")["mtu"] == 1000


def test_deleted_by_ip(ends):
    """`ip link del` is as good as `tunl del`: forgotten, the same may be made anew."""
    e = ends().both()
    e.a.ip("link del tun1")
    wait_until(lambda: show(e, e.a) == "")
    e.add(e.a, A)
    e.up(e.a, e.A, e.B)
    e.b.ping(e.A)
    assert e.stats(e.a)["rx_packets"] == 1


def test_deleted_by_tunl(ends):
    e = ends().both()
    e.tunl(e.a, "del tun1")
    assert e.a.link("tun1") is None
    e.tunl.refused(e.a, "del tun1", status=1)


def test_change_takes_effect(ends):
    """change: other remote, other ttl, on a standing device."""
    e = ends().both(a="remote 10.10.20.77 local 10.10.10.2")
    assert e.b.ping(e.A, "-W", "1", check=False).returncode
    e.tunl(e.a, "change tun1 remote 10.10.20.2 ttl 9")
    with e.r.sniff("v1_p") as wire:
        # the refusals until now are told to the next senders (spec datapath 5.2)
        wait_until(lambda: not e.b.ping(e.A, "-W", "1", check=False).returncode)
        assert wire.wait(lambda p: p.proto == 4 and p.src == "10.10.10.2").ttl == 9
    assert show(e, e.a) == "tun1: ip/ip remote 10.10.20.2 local 10.10.10.2 ttl 9\n"


def test_route_change_is_followed(ends):
    """The outer route moves to another next hop: the next packets take it."""
    e = ends().both()
    e.a.ping(e.B)
    e.r.ip("addr add 10.10.10.11/24 dev v1_p")
    e.a.ip("route add blackhole 10.10.20.2/32")
    wait_until(lambda: e.a.ping(e.B, "-W", "1", check=False).returncode)
    e.a.ip("route replace 10.10.20.2/32 via 10.10.10.11")
    wait_until(lambda: not e.a.ping(e.B, "-W", "1", check=False).returncode)


def test_address_of_host_changes(ends):
    """remote alone: the outer source is what routing selects (I12)."""
    e = ends()
    e.add(e.a, "remote 10.10.20.2")
    e.up(e.a, e.A, e.B)
    e.a.ip("addr add 10.10.10.77/24 dev v1", "route add 10.10.20.2/32 via 10.10.10.1 src 10.10.10.77")

    def source():
        with e.r.sniff("v1_p") as wire:
            e.a.ping(e.B, "-W", "1", check=False)
            return wire.wait(lambda p: p.proto == 4).src == "10.10.10.77"
    wait_until(source)


@pytest.mark.parametrize("words", ["remote 10.10.20.2 local 10.10.10.2", "remote 10.10.20.2 local 10.10.10.2 ttl 3"])
def test_same_addresses_twice(ends, words):
    """Spec cli 4.2."""
    e = ends()
    e.add(e.a, A)
    done = e.tunl.refused(e.a, f"add tun2 mode ipip {words}", status=1)
    assert done.stderr == 'add tunnel "tunl0" failed: File exists\n'
    assert e.a.link("tun2") is None
