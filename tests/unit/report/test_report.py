# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as data and files: what it counts, that nothing of a box gets through as code, and how large it gets."""

from __future__ import annotations

import csv
import io
import json
import stat
import time
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal, report, report_data, report_page, report_text, status

HOSTILE = '<script>alert(1)</script>'
ATTACKS = [HOSTILE, '"><img src=x onerror=alert(1)>', "'-alert(1)-'", '{{ 7*7 }}{% raw %}', '</style><svg onload=alert(1)>', 'javascript:alert(1)',
           '\u202etxt.exe', '&lt;b&gt;', '\x00\x1b[2J']


class Page(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.ids, self.links, self.texts = [], [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == 'id']
        self.links += [value for name, value in attrs if name == 'href']

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope='module')
def told(fleet):
    return report_data.build(fleet)


@pytest.fixture(scope='module')
def page(told):
    return Page(report_page.html(told))


def test_every_box_is_counted_once(told):
    assert told['summary']['boxes'] == 30 == sum(told['summary']['outcomes'].values()) and told['summary']['outcomes']['none'] == 6
    assert len({each['host'] for each in told['boxes']}) == 30


def test_who_needs_a_look_comes_first_and_who_has_not_begun_last(told):
    outcomes = [each['outcome'] for each in told['boxes']]
    assert outcomes[0] == 'unknown' and outcomes[-6:] == [None] * 6 and outcomes.index('failed') < outcomes.index('blocked') < outcomes.index('migrated')


def test_versions_now_and_before(told):
    by_outcome = {each['outcome']: each for each in told['boxes']}
    assert (by_outcome['migrated']['from_version'], by_outcome['migrated']['version']) == ('3.3.60', '4.5.3')
    assert by_outcome['rolled_back']['version'] == '3.3.60' and by_outcome['unknown']['version'] == ''


def test_findings_are_gathered_over_the_fleet(told):
    for finding in told['findings']:
        hosts = [each['host'] for each in told['boxes'] if any(item['id'] == finding['id'] for item in each['findings'])]
        assert sorted(hosts) == sorted(box['host'] for box in finding['boxes'])
    ranks = [report_data.SEVERITIES.index(finding['severity']) for finding in told['findings']]
    assert ranks == sorted(ranks) and ranks[0] == 0


def test_one_plugin_that_is_not_for_v4_makes_the_line_red():
    boxes = [{'host': host, 'plugins': report_data.plugins({'plugins': {'items': [{'id': 'x', 'v4': v4, 'active': True}]}}, None)}
             for host, v4 in (('a', True), ('b', None), ('c', False), ('d', True))]
    assert report_data.by_plugin(boxes)[0]['v4'] is False and report_data.by_plugin(boxes[:2])[0]['v4'] is None


def test_a_plugin_that_is_gone_afterwards_is_removed():
    before, after = {'plugins': {'items': [{'id': 'a'}, {'id': 'b'}]}}, {'plugins': {'items': [{'id': 'a'}]}}
    assert [plugin['removed'] for plugin in report_data.plugins(before, after)] == [False, True]
    assert not any(plugin['removed'] for plugin in report_data.plugins(before, {}))


def test_census_differences_are_told(fleets, tmp_path):
    root = fleets.make(tmp_path / 'a', 1)
    artifacts.write_json(root / fleets.RUN / 'box1' / 'census-difference.json', [{'text': '1 scenario fewer: "Volets"'}])
    told = report_data.build(root)
    assert told['boxes'][0]['census']['differences'] == ['1 scenario fewer: "Volets"'] and told['summary']['census_different'] == 1
    assert '1 scenario fewer' in report_page.html(told)


def test_an_archive_that_is_gone_or_cut_is_said(fleets, tmp_path):
    root = fleets.make(tmp_path / 'a', 1)
    archive = next((root / 'archives' / 'box1').glob('backup-*.tar.gz'))
    assert all(each['present'] for each in report_data.archives(root, 'box1'))
    with open(archive, 'r+b') as handle:
        handle.truncate(10)
    assert [each['present'] for each in report_data.archives(root, 'box1') if each['name'] == archive.name] == [False]


