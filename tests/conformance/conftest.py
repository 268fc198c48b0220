# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements about a core: options, what is observed for them, results as JSON."""

from __future__ import annotations

import datetime
import inspect
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / 'output'
sys.path[:0] = [str(HERE), str(HERE.parent / 'tools')]

import ending  # noqa: E402
from statements import told  # noqa: E402

RESULTS: dict[str, dict] = {}
SECONDS: dict[str, float] = {}
# Scenario -> versions that the chosen tests want it for.
WANTED: dict[Callable, list[str]] = {}


def pytest_addoption(parser):
    group = parser.getgroup('conformance')
    group.addoption('--core', help='git directory of jeedom/core; default: the miniature')
    group.addoption('--fleet-name', help='name of the fleet (default: one of this clone and kind of core)')
    group.addoption('--boxes', type=int, default=8, help='scenarios at a time (default: %(default)s)')
    group.addoption('--keep', action='store_true', help='leave the fleet up')
    group.addoption('--results', help='where to write the results as JSON (default: tests/output/conformance-<core>.json)')


def pytest_configure():
    ending.tidy_pytest()


def pytest_collection_finish(session):
    # after -k and -m have chosen: nothing is observed that nobody asks for
    for item in session.items:
        version = item.callspec.params['version']
        for name in re.findall(r'\bdo\.(\w+)', inspect.getsource(item.function)):
            versions = WANTED.setdefault(getattr(item.module.do, name), [])
            if version not in versions:
                versions.append(version)


@pytest.fixture(scope='session')
def laboratory(request):
    from laboratory import Laboratory
    option = request.config.getoption
    lab = Laboratory(option('--core'), option('--fleet-name'), option('--boxes'))
    lab.begin(WANTED)
    yield lab
    SECONDS.update(lab.seconds)
    if not option('--keep'):
        lab.close()


@pytest.fixture
def observe(laboratory, version):
    """observe(scenario): its record for the version of this test."""
    return lambda scenario: laboratory.observe(scenario, version)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    mark = item.get_closest_marker('contract')
    if mark and (report.when == 'call' or report.outcome != 'passed'):
        RESULTS[item.nodeid.split('/')[-1]] = {
            'section': mark.args[0], 'statement': told(item.originalname),
            'version': item.callspec.params['version'],
            'outcome': report.outcome, 'why': str(report.longrepr)[-600:] if report.outcome == 'failed' else ''}


def pytest_sessionfinish(session):
    if RESULTS:
        name = 'genuine' if session.config.getoption('--core') else 'miniature'
        path = Path(session.config.getoption('--results') or OUTPUT / f'conformance-{name}.json')
        path.parent.mkdir(exist_ok=True)
        run = {'core': name, 'date': f'{datetime.date.today():%Y-%m-%d}', 'statements': RESULTS, 'seconds': SECONDS}
        path.write_text(json.dumps(run, indent=1, ensure_ascii=False), encoding='utf-8')
