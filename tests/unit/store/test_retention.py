# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes and what stays: never the newest proved copy, never what an open migration needs, never anything elsewhere."""

from __future__ import annotations

import json
import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, forms, journal, retention, store

DAY = retention.DAY
PLAIN = forms.Forms()


def names(entries):
    return [entry['name'] for entry in entries]


def week(shelf, count=5, begin=1e9):
    """Copies of so many days; newest last."""
    return [shelf.add(f'backup-a-3.3.60-2026-11-{day + 1:02}-10h26.tar.gz', fetched=begin + day * DAY) for day in range(count)]


def prune(shelf, now=None, check_mode=False, reader=PLAIN, **policy):
    return retention.prune(shelf.root, shelf.host, retention.Policy(**policy), reader, check_mode, now)


def here(shelf):
    return [copy['name'] for copy in reversed(shelf.look())]


def test_without_limits_nothing_goes(shelf):
    added = week(shelf)
    assert prune(shelf)['deleted'] == [] and here(shelf) == added


def test_keep_leaves_the_newest_with_all_their_files(shelf):
    added = week(shelf)
    done = prune(shelf, keep=2)
    assert sorted(names(done['deleted'])) == added[:3] and here(shelf) == added[3:]
    assert shelf.names() == sorted(file for name in added[3:] for file in (name, name + '.manifest.json', store.complement_name(name)))
    assert all(copy['proved'] for copy in shelf.look()) and done['freed'] > 0 and '2 newer ones are proved' in done['deleted'][0]['why']
    assert prune(shelf, keep=2)['deleted'] == []


def test_a_store_that_lets_nothing_go_is_told(shelf, monkeypatch):
    added = week(shelf)

    def unlink(_name, **_where):
        raise PermissionError(1, 'Operation not permitted')

    monkeypatch.setattr(retention.os, 'unlink', unlink)
    with pytest.raises(store.StoreError) as caught:
        prune(shelf, keep=4)
    assert caught.value.code == 'store_unwritable' and added[0] in str(caught.value) and 'Operation not permitted' in str(caught.value)
    assert set(added[1:]) <= set(here(shelf)), 'the others are whole'


def test_age_counts_back_from_the_newest(shelf):
    added = week(shelf)
    # years later: the box has delivered nothing since, and loses nothing
    assert prune(shelf, now=2e9, max_age=10 * DAY)['deleted'] == []
    prune(shelf, now=2e9, max_age=2.5 * DAY)
    assert here(shelf) == added[2:]


def test_size_counts_all_files_and_the_newest_stays_even_alone_too_large(shelf):
    added = week(shelf)
    each = shelf.look()[0]['bytes']
    prune(shelf, max_size=int(each * 2.5))
    assert here(shelf) == added[3:]
    prune(shelf, max_size=1)
    assert here(shelf) == added[4:]


def test_check_mode_tells_the_same_and_touches_nothing(shelf):
    week(shelf)
    before = {name: (shelf.place / name).stat().st_mtime_ns for name in shelf.names()}
    listed = sorted(os.listdir(shelf.place))
    told = prune(shelf, keep=1, check_mode=True)
    assert {name: (shelf.place / name).stat().st_mtime_ns for name in shelf.names()} == before and sorted(os.listdir(shelf.place)) == listed
    done = prune(shelf, keep=1)
    assert told == done and len(done['deleted']) == 4 and len(done['after']) == 1


def test_only_proved_copies_count_and_only_they_go(shelf):
    added = week(shelf)
    broken = [added[4], added[1]]
    for name in broken:
        (shelf.place / name).write_bytes(b'x')
    (shelf.place / 'backup-z-3.3.60-2026-12-01-10h26.tar.gz').write_bytes(b'foreign')
    done = prune(shelf, keep=1)
    assert names(done['kept']) == [added[3]] and sorted(names(done['deleted'])) == [added[0], added[2]]
    assert set(broken) <= set(here(shelf)) and len(done['unproved']) == 3


def test_a_rotten_newest_copy_does_not_cost_the_older_ones(shelf):
    added = week(shelf)
    for name in added[3:]:
        path = shelf.place / name
        raw = bytearray(path.read_bytes())
        raw[30] ^= 1
        path.write_bytes(raw)
    done = prune(shelf, keep=1)
    assert names(done['kept']) == [added[2]] and sorted(names(done['deleted'])) == added[:2]
    assert sorted(names(done['unproved'])) == added[3:] and set(added[2:]) <= set(here(shelf))


