# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second controller is told who holds the box; a run after one that was cut is not."""

from __future__ import annotations

import os
import socket

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.jeedom.fleet.plugins.filter.holder import held_by
from ansible_collections.jeedom.fleet.plugins.plugin_utils import follow, holder, journal

HERE = holder.name().rpartition(' (pid')[0]
ELSEWHERE = 'elsewhere (pid 4711)'


@pytest.fixture
def proc(tmp_path):
    """Processes: 4711 is a playbook, 4712 something else."""
    for pid, line in (('4711', b'python\0ansible-playbook\0migrate.yml\0'), ('4712', b'vim\0')):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / 'cmdline').write_bytes(line)
    return tmp_path


def seen(controller, followed=None, job=True, heard=30.0, **held):
    """What the box says. heard: seconds since the sign that the controller left itself. held: the note, where another took the box since."""
    live = {'id': 'core-20260101T000000-0001', 'run_id': 'r1', 'controller': controller, 'followed': followed, 'ago': heard}
    opened = {'run_id': 'r1', 'controller': controller}
    return {'live_job': live if job else None, 'transaction': opened, 'held': held or {'by': controller or '', 'run_id': 'r1', 'since': heard, 'ago': heard}}


def test_a_playbook_of_this_machine_that_runs_holds_the_box(proc):
    told = holder.held_by(seen(f'{HERE} (pid 4711)'), proc)
    assert 'run r1' in told and f'{HERE} (pid 4711)' in told and 'core-20260101T000000-0001' in told


def test_it_does_between_its_jobs_too(proc):
    assert 'migration open' in holder.held_by(seen(f'{HERE} (pid 4711)', job=False), proc)


@pytest.mark.parametrize('controller', [None, '', 'somebody', f'{HERE} (pid 4712)', f'{HERE} (pid 4999)', f'{HERE} (pid {os.getpid()})',
                                        f'{HERE} (pid {os.getppid()})'],
                         ids=['nothing', 'empty', 'no pid', 'another program', 'gone', 'we', 'our parent'])
def test_one_that_is_gone_another_program_and_ourselves_do_not(proc, controller):
    assert holder.held_by(seen(controller), proc) == ''


@pytest.mark.parametrize('job', [True, False], ids=['a job runs', 'between two jobs'])
def test_a_controller_elsewhere_holds_it_until_it_has_been_silent_for_long(proc, job):
    told = holder.held_by(seen(ELSEWHERE, job=job, heard=720), proc)
    assert told == (f'run r1 of the controller {ELSEWHERE}, ' + ('whose job core-20260101T000000-0001 is running there' if job else
                    'which has a migration open there') + ' and which gave its last sign of life 12 min ago: wait for that run to end, or, when that '
                    'controller is gone, take the box over with -e jeedom_take_over=true (after 16 h of silence it is free without that)')
    assert holder.held_by(seen(ELSEWHERE, job=job, heard=holder.SILENCE - 1), proc)
    assert holder.held_by(seen(ELSEWHERE, job=job, heard=holder.SILENCE + 1), proc) == ''
    assert '90 s ago' in holder.held_by(seen(ELSEWHERE, job=job, heard=90), proc, silence=91)
    assert holder.held_by(seen(ELSEWHERE, job=job, heard=90), proc, silence=90) == ''


def test_that_it_follows_the_job_is_a_sign_too(proc):
    assert '5 s ago' in holder.held_by(seen(ELSEWHERE, {'by': ELSEWHERE, 'ago': 5}, heard=holder.SILENCE + 1), proc)


@pytest.mark.parametrize('job', [True, False], ids=['a job runs', 'between two jobs'])
def test_the_operators_word_is_enough_for_one_elsewhere_and_not_for_one_that_lives_here(proc, job):
    assert holder.held_by(seen(ELSEWHERE, {'by': ELSEWHERE, 'ago': 5}, job=job), proc, take_over=True) == ''
    told = holder.held_by(seen(f'{HERE} (pid 4711)', job=job), proc, take_over=True)
    assert told and 'jeedom_take_over' not in told and told.endswith('then run the playbook again')


