# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live lines and tables: aligned, quiet, cut, and never able to paint on the terminal."""

from __future__ import annotations

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import board, progress


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    monkeypatch.setattr(progress, 'COLUMNS', 120)
    monkeypatch.setattr(progress, 'host_width', 10)
    monkeypatch.setattr(progress, 'durations', {})


def status(percent=30, phase='download', line='', elapsed=60.0, step='hop 1/4 to 4.0.63'):
    return {'started': 1000.0, 'heartbeat': 1000.0 + elapsed, 'percent': percent, 'phase': phase, 'step': step, 'line': line}


def lines_of(*statuses, **keys):
    shown = []
    lines = progress.Lines(keys.get('host', 'box1'), 'upgrade', shown.append)
    for each in statuses:
        lines.update(each)
    return shown


def test_a_line_says_box_stage_percent_elapsed_left_and_what():
    shown = lines_of(status(50, 'move', 'Copie des fichiers', 120))[0]
    assert shown == '  box1        upgrade   50%    02:00  -02:00   hop 1/4 to 4.0.63: move           Copie des fichiers'


def test_columns_stand_one_below_the_other():
    shown = lines_of(status(5, 'a', elapsed=1), status(55, 'bb', elapsed=700), host='bx')
    shown += lines_of(status(100, 'c', elapsed=4000), host='a-rather-long-box-name')
    assert len({line.index('hop 1/4') for line in shown}) == 1


def test_quiet_when_nothing_is_new_and_loud_when_it_is():
    assert len(lines_of(status(20), status(21), status(25), status(25, line='x'))) == 1
    assert len(lines_of(status(20), status(41), status(41, 'move'), status(41, 'move', step='hop 2/4 to 4.1.28'))) == 4


def test_a_sign_of_life_after_a_while(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, 'monotonic', lambda: clock[0])
    shown = []
    lines = progress.Lines('b', 's', shown.append)
    for _minute in range(4):
        lines.update(status())
        clock[0] += lines.quiet / 2 + 0.1
    assert len(shown) == 2


def test_what_is_left_comes_from_boxes_that_have_been_through_it(monkeypatch):
    monkeypatch.setattr(progress, 'durations', {'upgrade': [300.0, 400.0, 900.0]})
    assert '-05:40' in lines_of(status(10, elapsed=60))[0]
    assert '-' not in lines_of(status(10, elapsed=1000))[0].split('hop')[0].replace('box-', '')


def test_the_percentage_counts_the_more_the_further_a_box_is(monkeypatch):
    monkeypatch.setattr(progress, 'durations', {'upgrade': [158.0]})
    # the others say 78 s more, the percentage 20 s: a fifth of the one and four fifths of the other
    assert '-00:31' in lines_of(status(80, elapsed=80))[0]
    assert '-' not in lines_of(status(100, elapsed=80))[0].split('hop')[0].replace('box-', '')


def test_no_guess_from_too_little():
    assert lines_of(status(3, elapsed=4))[0].split('hop')[0].rstrip().endswith('00:04')


@pytest.mark.parametrize('text', ['\x1b[2J\x1b[31mred', 'a\rb', 'a\nb\n', '\x07bell', 'a\u202eb', '\u009b31m'])
def test_a_box_cannot_paint_on_the_terminal(text):
    for shown in [*lines_of(status(line=text, phase=text, step=text), host=text), *(line for line, _c in board.results([row(host=text, message=text)]))]:
        assert shown.isprintable()


def row(**keys):
    return {'host': 'box1', 'from': '3.3.60', 'to': '4.5.3', 'outcome': 'migrated', 'stage': 'commit', 'duration': 754.0, 'message': 'On 4.5.3.', **keys}


def test_lines_fit_the_terminal_also_with_wide_characters():
    for text in ('x' * 500, '日本語' * 100, 'e\u0301' * 300):
        shown = lines_of(status(line=text, phase=text), host=text)[0]
        assert progress.width_of(shown) <= 120
        assert all(progress.width_of(line) <= 120 for line, _c in board.results([row(host=text, message=text)]))


@pytest.mark.parametrize('seconds, text', [(0, '00:00'), (59.9, '00:59'), (3599, '59:59'), (3600, '1:00:00'), (90061, '25:01:01'), (-5, '00:00')])
def test_clock(seconds, text):
    assert progress.clock(seconds) == text


def test_table_of_results_in_natural_order_with_counts():
    shown = [line for line, _c in board.results([row(host='box10'), row(host='box2', outcome='rolled_back', message='Hop 2 died.')], 3)]
    assert shown[1].split()[:6] == ['box2', '3.3.60', '>', '4.5.3', 'rolled', 'back'] and shown[1].endswith('Hop 2 died.')
    assert shown[2].startswith('box10') and '12:34' in shown[2]
    assert shown[-1] == '2 boxes: 1 migrated, 1 rolled back; 3 not started.'


