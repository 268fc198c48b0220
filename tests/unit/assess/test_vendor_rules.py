# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own rules with their exact order (contract 3.1, 3.2)."""

from __future__ import annotations

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_plugins import market_rule
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_system import vendor_os_rule

from .conftest import put

KNOWN = knowledge.load()


@pytest.mark.parametrize('distribution, version, allowed, level', [
    ('raspbian', '8.0', True, 'red'), ('ubuntu', 'buster/sid', True, 'red'), (None, '10.4', True, 'red'),
    ('debian', '8.11', False, 'red'), ('debian', '7', False, 'red'), ('Debian', '8', False, 'red'),
    ('debian', '9.0', True, 'orange'), ('debian', '9.13\n', True, 'orange'), ('debian', '10.0', True, 'green'), ('debian', '10.13', True, 'green'),
    ('debian', '11.7', True, 'none'), ('debian', '12.5', True, 'none'), ('debian', '13.0', True, 'none'),
    ('debian', 'bookworm/sid', True, 'none'), ('debian', 'stretch/sid', True, 'none'), ('debian', 'kali-rolling', True, 'none'),
])
def test_os_rules(distribution, version, allowed, level):
    rule = vendor_os_rule(KNOWN, distribution, version)
    assert (rule['allowed'], rule['level']) == (allowed, level)


def answer(**values):
    """A market answer that no rule but the last matches."""
    return dict({'id': 1, 'name': 'X', 'certification': 'Officiel', 'parameters': {'github::stable::version': 'a'},
                 'hardwareCompatibility': {'v4': '0'}}, **values)


NO_STABLE = {'parameters': {'github::stable::version': ''}}
V4 = {'hardwareCompatibility': {'v4': '1'}}


@pytest.mark.parametrize('given, rule, blocks', [
    (None, 'unknown', False),
    (answer(name='Widgets'), 'widgets', False), (answer(name='Timeline'), 'timeline', True), (answer(certification='Obsolète'), 'obsolete', True),
    (answer(certification='Legacy'), 'legacy', False), (answer(**NO_STABLE), 'no_stable', False), (answer(**V4), 'compatible', False),
    (answer(hardwareCompatibility={'v4': 1}), 'compatible', False), (answer(), 'unconfirmed', False), ({'id': 1}, 'unconfirmed', False),
    # the first that matches wins
    (answer(name='Widgets', certification='Obsolète', **V4), 'widgets', False),
    (answer(name='Timeline', certification='Obsolète', **V4), 'timeline', True),
    (answer(certification='Obsolète', **NO_STABLE, **V4), 'obsolete', True),
    (answer(certification='Legacy', **NO_STABLE, **V4), 'legacy', False),
    (answer(**NO_STABLE, **V4), 'no_stable', False),
    # what is not quite a match is none: the key missing, another case, the vendor's client with its accents lost
    (answer(parameters={}, **V4), 'compatible', False), (answer(name='widgets', **V4), 'compatible', False),
    (answer(certification='Obsolte', **V4), 'compatible', False),
    (answer(parameters=[], hardwareCompatibility='x', certification={'a': 1}), 'unconfirmed', False), ({}, 'unconfirmed', False),
])
def test_plugin_rules(given, rule, blocks):
    found = market_rule(KNOWN, given)
    assert (found['id'], found['blocks']) == (rule, blocks)


def told(result, plugin):
    """Ids of the findings about a plugin."""
    return {finding['id'] for finding in result.findings if finding['subject'] == plugin}


def test_the_rules_count_for_inactive_plugins_too(facts, assess):
    facts['plugins']['items'][0]['active'] = False
    assert told(assess(facts, market={'online': True, 'plugins': {'virtual': answer(certification='Obsolète')}}), 'virtual') == {'plugin_obsolete'}


def test_a_plugin_that_the_market_does_not_know_is_shown(facts, assess):
    result = assess(facts, market={'online': True, 'plugins': {'virtual': None}})
    assert told(result, 'virtual') == {'plugin_unknown'}
    facts['plugins']['items'][0]['source'] = 'github'
    result = assess(facts, market={'online': True, 'plugins': {'virtual': None}})
    assert told(result, 'virtual') == {'plugin_not_from_market'}
    assert any('market: unknown' in line for finding in result.findings for line in finding['evidence']) or told(result, 'virtual')


@pytest.mark.parametrize('plugin, market, verdict', [
    ('virtual', {}, 'accept'), ('timeline', {}, 'refuse'), ('virtual', {'virtual': answer(certification='Obsolète')}, 'refuse'),
    ('virtual', {'virtual': None}, 'accept'), ('mystery', {'mystery': answer()}, 'accept'),
])
def test_what_the_vendors_page_would_say(facts, assess, plugin, market, verdict):
    facts['plugins']['items'][0]['id'] = plugin
    result = assess(facts, market={'online': bool(market), 'plugins': market})
    assert verdict in next(finding for finding in result.findings if finding['id'] == 'vendor_page')['title']


def test_the_vendors_page_refuses_old_debian_and_old_hardware(facts, assess):
    put(facts, 'hardware.detected', 'miniplus')
    assert 'refuse' in next(item for item in assess(facts).findings if item['id'] == 'vendor_page')['title']
    put(facts, 'hardware.detected', 'diy')
    put(facts, 'os.debian_version', '8.11')
    assert 'refuse' in next(item for item in assess(facts).findings if item['id'] == 'vendor_page')['title']
