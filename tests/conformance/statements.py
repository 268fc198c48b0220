# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a statement is written: @statement('4.2/17', V3, V40) over a test that takes version and observe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from box import ROUTE

V3, V40, V41, V44, V45 = ALL = ('3.3.60', '4.0.63', '4.1.28', '4.4.20', '4.5.3')
# Those that have a next hop.
FROM = ALL[:4]
# What the version file of a release holds: the tag 4.0.63 is special.
FILE = {version: version for version in ALL} | {V40: '4.0.62'}
# Every check that there is: section, statement, version.
STATED: list[dict[str, str]] = []


def told(name: str) -> str:
    """The statement that the name of a test makes; 4_1_28 is a version."""
    return re.sub(r'(?<=\d)_(?=\d)', '.', name.removeprefix('test_')).replace('_', ' ')


def off(look: dict) -> bool:
    """Whether the engine is switched off."""
    return look['config'].get('core/enableCron') == '0' and look['config'].get('core/enableScenario') == '0'


def new(version: str) -> str:
    """What the version file holds after the next hop."""
    return FILE[ROUTE[version]]


def statement(section: str, *versions: str) -> Callable:
    """A statement of a section of the contract, checked on each of the versions (default: all)."""
    def decorate(function: Callable) -> Callable:
        STATED.extend({'section': section, 'statement': told(function.__name__), 'version': version} for version in versions or ALL)
        return pytest.mark.contract(section)(pytest.mark.parametrize('version', versions or ALL)(function))
    return decorate
