# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real browser: no script error, no request, filters, keyboard, phone, dark, print, and a box called <script>."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, report, report_page

HOSTILE = '<script>window.hacked = 1</script>'


@pytest.fixture(scope='module')
def browser(browsers):
    if not browsers.executable() and os.geteuid() == 0 and shutil.which('apt-get'):
        subprocess.run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], capture_output=True, check=False)
    if not browsers.executable() and os.geteuid() != 0:
        pytest.skip('no Chromium here, and no root to install Debian\'s')
    assert browsers.executable(), 'Chromium could not be installed: apt-get install chromium says why'
    with browsers.Browser() as running:
        yield running


@pytest.fixture(scope='module')
def page(fleets, tmp_path_factory):
    """The path of the page of 24 boxes, one of which is called like a script, and 6 untouched ones."""
    root = fleets.make(tmp_path_factory.mktemp('browser') / 'artifacts', 24, untouched=6, hosts={5: HOSTILE})
    return report.write(root)['html']


@pytest.fixture
def opened(browser, page):
    browser.errors.clear()
    browser.requests.clear()
    browser.size(1400)
    browser.open('about:blank')
    browser.open(page)
    yield browser
    assert browser.errors == []


def shown(browser):
    return browser.run('document.querySelectorAll("#list > .box:not([hidden])").length')


def test_a_box_called_script_stays_text(opened):
    assert opened.run('typeof window.hacked') == 'undefined'
    assert opened.run(f'[...document.querySelectorAll(".who b")].some(each => each.textContent === {HOSTILE!r})')
    assert opened.run('document.querySelectorAll("script").length') == 1


def test_it_loads_nothing_but_itself(opened, page):
    assert [url for url in opened.requests if url != 'about:blank'] == [f'file://{page}']


def test_search_and_states_filter_the_boxes(opened):
    total = shown(opened)
    assert total == 30 and opened.run('document.getElementById("count").textContent') == '30 of 30 boxes shown'
    opened.run('q.value = "BOX23 maison"; q.dispatchEvent(new Event("input"))')
    assert shown(opened) == 1
    opened.run('q.value = ""; q.dispatchEvent(new Event("input")); document.querySelector(".chips [data-state=migrated]").click()')
    migrated = opened.run('document.querySelectorAll("#list > .box[data-state=migrated]").length')
    assert shown(opened) == migrated < total
    assert opened.run('document.querySelector(".chips [data-state=migrated]").getAttribute("aria-pressed")') == 'true'
    opened.run('document.querySelector(".chips [data-state=migrated]").click()')
    assert shown(opened) == total


def test_every_finding_of_a_box_is_found(browser, fleets, tmp_path, monkeypatch):
    root = fleets.make(tmp_path / 'a', 3)
    path = root / fleets.RUN / 'box2' / 'findings.json'
    several = [{'id': f'own_{number}', 'severity': severity, 'title': f'Hair number{number} of the box ' + 'is very long ' * 9}
               for severity, numbers in (('warning', range(8)), ('info', range(8, 12))) for number in numbers]
    artifacts.write_json(path, [*artifacts.read_json(path), *several])
    browser.size(1400)
    for boxes, sought in ((500, '#list > .box:not([hidden])'), (1, '#list > tr')):
        monkeypatch.setattr(report_page, 'PAGE_BOXES', boxes)
        browser.open('about:blank')
        browser.open(report.write(root)['html'])
        for number in (0, 7, 11):
            for words in (f'box2 NUMBER{number} hair', f'own_{number}'):
                browser.run(f'q.value = "{words}"; q.dispatchEvent(new Event("input"))')
                assert browser.run(f'document.querySelectorAll("{sought}").length') == 1, words
                assert browser.run(f'document.querySelector("{sought}").textContent').find('box2') >= 0
    browser.run('q.value = "box1 number7"; q.dispatchEvent(new Event("input"))')
    assert browser.run('document.querySelectorAll("#list > tr").length') == 0


