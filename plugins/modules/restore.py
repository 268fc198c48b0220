#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: restore
short_description: The box is as in its rollback point or in an archive
version_added: 0.1.0
description:
  - A transaction, unlike Jeedom's own restore. The source is proved, unpacked beside the web root and imported into a scratch
    schema, tables and rows are compared; then engine and web stop, the trees are exchanged by renames and the tables by
    C(RENAME TABLE), everything is compared again, the login page is looked at, and only then the old ones are dropped.
  - Killed at any point, or cut by a reboot, it is finished or taken back by the next call, or by the box itself at its boot.
  - Works when the core on the box is broken, and when web root or database are gone. Needs root's access to MariaDB through
    its socket.
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
options:
  source:
    description:
      - V(rollback_point) is what M(jeedom.fleet.rollback_point) took on the box. Does nothing when the box was taken back
        already.
      - V(archive) is Jeedom's own archive. Does nothing when the box was restored from it already and still has its version.
    type: str
    choices: [rollback_point, archive]
    default: rollback_point
  archive:
    description:
      - Path of the archive on the box.
    type: path
  complement:
    description:
      - Path of the complement that was made with the archive. Without it folders that Jeedom's archive leaves out are lost.
    type: path
  manifest:
    description:
      - Path of the archive's manifest on the box, which says what the archive must hold. Needed for O(source=archive).
    type: path
  allow_foreign_host:
    description:
      - Whether the archive of another host may be restored here.
    type: bool
    default: false
  force:
    description:
      - Whether to restore an archive again that was restored already; what came since is lost.
    type: bool
    default: false
  reason:
    description:
      - Why; kept in the record of the box.
    type: str
    default: asked for by the operator
seealso:
  - module: jeedom.fleet.rollback_point
  - module: jeedom.fleet.backup
'''

EXAMPLES = r'''
- name: Exactly where it was
  jeedom.fleet.restore:
    reason: the upgrade was not verified

- name: Restore an archive that was sent to the box
  jeedom.fleet.restore:
    source: archive
    archive: /var/lib/jeedom-fleet/staging/backup-Jeedom-3.3.60-2026-11-23-10h15.tar.gz
    complement: /var/lib/jeedom-fleet/staging/backup-Jeedom-3.3.60-2026-11-23-10h15.complement.tar.gz
    manifest: /var/lib/jeedom-fleet/staging/backup-Jeedom-3.3.60-2026-11-23-10h15.tar.gz.manifest.json
'''

RETURN = r'''
outcome:
  description: C(rolled_back), C(restored), or C(nothing_to_do).
  returned: success
  type: str
restored_version:
  description: Version of the core that the box has now.
  returned: success
  type: str
  sample: 3.3.60
seconds:
  description: Seconds that the restore took.
  returned: when changed
  type: float
outage:
  description: Seconds without web pages.
  returned: when changed
  type: float
verified:
  description: What was compared after the exchange; V(problems) is empty when all was as in the source.
  returned: when changed
  type: dict
  contains:
    files:
      description: Whether every file has the size, owner and mode of the source, whose contents were read before.
      type: bool
    tables:
      description: Whether every table has the rows of the source.
      type: bool
    web:
      description: What the login page is.
      type: dict
    problems:
      description: What differs.
      type: list
      elements: str
    remarks:
      description: What differs and need not be the same, such as a log file.
      type: list
      elements: str
error_code:
  description:
    - Machine name of the failure, for example C(no_rollback_point), C(rollback_point_damaged), C(not_proved), C(dump_cut),
      C(dump_not_proved), C(incomplete_archive), C(foreign_host), C(core_cannot_run), C(no_room), C(no_database_root),
      C(restore_not_verified).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import restore, shell

if __name__ == '__main__':
    shell.main(restore)
