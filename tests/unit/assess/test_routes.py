# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Routes: those seen to end well on the genuine core, and the sentences when there is none."""

from __future__ import annotations

import re

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge, routes

KNOWN = knowledge.load()


def names(start, target='4.5.3', allow=(), **box):
    """The versions of a route."""
    return [hop['version'] for hop in routes.find(KNOWN, start, target, routes.box(**box), allow)]


@pytest.mark.parametrize('start, target, box, expected', [
    ('3.3.60', '4.5.3', {'php': '7.4.33', 'debian': 11}, ['4.0.63', '4.1.28', '4.4.20', '4.5.3']),
    ('3.3.39', '4.5.3', {}, ['4.0.63', '4.1.28', '4.4.20', '4.5.3']),
    ('4.0.62', '4.5.3', {}, ['4.1.28', '4.4.20', '4.5.3']),
    ('4.1.17', '4.5.3', {}, ['4.1.28', '4.4.20', '4.5.3']),
    ('4.1.19', '4.5.3', {}, ['4.4.20', '4.5.3']),
    ('4.1.28', '4.5.3', {}, ['4.4.20', '4.5.3']),
    ('4.2.7', '4.5.3', {}, ['4.4.20', '4.5.3']),
    ('4.3.23', '4.5.3', {}, ['4.4.20', '4.5.3']),
    ('4.4.12', '4.5.3', {}, ['4.4.20', '4.5.3']),
    ('4.4.8.1', '4.5.3', {}, ['4.4.20', '4.5.3']),
    ('4.4.20', '4.5.3', {}, ['4.5.3']),
    ('4.5.1', '4.5.3', {}, ['4.5.3']),
    ('4.5', '4.5.2', {}, ['4.5.2']),
    ('3.3.60', '4.1.28', {'php': '7.0.33', 'debian': 9}, ['4.0.63', '4.1.28']),
    ('3.3.60', '4.4.20', {'php': '7.3', 'debian': 10}, ['4.0.63', '4.1.28', '4.4.20']),
    ('3.3.60', '4.2.21', {}, ['4.0.63', '4.1.28', '4.2.21']),
    ('4.4.20', '4.5.3', {'php': '8.2', 'debian': 12}, ['4.5.3']),
])
def test_route(start, target, box, expected):
    assert names(start, target, **box) == expected


def test_design_positions_are_lost_only_when_that_is_allowed():
    assert names('3.3.60', '4.1.28') == ['4.0.63', '4.1.28']
    assert names('3.3.60', '4.1.28', allow=('design_positions',)) == ['4.1.28']


def test_a_hop_tells_what_the_next_step_needs():
    first, second = routes.find(KNOWN, '3.3.60', '4.1.28')
    assert first == {'version': '4.0.63', 'ref': '4.0.63', 'file_version': '4.0.62', 'from': '3.3.60', 'resting': False,
                     'content_sha256': KNOWN.version('4.0.63')['content_sha256']}
    assert second['from'] == '4.0.62'


