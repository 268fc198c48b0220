#!/usr/bin/env python3
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""content_sha256 of releases of the core, for knowledge/versions.yml and overlays (knowledge/README.md says what it is).

core_digest.py <git directory of jeedom/core> [<tag or commit> ...]    of these, or of all versions that are known
core_digest.py <zip of a release>
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'collections'))

from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError  # noqa: E402
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip  # noqa: E402


def of_release(repository: Path, release: str) -> str:
    """The digest of a tag or commit; raises subprocess.CalledProcessError when there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = f'{folder}/core.zip'
        # pictures that do not count are left away, since they may be missing; git says so of them, and packs the rest
        subprocess.run(['git', '-C', str(repository), '-c', 'core.autocrlf=false', 'archive', '--format=zip', '-1', '--prefix=core/', '-o', path,
                        release, '.', ':(exclude)docs/images/*.gif'], check=True, stderr=subprocess.PIPE, text=True)
        return ReleaseZip(path).content_sha256()


def known() -> dict[str, str]:
    """{version: ref} of the versions that can be a target."""
    from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge
    found = knowledge.load()
    return {name: found.version(name)['ref'] for name in found.targets()}


def main(arguments: list[str]) -> int:
    """The command line."""
    if not arguments:
        sys.exit(__doc__)
    path = Path(arguments[0])
    try:
        if path.is_file():
            print(ReleaseZip(str(path)).content_sha256())
            return 0
        for name, ref in ({name: name for name in arguments[1:]} or known()).items():
            print(name, of_release(path, ref), flush=True)
    except subprocess.CalledProcessError as error:
        print(f'git has no archive of it in {path}: {error.stderr.strip()}', file=sys.stderr)
        return 1
    except BoxError as error:
        print(error.msg, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
