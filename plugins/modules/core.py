#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: core
short_description: The box runs a version of Jeedom's core, reached hop by hop, each hop proved
version_added: 0.1.0
description:
  - Brings Jeedom's core to O(version) over the hops in O(route), with Jeedom's own updater, as a job that survives SSH and
    the controller.
  - The zip of every hop is had and proved before the first hop starts, and is served to the updater on the loopback
    interface, so that a download that breaks never meets a box whose automation is already switched off.
  - A hop counts as done when the updater ended well and without a bad line, version file and database agree on the wanted version,
    crons and scenarios are not switched off, the core loads, the login page and the API answer, every file of the
    release is there with its content, and rows and active plugins are as before. Its success line alone proves nothing.
  - A hop that broke off is finished once by the new core's own updater; when that does not prove either, the box is taken back
    to its rollback point inside the same job.
  - The date limit of Jeedom's cores and the nightly history purge are disarmed before the first hop, and given back as
    soon as the version allows. With a rollback point, the nightly archive of the history comes back with its end (M(jeedom.fleet.rollback_point),
    O(jeedom.fleet.rollback_point#module:state=absent)), so that rows that it moves or averages are not taken for lost.
  - Plugins are brought up to date last, when the market answers. A plugin that cannot be is told, and fails nothing.
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
  version:
    description:
      - The version to end on, for example V(4.5.3).
    type: str
    required: true
  state:
    description:
      - V(staged) only has the zips of the hops that are still to do, proved, on the box, so that the box goes on working while they
        come. It needs no rollback point.
    type: str
    choices: [present, staged]
    default: present
  route:
    description:
      - The hops in order, the last one being O(version). Each is a version, or a dictionary with C(version) and optionally C(ref)
        (tag of jeedom/core), C(file_version) (what C(core/config/version) says in that tag), C(content_sha256) (of what the zip
        holds, as C(knowledge/README.md) defines it) and C(sha256) (of the zip itself). A zip that has another one is refused before anything is touched.
      - Without it one hop is made. Jeedom V3 survives no direct hop to 4.2 or later; the role P(jeedom.fleet.assess#role)
        computes the route.
    type: list
    elements: raw
  on_failure:
    description:
      - V(restore) takes the box back to its rollback point when anything fails, and needs one
        (M(jeedom.fleet.rollback_point)).
      - V(leave) leaves it as it is then.
    type: str
    choices: [restore, leave]
    default: restore
  plugins:
    description:
      - Update the plugins after the last hop.
    type: bool
    default: true
  zips:
    description:
      - Paths on the box of zips that are staged there already, by version. Other versions are looked for in
        C(/var/lib/jeedom-fleet/staging/core-<version>.zip), then downloaded.
    type: dict
    default: {}
  source_url:
    description:
      - Where zips are downloaded from; C({ref}) stands for the tag. The certificate is checked.
    type: str
    default: https://github.com/jeedom/core/archive/{ref}.zip
  hop_timeout:
    description:
      - Seconds that one hop may take at most.
    type: int
    default: 14400
  stall_timeout:
    description:
      - Seconds without a line of the updater after which it is taken for hanging. It steps through thousands of versions
        without a word, which takes minutes on an SD card.
    type: int
    default: 3600
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
  tick_timeout:
    description:
      - Seconds to wait at the end until Jeedom's minute task has run on the new core; V(0) does not wait.
      - Where the cron daemon runs and would take C(/etc/cron.d/jeedom), the task is started at once as cron would start it; elsewhere cron is
        waited for.
    type: int
    default: 180
seealso:
  - module: jeedom.fleet.rollback_point
  - module: jeedom.fleet.restore
  - module: jeedom.fleet.job
'''

EXAMPLES = r'''
- name: Take the box from V3 to V4, or leave it exactly as it is
  jeedom.fleet.core:
    version: 4.5.3
    route:
      - version: 4.0.63
        file_version: 4.0.62
      - 4.1.28
      - 4.4.20
      - 4.5.3

- name: The same without Internet on the box, with zips that were copied there
  jeedom.fleet.core:
    version: 4.1.28
    zips:
      4.1.28: /root/core-4.1.28.zip
    plugins: false
'''

RETURN = r'''
outcome:
  description: C(migrated), C(staged), C(already_done), C(rolled_back) (with failure) or C(failed).
  returned: always, except in check mode
  type: str
from_version:
  description: Version before.
  returned: always
  type: str
version:
  description: The wanted version.
  returned: always
  type: str
hops:
  description: The hops that were made.
  returned: always
  type: list
  elements: dict
  contains:
    version:
      description: Where the hop led.
      type: str
    seconds:
      description: How long it took, with its proof.
      type: float
    attempts:
      description: How often the updater was run.
      type: int
    finished:
      description: Whether it broke off and was finished by the new core.
      type: bool
    proof:
      description: What was looked at, and what was seen.
      type: dict
outage:
  description: Seconds in which crons and scenarios stood still.
  returned: success
  type: int
kept_settings:
  description: Settings that had to stay changed on this version, in sentences.
  returned: success
  type: list
  elements: str
plugins_updated:
  description: Plugins with another version than before.
  returned: success
  type: list
  elements: dict
plugins_old:
  description: Plugins for which an update is known that could not be made.
  returned: success
  type: list
  elements: str
plugin_problems:
  description: What went wrong with the plugins, in sentences.
  returned: success
  type: list
  elements: str
zips:
  description: Paths of the zips on the box, by version.
  returned: with O(state=staged)
  type: dict
rollback:
  description: What M(jeedom.fleet.restore) tells about the way back.
  returned: when RV(outcome) is C(rolled_back)
  type: dict
error_code:
  description: Machine name of the failure, for example C(hop_failed), C(bad_zip), C(no_room), C(download_failed),
    C(no_transaction), C(newer_core), C(job_stopped).
  returned: failure
  type: str
'''

from ansible_collections.jeedom.fleet.plugins.module_utils import core, shell

if __name__ == '__main__':
    shell.main(core)
