# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters about the census of a box; documentation in census_difference.yml."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.jeedom.fleet.plugins.plugin_utils import census_difference as implementation


def census_difference(before: Any, after: Any, level: str = 'stable', everything: bool = False,
                      updated_plugins: Sequence[str] = ()) -> list[dict]:
    """Differences of two censuses, in words."""
    try:
        return implementation.difference(before, after, level, everything, updated_plugins)
    except ValueError as error:
        raise AnsibleFilterError(f'census_difference: {error}.') from error


class FilterModule:
    """Filters of jeedom.fleet about the census."""

    def filters(self) -> dict:
        return {'census_difference': census_difference}
