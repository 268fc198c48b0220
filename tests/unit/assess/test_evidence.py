# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""At which border a check speaks, how grave it is there, and what it shows: system, room, database, backups."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge

from .conftest import HEALTHY, NOW, put

KNOWN = knowledge.load()
MB = 1_000_000
V44 = {'core.version_file': '4.4.20', 'core.version_db': '4.4.20'}


def capped(*items):
    """A capped list of the facts."""
    return {'count': len(items), 'items': list(items)}


def changed(changes):
    """The healthy facts with changes."""
    facts = copy.deepcopy(HEALTHY)
    for path, value in changes.items():
        put(facts, path, value)
    return facts


def told(assess, changes, check_id, **options):
    """The findings of an id, as (severity, subject, title, evidence)."""
    found = assess(changed(changes), options.pop('target', '4.5.3'), **options).findings
    assert not [item for item in found if item['id'] == 'check_failed'], found
    return [(item['severity'], item['subject'], item['title'], item['evidence']) for item in found if item['id'] == check_id]


def own(name, **values):
    """storage.paths with one path on a file system of its own."""
    return {f'storage.paths.{name}.mount': f'/{name}', **{f'storage.paths.{name}.{key}': value for key, value in values.items()}}


# (changes, id, evidence when it is found, severity when it is not the only one)
SHOWN = [
    # system
    ({'os.id': 'ubuntu', 'os.debian_version': None}, 'not_debian', ['ID in /etc/os-release: ubuntu', '/etc/debian_version: unknown']),
    ({'os.id': 'Raspbian'}, 'not_debian', None), ({'os.id': None}, 'not_debian', None),
    ({'php.cli.runs': False, 'php.cli.version': None, 'php.apache.versions': []}, 'php_does_not_run', ['command line: none', 'Apache: none']),
    ({'php.apache.versions': ['7.3', '7.4'], 'php.apache.fpm': ['8.2']}, 'php_versions_differ', ['command line: 7.4.33', 'Apache: 7.3, 7.4, 8.2']),
    ({'php.apache.versions': ['7.4', 'none']}, 'php_versions_differ', None),
    ({'os.apt.audit': capped('half configured: x')}, 'apt_broken', ['half configured: x'], 'warning'),
    ({'os.apt.candidates': {'php-mbstring': False}}, 'apt_broken', None),
    ({'os.apt.dead_sources': capped({'uri': 'http://a', 'suite': 'buster', 'file': 'x.list'}, {'uri': 'http://b', 'file': 'y.list'})}, 'apt_dead_sources',
     ['http://a buster in x.list', 'http://b in y.list']),
    ({'hardware.rpi_generation': 2, 'hardware.model': 'Raspberry Pi 2 Model B'}, 'hardware_unsupported', ['Raspberry Pi 2: Raspberry Pi 2 Model B']),
    ({'hardware.rpi_generation': 1, 'os.bits': 32, 'os.architecture': None}, 'hardware_unsupported',
     ['the system is 32-bit', 'Raspberry Pi 1: unknown model']),
    ({'hardware.rpi_generation': 3}, 'hardware_unsupported', None), ({'os.bits': 64}, 'hardware_unsupported', None),
    ({'os.container': 'docker-ce'}, 'hardware_container', ['diy by nothing else fits']), ({'os.container': 'lxc'}, 'hardware_container', None),
    ({'hardware.detected': 'docker', 'hardware.detected_by': None}, 'hardware_container', ['docker by unknown']),
    ({'hardware.detected': 'rpi', 'hardware.config_name': 'RPI4'}, 'hardware_name_differs', None),
    ({'hardware.detected': 'rpi', 'hardware.config_name': 'smart'}, 'hardware_name_differs', ['rpi by nothing else fits', 'config.hardware_name: smart']),
    ({'hardware.detected': 'atlas', 'hardware.config_name': 'rpi4'}, 'hardware_name_differs', ['atlas by nothing else fits', 'config.hardware_name: rpi4']),
    ({'hardware.config_name': 'DIY'}, 'hardware_name_differs', None), ({'hardware.config_name': None}, 'hardware_name_differs', None),
    ({'os.debian_major': 9}, 'ask_site_access', ['asked of the operator']), ({'os.debian_major': None}, 'ask_site_access', None),
    ({'hardware.detected': 'smart', 'os.debian_major': 11}, 'smart_needs_visit', None),
    ({'hardware.memory': {'total': 2000 * MB, 'available': 300 * MB, 'swap_total': 0}}, 'memory_low', None),
    ({'hardware.memory': {'total': 2000 * MB, 'available': 299 * MB}}, 'memory_low', ['299 MB of 2.0 GB available, swap 0 MB']),
    ({'hardware.memory': {'total': 1000 * MB, 'available': 900 * MB, 'swap_total': 899 * MB}}, 'memory_low', ['900 MB of 1.0 GB available, swap 899 MB']),
    ({'hardware.memory': {'total': 1000 * MB, 'available': 900 * MB, 'swap_total': 900 * MB}}, 'memory_low', None),
    ({'hardware.memory': {'total': 1000 * MB}}, 'memory_low', None), ({'hardware.oom_kills': 0}, 'oom_kills', None),
    ({'os.time.epoch': NOW - 300}, 'clock_off', None), ({'os.time.epoch': NOW + 301}, 'clock_off', None, 'warning'),
    ({'os.time.epoch': NOW - 86400}, 'clock_off', None, 'warning'), ({'os.time.epoch': NOW + 86401}, 'clock_off', None, 'blocker'),
    ({'os.time.ntp_synchronized': False}, 'clock_not_synchronized', None),
    ({'os.time.ntp_synchronized': False, 'os.time.ntp_service': ''}, 'clock_not_synchronized', ['no active time service']),
    ({'access.private_tmp': True}, 'apache_private_tmp', ['PrivateTmp=yes of apache2']),
    # database
    ({'database.reachable': False}, 'database_unreachable', ['credentials read by php']), ({'database.reachable': None}, 'database_unreachable', None),
    ({'database.reachable': False, 'database.credentials': None}, 'database_unreachable', ['credentials read by nobody']),
    ({'database.flavour': 'mysql', 'database.version': None}, 'database_is_mysql', ['mysql unknown']),
    ({'database.flavour': 'MariaDB'}, 'database_is_mysql', None),
    ({'database.check': {'ok': False, 'problems': capped('a', 'b')}}, 'database_damaged', ['a', 'b']),
    ({'database.check': {'ok': True, 'problems': capped()}}, 'database_damaged', None),
    ({'database.unreadable': capped('c')}, 'database_damaged', ['c']),
    # CHECK TABLE tells them all.
    ({'database.unreadable': capped('c'), 'database.check': {'ok': False, 'problems': capped('a', 'c')}}, 'database_damaged', ['a', 'c']),
    ({'database.unreadable': None}, 'database_damaged', None),
    ({'database.credentials.name': 'jeedom', 'database.foreign_keys': 3}, 'database_foreign_keys', None),
    ({'database.credentials.name': 'domo', 'database.foreign_keys': 0}, 'database_foreign_keys', None),
    ({'database.credentials.name': 'domo', 'database.foreign_keys': 3, 'database.foreign_key_names': capped('fk_a')}, 'database_foreign_keys', ['fk_a']),
    ({**V44, 'database.credentials.name': 'domo', 'database.foreign_keys': 3}, 'database_foreign_keys', None),
    ({**V44, 'database.credentials.password_safe': False}, 'database_password', None),
    ({'core.version_file': '4.4.1', 'core.version_db': '4.4.1', 'database.credentials.password_safe': False}, 'database_password',
     ['characters beside A-Z a-z 0-9 _ . -']),
    ({'database.columns': {'cmd': ['id', 'mine', 'x' * 200], 'not_of_jeedom': ['y']}}, 'database_extra_columns', ['cmd.mine', 'cmd.' + 'x' * 63 + '…']),
    ({**V44, 'database.columns': {'cmd': ['mine']}}, 'database_extra_columns', None),
    ({'database.long_config_keys': capped('k' * 130, 'l' * 500)}, 'config_keys_long', ['k' * 130, 'l' * 159 + '…']),
    ({'database.size': 1e9}, 'database_large', None),
    ({'database.size': 1.1e9, 'history.largest': [{'name': 'Salon', 'rows': 9}, {'cmd_id': 7, 'rows': 5}]}, 'database_large', ['Salon: 9 rows', '7: 5 rows']),
    # storage
    ({'storage.io_errors': capped('sda: I/O error')}, 'storage_errors', ['sda: I/O error']),
    ({'storage.media': [{'device': 'mmcblk0', 'kind': 'mmc'}, {'device': 'sda', 'kind': 'ssd'}],
      'database.settings.innodb_flush_log_at_trx_commit': '2'}, 'slow_storage', ['mmcblk0: mmc', 'innodb_flush_log_at_trx_commit = 2']),
    ({'storage.media': [{'device': 'mmcblk0', 'kind': 'mmc'}], 'database.settings': None}, 'slow_storage',
     ['mmcblk0: mmc', 'innodb_flush_log_at_trx_commit = unknown']),
    ({'storage.media': [{'device': 'sda', 'kind': 'ssd'}]}, 'slow_storage', None),
    # backups
    ({'backups.blind_spots': capped({'path': 'data/log', 'size': 5e6}, {'path': 'x/tmp'})}, 'backup_blind_spots',
     ['data/log (5 MB)', 'x/tmp (an unknown size)']),
    ({'backups.record_dir': '/mnt/cam'}, 'backup_records', ['recordDir = /mnt/cam']),
    ({'backups.keep_days': 7}, 'backup_retention', None), ({'backups.keep_days': None, 'backups.max_size_mb': 1}, 'backup_retention', None),
    ({'backups.keep_days': 6}, 'backup_retention', ['keepDays 6, maxSize 5000 MB, newest archive 22 MB'], 'info'),
    ({'backups.keep_days': 0, 'backups.max_size_mb': None}, 'backup_retention', ['keepDays 0, maxSize 0 MB, newest archive 22 MB'], 'info'),
    ({'backups.keep_days': -1}, 'backup_retention', ['keepDays -1, maxSize 5000 MB, newest archive 22 MB'], 'warning'),
    ({'backups.max_size_mb': 44}, 'backup_retention', None),
    ({'backups.max_size_mb': 43}, 'backup_retention', ['keepDays 30, maxSize 43 MB, newest archive 22 MB'], 'warning'),
    ({'backups.max_size_mb': 1, 'backups.archives': capped()}, 'backup_retention', None),
    ({'backups.max_size_mb': 1, 'backups.archives': capped({'name': 'x'})}, 'backup_retention', None),
    ({'backups.samba': {'enabled': True, 'cloud_upload': False}}, 'backup_samba', None),
    ({'backups.samba': {'enabled': False, 'cloud_upload': True}}, 'backup_samba', None),
    ({'backups.samba': {'enabled': True, 'cloud_upload': True}}, 'backup_samba', ['samba::enable and samba::cloudUpload are 1']),
    ({'backups.cloud': {'upload': True, 'password_set': True, 'confirmation_matches': True}}, 'backup_cloud', None),
    ({'backups.cloud': {'upload': True, 'password_set': False, 'confirmation_matches': False}}, 'backup_cloud', None),
    ({'backups.cloud': {'upload': False, 'password_set': True, 'confirmation_matches': False}}, 'backup_cloud', None),
    ({'backups.cloud': {'upload': True, 'password_set': True, 'confirmation_matches': False}}, 'backup_cloud',
     ['market::cloudUpload is 1, the confirmation of the password is missing']),
    # rights
    ({'access.sudo': False, 'web_user': None}, 'sudo_missing', ['sudo -n as www-data is refused']),
    ({'access.ownership': {'foreign': 1, 'examples': ['log/http.error']}}, 'foreign_files', None),
    ({'access.ownership': {'foreign': 2, 'examples': ['log/http.error']}}, 'foreign_files', ['log/http.error']),
    ({'access.ownership': {'foreign': 1, 'examples': ['data/x']}}, 'foreign_files', ['data/x']),
]


