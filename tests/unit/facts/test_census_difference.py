# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences of two censuses are named in words, and an empty list means that nothing was lost."""

from __future__ import annotations

import copy

import pytest

pytest.importorskip('ansible')

from ansible.errors import AnsibleFilterError  # noqa: E402

from ansible_collections.jeedom.fleet.plugins.filter.census import FilterModule  # noqa: E402
from ansible_collections.jeedom.fleet.plugins.plugin_utils.census_difference import NAMED, difference  # noqa: E402

BEFORE = {
    'entities': {
        'commands': {'count': 2, 'digest': 'd', 'volatile': False, 'items': {'1': ['[a][b][on]', 'c1', 's1'], '2': ['[a][b][off]', 'c2', '']}},
        'variables': {'count': 1, 'digest': 'v', 'volatile': True, 'items': {'7': ['presence', 'x', 'y']}},
        'interaction_queries': {'count': 5, 'digest': None, 'volatile': True, 'items': None}},
    'history': {'history': {'rows': 34000, 'digest': 'h', 'commands': {'1': [30000, 'a'], '2': [4000, 'b']}},
                'historyArch': {'rows': 0, 'digest': '0', 'commands': {}}},
    'plugin_folders': ['virtual', 'weather'],
    'files': {'count': 1, 'digest': 'f', 'items': {'desktop/custom/custom.css': [7, 'abc']}},
    'exact': {'tables': {'cmd': {'rows': 2, 'checksum': '11'}, 'user': {'rows': 1, 'checksum': '5'}},
              'folders': {'core': [3, 10, 'x'], 'core/class': [1, 4, 'y']}},
}


def changed(change) -> dict:
    after = copy.deepcopy(BEFORE)
    change(after)
    return after


def texts(after, **options) -> list[str]:
    return [entry['text'] for entry in difference(BEFORE, after, **options)]


@pytest.mark.parametrize('level', ['stable', 'exact'])
def test_the_same_census_has_no_difference(level):
    assert difference(BEFORE, copy.deepcopy(BEFORE), level, everything=True) == []


@pytest.mark.parametrize('change, expected', [
    (lambda c: c['entities']['commands']['items'].pop('1'), ['command [a][b][on] is gone']),
    (lambda c: c['entities']['commands']['items']['1'].__setitem__(1, 'new'), ['command [a][b][on] changed']),
    (lambda c: c['entities']['commands']['items']['1'].__setitem__(2, 'new'), ['the settings of command [a][b][on] changed']),
    (lambda c: c['entities'].__setitem__('commands', None), ['the commands could not be counted again']),
    (lambda c: c['entities'].pop('commands'), ['the commands could not be counted again']),
    (lambda c: c['entities']['commands'].update(items=None, count=1), ['1 command fewer (1 instead of 2)']),
    (lambda c: c['entities']['commands'].update(items=None, digest='other'), ['some of the 2 commands changed']),
    (lambda c: c['plugin_folders'].remove('weather'), ['plugin folder weather is gone']),
    (lambda c: c['files']['items'].clear(), ['file desktop/custom/custom.css is gone']),
    (lambda c: c['files']['items'].update({'desktop/custom/custom.css': [7, 'xyz']}), ['file desktop/custom/custom.css changed']),
    (lambda c: c['history']['history'].update(rows=33988, digest='x', commands={'1': [29988, 'z'], '2': [4000, 'b']}),
     ['12 history rows fewer (33,988 instead of 34,000)', '12 history rows fewer of [a][b][on]']),
    (lambda c: c['history']['history'].update(digest='x', commands={'1': [30000, 'z'], '2': [4000, 'b']}), ['history rows of [a][b][on] changed']),
    (lambda c: c['history']['history'].update(digest='x', commands=None), ['some of the 34,000 history rows changed']),
    (lambda c: c['history'].update(history=None), ['the history rows could not be counted again']),
])
def test_a_loss_is_named(change, expected):
    assert texts(changed(change)) == expected


@pytest.mark.parametrize('change, expected', [
    (lambda c: c['entities']['commands']['items'].update({'3': ['[a][b][new]', 'c', '']}), ['command [a][b][new] is new']),
    (lambda c: c['entities']['variables']['items']['7'].__setitem__(2, 'z'), ['the settings of variable presence changed']),
    (lambda c: c['entities']['interaction_queries'].update(count=3), ['2 interaction queries fewer (3 instead of 5)']),
    (lambda c: c['files']['items'].update({'data/x': [1, 'q']}), ['file data/x is new']),
    (lambda c: c['history']['history'].update(rows=34001, digest='x', commands={'1': [30001, 'z'], '2': [4000, 'b']}),
     ['1 history row more (34,001 instead of 34,000)'])])
def test_what_is_new_or_passing_is_no_loss_but_can_be_asked_for(change, expected):
    after = changed(change)
    assert texts(after) == []
    assert texts(after, everything=True) == expected


