# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as files: one HTML page that needs nothing else, JSON, CSV, JUnit."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import time
from collections import Counter
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal, report_data, status
from ansible_collections.jeedom.fleet.plugins.plugin_utils.report_text import Words

TEMPLATES = Path(__file__).resolve().parents[2] / 'roles' / 'report' / 'templates'
# In the order of a good day: the bar, the tiles, the legend.
ORDER = ('migrated', 'already_done', 'ready', 'none', 'stopped', 'blocked', 'rolled_back', 'failed', 'unknown', 'untouched')
# With more boxes than this the squares of the plugin matrix say less than its numbers.
MATRIX_BOXES = 60
# With more boxes than this a box shows what wants to be read, and counts what is only good to know.
DETAILED_BOXES = 100
COLUMNS = ('host', 'name', 'outcome', 'from_version', 'target_version', 'version', 'stage', 'verdict', 'duration', 'outage', 'blockers',
           'warnings', 'archive', 'archive_sha256', 'census_differences', 'message')


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
        figures.append((f'{compared - summary["census_different"]} / {compared}', words('census_equal')))
    if summary['archives']:
        figures.append((words.size(summary['archive_bytes']), words('archived', n=summary['archives'])))
    return figures


def _boxes(report: dict, keys: dict, words: Words) -> list[dict]:
    """What the page needs of every box, beyond the data."""
    longest = max((sum(stage['duration'] or 0 for stage in each['stages']) for each in report['boxes']), default=0) or 1
    worth = report_data.SEVERITIES if len(report['boxes']) <= DETAILED_BOXES else ('blocker', 'warning')
    shown = []
    for number, each in enumerate(report['boxes']):
        state = _state(each)
        line = _line(each, longest, words)
        shown.append({**each, 'n': number, 'state': state, 'line': line, 'line_text': ', '.join(part['title'] for part in line),
                      'shout': bool(each['message']) and state not in ('migrated', 'already_done', 'ready'),
                      'sys': ' · '.join(part for part in each['system'].values() if part.strip()),
                      'findings': [{**item, 'key': keys[item['id'], item['subject']]} for item in each['findings'] if item['severity'] in worth],
                      'more': sum(item['severity'] not in worth for item in each['findings']),
                      'checks': [check for check in each['health']['checks'] if check['status'] != 'ok'],
                      'search': ' '.join([each['host'], each['name'], each['from_version'], each['version'], each['message'],
                                          *(item['title'] for item in each['findings'] if item['severity'] != 'info')])[:400]})
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


