# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where does each box stand, from the journal and from the box; one round trip, nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible import context
from ansible.errors import AnsibleError

from ansible_collections.jeedom.fleet.plugins.action.box import BoxAction
from ansible_collections.jeedom.fleet.plugins.plugin_utils import (
    again,
    artifacts,
    board,
    follow,
    journal,
    progress,
    report_shape,
    runs,
    status,
    status_look,
)


class ActionModule(BoxAction):
    """jeedom.fleet.status"""

    def perform(self, name: str, args: dict) -> dict:
        _checked, args = self.validate_argument_spec(argument_spec={
            'web_root': {'type': 'path', 'default': '/var/www/html'},
            'summary': {'type': 'dict'},
        })
        if args['summary'] is not None:
            return self._summary(args['summary'])
        entry = self._entry(self.host)
        seen, error = None, ''
        try:
            answer = follow.patiently(lambda: self.shell(status_look.command(args['web_root'])), self.reset, 0)
            seen = status_look.parse(answer.get('stdout', ''))
            if seen['uid'] is None:
                # A shell that did not even say who it is: sudo refused, or something else answers.
                seen, error = None, progress.printable(answer.get('stderr') or answer.get('stdout') or 'no answer', 200)
        except (follow.LinkLost, AnsibleError) as lost:
            # A box that is away is an answer here, not a failure: the table is about all of them.
            error = progress.printable(lost, 200)
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as odd:
            error = f'its answer cannot be read ({type(odd).__name__}): look at /var/lib/jeedom-fleet there'
        told = self._row(self.host, entry, seen, error)
        left = f' Left: {", ".join(told["left"])}.' if told['left'] else ''
        return {'changed': False, 'status': told, 'msg': f'{self.host}: {told["text"]}{left}'}

    def _entry(self, host: str) -> dict | None:
        entry = journal.read(artifacts.root(self.task_vars, self._templar), host)
        return report_shape.whole(entry) if entry else None

    @staticmethod
    def _row(host: str, entry: dict | None, seen: dict | None, error: str) -> dict:
        judged = status_look.judge(entry, seen, error)
        return {'host': host, 'reachable': seen is not None, 'state': judged['state'], 'text': judged['text'], 'version': judged['version'],
                'outcome': (entry or {}).get('outcome'), 'stage': journal.reached(entry) if entry else '', 'left': status.left(entry),
                'target': status.versions(entry)[1] if entry else '', 'job': (seen or {}).get('job'), 'transaction': (seen or {}).get('transaction'),
                'error': error, 'root': (seen or {}).get('uid') == 0}

    def _told(self, host: str, result: Any) -> dict:
        """The row of a box; of one that could not be asked at all (an undefined variable, no such connection) with what Ansible said."""
        result = result if isinstance(result, Mapping) else {}
        if isinstance(result.get('status'), Mapping) and result['status'].get('host'):
            return dict(result['status'])
        return self._row(host, self._entry(host), None, progress.printable(result.get('msg') or 'it was not asked', 200))

    def _summary(self, told: dict) -> dict:
        rows = [self._told(str(host), result) for host, result in told.items()]
        show = progress.shower(self._display)
        for text, colour in board.standing(rows):
            show(text, board.constant(colour))
        outcomes = {row['host']: row['outcome'] if row['state'] not in ('interrupted', 'running') else 'unknown' for row in rows}
        root = artifacts.root(self.task_vars, self._templar)
        newest = runs.newest(root)
        arguments = status.to_go_on(again.arguments(context.CLIARGS), runs.read(root, newest) if newest else {})
        step = status.next_step(outcomes, arguments)
        show(f'Go on:  {step[1]}' if step else 'Nothing is left to do.')
        if step:
            show(f'        ({step[0]})')
        return {'changed': False, 'next': step[1] if step else None, 'msg': f'{len(rows)} boxes'}
