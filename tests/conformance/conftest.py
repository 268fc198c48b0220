# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements about a core: options, the fleet of one box per version, observations made once and looked at by many tests."""

from __future__ import annotations

import argparse
import concurrent.futures
import hashlib
import inspect
import json
import re
import sys
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SANDBOX = HERE.parent / 'sandbox'
OUTPUT = HERE.parent / 'output'
sys.path[:0] = [str(SANDBOX), str(HERE)]
VERSIONS = ('3.3.60', '4.0.63', '4.1.28', '4.4.20', '4.5.3')
RESULTS: dict[str, dict] = {}
# Scenario -> versions that the chosen tests want it for.
WANTED: dict[str, list[str]] = {}


def pytest_addoption(parser):
    group = parser.getgroup('conformance')
    group.addoption('--core', help='git directory of jeedom/core; default: the miniature')
    group.addoption('--fleet-name', help='name of the fleet (default: one of this clone and kind of core)')
    group.addoption('--keep', action='store_true', help='leave the fleet up')
    group.addoption('--results', help='where to write the results as JSON (default: tests/output/conformance-<core>.json)')


def pytest_configure(config):
    config.addinivalue_line('markers', 'contract(section): a statement of the contract about a core')
    config.addinivalue_line('markers', 'miniature: needs what only the miniature has')


def pytest_collection_finish(session):
    # after -k and -m have chosen: nothing is observed that nobody asks for
    for item in session.items:
        version = item.callspec.params.get('version') if hasattr(item, 'callspec') else None
        for name in re.findall(r'\bdo\.(\w+)', inspect.getsource(item.function)):
            if version and version not in WANTED.setdefault(name, []):
                WANTED[name].append(version)


class Laboratory:
    """One box per version, and what has been observed on them."""

    def __init__(self, core: str | None, name: str | None):
        import sandbox
        from boxes import Fleet
        from box import Box
        self.sandbox, self.core = sandbox, core
        self.name = name or ('cg' if core else 'cm') + hashlib.sha256(str(HERE).encode()).hexdigest()[:4]
        self.fleet = Fleet(self.name)
        # a fleet of an earlier run may stand on layers that are no longer right
        sandbox.down(self._arguments())
        OUTPUT.mkdir(exist_ok=True)
        described = OUTPUT / f'conformance-{self.name}.json'
        described.write_text(json.dumps({
            'boxes': {f'box{number}': {'version': version, 'plugins': ['virtual', 'weather'], 'dataset': {'history': 400, 'designs': 1}}
                      for number, version in enumerate(VERSIONS, 1)},
            'market': {'virtual': {'v4': 1}, 'weather': {'v4': 1}}}), encoding='utf-8')
        sandbox.up(self._arguments(fleet=str(described), core=core, boxes=5))
        self.boxes = {version: Box(self.fleet, f'box{number}', version) for number, version in enumerate(VERSIONS, 1)}
        self.seen: dict[tuple, concurrent.futures.Future] = {}
        self.seconds: dict[str, float] = {}
        # one at a time on each box, all boxes at once
        self.workers = {version: concurrent.futures.ThreadPoolExecutor(1) for version in VERSIONS}
        self.lock = threading.Lock()

    def _arguments(self, **more) -> argparse.Namespace:
        return argparse.Namespace(name=self.name, inventory=str(OUTPUT / f'{self.name}.yml'), **more)

    def observe(self, scenario, version: str):
        """What a scenario shows on a fresh box of a version. All that will be asked for is begun with the first question."""
        for name, versions in WANTED.items():
            for other in versions:
                if (name, other) not in self.seen:
                    self.seen[name, other] = self.workers[other].submit(self._observe, name, self.boxes[other])
        return self.seen[scenario.__name__, version].result()

    def _observe(self, name: str, box):
        import scenarios
        begin = time.monotonic()
        self._rules(box, None)
        self.sandbox.reset(self._arguments(box=[box.name]))
        # time does not stand still for statements: the minute's cron would start, write and archive in between
        box.sh('systemctl stop cron; mkdir -p /tmp/jeedom; chown www-data /tmp/jeedom')
        try:
            return getattr(scenarios, name)(box)
        finally:
            self.seconds[f'{name} {box.version}'] = round(time.monotonic() - begin, 1)

    def _rules(self, box, rule: dict | None) -> None:
        """Replace the rules of the stand-in site for one box."""
        path, address = self.fleet.state / 'rules.json', self.fleet.address(box.name)
        with self.lock:
            rules = [other for other in json.loads(path.read_text(encoding='utf-8')) if other.get('box') != address]
            self.sandbox.boxes.write(path, json.dumps(rules + ([dict(rule, box=address)] if rule else [])))

    def misbehave(self, box, rule: str, match: str) -> None:
        """Let the stand-in site misbehave to one box until its next scenario."""
        self._rules(box, {'rule': rule, 'match': match})

    def close(self) -> None:
        """Remove the fleet."""
        for worker in self.workers.values():
            worker.shutdown(cancel_futures=True)
        self.sandbox.down(self._arguments())


@pytest.fixture(scope='session')
def laboratory(request):
    lab = Laboratory(request.config.getoption('--core'), request.config.getoption('--fleet-name'))
    import scenarios
    scenarios.LABORATORY = lab
    yield lab
    RESULTS['seconds'] = lab.seconds
    if not request.config.getoption('--keep'):
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
            'section': mark.args[0], 'statement': item.originalname.removeprefix('test_').replace('_', ' '),
            'version': item.callspec.params.get('version', '') if hasattr(item, 'callspec') else '',
            'outcome': report.outcome, 'why': str(report.longrepr)[-600:] if report.outcome == 'failed' else ''}


def pytest_sessionfinish(session):
    if RESULTS:
        name = 'genuine' if session.config.getoption('--core') else 'miniature'
        path = Path(session.config.getoption('--results') or OUTPUT / f'conformance-{name}.json')
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(RESULTS, indent=1, ensure_ascii=False), encoding='utf-8')
