# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health module with facts in the same call."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import health
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


@pytest.fixture
def looked(box, monkeypatch):
    """Params of a call; looked.order says what was looked at."""
    class Looked(dict):
        order = []

    monkeypatch.setattr(health, '_look', lambda installation, params: Looked.order.append('health') or dict(changed=False, health=dict(status='ok')))
    monkeypatch.setattr(health.facts, 'collect', lambda installation, params: Looked.order.append('facts') or dict(
        subset=params['gather_subset'], until=params['census_until'], others=(params['core_manifest'], params['urls'])))
    Looked.order = []
    return Looked(web_root=box.web_root, gather_subset=[], census_until=None, expect_version=None)


def test_without_sections_there_are_no_facts(looked):
    assert 'ansible_facts' not in health.run(looked, False) and looked.order == ['health']


def test_facts_are_gathered_after_the_checks_which_wait_for_the_engine(looked):
    told = health.run(dict(looked, gather_subset=['core', 'census'], census_until='2026-01-01 00:00:00'), False)
    assert told['health']['status'] == 'ok' and looked.order == ['health', 'facts']
    assert told['ansible_facts']['jeedom'] == dict(subset=['core', 'census'], until='2026-01-01 00:00:00', others=({}, []))


def test_a_section_that_there_is_none_of_is_told_before_anything_is_waited_for(looked):
    with pytest.raises(BoxError) as caught:
        health.run(dict(looked, gather_subset=['nonsense']), False)
    assert caught.value.code == 'bad_subset' and looked.order == []
