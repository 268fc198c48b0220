# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what people made themselves, and of who may enter (PF26, PF27, PF44 to PF54)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.jeedom.fleet.plugins.module_utils import core_files
from ansible_collections.jeedom.fleet.plugins.plugin_utils import versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import Case, Hit, View, check, hit, listed, size


@check('custom_widgets', 'core_widgets_changed')
def widgets(case: Case) -> Iterator[Hit]:
    """Widgets of one's own, and core widgets that became templates with 4.0."""
    if not case.v3:
        return
    found = case.facts.items('customisations.widgets')
    if found:
        lines = []
        for item in found:
            notes = item.texts('patterns', 40) + [name for name in ('fa4', 'iframe') if item.flag(name)]
            lines.append(f'{item.text("name") or item.text("path")} ({item.text("version", 20) or "?"}): {int(item.number("commands") or 0)} commands'
                         + (f', uses {listed(notes)}' if notes else ''))
        yield hit('custom_widgets', lines, count=case.facts.count('customisations.widgets'),
                  used=sum(1 for item in found if item.number('commands')))
    gone = case.knowledge.section('removed_widgets')
    short = {name.rsplit('.', 1)[-1]: name for name in gone}
    used = [(name, count) for name, count in case.facts.pairs('customisations.core_widgets_used')
            if (name in gone or name in short) and isinstance(count, int) and count > 0]
    if used:
        yield hit('core_widgets_changed', [f'{name}: {count} commands' for name, count in used], count=sum(count for _name, count in used))


def _listings(found: View) -> dict[str, list]:
    """C({folder: [[name, size, crc]]}) of the facts, without what has another form."""
    listings = {}
    for folder, entries in found.pairs('different'):
        if isinstance(entries, list):
            listings[folder] = [entry for entry in entries if isinstance(entry, list) and len(entry) == 3 and isinstance(entry[0], str)]
    return listings


@check('edited_core_files', 'htaccess_edited')
def edited_files(case: Case) -> Iterator[Hit]:
    """Files of the core that are not as released."""
    found = case.facts.view('customisations.core_files')
    release = case.knowledge.manifest(found.text('reference', 40))
    if release:
        known = core_files.resolve(_listings(found), release)
        lines = [f'{word}: {path}' for word in ('edited', 'foreign', 'missing') for path in known[word]]
        if len(known['missing']) > sum(map(len, release.values())) / 2:
            lines = [f'most files are not those of the released {found.text("reference", 40)}']
        if lines:
            yield hit('edited_core_files', lines, count=len(lines) if len(lines) > 1 else 'All or some')
    digest = case.facts.text('customisations.htaccess.sha256', 64)
    released = {entry['sha256'] for entry in case.knowledge.section('released_htaccess').values()}
    if digest and digest not in released:
        own = case.facts.flag('customisations.htaccess.custom')
        yield hit('htaccess_edited', [f'sha256 {digest[:16]}…', f'.htaccess_custom {"exists" if own else "is missing"}'])


@check('custom_css_js')
def custom_css_js(case: Case) -> Iterator[Hit]:
    """Custom style and script that V4 goes on loading."""
    found = case.facts.items('customisations.custom_files')
    if found and case.facts.flag('customisations.custom_css_enabled') is not False:
        yield hit('custom_css_js', [f'{item.text("path")} ({int(item.number("size") or 0)} bytes)' for item in found],
                  count=case.facts.count('customisations.custom_files'))


@check('designs', 'designs_without_size', 'designs_old_script')
def designs(case: Case) -> Iterator[Hit]:
    """Designs, views and 3D designs."""
    found = case.facts.items('customisations.designs')
    counts: dict[str, Any] = {'designs': case.facts.count('customisations.designs'), 'views': int(case.facts.number('customisations.views') or 0),
                              'designs_3d': int(case.facts.number('customisations.designs_3d') or 0)}
    if any(counts.values()):
        yield hit('designs', [f'{item.text("name") or item.text("id")}: {int(item.number("elements") or 0)} elements' for item in found], **counts)
    if versions.inside(case.version, {'below': '4.1.15'}):
        flat = [f'{item.text("id")}: {item.text("name")}' for item in found if item.flag('has_size') is False]
        if flat:
            yield hit('designs_without_size', flat, count=len(flat))
    if versions.inside(case.version, {'below': '4.3'}):
        old = [f'{item.text("name") or item.text("id")}: {int(item.number("old_js") or 0)} scripts, {int(item.number("iframes") or 0)} iframes'
               for item in found if item.number('old_js') or item.number('iframes')]
        if old:
            yield hit('designs_old_script', old, count=len(old))


