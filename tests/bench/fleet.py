# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet through our migrate.yml, through a plain playbook of the same steps, and through bare ssh, in one run.

fleet.py [--boxes 1,4,8] [--forks 5,50]: sandbox boxes whose core waits instead of computing (its pauses are set to seconds), so
that two cores are enough for a fleet. The bare run, every box at the same time, is the core's own work; what a playbook takes
beyond it is its overhead. Prints a table in Markdown; docs/benchmarks.md keeps one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from meter import Memory, tree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SANDBOX = ROOT / 'tests/sandbox/sandbox.py'
PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
NAME = os.environ.get('JEEDOM_SANDBOX_NAME', 'bench')
# Milliseconds that the core of the sandbox waits in each phase.
PAUSES = {'backup': 6000, 'download': 2000, 'unzip': 6000}
HOPS = ('4.0.63', '4.1.28', '4.4.20', '4.5.3')
BARE = '''set -e
cd /var/www/html; systemctl stop cron
sql() { mysql jeedom -e "REPLACE INTO config SET plugin='core', \\`key\\`='$1', value='$2'"; }
sql ignoreHourCheck 1
begin() { date +%s.%N; }
b=$(begin); sudo -u www-data php install/backup.php | grep -q 'END BACKUP SUCCESS'
c=$(begin); hops=''
for v in HOPS; do sql core::branch $v; cd /; h=$(begin)
sudo -u www-data php /var/www/html/install/update.php backup::before=0 plugins=0 core=1 force=0 | grep -q 'END UPDATE SUCCESS'
hops="$hops $(begin) - $h +"; done
systemctl start cron
echo "HOPS $(awk "BEGIN {print $hops 0}")"
'''


class Bench:
    """A sandbox fleet that is reset before each run."""

    def __init__(self, folder: Path, boxes: int):
        self.folder, self.inventory = folder, folder / 'hosts.yml'
        self.names = [f'box{number}' for number in range(1, boxes + 1)]
        self.sandbox('up', '--boxes', str(boxes))

    def sandbox(self, *arguments: str) -> str:
        """What sandbox.py says."""
        done = subprocess.run([sys.executable, str(SANDBOX), '--name', NAME, '--inventory', str(self.inventory), *arguments],
                              capture_output=True, text=True, timeout=3600, check=False)
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        return done.stdout

    def fresh(self, boxes: list[str]) -> None:
        """Boxes as they came up, with a core that waits."""
        self.sandbox('reset', *boxes)
        rows = ', '.join(f"('core', 'mini::slow::{name}', '{value}')" for name, value in PAUSES.items())
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda box: self.sandbox('ssh', box, '--', f'mysql jeedom -e "REPLACE INTO config (plugin, \\`key\\`, value) VALUES {rows}"'), boxes))

    def bare(self, boxes: list[str]) -> dict[str, float]:
        """The core's commands and nothing else, all boxes at once; also the longest sum of hops."""
        script = BARE.replace('HOPS;', ' '.join(HOPS) + ';')
        begin = time.monotonic()
        with ThreadPoolExecutor(len(boxes)) as pool:
            said = list(pool.map(lambda box: self.sandbox('ssh', box, '--', script), boxes))
        return {'wall': time.monotonic() - begin, 'hops': max(_number(r'HOPS (\S+)', text) for text in said)}

    def playbook(self, boxes: list[str], forks: int, playbook: str, *arguments: str) -> dict[str, float]:
        """One run of a playbook: wall, CPU of the controller, peak memory, tasks and link bytes a box."""
        before, sent = resource.getrusage(resource.RUSAGE_CHILDREN), _link_bytes()
        begin = time.monotonic()
        process = subprocess.Popen([str(PLAYBOOK), playbook, '-i', str(self.inventory), '--limit', ','.join(boxes), '--forks', str(forks), *arguments],
                                   cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   env=dict(os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_FORCE_COLOR='0'))
        memory = Memory(lambda: tree(process.pid))
        said = process.communicate(timeout=3600)[0]
        wall = time.monotonic() - begin
        peak = memory.end()
        if process.returncode:
            raise SystemExit(f'{playbook} over {len(boxes)} boxes failed:\n{said[-6000:]}')
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        tasks = [sum(int(value) for value in re.findall(r'(?:ok|skipped)=(\d+)', line)) for line in said.splitlines() if re.match(r'box\d+ +: ok=', line)]
        return {'wall': wall, 'cpu': after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 'memory': peak,
                'tasks': max(tasks, default=0), 'bytes': (_link_bytes() - sent) / len(boxes)}


def _link_bytes() -> int:
    """Bytes that went over the bridges and links of the sandbox, both ways, as this machine counts them."""
    devices = json.loads(subprocess.run(['ip', '-j', '-s', 'link', 'show', 'type', 'bridge'], capture_output=True, text=True, check=True).stdout or '[]')
    return sum(device['stats64'][way]['bytes'] for device in devices for way in ('rx', 'tx') if NAME in device['ifname'])


def _number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if not match:
        raise SystemExit(f'no {pattern} in: {text[-2000:]}')
    return float(match.group(1))


def _outage(artifacts: Path) -> float:
    """The longest outage of a box that our run recorded, seconds."""
    found = []
    for path in artifacts.glob('*/box*/upgrade.json'):
        found.append(json.loads(path.read_text(encoding='utf-8')).get('outage') or 0.0)
    return max(found, default=0.0)


def main() -> int:
    """Run all combinations and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--boxes', default='1,4,8')
    parser.add_argument('--forks', default='5,50')
    options = parser.parse_args()
    sizes = [int(value) for value in options.boxes.split(',')]
    folder = Path(tempfile.mkdtemp(prefix='fleet-bench-'))
    bench = Bench(folder, max(sizes))
    rows = ['| boxes | forks | way | wall s | overhead s | CPU s | peak MiB | tasks/box | MB/box | outage/hops |', '|---|---|---|---|---|---|---|---|---|---|']
    try:
        for size in sizes:
            boxes = bench.names[:size]
            bench.fresh(boxes)
            floor = bench.bare(boxes)
            rows.append(f'| {size} | | bare ssh | {floor["wall"]:.1f} | | | | | | |')
            for forks in (int(value) for value in options.forks.split(',')):
                bench.fresh(boxes)
                plain = bench.playbook(boxes, forks, 'tests/bench/plain/migrate.yml', '-e', f'plain_dest={folder}/plain-{size}-{forks}')
                bench.fresh(boxes)
                artifacts = folder / f'ours-{size}-{forks}'
                ours = bench.playbook(boxes, forks, 'playbooks/migrate.yml', '-e', 'jeedom_acknowledge=true', '-e', f'jeedom_waves={size}',
                                      '-e', f'jeedom_artifacts={artifacts}')
                for name, run, outage in (('plain', plain, ''), ('ours', ours, f'{_outage(artifacts) / floor["hops"]:.2f}')):
                    rows.append(f'| {size} | {forks} | {name} | {run["wall"]:.1f} | {run["wall"] - floor["wall"]:.1f} | {run["cpu"]:.1f} | '
                                f'{run["memory"]:.0f} | {run["tasks"]:.0f} | {run["bytes"] / 1e6:.1f} | {outage} |')
                print('\n'.join(rows[-2:]), flush=True)
    finally:
        bench.sandbox('down')
        shutil.rmtree(folder)
    print('\n'.join(['', *rows]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
