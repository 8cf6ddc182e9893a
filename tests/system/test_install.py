# SPDX-License-Identifier: BSD-2-Clause
"""`make install` into a folder, and `make uninstall` of it."""

import os

import pytest

from net import run
from tunnels import BUILD, ROOT

pytestmark = pytest.mark.unprivileged


def make(*words):
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "B")}
    return run("make", "-C", ROOT, f"B={BUILD}", *words, env=env, timeout=300)


@pytest.mark.parametrize("prefix", ["/usr", "/opt/tunl"])
def test_install_and_uninstall(tmp_path, prefix):
    where = [f"DESTDIR={tmp_path}", f"PREFIX={prefix}"]
    make("install", *where)
    top = tmp_path / prefix[1:]
    assert os.access(top / "lib/tunl/bin/ip", os.X_OK)
    assert (top / "share/man/man8/tunl.8").is_file() and (top / "share/man/man8/tunld.8").is_file()
    assert run(top / "bin/tunl", "-V").stdout.startswith("tunl")
    units = list(tmp_path.rglob("*.service"))
    assert units and all(f"{prefix}/sbin/tunld" in unit.read_text() for unit in units)
    make("uninstall", *where)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []


def test_real_ip_is_found_beside_ours(tmp_path):
    """The installed ip, first in PATH, hands what is not its own to the real ip."""
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    path = f"{tmp_path}/usr/lib/tunl/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    real = run("ip", "-V", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    ours = run(tmp_path / "usr/lib/tunl/bin/ip", "-V", env={"PATH": path})
    assert (ours.stdout, ours.stderr) == (real.stdout, real.stderr)
    refused = run(tmp_path / "usr/lib/tunl/bin/ip", "nonsense", env={"PATH": path}, check=False)
    assert refused.returncode == 1 and "nonsense" in refused.stderr
