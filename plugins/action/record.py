# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write one event of a stage to the journal on the controller; never touches the box."""

from __future__ import annotations

from ansible import context
from ansible.plugins.action import ActionBase

from ansible_collections.jeedom.fleet.plugins.module_utils import redact
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal, runs


class ActionModule(ActionBase):
    """jeedom.fleet.record"""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec={
            'stage': {'type': 'str', 'required': True},
            'status': {'type': 'str', 'required': True, 'choices': list(journal.STATUSES)},
            'message': {'type': 'str', 'default': ''},
            'inputs': {'type': 'raw'},
            'result': {'type': 'raw'},
            'files': {'type': 'dict', 'default': {}},
            'outcome': {'type': 'str', 'choices': list(journal.OUTCOMES)},
        })
        host = task_vars.get('inventory_hostname', '')
        try:
            result.update(self._record(host, args, task_vars))
        except artifacts.ArtifactError as error:
            result.update(failed=True, changed=False, msg=str(error), error_code=error.code)
        return result

    def _record(self, host: str, args: dict, task_vars: dict) -> dict:
        root = artifacts.root(task_vars, self._templar)
        run_id = artifacts.run_id(task_vars, self._templar)
        message = redact.redact(args['message']).strip()
        before = journal.read(root, host) or {}
        stage = journal.current(before, run_id) if args['stage'] == 'current' else artifacts.file_key(args['stage'])
        if self._task.check_mode:
            # A dry run leaves no trace, not even here: a later run must not resume from what never happened.
            entry = before
        else:
            runs.begin(root, run_id, task_vars, context.CLIARGS)
            # Files first: a journal that says "ok" must never point at something that is not there.
            for name, data in args['files'].items():
                artifacts.write_json(artifacts.run_dir(root, run_id, host) / f'{artifacts.file_key(name)}.json', data)
            entry = journal.record(root, host, run_id, stage, args['status'], message, args['inputs'], args['result'],
                                   args['outcome'], journal.beside(task_vars, self._templar))
        return {'changed': False, 'msg': message, 'stage': stage, 'status': args['status'], 'outcome': args['outcome'],
                'run_id': run_id, 'artifacts': str(root), 'journal': entry, 'recorded': not self._task.check_mode,
                'previous': (before.get('stages') or {}).get(stage)}
