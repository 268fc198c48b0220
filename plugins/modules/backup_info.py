#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: backup_info
short_description: Tell of the archives on a box, each proved or not and why
version_added: 0.1.0
description:
  - Looks in Jeedom's backup folder and in our own, and says of each archive whether it is proved, or what speaks against it.
  - Without O(prove) the proof is the one recorded by M(jeedom.fleet.backup), as long as it is still the same file. With it, a
    detached job reads every archive to its end and compares its hash with the record.
  - An archive that was made by Jeedom alone has no record; with O(prove) it is proved by what it says of itself (gzip, tar, dump,
    core version), which a note in the result tells apart from a comparison with the live box.
  - Works on a box whose core or database is broken, too. For the copies on the controller see M(jeedom.fleet.store_info).
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes.info
  - jeedom.fleet.attributes.action_group_box
  - jeedom.fleet.attributes.web_root
  - jeedom.fleet.attributes.job
options:
  prove:
    description:
      - Read every archive to its end now.
    type: bool
    default: false
seealso:
  - module: jeedom.fleet.backup
  - module: jeedom.fleet.store_info
'''

EXAMPLES = r'''
- name: What archives are there
  jeedom.fleet.backup_info:
  register: found

- name: Read them all to their end, after a crash of the disk for one
  jeedom.fleet.backup_info:
    prove: true
'''

RETURN = r'''
backups:
  description: The archives, newest first.
  returned: success, unless a job was started and not waited for
  type: list
  elements: dict
  contains:
    path:
      description: Where it is.
      type: str
    other_paths:
      description: Further names of the same file.
      type: list
      elements: str
    name:
      description: Its file name.
      type: str
    size:
      description: Bytes.
      type: int
    created:
      description: When it was begun, by the clock of the box, seconds since 1970.
      type: float
    age:
      description: Hours since then. Negative when the clock of the box was set back.
      type: float
    proved:
      description: Whether nothing speaks against it.
      type: bool
    problems:
      description: Why it is not proved; sentences for people.
      type: list
      elements: str
    notes:
      description: What else is worth knowing of it.
      type: list
      elements: str
    how:
      description: V(record) (the recorded proof, same file), V(read) (read to its end now), or null.
      type: str
    sha256:
      description: Its hash, or null when it was neither recorded nor read.
      type: str
    core_version:
      description: Version of the core in it.
      type: str
    plugins:
      description: Plugins in it.
      type: list
      elements: str
    tables:
      description: Number of tables in its dump.
      type: int
    rows:
      description: Number of rows in its dump.
      type: int
    complement:
      description: Path, size, sha256 of the complement and whether it is present; or null.
      type: dict
newest_proved:
  description: Path of the newest proved one, or null.
  returned: as RV(backups)
  type: str
folders:
  description: Where it looked.
  returned: as RV(backups)
  type: list
  elements: str
notes:
  description: What could not be asked.
  returned: as RV(backups)
  type: list
  elements: str
error_code:
  description: Machine name of the failure, for example C(no_jeedom), C(not_root), C(job_busy).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import backup_info, shell

if __name__ == '__main__':
    shell.main(backup_info)
