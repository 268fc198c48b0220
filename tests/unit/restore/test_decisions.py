# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is recorded, refused and decided, without a box."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import json
import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    fault, recover, restore, restore_point, restore_schema, restore_source, rollback_point, system, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


@pytest.fixture
def state_dir(tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path))
    monkeypatch.setattr(system, 'require_root', lambda: None)
    return tmp_path


def opened(**keys):
    return transaction.open('/var/www/html', 'jeedom', dict(rows={}), '3.3.60', run_id='r1', **keys)


# -- the record

def test_a_transaction_is_opened_once_updated_and_closed(state_dir):
    assert transaction.current() is None and transaction.last() is None
    opened(route=['4.1.28'])
    with pytest.raises(BoxError) as caught:
        opened()
    assert caught.value.code == 'transaction_open' and 'r1' in caught.value.msg
    transaction.update(step=transaction.HOP, hop='4.1.28')
    assert transaction.current()['hop'] == '4.1.28'
    assert 'hop' not in transaction.update(hop=None)
    transaction.write_journal(dict(step='files'))
    transaction.close('rolled_back', version='3.3.60')
    assert transaction.current() is None and transaction.journal() is None
    assert transaction.last()['outcome'] == 'rolled_back' and transaction.last()['from_version'] == '3.3.60'
    transaction.note(recovered='take_back')
    assert transaction.last()['recovered'] == 'take_back' and transaction.last()['outcome'] == 'rolled_back'
    assert os.listdir(str(state_dir)) == ['state.json']


def test_what_is_recorded_of_a_migration_and_of_its_end(state_dir, monkeypatch):
    monkeypatch.setattr(system, 'boot_id', lambda: 'boot')
    monkeypatch.setattr(transaction.time, 'time', lambda: 86400.5)
    assert opened(route=['4.1.28']) == transaction.current() == dict(
        id='19700102T000000', opened=86400.5, boot_id='boot', web_root='/var/www/html', schema='jeedom', engine=dict(rows={}), from_version='3.3.60',
        step=transaction.OPENING, settings={}, run_id='r1', route=['4.1.28'])
    with pytest.raises(BoxError) as caught:
        opened()
    assert 'since 1970-01-02 00:00 UTC (run r1)' in caught.value.msg
    monkeypatch.setattr(transaction.time, 'time', lambda: 90000)
    ended = dict(outcome='committed', ended=90000, id='19700102T000000', run_id='r1', from_version='3.3.60', version='4.1.28')
    assert transaction.close('committed', version='4.1.28') == transaction.last() == ended
    opened()
    transaction.update(opened=None)
    with pytest.raises(BoxError) as caught:
        opened()
    assert 'since an unknown time' in caught.value.msg


def test_room_for_the_record_is_kept_as_long_as_something_is_open(state_dir):
    pad = state_dir / transaction.PAD
    transaction.write_journal(dict(step='files'))
    assert pad.stat().st_size == transaction.PAD_BYTES
    transaction.write_journal(None)
    assert not pad.exists() and transaction.journal() is None
    transaction.write_journal(None)
    assert not pad.exists(), 'nothing to keep it for'
    opened()
    assert pad.exists()
    transaction.write_journal(dict(step='files'))
    transaction.write_journal(None)
    assert pad.exists(), 'the migration is open still'


def test_nothing_can_be_recorded_without_a_transaction(state_dir):
    with pytest.raises(BoxError) as caught:
        transaction.update(step=transaction.HOP, hop='4.1.28')
    assert caught.value.code == 'no_transaction' and 'so hop, step cannot be recorded' in caught.value.msg


def test_a_record_that_cannot_be_read_is_never_taken_for_none(state_dir):
    (state_dir / 'state.json').write_text(u'{"transaction": {"st')
    with pytest.raises(BoxError) as caught:
        transaction.current()
    assert caught.value.code == 'state_unreadable'
    assert str(state_dir / 'state.json') in caught.value.msg and '/var/lib/jeedom-fleet/rollback/manifest.json' in caught.value.msg


def test_a_full_disk_does_not_keep_a_step_from_being_recorded(state_dir, monkeypatch):
    opened()
    real = system.write_json

    def write(path, value, mode=0o600):
        if os.path.exists(str(state_dir / transaction.PAD)):
            raise OSError(errno.ENOSPC, 'No space left on device')
        real(path, value, mode)

    monkeypatch.setattr(system, 'write_json', write)
    transaction.update(step=transaction.HOP)
    assert transaction.current()['step'] == transaction.HOP


# -- what a box does by itself at boot

