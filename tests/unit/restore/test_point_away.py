# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollback point on the controller: what the box decides, refuses, and gives up for it."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    point_away, recover, restore, restore_point, restore_web, rollback_point, system, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


class Context(object):
    def __init__(self):
        self.lines = []

    def log(self, line):
        self.lines.append(line)


@pytest.fixture
def state_dir(tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path / 'state'))
    monkeypatch.setattr(system, 'require_root', lambda: None)
    return tmp_path


@pytest.fixture
def away(state_dir):
    """A box whose rollback point has been made and is not fetched yet."""
    root = state_dir / 'html'
    (root / 'backup').mkdir(parents=True)
    (root / 'core').mkdir()
    (root / 'core' / 'a.php').write_text(u'x' * 1000)
    for name in ('b.tar.gz', 'older.tar.gz'):
        (root / 'backup' / name).write_text(u'archive')
    transaction.open(str(root), 'jeedom', dict(rows={}), '3.3.60', run_id='r1')
    staged = system.state_dir('staging') + '/b.tar.gz'
    os.link(str(root / 'backup' / 'b.tar.gz'), staged)
    sent = [staged, str(root / 'backup' / 'b.tar.gz')]
    record = dict(location='controller', sent=sent, created=1.0, web_root=str(root), core_version='3.3.60', kept=['backup'], outage=1, seconds=2,
                  census={}, tree_size=[2000, 5], database=dict(tables={}), connection=dict(dbname='jeedom'),
                  archive=dict(name='b.tar.gz', path=staged, sha256='ab' * 32, complement=None))
    system.make_dir(restore_point.folder())
    system.write_json(restore_point.folder() + '/manifest.json', record)
    transaction.update(location='controller')
    return record


@pytest.mark.parametrize('step, journal, what', [
    (transaction.OPENING, None, recover.ABORT),
    (transaction.OPEN, None, recover.LEAVE),
    (transaction.HOP, None, recover.LEAVE),
    (transaction.HOP_PROVED, None, recover.LEAVE),
    (transaction.UPGRADED, None, recover.GO_ON),
    (transaction.HOP, 'prepare', recover.LEAVE),
    (transaction.HOP, 'files', recover.FINISH),
])
def test_without_the_controller_the_box_goes_back_only_from_what_it_has(step, journal, what):
    state = dict(transaction=dict(step=step, location='controller'), restore=journal and dict(step=journal), last=None)
    assert recover.decide(state, restore.BEGUN) == what


def test_after_a_reboot_nobody_is_served_by_a_half_core_and_no_job_is_started(away, monkeypatch):
    transaction.update(step=transaction.HOP)
    held = []
    monkeypatch.setattr(restore_web, 'hold', lambda: held.append(1))
    monkeypatch.setattr(recover.jobs, 'start', lambda *args: pytest.fail('started'))
    assert recover.main() == 0 and held == [1]


def test_the_migration_begins_when_the_controller_has_the_right_archive(away):
    with pytest.raises(BoxError) as caught:
        rollback_point.run(dict(state='present', web_root=away['web_root'], fetched='cd' * 32), False)
    assert caught.value.code == 'wrong_archive' and transaction.current()['step'] == transaction.OPENING
    assert os.path.exists(away['archive']['path'])
    done = rollback_point.run(dict(state='present', web_root=away['web_root'], fetched='ab' * 32), False)
    assert done['changed'] and transaction.current()['step'] == transaction.OPEN
    assert not os.path.exists(away['archive']['path'])
    assert os.listdir(away['web_root'] + '/backup') == ['older.tar.gz']
    assert rollback_point.run(dict(state='present', web_root=away['web_root'], fetched='ab' * 32), False)['changed'] is False


def test_before_it_is_fetched_going_back_is_giving_the_engine_back(away, monkeypatch):
    aborted = []
    monkeypatch.setattr(restore_point, 'abort', lambda *args: aborted.append(1))
    monkeypatch.setattr(restore, '_restore', lambda *args: pytest.fail('restored'))
    back = restore.job(dict(source='rollback_point', reason='cut'), Context())
    assert aborted == [1] and back['outcome'] == 'rolled_back' and 'nothing had been changed' in back['msg']


def test_the_box_says_where_its_rollback_point_is(away):
    transaction.update(step=transaction.HOP)
    with pytest.raises(BoxError) as caught:
        restore.run(dict(source='rollback_point', web_root=away['web_root']), False)
    assert caught.value.code == 'rollback_point_away' and 'b.tar.gz' in caught.value.msg


def test_no_other_archive_takes_its_place(away):
    point_away.require_mine('ab' * 32)
    with pytest.raises(BoxError) as caught:
        point_away.require_mine('cd' * 32)
    assert caught.value.code == 'wrong_archive' and 'b.tar.gz' in caught.value.msg
    transaction.close('rolled_back')
    point_away.require_mine('cd' * 32)


def test_the_broken_tree_makes_room_and_what_is_kept_stays(away, monkeypatch):
    root, context = away['web_root'], Context()
    monkeypatch.setattr(restore_web, 'stop', lambda context: None)
    monkeypatch.setattr(system, 'free_space', lambda path: (500 << 20, 100000))
    point_away.make_room(root, ['backup'], [(root, 10, 1)], 'It', context)
    assert os.listdir(root) == ['backup'] and len(os.listdir(root + '/backup')) == 2 and 'making room' in context.lines[0]