def test_the_same_machine_need_not_wait_however_young_the_signs_are(proc):
    gone = f'{HERE} (pid 4999)'
    assert holder.held_by(seen(gone, {'by': gone, 'ago': 0.1}, heard=1), proc) == ''


def test_who_took_the_box_over_holds_it_and_the_one_before_no_more(proc):
    mine = {'by': f'{HERE} (pid 4711)', 'run_id': 'r2', 'since': 20.0, 'ago': 20.0}
    told = holder.held_by(seen(ELSEWHERE, {'by': ELSEWHERE, 'ago': 25}, **mine), proc)
    assert 'run r2' in told and 'elsewhere' not in told
    assert holder.held_by(seen(ELSEWHERE, {'by': ELSEWHERE, 'ago': 25}, **dict(mine, by=f'{HERE} (pid 4999)')), proc) == '', 'and is gone in turn'
    assert 'elsewhere' in holder.held_by(seen(ELSEWHERE, {'by': ELSEWHERE, 'ago': 5}, **dict(mine, by=f'{HERE} (pid 4999)')), proc), 'it came back'


def test_who_let_the_box_go_holds_it_no_more(proc):
    assert holder.held_by(seen(ELSEWHERE, {'by': ELSEWHERE, 'ago': 25}, by='', run_id='r1', since=3.0, ago=3.0), proc) == ''


def test_what_the_box_does_by_itself_is_no_controller(proc):
    assert holder.held_by(seen('the box itself, at boot'), proc) == ''


def test_a_container_with_the_name_of_its_machine_is_another_machine(proc, monkeypatch):
    monkeypatch.setattr(os, 'readlink', lambda path: 'pid:[4026532999]')
    assert holder.name().startswith(f'{socket.gethostname()} pid:[4026532999] (pid ')
    assert holder.alive(f'{socket.gethostname()} (pid 4999)', proc) is None
    assert holder.alive(f'{socket.gethostname()} pid:[4026532999] (pid 4711)', proc) is True


def test_the_filter_takes_what_a_command_line_gives():
    box = seen(ELSEWHERE, heard=90)
    assert held_by(box, '91', 'false') and held_by(box) and not held_by(box, '60') and not held_by(box, 600, 'true') and not held_by(None)
    with pytest.raises(AnsibleFilterError, match='jeedom_holder_silence'):
        held_by(box, 'long')


def test_who_adopted_the_job_holds_it_when_who_started_it_is_gone(proc):
    told = holder.held_by(seen(f'{HERE} (pid 4999)', {'by': f'{HERE} (pid 4711)', 'ago': 1}), proc)
    assert '(pid 4711)' in told


def test_nothing_under_way(proc):
    assert holder.held_by({'live_job': None, 'transaction': None}, proc) == ''


def test_who_follows_leaves_a_note_that_cannot_be_more_than_a_note():
    assert "echo 'a (pid 1)' 2>/dev/null >\"$d/followed\"" in follow.command('core-20260101T000000-0001', 'a (pid 1)')
    assert "'$(reboot)'" in follow.command('x', '$(reboot)')
    assert 'followed' not in follow.command('x')


def test_the_current_stage_is_the_one_that_is_open():
    stages = {'assess': {'status': 'ok', 'run_id': 'r', 'started': 1, 'ended': 2}, 'backup': {'status': 'started', 'run_id': 'r', 'started': 3}}
    assert journal.current({'run_id': 'r', 'stages': stages}, 'r') == 'backup'
    assert journal.current({'run_id': 'r', 'stages': {'assess': stages['assess']}}, 'r') == 'assess'
    assert journal.current({'run_id': 'old', 'stages': stages}, 'r') == 'assess'
    assert journal.current({}, 'r') == 'assess'
