# SPDX-License-Identifier: BSD-2-Clause
"""The configuration: made at start, made so again by reload, tried again until it can be had;
names and addresses that change. Namespaces of the test's own, a name server of its own."""

import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading

import pytest

from net import run, wait_until


class World:
    """A namespace with an underlay device, a daemon that starts in it, and its files."""

    def __init__(self, tunl, name):
        self.tunl, self.ns = tunl, name
        self.etc = tunl.rundir / "etc"
        (self.etc / "tunl.d").mkdir(parents=True)
        run("ip", "netns", "add", name)
        self.ip("link set lo up")
        self.ip("link add u0 type veth peer name u1")
        self.ip("addr add 192.0.2.1/24 dev u0")
        self.ip("link set u0 up")
        self.ip("link set u1 up")

    def ip(self, words, check=True):
        return run("ip", "-n", self.ns, *words.split(), check=check).stdout

    def write(self, text, name="tunl.conf"):
        (self.etc / name).write_text(text)

    def start(self):
        self.tunl(self.ns, "daemon restart")

    def reload(self, *words, check=True):
        return self.tunl(self.ns, "reload", *words, check=check)

    def show(self, name=None):
        rows = json.loads(self.tunl(self.ns, "-j show").stdout)
        if name is None:
            return {row["ifname"]: row for row in rows}
        return next((row for row in rows if row["ifname"] == name), {})

    def has(self, name):
        return f"{name}:" in self.ip("-o link show")

    def remote(self, name):
        return self.show(name).get("remote")


@pytest.fixture
def world(tunl, prefix):
    tunl.env["TUNL_LOOKUP_SECONDS"] = "1"
    made = World(tunl, prefix)
    yield made
    run("ip", "netns", "del", prefix, check=False)


def settled(world):
    """Whether all that the files ask for was tried."""
    done = world.reload("--dry-run", check=False)
    return done.returncode == 0 and not done.stdout


def test_start(world):
    """At start the device has all that its block says."""
    world.write("""# the other site
t1 mode ipip remote 192.0.2.2 local 192.0.2.1 {
    address 10.1.0.1/30    # ours
    address 2001:db8::1/64
    route 10.2.0.0/16 metric 7
    route default via 10.1.0.2 table 77
    mtu 1400 up
}
""")
    world.write("t2 mode gre remote 192.0.2.3 local 192.0.2.1 key 5\n", "tunl.d/more.conf")
    world.start()
    wait_until(lambda: settled(world), 20, "all of it")
    assert set(world.show()) == {"t1", "t2"}
    addrs = world.ip("addr show t1")
    assert "mtu 1400" in addrs and "UP" in addrs
    assert "inet 10.1.0.1/30" in addrs and "inet6 2001:db8::1/64" in addrs
    assert "10.2.0.0/16 dev t1 proto static scope link metric 7" in world.ip("route")
    assert "default via 10.1.0.2 dev t1" in world.ip("route show table 77")
    assert "UP" not in world.ip("link show t2").split(">")[0]


def test_reload_changes_what_differs(world):
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1 address 10.1.0.1/30 up\n"
                "t2 mode gre remote 192.0.2.3 local 192.0.2.1\n"
                "t3 mode sit remote 192.0.2.4 local 192.0.2.1\n")
    world.start()
    wait_until(lambda: settled(world), 20, "all of it")
    before = {name: row["ifindex"] for name, row in world.show().items()}
    world.tunl(world.ns, "add byhand mode ipip remote 192.0.2.99")
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1 address 10.1.0.5/30 up mtu 1300\n"
                "t2 mode gre remote 192.0.2.3 local 192.0.2.1\n"
                "t4 mode sit remote 192.0.2.5 local 192.0.2.1\n")
    would = world.reload("--dry-run").stdout
    assert world.has("t3") and not world.has("t4")
    assert world.reload().stdout == would == (
        "- t3 mode sit remote 192.0.2.4 local 192.0.2.1\n"
        "- t1 mode ipip remote 192.0.2.2 local 192.0.2.1 address 10.1.0.1/30 up\n"
        "+ t1 mode ipip remote 192.0.2.2 local 192.0.2.1 mtu 1300 address 10.1.0.5/30 up\n"
        "+ t4 mode sit remote 192.0.2.5 local 192.0.2.1\n")
    rows = world.show()
    assert set(rows) == {"t1", "t2", "t4", "byhand"}
    assert rows["t1"]["ifindex"] == before["t1"] and rows["t2"]["ifindex"] == before["t2"]
    addrs = world.ip("-4 addr show t1")
    assert "10.1.0.5/30" in addrs and "10.1.0.1/30" not in addrs and "mtu 1300" in addrs
    assert world.reload().stdout == ""
    told = json.loads(world.tunl(world.ns, "-j reload").stdout)
    assert told == {"changes": [], "failed": []}
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1 address 10.1.0.5/30 up mtu 1300\n"
                "t2 mode sit remote 192.0.2.3 local 192.0.2.1\n")  # another kind of device
    world.reload()
    assert world.show("t2")["mode"] == "ipv6/ip"


