#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: job
short_description: Follow, look at or stop a detached job on a box
version_added: 0.1.0
description:
  - Long work on a box (backup, core upgrade, restore) runs as a job that survives SSH and the controller.
  - This module waits for one with live lines, adopts one that an earlier run started, or stops it at its next safe point.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
  - jeedom.fleet.attributes.action_group_box
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  id:
    description:
      - Which job. Without it the newest of O(kind) is meant.
    type: str
  kind:
    description:
      - What kind of job to look for when O(id) is not given, for example V(core) or V(backup).
      - Without O(id) and O(kind) the module lists all jobs.
    type: str
  state:
    description:
      - V(finished) waits for the end and returns the job's own result, failed when the job failed.
      - V(info) only looks.
      - V(stopped) asks a running job to stop where stopping leaves nothing half-done, and waits for that.
    type: str
    choices: [info, finished, stopped]
    default: finished
  wait_timeout:
    description:
      - Seconds to wait for O(state=finished). When they are over the task fails and the job goes on.
    type: int
    default: 14400
  log_lines:
    description:
      - How many of the last log lines to return; secrets are redacted on the box.
    type: int
    default: 20
seealso:
  - module: jeedom.fleet.core
  - module: jeedom.fleet.backup
'''

EXAMPLES = r'''
- name: Start the upgrade everywhere at once, however many forks there are
  jeedom.fleet.core:
    version: 4.5.3
    wait: false
  register: upgrade

- name: Then follow all of them
  jeedom.fleet.job:
    id: "{{ upgrade.job.id }}"

- name: See what the newest backup job does
  jeedom.fleet.job:
    kind: backup
    state: info
'''

RETURN = r'''
job:
  description: What is known of the job.
  returned: when there is one
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: core-20261123T101500-9af2
    state:
      description: C(running), C(finished), C(failed), or C(died) when its process is gone without a result.
      type: str
    status:
      description: Phase, percent, last line and heartbeat (seconds since 1970).
      type: dict
    log_tail:
      description: The last lines of its log.
      type: list
      elements: str
jobs:
  description: All jobs that the box keeps, oldest first.
  returned: without O(id) and O(kind)
  type: list
  elements: dict
error_code:
  description: Machine name of the failure, for example C(no_such_job), C(job_died), C(job_timeout), C(connection_lost).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import job, shell

if __name__ == '__main__':
    shell.main(job)
