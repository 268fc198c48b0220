# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts, knowledge and policy in; findings, verdict and route out. All findings are collected; nothing is changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from dataclasses import dataclass, field

from ansible_collections.jeedom.fleet.plugins.plugin_utils import (  # noqa: F401  pylint: disable=unused-import
    checks_base, checks_core, checks_custom, checks_plugins, checks_storage, checks_system, postflight as after, routes, versions,
)
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import Case, Hit, View, printable
from ansible_collections.jeedom.fleet.plugins.plugin_utils.knowledge import Knowledge

SEVERITIES = ('blocker', 'warning', 'info')
# Findings that jeedom_remove_plugins turns into "will be removed by prepare".
REMOVABLE = ('plugin_timeline', 'plugin_obsolete', 'plugin_widget')


class AssessmentError(Exception):
    """What the operator asked for cannot be followed; str() is one sentence."""

    def __init__(self, message: str, code: str):
        super().__init__(message)
        self.code = code


@dataclass
class Assessment:
    """The result for one box."""

    findings: list[dict] = field(default_factory=list)
    verdict: str = 'ready'
    route: list[dict] = field(default_factory=list)
    summary: dict = field(default_factory=dict)

    def blockers(self) -> list[dict]:
        """The findings that stop the box."""
        return [finding for finding in self.findings if finding['severity'] == 'blocker' and not finding['accepted']]


def check_accept(knowledge: Knowledge, accept: object) -> dict[str, str]:
    """{id or id:subject: reason} of C(jeedom_accept); raises AssessmentError for unknown ids and missing reasons."""
    if accept in (None, ''):
        return {}
    if not isinstance(accept, Sequence) or isinstance(accept, str):
        raise AssessmentError('jeedom_accept must be a list of mappings with id and reason: correct the inventory.', 'bad_accept')
    known = knowledge.section('checks')
    accepted = {}
    for item in accept:
        if not isinstance(item, Mapping) or not item.get('id'):
            raise AssessmentError(f'An entry of jeedom_accept has no id ({printable(str(item), 60)}): write it as {{id: ..., reason: ...}}.', 'bad_accept')
        name = str(item['id'])
        base = name.split(':', 1)[0]
        if base not in known:
            near = routes.nearest(base, known, 1)
            raise AssessmentError(f'jeedom_accept names {printable(name, 60)}, which is no finding: did you mean {near[0]}? docs/findings.md has the list.',
                                  'unknown_finding')
        reason = printable(str(item.get('reason') or ''), 200)
        if not reason:
            raise AssessmentError(f'jeedom_accept accepts {name} without a reason: add one, it is printed in the report.', 'no_reason')
        if known[base].get('acceptable') is False:
            raise AssessmentError(f'jeedom_accept names {name}, which cannot be accepted, since nothing could work afterwards: '
                                  f'{known[base].get("fix") or known[base]["advice"].split(".")[0]}.', 'not_acceptable')
        accepted[name] = reason
    return accepted


def case_of(facts: object, knowledge: Knowledge, target: str, **options) -> Case:
    """A Case with its route; options: now, phase, policy, market, archive."""
    view = View(facts)
    options.setdefault('now', time.time())
    case = Case(facts=view, knowledge=knowledge, target=str(target), **options)
    flavour = (view.text('database.flavour', 20) or '').lower()
    php = [view.text('php.cli.version', 40)] + view.texts('php.apache.versions', 20) + view.texts('php.apache.fpm', 20)
    # 7.4.33 of the command line and 7.4 of Apache are one PHP
    series = dict.fromkeys(versions.series(item) for item in php if versions.parse(item))
    case.box = routes.box(list(series), view.number('os.debian_major'), view.text('database.version', 60) if flavour == 'mariadb' else None)
    try:
        case.route = routes.find(knowledge, case.version, case.target, case.box, tuple(case.policy.get('allow') or ()))
    except routes.RouteError as error:
        case.route_error = error
        case.ideal = checks_core.ideal_path(case)
    return case


