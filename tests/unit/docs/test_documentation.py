# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What DOCUMENTATION and argument_specs say is what the code takes: options, types, defaults, choices; units; examples that would run."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / 'plugins/modules').glob('*.py'))
ROLES = sorted(path.name for path in (ROOT / 'roles').iterdir())
# Keywords of a task; everything else in an example is its module.
KEYWORDS = {'name', 'register', 'when', 'vars', 'check_mode', 'diff', 'loop', 'throttle', 'run_once', 'delegate_to', 'become', 'ignore_errors'}
UNITS = ('second', 'minute', 'hour', 'day', 'byte', 'megabyte', 'mb', 'percent', 'how many', 'number of', 'at most so many', 'at least 1', 'copies', 'level')
WORKS = ('type', 'default', 'choices', 'elements', 'required')


@pytest.fixture(scope='module')
def documented():
    """{module: {doc, examples, return}} as ansible-doc tells it, fragments merged."""
    environment = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(ROOT / 'collections'))
    done = subprocess.run([sys.executable, '-m', 'ansible', 'doc', '--json', '-t', 'module', *(f'jeedom.fleet.{name}' for name in MODULES)],
                          env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    told = {name.removeprefix('jeedom.fleet.'): value for name, value in json.loads(done.stdout).items()}
    assert set(told) == set(MODULES)
    return told


def spec(name: str) -> dict:
    """The options that the code of a module takes."""
    action = ROOT / f'plugins/action/{name}.py'
    if not action.exists():
        return importlib.import_module(f'ansible_collections.jeedom.fleet.plugins.module_utils.{name}').ARGUMENT_SPEC
    tree = ast.parse(action.read_text(encoding='utf-8'))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == 'argument_spec':
            return options(node.value, tree)
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'ArgumentSpecValidator':
            return options(node.args[0], tree)
    raise AssertionError(f'{action} validates no arguments')


def options(node: ast.AST, tree: ast.AST) -> dict:
    """A literal dict of options; names in it are constants of the module, known to be strings or lists."""
    if isinstance(node, ast.Name):
        node = next(each.value for each in ast.walk(tree) if isinstance(each, ast.Assign) and each.targets[0].id == node.id)
    found = {}
    for key, value in zip(node.keys, node.values, strict=True):
        pairs = zip(value.keys, value.values, strict=True) if isinstance(value, ast.Dict) else [(ast.Constant(each.arg), each.value) for each in value.keywords]
        found[key.value] = {}
        for name, word in pairs:
            try:
                found[key.value][name.value] = ast.literal_eval(word)
            except ValueError:
                found[key.value][name.value] = ...
    return found


def same(told: dict, taken: dict) -> list[str]:
    """Which of type, default, choices, elements, required differ."""
    rest = {'type': 'str', 'required': False}
    return [word for word in WORKS if taken.get(word) is not ... and
            (list(taken[word]) if word == 'choices' and word in taken else taken.get(word, rest.get(word))) != told.get(word, rest.get(word))]


@pytest.mark.parametrize('name', MODULES)
def test_the_options_are_those_of_the_code(documented, name):
    told, taken = documented[name]['doc'].get('options', {}), spec(name)
    assert set(told) == set(taken)
    assert {option: same(told[option], taken[option]) for option in told if same(told[option], taken[option])} == {}


@pytest.mark.parametrize('name', MODULES)
def test_numbers_have_a_unit(documented, name):
    counted = {option: ' '.join(value['description']).lower() for option, value in documented[name]['doc'].get('options', {}).items()
               if value.get('type') in ('int', 'float')}
    assert [option for option, text in counted.items() if not any(unit in text for unit in UNITS) and option != 'log_lines'] == []


@pytest.mark.parametrize('name', MODULES)
def test_examples_would_be_accepted(documented, name):
    tasks = yaml.safe_load(documented[name]['examples'])
    assert tasks
    flat = [task for task in tasks if 'hosts' not in task] + [task for play in tasks if 'hosts' in play for task in play['tasks']]
    used = [(key.removeprefix('jeedom.fleet.'), value) for task in flat for key, value in task.items() if key.startswith('jeedom.fleet.')]
    assert name in [module for module, _arguments in used]
    for module, arguments in used:
        taken = documented[module]['doc'].get('options', {})
        assert set(arguments or {}) <= set(taken)
        assert [option for option, value in taken.items() if value.get('required') and option not in (arguments or {})] == []
    assert [key for task in flat for key in task if key not in KEYWORDS and '.' not in key] == []


@pytest.mark.parametrize('name', MODULES)
def test_what_is_returned_is_told_and_so_is_failure(documented, name):
    returned = documented[name]['return']
    assert returned and all(value.get('description') and value.get('type') and value.get('returned') for value in returned.values())
    # every state of a box is an answer of status
    assert 'error_code' in returned or name == 'status'


@pytest.mark.parametrize('name', ROLES)
def test_defaults_of_a_role_are_those_it_tells(name):
    home = ROOT / 'roles' / name
    specs = yaml.safe_load((home / 'meta/argument_specs.yml').read_text(encoding='utf-8'))['argument_specs']
    told = {option: value.get('default') for entry in specs.values() for option, value in entry.get('options', {}).items()}
    given = yaml.safe_load((home / 'defaults/main.yml').read_text(encoding='utf-8')) or {}
    assert set(given) <= set(told)
    # a default that is an expression is told in words
    assert {option: (value, told[option]) for option, value in given.items()
            if not (isinstance(value, str) and '{{' in value) and told[option] is not None and str(value) != str(told[option])} == {}
