# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waves: whose fate counts, when the next one may start, which boxes come when."""

from __future__ import annotations

import time

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import waves

HOSTS = [f'b{number}' for number in range(1, 9)]


def test_boxes_that_ansible_dropped_still_belong_to_the_wave():
    # b2 is unreachable and gone from the batch, b4 failed at its end: both have begun in this run
    assert waves.members(HOSTS, ['b3'], {'b1'}, {'b1', 'b2', 'b3', 'b4'}) == ['b2', 'b3', 'b4']


def test_a_box_between_two_of_the_batch_belongs_to_the_wave_even_without_a_journal():
    assert waves.members(HOSTS, ['b2', 'b4'], {'b1'}, set()) == ['b2', 'b3', 'b4']


def test_boxes_of_later_waves_do_not_belong():
    assert waves.members(HOSTS, ['b2'], {'b1'}, {'b1', 'b2'}) == ['b2']
    assert waves.members(HOSTS, [], set(), set()) == []


@pytest.mark.parametrize('outcome, alive, expected', [
    ('migrated', True, 'migrated'), ('rolled_back', True, 'rolled_back'), ('blocked', False, 'blocked'), (None, True, 'ok'), (None, False, 'unknown')])
def test_state_is_the_outcome_and_silence_of_a_lost_box_is_unknown(outcome, alive, expected):
    assert waves.state({'run_id': 'r', 'outcome': outcome, 'stages': {}}, 'r', alive) == expected


def test_an_open_stage_is_unknown_and_an_outcome_of_an_earlier_run_is_worth_nothing():
    stage = {'upgrade': {'status': 'started', 'run_id': 'r'}}
    assert waves.state({'run_id': 'r', 'outcome': None, 'stages': stage}, 'r', True) == 'unknown'
    for alive in (True, False):
        # a box that is alive and has said nothing is one of which nobody knows
        assert waves.state({'run_id': 'before', 'outcome': 'migrated', 'stages': stage}, 'r', alive) == 'unknown' == waves.state(None, 'r', alive)
    failed = {'backup': {'status': 'failed', 'run_id': 'r'}}
    assert waves.state({'run_id': 'r', 'outcome': None, 'stages': failed}, 'r', False) == 'failed'


@pytest.mark.parametrize('bad, most, percent, passed', [
    (0, None, None, True), (1, None, None, False), (1, '1', None, True), (2, '1', None, False), (1, None, '10%', True), (2, None, '10%', False),
    (2, 5, '10 %', False), (2, 1, 90, False), (2, 2, 20.0, True), (1, '', '', False), (0, 0, 0, True)])
def test_limits_in_every_spelling_that_extra_vars_bring(bad, most, percent, passed):
    states = {f'b{number}': 'unknown' if number < bad else 'migrated' for number in range(10)}
    told = waves.judge(states, most, percent)
    assert told['passed'] is passed and len(told['bad']) == bad


def test_what_counts_as_bad():
    states = {'a': 'migrated', 'b': 'blocked', 'c': 'failed', 'd': 'unknown', 'e': 'rolled_back', 'f': 'ready', 'g': 'ok', 'h': 'already_done'}
    assert waves.judge(states)['bad'] == ['c', 'd', 'e']


@pytest.mark.parametrize('value', ['many', '-1', 'nan', 'inf', [1]])
def test_a_limit_that_is_no_number_is_refused(value):
    with pytest.raises(waves.WaveError, match='jeedom_max_failed is'):
        waves.judge({'a': 'ok'}, value)


def sizes(setting, hosts=24, groups=None):
    return [len(wave) for wave in waves.plan(setting, [f'b{number}' for number in range(hosts)], groups or {})]


@pytest.mark.parametrize('setting, hosts, expected', [
    (None, 24, [1, 5, 6, 6, 6]), ([1, 5, '25%'], 3, [1, 2]), ('1,5,25%', 24, [1, 5, 6, 6, 6]), ([2], 5, [2, 2, 1]), (['100%'], 5, [5]), (['1%'], 3, [1, 1, 1]),
    ([1, '50%'], 1, [1]), (['1', '5'], 8, [1, 5, 2])])
def test_sizes(setting, hosts, expected):
    assert sizes(setting, hosts) == expected


def test_groups_name_waves_and_every_box_has_exactly_one():
    groups = {'canary': ['b7', 'elsewhere'], 'paris': ['b1', 'b7', 'b2']}
    plan = waves.plan(['canary', 'paris', 2], HOSTS, groups)
    assert plan == [['b7'], ['b1', 'b2'], ['b3', 'b4'], ['b5', 'b6'], ['b8']]
    assert waves.plan(['canary'], HOSTS, groups)[1] == ['b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b8']


@pytest.mark.parametrize('setting', [['nobody'], [0], [-3], ['x%']])
def test_a_wave_that_means_nothing_is_refused(setting):
    with pytest.raises(waves.WaveError, match='no number of boxes'):
        waves.plan(setting, HOSTS, {})


def test_judged_waves_are_kept_per_run(tmp_path):
    waves.add(tmp_path, 'r', {'number': 1})
    waves.add(tmp_path, 'r', {'number': 2})
    assert [wave['number'] for wave in waves.read(tmp_path, 'r')] == [1, 2] and waves.read(tmp_path, 'other') == []


def moment(clock):
    return time.mktime(time.strptime(f'2026-11-23 {clock}', '%Y-%m-%d %H:%M'))


@pytest.mark.parametrize('window, clock, left', [
    ('22:00-05:00', '23:00', 6 * 3600), ('22:00-05:00', '04:59', 60), ('22:00-05:00', '05:00', 0), ('22:00-05:00', '12:00', 0), ('09:00-12:30', '12:00', 1800),
    ('0:00-24:00', '18:00', 6 * 3600), (' 9:00 - 10:00 ', '08:59', 0)])
