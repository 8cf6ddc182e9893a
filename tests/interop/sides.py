# SPDX-License-Identifier: BSD-2-Clause
"""The two who answer the same command lines: the real `ip` on the kernel's drivers, and
tunl's `ip` with a daemon of its own. Each has a namespace a sequence, made alike."""

import array
import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import tempfile

CLONE_NEWNET, MS_BIND, MNT_DETACH = 0x40000000, 4096, 2
SIOCGIFMTU = 0x8921
FALLBACKS = ("tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0")
REAL_IP = "/usr/sbin/ip"
SETUP = ("link set lo up",
         "link add d0 mtu 1400 type dummy", "addr add 10.1.0.1/24 dev d0", "link set d0 up",
         "link add d1 mtu 9000 type dummy", "addr add 10.2.0.1/24 dev d1", "link set d1 up")
LINKS = {"lo": 65536, "d0": 1400, "d1": 9000}
libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result:
        raise OSError(ctypes.get_errno(), what)


class Space:
    """A network namespace with a name, as `ip netns add` makes one. The process that
    makes it stands in its own again afterwards."""

    def __init__(self, name, fallbacks):
        pathlib.Path("/proc/sys/net/core/fb_tunnels_only_for_init_net").write_text(f"{0 if fallbacks else 1}\n")
        self.path = f"/run/netns/{name}"
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            checked(libc.unshare(CLONE_NEWNET), "unshare")
            open(self.path, "w").close()
            checked(libc.mount(b"/proc/thread-self/ns/net", self.path.encode(), None, MS_BIND, None), "mount")
            for which in ("all", "default"):  # no packets of the kernel's own on what comes up
                pathlib.Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1\n")
            self.fd = os.open(self.path, os.O_RDONLY)
            self.devices = os.open("/proc/thread-self/net/dev", os.O_RDONLY)
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        finally:
            checked(libc.setns(home, CLONE_NEWNET), "setns")
            os.close(home)

    def names(self):
        lines = os.pread(self.devices, 1 << 20, 0).decode().splitlines()[2:]
        return [line.rsplit(":", 1)[0].strip() for line in lines]

    def links(self):
        """{name: mtu} of the devices, without those of the drivers' own."""
        return {name: self.mtu(name) for name in self.names() if name not in FALLBACKS}

    def mtu(self, name):
        try:
            reply = fcntl.ioctl(self.socket, SIOCGIFMTU, struct.pack("16sI", name.encode(), 0))
        except OSError as error:
            return str(error)
        return struct.unpack("16xI", reply)[0]

    def delete(self):
        self.socket.close()
        os.close(self.fd)
        os.close(self.devices)
        checked(libc.umount2(self.path.encode(), MNT_DETACH), "umount")
        os.unlink(self.path)


class Server:
    """A program that runs once a request, by forkserver.c."""

    LIMIT = 60  # seconds for one call

    def __init__(self, program, argv0, preload, env):
        self.argv0 = argv0
        self.out, self.err = os.memfd_create("out"), os.memfd_create("err")
        self.sock, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(self.LIMIT)
        with far:
            self.process = subprocess.Popen(
                [argv0], executable=program, pass_fds=[far.fileno()], stdin=subprocess.DEVNULL,
                stdout=self.out, stderr=self.err,
                env={**os.environ, **env, "LD_PRELOAD": str(preload), "FORKSERVER_FD": str(far.fileno())})

    def enter(self, space):
        self.sock.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [space.fd]))])
        self.sock.recv(4)

    def start(self, words):
        for fd in (self.out, self.err):
            os.ftruncate(fd, 0)
            os.lseek(fd, 0, os.SEEK_SET)
        self.sock.send(b"".join(w.encode() + b"\0" for w in (self.argv0, *words)))

    def finish(self):
        """(exit status, stdout, stderr)"""
        try:
            status = struct.unpack("i", self.sock.recv(4))[0]
        except TimeoutError:
            return "no answer", self.text(self.out), self.text(self.err)
        code = os.waitstatus_to_exitcode(status)
        return code, self.text(self.out), self.text(self.err)

    @staticmethod
    def text(fd):
        return os.pread(fd, 1 << 20, 0).decode(errors="replace")

    def run(self, *words):
        self.start(words)
        return self.finish()

    def close(self):
        self.sock.close()
        self.process.wait()


class Side:
    """One who answers; `fallbacks`: the drivers' devices are in its namespaces."""

    name, fallbacks = "", False

    def __init__(self, server, setup):
        self.server, self.setup, self.serial = server, setup, 0
        self.space = None

    def fresh(self):
        """A new namespace, in place of the one before."""
        if self.space:
            self.space.delete()
        self.serial += 1
        self.space = Space(f"{self.name}{self.serial}", self.fallbacks)
        self.setup.enter(self.space)
        answer = self.setup.run("-batch", str(self.batch()))
        if answer[0]:
            raise RuntimeError(f"{self.name}: setting up: {answer}")
        self.server.enter(self.space)

    @staticmethod
    def batch():
        path = pathlib.Path(tempfile.gettempdir()) / "interop-setup"
        if not path.exists():
            path.write_text("".join(f"{line}\n" for line in SETUP))
        return path

    def close(self):
        if self.space:
            self.space.delete()
        self.server.close()


class Real(Side):
    name, fallbacks = "real", True

    def __init__(self, preload, setup):
        super().__init__(Server(REAL_IP, "ip", preload, {}), setup)


class Tunl(Side):
    """With a tunnel that stands where the drivers' fallback device is (doc/compat.md)."""

    name = "tunl"

    def __init__(self, preload, build, setup, made):
        self.rundir = tempfile.mkdtemp(prefix="interop-tunl-")
        self.env = {"TUNL_RUNDIR": self.rundir, "TUNL_TUNLD": str(build / "tunld"), "PATH": os.environ["PATH"]}
        self.made = made
        self.build = build
        super().__init__(Server(build / "bin/ip", str(build / "bin/ip"), preload, self.env), setup)

    def fresh(self):
        super().fresh()
        self.make_fallbacks()

    def make_fallbacks(self):
        """Makes those that are not there."""
        for words in self.made:
            if words[0] in self.space.names():
                continue
            answer = self.server.run("tunnel", "add", *words)
            if answer[0]:
                raise SystemExit(f"tunl tunnel add {' '.join(words)}: {answer[2]}")

    def daemon_alive(self):
        done = subprocess.run([self.build / "tunl", "daemon", "status"], env={**os.environ, **self.env},
                              capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    def close(self):
        super().close()
        subprocess.run([self.build / "tunl", "daemon", "stop"], env={**os.environ, **self.env}, capture_output=True)

    def log(self):
        try:
            return (pathlib.Path(self.rundir) / "log").read_text(errors="replace")
        except OSError:
            return ""

