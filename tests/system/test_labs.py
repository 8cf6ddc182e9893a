# SPDX-License-Identifier: BSD-2-Clause
"""Every lab that comes with tunl, on both datapaths; lab files of one's own, good and bad."""

import fcntl
import json
import os
import pty
import secrets
import struct
import subprocess
import termios

import pytest
from net import run
from scapy.layers.inet import IP
from scapy.utils import rdpcap
from test_lab import left_nothing, namespaces
from tunnels import BUILD, ROOT

LABS = sorted(path.stem for path in (ROOT / "labs").glob("*.lab"))
# what each is about, as its packets' sums: some captured packet has it
SUMS = {
    "6in4": "64 (ICMPv6) + 40 (inner IPv6) + 20 (outer IP) = 124",
    "6rd": "64 (ICMPv6) + 40 (inner IPv6) + 20 (outer IP) = 124",
    "6to4": "64 (ICMPv6) + 40 (inner IPv6) + 20 (outer IP) = 124",
    "gre": "64 (ICMP) + 20 (inner IP) + 8 (GRE) + 20 (outer IP) = 112",
    "ipip": "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104",
    "isatap": "64 (ICMPv6) + 40 (inner IPv6) + 20 (outer IP) = 124",
    "nbma": "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104",
    "nested": "64 (ICMP) + 20 (inner IP) + 20 (middle IP) + 4 (GRE) + 20 (outer IP) = 128",
    "pmtu": "1360 (ICMP) + 20 (inner IP) + 20 (outer IP) = 1400",
    "pods": "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104",
    "vti": "120 (ESP) + 20 (IP) = 140",
    "spoof": "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104",
}
USER_ONLY = {"vti"}  # modes that the bpf datapath does not carry


@pytest.fixture
def lab():
    name = "l" + secrets.token_hex(3)
    yield name
    for ns in namespaces(name):
        run("ip", "netns", "del", ns, check=False)


@pytest.fixture
def own(tmp_path):
    """A function that writes a lab file."""
    def write(text, name="mine.lab"):
        (tmp_path / name).write_text(text)
        return tmp_path / name
    return write


@pytest.mark.parametrize("name", LABS)
def test_every_lab(tunl, lab, tmp_path, datapath, name):
    """It does what it says, by the datapath that was asked for; scapy sees the same sizes."""
    pcap = tmp_path / "lab.pcap"
    if name in USER_ONLY and datapath == "bpf":
        err = tunl.refused(None, f"lab run {name} -q --datapath bpf --id {lab}", status=1).stderr
        assert "carried by the user datapath only" in err
        left_nothing(tunl, lab)
        return
    report = json.loads(tunl(None, f"lab run {name} -j --datapath {datapath} --id {lab} --pcap {pcap}").stdout)
    assert report["ok"] and report["lab"] == name and report["title"] and report["about"]
    assert {end["datapath"] for end in report["ends"].values()} == {datapath}
    sums = [s["text"] for s in report["sums"]]
    assert SUMS[name] in sums
    assert [p[IP].len for p in rdpcap(str(pcap))] == [s["total"] for s in report["sums"]]
    for ping in report["pings"]:
        assert bool(ping["rtt_ms"]) == ping["answered"]
    left_nothing(tunl, lab)


def test_spoofed_packets_stop_at_the_end(tunl, lab, tmp_path, datapath):
    report = json.loads(tunl(None, f"lab run spoof -j --datapath {datapath} --id {lab} "
                                   f"--pcap {tmp_path / 'x'}").stdout)
    fates = [(p["net"], p["answered"]) for p in report["pings"]]
    assert fates == [("a", True), ("m", False), ("m", False), ("a", True)]
    seen = [p["end"] - p["first"] for p in report["pings"]]
    # the stranger's own address reaches b, which answers with an error; a's does not pass the router
    assert seen[0] == 2 and seen[1] >= 1 and seen[2] == 0


def test_show_is_what_is_installed(tunl, own, lab, tmp_path):
    """`tunl lab show NAME >mine.lab; tunl lab run ./mine.lab`"""
    for name in LABS:
        assert tunl(None, f"lab show {name}").stdout == (ROOT / f"labs/{name}.lab").read_text()
    mine = own(tunl(None, "lab show gre").stdout.replace("key 1", "key 77"))
    report = json.loads(tunl(None, "lab", "run", str(mine), "-j", "--id", lab, "--pcap", str(tmp_path / "x")).stdout)
    assert report["lab"] == "mine" and any("key 77" in s["command"] for s in report["steps"])
    left_nothing(tunl, lab)


SMALL = """title two hosts
net left
net right
link left:eth0 10.0.0.1/24  right:eth0 10.0.0.2/24
tunnel left:t mode ipip remote 10.0.0.2 local 10.0.0.1
addr left:t 192.168.0.1 peer 192.168.0.2
tunnel right:t mode ipip remote 10.0.0.1 local 10.0.0.2
addr right:t 192.168.0.2 peer 192.168.0.1
capture left:eth0
ping left 192.168.0.2
explain
"""


