# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""php -l for the miniature core: its sources are templates, so every version is built first. The same text is asked about once."""

from __future__ import annotations

import concurrent.futures
import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / 'tests/sandbox/core/build.py'
sys.path.insert(0, str(BUILD.parent))


def complaint(path: Path) -> str:
    """What PHP says against a file; empty when nothing."""
    done = subprocess.run(['php', '-d', 'display_errors=stderr', '-d', 'log_errors=0', '-l', str(path)], capture_output=True, text=True, check=False)
    return '' if done.returncode == 0 else (done.stderr or done.stdout).strip()


def main() -> int:
    """1 when a file is no PHP."""
    build = importlib.import_module('build')
    with tempfile.TemporaryDirectory(prefix='jeedom-php-') as name:
        texts: dict[bytes, Path] = {}
        for version in build.VERSIONS:
            build.build(version, Path(name) / version)
            for path in sorted((Path(name) / version).rglob('*.php')):
                texts.setdefault(path.read_bytes(), path)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            wrong = [told for told in pool.map(complaint, texts.values()) if told]
    print('\n'.join(wrong) if wrong else f'{len(texts)} texts of {len(build.VERSIONS)} versions are PHP')
    return 1 if wrong or not texts else 0


if __name__ == '__main__':
    sys.exit(main())
