# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of plugins: the vendor's rules, what is known, what the box tells (PF34 to PF43, PF55)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ansible_collections.jeedom.fleet.plugins.plugin_utils import versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import Case, Hit, View, check, hit, listed
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_system import vendor_os_rule
from ansible_collections.jeedom.fleet.plugins.plugin_utils.knowledge import Knowledge

_UNSTABLE_NAME = re.compile(r'^/dev/tty(USB|ACM|S)\d')
_FOREIGN = ('github', 'url', 'file', 'samba')


def market_rule(knowledge: Knowledge, answer: Mapping | None) -> dict:
    """The vendor's rule that matches an answer of the market first (contract 3.2); None = the market does not know it."""
    view = View(answer)
    for rule in knowledge.section('market_rules').values():
        if rule.get('always') or (rule.get('unknown') and answer is None):
            return rule
        if 'when' in rule and answer is not None:
            value = view.get(rule['when'])
            # PHP's == takes the number 1 and the text "1" for equal
            if value is not None and not isinstance(value, (bool, dict, list)) and str(value) == rule['is']:
                return rule
    return {}


def plugins(case: Case) -> list[tuple[str, View, dict]]:
    """(id, facts, what is known) of every plugin."""
    return [(item.text('id', 60) or 'unknown', item, case.knowledge.entry('plugins', item.text('id', 60)))
            for item in case.facts.items('plugins')]


def _market(case: Case, plugin: str) -> tuple[bool, Mapping | None]:
    """Whether the market was asked about a plugin, and its answer."""
    answers = case.market.get('plugins')
    if not isinstance(answers, Mapping) or plugin not in answers:
        return False, None
    return True, answers[plugin] if isinstance(answers[plugin], Mapping) else None


def verdict(case: Case, plugin: str, item: View, known: Mapping) -> str:
    """The verdict about a plugin: of the vendor's rules when the market was asked, else of what is known of it."""
    asked, answer = _market(case, plugin)
    # The rules of the page that need no market are the names of two plugins; they hold offline, too.
    if known.get('status') == 'conflict':
        return 'remove_before'
    if known.get('status') == 'obsolete' and not asked:
        return 'remove_before'
    if asked and item.flag('row') is not False:
        return str(market_rule(case.knowledge, answer).get('verdict', 'unconfirmed'))
    if known.get('status') == 'incompatible':
        return 'remove_after'
    confirmed = item.flag('v4') is True or known.get('v4') is True or known.get('status') == 'ok'
    return 'compatible' if confirmed else 'unconfirmed'


def _what_goes(item: View) -> str:
    count = item.number('equipments')
    return str(int(count)) if count is not None else 'an unknown number of'


@check('plugin_timeline', 'plugin_widget', 'plugin_obsolete', 'plugin_legacy', 'plugin_no_stable', 'plugin_unknown', 'plugin_superseded',
       'plugin_v4_unconfirmed')
def vendor_rules(case: Case) -> Iterator[Hit]:
    """What must go, what may stay, what nobody vouches for."""
    for plugin, item, known in plugins(case):
        word = verdict(case, plugin, item, known)
        asked, answer = _market(case, plugin)
        evidence = [f'version {item.text("local_version", 40) or "unknown"}, {"active" if item.flag("active") else "not active"}, '
                    f'{_what_goes(item)} equipments']
        if asked:
            shown = View(answer)
            evidence.append('market: unknown' if answer is None else f'market: {shown.text("certification", 40) or "no certification"}, '
                            f'v4 {shown.text("hardwareCompatibility.v4", 10) or "not set"}')
        common = {'subject': plugin, 'equipments': _what_goes(item), 'replacement': known.get('replacement', 'core functions')}
        if word == 'remove_before':
            conflict = known.get('status') == 'conflict' or View(answer).text('name') == 'Timeline'
            yield _hit('plugin_timeline' if conflict else 'plugin_obsolete', evidence, common)
            continue
        if word == 'remove_after' or known.get('status') == 'incompatible':
            yield _hit('plugin_widget', evidence, common)
            continue
        if known.get('status') == 'superseded' and known.get('replacement'):
            yield _hit('plugin_superseded', evidence, common)
        if word == 'legacy':
            yield _hit('plugin_legacy', evidence, common)
        elif word == 'no_stable':
            yield _hit('plugin_no_stable', evidence, common)
        elif word == 'unknown' and item.text('source') not in _FOREIGN:
            yield _hit('plugin_unknown', evidence, common)
        elif word == 'unconfirmed' and item.text('source') not in _FOREIGN and case.v3 and _is_loaded(item):
            vouched = item.flag('v4') is True or known.get('v4') is True
            yield _hit('plugin_v4_unconfirmed', evidence + [f'info.json: {listed(item.texts("compatibility")) or "no compatibility list"}'],
                       common, 'info' if vouched else 'warning')


def _is_loaded(item: View) -> bool:
    # what Jeedom does not load has findings of its own, and says nothing about V4
    return item.flag('folder') is not False and item.text('info', 20) not in ('xml', 'broken')


