# SPDX-License-Identifier: BSD-2-Clause
"""`ip xfrm` as the personality answers it, beside what the real one answered; keys stay hidden."""

import json
import pathlib
import re
import shlex

import pytest

from net import Netns, run, wait_until
from tunnels import BUILD
from xfrm import GCM

ANSWERS = pathlib.Path(__file__).with_name("xfrm_ip.txt")
KEY = "000102030405060708090a0b0c0d0e0f"
STATE = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 mode tunnel"


@pytest.fixture
def ns(prefix):
    namespace = Netns(f"{prefix}x")
    yield namespace
    namespace.delete()


def answers():
    for block in ANSWERS.read_text().split("\n== ")[1:]:
        command, _, text = block.partition("\n")
        yield command, text.rstrip("\n")


def test_as_the_real_ip(tunl, ns):
    env = {**tunl.env, "TUNL_XFRM": "own"}
    for command, expected in answers():
        words = shlex.split(command)[1:]
        done = run("ip", "netns", "exec", str(ns), BUILD / "bin/ip", *words, check=False, env=env)
        got = re.sub(r"add 20\S+ \S+", "add TIME", done.stdout + done.stderr) + f"rc {done.returncode}"
        assert got == expected, command


@pytest.mark.parametrize("words, status, message", [
    ("state add", 1, "Not enough information: ID is required"),
    ("state add src 1.1.1.1", 255, 'Error: argument "XFRM-PROTO" is required'),
    ("state add src x", 1, 'Error: any valid prefix is expected rather than "x".'),
    (f"state add {STATE} blah", 255, 'Error: argument "blah" is wrong: unknown'),
    (f"state add {STATE}", 1,
     'ALGO-TYPE value "enc" or "aead" is required with XFRM-PROTO value "esp"'),
    (f"state add {STATE} enc x", 255, 'Error: argument "ALGO-KEYMAT" is required'),
    (f"state add {STATE} enc x 0x1 enc y 0x2", 255, 'Error: duplicate "ALGO-TYPE": "enc" is the second value.'),
    (f"state add {STATE} limit foo 1", 255, 'Error: argument "foo" is wrong: LIMIT value is invalid'),
    (f"state add {STATE} limit byte-soft x", 255,
     'Error: argument "x" is wrong: value after "byte-soft" is invalid'),
    (f"state add {STATE} limit", 255, 'Command line is not complete. Try option "help"'),
    (f"state add {STATE} flag esn enc x 0x1", 255, "Error: esn flag set without replay-window."),
    (f"state add {STATE} aead x 0xzz 128", 255, 'Error: argument "KEY" is wrong: ALGO-KEYMAT value is invalid'),
    ("state get", 2, "RTNETLINK answers: Invalid argument"),
    ("policy add src 1.1.1.1 dst 2.2.2.2", 1, "Not enough information: DIR is required."),
    ("policy add src 1.1.1.1 dst 2.2.2.2 dir foo", 255, 'Error: argument "foo" is wrong: DIR value is invalid'),
    ("state foo", 255, 'Command "foo" is unknown, try "tunl xfrm state help".'),
])
def test_refusals(tunl, ns, words, status, message):
    tunl.env["TUNL_XFRM"] = "own"
    done = tunl.refused(ns, *f"xfrm {words}".split(), status=status)
    assert done.stderr.strip() == message


def test_keys_are_hidden(tunl, ns):
    """In lists, unless asked for; in the log and in every file but the one of root's."""
    tunl.env["TUNL_XFRM"] = "own"
    tunl(ns, *f"xfrm state add {STATE} {GCM}".split())
    assert KEY not in tunl(ns, "xfrm state list").stdout
    assert "<<Keys hidden>>" in tunl(ns, "xfrm state list").stdout
    assert KEY in tunl(ns, "xfrm state list keys").stdout
    assert KEY not in json.dumps(json.loads(tunl(ns, "-j xfrm state list").stdout))
    holders = [p for p in tunl.rundir.iterdir() if p.is_file() and KEY.encode() in p.read_bytes()]
    assert [p.name for p in holders] == ["xfrm"]
    assert holders[0].stat().st_mode & 0o777 == 0o600


def test_others_may_not(tunl, ns):
    tunl.env["TUNL_XFRM"] = "own"
    tunl(ns, *f"xfrm state add {STATE} {GCM}".split())
    bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--reuid=65534", "--clear-groups"]
    done = run("ip", "netns", "exec", str(ns), *bare, BUILD / "tunl", "xfrm", "state", "list", "keys",
               check=False, env=tunl.env)
    assert done.returncode and KEY not in done.stdout


def test_go_with_the_namespace(tunl, prefix):
    """One that has associations and no tunnel, too, is let go of, and so are its keys."""
    tunl.env["TUNL_XFRM"] = "own"
    gone = Netns(f"{prefix}y")
    tunl(gone, *f"xfrm state add {STATE} {GCM}".split())
    gone.delete()
    wait_until(lambda: json.loads(tunl(None, "-j daemon status").stdout)["namespaces"] == 0, 20)


def test_survive_the_daemon(tunl, ns):
    """A daemon that was killed finds them again; with a namespace they go."""
    tunl.env["TUNL_XFRM"] = "own"
    tunl(ns, *f"xfrm state add {STATE} {GCM}".split())
    tunl(ns, *"xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir out mark 5".split())
    before = tunl(ns, "xfrm state list keys").stdout + tunl(ns, "xfrm policy list").stdout
    tunl.kill(*tunl.pids())
    tunl(None, "daemon restart")
    assert tunl(ns, "xfrm state list keys").stdout + tunl(ns, "xfrm policy list").stdout == before
