# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How runs end that did not come to their end by themselves: boxes that fail early, Ctrl-C; and in which language it is told."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import pytest

from .plays import ANSIBLE, WAVES

pytestmark = pytest.mark.skipif(not ANSIBLE.exists(), reason='ansible-playbook is not beside this Python')


EARLY = '''
- hosts: jeedom
  gather_facts: false
  serial: 3
  tasks:
    - block:
        - ansible.builtin.fail: {msg: "The vault\n of {{ inventory_hostname }} is locked, --password=hunter2"}
          when: fate | default('') in ['early', 'caught']
        - ansible.builtin.fail: {msg: hunter2}
          no_log: true
          when: fate | default('') == 'hidden'
        - ansible.builtin.raw: "true"
          vars: {ansible_connection: ssh, ansible_host: 127.0.0.2, ansible_port: 1}
          when: fate | default('') == 'lost'
        - ansible.builtin.fail: {msg: Never mind.}
          ignore_errors: true # it says nothing of the box
        - ansible.builtin.meta: end_host
          when: fate | default('') == 'ended'
        - jeedom.fleet.record: {stage: verify, status: ok, outcome: migrated, message: Ended.}
      rescue:
        - ansible.builtin.fail: {msg: Nor can this be recorded.}
          when: fate != 'caught'
    - jeedom.fleet.wave_gate: {max_failed: 9}
'''
LOCKED = 'The vault of {box} is locked, --password=********'


def test_a_box_that_fails_before_its_first_record_is_told_the_same_everywhere_and_why(controller):
    # of the first wave the last one, too, which Ansible names in no list of the wave any more
    controller.inventory(8, box2='early', box3='lost', box5='hidden', box6='caught', box8='ended')
    done = controller.run(EARLY)
    ends = {'box1': 'migrated', 'box2': 'failed', 'box3': 'unknown', 'box4': 'migrated', 'box5': 'failed', 'box6': 'failed', 'box7': 'migrated'}
    assert done.returncode == 4 and '7 boxes: 3 migrated, 3 failed, 1 unknown; 1 not started.' in done.stdout, done.stdout
    run_id = controller.journal('box2')['run_id']
    waves = json.loads((controller.artifacts / run_id / 'waves.json').read_text(encoding='utf-8'))
    assert {host: state for wave in waves for host, state in wave['states'].items() if host != 'box8'} == ends
    assert {host: controller.journal(host)['outcome'] for host in ends} == ends
    boxes = {box['host']: box for box in controller.report()['boxes']}
    assert {host: box['outcome'] for host, box in boxes.items()} == ends | {'box8': None}
    for host in ('box2', 'box6'):
        assert boxes[host]['message'] == LOCKED.format(box=host)
    assert 'Failed to connect to the host via ssh' in boxes['box3']['message']
    assert boxes['box5']['message'] == 'A task failed; the output above says why.'
    assert 'hunter2' not in json.dumps(controller.report()) and '--limit box2,box3,box5,box6,box8' in done.stdout


def test_a_box_that_fails_early_in_a_dry_run_is_shown_and_not_written(controller):
    controller.inventory(2, box2='early')
    done = controller.run(EARLY, '--check')
    assert done.returncode == 2 and '2 boxes: 1 migrated, 1 failed.' in done.stdout and not controller.artifacts.exists(), done.stdout


def test_a_box_that_an_earlier_play_lost_has_failed_and_one_that_it_rescued_has_not(controller):
    controller.inventory(3, box2='early', box3='caught')
    done = controller.run(EARLY.split('    - jeedom.fleet.wave_gate')[0].replace('        - jeedom.fleet.record', '#') + '''
- hosts: jeedom
  gather_facts: false
  tasks:
    - jeedom.fleet.record: {stage: verify, status: ok, outcome: migrated, message: Ended.}
      when: fate | default('') != 'caught'
    - jeedom.fleet.wave_gate: {max_failed: 1}
''')
    assert '2 boxes: 1 migrated, 1 failed; 1 not started.' in done.stdout and done.returncode == 2, done.stdout
    assert controller.journal('box2')['stages']['assess']['message'] == LOCKED.format(box='box2')
    assert re.search(r'Wave 1: 3 boxes in [0-9:]+: 1 migrated, 1 failed, 1 unknown\.', done.stdout)