def test_reload_restores(world):
    """What was changed or deleted by hand is as the files say, after a reload."""
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1 up\n"
                "t2 mode ipip remote 192.0.2.3 local 192.0.2.1 ttl 9\n")
    world.start()
    wait_until(lambda: settled(world), 20, "all of it")
    world.tunl(world.ns, "del t1")
    world.tunl(world.ns, "change t2 ttl 5")
    assert len(world.reload().stdout.splitlines()) == 4
    rows = world.show()
    assert rows["t1"]["up"] and rows["t2"]["ttl"] == 9


def test_mistakes_change_nothing(world):
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1\n")
    world.start()
    wait_until(lambda: settled(world), 20, "all of it")
    world.write("t2 mode ipip remote 192.0.2.3\n  t1 mode bogus\n")
    done = world.reload(check=False)
    assert done.returncode == 1 and f"{world.etc}/tunl.conf:2:11: Unknown tunnel mode" in done.stderr
    assert set(world.show()) == {"t1"}
    world.tunl(world.ns, "daemon restart")  # at start what is right is done, and nothing taken away
    wait_until(lambda: set(world.show()) == {"t1", "t2"}, 20, "both")


def test_while_no_daemon_ran(world):
    """A tunnel that left the files while no tunld ran goes at the next start; others stay."""
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1\n"
                "t2 mode ipip remote 192.0.2.3 local 192.0.2.1\n")
    world.start()
    wait_until(lambda: settled(world), 20, "all of it")
    index = world.show("t1")["ifindex"]
    world.tunl(world.ns, "daemon stop")
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1\n")
    world.tunl(None, "daemon restart")  # from elsewhere: it knows where it belongs
    wait_until(lambda: not world.has("t2"), 20, "the end of t2")
    assert world.show("t1")["ifindex"] == index
    assert settled(world)


def test_signal(world):
    """What `systemctl reload` does."""
    world.start()
    world.write("t1 mode ipip remote 192.0.2.2\n")
    os.kill(world.tunl.parent_and_engine()[0], signal.SIGHUP)
    wait_until(lambda: world.has("t1"), 20, "t1")


def test_tried_again(world, prefix):
    """What cannot be had says so, and is made when it can."""
    other = f"{prefix}o"
    world.write("t1 mode ipip remote 192.0.2.2 dev later0\n"
                f"t2 mode ipip remote 192.0.2.3 netns {other}\n"
                "u1 mode ipip remote 192.0.2.4\n")
    world.start()
    wait_until(lambda: "u1" in world.show(), 20, "the failures")
    rows = world.show()
    assert not any(rows[name]["made"] for name in ("t1", "t2", "u1"))
    assert "later0" in rows["t1"]["why"] and other in rows["t2"]["why"]
    assert "not tunl's" in rows["u1"]["why"]
    text = world.tunl(world.ns, "show").stdout
    assert f"t1: not made: there is no device later0 here ({world.etc}/tunl.conf:1; tried again)" in text
    assert "t1: there is no device later0 here; it is tried again" in world.tunl.log()
    assert world.reload(check=False).returncode == 1
    try:
        run("ip", "netns", "add", other)
        world.ip("link add later0 type veth peer name later1")
        wait_until(lambda: world.has("t1"), 40, "t1")
        wait_until(lambda: "t2" in run("ip", "-n", other, "-o", "link").stdout, 40, "t2")
        # with its namespace it goes, and comes with the next of that name
        run("ip", "netns", "del", other)
        wait_until(lambda: "t2" in world.show(), 40, "the end of t2")
        run("ip", "netns", "add", other)
        wait_until(lambda: "t2" in run("ip", "-n", other, "-o", "link").stdout, 40, "t2 again")
    finally:
        run("ip", "netns", "del", other, check=False)


