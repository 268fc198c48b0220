# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a proved archive back to a box: hashed on both ends, resumable, a block in memory."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.action.box import BoxAction
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, follow, transfer

STAGING = '/var/lib/jeedom-fleet/staging/push'
# One command on the box for each block: large enough that its cost does not show, small enough for any memory.
BLOCK = 8 << 20


class ActionModule(BoxAction):
    """jeedom.fleet.backup_push"""

    def perform(self, name: str, args: dict) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={'archive': {'type': 'path'}})
        try:
            return self._push(args['archive'])
        except (transfer.TransferError, artifacts.ArtifactError) as error:
            return {'failed': True, 'msg': str(error), 'error_code': error.code}

    def _push(self, wanted: str | None) -> dict:
        path = Path(wanted) if wanted else newest(artifacts.archive_dir(artifacts.root(self.task_vars, self._templar), self.host), self.host)
        manifest_path = path.with_name(path.name + '.manifest.json')
        try:
            manifest = json.loads(manifest_path.read_text(encoding='utf-8'))
        except (OSError, ValueError) as error:
            raise transfer.TransferError(f'{manifest_path} cannot be read ({error}), so {path.name} is not proved: fetch the archive with its '
                                         'manifest again.', 'not_proved') from error
        files = [(path, manifest['sha256'])]
        second = manifest.get('complement')
        if second:
            files.append((path.with_name(artifacts.safe_name(second['name'])), second['sha256']))
        for local, sha256 in files:
            if not local.is_file() or transfer.hash_file(local) != sha256:
                raise transfer.TransferError(f'{local} is missing or not the file of its manifest (another sha256): fetch it again, or take '
                                             'another archive.', 'not_proved')
        files.append((manifest_path, transfer.hash_file(manifest_path)))
        self.interpreter()
        changed = False
        for local, sha256 in files:
            changed |= follow.patiently(lambda local=local, sha256=sha256: self._one(local, sha256, STAGING), self.reset, self.patience(300))
        places = [f'{STAGING}/{artifacts.safe_name(local.name)}' for local, _sha256 in files]
        return {'changed': changed, 'version': manifest.get('core_version'), 'msg': f'{path.name} is on {self.host}, byte for byte.',
                'archive': {'archive': places[0], 'complement': places[1] if second else None, 'manifest': places[-1]}}

    def _one(self, local: Path, sha256: str, folder: str) -> bool:
        goal = shlex.quote(f'{folder}/{artifacts.safe_name(local.name)}')
        part, size = goal + '.part', local.stat().st_size
        answer = self._must(f'umask 077; mkdir -p {folder}; [ -f {goal} ] && sha256sum < {goal}; echo; stat -c %s {part} 2>/dev/null || echo 0')
        words = answer.split()
        if words[0] == sha256:
            return False
        if self._task.check_mode:
            return True
        done = int(words[-1]) if int(words[-1]) <= size else 0
        with local.open('rb') as source:
            while done < size:
                source.seek(done)
                # What a cut link left counts as far as it came; the hash at the end is of the whole.
                done = int(self._must(f'umask 077; truncate -s {done} {part} && cat >> {part}; stat -c %s {part}', source.read(BLOCK)).split()[-1])
        if not size:
            self._must(f'umask 077; : > {part}')
        if self._must(f'sync {part}; sha256sum < {part}').split()[0] != sha256:
            self._must(f'rm -f {part}')
            raise transfer.TransferError(f'{local.name} did not arrive on {self.host} as it was sent: run again; if that repeats, look at the '
                                         'disk of the box.', 'push_hash')
        self._must(f'mv -f {part} {goal}')
        return True

    def _must(self, command: str, data: bytes | None = None) -> str:
        answer = self.shell(f'({command})', in_data=data)
        if answer.get('rc') or not (answer.get('stdout') or '').strip() and 'stat' in command:
            words = (answer.get('stderr') or answer.get('stdout') or 'no message').strip().splitlines()
            raise transfer.TransferError(f'{self.host} could not take the file: {words[-1]}. Free space there, then run again.', 'push_failed')
        return answer.get('stdout') or ''


def newest(folder: Path, host: str) -> Path:
    """The newest archive of a host that has a manifest."""
    found = sorted(folder.glob('*.manifest.json'), key=lambda path: path.stat().st_mtime)
    if not found:
        raise transfer.TransferError(f'There is no archive of {host} in {folder}: name one (jeedom_restore_archive).', 'no_archive')
    return found[-1].with_name(found[-1].name[:-len('.manifest.json')])
