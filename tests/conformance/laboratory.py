# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes of every version, and what is observed on them: each scenario once per version, as many at a time as there are boxes."""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import functools
import hashlib
import json
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / 'output'
sys.path[:0] = [str(HERE.parent / 'sandbox'), str(HERE)]

import boxes  # noqa: E402
import sandbox  # noqa: E402
from box import Box  # noqa: E402
from statements import ALL  # noqa: E402

# Begun first, so that none of them is left alone at the end.
LONG = ('killed_late', 'killed_in_scripts', 'to_44', 'preupdate', 'restore_not_found', 'two_updates', 'date_limit', 'guard', 'hop')
# Until a box that has just been started is of use. Time does not stand still for statements: the minute's cron would start, write and
# archive in between.
READY = '''
for i in $(seq 600); do
    [ -S /run/mysqld/mysqld.sock ] && mysqladmin ping >/dev/null 2>&1 && systemctl is-active -q apache2 cron && break
    sleep 0.1
done
systemctl stop cron && mkdir -p /tmp/jeedom && chown www-data /tmp/jeedom
'''


class Laboratory:
    """A fleet whose boxes take any version, one scenario after the other."""

    def __init__(self, core: str | None, name: str | None, number: int):
        """core: git directory of the genuine core, None for the miniature; number: of boxes, which is of scenarios at a time."""
        self.name = name or ('cg' if core else 'cm') + hashlib.sha256(str(HERE).encode()).hexdigest()[:4]
        self.fleet = boxes.Fleet(self.name)
        # a fleet of an earlier run may stand on layers that are no longer right
        sandbox.down(self._arguments())
        OUTPUT.mkdir(exist_ok=True)
        described = OUTPUT / f'conformance-{self.name}.json'
        versions = {f'box{index + 1}': ALL[index % len(ALL)] for index in range(max(number, len(ALL)))}
        described.write_text(json.dumps({
            'boxes': {box: {'version': version, 'plugins': ['virtual', 'weather'], 'dataset': {'history': 400, 'designs': 1}}
                      for box, version in versions.items()},
            'market': {'virtual': {'v4': 1}, 'weather': {'v4': 1}}}), encoding='utf-8')
        sandbox.up(self._arguments(fleet=str(described), core=core, boxes=len(versions)))
        self.layers = {version: sandbox.lower(self.fleet, box) for box, version in versions.items()}
        self.free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for box in versions:
            self.free.put(box)
        self.pool = concurrent.futures.ThreadPoolExecutor(len(versions))
        self.seen: dict[tuple[Callable, str], concurrent.futures.Future] = {}
        self.seconds: dict[str, float] = {}
        self.lock = threading.Lock()

    def _arguments(self, **more) -> argparse.Namespace:
        return argparse.Namespace(name=self.name, inventory=str(OUTPUT / f'{self.name}.yml'), **more)

    def begin(self, wanted: dict[Callable, list[str]]) -> None:
        """Start to observe scenarios, each on the versions that it is wanted for."""
        for scenario in sorted(wanted, key=lambda one: LONG.index(one.__name__) if one.__name__ in LONG else len(LONG)):
            for version in wanted[scenario]:
                self.seen[scenario, version] = self.pool.submit(self._observe, scenario, version)

    def observe(self, scenario: Callable, version: str):
        """What a scenario showed on a fresh box of a version; raises what it raised."""
        return self.seen[scenario, version].result()

    def _observe(self, scenario: Callable, version: str):
        begin = time.monotonic()
        with self._fresh(version) as box:
            try:
                return scenario(box)
            finally:
                self.seconds[f'{scenario.__name__} {version}'] = round(time.monotonic() - begin, 1)

    @contextlib.contextmanager
    def _fresh(self, version: str) -> Iterator[Box]:
        """A box as it is installed, for one scenario."""
        name = self.free.get()
        try:
            self._misbehave(name)
            self.fleet.stop(name)
            self.fleet.start(name, self.layers[version], keep=False)
            box = Box(self.fleet, name, version, functools.partial(self._misbehave, name))
            if not boxes._wait(lambda: self.fleet.init(name), 60) or box.sh(READY).code:
                raise sandbox.SandboxError(f'{name} with {version} did not come up: look at {self.fleet.folder(name) / "log"}.')
            yield box
        finally:
            self.free.put(name)

    def _misbehave(self, name: str, rule: str = '', match: str = '') -> None:
        """Let the stand-in site misbehave to one box, or behave again."""
        path, address = self.fleet.state / 'rules.json', self.fleet.address(name)
        with self.lock:
            rules = [other for other in json.loads(path.read_text(encoding='utf-8')) if other.get('box') != address]
            boxes.write(path, json.dumps(rules + ([{'rule': rule, 'match': match, 'box': address}] if rule else [])))

    def close(self) -> None:
        """Remove the fleet."""
        self.pool.shutdown(cancel_futures=True)
        sandbox.down(self._arguments())