@pytest.mark.parametrize('row', SHOWN, ids=lambda row: f'{row[1]}: {", ".join(row[0])}'[:80])
def test_a_check_speaks_at_its_border_and_shows_what_it_saw(row, assess):
    changes, check_id, evidence, *severity = row
    found = told(assess, changes, check_id)
    if evidence is None and not severity:
        assert found == []
        return
    assert len(found) == 1
    assert evidence is None or found[0][3] == evidence
    assert not severity or found[0][0] == severity[0]


# -- PHP's extensions

def extensions(*lacking, apache=()):
    """The fixture's extensions without these, on the command line and in Apache."""
    php = HEALTHY['php']
    return {'php.cli.extensions': [name for name in php['cli']['extensions'] if name not in lacking],
            'php.apache.extensions': [name for name in php['apache']['extensions'] if name not in apache]}


def test_missing_extensions_are_told_by_their_weight_with_their_packages(assess):
    entries = KNOWN.section('php_extensions')
    levels = {level: [entry for entry in entries.values() if entry['level'] == level and entry['id'] in HEALTHY['php']['cli']['extensions']]
              for level in ('blocker', 'warning')}
    lacking = [entry['id'] for level in levels.values() for entry in level]
    changes = extensions(*lacking)
    for level, check_id in (('blocker', 'php_extension_missing'), ('warning', 'php_extension_advised')):
        found = [item for item in told(assess, changes, check_id) if item[0] == level]
        assert [item[3] for item in found] == [[f'{entry["id"]}: package {entry["package"]}' for entry in levels[level]]]
        assert all(entry['id'] in found[0][2] for entry in levels[level][:12])


