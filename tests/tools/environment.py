# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make what demo and tests need: Debian packages and .venv. Runs on a bare Debian 12; a second run does nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / '.venv'
LOCK = ROOT / 'tests/requirements.lock'
# command that shows it is there -> package that brings it
TOOLS = {'git': 'git', 'ssh': 'openssh-client', 'ip': 'iproute2', 'shellcheck': 'shellcheck', 'php': 'php-cli',
         'patchelf': 'patchelf'}


def install(packages: list[str]) -> None:
    """apt-get install, after one update."""
    environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    print(f'Installing {", ".join(packages)} ...', flush=True)
    subprocess.run(['apt-get', '-qq', 'update'], check=True, env=environment)
    subprocess.run(['apt-get', '-qq', '-y', '--no-install-recommends', 'install', *packages], check=True, env=environment,
                   stdout=subprocess.DEVNULL)


def packages() -> None:
    """The Debian packages that are missing."""
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        missing.append('python3-venv')
    if missing:
        install(missing)


def venv() -> None:
    """.venv with tests/requirements.lock; built anew when that file or the interpreter changes."""
    stamp = VENV / '.complete'
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode() + str(VENV).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print('Building .venv ...', flush=True)
    shutil.rmtree(VENV, ignore_errors=True)
    subprocess.run([sys.executable, '-m', 'venv', str(VENV)], check=True)
    subprocess.run([str(VENV / 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', str(LOCK)],
                   check=True, stderr=subprocess.DEVNULL if os.environ.get('CI') else None)
    stamp.write_text(wanted)


if __name__ == '__main__':
    packages()
    venv()
