#!/usr/bin/env python3
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A look at a fleet (playbooks/assess.yml) against one ansible.builtin.setup over the same boxes; and what a look costs a box.

assess.py [--boxes 16] [--runs 5] [--history 34000] [--census 1000000]: sandbox boxes. The two take turns, by both ways to a box. Then, on
a box with so many rows of history: seconds and peak memory of the facts, and of the census with so many rows. Tables in Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / 'tests/integration'))

from testbox import Box, sandbox  # noqa: E402

NAME = os.environ.get('JEEDOM_SANDBOX_NAME', 'bencha')
BIN = Path(sys.executable).parent
# One call of a box function as a process of its own: seconds, and peak memory in MiB with that of its children.
CALL = '''
import json, resource, sys, time
sys.path.insert(0, '/root/test/code.zip')
from ansible_collections.jeedom.fleet.plugins.module_utils import facts
begin = time.time()
result = facts.run(dict(web_root='/var/www/html', gather_subset=json.loads(sys.argv[1]), core_manifest=[], census_until=None), False)
peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps([time.time() - begin, peak / 1024.0, result['ansible_facts']['jeedom'].get('census') is not None]))
'''
ROWS = ("INSERT INTO historyArch (cmd_id, datetime, value) SELECT 1, '2010-01-01' + INTERVAL seq SECOND, seq FROM seq_1_to_{rows}")


def wall(argv: list[str], folder: Path) -> float:
    """Seconds that a command took which has to end well."""
    begin = time.monotonic()
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_FORCE_COLOR='0', JEEDOM_FLEET_ARTIFACTS=str(folder)))
    if done.returncode:
        raise SystemExit(f'{argv[0]} ended with code {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}')
    return time.monotonic() - begin


def fleet(folder: Path, runs: int) -> None:
    """The table of a look at a fleet."""
    inventory = ['-i', str(folder / 'hosts.yml')]
    setup = [str(BIN / 'ansible'), 'jeedom', '-b', '-m', 'ansible.builtin.setup', *inventory]
    assess = [str(BIN / 'ansible-playbook'), 'playbooks/assess.yml', *inventory, '-e', f'jeedom_artifacts={folder}/artifacts', '-e', 'jeedom_market=offline']
    ways = {'ansible.builtin.setup': setup, 'assess.yml': assess, 'assess.yml, over stdin': [*assess, '-e', 'jeedom_box_transport=stdin'],
            'assess.yml, as modules': [*assess, '-e', 'jeedom_box_transport=module']}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _run in range(runs):
        for name, argv in ways.items():
            times[name].append(wall(argv, folder))
    peer = statistics.median(times['ansible.builtin.setup'])
    print('| a look by | s | of 1.3 x setup + 3 s |\n|---|---|---|')
    for name, found in times.items():
        seconds = statistics.median(found)
        print(f'| {name} | {seconds:.1f} | {seconds / (1.3 * peer + 3):.2f} |', flush=True)


def one_box(folder: Path, runs: int, history: int, census: int) -> None:
    """The table of what a look costs a box."""
    box = Box(folder / 'hosts.yml', 'box1')
    box.install()
    box.calm()
    box.sh('cat > /root/test/look.py', CALL.encode())
    print('\n| on the box | rows of history | s | peak MiB |\n|---|---|---|---|')
    for what, subset, rows in (('facts', ['all', '!census'], history), ('facts and census', ['all'], history), ('facts and census', ['all'], census),
                               ('facts', ['all', '!census'], census)):
        box.sh(f"mysql jeedom -e \"DELETE FROM historyArch; DELETE FROM history; {ROWS.format(rows=rows)}\"")
        found = [json.loads(box.sh(f"python3 /root/test/look.py '{json.dumps(subset)}'").splitlines()[-1]) for _run in range(runs)]
        print(f'| {what} | {rows} | {statistics.median(each[0] for each in found):.2f} | {max(each[1] for each in found):.0f} |', flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (('boxes', 16), ('runs', 5), ('history', 34000), ('census', 1000000)):
        parser.add_argument(f'--{name}', type=int, default=value)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix='assess-bench-'))
    try:
        sandbox(NAME, '--inventory', str(folder / 'hosts.yml'), 'up', '--boxes', str(options.boxes))
        fleet(folder, options.runs)
        one_box(folder, options.runs, options.history, options.census)
    finally:
        sandbox(NAME, 'down')
        shutil.rmtree(folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
