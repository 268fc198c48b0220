# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role rollback as ansible-playbook runs it, on boxes that only say what they are told to: how wide it goes back, and whose a box is."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ANSIBLE = Path(sys.executable).with_name('ansible-playbook')
pytestmark = pytest.mark.skipif(not ANSIBLE.exists(), reason='ansible-playbook is not beside this Python')

# An action plugin in the place of each of ours that the role calls: notes the call, and answers as the box's variable answers says.
STUB = '''
import json
import os
import time
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        name, args, host = self._task.action.split('.')[-1], dict(self._task.args), task_vars['inventory_hostname']
        with open(os.environ['STUB_CALLS'], 'a') as calls:
            calls.write(json.dumps([host, name, args]) + '\\n')
        if name == 'job':
            # A job runs by itself: the wave is as wide as its boxes when all have been started before the first has to end.
            for dummy in range(150):
                with open(os.environ['STUB_CALLS']) as calls:
                    if sum(json.loads(line)[1] == 'restore' for line in calls) >= int(os.environ['STUB_WIDE']):
                        break
                time.sleep(0.1)
            else:
                return {'failed': True, 'msg': 'Not all boxes were started before one was waited for.'}
        key = args.get('source') or args.get('id') or args.get('state') or name
        return dict({'changed': False}, **task_vars['answers'].get(key, {'changed': True}))
'''
POINT = {'restore': {'changed': True, 'job': {'id': 'point'}},
         'point': {'changed': True, 'outcome': 'rolled_back', 'restored_version': '3.3.60', 'outage': 7}}
ARCHIVE = {'backup_push': {'archive': {'archive': '/a', 'complement': '', 'manifest': '/m'}}, 'archive': {'changed': True, 'job': {'id': 'sent'}},
           'sent': {'changed': True, 'outcome': 'restored', 'restored_version': '3.3.59', 'outage': 9}}


def failed(code: str, msg: str) -> dict:
    return {'failed': True, 'error_code': code, 'msg': msg}


class Run:
    """A run of one entry point of the role, with two forks: what each box ended as, and every call."""

    def __init__(self, folder: Path, entry: str, answers: dict[str, dict], *options: str, after: str = 'jeedom_restored', wide: int = 0):
        self.folder = folder
        self._collection()
        (folder / 'hosts.json').write_text(json.dumps({'jeedom': {'hosts': {box: {'answers': each} for box, each in answers.items()}, 'vars': {
            'ansible_connection': 'local'}}}), encoding='utf-8')
        (folder / 'play.yml').write_text(f'''
- hosts: jeedom
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_role: {{name: jeedom.fleet.rollback, tasks_from: {entry}}}
        - ansible.builtin.debug: {{msg: "END {{{{ inventory_hostname }}}} {{{{ {after} | to_json | b64encode }}}} ."}}
      rescue:
        - ansible.builtin.debug: {{msg: "END {{{{ inventory_hostname }}}} {{{{ ansible_failed_result.msg | to_json | b64encode }}}} ."}}
''', encoding='utf-8')
        env = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_'))}
        env.update(ANSIBLE_COLLECTIONS_PATH=str(folder / 'collections'), ANSIBLE_NOCOLOR='1', ANSIBLE_HOME=str(folder / '.ansible'), LC_ALL='C.UTF-8',
                   STUB_CALLS=str(folder / 'calls'), STUB_WIDE=str(wide))
        done = subprocess.run([str(ANSIBLE), '-i', 'hosts.json', '-f', '2', 'play.yml', *options], cwd=folder, env=env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)
        self.ends = {box: json.loads(base64.b64decode(text)) for box, text in re.findall(r'END (\w+) (\S+) \.', done.stdout)}
        assert set(self.ends) == set(answers), done.stdout[-4000:] + done.stderr
        self.calls = [json.loads(line) for line in (folder / 'calls').read_text(encoding='utf-8').splitlines()]

    def _collection(self) -> None:
        """Ours, but for what goes to a box."""
        top = self.folder / 'collections/ansible_collections/jeedom/fleet'
        (top / 'plugins/action').mkdir(parents=True)
        for part in ('roles', 'plugins/filter', 'plugins/plugin_utils', 'plugins/module_utils'):
            (top / part).symlink_to(ROOT / part)
        for name in ('restore', 'job', 'backup_push', 'rollback_point', 'record'):
            (top / f'plugins/action/{name}.py').write_text(STUB, encoding='utf-8')

    def did(self, box: str) -> list[str]:
        """What was called on a box, in order: names, with the state where there is one."""
        return [' '.join([name, args['state']] if 'state' in args else [name]) for host, name, args in self.calls if host == box]


# -- how wide, and where to


def test_a_wave_goes_back_as_wide_as_its_boxes_and_not_as_its_forks(tmp_path):
    run = Run(tmp_path, 'restore', {f'box{number}': {**POINT, **ARCHIVE} for number in range(5)}, wide=5)
    assert {end['restored_version'] for end in run.ends.values()} == {'3.3.60'} and {end['changed'] for end in run.ends.values()} == {True}, run.ends


def test_archives_are_restored_as_wide(tmp_path):
    run = Run(tmp_path, 'restore', {f'box{number}': {**POINT, **ARCHIVE} for number in range(5)}, '-e', 'jeedom_rollback_source=archive', wide=5)
    assert {end['outcome'] for end in run.ends.values()} == {'restored'} and run.did('box1') == ['backup_push', 'restore', 'job'], run.ends