def test_an_extension_counts_under_any_of_its_names_and_in_apache_as_well(assess):
    builtin = next(entry['id'] for entry in KNOWN.section('php_extensions').values() if entry.get('builtin') and entry['level'] == 'blocker')
    for entry in KNOWN.section('php_extensions').values():
        for alias in entry.get('aliases', ()):
            changes = extensions(entry['id'])
            changes['php.cli.extensions'].append(alias.upper())
            changes['php.apache.extensions'].append(alias)
            assert not [item for check_id in ('php_extension_missing', 'php_extension_advised') for item in told(assess, changes, check_id)
                        if entry['id'] in item[2]]
    assert [item[3] for item in told(assess, extensions(apache=['mbstring']), 'php_extension_missing')] == [['mbstring: package php-mbstring']]
    assert told(assess, extensions(apache=[builtin, 'soap']), 'php_extension_missing') == []
    assert told(assess, {'php.cli.extensions': []}, 'php_extension_missing') == [], 'what is not known is not missing'
    assert told(assess, dict(extensions(), **{'php.apache.extensions': []}), 'php_extension_missing') == []


def test_a_package_that_no_source_has_stops_the_box_when_it_is_needed(assess):
    changes = {'os.apt.candidates': {'php-mbstring': False, 'php-soap': True}}
    assert told(assess, {**changes, **extensions('mbstring')}, 'apt_broken')[0][::3] == ('blocker', ['php-mbstring: no candidate'])
    assert told(assess, {**changes, **extensions('mbstring'), 'os.apt.audit': capped('x')}, 'apt_broken')[0][::3] == (
        'blocker', ['x', 'php-mbstring: no candidate'])
    assert told(assess, {**changes, 'os.apt.audit': capped('x')}, 'apt_broken')[0][0] == 'warning'