@pytest.mark.parametrize('step, journal, what', [
    (None, None, recover.NOTHING),
    (transaction.OPENING, None, recover.ABORT),
    (transaction.OPEN, None, recover.TAKE_BACK),
    (transaction.HOP, None, recover.TAKE_BACK),
    (transaction.HOP_PROVED, None, recover.TAKE_BACK),
    (transaction.UPGRADED, None, recover.GO_ON),
    (transaction.HOP, 'prepare', recover.TAKE_BACK),
    (transaction.HOP, 'files', recover.FINISH),
    (transaction.UPGRADED, 'tables', recover.FINISH),
    (None, 'quiet', recover.FORGET),
    (None, 'drop', recover.FINISH),
    (None, 'back', recover.FINISH),
])
def test_the_box_decides_at_boot(step, journal, what):
    state = dict(transaction=step and dict(step=step), restore=journal and dict(step=journal), last=None)
    assert recover.decide(state, restore.BEGUN) == what


@pytest.mark.parametrize('step, what', [
    (transaction.OPENING, recover.ABORT), (transaction.OPEN, recover.LEAVE), (transaction.HOP, recover.LEAVE),
    (transaction.HOP_PROVED, recover.LEAVE), (transaction.UPGRADED, recover.GO_ON)])
def test_a_box_that_is_to_be_left_is_not_taken_back_at_boot(step, what):
    state = dict(transaction=dict(step=step, on_failure='leave'), restore=None, last=None)
    assert recover.decide(state, restore.BEGUN) == what


def test_a_restore_that_had_begun_is_finished_at_boot_whatever_was_wished_before():
    state = dict(transaction=dict(step=transaction.HOP, on_failure='leave'), restore=dict(step='tables'), last=None)
    assert recover.decide(state, restore.BEGUN) == recover.FINISH


# -- commit

@pytest.mark.parametrize('step', [transaction.HOP, transaction.HOP_PROVED])
def test_the_rollback_point_of_a_migration_that_is_not_proved_stays(state_dir, step):
    opened()
    transaction.update(step=step, hop='4.4.20')
    params = dict(web_root='/var/www/html', state='absent', route=None, run_id=None, controller=None)
    with pytest.raises(BoxError) as caught:
        rollback_point.run(params, False)
    assert caught.value.code == 'not_upgraded' and '4.4.20' in caught.value.msg


def test_nothing_is_committed_over_a_restore_that_was_cut(state_dir):
    opened()
    transaction.write_journal(dict(step='tables'))
    params = dict(web_root='/var/www/html', state='absent', route=None, run_id=None, controller=None)
    with pytest.raises(BoxError) as caught:
        rollback_point.run(params, False)
    assert caught.value.code == 'restore_unfinished'


def test_info_tells_where_the_box_stands_and_no_settings(state_dir):
    opened(settings=dict(password='x'))
    told = rollback_point.run(dict(web_root='/', state='info'), False)
    assert told['transaction']['step'] == 'opening' and told['rollback_point'] is None
    assert 'settings' not in told['transaction'] and 'engine' not in told['transaction']


# -- refusals

def php(monkeypatch, version):
    monkeypatch.setattr(system, 'run', lambda argv, **options: system.Completed(0, version, ''))


@pytest.mark.parametrize('version, core, good', [
    ('7.4.33', '3.3.60', True), ('8.2.7', '3.3.60', False), ('8.2.7', '4.0.62', True), ('7.0.33', '4.3.23', True),
    ('7.0.33', '4.4.20', False), ('7.3.31', '4.4.20', True), ('7.0.33', '4.5.3', False), ('8.4.1', '4.5.3', True),
])
def test_a_core_that_the_php_of_the_box_cannot_run_is_refused(monkeypatch, version, core, good):
    php(monkeypatch, version)
    if good:
        restore_source.require_php(core)
        return
    with pytest.raises(BoxError) as caught:
        restore_source.require_php(core)
    assert caught.value.code == 'core_cannot_run' and core in caught.value.msg and version in caught.value.msg


def params(tmp_path, manifest):
    for name in ('a.tar.gz', 'a.complement.tar.gz'):
        (tmp_path / name).write_bytes(b'x')
    (tmp_path / 'm.json').write_text(u'%s' % json.dumps(manifest))
    return dict(web_root=str(tmp_path / 'html'), archive=str(tmp_path / 'a.tar.gz'), complement=str(tmp_path / 'a.complement.tar.gz'),
                manifest=str(tmp_path / 'm.json'), source='archive', force=False)


