# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""At which border a check speaks, how grave it is there, and what it shows: core, engine, plugins, what is the user's own."""

from __future__ import annotations

import calendar
import copy
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, knowledge

from .conftest import HEALTHY, put

KNOWN = knowledge.load()
INSIDE = {'activity.transaction': {'open': True, 'step': 'hop', 'from_version': '3.3.60'}}


def at(version):
    """Facts of a box with this core."""
    return {'core.version_file': version, 'core.version_db': version}


def capped(*items):
    """A capped list of the facts."""
    return {'count': len(items), 'items': list(items)}


def plugins(*changes):
    """The fixture's plugin, so many times, changed."""
    return {'plugins': capped(*(dict(HEALTHY['plugins']['items'][0], **each) for each in changes))}


def users(*changes):
    """Users, changed from an administrator who keeps a key."""
    usual = {'login': 'admin', 'profile': 'admin', 'enabled': True, 'keeps_key': True, 'api_key': True, 'default_password': False}
    return {'access.users': capped(*(dict(usual, **each) for each in changes))}


# (changes, id, evidence when it is found (True: any), severity when it is not the only one)
SHOWN = [
    # core
    (at('3.3.59'), 'core_old_v3', ['core/config/version: 3.3.59']), (at('3.2.11'), 'core_old_v3', None), (at('3.3.60'), 'core_old_v3', None),
    ({'core.version_db': None}, 'core_version_mismatch', None), ({**INSIDE, 'core.version_db': '4.0.4'}, 'core_version_mismatch', None),
    ({'core.version_db': '4.0.4'}, 'core_version_mismatch', ['core/config/version: 3.3.60', 'config.version: 4.0.4']),
    ({'core.branch': 'master', 'core.branch_default': None}, 'update_branch_set', None),
    ({'core.branch': 'release', 'core.branch_default': 'release'}, 'update_branch_set', None),
    ({'core.branch': 'master', 'core.branch_default': 'release'}, 'update_branch_set', ['core::branch = master']),
    ({'core.allow_core': False}, 'core_update_exposed', None), ({**INSIDE, 'core.allow_core': True}, 'core_update_exposed', None),
    ({**at('4.1.28'), 'core.allow_core': True}, 'core_update_exposed', None),
    ({'core.allow_core': None, 'core.branch': None, 'core.branch_default': None}, 'core_update_exposed',
     ['update::allowCore is not 0, core::branch is master']),
    ({'core.allow_core': True, 'core.branch': None, 'core.branch_default': 'release'}, 'core_update_exposed',
     ['update::allowCore is not 0, core::branch is release']),
    ({'core.allow_core': True, 'core.branch': '3.3.60'}, 'core_update_exposed', None),
    ({'core.provider': 'default'}, 'update_source', None), ({'core.provider': None}, 'update_source', None),
    ({'core.provider': 'github', 'core.provider_settings': {'a': 1, 'b': 'c'}}, 'update_source', ['core::repo::provider = github', 'a = 1', 'b = c']),
    ({**INSIDE}, 'transaction_open', ['from 3.3.60']), ({'activity.transaction': {'open': True}}, 'transaction_open', ['from unknown']),
    ({'core.leaked_credentials': True}, 'leaked_credentials', ['/tmp/common.config.php exists']),
    ({'unreadable': {'database.size': 'no', 'hardware.model': 'none'}}, 'facts_incomplete', ['database.size: no', 'hardware.model: none'], 'info'),
    ({'unreadable': {'database.size': 'no', 'database': 'none'}}, 'facts_incomplete', True, 'warning'),
    ({'unreadable': {'core.version_db': 'no'}}, 'facts_incomplete', True, 'warning'),
    ({'unreadable': {'engine.enable_cron': 'no'}}, 'facts_incomplete', True, 'warning'), ({'unreadable': {}}, 'facts_incomplete', None),
    # the purge and the date
    ({'engine.history_archive': {'enabled': True, 'schedule': '00 5 * * *'}, 'history.history.since_2025': 5, 'history.historyArch.since_2025': None},
     'history_purge', ['cron history::archive, schedule 00 5 * * *', '5 rows since 2025-01-01']),
    ({'engine.history_archive': {'enabled': True}, 'history': {}}, 'history_purge',
     ['cron history::archive, schedule unknown', 'an unknown number of rows since 2025-01-01']),
    ({**INSIDE, 'engine.history_archive.enabled': True}, 'history_purge', None),
    ({**at('4.5.3'), 'engine.history_archive.enabled': True}, 'history_purge', None),
    ({**at('4.5.3'), 'core.ignore_hour_check': False}, 'date_limit_ahead', None), ({**at('4.5.3'), 'core.ignore_hour_check': False}, 'date_limit_active', None),
    # engine and activity
    ({'engine.enable_cron': False, 'engine.enable_scenario': False}, 'engine_off', ['Crons are off', 'Scenarios are off'], 'blocker'),
    ({'engine.enable_scenario': False}, 'engine_off', ['Scenarios are off'], 'blocker'), ({**INSIDE, 'engine.enable_cron': False}, 'engine_off', None),
    ({**at('4.5.3'), 'engine.enable_scenario': False}, 'engine_off', ['Scenarios are off'], 'warning'),
    ({'engine.started': False}, 'engine_not_started', ['the started marker is missing in the temporary folder']),
    ({'engine.cron_file.present': False, 'engine.services.cron': False}, 'engine_not_started',
     ['/etc/cron.d/jeedom is missing or runs nothing', 'the cron service is down']), ({**INSIDE, 'engine.started': False}, 'engine_not_started', None),
    ({'engine.services': {'apache': False, 'database': False}}, 'service_down', ['apache2 is not active', 'mariadb is not active']),
    ({**INSIDE, 'engine.services.apache': False}, 'service_down', None),
    ({'activity.processes.update': [{'pid': 5}], 'activity.processes.backup': [{'pid': 6, 'age': 7}, {'pid': 8, 'age': 9}]}, 'jeedom_busy',
     ['an update: pid 5 for ? s', 'a backup: pid 6 for 7 s', 'a backup: pid 8 for 9 s']),
    ({'activity.processes.update': [{'pid': 5}], 'activity.job': {'id': 'core-1'}}, 'jeedom_busy', None),
    ({'activity.processes.dependency': [{'pid': 5}, {'pid': 6}], 'activity.processes.composer': [{'pid': 7}]}, 'dependencies_busy',
     ['dependency: 2 processes', 'composer: 1 processes']),
    ({'activity.job': {'id': 'core-1'}}, 'job_running', ['job of run unknown: unknown']),
    ({'activity.job': {'id': 'core-1', 'kind': 'core', 'run_id': 'r', 'state': 'running'}}, 'job_running', ['core of run r: running']),
    ({'activity.logs.update': {'unfinished': True, 'fatal': ['PHP Fatal error']}}, 'update_unfinished', ['last line: none', 'PHP Fatal error']),
    ({'activity.logs.update.unfinished': True, 'activity.processes.update': [{'pid': 5}]}, 'update_unfinished', None),
    ({**INSIDE, 'activity.logs.update.unfinished': True}, 'update_unfinished', None),
    ({'core.unzip_leftover': 7}, 'unzip_leftover', ['7 files below /tmp/jeedom_unzip']), ({'core.unzip_leftover': 0}, 'unzip_leftover', None),
    ({'core.unzip_leftover': 7, 'activity.processes.update': [{'pid': 5}]}, 'unzip_leftover', None),
    ({'backups.archives': capped()}, 'backup_not_proved', ['no archive on the box'], 'info'),
    ({'backups.archives': capped({'name': 'new'}, {'name': 'old'})}, 'backup_not_proved', ['newest archive on the box: new'], 'info'),
    # plugins
    (plugins({'row': True, 'folder': False}), 'plugin_folder_missing', ['row in update, no folder plugins/virtual']),
    (plugins({'row': False, 'folder': False}), 'plugin_folder_missing', None), (plugins({'row': False}), 'plugin_not_from_market',
                                                                                ['a folder without a row in update']),
    (plugins({'source': 'samba'}), 'plugin_not_from_market', ['update.source = samba']), (plugins({'source': 'market'}), 'plugin_not_from_market', None),
    (plugins({'info': 'broken'}), 'plugin_old_format', ['plugin_info: broken']),
    (plugins({'status': 'hold', 'do_not_update': False}), 'plugin_pinned', ['status hold']),
    (plugins({'status': None, 'do_not_update': True}), 'plugin_pinned', ['status unknown']),
    (plugins({'id': 'mystery', 'require': '4.5.4'}), 'plugin_stays_old', ['needs core 4.5.4']),
    (plugins({'id': 'mystery', 'require': '4.5.3'}), 'plugin_stays_old', None),
    (plugins({'active': True, 'has_daemon': None, 'daemon': {'alive': False}}, {'active': False, 'has_daemon': True, 'daemon': {'alive': False}}),
     'daemons_down', ['virtual']), (plugins({'has_daemon': False, 'daemon': {'alive': False}}), 'daemons_down', None),
    ({**INSIDE, **plugins({'has_daemon': True, 'daemon': {'alive': False}})}, 'daemons_down', None),
    (plugins({'ports': [{'key': 'a', 'value': '/dev/ttyACM1'}, {'key': 'b', 'value': '/dev/serial/by-id/x'}, {'key': 'c'}]}), 'serial_ports',
     ['a = /dev/ttyACM1']), (plugins({'ports': [{'key': 'a', 'value': '/dev/ttyAMA0'}]}), 'serial_ports', None),
    (plugins({'local_version': '2020', 'active': True}, {'local_version': None, 'active': False}), 'plugin_inventory', ['virtual 2020', 'virtual']),
    ({'access.market.username_set': False, **plugins({'source': 'github'})}, 'market_link', ['0 plugins from the market'], 'info'),
    ({'access.market.username_set': False, **plugins({}, {})}, 'market_link', ['2 plugins from the market'], 'warning'),
    (plugins({'removed_api': [{'name': 'a', 'file': 'x.php'}, {'name': 'b', 'file': 'y.php'}]}), 'plugin_removed_api', ['a in x.php', 'b in y.php']),
    (plugins({'python2': ['resources/a.py']}), 'plugin_python2', ['resources/a.py'], 'info'), (plugins({'id': 'lifx'}), 'plugin_python2', True, 'warning'),
    ({**plugins({'id': 'lifx'}), 'os.debian_major': 10}, 'plugin_python2', True, 'info'),
    (plugins({'active': False, 'local_version': None, 'equipments': None, 'v4': None, 'id': 'mystery', 'compatibility': ['v3']}), 'plugin_v4_unconfirmed',
     ['version unknown, not active, an unknown number of equipments', 'info.json: v3'], 'warning'),
    # what is the user's own
    ({'customisations.widgets': capped({'path': 'a/b.html'}, {'name': 'n', 'version': 'mobile', 'commands': 2, 'patterns': ['p'], 'iframe': True})},
     'custom_widgets', ['a/b.html (?): 0 commands', 'n (mobile): 2 commands, uses p, iframe']),
    ({**at('4.1.28'), 'customisations.widgets': capped({'name': 'n'})}, 'custom_widgets', None),
    ({'customisations.core_widgets_used': {'info.binary.door': 0, 'nobody.knows.it': 3}}, 'core_widgets_changed', None),
    ({'customisations.core_widgets_used': {'info.binary.door': 2, 'door': 1}}, 'core_widgets_changed', ['info.binary.door: 2 commands', 'door: 1 commands']),
    ({'customisations.custom_files': capped({'path': 'c.css'}), 'customisations.custom_css_enabled': False}, 'custom_css_js', None),
    ({'customisations.custom_files': capped({'path': 'c.css'}), 'customisations.custom_css_enabled': None}, 'custom_css_js', ['c.css (0 bytes)']),
    ({'customisations.designs': capped({'id': 1, 'elements': 4}, {'id': 2, 'name': 'P'})}, 'designs', ['1: 4 elements', 'P: 0 elements']),
    ({'customisations.views': 1}, 'designs', []), ({'customisations.designs_3d': 1}, 'designs', []),
    ({**at('4.1.15'), 'customisations.designs': capped({'id': 1, 'has_size': False})}, 'designs_without_size', None),
    ({'customisations.designs': capped({'id': 1, 'name': 'P', 'has_size': False}, {'id': 2, 'has_size': None})}, 'designs_without_size', ['1: P']),
    ({'customisations.designs': capped({'id': 1, 'iframes': 2}, {'id': 2, 'old_js': 0})}, 'designs_old_script', ['1: 0 scripts, 2 iframes']),
    ({**at('4.3.23'), 'customisations.designs': capped({'id': 1, 'iframes': 2})}, 'designs_old_script', None),
    ({'customisations.fa4': {'cmd.display': 2, 'view': 3.0, 'x': True, 'y': 0, 'z': '5'}}, 'icons_fa4', ['cmd.display: 2', 'view: 3']),
    ({**at('4.1.28'), 'customisations.fa4': {'cmd.display': 2}}, 'icons_fa4', None),
    ({'customisations.timeline_json': 2e6}, 'timeline_file', ['data/timeline.json: 2 MB']),
    ({**at('4.1.28'), 'customisations.timeline_json': 9}, 'timeline_file', None),
    ({**at('4.4.20'), 'customisations.syslog_forwarding': True}, 'syslog_forwarding', ['log::syslogudphost is set']),
    ({'customisations.scenarios': capped({'id': 4, 'patterns': ['nobody knows']}, {'id': 5, 'name': 'x', 'patterns': []})}, 'scenario_code',
     ['4 : nobody knows']),
    ({'customisations.htaccess': {'sha256': '0' * 64, 'custom': True}}, 'htaccess_edited', ['sha256 0000000000000000…', '.htaccess_custom exists']),
    ({'customisations.htaccess': {'sha256': '0' * 64}}, 'htaccess_edited', ['sha256 0000000000000000…', '.htaccess_custom is missing']),
    (users({'keeps_key': False}), 'api_keys_rotate', ['admin']), (users({'keeps_key': False, 'api_key': False}), 'api_keys_rotate', None),
    (users({'keeps_key': False, 'profile': 'user'}), 'api_keys_rotate', None), ({**at('4.1.28'), **users({'keeps_key': False})}, 'api_keys_rotate', None),
    (users({'login': None, 'keeps_key': False, 'api_key': None}), 'api_keys_rotate', ['?']),
    (users({'login': 'a', 'profile': 'user'}, {'login': 'b', 'profile': None}, {'login': 'c', 'profile': 'restrict', 'api_key': False}),
     'api_limited_users', ['a']),
    ({**at('4.4.8'), **users({'profile': 'user'})}, 'api_limited_users', None),
    (users({'default_password': True, 'enabled': False}), 'default_password', None), (users({'default_password': True, 'profile': None}), 'default_password',
                                                                                      ['profile unknown']),
    ({**at('4.2.21'), 'customisations.old_api_calls': capped({'where': 'cmd 1', 'text': 'x'})}, 'api_keys_core_only', None),
    ({'customisations.old_api_calls': capped({'where': 'cmd 1', 'text': 'x'})}, 'api_keys_core_only', ['cmd 1: x']),
    ({'access.listen': [80, 8080]}, 'listening_port', None), ({'access.listen': []}, 'listening_port', None),
    ({'access.listen': [], 'access.dns': True}, 'listening_port', ['Listen unknown']), ({'access.listen': [8080, 443]}, 'listening_port', ['Listen 8080, 443']),
]


