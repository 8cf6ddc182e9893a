# SPDX-License-Identifier: BSD-2-Clause
"""`ip -d link show` and `ip -d addr show` tell our devices as the drivers' (spec cli 3.4); all else is as it is."""

import json
import os
import pty
import re
import subprocess

import pytest
from ip_helpers import IP, REAL, Ip
from net import Netns


@pytest.fixture
def ns(prefix):
    space = Netns(prefix)
    space.ip("link add v1 type veth peer name v2", "link set v1 up", "addr add 10.5.0.1/24 dev v1")
    yield space
    space.delete()


@pytest.fixture
def ip(tunl, ns):
    ip = Ip(tunl)
    ip(ns, "tunnel add t1 mode ipip local 1.1.1.1 remote 2.2.2.2")
    ip(ns, "link set t1 up")
    ip(ns, "addr add 10.0.0.1 peer 10.0.0.2 dev t1")
    return ip


def line(text, n):
    return text.splitlines()[n]


def test_three_lines(ip, ns):
    text = ip.detail(ns, "t1")
    assert re.match(r"\d+: t1@NONE: <POINTOPOINT,", text)
    assert re.match(r"    link/ipip 1\.1\.1\.1 peer 2\.2\.2\.2 promiscuity 0  ?allmulti 0 minmtu 68 maxmtu 65515 $", line(text, 1))
    assert line(text, 2).startswith("    ipip ipip remote 2.2.2.2 local 1.1.1.1 ttl inherit pmtudisc addrgenmode ")
    assert "tun type" not in text and len(text.splitlines()) == 3


@pytest.mark.parametrize("words,detail,addresses,suffix", [
    ("tunnel add t2 mode ipip local 1.1.1.1 ttl 64 tos inherit", "ipip ipip remote any local 1.1.1.1 ttl 64 tos inherit pmtudisc ",
     "1.1.1.1 brd 0.0.0.0", "NONE"),
    ("tunnel add t2 mode ipip remote 3.3.3.3 tos EF dev v1", "ipip ipip remote 3.3.3.3 local any dev v1 ttl inherit tos 0xb8 pmtudisc ",
     "0.0.0.0 peer 3.3.3.3", "v1"),
    ("tunnel add t2 mode ipip local 1.1.1.1 remote 3.3.3.3 tos 11 nopmtudisc",
     "ipip ipip remote 3.3.3.3 local 1.1.1.1 ttl inherit tos 0x11 nopmtudisc ", "1.1.1.1 peer 3.3.3.3", "NONE"),
    ("link add t2 type ipip local 1.1.1.1", "ipip any remote any local 1.1.1.1 ttl inherit pmtudisc ", "1.1.1.1 brd 0.0.0.0", "NONE"),
    ("link add t2 type ipip local 1.1.1.1 mode mplsip", "ipip mplsip remote any local 1.1.1.1 ttl inherit pmtudisc ",
     "1.1.1.1 brd 0.0.0.0", "NONE"),
    ("link add t2 type ipip local 1.1.1.1 fwmark 16", "ipip any remote any local 1.1.1.1 ttl inherit pmtudisc fwmark 0x10 ",
     "1.1.1.1 brd 0.0.0.0", "NONE"),
])
def test_each_item(ip, ns, words, detail, addresses, suffix):
    ip(ns, words)
    text = ip.detail(ns, "t2")
    assert f": t2@{suffix}: <" in line(text, 0)
    assert line(text, 1).startswith(f"    link/ipip {addresses} promiscuity 0 ")
    assert line(text, 2).startswith(f"    {detail}addrgenmode ")


def test_json(ip, ns):
    ip(ns, "tunnel add t2 mode ipip remote 3.3.3.3 tos 11 dev v1")
    one, two = (json.loads(ip(ns, f"-d -j link show {name}").stdout)[0] for name in ("t1", "t2"))
    assert one["linkinfo"] == {"info_kind": "ipip", "info_data": {
        "proto": "ipip", "remote": "2.2.2.2", "local": "1.1.1.1", "ttl": 0, "pmtudisc": True}}
    assert two["linkinfo"]["info_data"] == {
        "proto": "ipip", "remote": "3.3.3.3", "local": "any", "link": "v1", "ttl": 0, "tos": "0x11", "pmtudisc": True}
    assert list(one)[:3] == ["ifindex", "link", "ifname"]
    assert (one["link"], two["link"]) == (None, "v1")
    assert (one["link_type"], one["address"], one["link_pointtopoint"], one["broadcast"]) == ("ipip", "1.1.1.1", True, "2.2.2.2")
    assert (one["min_mtu"], one["max_mtu"]) == (68, 65515)


SHOWS = ["link", "link show", "l l", "l sh", "link lst", "addr", "a s", "address show", "-s link", "-s -s link", "-4 addr", "-6 addr",
         "-o link", "-o addr", "-c link", "-c=always addr", "-j link", "-j addr", "-j -p link", "-j -p addr", "-p -j -s link",
         "link show up", "link show dev v1", "link show dev nosuch", "link show type veth", "addr show to 10.0.0.0/8", "-t link",
         "link show group default"]


def others(text):
    """What is said of devices other than t1."""
    return re.sub(r"(?ms)^\d+: (\033\[\d+m)?t1[@: ].*?(?=^\d+: |\Z)", "", text)


