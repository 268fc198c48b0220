# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet split over two workers of ansible-runner at the same time; journals and archives merged into one report (docs/how-to/awx.md)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from testbox import fleet_name

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = ROOT / 'tests/sandbox/sandbox.py'
NAME = fleet_name('ru')
BIN = Path(sys.executable).parent
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_FLEET_'))} | {
    'PATH': f'{BIN}:{os.environ["PATH"]}', 'LC_ALL': 'C.UTF-8'}


class Part:
    """One part of the fleet: the folder it is sent from, and the worker it goes to, which share no file."""

    def __init__(self, folder: Path, inventory: Path, box: str):
        self.box, self.sent, self.worker, self.artifacts = box, folder / f'part-{box}', folder / f'worker-{box}', folder / f'artifacts-{box}'
        for name in ('inventory', 'env', 'project'):
            (self.sent / name).mkdir(parents=True)
        shutil.copy(inventory, self.sent / 'inventory/hosts.yml')
        (self.sent / 'project/migrate.yml').write_text('- import_playbook: jeedom.fleet.migrate\n', encoding='utf-8')
        self.write('extravars', jeedom_acknowledge=True, jeedom_artifacts=str(self.artifacts))
        self.write('envvars', ANSIBLE_COLLECTIONS_PATH=str(ROOT / 'collections'), ANSIBLE_CALLBACKS_ENABLED='jeedom.fleet.fleet')

    def write(self, name: str, **values) -> None:
        """A file of env/."""
        (self.sent / 'env' / name).write_text(json.dumps(values), encoding='utf-8')

    def run(self) -> int:
        """transmit | worker | process; the exit code of the last one."""
        runner = str(BIN / 'ansible-runner')
        job = subprocess.run([runner, 'transmit', str(self.sent), '--ident', self.box, '-p', 'migrate.yml', '--limit', self.box],
                             capture_output=True, check=True, env=ENVIRONMENT, timeout=100).stdout
        events = subprocess.run([runner, 'worker', '--private-data-dir', str(self.worker)], input=job, capture_output=True, check=False,
                                env=ENVIRONMENT, timeout=1800).stdout
        return subprocess.run([runner, 'process', str(self.sent), '--ident', self.box], input=events, capture_output=True, check=False, env=ENVIRONMENT,
                              timeout=100).returncode

    def told(self, name: str) -> str:
        """A file that came back from the worker: rc, status, stdout."""
        return (self.sent / 'artifacts' / self.box / name).read_text(encoding='utf-8')


@pytest.fixture(scope='module')
def parts(tmp_path_factory):
    """Two boxes, each the part of one worker, after both have been migrated at the same time."""
    folder = tmp_path_factory.mktemp('runner')
    inventory = folder / 'hosts.yml'

    def sandbox(*arguments: str) -> None:
        subprocess.run([sys.executable, str(SANDBOX), '--name', NAME, '--inventory', str(inventory), *arguments], check=True, timeout=1800)
    try:
        sandbox('up', '--boxes', '2')
        made = [Part(folder, inventory, box) for box in ('box1', 'box2')]
        with ThreadPoolExecutor(2) as pool:
            codes = list(pool.map(Part.run, made))
        yield made, codes, inventory
    finally:
        sandbox('down')


@pytest.mark.sandbox
def test_each_worker_migrates_its_part_and_no_other(parts):
    made, codes, _inventory = parts
    assert codes == [0, 0], '\n'.join(part.told('stdout')[-4000:] for part in made)
    for part in made:
        assert part.told('status') == 'successful'
        assert f'{part.box} is on ' in part.told('stdout')
        assert [path.stem for path in (part.artifacts / 'journal').glob('*.json')] == [part.box]


@pytest.mark.sandbox
def test_the_numbers_come_back_with_the_events(parts):
    for part in parts[0]:
        events = [json.loads(path.read_text(encoding='utf-8'))
                  for path in (part.sent / 'artifacts' / part.box / 'job_events').glob('*.json')]
        told = [each['event_data']['artifact_data'] for each in events if each['event'] == 'playbook_on_stats']
        assert [each['jeedom_hosts_by_outcome'] for each in told] == [{'migrated': [part.box]}]


@pytest.mark.sandbox
def test_one_report_has_what_both_workers_did(parts, tmp_path):
    made, _codes, inventory = parts
    sources = json.dumps({'jeedom_report_sources': [str(part.artifacts) for part in made], 'jeedom_artifacts': str(tmp_path)})
    subprocess.run([str(BIN / 'ansible-playbook'), 'playbooks/report.yml', '-i', str(inventory), '-e', sources], cwd=ROOT, env=ENVIRONMENT,
                   check=True, timeout=300, capture_output=True)
    report = json.loads((tmp_path / 'report/report.json').read_text(encoding='utf-8'))
    assert {box['host']: box['outcome'] for box in report['boxes']} == {'box1': 'migrated', 'box2': 'migrated'}
    assert report['summary']['boxes'] == 2
