# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report from the journals on the controller; never touches a box."""

from __future__ import annotations

import os
from pathlib import Path

from ansible.plugins.action import ActionBase

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, report, report_data, runs


class ActionModule(ActionBase):
    """jeedom.fleet.report"""

    TRANSFERS_FILES = False
    # One report for all boxes of the play.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(argument_spec={
            'language': {'type': 'str', 'choices': ['en', 'fr']},
            'dest': {'type': 'path'},
            'sources': {'type': 'list', 'elements': 'path', 'default': []},
        })
        root = artifacts.root(task_vars, self._templar)
        language = args['language']
        if language is None and task_vars.get('jeedom_language'):
            language = runs.language(self._templar.template(task_vars['jeedom_language']))
        sources = tuple(Path(os.path.abspath(source)) for source in args['sources'])
        for source in sources:
            if not (source / 'journal').is_dir():
                result.update(failed=True, changed=False, error_code='no_journal',
                              msg=f'{source} is no artifacts folder, it has no journal: give the folder that jeedom_artifacts named on '
                                  'that controller.')
                return result
        try:
            told = report_data.build(root, language, sources)
            files = {} if self._task.check_mode else report.put(told, Path(args['dest']) if args['dest'] else root / 'report')
        except artifacts.ArtifactError as error:
            result.update(failed=True, changed=False, msg=str(error), error_code=error.code)
            return result
        summary = told['summary']
        counts = ', '.join(f'{number} {outcome}' for outcome, number in sorted(summary['outcomes'].items()))
        result.update(changed=False, files=files, summary=summary, next=(told['next'] or {}).get('command'),
                      outcomes={each['host']: each['outcome'] for each in told['boxes']},
                      msg=f'{summary["boxes"]} box{"" if summary["boxes"] == 1 else "es"}: {counts or "no journal yet"}. {files.get("html", "")}'.strip())
        return result
