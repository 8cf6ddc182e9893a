# SPDX-License-Identifier: BSD-2-Clause
"""`tunl check` and `tunl import`: what needs no tunnels. Nothing that is read is run."""

import json
import os
import subprocess

import pytest

from tunnels import BUILD

pytestmark = pytest.mark.unprivileged

SCRIPT = """#!/bin/sh
set -e
modprobe ipip
ip tunnel del tun1 2>/dev/null || true
ip tunnel add tun1 mode ipip remote 10.0.0.2 local 10.0.0.1 ttl 64
ip link set tun1 up mtu 1400
ip addr add 192.168.1.1/30 dev tun1
ip route add 10.5.0.0/16 dev tun1
ip -n blue link add gre1 type gre remote 10.0.0.3 \\
    local 10.0.0.1 key 5 ttl inherit
ip netns exec blue ip link set dev gre1 up
ip tunnel add t$i mode ipip remote 1.2.3.4
ip addr add 10.9.9.9/24 dev eth0
ip route add default via 10.0.0.254
ip tunnel change tun1 ttl 32
ip link add vx0 type vxlan id 5
touch MARK; rm -rf MARK2
"""

NETDEV = """[NetDev]
Name=sit1
Kind=sit
MTUBytes=1480
[Tunnel]
Local=192.0.2.1
Remote=198.51.100.2
TTL=64
FooOverUDP=yes
"""

NETWORK = """[Match]
Name=sit1
[Network]
Address=2001:db8::1/64
DHCP=yes
[Route]
Destination=2001:db8:1::/48
Metric=5
[Address]
Address=10.0.0.1/32
Peer=10.0.0.2/32
[Address]
Address=10.0.0.9/24
"""

ETH0 = """[Match]
Name=eth0
[Network]
Tunnel=sit1
"""

INTERFACES = """auto lo
iface lo inet loopback
auto tun0
iface tun0 inet tunnel
  mode gre
  endpoint 198.51.100.9
  local 192.0.2.1
  address 10.7.0.1
  netmask 255.255.255.252
  dstaddr 10.7.0.2
  ttl 64
  up ip route add 10.8.0.0/16 dev $IFACE
  up iptables -A FORWARD -j ACCEPT
  down ip route del 10.8.0.0/16 dev $IFACE
iface he inet6 v4tunnel
  endpoint 216.66.80.30
  address 2001:470::2
  netmask 64
  gateway 2001:470::1
iface ipip0 inet static
  address 10.11.0.1/24
  pre-up ip tunnel add ipip0 mode ipip remote 1.1.1.1 local 192.0.2.1
  post-down ip tunnel del ipip0
"""


