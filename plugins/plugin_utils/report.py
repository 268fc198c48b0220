# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as files: HTML, JSON, CSV, JUnit, each written piece by piece: a fleet may be large."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal, report_data, report_page

COLUMNS = ('host', 'name', 'outcome', 'from_version', 'target_version', 'version', 'stage', 'verdict', 'duration', 'outage', 'blockers',
           'warnings', 'archive', 'archive_sha256', 'census_differences', 'message')


def _cell(value: object) -> object:
    """A cell that a spreadsheet does not take for a formula, whatever a box is called."""
    text = '' if value is None else value
    return f"'{text}" if isinstance(text, str) and text[:1] in ('=', '+', '-', '@', '\t', '\r') else text


def as_csv(report: dict) -> Iterator[str]:
    """One line per box, comma separated."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator='\n')
    writer.writerow(COLUMNS)
    for each in report['boxes']:
        archive: dict = next((item for item in each['archives'] if item['kind'] == 'archive'), {})
        row = {**each, 'duration': round(each['duration'], 1), 'blockers': sum(item['severity'] == 'blocker' for item in each['findings']),
               'warnings': sum(item['severity'] == 'warning' for item in each['findings']), 'archive': archive.get('name'),
               'archive_sha256': archive.get('sha256'), 'census_differences': len(each['census']['differences'])}
        writer.writerow([_cell(row[name]) for name in COLUMNS])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    # the heading, when there is no box
    yield out.getvalue()


def as_json(report: dict) -> Iterator[str]:
    """The data as they are, list by list and item by item."""
    def dumped(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    for number, (key, value) in enumerate(report.items()):
        yield ('{' if number == 0 else ', ') + dumped(key) + ': '
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield ('[' if index == 0 else ', ') + dumped(item)
            yield ']' if value else '[]'
        else:
            yield dumped(value)
    yield '}\n'


def _end(each: dict) -> str:
    """What is wrong with how a box ended, where none of its stages says so: C(failure) or C(skipped), else empty."""
    told = [stage['status'] for stage in each['stages'] if not stage['earlier']]
    if each['outcome'] in journal.BAD_OUTCOMES:
        return '' if set(told) & {'failed', 'unknown', 'rolled_back'} else 'failure'
    if each['outcome'] in (None, 'blocked', 'stopped', 'ready'):
        return '' if set(told) & {'started', 'blocked', 'skipped'} else 'skipped'
    return ''


def junit(report: dict) -> Iterator[str]:
    """One test suite per box, one test case per stage; a failed, unknown or taken back stage fails, a blocked one is skipped.

    A stage that did not end is an error. A box that ended badly, or has not come to its end, and no stage of which says so has one
    more test case, C(outcome).
    """
    yield "<?xml version='1.0' encoding='utf-8'?>\n<testsuites name=\"jeedom.fleet\">"
    for each in report['boxes']:
        bad = [stage for stage in each['stages'] if stage['status'] in ('failed', 'unknown', 'rolled_back')]
        blocked = [stage for stage in each['stages'] if stage['status'] in ('blocked', 'skipped') and not stage['earlier']]
        cut = [stage for stage in each['stages'] if stage['status'] == 'started']
        end = _end(each)
        suite = ElementTree.Element('testsuite', name=_xml(each['host']), tests=str(len(each['stages']) + bool(end)),
                                    failures=str(len(bad) + (end == 'failure')), errors=str(len(cut)),
                                    skipped=str(len(blocked) + (end == 'skipped')), time=f'{each["duration"]:.3f}')
        for stage in each['stages']:
            case = ElementTree.SubElement(suite, 'testcase', classname=_xml(each['host']), name=_xml(stage['name']),
                                          time=f'{stage["duration"] or 0:.3f}')
            if stage in bad:
                ElementTree.SubElement(case, 'failure', message=_xml(stage['message']), type=_xml(stage['status']))
            elif stage in blocked:
                ElementTree.SubElement(case, 'skipped', message=_xml(stage['message']))
            elif stage in cut:
                ElementTree.SubElement(case, 'error', message='did not end', type='started')
        if end:
            case = ElementTree.SubElement(suite, 'testcase', classname=_xml(each['host']), name='outcome', time='0.000')
            said = each['message'] or ('did not come to its end' if each['stages'] else 'not started')
            ElementTree.SubElement(case, end, {'message': _xml(said), **({'type': each['outcome']} if end == 'failure' else {})})
        yield ElementTree.tostring(suite, encoding='unicode')
    yield '</testsuites>\n'


def _xml(text: str) -> str:
    """Text without the characters that XML cannot hold at all."""
    return ''.join(char for char in text if char in '\t\n' or (char.isprintable() and char not in '\ufffe\uffff'))


def write(root: Path, language: str | None = None, folder: Path | None = None, sources: tuple[Path, ...] = ()) -> dict[str, str]:
    """Write all files of the report. root: the artifacts folder. folder: where to, default C(<root>/report).

    sources: artifacts folders of other controllers, to be merged. Returns the paths by kind (html, json, csv, junit).
    """
    return put(report_data.build(root, language, sources), Path(folder) if folder else Path(root) / 'report')


def put(report: dict, folder: Path) -> dict[str, str]:
    """Write a report that has been built into a folder; returns the paths by kind (html, json, csv, junit)."""
    written = set()
    for name, page in report_page.pages(report):
        artifacts.write_atomic(folder / name, page)
        written.add(name)
    for old in folder.glob('boxes-[0-9][0-9][0-9]*.html'):
        # of a larger fleet, that this folder told of before
        if old.name not in written:
            old.unlink(missing_ok=True)
    files = {'json': ('report.json', as_json(report)), 'csv': ('report.csv', as_csv(report)), 'junit': ('junit.xml', junit(report))}
    for name, pieces in files.values():
        artifacts.write_atomic(folder / name, pieces)
    return {'html': str(folder / 'index.html'), **{kind: str(folder / name) for kind, (name, _pieces) in files.items()}}