# -- the network

def test_hosts_that_cannot_be_reached_stop_only_where_composer_needs_them(assess):
    lost = {'network': {'urls': {f'https://{name}': {'ok': name == 'good'} for name in ('packagist.org', 'b', 'c', 'd', 'good')}}}
    severity, _subject, title, evidence = told(assess, lost, 'download_unreachable')[0]
    assert severity == 'warning' and len(evidence) == 4 and 'https://packagist.org, https://b, https://c and 1 more' in title
    newer = {**V44, 'php.cli.version': '8.2.1', 'php.apache.versions': ['8.2']}
    assert told(assess, {**lost, **newer}, 'download_unreachable')[0][0] == 'blocker'
    assert told(assess, {**newer, 'network': {'urls': {'https://b': {'ok': False}}}}, 'download_unreachable')[0][0] == 'warning'
    assert told(assess, newer, 'composer_needed')[0][3] == ['4.5.3 on PHP 8.2']
    assert told(assess, {}, 'composer_needed') == []


# -- room

def test_room_is_told_for_each_file_system_with_what_goes_there(assess):
    unpacked = max(KNOWN.version(name)['unpacked_mb'] for name in ('4.0.63', '4.1.28', '4.4.20', '4.5.3'))
    dump = HEALTHY['database']['size'] / MB
    need = unpacked + dump + 50
    found = told(assess, own('web_root', free=(need - 1) * MB, total=0), 'disk_space')
    assert [item[:2] for item in found] == [('blocker', '/web_root')] and found[0][3] == [f'the new core: {unpacked} MB', f'the dump: {dump:.0f} MB']
    assert told(assess, own('web_root', free=need * MB, total=0), 'disk_space') == []
    assert told(assess, own('web_root', free=None), 'disk_space') == []


