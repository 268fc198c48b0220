# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what it keeps from run to run, and that nobody's entry is lost."""

from __future__ import annotations

import multiprocessing

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal


def test_a_stage_has_begin_end_inputs_and_result(tmp_path):
    journal.record(tmp_path, 'box', 'r1', 'backup', 'started', inputs={'max_age': 24})
    entry = journal.record(tmp_path, 'box', 'r1', 'backup', 'ok', 'Proved.', result={'size': 5})
    stage = entry['stages']['backup']
    assert stage['status'] == 'ok' and stage['inputs'] == {'max_age': 24} and stage['result'] == {'size': 5} and stage['message'] == 'Proved.'
    assert stage['ended'] >= stage['started'] and entry == journal.read(tmp_path, 'box') and entry['outcome'] is None


def test_a_skipped_stage_keeps_what_was_done_before(tmp_path):
    first = journal.record(tmp_path, 'box', 'r1', 'backup', 'ok', inputs={'a': 1}, result={'size': 5})['stages']['backup']
    journal.record(tmp_path, 'box', 'r2', 'backup', 'started')
    stage = journal.record(tmp_path, 'box', 'r2', 'backup', 'skipped', 'A proved archive is 2 h old.')['stages']['backup']
    assert stage['result'] == {'size': 5} and stage['inputs'] == {'a': 1} and stage['run_id'] == 'r2'
    assert stage['done'] == {'started': first['started'], 'ended': first['ended'], 'run_id': 'r1'}


def test_a_stage_done_again_forgets_the_earlier_result(tmp_path):
    journal.record(tmp_path, 'box', 'r1', 'backup', 'ok', result={'size': 5})
    journal.record(tmp_path, 'box', 'r2', 'backup', 'started')
    assert journal.record(tmp_path, 'box', 'r2', 'backup', 'failed')['stages']['backup']['result'] is None


def test_what_a_stage_said_itself_outlives_what_rescue_says_of_it(tmp_path):
    journal.record(tmp_path, 'box', 'r', 'assess', 'blocked', result={'from_version': '3.3.60'}, inputs={'target_version': '4.5.3'})
    stage = journal.record(tmp_path, 'box', 'r', 'assess', 'blocked', 'stopped', outcome='blocked')['stages']['assess']
    assert stage['result'] == {'from_version': '3.3.60'} and stage['inputs'] == {'target_version': '4.5.3'} and stage['message'] == 'stopped'


def test_a_new_run_puts_the_old_outcome_into_the_history(tmp_path):
    journal.record(tmp_path, 'box', 'r1', 'assess', 'blocked', outcome='blocked')
    entry = journal.record(tmp_path, 'box', 'r2', 'assess', 'started')
    assert entry['outcome'] is None and entry['run_id'] == 'r2'
    assert [(run['run_id'], run['outcome']) for run in entry['history']] == [('r1', 'blocked')]


def test_a_run_that_only_adds_leaves_the_outcome_and_its_reason(tmp_path):
    """A nightly backup between two looks at a box that was taken back."""
    journal.record(tmp_path, 'box', 'r1', 'rollback', 'rolled_back', 'Hop 3 died.', outcome='rolled_back')
    before = journal.read(tmp_path, 'box')
    journal.record(tmp_path, 'box', 'night', 'backup', 'started', beside=True)
    # cut, and then a night that ends well
    journal.conclude(tmp_path, 'box', 'night', 'unknown', 'no link')
    assert journal.read(tmp_path, 'box')['stages']['backup']['status'] == 'unknown'
    entry = journal.record(tmp_path, 'box', 'night2', 'backup', 'ok', 'Here.', beside=True)
    assert {key: entry[key] for key in before if key != 'stages'} == {key: before[key] for key in before if key != 'stages'}
    assert entry['stages']['rollback'] == before['stages']['rollback'] and entry['stages']['backup']['message'] == 'Here.'
    assert journal.record(tmp_path, 'new', 'night', 'backup', 'ok', beside=True)['outcome'] is None


def test_what_a_run_left_is_found_when_another_one_has_come_since(tmp_path):
    process = artifacts.process_run_id()
    journal.record(tmp_path, 'bad', 'r1', 'rollback', 'rolled_back', outcome='rolled_back')
    journal.record(tmp_path, 'open', 'r1', 'upgrade', 'started')
    for host in ('bad', 'open', 'other'):
        journal.record(tmp_path, host, 'r2', 'assess', 'ok', outcome='ready')
    found = {host: journal.of_run(journal.read(tmp_path, host), 'r1', process) for host in ('bad', 'open', 'other', 'none')}
    assert found['bad']['outcome'] == 'rolled_back' and found['open']['outcome'] == 'unknown' and found['other'] is found['none'] is None
    assert journal.of_run(journal.read(tmp_path, 'bad'), 'r1', 'another process') is None
    assert journal.of_run(journal.read(tmp_path, 'bad'), 'r2', process) == journal.read(tmp_path, 'bad')


