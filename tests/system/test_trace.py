# SPDX-License-Identifier: BSD-2-Clause
"""`tunl trace`: every packet once, by whom it was carried, and why it was dropped."""

import json
import os
import signal
import subprocess

import pytest
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import GRE
from scapy.packet import Raw

from net import wait_until
from tunnels import BUILD, Ends
from xfrm import Vti

PATIENCE = 60  # the kernel verifies programs first, on a machine with much else to do


class Trace:
    """A running `tunl trace`, its lines as they come."""

    def __init__(self, tunl, ns, *words):
        self.out, self.err = (open(tunl.rundir / f"trace.{os.urandom(4).hex()}", "w+") for _ in "oe")
        self.process = subprocess.Popen(["ip", "netns", "exec", str(ns), str(BUILD / "tunl"), "trace", *words],
                                        stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err,
                                        env=tunl.env)
        wait_until(lambda: "tracing" in self.errors() or self.process.poll() is not None, PATIENCE, "a trace")

    @staticmethod
    def read(file):
        return open(file.name).read()

    def errors(self):
        return self.read(self.err)

    def lines(self):
        return self.read(self.out).splitlines()

    def rows(self):
        return [json.loads(line) for line in self.read(self.out).split("\n")[:-1]]

    def wait(self, wanted):
        """The rows, or lines, for which wanted(row) holds, as soon as there is one."""
        source = self.rows if "-j" in self.process.args else self.lines
        return wait_until(lambda: [row for row in source() if wanted(row)], 20,
                          f"such a packet among {source()} {self.errors()}")

    def end(self, sig=signal.SIGINT):
        self.process.send_signal(sig)
        return self.process.wait(20)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.out.close()
        self.err.close()


@pytest.fixture
def trace(tunl):
    """A function that starts one: trace(ns, WORDS...)."""
    made = []

    def start(ns, *words):
        made.append(Trace(tunl, ns, *words))
        return made[-1]

    yield start
    for one in made:
        one.close()


def is_ping(row, kind, verdict="carried"):
    return row.get("inner", {}).get("type") == kind and row["verdict"] == verdict


def test_both_ways(ends, trace, datapath):
    e = ends().both()
    seen = trace(e.a, "-j")
    e.a.ping(e.B)
    sent = seen.wait(lambda row: is_ping(row, 8))
    back = seen.wait(lambda row: is_ping(row, 0))
    assert len(sent) == len(back) == 1, "each packet is told once"
    assert (sent[0]["dev"], sent[0]["direction"], sent[0]["datapath"]) == ("tun1", "tx", datapath)
    assert (back[0]["dev"], back[0]["direction"], back[0]["datapath"]) == ("tun1", "rx", datapath)
    assert sent[0]["outer"]["src"] == e.net.A and sent[0]["outer"]["dst"] == e.net.B
    assert sent[0]["outer"]["proto"] == 4 and sent[0]["outer"]["len"] == 104
    assert sent[0]["inner"]["src"] == e.A and sent[0]["inner"]["dst"] == e.B and sent[0]["inner"]["len"] == 84
    assert back[0]["link"] == "v1"
    assert seen.end() == 0 and "0 lost" in seen.errors()


def test_a_line_of_text(ends, trace, datapath):
    e = ends().both()
    seen = trace(e.a)
    e.a.ping(e.B)
    line = seen.wait(lambda text: "echo request" in text)[0]
    assert line.split(" ", 1)[1] == (f"tun1 tx {datapath} 10.10.10.2 > 10.10.20.2 ipip 104: "
                                     f"{e.A} > {e.B} icmp echo request 84: carried")


def test_count_and_filters(ends, trace, tunl):
    e = ends().both()
    tunl(e.a, f"add tun2 mode gre remote 10.10.20.9 local 10.10.10.2 datapath {e.datapath}")
    e.up(e.a, "10.9.9.1", "10.9.9.2", "tun2")
    counted = trace(e.a, "tun1", "rx", "-c", "2")
    peer, other = trace(e.a, "peer", "10.10.20.2", "tx", "-j"), trace(e.a, "-j", "dev", "tun2", "peer", "10.0.0.0/8")
    e.a.ping(e.B, "-c", "2")
    assert counted.process.wait(20) == 0
    assert len(counted.lines()) == 2 and all(" tun1 rx " in line for line in counted.lines())
    e.a.ping("10.9.9.2", "-W", "1", check=False)
    assert {row["dev"] for row in other.wait(lambda row: is_ping(row, 8))} == {"tun2"}
    assert {(row["dev"], row["direction"]) for row in peer.wait(lambda row: is_ping(row, 8))} == {("tun1", "tx")}
    assert {row["outer"]["dst"] for row in peer.rows()} == {"10.10.20.2"}


