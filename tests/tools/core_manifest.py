#!/usr/bin/env python3
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a release of the core, for knowledge/manifests/<version>.json: names, sizes and CRC-32 of its files, and no line of them.

core_manifest.py <git directory of jeedom/core> <tag or commit> > knowledge/manifests/<version>.json
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'collections'))

from ansible_collections.jeedom.fleet.plugins.module_utils import core_files  # noqa: E402

# What only the updater writes to. Plugins, data, logs and backups belong to the user; what stands right in the web root has checks of its own.
TOPS = ('3rdparty', 'core', 'desktop', 'install', 'mobile', 'script')


def manifest(repository: Path, release: str) -> dict[str, dict[str, list]]:
    """C({folder: {name: [size, crc32]}}) of a release; raises subprocess.CalledProcessError when there is none."""
    done = subprocess.run(['git', '-C', str(repository), 'archive', '--format=tar', release, '--', *_there(repository, release)],
                          check=True, stdout=subprocess.PIPE)
    found: dict[str, dict[str, list]] = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.isreg() else None
            if stream is not None:
                folder, _slash, name = member.name.rpartition('/')
                found.setdefault(folder, {})[name] = [member.size, core_files.checksum(stream.read())]
    return found


def _there(repository: Path, release: str) -> Iterator[str]:
    # git archive refuses a folder that a release does not have
    listed = subprocess.run(['git', '-C', str(repository), 'ls-tree', '--name-only', release], check=True, capture_output=True, text=True).stdout
    return (top for top in TOPS if top in listed.splitlines())


def text(found: dict[str, dict[str, list]]) -> str:
    """A folder a line, so that a difference of two versions can be read."""
    lines = [f' {json.dumps(folder)}: {json.dumps(files, sort_keys=True, separators=(",", ":"))}' for folder, files in sorted(found.items())]
    return '{\n' + ',\n'.join(lines) + '\n}\n'


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.stdout.write(text(manifest(Path(sys.argv[1]), sys.argv[2])))
