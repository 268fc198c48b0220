# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test suites by name; "all" is what CI runs. Goes on after a failed suite, and says at the end which failed.

Suites on boxes wait for most of their time, so two run side by side (JEEDOM_TEST_JOBS); what a suite prints comes in one piece at its end.
"""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = ['default']
# tests/integration/README.md has what they are.
INTEGRATION = ['migration_faults', 'restore_faults', 'hop_faults', 'database_faults', 'fleet', 'nightly', 'findings', 'tutorial', 'runner', 'supply_faults',
               'bad_input']
# Of antsibull-nox.toml; build-import-check is for artifact, as it wants a venv of its own.
SESSIONS = ('lint', 'license-check', 'extra-checks')
# The longest first, so that none is left alone at the end.
ALL = ['lint', 'conformance', *(f'integration:{name}' for name in INTEGRATION[:6]), 'matrix', *(f'molecule:{name}' for name in SCENARIOS), 'unit', 'unit_old',
       'sanity', 'artifact', 'docs', *(f'integration:{name}' for name in INTEGRATION[6:])]
JOBS = int(os.environ.get('JEEDOM_TEST_JOBS', '2'))
# Where the output of a suite goes: one file for each of the threads.
output = threading.local()


def call(*argv: str) -> bool:
    """Run a command in the clone's root; its output is that of the suite."""
    into = getattr(output, 'file', sys.stdout)
    print('$ ' + ' '.join(argv), file=into, flush=True)
    environment = dict(os.environ, ANSIBLE_FORCE_COLOR='0', PY_COLORS='0', NO_COLOR='1')
    return subprocess.run(argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=into, stderr=into, check=False).returncode == 0


def lint() -> bool:
    """ansible-lint with the production profile; the sessions of antsibull-nox.toml that .venv has the tools for (YAML, licences, action
    groups, unwanted files); ruff, dead code; types of the controller side and the tools, shell, the miniature's PHP, changelog fragments."""
    return all([call('ansible-lint', '--offline', '--profile', 'production'),
                call('nox', '--no-venv', '-s', *SESSIONS),
                call('ruff', 'check', '.'),
                call('vulture'),
                call('mypy'),
                call('shellcheck', '.ci/run', *(str(path.relative_to(ROOT)) for path in sorted((ROOT / 'tests').rglob('*.sh')))),
                call(sys.executable, 'tests/tools/php.py'),
                call('antsibull-changelog', 'lint')])


def unit() -> bool:
    """Unit tests and the sandbox's own, on the interpreter of .venv."""
    return call(sys.executable, '-m', 'pytest', 'tests/unit', 'tests/sandbox/test_sandbox.py', '-q', '-p', 'no:cacheprovider', '-n', '2')


def artifact() -> bool:
    """The built collection, installed outside the clone, under the oldest and the newest ansible-core; on a box as well. Would Galaxy take it?"""
    return all([call(sys.executable, 'tests/tools/artifact.py', '--box'),
                call('nox', '--reuse-existing-virtualenvs', '-s', 'build-import-check')])


def docs() -> bool:
    """Every page of the documentation, with the reference made of the code; a warning is a failure."""
    return call(sys.executable, 'tests/tools/docs.py')


def unit_old() -> bool:
    """Unit tests of the box side on the Pythons of boxes, where this machine has them; what it has not is named."""
    return call(sys.executable, 'tests/tools/old_pythons.py')


def matrix() -> bool:
    """The oldest and the newest ansible-core against boxes with every Python that this machine has; what it has not is named."""
    return call(sys.executable, 'tests/tools/matrix.py', '--ends')


def matrix_full() -> bool:
    """Every supported ansible-core; the table goes into the documentation. Not among "all": the ends show most of what breaks."""
    return call(sys.executable, 'tests/tools/matrix.py', '--write')


def sanity() -> bool:
    """ansible-test sanity under the oldest and the newest ansible-core for which this machine has a Python."""
    return call(sys.executable, 'tests/tools/sanity.py', '--ends')


def integration(name: str) -> bool:
    """One suite on a sandbox box of its own."""
    return call(sys.executable, '-m', 'pytest', f'tests/integration/test_{name}.py', '-q', '-p', 'no:cacheprovider')


def conformance() -> bool:
    """The statements about a core, on the miniature, all of them; make conformance CORE=... asks a genuine one."""
    return (call(sys.executable, '-m', 'pytest', 'tests/conformance', '-q', '-p', 'no:cacheprovider')
            and call(sys.executable, 'tests/conformance/report.py', '--whole', 'tests/output/conformance-miniature.json'))


def molecule(scenario: str) -> bool:
    """One molecule scenario, always destroyed at the end."""
    return call('molecule', 'test', '-s', scenario)


def suite(name: str) -> bool:
    """Run one suite; says how it ended, and how long it took."""
    kind, _colon, argument = name.partition(':')
    begin = time.monotonic()
    good = {'lint': lint, 'unit': unit, 'unit_old': unit_old, 'sanity': sanity, 'artifact': artifact, 'conformance': conformance, 'docs': docs,
            'matrix': matrix, 'matrix_full': matrix_full,
            'integration': lambda: integration(argument), 'molecule': lambda: molecule(argument)}[kind]()
    print(f'-- {name}: {"passed" if good else "FAILED"} in {time.monotonic() - begin:.0f} s',
          file=getattr(output, 'file', sys.stdout), flush=True)
    return good


def beside_others(name: str) -> bool:
    """Run one suite, and print what it said in one piece when it is over."""
    # in one piece, so that what two threads say does not share a line
    print(f'-- {name}: started\n', end='', flush=True)
    with tempfile.TemporaryFile('w+', encoding='utf-8', errors='replace') as output.file:
        good = suite(name)
        output.file.seek(0)
        print(output.file.read().rstrip(), flush=True)
    return good


def main(names: list[str]) -> int:
    """Run the named suites; 1 if one failed."""
    names = ALL if names == ['all'] else names
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        good = dict(zip(names, pool.map(beside_others if JOBS > 1 and len(names) > 1 else suite, names), strict=True))
    failed = [name for name in names if not good[name]]
    print(f'{len(names) - len(failed)} passed, {len(failed)} failed')
    if failed:
        print('Failed: ' + ', '.join(failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:] or ['all']))
