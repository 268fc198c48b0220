# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a proved archive back to a box: hashed on both ends, resumable, a block in memory."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Any

from ansible_collections.jeedom.fleet.plugins.action.box import BoxAction
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, follow, forms, sealing, store, transfer

STAGING = '/var/lib/jeedom-fleet/staging/push'
# One command on the box for each block: large enough that its cost does not show, small enough for any memory.
BLOCK = 8 << 20
# Under a limit it is smaller, but not that small.
SMALLEST = 64 << 10


class ActionModule(BoxAction):
    """jeedom.fleet.backup_push"""

    def perform(self, name: str, args: dict) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={'archive': {'type': 'path'}})
        try:
            return self._push(args['archive'])
        except (transfer.TransferError, artifacts.ArtifactError, forms.FormError, sealing.SealError, store.StoreError) as error:
            return {'failed': True, 'msg': str(error), 'error_code': error.code}

    def _push(self, wanted: str | None) -> dict:
        copy, reader = self.choose(wanted)
        sent = self.send(copy, reader, STAGING)
        return {'changed': sent.pop('changed'), 'version': copy['core_version'], 'msg': f'{copy["name"]} is on {self.host}, byte for byte.',
                'archive': sent}

    def choose(self, wanted: str | None) -> tuple[dict, forms.Forms]:
        """The copy at a path, or the newest of the box, whole; and what reads it."""
        reader = forms.from_variables(self.task_vars, self._templar)
        copy = store.named(Path(wanted)) if wanted else store.newest(store.folder(artifacts.root(self.task_vars, self._templar), self.host), self.host)
        store.require(copy, reader)
        return copy, reader

    def send(self, copy: dict, reader: forms.Forms, folder: str) -> dict:
        """Have a copy in a folder at the other end. Returns {changed} and where its archive, complement (or None) and manifest are there."""
        manifest_path = Path(copy['manifest'])
        files = [(item, name) for item, name in
                 ((copy['main'], copy['name']), (copy['complement'], store.complement_name(copy['name']))) if item]
        self.interpreter()
        changed = False
        for item, name in files:
            def send(item: dict = item, name: str = name) -> bool:
                with reader.open(Path(item['path']), item['form']) as source:
                    return self._send(source, name, item['plain_size'], item['plain_sha256'], folder)
            changed |= follow.patiently(send, self.reset, self.patience(300))
        changed |= follow.patiently(lambda: self._one(manifest_path, transfer.hash_file(manifest_path), folder), self.reset, self.patience(300))
        places = [f'{folder}/{name}' for _item, name in files]
        return {'changed': changed, 'archive': places[0], 'complement': places[1] if copy['complement'] else None,
                'manifest': f'{folder}/{manifest_path.name}'}

    def _one(self, local: Path, sha256: str, folder: str, rate: float | None = None) -> bool:
        """Send a file as it stands here. rate: bytes a second at most."""
        with local.open('rb') as source:
            return self._send(source, local.name, local.stat().st_size, sha256, folder, rate)

    def _send(self, source: Any, name: str, size: int, sha256: str, folder: str, rate: float | None = None) -> bool:
        """Send a stream that can be read from anywhere (the plaintext of a sealed copy, which is nowhere on the disk here)."""
        goal = shlex.quote(f'{folder}/{name}')
        part = goal + '.part'
        answer = self._must(f'umask 077; mkdir -p {folder}; [ -f {goal} ] && sha256sum < {goal}; echo; stat -c %s {part} 2>/dev/null || echo 0')
        words = answer.split()
        if words[0] == sha256:
            return False
        if self._task.check_mode:
            return True
        done = int(words[-1]) if int(words[-1]) <= size else 0
        # under a limit a block is what the limit lets through in two seconds: what goes at once fills the link
        block = min(BLOCK, max(SMALLEST, int(2 * rate))) if rate and rate > 0 else BLOCK
        begin, first = time.monotonic(), done
        while done < size:
            source.seek(done)
            data = _block(source, block)
            if not data:
                break
            # What a cut link left counts as far as it came; the hash at the end is of the whole.
            done = int(self._must(f'umask 077; truncate -s {done} {part} && cat >> {part} && stat -c %s {part}', data).split()[-1])
            if rate and rate > 0:
                time.sleep(max(0.0, (done - first) / rate - (time.monotonic() - begin)))
        if not size:
            self._must(f'umask 077; : > {part}')
        if self._must(f'sync {part}; sha256sum < {part}').split()[0] != sha256:
            self._must(f'rm -f {part}')
            raise transfer.TransferError(f'{name} did not arrive on {self.host} as it was sent: run again; if that repeats, look at the '
                                         'disk of the box.', 'push_hash')
        self._must(f'mv -f {part} {goal}')
        return True

    def _must(self, command: str, data: bytes | None = None) -> str:
        answer = self.shell(f'({command})', in_data=data)
        if answer.get('rc') or not (answer.get('stdout') or '').strip() and 'stat' in command:
            words = (answer.get('stderr') or answer.get('stdout') or 'no message').strip().splitlines()
            raise transfer.TransferError(f'{self.host} could not take the file: {words[-1]}. Free space there, then run again.', 'push_failed')
        return answer.get('stdout') or ''


def _block(source: Any, size: int) -> bytes:
    """A whole block, also from streams that give less at a time."""
    parts, missing = [], size
    while missing > 0:
        data = source.read(missing)
        if not data:
            break
        parts.append(data)
        missing -= len(data)
    return b''.join(parts)
