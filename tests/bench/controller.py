# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a large fleet costs its controller, without a box: the report, what one box takes of our own code, and what Ansible itself takes.

controller.py [--boxes 500,2000,10000] [--hosts 50,200,800] [--tasks 10] [--forks 20]: made-up journals and facts, and hosts whose
connection answers at once without doing anything. Prints tables in Markdown; docs/benchmarks.md keeps them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from meter import Memory, tree

ROOT = Path(__file__).resolve().parent.parent.parent
PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
# The bars for 500 boxes (issue: "under 3 s and 5 MB").
SECONDS, MEGABYTES = 3.0, 5.0
# Each part is a process of its own, so that its memory is its own; prints JSON.
REPORT = '''
import json, resource, sys, time
sys.path.insert(0, {collections!r})
from ansible_collections.jeedom.fleet.plugins.plugin_utils import report
cpu, wall = time.process_time(), time.monotonic()
files = report.write(sys.argv[1])
print(json.dumps(dict(cpu=time.process_time() - cpu, wall=time.monotonic() - wall,
                      memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, html=files['html'])))
'''
PARTS = '''
import json, sys, time
sys.path.insert(0, {collections!r})
from pathlib import Path
from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, journal, knowledge, waves
root, boxes = Path(sys.argv[1]), int(sys.argv[2])
facts, told = json.loads(Path({facts!r}).read_text()), {{}}
known = knowledge.load()
assessment.assess(facts, known, '4.5.3')

def timed(name, work, times=1):
    begin = time.process_time(), time.monotonic()
    for number in range(times):
        work(number)
    told[name] = [(time.process_time() - begin[0]) / times, (time.monotonic() - begin[1]) / times]

hosts = [entry['host'] for entry in journal.read_all(root)]
timed('judge a box', lambda number: assessment.assess(facts, known, '4.5.3'), 50)
timed('write an event of a box into its journal', lambda number: journal.record(root, hosts[number], 'bench', 'assess', 'ok', 'bench'), 100)
timed('read all journals', lambda number: journal.read_all(root))
timed('plan the waves', lambda number: waves.plan([1, 5, '25%'], hosts, {{}}))
plan = waves.plan([1, 5, '25%'], hosts, {{}})

def gate(number):
    judged = set(hosts[:6])
    entries = {{host: journal.read(root, host) for host in hosts if host not in judged}}
    begun = {{host for host, entry in entries.items() if entry and entry['run_id'] == 'bench'}}
    inside = waves.members(hosts, plan[2], judged, begun)
    waves.judge({{host: waves.state(entries.get(host), 'bench', True) for host in inside}}, '2%')

timed('judge a wave of a quarter', gate)
print(json.dumps(told))
'''
CONNECTION = '''
DOCUMENTATION = "name: nothing\\nshort_description: answers at once\\ndescription: [Answers at once.]\\nauthor: bench\\noptions: {}"
from ansible.plugins.connection import ConnectionBase
class Connection(ConnectionBase):
    transport = 'nothing'
    has_pipelining = True
    def _connect(self): return self
    def close(self): pass
    def put_file(self, in_path, out_path): pass
    def fetch_file(self, in_path, out_path): pass
    def exec_command(self, cmd, in_data=None, sudoable=True): return 0, b'', b''
'''


def script(text: str, *arguments: str) -> dict:
    """What one of the scripts above prints."""
    text = text.format(collections=str(ROOT / 'collections'), facts=str(ROOT / 'tests/unit/assess/fixtures/healthy.json'))
    done = subprocess.run([sys.executable, '-c', text, *arguments], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def fleet(folder: Path, boxes: int) -> None:
    """Journals, records and archives (sparse) of so many boxes."""
    subprocess.run([sys.executable, str(ROOT / 'tests/unit/report/fleet_fixture.py'), str(folder), str(boxes)], check=True, stdout=subprocess.DEVNULL)


def reports(sizes: list[int]) -> bool:
    """The table of reports, and of what one box takes; whether 500 boxes keep the bars."""
    good, parts = True, {}
    print('| boxes | s | CPU s | peak MiB | first page MB | all files MB | ms per box |\n|---|---|---|---|---|---|---|')
    for boxes in sizes:
        with tempfile.TemporaryDirectory() as name:
            fleet(Path(name), boxes)
            told = min((script(REPORT, name) for _run in range(3)), key=lambda one: one['cpu'])
            page = Path(told['html'])
            size = page.stat().st_size / 1e6
            whole = sum(path.stat().st_size for path in page.parent.iterdir()) / 1e6
            print(f'| {boxes} | {told["wall"]:.1f} | {told["cpu"]:.1f} | {told["memory"]:.0f} | {size:.1f} | {whole:.0f} | '
                  f'{1000 * told["cpu"] / boxes:.1f} |', flush=True)
            good &= boxes > 500 or (told['wall'] < SECONDS and size <= MEGABYTES)
            parts = script(PARTS, name, str(boxes))
    print(f'\n| of a fleet of {sizes[-1]} boxes | CPU ms | ms |\n|---|---|---|')
    for name, (cpu, wall) in parts.items():
        print(f'| {name} | {1000 * cpu:.1f} | {1000 * wall:.1f} |', flush=True)
    return good


def ansible(hosts: int, tasks: int, forks: int, folder: Path) -> dict:
    """A playbook of so many raw tasks over so many hosts that answer at once: wall, CPU, peak MiB."""
    (folder / 'connection_plugins').mkdir(exist_ok=True)
    (folder / 'connection_plugins/nothing.py').write_text(CONNECTION, encoding='utf-8')
    (folder / 'hosts').write_text(f'[jeedom]\nbox[1:{hosts}] ansible_connection=nothing\n', encoding='utf-8')
    (folder / 'play.yml').write_text(json.dumps([{'hosts': 'jeedom', 'gather_facts': False, 'tasks': [{'raw': 'true'}] * tasks}]), encoding='utf-8')
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen([str(PLAYBOOK), 'play.yml', '-i', 'hosts', '--forks', str(forks)], cwd=folder, stdout=subprocess.DEVNULL,
                               env=dict(os.environ, ANSIBLE_CONNECTION_PLUGINS=str(folder / 'connection_plugins')))
    memory = Memory(lambda: tree(process.pid))
    if process.wait():
        raise SystemExit('the playbook of the bench failed')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {'wall': time.monotonic() - begin, 'cpu': after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 'memory': memory.end()}


def main() -> int:
    """Print the tables; 1 when a bar is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--boxes', default='500,2000,10000')
    parser.add_argument('--hosts', default='50,200,800')
    parser.add_argument('--tasks', type=int, default=10)
    parser.add_argument('--forks', type=int, default=20)
    options = parser.parse_args()
    good = reports([int(value) for value in options.boxes.split(',')])
    print(f'\n| hosts, {options.tasks} tasks, {options.forks} forks | s | CPU s | peak MiB | ms a host and task | CPU ms a host and task |')
    print('|---|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as name:
        for hosts in (int(value) for value in options.hosts.split(',')):
            one = ansible(hosts, options.tasks, options.forks, Path(name))
            each = 1000 / hosts / options.tasks
            print(f'| {hosts} | {one["wall"]:.1f} | {one["cpu"]:.1f} | {one["memory"]:.0f} | {one["wall"] * each:.1f} | {one["cpu"] * each:.1f} |', flush=True)
    if not good:
        print(f'500 boxes take more than {SECONDS:g} s or {MEGABYTES:g} MB.', file=sys.stderr)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
