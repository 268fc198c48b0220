# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which boxes have a proved copy after a run of the backup playbook, in one line and for machines; never touches a box."""

from __future__ import annotations

import time

from ansible_collections.jeedom.fleet.plugins.action.store_info import StoreAction
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, progress, status, store


class ActionModule(StoreAction):
    """jeedom.fleet.backup_summary"""

    def perform(self) -> dict:
        self.validate_argument_spec(argument_spec={})
        now = time.time()
        hosts = sorted((str(host) for host in self.task_vars.get('ansible_play_hosts_all') or []), key=status.natural)
        boxes = {host: self._box(host, now) for host in hosts}
        without = [host for host in hosts if not boxes[host]['proved']]
        line = f'Backups: {len(hosts) - len(without)} of {len(hosts)} boxes have a proved copy of this run here.'
        if self._task.check_mode:
            line = f'Backups: a dry run; {len(without)} of {len(hosts)} boxes would not get a proved copy.'
        if without:
            line += ' Without: ' + '; '.join(f'{host} ({boxes[host]["text"]})' for host in without) + '.'
        elsewise = [f'{host} ({boxes[host]["text"]})' for host in hosts if boxes[host]['proved'] and boxes[host]['reason']]
        if elsewise:
            line += ' Have one, but: ' + '; '.join(elsewise) + '.'
        path = self.root / 'report' / 'backups.json'
        if not self._task.check_mode:
            artifacts.write_json(path, {
                'schema': 1, 'time': round(now, 3), 'run_id': artifacts.run_id(self.task_vars, self._templar), 'summary': line, 'selected': len(hosts),
                'proved': len(hosts) - len(without), 'failed': len([host for host in hosts if boxes[host]['reason']]), 'boxes': boxes})
        progress.shower(self._display)(line)
        return {'changed': False, 'summary': line, 'boxes': boxes, 'path': str(path), 'msg': line}

    def _box(self, host: str, now: float) -> dict:
        said = self.task_vars['hostvars'][host]
        archive, reason = said.get('jeedom_archive'), said.get('jeedom_backup_failure')
        proved = isinstance(archive, dict) and bool(archive.get('proved'))
        if self._task.check_mode and not reason:
            proved = True
        if not proved and not reason:
            reason = 'it did not come to its end; the output above says why'
        newest = next((copy for copy in self._copies(host) if copy['proved']), None)
        text = progress.printable(reason or '', 300).rstrip('.')
        if not proved:
            text += f'; its newest proved copy is {(now - newest["fetched"]) / 3600:.0f} h old' if newest else '; it has no proved copy at all'
        return {'proved': proved, 'reason': progress.printable(reason, 1000) if reason else None, 'text': text,
                'archive': str(archive.get('path')) if proved and isinstance(archive, dict) else None,
                'newest_proved': {'path': newest['path'], 'fetched': newest['fetched'], 'created': newest['created']} if newest else None}

    def _copies(self, host: str) -> list[dict]:
        try:
            return store.look(store.folder(self.root, host))
        except store.StoreError:
            return []
