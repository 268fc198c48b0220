# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second controller is told who holds the box; a run after one that was cut is not."""

from __future__ import annotations

import os
import socket

import pytest
from ansible_collections.jeedom.fleet.plugins.plugin_utils import follow, holder, journal

HERE = socket.gethostname()


@pytest.fixture
def proc(tmp_path):
    """Processes: 4711 is a playbook, 4712 something else."""
    for pid, line in (('4711', b'python\0ansible-playbook\0migrate.yml\0'), ('4712', b'vim\0')):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / 'cmdline').write_bytes(line)
    return tmp_path


def seen(controller, followed=None, job=True):
    live = {'id': 'core-20260101T000000-0001', 'run_id': 'r1', 'controller': controller, 'followed': followed}
    return {'live_job': live} if job else {'live_job': None, 'transaction': {'run_id': 'r1', 'controller': controller}}


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


def test_a_controller_elsewhere_holds_it_while_it_follows_the_job(proc):
    other = 'elsewhere (pid 4711)'
    assert 'elsewhere' in holder.held_by(seen(other, {'by': other, 'ago': 5}), proc)
    assert holder.held_by(seen(other, {'by': other, 'ago': holder.RECENT + 1}), proc) == ''
    assert holder.held_by(seen(other), proc) == ''


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
