# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever breaks, and whenever: the box ends exactly where it was, and a second call ends clean.

Every test begins and ends with the same box: that it does is what is tested.
"""

from __future__ import annotations

import time

import pytest
from testbox import assert_as_before, differences, everything, present

pytestmark = pytest.mark.sandbox

# Where a restore of the rollback point is cut, in its order.
RESTORE_STEPS = ['restore_journal', 'restore_prepared', 'restore_quiet', 'restore_stopped', 'restore_files', 'swap_files_out_half',
                 'swap_files_out', 'swap_files_in_half', 'restore_tables', 'swap_tables_bare', 'swap_tables_out', 'swap_tables_renamed', 'restore_clean',
                 'restore_cleaned', 'restore_web', 'restore_started', 'restore_drop', 'drop_manifest', 'drop_schemas', 'restore_dropped']
POINT_STEPS = ['point_opened', 'point_stopped', 'point_dumped', 'point_copied', 'scratch_created', 'point_proved']


def test_a_rollback_point_is_taken_proved_again_and_dropped(rich, before):
    first = present(rich)
    assert first['rollback_point']['core_version'] and first['rollback_point']['tables'] > 2
    again = rich.call('rollback_point')
    assert again['changed'] is False and again['rollback_point'] == first['rollback_point']
    assert rich.do('around')['cron_files'] == []
    assert rich.call('rollback_point', state='absent')['changed'] is True
    assert_as_before(rich, before)
    assert rich.call('rollback_point', state='absent')['changed'] is False


@pytest.mark.parametrize('damage', [{}, {'web_gone': True}, {'database_gone': True}, {'web_gone': True, 'database_gone': True}])
def test_a_failed_hop_is_taken_back(rich, before, damage):
    present(rich)
    rich.do('harm', **damage)
    refused = rich.call('rollback_point', state='absent')
    assert refused['failed'] and refused['error_code'] == 'not_upgraded'
    result = rich.call('restore', reason='test')
    assert result.get('outcome') == 'rolled_back', result
    assert result['restored_version'] == '3.3.60' and result['verified']['problems'] == [] and result['verified']['web']['ok']
    assert_as_before(rich, before)
    again = rich.call('restore')
    assert again['changed'] is False and again['outcome'] == 'nothing_to_do'


def test_a_web_root_that_is_gone_with_its_backups_comes_back_without_them(rich, before):
    present(rich)
    rich.do('harm', root_gone=True)
    assert rich.call('restore')['outcome'] == 'rolled_back'
    # What was in the backup folder is gone for good; the folder itself is there, and closed to the web.
    assert rich.do('around')['backup'] == ['.htaccess']
    before[1].pop('backup')
    rich.sh('echo old > /var/www/html/backup/precious.tar.gz; rm -f /var/www/html/backup/.htaccess')
    assert_as_before(rich, before)


@pytest.mark.parametrize('step', RESTORE_STEPS)
def test_a_restore_killed_at_any_step_is_finished_by_the_next_call(rich, before, step):
    present(rich)
    rich.do('harm')
    rich.do('fail', at=step)
    first = rich.call('restore')
    assert first.get('died'), first
    second = rich.call('restore')
    assert second.get('outcome') in ('rolled_back', 'nothing_to_do'), second
    assert_as_before(rich, before)


@pytest.mark.parametrize('step', POINT_STEPS)
def test_taking_a_rollback_point_killed_at_any_step_starts_over(rich, before, step):
    rich.do('fail', at=step)
    assert rich.call('rollback_point').get('died')
    present(rich)
    rich.call('rollback_point', state='absent')
    assert_as_before(rich, before)


def test_a_commit_killed_half_way_is_finished(rich, before):
    for step in ('drop_manifest', 'drop_schemas', 'commit_dropped'):
        present(rich)
        rich.do('fail', at=step)
        rich.sh('python3 /root/test/on_box.py call \'{"module": "rollback_point", "state": "absent"}\'', check=False)
        assert rich.call('rollback_point', state='absent')['changed'] is True
        assert_as_before(rich, before)


def test_a_rollback_point_without_room_is_refused_and_changes_nothing(rich, before):
    rich.sh('mkdir -p /var/lib/jeedom-fleet; mount -t tmpfs -o size=30m tmpfs /var/lib/jeedom-fleet')
    try:
        result = rich.call('rollback_point', location='box')
    finally:
        rich.sh('umount /var/lib/jeedom-fleet')
    assert result['failed'] and result['error_code'] == 'no_room' and 'finds' in result['msg'], result
    assert_as_before(rich, before)


def test_a_damaged_rollback_point_is_refused(rich, before):
    present(rich)
    rich.sh('cp -a /var/www/.jeedom-fleet-html/point/core/config/version /root/kept; echo 9 > /var/www/.jeedom-fleet-html/point/core/config/version')
    result = rich.call('rollback_point')
    assert result['failed'] and result['error_code'] == 'rollback_point_damaged' and 'core/config/version' in result['msg']
    rich.do('harm')
    result = rich.call('restore')
    assert result['failed'] and result['error_code'] == 'rollback_point_damaged'
    rich.sh('cp -a /root/kept /var/www/.jeedom-fleet-html/point/core/config/version')
    assert rich.call('restore')['outcome'] == 'rolled_back'
    assert_as_before(rich, before)


def test_the_whole_way_on_the_oldest_python(rich, before):
    old = dict(python='python2.7', verb='call')
    assert rich.do(module='rollback_point', **old)['changed'] is True
    assert rich.do(module='rollback_point', **old)['changed'] is False
    rich.do('harm')
    result = rich.do(module='restore', **old)
    assert result.get('outcome') == 'rolled_back' and result['verified']['problems'] == [], result
    assert_as_before(rich, before)


@pytest.fixture
def moved(rich):
    """Put a part of the box on a small file system of its own for a test."""
    at = []

    def mount(path):
        rich.sh(f'systemctl stop apache2; mkdir -p /mnt/small; mount -t tmpfs -o size=300m,mode=775 tmpfs /mnt/small; cp -a {path}/. /mnt/small/; '
                f'mount --bind /mnt/small {path}; systemctl start apache2')
        at.append(path)

    yield mount
    rich.sh(f'systemctl stop apache2; rm -f {at[0]}/fill; mkdir -p /mnt/under; mount --bind / /mnt/under; rm -rf /mnt/under{at[0]}; '
            f'mkdir /mnt/under{at[0]}; cp -a {at[0]}/. /mnt/under{at[0]}/; umount /mnt/under; umount {at[0]}; umount /mnt/small; '
            'systemctl start apache2')


def test_a_disk_that_is_full_to_the_last_byte_does_not_stop_a_rollback(rich, moved, before):
    moved('/var/www')
    present(rich)
    rich.do('harm')
    rich.sh('dd if=/dev/zero of=/var/www/fill bs=64k 2>/dev/null; df /var/www | tail -1 | grep -q "100%"', check=True)
    result = rich.call('restore')
    assert result.get('outcome') == 'rolled_back', result
    rich.sh('rm /var/www/fill')
    assert_as_before(rich, before)


@pytest.mark.parametrize('cut', [None, 'swap_files_out', 'swap_files_in_half'])
def test_a_web_root_that_is_a_mount_point(rich, moved, before, cut):
    moved('/var/www/html')
    present(rich)
    assert '/var/www/html/.jeedom-fleet' in rich.do('around')['leftovers']
    rich.do('harm')
    rich.sh('chown -R www-data: /var/www/html; chmod -R 775 /var/www/html')
    if cut:
        rich.do('fail', at=cut)
        assert rich.call('restore').get('died')
    assert rich.call('restore').get('outcome') == 'rolled_back'
    assert_as_before(rich, before)


# -- archives


@pytest.mark.parametrize('damage', [{}, {'web_gone': True, 'database_gone': True}])
def test_an_archive_with_its_complement_is_the_whole_box(rich, archived, damage):
    files = archived()
    before = everything(rich)
    rich.sh('echo later > /var/www/html/data/later; echo 9 > /var/www/html/core/config/version')
    if damage:
        # The charset of a schema that is gone is in no dump; only that of its tables.
        before[0]['tables'].pop('(others)')
        rich.sh('find /var/www/html -mindepth 1 -maxdepth 1 ! -name backup -exec rm -rf {} +; mysql -e "DROP DATABASE jeedom"')
    result = rich.call('restore', source='archive', **files)
    assert result.get('outcome') == 'restored' and result['verified']['problems'] == [], result
    after = everything(rich)
    if damage:
        after[0]['tables'].pop('(others)')
    assert differences(after, before) == []
    assert not rich.sh('ls -A /var/lib/jeedom-fleet/staging').strip()


def test_an_archive_that_is_restored_already_is_left_alone(rich, archived):
    files = archived()
    rich.sh('cp -a /var/lib/jeedom-fleet/staging/push /root/push')
    assert rich.call('restore', source='archive', **files)['outcome'] == 'restored'
    rich.sh('mkdir -p /var/lib/jeedom-fleet/staging; mv /root/push /var/lib/jeedom-fleet/staging/push')
    assert rich.call('restore', source='archive', **files)['changed'] is False
    assert rich.call('restore', source='archive', force=True, **files)['outcome'] == 'restored'


@pytest.mark.parametrize('step', ['archive_extracted', 'scratch_created', 'restore_quiet', 'swap_files_out', 'swap_tables_bare',
                                  'swap_tables_out', 'swap_tables_renamed', 'restore_web', 'restore_started', 'drop_schemas'])
def test_a_restore_of_an_archive_killed_at_any_step_is_finished_by_the_next_call(rich, archived, step):
    files = archived()
    before = everything(rich)
    rich.sh('echo later > /var/www/html/data/later')
    rich.do('fail', at=step)
    assert rich.call('restore', source='archive', **files).get('died')
    result = rich.call('restore', source='archive', **files)
    assert result.get('outcome') == 'restored', result
    assert differences(everything(rich), before) == []


REFUSED = {
    'dump cut inside a valid gzip': ({'change': 'head -c -3000 DB_backup.sql > x; mv x DB_backup.sql'}, 'dump_cut'),
    'rows missing': ({'change': "sed -i '/INSERT INTO `config`/d' DB_backup.sql"}, 'dump_not_proved'),
    'no dump': ({'change': 'rm DB_backup.sql'}, 'not_proved'),
    'archive cut': ({'cut': 60}, 'not_proved'),
    'archive cut, manifest made of it': ({'cut': 60, 'rehash': True}, 'archive_damaged'),
    'not proved': ({'claims': {'proved': False}}, 'not_proved'),
    'another host': ({'claims': {'host': 'elsewhere'}}, 'foreign_host'),
    'another version than it says': ({'claims': {'core_version': '4.5.3'}}, 'not_proved'),
}


@pytest.mark.parametrize('how', sorted(REFUSED))
def test_what_is_refused_leaves_the_box_as_it_is(rich, archived, how):
    change, code = REFUSED[how]
    files = archived(**change)
    before = everything(rich)
    result = rich.call('restore', source='archive', **files)
    assert result.get('failed') and result['error_code'] == code, result
    assert differences(everything(rich), before) == []
    assert rich.do('around')['leftovers'] == [files['archive'].rsplit('/', 1)[0]]


@pytest.mark.parametrize(('php', 'claimed'), [('8.2.7', '3.3.60'), ('7.0.33', '4.5.3')], ids=['V3 on PHP 8', 'newer than PHP'])
def test_an_archive_that_this_box_cannot_run_is_refused(rich, archived, php, claimed):
    files = archived(claims={'core_version': claimed}, change=f'echo {claimed} > core/config/version')
    before = everything(rich)
    rich.do('strike', program='php', when='PHP_VERSION', how='instead', action=f'printf {php}', times=9)
    result = rich.call('restore', source='archive', **files)
    assert rich.do('calm')['struck'] and result.get('failed') and result['error_code'] == 'core_cannot_run' and php in result['msg'], result
    assert differences(everything(rich), before) == []


def test_a_restored_jeedom_that_does_not_answer_is_undone(rich, archived):
    files = archived(change='echo > index.php')
    before = everything(rich)
    result = rich.call('restore', source='archive', **files)
    assert result.get('failed') and result['error_code'] == 'restore_not_verified' and 'given back' in result['msg'], result
    assert differences(everything(rich), before) == []


@pytest.mark.parametrize('step', ['restore_back', 'back_tables', 'back_out', 'back_files'])
def test_undoing_killed_at_any_step_is_finished_by_the_next_call(rich, archived, step):
    files = archived(change='echo > index.php')
    before = everything(rich)
    rich.do('fail', at=step)
    assert rich.call('restore', source='archive', **files).get('died')
    rich.call('restore', source='archive', **files)
    assert differences(everything(rich), before) == []


def reboot(box):
    # As everywhere in this suite no minute task of Jeedom runs, also not after the boot: it would make its cache anew.
    box.sh('systemctl disable -q --now cron; reboot', check=False)
    time.sleep(3)
    for _attempt in range(60):
        try:
            if box.sh('systemctl is-active mariadb apache2 2>/dev/null; true', check=False):
                break
        except Exception:
            time.sleep(1)
        time.sleep(1)


@pytest.mark.parametrize('cut', [None, 'swap_files_out', 'restore_tables', 'restore_quiet'])
def test_a_box_that_is_rebooted_takes_itself_back(rich, before, cut):
    present(rich)
    opened = rich.do('around')['transaction']['id']
    rich.do('harm')
    if cut:
        rich.do('fail', at=cut)
        assert rich.call('restore').get('died')
    reboot(rich)
    deadline = time.time() + 120
    last = {}
    while time.time() < deadline and not (last.get('id') == opened and last.get('recovered')):
        time.sleep(1)
        last = rich.do('last') or {}
    assert last['id'] == opened and last['outcome'] == 'rolled_back' and last['recovered'] in ('take_back', 'finish'), last
    assert_as_before(rich, before, started=False)


def test_a_box_whose_job_was_killed_while_nobody_looks_takes_itself_back(rich, before):
    present(rich)
    opened = rich.do('around')['transaction']['id']
    rich.do('harm')
    rich.do('fail', at='swap_files_out')
    assert rich.call('restore').get('died')
    assert rich.sh('systemctl is-active jeedom-fleet-watch.timer').strip() == 'active'
    # What the timer does: a job that was seen a moment ago has a controller, which decides.
    rich.sh('systemctl start jeedom-fleet-watch.service')
    assert rich.do('around')['transaction']['id'] == opened
    rich.sh('cd /var/lib/jeedom-fleet/jobs; cd "$(ls -t | head -1)"; rm -f followed; '
            'sed -i -E \'s/"(heartbeat|created)": [0-9.]+/"\\1": 1000/\' status.json job.json')
    rich.sh('systemctl start jeedom-fleet-watch.service')
    deadline = time.time() + 240
    last = {}
    while time.time() < deadline and not (last.get('id') == opened and last.get('recovered')):
        time.sleep(1)
        last = rich.do('last') or {}
    assert last['id'] == opened and last['outcome'] == 'rolled_back' and last['recovered'] == 'finish', last
    assert rich.sh('systemctl is-active jeedom-fleet-watch.timer; true').strip() == 'inactive'
    assert_as_before(rich, before)


def test_lines_in_crontabs_stand_still_while_a_migration_is_open(rich, before):
    rich.sh('echo "* * * * * www-data php /var/www/html/core/php/jeeCron.php >/dev/null" >> /etc/crontab; '
            'echo "* * * * * php /var/www/html/core/php/jeeCron.php >/dev/null" | crontab -u www-data -')
    look = 'stat -c "%a %U:%G" /etc/crontab /var/spool/cron/crontabs/www-data; sha256sum /etc/crontab; crontab -l -u www-data'
    was = rich.sh(look)
    present(rich)
    assert not rich.sh("grep -hE '^[^#].*jeeCron' /etc/crontab /var/spool/cron/crontabs/*; true")
    rich.do('harm')
    assert rich.call('restore')['outcome'] == 'rolled_back'
    assert rich.sh(look) == was
    rich.sh("sed -i '/jeeCron/d' /etc/crontab; crontab -r -u www-data")
    assert_as_before(rich, before)
