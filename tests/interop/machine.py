# SPDX-License-Identifier: BSD-2-Clause
"""A virtual machine with Debian's kernel and the host's own file tree.

Three artefacts under build/interop, each made once: the kernel's package unpacked
(`linux/`), an initramfs of busybox and the modules that reach the tree (`initramfs`),
and a folder a run (`run/NAME`, the machine's /out: the command, its exit status, and
what it leaves). The tree is exported read-only; what the machine writes goes to a tmpfs
laid over it and is gone afterwards, save /out.

The machine's console goes to /out/console.log; what the command prints comes through
a virtio port to our standard output, as it is printed."""

import ctypes
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STORE = ROOT / "build" / "interop"
PORT = "org.tunl.output"
BOOTS, BOOT_LIMIT = 3, 300  # how often a machine is started, and how many seconds it has to come to its command
# What the initramfs needs of the kernel; dependencies come from modules.dep.
MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /lower /upper /new
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in $(/bin/busybox cat /modules); do /bin/busybox insmod /$module || /bin/busybox poweroff -f; done
/bin/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose host /lower &&
/bin/busybox mount -t tmpfs -o size=80%% tmpfs /upper &&
/bin/busybox mkdir /upper/data /upper/work &&
/bin/busybox mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work overlay /new &&
for dir in proc sys dev; do /bin/busybox mount --move /$dir /new/$dir || exit 1; done &&
exec /bin/busybox switch_root /new %s
/bin/busybox poweroff -f
"""


libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class MachineError(Exception):
    pass


def die_with_parent():
    """Between fork and exec: whoever ends us, the machine ends with us."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def call(*words, **more):
    done = subprocess.run([str(w) for w in words], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode:
        raise MachineError(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


class Kernel:
    """Debian's kernel, unpacked under the store."""

    def __init__(self, folder):
        self.folder = folder
        self.version = next((folder / "lib/modules").iterdir()).name
        self.image = folder / "boot" / f"vmlinuz-{self.version}"
        self.modules = folder / "lib/modules" / self.version

    @classmethod
    def get(cls, say):
        folder = STORE / "linux"
        if not (folder / "ready").exists():
            cls._fetch(folder, say)
        return cls(folder)

    @staticmethod
    def _fetch(folder, say):
        """The package that linux-image-amd64 depends on, without installing it."""
        depends = call("apt-cache", "depends", "linux-image-amd64")
        names = re.findall(r"Depends: (linux-image-\S+)", depends)
        if not names:
            raise MachineError("apt-cache knows no linux-image-amd64: run apt-get update")
        say(f"fetching {names[0]}")
        fresh = STORE / f"linux.{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        call("apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", names[0], cwd=fresh)
        package = next(fresh.glob("*.deb"))
        say("unpacking the kernel")
        call("dpkg", "-x", package, fresh)
        package.unlink()
        call("depmod", "-b", fresh, next((fresh / "lib/modules").iterdir()).name)
        (fresh / "ready").touch()
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)

    def load_order(self, names):
        """Files of these modules and of all they need, in the order to load them."""
        needs = {}
        for line in (self.modules / "modules.dep").read_text().splitlines():
            path, after = line.split(":")
            needs[path] = after.split()
        order = []
        for name in names:
            path = next(p for p in needs if pathlib.Path(p).name == f"{name}.ko")
            # modules.dep lists the nearest need first
            order += [p for p in [*reversed(needs[path]), path] if p not in order]
        return order


def initramfs(kernel):
    """The cpio archive, made anew where its recipe changed."""
    target, init = STORE / "initramfs", INIT % (HERE / "guest")
    recipe = f"{kernel.version}\n{init}{MODULES}"
    stamp = STORE / "initramfs.recipe"
    if target.exists() and stamp.exists() and stamp.read_text() == recipe:
        return target
    tree = STORE / f"initramfs.{os.getpid()}"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "bin").mkdir(parents=True)
    shutil.copy2("/bin/busybox", tree / "bin/busybox")
    order = kernel.load_order(MODULES)
    for path in order:
        shutil.copy2(kernel.modules / path, tree)
    (tree / "modules").write_text("\n".join(pathlib.Path(p).name for p in order))
    (tree / "init").write_text(init)
    (tree / "init").chmod(0o755)
    names = "\n".join(str(p.relative_to(tree)) for p in tree.rglob("*"))
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(),
                             capture_output=True, cwd=tree, check=True).stdout
    fresh = STORE / f"initramfs.new.{os.getpid()}"
    fresh.write_bytes(archive)
    fresh.rename(target)
    stamp.write_text(recipe)
    shutil.rmtree(tree)
    return target


