# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report over several runs: no box is forgotten, none is told of with what is not true any more, and none keeps the others out."""

from __future__ import annotations

import json
import time
from xml.etree import ElementTree

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal, report, report_data, report_page, runs, waves

EIGHT = [f'box{number}' for number in range(1, 9)]


def begin(root, run_id, started, hosts, limit=None, playbook='jeedom.fleet.migrate', inventory='hosts', extra=()):
    artifacts.write_json(runs.path(root, run_id), {
        'schema': 1, 'run_id': run_id, 'started': started, 'hosts': hosts, 'language': 'en',
        'arguments': {'playbook': playbook, 'inventory': [inventory], 'limit': limit, 'extra': list(extra), 'flags': []}})


def ends(root, run_id, **outcomes):
    for host, outcome in outcomes.items():
        journal.record(root, host, run_id, 'commit', 'ok', 'Ended.', outcome=outcome)


def told(root):
    """({host: state on the page}, the command to go on with)."""
    built = report_data.build(root)
    return {each['host']: report_page._state(each) for each in built['boxes']}, (built['next'] or {}).get('command')


def untouched(root):
    return sorted(host for host, state in told(root)[0].items() if state == 'untouched')


@pytest.fixture
def stopped(tmp_path):
    """Wave 1 of a fleet of eight stopped at the gate: box1 was taken back, five boxes have not begun."""
    begin(tmp_path, 'r1', 1000, EIGHT)
    ends(tmp_path, 'r1', box1='rolled_back', box2='migrated', box3='migrated')
    return tmp_path


def test_a_run_over_one_box_forgets_none_of_the_others(stopped):
    begin(stopped, 'r2', 2000, ['box1'], limit='box1')
    ends(stopped, 'r2', box1='migrated')
    states, command = told(stopped)
    assert len(states) == 8 and untouched(stopped) == EIGHT[3:]
    assert command == 'ansible-playbook jeedom.fleet.migrate -i hosts --limit box4,box5,box6,box7,box8'
    assert 'All' not in report_page.html(report_data.build(stopped)).split('<h1>')[1].split('</h1>')[0]


def test_the_way_on_is_not_limited_to_what_the_newest_run_was(tmp_path):
    begin(tmp_path, 'r1', 1000, [f'box{number}' for number in range(20)], extra=['-e', 'jeedom_soak=5'])
    ends(tmp_path, 'r1', box1='rolled_back')
    begin(tmp_path, 'r2', 2000, ['box1'], limit='box1')
    ends(tmp_path, 'r2', box1='migrated')
    assert told(tmp_path)[1] == 'ansible-playbook jeedom.fleet.migrate -i hosts -e jeedom_soak=5'


def test_of_two_sites_each_is_told_until_it_is_done(tmp_path):
    begin(tmp_path, 'r1', 1000, ['a1', 'a2'], extra=['-e', 'jeedom_target=site_a'])
    begin(tmp_path, 'r2', 2000, ['b1', 'b2'], extra=['-e', 'jeedom_target=site_b'])
    ends(tmp_path, 'r2', b1='migrated')
    assert untouched(tmp_path) == ['a1', 'a2', 'b2']
    assert told(tmp_path)[1].endswith('-e jeedom_target=site_b --limit b2')
    ends(tmp_path, 'r2', b2='migrated')
    assert told(tmp_path)[1].endswith('-e jeedom_target=site_a --limit a1,a2')


def test_a_box_that_is_no_longer_in_the_inventory_is_left_out_after_the_next_whole_run(stopped):
    begin(stopped, 'r2', 2000, ['box1'], limit='box1')
    begin(stopped, 'r3', 3000, EIGHT[:7])
    assert untouched(stopped) == EIGHT[3:7]


@pytest.mark.parametrize('change', [{'inventory': 'others'}, {'playbook': 'site.yml'}, {'playbook': 'jeedom.fleet.backup'}, {'limit': 'box*'},
                                    {'extra': ['-e', '{"jeedom_target": "site_a"}']}, {'extra': ['-e', '@site.yml']}])
def test_only_a_whole_run_over_the_same_inventory_leaves_boxes_out(stopped, change):
    begin(stopped, 'r2', 2000, EIGHT[:7], **change)
    assert untouched(stopped) == EIGHT[3:]


def test_an_inventory_of_almost_nothing_is_no_smaller_fleet(stopped):
    begin(stopped, 'r2', 2000, ['box1'])
    assert untouched(stopped) == EIGHT[3:]


@pytest.mark.parametrize('odd', [[], 'x', {'run_id': ['x']}, {'run_id': 'r9', 'started': 'x', 'hosts': 'box1', 'arguments': 'x'},
                                 {'run_id': 'r9', 'started': None, 'hosts': [None, 3, ''], 'arguments': {'extra': [3, '-e', '{broken'], 'playbook': 3}}])
