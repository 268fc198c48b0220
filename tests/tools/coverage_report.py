# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the unit tests with coverage.py, branches included, and show what they reach: per package, per file, and as pages in build/coverage/html.

What a test starts is measured as well (pyproject.toml). Not part of make check: it takes about twice the time of the tests.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RESULT = ROOT / 'build/coverage'


def coverage(*arguments: str, check: bool = True) -> int:
    """One command of coverage.py."""
    return subprocess.run([sys.executable, '-m', 'coverage', *arguments], cwd=ROOT, check=check, stdin=subprocess.DEVNULL).returncode


def packages(files: dict[str, dict]) -> list[str]:
    """A line for each package of plugins/ out of the C(files) of coverage.py's JSON: statements, branches, and the part of both that is reached."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for name, entry in files.items():
        summary = entry['summary']
        for package in ('/'.join(Path(name).parts[:2]), 'together'):
            sums[package][0] += summary['num_statements']
            sums[package][1] += summary['num_branches']
            sums[package][2] += summary['covered_lines'] + summary['covered_branches']
    rows = sorted(sums.items(), key=lambda item: (item[0] == 'together', item[0]))
    return [f'{"package":<24}{"statements":>11}{"branches":>10}{"reached":>9}',
            *(f'{name:<24}{statements:>11}{branches:>10}{100 * reached / ((statements + branches) or 1):>8.1f}%'
              for name, (statements, branches, reached) in rows)]


def main() -> int:
    """The exit code of the tests."""
    shutil.rmtree(RESULT, ignore_errors=True)
    RESULT.mkdir(parents=True)
    failed = coverage('run', '-m', 'pytest', 'tests/unit', '-q', '-p', 'no:cacheprovider', '-n', '2', check=False)
    coverage('combine', '--quiet')
    # a process that a test has killed leaves half a file, which is told of and left out
    for path in RESULT.glob('data.*'):
        path.unlink()
    coverage('report')
    coverage('html', '--quiet')
    coverage('json', '--quiet', '-o', str(RESULT / 'coverage.json'))
    print('\n'.join(packages(json.loads((RESULT / 'coverage.json').read_text(encoding='utf-8'))['files'])))
    print(f'Pages: {(RESULT / "html/index.html").relative_to(ROOT)}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
