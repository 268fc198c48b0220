# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables for a terminal or a log: the wave board and the table of results."""

from __future__ import annotations

from collections import Counter

from ansible_collections.jeedom.fleet.plugins.plugin_utils import progress, status

# More rows than this help nobody on a terminal: then only boxes that somebody has to look at, and the counts.
MOST_ROWS = 40


def color(outcome: str | None) -> str | None:
    """Ansible's configured colours (names of constants), by outcome."""
    return {'migrated': 'COLOR_OK', 'already_done': 'COLOR_OK', 'ready': 'COLOR_CHANGED', 'blocked': 'COLOR_SKIP',
            'stopped': 'COLOR_SKIP', 'rolled_back': 'COLOR_WARN', 'failed': 'COLOR_ERROR', 'unknown': 'COLOR_UNREACHABLE'}.get(outcome or '')


def counts(outcomes: list[str | None]) -> str:
    """C(20 migrated, 1 rolled back), in the order of a good day."""
    tally = Counter(outcomes)
    order = ('migrated', 'already_done', 'ready', 'stopped', 'blocked', 'rolled_back', 'failed', 'unknown', 'ok', None)
    return ', '.join(f'{tally[outcome]} {"without outcome" if outcome is None else "well" if outcome == "ok" else status.WORDS[outcome]}'
                     for outcome in order if tally.get(outcome))


def constant(name: str | None) -> str | None:
    """The colour that the operator has configured for one of Ansible's names."""
    from ansible import constants
    return getattr(constants, name, None) if name else None


def boxes(number: int) -> str:
    """C(1 box), C(2 boxes)."""
    return '1 box' if number == 1 else f'{number} boxes'


def wave(told: dict) -> list[tuple[str, str | None]]:
    """(text, colour) lines of the board at the end of a wave."""
    states = told['states']
    head = (f'Wave {told["number"]}: {boxes(len(states))} in {progress.clock(told["ended"] - told["started"])}: '
            f'{counts(list(states.values()))}.')
    if told['left']:
        head += f' {boxes(told["left"])} still to come.' if told['passed'] else f' {boxes(told["left"])} left untouched.'
    marks = {'migrated': '#', 'already_done': '=', 'ok': '#', 'ready': '+', 'blocked': 'o', 'stopped': 'o', 'rolled_back': '<',
             'failed': 'x', 'unknown': '?'}
    lines: list[tuple[str, str | None]] = [('', None), (head, None if told['passed'] else 'COLOR_ERROR')]
    if len(states) > 1:
        row = ''.join(marks.get(state, '.') for state in states.values())
        used = [f'{mark} {status.WORDS.get(state, "well")}' for state, mark in marks.items() if state in states.values()]
        lines += [('  ' + row[index:index + 80], None) for index in range(0, len(row), 80)]
        lines.append(('  ' + '   '.join(used), None))
    for host in told['bad'][:MOST_ROWS]:
        lines.append((f'  {progress.host_name(host, progress.host_width)}  {status.WORDS.get(states[host], states[host])}', color(states[host])))
    return lines


def results(rows: list[dict], untouched: int = 0) -> list[tuple[str, str | None]]:
    """(text, colour) lines of the table of results; rows as status.row() gives them."""
    if not rows:
        return []
    ordered = sorted(rows, key=lambda row: status.natural(row['host'])) if len(rows) <= MOST_ROWS else sorted(
        (row for row in rows if row['outcome'] not in status.DONE), key=lambda row: (status.URGENCY.index(row['outcome']), status.natural(row['host'])))
    shown = ordered[:MOST_ROWS]
    versions = {id(row): f'{row["from"] or "?"} > {row["to"]}' if row['to'] and row['to'] != row['from'] else row['from'] or '-' for row in shown}
    wide = progress.host_column([row['host'] for row in shown])
    version = max([len(text) for text in versions.values()] + [9])
    version = min(version, 26)
    head = (f'{progress.pad("box", wide)}  {progress.pad("from > to", version)}  {"outcome":<13}  {"stage":<8}  {"time":>7}  ')
    room = max(20, progress.COLUMNS - len(head))
    lines: list[tuple[str, str | None]] = [(head + 'message', None)]
    for row in shown:
        lines.append((f'{progress.host_name(row["host"], wide)}  {progress.pad(versions[id(row)], version)}  '
                      f'{status.WORDS[row["outcome"]]:<13}  {progress.pad(row["stage"], 8)}  {progress.clock(row["duration"]):>7}  '
                      f'{progress.printable(row["message"], room)}'.rstrip(), color(row['outcome'])))
    hidden = len(rows) - len(shown)
    if hidden:
        lines.append((f'... and {boxes(hidden)} more: see the report', None))
    lines += [('', None), (f'{boxes(len(rows))}: {counts([row["outcome"] for row in rows])}'
                           + (f'; {untouched} not started' if untouched else '') + '.', None)]
    return lines


def _left(row: dict) -> str:
    """The stages that a box has still to go through, short: C(upgrade to commit), C(verify, commit), C(all)."""
    left = [str(stage) for stage in row.get('left') or ()]
    if left == list(status.WAY):
        return 'all'
    if len(left) > 2 and left == list(status.WAY[-len(left):]):
        return f'{left[0]} to {left[-1]}'
    return progress.printable(', '.join(left) or '-', 40)


def standing(rows: list[dict]) -> list[tuple[str, str | None]]:
    """(text, colour) lines of the table of the status playbook; rows as the status action gives them."""
    colours = {'unreachable': 'COLOR_UNREACHABLE', 'interrupted': 'COLOR_ERROR', 'running': 'COLOR_CHANGED'}
    wide = progress.host_column([row['host'] for row in rows])
    todo = {row['host']: _left(row) for row in rows}
    room_left = max([len(text) for text in todo.values()] + [4])
    head = (f'{progress.pad("box", wide)}  {progress.pad("version", 8)}  {progress.pad("target", 8)}  {"state":<13}  '
            f'{progress.pad("left", room_left)}  ')
    room = max(20, progress.COLUMNS - len(head))
    lines: list[tuple[str, str | None]] = [(head.rstrip(), None)]
    for row in sorted(rows, key=lambda each: status.natural(each['host'])):
        word = status.WORDS.get(row['state'], row['state'])
        begin = f'{progress.host_name(row["host"], wide)}  {progress.pad(row["version"] or "-", 8)}  {progress.pad(row["target"] or "-", 8)}  '
        lines.append((f'{begin}{word:<13}  {progress.pad(todo[row["host"]], room_left)}  {progress.printable(row["text"], room)}'.rstrip(),
                      colours.get(row['state']) or color(row['outcome'])))
    tally = Counter(status.WORDS.get(row['state'], row['state']) for row in rows)
    lines += [('', None), (f'{boxes(len(rows))}: ' + ', '.join(f'{number} {word}' for word, number in tally.most_common()) + '.', None)]
    if any(row['reachable'] and not row['root'] for row in rows):
        lines.append(('Some boxes were looked at without root: jobs and open migrations cannot be seen there; set become.', 'COLOR_WARN'))
    return lines
