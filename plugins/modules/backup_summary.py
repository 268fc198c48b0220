#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: backup_summary
short_description: Say which boxes have a proved copy after a run of the backup playbook
version_added: 0.1.0
description:
  - Looks at C(jeedom_archive) and C(jeedom_backup_failure) of all boxes of the play, and at the store. Prints one line, and writes
    C(report/backups.json) in the folder named by the variable C(jeedom_artifacts) for monitoring.
  - Run it once for the whole play. It does not fail for boxes without a copy.
  - This is an action plugin; no box is contacted.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
    details: Writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
options: {}
seealso:
  - module: jeedom.fleet.store_info
'''

EXAMPLES = r'''
- name: Who has a proved copy now
  jeedom.fleet.backup_summary:
  run_once: true
'''

RETURN = r'''
summary:
  description: The line.
  returned: success
  type: str
  sample: "Backups: 7 of 8 boxes have a proved copy of this run here. Without: box3 (...)."
boxes:
  description: By box, whether it is proved, the reason why not, and its newest proved copy.
  returned: success
  type: dict
path:
  description: Path of the file for monitoring.
  returned: success
  type: str
error_code:
  description: Machine name of the failure, for example C(artifacts_not_writable).
  returned: failure
  type: str
'''