class Machine:
    """One run: boots, runs a command as root, powers off."""

    def __init__(self, name=None, cpus=1, memory=1536, icount=False, plugin=None):
        self.kernel = Kernel.get(self.say)
        self.initramfs = initramfs(self.kernel)
        self.out = STORE / "run" / (name or f"{os.getpid()}{secrets.token_hex(2)}")
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        self.cpus, self.memory, self.icount = cpus, memory, icount
        self.plugin = plugin  # a shared object of qemu's; what it writes goes to /out/plugin.N

    @staticmethod
    def say(text):
        """Progress, on a terminal only; the line is written over by the next."""
        if sys.stderr.isatty():
            print(f"\r\033[Kmachine: {text}", end="", file=sys.stderr, flush=True)

    def qemu(self):
        accel, cpus, model = "tcg,thread=multi,tb-size=512", self.cpus, "max"
        words = []
        if self.icount:
            # The guest's clock counts instructions: the same on every machine.
            accel, cpus = "tcg,thread=single,tb-size=512", 1
            words = ["-icount", "shift=0,sleep=off"]
            # To qemu a "rep stosb" is an instruction a byte, which it is to no processor:
            # without these flags the kernel takes eight bytes each time.
            model = "max,erms=off,fsrm=off"
        if self.plugin:
            words += ["-plugin", f"{self.plugin},out={self.out}/plugin"]
        # no_timer_check: an emulated timer that is late, on a busy machine, is no broken one.
        append = (f"console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off norandmaps nokaslr net.ifnames=0 "
                  f"no_timer_check random.trust_cpu=on tunl.out=out tunl.port={PORT}")
        return ["nice", "qemu-system-x86_64", "-accel", accel, "-cpu", model, "-smp", str(cpus),
                "-m", str(self.memory), "-nodefaults", "-no-reboot", "-nographic", *words,
                "-kernel", str(self.kernel.image), "-initrd", str(self.initramfs), "-append", append,
                "-serial", f"file:{self.out}/console.log", "-device", "virtio-rng-pci",
                "-device", "virtio-serial-pci", "-chardev", "stdio,id=o,signal=off",
                "-device", f"virtserialport,chardev=o,name={PORT}",
                "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
                "-virtfs", f"local,path={self.out},mount_tag=out,security_model=none"]

    def run(self, command, limit=600, output=None, env=None):
        """The command's exit status; its output goes line by line to output(bytes)."""
        (self.out / "command.json").write_text(json.dumps({
            "words": list(command), "env": env or {}, "cwd": os.getcwd(),
            "root": str(ROOT), "modules": str(self.kernel.modules)}))
        until = time.monotonic() + limit
        for left in reversed(range(BOOTS)):
            alive = self.boot(until - time.monotonic(), BOOT_LIMIT if left else limit, output)
            # Only a machine that never came to the command is started again.
            if not left or (self.out / "started").exists() or time.monotonic() >= until:
                break
            self.say("did not come up; once more\n")
        return self.status(limit, alive)

    def boot(self, limit, boot_limit, output):
        """Whether the machine ended by itself, within limit, and had the command within boot_limit (seconds)."""
        self.say("booting")
        began = time.monotonic()
        with open(self.out / "qemu.log", "wb") as log:
            qemu = subprocess.Popen(self.qemu(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                    preexec_fn=die_with_parent)
        guards = [threading.Timer(limit, qemu.kill),
                  threading.Timer(boot_limit, lambda: (self.out / "started").exists() or qemu.kill())]
        for guard in guards:
            guard.start()
        first = True
        try:
            for line in qemu.stdout:
                if first:
                    self.say(f"up after {time.monotonic() - began:.0f} s\n")
                    first = False
                output(line) if output else self.write(line)
            qemu.wait()
        finally:
            alive = guards[0].is_alive()
            for guard in guards:
                guard.cancel()
            qemu.kill()
            qemu.wait()
        return alive

    @staticmethod
    def write(line):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()

    def status(self, limit, in_time):
        try:
            return int((self.out / "status").read_text())
        except (OSError, ValueError):
            pass
        cause = "ended by itself" if in_time else f"stopped after {limit} s"
        tail = "\n".join(self.console().splitlines()[-25:])
        wrong = (self.out / "qemu.log").read_text(errors="replace")
        raise MachineError(f"the machine {cause} without an exit status; {self.out}/console.log ends:\n{tail}\n{wrong}")

    def console(self):
        try:
            return (self.out / "console.log").read_text(errors="replace")
        except OSError:
            return ""

    def remove(self):
        shutil.rmtree(self.out, ignore_errors=True)
