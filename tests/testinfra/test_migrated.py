# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a migrated box is like, looked at with nothing of our own on the box."""

import hashlib
import json
import os
from pathlib import Path

TARGET = '4.5.3'
WEB_ROOT = '/var/www/html'
ARTIFACTS = Path(__file__).resolve().parents[2] / 'artifacts/molecule'


def sql(host, statement):
    """One statement as root through the socket."""
    done = host.run(f'sudo mysql -N -B jeedom -e "{statement}"')
    assert done.rc == 0, done.stderr
    return done.stdout.strip()


def journal(host):
    """What the controller wrote of this box."""
    name = host.backend.get_hostname()
    return json.loads((ARTIFACTS / 'journal' / f'{name}.json').read_text(encoding='utf-8')), name


def test_files_and_database_are_on_the_target(host):
    assert host.file(f'{WEB_ROOT}/core/config/version').content_string.strip() == TARGET
    assert sql(host, "SELECT value FROM config WHERE plugin='core' AND \\`key\\`='version'") == TARGET


def test_the_login_page_is_served(host):
    page = host.check_output('curl -s http://127.0.0.1/index.php?v=d')
    # a dead Jeedom answers 200, too, with 48 or 205 bytes (contract 1.4)
    assert len(page) > 5000
    assert 'login' in page.lower()


def test_the_engine_is_on(host):
    rows = sql(host, "SELECT CONCAT(\\`key\\`, value) FROM config WHERE plugin='core' AND \\`key\\` IN ('enableCron', 'enableScenario')")
    assert 'enableCron0' not in rows and 'enableScenario0' not in rows
    assert host.file('/etc/cron.d/jeedom').contains('jeeCron.php')
    assert host.service('cron').is_running


def test_the_date_limit_flag_is_as_it_was(host):
    assert sql(host, "SELECT COUNT(*) FROM config WHERE plugin='core' AND \\`key\\`='ignoreHourCheck'") == '0'


def test_the_history_purge_is_as_it_was(host):
    assert sql(host, "SELECT enable FROM cron WHERE class='history' AND \\`function\\`='archive'") == '1'


def test_no_transaction_is_left(host):
    with host.sudo():
        assert not host.file('/var/lib/jeedom-fleet/rollback').exists
        assert not host.file('/etc/systemd/system/jeedom-fleet-recover.service').exists
    assert sql(host, 'SHOW DATABASES').split().count('jeedom') == 1
    assert 'fleet' not in sql(host, 'SHOW DATABASES')


def test_the_archive_on_the_controller_is_the_one_of_its_manifest(host):
    entry, name = journal(host)
    if entry['stages'].get('fetch', {}).get('status') is None:
        assert entry['outcome'] == 'already_done'
        return
    archives = [path for path in (ARTIFACTS / 'archives' / name).glob('backup-*.tar.gz') if '.complement.' not in path.name]
    assert archives
    for path in archives:
        manifest = json.loads(Path(f'{path}.manifest.json').read_text(encoding='utf-8'))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest['sha256']
        assert path.stat().st_mode & 0o077 == 0
        assert path.stat().st_uid == os.getuid()


def test_nothing_was_lost(host):
    entry, name = journal(host)
    if entry['outcome'] == 'already_done' and 'verify' not in entry['stages']:
        return
    assert entry['stages']['verify']['result']['census_difference'] == []
