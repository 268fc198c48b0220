# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version numbers of Jeedom's core, of PHP and of Debian: compare them, put them into ranges."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# 3.3.60, 4.4.8.1, 10.5.23-MariaDB, 7.4.33-1+deb11u5: numbers first, whatever a packager adds after them is no part of it.
_NUMBERS = re.compile(r'\s*v?(\d{1,6}(?:\.\d{1,6}){0,5})(?=$|[\s+~-])')
Version = tuple[int, ...]


def parse(text: object) -> Version | None:
    """The numbers of a version without trailing zeros (4.5 equals 4.5.0), or None when there are none.

    Anything may come in: a box is not trusted to send text.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        return None
    found = _NUMBERS.match(str(text)[:100])
    if not found:
        return None
    numbers = [int(part) for part in found.group(1).split('.')]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def compare(left: object, right: object) -> int:
    """-1, 0 or 1. Raises ValueError when one of them is no version."""
    one, other = parse(left), parse(right)
    if one is None or other is None:
        raise ValueError(f'not a version: {(left if one is None else right)!r}')
    return (one > other) - (one < other)


def same(left: object, right: object) -> bool:
    """Whether both are versions and equal."""
    one = parse(left)
    return one is not None and one == parse(right)


def inside(version: object, limits: Mapping) -> bool:
    """Whether a version lies in C({min, max, below}): min and max are inclusive, below is not; all are optional."""
    value = parse(version)
    if value is None:
        return False
    low, high, below = (parse(limits.get(key)) for key in ('min', 'max', 'below'))
    return (low is None or value >= low) and (high is None or value <= high) and (below is None or value < below)


def inside_any(version: object, ranges: Iterable[Mapping]) -> Mapping | None:
    """The first range that holds the version, or None."""
    return next((limits for limits in ranges if inside(version, limits)), None)


def key(version: object) -> Version:
    """A sort key: what is no version comes first."""
    return parse(version) or ()


def series(version: object) -> str:
    """C(4.1) of C(4.1.28)."""
    numbers = (parse(version) or ()) + (0, 0)
    return f'{numbers[0]}.{numbers[1]}'
