# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts: whole on a healthy box, honest on a broken one, silent about secrets."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import json
import os
import re

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import facts, facts_core, jobs, system, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

DOCS = os.path.join(os.path.dirname(__file__), '../../../docs/facts.md')
_CONTROL = re.compile(u'[\x00-\x1f\x7f-\x9f\u202a-\u202e]')


def documented():
    """[(section, key, ...)] of the tables in docs/facts.md, dotted and braced keys spread out."""
    section, found = None, []
    with io.open(DOCS, encoding='utf-8') as stream:
        for line in stream:
            heading = re.match(r'^## `(\w+)`', line)
            if line.startswith('## '):
                section = heading.group(1) if heading else None
            cells = line.split('|')
            if section and line.startswith('| `') and len(cells) > 3:
                for name in re.findall(r'`([^`]+)`', cells[1]):
                    braces = re.match(r'^([\w.]+)\.\{(.*)\}$', name)
                    names = [braces.group(1) + '.' + part.strip() for part in braces.group(2).split(',')] if braces else [name]
                    found.extend((section,) + tuple(one.split('.')) for one in names)
    return found


def dig(value, path):
    """Whether a path of keys leads to something."""
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def test_every_documented_key_is_there(box):
    keys = [path for path in documented() if path[0] not in ('plugins', 'network', 'census')]
    assert len(keys) > 100
    found = box.facts()
    assert [path for path in keys if not dig(found, path)] == []


def test_every_documented_key_of_a_plugin_is_there(box):
    box.write('plugins/virtual/plugin_info/info.json', u'{"name": "Virtuel"}')
    plugin = box.facts('plugins')['plugins']['items'][0]
    assert sorted(plugin) == sorted(path[1] for path in documented() if path[0] == 'plugins')


@pytest.mark.parametrize('info, v4', [
    (u'{"compatibility": ["diy", "v4"]}', True), (u'{"compatibility": ["diy"]}', False), (u'{}', None), (u'{"compatibility": "v4"}', None)])
def test_a_plugin_without_a_list_of_compatibility_is_unknown_not_incompatible(box, info, v4):
    box.write('plugins/virtual/plugin_info/info.json', info)
    assert box.facts('plugins')['plugins']['items'][0]['v4'] is v4


def test_the_database_is_asked_once_and_once_more_for_the_history(box, monkeypatch):
    calls = []
    batch = box.batch
    monkeypatch.setattr(box, 'batch', lambda statements: calls.append([name for name, dummy in statements]) or batch(statements))
    box.facts()
    assert len(calls) == 2
    assert sorted(calls[1]) == ['history.history', 'history.historyArch', 'history.largest']


def test_a_history_that_takes_too_long_costs_only_itself(box, monkeypatch):
    batch = box.batch

    def slow(statements):
        if any(name.startswith('history.') for name, dummy in statements):
            raise BoxError('MariaDB did not answer within 900 s.', 'database_timeout')
        return batch(statements)

    monkeypatch.setattr(box, 'batch', slow)
    found = box.facts()
    assert found['core']['version_db'] == '3.3.60' and found['database']['reachable'] is True
    assert found['history']['history'] is None and '900 s' in found['unreadable']['history.history']


def test_a_box_without_its_database_is_still_described(box):
    box.database_down = True
    found = box.facts()
    assert found['core']['version_file'] == '3.3.60'
    assert found['core']['version_db'] is None
    assert found['database']['reachable'] is False
    assert 'MariaDB cannot be asked' in found['database']['error']
    assert found['unreadable']['core.version_db'] == 'the database cannot be asked'
    assert 'MariaDB cannot be asked' in found['unreadable']['database']
    assert [path for path in documented() if path[0] not in ('plugins', 'network', 'census', 'history', 'config')
            and not dig(found, path[:2])] == []


def test_a_box_without_php_is_still_described(box, monkeypatch):
    monkeypatch.setattr(system, 'which', lambda name: None)
    box.commands.pop('php -r')
    found = box.facts()
    assert found['php']['cli'] == {'path': None, 'version': None, 'runs': False, 'extensions': None, 'warnings': []}
    assert found['unreadable']['php.cli.version'] == 'php is not on the box'
    assert found['database']['credentials']['source'] == 'parsed'
    assert found['database']['reachable'] is True