@pytest.mark.parametrize('manifest, code', [
    ({}, 'not_proved'),
    (dict(sha256='0', proved=False, problems=['cut'], core_version='3.3.60'), 'not_proved'),
    (dict(sha256='0', proved=True, host='elsewhere', core_version='3.3.60'), 'foreign_host'),
])
def test_an_archive_that_says_nothing_good_of_itself_is_refused(state_dir, tmp_path, monkeypatch, manifest, code):
    php(monkeypatch, '7.4.33')
    with pytest.raises(BoxError) as caught:
        restore.run(params(tmp_path, manifest), False)
    assert caught.value.code == code


def test_without_a_rollback_point_nothing_is_restored(state_dir):
    with pytest.raises(BoxError) as caught:
        restore.run(dict(source='rollback_point', web_root='/var/www/html'), False)
    assert caught.value.code == 'no_rollback_point'


def test_a_box_that_was_taken_back_is_left_alone(state_dir):
    opened()
    transaction.close('rolled_back', version='3.3.60')
    result = restore.run(dict(source='rollback_point', web_root='/var/www/html', manifest=None), False)
    assert result['changed'] is False and result['outcome'] == 'nothing_to_do'


def test_room_on_one_file_system_adds_up(tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'free_space', lambda path: (100 << 20, 5000))
    half = 40 << 20
    restore_point.require_room([(str(tmp_path), half, 10)], 'It')
    with pytest.raises(BoxError) as caught:
        restore_point.require_room([(str(tmp_path), half, 10), (str(tmp_path / 'not' / 'there'), half, 10)], 'It')
    assert caught.value.code == 'no_room' and 'needs 128 MiB' in caught.value.msg and 'finds 100 MiB' in caught.value.msg
    with pytest.raises(BoxError) as caught:
        restore_point.require_room([(str(tmp_path), 1, 4500)], 'It')
    assert caught.value.code == 'no_inodes'


# -- tables

def test_tables_are_compared_by_rows_and_memory_is_let_go():
    wanted = dict(tables=dict(cmd=dict(rows=3, engine='InnoDB', checksum='1'), cache=dict(rows=9, engine='MEMORY', checksum=None),
                              gone=dict(rows=0, engine='InnoDB', checksum='0')), others=dict(views=1))
    found = dict(tables=dict(cmd=dict(rows=3, engine='InnoDB', checksum='2'), cache=dict(rows=0, engine='MEMORY', checksum=None),
                             added=dict(rows=0, engine='InnoDB', checksum='0')), others=dict(views=0))
    problems, remarks = restore_schema.compare(found, wanted)
    assert problems == ['table added was not there before', 'table gone is missing', '0 views instead of 1']
    assert remarks == ['table cmd has another checksum']
    found['tables']['cmd']['rows'] = 2
    assert 'table cmd has 2 rows instead of 3' in restore_schema.compare(found, wanted)[0]


def test_only_our_own_schemas_can_be_dropped():
    exchange = restore_schema.Exchange(None, 'jeedom', '/nowhere')
    with pytest.raises(ValueError):
        exchange.drop('jeedom')


def test_a_database_elsewhere_is_refused_with_what_to_do():
    with pytest.raises(BoxError) as caught:
        restore_schema.server(dict(host='db.example.org', dbname='jeedom'))
    assert caught.value.code == 'remote_database' and 'db.example.org' in caught.value.msg


# -- the test hook

def test_the_fault_point_strikes_once_and_only_where_it_was_asked_for(state_dir, monkeypatch):
    ends = []
    monkeypatch.setattr(os, '_exit', ends.append)
    fault.point('here')
    (state_dir / fault.FILE).write_text(u'here\n')
    fault.point('elsewhere')
    assert ends == []
    fault.point('here')
    fault.point('here')
    assert ends == [fault.EXIT_CODE]


# -- a job that is killed while nobody looks

def died(**keys):
    return dict(dict(state='died', rebooted=False, created=1000, status=dict(heartbeat=2000), followed=None), **keys)


@pytest.mark.parametrize('job, now, alone', [
    (died(), 2000 + recover.ALONE + 1, True),
    (died(), 2000 + recover.ALONE - 1, False),
    (died(status={}), 1000 + recover.ALONE + 1, True),
    (died(followed=dict(by='c', ago=30)), 9000, False),
    (died(followed=dict(by='c', ago=recover.ALONE + 1)), 9000, True),
    (died(state='running'), 9000, False),
    (died(state='failed'), 9000, False),
    (died(state='finished'), 9000, False),
    (died(rebooted=True), 9000, False),
])
def test_only_a_killed_job_that_nobody_looks_after_is_abandoned(job, now, alone):
    assert recover.abandoned(job, now) is alone


