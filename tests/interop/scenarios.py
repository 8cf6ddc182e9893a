#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scenarios --build DIR [SCENARIO[/CHECK]...]: runs them, in the machine, for tests/interop/run.

A scenario is a suite of checks with who stands at the end under test. One line of JSON a check:
scenario, check, ok, seconds, text. What a failed one leaves lies in /out/SCENARIO-CHECK*."""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import errors  # noqa: E402
import garbage  # noqa: E402
import packets  # noqa: E402
import pmtu  # noqa: E402
import topology  # noqa: E402
import vti  # noqa: E402
from host import Failed  # noqa: E402
from variants import VARIANTS  # noqa: E402
from world import World  # noqa: E402

OUT = pathlib.Path("/out")
MODULES = ("ipip", "ip_gre", "sit", "ip_vti", "tun", "veth", "dummy", "sch_ingress", "cls_bpf", "cls_u32", "act_gact",
           "vrf", "bridge", "8021q", "macvlan", "nf_tables", "nft_chain_nat", "nft_masq", "nft_ct", "nft_reject_ipv4",
           "nft_compat", "nft_nat")
# prepare(world): what all checks of the suite start from; each: every check has a world of its own
Suite = collections.namedtuple("Suite", "checks prepare each", defaults=(lambda world: None, False))
Scenario = collections.namedtuple("Scenario", "suite who")


def say(scenario, check, started, text=None):
    print(json.dumps({"scenario": scenario, "check": check, "ok": text is None,
                      "seconds": round(time.monotonic() - started, 2), "text": text or ""}), flush=True)


def attempt(scenario, name, world, function):
    """Whether function(world) held."""
    started, text = time.monotonic(), None
    world.clear()
    try:
        function(world)
    except Exception as error:
        text = str(error) or repr(error) if isinstance(error, (Failed, TimeoutError)) else traceback.format_exc()
        (OUT / f"{scenario}-{name}.log").write_text(f"{text}\n\n{world.save(OUT / f'{scenario}-{name}')}")
    if text or name != "set-up":
        say(scenario, name, started, text)
    return text is None


def run_suite(name, checks, build):
    suite, who = SCENARIOS[name]
    world = None
    for check in checks or suite.checks:
        if suite.each and world:
            world.close()
            world = None
        if not world:
            world = World(who, build)
            if not attempt(name, "set-up", world, suite.prepare):
                break
        attempt(name, check, world, suite.checks[check])
    world.close()


def matrix(variant):
    return Suite(packets.MATRIX, lambda world: world.make(variant))


def every(name, suite, carried=True):
    return {f"{name}-{who}": Scenario(suite, who) for who in ("kernel", "user", "bpf") if who != "bpf" or carried}


SCENARIOS = {}
for _name, _variant in VARIANTS.items():
    SCENARIOS.update(every(_name, matrix(_name), _variant.bpf))
DETAILED = {n: v for n, v in VARIANTS.items() if not n.startswith(("gre+ikey", "gre+csum", "gre+seq"))}
for _name, _variant in DETAILED.items():
    SCENARIOS.update(every(f"pmtu+{_name}", Suite(pmtu.CHECKS, pmtu.prepare(_name)), _variant.bpf))
for _name, _variant in DETAILED.items():
    SCENARIOS.update(every(f"errors+{_name}", Suite(errors.CHECKS, lambda w, name=_name: w.make(name)), _variant.bpf))
SCENARIOS.update(every("pacing", Suite(errors.PACING, each=True)))
SCENARIOS.update(every("topology", Suite(topology.CHECKS, each=True)))
SCENARIOS["vti-user"] = Scenario(Suite(vti.CHECKS), "user")
SCENARIOS.update({f"garbage-{who}": Scenario(Suite(garbage.CHECKS, garbage.build), who) for who in ("user", "bpf")})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.list:
        print("\n".join(f"{name}/{check}" for name, s in SCENARIOS.items() for check in s.suite.checks))
        return
    subprocess.run(["modprobe", "-a", *MODULES], check=True)
    wanted = {}
    for name in args.names:
        scenario, _, check = name.partition("/")
        wanted.setdefault(scenario, []).extend([check] if check else [])
    for name, checks in wanted.items():
        if name == "vti-user":
            vti.run(say, name, checks, args.build.resolve())
        else:
            run_suite(name, checks, args.build.resolve())


if __name__ == "__main__":
    main()