@pytest.mark.parametrize("words", [w for w in SHOWS if "-j" not in w])
def test_all_else_is_untouched(ip, ns, words):
    ours, real = (ip(ns, "-d " + words, check=False, real=real) for real in (False, True))
    assert (ours.returncode, ours.stderr) == (real.returncode, real.stderr)
    assert others(ours.stdout) == others(real.stdout)
    if "tun type tun" in real.stdout and "-o addr" not in words:
        assert "ipip ipip remote 2.2.2.2 local 1.1.1.1 ttl inherit pmtudisc " in ours.stdout
    rest = re.compile(r"@NONE|(?<=link/ipip )\S+ peer \S+|tun type tun.*?persist on (?:user \S+ group \S+ )?|ipip ipip.*?pmtudisc |maxmtu \d+")
    assert rest.sub("", ours.stdout) == rest.sub("", real.stdout)


@pytest.mark.parametrize("words", [w for w in SHOWS if "-j" in w])
def test_json_is_laid_out_as_the_real_one(ip, ns, words):
    """Of other devices byte for byte; of ours the same members in the same layout."""
    ours, real = (ip(ns, "-d " + words, real=real).stdout for real in (False, True))
    pick = re.compile(r'"linkinfo": ?\{\s*"info_kind": ?"(?:tun|ipip)",\s*"info_data": ?\{[^}]*\}\s*\}|"link": ?null,\s*'
                      r'|(?<="link_type":)\s*"ipip",\s*"address":\s*"[\d.]+"|(?<="broadcast":)\s*"[\d.]+"|"max_mtu": ?\d+')
    assert pick.sub("", ours) == pick.sub("", real)
    assert ours != real


def test_pretty_layout(ip, ns):
    text = ip(ns, "-d -j -p link show t1").stdout
    assert text.startswith('[ {\n        "ifindex": ') and text.endswith("\n    } ]\n")
    assert ('        "linkinfo": {\n            "info_kind": "ipip",\n            "info_data": {\n'
            '                "proto": "ipip",\n                "remote": "2.2.2.2",\n') in text


@pytest.mark.parametrize("words", ["link", "addr", "-j link", "-br link", "-d -br link", "-s link", "-d route", "-d neigh"])
def test_without_details_nothing_changes(ip, ns, words):
    ours, real = (ip(ns, words, real=real).stdout for real in (False, True))
    assert ours == real


def test_colours_of_a_terminal(ip, ns):
    """-c=auto looks at our stdout, not at the pipe between us and the real ip."""
    def on_terminal(program):
        leader, follower = pty.openpty()
        with subprocess.Popen([REAL, "netns", "exec", str(ns), program, "-c=auto", "-d", "link", "show", "t1"],
                              stdout=follower, stdin=subprocess.DEVNULL, env=ip.env) as done:
            assert done.wait(10) == 0
        with open(leader, "rb", buffering=0) as out:
            os.close(follower)
            text = b""
            try:
                while more := out.read(4096):
                    text += more
            except OSError:  # the end of a terminal
                pass
        return text.decode()

    ours, real = on_terminal(IP), on_terminal(REAL)
    assert real.count("\033[36m") == ours.count("\033[36m") == 1
    assert "\033[36mt1@NONE: " in ours
    assert "\033[33m1.1.1.1\033[0m peer \033[33m2.2.2.2\033[0m" in ours


@pytest.mark.parametrize("words", ["link show", "l l", "addr show", "-d link sh", "-d a s", "-br link show", "-o link show",
                                   "-o addr show", "-c link show", "-br -c addr lst", "-s link show", "-4 addr show"])
def test_by_kind(ip, ns, words):
    """`type ipip` shows what it shows of the device by name, and of no other TUN device."""
    ns.ip("tuntap add other mode tun")
    of_kind = ip(ns, f"{words} type ipip").stdout
    assert of_kind == ip(ns, f"{words} dev t1").stdout
    assert "t1" in of_kind and "other" not in of_kind


@pytest.mark.parametrize("words", ["-j link show", "-j -d addr show", "-j -p link show", "-j -br link show"])
def test_by_kind_json(ip, ns, words):
    ns.ip("tuntap add other mode tun")
    of_kind, by_name = (ip(ns, f"{words} {tail}").stdout for tail in ("type ipip", "dev t1"))
    assert of_kind.replace(" {},", "").replace("{},", "") == by_name.replace(" {},", "").replace("{},", "")
    assert [row["ifname"] for row in json.loads(of_kind)] == ["t1"]


def test_by_kind_none(ip, ns):
    ip(ns, "tunnel del t1")
    for words in ("link show type ipip", "-d link show type ipip", "link show type sit", "-j addr show type ipip"):
        ours, real = (ip(ns, words, check=False, real=real) for real in (False, True))
        assert (ours.returncode, ours.stdout, ours.stderr) == (real.returncode, real.stdout, real.stderr)


def test_renamed_and_removed(ip, ns):
    ns.ip("link set t1 down", "link set t1 name other")
    assert re.match(r"\d+: other@NONE: ", ip.detail(ns, "other"))
    ns.ip("link del other")
    assert ip(ns, "-d link").stdout == ip(ns, "-d link", real=True).stdout


def test_output_that_nobody_takes(ip, ns):
    done = subprocess.run([REAL, "netns", "exec", str(ns), "sh", "-c", f"{IP} -d link > /dev/full"], env=ip.env,
                          capture_output=True)
    assert done.returncode != 0
