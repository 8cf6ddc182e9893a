#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""cli_diff: the same random command lines to the real `ip` on the kernel's drivers and to
tunl's `ip`; exit status, stderr, stdout and afterwards the devices are compared. Runs in
a virtual machine: tests/interop/cli starts it, with the same options.

A difference is shrunk to the fewest words that still show it, and printed with the seed
that makes it again (--seed S --first N --count 1). Only what doc/compat.md lists may
differ: see cli_forgive.py. The last line is JSON, the sum of it all."""

import argparse
import json
import pathlib
import re
import shlex
import sys
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cli_forgive  # noqa: E402
import cli_gen  # noqa: E402
import cli_words  # noqa: E402
import sides  # noqa: E402

FRESH = 20  # sequences after which the namespaces are made anew
ALWAYS_SHOW = ["tunnel", "show"]
DEVICES = ("(devices and their MTU)",)


class Pair:
    def __init__(self, build, preload, modes):
        made = [(cli_words.MODES[m].fallback, "mode", m, "nopmtudisc") for m in modes if m != "isatap"]
        setup = sides.Server(sides.REAL_IP, "ip", preload, {})
        self.setup = setup
        self.real = sides.Real(preload, setup)
        self.tunl = sides.Tunl(preload, build, setup, made)
        self.commands, self.alike = 0, True

    def both(self, words):
        self.commands += 1
        self.real.server.start(words)
        self.tunl.server.start(words)
        return self.real.server.finish(), self.tunl.server.finish()

    def fresh(self):
        self.real.fresh()
        self.tunl.fresh()

    def clean(self):
        """As good as fresh namespaces, at a tenth of the time; False: not to be had."""
        for side in (self.real, self.tunl):
            for name in set(side.space.links()) - {"lo", "d0", "d1"}:
                side.server.run("tunnel", "del", name)
            if side.space.links() != sides.LINKS:
                return False
        return True

    def answers(self, words):
        """(real, tunl, whether they are as they should be, whether they may differ from here on)"""
        real, tunl = self.both(words)
        if cli_forgive.plain(words, real) == cli_forgive.plain(words, tunl):
            return real, tunl, True, cli_forgive.parted(words)
        rule = cli_forgive.allowed(words, cli_forgive.Answer(*real), cli_forgive.Answer(*tunl))
        if rule and not rule.ends:
            self.tunl.make_fallbacks()
        return real, tunl, bool(rule), bool(rule) and rule.ends

    def difference(self, sequence):
        """(number of the command, its words, real answer, tunl's answer) of the first, or None."""
        self.alike = True
        for number, words in enumerate([*sequence, ALWAYS_SHOW]):
            real, tunl, good, ends = self.answers(words)
            if not good:
                return number, words, real, tunl
            if ends:
                self.alike = False
                return None
        real, tunl = self.real.space.links(), self.tunl.space.links()
        if real != tunl:
            return len(sequence), DEVICES, (0, str(real), ""), (0, str(tunl), "")
        return None

    def close(self):
        self.tunl.close()
        self.real.close()
        self.setup.close()


def kind_of(found):
    """Two differences of the same kind are one finding."""
    _, words, real, tunl = found
    if words == DEVICES:
        return DEVICES

    def plain(answer):
        return answer[0], re.sub(r'"[^"]*"|[\d.]+', "_", answer[2]), bool(answer[1])

    same_words = plain(real) == plain(tunl)
    return plain(real), plain(tunl), re.sub(r"[\d.]+", "_", real[1] + tunl[1]) if same_words else ""


def shrink(pair, sequence, found):
    """Fewer commands, then fewer words, as long as a difference of the same kind stays."""
    kind, sequence = kind_of(found), [list(words) for words in sequence[: found[0] + 1]]

    def still(candidate):
        pair.fresh()
        other = pair.difference(candidate)
        return other if other and kind_of(other) == kind else None

    if not still(sequence):
        print("(not in fresh namespaces: what went before matters, or the moment)")
        return sequence, found
    at = 0
    while at < len(sequence):
        other = still(sequence[:at] + sequence[at + 1 :])
        if other:
            del sequence[at]
            found = other
        else:
            at += 1
    for words in sequence:
        at = 1
        while at < len(words):
            for span in (2, 1):
                cut = words[at : at + span]
                if len(cut) < span:
                    continue
                del words[at : at + span]
                other = still(sequence)
                if other:
                    found = other
                    break
                words[at:at] = cut
            else:
                at += 1
    return sequence, found


def line(words):
    return " ".join(["ip", *map(shlex.quote, words)])


def report(where, sequence, found):
    number, words, real, tunl = found
    print(f"DIFFERENCE {where}")
    for each in sequence:
        print(f"    {line(each)}")
    print(f"  at: {words[0] if words == DEVICES else line(words)}")
    for who, (status, out, err) in (("drivers", real), ("tunl", tunl)):
        print(f"  {who:<7} status {status}")
        for label, text in (("out", out), ("err", err)):
            for row in text.splitlines():
                print(f"    {label} {row}")
    sys.stdout.flush()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default=str(int(time.time())), help="default: the time")
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence")
    parser.add_argument("--count", type=int, default=500, help="sequences")
    parser.add_argument("--modes", default="ipip,gre,sit,isatap", help="default: all")
    parser.add_argument("--findings", type=int, default=12, help="different findings to stop after")
    parser.add_argument("--no-shrink", action="store_true", help="print what is found as it is")
    parser.add_argument("--rows", action="store_true", help="a line of JSON a sequence")
    parser.add_argument("--replay", type=pathlib.Path, help="a file of command lines instead of random ones")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build")
    parser.add_argument("--preload", type=pathlib.Path, required=True, help="forkserver.so")
    return parser.parse_args()


