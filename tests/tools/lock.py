# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the locks of tests/requirements.txt, tests/importer.txt and docs/requirements.txt: each package with its version and
hashes, for every Python from 3.11 on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / '.cache/lock'
HEAD = '# Made by `make lock` out of {name}; what pip installs for make test and make docs.\n'


def main() -> int:
    """Resolve with uv, as it can do so for all Pythons at once."""
    uv = VENV / 'bin/uv'
    if not uv.exists():
        subprocess.run([sys.executable, '-m', 'venv', '--clear', str(VENV)], check=True)
        subprocess.run([str(VENV / 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', 'uv'], check=True)
    for name in ('tests/requirements.txt', 'tests/importer.txt', 'docs/requirements.txt'):
        text = subprocess.run([str(uv), 'pip', 'compile', '--quiet', '--universal', '--python-version', '3.11', '--generate-hashes', '--no-header',
                               '--no-annotate', '--upgrade', '--no-config', name],
                              cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
        path = ROOT / name.replace('.txt', '.lock')
        path.write_text(HEAD.format(name=name) + text, encoding='utf-8')
        print(f'{path.relative_to(ROOT)}: {text.count("==")} packages')
    return 0


if __name__ == '__main__':
    sys.exit(main())
