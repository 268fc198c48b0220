# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on a sandbox fleet: one healthy V3 box, one that must be blocked, one that is on V4 already.

Exit code 0 only if each of the three ended as it should. KEEP=1 leaves the sandbox up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import ending

ROOT = Path(__file__).resolve().parent.parent.parent
SANDBOX = ROOT / 'tests/sandbox/sandbox.py'
FLEET = ROOT / 'tests/sandbox/fleets/demo.yml'
ARTIFACTS = ROOT / 'artifacts/demo'
EXPECTED = {'box1': 'migrated', 'box2': 'blocked', 'box3': 'already_done'}


def say(text: str) -> None:
    """A heading."""
    print(f'\n=== {text}', flush=True)


def sandbox(*arguments: str) -> None:
    """Call the sandbox; its own words say what went wrong."""
    subprocess.run([sys.executable, str(SANDBOX), *arguments], check=True, cwd=ROOT)


def outcomes() -> dict[str, str]:
    """What the journal says of each box."""
    found = {}
    for path in (ARTIFACTS / 'journal').glob('*.json'):
        entry = json.loads(path.read_text(encoding='utf-8'))
        found[entry['host']] = entry['outcome']
    return found


def main() -> int:
    """Set up, migrate, compare."""
    ending.tidily()
    begin = time.monotonic()
    say('Three boxes: a V3, a V3 with a plugin that V4 does not take, a V4.5.3')
    try:
        sandbox('up', '--fleet', str(FLEET))
        ready = time.monotonic()
        say('ansible-playbook playbooks/migrate.yml -i inventory/sandbox -e jeedom_acknowledge=true')
        subprocess.run(['ansible-playbook', 'playbooks/migrate.yml', '-i', 'inventory/sandbox', '-e', 'jeedom_acknowledge=true',
                        '-e', f'jeedom_artifacts={ARTIFACTS}', *sys.argv[1:]], cwd=ROOT, check=False)
        done = time.monotonic()
    finally:
        if not os.environ.get('KEEP'):
            sandbox('down')
    found = outcomes()
    say('How it ended')
    for host, expected in EXPECTED.items():
        good = found.get(host) == expected
        print(f'  {host}: {found.get(host)}' + ('' if good else f' - expected: {expected}'))
    print(f'\n  report: {ARTIFACTS / "report/index.html"}')
    print(f'  set-up {ready - begin:.0f} s, migration {done - ready:.0f} s')
    return 0 if all(found.get(host) == expected for host, expected in EXPECTED.items()) else 1


if __name__ == '__main__':
    sys.exit(main())
