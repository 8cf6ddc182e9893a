# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: a tunld of the test's own, namespaces with unique names, tunnels over them.

TUNL_BUILD says where tunl and tunld lie (default: build beside tests/). Each test has
its own runtime folder, hence its own daemon and state: tests run side by side, and one
that fails leaves nothing. Only processes that belong to that folder are ended."""

import itertools
import os
import pathlib
import secrets
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from net import Underlay  # noqa: E402
from tunnels import Ends, Tunl  # noqa: E402

_serial = itertools.count()


def pytest_collection_modifyitems(items):
    reason = None
    if os.geteuid() != 0:
        reason = "needs root: network namespaces"
    elif not os.path.exists("/dev/net/tun"):
        reason = "needs /dev/net/tun (modprobe tun)"
    for item in items:
        if reason and "unprivileged" not in item.keywords:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_configure(config):
    config.addinivalue_line("markers", "unprivileged: runs without root too")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    for daemon in getattr(item, "daemons", []) if report.failed else []:
        report.sections.append(("tunld's log", daemon.log()))


def unique():
    """A prefix for names that nobody else uses."""
    return f"t{os.getpid()}{secrets.token_hex(1)}{next(_serial)}"


@pytest.fixture
def prefix():
    return unique()


@pytest.fixture
def tunl(request):
    daemon = Tunl()
    request.node.daemons = [daemon]
    yield daemon
    daemon.close()


@pytest.fixture
def underlay(prefix):
    """A function that makes the underlay: underlay(mtu=1500, far_mtu=None)."""
    made = []

    def make(**options):
        made.append(Underlay(f"{prefix}{len(made)}", **options))
        return made[-1]

    yield make
    for net in made:
        net.delete()


@pytest.fixture(params=["bpf", "user"])
def datapath(request):
    return request.param


@pytest.fixture
def ends(tunl, underlay, datapath):
    """A function that makes both ends: ends(mtu=..., far_mtu=...).both()."""
    return lambda **options: Ends(tunl, underlay(**options), datapath)
