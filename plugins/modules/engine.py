#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: engine
short_description: Jeedom's crons and scenarios are running or stopped
version_added: 0.1.0
description:
  - Stopping puts C(/etc/cron.d/jeedom*) aside in C(/var/lib/jeedom-fleet/cron.d) and ends Jeedom's command line processes and
    the daemons of its plugins. Nothing in Jeedom's database is changed, and Apache goes on.
  - A reboot does not start a stopped engine.
  - An update, backup or restore that somebody else runs is waited for, never cut.
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
  state:
    description:
      - V(running) gives the cron files back and switches crons and scenarios on. It is refused while a migration is open.
      - V(as_recorded) gives back what the open migration recorded; without one nothing is done.
    type: str
    choices: [running, stopped, as_recorded]
    default: running
  timeout:
    description:
      - Seconds to wait for an update, backup or restore that runs.
    type: int
    default: 600
'''

EXAMPLES = r'''
- name: Nothing in Jeedom moves while the disk is exchanged
  jeedom.fleet.engine:
    state: stopped
'''

RETURN = r'''
engine:
  description: How the engine stands now.
  returned: success
  type: dict
  contains:
    running:
      description: Whether crons and scenarios can run.
      type: bool
    cron_files:
      description: Jeedom's files in C(/etc/cron.d).
      type: list
      elements: str
    aside:
      description: Those that stand aside.
      type: list
      elements: str
    cron_active:
      description: Whether a cron daemon runs.
      type: bool
    enableCron:
      description: Whether Jeedom's crons are switched on.
      type: bool
    enableScenario:
      description: Whether its scenarios are.
      type: bool
    started:
      description: Whether Jeedom counts itself as started since the last boot.
      type: bool
    daemons:
      description: Plugins with a running process.
      type: list
      elements: str
before:
  description: How it stood before.
  returned: success
  type: dict
error_code:
  description: For example C(jeedom_busy), C(engine_not_stopped), C(cron_inactive), C(no_cron_file), C(transaction_open).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import engine, shell

if __name__ == '__main__':
    shell.main(engine)