def test_own_lab_stands(tunl, own, lab):
    """Names longer than a letter; what stands is known by its record, though the file is gone."""
    path = own(SMALL)
    tunl(None, "lab", "up", str(path), "-q", "--id", lab)
    path.unlink()
    assert sorted(namespaces(lab)) == [f"tunl-{lab}-left", f"tunl-{lab}-right"]
    (row,) = json.loads(tunl(None, "lab status -j").stdout)
    assert row == {**row, "lab": "mine", "state": "standing", "ping": True} and set(row["datapath"]) == {"left", "right"}
    assert "192.168.0.1" in tunl(None, "lab exec left ip -br addr show t").stdout
    assert "192.168.0.2" in tunl(None, f"lab exec {lab} right ip -br addr show t").stdout
    err = tunl.refused(None, f"lab exec {lab} up true", status=1).stderr
    assert err == 'tunl lab: the lab has no "up"; it has left and right\n'
    tunl(None, "lab down -q")
    left_nothing(tunl, lab)


@pytest.mark.parametrize("more, says", [
    ("ping left 192.168.0.2 lost\n", "`ping 192.168.0.2` was answered, and was to be lost"),
    ("fails left true\n", "was to fail, and did not"),
    ("run left false\n", "failed with exit status 1"),
    ("run left no-such-program\n", "No such file or directory"),
    ("expect sum 1 (ICMP) = 1\n", "no captured packet is as line 12 of the lab expects it: 1 (ICMP) = 1"),
    ("expect layers IPv4/GRE\n", "no captured packet is as line 12"),
    ("run left echo tea\nexpect output coffee\n", 'does not print "coffee"'),
    ("ping left 192.168.0.77\n", "of its packets were seen on eth0"),
])
def test_expectations_that_fail(tunl, own, lab, tmp_path, more, says):
    """A lab whose story is not true ends with status 1, and is taken down."""
    path = own(SMALL + more)
    done = tunl.refused(None, "lab", "run", str(path), "-q", "--id", lab, "--pcap", str(tmp_path / "x"), status=1)
    assert says in done.stderr
    left_nothing(tunl, lab)


def test_expectations_that_hold(tunl, own, lab, tmp_path):
    path = own(SMALL + "expect sum 64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104\nexpect layers IPv4/IPv4/ICMP/data\n"
                       "run left echo some tea\nexpect output some tea\nfails left false\n"
                       "run left ip link show t\nexpect output mtu 1480\n")
    done = tunl(None, "lab", "run", str(path), "--id", lab, "--pcap", str(tmp_path / "x"))
    assert "[#] ip netns exec tunl-" in done.stdout and "    some tea" in done.stdout
    left_nothing(tunl, lab)


@pytest.mark.parametrize("text, says", [
    ("title x\nnet a\nlink a:v b:w\n", ":3:10: there is no namespace \"b\""),
    ("title x\nnet a\ntunnel a:t mode sit remote nowhere\n", ":3:28: "),
    ("title x\nfoo\n", ':2:1: there is no "foo" in a lab'),
    ("", ":1:1: the lab has no title"),
    ("title \033[31m\n", ":1:7: the byte 0x1b is no UTF-8 text here"),
])
def test_bad_file(tunl, own, lab, text, says):
    """Line and column, before anything is built."""
    path = own(text)
    err = tunl.refused(None, "lab", "run", str(path), "--id", lab, status=1).stderr
    assert f"mine.lab{says}" in err and err.startswith("tunl lab: ") and err.count("\n") == 1
    assert not namespaces(lab)


def test_no_file(tunl):
    err = tunl.refused(None, "lab run ./nothing.lab", status=1).stderr
    assert err == "tunl lab: ./nothing.lab: No such file or directory\n"
    assert 'has no lab "nothing"' in tunl.refused(None, "lab run nothing", status=255).stderr
    assert 'has no lab "nothing"' in tunl.refused(None, "lab show nothing", status=255).stderr


def on_terminal(tunl, columns, *words):
    """What it prints on a terminal of so many columns, without colour."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {**tunl.env, "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    p = subprocess.Popen([BUILD / "tunl", *map(str, words)], env=env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    out = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:
            break
        if not more:
            break
        out += more
    os.close(master)
    assert p.wait(timeout=30) == 0, out
    return out.decode().replace("\r\n", "\n").split("\n")


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_widths(tunl, lab, tmp_path, columns):
    """The words are broken to the terminal's width; the picture gives way to a list."""
    lines = on_terminal(tunl, columns, "lab", "run", "--id", lab, "--pcap", tmp_path / "x")
    about = lines[2:lines.index("", 2)]
    assert max(map(len, about)) <= min(columns, 90) and about[0].startswith("The plainest tunnel")
    picture = any("╔══╧" in line for line in lines)
    assert picture == (columns >= 80)
    if not picture:
        assert f"  tunl-{lab}-r (forwards)" in lines
        assert "    v1 10.10.10.2/24 -- r:v1_p" in lines
    left_nothing(tunl, lab)


def test_installed(tmp_path):
    """`make install` puts them where a person finds them to copy."""
    run("make", "-C", ROOT, "-s", f"B={BUILD}", "-o", "all", "-o", "deps", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    there = {path.name: path.read_text() for path in (tmp_path / "usr/share/tunl/labs").iterdir()}
    assert there == {path.name: path.read_text() for path in (ROOT / "labs").glob("*.lab")}
