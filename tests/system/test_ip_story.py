# SPDX-License-Identifier: BSD-2-Clause
"""The story that tunl was made from, typed as it stands, with our ip first in PATH.

Its names (ns1, v1_p, ...) and its root namespace are common ground: so it is typed in
a network namespace and a mount namespace of the test's own, with a /run/netns of its own."""

import shutil
import subprocess

import pytest
from ip_helpers import Ip
from net import run

STORY = """
ip netns add ns1; ip netns add ns2
ip link add v1 type veth peer name v1_p; ip link add v2 type veth peer name v2_p
ip link set v1 netns ns1; ip link set v2 netns ns2
ip addr add 10.10.10.1/24 dev v1_p; ip link set v1_p up; ip addr add 10.10.20.1/24 dev v2_p; ip link set v2_p up
ip netns exec ns1 ip addr add 10.10.10.2/24 dev v1; ip netns exec ns1 ip link set v1 up
ip netns exec ns2 ip addr add 10.10.20.2/24 dev v2; ip netns exec ns2 ip link set v2 up
ip netns exec ns1 route add -net 10.10.20.0 netmask 255.255.255.0 gw 10.10.10.1
ip netns exec ns2 route add -net 10.10.10.0 netmask 255.255.255.0 gw 10.10.20.1
echo 1 > /proc/sys/net/ipv4/ip_forward
ip netns exec ns1 ip tunnel add tun1 mode ipip remote 10.10.20.2 local 10.10.10.2
ip netns exec ns1 ip link set tun1 up
ip netns exec ns1 ip addr add 10.10.100.1 peer 10.10.200.1 dev tun1
ip netns exec ns2 ip tunnel add tun1 mode ipip remote 10.10.10.2 local 10.10.20.2
ip netns exec ns2 ip link set tun1 up
ip netns exec ns2 ip addr add 10.10.200.1 peer 10.10.100.1 dev tun1
ip netns exec ns2 ping 10.10.100.1 -c 1
"""

AFTER = """
echo ==shown
ip -n ns1 tunnel show
ip -n ns2 -s tunnel
ip -n ns1 -j tunnel show
ip -n ns1 -d link show tun1
ip -n ns1 -d addr show tun1
ip -n ns1 tunnel del tun1
ip -n ns1 tunnel show
ip -n ns2 link del tun1
ip -n ns2 tunnel show
ip netns del ns1; ip netns del ns2
"""

FRAME = """set -e
mount -t tmpfs none /run/netns
ip link set lo up
"""


@pytest.fixture
def story(tunl):
    """What a shell says to the story and to what follows."""

    def tell(script, **env):
        run("mkdir", "-p", "/run/netns")
        # the daemon outlives the shell and holds what it inherits: a file, not a pipe
        with open(tunl.rundir / "told", "w+") as told:
            done = subprocess.run(["unshare", "-n", "-m", "--propagation", "private", "sh", "-c", FRAME + script],
                                  stdout=told, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=60,
                                  env={**Ip(tunl).env, **env})
            told.seek(0)
            return done.returncode, told.read()

    return tell


@pytest.mark.skipif(not shutil.which("route"), reason="the story uses `route` of net-tools")
def test_story_as_typed(story):
    status, told = story(STORY + AFTER)
    assert status == 0, told
    assert "1 packets transmitted, 1 received, 0% packet loss" in told
    assert "64 bytes from 10.10.100.1: icmp_seq=1 ttl=64" in told
    shown = told.split("==shown\n")[1]
    assert shown.startswith("tun1: ip/ip remote 10.10.20.2 local 10.10.10.2 ttl inherit\n"
                            "tun1: ip/ip remote 10.10.10.2 local 10.10.20.2 ttl inherit\n"
                            "RX: Packets    Bytes        Errors CsumErrs OutOfSeq Mcasts\n"
                            "    1          84           0      0        0        0       \n"
                            "TX: Packets    Bytes        Errors DeadLoop NoRoute  NoBufs\n"
                            "    1          84           0      0        0        0     \n"
                            '[{"ifname":"tun1","mode":"ip/ip","remote":"10.10.20.2","local":"10.10.10.2"}\n]\n'), shown
    assert "tun1@NONE: <POINTOPOINT" in shown
    assert shown.count("link/ipip 10.10.10.2 peer 10.10.20.2 ") == 2
    assert shown.count("    ipip ipip remote 10.10.20.2 local 10.10.10.2 ttl inherit pmtudisc ") == 2
    assert "inet 10.10.100.1 peer 10.10.200.1/32 scope global tun1" in shown
    assert shown.rstrip().endswith("forever"), shown  # nothing shown after the tunnels' end


def test_story_twice_over(story):
    """What the first telling left behind would be in the second one's way."""
    for _ in range(2):
        status, told = story(STORY.replace("route add -net 10.10.20.0 netmask 255.255.255.0 gw",
                                           "ip route add 10.10.20.0/24 via")
                             .replace("route add -net 10.10.10.0 netmask 255.255.255.0 gw",
                                      "ip route add 10.10.10.0/24 via"))
        assert status == 0 and " 0% packet loss" in told, told
