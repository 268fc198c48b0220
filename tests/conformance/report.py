# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of the statements: what holds on the miniature, what on the genuine core, and where they differ."""

from __future__ import annotations

import json
import sys
from pathlib import Path

OUTPUT = Path(__file__).resolve().parent.parent / 'output'


def load(path: Path) -> dict[str, dict]:
    """Results of a run by test."""
    if not path.exists():
        return {}
    return {name: value for name, value in json.loads(path.read_text(encoding='utf-8')).items() if name != 'seconds'}


def table(mini: dict[str, dict], genuine: dict[str, dict]) -> list[str]:
    """Markdown lines, one statement a line; versions whose outcome differs between the cores are named."""
    lines = ['| contract | statement | miniature | genuine |', '|---|---|---|---|']
    groups: dict[tuple[str, str], list[str]] = {}
    for name in [*mini, *(name for name in genuine if name not in mini)]:
        value = mini.get(name) or genuine[name]
        groups.setdefault((value['section'], value['statement']), []).append(name)
    for (section, statement), names in sorted(groups.items()):
        cells = []
        for results in (mini, genuine):
            known = [name for name in names if name in results]
            failed = [results[name]['version'] for name in known if results[name]['outcome'] == 'failed']
            skipped = [name for name in known if results[name]['outcome'] == 'skipped']
            cells.append('not run' if not known else f'**fails on {", ".join(failed)}**' if failed else
                         'skipped' if len(skipped) == len(known) else f'holds ({len(known)})')
        lines.append(f'| {section} | {statement} | {cells[0]} | {cells[1]} |')
    return lines


def main() -> int:
    """Print the table; 1 if the two cores differ anywhere."""
    mini, genuine = (load(Path(path)) for path in (sys.argv[1:3] or (OUTPUT / 'conformance-miniature.json', OUTPUT / 'conformance-genuine.json')))
    different = [name for name in mini if name in genuine and mini[name]['outcome'] != genuine[name]['outcome']]
    print('\n'.join(table(mini, genuine)))
    for title, results in (('miniature', mini), ('genuine', genuine)):
        outcomes = [value['outcome'] for value in results.values()]
        print(f'\n{title}: {outcomes.count("passed")} hold, {outcomes.count("failed")} fail, {outcomes.count("skipped")} skipped')
    for name in different:
        print(f'- differs: {name}: miniature {mini[name]["outcome"]}, genuine {genuine[name]["outcome"]}')
    return 1 if different else 0


if __name__ == '__main__':
    sys.exit(main())
