# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks are made of: facts of any type are read as one type or not at all, and what is shown has its limits."""

from __future__ import annotations

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import checks_base, checks_plugins, checks_storage, knowledge, routes
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import View, hit, listed, printable, size

KNOWN = knowledge.load()
LONG = 'x' * 5000


def case(facts=None, **options):
    """A case of facts that are given as they are."""
    return checks_base.Case(View(facts), KNOWN, options.pop('target', '4.5.3'), 0.0, **options)


# -- texts

def test_texts_are_cut_to_their_width():
    assert len(printable(LONG)) == 60 and len(printable(LONG, 7)) == 7 and printable('x' * 60) == 'x' * 60
    view = View({'a': LONG, 'b': [LONG], LONG: 1})
    assert len(view.text('a')) == 120 and len(view.text('a', 5)) == 5
    assert len(view.texts('b')[0]) == 120 and len(view.texts('b', 5)[0]) == 5
    assert len(View({'m': {LONG: 1}}).pairs('m')[0][0]) == 80


@pytest.mark.parametrize('text, shown', [
    ('a{{ b }}', 'a{ { b }}'), ('{% raw %}', '{ % raw %}'), ('{# x #}', '{ # x #}'), ('{a} {', '{a} {'), (7, '7'), (None, 'None')])
def test_nothing_that_a_template_acts_on_comes_through(text, shown):
    assert printable(text) == shown


# -- facts

FACTS = {'text': 'a', 'empty': '', 'blank': ' \n', 'int': 3, 'float': 1.5, 'zero': 0, 'true': True, 'false': False, 'none': None, 'inf': float('inf'),
         'nan': float('nan'), 'list': ['a', 1, True, None, {'b': 1}, ['c']],
         'capped': {'count': 9, 'items': [{'id': 1}, 'x', {'id': 2}]}, 'map': {'in': {'ner': 'd'}}}


@pytest.mark.parametrize('read, found', [
    ('text', {'text': 'a', 'int': '3', 'float': '1.5', 'zero': '0', 'inf': 'inf', 'nan': 'nan'}),
    ('number', {'int': 3, 'float': 1.5, 'zero': 0}),
    ('flag', {'true': True, 'false': False}),
])
def test_a_fact_of_another_type_is_none(read, found):
    view = View(FACTS)
    assert {name: value for name in FACTS if (value := getattr(view, read)(name)) is not None} == found


def test_a_path_that_leads_nowhere_is_none():
    view = View(FACTS)
    assert view.get('map.in.ner') == 'd' and view.view('map.in').text('ner') == 'd'
    for path in ('map.in.ner.more', 'map.out.ner', 'text.a', 'list.0', 'nothing'):
        assert view.get(path) is None and view.view(path).data == {}
    assert View(['no', 'mapping']).data == {} and View(None).get('a') is None


def test_lists_hold_what_can_be_used_and_capped_ones_say_how_many_there_are():
    view = View(FACTS)
    assert view.texts('list') == ['a', '1'] and view.texts('capped') == ['x'] and view.texts('text') == []
    assert [item.get('id') for item in view.items('capped')] == [1, 2] and [item.get('b') for item in view.items('list')] == [1]
    assert [view.count(name) for name in ('capped', 'list', 'text', 'nothing')] == [9, 6, 0, 0]


@pytest.mark.parametrize('told, count', [(0, 2), (1, 2), (2, 2), (3, 3), (-1, 2), (True, 2), ('9', 2), (9.0, 2), (None, 2)])
def test_a_count_that_cannot_be_is_that_of_the_list(told, count):
    assert View({'a': {'count': told, 'items': ['x', 'y']}}).count('a') == count


def test_of_lists_without_end_a_part_is_looked_at():
    view = View({'texts': ['x'] * 5000, 'maps': [{}] * 5000, 'pairs': {str(number): number for number in range(5000)}})
    assert len(view.texts('texts')) == 150 and len(view.items('maps')) == 600 and view.count('maps') == 600
    assert view.pairs('pairs') == [(str(number), number) for number in range(600)] and view.pairs('texts') == []


# -- the case

@pytest.mark.parametrize('version, v3', [('3.3.60', True), ('4.0', False), ('4.0.0', False), ('4.5.3', False), (None, False), ('x', False)])
def test_a_v3_is_below_4(version, v3):
    assert case({'core': {'version_file': version}}).v3 is v3 and case({'core': {'version_file': version}}).version == version


