# SPDX-License-Identifier: BSD-2-Clause
"""What the answers of the drivers and of tunl need not have in common. Every rule names the
section of doc/compat.md that says why, and is counted where it was needed.

`plain` takes from an answer what is not compared; `allowed` says whether two answers that
then still differ are a pair that compat.md lists."""

import collections
import json
import pathlib
import re

import sides

COMPAT = pathlib.Path(__file__).resolve().parents[2] / "doc/compat.md"
COLOUR = "\033\\[[0-9;]*m"
STATS = r"\nRX: Packets[^\n]*\n    \d[^\n]*\nTX: Packets[^\n]*\n    \d[^\n]*"
HEADING = "## Differences that the comparison allows"
used = collections.Counter()


class Answer(collections.namedtuple("Answer", "status out err")):
    """Exit status and what was printed."""


def count(rule):
    used[rule] += 1
    return rule


# Those of `plain`; those of pairs are in PAIRS. Word for word they are the list in doc/compat.md.
FALLBACK_LINES = "Fallback devices: `show` has lines for them"
TUN_DEVICE = "The device: what a TUN device shows in `ip -d link show`"
ROUTERS = "JSON: several routers are an array"
STATISTICS = "JSON: statistics under `-j -s`"
CONTROL = "JSON: a control character in a name"


def is_json(words):
    return any(re.match("--?j", w) for w in words if w.startswith("-"))


# show: lines, and objects, of the drivers' fallback devices


def text_without_fallbacks(text):
    """Their lines, with flags and statistics below them."""
    kept, skip = [], False
    for line in text.splitlines(keepends=True):
        head = re.match(rf"(?:{COLOUR})*([^\s:]+): ", line)
        if head and not line.startswith(("RX:", "TX:")):
            skip = head.group(1) in sides.FALLBACKS
        if not skip:
            kept.append(line)
    if len(kept) < text.count("\n"):
        count(FALLBACK_LINES)
    return "".join(kept)


def merged(pairs):
    """A member that is repeated as an array, which is what tunl makes of it."""
    out = {}
    for key, value in pairs:
        out[key] = value if key not in out else [*(out[key] if isinstance(out[key], list) else [out[key]]), value]
    return out


def routers_merged(chunk):
    if not re.search('"pd?r":', chunk):
        return chunk
    count(ROUTERS)
    return json.dumps(json.loads(chunk, object_pairs_hook=merged))


def json_without_fallbacks(text):
    """The objects as they are laid out, each for itself."""
    text, tables = re.subn(STATS, "", text)
    if tables:
        count(STATISTICS)
    raw = re.compile("[\x01-\x09\x0b-\x1f]")
    if raw.search(text):
        count(CONTROL)
        text = raw.sub(lambda m: f"\\u{ord(m.group()):04x}", text)
    chunks = [re.sub(r"^[\[,] ?", "", c) for c in re.split(r"(?m)^(?=[\[,] ?\{)", text) if c]
    chunks = [re.sub(r" ?\]\s*\Z", "", c).rstrip("\n") for c in chunks]
    names = [re.search(r'"ifname": ?"([^"]*)"', c) for c in chunks]
    return "\n".join(routers_merged(c) for c, n in zip(chunks, names) if n and n.group(1) not in sides.FALLBACKS)


# ip -d link show: what is the tunnel's, of what is a TUN device's


def link_text(text):
    rows = []
    for block in re.split(r"(?m)^(?=\d+: )", text.replace("\\", "\n")):
        head = re.match(rf"\d+: ([^@:\s]+)(@\S+)?: <[^>]*> mtu (\d+) ", block)
        if not head or head.group(1) in (*sides.FALLBACKS, *sides.LINKS):
            continue
        addresses = re.search(r"\n    link/(\S+) (\S+) (peer|brd) (\S+) ", block)
        kind = re.search(r"\n    ((?:ipip|gre|sit) .*?)(?:addrgenmode|numtxqueues|$)", block)
        rows.append((head.groups(), addresses and addresses.groups(), kind and kind.group(1)))
    return repr(rows)


def link_json(text):
    rows = []
    for row in json.loads(text or "[]"):
        if row.get("ifname") in (None, *sides.FALLBACKS, *sides.LINKS):
            continue
        members = ("ifname", "link", "mtu", "link_type", "address", "broadcast", "link_pointtopoint", "linkinfo")
        rows.append({k: row[k] for k in members if k in row})
    return json.dumps(rows)


def plain(words, answer):
    status, out, err = answer
    words = list(words)
    if "link" in words:
        shows = any(v in words for v in ("show", "list", "sh")) and not status
        if shows and out:
            count(TUN_DEVICE)
            out = link_json(out) if is_json(words) else link_text(out)
    elif out.lstrip().startswith("["):
        out = json_without_fallbacks(out)
    else:
        out = text_without_fallbacks(out)
    out = re.sub(r"\bif\d+\b", "ifN", out)
    if err.startswith("Usage:"):
        err = "<usage>"
    return Answer(status, out, err)


# Pairs of answers that differ. A rule gets (words, real, tunl).


def names_fallback(words, *_):
    """What a command does to a fallback device, the drivers' rules are for and not a tunnel's."""
    return any(w in sides.FALLBACKS for w in words)


def fallback_deleted(words, real, tunl):
    """One that was made is deleted as others are."""
    kept = re.match('delete tunnel "(tunl0|gre0|sit0)" failed: Operation not permitted', real.err)
    return kept and real.status == 1 and tunl.status == 0


def mtu_below_sit(words, real, tunl):
    """A TUN device takes 68 and more, sit's 1280."""
    return words[:2] == ["link", "set"] and "mtu" in words and real.err == "Error: mtu less than device minimum.\n" and tunl.status == 0


def real_crashed(words, real, tunl):
    return isinstance(real.status, int) and (real.status < 0 or "stack smashing" in real.err)


Rule = collections.namedtuple("Rule", "what fits ends")
PAIRS = (
    Rule("Fallback devices: one that was made is deleted", fallback_deleted, False),
    Rule("Fallback devices: a command names one", names_fallback, True),
    Rule("The device: an MTU that sit's driver refuses", mtu_below_sit, True),
    Rule("Bugs not copied: iproute2 crashed", real_crashed, True),
)


def allowed(words, real, tunl):
    """The rule that lets the answers differ, or None. Where it `ends`, the two sides are no
    longer alike, and the sequence is over."""
    for rule in PAIRS:
        if rule.fits(words, real, tunl):
            count(rule.what)
            return rule
    return None


# Not of a pair: the answers are alike, what is made afterwards is not.
HANDED_ON = "Fallback devices: 6rd parameters of `sit0` are for those made afterwards"


def parted(words):
    """Both sides said the same, and are no longer alike all the same."""
    if "sit0" not in words or not any(w.startswith("6rd") for w in words):
        return False
    return bool(count(HANDED_ON))


def check():
    """The rules here and the list in doc/compat.md are the same, and its sections are there."""
    text = COMPAT.read_text()
    listed = set(re.findall(r"(?m)^\* (.*)$", text.split(HEADING)[1]))
    rules = {FALLBACK_LINES, TUN_DEVICE, ROUTERS, STATISTICS, CONTROL, HANDED_ON} | {rule.what for rule in PAIRS}
    sections = set(re.findall(r"(?m)^## (.*)$", text))
    strange = (listed ^ rules) | {r for r in rules if r.split(":")[0] not in sections}
    if strange:
        raise SystemExit(f"doc/compat.md and cli_forgive.py do not agree about: {'; '.join(sorted(strange))}")
