# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of all stages of migrate.yml are checked by one task; no role may bring one that this task does not know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.jeedom.fleet.plugins.plugin_utils.role_options import role_options

ROOT = Path(__file__).resolve().parents[3]
MIGRATE = (ROOT / 'playbooks/migrate.yml').read_text(encoding='utf-8')
BEGIN = (ROOT / 'roles/assess/tasks/begin.yml').read_text(encoding='utf-8')
CHECKED = re.search(r"\[([^\]]+)\] \| jeedom\.fleet\.role_options", BEGIN).group(1).replace("'", '').split(', ')


def test_every_role_that_is_not_checked_by_itself_is_checked_at_the_begin():
    unchecked = set(re.findall(r'name: jeedom\.fleet\.(\w+)\n(?: +tasks_from: begin\n)? +rolespec_validate: false', MIGRATE))
    assert unchecked == set(CHECKED)


@pytest.mark.parametrize('name,value,words', [
    ('jeedom_hop_timeout', 'soon', 'jeedom_hop_timeout'),
    ('jeedom_rollback', 'perhaps', 'auto, never'),
    ('jeedom_backup_max_age', 'young', 'jeedom_backup_max_age'),
    ('jeedom_accept', {'a': 1}, 'jeedom_accept'),
])
def test_a_value_that_cannot_be_is_named(name, value, words):
    result = ArgumentSpecValidator(role_options(CHECKED)).validate({name: value})
    assert result.error_messages and words in result.error_messages[0]


def test_values_that_can_be_are_none_and_nothing_is_required():
    assert not ArgumentSpecValidator(role_options(CHECKED)).validate({}).error_messages
    good = {'jeedom_hop_timeout': '3600', 'jeedom_rollback': 'never', 'jeedom_remove_plugins': ['a']}
    assert not ArgumentSpecValidator(role_options(CHECKED)).validate(good).error_messages


def test_roles_agree_on_what_a_variable_is():
    seen: dict[str, tuple] = {}
    for role in CHECKED:
        specs = yaml.safe_load((ROOT / 'roles' / role / 'meta/argument_specs.yml').read_text(encoding='utf-8'))['argument_specs']
        for name, option in specs['main']['options'].items():
            kind = (option.get('type'), option.get('elements'), option.get('choices'))
            assert seen.setdefault(name, kind) == kind, (role, name)


@pytest.mark.parametrize('role', ['nonsense', '../roles/assess'])
def test_a_role_that_is_none_is_named(role):
    with pytest.raises(ValueError, match='There is no role'):
        role_options([role])
