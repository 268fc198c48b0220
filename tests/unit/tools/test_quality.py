# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files stay small, modules thin, and the quality tools count rightly."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'tests/tools'))

import coverage_report  # noqa: E402
import mutation  # noqa: E402

LONGEST = 400
# Longer ones, each with its reason; what runs at a user's has none.
LONGER = {
    'tests/unit/transfer/test_download.py': 'one way of an archive with everything that can cut it',
}


def programs() -> dict[str, Path]:
    """The programs of the clone by their path."""
    listed = subprocess.run(['git', 'ls-files', '-z', '*.py', '*.sh', '*.php', '*.j2'], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = {name: ROOT / name for name in listed.split('\0') if name and (ROOT / name).is_file()}
    # a copy without its history has no list
    return found or {str(path.relative_to(ROOT)): path for folder in ('plugins', 'tests') for path in (ROOT / folder).rglob('*.py')}


def test_no_program_is_longer_than_can_be_read_at_once():
    lengths = {name: len(path.read_text(encoding='utf-8').splitlines()) for name, path in programs().items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST and name not in LONGER} == {}
    assert not [name for name in LONGER if lengths.get(name, 0) <= LONGEST], 'no longer long: take it out of the list'


@pytest.mark.parametrize('path', sorted((ROOT / 'plugins/modules').glob('*.py')), ids=lambda path: path.stem)
def test_a_module_is_documentation_and_one_call(path):
    code = path.read_text(encoding='utf-8').split("RETURN = r'''")[1].split("'''", 1)[1]
    assert len([line for line in code.splitlines() if line.strip()]) <= 12


def test_every_module_under_mutation_is_there_with_its_tests():
    for name, tests in mutation.MODULES.items():
        folder = 'module_utils' if name in mutation.BOX else 'plugin_utils'
        assert (ROOT / f'plugins/{folder}/{name}.py').is_file()
        assert all((ROOT / 'tests/unit' / test).exists() for test in tests)


def codes(path: Path) -> set[str]:
    """The codes of refusals that a program names: of errors that it raises, and of results that have failed."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        given = []
        if isinstance(node, ast.Call):
            given = [keyword.value for keyword in node.keywords if keyword.arg == 'error_code']
            if getattr(node.func, 'id', getattr(node.func, 'attr', '')).endswith('Error'):
                given += node.args[1:2]
        elif isinstance(node, ast.Dict):
            given = [value for key, value in zip(node.keys, node.values, strict=True) if getattr(key, 'value', None) == 'error_code']
        found |= {part.value for value in given for part in ast.walk(value) if isinstance(part, ast.Constant) and isinstance(part.value, str)}
    return {code for code in found if re.fullmatch('[a-z0-9_]+', code)}


def test_every_refusal_has_a_test_that_names_its_code():
    tests = ''.join(path.read_text(encoding='utf-8') for path in (ROOT / 'tests/unit').rglob('test_*.py'))
    found = {code for folder in ('module_utils', 'plugin_utils', 'action') for path in (ROOT / 'plugins' / folder).glob('*.py') for code in codes(path)}
    assert len(found) > 100 and sorted(code for code in found if not re.search(f"""['"]{code}['"]""", tests)) == []


def test_the_score_counts_what_was_tried_and_a_mutant_that_hangs_as_noticed():
    name = 'ansible_collections.jeedom.fleet.plugins.plugin_utils.routes.'
    results = '\n'.join(f'    {name}{mutant}: {status}' for mutant, status in (
        ('x_route__mutmut_1', 'killed'), ('x_route__mutmut_2', 'timeout'), ('xǁRouteǁhops__mutmut_1', 'survived'), ('x_route__mutmut_4', 'no tests'),
        ('x_route__mutmut_5', 'not checked')))
    assert [line.split() for line in mutation.table(results)[1:]] == [['routes', '4', '2', '1', '1', '50.0%'], ['together', '4', '2', '1', '1', '50.0%']]


def test_checks_are_made_wrong_as_well_although_they_have_a_decorator():
    code = ("@check('one', 'two',\n       'three')\ndef first(case):\n    yield\n\n\n@dataclass\nclass Other:\n    pass\n\n\n"
            "@check('four')\ndef second(case):\n    yield\n")
    assert mutation.undecorated(code) == code.replace("@check('one', 'two',\n       'three')\n", '').replace("@check('four')\n", '') + \
        "\n\ncheck('one', 'two',\n       'three')(first)\ncheck('four')(second)\n"
    assert mutation.undecorated('x = 1\n') == 'x = 1\n'


def test_coverage_is_summed_up_by_package():
    def summary(statements, branches, lines, taken):
        return {'summary': {'num_statements': statements, 'num_branches': branches, 'covered_lines': lines, 'covered_branches': taken}}

    rows = coverage_report.packages({
        'plugins/action/a.py': summary(6, 2, 6, 2), 'plugins/action/b.py': summary(2, 0, 0, 0), 'plugins/filter/c.py': summary(0, 0, 0, 0)})
    assert [row.split() for row in rows[1:]] == [['plugins/action', '8', '2', '80.0%'], ['plugins/filter', '0', '0', '0.0%'], ['together', '8', '2', '80.0%']]