@pytest.mark.parametrize('start, target, box, code, words', [
    ('3.3.60', '4.5.9', {}, 'unknown_target', ['4.5.9', '4.5.3', 'jeedom_target_version']),
    ('3.3.60', '3.3.60', {}, 'unknown_target', ['3.3.60']),
    ('3.3.60', 'latest', {}, 'unknown_target', ['latest', '4.5.3']),
    ('4.5.3', '4.5.3', {}, 'already_done', ['4.5.3', 'nothing to do']),
    ('4.5.3', '4.1.28', {}, 'already_done', ['newer']),
    (None, '4.5.3', {}, 'unreadable_version', ['core/config/version']),
    ('garbage', '4.5.3', {}, 'unreadable_version', ['garbage']),
    ('3.1.7', '4.5.3', {}, 'no_route', ['3.1.7', 'knowledge overlay']),
    ('3.3.60', '4.5.3', {'debian': 10, 'php': '7.3'}, 'os_too_old', ['Debian 10', 'Debian 11', 'choose 4.4.20', 'or move it to a newer Debian first.']),
    ('3.3.60', '4.5.3', {'debian': 9, 'php': '7.0'}, 'os_too_old', ['Debian 9', 'choose 4.1.28']),
    ('3.3.60', '4.2.21', {'debian': 9, 'php': '7.0'}, 'os_too_old', ['Debian 9', 'choose 4.1.28']),
    ('3.3.60', '4.1.28', {'debian': 8, 'php': '5.6'}, 'os_too_old', ['Debian 8', 'no V4']),
    ('3.3.60', '4.5.3', {'debian': 11, 'php': ['7.4', '7.0']}, 'php_too_old', ['PHP 7.0', 'PHP 7.4', 'or give it a newer PHP first.']),
    ('3.3.60', '4.5.3', {'debian': 12, 'php': '8.2'}, 'php_too_new', ['PHP 8.2', 'PHP 7.4', 'or give it an older PHP first.']),
    ('3.3.60', '4.4.20', {'debian': 11, 'php': '7.4', 'mariadb': '10.1.48'}, 'database_too_old',
     ['10.1.48', '10.2.3', 'choose 4.1.28', 'or update its MariaDB first.']),
])
def test_refusal(start, target, box, code, words):
    with pytest.raises(routes.RouteError) as error:
        routes.find(KNOWN, start, target, routes.box(**box))
    assert error.value.code == code
    for word in words:
        assert word in str(error.value)
    assert str(error.value).endswith('.') and '\n' not in str(error.value)


def test_a_loss_that_nobody_allowed_is_named(tmp_path):
    (tmp_path / 'o.yml').write_text('schema: 1\nhops:\n  - {id: v3-to-4.0, removed: true}\n')
    alone = knowledge.load([tmp_path / 'o.yml'])
    with pytest.raises(routes.RouteError) as error:
        routes.find(alone, '3.3.60', '4.1.28')
    assert error.value.code == 'loses' and 'jeedom_allow' in str(error.value) and 'design_positions' in str(error.value)


def test_a_new_version_is_one_entry_and_no_code(tmp_path):
    (tmp_path / 'new.yml').write_text(
        'schema: 1\nversions:\n  - {id: "4.5.4", ref: "4.5.4", file_version: "4.5.4", php: {min: "7.4", max: "8.4"}, debian: {min: 11},\n'
        '     resting: true, source: the release of tomorrow}\n')
    overlaid = knowledge.load([tmp_path])
    assert [hop['version'] for hop in routes.find(overlaid, '3.3.60', '4.5.4')] == ['4.0.63', '4.1.28', '4.4.20', '4.5.4']
    assert [hop['version'] for hop in routes.find(overlaid, '4.5.3', '4.5.4')] == ['4.5.4']


def test_every_version_that_a_box_can_be_brought_to_is_pinned():
    pins = [KNOWN.version(target).get('content_sha256') or '' for target in KNOWN.targets()]
    assert all(re.fullmatch('[0-9a-f]{64}', pin) for pin in pins) and len(set(pins)) == len(pins)


def test_an_overlay_pins_its_own_content_or_none(tmp_path):
    (tmp_path / 'mine.yml').write_text(
        f'schema: 1\nversions:\n  - {{id: "4.5.3", content_sha256: {"1" * 63}a, sha256: {"2" * 63}b}}\n  - {{id: "4.4.20", content_sha256: null}}\n')
    hops = {hop['version']: hop for hop in routes.find(knowledge.load([tmp_path]), '4.1.28', '4.5.3')}
    assert (hops['4.5.3']['content_sha256'], hops['4.5.3']['sha256']) == ('1' * 63 + 'a', '2' * 63 + 'b')
    assert 'content_sha256' not in hops['4.4.20'] and 'sha256' not in hops['4.4.20']
