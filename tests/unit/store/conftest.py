# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store is on the controller; only test_backup_info.py is about a box."""

import sys

try:
    from importlib.util import find_spec
    HERE = sys.version_info >= (3, 10) and find_spec('ansible') is not None
except ImportError:
    HERE = False  # Python 2: a box

if not HERE:
    collect_ignore_glob = ['test_s*.py', 'test_f*.py', 'test_n*.py']
else:
    import importlib.util
    import os

    import pytest

    def _load(name):
        """A helper module beside the tests (pytest's importlib mode puts no folder on the path)."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + '.py')
        spec = importlib.util.spec_from_file_location('jeedom_fleet_store_' + name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module

    @pytest.fixture(scope='session')
    def shelves():
        """The module with Shelf."""
        return _load('shelf')

    @pytest.fixture
    def shelf(shelves, tmp_path):
        """An empty shelf of box1."""
        return shelves.Shelf(tmp_path / 'artifacts')
