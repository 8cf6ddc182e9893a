# SPDX-License-Identifier: BSD-2-Clause
"""`make install` into a folder, and `make uninstall` of it."""

import os
import shutil

import pytest

from net import run
from tunnels import BUILD, ROOT

pytestmark = pytest.mark.unprivileged


def make(*words):
    env = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "B")}
    return run("make", "-C", ROOT, f"B={BUILD}", *words, env=env, timeout=300)


def tree(top):
    return {str(path.relative_to(top)): path.read_bytes() if path.is_file() else None for path in top.rglob("*")}


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local", "/opt/tunl"])
def test_install_and_uninstall(tmp_path, prefix):
    where = [f"DESTDIR={tmp_path}", f"PREFIX={prefix}"]
    make("install", *where)
    top = tmp_path / prefix[1:]
    assert os.access(top / "lib/tunl/bin/ip", os.X_OK)
    for page in (ROOT / "man").glob("*.[1-9]"):
        assert (top / f"share/man/man{page.suffix[1:]}" / page.name).is_file()
    assert (top / "share/bash-completion/completions/tunl").is_file() and list(top.rglob("_tunl"))
    assert (top / "lib/sysusers.d/tunl.conf").is_file() and (top / "share/tunl/labs/gre.lab").is_file()
    assert run(top / "bin/tunl", "-V").stdout.startswith("tunl")
    units = list(tmp_path.rglob("*.service"))
    assert units and all(f"={prefix}/sbin/tunld" in (said := unit.read_text()) or f"={prefix}/bin/tunl" in said for unit in units)
    assert os.access(top / "lib/tunl/tunl-metrics", os.X_OK)
    if prefix != "/usr/local":
        named = [path for path in top.rglob("*") if path.is_file() and not os.access(path, os.X_OK)
                 and "/usr/local" in path.read_text()]
        assert named == []
    make("uninstall", *where)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []
    assert [path for path in tmp_path.rglob("*tunl*") if path != top] == []


def test_uninstall_leaves_what_is_not_ours(tmp_path):
    """A second installation into the same place is like the first; other files stay."""
    where = [f"DESTDIR={tmp_path}", "PREFIX=/usr"]
    for _ in range(2):
        make("install", *where)
        (tmp_path / "usr/share/tunl/labs/mine.lab").write_text("mine")
        (tmp_path / "usr/bin/other").write_text("other")
        make("uninstall", *where)
        left = tree(tmp_path)
        assert {name for name, text in left.items() if text is not None} == {"usr/bin/other",
                                                                             "usr/share/tunl/labs/mine.lab"}
    make("install", *where)
    make("uninstall", *where)
    assert tree(tmp_path) == left


def test_real_ip_is_found_beside_ours(tmp_path):
    """The installed ip, first in PATH, hands what is not its own to the real ip."""
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    path = f"{tmp_path}/usr/lib/tunl/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    real = run("ip", "-V", env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    ours = run(tmp_path / "usr/lib/tunl/bin/ip", "-V", env={"PATH": path})
    assert (ours.stdout, ours.stderr) == (real.stdout, real.stderr)
    refused = run(tmp_path / "usr/lib/tunl/bin/ip", "nonsense", env={"PATH": path}, check=False)
    assert refused.returncode == 1 and "nonsense" in refused.stderr


def test_unit_stays_hardened():
    """What systemd says of the unit is no worse than doc/security.md tells."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    run("systemd-analyze", "security", "--offline=yes", "--threshold=40", ROOT / "packaging/tunld.service",
        env={**os.environ, "SYSTEMD_COLORS": "0"})


def test_package_has_the_version_of_the_build():
    first = (ROOT / "packaging/debian/changelog").read_text().splitlines()[0]
    assert f"VERSION\t:= {first.split('(')[1].split(')')[0]}\n" in (ROOT / "Makefile").read_text()
