# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The box side on the Pythons of boxes: every file compiles, every test written for them passes.

A test is written for them when its file does not import annotations from __future__; before 3.7 its conftest.py must not either.
Needs interpreters that a Debian 12 does not have (python2.7, python3.6 on PATH or in pyenv); each that is absent is named, and is no
failure unless named on the command line.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import interpreters

ROOT = Path(__file__).resolve().parent.parent.parent
VERSIONS = ('2.7', '3.6', '3.7', '3.9')
# The last pytest for each. The pip that comes with 3.6 takes whatever is newest, and so each requirement is named there.
PYTEST = {
    '2.7': ['pytest==4.6.11'],
    '3.6': ['pytest==7.0.1', 'attrs==22.2.0', 'importlib-metadata==4.8.3', 'iniconfig==1.1.1', 'packaging==21.3', 'pluggy==1.0.0', 'py==1.11.0',
            'pyparsing==3.0.9', 'tomli==1.2.3', 'typing-extensions==4.1.1', 'zipp==3.6.0'],
    '3.7': ['pytest==7.4.4'],
}
BOX_SIDE = ('plugins/module_utils', 'plugins/modules')
NEW_ONLY = re.compile(r'^from __future__ import .*\bannotations\b', re.MULTILINE)


def tests(version: str) -> list[str]:
    """The test files that this Python can read, their conftest.py included."""
    old = tuple(int(part) for part in version.split('.')) < (3, 7)

    def readable(path: Path) -> bool:
        return not NEW_ONLY.search(path.read_text(encoding='utf-8'))

    return [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob('tests/unit/*/test_*.py'))
            if readable(path) and not (old and (path.parent / 'conftest.py').exists() and not readable(path.parent / 'conftest.py'))]


def library(version: str, python: str) -> Path:
    """A folder with pytest for this Python, made once."""
    folder = ROOT / f'.cache/pytest-{version}'
    if not (folder / '.complete').exists():
        subprocess.run([python, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--upgrade', '--target', str(folder),
                        *PYTEST.get(version, ['pytest<9'])], check=True, stderr=subprocess.DEVNULL)
        (folder / '.complete').touch()
    return folder


def leg(version: str, python: str) -> bool:
    """One Python: compile, then test."""
    print(f'-- Python {version}', flush=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(('PYTHON', 'VIRTUAL_ENV'))}
    environment |= {'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONPATH': str(library(version, python))}
    compiled = subprocess.run([python, '-c', 'import io, sys\nfor name in sys.argv[1:]:\n    compile(io.open(name, "rb").read(), name, "exec")',
                               *(str(path) for folder in BOX_SIDE for path in sorted((ROOT / folder).glob('*.py')))],
                              cwd=ROOT, env=environment, check=False)
    # pyproject.toml has options of a newer pytest
    tested = subprocess.run([python, '-m', 'pytest', '-q', '-c', os.devnull, '--rootdir', str(ROOT), '-p', 'no:cacheprovider', *tests(version)],
                            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    return compiled.returncode == 0 and tested.returncode == 0


def main(wanted: list[str]) -> int:
    """Run the named versions, or those that are here."""
    failed, absent = [], []
    for version in wanted or VERSIONS:
        python = interpreters.find(version)
        if not python:
            absent.append(version)
        elif not leg(version, python):
            failed.append(version)
    if absent:
        print(f'NOT RUN: no Python {", ".join(absent)} on this machine')
    if failed:
        print(f'Failed on Python {", ".join(failed)}')
    return 1 if failed or (wanted and absent) else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
