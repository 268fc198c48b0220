#!/usr/bin/env python3
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of our modules over stdin beside the same calls as ordinary modules, on one box, under the oldest and the newest ansible-core.

transport.py [--calls 20] [--runs 5]: a sandbox box. The ways take turns. What a call costs: wall, CPU of the controller (ssh of the call
included), CPU of the box, bytes to the box. Tables in Markdown, medians of the runs.
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
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / 'tests/integration'), str(ROOT / 'tests/tools')]

import artifact  # noqa: E402
from testbox import Box, sandbox  # noqa: E402

NAME = os.environ.get('JEEDOM_SANDBOX_NAME', 'bencht')
# name -> jeedom_box_transport, pipelining (which Ansible has off and this clone on)
WAYS = {'stdin': ('stdin', True), 'module': ('module', True), 'module, no pipelining': ('module', False)}
KINDS = ('Facts', 'Config', 'Engine', 'Rollback point')


def group() -> Path:
    """The control group that counts the processor time of the box."""
    base = Path('/sys/fs/cgroup')
    return (base if (base / 'cgroup.controllers').exists() else base / 'cpuacct') / NAME / 'box1'


def run(binaries: Path, folder: Path, way: str, calls: int) -> dict[str, dict]:
    """What one call of each kind cost, by the name of its task."""
    transport, pipelining = WAYS[way]
    out = folder / 'rows.jsonl'
    out.write_text('', encoding='utf-8')
    environment = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'PYTHON'))} | {
        'ANSIBLE_CALLBACK_PLUGINS': str(HERE / 'callback'), 'ANSIBLE_CALLBACKS_ENABLED': 'transport_meter', 'ANSIBLE_PIPELINING': str(pipelining),
        'METER_OUT': str(out), 'METER_GROUP': str(group()), 'METER_NAMESPACE': f'{NAME}Ctl', 'METER_DEVICE': 'vbox1', 'LC_ALL': 'C.UTF-8'}
    done = subprocess.run([str(binaries / 'ansible-playbook'), 'tests/bench/transport.yml', '-i', str(folder / 'hosts.yml'),
                           '-e', json.dumps({'jeedom_box_transport': transport, 'bench_calls': calls})],
                          cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f'{binaries}, {way}: exit code {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}')
    rows = [json.loads(line) for line in out.read_text(encoding='utf-8').splitlines()]
    return {row['task']: {key: value / calls for key, value in row.items() if key != 'task'} for row in rows}


def table(found: dict[str, list[dict[str, dict]]]) -> None:
    """The table of one ansible-core. found: runs by way."""
    print('| call | by | wall ms | of stdin | CPU here ms | CPU on the box ms | kB to the box |\n|---|---|---|---|---|---|---|')
    for kind in KINDS:
        def median(way: str, what: str) -> float:
            return statistics.median(each[kind][what] for each in found[way])
        for way in WAYS:
            print(f'| {kind.lower()} | {way} | {median(way, "wall") * 1e3:.0f} | {median(way, "wall") / median("stdin", "wall"):.2f} | '
                  f'{median(way, "here") * 1e3:.0f} | {median(way, "box") * 1e3:.0f} | {median(way, "sent") / 1e3:.1f} |', flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (('calls', 20), ('runs', 5)):
        parser.add_argument(f'--{name}', type=int, default=value)
    options = parser.parse_args()
    cores = [(series, binaries) for series, pythons in (artifact.OLDEST, artifact.NEWEST[0]) if (binaries := artifact.core(series, pythons))]
    folder = Path(tempfile.mkdtemp(prefix='transport-bench-'))
    try:
        sandbox(NAME, '--inventory', str(folder / 'hosts.yml'), 'up', '--boxes', '1')
        box = Box(folder / 'hosts.yml', 'box1')
        # Jeedom's minute task would count as ours
        box.calm()
        found: dict[str, dict[str, list]] = {series: {way: [] for way in WAYS} for series, _binaries in cores}
        for _run in range(options.runs):
            for series, binaries in cores:
                for way in WAYS:
                    found[series][way].append(run(binaries, folder, way, options.calls))
        for series, _binaries in cores:
            print(f'\nansible-core {series}\n')
            table(found[series])
    finally:
        sandbox(NAME, 'down')
        shutil.rmtree(folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
