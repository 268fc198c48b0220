#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: backup_fetch
short_description: Bring a proved archive to the controller, byte for byte
version_added: 0.1.0
description:
  - Streams the archive and its complement over the connection that Ansible has, hashes them on their way, proves the archive
    while it arrives, and gives it its name only when everything is right.
  - Takes up again after a cut link where it stopped. Needs no copy that others could read on the box, whatever the become
    method, and no memory for the file (M(ansible.builtin.fetch) with become takes eight times its size).
  - Where a key is given (C(jeedom_archive_key), C(jeedom_archive_key_file), or C(JEEDOM_FLEET_ARCHIVE_KEY) and
    C(JEEDOM_FLEET_ARCHIVE_KEY_FILE) in the environment) the files are sealed on their way (AES-GCM) and called C(<name>.sealed); where
    C(jeedom_archive_command) is given, that command encrypts them. The plaintext is never on a disk of the controller, and its hash
    is checked all the same. A sealed transfer is taken up again behind its last whole frame, that of a command starts over.
  - A plain copy of the same archive that is here already is replaced by the encrypted one.
  - This is an action plugin; nothing is installed on the box.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
    details: Says whether it would fetch.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A copy with the right size and hash is left alone.
options:
  backup:
    description:
      - The result of M(jeedom.fleet.backup), RV(jeedom.fleet.backup#module:backup).
    type: dict
    required: true
  dest:
    description:
      - Folder on the controller. By default C(archives/<host>) in the folder named by the variable C(jeedom_artifacts).
    type: path
  rate:
    description:
      - At most so many bytes per second. No limit by default.
    type: float
seealso:
  - module: jeedom.fleet.backup
  - module: jeedom.fleet.store_info
  - module: jeedom.fleet.store_prune
'''

EXAMPLES = r'''
- name: Bring the archive here
  jeedom.fleet.backup_fetch:
    backup: "{{ made.backup }}"

- name: The same over a thin line, two boxes at a time
  jeedom.fleet.backup_fetch:
    backup: "{{ made.backup }}"
    rate: 500000
  throttle: 2

- name: The same, sealed with a key from a vault
  jeedom.fleet.backup_fetch:
    backup: "{{ made.backup }}"
  vars:
    jeedom_archive_key: "{{ vault_archive_key }}"
'''

RETURN = r'''
archive:
  description: The copy on the controller.
  returned: success
  type: dict
  contains:
    path:
      description: Where it is.
      type: str
    form:
      description: V(plain), V(sealed) or V(command).
      type: str
    sha256:
      description: Hash of the archive, equal to the one on the box, whatever its form here.
      type: str
    size:
      description: Bytes.
      type: int
    manifest:
      description: The JSON file beside it that says all that is known of it.
      type: str
    complement:
      description: Path of the complement.
      type: str
    transfers:
      description: What was transferred, with bytes, seconds, and how many bytes were here already from an earlier try.
      type: list
      elements: dict
error_code:
  description: >-
    Machine name of the failure: C(not_proved), C(no_such_file), C(file_changed), C(hash_differs), C(copy_not_proved),
    C(controller_full), C(connection_lost), C(no_cryptography), C(bad_key), C(no_key), C(key_exposed), C(bad_settings), C(command_failed).
  returned: failure
  type: str
'''
