# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version comparison."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.jeedom.fleet.plugins.plugin_utils import versions

NUMBERS = st.lists(st.integers(0, 9999), min_size=1, max_size=5)


def text(numbers):
    """1.2.3 of [1, 2, 3]."""
    return '.'.join(str(number) for number in numbers)


@pytest.mark.parametrize('left, right, expected', [
    ('3.3.9', '3.3.60', -1), ('4.5', '4.5.0', 0), ('4.4.8.1', '4.4.8', 1), ('10.5.23-MariaDB-0+deb11u1', '10.5.23', 0),
    ('7.4.33', '7.4', 1), ('v4.1.28', '4.1.28', 0), (4.5, '4.5.0', 0), (11, '11', 0),
])
def test_known_pairs(left, right, expected):
    assert versions.compare(left, right) == expected
    assert versions.compare(right, left) == -expected


@pytest.mark.parametrize('value', [None, True, '', 'bookworm/sid', '404: Not Found', [], {}, '.5', '1' * 5000, '\x00', float('nan')])
def test_what_is_no_version(value):
    assert versions.parse(value) is None
    with pytest.raises(ValueError):
        versions.compare(value, '4.5.3')


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
