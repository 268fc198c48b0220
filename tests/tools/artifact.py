# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the collection, compare its files with artifact_files.txt, install it outside the clone and use it from there.

Under the oldest and the newest supported ansible-core, each in a venv of its own under .cache/. With --box, also on a sandbox box:
assess under each, migrate under the oldest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import ending
import interpreters

ROOT = Path(__file__).resolve().parent.parent.parent
ALLOWED = Path(__file__).with_name('artifact_files.txt')
SANDBOX = ROOT / 'tests/sandbox/sandbox.py'
# A fleet of this clone: another clone's on the same machine has another name.
FLEET = 'ar' + hashlib.sha256(str(ROOT).encode()).hexdigest()[:4]
# ansible-core -> the Pythons that can run it, best first
OLDEST = ('2.16', ('3.11', '3.12', '3.10'))
NEWEST = [('2.21', ('3.13', '3.14', '3.12')), ('2.19', ('3.11', '3.12', '3.13'))]
# 2.17 is supported and not asked: molecule and tox leave it out as well, for its CVE-2026-11332.
SUPPORTED = [OLDEST, ('2.18', ('3.11', '3.13', '3.12')), ('2.19', ('3.11', '3.12', '3.13')), ('2.20', ('3.13', '3.12', '3.14')), NEWEST[0]]
# Made by ansible-galaxy; not in git.
GENERATED = {'MANIFEST.json', 'FILES.json'}


class Wrong(Exception):
    """The artifact is not as it must be: one sentence."""


def expression(pattern: str) -> re.Pattern:
    """A line of artifact_files.txt: * within a folder, ** across folders."""
    parts = (('.*' if part == '**' else '[^/]*' if part == '*' else re.escape(part)) for part in re.split(r'(\*\*|\*)', pattern))
    return re.compile(''.join(parts))


def compare(names: set[str], patterns: list[str], tracked: set[str]) -> list[str]:
    """What is wrong with these names of files: not allowed, not in git, missing; and patterns that match nothing."""
    allowed = {pattern: expression(pattern) for pattern in patterns}

    def matches(name: str) -> bool:
        return any(known.fullmatch(name) for known in allowed.values())

    wrong = [f'{name} is in the artifact, but no line of {ALLOWED.name} allows it' for name in sorted(names) if not matches(name)]
    wrong += [f'{name} is in the artifact, but not in git' for name in sorted(names - tracked - GENERATED) if matches(name)]
    wrong += [f'{name} is in git and allowed, but build_ignore of galaxy.yml keeps it out' for name in sorted(tracked - names) if matches(name)]
    wrong += [f'the line {pattern} of {ALLOWED.name} matches no file' for pattern, known in allowed.items()
              if not any(known.fullmatch(name) for name in names)]
    return wrong


