# SPDX-License-Identifier: BSD-2-Clause
"""`ip -batch`: as the real one, wherever our lines stand between others."""

import os
import subprocess

import pytest
from ip_helpers import IP, REAL, Ip, Recorder
from net import Netns, run, wait_until


@pytest.fixture
def fake():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def ns(prefix):
    space = Netns(prefix)
    yield space
    space.delete()


@pytest.fixture
def ip(tunl):
    return Ip(tunl)


FOREIGN_TEXT = "link show\n# tunnel show\nroute show # tunnel\n\naddr \\\n show\n"


@pytest.mark.unprivileged
def test_nothing_of_ours_in_a_file(fake, tmp_path):
    (tmp_path / "b").write_text(FOREIGN_TEXT)
    words = ["-force", "-n", "x", "-s", "-b", str(tmp_path / "b")]
    assert fake(*words, status=3).returncode == 3
    assert fake.calls() == [words]
    assert not fake.touched()


@pytest.mark.unprivileged
def test_nothing_of_ours_on_stdin(fake, tmp_path):
    """A file as stdin is where the real ip left off: at what was its place before."""
    (tmp_path / "b").write_text("first\n" + FOREIGN_TEXT)
    with open(tmp_path / "b", "rb") as file:
        os.lseek(file.fileno(), len("first\n"), os.SEEK_SET)
        done = run("ip", "-batch", "-", stdin=file, check=False,
                   env={**fake.env, "FAKE_IP_STDIN": str(fake.stdin)})
    assert done.returncode == 0
    assert fake.calls() == [["-batch", "-"]]
    assert fake.stdin.read_text() == FOREIGN_TEXT


@pytest.mark.unprivileged
def test_a_file_that_is_not_there(fake):
    fake("-batch", "/no/such/file", status=1)
    assert fake.calls() == [["-batch", "/no/such/file"]]


@pytest.mark.unprivileged
def test_global_options_go_to_both(fake, tmp_path):
    (tmp_path / "b").write_text("link show 'a b'\ntunnel help\nroute show\n")
    done = fake("-s", "-force", "-b", str(tmp_path / "b"), "-o", stdin="")
    assert done.returncode == 255 and "Usage: ip tunnel" in done.stderr
    assert fake.calls() == [["-s", "-force", "-o", "-batch", "-"]]
    assert fake.stdin.read_text() == "link show 'a b'\n"


# Each of these holds a line of ours that prints nothing or fails in the words of iproute2:
# the whole must be what the real ip makes of it.
TEXTS = {
    "ours first": "tunnel show\nlink show lo\n",
    "ours last": "link show lo\ntunnel show\n",
    "between": "link show lo\ntunnel show\nt\nlink show lo\ntunl\nrule show",
    "abbreviated": "t s\ntunn l\n",
    "ours fails": "link show lo\ntunnel add t1 key 5\nlink show lo\n",
    "theirs fails": "tunnel show\n\nlink show no-such\ntunnel show\nlink show lo\n",
    "theirs fails, ours next": "tunnel show\nlink show no-such\ntunnel add t1 key 5\n",
    "both fail": "tunnel add a key 5\nlink show no-such\ntunnel add t1 local 1.1.1.1\nlink show no-such2\n",
    "syntax of ours": "link show lo\ntunnel foo\nlink show lo\n",
    "syntax of theirs": "tunnel show\nlink set lo mtu x\nlink show lo\ntunnel show\n",
    "unknown object": "tunnel show\nfoo\nlink show lo\n",
    "comments": "# one\ntunnel show # two\n#\n link show lo#x\n#\ntunnel add t key 5 # three\n",
    "continued": "tunnel \\\n show\nlink \\\n  show \\\n lo\ntunnel add t \\\n key 5\n",
    "continued comment": "tunnel \\\n show # x\nlink show # \\\n lo\ntunnel show\n",
    "continued at the end": "tunnel show\nlink show \\",
    "quotes": "'tunnel' \"show\"\n\"link\" 'show' lo\ntunnel add 'a b' mode ipip\n",
    "quote inside a word": "tunnel show 'x'\nlink show l'o'\n",
    "quote without end": "tunnel show\nlink show 'lo\nlink show lo\n",
    "quote without end in ours": "tunnel show 'lo\nlink show lo\n",
    "blank lines": "\n\n  \t\ntunnel show\n\r\n\nlink show nosuch\n",
    "DOS ends": "tunnel show\r\nlink show lo\r\n",
    "help": "tunnel show\nlink show lo\nlink help\ntunnel show\n",
    "no options in lines": "tunnel show\n-s link show lo\n",
}


