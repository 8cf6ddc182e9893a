# SPDX-License-Identifier: BSD-2-Clause
"""`tunl help VERB`, the manual's lists, and completion: all from the tables of words."""

import os
import pathlib
import pty
import re
import select
import subprocess
import time

import pytest

from net import run
from tunnels import BUILD, ROOT

pytestmark = pytest.mark.unprivileged
TUNL = BUILD / "tunl"


def make(*targets):
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "B")}
    return run("make", "-s", "-C", ROOT, f"B={BUILD}", *targets, env=env, timeout=300)


def told(*words, check=True, **env):
    return run(TUNL, *words, check=check, env={**os.environ, **env})


def commands():
    """The words that the programs themselves dispatch on, read from their sources."""
    found = []
    for source, table in (("src/tunl.c", "commands"), ("src/cli/tunnel.c", "verbs")):
        text = (ROOT / source).read_text()
        rows = re.search(r"\} %s\[\] = \{(.*?)\n\};" % table, text, re.S)[1]
        found += re.findall(r'\{"([^"]+)",', rows)
    assert len(found) > 12
    return found


def words_below(source):
    text = (ROOT / source).read_text()
    rows = re.search(r"\} (?:verbs|commands)\[\] = \{(.*?)\n\};", text, re.S)[1]
    return re.findall(r'\{"([^"]+)",', rows)


@pytest.mark.parametrize("word", commands())
def test_every_verb_has_help(word):
    got = told("help", word)
    assert got.stdout.startswith("Usage: tunl ") and not got.stderr
    if word not in ("lst", "list"):
        assert got.stdout.startswith(f"Usage: tunl {word}")


@pytest.mark.parametrize("verb, source", [("lab", "src/lab/lab_main.c"), ("daemon", "src/cli/daemon_cmd.c")])
def test_verbs_below_a_verb_have_help(verb, source):
    below = words_below(source)
    assert len(below) >= 3
    for word in below:
        assert told("help", verb, word).stdout.startswith(f"Usage: tunl {verb} {word}")
        assert f"tunl {verb} {word}" in told("help", verb).stdout


def test_help_tells_the_options_of_a_tunnel():
    text = told("help", "add").stdout
    for line in ("mode MODE", "ttl|hoplimit|hlim TTL", "datapath DATAPATH"):
        assert re.search(rf"^  {re.escape(line)} ", text, re.M)
    assert "proto PROTO" not in text  # a word of the state only


@pytest.mark.parametrize("columns, most", [("40", 40), ("72", 72), ("250", 100), ("1", 40), ("x", 80)])
def test_help_keeps_to_the_width(columns, most):
    for verb in ("add", "lab run", "explain"):
        lines = told("help", *verb.split(), COLUMNS=columns).stdout.splitlines()
        long = [line for line in lines if len(line) > most]
        assert not [line for line in long if " " in line.strip()], long
        if most > 60:
            assert max(map(len, lines)) > most - 30  # it uses the room


def test_beginnings_and_near_words():
    assert told("help", "sh").stdout == told("help", "show").stdout == told("help", "ls").stdout
    for wrong, near in (("ad", None), ("chnge", "change"), ("expalin", "explain"), ("lab rn", "lab run")):
        got = told("help", *wrong.split(), check=False)
        if near:
            assert (got.returncode, got.stdout) == (255, "") and f'do you mean "{near}"' in got.stderr
        else:
            assert got.returncode == 0
    got = told("help", "xyzzyx", check=False)
    assert got.returncode == 255 and "do you mean" not in got.stderr and "`tunl help` has all" in got.stderr
    assert told("help", "x" * 4000, check=False).returncode == 255


def test_help_alone_is_as_before():
    got = told("help", check=False)
    assert got.returncode == 255 and not got.stdout
    for word in ("lab", "reload", "import", "xfrm"):
        assert f"tunl {word} " in got.stderr
    ip = run(BUILD / "bin/ip", "tunnel", "help", "add", check=False)
    assert ip.returncode == 255 and not ip.stdout and "tunl help VERB" not in ip.stderr


def test_the_manuals_lists_are_current():
    make(BUILD / "tables")
    assert not run(ROOT / "scripts/man-lists", BUILD / "tables").stdout


def test_list_that_is_not_current_is_named(tmp_path):
    """The check itself: with another table it finds fault."""
    other = tmp_path / "tables"
    other.write_text("#!/bin/sh\necho other\n")
    other.chmod(0o755)
    got = run(ROOT / "scripts/man-lists", other, check=False)
    assert got.returncode == 1 and "man/tunl-reasons.7" in got.stdout and "man/tunl.8" in got.stdout


def test_reasons_are_all_in_their_page():
    text = run("mandoc", "-Tutf8", "-Owidth=200", ROOT / "man/tunl-reasons.7").stdout
    text = re.sub(".\x08", "", text)
    words = re.findall(r'^REASON\(\w+, "([^"]+)"', (ROOT / "src/model/reasons.def").read_text(), re.M)
    assert len(words) > 30
    assert [word for word in words if word not in text] == []


@pytest.fixture(scope="module")
def completion():
    make(BUILD / "completion/tunl.bash", BUILD / "completion/tunl.zsh")
    return pathlib.Path(BUILD) / "completion"


