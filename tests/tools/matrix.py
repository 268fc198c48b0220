# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every supported ansible-core against boxes with every Python, on sandbox boxes: look, change, dry runs, whole migrations.

matrix.py [--ends] [--write]: --ends takes the oldest and the newest ansible-core only, which is what CI does; --write puts the table into
docs/reference/support-matrix.md. A box per Python, and one that has none. What cannot run on this machine is named.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import artifact
import box_pythons
import ending
import matrix_table

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/integration'))

from testbox import Box, differences, fleet_name, sandbox  # noqa: E402

# ansible-core -> the Pythons that can run it, best first
CORES = artifact.SUPPORTED
PYTHONS = ('2.7', '3.5', '3.6', '3.7', '3.9', '3.11', '3.13')
# Whole migrations: these Pythons under the oldest and under the newest ansible-core.
MIGRATED = {'2.16': ('2.7', '3.13'), '2.21': ('2.7', '3.5', '3.13')}
# Dry runs of a migration, under every ansible-core: what breaks there is its templating on the controller.
REHEARSED = ('2.7', '3.5', '3.13')
BARE = 'none'
# The plays of tests/matrix/changes.yml, and whether each has to change something; and its modules that change.
PLAYS = {'Dry run': True, 'Run': True, 'Second run': False}
CHANGES = ('config', 'cron_task', 'engine')
NO_PYTHON = 'has no Python that can be used (2.7, or 3.5 and newer is needed)'
# What Jeedom's minute task moves on a box at rest.
MOVING = ('tables cron:', 'tables event:', 'tables message:', 'backup:', 'cache:', 'started:')
TARGET = '4.5.3'
MINIMUM = 'from ansible_collections.jeedom.fleet.plugins.plugin_utils import probe; print(*probe.minimum_python())'
NUMBERS = 'import ansible.release, platform; print(ansible.release.__version__, platform.python_version())'


@dataclasses.dataclass
class Core:
    """An ansible-core: its series, the programs of its venv, full versions, oldest Python that its own modules run on."""

    series: str
    binaries: Path
    release: str
    python: str
    minimum: tuple[int, ...]

    def speaks(self, version: str) -> bool:
        """Whether ordinary modules run on a box with this Python."""
        return matrix_table.numbers(version) >= self.minimum


@dataclasses.dataclass
class Ran:
    """What a playbook left: exit code, rows of the callback, output."""

    code: int
    rows: list[dict]
    text: str

    def of(self, box: str) -> list[dict]:
        """The rows of a box."""
        return [row for row in self.rows if row['host'] == box]


def trouble(ran: Ran, box: str) -> str | None:
    """The first thing that went wrong on a box in a run, or None."""
    rows = ran.of(box)
    if not rows:
        return 'no task ran: ' + ' / '.join(ran.text.strip().splitlines()[-3:])
    return next((f'{row["task"]}: {row["status"]}: {row["msg"]}' for row in rows if row['status'] in ('failed', 'unreachable')), None)


def unlike(ran: Ran, box: str, play: str, changed: bool) -> str | None:
    """The first task of a play of changes.yml on a box that did not say changed and show a diff as it should, or None."""
    wrong = trouble(ran, box)
    if wrong:
        return wrong
    rows = [row for row in ran.of(box) if row['play'] == play and row['action'] != 'jeedom.fleet.facts']
    if len(rows) != len(CHANGES):
        return f'{len(rows)} of {len(CHANGES)} tasks ran'
    return next((f'{row["task"]}: changed is {row["changed"]}, diff is {row["diff"]}' for row in rows
                 if row['changed'] is not changed or row['diff'] is not changed), None)


