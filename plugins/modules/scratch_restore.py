#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: scratch_restore
short_description: Restore an archive that is on this machine for a moment, beside whatever is there
version_added: 0.1.0
description:
  - Unpacks archive and complement into C(/var/lib/jeedom-fleet/restore-test), imports the dump into the schema
    C(jeedom_fleet_restore_test), and compares both with the manifest, core version, plugins, every table with its rows.
  - Lets PHP read the entry files of the core, where the PHP of this machine can run that core.
  - Removes everything again, the files that it was given included, also when it fails; a test that was killed is cleaned up by the next one.
  - Runs as a job, needs MariaDB with its root account on the socket, and no Jeedom. A Jeedom that is there is not touched.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
  - jeedom.fleet.attributes.action_group_box
  - jeedom.fleet.attributes.job
attributes:
  check_mode:
    support: full
    details: Does nothing then.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Leaves nothing behind.
options:
  archive:
    description:
      - Path of the archive on this machine. It is removed at the end.
    type: path
    required: true
  complement:
    description:
      - Path of its complement. It is removed at the end.
    type: path
  manifest:
    description:
      - Path of its manifest. It is removed at the end.
    type: path
    required: true
seealso:
  - module: jeedom.fleet.restore_test
  - module: jeedom.fleet.restore
'''

EXAMPLES = r'''
- name: See that an archive can be restored
  jeedom.fleet.scratch_restore:
    archive: /srv/archives/backup-Jeedom-3.3.60-2026-11-23-10h15.tar.gz
    complement: /srv/archives/backup-Jeedom-3.3.60-2026-11-23-10h15.complement.tar.gz
    manifest: /srv/archives/backup-Jeedom-3.3.60-2026-11-23-10h15.tar.gz.manifest.json
'''

RETURN = r'''
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
    notes:
      description: What was not looked at, and why.
      type: list
      elements: str
error_code:
  description:
    - Machine name of the failure, for example C(not_proved), C(dump_cut), C(dump_not_proved), C(incomplete_archive), C(code_damaged),
      C(no_room), C(no_database_root).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import scratch_restore, shell

if __name__ == '__main__':
    shell.main(scratch_restore)