def assess(facts: object, knowledge: Knowledge, target: str, accept: object = None, error: str | None = None, **options) -> Assessment:
    """Everything about one box.

    facts: C(ansible_facts.jeedom), of any type and content. error: why there are none. accept: C(jeedom_accept).
    options: now (seconds since 1970), phase (first or second), policy ({remove_plugins, allow}), market ({online, reason,
    plugins: {id: answer or None}}), archive ({proved}). Raises AssessmentError for a policy that cannot be followed.
    """
    accepted = check_accept(knowledge, accept)
    removed = [str(name) for name in (options.get('policy') or {}).get('remove_plugins') or ()]
    case = case_of(facts, knowledge, target, **options)
    done = case.route_error is not None and case.route_error.code == 'already_done'
    if error or not case.facts.data:
        hits = [Hit('box_unreadable', [printable(error or 'The box gave no facts.', 400)])]
    else:
        hits = list(_run(case))
        if any(found.id == 'no_jeedom' for found in hits):
            hits = [found for found in hits if found.id == 'no_jeedom']
    findings = [_finding(found, knowledge, accepted, removed) for found in hits
                if not done or knowledge.entry('checks', found.id).get('always')]
    findings.sort(key=_order(knowledge))
    result = Assessment(findings=findings, route=case.route)
    result.verdict = _verdict(result, done)
    result.summary = _summary(case, result)
    return result


def postflight(facts_after: object, health: object, knowledge: Knowledge, target: str, facts_before: object = None) -> Assessment:
    """The look after the migration; its verdict is ok, degraded or failed.

    health: what the health module returned. facts_before: the facts of the first look, to compare with.
    """
    box = after.After(View(facts_after), View(facts_before), View(health), knowledge, str(target))
    result = Assessment()
    hits = _guarded(knowledge, box, [(function.__name__, ('post_' + function.__name__,), function) for function in after.CHECKS])
    result.findings = sorted((_finding(found, knowledge, {}, ()) for found in hits), key=_order(knowledge))
    worst = {finding['severity'] for finding in result.findings}
    result.verdict = 'failed' if 'blocker' in worst else 'degraded' if 'warning' in worst else 'ok'
    result.summary = {'version': box.version, 'target': str(target), 'verdict': result.verdict, 'route': None,
                      'text': '; '.join(finding['title'] for finding in result.findings)}
    return result


def _order(knowledge: Knowledge) -> Callable[[Mapping], tuple]:
    """The worst first, then as in the catalogue."""
    place = {name: index for index, name in enumerate(knowledge.section('checks'))}
    return lambda finding: (SEVERITIES.index(finding['severity']), place[finding['id']], finding['subject'] or '')


def _run(case: Case) -> Iterable[Hit]:
    """All hits of the first or second look."""
    return _guarded(case.knowledge, case, [(name, ids, function) for name, (ids, function) in checks_base.REGISTER.items()])


def _guarded(knowledge: Knowledge, case: object, checks: Iterable[tuple[str, Sequence[str], Callable]]) -> Iterable[Hit]:
    """All hits; a check that raises becomes a hit of its own."""
    for name, ids, function in checks:
        try:
            # collected before any is handed on: half of a check's hits would be worse than none
            found = [item for item in function(case) if knowledge.entry('checks', item.id)]
            for item in found:
                _words(knowledge.entry('checks', item.id), item)
        except Exception as problem:  # pylint: disable=broad-except
            # a box may send anything; the other checks must still be told
            yield checks_base.hit('check_failed', [f'{type(problem).__name__}: {problem}', f'checks {", ".join(ids)}'], subject=name)
        else:
            yield from found


def _words(entry: Mapping, found: Hit) -> dict[str, str | None]:
    """Title, advice and fix of a finding, filled in."""
    values = {name: printable(str(value), 300) for name, value in found.values.items() if value is not None}
    values['subject'] = found.subject or ''
    return {key: printable(str(entry[key]).format_map(values), 600) if entry.get(key) else None for key in ('title', 'advice', 'fix')}