def html(report: dict) -> str:
    """The page. Everything that is not ours goes through autoescape; a policy in the page keeps foreign scripts from running."""
    words = Words(report['language'])
    keys = {(item['id'], item['subject']): number for number, item in enumerate(report['findings'])}
    boxes = _boxes(report, keys, words)
    order = sorted(boxes, key=lambda each: status.natural(each['host']))
    compared = [each for each in boxes if each['census']['compared']]
    longest = max((stage['longest'] for stage in report['stages']), default=1) or 1
    environment = Environment(loader=FileSystemLoader(str(TEMPLATES)), autoescape=True, trim_blocks=True, lstrip_blocks=True,
                              undefined=StrictUndefined)
    script = (TEMPLATES / 'report.js').read_text(encoding='utf-8')
    done = sum(each['outcome'] in status.DONE for each in boxes)
    by_state = {state: [each for each in boxes if each['state'] == state] for state in ORDER}
    return environment.get_template('report.html.j2').render(
        t=words, language=words.language, report=report, headline=words.headline(done, len(boxes)), boxes=boxes, in_order=order,
        number={each['host']: each['n'] for each in boxes}, states=_tally([each['state'] for each in boxes]), figures=_figures(report, words),
        steps=[{'state': state, 'boxes': by_state[state]} for state in
               ('unknown', 'failed', 'rolled_back', 'blocked', 'stopped', 'none', 'ready', 'untouched') if by_state[state]],
        waves=[{**wave, 'size': len(wave['states']), 'tally': _tally([value if value in ORDER else 'none' for value in wave['states'].values()])}
               for wave in report['waves']],
        stage_names=list(journal.STAGES), findings=_findings(report, keys),
        plugins=_plugins(report, order), matrix=1 < len(order) <= MATRIX_BOXES, compared=compared,
        different=[each for each in compared if each['census']['differences']], totals=_totals(compared),
        archives=[{**archive, 'host': each['host'], 'n': each['n']} for each in order for archive in each['archives']],
        stages=[{**stage, 'width': round(100 * stage['median'] / longest, 1), 'max_width': round(100 * stage['longest'] / longest, 1)}
                for stage in report['stages']],
        generated_iso=time.strftime('%Y-%m-%dT%H:%M:%S%z', time.localtime(report['generated'])),
        css=Markup((TEMPLATES / 'report.css').read_text(encoding='utf-8')), js=Markup(script),  # noqa: S704 - our own files
        script_hash='sha256-' + base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii'))


def _cell(value: object) -> object:
    """A cell that a spreadsheet does not take for a formula, whatever a box is called."""
    text = '' if value is None else value
    return f"'{text}" if isinstance(text, str) and text[:1] in ('=', '+', '-', '@', '\t', '\r') else text


def as_csv(report: dict) -> str:
    """One line per box, comma separated, UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(COLUMNS)
    for each in report['boxes']:
        archive: dict = next((item for item in each['archives'] if item['kind'] == 'archive'), {})
        row = {**each, 'duration': round(each['duration'], 1), 'blockers': sum(item['severity'] == 'blocker' for item in each['findings']),
               'warnings': sum(item['severity'] == 'warning' for item in each['findings']), 'archive': archive.get('name'),
               'archive_sha256': archive.get('sha256'), 'census_differences': len(each['census']['differences'])}
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return out.getvalue()


def junit(report: dict) -> bytes:
    """One test suite per box, one test case per stage; a failed, unknown or taken back stage fails, a blocked one is skipped."""
    suites = ElementTree.Element('testsuites', name='jeedom.fleet')
    for each in report['boxes']:
        bad = [stage for stage in each['stages'] if stage['status'] in ('failed', 'unknown', 'rolled_back')]
        blocked = [stage for stage in each['stages'] if stage['status'] in ('blocked', 'skipped') and not stage['earlier']]
        suite = ElementTree.SubElement(suites, 'testsuite', name=_xml(each['host']), tests=str(len(each['stages'])), failures=str(len(bad)),
                                       errors='0', skipped=str(len(blocked)), time=f'{each["duration"]:.3f}')
        for stage in each['stages']:
            case = ElementTree.SubElement(suite, 'testcase', classname=_xml(each['host']), name=_xml(stage['name']),
                                          time=f'{stage["duration"] or 0:.3f}')
            if stage in bad:
                ElementTree.SubElement(case, 'failure', message=_xml(stage['message']), type=_xml(stage['status']))
            elif stage in blocked:
                ElementTree.SubElement(case, 'skipped', message=_xml(stage['message']))
    return ElementTree.tostring(suites, encoding='utf-8', xml_declaration=True)


def _xml(text: str) -> str:
    """Text without the characters that XML cannot hold at all."""
    return ''.join(char for char in text if char in '\t\n' or (char.isprintable() and char not in '\ufffe\uffff'))


def write(root: Path, language: str | None = None, folder: Path | None = None, sources: tuple[Path, ...] = ()) -> dict[str, str]:
    """Write all files of the report. root: the artifacts folder. folder: where to, default C(<root>/report).

    sources: artifacts folders of other controllers, to be merged. Returns the paths by kind (html, json, csv, junit).
    """
    folder = Path(folder) if folder else Path(root) / 'report'
    report = report_data.build(root, language, sources)
    files: dict[str, tuple[str, str | bytes]] = {
        'html': ('index.html', html(report)), 'json': ('report.json', json.dumps(report, ensure_ascii=False, allow_nan=False) + '\n'),
        'csv': ('report.csv', as_csv(report)), 'junit': ('junit.xml', junit(report))}
    for name, content in files.values():
        artifacts.write_atomic(folder / name, content)
    return {kind: str(folder / name) for kind, (name, _content) in files.items()}
