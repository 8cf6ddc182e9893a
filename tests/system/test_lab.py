# SPDX-License-Identifier: BSD-2-Clause
"""tunl lab: the story on both datapaths, side by side, left standing, cut short."""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import time

import pytest
from net import run, wait_until
from scapy.layers.inet import ICMP, IP
from scapy.utils import rdpcap
from tunnels import BUILD, ROOT

SUM = "64 (ICMP) + 20 (inner IP) + 20 (outer IP) = 104"
BUILD_STEPS = 24


def namespaces(lab=""):
    with contextlib.suppress(FileNotFoundError):
        return [n for n in os.listdir("/run/netns") if n.startswith(f"tunl-{lab}")]
    return []


def running_from(folder):
    """Processes whose executable lies there."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/exe").startswith(str(folder)):
                found.append(int(pid))
    return found


@pytest.fixture
def lab():
    """A name for a lab, whose namespaces do not outlive the test."""
    name = "t" + secrets.token_hex(3)
    yield name
    for ns in namespaces(name):
        run("ip", "netns", "del", ns, check=False)


@pytest.fixture
def pcap(tmp_path):
    return tmp_path / "lab.pcap"


def left_nothing(tunl, lab):
    assert not namespaces(lab)
    assert not (tunl.rundir / "labs").exists()
    wait_until(lambda: not tunl.pids(), 5, "end of the tunld that the lab started")


def start(tunl, *words):
    return subprocess.Popen([BUILD / "tunl", "lab", *map(str, words)], env=tunl.env, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_story(tunl, lab, pcap, datapath):
    out = tunl(None, f"lab run --datapath {datapath} --id {lab} --pcap {pcap}").stdout
    assert SUM in out
    assert "64 (ICMP) + 20 (IP) = 84" in out
    assert out.count(f"the {datapath} datapath") == 2
    headings = [line.split(". ", 1)[1] for line in out.splitlines() if line[:3] in ("1. ", "2. ", "3. ", "4. ", "5. ")]
    assert headings == ["Two hosts and a router between them", "The tunnel",
                        "Ping, without the tunnel and through it", "What was on the wire", "Down"]
    assert (f"[#] ip netns exec tunl-{lab}-a tunl add tun1 mode ipip remote 10.10.20.2 local 10.10.10.2 "
            f"datapath {datapath}") in out
    assert f"[#] ip -n tunl-{lab}-a route" in out and f"[#] ip -n tunl-{lab}-b route" in out
    assert "10.10.200.1 dev tun1" in out
    left_nothing(tunl, lab)


def test_sum_is_what_scapy_sees(tunl, lab, pcap, datapath):
    report = json.loads(tunl(None, f"lab run -j --datapath {datapath} --id {lab} --pcap {pcap}").stdout)
    packets = [p[IP] for p in rdpcap(str(pcap))]
    assert [p.len for p in packets] == [84, 84, 104, 104] == [s["total"] for s in report["sums"]]
    for p in packets[2:]:
        assert p.proto == 4 and p.payload.len == 84 and ICMP in p
    assert packets[2].src == "10.10.20.2" and packets[2].payload.dst == "10.10.100.1"
    assert tunl(None, "explain", pcap).stdout.count(SUM) == 2


def test_json(tunl, lab, pcap, datapath):
    report = json.loads(tunl(None, f"lab run -j --datapath {datapath} --id {lab} --pcap {pcap}").stdout)
    assert report["ok"] and report["error"] is None and not report["standing"]
    assert report["lab"] == "ipip" and report["id"] == lab and report["pcap"] == str(pcap)
    assert {e["datapath"] for e in report["ends"].values()} == {datapath}
    assert 0 < report["rtt_ms"]["underlay"] < 2000 and 0 < report["rtt_ms"]["tunnel"] < 2000
    assert len(report["packets"]) == 4 and report["sums"][2]["text"] == SUM
    steps = report["steps"]
    assert len(steps) > BUILD_STEPS and all(s["status"] == 0 and s["ms"] > 0 for s in steps)
    assert steps[0] == {**steps[0], "heading": "Two hosts and a router between them",
                        "command": f"ip netns add tunl-{lab}-a"}
    assert steps[-1]["command"].startswith("ip netns del")


def test_quiet(tunl, lab, pcap):
    assert tunl(None, f"lab run -q --datapath user --id {lab} --pcap {pcap}").stdout == f"{SUM} (user datapath)\n"


def test_picture(tunl, lab, pcap):
    words = f"lab run --id {lab} --pcap {pcap}"
    tunl.env["LC_ALL"] = "C.UTF-8"
    out = tunl(None, words).stdout
    assert "╔══╧" in out and f"┌─ tunl-{lab}-a ─" in out and "\033[" not in out
    boxes = [line for line in out.splitlines() if line.startswith(("  ┌", "  │", "  └"))]
    assert len(boxes) == 8 and {len(line) for line in boxes} == {78}
    tunl.env["LC_ALL"] = "C"
    out = tunl(None, words).stdout
    assert f"+- tunl-{lab}-a -" in out and out.isascii()


def test_colour_only_on_a_terminal(tunl, lab, pcap):
    words = f"{BUILD}/tunl lab run --id {lab} --pcap {pcap}"
    env = {k: v for k, v in tunl.env.items() if k != "NO_COLOR"}
    assert "\033[1m1. Two hosts" in run("script", "-qec", words, "/dev/null", env=env).stdout
    assert "\033[" not in run("script", "-qec", words, "/dev/null", env={**env, "NO_COLOR": "1"}).stdout


def test_default_pcap_is_new_and_named(tunl, lab, tmp_path):
    tunl.env["TMPDIR"] = str(tmp_path)
    path = tmp_path / f"tunl-lab-{lab}.pcap"
    assert str(path) in tunl(None, f"lab run --id {lab}").stdout
    assert len(rdpcap(str(path))) == 4
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    refused = tunl.refused(None, f"lab run --id {lab}", status=1)
    assert "cannot save the capture" in refused.stderr
    assert not (tmp_path / "elsewhere").exists()
    left_nothing(tunl, lab)


def test_two_at_once(tunl, tmp_path):
    names = ["t" + secrets.token_hex(3) for _ in range(2)]
    labs = [start(tunl, "run", "-q", "--id", n, "--pcap", tmp_path / n) for n in names]
    for p in labs:
        out, err = p.communicate(timeout=30)
        assert p.returncode == 0 and out.startswith(SUM), err
    for n in names:
        left_nothing(tunl, n)


def test_standing(tunl, lab, datapath):
    assert tunl(None, f"lab up -q --datapath {datapath} --id {lab}").stdout == f"{lab}\n"
    assert len(namespaces(lab)) == 3
    (row,) = json.loads(tunl(None, "lab status -j").stdout)
    assert row == {**row, "id": lab, "state": "standing", "ping": True, "datapath": {"a": datapath, "b": datapath}}
    assert "ping: ok" in tunl(None, "lab status").stdout
    assert "10.10.100.1" in tunl(None, "lab exec a ip -br addr show tun1").stdout
    assert "1 received" in tunl(None, f"lab exec {lab} a ping -c1 -W2 10.10.200.1").stdout
    assert "v1_p" in tunl(None, f"lab exec {lab} r ip -br link").stdout
    assert "tun1: ip/ip remote 10.10.10.2 local 10.10.20.2" in tunl(None, f"lab exec {lab} b tunl show tun1").stdout
    assert tunl(None, f"lab exec {lab} a false", check=False).returncode == 1
    assert f"there is a lab {lab} already" in tunl.refused(None, f"lab up --id {lab}", status=1).stderr
    run("ip", "-n", f"tunl-{lab}-a", "link", "set", "tun1", "down")
    (row,) = json.loads(tunl(None, "lab status -j").stdout)
    assert row["datapath"]["a"] == "down" and not row["ping"]
    run("ip", "netns", "del", f"tunl-{lab}-a")
    assert json.loads(tunl(None, "lab status -j").stdout)[0]["state"] == "broken"
    wait_until(lambda: "tunnels: 1" in tunl(None, "daemon status").stdout, 5, "tunld to let go of end a")
    tunl(None, f"lab down {lab}")
    left_nothing(tunl, lab)
    assert "no lab is standing" in tunl.refused(None, "lab down", status=1).stderr
    assert tunl(None, "lab status -j").stdout.strip() == "[]"


def test_keep(tunl, lab, pcap):
    out = tunl(None, f"lab run --keep --id {lab} --pcap {pcap}").stdout
    assert SUM in out and f"tunl lab down {lab}" in out
    assert len(namespaces(lab)) == 3
    tunl(None, "lab down")
    left_nothing(tunl, lab)


def test_down_all_and_which(tunl):
    names = ["t" + secrets.token_hex(3) for _ in range(2)]
    for n in names:
        tunl(None, f"lab up -q --id {n}")
    assert "say which" in tunl.refused(None, "lab down", status=1).stderr
    assert "say which" in tunl.refused(None, "lab exec a true", status=1).stderr
    tunl(None, "lab down --all")
    for n in names:
        left_nothing(tunl, n)


def test_a_daemon_that_was_there_stays(tunl, lab, pcap, underlay):
    net = underlay()
    tunl(net.a, "add tun9 mode ipip remote 10.10.20.2 local 10.10.10.2")
    before = tunl.pids()
    tunl(None, f"lab run -q --id {lab} --pcap {pcap}")
    assert not namespaces(lab)
    assert tunl.pids() == before


def test_down_after_kill(tunl, lab):
    """What was killed half way is found by its record and taken down."""
    p = start(tunl, "run", "--id", lab)
    wait_until(lambda: namespaces(lab), 5, "the lab's first namespace")
    p.kill()
    p.communicate(timeout=10)
    wait_until(lambda: json.loads(tunl(None, "lab status -j").stdout), 5)
    tunl(None, f"lab down {lab}")
    assert not namespaces(lab)


def test_busy_lab_is_not_taken_down(tunl, lab, tmp_path):
    """A ping that never ends keeps the lab at work for as long as the test wants."""
    with slow_ping(tunl, tmp_path) as reached:
        p = start(tunl, "run", "--id", lab)
        wait_until(reached, 10, "the ping")
        assert "at work" in tunl.refused(None, f"lab down {lab}", status=1).stderr
        assert "at work" in tunl(None, "lab status").stdout
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=10)
    left_nothing(tunl, lab)


@contextlib.contextmanager
def slow_ping(tunl, tmp_path):
    """PATH with a `ping` that says so and hangs; gives the question whether it runs."""
    mark, ping = tmp_path / "pinging", tmp_path / "bin" / "ping"
    ping.parent.mkdir()
    ping.write_text(f"#!/bin/sh\ntouch {mark}\nexec sleep 60\n")
    ping.chmod(0o755)
    old, tunl.env["PATH"] = tunl.env["PATH"], f"{ping.parent}:{tunl.env['PATH']}"
    yield mark.exists
    tunl.env["PATH"] = old


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_takes_it_down(tunl, lab, tmp_path, sig):
    with slow_ping(tunl, tmp_path) as reached:
        p = start(tunl, "run", "--id", lab)
        wait_until(reached, 10, "the ping")
        assert len(namespaces(lab)) == 3
        begun = time.monotonic()
        p.send_signal(sig)
        out, err = p.communicate(timeout=15)
    assert p.returncode == 128 + sig
    assert err == "tunl lab: interrupted\n" and ". Down" in out
    assert time.monotonic() - begun < 8
    left_nothing(tunl, lab)


def test_signal_at_any_moment(tunl):
    """Whenever it comes, nothing is left."""
    for wait_for in range(1, 4):
        name = "t" + secrets.token_hex(3)
        p = start(tunl, "run", "--id", name)
        wait_until(lambda: len(namespaces(name)) >= wait_for or p.poll() is not None, 5)
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=20)
        assert p.returncode in (0, 130)
        left_nothing(tunl, name)


def test_reader_gone(tunl, lab, pcap):
    """`tunl lab run | head -1` takes it down all the same."""
    p = start(tunl, "run", "--id", lab, "--pcap", pcap)
    p.stdout.readline()
    p.stdout.close()
    p.wait(timeout=20)
    p.stderr.close()
    left_nothing(tunl, lab)


@pytest.mark.parametrize("program, package", [("ip", "iproute2"), ("ping", "iputils-ping"), ("sysctl", "procps")])
def test_missing_program(tunl, lab, tmp_path, program, package):
    """In a mount namespace where that program is not."""
    for other in {"ip", "ping", "sysctl"} - {program}:
        shutil.copy(shutil.which(other, path=tunl.env["PATH"]), tmp_path / other)
    empty = tmp_path / "empty"
    empty.mkdir()
    env = {**tunl.env, "PATH": str(tmp_path)}
    if os.path.realpath("/sbin") != os.path.realpath("/usr/sbin"):
        pytest.skip("needs a merged /usr")
    done = run("/usr/bin/unshare", "-m", "/usr/bin/env", f"PATH={tunl.env['PATH']}", "sh", "-c",
               f"mount --bind {empty} /usr/sbin; PATH={tmp_path} exec {BUILD}/tunl lab run --id {lab}",
               check=False, env=env)
    assert done.returncode == 1
    assert done.stderr == (f"tunl lab: there is no `{program}` in PATH; Debian's package {package} has it "
                           f"(apt-get install {package})\n")
    assert not namespaces(lab)


def test_ping_without_answer(tunl, lab, tmp_path):
    """The cause is told with what the capture saw."""
    ping = tmp_path / "ping"
    ping.write_text('#!/bin/sh\necho "1 packets transmitted, 0 received, 100% packet loss"\nexit 1\n')
    ping.chmod(0o755)
    tunl.env["PATH"] = f"{tmp_path}:{tunl.env['PATH']}"
    err = tunl.refused(None, f"lab run --id {lab}", status=1).stderr
    assert "100% packet loss" in err and "0 of its packets were seen on v1_p" in err
    left_nothing(tunl, lab)


def test_json_of_a_failure(tunl, lab, tmp_path):
    ping = tmp_path / "ping"
    ping.write_text("#!/bin/sh\nexit 2\n")
    ping.chmod(0o755)
    tunl.env["PATH"] = f"{tmp_path}:{tunl.env['PATH']}"
    done = tunl.refused(None, f"lab run -j --id {lab}", status=1)
    report = json.loads(done.stdout)
    assert not report["ok"] and not report["standing"] and done.stderr == f"tunl lab: {report['error']}\n"
    (failed,) = (s for s in report["steps"] if s["status"])
    assert "ping" in failed["command"] and failed["status"] == 2 and "exit status 2" in report["error"]
    assert report["packets"] is None and report["pcap"] is None and report["rtt_ms"]["tunnel"] is None


def test_full_rundir(tunl, lab, tmp_path):
    """No room for the lab's record."""
    done = run("unshare", "-m", "sh", "-c",
               f"mount -t tmpfs -o size=4k tmpfs {tmp_path} && head -c 4096 /dev/zero >{tmp_path}/full && "
               f"exec {BUILD}/tunl lab run --id {lab}",
               check=False, env={**tunl.env, "TUNL_RUNDIR": str(tmp_path)})
    assert done.returncode == 1 and not namespaces(lab)
    assert done.stderr == f"tunl lab: cannot write in {tmp_path}/labs: No space left on device\n"