def _french(found: Hit, knowledge: Knowledge) -> dict[str, str] | None:
    """Title and advice in French, for the report; None where the catalogue has none, or an overlay's cannot be filled in."""
    try:
        words = _words(knowledge.entry('checks_fr', found.id), found)
    except (KeyError, ValueError, IndexError, AttributeError):
        return None
    return {key: word for key in ('title', 'advice') if (word := words[key])} or None


def _severity(entry: Mapping, found: Hit) -> str:
    own = entry.get('severity', 'warning')
    worst = own[0] if isinstance(own, list) else own
    # an overlay that names one severity means it, whatever the check thinks
    return found.severity if found.severity and isinstance(own, list) else worst


def _finding(found: Hit, knowledge: Knowledge, accepted: Mapping[str, str], removed: Sequence[str]) -> dict:
    """A hit as people and machines read it."""
    entry = knowledge.entry('checks', found.id)
    words = _words(entry, found)
    finding: dict[str, Any] = {
        'id': found.id, 'subject': found.subject, 'pf': entry.get('pf'), 'severity': _severity(entry, found), 'title': words['title'],
        'evidence': found.evidence, 'advice': words['advice'], 'fix': words['fix'], 'accepted': False, 'reason': None,
        'automatic': bool(entry.get('automatic')), 'question': bool(entry.get('question')), 'source': entry.get('source'),
        'fr': _french(found, knowledge),
    }
    if found.id in REMOVABLE and found.subject in removed:
        finding.update(severity='warning' if finding['severity'] == 'blocker' else finding['severity'], automatic=True,
                       advice=f'Will be removed by prepare, as jeedom_remove_plugins asks, with its equipments. {finding["advice"]}')
        if finding['fr']:
            finding['fr'].update(advice='Sera retiré par prepare, comme le demande jeedom_remove_plugins, avec ses équipements. '
                                        f'{finding["fr"].get("advice", "")}'.strip())
    for name in (f'{found.id}:{found.subject}', found.id):
        if name in accepted and not finding['accepted']:
            finding.update(accepted=True, reason=accepted[name])
    return finding


def _verdict(result: Assessment, done: bool) -> str:
    if result.blockers():
        return 'blocked'
    if done:
        return 'already_done'
    return 'ready_with_warnings' if any(item['severity'] == 'warning' and not item['accepted'] for item in result.findings) else 'ready'


def _summary(case: Case, result: Assessment) -> dict:
    counts = {severity: sum(1 for item in result.findings if item['severity'] == severity) for severity in SEVERITIES}
    return {'version': case.version, 'target': case.target, 'verdict': result.verdict, 'counts': counts,
            'accepted': sum(1 for item in result.findings if item['accepted']),
            'route': ' -> '.join([case.version or '?'] + [hop['version'] for hop in result.route]) if result.route else None,
            'text': gate_sentence(result.blockers(), case)}


def gate_sentence(blockers: Sequence[Mapping], case: Case | None = None) -> str:
    """One sentence for the gate: what stops the box and what to do; empty when nothing does."""
    if not blockers:
        return ''
    if blockers[0]['id'] == 'box_unreadable':
        return str(blockers[0]['evidence'][0])
    named = [finding['id'] + (f':{finding["subject"]}' if finding.get('subject') else '') for finding in blockers]
    first = blockers[0]
    fix = f' (first: {str(first["title"]).rstrip(".")}; {str(first["fix"] or first["advice"]).rstrip(".")})'
    waivable = ', or accept them by name with a reason in jeedom_accept' if case and any(
        case.knowledge.entry('checks', finding['id']).get('acceptable', True) for finding in blockers) else ''
    count = len(blockers)
    return f'{count} finding{"s" if count > 1 else ""} stop{"" if count > 1 else "s"} this box: {", ".join(named)}{fix}: correct what they name{waivable}.'
