# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an upgrade stops by itself: a wrong web root or way, no proof to be had, plugins that broke the core, a cron that is dead."""

from __future__ import annotations

import io
import socket
import ssl
from urllib.error import URLError

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    core, core_hop, core_plugins, core_route, core_upgrade, core_zips, engine, engine_processes, health_checks, health_web, minute_task, settings,
    transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

ROUTE = [{'version': '4.0.63', 'file_version': '4.0.62'}, '4.1.28']


class Context:
    """A job's context that keeps what is told."""

    def __init__(self):
        self.lines, self.secrets = [], []

    def log(self, line):
        self.lines.append(line)

    def phase(self, *dummy, **dummies):
        pass

    def check_stop(self):
        pass


@pytest.fixture
def upgrade(box, monkeypatch):
    """upgrade(step, params..., transaction...): an Upgrade inside an open transaction."""
    monkeypatch.setattr(box.__class__, 'secrets', lambda self: [])

    def call(step=transaction.OPEN, params=None, **keys):
        transaction.open(box.web_root, 'jeedom', {'rows': {}}, '3.3.60')
        transaction.update(step=step, **keys)
        given = {'web_root': box.web_root, 'version': '4.1.28', 'route': ROUTE, 'on_failure': 'restore', 'plugins': True, 'zips': {},
                 'hop_timeout': 1, 'stall_timeout': 1, 'tick_timeout': 7, 'source_url': core_zips.SOURCE}
        return core_upgrade.Upgrade(dict(given, **(params or {})), Context())
    return call


def refused(function, *arguments) -> BoxError:
    with pytest.raises(BoxError) as caught:
        function(*arguments)
    return caught.value


def test_the_rollback_point_of_another_jeedom_is_none(box, monkeypatch):
    transaction.open('/srv/other', 'jeedom', {'rows': {}}, '3.3.60')
    transaction.update(step=transaction.OPEN)
    monkeypatch.setattr(core.jobs, 'start', lambda *dummy: pytest.fail('started'))
    box.fake.rows['core', 'version'] = '3.3.60'
    error = refused(core.run, {'web_root': box.web_root, 'version': '4.1.28', 'route': ROUTE, 'on_failure': 'restore', 'plugins': True, 'zips': {},
                               'state': 'present', 'run_id': None, 'controller': None}, False)
    assert error.code == 'other_transaction' and '/srv/other' in error.msg and box.web_root in error.msg


@pytest.mark.parametrize('begun', [None, {'route': []}, {'route': core_route.parse('4.4.20', ['4.2.21', '4.4.20'])}])
def test_a_hop_that_leads_elsewhere_is_not_gone_on_with(upgrade, begun):
    error = refused(upgrade(transaction.HOP, hop='4.2.21', upgrade=begun)._begun)
    assert error.code == 'other_route' and '4.2.21' in error.msg and '4.1.28' in error.msg


def test_no_hop_starts_where_none_could_be_proved(upgrade, monkeypatch):
    monkeypatch.setattr(engine, 'stop', lambda *dummy: None)
    monkeypatch.setattr(settings, 'record', lambda database: {})
    monkeypatch.setattr(settings, 'disarm', lambda database: pytest.fail('something was changed'))
    monkeypatch.setattr(health_checks, 'counts', lambda database: {})
    monkeypatch.setattr(health_web, 'login_page', lambda web_root: {'ok': False, 'message': 'answer 500'})
    error = refused(upgrade()._prepare)
    assert error.code == 'web_not_provable' and 'answer 500' in error.msg
    assert not transaction.current().get('upgrade'), 'the next run must ask again'


@pytest.fixture
def updated(monkeypatch):
    """updated(health): plugins have been updated, and the core is then as these lines of health say. Returns what was updated."""
    done = []

    def call(found, answers=True):
        monkeypatch.setattr(settings, 'give_back', lambda *dummy, **dummies: [])
        monkeypatch.setattr(core_plugins, 'market_answers', lambda *dummy: answers)
        monkeypatch.setattr(core_plugins, 'update', lambda *dummy: done.append('virtual') or ([{'id': 'virtual'}], [], []))
        monkeypatch.setattr(core_hop, 'prove_core', lambda *dummy: found)
        return done
    return call


