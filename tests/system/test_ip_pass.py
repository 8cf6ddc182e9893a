# SPDX-License-Identifier: BSD-2-Clause
"""What is not ours reaches the real ip as it was typed, and costs nothing else."""

import os
import pathlib
import shutil
import subprocess

import pytest
from tunnels import BUILD
from ip_helpers import IP, REAL, Recorder
from net import run

pytestmark = pytest.mark.unprivileged


@pytest.fixture
def fake():
    recorder = Recorder()
    yield recorder
    recorder.close()


FOREIGN = [
    [],
    ["link"],
    ["-V"],
    ["-h"],
    ["--", "link"],
    ["-nonsense", "tunnel"],
    ["-c=foo", "tunnel"],
    ["-6", "tunnel", "show"],
    ["-f", "inet6", "tunnel"],
    ["-f", "link", "tunnel"],
    ["-0", "t"],
    ["-B", "t"],
    ["-6", "-M", "tunnel"],
    ["-s"],
    ["-n"],
    ["-b"],
    ["-rcvbuf", "x", "tunnel"],
    ["tunnels"],
    ["Tunnel"],
    ["tunt"],
    ["tuntap", "add", "x", "mode", "tun"],
    ["ta"],
    ["tok"],
    ["tunnel", "add", "a", "mode", "ip6gre", "remote", "::1"],
    ["t", "show", "mode", "any"],
    ["addr", "add", "10.0.0.1/8", "dev", "lo"],
    ["route", "get", "", "a b", "'", '"', "\\", "é", "\n"],
    ["-d", "-br", "link"],
    ["-d", "route"],
    ["-d", "link", "set", "lo", "up"],
    ["-d", "l", "s", "lo"],
    ["link", "add", "v1", "type", "veth", "peer", "name", "v2"],
    ["link", "add", "v1", "type"],
    ["link", "add", "t1"],
    ["link", "add", "b", "type", "ipip"],  # broadcast type, device ipip
    ["link", "add", "t", "type", "ipip"],
    ["link", "add", "l", "type", "ipip"],
    ["link", "add", "a", "type", "ipip", "local", "1.1.1.1"],
    ["link", "add", "m", "type", "ipip"],
    ["link", "add", "n1", "name", "n2", "type", "ipip"],
    ["link", "add", "n1", "n2", "type", "ipip"],
    ["link", "add", "a/b", "type", "ipip"],
    ["link", "add", "", "type", "ipip"],
    ["link", "add", "t1", "mtu", "x", "type", "ipip"],
    ["link", "add", "t1", "mtu", "1400", "mtu", "1400", "type", "ipip"],
    ["link", "add", "t1", "type", "ip6tnl", "remote", "::1"],
    ["link", "add", "t1", "type", "gretap"],
    ["link", "add", "t1", "type", "IPIP"],
    ["link", "add", "t1", "type", "ipip", "external"],
    ["link", "add", "t1", "type", "ipip", "encap", "fou", "encap-dport", "5555"],
    ["link", "set", "type", "ipip", "remote", "1.1.1.1"],
    ["link", "set", "t1", "up"],
    ["link", "del", "t1"],
    ["link", "del", "t1", "type", "ipip"],
    ["link", "show", "type", "vlan"],
    ["link", "help", "ipip"],
    ["netns", "exec", "x", "ip", "tunnel"],
]


@pytest.mark.parametrize("words", FOREIGN, ids=" ".join)
def test_call_goes_on_byte_for_byte(fake, words):
    done = fake(*words, status=7)
    assert fake.calls() == [words]
    assert (done.returncode, done.stdout, done.stderr) == (7, "told\n", "told to stderr\n")
    assert not fake.touched()


@pytest.mark.parametrize("status", [0, 1, 2, 126, 255])
def test_exit_status_is_the_real_one(fake, status):
    assert fake("route", status=status).returncode == status


def test_stdin_goes_on(fake):
    fake("-d", "addr", "restore", stdin="a\0b\n" * 5000)
    assert fake.stdin.read_text() == "a\0b\n" * 5000


