# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""At which border a check speaks, how grave it is there, and what it shows: core, engine, plugins, what is the user's own."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge

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


@pytest.mark.parametrize('row', SHOWN, ids=lambda row: f'{row[1]}: {", ".join(row[0])}'[:80])
def test_a_check_speaks_at_its_border_and_shows_what_it_saw(row, assess):
    changes, check_id, evidence, *severity = row
    facts = copy.deepcopy(HEALTHY)
    for path, value in changes.items():
        put(facts, path, value)
    found = assess(facts).findings
    assert not [item for item in found if item['id'] == 'check_failed'], found
    found = [item for item in found if item['id'] == check_id]
    assert len(found) == (evidence is not None)
    if found:
        assert evidence is True or found[0]['evidence'] == evidence
        assert not severity or found[0]['severity'] == severity[0]
