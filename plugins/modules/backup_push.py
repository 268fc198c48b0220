#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: backup_push
short_description: Send a proved archive from the controller back to its box
version_added: 0.1.0
description:
  - Sends an archive, its complement and its manifest to C(/var/lib/jeedom-fleet/staging/push) on the box (root only), for
    M(jeedom.fleet.restore). What is there already with the right hash is not sent again; a cut link is taken up where it broke.
  - The files on the controller are hashed before, those on the box after.
  - Sealed copies are opened on their way, with the key that M(jeedom.fleet.backup_fetch) takes, those of C(jeedom_archive_command)
    by C(jeedom_archive_open_command); nothing of that touches a disk here.
  - M(jeedom.fleet.restore) removes them when it has restored from them.
  - This is an action plugin; nothing is installed on the box.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
    details: Says whether it would send.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  archive:
    description:
      - Path of the archive on the controller, sealed or not; C(<archive>.manifest.json) and the complement stand beside it.
      - By default the one that came last to C(archives/<host>) in the folder named by the variable C(jeedom_artifacts).
    type: path
seealso:
  - module: jeedom.fleet.backup_fetch
  - module: jeedom.fleet.restore
'''

EXAMPLES = r'''
- name: Send the newest archive of this box back to it
  jeedom.fleet.backup_push:
  register: sent

- name: Restore it
  jeedom.fleet.restore:
    source: archive
    archive: "{{ sent.archive.archive }}"
    complement: "{{ sent.archive.complement }}"
    manifest: "{{ sent.archive.manifest }}"
'''

RETURN = r'''
archive:
  description: Where the files are on the box, as M(jeedom.fleet.restore) takes them.
  returned: success
  type: dict
  contains:
    archive:
      description: The archive.
      type: str
    complement:
      description: The complement, or null.
      type: str
    manifest:
      description: The manifest.
      type: str
version:
  description: Version of the core in the archive.
  returned: success
  type: str
  sample: 3.3.60
error_code:
  description: Machine name of the failure, for example C(no_archive), C(not_proved), C(push_failed), C(push_hash),
    C(no_key), C(wrong_key), C(seal_broken), C(no_open_command).
  returned: failure
  type: str
'''
