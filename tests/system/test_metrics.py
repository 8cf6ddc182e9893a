# SPDX-License-Identifier: BSD-2-Clause
"""tunl metrics: what Prometheus reads, from a file and over HTTP."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from net import run, wait_until
from tunnels import BUILD, ROOT, Ends

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\.)*)"(?:,|$)')


def parse(text):
    """[(name, labels, value)]; a line that is none of the format fails."""
    out = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        labels = labels or ""
        pairs = LABEL.findall(labels)
        assert "".join(f'{k}="{v}",' for k, v in pairs).rstrip(",") == labels, line
        out.append((name, dict(pairs), float(value)))
    return out


def sample(text, metric, **labels):
    found = [v for n, have, v in parse(text) if n == metric and labels.items() <= have.items()]
    assert len(found) == 1, f"{metric} {labels}: {found}\n{text}"
    return found[0]


def check(text):
    done = run("promtool", "check", "metrics", input=text, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(self.path))


@pytest.fixture
def serve(tunl, tmp_path):
    """A function that serves the metrics at a UNIX socket (or as told): its process."""
    made = []

    def start(addr=None, ns=None):
        front = ["ip", "netns", "exec", str(ns)] if ns else []
        made.append(subprocess.Popen([*front, BUILD / "tunl", "metrics", "listen", addr or tmp_path / "socket"],
                                     env=tunl.env, stderr=subprocess.PIPE, text=True))
        if not addr:
            wait_until((tmp_path / "socket").exists, 30)
        return made[-1]

    start.path = tmp_path / "socket"
    yield start
    for process in made:
        process.kill()
        process.communicate()


def get(path, url="/metrics", method="GET"):
    connection = Unix(path)
    connection.request(method, url)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_counts(ends):
    e = ends().both()
    e.b.ping(e.A, "-c", "3", "-i", "0.01")
    e.tunl(e.a, "add idle mode gre remote 192.0.2.9 key 9")
    text = e.tunl(e.a, "metrics").stdout
    check(text)
    here = {"name": "tun1", "netns": e.a.name}
    assert sample(text, "tunl_tunnel_receive_packets_total", **here) == 3
    assert sample(text, "tunl_tunnel_receive_bytes_total", **here) == 3 * 84
    assert sample(text, "tunl_tunnel_transmit_packets_total", **here) == 3
    assert sample(text, "tunl_tunnel_up", **here) == 1
    assert sample(text, "tunl_tunnel_path_mtu_bytes", **here) == 1500
    assert sample(text, "tunl_tunnel_info", **here, mode="ipip", remote="10.10.20.2", local="10.10.10.2") == 1
    assert sample(text, "tunl_tunnel_up", name="idle") == 0 and sample(text, "tunl_tunnel_made", name="idle") == 1
    assert sample(text, "tunl_receive_packets_total") == 6 and sample(text, "tunl_up") == 1
    e.a.ip("route add blackhole 10.10.20.2")
    e.a.ping(e.B, "-c", "1", "-W", "1", check=False)
    e.b.ping(e.A, "-c", "2", "-i", "0.01", "-W", "2", check=False)
    text = e.tunl(e.a, "metrics").stdout
    assert sample(text, "tunl_tunnel_drops_total", reason="tx-no-route", **here) >= 1
    heard = sample(text, "tunl_tunnel_last_heard_timestamp_seconds", **here)
    assert 0 <= time.time() - heard < 60, "seen when metrics were asked for the second time"
    e.tunl(e.b, "del tun1")
    after = e.tunl(e.a, "metrics").stdout
    assert sample(after, "tunl_receive_packets_total") >= sample(text, "tunl_receive_packets_total")
    check(after)


def test_names_are_escaped(tunl, underlay):
    net = underlay()
    tunl(net.a, "add", 'a"b\\c', "mode", "ipip", "remote", "192.0.2.1")
    text = tunl(net.a, "metrics").stdout
    check(text)
    assert sample(text, "tunl_tunnel_up", name='a\\"b\\\\c') == 0


def test_configured_and_not_made(tunl, underlay, prefix):
    net = underlay()
    etc = tunl.rundir / "etc"
    etc.mkdir()
    (etc / "tunl.conf").write_text(f"late mode ipip remote 192.0.2.1 netns {prefix}never\n")
    tunl(net.a, "add there mode ipip remote 192.0.2.2")
    text = wait_until(lambda: "late" in tunl(net.a, "metrics").stdout and tunl(net.a, "metrics").stdout, 30)
    assert sample(text, "tunl_tunnel_made", name="late") == 0 and sample(text, "tunl_tunnel_up", name="late") == 0
    assert sample(text, "tunl_tunnels_unmade") == 1
    check(text)


def test_without_daemon(tunl):
    text = tunl(None, "metrics").stdout
    assert sample(text, "tunl_up") == 0 and tunl.pids() == []
    check(text)


def test_file_is_old_or_new(tunl, underlay, tmp_path):
    net = underlay()
    tunl(net.a, "add tun1 mode ipip remote 192.0.2.1")
    file = tmp_path / "tunl.prom"
    tunl(net.a, "metrics", file)
    check(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o644 and os.listdir(tmp_path) == ["tunl.prom"]
    inode = file.stat().st_ino
    process = subprocess.Popen([BUILD / "tunl", "metrics", file, "every", "1"], env=tunl.env)
    try:
        wait_until(lambda: file.stat().st_ino != inode, 30, "another file in its place")
        assert sample(file.read_text(), "tunl_up") == 1
    finally:
        process.kill()
        process.wait()
    refused = tunl.refused(net.a, "metrics", tmp_path / "none" / "x.prom")
    assert "No such file" in refused.stderr
    for words in ("metrics -x", "metrics a every", "metrics a every 0", "metrics listen", "metrics a b"):
        tunl.refused(net.a, words, status=255)


def test_over_http(tunl, underlay, serve):
    net = underlay()
    tunl(net.a, "add tun1 mode ipip remote 192.0.2.1")
    process = serve()
    status, text = get(serve.path)
    assert status == 200 and sample(text, "tunl_tunnel_up", name="tun1") == 0
    check(text)
    assert get(serve.path, "/")[0] == 404 and get(serve.path, "/metrics", "POST")[0] == 405
    tunl(None, "daemon restart")
    wait_until(lambda: 'name="tun1"' in get(serve.path)[1], 30, "the tunnel, by the next daemon")
    children = [int(p) for p in run("ps", "-o", "pid=", "--ppid", process.pid).stdout.split()]
    with open(f"/proc/{children[0]}/status") as f:
        said = f.read()
    assert re.search(r"CapEff:\t0+\n", said) and "NoNewPrivs:\t1" in said and "Uid:\t65534" in said
    again = subprocess.run([BUILD / "tunl", "metrics", "listen", serve.path], env=tunl.env, capture_output=True, text=True,
                           timeout=30)
    assert again.returncode == 1 and "already" in again.stderr
    process.terminate()
    process.wait(20)
    wait_until(lambda: not os.path.exists(f"/proc/{children[0]}"), 20, "the end of the server")


def test_at_a_port(tunl, underlay, serve):
    net = underlay()
    tunl(net.a, "add tun1 mode ipip remote 192.0.2.1")
    serve(":9973", net.a)
    asked = ("import urllib.request as u; print(u.urlopen('http://127.0.0.1:9973/metrics', timeout=20)"
             ".read().decode())")
    page = wait_until(lambda: net.a.run("python3", "-c", asked, check=False).stdout, 60)
    assert 'name="tun1"' in page
    assert "[HOST]:PORT" in tunl.refused(net.a, "metrics listen nothing", status=1).stderr


def test_scrapers_that_do_not_read(tunl, underlay, serve):
    """They take all places; tunld goes on at once, and the next scraper after some seconds."""
    net = underlay()
    tunl(net.a, "-b", "-", input="".join(f"add many{i} mode gre remote 192.0.2.1 key {i}\n" for i in range(300)))
    serve()
    silent = []
    with contextlib.ExitStack() as stack:
        for i in range(16):
            s = stack.enter_context(socket.socket(socket.AF_UNIX))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
            s.connect(str(serve.path))
            s.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" if i % 2 else b"GET /met")
            silent.append(s)
        tunl(net.a, "add tun1 mode ipip remote 192.0.2.1")
        tunl(net.a, "del tun1")
        status, text = get(serve.path)
        assert status == 200 and sample(text, "tunl_tunnels") == 300


def test_dashboard_asks_for_what_there_is(ends):
    """Each metric that the dashboard names is in the exposition, with the labels it uses."""
    e = ends().both()
    e.b.ping(e.A, "-c", "1")
    e.a.ip("route add blackhole 10.10.20.2")
    e.a.ping(e.B, "-c", "1", "-W", "1", check=False)
    text = e.tunl(e.a, "metrics").stdout
    board = json.loads((ROOT / "packaging/metrics/grafana-dashboard.json").read_text())
    asked = [t["expr"] for panel in board["panels"] for t in panel["targets"]]
    asked += [v["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    families = set(re.findall(r"^# TYPE (\w+)", text, re.M))
    named = set(re.findall(r"\btunl_\w+", " ".join(asked)))
    assert len(named) > 15 and named <= families, named - families
    assert {f for f in families if f.startswith("tunl_tunnel_")} - named <= {"tunl_tunnel_made", "tunl_tunnel_carrier"}
    labels = {name: set(have) for name, have, _ in parse(text)}
    for name in named & set(labels):
        if name.startswith("tunl_tunnel_"):
            assert {"name", "netns"} <= labels[name], name