WORDS = [  # what stands there; what is offered; what is not
    ("tunl ", ["add", "show", "lab", "-s", "-netns"], ["run", "mode"]),
    ("tunl -s sh", ["show"], ["add"]),
    ("tunl -n x re", ["reload"], ["remote"]),
    ("tunl add t1 ", ["mode", "remote", "hoplimit", "peers"], ["run", "proto", "6rd-prefix"]),
    ("tunl a t1 mode ", ["ipip", "gre", "sit", "isatap", "vti"], ["remote"]),
    ("tunl add t1 mode gre datapath ", ["auto", "bpf", "user"], ["mode"]),
    ("tunl add t1 dev l", ["lo"], ["local"]),
    ("tunl change t1 m", ["mode", "mss"], ["remote"]),
    ("tunl show --", ["--config"], ["-s"]),
    ("tunl lab ", ["run", "list", "show"], ["add"]),
    ("tunl lab run --data", ["--datapath"], ["--keep"]),
    ("tunl lab up --datapath ", ["bpf", "user"], ["--id"]),
    ("tunl daemon re", ["restart"], ["status", "reload"]),
    ("tunl xfrm state del", ["delete", "deleteall"], ["flush"]),
    ("tunl help ex", ["explain"], ["exec"]),
    ("tunl help lab r", ["run", "report"], ["reload"]),
    ("tunl check tunl.co", ["tunl.conf.example"], []),
    ("tunl 6rd dev t 6rd-", ["6rd-prefix", "6rd-reset"], ["dev"]),
    ("tunl nonsense ", [], ["add", "mode"]),
]
ASK = """source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMP_POINT=${#COMP_LINE}
"$(complete -p tunl | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" tunl "${!#}" ""
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("line, there, not_there", WORDS)
def test_bash(completion, line, there, not_there):
    got = run("bash", "--norc", "--noprofile", "-uc", ASK, "-", completion / "tunl.bash", *line.split(" "),
              cwd=ROOT / "packaging")
    assert not got.stderr
    offered = [word for word in got.stdout.splitlines() if word]
    assert [word for word in there if word not in offered] == []
    assert [word for word in not_there if word in offered] == []
    assert all(word.startswith(line.split(" ")[-1]) for word in offered)


def test_bash_offers_no_file_for_a_star(completion, tmp_path):
    (tmp_path / "add").touch()
    (tmp_path / "a b$(touch ouch)").touch()
    got = run("bash", "--norc", "--noprofile", "-uc", ASK, "-", completion / "tunl.bash", "tunl", "check", "a",
              cwd=tmp_path)
    assert "add" in got.stdout.splitlines() and not (tmp_path / "ouch").exists()


class Zsh:
    """A zsh on a terminal, without anybody's settings, with our completion."""

    PROMPT = "ready> "

    def __init__(self, folder, cwd):
        self.master, slave = pty.openpty()
        self.unread = ""
        env = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(folder), "COLUMNS": "200", "LINES": "200"}
        self.process = subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, env=env,
                                        cwd=cwd, start_new_session=True)
        os.close(slave)
        self.say(f"unsetopt zle_bracketed_paste PROMPT_SP; PS1='rea''dy> '; stty cols 200 rows 200; "
                 f"LISTMAX=10000; fpath=({folder} $fpath)\n")
        self.until(self.PROMPT)
        self.say("autoload -Uz compinit; compinit -u -D; bindkey '^Xl' list-choices; echo set''up\n")
        self.until("setup")
        self.until(self.PROMPT)

    def say(self, text):
        os.write(self.master, text.encode())

    def until(self, text, limit=60):
        """All that it prints up to the text, which is taken, too."""
        end = time.monotonic() + limit
        while text not in self.unread:
            assert time.monotonic() < end, f"no {text!r} in {self.unread!r}"
            if select.select([self.master], [], [], 1)[0]:
                self.unread += os.read(self.master, 65536).decode(errors="replace")
        seen, self.unread = self.unread.split(text, 1)
        return seen

    def choices(self, line):
        """What is listed below the line; the line is thrown away by ^U."""
        self.say(f"{line}\x18l\x15echo en''d\n")
        seen = self.until("\nend\r\n")
        self.until(self.PROMPT)
        return seen.split(line, 1)[-1]

    def close(self):
        os.close(self.master)
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def zsh(completion, tmp_path_factory):
    if not os.path.exists("/usr/bin/zsh"):
        pytest.skip("needs zsh")
    folder = tmp_path_factory.mktemp("zsh")
    (folder / "_tunl").write_text((completion / "tunl.zsh").read_text())
    shell = Zsh(folder, ROOT / "packaging")
    yield shell
    shell.close()


@pytest.mark.parametrize("line, there, not_there", [row for row in WORDS if len(row[1]) > 1])
def test_zsh(zsh, line, there, not_there):
    # "word  -- phrase", or columns of words
    offered = [word for row in zsh.choices(line).splitlines() for word in row.split(" -- ")[0].split()]
    assert [word for word in there if word not in offered] == []
    assert [word for word in not_there if word in offered[:offered.index("ready>")]] == []


def test_zsh_tells_what_words_mean(zsh):
    assert "make a tunnel" in zsh.choices("tunl ")


def test_zsh_script_parses(completion):
    if not os.path.exists("/usr/bin/zsh"):
        pytest.skip("needs zsh")
    run("zsh", "-n", completion / "tunl.zsh")