def look(assess, changes, check_id, **options):
    """The findings of an id on the healthy box with changes."""
    facts = copy.deepcopy(HEALTHY)
    for path, value in changes.items():
        put(facts, path, value)
    found = assess(facts, **options).findings
    assert not [item for item in found if item['id'] == 'check_failed'], found
    return [item for item in found if item['id'] == check_id]


@pytest.mark.parametrize('row', SHOWN, ids=lambda row: f'{row[1]}: {", ".join(row[0])}'[:80])
def test_a_check_speaks_at_its_border_and_shows_what_it_saw(row, assess):
    changes, check_id, evidence, *severity = row
    found = look(assess, changes, check_id)
    assert len(found) == (evidence is not None)
    if found:
        assert evidence is True or found[0]['evidence'] == evidence
        assert not severity or found[0]['severity'] == severity[0]


# (changes, id, the whole title, words of the advice)
SAID = [
    ({'core.present': False}, 'no_jeedom', 'No Jeedom was found in /var/www/html', ''),
    ({'core.version_file': 'abc', 'web_root': None}, 'no_jeedom', 'No Jeedom was found in its web root', ''),
    (INSIDE, 'transaction_open', 'A migration of this box is open at step hop (run unknown)', 'back to 3.3.60.'),
    ({'activity.transaction': {'open': True, 'run_id': 'r1'}}, 'transaction_open', 'A migration of this box is open at step unknown (run r1)',
     'back to where it was.'),
    ({'engine.history_archive.enabled': True, 'history': {}}, 'history_purge', 'Every night this box deletes history recorded since 2025-01-01',
     'An unknown number of rows are at risk'),
    ({'engine.history_archive.enabled': True, 'history': {'history': {'since_2025': 3}, 'historyArch': {'since_2025': 4}}}, 'history_purge',
     'Every night this box deletes history recorded since 2025-01-01', '7 rows are at risk'),
    ({'engine.enable_cron': False, 'engine.enable_scenario': False}, 'engine_off', 'Crons and scenarios are switched off', ''),
    ({'activity.processes.update': [{'pid': 1}], 'activity.processes.restore': [{'pid': 1}]}, 'jeedom_busy', 'An update and a restore is running', ''),
    ({'activity.processes.dependency': [{'pid': 1}]}, 'dependencies_busy', 'A dependency installation is running', ''),
    (plugins({'row': False}), 'plugin_not_from_market', 'Plugin virtual comes from nowhere that is recorded and not from the market', ''),
    (plugins({'source': 'url'}), 'plugin_not_from_market', 'Plugin virtual comes from url and not from the market', ''),
    (plugins({'id': 'widget'}), 'plugin_widget', 'Plugin widget does not work on V4', ''),
    ({'customisations.widgets': {'count': 9, 'items': [{'name': 'a', 'commands': 2}, {'name': 'b'}]}}, 'custom_widgets',
     "Widgets of one's own: 9, in use: 1", ''),
    ({'customisations.core_widgets_used': {'info.binary.door': 2, 'door': 1}}, 'core_widgets_changed',
     'Commands with core widgets that V4 draws from templates: 3', ''),
    ({'customisations.designs': {'count': 7, 'items': []}, 'customisations.views': 2, 'customisations.designs_3d': 3}, 'designs',
     'Designs: 7, views: 2, 3D designs: 3', ''),
    ({'customisations.themes': {'default': 'amber', 'mobile': 'lime', 'users': {'a': 'amber', 'b': 'core2019_Light', 'c': 7}}}, 'themes_gone',
     'Themes in use that V4 does not have: amber, lime', ''),
    ({'access.listen': [8080], 'access.dns': True}, 'listening_port', 'Apache listens on 8080, and Jeedom DNS is used', ''),
    ({'access.listen': [], 'access.dns': True}, 'listening_port', 'Apache listens on unknown ports, and Jeedom DNS is used', ''),
    ({'unreadable': {'a': 'x', 'b': 'y'}}, 'facts_incomplete', 'Facts that could not be read on the box: 2', ''),
]