def test_a_php_that_dies_is_told_from_one_that_is_missing(box):
    box.commands['php -r'] = system.Completed(255, 'PHP Fatal error: no opcache', '')
    found = box.facts('php')
    assert found['php']['cli']['path'] == '/usr/bin/php'
    assert found['php']['cli']['runs'] is False
    assert 'PHP Fatal error: no opcache' in found['unreadable']['php.cli.version']


def test_missing_extensions_are_named(box):
    box.commands['php -r'] = lambda argv, stdin: system.Completed(0, '\n@@["7.3.1", ["curl", "Zend OPcache"]]', '')
    found = box.facts('php')['php']
    assert found['missing_required'] == ['gd', 'xml', 'zip', 'mbstring', 'soap', 'mysqli', 'pdo_mysql', 'json']


def test_without_any_jeedom_the_module_fails_with_a_sentence(box, tmpdir):
    with pytest.raises(BoxError) as caught:
        facts.run(dict(box.params, web_root=str(tmpdir.join('elsewhere'))), False)
    assert caught.value.code == 'no_jeedom'
    # a restore that was cut while the tree was away must be seen all the same
    assert caught.value.details['under_way'] == dict(transaction=None, restore=None, live_job=None)


def test_what_an_earlier_run_left_is_told_with_the_facts(box, monkeypatch):
    def told():
        return facts.run(dict(box.params, gather_subset=['core']), False)['under_way']

    assert told() == dict(transaction=None, restore=None, live_job=None)
    transaction.open(box.root, 'jeedom', dict(rows={}), '3.3.60', run_id='r1', settings=dict(password='x'))
    transaction.write_journal(dict(step='tables', source='rollback_point', credentials='x'))
    monkeypatch.setattr(jobs, 'running', lambda: dict(id='core-1', kind='core', run_id='r1', controller='c', followed=None, created=1, params=dict(secret='x')))
    assert told()['transaction']['step'] == transaction.OPENING and told()['transaction']['run_id'] == 'r1'
    assert told()['restore'] == dict(step='tables', source='rollback_point', version=None, reason=None)
    live = told()['live_job']
    assert live.pop('ago') >= 0 and live == dict(id='core-1', kind='core', run_id='r1', controller='c', followed=None)
    assert 'settings' not in told()['transaction']


def test_a_record_that_cannot_be_read_is_not_taken_for_nothing_under_way(box):
    os.makedirs(system.STATE_DIR)
    with open(os.path.join(system.STATE_DIR, 'state.json'), 'w') as stream:
        stream.write('{')
    assert facts.run(dict(box.params, gather_subset=['core']), False)['under_way'] is None


def test_a_core_without_its_version_file_is_described(box):
    os.unlink(os.path.join(box.root, 'core/config/version'))
    found = box.facts('core')
    assert found['core']['version_file'] is None
    assert found['core']['present'] is True
    assert 'core.version_file' in found['unreadable']


def test_no_secret_leaves_the_box(box):
    secrets = ['m4rketpassw0rd', 'ap1keyap1key', 'cl0udpassword', 'g1thubtoken', 'pl0ginapi']
    box.settings(('core', 'market::password', secrets[0]), ('core', 'market::username', 'someone@example.org'),
                 ('core', 'api', secrets[1]), ('core', 'market::cloud::backup::password', secrets[2]),
                 ('core', 'github::core::token', secrets[3]), ('virtual', 'api', secrets[4]))
    box.rows['access.users'] = [['admin', 'admin', '1', '1', '1', '{"twoFactorSecret":"2fasecret"}']]
    text = json.dumps(box.facts())
    for secret in secrets + ['someone@example.org', '2fasecret', 'dbs3cr3t']:
        assert secret not in text
    found = box.facts()
    assert found['access']['market']['password_set'] is True
    assert found['access']['market']['username_set'] is True
    assert found['access']['users']['items'][0]['default_password'] is True
    assert found['access']['api_keys'] == {'core': True, 'plugins': ['virtual']}
    assert found['backups']['cloud'] == {'upload': False, 'password_set': True, 'confirmation_matches': False}


def test_a_switch_without_a_row_has_the_default_of_this_core(box):
    core = box.facts('core')['core']
    assert (core['allow_core'], core['branch'], core['branch_default'], core['ignore_hour_check']) == (True, None, 'master', False)
    box.settings(('core', 'update::allowCore', '0'), ('core', 'core::branch', '4.1.28'), ('core', 'ignoreHourCheck', '1'))
    core = box.facts('core')['core']
    assert (core['allow_core'], core['branch'], core['ignore_hour_check']) == (False, '4.1.28', True)


