# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table in the terminal."""

from __future__ import annotations

from ansible_collections.jeedom.fleet.plugins.plugin_utils import findings_table

from .conftest import put


def broken(facts):
    """A box with a blocker, something accepted, warnings of one kind and infos."""
    facts['plugins']['items'] += [dict(facts['plugins']['items'][0], id=name, v4=None) for name in ('timeline', 'one', 'two')]
    put(facts, 'access.sudo', False)
    put(facts, 'os.apt.locked', True)
    return facts


def show(result, **options):
    """The table as one text."""
    return '\n'.join(findings_table.table('box1', vars(result), **options))


def test_what_matters_is_shown_and_the_rest_is_folded(facts, assess):
    text = show(assess(broken(facts), accept=[{'id': 'sudo_missing', 'reason': 'comes with the image'}]))
    assert text.splitlines()[0].startswith('── box1 ─') and text.splitlines()[0].endswith(' BLOCKED ──')
    assert '3.3.60 -> 4.0.63 -> 4.1.28 -> 4.4.20 -> 4.5.3' in text
    assert 'BLOCKER   plugin_timeline:timeline: Plugin timeline conflicts' in text
    assert 'fix: jeedom_remove_plugins: [timeline]' in text
    assert 'accepted  sudo_missing (blocker): comes with the image' in text
    assert 'BLOCKER   sudo_missing' not in text
    assert '3 warnings apt_locked, plugin_v4_unconfirmed x2' in text
    assert 'Plugin one does not say' not in text
    assert 'more to know' in text and 'Who else calls this Jeedom?' in text


def test_details_give_every_warning_a_line(facts, assess):
    text = show(assess(broken(facts)), details=True)
    assert 'warning   plugin_v4_unconfirmed:one: Plugin one does not say' in text and 'x2' not in text


def test_verdicts(facts, assess):
    assert ' READY ──' in show(assess(facts))
    put(facts, 'os.apt.locked', True)
    assert ' READY, WITH WARNINGS ──' in show(assess(facts))
    put(facts, 'core.version_file', '4.5.3')
    put(facts, 'core.version_db', '4.5.3')
    assert ' ALREADY DONE ──' in show(assess(facts))


def test_lines_fit_and_have_no_colours_of_their_own(facts, assess):
    put(facts, 'database.reachable', False)
    put(facts, 'database.error', 'long words ' * 40)
    lines = findings_table.table('h' * 200, vars(assess(broken(facts))))
    assert all(len(line) <= 100 for line in lines) and '\x1b' not in ''.join(lines)


def test_colours_do_not_break_the_wrapping(facts, assess):
    result = assess(broken(facts))
    plain = findings_table.table('box1', vars(result))
    painted = findings_table.table('box1', vars(result), paint=lambda text, colour: f'<{colour}>{text}</>')
    assert len(plain) == len(painted)
    assert '<red>BLOCKED</>' in painted[0] and any('<red>BLOCKER</>' in line for line in painted)
