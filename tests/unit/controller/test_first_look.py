# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first look at a box and its facts come in one round trip; where they do not, the careful way goes on and tells."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip('ansible', reason='controller side')
if sys.version_info < (3, 10):
    pytest.skip('the controller side needs Python 3.10', allow_module_level=True)

from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.jeedom.fleet.plugins.action import box
from ansible_collections.jeedom.fleet.plugins.plugin_utils import follow, probe


class Action(box.ActionModule):
    """Its box is this machine, as the user that uid says; calls: what was run there."""

    def __init__(self, folder, uid=0, **task_vars):
        self.task_vars = {'inventory_hostname': 'box1', 'ansible_python_interpreter': sys.executable, **task_vars}
        self._task, self._templar = SimpleNamespace(check_mode=False, environment=[]), SimpleNamespace(template=lambda value: value)
        self._connection = SimpleNamespace(has_pipelining=True, transport='local')
        self._play_context = SimpleNamespace(remote_user='me')
        self.calls, self.modules = [], []
        (folder / 'bin').mkdir()
        (folder / 'bin/id').write_text(f'#!/bin/sh\necho {uid}\n')
        (folder / 'bin/id').chmod(0o755)
        self.path, self.broken, self.environment = f'{folder}/bin:{os.environ["PATH"]}', None, ''

    def shell(self, command, in_data=None):
        self.calls.append(bool(in_data))
        if self.broken:
            raise self.broken
        done = subprocess.run(['sh', '-c', command], input=in_data or b'', capture_output=True, check=False, env=dict(os.environ, PATH=self.path))
        return {'rc': done.returncode, 'stdout': done.stdout.decode(), 'stderr': done.stderr.decode()}

    def _compute_environment_string(self, raw_environment_information=None):
        return self.environment

    def _execute_module(self, module_name=None, **_rest):
        self.modules.append(module_name)
        return {'changed': False}


def facts(action, **args):
    return action.call('facts', {'web_root': '/nowhere/at/all', **args})


def test_facts_come_with_the_first_look(tmp_path):
    action = Action(tmp_path)
    result = facts(action)
    assert action.calls == [True] and action.modules == []
    assert result['ansible_facts']['jeedom_python']['path'] and 'msg' in result, result
    # from here on the Python is known, and that stdin reaches it
    action.task_vars['jeedom_python'] = result['ansible_facts']['jeedom_python']
    assert 'msg' in facts(action)
    assert action.calls == [True, True] and action.modules == []


@pytest.mark.parametrize('name, args, along', [
    ('job', {'state': 'info'}, True), ('rollback_point', {'state': 'info'}, True), ('health', {}, True), ('job', {'state': 'stopped'}, False),
    ('engine', {'state': 'stopped'}, False), ('config', {'values': {'a': 1}}, False)])
def test_only_what_reads_goes_along(tmp_path, name, args, along):
    action = Action(tmp_path)
    action.call(name, args)
    assert action.calls == [along]
    assert action.modules == ([] if along else [f'jeedom.fleet.{name}'])


@pytest.mark.parametrize('first', [True, False])
def test_the_environment_of_the_task_reaches_the_box(tmp_path, monkeypatch, first):
    code = f'import os; print("{box.stdin_module.MARKER}" + repr({{"proxy": os.environ["http_proxy"]}}).replace(chr(39), chr(34)))'
    monkeypatch.setattr(box.stdin_module, 'COMMAND', code)
    action = Action(tmp_path)
    action.environment = "http_proxy='a b'"
    if not first:
        action.task_vars['jeedom_python'] = {'path': sys.executable, 'version': [3, 9, 0], 'transport': 'stdin'}
    assert facts(action)['proxy'] == 'a b'


@pytest.mark.parametrize('way', ['connection', 'variable', 'arguments'])
def test_where_it_cannot_be_the_careful_way_is_taken(tmp_path, way):
    action = Action(tmp_path, **({'jeedom_box_transport': 'module'} if way == 'variable' else {}))
    if way == 'connection':
        action._connection.has_pipelining = False
    facts(action, **({'gather_subset': {'no': 'list'}} if way == 'arguments' else {}))
    assert action.calls == [False] and action.modules == ['jeedom.fleet.facts']


def test_facts_that_do_not_come_to_their_end_are_tried_the_careful_way(tmp_path, monkeypatch):
    monkeypatch.setattr(box.stdin_module, 'COMMAND', 'import sys; sys.exit(3)')
    action = Action(tmp_path)
    facts(action)
    assert action.calls == [True, False] and action.modules == ['jeedom.fleet.facts']


