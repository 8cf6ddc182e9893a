#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pkt_diff.py [OPTIONS] [MODE...]: the same random packets for the kernel's drivers and for tunl
(tests/cases/diff.h). The drivers run in the virtual machine and leave a trace; tunl's daemon runs
here, in a network namespace, once with each datapath, and is compared. Prints TAP."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
from machine import Machine, MachineError  # noqa: E402

BUILD = pathlib.Path(os.environ.get("TUNL_BUILD", ROOT / "build")).resolve()
PROGRAM = BUILD / "test/interop/cli_packets"
MODES = ("ipip", "gre", "sit", "6to4", "6rd", "isatap")
# Who is told of errors must not be a matter of how many are: the limit for all is the machine's own.
DRIVERS = """modprobe -a ipip ip_gre sit tun &&
for f in icmp_msgs_per_sec icmp_msgs_burst; do echo 1000000 >/proc/sys/net/ipv4/$f; done
exec "$@"
"""


def drivers(args):
    """The folder with the traces."""
    machine = Machine(cpus=1)
    status = machine.run(["sh", "-c", DRIVERS, "sh", str(PROGRAM), "driver", "/out", str(args.seed),
                          str(args.packets), *args.modes], args.limit, output=lambda line: print("#", line.decode(), end=""))
    if status:
        raise MachineError(f"the drivers' run ended with status {status}")
    return machine


def ours(args, datapath, folder):
    """The exit status of the comparison; its daemon is ended with it."""
    with tempfile.TemporaryDirectory(prefix="tunl-diff-") as rundir:
        env = {**os.environ, "TUNL_RUNDIR": rundir, "TUNL_TUNLD": str(BUILD / "tunld")}
        words = ["unshare", "-n", "-m", str(PROGRAM), f"live-{datapath}", str(folder), str(args.seed),
                 str(args.packets), *args.modes]
        try:
            done = subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True, timeout=args.limit)
            return done.returncode, done.stdout
        finally:
            subprocess.run([str(BUILD / "tunl"), "daemon", "stop"], env=env, stderr=subprocess.DEVNULL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=100352, help="for each mode and datapath (default: 100352)")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--limit", type=float, default=7200, help="seconds for any part (default: 7200)")
    parser.add_argument("--keep", action="store_true", help="keep the drivers' traces")
    parser.add_argument("--trace", type=pathlib.Path, help="traces that were kept, with the same seed and number")
    parser.add_argument("--datapaths", default="user,bpf", help="default: user,bpf")
    parser.add_argument("modes", nargs="*", default=MODES, metavar="MODE")
    args = parser.parse_args()
    machine, bad, number = None, 0, 0
    if not args.trace:
        done = subprocess.run([ROOT / "scripts/deps", "interop"], capture_output=True, text=True)
        if done.returncode:
            print(f"1..1\nok 1 - packets beside the drivers # SKIP qemu and its like cannot be installed: "
                  f"{' '.join((done.stdout + done.stderr).split())[-200:]}")
            return 0
        machine = drivers(args)
    plan = len(args.modes) * len(args.datapaths.split(","))
    print(f"TAP version 13\n1..{plan}")
    for datapath in args.datapaths.split(","):
        status, text = ours(args, datapath, args.trace or machine.out)
        bad |= status
        for line in text.splitlines():
            if line.startswith(("ok ", "not ok ")):
                number += 1
                line = f"{'not ' * line.startswith('not ')}ok {number} - {line.split(' - ', 1)[1]}"
            elif line.startswith(("TAP", "1..")):
                continue
            print(line, flush=True)
    if machine and not args.keep and not bad:
        machine.remove()
    elif machine:
        print(f"# traces: {machine.out} (--trace; seed {args.seed}, {args.packets} packets)")
    return 1 if bad else 0


try:
    sys.exit(main())
except MachineError as error:
    sys.exit(f"pkt_diff: {error}")
