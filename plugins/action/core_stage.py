# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Core zips onto a box from the controller: downloaded once for the whole fleet, proved, sent, hashed on both ends."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO

from ansible_collections.jeedom.fleet.plugins.action import backup_push
from ansible_collections.jeedom.fleet.plugins.module_utils import core_route, core_zips
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, follow, transfer

STAGING = '/var/lib/jeedom-fleet/staging'


class Told:
    """What downloads need of a job's context, here on the controller."""

    def __init__(self, display):
        self._display = display

    def log(self, line: str) -> None:
        """Only for those who ask for more."""
        self._display.vv(line)

    def check_stop(self) -> None:
        """Nobody stops a task but its end."""


class ActionModule(backup_push.ActionModule):
    """jeedom.fleet.core_stage"""

    def perform(self, name: str, args: dict) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={
            'route': {'type': 'list', 'elements': 'raw', 'required': True},
            'folder': {'type': 'path'},
            'source_url': {'type': 'str', 'default': core_zips.SOURCE},
            'download_timeout': {'type': 'int', 'default': 3600},
            'download_stall': {'type': 'int', 'default': 60},
            'rate': {'type': 'float'},
        })
        try:
            return self._stage(args)
        except BoxError as error:
            return error.as_result()
        except (transfer.TransferError, artifacts.ArtifactError) as error:
            return {'failed': True, 'msg': str(error), 'error_code': error.code}

    def _stage(self, args: dict) -> dict:
        hops = core_route.parse(None, args['route']) if args['route'] else []
        folder = Path(args['folder'] or artifacts.root(self.task_vars, self._templar) / 'core')
        changed, zips = False, {}
        for hop in hops:
            zips[hop['version']] = f'{STAGING}/core-{hop["version"]}.zip'
            if self._task.check_mode and not os.path.exists(folder / f'core-{hop["version"]}.zip'):
                changed = True
                continue
            local = self._local(folder, hop, args)
            if len(zips) == 1:
                self.interpreter()
            sha256 = transfer.hash_file(local)
            changed |= follow.patiently(lambda local=local, sha256=sha256: self._one(local, sha256, STAGING, args['rate']), self.reset,
                                        self.patience(300))
        note = core_zips.unpinned(hops)
        return {'changed': changed, 'zips': zips, 'msg': f'{len(zips)} core zips stand on {self.host}{"; " if note else ""}{note}.'}

    def _local(self, folder: Path, hop: dict, args: dict) -> Path:
        """The proved zip on the controller; whoever comes first downloads it, the others wait for that."""
        path = folder / f'core-{hop["version"]}.zip'
        begin = time.time()
        try:
            # It came by a rename, so it is whole without the lock, which a folder that is only for reading cannot hold.
            if not os.path.exists(path):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                with (folder / f'.core-{hop["version"]}.lock').open('a+', encoding='utf-8') as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if not os.path.exists(path):
                        self._download(path, hop, args, lock, begin)
                        return path
        except OSError as error:
            raise artifacts.ArtifactError(f'{path.name} is not in {folder} on the controller and cannot be brought there ({error.strerror or error}): put it '
                                          'there, make that folder writable and the disk not full, or name another one with jeedom_core_folder.',
                                          'artifacts_not_writable') from error
        core_zips.proved(str(path), hop)
        return path

    def _download(self, path: Path, hop: dict, args: dict, lock: IO[str], begin: float) -> None:
        """Download as the box does. begin: since when this box waits, for it takes the failure of the one that it waited for."""
        lock.seek(0)
        try:
            at, source, message, code = json.loads(lock.read())
        except ValueError:
            at, source, message, code = 0, '', '', ''
        if at >= begin and source == args['source_url']:
            raise BoxError(message, code)
        try:
            core_zips.obtain(hop, str(path), args['source_url'], {'stall': args['download_stall'], 'download': args['download_timeout']},
                             Told(self._display))
        except BoxError as error:
            lock.truncate(0)
            json.dump([time.time(), args['source_url'], error.msg, error.code], lock)
            raise
        finally:
            path.with_name(path.name + '.part').unlink(missing_ok=True)
