# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note on the box that says whose its open migration is, and when that run was last heard of, by the clock of the box."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import hold, jobs, rollback_point, system, transaction


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A state folder of its own, a clock that stands at 10000, no jobs."""
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path))
    monkeypatch.setattr(system, 'require_root', lambda: None)
    monkeypatch.setattr(jobs, 'known', lambda: [])
    at(monkeypatch, 10000)
    return tmp_path


def at(monkeypatch, seconds):
    monkeypatch.setattr(hold.time, 'time', lambda: seconds)


def opened(controller='a', run_id='r1'):
    transaction.open('/var/www/html', 'jeedom', dict(rows={}), '3.3.60', run_id=run_id, controller=controller)


def call(state, controller='b', run_id='r2', check_mode=False):
    return rollback_point.run(dict(state=state, controller=controller, run_id=run_id, web_root='/var/www/html'), check_mode)


def test_whoever_opened_the_migration_holds_it_until_another_takes_it_or_it_ends(box, monkeypatch):
    assert call('info')['held'] is None
    opened()
    at(monkeypatch, 10060)
    assert call('info')['held'] == dict(by='a', run_id='r1', since=60, ago=60)
    assert call('held', check_mode=True)['changed'] and call('info')['held']['by'] == 'a'
    assert call('held')['changed'] and not call('held')['changed']
    at(monkeypatch, 10070)
    assert call('info')['held'] == dict(by='b', run_id='r2', since=10, ago=10)
    assert transaction.current()['controller'] == 'a', 'the record is the job\'s to write'
    transaction.close('rolled_back', version='3.3.60')
    assert call('info')['held'] is None and not (box / transaction.HELD).exists()


def test_only_the_run_that_holds_the_box_lets_it_go(box):
    opened()
    call('held')
    assert not call('released', controller='c')['changed'] and call('info')['held']['by'] == 'b'
    assert call('released', check_mode=True)['changed'] and call('info')['held']['by'] == 'b'
    assert call('released')['changed'] and not call('released')['changed']
    assert call('info')['held']['by'] == ''
    assert transaction.current() is not None


def test_where_nothing_is_open_nothing_is_held(box):
    assert not call('held')['changed'] and list(box.iterdir()) == []
    assert not call('released')['changed']
    (box / transaction.HELD).write_text(u'%s' % json.dumps(dict(by='old', run_id='r0', since=1)))
    assert call('info')['held'] is None
    transaction.write_journal(dict(step='files'))
    assert call('info')['held']['by'] == 'old'


def test_a_job_that_it_started_or_followed_is_a_sign_of_life(box, monkeypatch):
    opened()
    at(monkeypatch, 20000)
    jobs_of = [dict(state='finished', controller='a', created=15000, followed=None)]
    monkeypatch.setattr(jobs, 'known', lambda: jobs_of)
    assert call('info')['held']['ago'] == 5000
    jobs_of.append(dict(state='finished', controller='other', created=19999, followed=dict(by='other', ago=1)))
    assert call('info')['held']['ago'] == 5000
    jobs_of.append(dict(state='finished', controller='other', created=12000, followed=dict(by='a', ago=700.0)))
    assert call('info')['held']['ago'] == 700 and call('info')['held']['since'] == 10000


def test_a_clock_that_was_set_back_makes_no_sign_of_the_future(box, monkeypatch):
    opened()
    at(monkeypatch, 5)
    assert call('info')['held'] == dict(by='a', run_id='r1', since=0, ago=0)
