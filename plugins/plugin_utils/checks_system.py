# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the system: OS, PHP, packages, hardware, memory, clock, network (PF05 to PF11, PF16, PF17, PF28, PF29)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.jeedom.fleet.plugins.plugin_utils import routes, versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import Case, Hit, check, hit, listed, size
from ansible_collections.jeedom.fleet.plugins.plugin_utils.knowledge import Knowledge

# Below this the health page of Jeedom complains: RAM and swap together, free part of the RAM.
_MEMORY, _FREE = 1_900_000_000, 0.15
_NUMERIC = re.compile(r'^\s*[+-]?(\d+(\.\d*)?|\.\d+)$')


def _obstacle(case: Case, only: routes.Box, codes: tuple[str, ...]) -> tuple[str, dict] | None:
    """The first (code, version entry) of the target and its route that a part of the box cannot carry."""
    target = case.knowledge.version(case.target)
    for entry in ([target] if target else []) + case.entries():
        found = only.obstacle(entry)
        if found and found[0] in codes:
            return found[0], entry
    return None


def _choice(case: Case) -> dict[str, str]:
    """What an obstacle leaves to choose."""
    best = case.route_error.details.get('reachable') if case.route_error else None
    return {'choice': f'This box can go to {best} as it is (jeedom_target_version). ' if best else '',
            'fix': f'jeedom_target_version: {best}' if best else 'a fresh Debian'}


def _going(case: Case) -> bool:
    return case.route_error is None or case.route_error.code not in ('already_done', 'unknown_target', 'unreadable_version')


@check('debian_too_old', 'debian_unsupported', 'debian_not_documented', 'not_debian')
def debian(case: Case) -> Iterator[Hit]:
    """The release of the system, against the versions of the route."""
    major, name = case.facts.number('os.debian_major'), case.facts.text('os.id', 40)
    evidence = f'/etc/debian_version: {case.facts.text("os.debian_version") or "unknown"}'
    if name and name.lower() not in ('debian', 'raspbian'):
        yield hit('not_debian', [f'ID in /etc/os-release: {name}', evidence], found=case.facts.text('os.pretty_name', 60) or name)
    if major is None or not _going(case):
        return
    found = _obstacle(case, routes.Box(debian=int(major)), ('os_too_old',))
    if found:
        entry = found[1]
        yield hit('debian_too_old', evidence, found=int(major), needs_by=entry['id'], needed=entry['debian']['min'], **_choice(case))
        return
    known = case.knowledge.entry('debian', int(major))
    if known.get('jeedom') == 'unsupported':
        yield hit('debian_unsupported', [evidence, f'end of life {known.get("eol", "unknown")}'], found=int(major))
    target = case.knowledge.version(case.target)
    asked = target.get('debian', {}).get('documented')
    if asked and int(major) < asked:
        yield hit('debian_not_documented', evidence, found=int(major), needs_by=target['id'], needed=asked)


def vendor_os_rule(knowledge: Knowledge, distribution: str | None, debian_version: str | None) -> dict:
    """The rule of the vendor's V3 page that matches first (contract 3.1), with PHP's loose comparison."""
    text = (debian_version or '').strip()
    for rule in knowledge.section('vendor_os_rules').values():
        if rule['when'] == 'not_debian' and (distribution or '').lower() != 'debian':
            return rule
        # PHP compares two numbers as numbers, and text with a number as text: bookworm/sid is above every digit.
        if rule['when'] == 'below' and (float(text) < rule['value'] if _NUMERIC.match(text) else text < str(rule['value'])):
            return rule
        if rule['when'] == 'always':
            return rule
    return {}