def test_namespace_gone_meanwhile(tunl, lab, tmp_path):
    """Somebody deletes an end under the lab's feet: it says so, and takes the rest down."""
    with slow_ping(tunl, tmp_path) as reached:
        p = start(tunl, "run", "--id", lab)
        wait_until(reached, 10, "the ping")
        run("ip", "netns", "del", f"tunl-{lab}-a")
        p.send_signal(signal.SIGINT)
        out, _ = p.communicate(timeout=15)
    assert p.returncode == 130 and f"[#] ip netns del tunl-{lab}-r" in out
    assert not namespaces(lab)


def test_hung_daemon(tunl, lab, tmp_path):
    fake = tmp_path / "tunld"
    fake.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/pid\nexec sleep 300\n")
    fake.chmod(0o755)
    tunl.env["TUNL_TUNLD"] = str(fake)
    begun = time.monotonic()
    try:
        err = tunl.refused(None, f"lab run --id {lab}", status=1).stderr
        assert 14 < time.monotonic() - begun < 60
        assert "tunl add tun1" in err and "within 15 s" in err
        assert not namespaces(lab) and not (tunl.rundir / "labs").exists()
    finally:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_missing_daemon(tunl, lab):
    tunl.env["TUNL_TUNLD"] = "/nonexistent/tunld"
    assert "/nonexistent/tunld" in tunl.refused(None, f"lab run --id {lab}", status=1).stderr
    assert not namespaces(lab)


