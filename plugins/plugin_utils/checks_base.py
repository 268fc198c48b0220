# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks are made of: safe access to facts that may be anything, hits, and the register of checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ansible_collections.jeedom.fleet.plugins.plugin_utils import progress, routes, versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.knowledge import Knowledge

# Longest list that a finding shows; the facts file has all.
SHOWN = 20
# Longest lists of mappings and of texts that are looked at: the facts module sends fewer, a hostile box as many as it likes.
MOST, MOST_TEXTS = 600, 150


def printable(text: object, width: int = 60) -> str:
    """Text of a box without control characters, cut to a width, and without anything that a template would act on."""
    clean = progress.printable(str(text)[:4000], width)
    return clean.replace('{{', '{ {').replace('{%', '{ %').replace('{#', '{ #')


class View:
    """A mapping of facts whose types are not trusted: every reading method gives its type, or None."""

    def __init__(self, data: object):
        self.data: Mapping = data if isinstance(data, Mapping) else {}

    def get(self, path: str) -> Any:
        """The raw value at a dotted path, or None."""
        value: Any = self.data
        for part in path.split('.'):
            if not isinstance(value, Mapping):
                return None
            value = value.get(part)
        return value

    def text(self, path: str, width: int = 120) -> str | None:
        """Printable text; numbers count as text, empty text as None."""
        value = self.get(path)
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return None
        return printable(value, width) or None

    def number(self, path: str) -> int | float | None:
        """A finite number."""
        value = self.get(path)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None
        return value

    def flag(self, path: str) -> bool | None:
        """True, False, or None for anything else."""
        value = self.get(path)
        return value if isinstance(value, bool) else None

    def view(self, path: str) -> View:
        """The mapping at a path, empty when there is none."""
        return View(self.get(path))

    def _list(self, path: str) -> list:
        value = self.get(path)
        if isinstance(value, Mapping):  # a capped list (docs/facts.md)
            value = value.get('items')
        return list(value[:MOST]) if isinstance(value, (list, tuple)) else []

    def items(self, path: str) -> list[View]:
        """The mappings in a list, or in a capped list."""
        return [View(item) for item in self._list(path) if isinstance(item, Mapping)]

    def texts(self, path: str, width: int = 120) -> list[str]:
        """The texts in a list, or in a capped list."""
        return [printable(item, width) for item in self._list(path)[:MOST_TEXTS]
                if isinstance(item, (str, int, float)) and not isinstance(item, bool)]

    def count(self, path: str) -> int:
        """How many there are: the count of a capped list, or the length of a list."""
        value = self.get(path)
        told = value.get('count') if isinstance(value, Mapping) else None
        if isinstance(told, int) and not isinstance(told, bool) and told >= 0:
            return max(told, len(self._list(path)))
        return len(self._list(path))

    def pairs(self, path: str) -> list[tuple[str, Any]]:
        """The items of a mapping with printable names."""
        value = self.get(path)
        return [(printable(name, 80), item) for name, item in islice(value.items(), MOST)] if isinstance(value, Mapping) else []


@dataclass
class Case:
    """Everything that a check may look at."""

    facts: View
    knowledge: Knowledge
    target: str
    now: float
    phase: str = 'first'
    policy: Mapping = field(default_factory=dict)
    market: Mapping = field(default_factory=dict)
    archive: Mapping | None = None
    box: routes.Box = routes.Box()
    route: list[dict] = field(default_factory=list)
    route_error: routes.RouteError | None = None
    ideal: list[str] = field(default_factory=list)

    @property
    def version(self) -> str | None:
        """Version of the files on the box."""
        return self.facts.text('core.version_file', 40)

    @property
    def v3(self) -> bool:
        """Whether the box is on a V3."""
        return versions.inside(self.version, {'below': '4.0'})

    @property
    def transaction(self) -> bool:
        """A migration of ours is between its rollback point and its end: what looks broken is meant to."""
        return self.facts.flag('activity.transaction.open') is True

    def hops(self) -> list[str]:
        """Versions of the route, or of the route there would be on a better box, or the target alone."""
        return [hop['version'] for hop in self.route] or list(self.ideal) or [self.target]

    def entries(self) -> list[dict]:
        """What is known of these versions."""
        return [entry for entry in (self.knowledge.version(name) for name in self.hops()) if entry]

    def most(self, key: str, default: int) -> int:
        """The largest value of a key over the versions of the route."""
        return max((int(entry[key]) for entry in self.entries() if key in entry), default=default)


@dataclass
class Hit:
    """Something that a check found; becomes a finding."""

    id: str
    evidence: list[str] = field(default_factory=list)
    severity: str | None = None
    subject: str | None = None
    values: dict[str, object] = field(default_factory=dict)


Check = Callable[[Case], Iterable[Hit]]
REGISTER: dict[str, tuple[tuple[str, ...], Check]] = {}


def check(*ids: str) -> Callable[[Check], Check]:
    """Register a function that yields hits of these ids (entries of knowledge/checks.yml)."""
    def register(function: Check) -> Check:
        REGISTER[function.__name__] = (ids, function)
        return function
    return register


def hit(check_id: str, evidence: str | Iterable[str] = (), severity: str | None = None, subject: str | None = None, **values) -> Hit:
    """A Hit; evidence may be one line or many, of which SHOWN are kept."""
    lines = [evidence] if isinstance(evidence, str) else list(evidence)
    kept = [printable(line, 160) for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        kept.append(f'and {len(lines) - SHOWN} more')
    return Hit(check_id, kept, severity, printable(subject, 60) if subject else None, values)


def size(count: float | int | None) -> str:
    """Bytes for people: 512 MB, 1.5 GB."""
    if count is None:
        return 'an unknown size'
    if count < 0:
        return '0 MB'
    for unit, scale in (('TB', 1e12), ('GB', 1e9)):
        if count >= scale:
            return f'{count / scale:.1f} {unit}'
    return f'{count / 1e6:.0f} MB'


def listed(names: Iterable[str], limit: int = 6) -> str:
    """Names in a row, the rest as a number."""
    names = list(names)
    more = f' and {len(names) - limit} more' if len(names) > limit else ''
    return ', '.join(names[:limit]) + more