def test_plugins_that_broke_the_core_fail_the_upgrade(upgrade, updated):
    updated([{'id': 'web', 'status': 'failed', 'message': 'answer 500'}, {'id': 'php', 'status': 'ok', 'message': 'fine'}])
    error = refused(upgrade()._plugins)
    assert error.code == 'plugins_broke_core' and 'web: answer 500' in error.msg and 'fine' not in error.msg


def test_plugins_that_left_the_core_sound_do_not(upgrade, updated):
    done = updated([{'id': 'web', 'status': 'degraded', 'message': 'slow'}])
    upgrade()._plugins()
    assert done == ['virtual']


def test_without_a_market_plugins_stay_as_they_are_and_it_is_told(upgrade, updated):
    done = updated([], answers=False)
    work = upgrade()
    work._plugins()
    assert not done and 'the market does not answer' in work.plugins[2][0]


@pytest.mark.parametrize('recorded, ticks, code', [({'cron_active': True}, False, 'no_cron_tick'), ({}, False, 'no_cron_tick'),
                                                   ({'cron_active': True}, True, None), ({'cron_active': False}, False, None)])
def test_an_engine_that_never_ticks_is_not_taken_for_started(upgrade, monkeypatch, recorded, ticks, code):
    monkeypatch.setattr(core_upgrade.core_space, 'clean', lambda: None)
    monkeypatch.setattr(health_checks, 'log_sizes', lambda installation: {})
    monkeypatch.setattr(core_upgrade.Installation, 'temporary', lambda self, database: '/tmp/jeedom')
    monkeypatch.setattr(engine, 'start', lambda *dummy: None)
    monkeypatch.setattr(minute_task, 'start', lambda context: None)
    monkeypatch.setattr(minute_task, 'seen', lambda marker, since, timeout: ticks)
    work = upgrade(upgrade={'counts': {}})
    work.engine = recorded
    if code:
        error = refused(work._finish)
        assert error.code == code and 'within 7 s' in error.msg
    else:
        work._finish()
    assert transaction.current()['step'] == transaction.UPGRADED


# -- what the download site does

class Opener:
    """urllib's opener, whose answer the test gives."""

    def __init__(self, answer):
        self.answer = answer

    def open(self, url, timeout):
        if isinstance(self.answer, Exception):
            raise self.answer
        return Answer(self.answer)


class Answer(io.BytesIO):
    """An answer with its length, cut or whole."""
    headers = {'Content-Length': '9'}


@pytest.mark.parametrize('answer, limit, code', [
    (ssl.SSLError('certificate has expired'), 9, 'download_tls'),
    (URLError(ssl.SSLError('certificate has expired')), 9, 'download_tls'),
    (socket.timeout(), 9, 'download_stalled'),
    (URLError('Name or service not known'), 9, 'download_failed'),
    (ConnectionResetError(104, 'reset'), 9, 'download_failed'),
    (b'123456789', -1, 'download_stalled'),
    (b'1234', 9, 'download_failed'),
])
def test_each_way_in_which_a_download_fails_has_its_own_name_and_advice(tmp_path, monkeypatch, answer, limit, code):
    monkeypatch.setattr(core_zips, 'build_opener', lambda *dummy: Opener(answer))
    error = refused(core_zips.download, 'https://site/core.zip', str(tmp_path / 'core.zip'), {'stall': 5, 'download': limit}, Context())
    assert error.code == code and 'https://site/core.zip' in error.msg


# -- the engine

def test_a_process_that_survives_everything_stops_the_run(monkeypatch):
    clock, signals = [0.0], []
    monkeypatch.setattr(engine_processes.time, 'time', lambda: clock[0])
    monkeypatch.setattr(engine_processes.time, 'sleep', lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(engine_processes, 'find', lambda web_root: [{'pid': 4711, 'start_time': 1, 'kind': 'cron'}])
    monkeypatch.setattr(engine_processes.os, 'kill', lambda pid, number: signals.append((clock[0], number)))
    error = refused(engine_processes.end, '/var/www/html')
    assert error.code == 'engine_not_stopped' and '4711' in error.msg
    asked = [at for at, number in signals if number == engine_processes.signal.SIGTERM]
    killed = [at for at, number in signals if number == engine_processes.signal.SIGKILL]
    assert asked[0] >= engine_processes.GRACE, 'a task of Jeedom may end by itself first'
    assert killed[0] >= asked[0] + engine_processes.TERM_GRACE
