# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand on how the boxes of this run have ended, as set_stats does; never touches a box."""

from __future__ import annotations

from ansible.plugins.action import ActionBase

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal


def by_outcome(hosts: list[str], entries: dict[str, dict | None], run_id: str, process: str) -> dict[str, list[str]]:
    """Names of boxes by outcome; none for a box that this run has not brought to one."""
    found: dict[str, list[str]] = {}
    for host in hosts:
        entry = entries.get(host)
        mine = journal.of_run(entry, run_id, process)
        outcome = mine.get('outcome') if mine else None
        found.setdefault(outcome or 'none', []).append(host)
    return found


class ActionModule(ActionBase):
    """jeedom.fleet.stats"""

    TRANSFERS_FILES = False
    # Once for all boxes of the play.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        try:
            root = artifacts.root(task_vars, self._templar)
            run_id = artifacts.run_id(task_vars, self._templar)
        except artifacts.ArtifactError as error:
            result.update(failed=True, changed=False, msg=str(error), error_code=error.code)
            return result
        hosts = list(task_vars.get('ansible_play_hosts_all') or [])
        boxes = by_outcome(hosts, {host: journal.read(root, host) for host in hosts}, run_id, artifacts.process_run_id())
        # Variables of the nodes that follow: names that none of our roles reads or sets, since as extra variables they win.
        data = {'jeedom_outcomes': {outcome: len(names) for outcome, names in boxes.items()}, 'jeedom_hosts_by_outcome': boxes,
                'jeedom_stats_run_id': run_id}
        result.update(changed=False, ansible_stats={'data': data, 'per_host': False, 'aggregate': False}, **data)
        return result
