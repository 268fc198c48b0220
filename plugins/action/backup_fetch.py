# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a proved archive and its complement to the controller."""

from __future__ import annotations

import time
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.action.box import BoxAction
from ansible_collections.jeedom.fleet.plugins.module_utils import archive
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, follow, progress, transfer


class ActionModule(BoxAction):
    """jeedom.fleet.backup_fetch"""

    def perform(self, name: str, args: dict) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={
            'backup': {'type': 'dict', 'required': True},
            'dest': {'type': 'path'},
            'rate': {'type': 'float'},
        })
        self.interpreter()
        backup = args['backup']
        try:
            return self._fetch(backup, args)
        except (transfer.TransferError, artifacts.ArtifactError) as error:
            return {'failed': True, 'msg': str(error), 'error_code': error.code}

    def _fetch(self, backup: dict, args: dict) -> dict:
        if not backup.get('proved'):
            raise transfer.TransferError(f'The archive of {self.host} is not proved: only proved ones are fetched; run the backup module first.',
                                         'not_proved')
        name = _safe(backup['name'])
        folder = Path(args['dest']) if args['dest'] else artifacts.archive_dir(artifacts.root(self.task_vars, self._templar), self.host)
        target = folder / name
        wanted = [(target, backup['path'], backup['size'], backup['sha256'], archive.prove)]
        second = backup.get('complement')
        if second:
            wanted.append((folder / _safe(second['name']), second['path'], second['size'], second['sha256'], None))
        missing = [item for item in wanted if not _is_here(item[0], item[2], item[3])]
        result = {'changed': bool(missing), 'archive': {
            'path': str(target), 'sha256': backup['sha256'], 'size': backup['size'], 'manifest': str(target) + '.manifest.json',
            'complement': str(wanted[1][0]) if second else None}}
        if self._task.check_mode or not missing:
            result['msg'] = (f'Would fetch {len(missing)} files of {self.host}.' if missing else f'{name} is here already, with the right hash.')
            return result
        for item in missing:
            done = self._one(*item, rate=args['rate'])
            result['archive'].setdefault('transfers', []).append(
                {'name': item[0].name, **{key: done[key] for key in ('size', 'seconds', 'resumed')}})
        # The manifest comes last: where it is, everything it speaks of is.
        artifacts.write_json(Path(result['archive']['manifest']), dict(backup['manifest'], fetched=time.time()))
        result['msg'] = f'{name} is on the controller, byte for byte.'
        return result

    def _one(self, target: Path, path: str, size: int, sha256: str, prove, rate: float | None) -> dict:
        lines = progress.Lines(self.host, 'fetch', progress.shower(self._display)) if self.boolean(self.setting('jeedom_progress', True)) else None
        begin = time.monotonic()

        def show(done: int, whole: int) -> None:
            seconds = time.monotonic() - begin
            # a file that is here in a moment needs no words
            if lines and seconds > 2:
                lines.update({'phase': f'{target.name[-24:]}', 'percent': 100 * done // whole, 'started': 0, 'heartbeat': seconds,
                              'line': f'{done / seconds / 1e6:.1f} MB/s, {(whole - done) * seconds / max(1, done):.0f} s left'})

        def attempt() -> dict:
            download = transfer.Download(transfer.Source(self, path), target, rate, show)
            return download.fetch(size, sha256, consume=prove)

        return follow.patiently(attempt, self.reset, self.patience(300), lines.note if lines else lambda text: None)


def _safe(name: str) -> str:
    """A file name that comes from a box, as one path component here."""
    return artifacts.safe_name(name)


def _is_here(path: Path, size: int, sha256: str) -> bool:
    return path.is_file() and path.stat().st_size == size and transfer.hash_file(path) == sha256
