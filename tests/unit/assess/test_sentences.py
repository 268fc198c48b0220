# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A finding with all that people and machines read of it, their order, and the one sentence of the gate."""

from __future__ import annotations

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, checks_base, knowledge

from .conftest import put

KNOWN = knowledge.load()
OURS = {
    'a_wish': {'id': 'a_wish', 'severity': 'info', 'title': 'A wish of {subject}', 'advice': 'Think.', 'question': True},
    'a_wall': {'id': 'a_wall', 'pf': 'PF99', 'severity': 'blocker', 'title': 'A wall of {height} m.', 'advice': 'Climb. Or dig.', 'fix': 'dig {height}',
               'source': 'contract 9', 'automatic': True},
    'a_moat': {'id': 'a_moat', 'severity': ['blocker', 'warning'], 'title': 'A moat', 'advice': 'Swim.', 'acceptable': False},
    'plugin_widget': {'id': 'plugin_widget', 'severity': 'info', 'title': 'Plugin {subject}', 'advice': 'Remove it.'},
    'box_unreadable': {'id': 'box_unreadable', 'severity': 'blocker', 'title': 'No', 'advice': 'No'},
}
FRENCH = {'a_wall': {'title': 'Un mur de {height} m', 'advice': 'Grimper.'}, 'plugin_widget': {'title': 'Le plugin {subject}'}}
SMALL = knowledge.Knowledge({**KNOWN.sections, 'checks': OURS, 'checks_fr': FRENCH})


def finding(name, accepted=(), removed=(), known=SMALL, **options):
    """A hit of the small catalogue, as a finding."""
    return assessment._finding(checks_base.hit(name, ['seen'], **options), known, dict(accepted), removed)


def test_a_finding_holds_what_its_catalogue_says_filled_in():
    assert finding('a_wall', height=3) == {
        'id': 'a_wall', 'subject': None, 'pf': 'PF99', 'severity': 'blocker', 'title': 'A wall of 3 m.', 'evidence': ['seen'], 'advice': 'Climb. Or dig.',
        'fix': 'dig 3', 'accepted': False, 'reason': None, 'automatic': True, 'question': False, 'source': 'contract 9',
        'fr': {'title': 'Un mur de 3 m', 'advice': 'Grimper.'}}
    assert finding('a_wish', subject='box1') == {
        'id': 'a_wish', 'subject': 'box1', 'pf': None, 'severity': 'info', 'title': 'A wish of box1', 'evidence': ['seen'], 'advice': 'Think.',
        'fix': None, 'accepted': False, 'reason': None, 'automatic': False, 'question': True, 'source': None, 'fr': None}


def test_a_value_of_the_box_is_shown_and_cut():
    assert finding('a_wall', height='{{ x }}')['title'] == 'A wall of { { x }} m.'
    long = finding('a_wall', height='9' * 5000)
    assert long['title'] == 'A wall of ' + '9' * 299 + '… m.' and len(long['fix']) < 310


@pytest.mark.parametrize('own, hit, severity', [
    ('blocker', None, 'blocker'), ('blocker', 'info', 'blocker'), (['blocker', 'warning'], None, 'blocker'), (['blocker', 'warning'], 'warning', 'warning'),
    (None, None, 'warning'), (None, 'info', 'warning')])
def test_a_check_chooses_among_the_severities_that_the_catalogue_leaves_open(own, hit, severity):
    entry = {} if own is None else {'severity': own}
    assert assessment._severity(entry, checks_base.hit('x', severity=hit)) == severity


@pytest.mark.parametrize('severity, becomes', [('blocker', 'warning'), ('warning', 'warning'), ('info', 'info')])
def test_a_removal_that_is_consented_stops_nothing_and_is_no_graver_than_it_was(severity, becomes):
    known = knowledge.Knowledge({**SMALL.sections, 'checks': dict(OURS, plugin_widget=dict(OURS['plugin_widget'], severity=severity))})
    found = finding('plugin_widget', removed=['w'], known=known, subject='w')
    assert (found['severity'], found['automatic']) == (becomes, True)
    assert found['advice'] == 'Will be removed by prepare, as jeedom_remove_plugins asks, with its equipments. Remove it.'
    assert found['fr'] == {'title': 'Le plugin w',
                           'advice': 'Sera retiré par prepare, comme le demande jeedom_remove_plugins, avec ses équipements.'}
    assert finding('plugin_widget', removed=['v'], known=known, subject='w')['severity'] == severity
    assert finding('a_wall', removed=['w'], subject='w', height=1)['severity'] == 'blocker', 'nothing that a removal would mend'


@pytest.mark.parametrize('accepted, reason', [
    ({'a_wish': 'all'}, 'all'), ({'a_wish:box1': 'this'}, 'this'), ({'a_wish': 'all', 'a_wish:box1': 'this'}, 'this'), ({'a_wish:box2': 'that'}, None)])
def test_what_is_accepted_by_its_full_name_has_that_reason(accepted, reason):
    found = finding('a_wish', accepted=accepted, subject='box1')
    assert (found['accepted'], found['reason']) == (reason is not None, reason)


