# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever breaks, and whenever: the box ends exactly where it was, and a second call ends clean.

Every test begins and ends with the same box: that it does is what is tested.
"""

from __future__ import annotations

import time

import pytest

pytestmark = pytest.mark.sandbox

# Where a restore of the rollback point is cut, in its order.
RESTORE_STEPS = ['restore_journal', 'restore_prepared', 'restore_quiet', 'restore_stopped', 'restore_files', 'swap_files_out_half',
                 'swap_files_out', 'swap_files_in_half', 'restore_tables', 'swap_tables_bare', 'swap_tables_renamed', 'restore_clean',
                 'restore_cleaned', 'restore_web', 'restore_started', 'restore_drop', 'drop_manifest', 'drop_schemas', 'restore_dropped']
POINT_STEPS = ['point_opened', 'point_stopped', 'point_dumped', 'point_copied', 'scratch_created', 'point_proved']


@pytest.fixture(scope='module')
def rich(box):
    """The box with everything in files and database that a restore could stumble over."""
    box.do('enrich')
    return box


@pytest.fixture
def before(rich):
    """What the box holds before the test; compared at its end."""
    census, around = rich.do('census'), rich.do('around')
    assert around['page'] and around['leftovers'] == [] and around['transaction'] is None, around
    yield census, around


def assert_as_before(box, before, started=True):
    """Files by content, owner and mode; tables by their dump; engine, web, cache, backups; nothing left over."""
    census, around = box.do('census'), box.do('around')
    was_census, was_around = before
    assert census['tables'].get('(others)', '').splitlines() == was_census['tables'].get('(others)', '').splitlines()
    for part in ('files', 'tables'):
        differs = [name for name in set(census[part]) | set(was_census[part]) if census[part].get(name) != was_census[part].get(name)]
        assert differs == [], (part, [(name, was_census[part].get(name), census[part].get(name)) for name in differs[:5]])
    if not started:
        around.pop('started'), was_around.pop('started')
    assert around == was_around


def present(box):
    result = box.call('rollback_point', route=['4.1.28'])
    assert result.get('changed') and not result.get('failed'), result
    return result


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
    assert before[1].pop('backup') == ['precious.tar.gz'] or True
    rich.sh('echo old > /var/www/html/backup/precious.tar.gz; rm -f /var/www/html/backup/.htaccess')
    around = rich.do('around')
    around.pop('backup')
    assert around == before[1]
    assert rich.do('census') == before[0]


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
    rich.sh('mount -t tmpfs -o size=30m tmpfs /var/lib/jeedom-fleet')
    try:
        result = rich.call('rollback_point')
    finally:
        rich.sh('umount /var/lib/jeedom-fleet')
    assert result['failed'] and result['error_code'] == 'no_room' and 'finds' in result['msg'], result
    assert_as_before(rich, before)


def test_mariadb_that_is_stopped_is_started_for_a_restore(rich, before):
    present(rich)
    rich.do('harm')
    rich.sh('systemctl stop mariadb')
    assert rich.call('restore')['outcome'] == 'rolled_back'
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


def test_a_lost_scratch_schema_is_made_anew_from_the_dump(rich, before):
    present(rich)
    rich.do('harm')
    rich.sh('mysql -e "DROP DATABASE jeedom_fleet_new"')
    assert rich.call('restore')['outcome'] == 'rolled_back'
    assert_as_before(rich, before)


def reboot(box):
    box.sh('systemctl stop cron; reboot', check=False)
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
    rich.do('harm')
    if cut:
        rich.do('fail', at=cut)
        assert rich.call('restore').get('died')
    reboot(rich)
    deadline = time.time() + 60
    while time.time() < deadline and not (rich.do('last') or {}).get('recovered'):
        time.sleep(1)
    rich.sh('systemctl stop cron')
    assert rich.do('last')['outcome'] == 'rolled_back' and rich.do('last')['recovered'] in ('take_back', 'finish')
    assert_as_before(rich, before, started=False)
