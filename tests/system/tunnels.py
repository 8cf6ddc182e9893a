# SPDX-License-Identifier: BSD-2-Clause
"""The command with a daemon of its own, and the two tunnel ends most tests want."""

import contextlib
import os
import pathlib
import shutil
import signal
import tempfile

from net import run, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("TUNL_BUILD", ROOT / "build")).resolve()


def alive(pid):
    """It may still hold descriptors: neither gone nor a zombie."""
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


class Tunl:
    """The command, and the daemon behind it, in a runtime folder of their own."""

    def __init__(self):
        self.rundir = pathlib.Path(tempfile.mkdtemp(prefix="tunl-test-"))
        self.env = {**os.environ, "TUNL_RUNDIR": str(self.rundir), "TUNL_TUNLD": str(BUILD / "tunld"),
                    "TUNL_CONFDIR": str(self.rundir / "etc"),
                    "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "detect_leaks=0")}
        self.env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    def __call__(self, ns, *words, check=True, **more):
        """`tunl WORDS` (one string is split at blanks) in a namespace, or None for ours."""
        if len(words) == 1 and isinstance(words[0], str):
            words = words[0].split()
        front = ["ip", "netns", "exec", str(ns)] if ns else []
        return run(*front, BUILD / "tunl", *words, check=check, env=self.env, **more)

    def refused(self, ns, *words, status=None, **more):
        """As a call that must fail; its CompletedProcess."""
        done = self(ns, *words, check=False, **more)
        assert done.returncode > 0, f"{words} was not refused: {done.stdout}{done.stderr}"
        if status is not None:
            assert done.returncode == status, done.stderr
        return done

    def stats(self, ns, name):
        """The eleven numbers of `tunl -s show NAME`, by the columns' names."""
        lines = self(ns, f"-s show {name}").stdout.splitlines()
        rx = next(i for i, line in enumerate(lines) if line.startswith("RX:"))
        tx = next(i for i, line in enumerate(lines) if line.startswith("TX:"))
        names = ("rx_packets rx_bytes rx_errors rx_frame rx_fifo multicast "
                 "tx_packets tx_bytes tx_errors collisions tx_carrier tx_dropped").split()
        return dict(zip(names, map(int, lines[rx + 1].split() + lines[tx + 1].split())))

    def pids(self):
        """tunld's processes that belong to this folder: the parent first, then its children."""
        mark, ours, parents = f"TUNL_RUNDIR={self.rundir}".encode(), [], {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, IndexError):
                status = pathlib.Path(f"/proc/{pid}/status").read_text()
                if "\nState:\tZ" in status:
                    continue
                parents[int(pid)] = int(status.split("PPid:")[1].split()[0])
                named = status.split("Name:")[1].split()[0].startswith("tunl")
                environ = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                exe = os.readlink(f"/proc/{pid}/exe")
                if mark in environ and (named and "tunld" in exe):
                    ours.append(int(pid))
        children = [pid for pid, parent in parents.items() if parent in ours and pid not in ours]
        every = ours + children
        return sorted(every, key=lambda pid: (parents.get(pid) in every, pid))

    def kill(self, *pids, sig=signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        if sig == signal.SIGKILL:
            wait_until(lambda: not any(map(alive, pids)), 15, f"end of {pids}")

    def parent_and_engine(self):
        pids = wait_until(lambda: len(self.pids()) == 2 and self.pids(), 5, "tunld's two processes")
        return pids[0], pids[1]

    def log(self):
        with contextlib.suppress(OSError):
            return (self.rundir / "log").read_text(errors="replace")
        return "(none)"

    def close(self):
        self.kill(*self.pids(), sig=signal.SIGCONT)
        if self.pids():
            with contextlib.suppress(AssertionError, Exception):
                self(None, "daemon stop", check=False, timeout=10)
                wait_until(lambda: not self.pids(), 3)
        self.kill(*self.pids())
        shutil.rmtree(self.rundir, ignore_errors=True)


class Ends:
    """The story's two tunnel ends over an underlay: tun1 in a and in b."""

    A, B = "10.10.100.1", "10.10.200.1"

    def __init__(self, tunl, net, datapath):
        self.tunl, self.net, self.datapath = tunl, net, datapath
        self.a, self.b, self.r = net.a, net.b, net.r

    def add(self, ns, words, name="tun1"):
        self.tunl(ns, f"add {name} mode ipip {words} datapath {self.datapath}")

    def up(self, ns, own, peer, name="tun1"):
        ns.ip(f"link set {name} up", f"addr add {own} peer {peer} dev {name}")

    def both(self, a="remote 10.10.20.2 local 10.10.10.2", b="remote 10.10.10.2 local 10.10.20.2"):
        self.add(self.a, a)
        self.up(self.a, self.A, self.B)
        self.add(self.b, b)
        self.up(self.b, self.B, self.A)
        return self

    def stats(self, ns, name="tun1"):
        return self.tunl.stats(ns, name)
