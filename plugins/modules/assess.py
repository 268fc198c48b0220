#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: assess
short_description: Judge whether a Jeedom box can be migrated, and by which route
version_added: 0.1.0
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
description:
  - Takes what M(jeedom.fleet.facts) found on a box, the knowledge base of the collection, the market and the operator's policy, and
    gives all findings at once, a verdict and the route of core upgrades.
  - Runs on the controller only; the box is not contacted and nothing on it changes.
  - Shows a table in the terminal, and writes C(<run id>/<host>/facts-before.json) and C(findings.json) (of the second look
    C(findings-second.json)) below C(jeedom_artifacts).
  - Every finding has a stable id; docs/findings.md has the list.
attributes:
  check_mode:
    support: full
    details:
      - In check mode no file is written on the controller.
  diff_mode:
    support: none
  idempotent:
    support: full
    details:
      - Never reports a change.
options:
  facts:
    description: The facts of the box. Default is C(ansible_facts.jeedom) of the host.
    type: raw
  facts_error:
    description: Why there are no facts; the box is then blocked with that sentence, and facts of an earlier look are not used.
    type: str
  connection_lost:
    description: Whether there are no facts because the box does not answer; it is recorded as V(unknown) then, not as blocked.
    type: bool
    default: false
  target:
    description: Version of the core to go to.
    type: str
    default: 4.5.3
  phase:
    description: V(second) is the look after the stage prepare, inside the migration's transaction.
    type: str
    choices: [first, second]
    default: first
  accept:
    description:
      - Findings that are accepted, as mappings of C(id) and C(reason). The id may name one subject only, as in C(plugin_obsolete:karotz).
      - An id that does not exist is an error that names the nearest one, and so is a missing reason.
    type: raw
    default: []
  remove_plugins:
    description: Plugins whose removal by the stage prepare is consented to; their findings do not stop the box any more.
    type: list
    elements: str
    default: []
  allow:
    description: Losses that a route may have, for example V(design_positions).
    type: list
    elements: str
    default: []
  knowledge:
    description: Files or folders on the controller that overlay the knowledge base, merged by id.
    type: list
    elements: path
    default: []
  archive:
    description: In the second look, the archive of this run. C(proved) must be true in it. The first look sees by itself what earlier runs left in the
      store.
    type: dict
  market:
    description:
      - Whether the market is asked what it says about the plugins. V(auto) asks when it answers within 3 seconds.
      - Only names of plugins are sent, no credentials and no hardware key. Answers are kept for the run.
    type: str
    choices: [online, offline, auto]
    default: auto
  market_address:
    description: Address of the market.
    type: str
    default: https://market.jeedom.com
  market_validate_certs:
    description: Whether the certificate of the market is checked.
    type: bool
    default: true
  fail_on_blocker:
    description: Whether the task fails when the box is blocked.
    type: bool
    default: false
  show:
    description: Whether the table is shown in the terminal.
    type: bool
    default: true
  show_warnings:
    description: Whether the table has a line for every warning instead of their ids alone.
    type: bool
    default: false
  save:
    description: Whether files are written on the controller. Nothing is in check mode.
    type: bool
    default: true
  record:
    description: Whether the end of the stage is written to the journal of the box and shown by the callback, as M(jeedom.fleet.record) does.
    type: bool
    default: false
  outcome:
    description: Outcome to record for a box that is ready; none when it is empty and more stages follow.
    type: str
    choices: ['', ready]
    default: ''
seealso:
  - module: jeedom.fleet.facts
  - plugin: jeedom.fleet.route
    plugin_type: filter
'''

EXAMPLES = r'''
- name: Look at the box
  jeedom.fleet.facts:

- name: Judge it
  jeedom.fleet.assess:
    target: 4.5.3
    accept:
      - id: hardware_unsupported
        reason: replaced next year
    remove_plugins:
      - timeline
  register: assessment

- name: Stop unless it can be migrated
  ansible.builtin.assert:
    that: assessment.verdict != 'blocked'
    fail_msg: "{{ assessment.summary.text }}"
'''

RETURN = r'''
verdict:
  description: What becomes of the box.
  type: str
  choices: [ready, ready_with_warnings, blocked, already_done]
  returned: success
  sample: ready_with_warnings
findings:
  description: Everything that was found, the worst first.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Stable name of the finding.
      type: str
    subject:
      description: What it is about where there may be several, for example a plugin.
      type: str
    pf:
      description: Number in the pre-flight table of docs/findings.md.
      type: str
    severity:
      description: How much it matters.
      type: str
      choices: [blocker, warning, info]
    title:
      description: What was found, in one line.
      type: str
    evidence:
      description: What it was told by.
      type: list
      elements: str
    advice:
      description: What it means and what to do.
      type: str
    fix:
      description: A command, variable or playbook that helps.
      type: str
    accepted:
      description: Whether it is accepted by name.
      type: bool
    reason:
      description: Why it is accepted.
      type: str
    automatic:
      description: Whether the migration takes care of it by itself.
      type: bool
    question:
      description: Whether it is a question to the operator that the box cannot answer.
      type: bool
    source:
      description: Where this is known from.
      type: str
    fr:
      description: Title and advice in French, for the report; V(null) where there is none.
      type: dict
route:
  description: The hops in their order; empty when there is nothing to do or no way.
  type: list
  elements: dict
  returned: success
  sample: [{version: 4.0.63, ref: 4.0.63, file_version: 4.0.62, from: 3.3.60, resting: false}]
summary:
  description: Version, target, counts, the route as text, and in C(text) the sentence for the gate.
  type: dict
  returned: success
market:
  description: Whether the market was asked, and why not.
  type: dict
  returned: success
  sample: {online: false, reason: jeedom_market is offline}
journal:
  description: The whole journal of the box after this event, with C(recorded), C(stage), C(status) and C(outcome) as M(jeedom.fleet.record) has them.
  type: dict
  returned: when O(record=true)
error_code:
  description: Stable name of the error.
  type: str
  returned: failure
  sample: unknown_finding
'''
