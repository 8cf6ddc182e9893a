# SPDX-License-Identifier: BSD-2-Clause
"""`ip link add|set|replace ... type ipip`: spec cli 3 and the cases C159-C177 of its section 5."""

import json
import re

import pytest
from ip_helpers import REAL, Ip
from net import Netns, run, wait_until


@pytest.fixture
def ns(prefix):
    space = Netns(prefix)
    yield space
    space.delete()


@pytest.fixture
def ip(tunl):
    return Ip(tunl)


USAGE = r"(?s)Usage: \.\.\. ipip .*\[ remote ADDR \].*"
SHOWN = "t1: any/ip remote 2.2.2.2 local 1.1.1.1 ttl inherit\n"

# setup, command, status, what stderr is (a regular expression), device, what `ip tunnel show` says of it
CASES = {
    "C159": ([], "t1 type ipip local 1.1.1.1 remote 2.2.2.2", 0, "", "t1", SHOWN),
    "C160": ([], "t1 type ipip local 1.1.1.1 remote 2.2.2.2 mode ipip", 0, "", "t1", SHOWN.replace("any/", "ip/")),
    "C161": ([], "t1 type ipip local 1.1.1.1 ttl 5 nopmtudisc", 255,
             "ttl != 0 and nopmtudisc are incompatible\n", "t1", ""),
    "C162": ([], "t1 type ipip local 1.1.1.1 key 5", 1, USAGE, "t1", ""),
    "C170": (["n1 type ipip local 1.1.1.1"], "n2 type ipip local 1.1.1.1", 2,
             "RTNETLINK answers: File exists\n", "n2", ""),
    "C171": ([], "b type ipip local 1.1.1.1", 1, '"type" is invalid lladdr.\n', "b", ""),
    "C172": ([], "name b type ipip local 1.1.1.1", 0, "", "b",
             "b: any/ip remote any local 1.1.1.1 ttl inherit\n"),
    # no fallback device stands in the first one's way: doc/compat.md
    "C173": (["t0 type ipip"], "t1 type ipip", 2, "RTNETLINK answers: File exists\n", "t1", ""),
    "C174": ([], "t1 type ipip local foo", 1, 'Error: inet address is expected rather than "foo".\n', "t1", ""),
    "C175": ([], "t1 type ipip local 1.1.1.1 dev nosuch", 255, 'Cannot find device "nosuch"\n', "t1", ""),
    "C176": ([], "abcdefghijklmnop type ipip local 1.1.1.1", 2,
             "Error: Attribute failed policy validation.\n", None, ""),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_add(ip, ns, case):
    setup, command, status, stderr, device, shown = case
    for words in setup:
        ip(ns, "link add " + words)
    done = ip(ns, "link add " + command, check=False)
    assert done.returncode == status, done.stderr
    assert re.fullmatch(stderr if stderr is USAGE else re.escape(stderr), done.stderr)
    assert done.stdout == ""
    if device:
        assert ip(ns, f"tunnel show {device}").stdout == shown


def test_set_may_not_change_class(ip, ns):
    """C177."""
    ip(ns, "link add t1 type ipip local 1.1.1.1 remote 2.2.2.2")
    done = ip(ns, "link set t1 type ipip remote any", check=False)
    assert (done.returncode, done.stderr) == (2, "RTNETLINK answers: Invalid argument\n")
    assert ip(ns, "tunnel show t1").stdout == SHOWN


REFUSED_AS_REAL = [
    "t1 type ipip ttl 999", "t1 type ipip ttl", "t1 type ipip ttl -1", "t1 type ipip hlim x", "t1 type ipip tos zz",
    "t1 type ipip tos inherit/10", "t1 type ipip tc 100", "t1 type ipip local foo", "t1 type ipip remote 1.2.3.4.5",
    "t1 type ipip local 1.2.3.256", "t1 type ipip mode foo", "t1 type ipip mode ip6ip", "t1 type ipip fwmark foo",
    "t1 type ipip encap foo", "t1 type ipip encap-sport foo", "t1 type ipip encap-dport auto",
    "t1 type ipip 6rd-prefix foo", "t1 type ipip 6rd-relay_prefix foo", "t1 type ipip dev nosuch",
    "t1 type ipip d 5", "t1 type ipip ds", "t1 type ipip ttl 5 nopmtudisc", "t1 mtu foo type ipip local 1.1.1.1",
    "t1 type ipip nopmtudisc local 1.1.1.1 hoplimit 9", "name t1 t2 type ipip", "a/b type ipip", "t1 type",
    "t1 link nosuch type ipip local 1.1.1.1", "name a/b type ipip local 1.1.1.1",
    "abcdefghijklmnopq type ipip ttl 999", "name abcdefghijklmnop type ipip",
]


@pytest.mark.parametrize("words", REFUSED_AS_REAL)
def test_refused_in_the_real_words(ip, ns, words):
    """The client's own checks come before the kernel's: the real ip tells them on this kernel too."""
    ours, real = (ip(ns, "link add " + words, check=False, real=real) for real in (False, True))
    assert (ours.returncode, ours.stdout, ours.stderr) == (real.returncode, real.stdout, real.stderr)
    assert real.returncode in (1, 255)
    assert ip(ns, "tunnel show").stdout == ""


ADDED = {
    "": "remote any local any ttl inherit nopmtudisc",
    "ttl inherit": None,
    "local 10.8": "remote any local 10.8.0.0 ttl inherit",
    "local 1.1.1.1 local 1.1.1.2": "remote any local 1.1.1.2 ttl inherit",
    "local 1.1.1.1 ttl 5": "remote any local 1.1.1.1 ttl 5",
    "local 1.1.1.1 ttl 5 hlim inherit": "remote any local 1.1.1.1 ttl inherit",
    "local 1.1.1.1 hoplimit 0x10": "remote any local 1.1.1.1 ttl 16",
    "local 1.1.1.1 tos 10": "remote any local 1.1.1.1 ttl inherit tos 0x10",
    "local 1.1.1.1 tclass EF": "remote any local 1.1.1.1 ttl inherit tos EF",
    "local 1.1.1.1 ds inherit": "remote any local 1.1.1.1 ttl inherit tos inherit",
    "local 1.1.1.1 tc 11": "remote any local 1.1.1.1 ttl inherit tos inherit/0x10",
    "local 1.1.1.1 nopmtudisc": "remote any local 1.1.1.1 ttl inherit nopmtudisc",
    "local 1.1.1.1 nopmtudisc pmtudisc": "remote any local 1.1.1.1 ttl inherit",
    "local 1.1.1.1 d lo": "remote any local 1.1.1.1 dev lo ttl inherit",
    "local 1.1.1.1 dev if1": "remote any local 1.1.1.1 dev lo ttl inherit",
    "remote 2.2.2.2 noencap encap none 6rd-prefix 2001:db8::/32": "remote 2.2.2.2 local any ttl inherit",
}


@pytest.mark.parametrize("options,shown", [(o, s) for o, s in ADDED.items() if s], ids=[o for o, s in ADDED.items() if s])
def test_options(ip, ns, options, shown):
    ip(ns, f"link add t1 type ipip {options}")
    proto = "any" if options else "ip"
    assert ip(ns, "tunnel show t1").stdout == f"t1: {proto}/ip {shown}\n"


@pytest.mark.parametrize("word,proto", [("ipip", "ip"), ("ipv4/ipv4", "ip"), ("ip4ip4", "ip"), ("mplsip", "mpls"),
                                        ("mpls/ipv4", "mpls"), ("any", "any"), ("any/ipv4", "any")])
def test_mode_words(ip, ns, word, proto):
    ip(ns, f"link add t1 type ipip local 1.1.1.1 mode {word}")
    assert ip(ns, "tunnel show").stdout == f"t1: {proto}/ip remote any local 1.1.1.1 ttl inherit\n"


def test_device_stands_in_the_way(ip, ns):
    for verb, text in (("add", "File exists"), ("replace", "Operation not supported")):
        done = ip(ns, f"link {verb} lo type ipip local 1.1.1.1", check=False)
        assert (done.returncode, done.stderr) == (2, f"RTNETLINK answers: {text}\n")


def test_replace_of_nothing_adds(ip, ns):
    ip(ns, "link replace t1 type ipip local 1.1.1.1 remote 2.2.2.2")
    assert ip(ns, "tunnel show").stdout == SHOWN


def test_default_names(ip, ns):
    ip(ns, "link add type ipip local 1.1.1.1 remote 2.2.2.2")
    ip(ns, "link add mtu 1400 up type ipip local 1.1.1.1 remote 2.2.2.3")
    ip(ns, "link add x%d txqueuelen 7 type ipip local 1.1.1.1 remote 2.2.2.4")
    assert re.findall(r"(?m)^\w+", ip(ns, "tunnel show").stdout) == ["ipip0", "ipip1", "x0"]
    assert ns.link("ipip1")["mtu"] == 1400 and "UP" in ns.link("ipip1")["flags"]
    assert ns.link("x0")["txqlen"] == 7


def test_name_said_twice(ip, ns):
    ip(ns, "link add name t1 t1 type ipip local 1.1.1.1 remote 2.2.2.2")
    assert ip(ns, "tunnel show").stdout == SHOWN


def test_generic_words(ip, ns):
    ip(ns, "link", "add", "dev", "t1", "address", "1.2.3.4", "mtu", "1300", "qlen", "77", "alias", "my tunnel", "up",
       "group", "7", "type", "ipip", "local", "1.1.1.1", "remote", "2.2.2.2")
    row = ns.link("t1")
    assert (row["mtu"], row["txqlen"], row["ifalias"], row["group"]) == (1300, 77, "my tunnel", "7")
    assert "UP" in row["flags"]


@pytest.mark.parametrize("asked,got", [(0, 68), (67, 68), (68, 68), (1480, 1480), (65515, 65515), (65516, 65515), (999999, 65515)])
def test_mtu_is_clamped(ip, ns, asked, got):
    ip(ns, f"link add t1 mtu {asked} type ipip local 1.1.1.1")
    assert ns.link("t1")["mtu"] == got


@pytest.mark.parametrize("words,status", [("txqueuelen x", 255), ("master nosuch", 255), ("addrgenmode foo", 255),
                                          ("multicast maybe", 1), ("master lo", 2)])
def test_what_cannot_be_set_undoes_the_device(ip, ns, words, status):
    done = ip(ns, f"link add t1 mtu 1400 {words} up type ipip local 1.1.1.1", check=False)
    assert done.returncode == status and done.stderr
    assert ip(ns, "tunnel show").stdout == "" and ns.link("t1") is None
    ip(ns, "link add t1 type ipip local 1.1.1.1")  # nothing of it is left


@pytest.mark.parametrize("word", ["index 77", "numtxqueues 2", "numrx 2", "link-netnsid 1"])
def test_words_that_cannot_be_had(ip, ns, word):
    done = ip(ns, f"link add t1 {word} type ipip local 1.1.1.1", check=False)
    assert done.returncode == 2
    assert re.fullmatch(r'Error: "[\w-]+" cannot be chosen for a tunnel device of tunl: leave it out\.\n', done.stderr)
    assert ns.link("t1") is None


def test_born_in_another_namespace(ip, ns, prefix):
    other = Netns(prefix + "o")
    try:
        ip(ns, f"link add t1 mtu 1400 netns {other} type ipip local 1.1.1.1 remote 2.2.2.2")
        assert ip(ns, "tunnel show").stdout == ""
        assert ip(other, "tunnel show").stdout == SHOWN
        assert other.link("t1")["mtu"] == 1400
        done = ip(ns, "link add t2 netns no-such-ns type ipip local 1.1.1.1", check=False)
        assert done.returncode == 255 and 'Invalid "netns" value' in done.stderr
    finally:
        other.delete()


def test_namespace_option(ip, ns):
    ip(None, f"-n {ns} link add t1 mtu 1400 type ipip local 1.1.1.1 remote 2.2.2.2")
    assert ip(None, f"-n {ns} tunnel show").stdout == SHOWN
    assert ns.link("t1")["mtu"] == 1400
    ip(None, f"-n {ns} tunnel add t2 mode ipip local 1.1.1.1 remote 2.2.2.3")
    ip(None, "-netns", str(ns), "link", "set", "t1", "type", "ipip", "ttl", "7")
    assert ip(None, f"-n {ns} t").stdout == (SHOWN.replace("inherit", "7") +
                                            "t2: ip/ip remote 2.2.2.3 local 1.1.1.1 ttl inherit\n")


class TestSet:
    @pytest.fixture
    def t1(self, ip, ns):
        ip(ns, "link add t1 type ipip local 1.1.1.1 remote 2.2.2.2 ttl 9 tos 10")

        def change(words, status=0, stderr=""):
            done = ip(ns, "link " + words, check=False)
            assert (done.returncode, done.stderr) == (status, stderr)
            return ip(ns, "tunnel show t1").stdout[:-1]

        return change

    def test_what_is_not_said_stays(self, t1):
        assert t1("set t1 type ipip remote 2.2.2.9") == "t1: any/ip remote 2.2.2.9 local 1.1.1.1 ttl 9 tos 0x10"
        assert t1("change dev t1 type ipip local 3.3.3.3") == "t1: any/ip remote 2.2.2.9 local 3.3.3.3 ttl 9 tos 0x10"

    def test_ttl_inherit_resets(self, t1):
        assert t1("s t1 ty ipip ttl inherit nopmtudisc") == \
            "t1: any/ip remote 2.2.2.2 local 1.1.1.1 ttl inherit tos 0x10 nopmtudisc"

    def test_ttl_rule_on_what_there_was(self, t1):
        t1("set t1 type ipip nopmtudisc", 255, "ttl != 0 and nopmtudisc are incompatible\n")

    def test_mode_is_taken_and_changes_nothing(self, t1):
        assert t1("set t1 type ipip mode ipip").startswith("t1: any/ip ")

    def test_generic_words_too(self, t1, ns):
        assert t1("set t1 mtu 1300 up type ipip ttl 3").endswith("ttl 3 tos 0x10")
        assert ns.link("t1")["mtu"] == 1300 and "UP" in ns.link("t1")["flags"]

    def test_without_options_only_those(self, t1, ns):
        assert t1("set t1 mtu 1301 type ipip").endswith("ttl 9 tos 0x10")
        assert ns.link("t1")["mtu"] == 1301

    def test_addresses_of_another(self, t1, ip, ns):
        ip(ns, "link add t2 type ipip local 1.1.1.1 remote 2.2.2.3")
        t1("set t1 type ipip remote 2.2.2.3", 2, "RTNETLINK answers: File exists\n")

    def test_bad_words(self, t1):
        t1("set t1 type ipip ttl 256", 255, 'Error: argument "256" is wrong: invalid TTL\n\n')
        t1("set t1 type ipip local x", 1, 'Error: inet address is expected rather than "x".\n')

    def test_by_its_new_name(self, t1, ip, ns):
        ip(ns, "link set t1 name n1")
        wait_until(lambda: ns.link("n1"))
        ip(ns, "link set n1 type ipip ttl 4")
        assert ip(ns, "tunnel show").stdout.endswith("ttl 4 tos 0x10\n")

    @pytest.mark.parametrize("words", ["lo type ipip local 1.1.1.1", "lo type ipip", "nosuch type ipip ttl 5",
                                       "v1 mtu 1400 type ipip", "abcdefghijklmnopqrst type ipip ttl 5"])
    def test_device_of_others(self, ip, ns, words):
        ns.ip("link add v1 type veth peer name v2")
        ours, real = (ip(ns, "link set " + words, check=False, real=real) for real in (False, True))
        assert (ours.returncode, ours.stdout, ours.stderr) == (real.returncode, real.stdout, real.stderr)


def test_no_daemon_is_started_for_others_devices(ip, ns, tunl):
    ip(ns, "link set lo type ipip")
    ip(ns, "-d link show")
    ip(ns, "tunnel show")
    assert not tunl.pids()


def test_ordinary_tools_delete(ip, ns):
    ip(ns, "link add t1 type ipip local 1.1.1.1 remote 2.2.2.2")
    ip(ns, "link del t1 type ipip")
    wait_until(lambda: ip(ns, "tunnel show").stdout == "")
    ip(ns, "link add t1 type ipip local 1.1.1.1 remote 2.2.2.2")
    assert json.loads(run(REAL, "-n", str(ns), "-j", "link", "show", "t1").stdout)[0]["ifname"] == "t1"
