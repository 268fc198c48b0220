# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite of statements about a core cannot shrink unseen, a run that is not whole is no proof, and the page tells what was run."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SUITE = ROOT / 'tests/conformance'
PAGE = ROOT / 'docs/reference/conformance.md'
# In a process of its own: names such as "box" are those of other modules here.
STATED = '''
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
print(json.dumps(importlib.import_module("statements").STATED))
'''


def loaded(path: Path):
    """A module by its path, under a name that nobody else has."""
    spec = importlib.util.spec_from_file_location(f'of_conformance_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def report():
    return loaded(SUITE / 'report.py')


@pytest.fixture(scope='module')
def stated():
    modules = sorted(path.stem for path in SUITE.glob('test_*.py'))
    done = subprocess.run([sys.executable, '-B', '-c', STATED, str(SUITE), *modules], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def run_of(checks, outcome='passed'):
    return {'core': 'miniature', 'date': '2026-01-01', 'statements': {
        f'{value["statement"]}[{value["version"]}]': dict(value, outcome=outcome) for value in checks}}


def test_every_version_has_sixty_statements_or_more(report, stated):
    assert report.MINIMUM == 60
    assert report.lacks(run_of(stated)) == []
    for version in ('3.3.60', '4.0.63', '4.1.28', '4.4.20', '4.5.3'):
        assert len({value['statement'] for value in stated if value['version'] == version}) >= report.MINIMUM, version


def test_every_statement_is_a_test_that_pytest_runs(stated):
    done = subprocess.run([sys.executable, '-m', 'pytest', '--collect-only', '-q', '-p', 'no:cacheprovider', str(SUITE)], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    found = re.findall(r'::test_(\w+)\[([\d.]+)\]$', done.stdout, re.MULTILINE)
    assert sorted((re.sub(r'\W', '_', value['statement']), value['version']) for value in stated) == sorted(found)


def test_the_suite_is_among_what_ci_runs_and_has_to_be_whole(monkeypatch):
    tools = loaded(ROOT / 'tests/tools/run_tests.py')
    assert 'conformance' in tools.ALL
    called: list[tuple[str, ...]] = []
    monkeypatch.setattr(tools, 'call', lambda *argv: called.append(argv[1:]) is None)
    assert tools.conformance()
    assert called[0][:3] == ('-m', 'pytest', 'tests/conformance') and '-k' not in called[0]
    assert called[1] == ('tests/conformance/report.py', '--whole', 'tests/output/conformance-miniature.json')


def test_every_statement_has_its_section(stated):
    assert [value for value in stated if not re.fullmatch(r'\d+(\.\d+(/\d+)?)?|compat/\w+', value['section'])] == []


def test_no_statement_is_skipped_or_expected_to_fail():
    text = ''.join(path.read_text(encoding='utf-8') for path in SUITE.glob('*.py'))
    assert re.findall(r'\b(?:skip|skipif|xfail|importorskip)\b', text) == []


def test_every_scenario_is_looked_at_by_a_statement():
    text = ''.join(path.read_text(encoding='utf-8') for path in SUITE.glob('test_*.py'))
    scenarios = {name for path in SUITE.glob('scenarios*.py')
                 for name in re.findall(r'^def ([a-z]\w+)\(box\)', path.read_text(encoding='utf-8'), re.MULTILINE)}
    assert scenarios == set(re.findall(r'\bdo\.(\w+)', text))


def test_a_run_with_too_few_statements_on_one_version_is_not_whole(report, stated):
    fewer = [value for value in stated if value['version'] != '4.4.20'] + [value for value in stated if value['version'] == '4.4.20'][:59]
    assert report.lacks(run_of(fewer)) == ['59 statements on 4.4.20: 60 are the least.']
    assert len(report.lacks(report.load(Path('/nonexistent')))) == 5


@pytest.mark.parametrize('outcome', ['failed', 'skipped'])
def test_a_run_in_which_a_statement_does_not_hold_is_not_whole(report, stated, outcome):
    run = run_of(stated)
    name = next(iter(run['statements']))
    run['statements'][name]['outcome'] = outcome
    assert report.lacks(run) == [f'{name} {outcome}.']


def test_a_statement_that_ended_otherwise_differs(report, stated):
    mini, genuine = run_of(stated), run_of(stated)
    assert report.differences(mini, genuine) == []
    one, other = list(genuine['statements'])[:2]
    genuine['statements'][one]['outcome'] = 'failed'
    del genuine['statements'][other]
    assert report.differences(mini, genuine) == [one]
    assert report.differences(mini, genuine, '4.5.3') == [name for name in [one] if '[4.5.3]' in name]


def test_the_page_lists_every_statement_and_no_difference(report, stated):
    page = PAGE.read_text(encoding='utf-8')
    assert report.listing(stated) == page.split('\n\n')[-1].strip()
    for version in report.VERSIONS:
        count = sum(value['version'] == version for value in stated)
        row = re.search(rf'^\| {re.escape(version)} \| {count} \| {count} \| (\d+) \| (\d+) \| 0 \|$', page, re.MULTILINE)
        assert row, 'run both cores again, then report.py --page'
        assert row.group(1) == row.group(2)