def test_rundir_not_to_be_made(tunl, lab):
    tunl.env["TUNL_RUNDIR"] = "/proc/nothing"
    assert "cannot use /proc/nothing/labs" in tunl.refused(None, f"lab run --id {lab}", status=1).stderr
    assert not namespaces(lab)


@pytest.mark.parametrize("words, says", [
    ("", "there is no command"),
    ("dance", 'there is no command "dance"'),
    ("run --datapath xdp", 'there is no datapath "xdp"'),
    ("run gre9", 'has no lab "gre9"'),
    ("run --id Big", 'not "Big"'),
    ("run --id ninechars", 'not "ninechars"'),
    ("run --pcap", 'missing after "--pcap"'),
    ("run ipip ipip", 'what is "ipip"'),
    ("up --keep", 'what is "--keep"'),
    ("down --all x", 'no need of "x"'),
    ("exec", "Usage: tunl lab exec"),
    ("exec a", "Usage: tunl lab exec"),
])
def test_wrong_words(tunl, words, says):
    assert says in tunl.refused(None, f"lab {words}", status=255).stderr


def test_looking_makes_nothing(tunl):
    rundir = tunl.rundir / "none"
    env = {**tunl.env, "TUNL_RUNDIR": str(rundir)}
    assert "No lab is standing" in run(BUILD / "tunl", "lab", "status", env=env).stdout
    assert run(BUILD / "tunl", "lab", "down", "--all", env=env).returncode == 0
    assert not rundir.exists()