@check('php_does_not_run', 'php_too_old', 'php_too_new', 'php_versions_differ')
def php(case: Case) -> Iterator[Hit]:
    """PHP of the command line and of Apache, against the versions of the route."""
    cli = case.facts.text('php.cli.version', 40)
    apache = case.facts.texts('php.apache.versions', 20) + case.facts.texts('php.apache.fpm', 20)
    evidence = [f'command line: {cli or "none"}', f'Apache: {listed(apache) or "none"}']
    if case.facts.flag('php.cli.runs') is False:
        yield hit('php_does_not_run', evidence + case.facts.texts('php.cli.warnings'))
    short = {versions.series(item) for item in apache if versions.parse(item)}
    if cli and versions.parse(cli) and short and short != {versions.series(cli)}:
        yield hit('php_versions_differ', evidence, cli=versions.series(cli), apache=' and '.join(sorted(short)))
    if not _going(case):
        return
    found = _obstacle(case, routes.Box(php=case.box.php), ('php_too_old', 'php_too_new'))
    if found:
        code, entry = found
        bound = 'min' if code == 'php_too_old' else 'max'
        wrong = [item for item in case.box.php if routes.Box(php=(item,)).obstacle(entry)]
        yield hit(code, evidence, found=listed(wrong), needs_by=entry['id'], needed=entry['php'][bound], **_choice(case))


@check('php_extension_missing', 'php_extension_advised', 'apt_broken', 'apt_locked', 'apt_dead_sources')
def packages(case: Case) -> Iterator[Hit]:
    """PHP's extensions, and whether the missing ones could be installed."""
    have = {name.lower() for name in case.facts.texts('php.cli.extensions')}
    web = {name.lower() for name in case.facts.texts('php.apache.extensions')}
    missing: dict[str, list[dict]] = {'blocker': [], 'warning': [], 'info': []}
    if have:
        for entry in case.knowledge.section('php_extensions').values():
            names = {entry['id'].lower(), *(alias.lower() for alias in entry.get('aliases', ()))}
            if not names & have or (web and not entry.get('builtin') and entry['level'] == 'blocker' and not names & web):
                missing[entry['level']].append(entry)
    for level, check_id in (('blocker', 'php_extension_missing'), ('warning', 'php_extension_advised'), ('info', 'php_extension_advised')):
        if missing[level]:
            yield hit(check_id, [f'{entry["id"]}: package {entry["package"]}' for entry in missing[level]], severity=level,
                      names=listed((entry['id'] for entry in missing[level]), 12), packages=' '.join(entry['package'] for entry in missing[level]))
    impossible = [name for name, candidate in case.facts.pairs('os.apt.candidates') if candidate is False]
    audit = case.facts.texts('os.apt.audit')
    if audit or (impossible and missing['blocker']):
        yield hit('apt_broken', audit + [f'{name}: no candidate' for name in impossible],
                  severity='blocker' if missing['blocker'] and impossible else 'warning')
    if case.facts.flag('os.apt.locked') is True:
        yield hit('apt_locked', 'an apt or dpkg process runs')
    if case.facts.count('os.apt.dead_sources'):
        dead = [f'{item.text("uri")} {item.text("suite") or ""} in {item.text("file")}' for item in case.facts.items('os.apt.dead_sources')]
        yield hit('apt_dead_sources', dead, count=case.facts.count('os.apt.dead_sources'))