@pytest.mark.parametrize('file_version, db_version, row, engine, log, left, signs, half', [
    ('3.3.60', '3.3.60', '3.3.60', '1', '[START UPDATE]\n[END UPDATE SUCCESS]\n', False, [], False),
    ('4.4.20', '3.3.60', '3.3.60', '1', '', False, ['version_mismatch', 'update_row_behind'], True),
    # contract 4.3: what 3.3.60 to 4.4.20 in one step leaves
    ('4.4.20', '4.4.20', '3.3.60', '0', '[START UPDATE]\nPHP Fatal error: cleanFileSystemRight\n', True,
     ['update_row_behind', 'engine_off', 'no_end_marker', 'fatal_in_log', 'unzip_leftover'], True),
    # the same after jeeCron switched the engine on again
    ('4.4.20', '4.4.20', None, '1', '[START UPDATE]\nPHP Fatal error: cleanFileSystemRight\n', False, ['no_end_marker', 'fatal_in_log'], True),
    # the same by an updater that was started by hand, so that there is no log of it
    ('4.5.3', '4.5.3', None, '00', '', True, ['engine_off', 'unzip_leftover'], True),
    # a good update since the last boot, and an owner who wants no crons or no scenarios for a while
    ('4.5.3', '4.5.3', None, '0', '', True, ['engine_off', 'unzip_leftover'], False),
    ('4.5.3', '4.5.3', None, '10', '', True, ['engine_off', 'unzip_leftover'], False),
    # somebody switched the engine off; nothing is half-done
    ('3.3.60', '3.3.60', '3.3.60', '0', '[START UPDATE]\n[END UPDATE SUCCESS]\n', False, ['engine_off'], False),
    # a few files stay after a good update too
    ('4.5.3', '4.5.3', '4.5.3', '1', '[START UPDATE]\n[END UPDATE SUCCESS]\n', True, ['unzip_leftover'], False),
    # a refused start (contract 0.5) is an end
    ('3.3.60', '3.3.60', '3.3.60', '1', '[START UPDATE]\n[END UPDATE]\n', False, [], False),
])
def test_half_done_updates_are_recognised(box, monkeypatch, file_version, db_version, row, engine, log, left, signs, half):
    unzipped = os.path.join(box.base, 'unzipped')
    monkeypatch.setattr(facts_core, 'UNZIPPED', unzipped)
    if left:
        os.makedirs(unzipped)
        open(os.path.join(unzipped, 'x.php'), 'w').close()
    box.write('core/config/version', u'%s\n' % file_version)
    # engine: enableCron and, where it has a row, enableScenario
    box.rows['config'] = [['core', 'version', db_version]] + [['core', key, value] for key, value in zip(('enableCron', 'enableScenario'), engine)]
    box.rows['core.update_row'] = [[row, row, 'default', 'ok', '{"doNotUpdate":"1"}']] if row else []
    if log:
        box.write('log/update', u'' + log)
    core = box.facts('core')['core']
    assert core['half_update_signs'] == signs
    assert core['half_updated'] is half


def test_the_end_of_the_log_is_read_and_redacted(box):
    box.write('log/update', u'[START UPDATE]\n[START BACKUP]\n[END BACKUP SUCCESS]\n'
                            u'***ERROR*** https://m.example.org/?username=bob&password=0123456789abcdef\n')
    log = box.facts('activity')['activity']['logs']['update']
    assert log['last_marker'] == 'START UPDATE'
    assert log['unfinished'] is True
    assert 'bob' not in json.dumps(log) and '0123456789abcdef' not in json.dumps(log)


def test_running_updaters_are_seen_once_and_our_sudo_is_not_one(box, monkeypatch):
    monkeypatch.setattr(system, 'processes', lambda: [
        (4242, 'sudo -n -u www-data -- php /var/www/html/install/update.php core=1'),
        (4243, 'php /var/www/html/install/update.php core=1'), (4244, 'vi install/update.php'), (4245, 'apt-get install nmap')])
    monkeypatch.setattr(system, 'start_time', lambda pid: 100)
    running = box.facts('activity')['activity']['processes']
    assert [item['pid'] for item in running['update']] == [4243]
    assert [item['pid'] for item in running['apt']] == [4245]


