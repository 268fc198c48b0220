# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The support matrix says of a cell what was seen there, and takes a missing row for a failure."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.fixture(scope='module')
def tools():
    """Modules of tests/tools by name; tools are scripts, not a package."""
    sys.path.insert(0, str(TOOLS))
    try:
        yield {name: importlib.import_module(name) for name in ('matrix', 'matrix_table', 'box_pythons')}
    finally:
        sys.path.remove(str(TOOLS))


def row(**changes):
    return {'play': 'Run', 'host': 'box1', 'task': 'A setting', 'action': 'jeedom.fleet.config', 'status': 'ok', 'changed': True, 'diff': True,
            'msg': '', **changes}


def ran(tools, *rows):
    return tools['matrix'].Ran(0, list(rows), 'the last line')


def test_three_changes_with_their_diffs_are_right(tools):
    assert tools['matrix'].unlike(ran(tools, row(), row(), row()), 'box1', 'Run', True) is None


@pytest.mark.parametrize(('rows', 'says'), [
    ([], 'no task ran: the last line'),
    ([row(host='box2')] * 3, 'no task ran'),
    ([row()] * 2, '2 of 3 tasks ran'),
    ([row(play='Dry run')] * 3, '0 of 3 tasks ran'),
    ([row(), row(changed=False), row()], 'changed is False'),
    ([row(), row(diff=False), row()], 'diff is False'),
    ([row(), row(), row(status='failed', msg='no')], 'A setting: failed: no'),
    ([row(), row(status='unreachable'), row()], 'unreachable'),
])
def test_anything_else_is_wrong(tools, rows, says):
    assert says in tools['matrix'].unlike(ran(tools, *rows), 'box1', 'Run', True)


def test_a_second_run_that_changes_is_wrong(tools):
    assert 'changed is True' in tools['matrix'].unlike(ran(tools, row(), row(), row()), 'box1', 'Run', False)


def test_ordinary_modules_are_asked_of_pythons_that_they_run_on(tools):
    core = tools['matrix'].Core('2.16', Path(), '2.16.1', '3.11.2', (3, 6))
    assert [version for version in tools['matrix'].PYTHONS if core.speaks(version)] == ['3.6', '3.7', '3.9', '3.11', '3.13']


CORES = [('2.16', '2.16.19', '3.11.7'), ('2.21', '2.21.5', '3.13.0')]
SEEN = {('2.16', '2.7'): {'stdin', 'migrated'}, ('2.16', '3.9'): {'module', 'stdin'}, ('2.21', '2.7'): {'stdin'}}


def test_the_table_says_what_was_seen_in_each_cell(tools):
    problems = [('2.21', '2.7', 'run', 'no'), ('2.16', 'none', 'assess.yml', 'no')]
    lines = tools['matrix_table'].table(CORES, [('2.7', '2.7.18'), ('3.9', '3.9.2')], SEEN, problems).splitlines()
    assert lines[0] == '| Python of the box | ansible-core 2.16.19, Python 3.11.7 | ansible-core 2.21.5, Python 3.13.0 |'
    assert lines[2:] == ['| 2.7.18 | stdin, **migrated** | WRONG |', '| 3.9.2 | stdin, module | not run |', '| none | WRONG | told in one sentence |']


def test_the_page_keeps_its_words_around_the_table(tools):
    table = tools['matrix_table']
    assert table.page(f'a\n{table.BEGIN}\nold\n{table.END}\nz\n', 'new') == f'a\n{table.BEGIN}\n\nnew\n\n{table.END}\nz\n'
    with pytest.raises(ValueError, match='lacks the lines'):
        table.page('nothing', 'new')
    assert table.page(table.PAGE.read_text(encoding='utf-8'), 'new')


def test_what_a_program_runs_with_is_found(tools):
    found, loader = tools['box_pythons'].libraries([Path(sys.executable).resolve()])
    assert loader.exists() and any(path.name.startswith('libc.so') for path in found)
