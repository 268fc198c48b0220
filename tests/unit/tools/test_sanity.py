# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-test is told to ignore has a reason beside it, for every supported ansible-core."""

from __future__ import annotations

import re
from pathlib import Path

SANITY = Path(__file__).resolve().parents[2] / 'sanity'
VERSIONS = [f'2.{minor}' for minor in range(16, 22)]


def test_there_is_one_list_for_each_supported_ansible_core():
    assert {path.name for path in SANITY.iterdir()} == {f'ignore-{version}.txt' for version in VERSIONS}


def test_every_line_has_its_reason():
    for path in SANITY.iterdir():
        for line in path.read_text(encoding='utf-8').splitlines():
            assert re.fullmatch(r'[\w./-]+ [a-z:-]+(!skip)? # .{20,}', line), f'{path.name}: {line}'