def inner():
    return IP(src="10.10.200.1", dst="10.10.100.1") / ICMP()


def test_strangers(ends, trace):
    """Packets of no tunnel are shown, with who sends them and what would take them."""
    e = ends().both()
    seen = trace(e.a, "drop", "-j")
    wire = e.net.wire_to_a()
    wire.send(IP(src="10.9.9.9", dst=e.net.A) / inner())
    row = seen.wait(lambda row: row["outer"]["src"] == "10.9.9.9")[0]
    assert row["reason"] == "rx-no-tunnel" and row["dev"] == "v1" and row["verdict"] == "dropped"
    assert row["text"] == "outer source 10.9.9.9 is no peer of any tunnel"
    assert "tunl add NAME mode ipip remote 10.9.9.9 local 10.10.10.2" in row["remedy"]
    assert "peers 10.9.9.9" in row["remedy"]
    wire.send(IP(src=e.net.B, dst=e.net.A) / GRE() / inner())
    row = seen.wait(lambda row: row["outer"]["proto"] == 47)[0]
    assert row["text"] == "tun1 has these addresses, but is of mode ipip, and the packet is gre"
    wire.close()


def test_reasons(ends, trace, tunl):
    """Drops of the tunnel's own: congestion marks, sources that are no peers."""
    e = ends().both()
    tunl(e.a, f"add many mode ipip local 10.10.10.2 peers 10.7.0.0/16 datapath {e.datapath}")
    e.up(e.a, "10.8.8.1", "10.8.8.2", "many")
    seen = trace(e.a, "drop", "-j")
    wire = e.net.wire_to_a()
    wire.send(IP(src=e.net.B, dst=e.net.A, tos=3) / inner())
    row = seen.wait(lambda row: row["reason"] == "rx-ecn")[0]
    assert row["dev"] == "tun1" and "RFC 6040" in row["remedy"]
    wire.send(IP(src="10.6.6.6", dst=e.net.A) / inner())
    row = seen.wait(lambda row: row["reason"] == "rx-peer")[0]
    assert row["dev"] == "many" and row["datapath"] == e.datapath
    assert row["text"] == "outer source 10.6.6.6 is no peer of many"
    assert "tunl change many peers 10.7.0.0/16,10.6.6.6" in row["remedy"]
    only = trace(e.a, "reason", "rx-peer", "-c", "1")
    wire.send(IP(src="10.6.6.7", dst=e.net.A) / inner())
    assert only.process.wait(20) == 0 and "10.6.6.7" in only.lines()[0]
    wire.close()


def test_wrong_key(tunl, underlay, datapath, trace):
    e = Ends(tunl, underlay(), datapath)
    tunl(e.a, f"add gre1 mode gre remote 10.10.20.2 local 10.10.10.2 key 5 datapath {datapath}")
    e.up(e.a, e.A, e.B, "gre1")
    seen = trace(e.a, "drop", "rx", "-j")
    wire = e.net.wire_to_a()
    wire.send(IP(src=e.net.B, dst=e.net.A) / GRE(key_present=1, key=7, proto=0x800) / inner())
    row = seen.wait(lambda row: row["outer"].get("key") == 7)[0]
    assert row["text"] == "gre1 has these addresses, but takes key 5, and the packet bears key 7"
    assert "tunl change gre1 ikey 7" in row["remedy"]
    wire.close()


def test_sent_and_dropped(tunl, underlay, datapath, trace):
    """No route to the outer destination: the packet never had an outer header."""
    e = Ends(tunl, underlay(), datapath)
    e.add(e.a, "remote 10.10.20.2 local 10.10.10.2")
    e.up(e.a, e.A, e.B)
    e.a.ip("route del default")
    seen = trace(e.a, "drop", "-j")
    e.a.ping(e.B, "-W", "1", check=False)
    row = seen.wait(lambda row: row.get("inner", {}).get("type") == 8)[0]
    assert row["reason"] == "tx-no-route" and row["direction"] == "tx" and row["dev"] == "tun1"
    assert row["remedy"] == "see `ip route get 10.10.20.2 from 10.10.10.2`"


def programs(ns, dev, side):
    return ns.run("tc", "filter", "show", "dev", dev, side).stdout


