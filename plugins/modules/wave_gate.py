#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
module: wave_gate
short_description: Decide whether the next wave of boxes may start
version_added: 0.1.0
author: jeedom.fleet contributors
description:
  - Stands as the last task of a play with C(serial). Looks at how every box of the wave has ended and fails, for the whole play, when
    more boxes than tolerated have ended badly. The boxes of later waves are then not touched.
  - A box counts as bad when its outcome is V(failed), V(rolled_back) or V(unknown), when it left the play without saying how it
    ended (unreachable), or when one of its stages is still open. A V(blocked) box does not count; nothing was changed on it.
  - Runs once per wave on the controller by itself, C(run_once) and C(any_errors_fatal) are not needed; does not depend on
    C(max_fail_percentage), which differs between versions of ansible-core.
  - Boxes that Ansible has dropped from the batch are found through the journal, so every role of a stage has to begin with
    M(jeedom.fleet.record) and O(jeedom.fleet.record#module:status=started).
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
    details: Judges what can be judged and writes nothing.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Never reports a change.
options:
  max_failed:
    description:
      - How many boxes of one wave may end badly.
      - Taken from the variable C(jeedom_max_failed) when it is not given. When neither this nor O(max_failed_percent) is set, none may.
    type: raw
  max_failed_percent:
    description:
      - How many percent of the boxes of one wave may end badly. With O(max_failed) both limits hold.
      - Taken from the variable C(jeedom_max_failed_percent) when it is not given.
    type: raw
  soak:
    description:
      - Seconds to wait after a good wave before the next one starts, so that the users of the first boxes can speak up.
      - Taken from the variable C(jeedom_soak) when it is not given. Not waited for after the last wave and in check mode.
    type: raw
seealso:
  - module: jeedom.fleet.record
'''

EXAMPLES = r'''
- name: Migrate wave by wave
  hosts: jeedom
  serial: [1, 5, 25%]
  gather_facts: false
  tasks:
    - name: One box, to its end or back
      ansible.builtin.include_role:
        name: jeedom.fleet.upgrade

    - name: Decide whether the next wave may start
      jeedom.fleet.wave_gate:
        max_failed: 1
        max_failed_percent: 10
        soak: 3600
'''

RETURN = r'''
wave:
  description: What was judged.
  returned: always
  type: dict
  contains:
    number:
      description: Number of the wave in this play, from 1 on.
      type: int
    states:
      description: Outcome by box; V(ok) for a box without one that is well.
      type: dict
    counts:
      description: Boxes by outcome.
      type: dict
    bad:
      description: Boxes that count against the limit.
      type: list
      elements: str
    passed:
      description: Whether the next wave may start.
      type: bool
    limit:
      description: The limit in words.
      type: str
    left:
      description: Boxes in waves to come.
      type: int
    started:
      description: When the first box of the wave began, seconds since 1970.
      type: float
    ended:
      description: When the gate judged, seconds since 1970.
      type: float
    play:
      description: Name of the play.
      type: str
next:
  description: The command to go on with, without values that may be secret.
  returned: when the gate has stopped the play
  type: str
  sample: ansible-playbook jeedom.fleet.migrate -i inventory -e jeedom_acknowledge=true
error_code:
  description: V(wave_stopped) or V(bad_limit).
  returned: failure
  type: str
'''