def test_a_missing_archive_is_told_until_one_is_there(fleets, tmp_path):
    root = fleets.make(tmp_path / 'a', 1)
    path = root / fleets.RUN / 'box1' / 'findings.json'
    artifacts.write_json(path, [*artifacts.read_json(path), {'id': 'backup_not_proved', 'severity': 'info', 'title': 'No archive yet'}])

    def told() -> list[str]:
        return [item['id'] for item in report_data.build(root)['boxes'][0]['findings']]

    others = told()
    assert others and 'backup_not_proved' not in others
    for manifest in (root / 'archives/box1').glob('*.manifest.json'):
        artifacts.write_json(manifest, {**artifacts.read_json(manifest), 'proved': False})
    assert sorted(told()) == sorted([*others, 'backup_not_proved'])


def test_the_newest_journal_of_two_controllers_counts(tmp_path):
    for place, when, outcome in (('a', 10, 'failed'), ('b', 20, 'migrated')):
        entry = {'schema': 1, 'host': 'box', 'run_id': 'r', 'started': 1, 'outcome': None, 'stages': {}, 'history': []}
        journal.apply(entry, 'r', 'assess', 'ok', when, outcome=outcome)
        artifacts.write_json(journal.path(tmp_path / place, 'box'), {**entry, 'updated': when})
    told = report_data.build(tmp_path / 'a', sources=(tmp_path / 'b',))
    assert [each['outcome'] for each in told['boxes']] == ['migrated']


def test_a_migrated_box_that_is_looked_at_again_is_still_a_migrated_box(fleets, tmp_path):
    root = fleets.make(tmp_path / 'a', 1)
    before = report_data.build(root)['boxes'][0]
    journal.record(root, 'box1', 'later', 'assess', 'ok', 'nothing to do', {'target_version': '4.5.3'}, {'verdict': 'already_done', 'from_version': '4.5.3'},
                   'already_done')
    artifacts.write_json(artifacts.run_dir(root, 'later', 'box1') / 'facts-before.json', {'census': {'entities': {'objects': {'count': 1}}}})
    after = report_data.build(root)['boxes'][0]
    for key in ('outcome', 'from_version', 'version', 'duration', 'census', 'message', 'stage', 'plugins'):
        assert after[key] == before[key], key


def test_a_run_that_goes_on_with_an_open_migration_compares_with_before_it(fleets, tmp_path):
    root = fleets.make(tmp_path / 'a', 1)
    before = report_data.build(root)['boxes'][0]
    entry = journal.read(root, 'box1')
    journal.record(root, 'box1', 'later', 'assess', 'ok', None, None, {'from_version': '4.1.28', 'target_version': '4.5.3'})
    for name in ('upgrade', 'verify', 'commit'):
        journal.record(root, 'box1', 'later', name, 'ok', outcome='migrated' if name == 'commit' else None)
    artifacts.write_json(artifacts.run_dir(root, 'later', 'box1') / 'facts-before.json', {
        'census': {'entities': {'objects': {'count': 1}}}, 'activity': {'transaction': {'open': True, 'from_version': '3.3.60'}}})
    after = report_data.build(root)['boxes'][0]
    assert entry['run_id'] != after['run_id'] and after['census']['before'] == before['census']['before']
    assert (after['from_version'], after['version']) == ('3.3.60', '4.5.3')


def test_what_an_earlier_run_failed_at_is_history(tmp_path):
    journal.record(tmp_path, 'box', 'r1', 'backup', 'ok')
    journal.record(tmp_path, 'box', 'r1', 'upgrade', 'failed')
    journal.record(tmp_path, 'box', 'r1', 'rollback', 'rolled_back', outcome='rolled_back')
    time.sleep(0.01)
    journal.record(tmp_path, 'box', 'r2', 'assess', 'ok', outcome='ready')
    told = report_data.build(tmp_path)['boxes'][0]
    assert [(stage['name'], stage['earlier']) for stage in told['stages']] == [('assess', False), ('backup', True)]
    assert told['outcome'] == 'ready' and told['history'][0]['outcome'] == 'rolled_back'


@pytest.mark.parametrize('boxes', [0, 1, 2])
@pytest.mark.parametrize('language', ['en', 'fr'])
def test_small_fleets(fleets, tmp_path, boxes, language):
    root = fleets.make(tmp_path / 'a', boxes, language=language) if boxes else tmp_path / 'a'
    files = report.write(root, language)
    source = (root / 'report' / 'index.html').read_text(encoding='utf-8')
    assert f'<html lang="{language}">' in source and set(files) == {'html', 'json', 'csv', 'junit'}
    assert {1: {'en': 'The box is on V4', 'fr': 'La box est en V4'}}.get(boxes, {}).get(language, '') in source