def test_a_box_that_fails_early_in_a_backup_keeps_what_is_known_of_its_migration(controller):
    controller.inventory(2)
    assert controller.run(WAVES).returncode == 0
    controller.inventory(2, box2='early')
    controller.run(EARLY.split('    - jeedom.fleet.wave_gate')[0].replace('stage: verify, status: ok, outcome: migrated', 'stage: backup, status: ok').replace(
        '  serial: 3', '  vars: {jeedom_beside_migration: true}'))
    entry = controller.journal('box2')
    assert entry['outcome'] == 'migrated' and entry['stages']['backup']['status'] == 'failed', entry
    assert entry['stages']['backup']['message'] == LOCKED.format(box='box2') and entry['stages']['assess']['status'] == 'ok'


NAP = '''
- hosts: jeedom
  gather_facts: false
  tasks:
    - jeedom.fleet.record: {stage: assess, status: ok, message: Ready.}
    - jeedom.fleet.record: {stage: upgrade, status: started}
      when: fate | default('') != 'between'
    - ansible.builtin.fail: {msg: No room.}
      when: fate | default('') == 'failed'
    # not raw, which a dry run skips
    - ansible.builtin.debug: {msg: "{{ lookup('ansible.builtin.pipe', 'touch asleep-' ~ inventory_hostname ~ '; sleep ' ~ nap) }}"}
    - jeedom.fleet.record: {stage: upgrade, status: ok, outcome: migrated, message: On 4.5.3.}
    - jeedom.fleet.wave_gate:
'''


def interrupted(controller, first, *options):
    """A run that gets a signal while its boxes sleep."""
    process = controller.start(NAP, '-e', 'nap=60', *options)
    for _look in range(600):
        if len(list(controller.folder.glob('asleep-*'))) == 2 or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(first)
    process.wait(timeout=60)
    # an older ansible-core leaves its workers behind when it is terminated
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def test_ctrl_c_leaves_table_report_and_the_way_on(controller):
    controller.inventory(3, box2='between', box3='failed')
    done = interrupted(controller, signal.SIGINT)
    assert done.returncode == 99 and 'Traceback' not in done.stderr + done.stdout, done.stdout + done.stderr
    assert '3 boxes: 1 failed, 1 unknown, 1 without outcome.' in done.stdout
    assert f'Report:  {controller.artifacts}/report/index.html' in done.stdout and done.stdout.count('Go on:   ansible-playbook play.yml') == 1
    assert '(run again: work that goes on there is adopted)' in done.stdout
    stages = controller.journal('box1')['stages']
    assert controller.journal('box1')['outcome'] == 'unknown' and stages['assess']['status'] == 'ok'
    assert stages['upgrade']['status'] == 'unknown' and stages['upgrade']['message'] == 'The run was interrupted; what runs on the box goes on.'
    assert controller.journal('box2')['outcome'] is None and controller.journal('box3')['outcome'] == 'failed'
    assert controller.report()['summary']['outcomes'] == {'unknown': 1, 'none': 1, 'failed': 1}
    # and the next run goes on
    controller.inventory(3)
    done = controller.run(NAP, '-e', 'nap=0')
    assert done.returncode == 0 and '3 boxes: 3 migrated.' in done.stdout
    assert controller.journal('box1')['history'][-1]['outcome'] == 'unknown'


def test_ctrl_c_of_a_dry_run_writes_nothing(controller):
    controller.inventory(2)
    done = interrupted(controller, signal.SIGINT, '--check')
    assert done.returncode == 99 and 'This was a dry run' in done.stdout and '2 boxes: 2 unknown.' in done.stdout, done.stdout + done.stderr
    assert not controller.artifacts.exists()


def test_a_run_that_is_terminated_leaves_its_journals_to_the_next_one(controller):
    controller.inventory(2)
    done = interrupted(controller, signal.SIGTERM)
    assert done.returncode == -signal.SIGTERM and controller.journal('box1')['stages']['upgrade']['status'] == 'started'
    done = controller.run(NAP, '-e', 'nap=0')
    assert done.returncode == 0 and '2 boxes: 2 migrated.' in done.stdout


def test_a_french_report_stays_french(controller):
    controller.inventory(1)
    controller.run(WAVES, '-e', 'jeedom_language=fr')
    assert controller.report()['language'] == 'fr'
    for options, language in (([], 'fr'), (['-e', 'jeedom_language=en'], 'en')):
        done = controller.run('jeedom.fleet.report', *options)
        assert done.returncode == 0 and controller.report()['language'] == language, done.stdout
