#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: plugin
short_description: Remove, enable, disable or update a plugin of a Jeedom box
version_added: 0.1.0
description:
  - Has Jeedom's own code do it, as the web user, and looks afterwards whether it was done.
  - Says what goes along with a removal - equipments, commands, history rows - and which scenarios, designs and commands of other
    plugins mention them; in check mode too, without touching anything.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
  - jeedom.fleet.attributes.action_group_box
attributes:
  check_mode:
    support: full
    details:
      - For O(state=latest) the answer is as of the last time the box looked for updates.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - Id of the plugin, the name of its folder.
    type: str
    required: true
  state:
    description:
      - V(absent) removes the plugin B(with its equipments, their commands and their history). Only a restore brings them back.
      - V(disabled) stops the plugin; Jeedom disables and hides its equipments and calls the plugin's own removal function.
      - V(enabled) starts it, and gives the equipments back as they were when Jeedom disabled them.
      - V(latest) updates it from its source, if that offers something newer and the plugin is not pinned on the box. A source that does
        not know the plugin or cannot be reached is a failure, not "up to date".
    type: str
    choices: [absent, disabled, enabled, latest]
    required: true
  timeout:
    description:
      - Seconds that Jeedom's code may take; a market that hangs costs it 10 to 240 seconds.
    type: int
    default: 600
  web_root:
    description:
      - Where Jeedom is on the box.
    type: path
    default: /var/www/html
seealso:
  - module: jeedom.fleet.facts
'''

EXAMPLES = r'''
- name: See what a removal would take along
  jeedom.fleet.plugin:
    name: openzwave
    state: absent
  check_mode: true
  register: openzwave

- name: The plugin that conflicts with V4 is gone
  jeedom.fleet.plugin:
    name: timeline
    state: absent

- name: The plugin is up to date
  jeedom.fleet.plugin:
    name: virtual
    state: latest
'''

RETURN = r'''
plugin:
  description: The plugin before and after, and what depends on it.
  returned: success
  type: dict
  contains:
    name:
      description: Its id.
      type: str
    before:
      description: Folder, row in the table C(update), activation, versions, whether it is pinned.
      type: dict
    after:
      description: The same afterwards; in check mode the same as before.
      type: dict
    goes_along:
      description:
        - What a removal takes along (C(equipments), C(commands), C(history_rows), C(crons), C(listeners)) and what mentions it
          (C(scenarios), C(commands_elsewhere), C(design_elements), C(view_entries)). Lists hold 100 entries and the whole count.
      type: dict
msg:
  description: One sentence for people.
  returned: always
  type: str
error_code:
  description:
    - V(bad_plugin), V(plugin_not_installed), V(plugin_failed), V(plugin_not_removed), V(plugin_not_switched),
      V(plugin_not_updated), V(plugin_source_silent), V(plugin_timeout), V(job_busy), V(no_jeedom), V(database_error).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import plugin, shell


def main():
    shell.main(plugin)


if __name__ == '__main__':
    main()
