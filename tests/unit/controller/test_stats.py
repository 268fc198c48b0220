# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run hands on to the nodes of a workflow: numbers and names by outcome."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.jeedom.fleet.plugins.action import stats

ROOT = Path(__file__).resolve().parents[3]
ANSIBLE = Path(sys.executable).with_name('ansible-playbook')
NAMES = {'jeedom_outcomes', 'jeedom_hosts_by_outcome', 'jeedom_stats_run_id'}
WAVES = '''
- name: Waves
  hosts: jeedom
  gather_facts: false
  serial: 2
  tasks:
    - jeedom.fleet.record: {stage: upgrade, status: "{{ fate }}", outcome: "{{ outcome }}"}
    - jeedom.fleet.stats:
    - jeedom.fleet.wave_gate:
'''


def run(folder: Path, playbook: str, hosts: dict, *options: str) -> tuple[int, dict, str]:
    """Exit code, custom statistics and output of ansible-playbook on boxes that are this machine."""
    (folder / 'hosts.json').write_text(json.dumps({'jeedom': {'hosts': hosts, 'vars': {
        'ansible_connection': 'local', 'ansible_become': False, 'ansible_python_interpreter': sys.executable}}}), encoding='utf-8')
    (folder / 'play.yml').write_text(playbook, encoding='utf-8')
    env = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_'))}
    env.update(ANSIBLE_COLLECTIONS_PATH=str(ROOT / 'collections'), ANSIBLE_NOCOLOR='1', ANSIBLE_SHOW_CUSTOM_STATS='1', LC_ALL='C.UTF-8',
               ANSIBLE_HOME=str(folder / '.ansible'))
    done = subprocess.run([str(ANSIBLE), '-i', 'hosts.json', 'play.yml', *options], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=240, check=False)
    found = re.search(r'CUSTOM STATS: .*?RUN: (\{.*?\})\s*$', done.stdout, re.DOTALL | re.MULTILINE)
    return done.returncode, json.loads(found[1]) if found else {}, done.stdout + done.stderr


def test_boxes_are_told_by_their_outcome_in_this_run():
    now = {'host': 'x', 'run_id': 'now', 'process': 'p'}
    entries = {'a': dict(now, outcome='ready'), 'b': dict(now, outcome='blocked'), 'c': dict(now, outcome=None),
               'd': dict(now, run_id='before', outcome='migrated'), 'e': None, 'f': dict(now, run_id='since', history=[dict(now, outcome='ready')])}
    assert stats.by_outcome(list('abcdef'), entries, 'now', 'p') == {'ready': ['a', 'f'], 'blocked': ['b'], 'none': ['c', 'd', 'e']}


def test_a_stopped_roll_out_has_handed_on_how_its_boxes_ended(tmp_path):
    good, bad = {'fate': 'ok', 'outcome': 'migrated'}, {'fate': 'failed', 'outcome': 'failed'}
    code, told, output = run(tmp_path, WAVES, {'box1': good, 'box2': good, 'box3': bad, 'box4': good, 'box5': good}, '-e', 'jeedom_run_id=r1')
    assert code != 0, output
    assert told == {'jeedom_outcomes': {'migrated': 3, 'failed': 1, 'none': 1}, 'jeedom_stats_run_id': 'r1',
                    'jeedom_hosts_by_outcome': {'migrated': ['box1', 'box2', 'box4'], 'failed': ['box3'], 'none': ['box5']}}


@pytest.mark.parametrize('fail', ['false', 'true'])
@pytest.mark.parametrize('playbook', ['assess', 'migrate'])
def test_the_playbooks_hand_on_a_box_that_is_blocked(tmp_path, playbook, fail):
    code, told, output = run(tmp_path, f'- import_playbook: jeedom.fleet.{playbook}\n', {'box1': {'jeedom_web_root': '/nonexistent'}},
                             '-e', 'jeedom_market=offline', '-e', f'jeedom_assess_fail={fail}', '-e', 'jeedom_acknowledge=false')
    assert told.get('jeedom_hosts_by_outcome') == {'blocked': ['box1']}, output
    assert told['jeedom_outcomes'] == {'blocked': 1}
    if playbook == 'assess':
        assert (code != 0) == (fail == 'true')


def test_what_is_handed_on_can_overrule_nothing():
    """Extra variables win over everything, and in a workflow these are extra variables."""
    code = '\n'.join(path.read_text(encoding='utf-8') for folder in ('roles', 'playbooks') for path in (ROOT / folder).rglob('*.yml'))
    assert [name for name in NAMES if name in code] == []
