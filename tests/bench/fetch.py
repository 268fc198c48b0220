# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing a large archive to the controller: scp, ssh and sudo, ansible.builtin.fetch, jeedom.fleet.backup_fetch; and proving one.

fetch.py [--size 1024] [--small 64] [--large 4096] [--runs 3] [--link 1gbit]: sizes in MiB, the link as tc says it. The archive is
incompressible, readable by root only and on a sandbox box; scp and fetch without become get a readable copy. All ways use the ssh
options of ansible.cfg. Playbooks count without what the same playbook takes when there is nothing to fetch. Once over a link as boxes
have it, and once as fast as it goes with both ends on this machine. Medians; tables in Markdown, as docs/benchmarks.md keeps them.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from meter import Memory, tree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / 'tests/integration'))

from testbox import Box, sandbox  # noqa: E402

NAME = os.environ.get('JEEDOM_SANDBOX_NAME', 'benchf')
PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
FOLDER = '/root/bench'
# fetch with become holds the file several times in memory, on both sides, and takes minutes for more than this (MiB)
SLURPED = 16
# Made on the box: an archive that is proved, all but its dump being noise, and what backup_fetch has to know of it.
MAKE = r'''
import hashlib, io, json, os, sys, tarfile
folder, megabytes = sys.argv[1], int(sys.argv[2])
os.makedirs(folder, exist_ok=True)
path = os.path.join(folder, 'backup-bench-3.3.60-2026-01-01-%02dh%02d.tar.gz' % divmod(megabytes, 60))
class Noise(io.RawIOBase):
    left = megabytes << 20
    def read(self, size=-1):
        size = min(size, self.left)
        self.left -= size
        return os.urandom(size)
members = {'core/config/version': b'3.3.60\n', 'DB_backup.sql': b'CREATE TABLE `t` (\n);\nINSERT INTO `t` VALUES (1);\n-- Dump completed\n'}
with tarfile.open(path, 'w:gz', compresslevel=0) as tar:
    for name, data in members.items():
        info = tarfile.TarInfo('./' + name); info.size = len(data); tar.addfile(info, io.BytesIO(data))
    info = tarfile.TarInfo('./data/noise'); info.size = megabytes << 20; tar.addfile(info, Noise())
digest = hashlib.sha256()
with open(path, 'rb') as stream:
    for data in iter(lambda: stream.read(1 << 20), b''):
        digest.update(data)
os.chmod(path, 0o600)
print(json.dumps({'path': path, 'name': os.path.basename(path), 'size': os.path.getsize(path), 'sha256': digest.hexdigest(), 'proved': True,
                  'manifest': {'created': 1767261600.0, 'core_version': '3.3.60', 'sha256': digest.hexdigest(), 'size': os.path.getsize(path)}}))
'''
PLAY = '''
- hosts: jeedom
  gather_facts: false
  become: true
  tasks:
    - name: Bring it here
      {task}
'''