def test_files_are_private_and_say_the_same(fleet):
    files = {kind: artifacts.Path(name) for kind, name in report.write(fleet).items()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o600}
    told = json.loads(files['json'].read_text(encoding='utf-8'))
    rows = list(csv.DictReader(io.StringIO(files['csv'].read_text(encoding='utf-8'))))
    suites = ElementTree.parse(files['junit']).getroot()
    assert [each['host'] for each in told['boxes']] == [row['host'] for row in rows] == [suite.get('name') for suite in suites]
    bad = {suite.get('name') for suite in suites if int(suite.get('failures'))}
    assert bad == {each['host'] for each in told['boxes'] if each['outcome'] in journal.BAD_OUTCOMES}
    assert {row['outcome'] for row in rows if row['host'] in bad} <= set(journal.BAD_OUTCOMES)


def test_the_page_needs_nothing_else_and_its_links_lead_somewhere(page):
    assert not [tag for tag, attrs in page.tags if tag in ('link', 'img', 'iframe', 'object') or (tag == 'script' and attrs)]
    assert len(page.ids) == len(set(page.ids))
    inner = {link[1:] for link in page.links if link.startswith('#')}
    assert inner <= set(page.ids) and {link for link in page.links if not link.startswith('#')} == {'report.json', 'report.csv', 'junit.xml'}


def test_the_policy_lets_only_our_script_run(told):
    source = report_page.html(told)
    script = source.split('<script>', 1)[1].split('</script>', 1)[0]
    import base64
    import hashlib
    digest = base64.b64encode(hashlib.sha256(script.encode('utf-8')).digest()).decode('ascii')
    assert f"script-src &#39;sha256-{digest}&#39;" in source or f"script-src 'sha256-{digest}'" in source
    assert "default-src 'none'" in source and source.count('<script') == 1


def attacked(root, text):
    """A box that writes an attack into everything that it can."""
    stage = {'target_version': text}
    entry = {'schema': 1, 'host': text, 'run_id': 'r', 'started': 1.0, 'outcome': None, 'stages': {}, 'history': [{'outcome': text, 'updated': text}]}
    journal.apply(entry, 'r', 'assess', 'ok', 1.0, text, stage, {'verdict': text, 'route': [text], 'from_version': text})
    journal.apply(entry, 'r', 'upgrade', 'ok', 2.0, text, None, {'version': text, 'hops': [{'version': text, 'seconds': text}], 'outage': text})
    journal.apply(entry, 'r', 'verify', 'ok', 3.0, text, None, {'census_difference': [text]}, 'migrated')
    entry['updated'] = 4.0
    artifacts.write_json(journal.path(root, text), entry)
    folder = artifacts.run_dir(root, 'r', text)
    facts = {'core': {'name': text, 'version_file': text}, 'os': {'pretty_name': text}, 'hardware': {'model': text}, 'php': {'cli': {'version': text}},
             'database': {'flavour': text, 'version': text}, 'census': {'entities': {text: {'count': 3}}},
             'plugins': {'items': [{'id': text, 'name': text, 'version': text}]}}
    for name, value in (('facts-before', facts), ('facts-after', facts),
                        ('health', {'status': text, 'checks': [{'id': text, 'status': text, 'message': text}]}),
                        ('findings', [{key: text for key in ('id', 'severity', 'title', 'evidence', 'advice', 'fix', 'subject', 'accepted')}])):
        artifacts.write_json(folder / f'{name}.json', value)
    artifacts.write_json(artifacts.archive_dir(root, text) / f'{artifacts.safe_name(text)}.manifest.json', {'sha256': text, 'size': 1, 'core_version': text})


@pytest.mark.parametrize('text', ATTACKS)
def test_nothing_of_a_box_becomes_markup(tmp_path, text):
    attacked(tmp_path, 'harmless')
    attacked(tmp_path, 'harmless, too')
    tags = {tag for tag, _attrs in Page(report_page.html(report_data.build(tmp_path))).tags}
    attacked(tmp_path, text)
    page = Page(report_page.html(report_data.build(tmp_path)))
    assert {tag for tag, _attrs in page.tags} == tags
    assert not [name for _tag, attrs in page.tags for name in attrs if name.startswith('on')] and not [link for link in page.links if link.startswith('java')]
    ElementTree.fromstring(''.join(report.junit(report_data.build(tmp_path))).encode('utf-8'))
    shown = ''.join(page.texts)
    assert text.isprintable() is False or text in shown


