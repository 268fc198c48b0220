# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for people: one HTML page that needs nothing else; beyond what a page holds a first page, and one per so many boxes."""

from __future__ import annotations

import base64
import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ansible_collections.jeedom.fleet.plugins.plugin_utils import journal, report_data, status
from ansible_collections.jeedom.fleet.plugins.plugin_utils.report_text import Words

TEMPLATES = Path(__file__).resolve().parents[2] / 'roles' / 'report' / 'templates'
# In the order of a good day: the bar, the tiles, the legend.
ORDER = ('migrated', 'already_done', 'ready', 'none', 'stopped', 'blocked', 'rolled_back', 'failed', 'unknown', 'untouched')
# With more boxes than this the squares of the plugin matrix say less than its numbers.
MATRIX_BOXES = 60
# With more boxes than this the report is several pages.
PAGE_BOXES = 500
# Nor does a page hold more of findings than this, so that it can be mailed (5 MB): characters, as _weight() counts them.
PAGE_WEIGHT = 5_600_000
# The first of several pages lists so many boxes at a time, and so many beside a finding.
LISTED, LISTED_BESIDE = 100, 50
# With more boxes than this a box shows what wants to be read, and counts what is only good to know.
DETAILED_BOXES = 100


def _state(each: dict) -> str:
    """The outcome as the page shows it: known words only."""
    if each['outcome'] in journal.OUTCOMES:
        return each['outcome']
    return 'none' if each['stages'] else 'untouched'


def _word(v4: bool | None) -> str:
    return {True: 'yes', False: 'no', None: 'unknown'}[v4]


def _line(each: dict, longest: float, words: Words) -> list[dict]:
    """The bar of stages of one box, in percent of the longest one."""
    parts = []
    for stage in each['stages']:
        if stage['duration']:
            parts.append({'stage': stage['name'] if stage['name'] in journal.STAGES else 'other', 'bad': stage['status'] in ('failed', 'unknown'),
                          'width': round(100 * stage['duration'] / longest, 2), 'title': f'{words(stage["name"])} {words.duration(stage["duration"])}'})
    return parts


def _tally(states: list[str]) -> list[tuple[str, int]]:
    counted = Counter(states)
    return [(state, counted[state]) for state in ORDER if counted.get(state)]


def _figures(report: dict, words: Words) -> list[tuple[str, str]]:
    summary, figures = report['summary'], []
    if summary['median_duration']:
        figures.append((words.duration(summary['median_duration']), words('median_migration')))
    outages = [each['outage'] for each in report['boxes'] if each['outage']]
    if outages:
        figures.append((words.duration(median(outages)), words('outage')))
    if compared := summary['census_compared']:
        figures.append((f'{words.count(compared - summary["census_different"])} / {words.count(compared)}', words('census_equal')))
    if summary['archives']:
        figures.append((words.size(summary['archive_bytes']), words('archived', n=words.count(summary['archives']))))
    return figures


def _boxes(report: dict, keys: dict, words: Words) -> list[dict]:
    """What the page needs of every box, beyond the data.

    search: what it is found by beside its findings; found: these, as numbers of their anchors, by which the script finds their titles.
    """
    longest = max((sum(stage['duration'] or 0 for stage in each['stages']) for each in report['boxes']), default=0) or 1
    worth = report_data.SEVERITIES if len(report['boxes']) <= DETAILED_BOXES else ('blocker', 'warning')
    titles = {(item['id'], item['subject']): item['title'] for item in report['findings']}
    shown = []
    for number, each in enumerate(report['boxes']):
        state = _state(each)
        line = _line(each, longest, words)
        shown.append({**each, 'n': number, 'href': f'#b{number}', 'state': state, 'line': line, 'line_text': ', '.join(part['title'] for part in line),
                      'shout': bool(each['message']) and state not in ('migrated', 'already_done', 'ready'),
                      'sys': ' · '.join(part for part in each['system'].values() if part.strip()),
                      'findings': [{**item, 'key': keys[item['id'], item['subject']]} for item in each['findings'] if item['severity'] in worth],
                      'more': sum(item['severity'] not in worth for item in each['findings']),
                      'checks': [check for check in each['health']['checks'] if check['status'] != 'ok'],
                      'search': ' '.join([each['host'], each['name'], each['from_version'], each['version'], each['message'],
                                          *(item['title'] for item in each['findings'] if item['title'] != titles[item['id'], item['subject']])]),
                      'found': ' '.join(str(keys[item['id'], item['subject']]) for item in each['findings'])})
    return shown


