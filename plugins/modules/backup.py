#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: backup
short_description: Have a proved archive of a Jeedom box
version_added: 0.1.0
description:
  - Runs Jeedom's own backup as the web user in a detached job, and then proves the archive, since the line C([END BACKUP SUCCESS])
    and exit code 0 say nothing about it (the archiver's exit code is never looked at, and pruning may delete the new file).
  - "The proof is one pass to the end of the archive: gzip and tar are whole, the dump inside has its completion line, all tables,
    as many rows as the live database, all plugins of the box, and the core version of the box."
  - Keeps a second name of the archive out of reach of Jeedom's pruning, and writes a complement with what Jeedom leaves out of its
    archive (credentials, C(vendor/psr/log), plugin folders called log, docs, tmp ...); archive and complement are the whole box.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
  - jeedom.fleet.attributes.action_group_box
  - jeedom.fleet.attributes.web_root
  - jeedom.fleet.attributes.job
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A proved archive younger than O(max_age) is enough.
options:
  max_age:
    description:
      - Hours. A proved archive of the present core that is younger than this is not made again.
    type: float
    default: 24.0
  complement:
    description:
      - Also write what Jeedom's archive leaves out. It holds secrets and is readable by root only.
    type: bool
    default: true
  min_free:
    description:
      - Megabytes that must stay free on the file system of the backup folder besides what the backup needs.
    type: int
    default: 100
  compression:
    description:
      - Level of gzip, V(1) the fastest and V(9) the smallest. Jeedom itself uses V(6). A small board spends most of a backup in gzip;
        what a level costs and gives is measured in C(docs/benchmarks.md).
    type: int
    default: 6
    choices: [1, 2, 3, 4, 5, 6, 7, 8, 9]
    version_added: 0.1.0
seealso:
  - module: jeedom.fleet.backup_fetch
  - module: jeedom.fleet.job
'''

EXAMPLES = r'''
- name: Have a proved archive not older than a day
  jeedom.fleet.backup:

- name: Make a new one in any case, and do not wait for it
  jeedom.fleet.backup:
    max_age: 0
    wait: false
  register: started

- name: Have one and bring it here
  jeedom.fleet.backup:
    max_age: 12
  register: made

- name: Bring it to the controller
  jeedom.fleet.backup_fetch:
    backup: "{{ made.backup }}"
'''

RETURN = r'''
backup:
  description: The proved archive.
  returned: success, but not when a new one would be made in check mode
  type: dict
  contains:
    path:
      description: Where it is kept on the box, out of reach of Jeedom's pruning.
      type: str
      sample: /var/lib/jeedom-fleet/staging/backup-Jeedom-3.3.60-2026-11-23-10h26.tar.gz
    name:
      description: Its name as Jeedom gave it.
      type: str
    size:
      description: Bytes.
      type: int
    sha256:
      description: Hash of the archive.
      type: str
    proved:
      description: Always true; an archive that is not proved is a failure.
      type: bool
    manifest:
      description: All that the proof found, among it C(dump.tables) with the rows of each table.
      type: dict
    complement:
      description: Path, name, size and sha256 of the complement.
      type: dict
    notes:
      description: What was done to keep the archive safe, for people.
      type: list
      elements: str
error_code:
  description: >-
    Machine name of the failure: C(backup_failed), C(backup_incomplete), C(archive_gone), C(archive_not_proved), C(no_room),
    C(jeedom_busy), C(job_busy), C(bad_archive_name).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import backup, shell

if __name__ == '__main__':
    shell.main(backup)
