# SPDX-License-Identifier: BSD-2-Clause
"""instructions a packet, beside the kernel's own drivers, in the virtual machine

One processor whose clock counts instructions (qemu -icount): the figures are the same on
every machine, whatever else it does. The path is a - router - b; the overhead of a tunnel is
what a datagram of 64 bytes costs beyond the bare path, both ends together."""

import json
import os
import pathlib

import parts
from machine import Machine
from report import Table

PACKETS, MEGABYTES = 1600, 32
MODES = ("ipip", "gre", "gre key", "sit")
BUILD = pathlib.Path(os.environ["TUNL_BUILD"]).resolve()
GOAL = {"ipip": 0.55}  # of the driver's overhead; 0.6 of the others'
OTHERS = 0.6
BPF_PARTS = 25


def figures(say, task):
    """The guest's lines, and the machine that has what the plugin wrote."""
    machine, rows = Machine(icount=True, plugin=BUILD / "bench/insns.so"), []

    def line(text):
        try:
            rows.append(json.loads(text))
            say("{who} {mode}: {value:,.0f} instructions a {what}".format(**rows[-1]))
        except ValueError:
            say(text.decode(errors="replace").rstrip())

    guest = pathlib.Path(__file__).with_name("guest.py")
    if machine.run([str(guest), json.dumps(task)], 1800, line, env={"TUNL_BUILD": str(BUILD)}):
        raise SystemExit(f"instructions: the machine's part failed; see {machine.out}")
    return rows, machine


def bare_of(mode):
    return "bare6" if mode == "sit" else "bare"


class Figures:
    def __init__(self, rows):
        self.rows = rows

    def get(self, who, mode, what="packet"):
        return next(r["value"] for r in self.rows if (r["who"], r["mode"], r["what"]) == (who, mode, what))

    def overhead(self, who, mode):
        return self.get(who, mode) - self.get("bare", bare_of(mode))


def overheads(found):
    table = Table("overhead", "Datagrams of 64 bytes: instructions beyond the bare path",
                  ("a packet", "overhead", "of the driver's", "goal"), plot="of the driver's")
    for mode in ("bare", "bare6"):
        table.add(mode, found.get("bare", mode), 0.0, "", "")
    for mode in MODES:
        for who in ("driver", "bpf", "user"):
            over = found.overhead(who, mode)
            table.add(f"{mode} {who}", found.get(who, mode), over, over / found.overhead("driver", mode),
                      GOAL.get(mode, OTHERS) if who == "bpf" else "")
    return table


def streams(found):
    table = Table("stream", "One TCP stream: instructions a megabyte", ("a megabyte", "of the bare path's speed"),
                  plot="of the bare path's speed", mark=0.98)
    bare = found.get("bare", "bare", "megabyte")
    for who, mode in (("bare", "bare"), ("driver", "ipip"), ("bpf", "ipip"), ("user", "ipip")):
        value = found.get(who, mode, "megabyte")
        table.add(f"{who}", value, bare / value)
    return table


def others(found, machine):
    """What a packet that no tunnel has pays where there are tunnels."""
    table = Table("others", "Packets of no tunnel, in a namespace with one: instructions more", ("a packet",))
    table.add("in all", found.get("beside", "bare") - found.get("bare", "bare"))
    split = window(found.rows, machine, "beside", "bare")
    table.add("of these the receiving program", sum(n for f, n in split.items() if "tunl_ingress" in f))
    return table


def window(rows, machine, who, mode):
    """By function. The plugin writes a window for a warming-up and one for what is measured."""
    names = [(r["who"], r["mode"]) for r in rows if r["what"] == "packet"]
    i = names.index((who, mode))
    return parts.by_function(machine.out / f"plugin.{2 * i + 1}",
                             parts.Symbols(machine.out / f"kallsyms.{who}.{mode}"), PACKETS)


def where(rows, machine):
    """The parts of the path, and what each way has more of them than the bare one."""
    bare = window(rows, machine, "bare", "bare")
    yield parts.table("bare", "The bare path by parts", bare, {})
    for who in ("driver", "bpf", "user"):
        yield parts.table(who, f"ipip by {who}: beyond the bare path, by parts", window(rows, machine, who, "ipip"), bare)


def measure(say, rounds):
    del rounds  # every one gives the same
    rows, machine = figures(say, {"packets": PACKETS, "megabytes": MEGABYTES, "modes": MODES, "datapaths": ["bpf", "user"]})
    found = Figures(rows)
    tables = [overheads(found), streams(found), others(found, machine), *where(rows, machine)]
    machine.remove()
    return tables, {"machine": machine.kernel.version}
