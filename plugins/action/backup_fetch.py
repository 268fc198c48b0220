# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a proved archive and its complement to the controller."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.action.box import BoxAction
from ansible_collections.jeedom.fleet.plugins.module_utils import archive
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, follow, forms, progress, sealing, store, transfer


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
        except (transfer.TransferError, artifacts.ArtifactError, forms.FormError, sealing.SealError, store.StoreError) as error:
            return {'failed': True, 'msg': str(error), 'error_code': error.code}

    def _fetch(self, backup: dict, args: dict) -> dict:
        if not backup.get('proved'):
            raise transfer.TransferError(f'The archive of {self.host} is not proved: only proved ones are fetched; run the backup module first.',
                                         'not_proved')
        name = _safe(backup['name'])
        folder = Path(args['dest']) if args['dest'] else artifacts.archive_dir(artifacts.root(self.task_vars, self._templar), self.host)
        form = forms.from_variables(self.task_vars, self._templar)
        second = backup.get('complement')
        files = [(folder / name, backup['path'], backup['size'], backup['sha256'], archive.prove)]
        if second:
            files.append((folder / _safe(second['name']), second['path'], second['size'], second['sha256'], None))
        here = self._here(folder, name, backup['sha256'], form)
        result: dict = {'changed': not here, 'archive': {
            'path': str(form.path(folder / name)), 'sha256': backup['sha256'], 'size': backup['size'], 'manifest': str(folder / (name + store.MANIFEST)),
            'form': form.name, 'complement': str(form.path(files[1][0])) if second else None}}
        if self._task.check_mode or here:
            result['msg'] = f'{name} is here already, with the right hash.' if here else f'Would fetch {len(files)} files of {self.host}.'
            return result
        before = {*store.files_of(folder, name, name + store.MANIFEST), *(plain.name for plain, *_wanted in files)}
        stored = []
        for plain, path, size, sha256, prove in files:
            target = form.path(plain)
            done = form.present(target, size, sha256)
            if done is None:
                done = self._one(target, path, size, sha256, prove, rate=args['rate'], sink=form.sink)
                result['archive'].setdefault('transfers', []).append(
                    {'name': plain.name, **{key: done[key] for key in ('size', 'seconds', 'resumed')}})
            stored.append(done['stored'] and dict(done['stored'], name=target.name))
        # The manifest comes last: where it is, everything it speaks of is.
        store.keep_manifest(folder, name, backup['manifest'], *stored)
        for old in before - {form.path(plain).name for plain, *_wanted in files}:
            # What came before there was a key must not stay readable beside it.
            for left in (old, old + '.part', old + '.part.json'):
                (folder / left).unlink(missing_ok=True)
        result['msg'] = f'{name} is on the controller, byte for byte.'
        return result

    def _here(self, folder: Path, name: str, sha256: str, form: forms.Forms) -> bool:
        """Whether this very archive is here, whole and in the form that is wanted."""
        with contextlib.suppress(store.StoreError, OSError):
            for copy in store.look(folder):
                if copy['name'] == name and copy['form'] == form.name and copy['sha256'] == sha256:
                    return store.unchanged(copy)
        return False

    def _one(self, target: Path, path: str, size: int, sha256: str, prove, rate: float | None, sink) -> dict:
        lines = progress.Lines(self.host, 'fetch', progress.shower(self._display)) if self.boolean(self.setting('jeedom_progress', True)) else None
        begin = time.monotonic()

        def show(done: int, whole: int, speed: float) -> None:
            seconds = time.monotonic() - begin
            # a file that is here in a moment needs no words
            if lines and seconds > 2:
                lines.update({'phase': f'{target.name[-24:]}', 'percent': 100 * done // whole, 'started': 0, 'heartbeat': seconds,
                              'line': f'{speed / 1e6:.1f} MB/s, {(whole - done) / max(1.0, speed):.0f} s left'})

        def attempt() -> dict:
            download = transfer.Download(transfer.Source(self, path), target, rate, show, sink)
            return download.fetch(size, sha256, consume=prove)

        return follow.patiently(attempt, self.reset, self.patience(300), lines.note if lines else lambda text: None)


def _safe(name: str) -> str:
    """A file name that comes from a box, as one path component here."""
    return artifacts.safe_name(name)