def test_nothing_is_removed_when_even_that_is_not_enough(away, monkeypatch):
    root = away['web_root']
    monkeypatch.setattr(restore_web, 'stop', lambda context: pytest.fail('stopped'))
    monkeypatch.setattr(system, 'free_space', lambda path: (500 << 20, 100000))
    with pytest.raises(BoxError) as caught:
        point_away.make_room(root, ['backup'], [(root, 600 << 20, 1)], 'It', Context())
    assert caught.value.code == 'no_room' and os.path.exists(root + '/core/a.php')


def test_only_an_open_migration_with_its_point_away_makes_room(away):
    assert point_away.tree_size(away['web_root']) == (2000, 5) and point_away.tree_size('/elsewhere') is None
    transaction.close('rolled_back')
    assert point_away.tree_size(away['web_root']) is None


@pytest.mark.parametrize('location, error, chosen', [
    ('auto', None, 'box'), ('auto', 'no_room', 'controller'), ('auto', 'no_inodes', 'controller'), ('controller', None, 'controller'),
    ('box', 'no_room', None), ('auto', 'versions_differ', None)])
def test_where_the_rollback_point_goes(state_dir, monkeypatch, location, error, chosen):
    def here(self):
        if error:
            raise BoxError('It does not fit.', error)
        return 'found'

    monkeypatch.setattr(restore_point.Taking, 'check', here)
    monkeypatch.setattr(point_away, 'check', lambda installation: 'found')
    from ansible_collections.jeedom.fleet.plugins.module_utils.installation import Installation
    installation = Installation(str(state_dir))
    if chosen:
        assert rollback_point._check(installation, location) == ('found', chosen)
        return
    with pytest.raises(BoxError) as caught:
        rollback_point._check(installation, location)
    assert caught.value.code == error


def test_a_box_that_was_rebooted_meanwhile_does_not_begin_without_its_rollback_point(away, monkeypatch):
    transaction.close('aborted')
    monkeypatch.setattr(rollback_point.jobs, 'start', lambda *args: pytest.fail('started'))
    with pytest.raises(BoxError) as caught:
        rollback_point.run(dict(state='present', web_root=away['web_root'], fetched='ab' * 32, location='auto'), False)
    assert caught.value.code == 'not_waiting'


def test_an_archive_that_nobody_fetched_is_not_left_behind(away):
    restore_point.drop(away['web_root'], None)
    assert os.listdir(away['web_root'] + '/backup') == ['older.tar.gz'] and not os.path.exists(away['archive']['path'])
    assert not os.path.exists(restore_point.folder())


@pytest.mark.parametrize('others, refused', [
    (dict(views=1, triggers=1, routines=0, events=0), None), (dict(views=0, triggers=0, routines=2, events=0), '2 routines'),
    (dict(views=0, triggers=0, routines=0, events=1), '1 events')])
def test_what_no_archive_holds_keeps_the_rollback_point_on_the_box(state_dir, monkeypatch, others, refused):
    class Root(object):
        def query(self, sql, **dummy):
            return [['1000']] if 'SUM' in sql else [[str(state_dir)]]

    class Installed(object):
        web_root = str(state_dir)
        require = credentials = lambda self: None

        def version(self):
            return '3.3.60'

        def database(self):
            return type('Database', (), dict(schema='jeedom', config=lambda self, key: '3.3.60' if key == 'version' else None))()

    monkeypatch.setattr(point_away.restore_schema, 'server', lambda credentials: Root())
    monkeypatch.setattr(point_away.restore_schema, 'others', lambda root, schema: others)
    if not refused:
        assert point_away.check(Installed())['version'] == '3.3.60'
        return
    with pytest.raises(BoxError) as caught:
        point_away.check(Installed())
    assert caught.value.code == 'archive_not_whole' and refused in caught.value.msg


@pytest.mark.parametrize('alone, done', [(False, ['hold']), (True, ['hold', 'stop'])])
def test_a_box_that_waits_for_its_controller_serves_nobody(away, monkeypatch, alone, done):
    transaction.update(step=transaction.HOP)
    seen = []
    monkeypatch.setattr(restore_web, 'hold', lambda: seen.append('hold'))
    monkeypatch.setattr(restore_web, 'stop', lambda: seen.append('stop'))
    monkeypatch.setattr(recover.jobs, 'start', lambda *args: pytest.fail('started'))
    assert recover.main(alone=alone) == 0 and seen == done


@pytest.mark.parametrize('location, started', [('controller', []), (None, ['web'])])
def test_a_restore_that_failed_after_it_had_made_room_leaves_the_web_stopped(away, monkeypatch, location, started):
    transaction.update(step=transaction.HOP, location=location)
    transaction.write_journal(dict(step='prepare', source='archive', web_root=away['web_root'], engine={}, connection={}))
    begun = []
    monkeypatch.setattr(restore_web, 'has_been_stopped', lambda: True)
    monkeypatch.setattr(restore_web, 'start_or_log', lambda context: begun.append('web'))
    restore.forget(Context())
    assert begun == started and transaction.journal() is None and transaction.current()
