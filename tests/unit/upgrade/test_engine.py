# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine: which processes are Jeedom's, and cron files that stand aside and come back."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import engine, engine_processes, system, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

WEB = '/var/www/html'


@pytest.mark.parametrize('arguments,kind,plugin', [
    (['php', '/var/www/html/install/update.php', 'core=1'], 'update', None),
    (['php7.4', '/var/www/html/install/backup.php'], 'backup', None),
    (['/usr/bin/php', '/var/www/html/core/php/jeeCron.php', 'cron_id=4'], 'cron', None),
    (['/usr/bin/python3', '/var/www/html/plugins/zigbee/resources/daemon.py', '--apikey', 'x'], 'plugin', 'zigbee'),
    (['/var/www/html/plugins/mqtt/bin/mqttd'], 'plugin', 'mqtt'),
    (['node', '/var/www/html/plugins/mqtt/resources/d.js'], 'plugin', 'mqtt'),
    (['/bin/bash', '/var/www/html/plugins/mqtt/resources/install.sh'], 'other', 'mqtt'),
    (['php', '/var/www/html/core/php/jeeScenario.php'], 'other', None),
])
def test_jeedoms_processes_are_known(arguments, kind, plugin):
    found = engine_processes.find(WEB, [(999999, arguments)], is_program=True)
    assert [(item['kind'], item['plugin']) for item in found] == [(kind, plugin)]


@pytest.mark.parametrize('arguments', [
    ['/usr/sbin/apache2', '-k', 'start'],
    ['php-fpm: pool www'],
    ['tail', '-f', '/var/www/html/log/update'],
    ['vim', '/var/www/html/install/update.php'],
    ['sudo', '-n', '-u', 'www-data', 'php', '/var/www/html/install/update.php'],
    ['python3', '/var/lib/jeedom-fleet/jobs/core-x/code.zip', '/var/lib/jeedom-fleet/jobs/core-x'],
    ['php', '/var/www/other/install/update.php'],
    ['php', '-r', 'require "/var/www/html/core/php/core.inc.php";'],
    ['mysqldump', 'jeedom'],
])
def test_others_are_left_alone(arguments):
    assert engine_processes.find(WEB, [(999999, arguments)], is_program=True) == []


def test_no_command_line_is_told():
    found = engine_processes.find(WEB, [(999999, ['python3', WEB + '/plugins/a/d.py', '--apikey', 'secret'])], is_program=True)
    assert 'secret' not in repr(found)


@pytest.fixture
def daemon(tmp_path):
    """A plugin's daemon that does not listen to SIGTERM."""
    folder = tmp_path / 'www/plugins/lights/resources'
    folder.mkdir(parents=True)
    script = folder / 'daemon.py'
    script.write_text('import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint("up", flush=True)\ntime.sleep(60)\n')
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    process.stdout.readline()
    yield tmp_path / 'www', process
    process.kill()
    process.wait()


def test_a_deaf_daemon_is_killed_in_the_end(daemon, monkeypatch):
    root, process = daemon
    monkeypatch.setattr(engine_processes, 'TERM_GRACE', 0.5)
    assert engine_processes.daemons(str(root)) == ['lights']
    assert engine_processes.end(str(root)) == 1
    assert process.wait(60) == -signal.SIGKILL
    assert engine_processes.daemons(str(root)) == []


def until(true, seconds=60):
    """Wait for a condition; a process that Popen gave back may not show its arguments in /proc yet."""
    deadline = time.time() + seconds
    while not true():
        assert time.time() < deadline
        time.sleep(0.01)


def test_an_update_of_somebody_else_is_waited_for_then_refused(tmp_path):
    script = tmp_path / 'www/install/update.php'
    script.parent.mkdir(parents=True)
    script.write_text('read line\n')
    program = tmp_path / 'php'
    # no PHP is needed: a shell of that name reads the script as well
    shutil.copy(shutil.which('bash'), program)
    process = subprocess.Popen([str(program), str(script)], stdin=subprocess.PIPE)
    try:
        until(lambda: str(script) in system.read_text('/proc/%d/cmdline' % process.pid))
        with pytest.raises(BoxError) as caught:
            engine_processes.wait_idle(str(tmp_path / 'www'), 0)
        assert caught.value.code == 'jeedom_busy'
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def cron_dir(tmp_path, monkeypatch):
    folder = tmp_path / 'cron.d'
    folder.mkdir()
    (folder / 'jeedom').write_text('* * * * * www-data php jeeCron.php\n')
    (folder / 'jeedom').chmod(0o644)
    (folder / 'jeedom_watchdog').write_text('*/5 * * * * root php watchdog.php\n')
    (folder / 'jeedom.dpkg-old').write_text('old')
    (folder / 'php').write_text('other')
    monkeypatch.setattr(engine, 'CRON_DIR', str(folder))
    monkeypatch.setattr(engine, 'cron_active', lambda: True)
    monkeypatch.setattr(engine_processes, 'GRACE', 0)
    return folder


def test_cron_files_stand_aside_and_come_back(box, cron_dir):
    before = {path.name: (path.read_text(), path.stat().st_mode) for path in cron_dir.iterdir()}
    recorded = engine.record(box, box.fake)
    engine.stop(box)
    assert sorted(path.name for path in cron_dir.iterdir()) == ['jeedom.dpkg-old', 'php']
    assert not engine.running(box, box.fake)
    engine.stop(box)
    engine.start(box, recorded)
    assert {path.name: (path.read_text(), path.stat().st_mode) for path in cron_dir.iterdir()} == before
    assert engine.running(box, box.fake)
    assert os.listdir(engine.aside_dir()) == []