def test_local_follows(world):
    """`local dev DEV` is the device's address, now and later."""
    world.write("t1 mode ipip remote 192.0.2.200 local dev u0 up\n")
    world.start()
    wait_until(lambda: world.show("t1").get("local") == "192.0.2.1", 20, "the first address")
    index = world.show("t1")["ifindex"]
    world.ip("addr add 198.51.100.7/24 dev u0")
    world.ip("addr del 192.0.2.1/24 dev u0")
    wait_until(lambda: world.show("t1").get("local") == "198.51.100.7", 20, "the new address")
    world.ip("addr del 198.51.100.7/24 dev u0")
    assert world.show("t1")["local"] == "198.51.100.7"
    assert world.show("t1")["ifindex"] == index


class NameServer(threading.Thread):
    """Answers for A in a namespace: `answer` is a list of addresses, or None to say nothing."""

    def __init__(self, ns):
        super().__init__(daemon=True)
        self.answer, self.asked = [], 0
        self.proc = subprocess.Popen(
            ["ip", "netns", "exec", ns, "/usr/bin/python3", "-c",
             "import socket,sys,array\n"
             "s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);s.bind(('127.0.0.1',53))\n"
             "u=socket.socket(fileno=0)\n"
             "u.sendmsg([b'x'],[(socket.SOL_SOCKET,socket.SCM_RIGHTS,array.array('i',[s.fileno()]))])\n"],
            stdin=self._pair())
        self.mine_end.settimeout(30)
        _, fds, _, _ = socket.recv_fds(self.mine_end, 1, 1)
        self.proc.wait()
        self.sock = socket.socket(fileno=fds[0])
        self.sock.settimeout(0.2)
        self.over = False
        self.start()

    def _pair(self):
        self.mine_end, theirs = socket.socketpair()
        return theirs.fileno() if not setattr(self, "_keep", theirs) else None

    def run(self):
        while not self.over:
            try:
                data, peer = self.sock.recvfrom(512)
            except (TimeoutError, socket.timeout):
                continue
            self.asked += 1
            if self.answer is None:
                continue
            question = data[12:data.index(b"\0", 12) + 5]
            addresses = self.answer if question[-4:-2] == b"\0\1" else []
            records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(a) for a in addresses)
            code = 0x8180 if addresses else 0x8183
            self.sock.sendto(data[:2] + struct.pack(">5H", code, 1, len(addresses), 0, 0) + question
                             + records, peer)

    def close(self):
        self.over = True
        self.join()
        self.sock.close()


@pytest.fixture
def names(world):
    """A name server in the world, which has a resolv.conf of its own."""
    folder = pathlib.Path("/etc/netns") / world.ns
    folder.mkdir(parents=True)
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    server = NameServer(world.ns)
    yield server
    server.close()
    (folder / "resolv.conf").unlink()
    folder.rmdir()


def test_names(world, names):
    """A name is looked up in the tunnel's namespace, followed, and not believed blindly."""
    line = f"t1 mode ipip remote peer.example.net local 192.0.2.1 netns {world.ns} up\n"
    names.answer = ["192.0.2.50"]
    world.write(line)
    world.start()
    wait_until(lambda: world.remote("t1") == "192.0.2.50", 30, "the first answer")
    index = world.show("t1")["ifindex"]
    names.answer = ["192.0.2.60", "192.0.2.61"]
    wait_until(lambda: world.remote("t1") == "192.0.2.60", 30, "the second answer")
    names.answer = ["192.0.2.61", "192.0.2.60"]  # in another order: no change
    asked = names.asked
    wait_until(lambda: names.asked > asked + 2, 30, "further questions")
    assert world.remote("t1") == "192.0.2.60"
    for lie in (["127.0.0.1"], ["224.1.2.3"], ["0.0.0.0"], ["255.255.255.255"]):
        names.answer = lie
        wait_until(lambda: any("none that packets can be sent to; 192.0.2.60 stays in use" in r.get("why", "")
                               for r in rows(world)), 30, f"{lie} refused")
        assert world.remote("t1") == "192.0.2.60"
        names.answer = ["192.0.2.60"]
        wait_until(lambda: len(rows(world)) == 1, 30, "peace")
    names.answer = []  # nothing
    wait_until(lambda: any("no such name" in r.get("why", "") for r in rows(world)), 30, "nothing told")
    names.answer = None  # it hangs
    wait_until(lambda: any("does not answer" in r.get("why", "") for r in rows(world)), 60, "hanging told")
    assert world.remote("t1") == "192.0.2.60"
    world.tunl(None, "daemon restart")  # a new daemon keeps what the tunnel has
    assert world.remote("t1") == "192.0.2.60" and world.show("t1")["ifindex"] == index
    names.answer = ["192.0.2.70"]
    wait_until(lambda: world.remote("t1") == "192.0.2.70", 60, "the last answer")
    assert world.show("t1")["ifindex"] == index


