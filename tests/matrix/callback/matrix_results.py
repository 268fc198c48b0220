# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what every task said of every host as a line of JSON to the file that MATRIX_RESULTS names."""

from __future__ import annotations

DOCUMENTATION = r'''
name: matrix_results
type: aggregate
short_description: Task results as lines of JSON, for tests/tools/matrix.py
author: jeedom.fleet contributors (@jeedom-fleet)
description:
  - One object per task and host with C(play), C(host), C(task), C(status), C(changed), C(diff), C(msg) and C(python).
requirements:
  - the environment variable C(MATRIX_RESULTS)
'''

import json
import os

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """matrix_results"""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'aggregate'
    CALLBACK_NAME = 'matrix_results'
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.play = ''

    def v2_playbook_on_play_start(self, play):
        self.play = play.get_name()

    def _write(self, result, status):
        told = getattr(result, 'result', None) or result._result
        task = getattr(result, 'task', None) or result._task
        host = (getattr(result, 'host', None) or result._host).get_name()
        facts = told.get('ansible_facts') if isinstance(told.get('ansible_facts'), dict) else {}
        diffs = told.get('diff') or []
        shown = any(each.get('before') != each.get('after') for each in (diffs if isinstance(diffs, list) else [diffs]))
        row = {'play': self.play, 'host': host, 'task': task.get_name(), 'action': task.action, 'status': status, 'changed': bool(told.get('changed')),
               'diff': shown, 'msg': str(told.get('msg', '')), 'python': facts.get('jeedom_python')}
        with open(os.environ['MATRIX_RESULTS'], 'a', encoding='utf-8') as file:
            file.write(json.dumps(row, default=str) + '\n')

    def v2_runner_on_ok(self, result):
        self._write(result, 'ok')

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write(result, 'ignored' if ignore_errors else 'failed')

    def v2_runner_on_unreachable(self, result):
        self._write(result, 'unreachable')