def test_when_all_are_rotten_nothing_goes(shelf):
    for name in week(shelf):
        path = shelf.place / name
        path.write_bytes(b'\0' * path.stat().st_size)
    assert prune(shelf, keep=1)['deleted'] == [] and len(here(shelf)) == 5


def test_sealed_copies_are_pruned_without_the_key_by_their_bytes(shelf):
    sealed = forms.Forms(keys=[bytes(32)])
    added = [shelf.add(f'backup-a-3.3.60-2026-11-0{day}-10h26.tar.gz', form=sealed) for day in (1, 2)]
    assert names(prune(shelf, keep=1)['deleted']) == added[:1]
    assert shelf.names() == [f'{store.complement_name(added[1])}.sealed', added[1] + '.manifest.json', added[1] + '.sealed']


def test_incomplete_files_go_after_a_day_of_silence(shelf):
    now = time.time()
    for name, age in (('a.tar.gz.part', 2 * DAY), ('a.tar.gz.part.json', 2 * DAY), ('b.tar.gz.part', 3600), ('b.tar.gz.part.json', 2 * DAY),
                      ('.tmp-x', 2 * DAY), ('.tmp-y', 60), ('future.part', -9 * DAY), ('notes.txt', 9 * DAY), ('c.tar.gz', 9 * DAY)):
        (shelf.place / name).write_bytes(b'x')
        os.utime(shelf.place / name, (now - age, now - age))
    (shelf.place / 'folder.part').mkdir()
    os.utime(shelf.place / 'folder.part', (1, 1))
    assert sorted(prune(shelf, now=now)['parts']) == ['.tmp-x', 'a.tar.gz.part', 'a.tar.gz.part.json']
    assert shelf.names() == ['.tmp-y', 'b.tar.gz.part', 'b.tar.gz.part.json', 'c.tar.gz', 'folder.part', 'future.part', 'notes.txt']


class TestNowhereElse:
    def test_another_box_is_not_touched(self, shelf, shelves):
        other = shelves.Shelf(shelf.root, 'box2')
        added = week(other)
        week(shelf)
        prune(shelf, keep=1)
        assert here(other) == added

    @pytest.mark.parametrize('level', ['host', 'archives'])
    def test_a_linked_folder_is_refused(self, shelf, level):
        week(shelf)
        path = shelf.place if level == 'host' else shelf.place.parent
        real = path.with_name('real')
        path.rename(real)
        path.symlink_to(real)
        with pytest.raises(store.StoreError) as caught:
            prune(shelf, keep=1)
        assert caught.value.code == 'store_link' and len(here(shelf)) == 5

    def test_files_that_are_links_stay_and_so_does_what_they_lead_to(self, shelf, tmp_path):
        added = week(shelf)
        victim = tmp_path / 'victim'
        victim.write_bytes(b'precious')
        os.utime(victim, (1, 1))
        (shelf.place / 'old.part').symlink_to(victim)
        os.utime(shelf.place / 'old.part', (1, 1), follow_symlinks=False)
        second = shelf.place / store.complement_name(added[0])
        second.unlink()
        second.symlink_to(victim)
        done = prune(shelf, keep=1)
        assert victim.read_bytes() == b'precious' and (shelf.place / 'old.part').is_symlink() and second.is_symlink()
        assert added[0] not in names(done['deleted']) and done['parts'] == []
        # nor when one turns up between the look and the deletion
        with retention._opened(shelf.place) as handle:
            retention._unlink('old.part', handle)
            for name in ('../box2/x', '..', ''):
                with pytest.raises(store.StoreError):
                    retention._unlink(name, handle)
        assert (shelf.place / 'old.part').is_symlink()

    def test_a_lying_manifest_deletes_nothing_of_others(self, shelf):
        added = week(shelf)
        path = shelf.place / (added[0] + '.manifest.json')
        value = json.loads(path.read_text())
        value['complement']['name'] = added[4]
        path.write_text(json.dumps(value))
        prune(shelf, keep=1)
        assert added[4] in here(shelf) and (shelf.place / added[4]).exists()

    def test_a_box_that_is_not_here_is_no_error(self, tmp_path):
        assert retention.prune(tmp_path, 'nobody', retention.Policy(keep=1), PLAIN)['deleted'] == []


