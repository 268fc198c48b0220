# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pythons of this machine: from PATH, and from pyenv where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path


def version_of(python: str) -> tuple[int, int] | None:
    """(major, minor) that an interpreter tells of itself; None when it does not run (a shim without a version)."""
    try:
        told = subprocess.run([python, '-c', 'import sys; print("%d.%d" % sys.version_info[:2])'],
                              capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return None
    match = re.fullmatch(r'(\d+)\.(\d+)', told.stdout.strip())
    return (int(match[1]), int(match[2])) if told.returncode == 0 and match else None


def find(version: str) -> str | None:
    """Path of the interpreter with this version ("3.6"), or None."""
    wanted = tuple(int(part) for part in version.split('.'))
    pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv')) / 'versions'
    found = [shutil.which(f'python{version}'), *(str(path) for path in sorted(pyenv.glob(f'{version}.*/bin/python')))]
    return next((python for python in found if python and version_of(python) == wanted), None)