@pytest.mark.parametrize('changes, check_id, title, advice', SAID, ids=lambda value: value if isinstance(value, str) else '')
def test_a_finding_says_how_much_of_what(changes, check_id, title, advice, assess):
    found = look(assess, changes, check_id)
    assert [item['title'] for item in found] == [title] and advice in found[0]['advice']


def test_an_unknown_target_is_told_with_its_neighbours_and_a_trap_with_its_name(assess):
    found = look(assess, {}, 'unknown_target', target='4.5.9')
    assert 'next to it: ' in found[0]['advice'] and '4.5.3' in found[0]['advice']
    assert 'there (date_limit, history_purge); plan' in look(assess, {}, 'target_not_resting', target='4.4.20')[0]['advice']
    assert look(assess, {}, 'target_not_resting') == []


def test_the_date_that_has_come_is_a_day_and_not_a_second(assess):
    limit = str(KNOWN.trap('date_limit', '3.3.59')['from'])
    day = calendar.timegm(time.strptime(limit, '%Y-%m-%d'))
    old = {**at('3.3.59'), 'core.ignore_hour_check': False}
    assert look(assess, old, 'date_limit_active', now=day - 1) == []
    assert look(assess, old, 'date_limit_active', now=day)[0]['evidence'] == [f'core 3.3.59, limit {limit}, ignoreHourCheck is not set']


