#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is documentation; the work is done by the action plugin of the same name.

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: core_stage
short_description: Core zips stand on a box, downloaded once on the controller
version_added: 0.1.0
description:
  - Downloads the zips of a route to the controller, once for the whole fleet, proves them (every member reads to its end, the version
    is the wanted one, the content has the checksum that the route gives), and sends them to the box, where M(jeedom.fleet.core) finds
    them. The box needs no Internet for its hops then.
  - A zip that stands in O(folder) is never downloaded, so that a controller without Internet works too; the folder may be read-only then.
  - A download that breaks off is tried three times, as on a box. Boxes that waited for one that failed do not try it again in that task.
  - What was cut is resumed, and the hash is compared on both ends.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  route:
    description:
      - The hops, as in M(jeedom.fleet.core).
    type: list
    elements: raw
    required: true
  folder:
    description:
      - Folder on the controller for C(core-<version>.zip). Default is C(core) below C(jeedom_artifacts).
    type: path
  source_url:
    description:
      - Where zips are downloaded from; C({ref}) stands for the tag.
    type: str
    default: https://github.com/jeedom/core/archive/{ref}.zip
  download_timeout:
    description:
      - Seconds that the download of one zip may take at most.
    type: int
    default: 3600
  download_stall:
    description:
      - Seconds that a download may stand still.
    type: int
    default: 60
  rate:
    description:
      - Bytes per second at most that go to this box; no limit by default.
    type: float
seealso:
  - module: jeedom.fleet.core
'''

EXAMPLES = r'''
- name: One download for the whole fleet
  jeedom.fleet.core_stage:
    route: "{{ jeedom_route }}"
'''

RETURN = r'''
zips:
  description: Paths on the box, by version.
  returned: success
  type: dict
error_code:
  description: For example C(download_failed), C(bad_zip), C(zip_version), C(zip_content), C(artifacts_not_writable), C(push_failed), C(push_hash).
  returned: failure
  type: str
'''