def test_list_and_help(tunl):
    rows = json.loads(tunl(None, "lab list -j").stdout)
    files = sorted(path.stem for path in (ROOT / "labs").glob("*.lab"))
    assert [row["name"] for row in rows] == files and "ipip" in files and all(row["about"] for row in rows)
    assert "\nipip     an ipip tunnel" in tunl(None, "lab list").stdout
    assert "tunl lab run" in tunl(None, "lab help").stdout


def test_root_without_capabilities(tunl, lab):
    done = run("setpriv", "--bounding-set=-all", "--inh-caps=-all", BUILD / "tunl", "lab", "run", "--id", lab,
               check=False, env=tunl.env)
    assert done.returncode == 1 and not namespaces(lab)
    assert done.stderr.startswith("tunl lab: root lacks CAP_SYS_ADMIN, CAP_NET_ADMIN or CAP_NET_RAW here")


@pytest.fixture
def nobody(tmp_path):
    """A function that runs a script as nobody, where /dev/net/tun has a mode of our choosing."""
    home = pathlib.Path(f"/tmp/tunl-nobody-{secrets.token_hex(4)}")
    home.mkdir()
    for program in ("tunl", "tunld"):
        shutil.copy(BUILD / program, home / program)
    home.chmod(0o755)
    (home / "tmp").mkdir()
    os.chown(home / "tmp", 65534, 65534)
    env = {"PATH": "/usr/bin:/bin", "TMPDIR": str(home / "tmp"), "LC_ALL": "C.UTF-8",
           "ASAN_OPTIONS": "detect_leaks=0"}

    def sh(script, mode=0o666, **more):
        dev = os.stat("/dev/net/tun").st_rdev
        front = (f"mount -t tmpfs tmpfs /dev/net && mknod -m {mode:o} /dev/net/tun c {os.major(dev)} "
                 f"{os.minor(dev)} && exec setpriv --reuid 65534 --regid 65534 --clear-groups "
                 f"sh -c \"$1\"")
        script = f"TUNL={home}/tunl; tunl() {{ $TUNL \"$@\"; }}; {script}"
        return run("unshare", "-m", "sh", "-c", front, "sh", script, check=False, env=env, cwd="/", **more)

    yield sh
    wait_until(lambda: not running_from(home), 5, "end of all that the lab started")
    shutil.rmtree(home, ignore_errors=True)


