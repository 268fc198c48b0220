# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Following a job from the controller: an end is told, a death is told, a lost link is a failure that rescue sees."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import types

import pytest

pytest.importorskip('ansible', reason='controller side')
if sys.version_info < (3, 10):
    pytest.skip('the controller side needs Python 3.10', allow_module_level=True)

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.jeedom.fleet.plugins.plugin_utils import follow

BOOT = 'b00t'


def answer(percent=10, boot=BOOT, alive=True, rc=None, result=None, state='running', phase='move'):
    """What the box prints for one look."""
    status = {'pid': 7, 'start_time': 99, 'boot_id': BOOT, 'percent': percent, 'phase': phase, 'step': 'hop 1/2', 'line': 'x',
              'started': 1.0, 'heartbeat': 5.0, 'state': state}
    stat = '7 (python3) S ' + ' '.join(['0'] * 18) + ' 99 0' if alive else ''
    end = f'{rc}\n{json.dumps(result)}' if rc is not None else ''
    return {'stdout': f'{json.dumps(status)}\n{follow._SEPARATOR}\n{boot}\n{stat}\n{follow._SEPARATOR}\n{end}\n'}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time that passes only when somebody sleeps, here or on the box; as a stand-in module, so that nobody else's time stops."""
    now = [0.0]
    stand_in = types.SimpleNamespace(sleep=lambda seconds: now.__setitem__(0, now[0] + seconds), monotonic=lambda: now[0])
    monkeypatch.setattr(follow, 'time', stand_in)
    return now


def run(answers, timeout=100, patience=30):
    """Follow a job whose box gives these answers; the last one is repeated."""
    answers = list(answers)
    lines, resets = [], []

    def execute(command):
        waits = re.search(r'timeout (\S+) tail', command)
        follow.time.sleep(float(waits.group(1)) if waits else 0)
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(given, Exception):
            raise given
        return given

    result = follow.follow('core-20260101T000000-0001', execute, lambda: resets.append(1), 'box1', 'upgrade', timeout, patience,
                           lines.append)
    return result, lines, resets


def test_the_result_of_the_job_is_the_result():
    result, _lines, _resets = run([answer(), answer(50), answer(100, rc=0, result={'changed': True, 'version': '4.5.3'})])
    assert result['version'] == '4.5.3'
    assert result['changed'] is True
    assert result['job'] == {'id': 'core-20260101T000000-0001', 'rc': 0, 'duration': 4.0}


def test_a_failed_job_fails_with_its_own_sentence():
    result, _lines, _resets = run([answer(rc=1, result={'failed': True, 'msg': 'No room.', 'error_code': 'no_room'})])
    assert result['failed'] and result['msg'] == 'No room.' and result['error_code'] == 'no_room'


def test_a_short_cut_of_the_link_is_survived_and_shown():
    cut = AnsibleConnectionFailure('closed')
    result, lines, resets = run([answer(), cut, cut, answer(rc=0, result={'changed': True})])
    assert not result.get('failed')
    assert len(resets) == 2
    assert any('link lost' in line for line in lines) and any('link is back' in line for line in lines)


def test_a_long_cut_is_a_failure_not_an_unreachable_host():
    result, _lines, _resets = run([answer(), AnsibleConnectionFailure('closed')], patience=30)
    assert result['failed'] and result['connection_lost'] and result['error_code'] == 'connection_lost'
    assert 'unreachable' not in result
    assert 'goes on by itself' in result['msg']


def test_a_process_that_is_gone_without_a_result_is_told():
    result, _lines, _resets = run([answer(), answer(alive=False)])
    assert result['error_code'] == 'job_died' and not result['rebooted']


def test_a_job_that_the_box_does_not_have_is_told_as_such():
    result, _lines, _resets = run([{'stdout': f'\n{follow._SEPARATOR}\n{BOOT}\n\n{follow._SEPARATOR}\nmissing\n'}])
    assert result['failed'] and result['error_code'] == 'no_such_job' and result['msg'] == 'There is no job core-20260101T000000-0001 on box1.'


def test_a_reboot_is_told_as_such():
    result, _lines, _resets = run([answer(), answer(alive=False, boot='other')])
    assert result['error_code'] == 'job_died' and result['rebooted']
    assert 'rebooted' in result['msg']


def test_the_gap_between_process_and_result_file_is_no_death():
    result, _lines, _resets = run([answer(), answer(alive=False), answer(alive=False), answer(alive=False, rc=0, result={})])
    assert not result.get('failed')


def test_a_job_that_takes_too_long_goes_on():
    result, _lines, _resets = run([answer()], timeout=20)
    assert result['error_code'] == 'job_timeout'
    assert 'it goes on' in result['msg']


def test_the_end_is_waited_for_on_the_box(clock):
    asked = []

    def execute(command):
        asked.append((clock[0], command))
        return answer() if len(asked) < 3 else answer(rc=0, result={})

    follow.follow('core-20260101T000000-0001', execute, lambda: None, 'box1', 'upgrade', 100, 30, lambda text: None)
    assert [moment for moment, _command in asked] == [0, 0, 0], 'the controller sleeps while the box could tell the end'
    assert [f'timeout {wait}' in command for wait, (_moment, command) in zip(('0.5', '0.8', '1.3'), asked, strict=True)] == [True, True, True]


def test_a_look_that_waits_ends_with_the_process(tmp_path):
    process = subprocess.Popen(['sleep', '600'])
    (tmp_path / 'job').mkdir()
    (tmp_path / 'job/status.json').write_text(json.dumps({'pid': process.pid}))
    look = follow.command('job', wait=300).replace(follow.JOBS, str(tmp_path))
    waiting = subprocess.Popen(['sh', '-c', look], stdout=subprocess.PIPE)
    try:
        # it does wait: the process is there
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
        process.kill()
        process.wait()
        assert str(process.pid).encode() in waiting.communicate(timeout=60)[0]
    finally:
        process.kill()
        waiting.kill()


def test_the_command_names_the_job_and_nothing_else_is_run():
    assert "/var/lib/jeedom-fleet/jobs/core-20260101T000000-0001" in follow.command('core-20260101T000000-0001')
    assert '; rm -rf' not in follow.command('x').replace("'", '')
