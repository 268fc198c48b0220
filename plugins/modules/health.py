#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: health
short_description: Does the Jeedom on this box work?
version_added: 0.1.0
description:
  - Looks, and changes nothing. Version file and database agree, crons and scenarios are on and their minute task is seen to run,
    the core loads, the login page is served by its content (a dead Jeedom answers HTTP 200 too), the API tells the version,
    rows, plugins and daemons are as before, no date limit acts, the logs have nothing new, the web user owns the tree.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes.info
  - jeedom.fleet.attributes.action_group_box
  - jeedom.fleet.attributes.web_root
options:
  expect_version:
    description:
      - The version that files and database must be on.
    type: str
  baseline:
    description:
      - What to compare with, C(daemons) (list of plugin ids), C(counts), C(logs) and C(engine). Without it the record of the open
        migration on the box is taken; where there is none, these checks are skipped.
    type: dict
  tick_timeout:
    description:
      - Seconds to wait until Jeedom's minute task is seen.
    type: int
    default: 150
  daemon_timeout:
    description:
      - Seconds to wait for daemons that ran before; Jeedom itself starts them every five minutes.
    type: int
    default: 0
  gather_subset:
    description:
      - Sections of the facts to gather in the same call, as O(jeedom.fleet.facts#module:gather_subset); none by default.
    type: list
    elements: str
    default: []
  census_until:
    description:
      - See O(jeedom.fleet.facts#module:census_until).
    type: str
seealso:
  - module: jeedom.fleet.facts
'''

EXAMPLES = r'''
- name: Is the box on its new version, and does it work?
  jeedom.fleet.health:
    expect_version: 4.5.3
  register: looked

- name: Only whole boxes go on
  ansible.builtin.assert:
    that: looked.health.status == 'ok'
'''

RETURN = r'''
health:
  description: What was seen.
  returned: success
  type: dict
  contains:
    status:
      description: C(ok), C(degraded) (a warning) or C(failed).
      type: str
    version:
      description: Version of the files.
      type: str
    checks:
      description: Every check with C(id), C(status) (C(ok), C(warning), C(failed) or C(skipped)) and C(message).
      type: list
      elements: dict
ansible_facts:
  description: The facts under C(jeedom), as M(jeedom.fleet.facts) gives them.
  returned: with O(gather_subset)
  type: dict
error_code:
  description: For example C(no_jeedom).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import health, shell

if __name__ == '__main__':
    shell.main(health)