def test_code_that_dies_on_the_box_is_told_by_its_last_line(tmp_path, monkeypatch):
    monkeypatch.setattr(box.stdin_module, 'COMMAND', 'import sys; sys.exit("Traceback\\nMemoryError: no room")')
    action = Action(tmp_path, jeedom_python={'path': sys.executable, 'version': [3, 9, 0], 'transport': 'stdin'})
    result = facts(action)
    assert result['failed'] and result['error_code'] == 'box_code_failed' and 'Traceback' in result['exception']
    assert result['msg'] == f'facts did not come to its end on box1 with {sys.executable}: MemoryError: no room'


@pytest.mark.parametrize('pipelining, modules', [(True, []), (False, ['jeedom.fleet.facts'])])
def test_the_python_that_the_inventory_names_may_be_a_template(tmp_path, pipelining, modules):
    action = Action(tmp_path, ansible_python_interpreter='{{ venv }}/bin/python3')
    (tmp_path / 'bin/python3').symlink_to(sys.executable)
    action._templar.template = lambda value: value.replace('{{ venv }}', str(tmp_path))
    action._connection.has_pipelining = pipelining
    result = facts(action)
    assert result['ansible_facts']['jeedom_python']['path'] == f'{tmp_path}/bin/python3' and action.modules == modules


class NoInput(Action):
    """Its connection takes no standard input, as that of paramiko."""

    shell = box.BoxAction.shell

    def __init__(self, folder, **task_vars):
        super().__init__(folder, **task_vars)
        self._connection = SimpleNamespace(has_pipelining=False, transport='paramiko', _shell=SimpleNamespace(tmpdir=None, join_path=os.path.join))
        self.tmp = folder / 'remote tmp'

    def _make_tmp_path(self, remote_user=None):
        self.tmp.mkdir()
        self._connection._shell.tmpdir = str(self.tmp)
        return str(self.tmp)

    def _transfer_data(self, remote_path, data):
        with open(remote_path, 'wb') as file:
            file.write(data)

    def _low_level_execute_command(self, cmd, in_data=None, **_rest):
        if in_data:
            raise AnsibleError('Internal Error: this module does not support optimized module pipelining')
        return Action.shell(self, cmd)


def test_a_connection_without_standard_input_reaches_a_python_that_ansible_does_not(tmp_path):
    action = NoInput(tmp_path, jeedom_python={'path': sys.executable, 'version': [2, 7, 18], 'transport': 'stdin'})
    for _call in range(2):
        result = facts(action)
        assert result['error_code'] != 'box_code_failed' and '/nowhere/at/all' in result['msg'] and action.modules == []
    assert list(action.tmp.iterdir()) == []


def test_what_goes_as_a_file_is_gone_before_the_command_runs(tmp_path):
    action = NoInput(tmp_path)
    answer = action.shell(f"ls '{tmp_path}/remote tmp'; echo behind; (cat)", in_data=b'secret\n')
    assert answer['stdout'] == 'behind\nsecret\n'
    action._transfer_data = lambda path, data: None
    answer = action.shell('echo reached', in_data=b'x')
    assert answer['rc'] and not answer['stdout'] and 'jeedom-fleet-stdin' in answer['stderr']


def test_who_is_not_root_is_told_so(tmp_path):
    action = Action(tmp_path, uid=1000)
    with pytest.raises(probe.ProbeError) as caught:
        facts(action)
    assert caught.value.code == 'not_root' and action.calls == [True, False]


def test_a_password_that_is_missing_is_told(tmp_path):
    action = Action(tmp_path)
    action.broken = AnsibleError('Missing sudo password')
    with pytest.raises(probe.ProbeError) as caught:
        facts(action)
    assert caught.value.code == 'no_sudo' and 'Missing sudo password' in str(caught.value)


def test_a_box_that_is_off_is_waited_for_once_only(tmp_path):
    action = Action(tmp_path, jeedom_connect_timeout=0)
    action._connection.reset = lambda: None
    action.broken = AnsibleConnectionFailure('no route to host')
    with pytest.raises(follow.LinkLost):
        facts(action)
    assert action.calls == [True]


@pytest.mark.parametrize('args, called', [({'id': 'core-1', 'wait_timeout': 5}, False), ({'kind': 'core'}, True), ({'id': 'core-1', 'state': 'info'}, True)])
def test_a_job_that_is_only_waited_for_needs_no_python(tmp_path, monkeypatch, args, called):
    action, calls = Action(tmp_path), []
    monkeypatch.setattr(action, 'call', lambda name, given: calls.append(name) or {'changed': False, 'job': None})
    monkeypatch.setattr(action, 'follow', lambda job_id, timeout: {'followed': (job_id, timeout)})
    result = action.perform('job', args)
    assert bool(calls) is called
    assert called or result == {'followed': ('core-1', 5.0)}
