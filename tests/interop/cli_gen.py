# SPDX-License-Identifier: BSD-2-Clause
"""Command lines from a seed: valid, nearly valid and wrong, in sequences of add, change,
delete and show. Few values, so that tunnels meet again and clash."""

import collections
import random

# words: of `mode`; names: that tell the mode; kind: of `ip link`; options: that the mode has besides the common ones
Mode = collections.namedtuple("Mode", "words names fallback kind options verbs", defaults=((), ()))
MODES = {
    "ipip": Mode(("ipip", "ip/ip"), ("ipip1", "ipipX", "ipip%d", "ipip0"), "tunl0", "ipip"),
    "gre": Mode(("gre", "gre/ip"), ("gre1", "greX", "gre%d", "gretap9"), "gre0", "gre", ("key", "flag")),
    "sit": Mode(("sit", "ipv6/ip"), ("sit1", "sitX", "sit%d"), "sit0", "sit", (), ("sixrd", "prl")),
    "isatap": Mode(("isatap",), ("isatap1", "isatapX"), "sit0", None, (), ("sixrd", "prl")),
    "vti": Mode(("vti",), ("vti0", "vtiX", "vti%d"), "ip_vti0", "vti", ("key",)),
}

# What stands behind a word: (good values, wrong values).
ADDRESSES = (
    ("10.1.0.1", "10.1.0.2", "10.2.0.2", "192.0.2.1", "10.9.9.9", "any", "0.0.0.0", "default", "10.8", "0x0a.1.0.2",
     "224.1.1.1", "255.255.255.255", "127.0.0.1", "10.1.0.1", "10.1.0.2", "10.1.0.2"),
    ("10.1.0.256", "foo", "1.2.3.4.5", "", "10.1.0.1/24", "fe80::1", "10..1", "1.", "-1", "+10.1.0.2", " 10.1.0.2",
     "all", "010.1.0.2", "0x", "1.2.3.-4", "::", "10.1.0.2 "))
VALUES = {
    "remote": ADDRESSES,
    "local": ADDRESSES,
    "dev": (("d0", "d1", "lo", "d0", "if99"), ("nosuch", "", "3", "if", "ifx", "waytoolongfordevice", "d0/")),
    "ttl": (("0", "1", "64", "255", "inherit", "0x40", "010", "64"), ("256", "-1", "foo", "", "Inherit", "64x", "09", "1 ")),
    "tos": (("0", "10", "0x10", "ff", "inherit", "inherit/10", "inherit/0x4", "EF", "CS6", "AF11", "default", "1", "3",
             "b8", "10/20", "inherit/EF"), ("100", "zz", "inherit/", "inherit/zz", "", "cs6", "-1", "0x", "inheri", "1 ")),
    "key": (("5", "0", "1.2.3.4", "0x10", "4294967295", "10.1"), ("4294967296", "-1", "any", "", "1.2.3.4.5", "x", "1.2.x")),
}
VALUES["router"] = (("10.1.0.9", "10.1.0.8", "10.1.0.9", "any"), ("10.1.0.256", "foo", ""))
VALUES["6rd-prefix"] = (("2001:db8::/32", "2001:db8::/16", "2002::/16", "any", "2001:db8:1::/48", "fd00::/8"),
                        ("2001:db8::1/32", "10.0.0.0/8", "2001:db8::/129", "foo", "", "2001:db8::", "2001:db8::/65"))
VALUES["6rd-relay_prefix"] = (("10.0.0.0/8", "10.1.0.0/16", "any", "0.0.0.0/0", "10.1.0.9/32", "10.1.0.0/255.255.0.0"),
                              ("10.1.0.9/8", "fe80::/10", "10.0.0.0/33", "foo", "", "10/8"))
ALIASES = {"ttl": ("ttl", "ttl", "hoplimit", "hlim"), "tos": ("tos", "tos", "tclass", "dsfield", "ds", "d"),
           "key": ("key", "ikey", "okey")}
FLAGS = ("seq", "iseq", "oseq", "csum", "icsum", "ocsum")
NAMES = (("t1", "t2", "t3", "t1", "t2"),
         ("a/b", "abcdefghijklmnop", "a b", "", "a:b", "s%s", "a%d%d", "x%d", "lo", "d0", "tunl1", "nosuch",
          "abcdefghijklmno", "a%", "%d", "t\u00e9"))
