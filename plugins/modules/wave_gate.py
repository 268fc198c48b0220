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
author: jeedom.fleet contributors (@jeedom-fleet)
description:
  - Stands as the last task of a play with C(serial). Looks at how every box of the wave has ended and fails, for the whole play, when
    more boxes than tolerated have ended badly. The boxes of later waves are then not touched.
  - A box counts as bad when its outcome is V(failed), V(rolled_back) or V(unknown), when it left the play without saying how it
    ended (unreachable) or has no record in this run, or when one of its stages is still open. A V(blocked) box does not count; nothing was changed on it.
  - Runs once per wave on the controller by itself, C(run_once) and C(any_errors_fatal) are not needed; does not depend on
    C(max_fail_percentage), which differs between versions of ansible-core.
  - Boxes that Ansible has dropped from the batch are found through the journal, so every role of a stage has to begin with
    M(jeedom.fleet.record) and O(jeedom.fleet.record#module:status=started).
extends_documentation_fragment:
  - jeedom.fleet.attributes
attributes:
  check_mode:
    support: full
    details: Judges and writes nothing; all waves are gone through.
  diff_mode:
    support: none
  idempotent:
    support: full
    details: Never reports a change.
options:
  at:
    description:
      - V(end) judges the wave that has ended.
      - V(begin), as the first task of the play, looks whether the wave can end within O(window) and stops the play before it begins when it
        cannot. It also refuses limits that cannot be used, and the variables C(jeedom_target) and C(jeedom_waves) in the inventory, where
        Ansible does not look when it picks the boxes of a play.
    type: str
    default: end
    choices: [begin, end]
  window:
    description:
      - Maintenance window by the clock of the controller, for example V(22:00-05:00). For O(at=begin).
      - Taken from the variable C(jeedom_window) when it is not given. Without it there is no limit.
    type: raw
  expected_minutes:
    description:
      - How long a wave is taken to need.
      - Taken from the variable C(jeedom_expected_minutes) when it is not given; else it is the time of the slowest box in the journals and a
        fifth more, or one hour when no box has been through yet.
    type: raw
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
      - Seconds to wait after a good wave before the next one starts, so that the users of the first boxes can speak up. Not waited for
        after a wave in which every box was left as it was.
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
    - name: Start only what can end in the maintenance window
      jeedom.fleet.wave_gate:
        at: begin
        window: 22:00-05:00

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
  returned: with O(at=end), and not in check mode
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
  description: The command to go on with, without values that may be secret; the message names what it leaves out.
  returned: when the gate has stopped the play
  type: str
  sample: ansible-playbook jeedom.fleet.migrate -i inventory -e jeedom_acknowledge=true
error_code:
  description: V(wave_stopped), V(outside_window) or V(bad_limit).
  returned: failure
  type: str
window_left:
  description: Seconds left of the maintenance window.
  returned: with O(at=begin) and a window
  type: float
expected:
  description: Seconds that the wave is taken to need.
  returned: with O(at=begin) and a window
  type: float
'''
