# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet through our migrate.yml, through a plain playbook of the same steps, and through bare ssh, in one run.

fleet.py [--boxes 1,4,8] [--forks 5,50] [--plain 5x8,50x32] [--share-cores]: sandbox boxes whose core waits instead of computing (its
pauses are set to seconds), so that two cores are enough for a fleet. The bare run, every box at the same time, is the core's own work;
what a playbook takes beyond it is its overhead. --plain: with so many forks the plain playbook runs over so many boxes at most, since it
takes one batch of forks after the other. --share-cores: boxes of a fleet have processors of their own, those of the sandbox share the
controller's; what they compute takes longer with each box, and with this their core's pauses do, too (from 4 boxes on, in proportion).
Prints tables in Markdown; docs/benchmarks.md keeps them.

The bars: overhead at most half of the plain playbook's; wall at most 1.2 x (slowest box + launch), where the time of a box is that of
its jobs by its own clock, and launch what passes between the first and the last start of the same job; the controller's CPU per box
flat within 15 %; outage at most 1.3 x the sum of the hops.
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
    """A sandbox fleet that is reset before each run. No larger than what is measured: the boxes of others have a minute task, too."""

    def __init__(self, folder: Path, boxes: int, stretch: float):
        """stretch: factor of the core's pauses."""
        self.folder, self.inventory, self.stretch = folder, folder / 'hosts.yml', stretch
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
        rows = ', '.join(f"('core', 'mini::slow::{name}', '{value * self.stretch:.0f}')" for name, value in PAUSES.items())
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda box: self.sandbox('ssh', box, '--', f'mysql jeedom -e "REPLACE INTO config (plugin, \\`key\\`, value) VALUES {rows}"'), boxes))

    def bare(self, boxes: list[str]) -> dict[str, float]:
        """The core's commands and nothing else, all boxes at once; also the longest sum of hops."""
        script = BARE.replace('HOPS;', ' '.join(HOPS) + ';')
        begin = time.monotonic()
        with ThreadPoolExecutor(len(boxes)) as pool:
            said = list(pool.map(lambda box: self.sandbox('ssh', box, '--', script), boxes))
        return {'wall': time.monotonic() - begin, 'hops': max(_number(r'HOPS (\S+)', text) for text in said)}

    def jobs(self, boxes: list[str]) -> dict[str, float]:
        """What the boxes themselves say of the jobs of our run: seconds of the slowest box, and of the launches (first to last start of a kind)."""
        def one(box: str) -> list[tuple[str, float, float]]:
            said = self.sandbox('ssh', box, '--', 'cd /var/lib/jeedom-fleet/jobs; for job in *; do echo "$job $(tr -d "\n" <$job/status.json)"; done')
            found = []
            for line in said.splitlines():
                job, _space, status = line.partition(' ')
                if status.startswith('{'):
                    told = json.loads(status)
                    found.append((job.split('-')[0], told['started'], told['heartbeat']))
            return sorted(found, key=lambda each: each[1])
        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(one, boxes))
        # the same job of every box: the first backup, the first core, the second core ...
        kinds = [[entry[1] for entry in row] for row in zip(*seen, strict=True)]
        return {'slowest': max(sum(end - begin for _kind, begin, end in box) for box in seen), 'launch': sum(max(row) - min(row) for row in kinds)}

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
    """Bytes that went between the controller's side of the sandbox's bridge and the boxes, both ways."""
    done = subprocess.run(['ip', '-n', f'{NAME}Ctl', '-j', '-s', 'link', 'show', 'dev', 'br0'], capture_output=True, text=True, check=True)
    return sum(device['stats64'][way]['bytes'] for device in json.loads(done.stdout) for way in ('rx', 'tx'))


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
    parser.add_argument('--plain', default='5x8,50x32')
    parser.add_argument('--share-cores', action='store_true')
    options = parser.parse_args()
    sizes = [int(value) for value in options.boxes.split(',')]
    most = {int(forks): int(boxes) for forks, boxes in (value.split('x') for value in options.plain.split(',') if value)}
    folder = Path(tempfile.mkdtemp(prefix='fleet-bench-'))
    rows = ['| boxes | forks | way | a hop waits s | wall s | overhead s | of plain | CPU s/box | peak MiB | tasks/box | MB/box | '
            'wall/(slowest + launch) | outage/hops |',
            '|---|---|---|---|---|---|---|---|---|---|---|---|---|']
    try:
        for size in sizes:
            bench = Bench(folder, size, max(1, size / 4) if options.share_cores else 1)
            boxes = bench.names
            bench.fresh(boxes)
            floor = bench.bare(boxes)
            waits = f'{(PAUSES["download"] + PAUSES["unzip"]) * bench.stretch / 1000:.0f}'
            rows.append(f'| {size} | | bare ssh | {waits} | {floor["wall"]:.1f} | | | | | | | | |')
            for forks in (int(value) for value in options.forks.split(',')):
                runs = []
                if size <= most.get(forks, 0):
                    bench.fresh(boxes)
                    plain = bench.playbook(boxes, forks, 'tests/bench/plain/migrate.yml', '-e', f'plain_dest={folder}/plain-{size}-{forks}')
                    runs.append(('plain', plain, '', ''))
                bench.fresh(boxes)
                artifacts = folder / f'ours-{size}-{forks}'
                ours = bench.playbook(boxes, forks, 'playbooks/migrate.yml', '-e', 'jeedom_acknowledge=true', '-e', f'jeedom_waves={size}',
                                      '-e', f'jeedom_artifacts={artifacts}')
                jobs = bench.jobs(boxes)
                runs.append(('ours', ours, f'{ours["wall"] / (jobs["slowest"] + jobs["launch"]):.2f}', f'{_outage(artifacts) / floor["hops"]:.2f}'))
                for name, run, width, outage in runs:
                    over = run['wall'] - floor['wall']
                    share = f'{over / (plain["wall"] - floor["wall"]):.2f}' if name == 'ours' and len(runs) > 1 else ''
                    rows.append(f'| {size} | {forks} | {name} | {waits} | {run["wall"]:.1f} | {over:.1f} | {share} | {run["cpu"] / size:.2f} | '
                                f'{run["memory"]:.0f} | {run["tasks"]:.0f} | {run["bytes"] / 1e6:.1f} | {width} | {outage} |')
                print('\n'.join(rows[-len(runs):]), flush=True)
            bench.sandbox('down')
    finally:
        subprocess.run([sys.executable, str(SANDBOX), '--name', NAME, 'down'], check=False)
        shutil.rmtree(folder)
    print('\n'.join(['', *rows]))
    return 0


if __name__ == '__main__':
    sys.exit(main())
