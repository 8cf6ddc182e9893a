#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures in the virtual machine, whose clock counts instructions (tests/bench/instructions.py
starts it). Each way from a to b by a router has namespaces of its own, so that nobody pays
for another's programs. A line of JSON a figure."""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
sys.dont_write_bytecode = True
from net import Underlay, run, wait_until  # noqa: E402
from tunnels import BUILD, Tunl  # noqa: E402

MODES = {"ipip": "mode ipip", "gre": "mode gre", "gre key": "mode gre key 7", "sit": "mode sit"}
LOAD = BUILD / "bench/load"


class Spinner:
    """Keeps the processor busy while nothing else wants it: an idle one lets the machine's
    clock jump to the next timer, and time-outs strike while the disk is read."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        os.sched_setscheduler(self.process.pid, os.SCHED_IDLE, os.sched_param(0))

    def __enter__(self):
        self.process.send_signal(signal.SIGSTOP)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)


def inner(mode):
    return ("fd00:1::1", "fd00:1::2", "128") if mode == "sit" else ("10.9.0.1", "10.9.0.2", "32")


class Way:
    """Namespaces of their own, and a tunnel in them, or none ("bare", "bare6")."""

    def __init__(self, name, mode, add=None):
        self.net, self.mode, self.target = Underlay(name), mode, Underlay.B
        self.name = name
        for ns in (self.net.a, self.net.r, self.net.b):
            ns.sysctl(conf__all__rp_filter=0)
            # what the kernel sends by itself over one end finds the other not there yet
            v6 = int(mode not in ("sit", "bare6"))
            ns.run("sysctl", "-qw", *(f"net.ipv6.conf.{which}.disable_ipv6={v6}" for which in ("all", "default")))
        if add:
            self.tunnel(add)
        elif mode == "bare6":
            self.bare6()
        wait_until(lambda: self.net.a.ping(self.target, check=False).returncode == 0, 60, "an answer")

    def tunnel(self, add):
        own, peer, bits = inner(self.mode)
        self.target = peer
        ends = ((self.net.a, self.net.A, self.net.B, own, peer), (self.net.b, self.net.B, self.net.A, peer, own))
        for ns, local, remote, mine, theirs in ends:
            add(ns, f"add t1 {MODES[self.mode]} local {local} remote {remote} ttl 64")
            nodad = " nodad" if ":" in mine else ""
            ns.ip("link set t1 up", f"addr add {mine}/{bits} dev t1{nodad}", f"route add {theirs}/{bits} dev t1")

    def bare6(self):
        self.net.r.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        self.target = "fd00:b::2"
        for ns, dev, net in ((self.net.a, "v1", "fd00:a::"), (self.net.b, "v2", "fd00:b::")):
            self.net.r.ip(f"addr add {net}1/64 dev {dev}_p nodad")
            ns.ip(f"addr add {net}2/64 dev {dev} nodad", f"route add default via {net}1")

    def load(self, kind, count):
        a, b = self.net.a.path, self.net.b.path
        with spinner:
            return json.loads(run(LOAD, kind, a, b, self.target, count, timeout=600).stdout)

    def burst(self, count):
        """Instructions a datagram of 64 bytes, from send() in a to recv() in b."""
        self.load("burst", 320)
        done = self.load("burst", count)
        if done["received"] != done["sent"]:
            print(f"{self.name}: lost {done['sent'] - done['received']} of {done['sent']}", flush=True)
        return done["ns"] / done["received"]

    def stream(self, megabytes):
        """Instructions a megabyte of one TCP stream."""
        self.load("stream", 4)
        return self.load("stream", megabytes)["ns"] / megabytes

    def close(self):
        self.net.delete()


def by_driver(ns, words):
    run("ip", "-n", ns.name, "tunnel", *words.split())


def say(**figure):
    print(json.dumps(figure), flush=True)


def keep_symbols(who, mode):
    """Names of what runs, with those of the programs just loaded, for parts.py."""
    pathlib.Path(f"/out/kallsyms.{who}.{mode}").write_text(pathlib.Path("/proc/kallsyms").read_text())


def one(who, mode, add, packets, megabytes):
    way = Way(f"w{next(numbers)}", mode, add)
    try:
        say(what="packet", who=who, mode=mode, value=way.burst(packets))
        if who != "driver" or mode == "ipip":
            keep_symbols(who, mode)
        if megabytes and mode in ("bare", "ipip"):
            say(what="megabyte", who=who, mode=mode, value=way.stream(megabytes))
    finally:
        way.close()


def beside(tunl, packets):
    """The bare path, where b has a tunnel that none of it is for."""
    way = Way(f"w{next(numbers)}", "bare")
    try:
        tunl(way.net.b, f"add t1 mode ipip local {Underlay.B} remote 10.10.30.3 datapath bpf")
        way.net.b.ip("link set t1 up")
        say(what="packet", who="beside", mode="bare", value=way.burst(packets))
        keep_symbols("beside", "bare")
    finally:
        way.close()


def each(who, add, modes, packets, megabytes):
    for mode in modes:
        one(who, mode, add, packets, megabytes)


spinner, numbers = Spinner(), itertools.count()


def main():
    task = json.loads(sys.argv[1])
    packets, megabytes, modes = task["packets"], task["megabytes"], task["modes"]
    subprocess.run(["modprobe", "-a", "ipip", "ip_gre", "sit", "veth", "tun", "cls_bpf", "sch_ingress"], check=True)
    core = pathlib.Path("/proc/sys/net/core")
    (core / "bpf_jit_enable").write_text("1\n")
    (core / "bpf_jit_kallsyms").write_text("1\n")
    each("bare", None, ["bare", "bare6"], packets, megabytes)
    each("driver", by_driver, modes, packets, megabytes)
    # packets that tunl hands over pass the drivers, too, and are answered "port unreachable"
    subprocess.run(["modprobe", "-r", "ipip", "ip_gre", "sit"], check=True)
    for datapath in task["datapaths"]:
        tunl = Tunl()
        try:
            if datapath == "bpf":
                beside(tunl, packets)
            each(datapath, lambda ns, words: tunl(ns, f"{words} datapath {datapath}"), modes, packets, megabytes)
        finally:
            tunl.close()


try:
    main()
finally:
    spinner.process.kill()