@pytest.mark.parametrize('width', [320, 360, 1400])
def test_words_without_end_stick_out_nowhere(browser, fleets, tmp_path, width):
    root = fleets.make(tmp_path / 'a', 3, hosts={2: 'x' * 120})
    path = root / fleets.RUN / 'box1' / 'findings.json'
    word = 'installateur_domotique_residence@agence_immobiliere_lyon.example'
    artifacts.write_json(path, [*artifacts.read_json(path), {
        'id': 'default_password', 'severity': 'warning', 'title': f'User {word} has it', 'subject': word, 'evidence': ['/var/www/' + 'd' * 180],
        'advice': 'https://doc.example/' + 'a' * 180, 'fix': f'jeedom_x: [{"z" * 180}]'}])
    browser.size(width, phone=width < 500)
    browser.open('about:blank')
    browser.open(report.write(root)['html'])
    assert browser.run('document.documentElement.scrollWidth') <= width
    browser.run('document.querySelectorAll("details").forEach(each => each.open = true)')
    assert browser.run('document.documentElement.scrollWidth') <= width
    outside = ('[...document.querySelectorAll(".finding *")].filter(each => each.getBoundingClientRect().right > innerWidth + 1)'
               '.map(each => each.tagName + each.textContent.slice(0, 30))')
    assert browser.run(outside) == []


def test_accents_do_not_matter_to_the_search(opened):
    opened.run('document.querySelector(".box").dataset.q = "Médiathèque"; q.value = "mediatheque"; q.dispatchEvent(new Event("input"))')
    assert shown(opened) == 1


def test_a_link_to_a_filtered_box_shows_and_opens_it(opened):
    opened.run('q.value = "nothing fits this"; q.dispatchEvent(new Event("input"))')
    assert shown(opened) == 0
    opened.run('document.querySelector(".map a").click()')
    deadline = time.time() + 60
    while not opened.run('(document.querySelector(document.querySelector(".map a").getAttribute("href")) || {}).open') and time.time() < deadline:
        time.sleep(0.05)
    assert shown(opened) == 30 and opened.run('document.activeElement.tagName') == 'SUMMARY'


def test_the_keyboard_gets_everywhere(opened):
    opened.key('Tab', 9)
    assert opened.run('document.activeElement.className') == 'skip'
    seen = set()
    for _press in range(110):
        opened.key('Tab', 9)
        seen.add(opened.run('document.activeElement.id || document.activeElement.className || document.activeElement.tagName'))
    assert {'theme', 'q', 'openall', 'SUMMARY'} <= seen
    opened.run('document.querySelector(".box summary").focus()')
    opened.key('Enter', 13)
    assert opened.run('document.querySelector(".box").open') is True


def test_a_screen_reader_finds_names_for_everything(opened):
    nodes = opened.call('Accessibility.getFullAXTree')['nodes']
    roles = ('button', 'link', 'textbox', 'searchbox', 'image', 'heading')
    nameless = [node for node in nodes if not node.get('ignored') and node['role'].get('value') in roles
                and not node.get('name', {}).get('value')]
    assert nameless == []
    levels = opened.run('[...document.querySelectorAll("h1,h2,h3")].map(each => +each.tagName[1])')
    assert levels[0] == 1 and levels.count(1) == 1 and all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize('width', [320, 360, 768, 1400])
def test_nothing_sticks_out_on_any_width(opened, width):
    opened.size(width, phone=width < 500)
    opened.run('document.querySelectorAll("details").forEach(each => each.open = true)')
    assert opened.run('document.documentElement.scrollWidth') <= width


CONTRAST = '''(() => {
  const lum = c => { const [r, g, b] = c.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (c !== 'rgba(0, 0, 0, 0)') return c; }
    return 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('h1,h2,h3,p,td,th,b,span,small,a,button,dt,dd,summary')]
    .filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(e => { const [x, y] = [lum(getComputedStyle(e).color), lum(back(e))]
      .sort((a, b) => b - a); return [(x + .05) / (y + .05), e.className + ' ' + e.textContent.slice(0, 30)]; })
    .filter(([ratio]) => ratio < 4.5).map(([ratio, what]) => ratio.toFixed(2) + ' ' + what).slice(0, 10);
})()'''


@pytest.mark.parametrize('dark', [False, True])
def test_text_can_be_read_in_light_and_dark(opened, dark):
    opened.size(1400, dark=dark)
    opened.run('document.querySelectorAll("details").forEach(each => each.open = true)')
    assert opened.run(CONTRAST) == []