def test_costs_nothing_when_off(tunl, underlay, trace):
    """While nobody traces, the programs on the devices are those without a word of it."""
    e = Ends(tunl, underlay(), "bpf").both()
    before = programs(e.a, "tun1", "egress"), programs(e.a, "v1", "ingress")
    tags = [text.split("tag ")[1].split()[0] for text in before]
    first, second = trace(e.a, "-j"), trace(e.a, "-j")
    during = programs(e.a, "tun1", "egress"), programs(e.a, "v1", "ingress")
    assert all(tag not in text for tag, text in zip(tags, during))
    e.a.ping(e.B)
    for one in first, second:
        one.wait(lambda row: is_ping(row, 0))
    assert first.end() == 0
    e.a.ping(e.B)
    wait_until(lambda: len(second.wait(lambda row: is_ping(row, 0))) == 2, 20, "the second trace goes on")
    assert second.end() == 0
    wait_until(lambda: tags[0] in programs(e.a, "tun1", "egress") and tags[1] in programs(e.a, "v1", "ingress"),
               PATIENCE, "the programs without it")
    e.a.ping(e.B)


def test_a_slow_reader_is_told_what_it_lost(ends, trace):
    e = ends().both()
    seen = trace(e.a, "-j")
    os.kill(seen.process.pid, signal.SIGSTOP)
    for _ in range(4):
        e.a.run("ping", "-q", "-f", "-c", "5000", "-s", "8", e.B)
    os.kill(seen.process.pid, signal.SIGCONT)
    lost = wait_until(lambda: sum(row["lost"] for row in seen.rows() if "lost" in row), 30, "a loss told")
    e.a.ping(e.B, "-c", "3")
    assert lost > 0
    assert seen.end() == 0
    shown, told = (int(word) for word in seen.errors().splitlines()[-1].split() if word.isdigit())
    assert told >= lost and shown + told >= 20000, "what was lost is counted"


def test_goes_on_with_another_engine_and_ends_with_the_daemon(ends, trace, tunl):
    e = ends().both()
    seen = trace(e.a, "-j")
    parent, engine = tunl.parent_and_engine()
    tunl.kill(engine)
    wait_until(lambda: len(tunl.pids()) == 2, 20, "another engine")

    def heard():
        e.a.ping(e.B, "-W", "1", check=False)
        return [row for row in seen.rows() if is_ping(row, 0)]

    wait_until(heard, 30, "packets after the engine's end")
    tunl.kill(parent)
    assert seen.process.wait(20) == 1
    assert "tunld or the last tunnel is gone" in seen.errors()


def test_a_tunnel_that_comes_and_the_last_that_goes(tunl, underlay, trace):
    """bpf is loaded while a trace runs: its packets are told, too."""
    e = Ends(tunl, underlay(), "bpf")
    tunl(e.a, "add slow mode ipip remote 10.10.20.9 local 10.10.10.2 datapath user")
    seen = trace(e.a, "-j")
    e.both()
    e.a.ping(e.B)
    assert seen.wait(lambda row: is_ping(row, 8))[0]["datapath"] == "bpf"
    tunl(e.a, "del tun1")
    tunl(e.a, "del slow")
    assert seen.process.wait(20) == 1


def test_vti_shows_what_is_inside(tunl, underlay, trace):
    net = underlay()
    Vti(tunl, net).devices().policies().states()
    seen = trace(net.a, "-j")
    net.a.ping("10.0.0.2")
    assert seen.wait(lambda row: is_ping(row, 8))[0]["direction"] == "tx"
    back = seen.wait(lambda row: is_ping(row, 0))[0]
    assert back["outer"]["proto"] == 50 and back["inner"]["src"] == "10.0.0.2"


def test_refused(tunl, underlay):
    net = underlay()
    assert "there is no tunnel" in tunl.refused(net.a, "trace", status=1).stderr
    tunl(net.b, "add tun1 mode ipip remote 10.10.10.2")
    assert "no tunnel in this network namespace" in tunl.refused(net.a, "trace", status=1).stderr
    assert "Cannot find device" in tunl.refused(net.b, "trace nodev", status=1).stderr
    assert "rx-ecn" in tunl.refused(net.b, "trace reason nonsense", status=255).stderr
    for words in "trace -c 0", "trace -c", "trace -x", "trace peer x", "trace dev":
        tunl.refused(net.b, words, status=255)
    done = net.b.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", BUILD / "tunl", "trace",
                     env=tunl.env, check=False)
    assert done.returncode == 1, "strangers' packets are for the privileged"
