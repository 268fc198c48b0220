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
    record = dict(location='controller', created=1.0, web_root=str(root), core_version='3.3.60', kept=['backup'], outage=1, seconds=2,
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
