# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages are checked on the controller's Python alone."""

import importlib.util
import sys

if sys.version_info < (3, 10) or importlib.util.find_spec('ansible') is None:
    collect_ignore_glob = ['test_*.py']
