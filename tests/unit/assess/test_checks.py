# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check, on a box that has the problem and on one that has not."""

from __future__ import annotations

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge

from .conftest import HEALTHY, NOW, put

KNOWN = knowledge.load()
# What a healthy V3 box is told all the same.
ALWAYS = {'vendor_page', 'date_limit_ahead', 'backup_not_proved', 'plugin_inventory', 'market_offline', 'ask_api_consumers', 'ask_ssh_password'}


def capped(*items):
    """A capped list of the facts."""
    return {'count': len(items), 'items': list(items)}


def plugin(**values):
    """The fixture's plugin, changed."""
    return dict(HEALTHY['plugins']['items'][0], **values)


def market(**answers):
    """A market that was asked."""
    return {'online': True, 'reason': None, 'plugins': answers}


def answer(**values):
    """What the market says of a plugin it confirms for V4."""
    return dict({'id': 1, 'name': 'X', 'certification': 'Officiel', 'hardwareCompatibility': {'v4': '1'}, 'parameters': {'github::stable::version': 'a'}},
                **values)


def sized(name, **values):
    """storage.paths with one path changed and on a file system of its own."""
    return {f'storage.paths.{name}.mount': f'/{name}', **{f'storage.paths.{name}.{key}': value for key, value in values.items()}}


