#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: facts
short_description: Look at a Jeedom box in one read-only call
version_added: 0.1.0
description:
  - Gathers everything that can be told of a box into C(ansible_facts.jeedom) - core, operating system, hardware, PHP, database,
    storage, plugins, customisations, engine, activity, backups, access, history, settings, and the census of what the user owns.
  - Only reads. None of Jeedom's PHP classes is run, since some of them write when they are asked.
  - Works with the database down, PHP missing or broken and a core that is half-migrated. What cannot be read is C(null), with the
    reason in C(unreadable).
  - Every key is described in C(docs/facts.md) of the collection.
author: jeedom.fleet contributors (@jeedom-fleet)
extends_documentation_fragment:
  - jeedom.fleet.attributes
  - jeedom.fleet.attributes.action_group_box
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  web_root:
    description:
      - Where Jeedom is on the box.
    type: path
    default: /var/www/html
  gather_subset:
    description:
      - Which sections to gather. V(all) is every section but those on request, V(min) is V(core), V(os), V(php), V(database),
        V(engine) and V(activity). The name of a section adds it, with V(!) in front it is left out.
      - On request only, since they read every row and file or the network - V(database_check), V(census_exact), V(network).
    type: list
    elements: str
    default: [all]
  core_manifest:
    description:
      - Digests of released cores, as C({version - {folder - digest}}), to tell edited and foreign files of the core.
      - C(plugins/module_utils/core_files.py) makes them out of a release.
    type: dict
    default: {}
  census_until:
    description:
      - Count history rows up to this moment only, as C(YYYY-MM-DD HH:MM:SS) - give C(history_until) of the census before.
    type: str
  urls:
    description:
      - Addresses that the subset V(network) asks for, with five seconds each.
    type: list
    elements: str
    default: []
seealso:
  - plugin: jeedom.fleet.census_difference
    plugin_type: filter
'''

EXAMPLES = r'''
- name: Look at the box
  jeedom.fleet.facts:

- name: Only the version and what runs there
  jeedom.fleet.facts:
    gather_subset: [core, activity]

- name: Everything but the census
  jeedom.fleet.facts:
    gather_subset: [all, '!census']

- name: The census after, compared with the one before
  jeedom.fleet.facts:
    gather_subset: [census]
    census_until: "{{ before.census.history_until }}"
  register: after
'''

RETURN = r'''
ansible_facts:
  description: The facts.
  returned: success
  type: dict
  contains:
    jeedom:
      description: One key per section that was asked for; docs/facts.md describes them.
      type: dict
      returned: always
      sample:
        core: {version_file: 3.3.60, version_db: 3.3.60, half_updated: false}
        unreadable: {storage.io_errors: "dmesg: read kernel buffer failed: Operation not permitted"}
under_way:
  description:
    - What an earlier run of this collection left under way on the box, C(transaction), C(restore) and C(live_job), each null where there
      is none, as M(jeedom.fleet.rollback_point) tells them with O(jeedom.fleet.rollback_point#module:state=info).
    - Null when that cannot be told.
  returned: success, and where no Jeedom is found
  type: dict
  sample: {transaction: null, restore: null, live_job: null}
error_code:
  description: V(no_jeedom), V(bad_subset).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import facts, shell


def main():
    shell.main(facts)


if __name__ == '__main__':
    main()
