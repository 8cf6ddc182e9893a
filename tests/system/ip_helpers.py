# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the `ip` personality share: the command, and a real ip that only records."""

import os
import pathlib
import re
import shutil
import socket
import tempfile

from tunnels import BUILD
from net import run

IP = BUILD / "bin" / "ip"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
REAL = next(str(p) for d in ("/usr/sbin", "/sbin", "/bin", "/usr/bin")
            if os.access(p := pathlib.Path(d) / "ip", os.X_OK))

RECORDER = """#!/bin/sh
for word; do printf '%s\\0' "$word"; done >> "$FAKE_IP_LOG"
printf '\\001\\0' >> "$FAKE_IP_LOG"
[ -z "$FAKE_IP_ENV" ] || cat /proc/$$/environ > "$FAKE_IP_ENV"
[ -z "$FAKE_IP_STDIN" ] || cat >> "$FAKE_IP_STDIN"
echo told
echo "told to stderr" >&2
exit "${FAKE_IP_STATUS:-0}"
"""


class Recorder:
    """A folder for PATH whose `ip` records its words, and a daemon's socket that nobody may touch."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tunl-fake-ip-"))
        self.log, self.stdin = self.dir / "log", self.dir / "stdin"
        (self.dir / "ip").write_text(RECORDER)
        (self.dir / "ip").chmod(0o755)
        started = self.dir / "started"
        (self.dir / "tunld").write_text(f"#!/bin/sh\n: > {started}\n")
        (self.dir / "tunld").chmod(0o755)
        self.started = started
        self.control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.bind(str(self.dir / "control"))
        self.control.listen(8)
        self.control.setblocking(False)
        self.env = {**os.environ, "PATH": f"{BUILD / 'bin'}:{self.dir}:{SYSTEM_PATH}",
                    "FAKE_IP_LOG": str(self.log), "TUNL_RUNDIR": str(self.dir),
                    "TUNL_TUNLD": str(self.dir / "tunld")}

    def __call__(self, *words, status=0, stdin=None, **more):
        env = {**self.env, "FAKE_IP_STATUS": str(status)}
        if stdin is not None:
            env["FAKE_IP_STDIN"] = str(self.stdin)
            more["input"] = stdin
        return run("ip", *words, check=False, env=env, **more)

    def calls(self):
        """Every call so far as a list of its words."""
        if not self.log.exists():
            return []
        return [call.split("\0")[:-1] for call in self.log.read_text().split("\001\0")[:-1]]

    def touched(self):
        """Whether the daemon was asked or started."""
        try:
            self.control.accept()[0].close()
            return True
        except BlockingIOError:
            return self.started.exists()

    def close(self):
        self.control.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Ip:
    """Our ip before the real one in PATH, with the daemon of a Tunl fixture."""

    def __init__(self, tunl):
        self.tunl = tunl
        self.env = {**tunl.env, "PATH": f"{BUILD / 'bin'}:{tunl.env['PATH']}"}

    def __call__(self, ns, *words, check=True, real=False, **more):
        """`ip WORDS` (one string is split at blanks) in a namespace, or None for ours."""
        if len(words) == 1 and isinstance(words[0], str):
            words = words[0].split()
        front = [REAL, "netns", "exec", str(ns)] if ns else []
        return run(*front, REAL if real else IP, *words, check=check, env=self.env, **more)

    def detail(self, ns, name):
        return self(ns, f"-d link show dev {name}").stdout


def masked(text):
    """ip's output without what differs from run to run: the link's index."""
    return re.sub(r"(?m)^\d+: ", "N: ", text)
