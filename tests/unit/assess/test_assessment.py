# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdict, consent, acceptance, states that are ours, hostile boxes."""

from __future__ import annotations


import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, knowledge

from .conftest import NOW, put

KNOWN = knowledge.load()


def ids(result, severity=None):
    """Ids of the findings, of one severity or of all."""
    return [finding['id'] for finding in result.findings if severity in (None, finding['severity'])]


def timeline(facts):
    """The box with plugin timeline."""
    facts['plugins']['items'].append(dict(facts['plugins']['items'][0], id='timeline', equipments=2))
    return facts


def test_everything_is_found_at_once(facts, assess):
    timeline(facts)
    put(facts, 'access.sudo', False)
    put(facts, 'storage.paths.web_root.read_only', True)
    put(facts, 'os.debian_major', 10)
    put(facts, 'php.cli.version', '7.3.31')
    put(facts, 'php.apache.versions', ['7.3'])
    result = assess(facts)
    assert set(ids(result, 'blocker')) == {'plugin_timeline', 'sudo_missing', 'read_only', 'debian_too_old', 'php_too_old'}
    assert result.verdict == 'blocked' and result.route == []
    for name in ids(result, 'blocker'):
        assert name in result.summary['text']
    assert result.summary['text'].count('.  ') == 0 and '\n' not in result.summary['text']


def test_consent_to_a_removal_opens_the_way(facts, assess):
    timeline(facts)
    assert assess(facts).verdict == 'blocked'
    result = assess(facts, policy={'remove_plugins': ['timeline']})
    finding = next(item for item in result.findings if item['id'] == 'plugin_timeline')
    assert finding['severity'] == 'warning' and finding['automatic'] and 'removed by prepare' in finding['advice']
    assert result.verdict == 'ready_with_warnings'
    assert assess(facts, policy={'remove_plugins': ['other']}).verdict == 'blocked'


def test_a_finding_is_accepted_by_name_with_a_reason(facts, assess):
    put(facts, 'access.sudo', False)
    result = assess(facts, accept=[{'id': 'sudo_missing', 'reason': 'sudo comes with the next image'}])
    finding = next(item for item in result.findings if item['id'] == 'sudo_missing')
    assert finding['accepted'] is True and finding['reason'] == 'sudo comes with the next image' and finding['severity'] == 'blocker'
    assert result.verdict == 'ready' and result.summary['accepted'] == 1


def test_one_subject_can_be_accepted_alone(facts, assess):
    answer = {'id': 1, 'name': 'X', 'certification': 'Obsolète'}
    facts['plugins']['items'].append(dict(facts['plugins']['items'][0], id='karotz'))
    market = {'online': True, 'plugins': {'virtual': answer, 'karotz': answer}}
    result = assess(facts, market=market, accept=[{'id': 'plugin_obsolete:karotz', 'reason': 'kept'}])
    assert [finding['subject'] for finding in result.blockers()] == ['virtual']
    assert 'plugin_obsolete:virtual' in result.summary['text']


@pytest.mark.parametrize('accept, code, word', [
    ([{'id': 'sudo_mising', 'reason': 'x'}], 'unknown_finding', 'sudo_missing'),
    ([{'id': 'plugin_obsolet:karotz', 'reason': 'x'}], 'unknown_finding', 'plugin_obsolete'),
    ([{'id': 'sudo_missing'}], 'no_reason', 'reason'),
    ([{'id': 'sudo_missing', 'reason': '  '}], 'no_reason', 'reason'),
    ([{'id': 'no_route', 'reason': 'x'}], 'not_acceptable', 'cannot be accepted'),
    ([{'id': 'jeedom_busy', 'reason': 'x'}], 'not_acceptable', 'cannot be accepted'),
    ([{'reason': 'x'}], 'bad_accept', 'no id'), (['sudo_missing'], 'bad_accept', 'no id'), ('sudo_missing', 'bad_accept', 'list'),
])
def test_acceptance_that_cannot_be_followed(facts, assess, accept, code, word):
    with pytest.raises(assessment.AssessmentError) as error:
        assess(facts, accept=accept)
    assert error.value.code == code and word in str(error.value) and str(error.value).endswith('.')


def test_a_box_on_its_target_is_done_and_is_not_bothered(facts, assess):
    timeline(facts)
    put(facts, 'core.version_file', '4.5.3')
    put(facts, 'core.version_db', '4.5.3')
    put(facts, 'access.sudo', False)
    result = assess(facts)
    assert result.verdict == 'already_done' and result.route == [] and result.findings == []


@pytest.mark.parametrize('signs', [['engine_off', 'no_end_marker'], ['engine_off', 'unzip_leftover']])
def test_a_box_on_its_target_but_half_way_is_not_done(facts, assess, signs):
    for path, value in (('core.version_file', '4.5.3'), ('core.version_db', '4.5.3'), ('core.half_updated', True),
                        ('core.half_update_signs', signs), ('engine.enable_cron', False)):
        put(facts, path, value)
    result = assess(facts)
    assert result.verdict == 'blocked' and ids(result, 'blocker') == ['half_migrated']


