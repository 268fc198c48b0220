#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: record
short_description: Write one event of a stage to the journal of a box
version_added: 0.1.0
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
description:
  - Writes what a stage has come to into C(journal/<host>.json) below O(ignore:jeedom_artifacts) on the controller, and
    data worth keeping beside it in C(<run id>/<host>/).
  - Runs on the controller only; the box is not contacted, so that this also works when its link is down.
  - The callback P(jeedom.fleet.fleet#callback) shows every event live and makes the report at the end from the journal.
  - The variables C(jeedom_artifacts) (default C(./artifacts)) and C(jeedom_run_id) (default made of the start time and the
    process id of C(ansible-playbook), the same for all boxes of a run) say where.
  - In a play with the variable C(jeedom_beside_migration=true), as the one of C(backup.yml), an event only adds to what is known of a box.
    The outcome of its last migration, and what explains it, stay as they are.
  - Do not put secrets into any option, and do not set C(no_log) on the task, or the callback cannot show it.
attributes:
  check_mode:
    support: full
    details:
      - Nothing is written in check mode; RV(recorded) is V(false) then.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Never reports a change. A journal is a record of the run, not a state of the box.
options:
  stage:
    description:
      - Name of the stage. C(assess), C(backup), C(fetch), C(prepare), C(upgrade), C(verify), C(commit) and C(rollback) are those of a
        migration; others (C(freeze)) are shown after them.
      - V(current) is the one that this run has begun and not ended, or else the one it got to.
    type: str
    required: true
  status:
    description:
      - How the stage stands. V(started) opens it, everything else ends it.
      - A stage that is V(skipped) because it had been done keeps the inputs, the result and the times of that.
    type: str
    required: true
    choices: [started, ok, skipped, blocked, failed, unknown, rolled_back]
  message:
    description:
      - One sentence for people. What looks like a credential is hidden.
    type: str
    default: ''
  inputs:
    description:
      - What the stage depended on, so that a second run can tell whether it may be skipped.
    type: raw
  result:
    description:
      - What the stage found or made, for the report and for a second run. Small; larger data go to O(files).
    type: raw
  files:
    description:
      - Data to keep, by name. Each is written to C(<run id>/<host>/<name>.json).
      - Names have lower case letters, digits, dashes and underscores. The report knows V(facts-before), V(facts-after), V(findings),
        V(health), V(upgrade), V(manifest) and V(census-difference).
    type: dict
    default: {}
  outcome:
    description:
      - How the box has ended, when this event decides it.
    type: str
    choices: [migrated, rolled_back, blocked, failed, unknown, ready, stopped, already_done]
seealso:
  - module: jeedom.fleet.report
  - module: jeedom.fleet.wave_gate
'''

EXAMPLES = r'''
- name: Say that the stage begins
  jeedom.fleet.record:
    stage: backup
    status: started

- name: Keep the facts and say how it ended
  jeedom.fleet.record:
    stage: assess
    status: blocked
    outcome: blocked
    message: "2 blockers: plugin openzwave is obsolete, 1.1 GiB free where 2.4 GiB are needed"
    inputs:
      target_version: 4.5.3
    result:
      verdict: blocked
      route: [4.0.63, 4.1.28, 4.4.20, 4.5.3]
    files:
      facts-before: "{{ ansible_facts.jeedom }}"
      findings: "{{ jeedom_assessment.findings }}"
'''

RETURN = r'''
journal:
  description: The whole journal of the box after this event (before it in check mode).
  returned: success
  type: dict
  sample: {schema: 1, host: box1, run_id: 20261123T084742-1234-9f31c0, outcome: null, stages: {assess: {status: ok}}}
previous:
  description: The entry of this stage before this event, or V(null).
  returned: success
  type: dict
recorded:
  description: Whether it was written (not in check mode).
  returned: success
  type: bool
run_id:
  description: The id of this run.
  returned: success
  type: str
  sample: 20261123T084742-1234-9f31c0
artifacts:
  description: The artifacts folder on the controller.
  returned: success
  type: str
stage:
  description: As given.
  returned: success
  type: str
status:
  description: As given.
  returned: success
  type: str
outcome:
  description: As given, or V(null).
  returned: success
  type: str
error_code:
  description: Stable name of what went wrong, V(bad_name) or V(artifacts_not_writable).
  returned: failure
  type: str
'''
