# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a migration while it happens, and leaves the report behind, also when a gate stopped the play."""

from __future__ import annotations

DOCUMENTATION = r'''
name: fleet
type: aggregate
short_description: Live progress of a fleet of Jeedom boxes, and the report at the end
version_added: 0.1.0
author: jeedom.fleet contributors (@jeedom-fleet)
description:
  - Prints one line per box whose stage has ended, a board at the end of each wave, and at the end the table of results with the
    path of the report and the command to go on with.
  - Writes the report (HTML, JSON, CSV, JUnit) at the end of every playbook that used our roles, also when a wave gate stopped it, and
    gives boxes that could not say so themselves their outcome (V(unknown) when unreachable, V(failed) otherwise).
  - Says and does nothing for other playbooks. Prints to stderr when the stdout callback writes JSON.
requirements:
  - enable it with C(callbacks_enabled = jeedom.fleet.fleet) in C(ansible.cfg) or C(ANSIBLE_CALLBACKS_ENABLED=jeedom.fleet.fleet)
options:
  report:
    description: Whether to write the report.
    type: bool
    default: true
    env:
      - name: JEEDOM_FLEET_REPORT
    ini:
      - section: callback_fleet
        key: report
  live:
    description: Whether to print a line per box and stage and a board per wave. The table at the end is always printed.
    type: bool
    default: true
    env:
      - name: JEEDOM_FLEET_LIVE
    ini:
      - section: callback_fleet
        key: live
  exit_code:
    description:
      - With V(outcome), C(ansible-playbook) ends a migration (a play with M(jeedom.fleet.wave_gate)) with the code of the worst outcome
        of this run, 4 a box is unknown, 2 one failed, 10 one was rolled back, 11 one is blocked, 12 one is stopped, 0 none of these.
      - With V(ansible), the code is Ansible's own, which says C(0) for a failed box as long as the wave gate lets it pass.
      - Callbacks that C(callbacks_enabled) names after this one do not see the end of the playbook then; name this one last.
    type: str
    choices: [outcome, ansible]
    default: outcome
    version_added: 0.1.0
    env:
      - name: JEEDOM_FLEET_EXIT_CODE
    ini:
      - section: callback_fleet
        key: exit_code
'''

import time
from pathlib import Path

from ansible import context
from ansible.plugins.callback import CallbackBase

from ansible_collections.jeedom.fleet.plugins.plugin_utils import again, board, journal, progress, runs, status

# One name a line: ansible-doc warns of an assignment to several.
OURS = 'jeedom.fleet.'
RECORD = 'jeedom.fleet.record'
GATE = 'jeedom.fleet.wave_gate'
FACTS = 'jeedom.fleet.facts'
ASSESS = 'jeedom.fleet.assess'
BACKUPS = 'jeedom.fleet.backup_summary'
# Hosts have failed; hosts were unreachable.
ANSIBLE_CODES = (2, 4)
MARKS = {'ok': 'ok', 'skipped': '-', 'blocked': 'stop', 'failed': '!!', 'unknown': '??', 'rolled_back': '<<'}


