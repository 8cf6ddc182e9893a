# SPDX-License-Identifier: BSD-2-Clause
"""ESP: GB/s a processor beside `openssl speed`, and vti end to end beside other tunnels that encipher."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile

import report
from net import Underlay, run, wait_until
from tunnels import Tunl
from xfrm import GCM, Vti

BUILD = pathlib.Path(os.environ["TUNL_BUILD"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZE, SECONDS = 1420, 3
CIPHERS = ("aes-128-gcm", "aes-256-gcm", "chacha20-poly1305")


def openssl(cipher):
    """GB/s of processor time, sealing: that is all it measures."""
    text = run("openssl", "speed", "-seconds", "1", "-bytes", str(SIZE), "-mr", "-evp", cipher).stdout
    return float(next(line for line in text.splitlines() if line.startswith("+F:")).split(":")[-1]) / 1e9


def ours(cipher):
    text = run(BUILD / "test/ipsec_speed", str(SIZE), "1000", cipher).stdout
    return {row.split()[1]: float(row.split()[2]) for row in text.splitlines()}


def ciphers(say, rounds):
    table = report.Table("cipher", f"GB/s of {SIZE}-byte packets inside, one processor, medians of {rounds}",
                         ("openssl speed", "ESP sealed", "ESP opened", "sealed/openssl"), plot="ESP sealed")
    for cipher in CIPHERS:
        bare, seal, opened = [], [], []
        for turn in range(rounds):
            say(f"{cipher}, turn {turn + 1}")
            bare.append(openssl(cipher))
            done = ours(cipher)
            seal.append(done["seal"])
            opened.append(done["open"])
        values = [statistics.median(v) for v in (bare, seal, opened)]
        table.add(cipher, *values, values[1] / values[0])
    return table


class Both:
    """A daemon an end, as on two machines."""

    def __init__(self, *spaces):
        self.of = {str(ns): Tunl() for ns in spaces}
        for tunl in self.of.values():
            tunl.env["TUNL_XFRM"] = "own"

    def __call__(self, ns, *words, **more):
        return self.of[str(ns)](ns, *words, **more)

    def close(self):
        for tunl in self.of.values():
            tunl.close()


class Peers:
    """Tunnels of four kinds over one underlay, up at once; each turn one of them is busy."""

    def __init__(self):
        self.net, self.running = Underlay(f"bench{os.getpid()}"), []
        self.tunl = Both(self.net.a, self.net.b)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tunl-bench-"))
        self.ends = ((self.net.a, "10.10.10.2", "10.10.20.2", 1), (self.net.b, "10.10.20.2", "10.10.10.2", 2))

    def vti(self):
        Vti(self.tunl, self.net).all(GCM)
        return "10.0.0.2"

    def start(self, ns, *words):
        log = open(self.folder / f"log{len(self.running)}", "w")
        self.running.append(subprocess.Popen(["ip", "netns", "exec", str(ns), *map(str, words)],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT))
        log.close()

    def openvpn(self):
        prints = {}
        for _, _, _, me in self.ends:
            run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                "2", "-subj", f"/CN=end{me}", "-keyout", self.folder / f"key{me}", "-out", self.folder / f"cert{me}")
            prints[me] = run("openssl", "x509", "-in", self.folder / f"cert{me}", "-noout", "-fingerprint",
                             "-sha256").stdout.strip().split("=")[1]
        for ns, own, far, me in self.ends:
            self.start(ns, "openvpn", "--dev", "ovpn", "--dev-type", "tun", "--proto", "udp", "--local", own, "--remote",
                       far, "--ifconfig", f"10.2.0.{me}", f"10.2.0.{3 - me}", "--tls-client" if me == 1 else "--tls-server",
                       "--cert", self.folder / f"cert{me}", "--key", self.folder / f"key{me}", "--dh", "none",
                       "--peer-fingerprint", prints[3 - me], "--data-ciphers", "AES-128-GCM", "--cipher", "AES-128-GCM",
                       "--disable-dco")
        return "10.2.0.2"

    def wireguard(self):
        keys = {}
        for _, _, _, me in self.ends:
            secret = run("wg", "genkey").stdout.strip()
            (self.folder / f"wg{me}").write_text(secret)
            keys[me] = run("wg", "pubkey", input=secret).stdout.strip()
        for ns, _, far, me in self.ends:
            name = f"wg{os.getpid() % 10000}x{me}"
            self.start(ns, "wireguard-go", "-f", name)
            wait_until(lambda ns=ns, name=name: ns.link(name), 20)
            ns.run("wg", "set", name, "private-key", self.folder / f"wg{me}", "listen-port", "51820", "peer", keys[3 - me],
                   "allowed-ips", "10.3.0.0/24", "endpoint", f"{far}:51820")
            ns.ip(f"addr add 10.3.0.{me}/24 dev {name}", f"link set {name} up")
        return "10.3.0.2"

    def rate(self, address):
        """Gb/s of one TCP stream."""
        server = self.net.b.popen("iperf3", "-s", "-1", "-p", "5301")
        try:
            wait_until(lambda: ":5301" in self.net.b.run("ss", "-ltnH").stdout, 10)
            done = self.net.a.run("iperf3", "-c", address, "-p", "5301", "-t", str(SECONDS), "-J", timeout=60)
            return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"] / 1e9
        finally:
            server.kill()
            server.communicate()

    def close(self):
        for process in self.running:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
        self.tunl.close()
        self.net.delete()
        shutil.rmtree(self.folder, ignore_errors=True)


def ends(say, rounds):
    table = report.Table("ends", f"Gb/s of one TCP stream, end to end, {rounds} turns",
                         ("median", "least", "most"), plot="median")
    peers = Peers()
    try:
        addresses = {"bare path": "10.10.20.2", "tunl vti, AES-128-GCM": peers.vti()}
        for label, program, make in (("OpenVPN, AES-128-GCM", "openvpn", peers.openvpn),
                                     ("wireguard-go", "wireguard-go", peers.wireguard)):
            if shutil.which(program):
                addresses[label] = make()
        for label, address in addresses.items():
            say(f"waiting for {label}")
            wait_until(lambda address=address: peers.net.a.ping(address, "-W", "1", check=False).returncode == 0, 30)
        rates = {label: [] for label in addresses}
        for turn in range(rounds):
            for label, address in addresses.items():
                say(f"{label}, turn {turn + 1}")
                rates[label].append(peers.rate(address))
        for label, values in rates.items():
            table.add(label, statistics.median(values), min(values), max(values))
    finally:
        peers.close()
    return table


def measure(say, rounds):
    run("make", "-C", ROOT, "-s", f"B={BUILD.resolve()}", f"{BUILD.resolve()}/test/ipsec_speed", timeout=600)
    return [ciphers(say, rounds), ends(say, rounds)], {}
