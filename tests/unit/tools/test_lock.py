# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock files hold what the requirements allow, by hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
LOCKED = ['tests/requirements', 'tests/importer', 'docs/requirements']


def entries(name: str) -> list[str]:
    """Lines that name a package, with what continues them."""
    text = (ROOT / name).read_text(encoding='utf-8').replace('\\\n', ' ')
    return [line for line in text.splitlines() if line and not line.startswith('#')]


@pytest.mark.parametrize('name', LOCKED)
def test_the_lock_has_an_allowed_version_of_everything_that_is_required(name):
    pins = [Requirement(line.split(' --hash')[0].strip()) for line in entries(f'{name}.lock')]
    for line in entries(f'{name}.txt'):
        wanted = Requirement(line)
        versions = [next(iter(pin.specifier)).version for pin in pins if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
        assert any(wanted.specifier.contains(version) for version in versions), f'{line}: run make lock'


@pytest.mark.parametrize('name', LOCKED)
def test_every_entry_is_one_version_with_its_hash(name):
    for line in entries(f'{name}.lock'):
        assert re.match(r'[a-z0-9._-]+==\S+ .*--hash=sha256:[0-9a-f]{64}', line), line
