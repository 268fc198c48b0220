# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets that never were, for the tests of this folder."""

import importlib.util
import os
import sys

import pytest

# The report is made on the controller.
if sys.version_info < (3, 10) or importlib.util.find_spec('ansible') is None:
    collect_ignore_glob = ['test_*.py']

HERE = os.path.dirname(os.path.abspath(__file__))


def _load(name):
    """A helper module beside the tests (pytest's importlib mode puts no folder on the path)."""
    spec = importlib.util.spec_from_file_location('jeedom_fleet_report_' + name, os.path.join(HERE, name + '.py'))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='session')
def fleets():
    """The generator: fleets.make(folder, boxes, ...)."""
    return _load('fleet_fixture')


@pytest.fixture(scope='session')
def playbooks():
    """The module that runs playbooks: playbooks.Controller(folder)."""
    return _load('test_playbooks')


@pytest.fixture(scope='session')
def browsers():
    """The module that drives Chromium."""
    return _load('browser')


@pytest.fixture(scope='session')
def fleet(fleets, tmp_path_factory):
    """24 boxes with every outcome, and 6 that were not reached."""
    return fleets.make(tmp_path_factory.mktemp('fleet') / 'artifacts', 24, untouched=6)