def test_acceptance_is_read_as_names_and_reasons():
    assert assessment.check_accept(KNOWN, None) == assessment.check_accept(KNOWN, '') == assessment.check_accept(KNOWN, []) == {}
    given = [{'id': 'sudo_missing', 'reason': ' soon\n'}, {'id': 'plugin_obsolete:x', 'reason': 'r' * 500}]
    accepted = assessment.check_accept(KNOWN, given)
    assert list(accepted) == ['sudo_missing', 'plugin_obsolete:x'] and accepted['sudo_missing'] == 'soon' and len(accepted['plugin_obsolete:x']) == 200


def refused(item, known=SMALL):
    with pytest.raises(assessment.AssessmentError) as caught:
        assessment.check_accept(known, [item])
    return str(caught.value)


def test_what_cannot_be_accepted_says_what_to_do_instead():
    assert 'could work afterwards: Swim.' in refused({'id': 'a_moat', 'reason': 'x'})
    fixed = knowledge.Knowledge({**SMALL.sections, 'checks': dict(OURS, a_moat=dict(OURS['a_moat'], fix='build a bridge'))})
    assert refused({'id': 'a_moat', 'reason': 'x'}, fixed).endswith('could work afterwards: build a bridge.')
    assert 'did you mean a_wall?' in refused({'id': 'a_wal:x', 'reason': 'x'}) and 'a_wal:x' in refused({'id': 'a_wal:x', 'reason': 'x'})
    assert len(refused({'name': 'y' * 500})) < 160 and len(refused({'id': 'y' * 500, 'reason': 'x'})) < 200


def test_the_worst_comes_first_then_the_order_of_the_catalogue():
    found = [finding('a_wish', subject='b'), finding('a_moat', severity='warning'), finding('a_wish', subject='a'), finding('a_wish'), finding('a_moat'),
             finding('a_wall', height=1)]
    found.sort(key=assessment._order(SMALL))
    assert [(item['id'], item['severity'], item['subject']) for item in found] == [
        ('a_wall', 'blocker', None), ('a_moat', 'blocker', None), ('a_moat', 'warning', None), ('a_wish', 'info', None), ('a_wish', 'info', 'a'),
        ('a_wish', 'info', 'b')]


# -- the gate

def sentence(*blockers, known=SMALL):
    return assessment.gate_sentence(blockers, checks_base.Case(checks_base.View({}), known, '4.5.3', 0.0))


def test_the_gate_names_what_stops_a_box_and_what_to_do_first():
    wall, moat = finding('a_wall', height=3), finding('a_moat', subject='x')
    assert sentence() == ''
    assert sentence(wall) == ('1 finding stops this box: a_wall (first: A wall of 3 m; dig 3): correct what they name, or accept them by name with a '
                              'reason in jeedom_accept.')
    assert sentence(moat) == '1 finding stops this box: a_moat:x (first: A moat; Swim): correct what they name.'
    assert sentence(moat, wall) == ('2 findings stop this box: a_moat:x, a_wall (first: A moat; Swim): correct what they name, or accept them by name with '
                                    'a reason in jeedom_accept.')
    assert assessment.gate_sentence([wall]) == '1 finding stops this box: a_wall (first: A wall of 3 m; dig 3): correct what they name.'
    assert sentence(dict(finding('box_unreadable'), evidence=['box1 is off.']), wall) == 'box1 is off.'


def test_the_summary_of_a_first_look(facts, assess):
    put(facts, 'access.sudo', False)
    put(facts, 'os.apt.locked', True)
    result = assess(facts, accept=[{'id': 'apt_locked', 'reason': 'cron'}])
    severities = [item['severity'] for item in result.findings]
    assert result.summary == {
        'version': '3.3.60', 'target': '4.5.3', 'verdict': 'blocked', 'accepted': 1, 'route': '3.3.60 -> 4.0.63 -> 4.1.28 -> 4.4.20 -> 4.5.3',
        'counts': {severity: severities.count(severity) for severity in ('blocker', 'warning', 'info')}, 'text': assessment.gate_sentence(
            result.blockers(), assessment.case_of(facts, KNOWN, '4.5.3'))}
    assert result.summary['counts']['blocker'] == 1 and 'sudo_missing' in result.summary['text']
    assert assess(facts, target='9.9').summary['route'] is None and assess({}, target='4.5.3').summary['version'] is None


def test_the_summary_of_the_look_after(facts):
    for path, value in (('core.version_file', '4.5.3'), ('core.version_db', '4.0.4'), ('core.ignore_hour_check', False), ('database.foreign_keys', 26),
                        *((f'database.tables.{table}', {'rows': 0}) for table in ('widgets', 'timeline', 'cache', 'event', 'queue'))):
        put(facts, path, value)
    result = assessment.postflight(facts, {'status': 'ok', 'checks': []}, KNOWN, '4.5.3')
    assert [item['id'] for item in result.findings] == ['post_version', 'post_foreign_keys'] and result.verdict == 'failed'
    assert result.summary == {'version': '4.5.3', 'target': '4.5.3', 'verdict': 'failed', 'route': None,
                              'text': '; '.join(item['title'] for item in result.findings)}
