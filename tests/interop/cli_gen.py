# SPDX-License-Identifier: BSD-2-Clause
"""Command lines from a seed: valid, nearly valid and wrong, in sequences of add, change,
delete, show, prl, 6rd and `ip link`. The words are those of cli_words.py."""

import random

from cli_words import (ALIASES, BAD_GLOBALS, BAD_MODES, BAD_OBJECTS, BAD_VERBS, FLAGS, GARBAGE, GLOBALS, KEYWORDS,
                       LINK_BAD_MODES, LINK_ENCAP, LINK_FLAGS, LINK_GARBAGE, LINK_MODES, MODES, NAMES, OBJECTS, VALUES, VERBS)

ADD = {"mode": 0.92, "remote": 0.75, "local": 0.7, "dev": 0.2, "ttl": 0.3, "tos": 0.3, "df": 0.2}
CHANGE = {"mode": 0.35, "remote": 0.4, "local": 0.4, "dev": 0.15, "ttl": 0.35, "tos": 0.35, "df": 0.3}
FIND = {"mode": 0.25, "remote": 0.2, "local": 0.2, "dev": 0.1, "ttl": 0.05, "tos": 0.03, "df": 0.03}
# For each verb: how likely each option is, that there is a name, and that it comes first
LIKELY = {"add": (ADD, 0.85, 0.8), "change": (CHANGE, 0.9, 0.85), "delete": (FIND, 0.8, 0.8), "show": (FIND, 0.4, 0.8)}
LINK_ADD = {"remote": 0.8, "local": 0.7, "dev": 0.2, "ttl": 0.3, "tos": 0.2}
LINK_SET = {"remote": 0.3, "local": 0.3, "dev": 0.15, "ttl": 0.3, "tos": 0.3}


