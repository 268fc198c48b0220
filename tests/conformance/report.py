# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds on the miniature, what on the genuine core, and where they differ.

    report.py                        both runs statement by statement; 1 where they differ
    report.py --whole FILE.json      1 where a run is not whole: too few statements on a version, or any that does not hold
    report.py --page PAGE.md         writes docs/reference/conformance.md
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTPUT = HERE.parent / 'output'
RUNS = ('miniature', 'genuine')
VERSIONS = ('3.3.60', '4.0.63', '4.1.28', '4.4.20', '4.5.3')
# Fewer on any version is no run of this suite (issue 7, point 5).
MINIMUM = 60
PAGE = '''# Conformance: what is said about the core

<!-- Written by tests/conformance/report.py --page; do not edit. -->

The tests of this collection run on a [small core of our own](../architecture.md), the miniature. What it is believed to share with Jeedom's is
written down as statements, each with its section in the contract about the core's behaviour that this project works by, and each checked on
real boxes with the miniature (in CI) and with the genuine core (`make conformance CORE=/path/to/git/directory/of/jeedom/core`). Where they
differ the genuine core is right.

{count} statements, {checks} checks on five versions.

| version | statements | hold on the miniature | run on the genuine core | hold there | differences |
|---|---|---|---|---|---|
{rows}

Run on {dates}, without Internet.
The genuine cores are those of the tags of these names in `jeedom/core`; 3.3.60, which has no tag, is the last commit with that version. A box on
4.5.3 has the `vendor` folder of 4.4.20, as boxes have that came there by updates; what composer would bring is not looked at.

## The statements

The section comes first; the versions follow where a statement is not about all five.

{statements}
'''


def load(path: Path) -> dict:
    """A run: core, date, statements by test; an empty one where there is none."""
    return json.loads(path.read_text(encoding='utf-8')) if path.exists() else {'core': path.stem, 'date': '', 'statements': {}}


def outcomes(run: dict, version: str, wanted: str | None = None) -> list[str]:
    """Names of the checks of a version, with a certain outcome or all."""
    return [name for name, value in run['statements'].items() if value['version'] == version and wanted in (None, value['outcome'])]


def differences(one: dict, other: dict, version: str | None = None) -> list[str]:
    """Names of the checks that were made in two runs and did not end alike."""
    return [name for name, value in one['statements'].items() if name in other['statements'] and version in (None, value['version'])
            and value['outcome'] != other['statements'][name]['outcome']]


def lacks(run: dict) -> list[str]:
    """Sentences about what a run lacks to be a proof; none when it is whole."""
    said = [f'{len(outcomes(run, version))} statements on {version}: {MINIMUM} are the least.'
            for version in VERSIONS if len(outcomes(run, version)) < MINIMUM]
    return said + [f'{name} {value["outcome"]}.' for name, value in run['statements'].items() if value['outcome'] != 'passed']


def grouped(checks: Iterable[dict]) -> dict[tuple[str, str], list[str]]:
    """(section, statement) -> versions, in the order of the contract."""
    groups: dict[tuple[str, str], list[str]] = {}
    for value in checks:
        groups.setdefault((value['section'], value['statement']), []).append(value['version'])

    def place(group: tuple[str, str]) -> tuple:
        return [(0, int(part), '') if part.isdigit() else (1, 0, part) for part in group[0].replace('/', '.').split('.')], group[1]
    return {group: groups[group] for group in sorted(groups, key=place)}


def listing(checks: Iterable[dict]) -> str:
    """The statements as a list in Markdown."""
    return '\n'.join(f'- {section}: {text}' + ('' if set(versions) == set(VERSIONS) else f' ({", ".join(versions)})')
                     for (section, text), versions in grouped(checks).items())


def page(mini: dict, genuine: dict) -> str:
    """docs/reference/conformance.md."""
    rows = []
    for version in VERSIONS:
        cells = [len(outcomes(mini, version)), len(outcomes(mini, version, 'passed')), len(outcomes(genuine, version)),
                 len(outcomes(genuine, version, 'passed')), len(differences(mini, genuine, version))]
        rows.append(f'| {version} | ' + ' | '.join(str(cell) for cell in cells) + ' |')
    checks = mini['statements'].values()
    dates = ' and '.join(dict.fromkeys([f'{run["date"]} ({name})' for run, name in ((mini, 'miniature'), (genuine, 'genuine core'))]))
    return PAGE.format(count=len(grouped(checks)), checks=len(checks), rows='\n'.join(rows), dates=dates, statements=listing(checks))


def table(mini: dict, genuine: dict) -> list[str]:
    """Markdown lines, one statement a line; the versions on which it fails are named."""
    lines = ['| contract | statement | miniature | genuine |', '|---|---|---|---|']
    for section, text in grouped([*mini['statements'].values(), *genuine['statements'].values()]):
        cells = []
        for run in (mini, genuine):
            known = [value for value in run['statements'].values() if (value['section'], value['statement']) == (section, text)]
            failed = [value['version'] for value in known if value['outcome'] != 'passed']
            cells.append('not run' if not known else f'**fails on {", ".join(failed)}**' if failed else f'holds ({len(known)})')
        lines.append(f'| {section} | {text} | {cells[0]} | {cells[1]} |')
    return lines


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--whole', type=Path, metavar='FILE', help='only look whether this run is whole')
    parser.add_argument('--page', type=Path, metavar='FILE', help='write the page of the documentation')
    arguments = parser.parse_args()
    if arguments.whole:
        said = lacks(load(arguments.whole))
        print('\n'.join(said) or f'{len(load(arguments.whole)["statements"])} checks hold.')
        return 1 if said else 0
    mini, genuine = (load(OUTPUT / f'conformance-{name}.json') for name in RUNS)
    if arguments.page:
        arguments.page.write_text(page(mini, genuine), encoding='utf-8')
    else:
        print('\n'.join(table(mini, genuine)))
    different = differences(mini, genuine)
    for name in different:
        print(f'differs: {name}: miniature {mini["statements"][name]["outcome"]}, genuine {genuine["statements"][name]["outcome"]}')
    print(f'{len(mini["statements"])} checks on the miniature, {len(genuine["statements"])} on the genuine core, {len(different)} differences')
    return 1 if different else 0


if __name__ == '__main__':
    sys.exit(main())
