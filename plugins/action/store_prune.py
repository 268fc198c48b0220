# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delete copies of a box on the controller that the limits do not keep; never touches the box."""

from __future__ import annotations

from ansible.module_utils.common.text.formatters import human_to_bytes

from ansible_collections.jeedom.fleet.plugins.action.store_info import StoreAction
from ansible_collections.jeedom.fleet.plugins.plugin_utils import retention, store


class ActionModule(StoreAction):
    """jeedom.fleet.store_prune"""

    def perform(self) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={
            'keep': {'type': 'int'},
            'max_age': {'type': 'float'},
            'max_size': {'type': 'str'},
        })
        try:
            size = human_to_bytes(args['max_size']) if args['max_size'] else None
        except ValueError as error:
            raise store.StoreError(f'max_size is {args["max_size"]!r} and has to be a size: write 500M, 20G or 1T.', 'bad_policy') from error
        days = args['max_age']
        policy = retention.Policy(args['keep'], None if days is None else days * retention.DAY, size)
        done = retention.prune(self.root, self.host, policy, self.reader(), check_mode=self._task.check_mode)
        before, after = done.pop('before'), done.pop('after')
        word = 'Would delete' if self._task.check_mode else 'Deleted'
        result = dict(done, changed=before != after, folder=str(store.folder(self.root, self.host)),
                      msg=f'{word} {len(done["deleted"])} copies of {self.host} and {len(done["parts"])} incomplete files '
                          f'({done["freed"] / 1e6:.1f} MB); {len(done["kept"])} proved copies stay.')
        if self._task.diff:
            result['diff'] = {'before': ''.join(f'{name}\n' for name in before), 'after': ''.join(f'{name}\n' for name in after),
                              'before_header': result['folder'], 'after_header': result['folder']}
        return result