class Generator:
    def __init__(self, seed, modes):
        self.random, self.wrong = random.Random(seed), 0
        self.modes = [MODES[m] for m in modes]
        self.verbs = sorted({verb for mode in self.modes for verb in mode.verbs})

    def choose(self, values):
        return self.random.choice(values)

    def chance(self, p):
        return self.random.random() < p

    def value(self, kind):
        good, wrong = VALUES[kind]
        return self.choose(wrong if self.chance(self.wrong) else good)

    def spoil(self, parts, garbage):
        """Now and then an option twice, a word too many, a word too few."""
        if parts and self.chance(self.wrong / 3):
            parts.insert(self.random.randint(0, len(parts)), list(self.choose(parts)))
        if self.chance(self.wrong / 3):
            parts.insert(self.random.randint(0, len(parts)), [self.choose(garbage)])
        words = [word for part in parts for word in part]
        if words and self.chance(self.wrong / 4):
            words.pop()
        return words

    # ip tunnel add, change, delete, show

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
        if self.chance(0.015):
            return mode.fallback
        return self.choose(mode.names) if self.chance(0.2) else self.choose(NAMES[0])

    def parts(self, mode, likely):
        """Groups of words, each an option with what belongs to it."""
        kinds = [kind for kind, p in likely.items() if self.chance(p)]
        extra = [k for k in mode.options for _ in range(2) if self.chance(0.25)]
        if self.chance(self.wrong / 2):
            extra.append(self.choose(("key", "flag", "mode", "ttl", "remote", "df", "dev", "tos")))
        return [self.option(mode, kind) for kind in kinds + extra]

    def config(self, mode, likely, name_p, name_first_p):
        parts = self.parts(mode, likely)
        self.random.shuffle(parts)
        if self.chance(self.wrong / 8):
            parts.insert(self.random.randint(0, len(parts)), ["mode", self.choose(self.choose(self.modes).words)])
        if self.chance(name_p):
            words = [self.name(mode)]
            if self.chance(0.1):
                words = ["name", self.choose(KEYWORDS) if self.chance(0.3) else words[0]]
            parts.insert(0 if self.chance(name_first_p) else self.random.randint(0, len(parts)), words)
        return self.spoil(parts, GARBAGE)

    def front(self):
        wrong = self.chance(self.wrong / 8)
        words = [*self.choose(BAD_GLOBALS if wrong else GLOBALS)]
        return [*words, self.choose(BAD_OBJECTS if self.chance(self.wrong / 12) else OBJECTS)]

    def tunnel(self, verb):
        mode, front = self.choose(self.modes), self.front()
        if self.chance(self.wrong / 8):
            return [*front, self.choose(BAD_VERBS), *self.config(mode, FIND, 0.5, 0.5)]
        words = self.config(mode, *LIKELY[verb])
        if verb == "show" and not words and self.chance(0.3):
            return front
        return [*front, self.choose(VERBS[verb]), *words]

    # ip tunnel 6rd, prl

    def sit_verb(self, verbs, parts, garbage):
        """A verb of sit's: `dev NAME` and what to do, in any order."""
        if self.chance(0.95):
            parts.append(["dev", self.name(self.choose([m for m in self.modes if m.verbs] + self.modes))])
        self.random.shuffle(parts)
        return [*self.front(), self.choose(verbs), *self.spoil(parts, garbage)]

    def sixrd(self):
        parts = [[kind] if kind == "6rd-reset" else [kind, self.value(kind)]
                 for kind, p in (("6rd-prefix", 0.6), ("6rd-relay_prefix", 0.3), ("6rd-reset", 0.15)) if self.chance(p)]
        return self.sit_verb(("6rd", "6rd", "6", "6r"), parts,
                             ("bogus", "t1", "6rd-relay-prefix", "help", "6rd-res", "name", "", "6rd-prefix", "dev", "mode"))

    def prl(self):
        parts = [[self.choose(("prl-default", "prl-nodefault", "prl-nodefault", "prl-delete")), self.value("router")]
                 for _ in range(self.choose((0, 1, 1, 1, 2)) if self.chance(self.wrong) else 1)]
        return self.sit_verb(("prl", "prl", "p", "pr"), parts,
                             ("bogus", "t1", "prl", "help", "prl-def", "name", "", "prl-default", "dev", "any"))

    def routers(self):
        """An isatap tunnel with so many routers that not all are shown."""
        name = self.choose(NAMES[0])
        yield ["tunnel", "add", name, "mode", "isatap", "local", "10.1.0.1"]
        for number in range(self.random.randint(14, 18)):
            yield ["tunnel", "prl", "dev", name, self.choose(("prl-default", "prl-nodefault")), f"10.7.0.{number}"]
        yield ["tunnel", "show", name]
        yield ["-j", "tunnel", "show", name]

    # ip link

    def link_word(self, kind, word):
        """gre's words may be cut short."""
        return word[:self.random.randint(1, len(word))] if kind == "gre" and self.chance(0.12) else word

    def link_parts(self, kind, likely):
        parts = [[self.link_word(kind, self.choose(ALIASES.get(k, (k,)))), self.value(k)] for k, p in likely.items()
                 if self.chance(p)]
        if self.chance(0.3):
            parts.append([self.link_word(kind, self.choose(("pmtudisc", "nopmtudisc")))])
        if LINK_MODES[kind] and self.chance(0.5):
            parts.append(["mode", self.choose(LINK_BAD_MODES if self.chance(self.wrong) else LINK_MODES[kind])])
        if LINK_FLAGS[kind]:
            parts += [[self.link_word(kind, self.choose(LINK_FLAGS[kind]))] for _ in range(2) if self.chance(0.3)]
        if kind == "gre" and self.chance(0.35):
            parts.append([self.link_word(kind, self.choose(ALIASES["key"])), self.value("key")])
        if self.chance(0.1):
            parts.append(["fwmark", self.value("fwmark")])
        if self.chance(0.05):
            parts.append(self.choose(([self.choose(LINK_ENCAP)], ["encap", self.value("encap")],
                                      [self.choose(("encap-sport", "encap-dport")), self.value("port")])))
        if kind != "gre" and self.chance(0.12 if kind == "sit" else 0.04):
            word = self.choose(("6rd-prefix", "6rd-relay_prefix"))
            parts.append([word, self.value(word)])
        return parts

    def rtnl(self):
        """`ip link add|set NAME type KIND ...`"""
        kind = self.choose([m.kind for m in self.modes if m.kind])
        verb = self.choose(("add", "add", "a", "set", "set", "change", "replace"))
        create = verb in ("add", "a", "replace")
        parts = self.link_parts(kind, LINK_ADD if create else LINK_SET)
        self.random.shuffle(parts)
        if self.chance(0.03):
            parts = []
        words = self.spoil(parts, LINK_GARBAGE)
        name = self.choose(NAMES[1] if self.chance(self.wrong / 2) else NAMES[0])
        front = ["name", name] if create and self.chance(0.4) else ["dev", name] if self.chance(0.4) else [name]
        if create and self.chance(0.1):
            front += self.choose((["mtu", "1300"], ["up"], ["txqueuelen", "77"], ["mtu", "70000"], ["mtu", "60"]))
        return ["link", verb, *front, "type", kind, *words]

    def link(self):
        """What else befalls a tunnel; handed to the real `ip` by tunl's."""
        name = self.choose(NAMES[0])
        return self.choose((["link", "set", name, "up"], ["link", "set", name, "down"], ["link", "del", name],
                            ["link", "set", name, "mtu", self.choose(("68", "1280", "1300", "9000"))],
                            ["link", "del", "d1"], ["link", "set", "d0", "mtu", "1300"],
                            ["addr", "add", "10.50.0.1/24", "dev", name]))

    def details(self):
        """`ip -d link show`: the tunnel's part of it is compared."""
        front = self.choose((["-d"], ["-d"], ["-d", "-j"], ["-d", "-o"], ["-d", "-j", "-p"]))
        name = self.choose(NAMES[0])
        kind = self.choose([m.kind for m in self.modes if m.kind])
        return [*front, "link", self.choose(("show", "list", "sh")),
                *self.choose(([name], ["dev", name], [], ["type", kind], ["dev", name, "type", kind]))]

    def command(self):
        pick = self.random.random()
        # Most commands have nothing wrong with them, else no sequence gets far.
        self.wrong = self.choose((0, 0, 0, 0.08, 0.3))
        if pick < 0.05:
            return self.link()
        if pick < 0.14:
            return self.rtnl()
        if pick < 0.16:
            return self.details()
        if pick < 0.24 and self.verbs:
            return getattr(self, self.choose(self.verbs))()
        verb = "add" if pick < 0.52 else "change" if pick < 0.74 else "delete" if pick < 0.86 else "show"
        return self.tunnel(verb)

    def sequence(self):
        if self.chance(0.01) and self.verbs:
            return list(self.routers())
        return [self.command() for _ in range(self.random.randint(1, 8))]