def test_an_updated_plugin_may_change_its_own_but_not_delete_it():
    before, after = copy.deepcopy(BEFORE), copy.deepcopy(BEFORE)
    before['entities']['commands']['items'] = {
        '1': ['[a][b][on]', 'c1', 's1', 'virtual'], '2': ['[a][b][off]', 'c2', '', 'virtual'], '3': ['[x][y][z]', 'c3', '', 'weather']}
    after['entities']['commands']['items'] = {'1': ['[a][b][on]', 'c1', 'new', 'virtual'], '3': ['[x][y][z]', 'new', '', 'weather']}
    found = [entry['text'] for entry in difference(before, after, updated_plugins=['virtual'])]
    assert found == ['command [a][b][off] is gone', 'command [x][y][z] changed']
    assert len(difference(before, after)) == 3


def test_rows_that_moved_do_not_hide_a_loss_of_others():
    after = changed(lambda c: c['history']['history'].update(rows=34001, digest='x', commands={'1': [30002, 'z'], '2': [3999, 'b']}))
    assert texts(after) == ['1 history row fewer of [a][b][off]']


def test_many_losses_are_summed_up():
    before = copy.deepcopy(BEFORE)
    before['entities']['commands']['items'] = {str(number): [f'[a][b][{number}]', 'c', ''] for number in range(NAMED + 12)}
    after = copy.deepcopy(before)
    after['entities']['commands']['items'] = {}
    found = [entry['text'] for entry in difference(before, after)]
    assert len(found) == NAMED + 1 and found[-1] == 'another 12 commands are gone'


@pytest.mark.parametrize('change, expected', [
    (lambda c: c['exact']['tables'].pop('user'), ['table user is gone']),
    (lambda c: c['exact']['tables']['cmd'].update(rows=1), ['table cmd has 1 row fewer']),
    (lambda c: c['exact']['tables']['cmd'].update(checksum='12'), ['rows of table cmd changed']),
    (lambda c: c['exact']['tables'].update(widgets={'rows': 0, 'checksum': '0'}), ['table widgets is new']),
    (lambda c: c['exact']['folders'].update({'core/class': [1, 4, 'z']}), ['folder core/class changed']),
    (lambda c: c['exact']['folders'].pop('core'), ['folder core is gone']),
    (lambda c: c['exact']['folders'].update({'core/new': [0, 0, '']}), ['folder core/new is new']),
    (lambda c: c.pop('exact'), ['no exact census was taken after'])])
def test_the_exact_level_names_tables_and_folders(change, expected):
    assert texts(changed(change), level='exact') == expected


@pytest.mark.parametrize('change, expected', [
    (lambda c: c['exact']['tables'].pop('user'), ('tables', 'missing', 'user', None)),
    (lambda c: c['exact']['tables']['cmd'].update(rows=1), ('tables', 'missing', 2, 1)),
    (lambda c: c['exact']['tables']['cmd'].update(rows=3), ('tables', 'added', 2, 3)),
    (lambda c: c['exact']['tables']['cmd'].update(checksum='12'), ('tables', 'changed', '11', '12')),
    (lambda c: c['exact']['tables'].update(widgets={'rows': 0, 'checksum': '0'}), ('tables', 'added', None, 'widgets')),
    (lambda c: c['exact']['folders'].update({'core/class': [1, 4, 'z']}), ('folders', 'changed', [1, 4, 'y'], [1, 4, 'z'])),
    (lambda c: c['exact']['folders'].pop('core'), ('folders', 'missing', [3, 10, 'x'], None)),
    (lambda c: c.pop('exact'), ('exact', 'unknown', True, False))])
def test_what_is_made_of_the_exact_level_can_be_read_by_programs(change, expected):
    (found,) = difference(BEFORE, changed(change), 'exact', everything=True)
    assert (found['what'], found['kind'], found['before'], found['after']) == expected


def test_an_exact_census_that_was_never_taken_is_unknown_and_says_which():
    (found,) = difference(changed(lambda c: c.pop('exact')), BEFORE, 'exact')
    assert (found['kind'], found['before'], found['after'], found['text']) == ('unknown', False, True, 'no exact census was taken before')


@pytest.mark.parametrize('before, after, options', [
    (None, BEFORE, {}), (BEFORE, 'text', {}), ({}, BEFORE, {}), (BEFORE, BEFORE, {'level': 'wild'})])
def test_what_is_no_census_is_an_error_of_the_filter(before, after, options):
    with pytest.raises(AnsibleFilterError):
        FilterModule().filters()['census_difference'](before, after, **options)


def test_a_hostile_census_neither_crashes_nor_paints():
    hostile = {'entities': {'commands': {'count': 'x', 'items': {'1': 7, '2': [], '3': ['\x1b[31m<b>\u202e', 1, 2]}}, 'users': []},
               'history': {'history': {'rows': 'a', 'commands': {'1': None, '2': [None, None]}}}, 'plugin_folders': None, 'files': [],
               'exact': {'tables': {'a': None}, 'folders': {'b': [1]}}}
    for level in ('stable', 'exact'):
        for before, after in ((BEFORE, hostile), (hostile, BEFORE)):
            for entry in difference(before, after, level, everything=True):
                assert entry['text'].isprintable()