def test_what_a_box_took_is_kept_from_run_to_run(tmp_path, monkeypatch):
    clock = iter(range(0, 10000, 100))
    monkeypatch.setattr(artifacts, 'now', lambda: float(next(clock)))
    journal.record(tmp_path, 'box', 'r1', 'assess', 'started')
    journal.record(tmp_path, 'box', 'r1', 'prepare', 'started')
    took = journal.record(tmp_path, 'box', 'r1', 'commit', 'ok', outcome='migrated')['took']
    assert took['whole'] > took['changing'] > 0
    assert journal.record(tmp_path, 'box', 'r2', 'assess', 'ok', outcome='already_done')['took'] == took
    # a rollback by itself has no time of a migration
    assert journal.record(tmp_path, 'box', 'r3', 'rollback', 'rolled_back', outcome='rolled_back')['took'] == took


def test_an_outcome_closes_the_stage_the_box_broke_off_in(tmp_path):
    journal.record(tmp_path, 'box', 'r', 'upgrade', 'started')
    entry = journal.record(tmp_path, 'box', 'r', 'rollback', 'rolled_back', 'Hop 2 died.', outcome='rolled_back')
    assert entry['stages']['upgrade']['status'] == 'failed' and entry['stages']['upgrade']['ended']


def test_conclude_ends_what_is_open_and_never_overrules(tmp_path):
    journal.record(tmp_path, 'a', 'r', 'upgrade', 'started')
    journal.record(tmp_path, 'b', 'r', 'commit', 'ok', outcome='migrated')
    gone = journal.conclude(tmp_path, 'a', 'r', 'unknown', 'no link')
    assert gone['outcome'] == 'unknown' and gone['stages']['upgrade']['status'] == 'unknown' and gone['stages']['upgrade']['message'] == 'no link'
    assert journal.conclude(tmp_path, 'b', 'r', 'failed')['outcome'] == 'migrated'
    assert journal.conclude(tmp_path, 'c', 'r', 'failed') is None
    assert journal.conclude(tmp_path, 'a', 'another run', 'failed')['outcome'] == 'unknown'


def test_a_damaged_journal_is_begun_anew_and_left_out_of_reports(tmp_path):
    journal.record(tmp_path, 'good', 'r', 'assess', 'ok')
    journal.path(tmp_path, 'bad').write_text('{"host": 3}', encoding='utf-8')
    journal.path(tmp_path, 'worse').write_text('[', encoding='utf-8')
    assert [entry['host'] for entry in journal.read_all(tmp_path)] == ['good']
    assert journal.record(tmp_path, 'bad', 'r', 'assess', 'ok')['host'] == 'bad'


def _write(root, number):
    for _round in range(10):
        journal.record(root, 'box', 'r', f'stage{number}', 'ok')


def test_processes_at_once_lose_nothing(tmp_path):
    context = multiprocessing.get_context('fork')
    workers = [context.Process(target=_write, args=(tmp_path, number)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(journal.read(tmp_path, 'box')['stages']) == [f'stage{number}' for number in range(8)]
    assert not [path for path in journal.folder(tmp_path).iterdir() if path.name.startswith('.tmp')]


def test_stages_are_in_the_order_of_a_migration(tmp_path):
    for name in ('zebra', 'commit', 'assess', 'upgrade'):
        entry = journal.record(tmp_path, 'box', 'r', name, 'ok')
    assert journal.order(entry['stages']) == ['assess', 'upgrade', 'commit', 'zebra']


def test_reached_is_the_latest_stage_of_this_run():
    entry = {'host': 'b', 'run_id': 'r1', 'outcome': None, 'started': 1, 'stages': {}}
    journal.apply(entry, 'r1', 'fetch', 'ok', 50)
    journal.apply(entry, 'r2', 'assess', 'started', 60)
    assert journal.reached(entry) == 'assess'
    assert journal.reached({'host': 'b', 'run_id': None, 'stages': {}}) == ''


def test_a_hostile_host_name_gets_a_journal_inside_the_folder(tmp_path):
    journal.record(tmp_path, '../../etc/x', 'r', 'assess', 'ok')
    assert journal.path(tmp_path, '../../etc/x').parent == tmp_path / 'journal'
    assert journal.read_all(tmp_path)[0]['host'] == '../../etc/x'
    assert artifacts.read_json(journal.path(tmp_path, '../../etc/x'))['schema'] == 1
