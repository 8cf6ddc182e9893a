#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""scenarios --build DIR [SCENARIO[/CHECK]...]: runs them, in the machine, for tests/interop/run.

One line of JSON a check: scenario, check, ok, seconds, text. What a failed one leaves
lies in /out/SCENARIO-CHECK.pcap and .log."""

import argparse
import json
import pathlib
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import packets  # noqa: E402
from world import VARIANTS, Failed, World  # noqa: E402

OUT = pathlib.Path("/out")
MODULES = ("ipip", "ip_gre", "sit", "ip_vti", "tun", "veth", "dummy", "sch_ingress", "cls_bpf")


def say(scenario, check, started, text=None):
    print(json.dumps({"scenario": scenario, "check": check, "ok": text is None,
                      "seconds": round(time.monotonic() - started, 2), "text": text or ""}), flush=True)


def attempt(scenario, name, world):
    started = time.monotonic()
    world.tap.clear()
    try:
        packets.CHECKS[name](world)
    except Exception as error:
        known = isinstance(error, (Failed, TimeoutError))
        text = str(error) or repr(error) if known else traceback.format_exc()
        world.tap.save(OUT / f"{scenario}-{name}.pcap")
        stats = world.tunnel(world.t, *(("show", "-d") if world.who != "kernel" else ("show",)), "tun1").stdout
        (OUT / f"{scenario}-{name}.log").write_text(f"{text}\n\n{stats}\n{world.log()}")
        say(scenario, name, started, text)
    else:
        say(scenario, name, started)


def between(scenario, checks, build):
    """Scenario VARIANT-WHO: checks between the driver and WHO."""
    variant, who = scenario.rsplit("-", 1)
    started = time.monotonic()
    world = World(who, build)
    try:
        world.make(variant)
    except Failed as error:
        say(scenario, "set-up", started, str(error))
        checks = []
    else:
        checks = checks or packets.CHECKS
    for name in checks:
        attempt(scenario, name, world)
    world.close()


def command_line(scenario, checks, build):
    """The command lines of cli_diff: a hundred from the seed of the day."""
    started = time.monotonic()
    words = [str(HERE / "cli_diff.py"), "--build", str(build), "--preload", str(build / "test/forkserver.so"),
             "--count", "60", "--seed", time.strftime("%j")]
    done = subprocess.run(words, capture_output=True, text=True)
    (OUT / "cli-diff.log").write_text(done.stdout + done.stderr)
    say(scenario, "diff", started, None if done.returncode == 0 else done.stdout + done.stderr)


SCENARIOS = {**{f"{variant}-{who}": between for variant, v in VARIANTS.items() for who in ("kernel", "user", "bpf")
                if who != "bpf" or v.bpf},
             "cli": command_line}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent.parent / "build")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    if args.list:
        print("\n".join(f"{s}/{c}" if f is between else s for s, f in SCENARIOS.items()
                        for c in (packets.CHECKS if f is between else [""])))
        return
    subprocess.run(["modprobe", "-a", *MODULES], check=True)
    wanted = {}
    for name in args.names or SCENARIOS:
        scenario, _, check = name.partition("/")
        wanted.setdefault(scenario, []).extend([check] if check else [])
    for scenario, checks in wanted.items():
        SCENARIOS[scenario](scenario, checks, args.build.resolve())


if __name__ == "__main__":
    main()
