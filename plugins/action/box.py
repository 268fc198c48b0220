# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one action plugin that all our box modules are routed to (meta/runtime.yml).

It chooses the way to the box (the function over stdin, or an ordinary module where stdin is not to be had), follows the job
that a module started, and turns a lost link into a failure that rescue sees.
"""

from __future__ import annotations

import importlib
import shlex

from ansible import context
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, follow, holder, journal, probe, progress, runs, stdin_module

PACKAGE = 'ansible_collections.jeedom.fleet.plugins.module_utils'


def warm(name: str) -> None:
    """Load what a call of a box module needs, in the process that forks the workers: Ansible compiles a collection's code in each of
    them anew otherwise, which takes as long as the call itself. Does nothing for what is no module of the box.
    """
    if (stdin_module.MODULE_UTILS / f'{name}.py').exists() and name.isidentifier():
        importlib.import_module(f'{PACKAGE}.{name}')
        stdin_module.code(name)


def _only_reads(name: str, args: dict) -> bool:
    """Whether a second try, after a first that went wrong, changes nothing."""
    return name in ('facts', 'health') or args.get('state') == 'info'


class BoxAction(ActionBase):
    """Calls on a box; base of the action plugins that do more than a module."""

    _supports_check_mode = True
    _supports_async = False
    # what the look at the box found out; told to Ansible with the result
    _new_facts: dict

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        self.task_vars = task_vars or {}
        # not resolved_action: some versions resolve to the action plugin that we are
        name = self._task.action.split('.')[-1]
        try:
            result.update(self._begin())
            result.update(self.perform(name, dict(self._task.args)))
        except (probe.ProbeError, artifacts.ArtifactError) as error:
            result.update(failed=True, msg=str(error), error_code=error.code)
        except follow.LinkLost as lost:
            result.update(failed=True, connection_lost=True, error_code='connection_lost',
                          msg=f'{self.host} cannot be reached ({lost}): check its power, network and ssh, then run the playbook '
                              'again.')
        return result

    def _begin(self) -> dict:
        """Open a stage in the journal, where the task's variable jeedom_begins names one; the callback finds it in the result.

        On the first task of a stage rather than in one of its own: on a fleet each task costs the controller a process per box.
        """
        stage = self.setting('jeedom_begins', '')
        if not stage:
            return {}
        root, run_id = artifacts.root(self.task_vars, self._templar), artifacts.run_id(self.task_vars, self._templar)
        if not self._task.check_mode:
            runs.begin(root, run_id, self.task_vars, context.CLIARGS)
            journal.record(root, self.host, run_id, artifacts.file_key(stage), 'started', beside=journal.beside(self.task_vars, self._templar))
        return {'begun': {'stage': stage, 'run_id': run_id, 'artifacts': str(root), 'recorded': not self._task.check_mode}}

    def perform(self, name: str, args: dict) -> dict:
        """Run the box module and, when it started a job that is to be waited for, follow that."""
        if name == 'job' and args.get('id') and set(args) <= {'id', 'wait_timeout'}:
            # Only to be waited for: the first look of that tells all that the module would.
            return self.follow(args['id'], float(args.get('wait_timeout') or 14400))
        result = self.call(name, args)
        job = result.get('job')
        if name == 'job':
            waits = args.get('state', 'finished') == 'finished' and job and job.get('state') in ('running', 'finished', 'failed')
        else:
            waits = job and self.boolean(args.get('wait', True)) and not result.get('failed')
        if job and waits:
            changed = result.get('changed', False)
            followed = self.follow(job['id'], float(args.get('wait_timeout') or 14400))
            result.update(followed)
            result['changed'] = followed.get('changed', changed)
        return result

    # -- what the subclasses and perform() are made of

    @property
    def host(self) -> str:
        """Name of the box in the inventory."""
        return self.task_vars.get('inventory_hostname', 'the box')

    @staticmethod
    def boolean(value) -> bool:
        """Ansible's idea of a truth value; extra vars are strings."""
        from ansible.module_utils.parsing.convert_bool import boolean
        return boolean(value, strict=False)

    def setting(self, name: str, default):
        """A variable of the play, templated."""
        value = self.task_vars.get(name, default)
        return self._templar.template(value) if isinstance(value, str) else value

    def shell(self, command: str, in_data: bytes | None = None) -> dict:
        """Run a shell command on the box with become. Raises AnsibleConnectionFailure when there is no link.

        in_data: its standard input; over a connection that has none (paramiko) it goes as a file that is gone before the command runs.
        """
        if in_data and not self._connection.has_pipelining:
            command, in_data = self._from_file(command, in_data), None
        answer = self._low_level_execute_command(command, in_data=in_data, sudoable=True)
        if answer.get('rc') == 255 and not answer.get('stdout') and self._connection.transport in ('ssh', 'ansible.builtin.ssh'):
            # ssh's own code for "no connection", which some versions return instead of raising
            raise AnsibleConnectionFailure((answer.get('stderr') or 'ssh ended with code 255').strip())
        return answer

    def _from_file(self, command: str, data: bytes) -> str:
        """The command with a file on the box as its standard input; Ansible removes the folder when the task ends."""
        shell = self._connection._shell
        path = shell.join_path(shell.tmpdir or self._make_tmp_path(), 'jeedom-fleet-stdin')
        self._transfer_data(path, data)
        name = shlex.quote(path)
        # open first, then unlink: it may hold a secret, and the link may break while the command runs
        return f'exec < {name} || exit 1; rm -f {name}; {command}'

    def reset(self) -> None:
        """Forget a connection that broke."""
        self._connection.reset()

    def patience(self, default: float) -> float:
        """How many seconds without a link are tolerated."""
        return float(self.setting('jeedom_reconnect_timeout', default))

    def _known_python(self) -> dict | None:
        return self.task_vars.get('jeedom_python') or (self.task_vars.get('ansible_facts') or {}).get('jeedom_python')

    def interpreter(self) -> dict:
        """{path, version, transport} of the Python to use, probed once per host and kept as a fact."""
        known = self._known_python()
        if known:
            return known
        wanted = self.setting('ansible_python_interpreter', None)
        try:
            answer = follow.patiently(lambda: self.shell(probe.script(wanted)), self.reset, float(self.setting('jeedom_connect_timeout', 0)))
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as error:
            # "Missing sudo password" and its like come as an error of the connection plugin
            raise probe.ProbeError(self._no_root(str(error)), 'no_sudo') from error
        if answer.get('rc'):
            message = (answer.get('stderr') or answer.get('stdout') or '').strip().splitlines()
            raise probe.ProbeError(self._no_root(message[-1] if message else 'no message'), 'no_sudo')
        found = probe.parse(answer.get('stdout', ''), self.host)
        if found['uid'] != 0:
            raise probe.ProbeError(f'Tasks run as user id {found["uid"]} on {self.host} and need root: set "become: true" in the play or '
                                   'ansible_become=true in the inventory.', 'not_root')
        chosen = probe.choose(found['pythons'], self.setting('jeedom_box_transport', 'auto'))
        self._new_facts = {'jeedom_python': chosen}
        self.task_vars = dict(self.task_vars, jeedom_python=chosen)
        return chosen

    def _no_root(self, reason: str) -> str:
        return (f'{self.host} answers, but no command can be run there as root: {reason.rstrip(".")}. Give '
                f'{self._play_context.remote_user or "the login user"} passwordless sudo, or pass --ask-become-pass.')

    def call(self, name: str, args: dict) -> dict:
        """The result of one box module."""
        self._new_facts = {}
        args = dict(args)
        spec = importlib.import_module(f'{PACKAGE}.{name}').ARGUMENT_SPEC
        if 'controller' in spec:
            args.setdefault('controller', holder.name())
            args.setdefault('run_id', artifacts.run_id(self.task_vars, self._templar))
        at_once = self._with_the_first_look(name, args, spec) if _only_reads(name, args) else None
        if at_once is not None:
            return at_once
        python = self.interpreter()
        way = self._by_stdin if python['transport'] == 'stdin' else self._by_module
        result = follow.patiently(lambda: way(name, args, spec, python), self.reset, self.patience(60))
        if self._new_facts:
            result.setdefault('ansible_facts', {}).update(self._new_facts)
        return result

    def _with_the_first_look(self, name: str, args: dict, spec: dict) -> dict | None:
        """The result of a module that goes along with the first look at the box: one round trip for a fleet of boxes instead of two.

        Over stdin, since what every Python from 2.7 on understands needs no look first. None when it is not to be so, or did
        not come to its end: the careful way finds out why, and tells.
        """
        if self._known_python() or self.setting('jeedom_box_transport', 'auto') == 'module' or not getattr(self._connection, 'has_pipelining', False):
            return None
        checked = ArgumentSpecValidator(spec).validate(args)
        if checked.error_messages:
            return None
        command = probe.script(self.setting('ansible_python_interpreter', None), stdin_module.COMMAND, self._environment())
        data = stdin_module.payload(name, checked.validated_parameters, self._task.check_mode)
        try:
            answer = follow.patiently(lambda: self.shell(command, in_data=data), self.reset, float(self.setting('jeedom_connect_timeout', 0)))
            result = stdin_module.parse(answer.get('stdout', ''))
            found = probe.parse(answer.get('stdout', ''), self.host) if result is not None else {}
        except AnsibleConnectionFailure:
            raise
        except (AnsibleError, probe.ProbeError):
            return None
        if result is not None:
            # What this call could do, the next can: every Python from 2.7 on, at a third of the cost of a module (docs/benchmarks.md).
            chosen = probe.choose(found['pythons'], 'stdin')
            result.setdefault('ansible_facts', {})['jeedom_python'] = chosen
            self.task_vars = dict(self.task_vars, jeedom_python=chosen)
        return result

    def _environment(self) -> str:
        """The task's environment (a proxy, say) as assignments before a command: what Ansible does for its modules."""
        return self._compute_environment_string().strip()

    def _by_module(self, name: str, args: dict, spec: dict, python: dict) -> dict:
        task_vars = dict(self.task_vars)
        task_vars.setdefault('ansible_python_interpreter', python['path'])
        return self._execute_module(module_name=f'jeedom.fleet.{name}', module_args=args, task_vars=task_vars)

    def _by_stdin(self, name: str, args: dict, spec: dict, python: dict) -> dict:
        checked = ArgumentSpecValidator(spec).validate(args)
        if checked.error_messages:
            return {'failed': True, 'error_code': 'bad_arguments', 'msg': '; '.join(checked.error_messages)}
        command = f'{self._environment()} {shlex.quote(python["path"])} -c {shlex.quote(stdin_module.COMMAND)}'.strip()
        data = stdin_module.payload(name, checked.validated_parameters, self._task.check_mode)
        answer = self.shell(command, in_data=data)
        result = stdin_module.parse(answer.get('stdout', ''))
        if result is None:
            lines = (answer.get('stderr') or answer.get('stdout') or 'no output').strip().splitlines()
            return {'failed': True, 'error_code': 'box_code_failed', 'exception': answer.get('stderr', ''),
                    'msg': f'{name} did not come to its end on {self.host} with {python["path"]}: {lines[-1]}'}
        return result

    def follow(self, job_id: str, timeout: float) -> dict:
        """Wait for a job on the box."""
        stage = str(self.setting('jeedom_stage', '') or job_id.split('-', maxsplit=1)[0])
        quiet = not self.boolean(self.setting('jeedom_progress', True))
        return follow.follow(job_id, self.shell, self.reset, self.host, stage, timeout, self.patience(300),
                             (lambda text: None) if quiet else progress.shower(self._display))


class ActionModule(BoxAction):
    """Routed box modules."""
