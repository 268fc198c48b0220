# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look after the migration, each check on a good box and on a bad one."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, knowledge

from .conftest import HEALTHY, put

KNOWN = knowledge.load()


@pytest.fixture
def before():
    """The box on V3, with a daemon and a census."""
    facts = copy.deepcopy(HEALTHY)
    facts['plugins']['items'][0]['daemon'] = {'alive': True}
    facts['census'] = {'entities': {'equipments': {'count': 20, 'volatile': False}, 'messages': {'count': 9, 'volatile': True}}}
    return facts


@pytest.fixture
def after(before):
    """The same box on 4.5.3."""
    facts = copy.deepcopy(before)
    put(facts, 'core.version_file', '4.5.3')
    put(facts, 'core.version_db', '4.5.3')
    put(facts, 'core.ignore_hour_check', False)
    put(facts, 'database.foreign_keys', 0)
    for table in ('widgets', 'timeline', 'cache', 'event', 'queue'):
        put(facts, f'database.tables.{table}', {'rows': 0})
    put(facts, 'census.entities.messages.count', 0)
    return facts


def judge(after, before, health=None, target='4.5.3'):
    """The look after."""
    return assessment.postflight(after, health or {'status': 'ok', 'checks': []}, KNOWN, target, before)


def test_a_good_migration_is_ok(after, before):
    result = judge(after, before)
    assert result.findings == [] and result.verdict == 'ok'


@pytest.mark.parametrize('check_id, path, value, word', [
    ('post_version', 'core.version_db', '4.0.4', '4.0.4'), ('post_version', 'core.version_file', '4.5.2', '4.5.2'),
    ('post_version', 'core.version_file', None, 'unknown'),
    ('post_engine', 'engine.enable_cron', False, 'crons are off'), ('post_engine', 'engine.cron_file.active', False, 'cron.d'),
    ('post_tables', 'database.tables', {'widgets': {}, 'timeline': {}, 'cache': {}, 'event': {}}, 'queue'),
    ('post_foreign_keys', 'database.foreign_keys', 26, '26'), ('post_fatal', 'activity.http_error.fatal', 4, '4'),
    ('post_rows', 'census.entities.equipments.count', 19, '20 before, 19 after'), ('post_rows', 'history.history.rows', 10, 'history'),
    ('post_daemons', 'plugins.items', [dict(HEALTHY['plugins']['items'][0], daemon={'alive': False})], 'virtual'),
    ('post_plugins_inactive', 'plugins.items', [dict(HEALTHY['plugins']['items'][0], active=False, daemon={'alive': True})], 'virtual'),
])
def test_what_went_wrong_is_found(after, before, check_id, path, value, word):
    put(after, path, value)
    result = judge(after, before)
    assert [finding['id'] for finding in result.findings] == [check_id]
    finding = result.findings[0]
    assert word in ' '.join([finding['title'], *finding['evidence']])
    assert result.verdict == {'blocker': 'failed', 'warning': 'degraded'}[finding['severity']]


@pytest.mark.parametrize('status, verdict', [('failed', 'failed'), ('degraded', 'degraded'), ('ok', 'ok'), ('nonsense', 'ok')])
def test_health_decides(after, before, status, verdict):
    result = judge(after, before, {'status': status, 'checks': [{'id': 'web', 'status': 'failed', 'message': 'the login page has 48 bytes'},
                                                                {'id': 'api', 'status': 'ok', 'message': 'fine'}]})
    assert result.verdict == verdict
    if verdict != 'ok':
        assert '48 bytes' in result.findings[0]['evidence'][0] and 'api' not in result.findings[0]['title']


def test_a_version_with_a_trap_needs_its_mitigation(after, before):
    put(after, 'core.version_file', '4.4.20')
    put(after, 'core.version_db', '4.4.20')
    put(after, 'engine.history_archive.enabled', True)
    result = judge(after, before, target='4.4.20')
    assert [finding['id'] for finding in result.findings] == ['post_mitigation']
    assert result.findings[0]['evidence'] == ['ignoreHourCheck', 'history::archive off']
    put(after, 'core.ignore_hour_check', True)
    put(after, 'engine.history_archive.enabled', False)
    assert judge(after, before, target='4.4.20').verdict == 'ok'


def test_the_tag_4_0_63_calls_itself_4_0_62(after, before):
    for path in ('core.version_file', 'core.version_db'):
        put(after, path, '4.0.62')
    put(after, 'core.ignore_hour_check', True)
    assert judge(after, before, target='4.0.63').verdict == 'ok'


def test_an_engine_that_was_off_before_may_stay_off(after, before):
    for facts in (after, before):
        put(facts, 'engine.enable_scenario', False)
    assert judge(after, before).verdict == 'ok'


def test_every_check_of_the_catalogue_is_tested():
    tested = {'post_health', 'post_mitigation'} | {mark.args[1][index][0] for mark in test_what_went_wrong_is_found.pytestmark
                                                   for index in range(len(mark.args[1]))}
    assert tested == {name for name, entry in KNOWN.section('checks').items() if entry.get('post')}


@pytest.mark.parametrize('facts', [None, [], 'x', {'core': 5, 'plugins': 'x', 'census': []}])
def test_nonsense_fails_and_does_not_crash(facts):
    result = assessment.postflight(facts, facts, KNOWN, '4.5.3', facts)
    assert result.verdict == 'failed' and not [item for item in result.findings if item['id'] == 'check_failed']
