# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties: version comparison, route search, facts of any type."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.jeedom.fleet.plugins.modules import assess
from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, findings_table, knowledge, routes, versions

from .conftest import HEALTHY, NOW

pytest.importorskip('hypothesis')
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

KNOWN = knowledge.load()
# as its users are told
VERDICTS = yaml.safe_load(assess.RETURN)['verdict']['choices']
NUMBERS = st.lists(st.integers(0, 9999), min_size=1, max_size=5)
STARTS = st.builds(lambda minor, patch: f'{minor}.{patch}', st.sampled_from(['3.3', '4.0', '4.1', '4.2', '4.3', '4.4', '4.5']), st.integers(0, 70))
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(
        ['\x1b[31m', '<script>', '{{ 1 }}', '{% raw %}', '../..', '\x00', '9' * 400, '4.5.3', float('inf'), -1, 10 ** 400, '{subject.__class__}'])),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(st.sampled_from(['items', 'count', 'id', 'name', 'x']), children, max_size=3)),
    max_leaves=6)
PATHS: list[str] = []


def text(numbers):
    """1.2.3 of [1, 2, 3]."""
    return '.'.join(str(number) for number in numbers)


def walk(value, path=''):
    """Every path of the healthy facts, lists included."""
    for name, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        PATHS.append(f'{path}.{name}'.lstrip('.'))
        walk(item, PATHS[-1])


walk(HEALTHY)


def overwrite(facts, path, value):
    """Set a path that may go through lists."""
    *parents, last = path.split('.')
    for name in parents:
        if isinstance(facts, list):
            facts = facts[int(name)] if name.isdigit() and int(name) < len(facts) else None
        else:
            facts = facts.get(name) if isinstance(facts, dict) else None
    if isinstance(facts, list) and last.isdigit() and int(last) < len(facts):
        facts[int(last)] = value
    elif isinstance(facts, dict):
        facts[last] = value


def clean(text):
    """No control characters, nothing that a template acts on."""
    return all(char.isprintable() for char in text) and not any(mark in text for mark in ('{{', '{%', '{#'))


@given(NUMBERS, NUMBERS)
def test_order_is_that_of_the_numbers(left, right):
    padded = [tuple(numbers + [0] * (5 - len(numbers))) for numbers in (left, right)]
    assert versions.compare(text(left), text(right)) == (padded[0] > padded[1]) - (padded[0] < padded[1])


@given(NUMBERS, NUMBERS, NUMBERS)
def test_order_is_transitive(one, two, three):
    first, second, third = sorted((text(one), text(two), text(three)), key=versions.key)
    assert versions.compare(first, third) <= 0 and versions.compare(first, second) <= 0


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.binary(), st.lists(st.integers())))
def test_anything_may_come_in(value):
    found = versions.parse(value)
    assert found is None or all(isinstance(part, int) for part in found)


@given(NUMBERS)
def test_ranges(numbers):
    version = text(numbers)
    assert versions.inside(version, {})
    assert versions.inside(version, {'min': version, 'max': version})
    assert not versions.inside(version, {'below': version})
    assert not versions.inside(version, {'min': f'{version}.1'})
    assert versions.same(version, f'{version}.0')


@given(STARTS, st.sampled_from(KNOWN.targets()), st.sampled_from([None, 8, 9, 10, 11, 12, 13]), st.sampled_from([None, '5.6', '7.0', '7.3', '7.4', '8.2']))
def test_every_route_is_legal_and_carried_by_the_box(start, target, debian, php):
    where = routes.box(php, debian)
    try:
        hops = routes.find(KNOWN, start, target, where)
    except routes.RouteError as error:
        assert str(error).endswith('.')
        return
    here = KNOWN.version(start).get('id', start)
    for hop in hops:
        assert versions.compare(hop['version'], here) > 0, 'a route only goes up'
        assert routes.rule(KNOWN, here, hop['version']) is not None
        assert where.obstacle(KNOWN.version(hop['version'])) is None
        here = hop['version']
    assert here == target


@given(STARTS)
def test_no_hop_from_v3_goes_beyond_4_1(start):
    for target in KNOWN.targets():
        if versions.inside(start, {'below': '4.0'}) and versions.inside(target, {'min': '4.2'}):
            assert routes.rule(KNOWN, start, target, allow=KNOWN.section('losses')) is None


@given(st.sampled_from(['3.3.60', '4.0.63', '4.1.28', '4.3.23', '4.4.12']), st.sampled_from(KNOWN.targets()))
def test_the_route_is_the_cheapest(start, target):
    """Against trying every chain of waypoints."""
    def cost(path):
        total, here = 0, start
        for name in path:
            rule = routes.rule(KNOWN, here, name)
            if rule is None or versions.compare(name, here) <= 0:
                return None
            total, here = total + rule['cost'], name
        return total
    middle = [item['id'] for item in KNOWN.section('versions').values() if item.get('waypoint')]
    chains = [[name for index, name in enumerate(middle) if mask >> index & 1] + [target] for mask in range(2 ** len(middle))]
    costs = [found for found in (cost(chain) for chain in chains) if found is not None]
    found = routes.search(KNOWN, start, target)
    assert (found is None) == (not costs)
    assert found is None or cost(found) == min(costs)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PATHS), ANYTHING), min_size=1, max_size=4))
def test_facts_of_any_type_never_crash_and_come_out_clean(changes):
    facts = json.loads(json.dumps(HEALTHY))
    for path, value in changes:
        overwrite(facts, path, value)
    result = assessment.assess(facts, KNOWN, '4.5.3', now=NOW)
    assert not [finding for finding in result.findings if finding['id'] == 'check_failed'], result.findings
    for finding in result.findings:
        for text in [finding['title'], finding['advice'], finding['fix'] or '', finding['subject'] or '', *finding['evidence']]:
            assert clean(text), text
    assert result.verdict in VERDICTS
    assert all(clean(line) and len(line) <= findings_table.WIDTH for line in findings_table.table('box', vars(result)))


@settings(max_examples=60, deadline=None)
@given(ANYTHING)
def test_facts_that_are_no_facts_at_all(facts):
    assert assessment.assess(facts, KNOWN, '4.5.3', now=NOW).verdict in VERDICTS