@pytest.mark.parametrize('ids, alone, begun', [([], True, []), (['old', 'new'], False, []), (['old', 'new'], True, [('recover', dict(alone=True))])])
def test_the_timer_starts_a_recovery_for_an_abandoned_job_only(state_dir, monkeypatch, ids, alone, begun):
    opened()
    transaction.update(step=transaction.HOP, hop='4.0.63')
    started, looked = [], []
    monkeypatch.setattr(recover.jobs, 'job_ids', lambda: ids)
    monkeypatch.setattr(recover.jobs, 'inspect', lambda job_id: looked.append(job_id) or died())
    monkeypatch.setattr(recover.jobs, 'running', lambda: None)
    monkeypatch.setattr(recover.jobs, 'start', lambda kind, module, given, *dummy: started.append((kind, given)))
    monkeypatch.setattr(recover, 'abandoned', lambda job, now: alone)
    monkeypatch.setattr(recover.restore_web, 'stop', lambda *dummy: pytest.fail('the job itself stops the web'))
    assert recover.watch() == 0
    assert started == begun and looked in ([], ['new'])


def test_the_timer_leaves_a_box_that_is_to_be_left(state_dir, monkeypatch):
    opened(on_failure='leave')
    transaction.update(step=transaction.HOP, hop='4.0.63')
    monkeypatch.setattr(recover.jobs, 'job_ids', lambda: ['x'])
    monkeypatch.setattr(recover.jobs, 'inspect', lambda job_id: died(created=0, status={}))
    monkeypatch.setattr(recover.jobs, 'start', lambda *dummy: pytest.fail('started'))
    assert recover.watch() == 0


# -- what a commit leaves, and what a later run must know

def commit(state_dir, monkeypatch, step, **noted):
    folder = state_dir / 'recorded'
    folder.mkdir()
    (folder / 'freeze.json').write_text(u'{"cron": {"history::archive": true}}')
    opened()
    transaction.update(step=step, **noted)
    for module, name in ((rollback_point.engine, 'start'), (restore_point, 'drop'), (rollback_point.restore_unit, 'remove')):
        monkeypatch.setattr(module, name, lambda *dummy: None)
    monkeypatch.setattr(rollback_point, '_connection', lambda installation: None)
    monkeypatch.setattr(rollback_point.Installation, 'version', lambda self: '4.5.3')
    rollback_point.run(dict(web_root='/var/www/html', state='absent'), False)
    return (folder / 'freeze.json').exists()


def test_a_commit_forgets_what_freeze_recorded(state_dir, monkeypatch):
    assert commit(state_dir, monkeypatch, transaction.UPGRADED) is False


@pytest.mark.parametrize('step, given', [(transaction.UPGRADED, True), (transaction.OPEN, False)])
def test_the_nightly_archive_runs_again_once_the_migration_is_committed(state_dir, monkeypatch, step, given):
    back = []
    monkeypatch.setattr(rollback_point.Installation, 'database', lambda self: 'database')
    monkeypatch.setattr(rollback_point.settings, 'give_back_archive', lambda *arguments: back.append(arguments))
    commit(state_dir, monkeypatch, step, upgrade=dict(settings=dict(purge=True)))
    assert back == ([('database', dict(purge=True), '4.5.3')] if given else [])


def test_a_migration_that_is_given_up_leaves_the_freeze_as_it_is(state_dir, monkeypatch):
    assert commit(state_dir, monkeypatch, transaction.OPEN) is True


def test_a_later_run_is_told_what_is_gone_on_purpose(state_dir, monkeypatch):
    (state_dir / 'rollback').mkdir()
    record = dict(created=1, core_version='3.3.60', web_root='/', kept=[], tree=dict(files=1, bytes=1), database=dict(tables={}), dump=dict(size=1),
                  outage=1, seconds=1, census=dict(equipments=3))
    (state_dir / 'rollback/manifest.json').write_text(u'%s' % json.dumps(record))
    opened(removed_plugins=['timeline'], upgrade=dict(plugins_updated=['virtual'], settings=dict(password='x')))
    told = rollback_point.run(dict(web_root='/', state='info'), False)
    assert told['rollback_point']['census_expected'] is None
    restore_point.expect(dict(equipments=2))
    told = rollback_point.run(dict(web_root='/', state='info'), False)
    assert told['rollback_point']['census_expected'] == dict(equipments=2) and told['rollback_point']['census'] == dict(equipments=3)
    assert told['transaction']['removed_plugins'] == ['timeline'] and told['transaction']['plugins_updated'] == ['virtual']
    assert 'password' not in json.dumps(told)