def _plugins(report: dict, order: list[dict]) -> list[dict]:
    shown = []
    for plugin in report['plugins']:
        by_host = {cell['host']: {**cell, 'word': _word(cell['v4'])} for cell in plugin['boxes']}
        shown.append({**plugin, 'word': _word(plugin['v4']),
                      'cells': [by_host.get(each['host']) for each in order] if len(order) <= MATRIX_BOXES else []})
    return shown


def _totals(compared: list[dict]) -> list[dict]:
    totals: dict[str, dict] = {}
    for each in compared:
        for name, count in each['census']['before'].items():
            total = totals.setdefault(name, {'what': name, 'before': 0, 'after': 0})
            total['before'] += count
            total['after'] += each['census']['after'].get(name, count)
    # Kinds that nobody has say nothing.
    return [total for total in totals.values() if total['before'] or total['after']]


def _findings(report: dict, keys: dict) -> list[dict]:
    """Findings with their anchors; what is only good to know is told briefly for a large fleet."""
    brief = len(report['boxes']) > DETAILED_BOXES
    shown = []
    for item in report['findings']:
        short = brief and item['severity'] == 'info'
        boxes = [{**each, 'title': '', 'evidence': [report_data.text(each['evidence'], width=60)] if each['evidence'] else []}
                 for each in item['boxes']] if short else item['boxes']
        shown.append({**item, 'key': keys[item['id'], item['subject']], 'boxes': boxes})
    return shown


def _keys(report: dict) -> dict:
    """The number of each finding, for its anchor."""
    return {(item['id'], item['subject']): number for number, item in enumerate(report['findings'])}


def _environment() -> Environment:
    # Everything that is not ours goes through autoescape.
    return Environment(loader=FileSystemLoader(str(TEMPLATES)), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)