class Matrix:
    """The boxes, and what was seen on them."""

    def __init__(self, folder: Path, pythons: list[str]):
        self.folder, self.inventory, self.name = folder, folder / 'hosts.yml', fleet_name('mx')
        self.pythons = {f'box{number}': version for number, version in enumerate(pythons, 1)}
        self.bare = f'box{len(pythons) + 1}'
        self.full: dict[str, str] = {}
        self.problems: list[tuple[str, str, str, str]] = []
        self.seen: dict[tuple[str, str], set[str]] = collections.defaultdict(set)

    # -- boxes

    def up(self) -> None:
        """A box for each Python, and one without."""
        boxes = {box: {'vars': {'ansible_python_interpreter': box_pythons.path_on_box(version)}} for box, version in self.pythons.items()}
        fleet = {'boxes': dict(boxes, **{self.bare: {}}), 'market': {'virtual': {'name': 'Virtuel', 'v4': 1}}}
        (self.folder / 'fleet.json').write_text(json.dumps(fleet), encoding='utf-8')
        sandbox(self.name, '--inventory', str(self.inventory), 'up', '--fleet', str(self.folder / 'fleet.json'))
        self.equip([*self.pythons, self.bare])

    def down(self) -> None:
        """Without a trace."""
        sandbox(self.name, '--inventory', str(self.inventory), 'down')

    def equip(self, boxes: list[str]) -> None:
        """Give boxes that have just come up their Pythons, and what compares them."""
        def one(name: str) -> tuple[str, str]:
            box = self.box(name)
            full = box_pythons.give(box, self.pythons.get(name))
            box.install()
            return name, full
        for version in {self.pythons[box] for box in boxes if box in self.pythons}:
            # before the threads, so that none waits for another's
            if version not in box_pythons.OF_THE_BOX:
                box_pythons.bundle(version)
        with ThreadPoolExecutor(4) as pool:
            self.full.update(pool.map(one, boxes))

    def box(self, name: str) -> Box:
        """A box as tests see it."""
        return Box(self.inventory, name)

    def state(self, boxes: list[str]) -> dict[str, tuple]:
        """What boxes hold, by content."""
        def one(name: str) -> tuple:
            box, python = self.box(name), box_pythons.path_on_box(self.pythons[name])
            box.calm()
            found = box.do('census', python=python), box.do('around', python=python)
            box.sh('systemctl start cron')
            return found
        with ThreadPoolExecutor(4) as pool:
            return dict(zip(boxes, pool.map(one, boxes), strict=True))

    # -- playbooks

    def play(self, core: Core, playbook: str, boxes: list[str], *options: str, **variables) -> Ran:
        """Run a playbook of the clone on boxes under an ansible-core."""
        results = self.folder / 'results.jsonl'
        results.write_text('', encoding='utf-8')
        given = dict({'jeedom_artifacts': str(self.folder / f'artifacts-{core.series}'), 'jeedom_market': 'offline', 'jeedom_waves': ['100%']}, **variables)
        environment = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_FLEET_', 'PYTHON'))} | {
            'ANSIBLE_CALLBACK_PLUGINS': str(ROOT / 'tests/matrix/callback'), 'ANSIBLE_CALLBACKS_ENABLED': 'matrix_results,jeedom.fleet.fleet',
            'MATRIX_RESULTS': str(results), 'ANSIBLE_NOCOLOR': '1', 'LC_ALL': 'C.UTF-8'}
        begin = time.monotonic()
        done = subprocess.run([str(core.binaries / 'ansible-playbook'), playbook, '-i', str(self.inventory), '--limit', ','.join(boxes), *options,
                               '-e', json.dumps(given)], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=1500, check=False)
        print(f'    {core.series} {playbook} {" ".join(options)} {time.monotonic() - begin:.0f} s', flush=True)
        return Ran(done.returncode, [json.loads(line) for line in results.read_text(encoding='utf-8').splitlines()], done.stdout)

    def journal(self, core: Core, box: str) -> dict:
        """What the journal says of a box."""
        path = self.folder / f'artifacts-{core.series}/journal/{box}.json'
        return json.loads(path.read_text(encoding='utf-8')) if path.exists() else {}

    # -- what is asked of a cell

    def note(self, core: Core, box: str, step: str, wrong: str | None) -> None:
        """Keep what is wrong in a cell."""
        if wrong:
            version = self.pythons.get(box, BARE)
            self.problems.append((core.series, version, step, wrong))
            print(f'  WRONG: ansible-core {core.series}, box Python {version}, {step}: {wrong}', flush=True)

    def on_its_python(self, core: Core, ran: Ran, box: str) -> str | None:
        """Keep the way that was taken; what is wrong with the Python that did it, or None."""
        known = next((row['python'] for row in ran.of(box) if row['python']), None)
        if not known:
            return 'no facts came'
        self.seen[core.series, self.pythons[box]].add(known['transport'])
        found = '.'.join(map(str, known['version']))
        return None if found == self.full[box] else f'ran on Python {found} instead of {self.full[box]}'

    def look(self, core: Core, boxes: list[str]) -> None:
        """assess.yml: facts by the Python of the box, and a verdict; the box without Python is told so, and holds up nobody."""
        ran = self.play(core, 'playbooks/assess.yml', [*boxes, self.bare])
        for box in boxes:
            outcome = self.journal(core, box).get('outcome')
            self.note(core, box, 'assess.yml', trouble(ran, box) or self.on_its_python(core, ran, box)
                      or (None if outcome == 'ready' else f'outcome {outcome} instead of ready'))
        journal = self.journal(core, self.bare)
        message = journal.get('stages', {}).get('assess', {}).get('message', '')
        told = journal.get('outcome') == 'blocked' and message.startswith(f'{self.bare} {NO_PYTHON}') and 'Traceback' not in ran.text
        self.note(core, self.bare, 'assess.yml', None if told else f'{journal.get("outcome")}: {message}')

    def change(self, core: Core, boxes: list[str], transport: str, engine: str) -> None:
        """changes.yml: the dry run tells and changes nothing, the run changes, the second run finds nothing to do."""
        ran = self.play(core, 'tests/matrix/changes.yml', boxes, matrix_value=f'{core.series} {engine}', matrix_engine=engine,
                        jeedom_box_transport=transport)
        for box in boxes:
            wrong = (f'{play}: {said}' for play, changed in PLAYS.items() if (said := unlike(ran, box, play, changed)))
            self.note(core, box, f'changes, {transport}', next(wrong, None) or self.on_its_python(core, ran, box))

    def rehearse(self, core: Core, boxes: list[str]) -> None:
        """migrate.yml --check --diff: no task fails, nothing on the box is another than before."""
        before = self.state(boxes)
        ran = self.play(core, 'playbooks/migrate.yml', boxes, '--check', '--diff')
        after = self.state(boxes)
        for box in boxes:
            moved = [line for line in differences(after[box], before[box]) if not line.startswith(MOVING)]
            ended = any(row['task'].endswith('Commit | Record') and row['status'] == 'ok' for row in ran.of(box))
            self.seen[core.series, self.pythons[box]].add('rehearsed')
            self.note(core, box, 'migrate.yml --check', trouble(ran, box) or (f'exit code {ran.code}' if ran.code else None)
                      or ('; '.join(moved) or None) or (None if ended else 'did not come to its last stage'))

    def migrate(self, core: Core, boxes: list[str]) -> None:
        """migrate.yml from 3.3.60 to the newest core, and once more. Last of all: the boxes are on V4 then."""
        sandbox(self.name, 'reset', *boxes)
        self.equip(boxes)
        for step, wanted in (('migrate.yml', 'migrated'), ('migrate.yml again', 'already_done')):
            ran = self.play(core, 'playbooks/migrate.yml', boxes, jeedom_acknowledge=True)
            for box in boxes:
                outcome, version = self.journal(core, box).get('outcome'), self.box(box).sh('cat /var/www/html/core/config/version').strip()
                wrong = None if (outcome, version) == (wanted, TARGET) else f'{outcome} on {version}: {trouble(ran, box)}'
                self.note(core, box, step, wrong)
                if not wrong and wanted == 'migrated':
                    self.seen[core.series, self.pythons[box]].add('migrated')

    def table(self, cores: list[Core]) -> str:
        """What was seen, as Markdown."""
        return matrix_table.table([(core.series, core.release, core.python) for core in cores],
                                  [(version, self.full.get(box, '')) for box, version in self.pythons.items()], self.seen, self.problems)

    def against(self, core: Core) -> None:
        """All that is asked of one ansible-core but whole migrations; the boxes are left as they were found."""
        boxes = list(self.pythons)
        spoken = [box for box in boxes if core.speaks(self.pythons[box])]
        self.look(core, boxes)
        self.rehearse(core, [box for box in boxes if self.pythons[box] in REHEARSED])
        self.change(core, boxes, 'auto', 'stopped')
        for transport, chosen in (('module', spoken), ('stdin', [box for box in boxes if box not in spoken])):
            if chosen:
                self.change(core, chosen, transport, 'running')