def test_rootless(nobody):
    done = nobody("tunl lab run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(SUM) >= 2 and done.stdout.count("the user datapath") == 2


def test_rootless_wants_bpf(nobody):
    done = nobody("tunl lab run --datapath bpf")
    assert done.returncode == 1 and "the bpf datapath needs root" in done.stderr


def test_rootless_standing(nobody):
    done = nobody("""set -e
        tunl lab up -q --id one; tunl lab up -q --id two
        tunl lab exec one a ping -c1 -W2 10.10.200.1
        tunl lab status
        tunl lab down one; tunl lab status; tunl lab down
        tunl lab status; tunl lab down || echo none""")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 received" in done.stdout
    status = [line for line in done.stdout.splitlines() if " standing since " in line]
    assert [line.split()[0] for line in status] == ["one", "two", "two"]
    assert all("a: user  b: user  ping: ok" in line for line in status)
    assert done.stdout.endswith("none\n") and "no lab is standing" in done.stderr


def test_rootless_ended(nobody):
    """A signal to the process that waits outside takes all down inside."""
    done = nobody("""tunl_out=$TMPDIR/out; : >$tunl_out
        $TUNL lab run >$tunl_out 2>&1 & pid=$!
        timeout 10 sh -c "until grep -q '^2' $tunl_out; do sleep 0.02; done"
        kill -TERM $pid; wait $pid; status=$?
        cat $tunl_out; exit $status""")
    assert done.returncode == 128 + signal.SIGTERM, done.stdout
    assert ". Down" in done.stdout and done.stdout.endswith("tunl lab: interrupted\n")


def test_rootless_without_tun(nobody):
    done = nobody("tunl lab run", mode=0o600)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == ("tunl lab: cannot open /dev/net/tun: Permission denied; `chmod 0666 /dev/net/tun` as root "
                           "lets everyone use it, as most systems have it\n")


def test_rootless_without_user_namespaces(nobody):
    """In a user namespace that allows no further one, without a capability in it."""
    done = nobody("export TUNL; unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && "
                  "exec setpriv --bounding-set=-all --inh-caps=-all \"$TUNL\" lab run'")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == ("tunl lab: no user namespace is left for an ordinary user: run the lab as root, or raise "
                           "/proc/sys/user/max_user_namespaces\n")


def test_no_tun_device(tunl, lab):
    done = run("unshare", "-m", "sh", "-c", f"mount -t tmpfs tmpfs /dev/net && exec {BUILD}/tunl lab run --id {lab}",
               check=False, env=tunl.env)
    assert done.returncode == 1 and not namespaces(lab)
    assert "cannot open /dev/net/tun: No such file or directory; `modprobe tun`" in done.stderr
