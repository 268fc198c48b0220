# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hook: die at a named step as a power cut would. Python 2.7 and 3.5+, standard library only.

The step is named by the file /var/lib/jeedom-fleet/fail-at (root only, like all of that folder) or by the environment
variable JEEDOM_FLEET_FAIL_AT. Without either nothing ever happens. The file is gone after it has struck once.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

from ansible_collections.jeedom.fleet.plugins.module_utils import system

FILE = 'fail-at'
EXIT_CODE = 99


def point(name):
    """Leave the process without any clean-up when this step is the one that was asked for."""
    path = os.path.join(system.STATE_DIR, FILE)
    if os.environ.get('JEEDOM_FLEET_FAIL_AT') == name:
        os._exit(EXIT_CODE)
    if (system.read_text(path) or '').strip() == name:
        os.unlink(path)
        os._exit(EXIT_CODE)