def test_the_nightly_backup_is_seen_by_the_id_of_its_cron(box, monkeypatch):
    box.rows['engine.crons'] = [['17', 'jeedom', 'backup', '1', '10 2 * * *', None, '0', '0']]
    monkeypatch.setattr(system, 'processes', lambda: [(99, 'php /var/www/html/core/php/jeeCron.php cron_id=17')])
    assert [item['pid'] for item in box.facts('activity')['activity']['processes']['backup']] == [99]


def test_the_history_purge_is_told(box):
    box.rows['engine.crons'] = [['3', 'history', 'archive', '1', '00 5 * * *', None, '0', '0']]
    box.rows['history.history'] = [['7', '2024-01-01 00:00:00', '2026-02-01 00:00:00', '5', '2', '2024-12-31 23:00:00']]
    found = box.facts('engine', 'history')
    assert found['engine']['history_archive'] == {'present': True, 'enabled': True, 'schedule': '00 5 * * *'}
    assert found['history']['history']['since_2025'] == 5
    assert found['history']['history']['newest_before_2025'] == '2024-12-31 23:00:00'


def test_long_lists_are_cut_and_counted(box):
    box.rows['engine.crons'] = [[str(number), 'c', 'f%d' % number, '1', '* * * * *', None, '0', '0'] for number in range(250)]
    crons = box.facts('engine')['engine']['crons']
    assert (crons['count'], len(crons['items'])) == (250, 100)


@pytest.mark.parametrize('names, wanted', [
    (['min'], set(facts.MINIMUM)), (['core'], {'core'}), (['min', '!php'], set(facts.MINIMUM) - {'php'}),
    (['!census'], set(section[0] for section in facts.SECTIONS) - {'census'}), (['core', 'network'], {'core', 'network'}),
])
def test_subsets(names, wanted):
    assert facts.subset(names) == wanted


def test_what_costs_much_is_only_gathered_when_named():
    assert not set(facts.ON_REQUEST) & facts.subset(['all'])


def test_an_unknown_subset_is_an_error():
    with pytest.raises(BoxError) as caught:
        facts.subset(['kernel'])
    assert caught.value.code == 'bad_subset' and 'census' in caught.value.msg


HOSTILE = [None, u'', u'NULL', u'[]', u'{', u'{"a":' * 3000, u'x' * 300000, u'\x1b[31m\x00\x07<script>{{ 1 }}', u'\u202e\ud7ff', u'-1', u'1e999',
           u'é\u0085', u'[[[]]]', u'{"doNotUpdate": {"a": []}, "bootstrap_theme": [1]}', u'{"dashboard": {"a": 1}, "mobile": 7}']


@pytest.mark.parametrize('hostile', HOSTILE)
def test_a_hostile_database_neither_crashes_nor_paints(box, strings, hostile):
    for group in [section[2] for section in facts.SECTIONS]:
        for queries in group:
            for name, sql in queries.items():
                box.rows[name] = [[hostile] * width for width in (sql.split(' FROM ')[0].count(',') + 1, 1, 4, 8)]
    box.settings(*[('core', key, hostile) for key in ('version', 'folder::tmp', 'name', 'market::address', 'backup::keepDays')])
    box.settings((hostile or 'p', 'port', hostile))
    found = box.facts()
    assert [text for text in strings(found) if _CONTROL.search(text) or len(text) > 400] == []


@pytest.mark.parametrize('info', [u'[]', u'7', u'{', u'{"compatibility": "v4", "name": {"a": 1}, "require": [4], "hasDependency": []}',
                                  u'{"compatibility": [1, null, {"a": []}]}', u'\x00' * 20, u'{"name": "\\u0007<b>"}'])
def test_a_hostile_plugin_neither_crashes_nor_paints(box, strings, info):
    box.write('plugins/evil/plugin_info/info.json', info)
    found = box.facts('plugins')
    assert found['plugins']['count'] == 1
    assert [text for text in strings(found) if _CONTROL.search(text)] == []


def test_facts_need_no_database_for_a_box_of_wrong_encoding(box):
    with open(os.path.join(box.root, 'core/config/version'), 'wb') as stream:
        stream.write(b'\xff\xfe3.3.60\x00')
    assert box.facts('core')['core']['version_file'] is not None