def test_a_large_fleet_shows_only_what_somebody_has_to_look_at():
    rows = [row(host=f'box{number}') for number in range(300)] + [row(host='lost', outcome='unknown'), row(host='bad', outcome='blocked')]
    shown = [line for line, _c in board.results(rows)]
    assert [line.split()[0] for line in shown[1:3]] == ['lost', 'bad'] and len(shown) == 6
    assert shown[-1] == '302 boxes: 300 migrated, 1 blocked, 1 unknown.'


def test_wave_board_names_the_bad_ones():
    told = {'number': 2, 'started': 0, 'ended': 65, 'left': 9, 'passed': False, 'bad': ['b2'], 'limit': 'none may',
            'states': {'b1': 'migrated', 'b2': 'rolled_back', 'b3': 'migrated'}}
    shown = [line for line, _c in board.wave(told)]
    assert shown[1] == 'Wave 2: 3 boxes in 01:05: 2 migrated, 1 rolled back. 9 boxes left untouched.'
    assert shown[2].strip() == '#<#' and shown[-1].split() == ['b2', 'rolled', 'back']


class Display:
    def __init__(self):
        self.calls = []

    def display(self, text, color=None, stderr=False):
        self.calls.append((text, stderr))


@pytest.mark.parametrize('callback, stderr', [('default', False), ('ansible.posix.json', True), ('ansible.posix.jsonl', True), ('json', True)])
def test_stdout_belongs_to_json_callbacks(monkeypatch, callback, stderr):
    from ansible import constants
    monkeypatch.setattr(constants.config, 'get_config_value', lambda name: callback)
    display = Display()
    progress.shower(display)('hello')
    assert display.calls == [('hello', stderr)]


NEIGHBOURS = ['customer-residence-les-peupliers-01', 'customer-residence-les-peupliers-02']


@pytest.mark.parametrize('columns', [60, 80, 120, 180])
@pytest.mark.parametrize('names', [
    NEIGHBOURS,
    ['box01.a-long-name-of-a-domain.customer.example', 'box02.a-long-name-of-a-domain.customer.example'],
    ['a' * 30 + '1' + 'b' * 30, 'a' * 30 + '2' + 'b' * 30],
    ['箱' * 30 + '1' + '箱' * 30, '箱' * 30 + '2' + '箱' * 30],
])
def test_boxes_can_be_told_apart_by_their_names_however_long(monkeypatch, columns, names):
    monkeypatch.setattr(progress, 'COLUMNS', columns)
    progress.fit_hosts(names)
    cells = [progress.line(name, 'upgrade', '!!', '00:10', '', 'failed').split()[0] for name in names]
    assert len(set(cells)) == 2
    rows = [line.split()[0] for line, _c in board.results([row(host=name) for name in names])[1:3]]
    states = {name: 'failed' for name in names}
    told = {'number': 1, 'states': states, 'started': 0, 'ended': 1, 'passed': True, 'left': 0, 'bad': names}
    assert rows == cells and [line.split()[0] for line, _c in board.wave(told)[-2:]] == cells
    standing = [{'host': name, 'version': '', 'target': '', 'state': 'new', 'text': '', 'outcome': None, 'reachable': True, 'root': True} for name in names]
    assert [line.split()[0] for line, _c in board.standing(standing)[1:3]] == cells


def test_long_names_are_whole_where_there_is_room_and_else_cut_in_the_middle(monkeypatch):
    monkeypatch.setattr(progress, 'COLUMNS', 180)
    progress.fit_hosts(NEIGHBOURS)
    assert progress.host_width == 35 and NEIGHBOURS[0] in progress.line(NEIGHBOURS[0], 'upgrade', '', '', '', '')
    assert progress.host_name(NEIGHBOURS[0], 20) == 'customer-…upliers-01'
    assert progress.host_name('箱' * 20, 8) == '箱…箱箱 ' and progress.host_name('box1', 6) == 'box1  '


def test_column_of_hosts_is_as_wide_as_needed_and_no_wider(monkeypatch):
    progress.fit_hosts(['a', 'box-123456'])
    assert progress.host_width == 10
    # a third of the line
    progress.fit_hosts(['x' * 99])
    assert progress.host_width == 40
    monkeypatch.setattr(progress, 'COLUMNS', 80)
    progress.fit_hosts(['x' * 99])
    assert progress.host_width == progress.MAX_HOST
    progress.fit_hosts([])
    assert progress.host_width == progress.MIN_HOST