def test_a_run_that_cannot_be_read_stops_no_report(stopped, odd):
    artifacts.write_json(runs.path(stopped, 'r9'), odd)
    assert untouched(stopped) == EIGHT[3:]


# -- a box that was taken back

@pytest.fixture
def taken_back(tmp_path):
    """The V4 was up, has lost scenarios and a plugin, and the box was taken back."""
    begin(tmp_path, 'r1', 1000, ['b'])
    journal.record(tmp_path, 'b', 'r1', 'assess', 'ok', 'Ready', None, {'from_version': '3.3.60', 'target_version': '4.5.3', 'route': ['4.5.3']})
    upgraded = {'from_version': '3.3.60', 'version': '4.5.3', 'outage': 10, 'hops': [{'version': '4.5.3', 'seconds': 10}]}
    journal.record(tmp_path, 'b', 'r1', 'upgrade', 'ok', 'Up.', None, upgraded)
    folder = artifacts.run_dir(tmp_path, 'r1', 'b')
    for name, count, plugins in (('before', 10, [{'id': 'x'}]), ('after', 7, [])):
        artifacts.write_json(folder / f'facts-{name}.json', {'census': {'entities': {'scenarios': {'count': count}}}, 'plugins': {'items': plugins}})
    artifacts.write_json(folder / 'census-difference.json', [{'text': '3 scenarios fewer'}])
    journal.record(tmp_path, 'b', 'r1', 'verify', 'failed', '3 scenarios fewer', None, {'census_difference': [{'text': '3 scenarios fewer'}]})
    return tmp_path


def found(root):
    each = report_data.build(root)['boxes'][0]
    return each['census']['after'], each['census']['differences'], each['plugins'][0]['removed'], each['hops'], each['outage']


def test_what_a_version_was_that_is_gone_is_not_told_of_the_box(taken_back):
    assert found(taken_back) == ({'scenarios': 7}, ['3 scenarios fewer'], True, [{'version': '4.5.3', 'duration': 10, 'attempts': 1}], 10)
    journal.record(taken_back, 'b', 'r1', 'rollback', 'rolled_back', 'Not proved.', outcome='rolled_back')
    assert found(taken_back) == ({}, [], False, [], None)
    time.sleep(0.01)
    begin(taken_back, 'r2', 2000, ['b'])
    journal.record(taken_back, 'b', 'r2', 'assess', 'blocked', 'No.', outcome='blocked')
    assert found(taken_back) == ({}, [], False, [], None)
    time.sleep(0.01)
    journal.record(taken_back, 'b', 'r3', 'upgrade', 'ok', 'Up.', None, {'hops': [{'version': '4.5.3'}], 'outage': 3})
    journal.record(taken_back, 'b', 'r3', 'verify', 'ok', 'Whole.', outcome='migrated')
    artifacts.write_json(artifacts.run_dir(taken_back, 'r3', 'b') / 'census-difference.json', [])
    artifacts.write_json(artifacts.run_dir(taken_back, 'r3', 'b') / 'facts-after.json', {'census': {'entities': {'scenarios': {'count': 10}}}})
    assert found(taken_back)[:2] == ({'scenarios': 10}, []) and found(taken_back)[4] == 3


# -- one box and the others

ENDLESS = float('inf')
ODD_FACTS = [
    {'plugins': {'items': [{'id': 'x', 'equipments': ENDLESS}]}},
    {'census': {'entities': {'objects': {'count': ENDLESS}}}}, {'plugins': {'items': [{'id': ['x']}]}},
    {'plugins': {'items': [{'id': {'a': []}, 'equipments': 10 ** 400}]}}, {'census': {'files': {'count': -ENDLESS}, 'history': {'h': {'rows': 10 ** 400}}}}]


def whole_report(root):
    files = report.write(root)
    data = json.loads(artifacts.Path(files['json']).read_text(encoding='utf-8'))
    assert 'good' in artifacts.Path(files['html']).read_text(encoding='utf-8') and 'good' in artifacts.Path(files['csv']).read_text(encoding='utf-8')
    assert 'good' in [suite.get('name') for suite in ElementTree.parse(files['junit']).getroot()]
    return {each['host']: each for each in data['boxes']}


@pytest.mark.parametrize('facts', ODD_FACTS)
def test_numbers_without_end_from_one_box_keep_no_report_back(tmp_path, facts):
    for host in ('evil', 'good'):
        hops = [{'version': '4', 'seconds': ENDLESS}]
        journal.record(tmp_path, host, 'r1', 'upgrade', 'ok', 'x', result={'hops': hops, 'outage': ENDLESS}, outcome='migrated')
    for name in ('facts-before', 'facts-after'):
        artifacts.write_json(artifacts.run_dir(tmp_path, 'r1', 'evil') / f'{name}.json', facts)
    assert set(whole_report(tmp_path)) == {'evil', 'good'}


