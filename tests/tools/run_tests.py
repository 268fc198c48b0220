#!/usr/bin/env python3
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test suites by name; "all" is what CI runs. Goes on after a failed suite, and says at the end which failed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCENARIOS = ['default']
# tests/integration/README.md has what they are; migration_faults runs by hand until every case of it is green.
INTEGRATION = ['bad_input', 'fleet', 'supply_faults', 'hop_faults', 'restore_faults']


def call(*argv: str) -> bool:
    """Run a command in the clone's root; its output is ours."""
    print('$ ' + ' '.join(argv), flush=True)
    environment = dict(os.environ, ANSIBLE_FORCE_COLOR='0', PY_COLORS='0', NO_COLOR='1')
    return subprocess.run(argv, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False).returncode == 0


def lint() -> bool:
    """ansible-lint with the production profile, yamllint, ruff for the controller side and the tools."""
    return all([call('ansible-lint', '--offline', '--profile', 'production'),
                call('yamllint', '--strict', '.'),
                call('ruff', 'check', '.')])


def unit() -> bool:
    """Unit tests and the sandbox's own, on the interpreter of .venv."""
    return call(sys.executable, '-m', 'pytest', 'tests/unit', 'tests/sandbox/test_sandbox.py', '-q', '-p', 'no:cacheprovider')


def artifact() -> bool:
    """The built collection, installed outside the clone, under the oldest and the newest ansible-core; on a box as well."""
    return call(sys.executable, 'tests/tools/artifact.py', '--box')


def unit_old() -> bool:
    """Unit tests of the box side on the Pythons of boxes, where this machine has them; what it has not is named."""
    return call(sys.executable, 'tests/tools/old_pythons.py')


def integration(name: str) -> bool:
    """One suite on a sandbox box of its own."""
    return call(sys.executable, '-m', 'pytest', f'tests/integration/test_{name}.py', '-q', '-p', 'no:cacheprovider')


def conformance() -> bool:
    """The statements about a core, on the miniature; make conformance CORE=... asks a genuine one. Not among "all": it takes as long as the rest."""
    return call(sys.executable, '-m', 'pytest', 'tests/conformance', '-q', '-p', 'no:cacheprovider')


def molecule(scenario: str) -> bool:
    """One molecule scenario, always destroyed at the end."""
    return call('molecule', 'test', '-s', scenario)


def main(names: list[str]) -> int:
    """Run the named suites; 1 if one failed."""
    if names == ['all']:
        names = ['lint', 'unit', 'unit_old', 'artifact', *(f'integration:{name}' for name in INTEGRATION),
                 *(f'molecule:{name}' for name in SCENARIOS)]
    failed = []
    for name in names:
        kind, _colon, argument = name.partition(':')
        begin = time.monotonic()
        good = {'lint': lint, 'unit': unit, 'unit_old': unit_old, 'artifact': artifact, 'conformance': conformance,
                'integration': lambda: integration(argument), 'molecule': lambda: molecule(argument)}[kind]()
        print(f'-- {name}: {"passed" if good else "FAILED"} in {time.monotonic() - begin:.0f} s', flush=True)
        if not good:
            failed.append(name)
    print(f'{len(names) - len(failed)} passed, {len(failed)} failed')
    if failed:
        print('Failed: ' + ', '.join(failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:] or ['all']))
