# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of what works with what, made of what matrix.py saw."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent / 'docs/reference/support-matrix.md'
BEGIN, END = '<!-- made by make matrix -->', '<!-- end of what make matrix makes -->'
WORDS = {'stdin': 'stdin', 'module': 'module', 'rehearsed': 'dry run', 'migrated': '**migrated**'}


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    return tuple(int(part) for part in version.split('.'))


def cell(ways: set[str], wrong: bool) -> str:
    """What one cell says."""
    if wrong:
        return 'WRONG'
    return ', '.join(word for way, word in WORDS.items() if way in ways) or 'not run'


def table(cores: list[tuple[str, str, str]], pythons: list[tuple[str, str]], seen: dict[tuple[str, str], set[str]],
          problems: list[tuple[str, str, str, str]]) -> str:
    """Markdown. cores: (series, release, Python it runs on); pythons: (version, full version on the box); seen: ways by (series, version)."""
    wrong = {problem[:2] for problem in problems}
    names = [series for series, _release, _python in cores]
    lines = ['| Python of the box | ' + ' | '.join(f'ansible-core {release}, Python {python}' for _series, release, python in cores) + ' |',
             '|---' * (len(cores) + 1) + '|']
    for version, full in pythons:
        lines.append(f'| {full} | ' + ' | '.join(cell(seen.get((name, version), set()), (name, version) in wrong) for name in names) + ' |')
    lines.append('| none | ' + ' | '.join('WRONG' if (name, 'none') in wrong else 'told in one sentence' for name in names) + ' |')
    return '\n'.join(lines)


def page(text: str, made: str) -> str:
    """The page with what stands between the marks replaced."""
    if BEGIN not in text or END not in text:
        raise ValueError(f'the page lacks the lines "{BEGIN}" and "{END}"')
    return re.sub(f'{re.escape(BEGIN)}.*?{re.escape(END)}', lambda _match: f'{BEGIN}\n\n{made}\n\n{END}', text, flags=re.DOTALL)


def write(made: str, cores: list[str], pythons: list[str]) -> None:
    """Into the documentation, with the date, and with what could not run named."""
    absent = [f'ansible-core {series}' for series in cores] + [f'boxes with Python {version}' for version in pythons]
    told = f'Seen on {datetime.datetime.now(tz=datetime.timezone.utc):%Y-%m-%d}.'
    if absent:
        told += f' Not run, for want of an interpreter: {", ".join(absent)}.'
    PAGE.write_text(page(PAGE.read_text(encoding='utf-8'), f'{told}\n\n{made}'), encoding='utf-8')