def test_room_for_the_rollback_point_is_wished_and_not_needed(assess):
    staged = sum(KNOWN.version(name)['zip_mb'] for name in ('4.0.63', '4.1.28', '4.4.20', '4.5.3'))
    more = (HEALTHY['storage']['tree']['size'] + HEALTHY['database']['size']) / MB
    severity, subject, title, evidence = told(assess, own('state', free=(staged + 50) * MB, total=0), 'disk_space')[0]
    assert f'{staged + 50} MB' in title and f'{staged + 50 + more:.0f} MB' in title
    assert (severity, subject) == ('warning', '/state') and evidence[0] == f'staged zips: {staged} MB' and 'rollback point' in evidence[1]
    assert told(assess, own('state', free=(staged + 49) * MB, total=0), 'disk_space')[0][0] == 'blocker'
    assert told(assess, own('state', free=int((staged + 51 + more) * MB), total=0), 'disk_space') == []


@pytest.mark.parametrize('free, found', [(10_000, False), (9_999, True)])
def test_a_disk_is_nearly_full_when_less_than_a_tenth_is_free(assess, free, found):
    seen = told(assess, own('database', free=free * MB, total=100_000 * MB), 'disk_nearly_full')
    assert bool(seen) is found
    if found:
        assert seen == [('warning', '/database', '/database is 90 % full', ['10.0 GB free of 100.0 GB for database'])]
    assert told(assess, {'storage.paths.tmp.total': 90_000 * MB, 'storage.paths.jeedom_tmp.total': 90_000 * MB}, 'disk_nearly_full') == []


def test_inside_our_own_transaction_room_and_inodes_stop_nothing(assess):
    inside = {'activity.transaction': {'open': True}}
    assert told(assess, {**inside, **own('web_root', free=1, total=0, inodes_free=1)}, 'disk_space') == []
    assert told(assess, {**inside, **own('web_root', free=1, total=0, inodes_free=1)}, 'inodes_short') == []


def test_inodes_are_needed_where_a_core_is_unpacked(assess):
    files = max(KNOWN.version(name)['files'] for name in ('4.0.63', '4.1.28', '4.4.20', '4.5.3'))
    for name, need in (('tmp', files + 500), ('web_root', files + 500), ('database', 500)):
        apart = {'storage.paths.jeedom_tmp.mount': '/'}
        assert told(assess, {**apart, **own(name, inodes_free=need)}, 'inodes_short') == []
        found = told(assess, {**apart, **own(name, inodes_free=need - 1)}, 'inodes_short')
        assert [item[1::2] for item in found] == [(f'/{name}', [f'{need - 1} free for {name}'])]


def test_a_file_system_that_takes_no_writes_is_named(assess):
    assert told(assess, own('backup', read_only=True, device=None), 'read_only') == [
        ('blocker', '/backup', told(assess, own('backup', read_only=True), 'read_only')[0][2], ['backup on an unknown device'])]
    assert told(assess, own('backup', read_only=True), 'read_only')[0][3] == ['backup on /dev/sda1']


# -- obstacles

def test_what_a_box_can_reach_as_it_is_is_offered(assess):
    stuck = {'os.debian_major': 10, 'php.cli.version': '7.3.31', 'php.apache.versions': ['7.3']}
    found = next(item for item in assess(changed(stuck)).findings if item['id'] == 'debian_too_old')
    assert 'This box can go to 4.4.20 as it is (jeedom_target_version). ' in found['advice'] and found['fix'] == 'jeedom_target_version: 4.4.20'
    lost = next(item for item in assess(changed({'os.debian_major': 8})).findings if item['id'] == 'debian_too_old')
    entry = KNOWN.entry('checks', 'debian_too_old')
    assert lost['advice'] == entry['advice'].format(choice='').strip() and lost['fix'] == 'a fresh Debian'