@pytest.mark.parametrize('value, inside', [(True, True), (False, False), ('yes', False), (1, False), (None, False)])
def test_our_own_migration_is_open_when_the_box_says_so(value, inside):
    assert case({'activity': {'transaction': {'open': value}}}).transaction is inside


def test_the_versions_of_the_way_are_those_of_the_route_then_of_a_better_box_then_the_target():
    steps = [{'version': '4.0.63'}, {'version': '4.1.28'}]
    assert case(route=steps, ideal=['4.4.20']).hops() == ['4.0.63', '4.1.28']
    assert case(ideal=['4.4.20', '4.5.3']).hops() == ['4.4.20', '4.5.3'] and case().hops() == ['4.5.3'] and case(target='9.9').hops() == ['9.9']
    assert [entry['id'] for entry in case(ideal=['9.9', '4.4.20']).entries()] == ['4.4.20'] and case(target='9.9').entries() == []


def test_the_largest_of_the_way_counts_or_what_is_usual():
    sizes = {entry['id']: entry['zip_mb'] for entry in KNOWN.section('versions').values() if 'zip_mb' in entry}
    way = list(sizes)[:3]
    assert case(ideal=way).most('zip_mb', 1) == max(sizes[name] for name in way)
    assert case(target='9.9').most('zip_mb', 48) == 48 and case(ideal=way).most('no_such_key', 7) == 7


# -- hits

@pytest.mark.parametrize('count, shown', [(0, 0), (1, 1), (20, 20), (21, 21), (500, 21)])
def test_a_hit_shows_twenty_lines_and_how_many_more(count, shown):
    found = hit('x', (LONG for number in range(count)))
    assert len(found.evidence) == shown and all(len(line) == 160 for line in found.evidence[:20])
    assert found.evidence[20:] == ([f'and {count - 20} more'] if count > 20 else [])


def test_a_hit_holds_what_it_was_given():
    found = hit('x', 'one line', severity='info', subject=LONG, count=3)
    assert (found.id, found.evidence, found.severity, found.values) == ('x', ['one line'], 'info', {'count': 3}) and len(found.subject) == 60
    assert hit('x') == checks_base.Hit('x', [], None, None, {})


def test_a_check_is_registered_under_its_name(monkeypatch):
    monkeypatch.setattr(checks_base, 'REGISTER', {})

    def found(_case):
        return []

    assert checks_base.check('one', 'two')(found) is found and checks_base.REGISTER == {'found': (('one', 'two'), found)}


@pytest.mark.parametrize('count, shown', [
    (None, 'an unknown size'), (-1, '0 MB'), (0, '0 MB'), (512e6, '512 MB'), (1e9 - 1e6, '999 MB'), (1e9, '1.0 GB'), (1.55e9, '1.6 GB'), (999e9, '999.0 GB'),
    (1e12, '1.0 TB'), (2.5e12, '2.5 TB')])
def test_sizes_are_for_people(count, shown):
    assert size(count) == shown


def test_names_in_a_row_end_with_how_many_more():
    assert listed([]) == '' and listed(iter('abc')) == 'a, b, c' and listed('abcdef') == 'a, b, c, d, e, f'
    assert listed('abcdefgh') == 'a, b, c, d, e, f and 2 more' and listed('abc', 1) == 'a and 2 more'


# -- what the migration writes

def test_room_is_asked_for_by_what_is_written_where():
    entries = [KNOWN.version(name) for name in ('4.0.63', '4.5.3')]
    unpacked, zipped, staged = (function(entry.get(key, usual) for entry in entries) * 1e6
                                for function, key, usual in ((max, 'unpacked_mb', 100), (max, 'zip_mb', 48), (sum, 'zip_mb', 48)))
    facts = {'storage': {'tree': {'size': 900e6, 'archive_size': 500e6}}, 'database': {'size': 200e6}}
    way = case(facts, ideal=['4.0.63', '4.5.3'])
    wanted = {'tmp': [unpacked], 'jeedom_tmp': [zipped], 'web_root': [unpacked, 200e6], 'backup': [500e6 * 0.7 + 200e6 * 0.3], 'database': [200e6],
              'state': [staged]}

    def numbers(found):
        return {name: [count for _what, count in parts] for name, parts in found.items()}

    assert numbers(checks_storage.needs(way, False)) == wanted
    assert numbers(checks_storage.needs(way, True)) == dict(wanted, state=[staged, 1100e6])
    del facts['storage']['tree']['archive_size']
    assert numbers(checks_storage.needs(way, False))['backup'] == [900e6 * 0.7 + 200e6 * 0.3], 'what the archive leaves out is not known'
    assert numbers(checks_storage.needs(case({}, target='9.9'), True)) == {
        'tmp': [100e6], 'jeedom_tmp': [48e6], 'web_root': [100e6, 0], 'backup': [0], 'database': [0], 'state': [0, 0]}


