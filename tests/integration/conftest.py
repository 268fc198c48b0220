# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox box for tests that break things: one machine for all of them, brought up here unless it is named.

JEEDOM_TEST_BOX=<inventory file>:<host> names a box that is up; JEEDOM_TEST_CORE=<git directory> puts a genuine core on
the one that is brought up.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# testbox.py beside this file and the tools; pytest's import mode adds no folder by itself.
sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1] / 'tools')]

import ending  # noqa: E402
from testbox import Box, fleet_name, need_root, sandbox  # noqa: E402


def pytest_configure() -> None:
    """A plain kill takes the boxes down as well."""
    ending.tidy_pytest()


@pytest.fixture(scope='session')
def box(request, tmp_path_factory):
    """A box with our code on it. Its cron daemon is stopped, so that nothing changes by itself while we compare."""
    named = os.environ.get('JEEDOM_TEST_BOX')
    # test_hop_faults.py -> ho: suites that run side by side have boxes of their own.
    fleet = fleet_name(request.session.items[0].path.stem.removeprefix('test_')[:2])
    if named:
        inventory, host = named.rsplit(':', 1)
        found = Box(Path(inventory), host)
        ready(found)
        yield found
        found.sh('systemctl start cron')
        return
    need_root()
    inventory = tmp_path_factory.mktemp('inventory') / 'hosts.yml'
    core = os.environ.get('JEEDOM_TEST_CORE')
    try:
        sandbox(fleet, '--inventory', str(inventory), 'up', '--boxes', '1', *(['--core', core] if core else []))
        found = Box(inventory, 'box1')
        ready(found)
        yield found
    finally:
        sandbox(fleet, '--inventory', str(inventory), 'down')


def ready(box: Box) -> None:
    """Our code on it, and nothing that changes by itself."""
    box.install()
    box.calm()


@pytest.fixture(scope='module')
def rich(box):
    """The box with everything in files and database that a restore could stumble over."""
    box.do('enrich')
    return box


@pytest.fixture
def before(rich):
    """What the box holds before the test; compared at its end."""
    census, around = rich.do('census'), rich.do('around')
    assert around['page'] and around['leftovers'] == [] and around['transaction'] is None, around
    yield census, around


@pytest.fixture
def archived(box):
    """The box without what no archive of Jeedom's holds (routines, events), as after a backup; then as before()."""
    box.sh('mysql jeedom -e "DROP PROCEDURE IF EXISTS pp; DROP EVENT IF EXISTS ev"')
    given = {}

    def make(**how):
        given.update(box.do('archive', **how))
        return given

    yield make
    box.sh('rm -rf /var/lib/jeedom-fleet/staging/*')