def test_each_box_ends_as_before(tmp_path):
    away, broken = failed('rollback_point_damaged', 'damaged'), failed('restore_not_verified', 'not verified')
    nothing = {'changed': False, 'outcome': 'nothing_to_do', 'restored_version': '3.3.60', 'msg': 'taken back already'}
    run = Run(tmp_path, 'restore', {
        'good': {**POINT, **ARCHIVE}, 'done': {**POINT, 'restore': nothing},
        'gone': {**ARCHIVE, 'restore': failed('no_rollback_point', 'gone')}, 'damaged': {**POINT, **ARCHIVE, 'point': away},
        'broken': {**POINT, **ARCHIVE, 'point': broken}, 'lost': {**POINT, **ARCHIVE, 'point': failed('connection_lost', 'lost')},
        'both': {**POINT, **ARCHIVE, 'point': away, 'sent': failed('not_proved', 'no archive')},
        'again': {**ARCHIVE, 'restore': away, 'archive': dict(nothing, msg='restored already')}})
    assert run.ends['good'] | {'outcome': 'rolled_back', 'outage': 7, 'changed': True} == run.ends['good']
    assert run.ends['done'] | nothing == run.ends['done'] and run.did('done') == ['restore']
    for box in ('gone', 'damaged'):
        assert run.ends[box] | {'outcome': 'restored', 'restored_version': '3.3.59', 'outage': 9} == run.ends[box], box
    assert run.ends['again'] | {'changed': False, 'msg': 'restored already'} == run.ends['again'] and 'job' not in run.did('again')
    assert (run.ends['broken'], run.ends['lost'], run.ends['both']) == ('not verified', 'lost', 'no archive')
    assert run.did('broken') == run.did('lost') == ['restore', 'job']


def test_a_rollback_point_that_the_operator_named_does_not_become_an_archive(tmp_path):
    run = Run(tmp_path, 'restore', {'box1': {**POINT, **ARCHIVE, 'point': failed('rollback_point_damaged', 'damaged')}}, '-e',
              'jeedom_rollback_source=rollback_point')
    assert run.ends == {'box1': 'damaged'} and run.did('box1') == ['restore', 'job']


# -- whose the box is


def box_of(controller: str, ago: float, **more) -> dict:
    """A box with a migration open that a controller last gave a sign of."""
    opened = {'run_id': 'r1', 'controller': controller, 'step': 'open'}
    return {'info': {'transaction': opened, 'restore': None, 'live_job': None, 'last': None, 'rollback_point': {}, 'held': {
        'by': controller, 'run_id': 'r1', 'since': ago, 'ago': ago}}, **POINT, **more}


BOXES = {'fresh': box_of('elsewhere (pid 7)', 300), 'silent': box_of('elsewhere (pid 7)', 60000), 'free': box_of('', 1)}


@pytest.mark.parametrize('entry', ['resume', 'main'])
def test_a_box_of_a_run_elsewhere_is_left_alone_until_that_is_silent_and_the_operator_is_told_what_to_say(tmp_path, entry):
    run = Run(tmp_path, entry, BOXES, after='inventory_hostname')
    assert run.ends == {'silent': 'silent', 'free': 'free', 'fresh':
                        'fresh is held by run r1 of the controller elsewhere (pid 7), which has a migration open there and which gave its last sign of life '
                        '5 min ago: wait for that run to end, or, when that controller is gone, take the box over with -e jeedom_take_over=true (after '
                        '16 h of silence it is free without that).'}
    assert run.did('fresh') == ['rollback_point info']
    for box in ('silent', 'free'):
        assert run.did(box)[:2] == ['rollback_point info', 'rollback_point held'] and 'restore' in run.did(box)


@pytest.mark.parametrize('entry', ['resume', 'main'])
@pytest.mark.parametrize('word', ['jeedom_take_over=true', 'jeedom_holder_silence=300'])
def test_with_the_operators_word_it_is_taken_over_at_once(tmp_path, entry, word):
    run = Run(tmp_path, entry, {'fresh': BOXES['fresh']}, '-e', word, after='inventory_hostname')
    assert run.ends == {'fresh': 'fresh'} and 'rollback_point held' in run.did('fresh') and 'restore' in run.did('fresh')


def test_a_box_that_could_not_be_taken_back_is_let_go(tmp_path):
    broken = dict(BOXES['free'], point=failed('restore_not_verified', 'not verified'))
    run = Run(tmp_path, 'after_failure', {'back': BOXES['free'], 'broken': broken}, '-e', json.dumps({'jeedom_failure': {'msg': 'It failed.'}}),
              after='inventory_hostname')
    assert 'rollback_point released' in run.did('broken') and 'rollback_point released' not in run.did('back')


@pytest.mark.parametrize('variables, released', [
    ({'jeedom_rollback': 'never'}, True), ({'jeedom_failure': {'msg': 'x', 'error_code': 'job_timeout'}}, True),
    ({'jeedom_failure': {'msg': 'x', 'error_code': 'job_busy'}}, False), ({'jeedom_failure': {'msg': 'x', 'connection_lost': True}}, False),
    ({'jeedom_held': True}, False)], ids=['never', 'the job goes on', 'busy', 'lost', 'held'])
def test_who_comes_next_waits_for_no_run_that_has_ended(tmp_path, variables, released):
    run = Run(tmp_path, 'after_failure', {'box1': BOXES['free']}, '-e', json.dumps({'jeedom_failure': {'msg': 'x'}, **variables}), after='inventory_hostname')
    assert ('rollback_point released' in run.did('box1')) is released and 'restore' not in run.did('box1')