@check('icons_fa4', 'themes_gone', 'timeline_file', 'syslog_forwarding')
def looks(case: Case) -> Iterator[Hit]:
    """Icons, themes and small things that V4 does otherwise."""
    rows = [(name, int(count)) for name, count in case.facts.pairs('customisations.fa4')
            if isinstance(count, (int, float)) and not isinstance(count, bool) and count > 0]
    if rows and case.v3:
        yield hit('icons_fa4', [f'{name}: {count}' for name, count in rows], count=sum(count for _name, count in rows))
    themes = case.facts.view('customisations.themes')
    used = [('default', themes.text('default', 40)), ('mobile', themes.text('mobile', 40))]
    used += [(name, value) for name, value in themes.pairs('users') if isinstance(value, str)]
    gone = {name for entry in case.knowledge.section('removed_themes').values()
            if versions.inside(case.version, {'below': entry['removed_in']}) for name in entry['names']}
    lost = [(who, theme) for who, theme in used if theme and theme in gone]
    if lost:
        yield hit('themes_gone', [f'{who}: {theme}' for who, theme in lost], names=listed(dict.fromkeys(theme for _who, theme in lost)))
    timeline = case.facts.number('customisations.timeline_json')
    if timeline and versions.inside(case.version, {'below': '4.1'}):
        yield hit('timeline_file', f'data/timeline.json: {size(timeline)}')
    if case.facts.flag('customisations.syslog_forwarding') is True and versions.inside(case.version, {'below': '4.5'}):
        yield hit('syslog_forwarding', 'log::syslogudphost is set')


@check('scenario_code', 'code_files')
def own_code(case: Case) -> Iterator[Hit]:
    """Scenarios and PHP of one's own with calls that V4 changed."""
    api = case.knowledge.section('removed_api')

    def changed(patterns: list[str]) -> list[str]:
        return [api[name]['title'] if name in api else name for name in patterns
                if name not in api or versions.inside(case.version, {'below': api[name]['changed_in']})]

    scenarios = [(item, changed(item.texts('patterns', 60))) for item in case.facts.items('customisations.scenarios')]
    lines = [f'{item.text("id")} {item.text("name") or ""}: {listed(names)}' for item, names in scenarios if names]
    if lines:
        yield hit('scenario_code', lines, count=len(lines))
    files = [(item, changed(item.texts('patterns', 60))) for item in case.facts.items('customisations.code_files')]
    lines = [f'{item.text("path")}: {listed(names)}' for item, names in files if names]
    if lines:
        yield hit('code_files', lines, count=len(lines))


@check('sudo_missing', 'foreign_files')
def rights(case: Case) -> Iterator[Hit]:
    """What the web user may do, and what does not belong to it."""
    if case.facts.flag('access.sudo') is False:
        yield hit('sudo_missing', f'sudo -n as {case.facts.text("web_user") or "www-data"} is refused')
    count, examples = case.facts.number('access.ownership.foreign'), case.facts.texts('access.ownership.examples')
    # Apache opens its own log as root on every box
    if count and not (count == 1 and examples == ['log/http.error']):
        yield hit('foreign_files', examples, count=int(count), web_root=case.facts.text('web_root') or '/var/www/html')


@check('api_keys_rotate', 'api_keys_core_only', 'api_limited_users', 'default_password', 'ask_api_consumers', 'ask_ssh_password')
def users(case: Case) -> Iterator[Hit]:
    """Users, their keys, and who else calls."""
    found = case.facts.items('access.users')
    admins = [item.text('login', 60) or '?' for item in found
              if item.text('profile') == 'admin' and item.flag('keeps_key') is False and item.flag('api_key') is not False]
    if admins and versions.inside(case.version, {'below': '4.1'}):
        yield hit('api_keys_rotate', admins, count=len(admins))
    calls = [f'{item.text("where")}: {item.text("text")}' for item in case.facts.items('customisations.old_api_calls')]
    if calls and versions.inside(case.version, {'below': '4.2'}):
        yield hit('api_keys_core_only', calls, count=case.facts.count('customisations.old_api_calls'))
    limited = [item.text('login', 60) or '?' for item in found if item.text('profile') not in (None, 'admin') and item.flag('api_key')]
    if limited and versions.inside(case.version, {'below': '4.4.8'}):
        yield hit('api_limited_users', limited, count=len(limited))
    for item in found:
        if item.flag('default_password') is True and item.flag('enabled') is not False:
            yield hit('default_password', f'profile {item.text("profile") or "unknown"}', subject=item.text('login', 60) or '?')
    if case.phase == 'first' and case.v3:
        yield hit('ask_api_consumers', 'asked of the operator')
        yield hit('ask_ssh_password', 'asked of the operator')


@check('listening_port')
def listening_port(case: Case) -> Iterator[Hit]:
    """Another port than 80, or Jeedom DNS."""
    ports = case.facts.texts('access.listen', 10)
    dns = case.facts.flag('access.dns') is True
    if (ports and '80' not in ports) or dns:
        yield hit('listening_port', f'Listen {listed(ports) or "unknown"}', ports=listed(ports) or 'unknown ports',
                  dns=', and Jeedom DNS is used' if dns else '')