def sequences(args):
    if args.replay:
        rows = [shlex.split(row) for row in args.replay.read_text().splitlines() if row.strip()]
        yield str(args.replay), [row[1:] if row[0] == "ip" else row for row in rows]
        return
    for number in range(args.first, args.first + args.count):
        generator = cli_gen.Generator(f"{args.seed}/{number}", args.modes.split(","))
        yield f"--seed {args.seed} --first {number} --count 1", generator.sequence()


def compare(pair, args):
    """(sequences run, how often each kind of difference was found)"""
    started, kinds, done, usable = time.monotonic(), {}, 0, False
    for where, sequence in sequences(args):
        if not (usable and done % FRESH and pair.clean()):
            pair.fresh()
        found = pair.difference(sequence)
        usable = not found and pair.alike
        if args.rows:
            print(json.dumps({"event": "sequence", "number": args.first + done, "commands": len(sequence),
                              "ok": not found}), flush=True)
        done += 1
        if found and kind_of(found) in kinds:
            kinds[kind_of(found)] += 1
        elif found:
            kinds[kind_of(found)] = 1
            report(where, *((sequence, found) if args.no_shrink else shrink(pair, sequence, found)))
        spent = time.monotonic() - started
        if done % 100 == 0:
            print(f"{done} sequences, {pair.commands} commands, {spent:.0f} s, "
                  f"{60 * done / spent:.0f} sequences a minute, {len(kinds)} kinds of differences", flush=True)
        if len(kinds) >= args.findings:
            break
    return done, kinds


def main():
    args = arguments()
    cli_forgive.check()
    pair = Pair(args.build.resolve(), args.preload, args.modes.split(","))
    try:
        done, kinds = compare(pair, args)
        alive, said = pair.tunl.daemon_alive()
    finally:
        pair.close()
    if not alive:
        print(f"tunld is not there any more: {said}\n{pair.tunl.log()[-3000:]}")
        kinds["tunld"] = 1
    print(json.dumps({"event": "end", "sequences": done, "commands": pair.commands, "differences": sum(kinds.values()),
                      "kinds": [repr(kind) for kind in kinds], "allowed": cli_forgive.used}))
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