# id: (changes to the facts, options of assess, words that title, evidence, advice or fix must hold, severity when it is not the worst)
BROKEN = {
    'no_jeedom': ({'core.version_file': None}, {}, ['jeedom_web_root']),
    'core_version_mismatch': ({'core.version_db': '4.0.4', 'core.half_updated': True, 'core.half_update_signs': ['version_mismatch']}, {},
                              ['3.3.60', '4.0.4']),
    'half_migrated': ({'core.version_file': '4.4.12', 'core.version_db': '4.4.12', 'core.half_updated': True, 'engine.enable_cron': False,
                       'core.half_update_signs': ['update_row_behind', 'engine_off', 'no_end_marker']}, {},
                      ['4.4.12', 'one-click', 'second update', 'rollback']),
    'transaction_open': ({'activity.transaction': {'open': True, 'step': 'upgrade', 'from_version': '3.3.60', 'run_id': 'r1'}}, {},
                         ['upgrade', 'r1', '3.3.60']),
    'core_old_v3': ({'core.version_file': '3.3.39', 'core.version_db': '3.3.39'}, {}, ['3.3.39']),
    'core_newer_than_target': ({'core.version_file': '4.5.3', 'core.version_db': '4.5.3'}, {'target': '4.1.28'}, ['4.5.3', '4.1.28']),
    'unknown_target': ({}, {'target': '4.5.9'}, ['4.5.9', '4.5.3']),
    'no_route': ({'core.version_file': '3.1.7', 'core.version_db': '3.1.7'}, {}, ['3.1.7']),
    'target_not_resting': ({}, {'target': '4.4.20'}, ['4.4.20', 'date_limit']),
    'update_branch_set': ({'core.branch': 'beta'}, {}, ['beta']),
    'core_update_exposed': ({'core.allow_core': True}, {}, ['freeze', 'master']),
    'update_source': ({'core.provider': 'github', 'core.provider_settings': {'github::core::user': 'me'}}, {}, ['github', 'me']),
    'debian_too_old': ({'os.debian_major': 10, 'os.debian_version': '10.13'}, {}, ['Debian 10', 'Debian 11', '4.4.20']),
    'debian_unsupported': ({'os.debian_major': 10}, {'target': '4.4.20'}, ['Debian 10']),
    'debian_not_documented': ({'os.debian_major': 10}, {'target': '4.4.20'}, ['Debian 11', 'Debian 10']),
    'not_debian': ({'os.id': 'ubuntu', 'os.pretty_name': 'Ubuntu 20.04'}, {}, ['Ubuntu 20.04']),
    'php_does_not_run': ({'php.cli.runs': False, 'php.cli.version': None, 'php.cli.warnings': ['libxml.so is missing']}, {}, ['libxml.so']),
    'php_too_old': ({'php.cli.version': '7.0.33', 'php.apache.versions': ['7.0']}, {}, ['7.0', '7.4']),
    'php_too_new': ({'php.cli.version': '8.2.1', 'php.apache.versions': ['8.2']}, {}, ['8.2', '7.4']),
    'php_versions_differ': ({'php.apache.versions': ['7.3']}, {'target': '4.4.20'}, ['7.4', '7.3']),
    'php_extension_missing': ({'php.cli.extensions': [name for name in HEALTHY['php']['cli']['extensions'] if name != 'mbstring']}, {},
                              ['mbstring', 'php-mbstring']),
    'php_extension_advised': ({'php.cli.extensions': [name for name in HEALTHY['php']['cli']['extensions'] if name != 'soap']}, {}, ['soap']),
    'apt_broken': ({'os.apt.audit': capped('The following packages are only half configured')}, {}, ['half configured'], 'warning'),
    'apt_locked': ({'os.apt.locked': True}, {}, ['apt']),
    'apt_dead_sources': ({'os.apt.dead_sources': capped({'file': 'sources.list', 'uri': 'http://repo.jeedom.com', 'suite': 'stretch'})}, {},
                         ['repo.jeedom.com']),
    'hardware_without_v4': ({'hardware.detected': 'miniplus', 'hardware.config_name': 'miniplus'}, {}, ['Mini+']),
    'hardware_unsupported': ({'os.bits': 32, 'os.architecture': 'armhf'}, {}, ['armhf', '32-bit']),
    'hardware_container': ({'hardware.detected': 'docker', 'os.container': 'docker'}, {}, ['docker']),
    'hardware_name_differs': ({'hardware.config_name': 'smart'}, {}, ['smart']),
    'smart_needs_visit': ({'hardware.detected': 'smart', 'hardware.config_name': 'smart', 'os.debian_major': 10}, {'target': '4.4.20'}, ['4.4.20', 'eMMC']),
    'ask_site_access': ({'hardware.detected': 'smart', 'os.debian_major': 10}, {'target': '4.4.20'}, ['go to this box']),
    'reimage_pending': ({'hardware.reimage_files': ['/var/www/html/install/update/JeedomSystemUpdate.img.gz']}, {}, ['JeedomSystemUpdate']),
    'disk_space': (sized('web_root', free=90_000_000), {}, ['/web_root', '90 MB']),
    'disk_nearly_full': (sized('web_root', free=2_000_000_000, total=100_000_000_000), {}, ['98 %']),
    'tmp_space': ({'storage.paths.tmp.free': 100_000_000, 'storage.paths.jeedom_tmp.free': 100_000_000}, {}, ['/tmp', '100 MB', 'unpacked']),
    'inodes_short': (sized('web_root', inodes_free=900), {}, ['900']),
    'read_only': (sized('web_root', read_only=True), {}, ['/web_root']),
    'storage_errors': ({'storage.io_errors': capped('mmcblk0: I/O error, dev mmcblk0')}, {}, ['mmcblk0']),
    'memory_low': ({'hardware.memory.available': 100_000_000}, {}, ['100 MB']),
    'oom_kills': ({'hardware.oom_kills': 3}, {}, ['3']),
    'clock_off': ({'os.time.epoch': NOW - 4 * 86400}, {}, ['4.0 days']),
    'clock_not_synchronized': ({'os.time.ntp_synchronized': False, 'os.time.ntp_service': None}, {}, ['clock']),
    'date_limit_active': ({'core.version_file': '3.3.59', 'core.version_db': '3.3.59', 'core.ignore_hour_check': False}, {}, ['2023-01-01', 'ignoreHourCheck']),
    'date_limit_ahead': ({'core.ignore_hour_check': False}, {}, ['4.0.63, 4.1.28, 4.4.20']),
    'database_unreachable': ({'database.reachable': False, 'database.error': 'Access denied for user jeedom'}, {}, ['Access denied']),
    'database_too_old': ({'database.version': '10.1.48'}, {}, ['10.1.48', '10.2.3']),
    'database_is_mysql': ({'database.flavour': 'mysql', 'database.version': '5.7.30'}, {}, ['5.7.30']),
    'database_damaged': ({'database.unreadable': capped("cmd: Table 'jeedom.cmd' doesn't exist in engine")}, {}, ['in engine', 'mysqlcheck']),
    'database_foreign_keys': ({'database.credentials.name': 'domo', 'database.foreign_keys': 26}, {}, ['domo', '26']),
    'database_password': ({'database.credentials.password_safe': False}, {}, ['restore']),
    'database_extra_columns': ({'database.columns.cmd': HEALTHY['database']['columns']['cmd'] + ['mine']}, {}, ['cmd.mine']),
    'config_keys_long': ({'database.long_config_keys': capped('x' * 130)}, {}, ['127']),
    'engine_off': ({'engine.enable_cron': False}, {}, ['Crons']),
    'engine_not_started': ({'engine.cron_file.active': False}, {}, ['/etc/cron.d/jeedom']),
    'service_down': ({'engine.services.apache': False}, {}, ['apache2']),
    'jeedom_busy': ({'activity.processes.backup': [{'pid': 12, 'age': 5}]}, {}, ['A backup is running', 'pid 12']),
    'dependencies_busy': ({'activity.processes.composer': [{'pid': 12, 'age': 5}]}, {}, ['Composer']),
    'job_running': ({'activity.job': {'id': 'core-1', 'kind': 'core', 'state': 'running', 'run_id': 'r'}}, {}, ['core-1']),
    'update_unfinished': ({'activity.logs.update.unfinished': True, 'activity.logs.update.last_line': 'Moving files...'}, {}, ['Moving files']),
    'unzip_leftover': ({'core.unzip_leftover': 7}, {}, ['7']),
    'sudo_missing': ({'access.sudo': False}, {}, ['sudoers']),
    'foreign_files': ({'access.ownership': {'foreign': 3, 'examples': ['data/x']}}, {}, ['3', 'data/x']),
    'apache_private_tmp': ({'access.private_tmp': True}, {}, ['PrivateTmp']),
    'download_unreachable': ({'network': {'urls': {'https://github.com': {'ok': False}}}}, {}, ['github.com'], 'warning'),
    'composer_needed': ({'core.version_file': '4.4.20', 'php.cli.version': '8.2.1', 'php.apache.versions': ['8.2']}, {}, ['8.2', '4.5.3']),
    'backup_blind_spots': ({'backups.blind_spots': capped({'path': 'plugins/x/data/log', 'size': 5, 'why': 'log'})}, {}, ['plugins/x/data/log']),
    'backup_records': ({'backups.record_dir': '/mnt/cam'}, {}, ['/mnt/cam']),
    'backup_retention': ({'backups.max_size_mb': 30}, {}, ['30 MB']),
    'backup_samba': ({'backups.samba': {'enabled': True, 'cloud_upload': True}}, {}, ['Samba']),
    'backup_cloud': ({'backups.cloud': {'upload': True, 'password_set': True, 'confirmation_matches': False}}, {}, ['password']),
    'backup_not_proved': ({}, {'phase': 'second', 'archive': {'proved': False}}, ['proved']),
    'plugin_timeline': ({'plugins': capped(plugin(id='timeline'))}, {}, ['timeline', 'jeedom_remove_plugins: [timeline]', '20']),
    'plugin_widget': ({'plugins': capped(plugin(id='widget'))}, {}, ['widget', 'core widgets']),
    'plugin_obsolete': ({}, {'market': market(virtual=answer(certification='Obsolète'))}, ['virtual', '20 equipments']),
    'plugin_legacy': ({}, {'market': market(virtual=answer(certification='Legacy'))}, ['Legacy']),
    'plugin_no_stable': ({}, {'market': market(virtual=answer(parameters={'github::stable::version': ''}))}, ['stable']),
    'plugin_unknown': ({}, {'market': market(virtual=None)}, ['virtual', 'not known to the market']),
    'plugin_superseded': ({'plugins': capped(plugin(id='zigbee'))}, {}, ['z2m']),
    'plugin_v4_unconfirmed': ({'plugins': capped(plugin(id='mystery', v4=None))}, {}, ['mystery']),
    'plugin_python2': ({'plugins': capped(plugin(id='lifx'))}, {}, ['Python 2']),
    'plugin_removed_api': ({'plugins': capped(plugin(removed_api=[{'name': 'setEventOnly', 'file': 'core/class/x.class.php'}]))}, {}, ['setEventOnly']),
    'plugin_not_from_market': ({'plugins': capped(plugin(source='github'))}, {}, ['github']),
    'plugin_folder_missing': ({'plugins': capped(plugin(folder=False))}, {}, ['virtual']),
    'plugin_old_format': ({'plugins': capped(plugin(info='xml'))}, {}, ['info.json']),
    'plugin_pinned': ({'plugins': capped(plugin(do_not_update=True))}, {}, ['virtual']),
    'plugin_stays_old': ({'plugins': capped(plugin(id='calendar'))}, {'target': '4.1.28'}, ['4.4.9']),
    'daemons_down': ({'plugins': capped(plugin(has_daemon=True, daemon={'alive': False}))}, {}, ['virtual']),
    'serial_ports': ({'plugins': capped(plugin(ports=[{'key': 'port', 'value': '/dev/ttyUSB0'}]))}, {}, ['/dev/ttyUSB0', 'by-id']),
    'custom_widgets': ({'customisations.widgets': capped({'path': 'p', 'name': 'info.binary.mine', 'version': 'dashboard', 'commands': 3,
                                                          'patterns': ['toastr'],
                                                          'fa4': True, 'iframe': False})}, {}, ['info.binary.mine', 'toastr', 'in use: 1']),
    'core_widgets_changed': ({'customisations.core_widgets_used': {'info.binary.door': 4}}, {}, ['4', 'info.binary.door']),
    'edited_core_files': ({'customisations.core_files.different': {'core/class': [['jeedom.class.php', 5, '00000000']]}}, {}, ['core/class/jeedom.class.php']),
    'custom_css_js': ({'customisations.custom_files': capped({'path': 'desktop/custom/custom.css', 'size': 9})}, {}, ['custom.css']),
    'designs': ({'customisations.designs': capped({'id': 1, 'name': 'Plan', 'elements': 4, 'has_size': True})}, {}, ['Plan', 'Designs: 1']),
    'designs_without_size': ({'customisations.designs': capped({'id': 1, 'name': 'Plan', 'elements': 4, 'has_size': False})}, {}, ['Plan']),
    'designs_old_script': ({'customisations.designs': capped({'id': 1, 'name': 'Plan', 'elements': 4, 'has_size': True, 'old_js': 2})}, {}, ['Plan']),
    'icons_fa4': ({'customisations.fa4': {'cmd.display': 12}}, {}, ['12']),
    'themes_gone': ({'customisations.themes.users': {'famille': 'darksobre'}}, {}, ['darksobre']),
    'scenario_code': ({'customisations.scenarios': {'count': 1, 'active': 1, 'items': [{'id': 4, 'name': 'Nuit', 'patterns': ['trigger']}]}}, {},
                      ['Nuit', 'trigger()']),
    'code_files': ({'customisations.code_files': capped({'path': 'data/php/user.function.class.php', 'patterns': ['getInterface']})}, {}, ['user.function']),
    'htaccess_edited': ({'customisations.htaccess.sha256': '0' * 64}, {}, ['.htaccess_custom']),
    'timeline_file': ({'customisations.timeline_json': 900}, {}, ['timeline']),
    'syslog_forwarding': ({'customisations.syslog_forwarding': True}, {}, ['syslog']),
    'api_keys_rotate': ({'access.users': capped({'login': 'admin', 'profile': 'admin', 'keeps_key': False, 'api_key': True})}, {},
                        ['admin', 'doNotRotateHash']),
    'api_keys_core_only': ({'customisations.old_api_calls': capped({'where': 'cmd 12', 'text': 'jeeApi.php?type=virtual'})}, {}, ['cmd 12']),
    'api_limited_users': ({'access.users': capped({'login': 'famille', 'profile': 'user', 'api_key': True})}, {}, ['famille']),
    'listening_port': ({'access.listen': [8080]}, {}, ['8080']),
    'default_password': ({'access.users': capped({'login': 'admin', 'profile': 'admin', 'default_password': True, 'keeps_key': True})}, {}, ['admin']),
    'market_link': ({'access.market.username_set': False}, {}, ['1 plugins from the market']),
    'leaked_credentials': ({'core.leaked_credentials': True}, {}, ['/tmp/common.config.php']),
    'database_large': ({'database.size': 2_500_000_000}, {}, ['2.5 GB']),
    'slow_storage': ({'storage.media': [{'device': 'mmcblk0', 'kind': 'mmc'}]}, {}, ['mmcblk0', '9900']),
    'history_purge': ({'engine.history_archive.enabled': True}, {}, ['2025-01-01', '1728', 'freeze']),
    'facts_incomplete': ({'unreadable': {'database': 'no client is installed'}}, {}, ['no client']),
}
# Told to healthy boxes, too; what makes them go away.
TOLD = {
    'vendor_page': ({'core.version_file': '4.1.28', 'core.version_db': '4.1.28'}, {}),
    'plugin_inventory': ({'plugins': capped()}, {}),
    'market_offline': ({}, {'market': market(virtual=answer())}),
    'ask_api_consumers': ({}, {'phase': 'second'}),
    'ask_ssh_password': ({}, {'phase': 'second'}),
}