def _hit(check_id: str, evidence: list[str], common: dict, severity: str | None = None) -> Hit:
    values = dict(common)
    return hit(check_id, evidence, severity=severity, subject=values.pop('subject'), **values)


@check('plugin_inventory', 'market_offline', 'market_link')
def inventory(case: Case) -> Iterator[Hit]:
    """How many plugins there are, and whether the market was asked about them."""
    found = plugins(case)
    if not found:
        return
    active = [name for name, item, _known in found if item.flag('active')]
    yield hit('plugin_inventory', [f'{name} {item.text("local_version", 40) or ""}'.strip() for name, item, _known in found],
              count=case.facts.count('plugins'), active=len(active))
    if not case.market.get('online') and case.v3:
        yield hit('market_offline', str(case.market.get('reason') or 'jeedom_market is offline'),
                  severity='warning' if case.market.get('mode') == 'online' else 'info')
    if case.facts.flag('access.market.username_set') is False:
        paid = [name for name, item, _known in found if item.text('source') == 'market']
        yield hit('market_link', f'{len(paid)} plugins from the market', severity='warning' if paid else 'info')


@check('vendor_page')
def vendor_page(case: Case) -> Iterator[Hit]:
    """What the vendor's own upgrade page would say (contract 3)."""
    if not case.v3:
        return
    rule = vendor_os_rule(case.knowledge, case.facts.text('os.id', 40), case.facts.text('os.debian_version', 60))
    stops = [name for name, item, known in plugins(case) if item.flag('row') is not False and verdict(case, name, item, known) == 'remove_before']
    if case.knowledge.entry('hardware', (case.facts.text('hardware.detected', 40) or '').lower()).get('v4') is False:
        stops.append('this hardware')
    refused = rule.get('allowed') is False
    evidence = [f'system rule: {rule.get("id", "none")}, {rule.get("level", "none")}'] + ([f'stopped by {listed(stops)}'] if stops else [])
    yield hit('vendor_page', evidence, verdict='refuse' if refused or stops else 'accept')


@check('plugin_python2')
def plugin_python2(case: Case) -> Iterator[Hit]:
    """Python 2 ended with Debian 10."""
    major = case.facts.number('os.debian_major') or 0
    for plugin, item, known in plugins(case):
        files = item.texts('python2')
        told = known.get('status') == 'py2'
        if told or files:
            reason = [f'known: {known.get("note") or known.get("source")}'] if told else []
            yield hit('plugin_python2', reason + files, severity='warning' if told and major >= 11 else 'info', subject=plugin)


@check('plugin_removed_api')
def plugin_removed_api(case: Case) -> Iterator[Hit]:
    """Calls that end in a fatal error on V4."""
    for plugin, item, _known in plugins(case):
        calls = [f'{call.text("name", 60)} in {call.text("file")}' for call in item.items('removed_api')]
        if calls:
            yield hit('plugin_removed_api', calls, subject=plugin)


@check('plugin_not_from_market', 'plugin_folder_missing', 'plugin_old_format', 'plugin_pinned', 'plugin_stays_old')
def plugin_states(case: Case) -> Iterator[Hit]:
    """Plugins whose updates are out of the ordinary."""
    for plugin, item, known in plugins(case):
        source = item.text('source', 20)
        if item.flag('row') is True and item.flag('folder') is False:
            yield hit('plugin_folder_missing', f'row in update, no folder plugins/{plugin}', subject=plugin)
            continue
        if item.text('info', 20) in ('xml', 'broken'):
            yield hit('plugin_old_format', f'plugin_info: {item.text("info", 20)}', subject=plugin)
            continue
        if source in _FOREIGN:
            yield hit('plugin_not_from_market', f'update.source = {source}', subject=plugin, origin=source)
        elif item.flag('row') is False:
            yield hit('plugin_not_from_market', 'a folder without a row in update', subject=plugin, origin='nowhere that is recorded')
        if item.flag('do_not_update') is True or item.text('status', 20) == 'hold':
            yield hit('plugin_pinned', f'status {item.text("status", 20) or "unknown"}', subject=plugin)
        core_min = known.get('core_min') or item.text('require', 20)
        if versions.parse(core_min) and versions.parse(case.target) and versions.compare(core_min, case.target) > 0:
            yield hit('plugin_stays_old', f'needs core {core_min}', subject=plugin, core_min=core_min)


@check('daemons_down', 'serial_ports')
def daemons(case: Case) -> Iterator[Hit]:
    """What runs beside the web, and the devices it holds."""
    down = [name for name, item, _known in plugins(case)
            if item.flag('active') and item.flag('has_daemon') is not False and item.flag('daemon.alive') is False]
    if down and not case.transaction:
        yield hit('daemons_down', down, count=len(down))
    for plugin, item, _known in plugins(case):
        ports = [(port.text('key', 40), port.text('value', 80) or '') for port in item.items('ports')]
        loose = [(key, value) for key, value in ports if _UNSTABLE_NAME.match(value)]
        if loose:
            yield hit('serial_ports', [f'{key} = {value}' for key, value in loose], subject=plugin, ports=listed(value for _key, value in loose))