class CallbackModule(CallbackBase):
    """jeedom.fleet.fleet"""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'aggregate'
    CALLBACK_NAME = 'jeedom.fleet.fleet'
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.show = progress.shower(self._display)
        self.entries: dict[str, dict] = {}
        self.hosts: list[str] = []
        self.targets: dict[str, None] = {}
        self.root: Path | None = None
        self.run_id = ''
        self.stopped: dict | None = None
        self.loaded = False
        self.backups = ''
        self.migration = False

    # -- events

    def v2_playbook_on_play_start(self, play):
        """Learn the names, so that columns fit; workers are forked later and inherit the width."""
        try:
            self.hosts = list(play.get_variable_manager().get_vars(play=play).get('ansible_play_hosts_all') or [])
        except Exception:  # pylint: disable=broad-except
            # only for looks: whatever is wrong with the variables is for the play to say
            self.hosts = []
        progress.fit_hosts(self.hosts)

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Load what a task of ours needs before workers are forked for it: one load for the fleet instead of one a box."""
        if task.action.startswith(OURS):
            from ansible_collections.jeedom.fleet.plugins.action import box
            box.warm(task.action[len(OURS):])
        if not self.loaded and task.action == FACTS:
            self.loaded = True
            from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, knowledge, market  # noqa: F401  pylint: disable=unused-import
            try:
                knowledge.load()
            except knowledge.KnowledgeError:
                # the task that uses it says so
                pass

    def v2_runner_on_ok(self, result, *args, **kwargs):
        """A box has recorded something, or a wave is over."""
        self._event(result)

    def v2_runner_on_failed(self, result, *args, **kwargs):
        """A gate has stopped the play."""
        self._event(result)

    def v2_playbook_on_stats(self, stats):
        """The table, the report, the next command."""
        if not self.entries or self.root is None:
            return
        try:
            self._finish(self.root, stats)
        except Exception as error:  # pylint: disable=broad-except
            # The migration is over; a report that cannot be written must not look like one that failed.
            self._display.warning(f'jeedom.fleet could not write its report: {error}')
            self._display.vvv(repr(error))
        if self.backups:
            self._say(self.backups)
        if self.migration and self.get_option('exit_code') == 'outcome':
            code = status.exit_code(entry.get('outcome') for entry in self.entries.values())
            others = [host for host in (*stats.failures, *stats.dark) if host not in self.entries]
            # What failed beside our boxes (a play of the operator's own) keeps the code that Ansible gives it.
            if code and not (others and code > max(ANSIBLE_CODES)):
                # The one way that a callback has; Ansible cleans up behind it as after every run.
                raise SystemExit(code)

    # -- what they mean

    def _event(self, result) -> None:
        task = getattr(result, 'task', None) or result._task
        action = getattr(task, 'resolved_action', None) or task.action
        if not action.startswith(OURS):
            return
        told = getattr(result, 'result', None) or result._result
        host = (getattr(result, 'host', None) or result._host).get_name()
        begun = told.get('begun')
        if begun:
            self._record(host, dict(begun, status='started', journal=journal.read(Path(begun['artifacts']), host)))
        if action not in (RECORD, GATE, ASSESS, BACKUPS):
            return
        if action == BACKUPS:
            # said again at the very end, where a mail of cron or a log is looked at first
            self.backups = str(told.get('summary') or '')
            return
        self.migration |= action == GATE
        items = [item for item in told.get('results', []) if isinstance(item, dict)] if 'results' in told else [told]
        for item in items:
            if action == GATE and isinstance(item.get('wave'), dict):
                self._wave(item)
            elif action in (RECORD, ASSESS) and item.get('run_id') and not item.get('failed'):
                self._record(host, item)

    def _record(self, host: str, told: dict) -> None:
        # The boxes of plays that record something are those that we are asked about.
        self.targets.update(dict.fromkeys(self.hosts))
        if self.root is None:
            self.root, self.run_id = Path(told['artifacts']), told['run_id']
            self._learn_durations(self.root)
        if told.get('recorded') and told.get('journal'):
            entry = told['journal']
        else:
            # A dry run writes nothing, but wants to be shown.
            entry = self.entries.get(host) or {'host': host, 'run_id': told['run_id'], 'started': time.time(), 'outcome': None, 'stages': {}}
            journal.apply(entry, told['run_id'], told['stage'], told['status'], time.time(), told.get('msg'), outcome=told.get('outcome'))
            entry['updated'] = time.time()
        self.entries[host] = entry
        stage = entry['stages'].get(told['stage']) or {}
        if told['status'] == 'started' or not self.get_option('live'):
            return
        took = (stage.get('ended') or 0) - (stage.get('started') or 0)
        if told['status'] == 'ok' and took > 1:
            progress.durations.setdefault(told['stage'], []).append(took)
        colour = {'ok': None, 'skipped': 'COLOR_SKIP', 'blocked': 'COLOR_WARN'}.get(told['status'], 'COLOR_ERROR')
        self._say(progress.line(host, told['stage'], MARKS.get(told['status'], ''), progress.clock(took), '',
                                told.get('msg') or told['status'].replace('_', ' ')), board.color(told.get('outcome')) or colour)

    def _learn_durations(self, root: Path) -> None:
        """What boxes of earlier runs took is the best guess for the first ones of this run."""
        for entry in journal.read_all(root, most=200):
            for name, stage in entry['stages'].items():
                times = stage.get('done') or stage
                if stage.get('status') in ('ok', 'skipped') and times.get('ended') and times['ended'] - times['started'] > 1:
                    progress.durations.setdefault(name, []).append(times['ended'] - times['started'])

    def _wave(self, told: dict) -> None:
        if not told['wave']['passed']:
            self.stopped = told
        if self.get_option('live'):
            for text, colour in board.wave(told['wave']):
                self._say(text, colour)

    def _finish(self, root: Path, stats) -> None:
        dry = context.CLIARGS.get('check')
        for host in list(self.entries):
            self.entries[host] = self._conclude(root, host, stats, dry)
        rows = [status.row(entry, self.run_id) for entry in self.entries.values()]
        target = list(self.targets)
        untouched = len([host for host in target if host not in self.entries])
        for text, colour in board.results(rows, untouched):
            self._say(text, colour)
        if dry:
            self._say('This was a dry run: nothing was changed, and nothing is recorded.')
            return
        self._hint(root, target)

    def _conclude(self, root: Path, host: str, stats, dry: bool) -> dict:
        entry = self.entries[host]
        lost = bool(stats.dark.get(host))
        opened = any(stage.get('status') == 'started' and stage.get('run_id') == self.run_id for stage in entry['stages'].values())
        # Where this run only adds to what is known (a backup), the outcome is of another one, and what it left open is still to be closed.
        if (entry.get('outcome') and entry.get('run_id') == self.run_id) or not (lost or stats.failures.get(host) or opened):
            return entry
        outcome = 'failed' if stats.failures.get(host) and not lost else 'unknown'
        text = ('The link to the box was lost: what ran there goes on.' if lost else
                'A task failed; the output above says why.' if outcome == 'failed' else 'The run ended before this stage did.')
        if dry:
            return {**entry, 'outcome': outcome}
        return journal.conclude(root, host, self.run_id, outcome, text) or entry

    def _hint(self, root: Path, target: list[str]) -> None:
        arguments = runs.read(root, self.run_id).get('arguments') or again.arguments(context.CLIARGS)
        if self.get_option('report'):
            from ansible_collections.jeedom.fleet.plugins.plugin_utils import report
            files = report.write(root)
            self._say(f'Report:  {files["html"]}')
        outcomes = {host: None for host in target} | {host: entry.get('outcome') for host, entry in self.entries.items()}
        step = status.next_step(outcomes, arguments)
        if step:
            self._say(f'Go on:   {step[1]}')
            self._say(f'         ({step[0]})')
        else:
            self._say('Nothing is left to do.')

    def _say(self, text: str, colour: str | None = None) -> None:
        self.show(text, board.constant(colour))
