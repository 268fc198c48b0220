# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The assessment of one box as people read it in a terminal: banner, blockers with their fix, the rest folded."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

WIDTH = 100
_COLOURS = {'ready': 'green', 'already_done': 'green', 'ready_with_warnings': 'yellow', 'blocked': 'red'}
_MARKS = {'ready': 'READY', 'already_done': 'ALREADY DONE', 'ready_with_warnings': 'READY, WITH WARNINGS', 'blocked': 'BLOCKED'}
Paint = Callable[[str, str], str]


def _plain(text: str, _colour: str) -> str:
    return text


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False) or [first.rstrip()]


def _name(finding: Mapping) -> str:
    return f'{finding["id"]}:{finding["subject"]}' if finding.get('subject') else str(finding['id'])


def folded(findings: Sequence[Mapping]) -> str:
    """Ids with their number: C(custom_css_js, plugin_unknown x3)."""
    counts = Counter(finding['id'] for finding in findings)
    return ', '.join(name if count == 1 else f'{name} x{count}' for name, count in counts.items())


def table(host: str, assessment: Mapping, paint: Paint = _plain, details: bool = False) -> list[str]:
    """Lines of at most 100 columns for one box.

    assessment: C(findings), C(verdict), C(summary). paint: colours a text, given its colour; the default does not. details:
    every warning on a line of its own.
    """
    findings, verdict, summary = assessment['findings'], assessment['verdict'], assessment['summary']
    mark, colour = _MARKS.get(verdict, verdict), _COLOURS.get(verdict, 'normal')
    shown = host if len(host) <= 50 else host[:49] + '…'
    middle = '─' * max(3, WIDTH - len(shown) - len(mark) - 8)
    lines = [f'── {shown} {middle} {paint(mark, colour)} ──']
    if summary.get('route'):
        lines += _wrapped(f'route     {summary["route"]}', '   ', ' ' * 13)
    else:
        lines.append(f'   core      {summary.get("version") or "unknown"}, target {summary.get("target")}')
    open_ones = [finding for finding in findings if not finding['accepted']]
    for finding in (item for item in open_ones if item['severity'] == 'blocker'):
        headline = _wrapped(f'{_name(finding)}: {finding["title"]}', '   BLOCKER   ', ' ' * 13)
        # painted after wrapping: colour codes have no width
        lines += [headline[0].replace('BLOCKER', paint('BLOCKER', 'red'), 1)] + headline[1:]
        for line in finding['evidence'][:3]:
            lines += _wrapped(line, ' ' * 13 + '· ', ' ' * 15)
        lines += _wrapped(finding['advice'], ' ' * 13, ' ' * 13)
        if finding['fix']:
            lines += _wrapped(f'fix: {finding["fix"]}', ' ' * 13, ' ' * 18)
    for finding in (item for item in findings if item['accepted']):
        lines += _wrapped(f'{_name(finding)} ({finding["severity"]}): {finding["reason"]}', '   accepted  ', ' ' * 13)
    warnings = [item for item in open_ones if item['severity'] == 'warning']
    if warnings and details:
        for finding in warnings:
            lines += _wrapped(f'{_name(finding)}: {finding["title"]}', '   warning   ', ' ' * 13)
    elif warnings:
        lines += _wrapped(folded(warnings), f'   {len(warnings):>3} warning{"s" if len(warnings) > 1 else ""} '.ljust(16), ' ' * 16)
    infos = [item for item in open_ones if item['severity'] == 'info' and not item['question']]
    questions = [item for item in open_ones if item['question']]
    if infos or questions:
        asked = f', {len(questions)} question{"s" if len(questions) > 1 else ""} for you: {" ".join(item["title"] for item in questions)}' if questions else ''
        lines += _wrapped(f'{len(infos):>3} more to know{asked}', '   ', ' ' * 16)
    return lines
