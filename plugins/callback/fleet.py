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
    gives boxes that could not say so themselves their outcome (V(unknown) when unreachable, V(failed) otherwise); a box that failed before
    its first record gets it, with what its first failed task said, before the wave gate judges.
  - Does the same when the run is interrupted by Ctrl-C; the exit code then stays Ansible's.
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

import atexit
import os
import signal
import time
from pathlib import Path
from typing import Any

from ansible import context
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.callback import CallbackBase

from ansible_collections.jeedom.fleet.plugins.module_utils import redact
from ansible_collections.jeedom.fleet.plugins.plugin_utils import again, artifacts, board, journal, progress, runs, status

# One name a line: ansible-doc warns of an assignment to several.
OURS = 'jeedom.fleet.'
RECORD = 'jeedom.fleet.record'
GATE = 'jeedom.fleet.wave_gate'
FACTS = 'jeedom.fleet.facts'
ASSESS = 'jeedom.fleet.assess'
BACKUPS = 'jeedom.fleet.backup_summary'
# Hosts have failed; hosts were unreachable.
ANSIBLE_CODES = (2, 4)
# What a failed task says may be a page; the beginning tells what it was.
LONGEST_REASON = 500
LOST = 'The link to the box was lost: what ran there goes on.'
FAILED = 'A task failed; the output above says why.'
CUT = 'The run ended before this stage did.'
INTERRUPTED = 'The run was interrupted; what runs on the box goes on.'
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
        self.play: Any = None
        self.hosts: list[str] = []
        self.batch: list[str] = []
        # By box, whether the link was lost and what its first failed task said: of this batch of this play, of those before.
        self.told: dict[str, tuple[bool, str]] = {}
        self.before: dict[str, tuple[bool, str]] = {}
        self.targets: dict[str, None] = {}
        self.root: Path | None = None
        self.run_id = ''
        self.stopped: dict | None = None
        self.loaded = False
        self.backups = ''
        self.migration = False
        # Something was recorded, and the end of the playbook has not been told yet.
        self.pending = False
        # The play that recorded last only adds to what is known of a migration, as a backup does.
        self.beside = self.play_beside = False
        self.registered = False
        self.interrupted = False

    # -- events

    def v2_playbook_on_play_start(self, play):
        """Learn the names, so that columns fit; workers are forked later and inherit the width."""
        self.play = play
        self.before, self.told = {**self.told, **self.before}, {}
        self.hosts, self.batch = self._of_play('ansible_play_hosts_all'), self._of_play('ansible_play_batch')
        self.play_beside = boolean(self._variable('jeedom_beside_migration') or False, strict=False)
        progress.fit_hosts(self.hosts)

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Load what a task of ours needs before workers are forked for it: one load for the fleet instead of one a box."""
        if (getattr(task, 'resolved_action', None) or task.action) == GATE:
            # before it judges, so that it sees them
            self._settle(self.batch, *self._gone())
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

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """A gate has stopped the play, or a box has a reason to fail that it may not come to record."""
        if not ignore_errors:
            self._hear(result, False)
        self._event(result)

    def v2_runner_on_unreachable(self, result, *args, **kwargs):
        """A box is lost, perhaps before it recorded anything."""
        self._hear(result, True)

    def v2_playbook_on_stats(self, stats):
        """The table, the report, the next command."""
        if not self.entries or self.root is None:
            return
        try:
            self._end(self.root, set(stats.failures), set(stats.dark))
        except Exception as error:  # pylint: disable=broad-except
            # The exit code is still to be given.
            self._display.warning(f'jeedom.fleet could not tell how the run ended: {error}')
            self._display.vvv(repr(error))
        if self.migration and self.get_option('exit_code') == 'outcome':
            code = status.exit_code(entry.get('outcome') for entry in self.entries.values())
            others = [host for host in (*stats.failures, *stats.dark) if host not in self.entries]
            # What failed beside our boxes (a play of the operator's own) keeps the code that Ansible gives it.
            if code and not (others and code > max(ANSIBLE_CODES)):
                # The one way that a callback has; Ansible cleans up behind it as after every run.
                raise SystemExit(code)

    def _interrupted(self, pid: int) -> None:
        """The same at the end of a process to which Ansible told no end of the playbook: Ctrl-C, or a bug."""
        if not self.pending or self.root is None or os.getpid() != pid:
            return
        self.interrupted = True
        # A second Ctrl-C waits until it is written down where the boxes stand; after that it spares the report.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            self._end(self.root, *self._gone())
        except KeyboardInterrupt:
            pass

    # -- what they mean

    def _variable(self, name: str) -> Any:
        """A variable of the play, as it is now; None where there is none."""
        try:
            return self.play.get_variable_manager().get_vars(play=self.play).get(name) if self.play else None
        except Exception:  # pylint: disable=broad-except
            # whatever is wrong with the variables is for the play to say
            return None

    def _of_play(self, name: str) -> list[str]:
        """A list of hosts that Ansible keeps as a variable of the play."""
        return list(self._variable(name) or [])

    def _hear(self, result, lost: bool) -> None:
        """Keep what the first failed task of a box said: for boxes that fail before they have recorded anything."""
        task = getattr(result, 'task', None) or result._task
        if (getattr(task, 'resolved_action', None) or task.action) == GATE:
            # what it says is of the wave
            return
        # without a message where no_log holds: Ansible has taken it out
        told = getattr(result, 'result', None) or result._result
        host = (getattr(result, 'host', None) or result._host).get_name()
        text = ' '.join(redact.redact(str(told.get('msg') or '')).split())
        if len(text) > LONGEST_REASON:
            text = text[:LONGEST_REASON - 1] + '…'
        self.told.setdefault(host, (lost, text or (LOST if lost else FAILED)))

    def _gone(self) -> tuple[set[str], set[str]]:
        """(failed, lost): boxes of the play that Ansible works with no more, as stats tell it at the end."""
        heard = {**self.told, **self.before}
        alive = set(self._of_play('ansible_play_hosts')) if heard else set()
        gone = {host: heard[host][0] for host in self.hosts if host in heard and host not in alive}
        return {host for host, lost in gone.items() if not lost}, {host for host, lost in gone.items() if lost}

    def _settle(self, hosts: list[str], failed: set[str], lost: set[str]) -> None:
        """Record for boxes that failed before their first record, which then could not do so themselves, how they ended and why."""
        if self.root is None:
            return
        for host in hosts:
            reason = self.told.get(host) or (self.before.get(host) if host in failed or host in lost else None)
            if host in self.entries or reason is None:
                continue
            outcome = 'unknown' if reason[0] or host in lost else 'failed'
            try:
                self._speak_for(self.root, host, outcome, reason[1])
            except Exception as error:  # pylint: disable=broad-except
                self._display.warning(f'jeedom.fleet could not record how {host} ended: {error}')

    def _speak_for(self, root: Path, host: str, outcome: str, text: str) -> None:
        stage, ended = ('backup', None) if self.beside else ('assess', outcome)
        told: dict = {'run_id': self.run_id, 'artifacts': str(root), 'stage': stage, 'status': outcome, 'outcome': ended, 'msg': text}
        if not context.CLIARGS.get('check'):
            known = journal.read(root, host)
            if known and known['run_id'] == self.run_id and known.get('process') == artifacts.process_run_id():
                # It did record something; only we have not heard of that.
                self.entries[host] = known
                return
            told.update(recorded=True, journal=journal.record(root, host, self.run_id, stage, outcome, text, outcome=ended, beside=self.beside))
        self._record(host, told)

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
        self.pending = True
        self.beside = self.play_beside
        if not self.registered:
            self.registered = True
            # Workers never come there, they leave by os._exit; the process id makes sure of that.
            atexit.register(self._interrupted, os.getpid())
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

    def _end(self, root: Path, failed: set[str], lost: set[str]) -> None:
        """All that is said and written at the end. What cannot be done must not look like a migration that failed: it is over."""
        dry = context.CLIARGS.get('check')
        self._settle(list(self.targets), failed, lost)
        for host in list(self.entries):
            try:
                self.entries[host] = self._conclude(root, host, failed, lost, dry)
            except Exception as error:  # pylint: disable=broad-except
                self._display.warning(f'jeedom.fleet could not record how {host} ended: {error}')
        rows = [status.row(entry, self.run_id) for entry in self.entries.values()]
        target = list(self.targets)
        untouched = len([host for host in target if host not in self.entries])
        if self.interrupted:
            self._say('')
        for text, colour in board.results(rows, untouched):
            self._say(text, colour)
        self.pending = False
        if dry:
            self._say('This was a dry run: nothing was changed, and nothing is recorded.')
        else:
            self._report(root, target)
        if self.backups:
            self._say(self.backups)

    def _conclude(self, root: Path, host: str, failures: set[str], dark: set[str], dry: bool) -> dict:
        entry = self.entries[host]
        lost, failed = host in dark, host in failures
        opened = any(stage.get('status') == 'started' and stage.get('run_id') == self.run_id for stage in entry['stages'].values())
        # Where this run only adds to what is known (a backup), the outcome is of another one, and what it left open is still to be closed.
        if (entry.get('outcome') and entry.get('run_id') == self.run_id) or not (lost or failed or opened):
            return entry
        outcome = 'failed' if failed and not lost else 'unknown'
        text = LOST if lost else FAILED if outcome == 'failed' else INTERRUPTED if self.interrupted else CUT
        if dry:
            return {**entry, 'outcome': outcome}
        # What cannot be written is shown all the same.
        if entry.get('run_id') == self.run_id:
            self.entries[host] = {**entry, 'outcome': outcome}
        return journal.conclude(root, host, self.run_id, outcome, text) or entry

    def _report(self, root: Path, target: list[str]) -> None:
        """The report and, whatever becomes of it, the command to go on with."""
        try:
            if self.get_option('report'):
                from ansible_collections.jeedom.fleet.plugins.plugin_utils import report
                if self.interrupted:
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                self._say(f'Report:  {report.write(root)["html"]}')
        except Exception as error:  # pylint: disable=broad-except
            self._display.warning(f'jeedom.fleet could not write its report: {error}')
            self._display.vvv(repr(error))
        finally:
            self._hint(root, target)

    def _hint(self, root: Path, target: list[str]) -> None:
        arguments = runs.read(root, self.run_id).get('arguments') or again.arguments(context.CLIARGS)
        outcomes = {host: None for host in target} | {host: entry.get('outcome') for host, entry in self.entries.items()}
        step = status.next_step(outcomes, arguments)
        if step:
            self._say(f'Go on:   {step[1]}')
            self._say(f'         ({"run again: work that goes on there is adopted" if self.interrupted else step[0]})')
            return
        # This run was perhaps about some of the boxes only: the report, where it could be written, knows the others.
        rest = (artifacts.read_json(root / 'report' / 'report.json', {}) or {}).get('next') if self.get_option('report') else None
        if isinstance(rest, dict) and rest.get('command'):
            self._say('Nothing is left to do on the boxes of this run; there are others.')
            self._say(f'Go on:   {rest["command"]}')
        else:
            self._say('Nothing is left to do.')

    def _say(self, text: str, colour: str | None = None) -> None:
        self.show(text, board.constant(colour))