def tunl(folder, *words, stdin=None):
    env = {**os.environ, "TUNL_CONFDIR": str(folder)}
    return subprocess.run([BUILD / "tunl", *words], cwd=folder, env=env, input=stdin, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def imported(folder, **files):
    """The lines that `tunl import` makes of files, and the lines that it could not take."""
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    done = tunl(folder, "import", *(name.replace("_", ".") for name in files))
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    lost = [line[2:] for line in lines if line.startswith("# ")]
    assert lost == done.stderr.splitlines()
    assert (done.returncode == 1) == bool(lost)
    # what comes out is a configuration
    assert tunl(folder, "check", "-", stdin=done.stdout).returncode == 0
    return [line for line in lines if not line.startswith("#")], [line.split(": ")[0] for line in lost]


def test_script(tmp_path):
    made, lost = imported(tmp_path, setup_sh=SCRIPT)
    assert made == [
        "tun1 mode ipip remote 10.0.0.2 local 10.0.0.1 ttl 32 mtu 1400 address 192.168.1.1/30 "
        "route 10.5.0.0/16 up",
        "gre1 mode gre remote 10.0.0.3 local 10.0.0.1 key 5 netns blue up"]
    assert lost == [f"setup.sh:{n}" for n in (12, 13, 14, 16, 17)]
    assert not (tmp_path / "MARK").exists()


def test_networkd(tmp_path):
    made, lost = imported(tmp_path, b_network=NETWORK, a_netdev=NETDEV, eth0_network=ETH0)
    assert made == [
        "sit1 mode sit remote 198.51.100.2 local 192.0.2.1 dev eth0 ttl 64 mtu 1480 "
        "address 2001:db8::1/64 address 10.0.0.1/32 peer 10.0.0.2/32 address 10.0.0.9/24 "
        "route 2001:db8:1::/48 metric 5 up"]
    assert lost == ["a.netdev:9", "b.network:5"]


def test_interfaces(tmp_path):
    made, lost = imported(tmp_path, interfaces=INTERFACES)
    assert made == [
        "tun0 mode gre remote 198.51.100.9 local 192.0.2.1 ttl 64 address 10.7.0.1/30 peer "
        "10.7.0.2/32 route 10.8.0.0/16 up",
        "he mode sit remote 216.66.80.30 ttl 64 address 2001:470::2/64 route ::/0 via 2001:470::1",
        "ipip0 mode ipip remote 1.1.1.1 local 192.0.2.1 address 10.11.0.1/24"]
    assert lost == ["interfaces:2", "interfaces:13"]


@pytest.mark.parametrize("text", ["\\", "ip tunnel add 'x", "ip tunnel add t1 mode ipip\\", "[", "[x",
                                  "ip -n", "ip tunnel", "ip link set", "ip link add type",
                                  "ip addr add dev", "ip tunnel 6rd dev x 6rd-prefix",
                                  "ip tunnel prl dev", "x" * 10000, "ip tunnel change x ttl"])
def test_import_survives(tmp_path, text):
    for name in ("script", "x.netdev", "x.network"):
        (tmp_path / name).write_text(text)
        assert tunl(tmp_path, "import", name).returncode in (0, 1)
    (tmp_path / "interfaces").write_text("iface t1 inet tunnel\n" + text + "\nmode\niface\n")
    assert tunl(tmp_path, "import", "interfaces").returncode in (0, 1)


def test_check_folder(tmp_path):
    """Without a file the configuration as tunld reads it; mistakes by file, line and column."""
    assert tunl(tmp_path, "check").stdout == "0 tunnels, no mistakes\n"
    (tmp_path / "tunl.conf").write_text("t1 mode ipip local 1.1.1.1\n")
    (tmp_path / "tunl.d").mkdir()
    (tmp_path / "tunl.d/b.conf").write_text("t2 mode gre {\n up\n}\n")
    (tmp_path / "tunl.d/notes.txt").write_text("this is none\n")
    assert tunl(tmp_path, "check").stdout == "2 tunnels, no mistakes\n"
    (tmp_path / "tunl.d/c.conf").write_text("t3 mode gre key 9\n  t2 mode sit bogus\nt1 mode sit\n")
    done = tunl(tmp_path, "check")
    assert done.returncode == 1
    assert done.stderr == (f"{tmp_path}/tunl.d/c.conf:2:15: \"bogus\" is no word that is known here\n"
                           f"{tmp_path}/tunl.d/c.conf:3:1: t1: this name is taken by t1, "
                           f"{tmp_path}/tunl.conf:1\n")
    told = json.loads(tunl(tmp_path, "-j", "check").stdout)
    assert [(m["line"], m["column"]) for m in told["mistakes"]] == [(2, 15), (3, 1)]


def test_check_what_is_no_file(tmp_path):
    assert "cannot be read" in tunl(tmp_path, "check", "absent").stderr
    assert tunl(tmp_path, "check", ".").returncode == 1
    os.mkfifo(tmp_path / "fifo")
    assert tunl(tmp_path, "check", "fifo").returncode == 1
    (tmp_path / "nul").write_bytes(b"t1 mode ipip\n\0\n")
    assert "NUL" in tunl(tmp_path, "check", "nul").stderr


def test_check_large(tmp_path):
    """A hundred thousand tunnels are looked at within seconds."""
    text = "".join(f"t{i} mode ipip local 10.{i >> 16}.{i >> 8 & 255}.{i & 255} up\n"
                   for i in range(100000))
    (tmp_path / "tunl.conf").write_text(text)
    assert tunl(tmp_path, "check").stdout == "100000 tunnels, no mistakes\n"
