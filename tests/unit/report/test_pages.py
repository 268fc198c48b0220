# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet that is too large for one page: a first page with the whole and the exceptions, and pages that tell all about their boxes."""

from __future__ import annotations

import html
import json
import re

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import report, report_data, report_page

HOSTILE = '</script><script>window.hacked = 1</script>'


@pytest.fixture(scope='module')
def told(fleets, tmp_path_factory):
    """12 boxes, one with a hostile name."""
    return report_data.build(fleets.make(tmp_path_factory.mktemp('pages') / 'a', 12, hosts={11: HOSTILE}))


@pytest.fixture
def small_pages(monkeypatch):
    """Five boxes are a page, two are listed, two beside a finding: so 12 boxes are a large fleet."""
    monkeypatch.setattr(report_page, 'PAGE_BOXES', 5)
    monkeypatch.setattr(report_page, 'LISTED', 2)
    monkeypatch.setattr(report_page, 'LISTED_BESIDE', 2)


@pytest.fixture
def pages(told, small_pages):
    return dict(report_page.pages(told))


def data(page):
    """What the search of the first page looks through."""
    return json.loads(re.search(r'id="rows">(.*?)</script>', page, re.DOTALL).group(1))


def test_up_to_so_many_boxes_are_one_page(told):
    assert [name for name, _page in report_page.pages(told)] == ['index.html']


def test_every_box_is_told_of_on_one_page_and_found_from_the_first(told, pages):
    assert sorted(pages) == ['boxes-001.html', 'boxes-002.html', 'boxes-003.html', 'index.html']
    found = data(pages['index.html'])
    assert [row[0] for row in found['rows']] == [each['host'] for each in told['boxes']]
    for host, _name, _state, _version, page, number, *_rest in found['rows']:
        target = re.search(rf'id="b{number}".*?<b>(.*?)</b>', pages[found['files'][page]], re.DOTALL).group(1)
        assert target == host.replace('<', '&lt;').replace('>', '&gt;')


def test_what_was_found_on_a_box_is_searched_from_the_first_page(told, pages):
    found = data(pages['index.html'])
    for row, each in zip(found['rows'], told['boxes'], strict=True):
        assert len(row[7]) == len(each['findings'])
        for index, item in zip(row[7], each['findings'], strict=True):
            assert item['id'] in found['findings'][index] and item['title'].split(':')[0] in found['findings'][index]


def test_a_page_with_many_findings_has_fewer_boxes(told, monkeypatch):
    assert len(dict(report_page.pages(told))) == 1
    weight = sum(map(report_page._weight, told['boxes']))
    monkeypatch.setattr(report_page, 'PAGE_WEIGHT', weight // 2 + max(map(report_page._weight, told['boxes'])))
    assert sorted(dict(report_page.pages(told))) == ['boxes-001.html', 'boxes-002.html', 'index.html']
    monkeypatch.setattr(report_page, 'PAGE_WEIGHT', 1)
    assert len(dict(report_page.pages(told))) == 1 + len(told['boxes'])


def test_all_links_of_the_first_page_lead_somewhere(pages):
    for file, anchor in re.findall(r'href="(boxes-\d+\.html)#?([^"]*)"', pages['index.html']):
        assert not anchor or f'id="{anchor}"' in pages[file]
    for anchor in re.findall(r'href="#([^"]+)"', pages['index.html']):
        # the icons' names and the sections
        assert f'id="{anchor}"' in pages['index.html']


def test_who_needs_a_look_is_listed_first_and_the_rest_is_counted(told, pages):
    listed = re.search(r'<tbody id="list">(.*?)</tbody>', pages['index.html'], re.DOTALL).group(1)
    wrong = [each for each in told['boxes'] if each['outcome'] not in ('migrated', 'already_done')]
    assert [html.unescape(name) for name in re.findall(r'<a href="[^"]*">(.*?)</a>', listed)] == [each['host'] for each in wrong[:2]] and len(wrong) > 2
    assert f'{len(wrong)} boxes are not on V4' in pages['index.html'] and f'{len(wrong) - 2} more fit' in pages['index.html']


def test_the_map_has_a_square_for_every_box(told, pages):
    strips = re.findall(r'<path class="s-(\w+)" d="([^"]*)"/>', pages['index.html'].split('class="pages"', 1)[1].split('</ol>', 1)[0])
    squares: dict[str, int] = {}
    for state, path in strips:
        squares[state] = squares.get(state, 0) + path.count('M')
    assert squares == told['summary']['outcomes']


def test_a_finding_of_many_boxes_names_some_and_counts_the_others(told, pages):
    many = max(told['findings'], key=lambda item: len(item['boxes']))
    assert f'and {len(many["boxes"]) - 2} more, on the pages of the boxes' in pages['index.html']


def test_archives_are_on_the_pages_of_their_boxes_and_missing_ones_on_the_first_too(fleets, tmp_path, small_pages):
    root = fleets.make(tmp_path / 'a', 7)
    gone, kept = (next((root / f'archives/{box}').glob('backup-*-08h02.tar.gz')) for box in ('box1', 'box2'))
    gone.unlink()
    report.write(root)
    pages = {path.name: path.read_text(encoding='utf-8') for path in (root / 'report').glob('*.html')}
    assert gone.name in pages['index.html'] and kept.name not in pages['index.html']
    assert gone.name in pages['boxes-001.html'] and kept.name in pages['boxes-001.html']


def test_a_hostile_name_opens_no_script_of_its_own(pages):
    for name, page in pages.items():
        assert page.count('<script') == (2 if name == 'index.html' else 1) and 'window.hacked = 1</script><' not in page


def test_pages_of_a_larger_fleet_do_not_stay(fleets, tmp_path, small_pages, monkeypatch):
    root = fleets.make(tmp_path / 'a', 12)
    report.write(root)
    assert len(list((root / 'report').glob('boxes-*.html'))) == 3
    monkeypatch.setattr(report_page, 'PAGE_BOXES', 500)
    report.write(root)
    assert list((root / 'report').glob('boxes-*.html')) == []


def test_json_piece_by_piece_is_the_json_of_the_whole(told):
    assert json.loads(''.join(report.as_json(told))) == json.loads(json.dumps(told))
