# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the clone importable as ansible_collections.jeedom.fleet, on Python 2.7 as on the newest."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import sys

COLLECTIONS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'collections')
if COLLECTIONS not in sys.path:
    sys.path.insert(0, COLLECTIONS)

if sys.version_info[0] == 2:
    # Python 2 has no namespace packages: give it the packages that the collection's folders stand for.
    import types

    PARTS = ['ansible_collections', 'jeedom', 'fleet', 'plugins', 'module_utils']
    for COUNT in range(1, len(PARTS) + 1):
        NAME = '.'.join(PARTS[:COUNT])
        PACKAGE = types.ModuleType(NAME)
        PACKAGE.__path__ = [os.path.join(COLLECTIONS, *PARTS[:COUNT])]
        sys.modules.setdefault(NAME, PACKAGE)

try:
    import hypothesis
except ImportError:
    pass
else:
    # The same examples every time: CI judges the change, not the dice. Look for new ones with HYPOTHESIS_PROFILE=search.
    hypothesis.settings.register_profile('same', derandomize=True, deadline=None)
    hypothesis.settings.register_profile('search', deadline=None)
    hypothesis.settings.load_profile(os.environ.get('HYPOTHESIS_PROFILE', 'same'))
