#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: rollback_point
short_description: A proved copy of the whole box to go back to, or none
version_added: 0.1.0
description:
  - With O(state=present) a complete copy of the web root and of the database stands ready beside the live ones, taken with
    the engine and the web stopped, proved file by file and table by table. With it the migration of the box is open, its
    engine stopped, and a systemd unit takes the box back by itself if it is rebooted now.
  - With O(state=absent) all of that is gone, the engine is as it was, and the nightly archive of the history may run again. That is
    the commit of a migration.
  - Before anything is touched it is checked that there is room for the rollback itself too, and that root gets into MariaDB.
  - Left out are the backup folder and whatever is mounted inside the web root; a rollback leaves both where they are.
  - A rollback point that cannot be finished leaves the box as it was.
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
  state:
    description:
      - V(present) takes one, unless the open migration has one; that one is proved again before the first hop.
      - V(absent) drops it. Refused while a hop has begun and the target version is not proved.
      - V(info) only says where the box stands.
      - V(held) notes on the box that its open migration is now the calling run's, which others then leave alone
        (P(jeedom.fleet.held_by#filter)). V(present) does so by itself. Does nothing where none is open.
      - V(released) takes the calling controller's own note back, without ending the migration.
    type: str
    choices: [present, absent, info, held, released]
    default: present
  route:
    description:
      - The versions that the box is to go through; noted for whoever looks at the box.
    type: list
    elements: str
  location:
    description:
      - Where the rollback point stands. V(box) is a copy beside the web root with a scratch schema. V(controller) is an archive with
        its complement, made with the engine stopped, that the controller has to fetch (M(jeedom.fleet.backup_fetch)) and to
        confirm with O(fetched) before anything else can be changed; the box gives its room back then.
      - V(auto) takes the controller when there is no room on the box.
    type: str
    choices: [auto, box, controller]
    default: auto
  fetched:
    description:
      - SHA-256 of the rollback point that the controller has fetched.
    type: str
  on_failure:
    description:
      - What becomes of the box when the migration fails, or is cut by a reboot.
      - V(restore) takes it back. V(leave) leaves it as it then is, with its engine stopped, until somebody takes it back.
    type: str
    choices: [restore, leave]
    default: restore
  stage:
    description:
      - The core zips that have to stand on the box first, while it still works, as O(ignore:state=staged) of M(jeedom.fleet.core) gets them.
        When they cannot be had, nothing is opened.
    type: dict
    suboptions:
      version:
        description: The version that the box is to run in the end.
        type: str
        required: true
      route:
        description: See O(jeedom.fleet.core#module:route).
        type: list
        elements: raw
      zips:
        description: See O(jeedom.fleet.core#module:zips).
        type: dict
        default: {}
      source_url:
        description: See O(jeedom.fleet.core#module:source_url).
        type: str
        default: https://github.com/jeedom/core/archive/{ref}.zip
      download_timeout:
        description: See O(jeedom.fleet.core#module:download_timeout).
        type: int
        default: 3600
      download_stall:
        description: See O(jeedom.fleet.core#module:download_stall).
        type: int
        default: 60
seealso:
  - module: jeedom.fleet.restore
  - module: jeedom.fleet.core
'''

EXAMPLES = r'''
- name: Take the rollback point before the first change
  jeedom.fleet.rollback_point:
    route: [4.0.63, 4.1.28, 4.4.20, 4.5.3]

- name: Everything is proved, drop it
  jeedom.fleet.rollback_point:
    state: absent
'''

RETURN = r'''
rollback_point:
  description: The rollback point that is on the box, or null.
  returned: success
  type: dict
  contains:
    created:
      description: When it was complete, seconds since 1970.
      type: float
    core_version:
      description: Version of the core in it.
      type: str
      sample: 3.3.60
    kept:
      description: Names in the web root that are neither copied nor touched by a rollback.
      type: list
      elements: str
      sample: [backup]
    files:
      description: Number of files.
      type: int
    bytes:
      description: Bytes of all files.
      type: int
    tables:
      description: Number of tables.
      type: int
    rows:
      description: Rows of all tables.
      type: int
    dump_bytes:
      description: Size of the dump.
      type: int
    census:
      description: The census, taken with the engine stopped; what a migration must not lose.
      type: dict
    census_expected:
      description: The census after consented removals and before the first hop, or null; it then counts instead of RV(rollback_point.census).
      type: dict
    outage:
      description: Seconds without web pages while it was taken.
      type: float
    seconds:
      description: Seconds that it took.
      type: float
transaction:
  description: The open migration, or null. V(step) is C(opening), C(open), C(hop), C(hop_proved) or C(upgraded).
  returned: with O(state=info), and where O(state=present) found one
  type: dict
live_job:
  description:
    - Id, kind, run and controller of the job that is running on the box, or null.
    - C(followed) says which controller waits for it and how many seconds ago it last looked; C(ago) how many seconds ago it was started.
  returned: with O(state=info), and where O(state=present) adopted one
  type: dict
held:
  description: Whose the open migration is, or null where none is open. Seconds are those of the box's clock.
  returned: with O(state=info), and where O(state=present) finds a migration open
  type: dict
  contains:
    by:
      description: The controller; empty when its run has let go.
      type: str
    run_id:
      description: Its run.
      type: str
    since:
      description: Seconds since that run took the box.
      type: float
    ago:
      description: Seconds since the last sign of life of that controller on the box.
      type: float
restore:
  description: A restore that was cut, or null.
  returned: with O(state=info)
  type: dict
last:
  description: How the last migration or restore of the box ended, or null.
  returned: with O(state=info)
  type: dict
error_code:
  description:
    - Machine name of the failure, for example C(no_room), C(no_inodes), C(no_database_root), C(remote_database),
      C(versions_differ), C(copy_not_proved), C(rollback_point_damaged), C(not_upgraded), C(not_waiting), C(archive_not_whole), C(restore_unfinished).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import rollback_point, shell

if __name__ == '__main__':
    shell.main(rollback_point)