def rows(world):
    return [r for r in json.loads(world.tunl(world.ns, "-j show").stdout) if r["ifname"] == "t1"]


def test_name_server_that_hangs(world, names):
    """Nobody waits for it: other tunnels are made, the daemon answers and ends at once."""
    names.answer = None
    world.write("".join(f"n{i} mode ipip remote n{i}.example.net netns {world.ns}\n" for i in range(40))
                + f"t1 mode ipip remote 192.0.2.2 netns {world.ns}\n")
    world.start()
    wait_until(lambda: world.has("t1"), 20, "t1")
    wait_until(lambda: names.asked > 3, 20, "questions")
    assert not world.has("n0")
    world.tunl(world.ns, "daemon stop")


def test_peers_and_mss(world):
    """Both are lines of a configuration, and changed live."""
    world.write("t1 mode ipip local 192.0.2.1 peers 192.0.2.2,10.0.0.0/8 mss auto\n")
    world.start()
    wait_until(lambda: settled(world), 20, "t1")
    line = "t1 mode ipip local 192.0.2.1 mss auto peers 192.0.2.2,10.0.0.0/8"
    assert world.tunl(world.ns, "show --config").stdout == line + "\n"
    world.tunl(world.ns, "change t1 peers any mss 1200")
    assert world.tunl(world.ns, "show --config").stdout == "t1 mode ipip local 192.0.2.1 mss 1200\n"
    done = world.tunl.refused(world.ns, "add t2 mode ipip remote 192.0.2.9 peers 192.0.2.9")
    assert "peers are of tunnels without remote" in done.stderr


def test_no_descriptors_left(world, prefix):
    """When they are used up nothing that is there is lost, and what is missing comes later."""
    world.write("t1 mode ipip remote 192.0.2.2 local 192.0.2.1 up\n")
    world.start()
    wait_until(lambda: settled(world), 20, "t1")
    index, pid = world.show("t1")["ifindex"], world.tunl.parent_and_engine()[0]
    limit = run("prlimit", "--pid", pid, "--nofile", "--noheadings", "--output", "SOFT").stdout.strip()
    used = set(map(int, os.listdir(f"/proc/{pid}/fd")))
    free = next(fd for fd in range(len(used) + 1) if fd not in used)
    run("prlimit", "--pid", pid, f"--nofile={free}:")
    try:
        run("ip", "netns", "add", f"{prefix}x")  # the names change: it looks at namespaces
        wait_until(lambda: "no descriptors are left" in world.tunl.log(), 20, "the log line")
    finally:
        run("prlimit", "--pid", pid, f"--nofile={limit}:", check=False)
        run("ip", "netns", "del", f"{prefix}x", check=False)
    assert world.show("t1")["ifindex"] == index
    assert "let go" not in world.tunl.log()


def test_many(world):
    """Thousands are made in slices; the daemon answers meanwhile."""
    n = int(os.environ.get("TUNL_TEST_MANY", "300"))
    world.write("".join(f"m{i} mode gre remote 10.{i >> 8}.{i & 255}.1 local 192.0.2.1 key {i}\n"
                        for i in range(n)))
    world.start()
    wait_until(lambda: settled(world), 60 + n // 20, "all of them")
    assert len(world.show()) == n
    world.write("")
    world.reload()
    assert world.show() == {}
