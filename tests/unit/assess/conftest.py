# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A healthy V3 box, recorded from a sandbox box with the genuine core 3.3.60 and then healed, to be broken in one place a test."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, knowledge

HEALTHY = json.loads((Path(__file__).parent / 'fixtures' / 'healthy.json').read_text(encoding='utf-8'))
NOW = HEALTHY['os']['time']['epoch']


def put(facts: dict, path: str, value) -> dict:
    """Set the value at a dotted path."""
    *parents, last = path.split('.')
    for name in parents:
        facts = facts.setdefault(name, {})
    facts[last] = value
    return facts


@pytest.fixture(scope='session')
def known():
    """The shipped knowledge."""
    return knowledge.load()


@pytest.fixture
def facts():
    """Facts of the healthy box."""
    return copy.deepcopy(HEALTHY)


@pytest.fixture
def assess(known):
    """assess(facts, target='4.5.3', **options) with the clock of the fixture."""
    def call(box, target='4.5.3', **options):
        options.setdefault('now', NOW)
        return assessment.assess(box, known, target, **options)
    return call
