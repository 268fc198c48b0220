#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: cron_task
short_description: A task of Jeedom's cron table is enabled or disabled
version_added: 0.1.0
description:
  - Switches a row of Jeedom's C(cron) table by SQL. A task that is absent counts as disabled.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
  - jeedom.fleet.attributes.action_group_box
  - jeedom.fleet.attributes.web_root
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  class_name:
    description:
      - PHP class of the task.
    type: str
    required: true
  function:
    description:
      - Its function.
    type: str
    required: true
  enabled:
    description:
      - Whether Jeedom runs the task; needed with O(state=present).
    type: bool
  state:
    description:
      - V(as_recorded) gives back what an earlier task with the same O(record) changed, and forgets the record.
    type: str
    choices: [present, as_recorded]
    default: present
  record:
    description:
      - Keep what stood there before on the box, under this name.
      - V(transaction) stands for the open migration of the box, which gives it back at its end.
    type: str
'''

EXAMPLES = r'''
- name: Cores before 4.5 delete recent history every night
  jeedom.fleet.cron_task:
    class_name: history
    function: archive
    enabled: false
    record: freeze
'''

RETURN = r'''
before:
  description: Whether it was enabled; null when there is no such task.
  returned: success
  type: bool
after:
  description: Whether it is now.
  returned: success
  type: bool
error_code:
  description: For example C(no_such_cron), C(database_error), C(no_jeedom).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import cron_task, shell

if __name__ == '__main__':
    shell.main(cron_task)
