# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding has its French, and the French page shows it. A check was added? Give it an entry in knowledge/checks_fr.yml."""

from __future__ import annotations

import re

import pytest
from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, checks_base, knowledge, report_data

KNOWN = knowledge.load()
# singular and plural of an English verb
NOT_IN_FRENCH = {('post_health', 'title'): {'verb'}}


def places(text: str) -> set[str]:
    """Placeholders of a text."""
    return set(re.findall(r'\{(\w+)\}', text))


def test_every_check_has_its_french_and_no_other():
    assert set(KNOWN.section('checks_fr')) == set(KNOWN.section('checks'))


@pytest.mark.parametrize('entry', KNOWN.section('checks').values(), ids=lambda entry: entry['id'])
def test_the_french_says_what_the_english_says(entry):
    french = KNOWN.entry('checks_fr', entry['id'])
    for key in ('title', 'advice'):
        assert places(french.get(key, '')) == places(entry[key]) - NOT_IN_FRENCH.get((entry['id'], key), set())
        assert french[key] != entry[key] or entry[key].startswith('{')


def test_a_finding_brings_its_french_filled_in(assess, facts):
    facts['core']['version_file'] = facts['core']['version_db'] = '3.3.50'
    found = next(item for item in assess(facts).findings if item['id'] == 'core_old_v3')
    assert found['fr']['title'] == 'Le core est en 3.3.50, plus ancien que 3.3.60'
    assert found['title'] == 'The core is 3.3.50, older than 3.3.60'


def test_a_removal_by_consent_is_told_in_french_as_well():
    found = assessment._finding(checks_base.hit('plugin_timeline', ['timeline'], subject='timeline', equipments='2'), KNOWN, {}, ['timeline'])
    assert found['fr']['advice'].startswith('Sera retiré par prepare') and found['advice'].startswith('Will be removed by prepare')


@pytest.mark.parametrize('french', [{}, {'id': 'core_old_v3', 'title': 'La version {nothing}', 'advice': 'x'},
                                    {'id': 'core_old_v3', 'title': 'Un {', 'advice': 'x'}])
def test_an_overlay_without_usable_french_leaves_the_english(french):
    known = knowledge.Knowledge({**KNOWN.sections, 'checks_fr': {'core_old_v3': french} if french else {}})
    found = assessment._finding(checks_base.hit('core_old_v3', ['3.3.50'], file='3.3.50'), known, {}, ())
    assert found['fr'] is None and found['title']


@pytest.mark.parametrize(('language', 'title'), [('fr', 'Un titre'), ('en', 'A title'), ('de', 'A title')])
def test_the_report_takes_the_words_of_its_language(language, title):
    told = report_data.findings([{'id': 'x', 'severity': 'info', 'title': 'A title', 'advice': 'Do.', 'fr': {'title': 'Un titre'}}], language)
    assert told[0]['title'] == title and told[0]['advice'] == 'Do.'


def test_french_of_a_hostile_file_is_text_like_any_other():
    told = report_data.findings([{'id': 'x', 'title': 'A', 'fr': {'title': '<b>\x1b[31m', 'advice': ['a', 1]}}, {'id': 'y', 'title': 'B', 'fr': 7}], 'fr')
    assert [item['title'] for item in told] == ['<b> [31m', 'B']
