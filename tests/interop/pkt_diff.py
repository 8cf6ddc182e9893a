#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""pkt_diff.py [OPTIONS] [MODE...]: the same random packets for the kernel's drivers and for tunl
(tests/cases/diff.h). The drivers run in the virtual machine and leave a trace; tunl's daemon runs
here, in a network namespace, once with each datapath, and is compared. Prints TAP."""

import argparse
import ctypes
import os
import pathlib
import queue
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time

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


def no_bpf():
    """Why this host takes no BPF maps; None: it does."""
    number = {"x86_64": 321, "aarch64": 280}.get(os.uname().machine)
    attr = struct.pack("=5I", 2, 4, 4, 1, 0).ljust(128, b"\0")  # an array of one word
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(number, 0, attr, len(attr)) if number else 0
    if fd < 0:
        return f"bpf(2): {os.strerror(ctypes.get_errno())}"
    if number:
        os.close(fd)
    return None


def drivers(args, machine, done):
    """Run the drivers; done(MODE) when a mode's trace is there, and in the end done(None), or the error."""
    def output(line):
        text = line.decode(errors="replace")
        found = re.match(r"ok \d+ - driver (\S+)$", text)
        if found:
            done(found[1])
        print("#", text, end="", flush=True)

    try:
        status = machine.run(["sh", "-c", DRIVERS, "sh", str(PROGRAM), "driver", "/out", str(args.seed),
                              str(args.packets), *args.modes], args.limit, output=output)
        done(MachineError(f"the drivers' run ended with status {status}") if status else None)
    except MachineError as error:
        done(error)


def traced(args, machine):
    """The modes, each when its trace is there: tunl is compared with one while the drivers do the next."""
    ready = queue.Queue()
    threading.Thread(target=drivers, args=(args, machine, ready.put), daemon=True).start()
    while mode := ready.get():
        if isinstance(mode, MachineError):
            raise mode
        yield mode


def ours(args, datapath, mode, folder):
    """The comparison's exit status and what it says; its daemon is ended with it."""
    with tempfile.TemporaryDirectory(prefix="tunl-diff-") as rundir:
        env = {**os.environ, "TUNL_RUNDIR": rundir, "TUNL_TUNLD": str(BUILD / "tunld")}
        words = ["unshare", "-n", "-m", str(PROGRAM), f"live-{datapath}", str(folder), str(args.seed),
                 str(args.packets), mode]
        try:
            done = subprocess.run(words, env=env, stdout=subprocess.PIPE, text=True, timeout=args.limit)
            return done.returncode, done.stdout
        finally:
            subprocess.run([str(BUILD / "tunl"), "daemon", "stop"], env=env, stderr=subprocess.DEVNULL)


def compare(args, mode, folder, number):
    """Prints a line of TAP for each datapath, from number on; whether all is the same."""
    good = True
    for datapath in args.datapaths.split(","):
        missing = no_bpf() if datapath == "bpf" else None
        if missing:
            print(f"ok {number} - {datapath} {mode} # SKIP {missing}", flush=True)
            number += 1
            continue
        began = time.monotonic()
        status, text = ours(args, datapath, mode, folder)
        good &= not status
        print("".join(line for line in text.splitlines(keepends=True) if not re.match(r"ok|not ok|TAP|1\.\.", line)),
              end="")
        print(f"{'not ' if status else ''}ok {number} - {datapath} {mode}: {args.packets} packets beside the drivers"
              f"\n# {time.monotonic() - began:.0f} s", flush=True)
        number += 1
    return good


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
    machine, good, each = None, True, len(args.datapaths.split(","))
    if not args.trace:
        done = subprocess.run([ROOT / "scripts/deps", "interop"], capture_output=True, text=True)
        if done.returncode:
            print(f"1..1\nok 1 - packets beside the drivers # SKIP qemu and its like cannot be installed: "
                  f"{' '.join((done.stdout + done.stderr).split())[-200:]}")
            return 0
        machine = Machine(cpus=1)
    print(f"TAP version 13\n1..{len(args.modes) * each}", flush=True)
    for i, mode in enumerate(traced(args, machine) if machine else args.modes):
        good &= compare(args, mode, args.trace or machine.out, 1 + i * each)
    if machine and not args.keep and good:
        machine.remove()
    elif machine:
        print(f"# traces: {machine.out} (--trace; seed {args.seed}, {args.packets} packets)")
    return 0 if good else 1


try:
    sys.exit(main())
except MachineError as error:
    sys.exit(f"pkt_diff: {error}")