def test_maintenance_window_also_over_midnight(window, clock, left):
    assert waves.window_left(window, moment(clock)) == left


@pytest.mark.parametrize('window', ['night', '25:00-26:00', '22-5', '22:00', '', '10:60-11:00'])
def test_a_window_that_is_none_is_refused(window):
    with pytest.raises(waves.WaveError, match='jeedom_window'):
        waves.window_left(window)


def test_a_wave_is_expected_to_take_what_the_slowest_box_took():
    entries = [{'took': {'whole': 600.0}}, {'outcome': 'blocked', 'started': 1000, 'updated': 9000}, {'took': {'whole': float('inf')}}, {'took': None}]
    assert waves.expected(entries) == 720 and waves.expected([]) == waves.EXPECTED and waves.expected(entries, '30') == 1800
    assert waves.expected([*entries, {'took': {'whole': 1000}}]) == 1200


def test_expected_minutes_that_are_none_are_refused_by_their_name():
    with pytest.raises(waves.WaveError, match='jeedom_expected_minutes'):
        waves.expected([], 'soon')


@pytest.mark.parametrize('setting, expected', [
    (['canary', 3, 'hospital'], [['b7', 'b8'], ['b3', 'b4', 'b5'], ['b6'], ['b1', 'b2']]),
    ([1, 'canary', 5, '25%'], [['b1'], ['b7', 'b8'], ['b2', 'b3', 'b4', 'b5', 'b6']]),
    (['b5', 2, 'canary'], [['b5'], ['b1', 'b2'], ['b3', 'b4'], ['b6'], ['b7', 'b8']]),
    ('["canary", 5]', [['b7', 'b8'], ['b1', 'b2', 'b3', 'b4', 'b5'], ['b6']]), ('[canary, 40%]', [['b7', 'b8'], ['b1', 'b2', 'b3'], ['b4', 'b5', 'b6']]),
    ([1, '37.5%'], [['b1'], ['b2', 'b3', 'b4'], ['b5', 'b6', 'b7'], ['b8']]), (5, [['b1', 'b2', 'b3', 'b4', 'b5'], ['b6', 'b7', 'b8']]),
    (['elsewhere', 'canary'], [['b7', 'b8'], ['b1', 'b2', 'b3', 'b4', 'b5', 'b6']]), (['canary', 'canary', 'b7', 6], [['b7', 'b8'], HOSTS[:6]])])
def test_waves_go_in_the_order_of_the_setting_and_a_box_in_the_wave_that_names_it(setting, expected):
    groups = {'jeedom': HOSTS, 'canary': ['b7', 'elsewhere', 'b8'], 'hospital': ['b1', 'b2']}
    assert waves.plan(setting, HOSTS, groups) == expected
    assert waves.pattern(setting, HOSTS, groups) == ','.join(host for wave in expected for host in wave)
    assert waves.sizes(setting, HOSTS, groups) == [len(wave) for wave in expected]


def test_where_no_box_is_left_ansible_gets_a_wave_all_the_same():
    assert waves.sizes('canary,2', [], {'canary': ['b7']}) == [1] and waves.pattern('canary,2', [], {'canary': ['b7']}) == ''


@pytest.mark.parametrize('setting', ['[canary', '[1, {]'])
def test_a_list_that_is_none_is_refused(setting):
    with pytest.raises(waves.WaveError, match='give a list'):
        waves.plan(setting, HOSTS, {})


def test_the_time_for_changes_is_that_of_the_slowest_box_and_not_less_than_half_of_what_the_operator_says():
    entries = [{'took': {'whole': 1000, 'changing': 500.0}}, {'took': {'whole': 9000.0, 'changing': 100}}, {'outcome': 'failed'}]
    assert waves.expected_change(entries) == 600.0 == waves.expected_change(entries, 10) and waves.expected_change(entries, 120) == 3600.0
    assert waves.expected_change([], '40') == 1200.0 and waves.expected_change([]) == 1800.0


@pytest.mark.parametrize('at, left', [((2026, 3, 28, 23, 0), 5), ((2026, 3, 29, 1, 0), 3), ((2026, 10, 24, 23, 0), 7), ((2026, 3, 27, 23, 0), 6)])
def test_a_night_in_which_the_clocks_change_is_as_long_as_it_is(monkeypatch, at, left):
    monkeypatch.setenv('TZ', 'Europe/Paris')
    time.tzset()
    try:
        assert waves.window_left('22:00-05:00', time.mktime((*at, 0, 0, 0, -1))) == left * 3600
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize('name, value, word', [('jeedom_max_failed', '10%', 'jeedom_max_failed_percent'), ('jeedom_soak', '1h', 'seconds'),
                                               ('jeedom_soak', '5%', 'seconds'), ('jeedom_expected_minutes', 'soon', 'minutes')])
def test_a_number_of_another_kind_is_refused_by_its_name_and_kind(name, value, word):
    with pytest.raises(waves.WaveError, match=f'{name} is .*{word}'):
        waves.number(value, name)


def test_a_box_is_refused_only_when_the_window_is_too_short():
    at = time.mktime((2026, 11, 25, 4, 50, 0, 0, 0, -1))
    assert waves.too_late('', [], now=at) == '' == waves.too_late('22:00-06:00', [], now=at)
    assert '22:00-05:00 has 10 min left' in waves.too_late('22:00-05:00', [], now=at) and 'about 30 min' in waves.too_late('22:00-05:00', [], now=at)
