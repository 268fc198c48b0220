# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One question per wave on a terminal, and its answer counts for every box that needs it, and for no other."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import sys
import time
from pathlib import Path

import pytest

COLLECTIONS = Path(__file__).resolve().parents[3] / 'collections'
ANSIBLE = Path(sys.executable).with_name('ansible-playbook')
pytestmark = pytest.mark.skipif(not ANSIBLE.exists(), reason='ansible-playbook is not beside this Python')

# As in migrate.yml: a box that failed is in its rescue, one that is done never comes here.
WAVE = '''
- hosts: jeedom
  gather_facts: false
  serial: "{{ wave | default(9) | int }}"
  tasks:
    - block:
        - ansible.builtin.fail: {msg: blocked}
          when: fate | default('') == 'blocked'
        - ansible.builtin.include_role: {name: jeedom.fleet.assess, tasks_from: acknowledge}
          when: fate | default('') != 'done'
        - ansible.builtin.debug: {msg: "CHANGED {{ inventory_hostname }} END"}
          when: jeedom_acknowledged | default(false) and not jeedom_too_late
      rescue:
        - ansible.builtin.debug: {msg: "BAD {{ inventory_hostname }} END"}
'''
WINDOW = {'jeedom_window': '00:00-23:59', 'jeedom_expected_minutes': 0}


def typed(folder: Path, hosts: dict, *answers: str, **variables) -> str:
    """What stood on the terminal where a wave ran and somebody typed an answer at each question."""
    (folder / 'hosts.json').write_text(json.dumps({'jeedom': {'hosts': hosts, 'vars': {'ansible_connection': 'local'}}}), encoding='utf-8')
    (folder / 'play.yml').write_text(WAVE, encoding='utf-8')
    env = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_'))}
    env.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_NOCOLOR='1', ANSIBLE_HOME=str(folder / '.ansible'), LC_ALL='C.UTF-8')
    argv = [str(ANSIBLE), '-i', 'hosts.json', 'play.yml', '-e', json.dumps(variables)]
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execvpe(argv[0], argv, env)
    said, left, end = b'', list(answers), time.monotonic() + 120
    with contextlib.suppress(OSError):
        # the end of the other side is an error of this one
        while time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                said += os.read(terminal, 65536)
            elif said.count(b'Type yes') > len(answers) - len(left) and left:
                os.write(terminal, left.pop(0).encode() + b'\r')
    os.close(terminal)
    os.waitpid(pid, 0)
    return re.sub(r'\s+', ' ', said.decode(errors='replace'))


def changed(said: str) -> list[str]:
    return sorted(set(re.findall(r'CHANGED (\w+) END', said)))


def outcomes(folder: Path) -> dict:
    return {path.stem: json.loads(path.read_text(encoding='utf-8'))['outcome'] for path in (folder / 'artifacts/journal').glob('*.json')}


def test_a_yes_counts_for_every_box_of_the_wave(tmp_path):
    said = typed(tmp_path, {f'box{number}': {} for number in range(1, 6)}, 'yes')
    assert said.count('Type yes') == 1 and '5 boxes of this wave' in said and 'box1, box2, box3, box4, box5.' in said
    assert changed(said) == ['box1', 'box2', 'box3', 'box4', 'box5'] and outcomes(tmp_path) == {}, said[-3000:]


def test_a_no_counts_for_every_box_of_the_wave(tmp_path):
    said = typed(tmp_path, {'box1': {}, 'box2': {}}, 'no')
    assert changed(said) == [] and outcomes(tmp_path) == {'box1': 'ready', 'box2': 'ready'}, said[-3000:]


def test_who_comes_first_decides_nothing_and_only_who_needs_the_answer_uses_it(tmp_path):
    hosts = {'box1': {'jeedom_acknowledge': True}, 'box2': {'fate': 'blocked'}, 'box3': {'fate': 'done'}, 'box4': {},
             'box5': {'jeedom_interactive': False}, 'box6': {}, 'box7': {'jeedom_acknowledge': False}}
    said = typed(tmp_path, hosts, 'yes', **WINDOW)
    assert said.count('Type yes') == 1 and '2 boxes of this wave' in said and ': box4, box6.' in said, said[-3000:]
    assert changed(said) == ['box1', 'box4', 'box6'] and 'BAD box2 END' in said
    assert outcomes(tmp_path) == {'box5': 'ready', 'box7': 'ready'}


def test_every_wave_is_asked_for_itself(tmp_path):
    said = typed(tmp_path, {f'box{number}': {} for number in range(1, 5)}, 'yes', 'no', wave=2)
    assert said.count('Type yes') == 2 and ': box1, box2.' in said and ': box3, box4.' in said, said[-3000:]
    assert changed(said) == ['box1', 'box2'] and outcomes(tmp_path) == {'box3': 'ready', 'box4': 'ready'}


def test_nobody_is_asked_when_no_box_needs_it_and_a_long_list_is_cut(tmp_path):
    assert 'Type yes' not in typed(tmp_path, {'box1': {'jeedom_acknowledge': True}, 'box2': {'jeedom_acknowledge': True}}, **WINDOW)
    said = typed(tmp_path, {f'box{number:02d}': {} for number in range(1, 24)}, 'no', wave=50)
    assert '23 boxes' in said and 'box20 and 3 more. Their' in said
