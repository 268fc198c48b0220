# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a statement is written: @statement('4.2/17', 'all') over a test that takes version and observe."""

from __future__ import annotations

from collections.abc import Callable

import pytest

V3, V40, V41, V44, V45 = ALL = ('3.3.60', '4.0.63', '4.1.28', '4.4.20', '4.5.3')
V4 = ALL[1:]


def statement(section: str, *versions: str) -> Callable:
    """A statement of a section of the contract, checked on each of the versions (default: all)."""
    def decorate(function: Callable) -> Callable:
        return pytest.mark.contract(section)(pytest.mark.parametrize('version', versions or ALL)(function))
    return decorate
