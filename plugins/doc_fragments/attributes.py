# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all our modules have in common, said once."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):

    DOCUMENTATION = r'''
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
'''

    # Modules that look only.
    INFO = r'''
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
    details: This module does not modify state.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: N/A
    details: This module does not modify state.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: full
    details: This module does not modify state.
'''

    # Modules of the action group; antsibull-nox.toml compares.
    ACTION_GROUP_BOX = r'''
options: {}
attributes:
  action_group:
    description: Use C(group/jeedom.fleet.box) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - jeedom.fleet.box
'''

    # Options of every module that looks at a Jeedom.
    WEB_ROOT = r'''
options:
  web_root:
    description:
      - Web root of Jeedom on the box.
    type: path
    default: /var/www/html
'''

    # Options of the modules that start a job.
    JOB = r'''
options:
  wait:
    description:
      - Follow the job to its end and return its result.
      - With V(false) the module returns as soon as the job runs; follow it with M(jeedom.fleet.job).
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to follow the job. When they are over the task fails and the job goes on.
    type: int
    default: 14400
  run_id:
    description:
      - Which run asked; noted in the job, grants nothing. Set by the action plugin.
    type: str
  controller:
    description:
      - Which controller asked; told to a second one that finds the box busy. Set by the action plugin.
    type: str
'''