class Bench:
    """One box, with archives of some sizes."""

    def __init__(self, folder: Path, sizes: list[int]):
        self.folder, self.inventory = folder, folder / 'hosts.yml'
        # seconds between two looks at the memory; each takes time of a processor, so seldom where time is what counts
        self.every = 1.0
        sandbox(NAME, '--inventory', str(self.inventory), 'up', '--boxes', '1')
        self.box = Box(self.inventory, 'box1')
        self.box.sh('systemctl stop cron; mkdir -p /root/bench; cat > /root/bench/make.py', MAKE.encode())
        self.backups = {size: json.loads(self.box.sh(f'python3 /root/bench/make.py {FOLDER} {size}')) for size in sizes}
        self.readable = {size: f'/srv/bench-{size}' for size in sizes}
        options = configparser.ConfigParser(interpolation=None)
        options.read(ROOT / 'ansible.cfg')
        # the shared connection of Ansible would stay behind, and a first one costs every way the same
        self.options = [word for word in shlex.split(options['ssh_connection']['ssh_args']) if not word.startswith('Control')]
        self.options = [word for at, word in enumerate(self.options) if not (word == '-o' and (at + 1 == len(self.options) or self.options[at + 1] == '-o'))]
        self.extra, self.user = self.box.ssh[1:-1], self.box.ssh[-1]

    def run(self, argv: list[str], name: str, **options) -> dict[str, float]:
        """Wall seconds, peak MiB here and on the box, of a command that has to end well."""
        there = set(self.pids())
        begin = time.monotonic()
        with open(self.folder / 'said', 'w+b') as said:
            process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=options.get('stdout', said), stderr=said,
                                       env=dict(os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_FORCE_COLOR='0', JEEDOM_FLEET_REPORT='false'))
            here, remote = Memory(lambda: tree(process.pid), self.every), Memory(lambda: set(self.pids()) - there, self.every)
            code = process.wait(timeout=1800)
            wall = time.monotonic() - begin
            peaks = here.end(), remote.end()
            if code:
                said.seek(0)
                raise SystemExit(f'{name} ended with code {code}: {said.read()[-3000:].decode(errors="replace")}')
        return {'wall': wall, 'here': peaks[0], 'box': peaks[1]}

    def pids(self) -> list[int]:
        """Processes of the box."""
        done = subprocess.run(['ip', 'netns', 'pids', f'{NAME}box1'], capture_output=True, text=True, check=False)
        return [int(pid) for pid in done.stdout.split()]

    def playbook(self, task: str, name: str, *arguments: str) -> dict[str, float]:
        """One task as a playbook."""
        (self.folder / 'play.yml').write_text(PLAY.format(task=task), encoding='utf-8')
        return self.run([str(PLAYBOOK), '-i', str(self.inventory), str(self.folder / 'play.yml'), *arguments], name)

    def scp(self, size: int) -> dict[str, float]:
        """A copy that everybody may read."""
        return self.run(['scp', '-q', *self.options, *self.extra, f'{self.user}:{self.readable[size]}', str(self.folder / 'copy')], 'scp')

    def scp_and_look(self, size: int) -> dict[str, float]:
        """A copy that everybody may read, which is then read to see whether it is whole."""
        copied, copy = self.scp(size), str(self.folder / 'copy')
        begin = time.monotonic()
        for argv in (['gzip', '-t', '--', copy], ['sha256sum', copy]):
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        return dict(copied, wall=copied['wall'] + time.monotonic() - begin)

    def limit(self, link: str | None) -> None:
        """Let the box send no faster than this (bits a second as tc says it), or as fast as it can."""
        if link:
            subprocess.run(['tc', '-n', f'{NAME}box1', 'qdisc', 'add', 'dev', 'host0', 'root', 'tbf', 'rate', link, 'burst', '256kb', 'latency', '20ms'],
                           check=True)
        else:
            subprocess.run(['tc', '-n', f'{NAME}box1', 'qdisc', 'del', 'dev', 'host0', 'root'], check=True)

    def cat(self, size: int) -> dict[str, float]:
        """ssh and sudo."""
        with open(self.folder / 'copy', 'wb') as copy:
            return self.run(['ssh', *self.options, *self.extra, self.user, f'sudo -n cat {shlex.quote(self.backups[size]["path"])}'], 'ssh', stdout=copy)

    def builtin(self, size: int, become: bool) -> dict[str, float]:
        """ansible.builtin.fetch, without its own second hash of the file on the box where it does not become root."""
        source = self.backups[size]['path'] if become else self.readable[size]
        task = f'ansible.builtin.fetch: {{src: {source}, dest: {self.folder}/copy, flat: true}}\n      vars: {{ansible_become: {str(become).lower()}}}'
        return self.playbook(task, 'ansible.builtin.fetch')

    def ours(self, size: int, *arguments: str) -> dict[str, float]:
        """jeedom.fleet.backup_fetch, which hashes and proves on the way."""
        task = f'jeedom.fleet.backup_fetch: {{backup: {json.dumps(self.backups[size])}, dest: {self.folder}/store}}'
        return self.playbook(task, 'jeedom.fleet.backup_fetch', *arguments)

    def clean(self) -> None:
        """Nothing of the last way is left on the controller."""
        shutil.rmtree(self.folder / 'store', ignore_errors=True)
        (self.folder / 'copy').unlink(missing_ok=True)


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    """Medians by key."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def ways(bench: Bench, size: int, runs: int) -> None:
    """The table of ways; the ways take turns, so that a busy moment meets all of them."""
    small = min(bench.backups)
    calls = {
        'scp, readable copy': lambda: bench.scp(size),
        'scp, then gzip -t and sha256sum': lambda: bench.scp_and_look(size),
        'ssh sudo cat': lambda: bench.cat(size),
        'ansible.builtin.fetch, readable copy': lambda: bench.builtin(size, False),
        f'ansible.builtin.fetch, become ({small} MiB)': lambda: bench.builtin(small, True),
        'jeedom.fleet.backup_fetch': lambda: bench.ours(size),
        'idle': lambda: bench.ours(size, '--check'),
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in calls}
    for _run in range(runs):
        for name, call in calls.items():
            bench.clean()
            found[name].append(call())
    result = {name: median(each) for name, each in found.items()}
    idle = result.pop('idle')
    scp = size / result['scp, readable copy']['wall']
    print(f'| {size} MiB by | wall s | without the idle playbook s | MiB/s | of scp | peak MiB here | peak MiB on the box |\n|---|---|---|---|---|---|---|')
    for name, each in result.items():
        megabytes = small if 'become' in name else size
        net = each['wall'] - (idle['wall'] if 'fleet' in name or 'builtin' in name else 0.0)
        print(f'| {name} | {each["wall"]:.1f} | {net:.1f} | {megabytes / net:.0f} | {megabytes / net / scp:.2f} | {each["here"]:.0f} | {each["box"]:.0f} |')
    print(f'| the same playbook, nothing fetched | {idle["wall"]:.1f} | | | | | |', flush=True)


def memory(bench: Bench, sizes: list[int], runs: int) -> None:
    """Memory of the controller by the size of the file, against the idle playbook."""
    print('\n| file MiB | peak MiB here | of the idle playbook | peak MiB on the box |\n|---|---|---|---|')
    bench.every = 0.02
    for size in sizes:
        found, idle = [], []
        for _run in range(runs):
            bench.clean()
            idle.append(bench.ours(size, '--check'))
            found.append(bench.ours(size))
        here, rest = median(found), median(idle)
        print(f'| {size} | {here["here"]:.0f} | {here["here"] / rest["here"]:.2f} | {here["box"]:.0f} |', flush=True)
    bench.clean()


PROVE = '''
import sys, time
sys.path.insert(0, {root!r})
from ansible_collections.jeedom.fleet.plugins.module_utils import archive
with open(sys.argv[1], 'rb') as raw:
    found = archive.prove(raw)
assert found['proved'], found['problems']
'''


def proof(folder: Path, megabytes: int, runs: int) -> None:
    """The proof of an archive against gzip -t and sha256sum, on a file as boxes have them: code, pictures, and a dump with history."""
    path = folder / 'prove.tar.gz'
    subprocess.run([sys.executable, str(HERE / 'archive_fixture.py'), str(path), str(megabytes)], check=True)
    code = PROVE.format(root=str(ROOT / 'collections'))
    calls = {'gzip -t': ['gzip', '-t', str(path)], 'sha256sum': ['sha256sum', str(path)], 'archive.prove': [sys.executable, '-c', code, str(path)],
             'an idle Python': [sys.executable, '-c', code.split('with open', maxsplit=1)[0], str(path)]}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _run in range(runs):
        for name, argv in calls.items():
            begin = time.monotonic()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.monotonic() - begin)
    middle = {name: statistics.median(each) for name, each in times.items()}
    peers = middle['gzip -t'] + middle['sha256sum']
    net = middle['archive.prove'] - middle['an idle Python']
    print(f'\n| proof of {path.stat().st_size >> 20} MiB | s | of gzip -t + sha256sum |\n|---|---|---|\n'
          f'| gzip -t + sha256sum | {peers:.2f} | 1 |\n| archive.prove | {net:.2f} | {net / peers:.2f} |', flush=True)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (('size', 1024), ('small', 64), ('large', 4096), ('runs', 3), ('proof', 200)):
        parser.add_argument(f'--{name}', type=int, default=value)
    parser.add_argument('--link', default='1gbit')
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix='fetch-bench-'))
    try:
        proof(folder, options.proof, max(3, options.runs))
        bench = Bench(folder, sorted({SLURPED, options.small, options.size, options.large}))
        try:
            bench.box.sh(f'install -m 644 {bench.backups[options.size]["path"]} {bench.readable[options.size]}')
            for link in (options.link, None):
                print(f'\n{link or "As fast as it goes, both ends on this machine"}\n')
                if link:
                    bench.limit(link)
                ways(bench, options.size, options.runs)
                if link:
                    bench.limit(None)
            memory(bench, [options.small, options.large], options.runs)
        finally:
            sandbox(NAME, 'down')
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == '__main__':
    sys.exit(main())
