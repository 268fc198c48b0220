# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version comparison."""

from __future__ import annotations

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import versions


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
