# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what each task of a playbook cost: wall, CPU here, CPU of the box, bytes to and from it. For tests/bench/transport.py."""

from __future__ import annotations

DOCUMENTATION = r'''
name: transport_meter
type: aggregate
short_description: Cost of each task, for tests/bench/transport.py
author: jeedom.fleet contributors (@jeedom-fleet)
description:
  - One JSON object per task with C(task), C(wall) and C(here) and C(box) in seconds, C(sent) and C(got) in bytes.
requirements:
  - METER_OUT, a file; METER_GROUP, the control group of the box; METER_NAMESPACE and METER_DEVICE, its cable
'''

import json
import multiprocessing
import os
import resource
import subprocess
import time
from pathlib import Path

from ansible.plugins.callback import CallbackBase


def box_cpu() -> float:
    """Seconds of processor that the box has used since it was started."""
    group = Path(os.environ['METER_GROUP'])
    if (group / 'cpuacct.usage').exists():
        return int((group / 'cpuacct.usage').read_text()) / 1e9
    return int((group / 'cpu.stat').read_text().split('usage_usec', 1)[1].split()[0]) / 1e6


def snapshot() -> dict:
    """Everything that is counted, as it stands now."""
    for worker in multiprocessing.active_children():
        # what a worker used counts for its parent when it has been waited for
        worker.join(5)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    device = json.loads(subprocess.run(['ip', '-n', os.environ['METER_NAMESPACE'], '-s', '-j', 'link', 'show', os.environ['METER_DEVICE']],
                                       check=True, capture_output=True, text=True).stdout)[0]['stats64']
    # seen from the controller's end of the cable
    return {'wall': time.monotonic(), 'here': sum(each.ru_utime + each.ru_stime for each in used), 'box': box_cpu(),
            'sent': device['tx']['bytes'], 'got': device['rx']['bytes']}


class CallbackModule(CallbackBase):
    """transport_meter"""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'aggregate'
    CALLBACK_NAME = 'transport_meter'
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.name = self.before = None

    def _end(self):
        now = snapshot()
        if self.name:
            row = dict({key: now[key] - self.before[key] for key in now}, task=self.name)
            with open(os.environ['METER_OUT'], 'a', encoding='utf-8') as file:
                file.write(json.dumps(row) + '\n')
        self.name = None

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._end()
        self.name, self.before = task.get_name(), snapshot()

    def v2_playbook_on_stats(self, stats):
        self._end()
