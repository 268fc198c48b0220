# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Send a copy of a box to another machine, restore it there for a moment, and note in the store that it can be restored."""

from __future__ import annotations

from ansible_collections.jeedom.fleet.plugins.action import backup_push
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, forms, sealing, store, transfer

STAGING = '/var/lib/jeedom-fleet/staging/restore-test'


class ActionModule(backup_push.ActionModule):
    """jeedom.fleet.restore_test"""

    def perform(self, name: str, args: dict) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={'archive': {'type': 'path'}, 'here': {'type': 'bool', 'default': False}})
        try:
            return self._test(args)
        except (transfer.TransferError, artifacts.ArtifactError, forms.FormError, sealing.SealError, store.StoreError) as error:
            return {'failed': True, 'changed': False, 'msg': str(error), 'error_code': error.code}

    def _test(self, args: dict) -> dict:
        where = str(self._task.delegate_to or self.host)
        if where == self.host and not args['here']:
            return {'failed': True, 'changed': False, 'error_code': 'same_box',
                    'msg': f'The archive of {self.host} would be tested on {self.host} itself: name a spare box with jeedom_restore_test_host, or set '
                           'jeedom_restore_test_here=true if there is none.'}
        copy, reader = self.choose(args['archive'])
        result = {'changed': True, 'host': where, 'archive': {key: copy[key] for key in ('name', 'path', 'sha256', 'created', 'core_version')}}
        if self._task.check_mode:
            return dict(result, msg=f'Would restore {copy["name"]} of {self.host} on {where}, for a moment.')
        sent = self.send(copy, reader, STAGING)
        answer = self.call('scratch_restore', {key: sent[key] for key in ('archive', 'complement', 'manifest')})
        if not answer.get('failed'):
            answer = self.follow(answer['job']['id'], follow_timeout(copy))
        if answer.get('failed'):
            return {**answer, **result, 'changed': False, 'msg': f'{copy["name"]} of {self.host} cannot be restored on {where}: {answer.get("msg", "")}'}
        noted = store.note_restored(copy, {**answer['restored'], 'host': where})
        return {**result, 'restored': noted, 'msg': f'{self.host}: {answer["msg"]}'}


def follow_timeout(copy: dict) -> float:
    """Seconds after which a restore is taken for stuck: an hour, and more for archives above some GB."""
    return 3600.0 + copy['size'] / 1e6