def run(*argv: str, cwd: Path, timeout: int = 1800, good: tuple[int, ...] = (0,)) -> str:
    """Output of a command without the clone's settings; Wrong, with its last lines, when it does not end well."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'PYTHON', 'VIRTUAL_ENV'))}
    environment |= {'ANSIBLE_COLLECTIONS_PATH': str(cwd / 'collections'), 'ANSIBLE_CONFIG': str(cwd / 'ansible.cfg'), 'ANSIBLE_NOCOLOR': '1',
                    'LC_ALL': 'C.UTF-8'}
    done = subprocess.run(argv, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode not in good:
        tail = '\n  '.join((done.stdout + done.stderr).strip().splitlines()[-25:])
        raise Wrong(f'{" ".join(argv)}: exit code {done.returncode}\n  {tail}')
    return done.stdout


def in_git(names: set[str]) -> set[str]:
    """What git has of this clone; in a copy without its history the list alone decides, and that is said."""
    try:
        listed = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        print('NOT COMPARED with git: this is no clone, or git refuses it', flush=True)
        return names
    # a file that is deleted but not yet committed is no part of the clone
    return {name for name in listed.split('\0') if name and (ROOT / name).exists()}


def build(folder: Path) -> Path:
    """The tarball, with its files compared."""
    run(str(Path(sys.executable).with_name('ansible-galaxy')), 'collection', 'build', str(ROOT), '--output-path', str(folder), cwd=folder)
    tarball = next(folder.glob('*.tar.gz'))
    with tarfile.open(tarball) as archive:
        names = {member.name for member in archive if not member.isdir()}
    lines = ALLOWED.read_text(encoding='utf-8').splitlines()
    wrong = compare(names, [line for line in lines if line and not line.startswith('#')], in_git(names))
    if wrong:
        raise Wrong('The list of files differs:\n  ' + '\n  '.join(wrong))
    print(f'{tarball.name}: {len(names)} files, {tarball.stat().st_size // 1024} KiB, all of them allowed', flush=True)
    return tarball


def core(version: str, pythons: tuple[str, ...]) -> Path | None:
    """bin folder of a venv with this ansible-core; None, said aloud, without a Python for it."""
    found = next(((name, path) for name in pythons if (path := interpreters.find(name))), None)
    if not found:
        print(f'NOT RUN: ansible-core {version} needs Python {", ".join(pythons)}; none of them is on this machine', flush=True)
        return None
    folder = ROOT / f'.cache/artifact/core-{version}-py{found[0]}'
    if not (folder / '.complete').exists():
        subprocess.run([found[1], '-m', 'venv', '--clear', str(folder)], check=True)
        subprocess.run([str(folder / 'bin/pip'), 'install', '-q', '--disable-pip-version-check', f'ansible-core~={version}.0'], check=True)
        (folder / '.complete').touch()
    return folder / 'bin'


def use(binaries: Path, tarball: Path, folder: Path) -> None:
    """Install, then look at every playbook, module and role as its users do."""
    folder.mkdir()
    (folder / 'ansible.cfg').write_text('[defaults]\nhost_key_checking = False\n', encoding='utf-8')
    (folder / 'hosts.yml').write_text('jeedom: {hosts: {box1: {ansible_connection: local}}}\n', encoding='utf-8')
    told = run(str(binaries / 'ansible-playbook'), '--version', cwd=folder).splitlines()[0]
    run(str(binaries / 'ansible-galaxy'), 'collection', 'install', str(tarball), '-p', str(folder / 'collections'), '--offline', cwd=folder)
    home = folder / 'collections/ansible_collections/jeedom/fleet'
    playbooks = sorted(path.stem for path in (home / 'playbooks').glob('*.yml'))
    for name in playbooks:
        run(str(binaries / 'ansible-playbook'), f'jeedom.fleet.{name}', '-i', 'hosts.yml', '--syntax-check', cwd=folder)
    modules = sorted(f'jeedom.fleet.{path.stem}' for path in (home / 'plugins/modules').glob('*.py'))
    shown = json.loads(run(str(binaries / 'ansible-doc'), '-t', 'module', '--json', *modules, cwd=folder))
    roles = json.loads(run(str(binaries / 'ansible-doc'), '-t', 'role', '--list', '--json', 'jeedom.fleet', cwd=folder))
    missing = sorted(set(modules) - set(shown)) + sorted({f'jeedom.fleet.{path.name}' for path in (home / 'roles').iterdir()} - set(roles))
    if missing:
        raise Wrong(f'ansible-doc does not show {", ".join(missing)}')
    print(f'{told}: {len(playbooks)} playbooks, {len(modules)} modules and {len(roles)} roles are found', flush=True)


def outcome(folder: Path) -> str:
    """What the journal says of box1."""
    path = folder / 'artifacts/journal/box1.json'
    return json.loads(path.read_text(encoding='utf-8')).get('outcome', '') if path.exists() else 'no journal'


def on_a_box(used: list[tuple[Path, Path]]) -> None:
    """assess under each ansible-core, newest first; migrate under the oldest."""
    inventory = used[0][1] / 'box.yml'
    sandbox = [sys.executable, str(SANDBOX), '--name', FLEET, '--inventory', str(inventory)]
    try:
        subprocess.run([*sandbox, 'up', '--fleet', str(ROOT / 'tests/sandbox/fleets/one.yml')], check=True, timeout=1800, stdout=subprocess.DEVNULL)
        for binaries, folder in reversed(used):
            play = [str(binaries / 'ansible-playbook'), '-i', str(inventory), '-e', f'jeedom_artifacts={folder}/artifacts']
            run(*play, 'jeedom.fleet.assess', cwd=folder)
            if not list((folder / 'artifacts').glob('*/box1/findings.json')):
                raise Wrong(f'{binaries}: jeedom.fleet.assess wrote no findings of box1')
            print(f'{binaries.parent.name}: assessed a box', flush=True)
        binaries, folder = used[0]
        run(str(binaries / 'ansible-playbook'), '-i', str(inventory), '-e', f'jeedom_artifacts={folder}/artifacts',
            '-e', 'jeedom_acknowledge=true', 'jeedom.fleet.migrate', cwd=folder)
        if outcome(folder) != 'migrated':
            raise Wrong(f'{binaries}: jeedom.fleet.migrate ended with {outcome(folder)} instead of migrated')
        print(f'{binaries.parent.name}: migrated a box', flush=True)
    finally:
        subprocess.run([*sandbox, 'down'], check=False, timeout=600, stdout=subprocess.DEVNULL)


def main() -> int:
    """0 when the artifact is as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--box', action='store_true', help='also assess and migrate a sandbox box')
    options = parser.parse_args()
    ending.tidily()
    try:
        with tempfile.TemporaryDirectory(prefix='jeedom-artifact-') as name:
            folder = Path(name)
            tarball = build(folder)
            cores = [binaries for binaries in (core(*OLDEST), next(filter(None, (core(*each) for each in NEWEST)), None)) if binaries]
            if not cores:
                raise Wrong('No Python of this machine can run a supported ansible-core: install Python 3.11')
            used = []
            for number, binaries in enumerate(cores):
                use(binaries, tarball, folder / f'controller{number}')
                used.append((binaries, folder / f'controller{number}'))
            if options.box:
                on_a_box(used)
    except Wrong as error:
        print(f'artifact: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
