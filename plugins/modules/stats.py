#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: stats
short_description: Hand on how the boxes of this run have ended
version_added: 0.1.0
author: jeedom.fleet contributors (@jeedom-fleet)
description:
  - Counts the boxes of the play by outcome, as the journals of this run have it, and hands the numbers on as
    M(ansible.builtin.set_stats) does. In a workflow of AWX the nodes that follow get them as variables.
  - Once for all boxes of the play, on the controller; no box is contacted. Boxes of waves that have not begun are counted as V(none).
  - The statistics are RV(jeedom_outcomes), RV(jeedom_hosts_by_outcome) and RV(jeedom_stats_run_id).
extends_documentation_fragment:
  - jeedom.fleet.attributes.info
seealso:
  - module: jeedom.fleet.record
  - module: jeedom.fleet.wave_gate
'''

EXAMPLES = r'''
- name: Hand on how the boxes stand
  jeedom.fleet.stats:
'''

RETURN = r'''
jeedom_outcomes:
  description: Number of boxes by outcome; V(none) for boxes without one in this run.
  returned: success
  type: dict
  sample: {migrated: 5, blocked: 1, none: 18}
jeedom_hosts_by_outcome:
  description: Names of the boxes by outcome.
  returned: success
  type: dict
  sample: {migrated: [home-001, home-002], blocked: [home-003]}
jeedom_stats_run_id:
  description: The run that says so.
  returned: success
  type: str
  sample: 20261123T084742-1234-9f31c0
ansible_stats:
  description: The three above, in the form in which Ansible takes statistics.
  returned: success
  type: dict
error_code:
  description: Stable name of what went wrong, V(bad_name) or V(artifacts_not_writable).
  returned: failure
  type: str
'''