def outcome(program, ns, ip, words, **more):
    done = run(REAL, "netns", "exec", ns, program, *words, check=False, env=ip.env, **more)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("force", [[], ["-force"]], ids=["", "force"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_as_the_real_ip(ip, ns, tmp_path, text, force):
    file = tmp_path / "batch"
    file.write_bytes(text.encode())
    for words, more in (([*force, "-batch", str(file)], {}), ([*force, "-b", "-"], {"input": text})):
        assert outcome(IP, ns, ip, words, **more) == outcome(REAL, ns, ip, words, **more)


def test_namespace_option(ip, ns, tmp_path):
    (tmp_path / "b").write_text("addr add 10.9.9.9/32 dev lo\ntunnel show\naddr add 10.9.9.8/32 dev lo\n")
    ip(None, "-n", str(ns), "-batch", str(tmp_path / "b"))
    shown = ns.run("ip", "-br", "addr", "show", "lo").stdout
    assert "10.9.9.9/32" in shown and "10.9.9.8/32" in shown


def test_unknown_namespace(ip, tmp_path):
    (tmp_path / "b").write_text("tunnel show\nlink show\n")
    done = ip(None, "-n", "no-such-ns", "-batch", str(tmp_path / "b"), check=False)
    assert done.returncode == 255
    assert done.stderr == 'Cannot open network namespace "no-such-ns": No such file or directory\n'


def test_lines_take_effect_as_they_come(ip, ns):
    """A program at the other end of a pipe that waits for the effect of each line."""
    with subprocess.Popen([REAL, "netns", "exec", str(ns), IP, "-batch", "-"], stdin=subprocess.PIPE,
                          env=ip.env, text=True) as batch:
        for last, line in enumerate(["addr add 10.9.9.{}/32 dev lo", "tunnel show\naddr add 10.9.9.{}/32 dev lo",
                                     "addr add 10.9.9.{}/32 dev lo"], 1):
            batch.stdin.write(line.format(last) + "\n")
            batch.stdin.flush()
            wait_until(lambda want=f"10.9.9.{last}/32": want in ns.run("ip", "-br", "addr", "show", "lo").stdout)
        batch.stdin.close()
        assert batch.wait(10) == 0


def test_a_pipe_as_file(ip, ns):
    """`ip -batch <(...)` can be read only once."""
    done = run("bash", "-c", f"{REAL} netns exec {ns} {IP} -batch <(printf 'link show lo\\ntunnel show\\nlink show lo\\n')",
               env=ip.env)
    assert done.stdout.count("1: lo:") == 2


def test_many_foreign_lines_are_one_process(fake, tmp_path):
    (tmp_path / "b").write_text("route show\n" * 3000 + "tunnel foo\n")
    done = fake("-batch", str(tmp_path / "b"), stdin="")
    assert done.returncode == 255
    assert fake.calls() == [["-batch", "-"]]
    assert fake.stdin.read_text() == "route show\n" * 3000


def test_tunnels_in_a_batch(ip, ns, tmp_path):
    (tmp_path / "b").write_text("tunnel add t1 mode ipip local 1.1.1.1 remote 2.2.2.2\n"
                                "link set t1 up\n"
                                "link add t2 up mtu 1400 type ipip local 1.1.1.1 remote 2.2.2.3\n"
                                "addr add 10.0.0.1 peer 10.0.0.2 dev t1\n"
                                "tunnel show\n"
                                "tunnel del t1\n"
                                "tunnel del t1\n"
                                "tunnel del t2\n")
    done = ip(ns, "-batch", str(tmp_path / "b"), check=False)
    assert (done.returncode, done.stderr) == (1, 'delete tunnel "t1" failed: No such device\n'
                                                 f"Command failed {tmp_path / 'b'}:7\n")
    assert done.stdout == ("t1: ip/ip remote 2.2.2.2 local 1.1.1.1 ttl inherit\n"
                           "t2: any/ip remote 2.2.2.3 local 1.1.1.1 ttl inherit\n")
    assert ns.link("t2")["mtu"] == 1400