def test_a_migration_that_died_half_way_shows_its_signs_and_its_three_versions(assess):
    half = {**at('4.4.20'), 'core.half_updated': True, 'core.half_update_signs': ['engine_off', 'nonsense'], 'core.version_db': '4.0.4'}
    known = look(assess, {**half, 'core.update_row': {'local_version': '3.3.60'}}, 'half_migrated')[0]['evidence']
    assert known == ['crons or scenarios are switched off', 'files 4.4.20, database 4.0.4, update table 3.3.60']
    assert look(assess, {**half, 'core.update_row': None}, 'half_migrated')[0]['evidence'][-1].endswith('update table unknown')
    assert look(assess, {**half, **INSIDE}, 'half_migrated') == [] and look(assess, {**half, 'core.half_updated': 'yes'}, 'half_migrated') == []
    assert look(assess, {**half, 'core.half_update_signs': ['version_mismatch']}, 'half_migrated') == []


def test_what_the_market_says_of_a_plugin_is_shown(assess):
    def shown(answer):
        market = {'online': True, 'plugins': {'virtual': answer}}
        return [item['evidence'][1] for check_id in ('plugin_legacy', 'plugin_unknown') for item in look(assess, {}, check_id, market=market)]

    assert shown({'certification': 'Legacy', 'hardwareCompatibility': {'v4': '0'}}) == ['market: Legacy, v4 0']
    assert shown({'certification': 'Legacy'}) == ['market: Legacy, v4 not set'] and shown(None) == ['market: unknown']


