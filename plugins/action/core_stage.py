# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Core zips onto a box from the controller: downloaded once for the whole fleet, proved, sent, hashed on both ends."""

from __future__ import annotations

import fcntl
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.action import backup_push
from ansible_collections.jeedom.fleet.plugins.module_utils import core_route, core_zips
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip
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
            if self._task.check_mode and not (folder / f'core-{hop["version"]}.zip').exists():
                changed = True
                continue
            local = self._local(folder, hop, args)
            if len(zips) == 1:
                self.interpreter()
            sha256 = transfer.hash_file(local)
            changed |= follow.patiently(lambda local=local, sha256=sha256: self._one(local, sha256, STAGING), self.reset, self.patience(300))
        return {'changed': changed, 'zips': zips, 'msg': f'{len(zips)} core zips stand on {self.host}.'}

    def _local(self, folder: Path, hop: dict, args: dict) -> Path:
        """The proved zip on the controller; whoever comes first downloads it, the others wait for that."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f'core-{hop["version"]}.zip'
        with (folder / f'.core-{hop["version"]}.lock').open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists():
                ReleaseZip(str(path)).check(hop['file_version'], hop['sha256'])
                return path
            part = path.with_name(path.name + '.part')
            try:
                core_zips.download(args['source_url'].replace('{ref}', hop['ref']), str(part),
                                   {'stall': args['download_stall'], 'download': args['download_timeout']}, Told(self._display))
                ReleaseZip(str(part)).check(hop['file_version'], hop['sha256'])
                part.rename(path)
            finally:
                part.unlink(missing_ok=True)
        return path