class TestOpenMigration:
    def migrate(self, shelf, name, *events, run='r1'):
        artifacts.write_json(artifacts.run_dir(shelf.root, run, shelf.host) / 'manifest.json', {'name': name})
        for stage, status in events:
            journal.record(shelf.root, shelf.host, run, stage, status)

    @pytest.mark.parametrize('events', [
        [('prepare', 'started')],
        [('prepare', 'ok'), ('upgrade', 'started')],
        [('prepare', 'ok'), ('upgrade', 'unknown')],
        [('prepare', 'ok'), ('upgrade', 'ok')],
        [('prepare', 'ok'), ('upgrade', 'ok'), ('verify', 'failed'), ('rollback', 'failed')],
        [('prepare', 'ok'), ('upgrade', 'ok'), ('verify', 'ok'), ('commit', 'failed')],
    ])
    def test_what_it_refers_to_stays(self, shelf, events):
        added = week(shelf)
        self.migrate(shelf, added[1], *events)
        # nightly backups that came since tell of other archives
        journal.record(shelf.root, shelf.host, 'r2', 'fetch', 'ok', result={'name': added[4]})
        done = prune(shelf, keep=1)
        assert here(shelf) == [added[1], added[4]]
        assert {'name': added[1], 'why': 'an open migration refers to it'}.items() <= done['kept'][1].items()

    @pytest.mark.parametrize('events', [
        [],
        [('assess', 'ok'), ('backup', 'ok'), ('fetch', 'ok')],
        [('assess', 'blocked')],
        [('prepare', 'ok'), ('upgrade', 'ok'), ('verify', 'ok'), ('commit', 'ok')],
        [('prepare', 'ok'), ('upgrade', 'failed'), ('rollback', 'rolled_back')],
    ])
    def test_one_that_has_ended_holds_nothing(self, shelf, events):
        added = week(shelf)
        self.migrate(shelf, added[1], *events)
        prune(shelf, keep=1)
        assert here(shelf) == added[4:]

    def test_when_its_archive_is_not_known_nothing_goes(self, shelf):
        added = week(shelf)
        journal.record(shelf.root, shelf.host, 'r1', 'upgrade', 'started')
        assert prune(shelf, keep=1)['deleted'] == [] and here(shelf) == added


class TestCut:
    """A deletion that was cut leaves either a whole copy or something that the next run finishes."""

    @pytest.mark.parametrize('after', [0, 1, 2, 3])
    def test_the_next_run_finishes_it(self, shelf, monkeypatch, after):
        added = week(shelf, 2)
        done = []
        genuine = os.unlink

        def unlink(path, *args, **kwargs):
            if len(done) == after and str(path).startswith(added[0][:20]):
                raise KeyboardInterrupt
            done.append(path)
            return genuine(path, *args, **kwargs)

        monkeypatch.setattr(retention.os, 'unlink', unlink)
        if after < 3:
            with pytest.raises(KeyboardInterrupt):
                prune(shelf, keep=1)
            assert added[0] not in [copy['name'] for copy in shelf.look() if copy['proved']]
        monkeypatch.undo()
        prune(shelf, keep=1)
        assert here(shelf) == added[1:] and not [name for name in shelf.names() if added[0][:-7] in name]

    def test_what_was_fetched_again_meanwhile_stays(self, shelf):
        added = week(shelf, 2)
        manifest = shelf.place / (added[0] + '.manifest.json')
        (shelf.place / (added[0] + retention.DELETING)).write_bytes(manifest.read_bytes())
        prune(shelf)
        assert here(shelf) == added and all(copy['proved'] for copy in shelf.look()) and not list(shelf.place.glob('*.deleting'))


@pytest.mark.parametrize('policy', [{'keep': 0}, {'keep': -1}, {'max_age': -1}, {'max_size': -5}, {'max_age': float('nan')}])
def test_limits_that_make_no_sense_are_refused(policy):
    with pytest.raises(store.StoreError) as caught:
        retention.Policy(**policy)
    assert caught.value.code == 'bad_policy'


# -- any history of copies, with clocks that jump

TIMES = st.floats(min_value=0, max_value=4e9)
COPY = st.fixed_dictionaries({'fetched': TIMES, 'created': TIMES, 'bytes': st.integers(0, 10**12), 'proved': st.booleans()})
POLICY = st.builds(retention.Policy, st.none() | st.integers(1, 5), st.none() | st.floats(0, 1e8), st.none() | st.integers(0, 10**12))


