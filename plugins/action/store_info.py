# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell of the copies of a box on the controller; never touches the box."""

from __future__ import annotations

import abc
import time

from ansible.plugins.action import ActionBase

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, forms, sealing, store


class StoreAction(ActionBase):
    """What works on the store of one box; base of store_info and store_prune."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        self.task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        self.root = artifacts.root(self.task_vars, self._templar)
        self.host = self.task_vars.get('inventory_hostname', '')
        try:
            result.update(self.perform())
        except (artifacts.ArtifactError, forms.FormError, sealing.SealError, store.StoreError) as error:
            result.update(failed=True, changed=False, msg=str(error), error_code=error.code)
        return result

    @abc.abstractmethod
    def perform(self) -> dict:
        """The result of the module."""

    def reader(self) -> forms.Forms:
        """Keys and commands to read copies with."""
        return forms.from_variables(self.task_vars, self._templar)


class ActionModule(StoreAction):
    """jeedom.fleet.store_info"""

    def perform(self) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={'prove': {'type': 'bool', 'default': False}})
        place = store.folder(self.root, self.host)
        copies = store.look(place)
        if args['prove']:
            reader = self.reader()
            for copy in copies:
                store.prove(copy, reader)
        proved = [copy['path'] for copy in copies if copy['proved']]
        return {'changed': False, 'copies': [_told(copy) for copy in copies], 'newest_proved': proved[0] if proved else None, 'folder': str(place),
                'bytes': sum(copy['bytes'] for copy in copies),
                'msg': f'{len(copies)} copies of {self.host}, {len(proved)} of them proved.'}


def _told(copy: dict) -> dict:
    told = {key: value for key, value in copy.items() if key not in ('main', 'files')}
    told['age'] = round((time.time() - copy['fetched']) / 3600, 2)
    told['complement'] = copy['complement'] and {key: copy['complement'][key] for key in ('path', 'form', 'size')}
    return told
