# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide at the end of a wave whether the next one may start."""

from __future__ import annotations

import time
from pathlib import Path

from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars

from ansible_collections.jeedom.fleet.plugins.plugin_utils import again, artifacts, journal, progress, waves


class ActionModule(ActionBase):
    """jeedom.fleet.wave_gate"""

    TRANSFERS_FILES = False
    # Once per wave, and its failure is that of the wave: ansible treats such an action as run_once + any_errors_fatal.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        self.task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec={
            'max_failed': {'type': 'raw'},
            'max_failed_percent': {'type': 'raw'},
            'soak': {'type': 'raw'},
            'at': {'type': 'str', 'default': 'end', 'choices': ['begin', 'end']},
            'window': {'type': 'raw'},
            'expected_minutes': {'type': 'raw'},
        })
        try:
            result.update(self._begin(args) if args['at'] == 'begin' else self._judge(args))
        except (waves.WaveError, artifacts.ArtifactError) as error:
            result.update(failed=True, changed=False, msg=str(error), error_code=getattr(error, 'code', 'bad_limit'))
        return result

    def _setting(self, args: dict, name: str):
        value = args.get(name)
        if value is None:
            value = self.task_vars.get(f'jeedom_{name}')
        return self._templar.template(value)

    def _look_at_settings(self, args: dict) -> None:
        """Refuse what cannot be used before a box is touched, not at the end of its wave."""
        for name in ('max_failed', 'max_failed_percent', 'soak', 'expected_minutes'):
            waves.number(self._setting(args, name), f'jeedom_{name}')
        # The task's parents end in a block of the play, whose variables count when its hosts are picked, also where it is imported.
        parent = self._task
        while getattr(parent, '_parent', None):
            parent = parent._parent
        play = getattr(parent, '_play', None)
        given = {*load_extra_vars(self._loader), *(getattr(play, 'vars', None) or ())}
        for name in ('jeedom_target', 'jeedom_waves'):
            if name in self.task_vars and name not in given:
                raise waves.WaveError(f'{name} is set in the inventory, where Ansible does not look when it picks the boxes of a play and their '
                                      f'waves: give it on the command line (-e {name}=...), and take it out of the inventory.')

    def _begin(self, args: dict) -> dict:
        self._look_at_settings(args)
        root, run_id = artifacts.root(self.task_vars, self._templar), artifacts.run_id(self.task_vars, self._templar)
        earlier = self._judged(root, run_id)
        if earlier and not earlier[-1]['passed']:
            # Ansible goes on after a failed gate where a box of that batch had failed in a play before this one.
            command, how = self._again()
            return {'failed': True, 'changed': False, 'error_code': 'wave_stopped', 'next': command,
                    'msg': f'Wave {earlier[-1]["number"]} has stopped the roll-out, so this one is not begun: look at its boxes first; then go on with: {how}'}
        window = self._setting(args, 'window')
        if not window:
            return {'changed': False, 'msg': 'There is no maintenance window.'}
        left = waves.window_left(window)
        need = waves.expected(journal.read_all(root), self._setting(args, 'expected_minutes'))
        told = {'changed': False, 'window_left': left, 'expected': need,
                'msg': f'The maintenance window {window} has {progress.clock(left)} left, the wave takes about {progress.clock(need)}.'}
        if left < need and not self._task.check_mode:
            command, how = self._again()
            told.update(failed=True, error_code='outside_window', next=command,
                        msg=f'{told["msg"]} Nothing is started that cannot end in it. In the next window go on with: {how}')
        return told

    def _judge(self, args: dict) -> dict:
        if self._task.check_mode:
            # Its boxes leave no journal to judge by, and the operator wants to see them all.
            return {'changed': False, 'msg': 'A dry run is not judged: the table at the end says what each box would do.'}
        root = artifacts.root(self.task_vars, self._templar)
        run_id = artifacts.run_id(self.task_vars, self._templar)
        play_hosts = list(self.task_vars.get('ansible_play_hosts_all') or [])
        batch = list(self.task_vars.get('ansible_play_batch') or [])
        process, before = artifacts.process_run_id(), self._judged(root, run_id)
        judged = {host for wave in before for host in wave.get('states', {})}
        # Another run (a nightly backup) may have come to a box in the meantime.
        entries = {host: journal.of_run(journal.read(root, host), run_id, process) for host in play_hosts if host not in judged}
        begun = {host for host, entry in entries.items() if entry}
        hosts = waves.members(play_hosts, batch, judged, begun)
        states = {host: waves.state(entries.get(host), run_id, host in batch) for host in hosts}
        verdict = waves.judge(states, self._setting(args, 'max_failed'), self._setting(args, 'max_failed_percent'))
        left = [host for host in play_hosts if host not in judged and host not in states]
        soak = waves.number(self._setting(args, 'soak'), 'jeedom_soak') or 0.0
        starts = [entry['started'] for host in hosts if host in begun and (entry := entries[host])]
        wave = {'process': process, 'number': len(before) + 1, 'play': self._play(), 'started': min(starts, default=artifacts.now()), 'ended': artifacts.now(),
                'states': states, 'counts': verdict['counts'], 'passed': verdict['passed'], 'limit': verdict['limit'],
                'bad': verdict['bad'], 'left': len(left)}
        waves.add(root, run_id, wave)
        result = {'changed': False, 'wave': wave, 'run_id': run_id, 'artifacts': str(root), 'msg': self._sentence(wave, left)}
        if not verdict['passed']:
            command, how = self._again()
            result.update(failed=True, error_code='wave_stopped', next=command,
                          msg=f'{result["msg"]} Look at them first; then go on with: {how}')
        elif soak and left and not set(verdict['counts']) <= set(waves.UNCHANGED):
            progress.shower(self._display)(f'  Wave {wave["number"]} is left alone for {progress.clock(soak)} before the next one starts.')
            time.sleep(soak)
        return result

    def _play(self) -> str:
        return str(self.task_vars.get('ansible_play_name') or '')

    def _judged(self, root: Path, run_id: str) -> list[dict]:
        """The waves of this play that have been judged."""
        # A run id that the operator gives may come twice: what an earlier process judged or left says nothing of this one.
        return [wave for wave in waves.read(root, run_id) if wave.get('play') == self._play() and wave.get('process') == artifacts.process_run_id()]

    @staticmethod
    def _again() -> tuple[str, str]:
        """The command to go on with, alone and with what it lacks."""
        arguments = again.arguments(context.CLIARGS)
        command, lacks = again.command(arguments), again.not_said(arguments)
        return command, f'{command} ({lacks})' if lacks else command

    @staticmethod
    def _sentence(wave: dict, left: list[str]) -> str:
        size, bad = len(wave['states']), wave['bad']
        boxes = '1 box' if size == 1 else f'{size} boxes'
        if wave['passed'] and not bad:
            return f'Wave {wave["number"]} ({boxes}) has ended well.'
        named = ', '.join(f'{host} {wave["states"][host]}' for host in bad[:8]) + (', ...' if len(bad) > 8 else '')
        told = f'In wave {wave["number"]} ({boxes}) {len(bad)} ended badly ({named}); {wave["limit"]}.'
        if wave['passed']:
            return told
        return f'{told} The roll-out stops here: the {len(left)} boxes of the next waves have not been touched.' if left else \
            f'{told} It was the last wave.'