@given(st.lists(COPY, max_size=12), POLICY, TIMES, st.sets(st.integers(0, 11), max_size=3), st.randoms(use_true_random=False))
def test_whatever_the_clocks_say(entries, policy, now, held, random):
    copies = [dict(entry, name=f'c{number}', serial=number + 1) for number, entry in enumerate(entries)]
    proved = [copy for copy in copies if copy['proved']]
    held = {f'c{number}' for number in held}
    shuffled = list(copies)
    random.shuffle(shuffled)
    going, staying = retention.plan(shuffled, policy, now, held)
    assert set(going) | set(staying) == {copy['name'] for copy in proved} and not set(going) & set(staying)
    assert not set(going) & held
    if proved:
        assert staying[proved[-1]['name']] == 'it is the newest proved one'
    if policy == retention.Policy():
        assert not going
    if policy.keep is not None:
        assert len([name for name, why in staying.items() if 'migration' not in why]) <= policy.keep
    if policy.max_size is not None:
        within = [copy['bytes'] for copy in proved[:-1] if copy['name'] in staying and copy['name'] not in held]
        assert not within or sum(within) + proved[-1]['bytes'] <= policy.max_size
    # what stays by one look stays by the next one: nothing is pruned twice
    left = [copy for copy in copies if copy['name'] not in going]
    assert retention.plan(left, policy, now, held)[0] == {} or policy.max_size is not None


@given(st.lists(st.tuples(TIMES, st.integers(1, 100)), min_size=1, max_size=20), POLICY)
@settings(max_examples=200)
def test_night_after_night_the_copy_of_the_night_is_there(nights, policy):
    shelf: list[dict] = []
    for number, (clock, size) in enumerate(nights):
        shelf.append({'name': f'n{number}', 'serial': number + 1, 'fetched': clock, 'created': clock, 'bytes': size, 'proved': True})
        going, _staying = retention.plan(shelf, policy, clock)
        shelf = [copy for copy in shelf if copy['name'] not in going]
        assert shelf[-1]['name'] == f'n{number}'
        if policy.keep is not None:
            assert len(shelf) <= policy.keep
        if policy.keep is not None and policy.max_age is None and policy.max_size is None:
            assert len(shelf) == min(policy.keep, number + 1)


@given(POLICY, st.lists(TIMES, min_size=1, max_size=8))
def test_a_box_that_delivers_nothing_more_loses_nothing_more(policy, clocks):
    shelf = [{'name': f'n{number}', 'serial': number, 'fetched': 1e9 + number * DAY, 'created': 0.0, 'bytes': 10, 'proved': True} for number in range(6)]
    going, _staying = retention.plan(shelf, policy, 1e9 + 6 * DAY)
    shelf = [copy for copy in shelf if copy['name'] not in going]
    for clock in clocks:
        assert not retention.plan(shelf, policy, clock)[0]


# -- what an open migration refers to

def stage(status, started, ended=None):
    """An entry of the journal."""
    return {'status': status, 'started': started, 'ended': ended, 'run_id': 'r1'}


@pytest.mark.parametrize('stages, kept', [
    ({}, False),
    ({'fetch': stage('ok', 1, 2)}, False),
    *(({name: stage(status, 5, None if status == 'started' else 6)}, True) for name in ('prepare', 'upgrade', 'verify') for status in (
        'started', 'ok', 'failed', 'unknown')),
    ({'verify': stage('skipped', 5, 6)}, False),
    ({'verify': stage('ok', 5, 6), 'commit': stage('failed', 7, 8)}, True),
    ({'upgrade': stage('failed', 5, 6), 'rollback': stage('started', 7)}, True),
    ({'upgrade': stage('failed', 5, 6), 'rollback': stage('failed', 7, 8)}, True),
    *(({'prepare': stage('ok', 5, 6), 'verify': stage('ok', 7, 8), over: stage(status, 9, 10)}, False) for over, status in (
        ('commit', 'ok'), ('commit', 'skipped'), ('rollback', 'ok'), ('rollback', 'rolled_back'))),
    ({'commit': stage('ok', 3, 4), 'prepare': stage('ok', 5, 6)}, True),
])
def test_an_archive_is_held_from_prepare_until_commit_or_rollback_has_ended_well(tmp_path, monkeypatch, stages, kept):
    monkeypatch.setattr(journal, 'read', lambda root, host: {'stages': stages})
    assert retention.held(tmp_path, 'box1') == (set(), kept), 'without a manifest nothing is known of the archive, and all of them stay'
    (tmp_path / 'r1/box1').mkdir(parents=True)
    (tmp_path / 'r1/box1/manifest.json').write_text('{"name": "backup-1.tar.gz"}', encoding='utf-8')
    assert retention.held(tmp_path, 'box1') == ({'backup-1.tar.gz'} if kept else set(), False)