@check('hardware_without_v4', 'hardware_unsupported', 'hardware_container', 'hardware_name_differs', 'smart_needs_visit', 'ask_site_access')
def hardware(case: Case) -> Iterator[Hit]:
    """What the box is made of."""
    found = case.facts.text('hardware.detected', 40)
    entry = case.knowledge.entry('hardware', (found or '').lower())
    told = f'{found} by {case.facts.text("hardware.detected_by") or "unknown"}'
    major = case.facts.number('os.debian_major')
    if found and entry.get('v4') is False:
        yield hit('hardware_without_v4', told, found=entry.get('title', found))
    reasons = []
    if case.facts.number('os.bits') == 32:
        reasons.append(f'{case.facts.text("os.architecture") or "the system"} is 32-bit')
    generation = case.facts.number('hardware.rpi_generation')
    if generation is not None and generation <= 2:
        reasons.append(f'Raspberry Pi {int(generation)}: {case.facts.text("hardware.model") or "unknown model"}')
    if reasons:
        yield hit('hardware_unsupported', reasons, found=entry.get('title') or found or 'This hardware')
    container = case.facts.text('os.container', 40)
    if entry.get('in_place') == 'discouraged' or (container and 'docker' in container):
        yield hit('hardware_container', told, found=container or found)
    name = case.facts.text('hardware.config_name', 60)
    if found and name and not (name.lower() == found.lower() or (found == 'rpi' and name.lower().startswith('rpi'))):
        yield hit('hardware_name_differs', [told, f'config.hardware_name: {name}'], name=name, found=entry.get('title', found))
    limit = entry.get('max_remote_core_on', {})
    if limit and major is not None and major <= limit['debian']:
        yield hit('smart_needs_visit', told, found=int(major), core=limit['core'])
    if limit or (major is not None and case.knowledge.entry('debian', int(major)).get('jeedom') == 'unsupported'):
        yield hit('ask_site_access', 'asked of the operator')


@check('reimage_pending')
def reimage_pending(case: Case) -> Iterator[Hit]:
    """A file that makes an official box write a new system at its next start."""
    files = case.facts.texts('hardware.reimage_files')
    if files:
        yield hit('reimage_pending', files, files=' '.join(files))


@check('memory_low', 'oom_kills')
def memory(case: Case) -> Iterator[Hit]:
    """Room in memory, by the thresholds of Jeedom's health page."""
    total, free, swap = (case.facts.number(f'hardware.memory.{key}') for key in ('total', 'available', 'swap_total'))
    if total and free is not None and (free < _FREE * total or total + (swap or 0) < _MEMORY):
        yield hit('memory_low', f'{size(free)} of {size(total)} available, swap {size(swap or 0)}', available=size(free), total=size(total),
                  swap=size(swap or 0))
    kills = case.facts.number('hardware.oom_kills')
    if kills:
        yield hit('oom_kills', f'{int(kills)} lines of the kernel', count=int(kills))


@check('clock_off', 'clock_not_synchronized')
def clock(case: Case) -> Iterator[Hit]:
    """The box's clock against the controller's."""
    epoch = case.facts.number('os.time.epoch')
    if epoch is not None:
        offset = abs(epoch - case.now)
        if offset > 300:
            text = f'{offset / 86400:.1f} days' if offset > 86400 else f'{offset / 60:.0f} minutes'
            yield hit('clock_off', f'box {int(epoch)}, controller {int(case.now)} (seconds since 1970)',
                      severity='blocker' if offset > 86400 else 'warning', offset=text)
    if case.facts.flag('os.time.ntp_synchronized') is False and not case.facts.text('os.time.ntp_service'):
        yield hit('clock_not_synchronized', 'no active time service')


@check('apache_private_tmp')
def apache_private_tmp(case: Case) -> Iterator[Hit]:
    """Web and scheduler must share the temporary folder."""
    if case.facts.flag('access.private_tmp') is True:
        yield hit('apache_private_tmp', 'PrivateTmp=yes of apache2')


@check('download_unreachable', 'composer_needed')
def network(case: Case) -> Iterator[Hit]:
    """What the box can reach; only when it was asked for (gather_subset network)."""
    urls = case.facts.pairs('network.urls')
    failed = [name for name, answer in urls if isinstance(answer, dict) and answer.get('ok') is False]
    composer = [entry for entry in case.entries() if entry.get('needs_internet') and any(
        versions.key(php) >= versions.key(entry['needs_internet']['php']) for php in case.box.php)]
    if failed:
        needed = composer and any('packagist' in name for name in failed)
        yield hit('download_unreachable', failed, severity='blocker' if needed else 'warning', hosts=listed(failed, 3))
    if composer and case.box.php and _going(case):
        yield hit('composer_needed', [f'{entry["id"]} on PHP {max(case.box.php, key=versions.key)}' for entry in composer],
                  php=max(case.box.php, key=versions.key), versions=listed(entry['id'] for entry in composer))
