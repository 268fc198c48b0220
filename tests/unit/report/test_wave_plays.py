# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves, gate, limits and maintenance window as ansible-playbook runs them, with boxes that are only names."""

from __future__ import annotations

import json
import re
import time

import pytest
import yaml

from .plays import ANSIBLE, COLLECTIONS, WAVES

pytestmark = pytest.mark.skipif(not ANSIBLE.exists(), reason='ansible-playbook is not beside this Python')


def in_waves():
    """The heads of the plays of migrate.yml, with stub tasks."""
    first, second, _last = yaml.safe_load((COLLECTIONS.parent / 'playbooks/migrate.yml').read_text(encoding='utf-8'))
    say = {'ansible.builtin.debug': {'msg': "WAVE {{ ansible_play_batch | join(' ') }} END"}, 'run_once': True}
    return yaml.safe_dump([first, {**second, 'become': False, 'tasks': [{'jeedom.fleet.wave_gate': {'at': 'begin'}}, say]}])


def test_waves_by_name_run_in_their_order_within_target_and_limit(controller):
    controller.inventory(5)
    hosts = json.loads((controller.folder / 'hosts.json').read_text(encoding='utf-8'))
    (controller.folder / 'hosts.json').write_text(json.dumps({**hosts, 'canary': {'hosts': {'box4': None, 'elsewhere': None}}}), encoding='utf-8')

    def waves(*options):
        done = controller.run(in_waves(), *options)
        assert done.returncode == 0, done.stdout
        return re.findall('WAVE (.*) END', done.stdout)

    assert waves('-e', 'jeedom_waves=1,canary,2') == ['box1', 'box4', 'box2 box3', 'box5']
    assert waves('-e', '{"jeedom_waves": 3, "jeedom_target": "jeedom:!box2"}') == ['box1 box3 box4', 'box5']
    assert waves('-e', 'jeedom_waves=["box5",9]', '--limit', 'box1,box5') == ['box5', 'box1']
    assert waves('-e', 'jeedom_waves=canary,9', '-e', 'jeedom_target=box3,box2,box1') == ['box3 box2 box1']


@pytest.mark.parametrize('options', [('-e', 'jeedom_target=typo'), ('--limit', 'elsewhere')])
def test_a_target_that_matches_no_box_is_no_success(controller, options):
    controller.inventory(1)
    hosts = json.loads((controller.folder / 'hosts.json').read_text(encoding='utf-8'))
    (controller.folder / 'hosts.json').write_text(json.dumps({**hosts, 'other': {'hosts': {'elsewhere': None}}}), encoding='utf-8')
    done = controller.run(in_waves(), *options)
    assert done.returncode == 2 and 'No box matches' in done.stdout and 'WAVE' not in done.stdout
    # in a workflow: none was ready, or all are in another slice
    done = controller.run(in_waves(), *options, '-e', 'jeedom_allow_empty_target=true')
    assert done.returncode == 0 and 'WAVE' not in done.stdout, done.stdout


@pytest.mark.parametrize('place', ['inventory', 'play', 'command'])
def test_target_and_waves_in_the_inventory_would_not_count_and_are_refused(controller, place):
    controller.inventory(3)
    play = in_waves()
    if place == 'inventory':
        hosts = json.loads((controller.folder / 'hosts.json').read_text(encoding='utf-8'))
        hosts['jeedom']['vars']['jeedom_waves'] = [3]
        (controller.folder / 'hosts.json').write_text(json.dumps(hosts), encoding='utf-8')
    elif place == 'play':
        (controller.folder / 'imported.yml').write_text(play, encoding='utf-8')
        play = f'- import_playbook: {controller.folder}/imported.yml\n  vars: {{jeedom_waves: [3], jeedom_target: jeedom}}\n'
    done = controller.run(play, *(('-e', 'jeedom_waves=[3]', '-e', 'jeedom_target=jeedom') if place == 'command' else ()))
    if place == 'inventory':
        assert done.returncode == 2 and 'jeedom_waves is set in the inventory' in done.stdout and 'WAVE' not in done.stdout
    else:
        assert re.findall('WAVE (.*) END', done.stdout) == ['box1 box2 box3'] and done.returncode == 0, done.stdout


def test_no_box_is_taken_back_that_was_not_asked_for(controller):
    play = yaml.safe_load((COLLECTIONS.parent / 'playbooks/rollback.yml').read_text(encoding='utf-8'))[0]
    play = yaml.safe_dump([{**play, 'become': False, 'tasks': play['tasks'][:1]}])
    controller.inventory(3)
    assert controller.run(play).returncode == 0 == controller.run(play, '-e', 'jeedom_target=box2,box3').returncode
    hosts = json.loads((controller.folder / 'hosts.json').read_text(encoding='utf-8'))
    hosts['jeedom']['vars']['jeedom_target'] = 'box2'
    (controller.folder / 'hosts.json').write_text(json.dumps(hosts), encoding='utf-8')
    done = controller.run(play)
    assert done.returncode == 2 and 'box1 is not in jeedom_target (box2), which is set in the inventory' in done.stdout, done.stdout


