# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stdin path: the same box function on any Python, nothing left behind."""

import ast
import json
import os
import subprocess
import sys
import zipfile

import pytest

if sys.version_info < (3, 10):
    pytest.skip('the controller side needs Python 3.10', allow_module_level=True)

from ansible_collections.jeedom.fleet.plugins.plugin_utils import probe, stdin_module


def pythons():
    """Every interpreter that the test machine happens to have, named for people."""
    found = {sys.executable}
    for folder in os.environ['PATH'].split(':') + [os.path.expanduser('~/.pyenv/versions/%s/bin' % name) for name in
                                                   (os.listdir(os.path.expanduser('~/.pyenv/versions'))
                                                    if os.path.isdir(os.path.expanduser('~/.pyenv/versions')) else [])]:
        for name in ('python2.7', 'python3', 'python3.5', 'python3.6', 'python3.7', 'python3.9', 'python3.13'):
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and 'shims' not in path:
                found.add(os.path.realpath(path))
    return sorted(found)


def call(python, params, module='job'):
    done = subprocess.run([python, '-c', stdin_module.COMMAND], input=stdin_module.payload(module, params, True),
                          capture_output=True, timeout=30, check=False)
    return stdin_module.parse(done.stdout.decode()), done


@pytest.mark.parametrize('python', pythons())
def test_a_box_function_runs_on_every_python(python):
    result, done = call(python, {'id': None, 'kind': None, 'state': 'info', 'wait_timeout': 1, 'log_lines': 1})
    assert result is not None, done.stderr.decode()
    assert result['changed'] is False


@pytest.mark.parametrize('python', pythons())
def test_a_box_error_is_a_result_not_a_traceback(python):
    result, done = call(python, {'id': 'job-../..', 'kind': None, 'state': 'info', 'wait_timeout': 1, 'log_lines': 1})
    assert result['failed']
    assert result['error_code'] == 'bad_job_id'
    assert b'Traceback' not in done.stderr


PACK = ('from __future__ import absolute_import\nfrom ansible_collections.jeedom.fleet.plugins.module_utils import jobs\n'
        'def run(params, dummy):\n    jobs._pack(params["path"])\n    return {}\n')


@pytest.mark.parametrize('python', pythons())
def test_a_job_takes_the_code_that_is_compiled_already_and_the_source_under_another_python(python, tmp_path, monkeypatch):
    found = dict(stdin_module.sources('job'), packing=PACK)
    monkeypatch.setattr(stdin_module, 'code', lambda _module: b'exec(' + json.dumps(stdin_module._BOOTSTRAP).encode() + b')\n'
                        + stdin_module._line(found))
    packed = tmp_path / 'code.zip'
    result, done = call(python, {'path': str(packed)}, 'packing')
    assert result == {}, done.stderr.decode()

    def taken(archive):
        done = subprocess.run([python, '-c', "import sys; sys.path.insert(0, '%s'); from %s import jobs; print(jobs.KEEP_FINISHED); "
                               'print(jobs.start.__code__.co_filename)' % (archive, stdin_module.PACKAGE)],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout.startswith('20\n'), done.stderr
        return '<jeedom.fleet>' in done.stdout

    version = subprocess.run([python, '-c', 'import sys; print(sys.version_info >= (3, 8))'], capture_output=True, text=True, check=True).stdout
    assert taken(packed) is (version.strip() == 'True')
    other = tmp_path / 'other.zip'
    with zipfile.ZipFile(packed) as before, zipfile.ZipFile(other, 'w') as after:
        for name in before.namelist():
            after.writestr(name, b'\0\0\r\n' + before.read(name)[4:] if name.endswith('.pyc') else before.read(name))
    assert taken(other) is False


def test_output_before_the_result_does_not_disturb():
    assert stdin_module.parse('motd\n%s{"changed": true}\n' % stdin_module.MARKER) == {'changed': True}
    assert stdin_module.parse('Traceback ...') is None


@pytest.mark.parametrize('module', sorted(path.stem for path in stdin_module.MODULE_UTILS.glob('*.py') if 'ARGUMENT_SPEC' in path.read_text()))
def test_a_module_goes_with_all_that_it_imports_and_no_more(module):
    wanted, todo = set(), {module, 'errors'}
    while todo:
        name = todo.pop()
        wanted.add(name)
        for node in ast.walk(ast.parse((stdin_module.MODULE_UTILS / (name + '.py')).read_text(encoding='utf-8'))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith(stdin_module.PACKAGE):
                below = node.module[len(stdin_module.PACKAGE) + 1:]
                todo |= ({below} if below else {alias.name for alias in node.names}) - wanted
    assert set(stdin_module.sources(module)) == wanted


def test_parameters_are_not_on_the_command_line():
    assert 'payload' not in stdin_module.COMMAND
    assert len(stdin_module.COMMAND) < 60


@pytest.mark.parametrize('pythons, transport, expected', [
    ([{'path': '/usr/bin/python3', 'version': [3, 13, 0]}], 'auto', ('/usr/bin/python3', 'module')),
    ([{'path': '/usr/bin/python2.7', 'version': [2, 7, 18]}, {'path': '/usr/bin/python3', 'version': [3, 5, 3]}], 'auto',
     ('/usr/bin/python3', 'stdin')),
    ([{'path': '/usr/bin/python3', 'version': [3, 13, 0]}], 'stdin', ('/usr/bin/python3', 'stdin')),
])
def test_the_way_fits_the_python(pythons, transport, expected):
    chosen = probe.choose(pythons, transport)
    assert (chosen['path'], chosen['transport']) == expected


def test_a_box_without_python_is_told_in_one_sentence():
    with pytest.raises(probe.ProbeError) as caught:
        probe.parse('uid 0\n', 'box7')
    assert caught.value.code == 'no_python'
    assert 'box7' in str(caught.value)
    assert 'apt-get install python3-minimal' in str(caught.value)


def test_a_python_too_old_even_for_us_is_none():
    with pytest.raises(probe.ProbeError):
        probe.parse('uid 0\npython /usr/bin/python 2.6.6\n', 'box7')


def test_a_shell_that_chatters_is_told():
    with pytest.raises(probe.ProbeError) as caught:
        probe.parse('Welcome!\n', 'box7')
    assert caught.value.code == 'probe_failed'


def test_the_probe_script_runs_here():
    done = subprocess.run(['sh', '-c', probe.script(sys.executable)], capture_output=True, text=True, check=True)
    assert probe.parse(done.stdout, 'here')['pythons']


def test_the_python_that_the_inventory_names_is_taken_though_a_newer_one_is_there(tmp_path):
    # ordinary modules run on it in any case: the way must be chosen for it, not for the newer one
    named = tmp_path / 'python2.7'
    named.write_text('#!/bin/sh\necho 2.7.18\n')
    named.chmod(0o755)
    told = subprocess.run(['sh', '-c', probe.script(str(named))], capture_output=True, text=True, check=True).stdout
    others = told + 'python /usr/bin/python3 3.9.2\n'
    assert probe.parse(others, 'box7')['pythons'] == [{'path': str(named), 'version': [2, 7, 18]}]


def test_a_python_that_the_inventory_names_and_that_is_not_there_leaves_the_others():
    told = subprocess.run(['sh', '-c', probe.script('/nowhere/python3')], capture_output=True, text=True, check=True).stdout
    assert '/nowhere' in told
    assert probe.parse(told + 'python /usr/bin/python3 3.9.2\n', 'box7')['pythons'][-1] == {'path': '/usr/bin/python3', 'version': [3, 9, 2]}
