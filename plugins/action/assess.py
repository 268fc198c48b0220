# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the facts of a box on the controller: findings, verdict, route; nothing is sent to the box."""

from __future__ import annotations

import json
import time
from pathlib import Path

from ansible import constants, context
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.color import stringc

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, assessment, findings_table, journal, knowledge, market, runs, store

ARGUMENT_SPEC = {
    'facts': {'type': 'raw'},
    'facts_error': {'type': 'str'},
    'connection_lost': {'type': 'bool', 'default': False},
    'target': {'type': 'str', 'default': '4.5.3'},
    'phase': {'type': 'str', 'choices': ['first', 'second'], 'default': 'first'},
    'accept': {'type': 'raw', 'default': []},
    'remove_plugins': {'type': 'list', 'elements': 'str', 'default': []},
    'allow': {'type': 'list', 'elements': 'str', 'default': []},
    'knowledge': {'type': 'list', 'elements': 'path', 'default': []},
    'archive': {'type': 'dict'},
    'market': {'type': 'str', 'choices': list(market.MODES), 'default': 'auto'},
    'market_address': {'type': 'str', 'default': market.ADDRESS},
    'market_validate_certs': {'type': 'bool', 'default': True},
    'fail_on_blocker': {'type': 'bool', 'default': False},
    'show': {'type': 'bool', 'default': True},
    'show_warnings': {'type': 'bool', 'default': False},
    'save': {'type': 'bool', 'default': True},
    'record': {'type': 'bool', 'default': False},
    'outcome': {'type': 'str', 'choices': ['', 'ready'], 'default': ''},
}


def began_on(facts: object) -> str:
    """The version that an open migration of the box began on, which a run that goes on with it comes from; empty when none is open."""
    opened = assessment.View(facts).view('activity.transaction')
    return (opened.text('from_version', 20) or '') if opened.flag('open') else ''


class ActionModule(ActionBase):
    """See plugins/modules/assess.py for what it takes and gives."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate(dict(self._task.args))
        if checked.error_messages:
            return dict(result, failed=True, error_code='bad_arguments', msg='; '.join(checked.error_messages))
        try:
            result.update(self.assess(checked.validated_parameters, task_vars))
        except (assessment.AssessmentError, artifacts.ArtifactError, knowledge.KnowledgeError) as error:
            result.update(failed=True, msg=str(error), error_code=error.code)
        return result

    def assess(self, args: dict, task_vars: dict) -> dict:
        """The result of the task for validated arguments."""
        host = str(task_vars.get('inventory_hostname', 'the box'))
        facts = args['facts'] if args['facts'] is not None else (task_vars.get('ansible_facts') or {}).get('jeedom')
        if args['facts_error']:
            facts = None
        # a copy without Ansible's own string types, which files and checks need not know
        facts = json.loads(json.dumps(facts, default=str))
        known = knowledge.load(args['knowledge'])
        root, run_id = artifacts.root(task_vars, self._templar), artifacts.run_id(task_vars, self._templar)
        # A dry run leaves nothing behind that a report or a later run could take for a look that counted.
        folder = artifacts.run_dir(root, run_id, host) if args['save'] and not self._task.check_mode else None
        answers = self.market(args, facts, folder.parent if folder else Path(constants.DEFAULT_LOCAL_TMP))
        archive = args['archive'] or (store.proved(root, host) if args['phase'] == 'first' else None)
        found = assessment.assess(
            facts, known, args['target'], accept=args['accept'], error=args['facts_error'] or None, phase=args['phase'], now=time.time(),
            policy={'remove_plugins': args['remove_plugins'], 'allow': args['allow']}, market=answers, archive=archive)
        result = {'changed': False, 'findings': found.findings, 'verdict': found.verdict, 'route': found.route, 'summary': found.summary,
                  'market': {'online': answers['online'], 'reason': answers['reason']}}
        if folder:
            # the second look must not hide what the first one found
            first = args['phase'] == 'first'
            if first:
                artifacts.write_json(folder / 'facts-before.json', facts)
            artifacts.write_json(folder / ('findings.json' if first else 'findings-second.json'), found.findings)
        if args['record']:
            result.update(self.record(args, task_vars, found, began_on(facts) or found.summary['version'], root, run_id, host))
        if args['show']:
            lines = findings_table.table(host, result, paint=stringc, details=args['show_warnings'])
            # one call: lines of boxes that are looked at in parallel must not mix
            self._display.display('\n'.join(lines))
        if args['fail_on_blocker'] and found.verdict == 'blocked':
            result.update(failed=True, error_code='blocked', msg=found.summary['text'])
        return result

    def record(self, args: dict, task_vars: dict, found: assessment.Assessment, begin: str, root: Path, run_id: str, host: str) -> dict:
        """The end of the stage in the journal, and what the callback shows of it, as the record module gives it. begin: version it comes from."""
        status = 'blocked' if found.verdict == 'blocked' else 'ok'
        outcome = found.verdict if found.verdict in ('blocked', 'already_done') else args['outcome'] or None
        if args['connection_lost']:
            # nobody knows how a box stands that does not answer
            status = outcome = 'unknown'
        message = found.summary['text'] or found.summary['route'] or f'On {found.summary["version"]} already.'
        entry = journal.read(root, host) or {}
        if not self._task.check_mode:
            runs.begin(root, run_id, task_vars, context.CLIARGS)
            entry = journal.record(root, host, run_id, 'assess', status, message, {'target_version': args['target']}, {
                'verdict': found.verdict, 'route': [hop['version'] for hop in found.route], 'from_version': begin,
                'target_version': args['target'], 'counts': found.summary['counts']}, outcome)
        return {'stage': 'assess', 'status': status, 'outcome': outcome, 'msg': message, 'run_id': run_id, 'artifacts': str(root), 'journal': entry,
                'recorded': not self._task.check_mode}

    @staticmethod
    def market(args: dict, facts: object, run: Path) -> dict:
        """What the market says about the plugins of the box."""
        view = assessment.View(facts)
        # the vendor asks for every row of the update table, and for nothing else (contract 3.2)
        ids = [item.text('id', 64) or '' for item in view.items('plugins') if item.flag('row') is not False]
        return market.ask(args['market'], ids, run / 'market-cache.json', args['market_address'], args['market_validate_certs'])