def test_the_theme_can_be_switched(opened):
    before = opened.run('getComputedStyle(document.body).backgroundColor')
    opened.run('theme.click()')
    assert opened.run('getComputedStyle(document.body).backgroundColor') != before


def test_print_has_every_box_and_no_controls(opened, tmp_path):
    opened.run('document.querySelector(".chips [data-state=failed]").click()')
    opened.pdf(tmp_path / 'report.pdf')
    data = (tmp_path / 'report.pdf').read_bytes()
    assert data.startswith(b'%PDF') and len(re.findall(rb'/Type\s*/Page\b', data)) >= 4
    opened.call('Emulation.setEmulatedMedia', media='print')
    assert opened.run('getComputedStyle(document.querySelector("nav")).display') == 'none'
    assert opened.run('[...document.querySelectorAll("#list > .box")].every(each => getComputedStyle(each).display !== "none")')
    # What is only good to know is on paper once, with the findings, and no open box begins a page of its own.
    assert opened.run('getComputedStyle(document.querySelector(".box .f-info")).display') == 'none'
    assert opened.run('[...document.querySelectorAll("details[open]")].every(each => getComputedStyle(each).breakInside === "auto")')
    opened.call('Emulation.setEmulatedMedia', media='')


def test_500_boxes_are_there_and_can_be_searched(browser, fleets, tmp_path):
    path = report.write(fleets.make(tmp_path / 'a', 500))['html']
    browser.size(1400)
    browser.open(path)
    assert shown(browser) == 500
    browser.run('q.value = "box49"; q.dispatchEvent(new Event("input"))')
    assert shown(browser) == 11


@pytest.fixture
def first(browser, fleets, tmp_path, monkeypatch):
    """The first page of a fleet of several pages, one box of which is called like a script."""
    for name, value in (('PAGE_BOXES', 10), ('LISTED', 5)):
        monkeypatch.setattr(report_page, name, value)
    path = report.write(fleets.make(tmp_path / 'a', 24, untouched=2, hosts={5: HOSTILE}))['html']
    browser.errors.clear()
    browser.size(1400)
    browser.open('about:blank')
    browser.open(path)
    yield browser
    assert browser.errors == [] and browser.run('typeof window.hacked') == 'undefined'


LISTED = '[...document.querySelectorAll("#list a")].map(each => each.textContent)'


def test_a_large_fleet_is_searched_from_its_first_page(first):
    assert len(first.run(LISTED)) == 5 and first.run('document.getElementById("count").textContent').endswith('of 26 boxes fit')
    first.run(f'q.value = {HOSTILE[:14]!r}; q.dispatchEvent(new Event("input"))')
    assert first.run(LISTED) == [HOSTILE]
    first.run('q.value = ""; document.querySelector(".chips [data-state=untouched]").click()')
    assert first.run(LISTED) == ['box25', 'box26'] and first.run('document.querySelector("#list .state").textContent').strip() == 'Not started'
    target = first.run('document.querySelector("#list a").href')
    first.open('about:blank')
    first.open(target)
    assert first.run('document.querySelector(location.hash).open') is True
    assert first.run('document.querySelector(location.hash + " b").textContent') == 'box25'


def test_the_first_page_is_for_everybody(first):
    nodes = first.call('Accessibility.getFullAXTree')['nodes']
    assert [node for node in nodes if not node.get('ignored') and node['role'].get('value') in ('button', 'link', 'searchbox', 'image', 'heading', 'region')
            and not node.get('name', {}).get('value')] == []
    for width in (320, 1400):
        first.size(width, phone=width < 500)
        assert first.run('document.documentElement.scrollWidth') <= width
    for dark in (False, True):
        first.size(1400, dark=dark)
        assert first.run(CONTRAST) == []


@pytest.mark.parametrize('role, least', [('banner', 1), ('navigation', 1), ('main', 1), ('contentinfo', 1), ('region', 8)])
def test_a_screen_reader_jumps_by_landmarks(opened, role, least):
    nodes = [node for node in opened.call('Accessibility.getFullAXTree')['nodes'] if not node.get('ignored') and node['role'].get('value') == role]
    assert len(nodes) >= least


def test_cells_of_tables_have_headers(opened):
    bare = '!each.querySelector("thead th") || !each.querySelector("tbody th[scope=row]")'
    assert opened.run(f'[...document.querySelectorAll("table")].filter(each => {bare}).length') == 0
