# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""meta/runtime.yml knows every module that runs on a box, and nothing that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MODULES = {path.stem for path in (ROOT / 'plugins/modules').glob('*.py')}
ACTIONS = {path.stem for path in (ROOT / 'plugins/action').glob('*.py')}
ON_A_BOX = MODULES - ACTIONS


@pytest.fixture(scope='module')
def runtime():
    """The file as Ansible reads it."""
    return yaml.safe_load((ROOT / 'meta/runtime.yml').read_text(encoding='utf-8'))


def test_every_module_of_a_box_goes_through_the_action_that_finds_an_old_python(runtime):
    assert runtime['plugin_routing']['modules'] == {name: {'action_plugin': 'jeedom.fleet.box'} for name in ON_A_BOX}


def test_the_action_group_is_the_modules_of_a_box(runtime):
    assert set(runtime['action_groups']['box']) == ON_A_BOX
    assert len(runtime['action_groups']['box']) == len(ON_A_BOX)


def test_every_action_but_the_one_for_boxes_has_its_documentation():
    assert ACTIONS - MODULES == {'box'}
