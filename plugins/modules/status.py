#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: status
short_description: Say where a box stands, from the journal and from the box
version_added: 0.1.0
author: jeedom.fleet contributors (@jeedom-fleet)
description:
  - Compares what the journal on the controller says of a box with one look at it (version, open transaction, newest job), in one round trip and
    without any Python on the box.
  - A box that cannot be reached is an answer and not a failure.
extends_documentation_fragment:
  - jeedom.fleet.attributes.info
options:
  web_root:
    description:
      - Web root of Jeedom on the box.
    type: path
    default: /var/www/html
  summary:
    description:
      - What this module returned for each box, by name. When given, no box is looked at; the table of all of them is printed, and the command to
        go on with. A box without RV(status) has a row with the reason that its result gives.
    type: dict
'''

EXAMPLES = r'''
- name: Look at each box
  jeedom.fleet.status:
  register: jeedom_status
  # a box that cannot be asked has its row with the reason, too
  ignore_errors: true

- name: Print the table
  jeedom.fleet.status:
    summary: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars) | map(attribute='jeedom_status', default={}))) }}"
  run_once: true
  delegate_to: localhost
  become: false
'''

RETURN = r'''
status:
  description: Where the box stands.
  returned: without O(summary)
  type: dict
  contains:
    host:
      description: Name in the inventory.
      type: str
    reachable:
      description: Whether it answered.
      type: bool
    state:
      description:
        - V(running) (a job works there), V(interrupted) (a migration is open and nothing works on it, or journal and box disagree),
          V(unreachable), V(new) (no journal here), V(stopped) (not at its end yet), or the outcome of the last run.
      type: str
    text:
      description: The same as a sentence.
      type: str
    version:
      description: Version of the core's files on the box.
      type: str
    target:
      description: Version that the last run wanted.
      type: str
    outcome:
      description: Outcome in the journal, or V(null).
      type: str
    stage:
      description: Stage that the last run got to.
      type: str
    left:
      description: Stages that are left to do.
      type: list
      elements: str
    job:
      description: The newest job on the box, or V(null).
      type: dict
    transaction:
      description: The open transaction on the box, or V(null).
      type: dict
    root:
      description: Whether the look was taken as root. Without that neither jobs nor transaction can be seen.
      type: bool
    error:
      description: Why the box could not be reached.
      type: str
next:
  description: The command to go on with, or V(null) when nothing is left to do.
  returned: with O(summary)
  type: str
'''
