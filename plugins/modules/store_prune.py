#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: store_prune
short_description: Delete old archives of a box on the controller
version_added: 0.1.0
description:
  - Deletes the copies in C(archives/<host>) that are beyond any of the given limits, with their complements and manifests.
  - Only proved copies count and only they are deleted. The newest proved one always stays, and so does what an open migration of
    the box refers to.
  - Before anything is deleted the newest proved copy is read to its end; if it turns out to be broken the next one takes its place.
  - Newer means arrived later, whatever the clocks said. Age counts back from the newest proved copy, so that a box that delivers
    nothing loses nothing.
  - Files of transfers that nobody has written to for a day go as well.
  - Never deletes anything outside the folder of the box, and nothing through links.
  - This is an action plugin; the box is not contacted.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  keep:
    description:
      - At most so many proved copies stay. At least 1.
    type: int
  max_age:
    description:
      - Days. Copies that came so much earlier than the newest proved one go.
    type: float
  max_size:
    description:
      - All proved copies of the box together take at most so much, for example V(20G). The newest stays even if it alone takes more.
    type: str
seealso:
  - module: jeedom.fleet.store_info
'''

EXAMPLES = r'''
- name: Two weeks of nightly copies, and not more than 20 GB for one box
  jeedom.fleet.store_prune:
    keep: 14
    max_size: 20G

- name: What would go
  jeedom.fleet.store_prune:
    max_age: 30
  check_mode: true
  diff: true
'''

RETURN = r'''
deleted:
  description: Name, bytes and reason of each copy that went.
  returned: success
  type: list
  elements: dict
kept:
  description: Name, bytes and reason of each proved copy that stays.
  returned: success
  type: list
  elements: dict
unproved:
  description: Name and problems of copies that are not proved; they neither count nor go.
  returned: success
  type: list
  elements: dict
parts:
  description: Names of incomplete files that went.
  returned: success
  type: list
  elements: str
freed:
  description: Bytes.
  returned: success
  type: int
folder:
  description: Where it looked.
  returned: success
  type: str
error_code:
  description: Machine name of the failure, for example C(bad_policy), C(store_link), C(store_unwritable).
  returned: failure
  type: str
'''