def test_the_state_of_a_failed_one_click_migration_is_one_finding_with_its_remedy(facts, assess):
    """As recorded on the genuine core after 3.3.60 -> 4.4.20 died (contract 4.3)."""
    for path, value in (('core.version_file', '4.4.20'), ('core.version_db', '4.4.20'), ('core.half_updated', True), ('engine.enable_cron', False),
                        ('core.half_update_signs', ['update_row_behind', 'engine_off', 'no_end_marker', 'unzip_leftover']),
                        ('activity.logs.update.unfinished', True), ('core.unzip_leftover', 900)):
        put(facts, path, value)
    result = assess(facts)
    assert ids(result, 'blocker') == ['half_migrated']
    finding = result.findings[0]
    assert 'update.php' in finding['fix'] and 'rollback' in finding['advice'] and len(finding['evidence']) == 5
    assert [hop['version'] for hop in result.route] == ['4.5.3']
    accepted = assess(facts, accept=[{'id': 'half_migrated', 'reason': 'the next hop finishes it'}])
    assert accepted.verdict != 'blocked'


def test_a_v3_whose_update_failed_early_is_not_half_way(facts, assess):
    for path, value in (('core.half_updated', True), ('core.half_update_signs', ['engine_off', 'no_end_marker']), ('engine.enable_cron', False),
                        ('activity.logs.update.unfinished', True)):
        put(facts, path, value)
    assert set(ids(assess(facts), 'blocker')) == {'engine_off', 'update_unfinished'}


def test_inside_our_own_transaction_a_stopped_engine_is_no_finding(facts, assess):
    for path, value in (('activity.transaction', {'open': True, 'step': 'prepare', 'run_id': 'r', 'from_version': '3.3.60'}),
                        ('engine.enable_cron', False), ('engine.cron_file.active', False), ('engine.services.apache', False)):
        put(facts, path, value)
    result = assess(facts, phase='second', archive={'proved': True})
    assert result.verdict == 'ready'
    assert 'transaction_open' in ids(assess(facts))


def test_no_facts_block_the_box_with_their_reason(assess):
    for facts in (None, {}, [], 'nothing'):
        result = assess(facts, error='box1 cannot be reached (timed out): check its power.')
        assert ids(result) == ['box_unreadable'] and result.verdict == 'blocked'
        assert result.summary['text'] == 'box1 cannot be reached (timed out): check its power.'


def test_a_web_root_without_jeedom_says_only_that(facts, assess):
    put(facts, 'core', {'present': False, 'version_file': None})
    result = assess(facts)
    assert ids(result) == ['no_jeedom'] and '/var/www/html' in result.findings[0]['title']


def test_an_overlay_decides_about_severity(facts, tmp_path):
    (tmp_path / 'o.yml').write_text('schema: 1\nchecks:\n  - {id: custom_css_js, severity: blocker}\n  - {id: icons_fa4, removed: true}\n')
    put(facts, 'customisations.custom_files', {'count': 1, 'items': [{'path': 'desktop/custom/custom.css', 'size': 1}]})
    put(facts, 'customisations.fa4', {'cmd.display': 4})
    result = assessment.assess(facts, knowledge.load([tmp_path]), '4.5.3', now=NOW)
    assert ids(result, 'blocker') == ['custom_css_js'] and 'icons_fa4' not in ids(result) and 'check_failed' not in ids(result)


def test_a_check_that_raises_is_named_and_the_others_are_told(facts, assess, monkeypatch):
    from ansible_collections.jeedom.fleet.plugins.plugin_utils import checks_base

    def broken(_case):
        raise RuntimeError('on purpose')
    monkeypatch.setitem(checks_base.REGISTER, 'rights', (('sudo_missing',), broken))
    put(facts, 'os.apt.locked', True)
    result = assess(facts)
    assert [finding['subject'] for finding in result.findings if finding['id'] == 'check_failed'] == ['rights']
    assert 'apt_locked' in ids(result)
    assert 'on purpose' in next(finding for finding in result.findings if finding['id'] == 'check_failed')['evidence'][0]


# -- hostile boxes


def test_a_template_of_the_box_is_not_filled_in(facts, assess):
    facts['plugins']['items'].append(dict(facts['plugins']['items'][0], id='{count.__class__}', v4=None))
    result = assess(facts)
    assert any(finding['subject'] == '{count.__class__}' for finding in result.findings)


def test_huge_facts_are_judged_and_shortened(facts, assess):
    one = facts['plugins']['items'][0]
    put(facts, 'plugins', {'count': 10 ** 12, 'items': [dict(one, id=f'p{number}', name='x' * 5000, v4=None) for number in range(50_000)]})
    put(facts, 'customisations.widgets', {'count': 5, 'items': [{'name': 'w' * 10_000, 'patterns': ['p'] * 10_000}] * 5000})
    put(facts, 'unreadable', {f'k{number}': 'r' * 1000 for number in range(50_000)})
    result = assess(facts)
    assert all(len(finding['evidence']) <= 21 for finding in result.findings)