@pytest.mark.parametrize('value', [None, 7, 'x', [], [[]], {'items': 3}, {'items': [None, 3]}, [{'id': {}}], True, float('nan'), {'en': 5}])
def test_records_of_any_shape_are_survived(tmp_path, value):
    journal.record(tmp_path, 'box', 'r', 'assess', 'ok', result=value, inputs=value)
    journal.record(tmp_path, 'box', 'r', 'upgrade', 'ok', result={'hops': value, 'outage': value, 'version': value})
    for name in ('facts-before', 'facts-after', 'findings', 'health', 'census-difference'):
        artifacts.write_json(artifacts.run_dir(tmp_path, 'r', 'box') / f'{name}.json', value)
    artifacts.write_json(artifacts.run_dir(tmp_path, 'q', 'box') / 'facts-before.json', {'plugins': value, 'core': value, 'census': value})
    assert 'box' in report_page.html(report_data.build(tmp_path))


@pytest.mark.parametrize('cell', ['=1+1', '+1', '-1', '@x', '\t=1'])
def test_spreadsheets_do_not_calculate_with_a_box(tmp_path, cell):
    journal.record(tmp_path, cell, 'r', 'assess', 'ok', cell)
    rows = list(csv.DictReader(io.StringIO(''.join(report.as_csv(report_data.build(tmp_path))))))
    assert rows[0]['host'][0] == "'"


def test_a_report_of_500_boxes_can_be_mailed(fleets, tmp_path):
    root = fleets.make(tmp_path / 'a', 500)
    files = report.write(root)
    assert artifacts.Path(files['html']).stat().st_size < 5_000_000


def test_every_word_has_both_languages_and_every_stage_and_outcome_its_word():
    for key, pair in report_text._WORDS.items():
        assert len(pair) == 2 and all(pair), key
        assert pair[0].count('{') == pair[1].count('{'), key
    for key in [*journal.STAGES, *(f's_{name}' for name in journal.STATUSES), *(f'o_{name}' for name in (*journal.OUTCOMES, 'none', 'untouched'))]:
        assert key in report_text._WORDS


@pytest.mark.parametrize('seconds, text', [
    (None, '–'), (0.4, '0\u00a0s'), (59.6, '1\u00a0min 00\u00a0s'), (423, '7\u00a0min 03\u00a0s'), (3840, '1\u00a0h 04\u00a0min')])
def test_durations_for_people(seconds, text):
    assert report_text.Words('en').duration(seconds) == text


@pytest.mark.parametrize('language, size, count', [('en', '1.5\u00a0GB', '1,234,567'), ('fr', '1,5\u00a0Go', '1\u202f234\u202f567')])
def test_numbers_for_people(language, size, count):
    words = report_text.Words(language)
    assert words.size(1.5e9) == size and words.count(1234567) == count


@pytest.mark.parametrize('outcomes, expected', [
    ({'a': 'migrated', 'b': 'already_done'}, None), ({'a': 'migrated', 'b': 'ready'}, '-e jeedom_acknowledge=true --limit b'),
    ({'a': 'unknown'}, 'ansible-playbook x.yml -i inv'), ({f'b{number}': None for number in range(9)}, 'ansible-playbook x.yml -i inv')])
def test_how_to_go_on(outcomes, expected):
    step = status.next_step(outcomes, {'playbook': 'x.yml', 'inventory': ['inv'], 'flags': ['--check']})
    assert (step is None) if expected is None else step[1].endswith(expected)


@pytest.mark.parametrize('titles, title', [
    (['The box has no market account'] * 2, 'The box has no market account'),
    (["The vendor's page would accept this box", "The vendor's page would refuse this box"], "The vendor's page would …"),
    (['Texts: 105', 'Texts: 7'], 'Texts: …'),
])
def test_the_title_of_a_finding_is_true_for_every_box_that_has_it(titles, title):
    finding = {'id': 'x', 'subject': '', 'severity': 'info', 'advice': '', 'fix': '', 'evidence': [], 'accepted': False, 'reason': ''}
    entry = report_data.by_finding([{'host': f'box{number}', 'findings': [dict(finding, title=own)]} for number, own in enumerate(titles)])[0]
    assert entry['title'] == title
    assert [each['title'] or entry['title'] for each in entry['boxes']] == titles
