# SPDX-License-Identifier: BSD-2-Clause
"""The words of the random command lines: what is good, what is nearly so, what is wrong.
Few good values, so that tunnels meet again and clash."""

import collections

# words: of `mode`; names: that tell the mode; kind: of `ip link`; options: that the mode has besides the common ones
Mode = collections.namedtuple("Mode", "words names fallback kind options verbs", defaults=((), ()))
MODES = {
    "ipip": Mode(("ipip", "ip/ip"), ("ipip1", "ipipX", "ipip%d", "ipip0"), "tunl0", "ipip"),
    "gre": Mode(("gre", "gre/ip"), ("gre1", "greX", "gre%d", "gretap9"), "gre0", "gre", ("key", "flag")),
    "sit": Mode(("sit", "ipv6/ip"), ("sit1", "sitX", "sit%d"), "sit0", "sit", (), ("sixrd", "prl")),
    "isatap": Mode(("isatap",), ("isatap1", "isatapX"), "sit0", None, (), ("sixrd", "prl")),
}

# What stands behind a word: (good values, wrong values).
ADDRESSES = (
    ("10.1.0.1", "10.1.0.2", "10.2.0.2", "192.0.2.1", "10.9.9.9", "any", "0.0.0.0", "default", "10.8", "0x0a.1.0.2",
     "224.1.1.1", "239.255.255.255", "255.255.255.255", "127.0.0.1", "240.0.0.1", "0.0.0.1", "10.1.0.1", "10.1.0.2",
     "10.1.0.2"),
    ("10.1.0.256", "foo", "1.2.3.4.5", "", "10.1.0.1/24", "fe80::1", "10..1", "1.", "-1", "+10.1.0.2", " 10.1.0.2",
     "all", "010.1.0.2", "0x", "1.2.3.-4", "::", "10.1.0.2 ", "inherit", "0", "10", "0xffffffff", "4294967295", "256",
     "10.256", "10.1.2.0x1f", "08.1.1.1", "localhost", "ANY", "anyx", ".1", "1.2.3.4.", "\t10.1.0.2", "10,1",
     "99999999999999999999", "1.2.3.18446744073709551617", "1e1.2"))
NUMBER_EDGES = ("", "-0", "+5", "-1", "00", "09", "0b1", "1e1", "1.0", "0x", "0x1g", " 7", "7 ", "99999999999999999999",
                "4294967295", "4294967296", "18446744073709551616", "0xffffffffffffffff", "foo", "any", "inherit ")
