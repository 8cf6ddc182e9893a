# SPDX-License-Identifier: BSD-2-Clause
"""Two vti ends with associations and policies between them."""

import itertools

GCM = "aead rfc4106(gcm(aes)) 0x000102030405060708090a0b0c0d0e0fa0a1a2a3 128"
K16 = "0x000102030405060708090a0b0c0d0e0f"
K20 = K16 + "10111213"
K32 = K16 + "101112131415161718191a1b1c1d1e1f"
SUITES = {
    "gcm-128": GCM,
    "gcm-192-icv12": f"aead rfc4106(gcm(aes)) {K16}1011121314151617a0a1a2a3 96",
    "gcm-256-icv8": f"aead rfc4106(gcm(aes)) {K32}a0a1a2a3 64",
    "chacha": f"aead rfc7539esp(chacha20,poly1305) {K32}a0a1a2a3 128",
    "cbc-sha1": f"enc cbc(aes) {K16} auth-trunc hmac(sha1) {K20} 96",
    "cbc-sha256": f"enc cbc(aes) {K32} auth-trunc hmac(sha256) {K32} 128",
    "cbc-sha256-96": f"enc cbc(aes) {K16} auth hmac(sha256) {K32}",
    "cbc-sha384": f"enc cbc(aes) {K16}1011121314151617 auth-trunc hmac(sha384) {K32}{K16[2:]} 192",
    "cbc-sha512": f"enc cbc(aes) {K16} auth-trunc hmac(sha512) {K32}{K32[2:]} 256",
}
NETS = ("0.0.0.0/0", "::/0")


class Vti:
    """vti1 at both ends of an underlay: 10.0.0.1 and .2, 2001:db8::1 and ::2 inside."""

    def __init__(self, tunl, net, keys=(5, 7)):
        self.tunl, self.net, self.keys = tunl, net, keys
        self.outer = ("10.10.10.2", "10.10.20.2")
        self.ns = (net.a, net.b)
        self._spi = itertools.count(0x1001)
        self.spis = []

    def ip(self, end, words, command="state", **more):
        return self.tunl(self.ns[end], *f"xfrm {command}".split(), *words.split(), **more)

    def devices(self):
        for end, (ns, key) in enumerate(zip(self.ns, self.keys)):
            own, far = self.outer[end], self.outer[1 - end]
            self.tunl(ns, f"add vti1 mode vti remote {far} local {own} key {key}")
            ns.ip("link set vti1 up", f"addr add 10.0.0.{end + 1}/24 dev vti1",
                  f"addr add 2001:db8::{end + 1}/64 dev vti1 nodad")
        return self

    def policies(self):
        for end, key in enumerate(self.keys):
            own, far = self.outer[end], self.outer[1 - end]
            for net in NETS:
                for way, src, dst in (("out", own, far), ("in", far, own)):
                    self.ip(end, f"add src {net} dst {net} dir {way} mark {key} "
                            f"tmpl src {src} dst {dst} proto esp reqid 1 mode tunnel", "policy")
        return self

    def states(self, suite=GCM, more="replay-window 64", ends=(0, 1)):
        """A pair of associations, known to both ends; their SPIs."""
        made = []
        for src, dst in ((0, 1), (1, 0)):
            spi = next(self._spi)
            for end in filter(ends.__contains__, (dst, src)):  # who receives has it first
                self.ip(end, f"add src {self.outer[src]} dst {self.outer[dst]} proto esp spi {spi} reqid 1 "
                        f"mode tunnel mark {self.keys[end]} flag af-unspec {more} {suite}")
            made.append((self.outer[dst], spi))
        self.spis.append(made)
        return made

    def drop(self, made, end):
        for dst, spi in made:
            self.ip(end, f"delete src 0.0.0.0 dst {dst} proto esp spi {spi} mark {self.keys[end]}")

    def xfrm(self, end):
        """The Xfrm counters that are not 0."""
        lines = self.tunl(self.ns[end], "-s xfrm").stdout.splitlines()
        return {name: int(n) for name, n in map(str.split, lines) if int(n)}

    def all(self, suite=GCM, more="replay-window 64"):
        self.devices().policies().states(suite, more)
        return self
