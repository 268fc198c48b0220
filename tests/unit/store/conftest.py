# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store is on the controller; only test_backup_info.py is about a box."""

import importlib.util
import sys

if sys.version_info < (3, 10) or importlib.util.find_spec('ansible') is None:
    collect_ignore_glob = ['test_s*.py', 'test_f*.py', 'test_n*.py']