VALUES = {
    "remote": ADDRESSES,
    "local": ADDRESSES,
    "dev": (("d0", "d1", "lo", "d0", "if99", "if1"),
            ("nosuch", "", "3", "if", "ifx", "waytoolongfordevice", "d0/", "if0", "if-1", "if+1", "if 1", "if0x1", "if1x", "if01",
             "if4294967297", "any", "D0", "t1")),
    "ttl": (("0", "1", "64", "255", "inherit", "0x40", "010", "64", "0xff", "0377"),
            ("256", "-1", "foo", "", "Inherit", "64x", "09", "1 ", "0x100", "inherit/1", *NUMBER_EDGES)),
    "tos": (("0", "10", "0x10", "ff", "inherit", "inherit/10", "inherit/0x4", "EF", "CS6", "AF11", "default", "1", "3",
             "b8", "10/20", "inherit/EF", "fe", "CS1", "AF43", "0xfc", "2", "00b8"),
            ("100", "zz", "inherit/", "inherit/zz", "", "cs6", "-1", "0x", "inheri", "1 ", "inherit/100", "inherit/-1",
             "/", "/10", "10/", "10/zz", "inherit/inherit", "CS8", "ef0", "0x0x1", "AF", "1-2", *NUMBER_EDGES)),
    "key": (("5", "0", "1.2.3.4", "0x10", "4294967295", "10.1", "5", "0xffffffff", "010", "0.0.0.5", "0.0"),
            ("any", "1.2.3.4.5", "x", "1.2.x", "5.", ".5", "default", "256.1", "1.2.3.4/8", "5/", *NUMBER_EDGES)),
    "fwmark": (("0", "1", "0x10", "0xffffffff", "16"), ("4294967296", "foo", "", "-1", "1/2", *NUMBER_EDGES)),
    "router": (("10.1.0.9", "10.1.0.8", "10.1.0.7", "10.1.0.9", "any"),
               ("10.1.0.256", "foo", "", "10.1.0.9/32", "255.255.255.255", "224.1.1.1", "127.0.0.1", "::1", "10.1")),
    "6rd-prefix": (("2001:db8::/32", "2001:db8::/16", "2002::/16", "any", "2001:db8:1::/48", "fd00::/8", "2001:db8::/40",
                    "::/0", "2001:db8:0:1::/64", "fc00::/7"),
                   ("2001:db8::1/32", "10.0.0.0/8", "2001:db8::/129", "foo", "", "2001:db8::", "2001:db8::/65", "2001::/-1",
                    "2001:db8::/", "/32", "2001:db8::/32/", "2001:db8::/0x20", "2001:db8::/ffff::", "default", "all",
                    "::ffff:10.0.0.0/96", "2001:DB8::/32", "2001:db8:::/32", "2001:db8::/032", "2001:db8::%d0/32", "::")),
    "6rd-relay_prefix": (("10.0.0.0/8", "10.1.0.0/16", "any", "0.0.0.0/0", "10.1.0.9/32", "10.1.0.0/255.255.0.0",
                          "10.0.0.0/7", "10.1.0.9"),
                         ("10.1.0.9/8", "fe80::/10", "10.0.0.0/33", "foo", "", "10/8", "10.0.0.0/", "10.0.0.0/-1",
                          "10.0.0.0/255.0.255.0", "10.0.0.0/0x8", "10.0.0.0/08", "/8", "default", "10.0.0.0/8/8", "0/0")),
    "encap": (("none",), ("foo", "", "NONE")),
    "port": (("0", "5555", "65535", "auto"), ("65536", "-1", "foo", "", "0x10000")),
}
ALIASES = {"ttl": ("ttl", "ttl", "hoplimit", "hlim"),
           "tos": ("tos", "tos", "tclass", "dsfield", "ds", "d", "dsf", "dsfiel"),
           "key": ("key", "ikey", "okey")}
FLAGS = ("seq", "iseq", "oseq", "csum", "icsum", "ocsum")
NAMES = (("t1", "t2", "t3", "t1", "t2"),
         ("a/b", "abcdefghijklmnop", "a b", "", "a:b", "s%s", "a%d%d", "x%d", "lo", "d0", "tunl1", "nosuch",
          "abcdefghijklmno", "a%", "%d", "t\u00e9", ".", "..", "...", "-", "--", "-4", "if3", "any", "all", "default", "inherit",
          "T1", "t1 ", "\tt1", "t1\n", "%", "%%", "%%d", "t%5d", "abcdefghijklm%d", "abcdefghijklmn%d", "tun%d", "tunl%d",
          "0", "12345", "t1@x", "t1:", "\u65e5\u672c\u8a9e\u65e5\u672c", "\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e",
          "gre", "ipip", "sit", "isatap", "GRE1", "xgre1", "tunl", "\\", "\"", "'", "$x", "*", "a\\b", "a\x01b", "t1\x7f"))
# After `name`, or as the first word: what would else be taken for an option.
KEYWORDS = ("mode", "remote", "h", "he", "help", "d", "ds", "key", "seq", "name", "ttl", "pmtudisc", "dev")
BAD_MODES = ("foo", "", "IPIP", "ipi", "ipv4/ipv4", "ipip ", "ip", "GRE", "any/ip", "mplsip", "mpls/ip", "gretap", "ip6ip",
             "ipv6/ipv4", "mode", "gre/", "/ip", "ip/ipip", "isata", "isatap/ip", "sit/ip", "ipip/ip", "erspan", "udp")