def test_stopping_writes_nothing_into_the_database(box, cron_dir):
    engine.stop(box)
    assert box.fake.rows == {}


def test_rows_are_given_back_as_recorded(box, cron_dir):
    box.fake.rows['core', 'enableScenario'] = '0'
    recorded = engine.record(box, box.fake)
    # an updater switches both off, then on
    box.fake.rows['core', 'enableCron'] = '0'
    box.fake.rows.pop(('core', 'enableScenario'))
    engine.start(box, recorded)
    assert box.fake.rows == {('core', 'enableScenario'): '0'}


def test_a_file_that_a_cut_left_in_both_places_counts_where_cron_sees_it(box, cron_dir):
    engine.stop(box)
    (cron_dir / 'jeedom').write_text('newer\n')
    engine.stop(box)
    engine.give_back_files()
    assert (cron_dir / 'jeedom').read_text() == 'newer\n'


def run_module(box, state, check_mode=False):
    return engine.run({'web_root': box.web_root, 'state': state, 'timeout': 1}, check_mode)


def test_the_module_is_idempotent_and_predicts(box, cron_dir):
    assert run_module(box, 'stopped', check_mode=True)['changed'] is True
    assert (cron_dir / 'jeedom').exists()
    assert run_module(box, 'stopped')['changed'] is True
    assert run_module(box, 'stopped')['changed'] is False
    result = run_module(box, 'running')
    assert result['changed'] is True and result['engine']['running'] is True
    assert run_module(box, 'running')['changed'] is False


def test_running_is_refused_while_a_migration_is_open(box, cron_dir):
    transaction.open(box.web_root, 'jeedom', engine.record(box, box.fake), '3.3.60')
    with pytest.raises(BoxError) as caught:
        run_module(box, 'running')
    assert caught.value.code == 'transaction_open'
    assert run_module(box, 'as_recorded')['changed'] is False


def test_running_says_when_nothing_would_start_jeedom(box, cron_dir, monkeypatch):
    (cron_dir / 'jeedom').unlink()
    with pytest.raises(BoxError) as caught:
        run_module(box, 'running')
    assert caught.value.code == 'no_cron_file'
    monkeypatch.setattr(engine, 'cron_active', lambda: False)
    with pytest.raises(BoxError) as caught:
        run_module(box, 'running')
    assert caught.value.code == 'cron_inactive'


OLD_INSTALL = (b'# m h dom mon dow user command\n17 * * * * root run-parts /etc/cron.hourly \xe9\x85\n'
               b'  * * * * * www-data /usr/bin/php /var/www/html/core/php/jeeCron.php >> /dev/null 2>&1\n'
               b'#* * * * * www-data php /var/www/html/core/php/jeeCron.php\n'
               b'*/5 * * * * root php /var/www/html/core/php/watchdog.php')


@pytest.fixture
def crontabs(tmp_path, cron_dir):
    """A very old installation: no /etc/cron.d/jeedom, lines among others in /etc/crontab and in that of the web user."""
    (cron_dir / 'jeedom').unlink()
    (cron_dir / 'jeedom_watchdog').unlink()
    (tmp_path / 'crontab').write_bytes(OLD_INSTALL)
    (tmp_path / 'crontabs').mkdir()
    (tmp_path / 'crontabs/www-data').write_bytes(b'* * * * * php /var/www/html/core/php/jeeCron.php\n')
    (tmp_path / 'crontabs/www-data').chmod(0o600)
    (tmp_path / 'crontabs/root').write_bytes(b'0 3 * * * /root/backup.sh\n')
    return tmp_path


def every(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_uid) for path in
            [folder / 'crontab', *(folder / 'crontabs').iterdir()]}


def test_lines_in_crontabs_stand_still_and_come_back_exactly(box, crontabs):
    before = every(crontabs)
    recorded = engine.record(box, box.fake)
    assert recorded['cron_files'] == [str(crontabs / 'crontab'), str(crontabs / 'crontabs/www-data')]
    assert engine.running(box, box.fake)
    for _again in range(2):
        engine.stop(box)
        assert not engine.running(box, box.fake)
        live = [line for content, _mode, _uid in every(crontabs).values() for line in content.split(b'\n') if line and not line.startswith(b'#')]
        assert live == [b'17 * * * * root run-parts /etc/cron.hourly \xe9\x85', b'0 3 * * * /root/backup.sh'], live
        assert engine.record(box, box.fake)['cron_files'] == recorded['cron_files']
    for _again in range(2):
        engine.start(box, recorded)
        assert every(crontabs) == before
    assert engine.running(box, box.fake)


def test_a_line_added_by_somebody_meanwhile_stays(box, crontabs):
    engine.stop(box)
    with open(crontabs / 'crontab', 'ab') as stream:
        stream.write(b'\n1 1 * * * root new\n')
    engine.start(box, {})
    assert (crontabs / 'crontab').read_bytes() == OLD_INSTALL + b'\n1 1 * * * root new\n'


def test_a_box_with_lines_in_a_crontab_only_can_be_started(box, crontabs):
    assert run_module(box, 'stopped')['changed'] is True
    assert run_module(box, 'stopped')['changed'] is False
    result = run_module(box, 'running')
    assert result['changed'] is True and result['engine']['running'] is True


def test_our_own_cron_file_is_not_jeedoms(box, cron_dir):
    (cron_dir / 'jeedom-fleet-recover').write_text('@reboot root python3\n')
    engine.stop(box)
    assert (cron_dir / 'jeedom-fleet-recover').exists()
