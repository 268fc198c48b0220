#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: store_info
short_description: Tell of the archives of a box on the controller, each proved or not and why
version_added: 0.1.0
description:
  - Looks at C(archives/<host>) in the folder named by the variable C(jeedom_artifacts).
  - Without O(prove) a copy counts as proved when its manifest says so and its files are there with the right sizes. With it
    each copy is read to its end with the same proof as on the box, and its complement is hashed.
  - Sealed copies are opened with the key in C(jeedom_archive_key), C(jeedom_archive_key_file) or the environment. Without it
    their bytes are compared with the hash in the manifest, and a note says so.
  - This is an action plugin; the box is not contacted.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes.info
options:
  prove:
    description:
      - Read every copy to its end now.
    type: bool
    default: false
seealso:
  - module: jeedom.fleet.backup_info
  - module: jeedom.fleet.store_prune
  - module: jeedom.fleet.restore_test
'''

EXAMPLES = r'''
- name: What is here of each box
  jeedom.fleet.store_info:
  register: here

- name: Read it all to its end, once a month for example
  jeedom.fleet.store_info:
    prove: true
  throttle: 1
'''

RETURN = r'''
copies:
  description: The copies, in the order in which they came, newest first.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the archive.
      type: str
    path:
      description: Where it is.
      type: str
    form:
      description: V(plain), V(sealed) (AES-GCM with a key of yours) or V(command) (made by C(jeedom_archive_command)).
      type: str
    size:
      description: Bytes of this file.
      type: int
    bytes:
      description: Bytes of all files of the copy.
      type: int
    sha256:
      description: Hash of the archive itself, whatever its form.
      type: str
    created:
      description: When the box made it, by its clock, seconds since 1970.
      type: float
    fetched:
      description: When it came here, by the clock of the controller, seconds since 1970.
      type: float
    age:
      description: Hours since then.
      type: float
    serial:
      description: Number in the order of arrival.
      type: int
    core_version:
      description: Version of the core in it.
      type: str
    plugins:
      description: Plugins in it.
      type: list
      elements: str
    host:
      description: Name that the box gave itself.
      type: str
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
      description: V(read) (opened and read to its end now), V(hash) (its bytes were hashed as they stand), or null.
      type: str
    complement:
      description: Path, form and size of the complement; or null.
      type: dict
    manifest:
      description: Path of its manifest, or null.
      type: str
    restored:
      description: What M(jeedom.fleet.restore_test) noted when it last restored this archive (C(at), C(host), figures), or null.
      type: dict
newest_proved:
  description: Path of the newest proved one, or null.
  returned: success
  type: str
folder:
  description: Where it looked.
  returned: success
  type: str
bytes:
  description: Bytes of all copies.
  returned: success
  type: int
error_code:
  description: Machine name of the failure, for example C(no_cryptography), C(bad_key), C(bad_settings), C(store_unreadable).
  returned: failure
  type: str
'''