@pytest.mark.parametrize('item, known, severity', [({'v4': None}, {}, 'warning'), ({'v4': True}, {}, 'info'), ({'v4': None}, {'v4': True}, 'info'),
                                                   ({'v4': False}, {'v4': False}, 'warning')])
def test_a_plugin_that_somebody_vouches_for_is_no_warning(assess, monkeypatch, item, known, severity):
    monkeypatch.setitem(KNOWN.sections, 'plugins', {'mystery': dict(known, id='mystery')})
    facts = copy.deepcopy(HEALTHY)
    facts.update(plugins({'id': 'mystery', **item}))
    market = {'online': True, 'plugins': {'mystery': {'certification': 'Officiel', 'parameters': {'github::stable::version': 'a'}}}}
    found = assessment.assess(facts, KNOWN, '4.5.3', now=facts['os']['time']['epoch'], market=market).findings
    assert [(each['severity'], each['subject']) for each in found if each['id'] == 'plugin_v4_unconfirmed'] == [(severity, 'mystery')]


def test_what_the_page_of_the_vendor_would_do_is_told_with_its_reasons(assess):
    good = look(assess, {}, 'vendor_page')[0]
    assert good['title'] == "The vendor's upgrade page would accept this box" and len(good['evidence']) == 1 and good['evidence'][0].endswith(', none')
    bad = look(assess, {**plugins({'id': 'timeline'}, {'id': 'timeline', 'row': False}), 'hardware.detected': 'miniplus'}, 'vendor_page')[0]
    assert bad['title'] == "The vendor's upgrade page would refuse this box" and bad['evidence'][1] == 'stopped by timeline, this hardware'
    assert look(assess, at('4.1.28'), 'vendor_page') == []


@pytest.mark.parametrize('check_id, changes', [
    ('plugin_removed_api', {'removed_api': [{'name': 'a', 'file': 'x'}]}), ('plugin_python2', {'python2': ['a.py']}),
    ('plugin_pinned', {'do_not_update': True}), ('plugin_folder_missing', {'row': True, 'folder': False}), ('plugin_old_format', {'info': 'xml'}),
    ('plugin_not_from_market', {'source': 'file'}),
    ('serial_ports', {'ports': [{'key': 'a', 'value': '/dev/ttyUSB0'}]})])
def test_a_finding_about_a_plugin_names_it(assess, check_id, changes):
    assert [item['subject'] for item in look(assess, plugins(changes), check_id)] == ['virtual']