BAD_MODES = ("foo", "", "IPIP", "ipi", "ipv4/ipv4", "ipip ", "ip", "GRE")
VERBS = {"add": ("add", "add", "a", "ad"), "change": ("change", "change", "c", "chg", "cha"),
         "delete": ("delete", "del", "d", "de"), "show": ("show", "s", "list", "lst", "l", "ls", "sh")}
BAD_VERBS = ("replace", "get", "set", "foo", "", "Add", "adds", "he", "help", "shown", "lis ")
OBJECTS = ("tunnel",) * 6 + ("tunn", "tu", "t", "tunl")
GLOBALS = ((),) * 6 + (("-4",), ("-s",), ("-d",), ("-o",), ("-N",), ("-j",), ("-j", "-p"), ("-s", "-s"), ("-f", "inet"),
                       ("-c",), ("-s", "-o"), ("-r",), ("-c=never",), ("-details",), ("-oneline",))


class Generator:
    def __init__(self, seed, modes, families=()):
        self.random, self.families, self.wrong = random.Random(seed), families, 0
        self.modes = [MODES[m] for m in modes]

    def choose(self, values):
        return self.random.choice(values)

    def chance(self, p):
        return self.random.random() < p

    def value(self, kind):
        good, wrong = VALUES[kind]
        return self.choose(wrong if self.chance(self.wrong) else good)

    def option(self, mode, kind):
        if kind == "df":
            return [self.choose(("pmtudisc", "nopmtudisc", "nopmtudisc"))]
        if kind == "flag":
            return [self.choose(FLAGS)]
        if kind == "mode":
            bad = self.chance(self.wrong)
            return ["mode", self.choose(BAD_MODES) if bad else self.choose(mode.words)]
        return [self.choose(ALIASES.get(kind, (kind,))), self.value(kind)]

    def name(self, mode):
        if self.chance(self.wrong):
            return self.choose(NAMES[1])
        return self.choose(mode.names) if self.chance(0.2) else self.choose(NAMES[0])

    def parts(self, mode, likely):
        """Groups of words, each an option with what belongs to it."""
        kinds = [kind for kind, p in likely.items() if self.chance(p)]
        extra = [k for k in mode.options if self.chance(0.4)]
        if self.chance(self.wrong / 2):
            extra.append(self.choose(("key", "flag", "mode", "ttl", "remote", "df")))
        return [self.option(mode, kind) for kind in kinds + extra]

    def config(self, mode, likely, name_p, name_first_p):
        parts = self.parts(mode, likely)
        self.random.shuffle(parts)
        if self.chance(name_p):
            name = self.name(mode)
            words = ["name", name] if self.chance(0.1) else [name]
            parts.insert(0 if self.chance(name_first_p) else self.random.randint(0, len(parts)), words)
        if self.chance(self.wrong / 3):
            parts.insert(self.random.randint(0, len(parts)),
                         [self.choose(("bogus", "t2", "key", "fwmark", "encap", "external", "TTL", "noseq", "h", "ttl"))])
        words = [word for part in parts for word in part]
        if words and self.chance(self.wrong / 4):
            words.pop()
        return words

    ADD = {"mode": 0.92, "remote": 0.75, "local": 0.7, "dev": 0.2, "ttl": 0.3, "tos": 0.3, "df": 0.2}
    CHANGE = {"mode": 0.35, "remote": 0.4, "local": 0.4, "dev": 0.15, "ttl": 0.35, "tos": 0.35, "df": 0.3}
    FIND = {"mode": 0.25, "remote": 0.2, "local": 0.2, "dev": 0.1, "ttl": 0.05, "tos": 0.03, "df": 0.03}

    def tunnel(self, verb):
        mode = self.choose(self.modes)
        front = [*self.choose(GLOBALS), self.choose(OBJECTS)]
        if self.chance(self.wrong / 8):
            return [*front, self.choose(BAD_VERBS), *self.config(mode, self.FIND, 0.5, 0.5)]
        likely, name_p, first_p = {"add": (self.ADD, 0.85, 0.8), "change": (self.CHANGE, 0.9, 0.85),
                                   "delete": (self.FIND, 0.8, 0.8), "show": (self.FIND, 0.4, 0.8)}[verb]
        words = self.config(mode, likely, name_p, first_p)
        if verb == "show" and not words and self.chance(0.3):
            return front
        return [*front, self.choose(VERBS[verb]), *words]

    def sixrd(self):
        words = [["dev", self.name(self.choose(self.modes))]] if self.chance(0.95) else []
        for kind, p in (("6rd-prefix", 0.6), ("6rd-relay_prefix", 0.3), ("6rd-reset", 0.15)):
            if self.chance(p):
                words.append([kind] if kind == "6rd-reset" else [kind, self.value(kind)])
        if self.chance(self.wrong / 3):
            words.append([self.choose(("bogus", "t1", "6rd-relay-prefix", "help"))])
        self.random.shuffle(words)
        return ["tunnel", self.choose(("6rd", "6rd", "6")), *(w for part in words for w in part)]

    def prl(self):
        words = [["dev", self.name(self.choose(self.modes))]] if self.chance(0.95) else []
        for _ in range(2 if self.chance(self.wrong / 2) else 1):
            words.append([self.choose(("prl-default", "prl-nodefault", "prl-nodefault", "prl-delete")), self.value("router")])
        if self.chance(self.wrong / 3):
            words.append([self.choose(("bogus", "t1", "prl", "help"))])
        self.random.shuffle(words)
        return ["tunnel", self.choose(("prl", "prl", "p")), *(w for part in words for w in part)]

    def rtnl(self):
        """`ip link add|set ... type KIND`: what has no number of its own is left to the golden cases."""
        mode = self.choose([m for m in self.modes if m.kind])
        parts = [[k, self.value(k)] for k, p in (("remote", 0.8), ("local", 0.7), ("dev", 0.2)) if self.chance(p)]
        if mode.kind != "vti":
            parts += [[k, self.value(k)] for k, p in (("ttl", 0.3), ("tos", 0.2)) if self.chance(p)]
            parts += [[self.choose(("pmtudisc", "nopmtudisc"))]] if self.chance(0.3) else []
        if mode.kind in ("ipip", "sit") and self.chance(0.4):
            parts.append(["mode", self.choose(("ipip", "any") if mode.kind == "ipip" else ("ip6ip", "any", "ipip"))])
        if mode.kind == "gre" and self.chance(0.5):
            parts.append(self.choose((["key", "5"], ["ikey", "5"], ["okey", "1.2.3.4"], ["seq"], ["csum"], ["noseq"], ["nokey"])))
        if self.chance(self.wrong / 3):
            parts.append([self.choose(("bogus", "ttl", "remote"))])
        self.random.shuffle(parts)
        verb, name = self.choose(("add", "add", "set")), self.choose(NAMES[0])
        return ["link", verb, "name" if verb == "add" else "dev", name, "type", mode.kind, *(w for p in parts for w in p)]

    def link(self):
        """What else befalls a tunnel; handed to the real `ip` by tunl's."""
        name = self.choose(NAMES[0])
        return self.choose((["link", "set", name, "up"], ["link", "set", name, "down"], ["link", "del", name],
                            ["link", "set", name, "mtu", self.choose(("68", "1280", "1300", "9000"))],
                            ["link", "del", "d1"], ["link", "set", "d0", "mtu", "1300"],
                            ["addr", "add", "10.50.0.1/24", "dev", name]))

    def command(self):
        pick = self.random.random()
        # Most commands have nothing wrong with them, else no sequence gets far.
        self.wrong = self.choose((0, 0, 0, 0.08, 0.3))
        if pick < 0.06:
            return self.link()
        if pick < 0.12 and "link" in self.families:
            return self.rtnl()
        verbs = sorted({verb for mode in self.modes for verb in mode.verbs})
        if pick < 0.2 and verbs:
            return getattr(self, self.choose(verbs))()
        verb = "add" if pick < 0.5 else "change" if pick < 0.72 else "delete" if pick < 0.85 else "show"
        return self.tunnel(verb)

    def sequence(self):
        return [self.command() for _ in range(self.random.randint(1, 8))]