def test_environment_goes_on(fake):
    env = {**fake.env, "ODD": "a\nb", "EMPTY": "", "FAKE_IP_ENV": str(fake.dir / "env")}
    subprocess.run(["ip", "netns"], env=env, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    seen = (fake.dir / "env").read_bytes().split(b"\0")[:-1]
    assert sorted(seen) == sorted(f"{k}={v}".encode() for k, v in env.items())


def test_death_by_signal_is_the_real_one(fake):
    (fake.dir / "ip").write_text("#!/bin/sh\nkill -TERM $$\n")
    assert fake("route").returncode == -15


OURS = [["tunnel", "help"], ["t", "h"], ["tu", "help"], ["tun", "help"], ["tunn", "he"], ["tunl", "help"],
        ["-4", "tunnel", "help"], ["-f", "inet", "t", "h"], ["-s", "-d", "t", "h"], ["--s", "--d", "t", "h"],
        ["-stat", "-de", "-js", "-pr", "-one", "-res", "-N", "-c", "tunnel", "help"],
        ["-color=always", "-hu", "-iec", "-ts", "-t", "-a", "-echo", "-fo", "-br", "t", "h"],
        ["-l", "5", "-rc", "1000", "t", "h"], ["-", "5", "t", "h"], ["--", "t", "h"], ["-6", "-4", "t", "h"]]


@pytest.mark.parametrize("words", OURS, ids=" ".join)
def test_call_is_ours(fake, words):
    done = fake(*words)
    assert done.returncode == 255
    assert "Usage: ip tunnel" in done.stderr
    assert not fake.calls() and not fake.touched()


KINDS = [["link", "add", "t1", "type", "ipip", "help"], ["l", "a", "t1", "ty", "ipip", "key", "5"],
         ["li", "ad", "name", "b", "typ", "ipip", "foo"], ["link", "add", "dev", "t", "type", "ipip", "de"],
         ["link", "replace", "t1", "mtu", "1400", "up", "txq", "5", "type", "ipip", "help"],
         ["-6", "link", "add", "type", "ipip", "help"]]


@pytest.mark.parametrize("words", KINDS, ids=" ".join)
def test_link_of_our_kind_is_ours(fake, words):
    done = fake(*words)
    assert done.returncode in (1, 255) and ("Usage: ... ipip" in done.stderr or "incomplete" in done.stderr
                                            or "not complete" in done.stderr)
    assert not fake.calls() and not fake.touched()


@pytest.mark.parametrize("netns,text", [
    ("no-such-ns", 'Cannot open network namespace "no-such-ns": No such file or directory\n'),
    ("", 'setting the network namespace "" failed: Invalid argument\n'),
])
def test_unknown_namespace(fake, netns, text):
    os.makedirs("/run/netns", exist_ok=True)
    done = fake("-n", netns, "tunnel", "show")
    assert (done.returncode, done.stderr) == (255, text)
    assert not fake.calls()


class TestSearch:
    """Which ip is the real one."""

    def call(self, fake, path, word="route", name="ip"):
        return subprocess.run([name, word], env={**fake.env, "PATH": path}, capture_output=True, text=True)

    def test_links_to_ourselves_are_passed_over(self, fake, tmp_path):
        (tmp_path / "ip").symlink_to(IP)
        done = self.call(fake, f"{tmp_path}:{BUILD / 'bin'}:{tmp_path}:/nowhere:{fake.dir}:/usr/bin:/bin", name=IP)
        assert done.stdout == "told\n"

    def test_two_installations_do_not_play_ball(self, fake, tmp_path):
        shutil.copy(BUILD / "bin/ip", tmp_path / "ip")
        done = self.call(fake, f"{BUILD / 'bin'}:{tmp_path}:{fake.dir}:/usr/bin:/bin")
        assert done.stdout == "told\n"

    def test_what_cannot_run_is_passed_over(self, fake, tmp_path):
        (tmp_path / "dir" / "ip").mkdir(parents=True)
        (tmp_path / "plain").mkdir()
        (tmp_path / "plain" / "ip").write_text("not a program")
        done = self.call(fake, f"{BUILD / 'bin'}:{tmp_path}/dir:{tmp_path}/plain:{fake.dir}:/usr/bin:/bin")
        assert done.stdout == "told\n"

    def test_called_by_path(self, fake):
        assert self.call(fake, f"{fake.dir}:/usr/bin:/bin", name=IP).stdout == "told\n"

    def test_system_folders_without_path(self, fake):
        done = self.call(fake, str(BUILD / "bin"), word="-V")
        assert done.stdout == run(REAL, "-V").stdout

    def test_none_at_all(self, fake, tmp_path):
        """In a root of its own, where only our program is, in PATH too; and no /proc to know it by."""
        if os.geteuid() != 0:
            pytest.skip("needs root: chroot")
        if b"__asan_init" in (BUILD / "bin/ip").read_bytes():
            pytest.skip("AddressSanitizer cannot do without /proc")
        for lib in run("ldd", BUILD / "bin/ip").stdout.split():
            if lib.startswith("/"):
                target = tmp_path / lib.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(lib, target)
        (tmp_path / "ip").write_bytes((BUILD / "bin/ip").read_bytes())
        (tmp_path / "ip").chmod(0o755)
        env = {**fake.env, "PATH": "/:/usr/sbin:/usr/bin:/sbin:/bin"}
        done = run("chroot", tmp_path, "/ip", "route", check=False, env=env)
        assert done.returncode == 127
        assert "no other \"ip\"" in done.stderr and "install iproute2" in done.stderr


def test_real_ip_says_the_same(fake):
    """Whole texts of the real ip, through ours and without: nothing differs."""
    env = {**fake.env, "PATH": f"{BUILD / 'bin'}:{pathlib.Path(REAL).parent}:/usr/bin:/bin"}
    for words in (["link", "help"], ["-V"], ["tunnels"], ["-j", "-d", "-s", "addr", "show", "lo"],
                  ["link", "add", "b", "type", "ipip"], ["-f", "link", "tunnel"], []):
        ours = subprocess.run([IP, *words], env=env, capture_output=True)
        real = subprocess.run([REAL, *words], env=env, capture_output=True)
        assert (ours.returncode, ours.stdout, ours.stderr) == (real.returncode, real.stdout, real.stderr)