ODD_JOURNALS = [
    {'stages': {'assess': None, 'backup': 'ok', 'fetch': []}}, {'history': ['x', {'run_id': ['x'], 'updated': 1e300}]}, {'run_id': None}, {'outcome': ['foo']},
    {'outcome': 'foo'}, {'host': ''}, {'started': 'x', 'updated': ENDLESS},
    {'stages': {'assess': {'status': ['ok'], 'started': 'x', 'ended': {}, 'done': 'x'}}},
    {'stages': {'assess': {'status': 'ok', 'run_id': ['r'], 'started': 1e300, 'ended': -1e300, 'done': {'run_id': {}}}}}]


@pytest.mark.parametrize('odd', ODD_JOURNALS)
def test_a_journal_of_another_shape_keeps_no_report_back(tmp_path, odd):
    journal.record(tmp_path, 'good', 'r1', 'assess', 'ok', 'x')
    artifacts.write_json(journal.folder(tmp_path) / 'b.json', {'host': 'b', 'run_id': 'r', 'stages': {}, **odd})
    assert set(whole_report(tmp_path)) == ({'good'} if odd.get('host') == '' else {'good', 'b'})


@pytest.mark.parametrize('odd', [
    [{'number': 1}], ['x', None], [{'number': [], 'started': 'x', 'ended': ENDLESS, 'states': {'a': ['x']}, 'bad': 'x'}], [{'states': 'x'}]])
def test_waves_of_another_shape_keep_no_report_back(tmp_path, odd):
    begin(tmp_path, 'r1', 1000, ['good'])
    artifacts.write_json(waves.path(tmp_path, 'r1'), odd)
    assert set(whole_report(tmp_path)) == {'good'}


def test_a_box_whose_records_cannot_be_read_has_its_row_all_the_same(tmp_path, monkeypatch):
    for host in ('evil', 'good'):
        journal.record(tmp_path, host, 'r1', 'assess', 'ok', 'Ready.', outcome='ready')

    def broken(before, after):
        if before == 'evil':
            raise RecursionError
        return []

    artifacts.write_json(artifacts.run_dir(tmp_path, 'r1', 'evil') / 'facts-before.json', 'evil')
    monkeypatch.setattr(report_data, 'plugins', broken)
    boxes = whole_report(tmp_path)
    assert boxes['good']['message'] == 'Ready.'
    assert boxes['evil']['outcome'] == 'ready' and 'records of this box in the artifacts folder cannot be read' in boxes['evil']['message']


# -- JUnit

def suites(root):
    tree = ElementTree.fromstring(''.join(report.junit(report_data.build(root))).encode('utf-8'))
    return {suite.get('name'): ([(case.get('name'), [each.tag for each in case]) for case in suite],
                                tuple(int(suite.get(key)) for key in ('tests', 'failures', 'errors', 'skipped'))) for suite in tree}


def test_a_stage_that_never_ended_and_a_box_that_never_began_are_not_green(tmp_path):
    begin(tmp_path, 'r1', 1000, ['box1', 'box2'])
    journal.record(tmp_path, 'box1', 'r1', 'assess', 'ok')
    journal.record(tmp_path, 'box1', 'r1', 'upgrade', 'started')
    assert suites(tmp_path) == {'box1': ([('assess', []), ('upgrade', ['error'])], (2, 0, 1, 0)), 'box2': ([('outcome', ['skipped'])], (1, 0, 0, 1))}


@pytest.mark.parametrize('outcome, verdict', [('failed', 'failure'), ('unknown', 'failure'), ('rolled_back', 'failure'), ('blocked', 'skipped'),
                                              (None, 'skipped'), ('migrated', None), ('already_done', None)])
def test_how_a_box_ended_is_told_where_none_of_its_stages_does(tmp_path, outcome, verdict):
    journal.record(tmp_path, 'box', 'r1', 'assess', 'ok', 'Said.', outcome=outcome)
    cases, counts = suites(tmp_path)['box']
    assert cases == [('assess', [])] + ([('outcome', [verdict])] if verdict else [])
    assert counts == (len(cases), verdict == 'failure', 0, verdict == 'skipped')


def test_what_a_stage_tells_is_not_told_twice(tmp_path):
    journal.record(tmp_path, 'box', 'r1', 'upgrade', 'failed', 'No room.')
    journal.record(tmp_path, 'box', 'r1', 'rollback', 'rolled_back', 'Back.', outcome='rolled_back')
    assert suites(tmp_path)['box'] == ([('upgrade', ['failure']), ('rollback', ['failure'])], (2, 2, 0, 0))