def _script(*names: str) -> dict:
    """Our own script, and its hash for the policy in the page that keeps foreign ones from running."""
    script = ''.join((TEMPLATES / name).read_text(encoding='utf-8') for name in names)
    return {'js': Markup(script), 'script_hash': 'sha256-' + base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')}  # noqa: S704


def _common(report: dict, keys: dict, boxes: list[dict], words: Words) -> dict:
    """What every page shows. boxes: with state, href and n."""
    order = sorted(boxes, key=lambda each: status.natural(each['host']))
    by_state = {state: [each for each in boxes if each['state'] == state] for state in ORDER}
    compared = [each for each in boxes if each['census']['compared']]
    longest = max((stage['longest'] for stage in report['stages']), default=1) or 1
    archives = [{**archive, 'host': each['host'], 'href': each['href']} for each in order for archive in each['archives']]
    return {
        't': words, 'language': words.language, 'report': report, 'boxes': boxes, 'in_order': order,
        'headline': words.headline(sum(each['outcome'] in status.DONE for each in boxes), len(boxes)),
        'href': {each['host']: each['href'] for each in boxes}, 'states': _tally([each['state'] for each in boxes]), 'figures': _figures(report, words),
        'steps': [{'state': state, 'boxes': by_state[state]} for state in
                  ('unknown', 'failed', 'rolled_back', 'blocked', 'stopped', 'none', 'ready', 'untouched') if by_state[state]],
        'waves': [{**wave, 'size': len(wave['states']), 'tally': _tally([value if value in ORDER else 'none' for value in wave['states'].values()])}
                  for wave in report['waves']],
        'stage_names': list(journal.STAGES), 'findings': _findings(report, keys), 'compared': compared,
        'different': [each for each in compared if each['census']['differences']], 'totals': _totals(compared),
        'archives': archives, 'listed_archives': archives, 'most': len(boxes) + len(archives), 'parts': [], 'part': None,
        'stages': [{**stage, 'width': round(100 * stage['median'] / longest, 1), 'max_width': round(100 * stage['longest'] / longest, 1)}
                   for stage in report['stages']],
        'generated_iso': time.strftime('%Y-%m-%dT%H:%M:%S%z', time.localtime(report['generated'])),
        'css': Markup((TEMPLATES / 'report.css').read_text(encoding='utf-8'))}  # noqa: S704 - our own file


def html(report: dict, part: dict | None = None) -> str:
    """The page of all boxes of a report. part: {number, of, boxes} where it is one of several pages."""
    words = Words(report['language'])
    keys = _keys(report)
    boxes = _boxes(report, keys, words)
    values = _common(report, keys, boxes, words)
    return _environment().get_template('report.html.j2').render({
        **values, 'plugins': _plugins(report, values['in_order']), 'matrix': 1 < len(boxes) <= MATRIX_BOXES, 'part': part,
        **_script('common.js', 'report.js')})


def pages(report: dict) -> Iterator[tuple[str, str]]:
    """(file name, text) of all pages. One, with everything, for what fits on one; else C(index.html) is the fleet as a whole."""
    rank = {each['host']: number for number, each in enumerate(report['boxes'])}
    groups = [sorted(group, key=lambda each: rank[each['host']])
              for group in _groups(sorted(report['boxes'], key=lambda each: status.natural(each['host'])))]
    if len(groups) <= 1:
        yield 'index.html', html(report)
        return
    place = {}
    for index, group in enumerate(groups):
        for number, each in enumerate(group):
            place[each['host']] = (index, number)
        yield part_name(index), html({**report, **report_data.over(group), 'waves': []},
                                     {'number': index + 1, 'of': len(groups), 'boxes': len(report['boxes'])})
    yield 'index.html', _first(report, place)


def _weight(each: dict) -> int:
    """About how many characters the findings of a box take: each stands with its box, and its evidence with the finding, too."""
    return sum(240 + len(item['title']) + 2 * sum(map(len, item['evidence'])) for item in each['findings'])


def _groups(boxes: list[dict]) -> list[list[dict]]:
    """The boxes page by page, in their order."""
    groups: list[list[dict]] = []
    room = 0
    for each in boxes:
        weight = _weight(each)
        if not groups or len(groups[-1]) >= PAGE_BOXES or weight > room:
            groups.append([])
            room = PAGE_WEIGHT
        groups[-1].append(each)
        room -= weight
    return groups


def part_name(index: int) -> str:
    """The file of a page beside the first, counted from 0."""
    return f'boxes-{index + 1:03d}.html'


def _version(each: dict, state: str) -> str:
    """C(3.3.60 → 4.5.3), as one text."""
    begin, now = each['from_version'], each['version']
    if begin and now and begin != now:
        return f'{begin} → {now}'
    return f'{begin} → ?' if state in ('unknown', 'failed') else now or begin or '–'


def _first(report: dict, place: dict[str, tuple[int, int]]) -> str:
    """The first of several pages: counts, map, exceptions, and a search over all boxes. place: (page, number in it) by host."""
    words = Words(report['language'])
    boxes = []
    for each in report['boxes']:
        state, (page, number) = _state(each), place[each['host']]
        boxes.append({**each, 'state': state, 'n': number, 'page': page, 'href': f'{part_name(page)}#b{number}', 'ver': _version(each, state),
                      'message': '' if state in status.DONE else report_data.text(each['message'], width=200)})
    values = _common(report, _keys(report), boxes, words)
    exceptions = [each for each in boxes if each['state'] not in status.DONE]
    return _environment().get_template('report.html.j2').render({
        **values, 'plugins': _plugins(report, values['in_order']), 'matrix': False, 'most': LISTED_BESIDE,
        'listed_archives': [archive for archive in values['archives'] if not archive['present']],
        'parts': _parts(values['in_order']), 'rows': exceptions[:LISTED], 'exceptions': len(exceptions), 'limit': LISTED, 'data': _data(report, boxes, words),
        **_script('common.js', 'fleet.js')})


def _parts(order: list[dict]) -> list[dict]:
    """What the map shows of every page: a strip of 100 squares a row, one path per state."""
    found: dict[int, list[dict]] = {}
    for each in order:
        found.setdefault(each['page'], []).append(each)
    parts = []
    for page, boxes in found.items():
        paths: dict[str, list[str]] = {}
        for index, each in enumerate(boxes):
            paths.setdefault(each['state'], []).append(f'M{index % 100} {index // 100}h.8v.8h-.8z')
        parts.append({'file': part_name(page), 'first': boxes[0]['host'], 'last': boxes[-1]['host'], 'rows': (len(boxes) + 99) // 100,
                      'tally': _tally([each['state'] for each in boxes]), 'paths': [(state, ''.join(path)) for state, path in paths.items()]})
    return parts


def _data(report: dict, boxes: list[dict], words: Words) -> dict:
    """All boxes as short rows for the search in the first page: texts that come often stand once."""
    keys, titles = _keys(report), [f'{item["title"]} {item["subject"]} {item["id"]}' for item in report['findings']]
    tables: dict[str, dict[str, int]] = {'versions': {}, 'messages': {}}

    def index(table: str, text: str) -> int:
        return tables[table].setdefault(text, len(tables[table]))

    rows = [[each['host'], each['name'], ORDER.index(each['state']), index('versions', each['ver']), each['page'], each['n'],
             index('messages', each['message']), [keys[item['id'], item['subject']] for item in each['findings']]] for each in boxes]
    return {'rows': rows, 'findings': titles, 'states': ORDER, 'versions': list(tables['versions']), 'messages': list(tables['messages']),
            'done': status.DONE, 'most': LISTED,
            'files': [part_name(page) for page in range(max(each['page'] for each in boxes) + 1)],
            'words': {state: words(f'o_{state}') for state in ORDER}}