GARBAGE = ("bogus", "t2", "key", "fwmark", "encap", "external", "TTL", "noseq", "h", "ttl", "help", "hel", "helpx", "nokey",
           "ignore-df", "ignore_df", "noencap", "6rd-prefix", "prl-default", "up", "type", "nopmtu", "pmtu", "remot",
           "dsfieldx", "dsx", "tosx", "--", "-s", "", "mtu", "keyx", "namex", "icsu", "dev", "name", "mode")
VERBS = {"add": ("add", "add", "a", "ad"), "change": ("change", "change", "c", "chg", "cha"),
         "delete": ("delete", "del", "d", "de"), "show": ("show", "s", "list", "lst", "l", "ls", "sh", "li", "lis")}
BAD_VERBS = ("replace", "get", "set", "foo", "", "Add", "adds", "he", "help", "shown", "lis ", "changes", "deletes", "6rdx",
             "prlx", "-s", "h", "x", "monitor", "lists", "lsts", "deleted", " add")
OBJECTS = ("tunnel",) * 6 + ("tunn", "tu", "t", "tunl", "tun", "tunne")
BAD_OBJECTS = ("tunnels", "Tunnel", "tunlx", "tunel", "")
GLOBALS = ((),) * 6 + (("-4",), ("-s",), ("-d",), ("-o",), ("-N",), ("-j",), ("-j", "-p"), ("-s", "-s"), ("-f", "inet"),
                       ("-c",), ("-s", "-o"), ("-r",), ("-c=never",), ("-details",), ("-oneline",), ("-h",), ("-iec",), ("-br",),
                       ("-s", "-j"), ("-j", "-o"), ("-p",), ("-d", "-s", "-j", "-p"), ("-stat",), ("-json",), ("-pretty",),
                       ("--json",), ("-c=always",), ("-c=auto", "-o"), ("-Numeric", "-j"), ("-force",), ("-t",), ("-a",),
                       ("-family", "inet"), ("-4", "-s"), ("-rc", "100000"), ("-l", "3"), ("-brief", "-s"), ("-echo",))
BAD_GLOBALS = (("-foo",), ("-x",), ("-f", "foo"), ("-f", "link"), ("-f", "mpls"), ("-0",), ("-n", "nosuch"), ("-c=sometimes",),
               ("-rc", "x"), ("-",), ("--",), ("---s",), ("-f", "INET"), ("-ss",), ("-js",), ("-S",), ("-netns", ""), ("-l", "x"))
# `ip link`: (word, kind of value or None), and the words of gre that a prefix will do for
LINK_FLAGS = {"gre": ("seq", "csum", "iseq", "oseq", "icsum", "ocsum", "noseq", "nocsum", "noiseq", "nooseq", "noicsum", "noocsum",
                      "nokey", "noikey", "nookey", "ignore-df", "noignore-df"),
              "ipip": (), "sit": ("isatap",)}
LINK_MODES = {"ipip": ("ipip", "any", "ipip", "ip4ip4", "ipv4/ipv4", "mplsip", "mpls/ipv4", "any/ipv4"),
              "sit": ("ip6ip", "any", "ipip", "ip6ip", "ipv6/ipv4", "ip4ip4", "mplsip", "any/ipv6"), "gre": ()}
LINK_BAD_MODES = ("foo", "", "ip6ip6", "ip6ip", "gre", "IPIP", "sit", "ip/ip", "any/ip")
LINK_ENCAP = ("noencap", "encap-csum", "noencap-csum", "encap-udp6-csum", "noencap-udp6-csum", "encap-remcsum",
              "noencap-remcsum")
LINK_GARBAGE = ("bogus", "ttl", "remote", "dev", "h", "help", "n", "i", "x", "", "type", "name", "mode", "key", "isatap", "tc",
                "external", "up", "vti", "mtu", "rem", "loc", "pmtu", "nopm")