def changed(facts, changes):
    """The facts with all changes."""
    for path, value in changes.items():
        put(facts, path, value)
    return facts


def found(assessment, check_id):
    """The findings of one id."""
    return [finding for finding in assessment.findings if finding['id'] == check_id]


def test_the_healthy_box_is_ready(facts, assess):
    result = assess(facts)
    expected = ALWAYS - {'date_limit_ahead'}  # the flag is set on it
    assert {finding['id'] for finding in result.findings} == expected
    assert result.verdict == 'ready'
    assert [hop['version'] for hop in result.route] == ['4.0.63', '4.1.28', '4.4.20', '4.5.3']


@pytest.mark.parametrize('check_id', BROKEN)
def test_the_problem_is_found_where_it_is(check_id, facts, assess):
    changes, options, words, *rest = BROKEN[check_id]
    options = dict(options)
    target = options.pop('target', '4.5.3')
    entry = KNOWN.entry('checks', check_id)
    result = assess(changed(facts, changes), target, **options)
    assert not found(result, 'check_failed')
    hits = found(result, check_id)
    assert hits, f'{check_id} is not among {[finding["id"] for finding in result.findings]}'
    finding = hits[0]
    said = ' '.join([finding['title'], finding['advice'], finding['fix'] or '', *finding['evidence']])
    for word in words:
        assert word in said, f'{word!r} is not in {said!r}'
    worst = entry['severity'] if isinstance(entry['severity'], str) else entry['severity'][0]
    assert finding['severity'] == (rest[0] if rest else worst)
    assert (result.verdict == 'blocked') == any(item['severity'] == 'blocker' for item in result.findings)
    assert finding['title'] and finding['evidence'] and '{' not in finding['title'] and '{' not in finding['advice']


@pytest.mark.parametrize('check_id', sorted(set(BROKEN) - {'backup_not_proved'}))
def test_the_problem_is_not_found_where_it_is_not(check_id, facts, assess):
    assert not found(assess(facts), check_id)


@pytest.mark.parametrize('check_id', TOLD)
def test_what_everybody_is_told_can_go_away(check_id, facts, assess):
    changes, options = TOLD[check_id]
    assert found(assess(facts), check_id)
    assert not found(assess(changed(facts, changes), **options), check_id)


def test_every_check_is_tested():
    checks = {name for name, entry in KNOWN.section('checks').items() if not entry.get('post')}
    assert checks - {'box_unreadable', 'check_failed'} == set(BROKEN) | set(TOLD)