def installed(series: str, pythons: tuple[str, ...]) -> Core | None:
    """A venv with this ansible-core, made once."""
    binaries = artifact.core(series, pythons)
    if not binaries:
        return None

    def ask(code: str) -> list[str]:
        return subprocess.run([str(binaries / 'python'), '-c', code], check=True, capture_output=True, text=True,
                              env=dict(os.environ, PYTHONPATH=str(ROOT / 'collections'))).stdout.split()
    release, python = ask(NUMBERS)
    return Core(series, binaries, release, python, tuple(int(part) for part in ask(MINIMUM)))


def main() -> int:
    """0 when every cell that can run is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--ends', action='store_true', help='only the oldest and the newest ansible-core')
    parser.add_argument('--write', action='store_true', help='write the table into the documentation')
    options = parser.parse_args()
    cores = [core for each in ([CORES[0], CORES[-1]] if options.ends else CORES) if (core := installed(*each))]
    absent = [version for version in PYTHONS if not box_pythons.here(version)]
    if absent:
        print(f'NOT RUN: boxes with Python {", ".join(absent)}: no such interpreter on this machine', flush=True)
    if not cores:
        print('matrix: no Python of this machine can run a supported ansible-core: install Python 3.11', file=sys.stderr)
        return 1
    ending.tidily()
    with tempfile.TemporaryDirectory(prefix='jeedom-matrix-') as name:
        matrix = Matrix(Path(name), [version for version in PYTHONS if version not in absent])
        try:
            matrix.up()
            for core in cores:
                begin = time.monotonic()
                matrix.against(core)
                print(f'ansible-core {core.release} on Python {core.python}: {len(matrix.pythons)} boxes in {time.monotonic() - begin:.0f} s', flush=True)
            for core in cores:
                chosen = [box for box, version in matrix.pythons.items() if version in MIGRATED.get(core.series, ())]
                if chosen:
                    begin = time.monotonic()
                    matrix.migrate(core, chosen)
                    print(f'ansible-core {core.release}: {len(chosen)} boxes migrated in {time.monotonic() - begin:.0f} s', flush=True)
        finally:
            matrix.down()
    table = matrix.table(cores)
    print(table)
    if options.write:
        matrix_table.write(table, [series for series, _pythons in CORES if series not in {core.series for core in cores}], absent)
    print(f'{len(cores) * (len(matrix.pythons) + 1)} cells, {len({problem[:2] for problem in matrix.problems})} of them wrong')
    return 1 if matrix.problems else 0


if __name__ == '__main__':
    sys.exit(main())