@pytest.mark.parametrize('setting', ['jeedom_max_failed=10%', 'jeedom_soak=1h', 'jeedom_max_failed_percent=few'])
def test_a_limit_that_cannot_be_used_is_told_before_the_first_wave(controller, setting):
    controller.inventory(1)
    done = controller.run(in_waves(), '-e', setting)
    assert done.returncode == 2 and f'{setting.split("=")[0]} is' in done.stdout and 'WAVE' not in done.stdout


def test_outcomes_count_at_the_gate_also_when_another_run_has_come_to_the_boxes(controller):
    """A nightly backup, or somebody's assess, between the end of a box and the gate of its wave."""
    controller.inventory(3, box2='fails')
    play = WAVES.replace('serial: [1, 3, 5]', 'serial: [2, 1]').replace('    - jeedom.fleet.wave_gate:', '''
    - ansible.builtin.command: "{{ ansible_playbook_python | dirname }}/ansible-playbook {{ playbook_dir }}/other.yml -i {{ inventory_file }}"
      delegate_to: localhost
      run_once: true
    - jeedom.fleet.wave_gate:''')
    (controller.folder / 'other.yml').write_text('''
- hosts: jeedom
  gather_facts: false
  tasks:
    - jeedom.fleet.record: {stage: assess, status: ok, outcome: ready}
''', encoding='utf-8')
    done = controller.run(play)
    assert done.returncode != 0 and 'REACHED' not in done.stdout and '(box2 rolled_back)' in done.stdout, done.stdout[-3000:]
    told = json.loads(next(controller.artifacts.glob('*/waves.json')).read_text(encoding='utf-8'))
    assert [wave['states'] for wave in told] == [{'box1': 'migrated', 'box2': 'rolled_back'}]


def test_a_stopped_roll_out_stays_stopped_though_a_box_had_failed_before_the_play(controller):
    """Ansible counts the boxes of a batch that have failed against those that had failed earlier, and goes on."""
    controller.inventory(4)
    done = controller.run('''
- hosts: jeedom
  gather_facts: false
  tasks:
    - ansible.builtin.fail: {msg: before}
      when: inventory_hostname == 'box1'
- hosts: jeedom
  gather_facts: false
  serial: 2
  tasks:
    - jeedom.fleet.wave_gate: {at: begin}
    - jeedom.fleet.record: {stage: rollback, status: rolled_back, outcome: rolled_back}
    - jeedom.fleet.wave_gate:
''')
    assert done.returncode != 0 and [path.stem for path in sorted((controller.artifacts / 'journal').glob('box*.json'))] == ['box1', 'box2'], done.stdout


@pytest.mark.parametrize('outcome, slept', [('already_done', False), ('migrated', True)])
def test_a_wave_in_which_nothing_changed_is_not_waited_for(controller, outcome, slept):
    controller.inventory(2)
    play = f'''
- hosts: jeedom
  gather_facts: false
  serial: 1
  tasks:
    - jeedom.fleet.record: {{stage: assess, status: ok, outcome: {outcome}}}
    - jeedom.fleet.wave_gate: {{soak: 0.1}}
'''
    done = controller.run(play)
    assert done.returncode == 0 and ('is left alone' in done.stdout) is slept, done.stdout


def test_outside_the_window_nothing_starts(controller):
    play = in_waves()
    controller.inventory(5)
    hour = (time.localtime().tm_hour + 3) % 24
    done = controller.run(play, '-e', f'jeedom_window={hour:02d}:00-{hour:02d}:30')
    assert done.returncode == 2 and 'WAVE' not in done.stdout and '"error_code": "outside_window"' in done.stdout
    assert controller.run(play, '-e', f'jeedom_window={hour:02d}:00-{hour:02d}:30', '--check').returncode == 0


@pytest.mark.parametrize('minutes, word, outcome', [(10, 'true', 'stopped'), (10, 'false', 'ready'), (300, 'true', None)])
def test_no_box_is_changed_that_cannot_end_in_the_window_though_its_wave_began_in_time(controller, minutes, word, outcome):
    play = '''
- hosts: jeedom
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: jeedom.fleet.assess, tasks_from: acknowledge}
    - ansible.builtin.debug: {msg: "CHANGED {{ jeedom_acknowledged and not jeedom_too_late }} END"}
'''
    controller.inventory(1)
    begin, end = (time.strftime('%H:%M', time.localtime(time.time() + seconds)) for seconds in (-3600, minutes * 60))
    done = controller.run(play, '-e', f'jeedom_window={begin}-{end}', '-e', f'jeedom_acknowledge={word}')
    assert done.returncode == 0, done.stdout
    assert ('CHANGED True END' in done.stdout) is (outcome is None)
    if outcome:
        stage = controller.journal('box1')['stages']['prepare']
        assert controller.journal('box1')['outcome'] == outcome and stage['status'] == 'skipped'
        assert ('maintenance window' in stage['message']) is (outcome == 'stopped')