# -- plugins

def answer(**values):
    """What the market says of a plugin it confirms for V4."""
    return {'certification': 'Officiel', 'hardwareCompatibility': {'v4': '1'}, 'parameters': {'github::stable::version': 'a'}, **values}


ASKED = {'plugins': {'x': answer()}}


@pytest.mark.parametrize('market, item, known, word', [
    ({}, {}, {'status': 'conflict'}, 'remove_before'), (ASKED, {'v4': True}, {'status': 'conflict'}, 'remove_before'),
    ({}, {}, {'status': 'obsolete'}, 'remove_before'), (ASKED, {}, {'status': 'obsolete'}, 'compatible'),
    ({'plugins': {'y': answer()}}, {}, {'status': 'obsolete'}, 'remove_before'),
    (ASKED, {}, {}, 'compatible'), ({'plugins': {'x': None}}, {}, {'v4': True}, 'unknown'), ({'plugins': {'x': 'no'}}, {}, {}, 'unknown'),
    ({'plugins': {'x': answer(hardwareCompatibility={})}}, {'v4': True}, {}, 'unconfirmed'),
    # no row: Jeedom's own page does not ask for it either
    (ASKED, {'row': False}, {}, 'unconfirmed'), (ASKED, {'row': True}, {}, 'compatible'),
    ({}, {'v4': True}, {'status': 'incompatible'}, 'remove_after'),
    ({}, {'v4': True}, {}, 'compatible'), ({}, {'v4': 'yes'}, {}, 'unconfirmed'), ({}, {}, {'v4': True}, 'compatible'), ({}, {}, {'v4': False}, 'unconfirmed'),
    ({}, {}, {'status': 'ok'}, 'compatible'), ({}, {}, {}, 'unconfirmed'), ({'plugins': 'nonsense'}, {}, {}, 'unconfirmed'),
])
def test_the_verdict_about_a_plugin(market, item, known, word):
    assert checks_plugins.verdict(case(market=market), 'x', View(item), known) == word


def test_without_a_rule_that_fits_nobody_vouches_for_a_plugin(monkeypatch):
    monkeypatch.setattr(checks_plugins, 'market_rule', lambda *dummy: {})
    assert checks_plugins.verdict(case(market=ASKED), 'x', View({}), {}) == 'unconfirmed'


@pytest.mark.parametrize('item, loaded', [
    ({}, True), ({'folder': True, 'info': 'json'}, True), ({'folder': False}, False), ({'info': 'xml'}, False), ({'info': 'broken'}, False),
    ({'folder': False, 'info': 'xml'}, False)])
def test_a_plugin_that_jeedom_does_not_load_says_nothing_about_v4(item, loaded):
    assert checks_plugins._is_loaded(View(item)) is loaded


def test_what_goes_with_a_plugin_may_be_unknown():
    assert [checks_plugins._what_goes(View({'equipments': count})) for count in (0, 2, 3.0, 'many', None)] == ['0', '2', '3'] + ['an unknown number of'] * 2


# -- the box

def test_the_php_and_the_database_that_decide_are_those_of_the_box():
    from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment
    facts = {'php': {'cli': {'version': '7.4.33'}, 'apache': {'versions': ['7.4', '7.3'], 'fpm': ['8.2', 'none']}}, 'os': {'debian_major': 11},
             'database': {'flavour': 'MariaDB', 'version': '10.5.1'}, 'core': {'version_file': '3.3.60'}}
    assert assessment.case_of(facts, KNOWN, '4.5.3').box == routes.Box(('7.4', '7.3', '8.2'), 11, '10.5.1')
    facts['database']['flavour'] = 'mysql'
    assert assessment.case_of(facts, KNOWN, '4.5.3').box.mariadb is None
