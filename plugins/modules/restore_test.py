#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: restore_test
short_description: Restore a copy from the controller on a spare machine for a moment, and note that it can be restored
version_added: 0.1.0
description:
  - Sends a copy of the box (archive, complement, manifest) to the machine of C(delegate_to), restores it there with
    M(jeedom.fleet.scratch_restore) in scratch places, and removes it again. The box itself is not contacted.
  - When all is as the manifest says, that is noted in the manifest of the copy; M(jeedom.fleet.store_info) shows it as C(restored).
  - Sealed copies are opened on their way, as M(jeedom.fleet.backup_push) does it.
  - This is an action plugin. Use it with C(throttle=1) where several boxes share one spare machine.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
    details: Says which copy would be restored, and sends nothing.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Tests again each time; nothing but the note stays.
options:
  archive:
    description:
      - Path of the archive on the controller, sealed or not; its manifest and complement stand beside it.
      - By default the one that came last to C(archives/<host>) in the folder named by the variable C(jeedom_artifacts).
    type: path
  here:
    description:
      - Allow the test on the box of the archive itself.
    type: bool
    default: false
seealso:
  - module: jeedom.fleet.scratch_restore
  - module: jeedom.fleet.store_info
'''

EXAMPLES = r'''
- name: A backup is only known good when it has been restored
  jeedom.fleet.restore_test:
  delegate_to: spare
  throttle: 1
'''

RETURN = r'''
host:
  description: Where it was restored.
  returned: always
  type: str
archive:
  description: Which copy, C(name), C(path), C(sha256), C(created), C(core_version).
  returned: always
  type: dict
restored:
  description: What was found.
  returned: success
  type: dict
  contains:
    version:
      description: Version of the core.
      type: str
    tables:
      description: How many tables were imported, each with the rows that the proof had counted.
      type: int
    rows:
      description: Rows in all of them.
      type: int
    files:
      description: Files that were unpacked.
      type: int
    plugins:
      description: Plugins in the tree.
      type: list
      elements: str
    php:
      description: Files of the core that PHP has read without an error; V(0) where the PHP of that machine cannot run this core.
      type: int
    seconds:
      description: How long it took.
      type: float
    at:
      description: When, by the clock of the controller, seconds since 1970.
      type: float
    host:
      description: Where.
      type: str
    notes:
      description: What was not looked at, and why.
      type: list
      elements: str
error_code:
  description:
    - Machine name of the failure, for example C(same_box), C(no_archive), C(not_proved), C(push_failed), or one of
      M(jeedom.fleet.scratch_restore).
  returned: failure
  type: str
'''
