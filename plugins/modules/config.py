#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: config
short_description: Keys of Jeedom's config table have these values
version_added: 0.1.0
description:
  - Sets or removes rows by SQL, without running any PHP of Jeedom.
  - Values are compared by what they mean. An absent or empty row means the default in Jeedom's own ini file, so a row that
    equals its default is the same as none; where a change is needed, such a value is written as an absent row, as Jeedom does.
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
    details: Values of keys that look like credentials are hidden.
  idempotent:
    support: full
options:
  values:
    description:
      - Keys and their values; null means absent. Booleans become C(1) and C(0).
    type: dict
    default: {}
  plugin:
    description:
      - Whose keys, V(core) or the id of a plugin.
    type: str
    default: core
  state:
    description:
      - V(as_recorded) gives back what earlier tasks with the same O(record) changed, and forgets the record.
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
- name: No core update by accident
  jeedom.fleet.config:
    values:
      update::allowCore: 0
    record: freeze

- name: Back to what it was
  jeedom.fleet.config:
    state: as_recorded
    record: freeze
'''

RETURN = r'''
before:
  description: The rows before; null means absent.
  returned: success
  type: dict
after:
  description: The rows now.
  returned: success
  type: dict
error_code:
  description: For example C(database_error), C(no_jeedom), C(bad_arguments).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import config, shell

if __name__ == '__main__':
    shell.main(config)
