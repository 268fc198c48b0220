# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule knows every scenario, and the one for boxes of one's own makes, destroys and guesses none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = sorted(path.parent.name for path in (ROOT / 'extensions/molecule').glob('*/molecule.yml'))
OWN = ROOT / 'extensions/molecule/own_boxes'
# in tests/requirements.txt; a venv of one's own may lack it
pytest.importorskip('molecule')


def molecule(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Molecule in this clone, with notes of its own somewhere else and no inventory of the caller."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'MOLECULE_', 'JEEDOM_'))}
    kept |= {'PATH': f'{Path(sys.executable).parent}:{kept["PATH"]}', 'NO_COLOR': '1', 'ANSIBLE_HOME': str(folder), 'LC_ALL': 'C.UTF-8', **environment}
    return subprocess.run([sys.executable, '-m', 'molecule', *arguments], cwd=ROOT, env=kept, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)


def test_every_scenario_is_listed_by_molecule_and_by_the_page(tmp_path):
    done = molecule(tmp_path, 'list', '--format', 'plain')
    assert done.returncode == 0, done.stdout
    page = (ROOT / 'docs/reference/molecule.md').read_text(encoding='utf-8')
    told = re.findall(r'^\| `(\w+)` \|', page, re.MULTILINE)
    assert sorted(told) == SCENARIOS
    assert [name for name in SCENARIOS if not re.search(rf'\b{name}\b', done.stdout)] == []


@pytest.mark.parametrize('scenario', SCENARIOS)
def test_the_playbooks_of_a_scenario_are_understood(tmp_path, scenario):
    done = molecule(tmp_path, 'syntax', '-s', scenario)
    assert done.returncode == 0, done.stdout


def test_ones_own_boxes_are_neither_made_nor_destroyed():
    settings = yaml.safe_load((OWN / 'molecule.yml').read_text(encoding='utf-8'))
    assert settings['driver'] == {'name': 'default', 'options': {'managed': False}}
    assert {'create', 'destroy'}.isdisjoint(settings['scenario']['test_sequence'])
    assert not (OWN / 'create.yml').exists() and not (OWN / 'destroy.yml').exists()


def test_without_a_named_inventory_there_is_no_box_and_that_is_an_error(tmp_path):
    done = molecule(tmp_path, 'prepare', '-s', 'own_boxes', '--force')
    assert done.returncode != 0
    assert 'No box matches jeedom' in ' '.join(re.sub(r'[│|]', ' ', done.stdout).split())


def test_the_inventory_that_is_named_is_the_one_that_counts(tmp_path):
    (tmp_path / 'hosts.yml').write_text('jeedom: {hosts: {lab1: {ansible_connection: local, ansible_become: false, jeedom_web_root: /nonexistent}}}\n',
                                        encoding='utf-8')
    done = molecule(tmp_path / 'home', 'verify', '-s', 'own_boxes', JEEDOM_OWN_INVENTORY=str(tmp_path / 'hosts.yml'))
    assert done.returncode != 0
    assert 'lab1' in done.stdout and '/nonexistent' in done.stdout
