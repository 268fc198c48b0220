# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity, without containers; needs PyPI and nothing else.

sanity.py [--ends] [arguments of ansible-test]: under every supported ansible-core, or the oldest and the newest alone. The oldest one
also compiles and imports the box side with the Pythons of boxes, where this machine has them. What is ignored stands in
tests/sanity/ignore-*.txt, each line with its reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import artifact
import interpreters

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / '.cache/sanity'
ELSEWHERE = ('collections/', 'tests/', 'docs/', 'extensions/', 'inventory/')
# What the test legs of any supported ansible-core look for; those that are here come first on PATH.
PYTHONS = ('2.7', *(f'3.{minor}' for minor in range(6, 15)))
# ansible-test takes a script from a host of its own to put pip into its venvs. This one does the same with pip's wheel from PyPI.
GET_PIP = '''
import sys
wheel = {wheel!r}
sys.path.insert(0, wheel)
from pip._internal.cli.main import main
sys.exit(main(['install', '--no-index', '--no-deps', '-q', '--force-reinstall', wheel]))
'''


def tree() -> Path:
    """A copy of what is shipped where ansible-test wants it, as a git repository: it asks git for the files. Tests have ruff and mypy."""
    here = WORK / 'ansible_collections/jeedom/fleet'
    shutil.rmtree(here, ignore_errors=True)
    listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split('\0')):
        source = ROOT / name
        # the link of a clone to itself is no part of the collection
        if source.is_file() and not name.startswith(ELSEWHERE) or name.startswith('tests/sanity/'):
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, here / name)
    subprocess.run(['git', 'init', '-q'], cwd=here, check=True)
    subprocess.run(['git', 'add', '-A', '-f'], cwd=here, check=True)
    return here


def home(binaries: Path) -> Path:
    """A home folder for ansible-test, with what it would download, and with pip's settings of the user."""
    folder = WORK / 'home'
    cache = folder / '.ansible/test/cache'
    cache.mkdir(parents=True, exist_ok=True)
    settings = Path.home() / '.config/pip'
    if settings.is_dir() and not (folder / '.config/pip').exists():
        (folder / '.config').mkdir(exist_ok=True)
        (folder / '.config/pip').symlink_to(settings)
    told = subprocess.run([str(binaries / 'python'), '-c', 'from types import SimpleNamespace as S\n'
                           'from ansible_test._internal.python_requirements import get_venv_packages\n'
                           'print(get_venv_packages(S(version="%d.%d" % __import__("sys").version_info[:2]))["pip"])'],
                          check=True, capture_output=True, text=True).stdout.strip()
    script = cache / f'get_pip_{told.replace(".", "_")}.py'
    if not script.exists():
        subprocess.run([str(binaries / 'python'), '-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps', '-d', str(WORK / 'wheels'),
                        f'pip=={told}'], check=True)
        script.write_text(GET_PIP.format(wheel=str(next((WORK / 'wheels').glob(f'pip-{told}-*.whl')))), encoding='utf-8')
    return folder


def check(binaries: Path, arguments: list[str]) -> bool:
    """ansible-test sanity of one ansible-core."""
    found = [path for version in PYTHONS if (path := interpreters.find(version))]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'PYTHON', 'VIRTUAL_ENV'))}
    environment |= {'HOME': str(home(binaries)),
                    'PATH': os.pathsep.join([str(binaries), *(str(Path(path).parent) for path in found), os.environ.get('PATH', os.defpath)])}
    print(f'-- {binaries.parent.name}', flush=True)
    return subprocess.run([str(binaries / 'ansible-test'), 'sanity', '--color', 'no', *arguments], cwd=tree(), env=environment,
                          stdin=subprocess.DEVNULL, check=False).returncode == 0


def main(arguments: list[str]) -> int:
    """Run under each; arguments go to ansible-test (--test NAME, files)."""
    if '--ends' in arguments:
        cores = [artifact.core(*artifact.OLDEST), next(filter(None, (artifact.core(*each) for each in artifact.NEWEST)), None)]
    else:
        cores = [artifact.core(*each) for each in artifact.SUPPORTED]
    good = [check(binaries, [word for word in arguments if word != '--ends']) for binaries in cores if binaries]
    return 0 if good and all(good) else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
