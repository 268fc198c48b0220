# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages people read, taken apart: code blocks, names in backticks, links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
FRENCH = ROOT / 'docs/fr'


class Block(NamedTuple):
    """A fenced code block: its language, and its text without the indentation of a list."""

    language: str
    text: str


def pages() -> list[Path]:
    """Every page that is written by hand."""
    found = [*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md'), *(ROOT / 'roles').glob('*/README.md'), ROOT / 'knowledge/README.md',
             ROOT / 'tests/sandbox/README.md', ROOT / 'tests/integration/README.md']
    return sorted(path for path in found if '_build' not in path.parts)


def name(path: Path) -> str:
    """A page as tests call it."""
    return str(path.relative_to(ROOT))


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page."""
    found = re.finditer(r'^( *)```([^\n`]*)\n(.*?)^\1```', text, re.MULTILINE | re.DOTALL)
    return [Block(each[2].strip(), re.sub(rf'^{each[1]}', '', each[3], flags=re.MULTILINE)) for each in found]


def code(text: str) -> str:
    """All that a page sets as code: blocks and backticks, one piece a line."""
    without = re.sub(r'^( *)```.*?^\1```', '', text, flags=re.MULTILINE | re.DOTALL)
    return '\n'.join([block.text for block in blocks(text)] + re.findall(r'`([^`\n]+)`', without))


def commands(text: str) -> list[str]:
    """Lines of code that begin with a program, continued lines joined."""
    lines = code(text).replace('\\\n', ' ').splitlines()
    return [line.strip() for line in lines if re.match(r'\s*(ansible-|make\b|molecule |python|\.venv/bin)', line)]


def links(text: str) -> list[str]:
    """Targets of links that are not addresses."""
    found = re.findall(r'\]\(([^)\s]+)\)', re.sub(r'```.*?```', '', text, flags=re.DOTALL))
    return [target for target in found if not re.match(r'[a-z]+:', target)]
