# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/findings.md is made of the catalogue. After a change of knowledge/checks.yml: REGENERATE=1 pytest tests/unit/assess/test_docs.py"""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge

PAGE = Path(__file__).resolve().parents[3] / 'docs' / 'findings.md'
HEAD = '''# Findings

What `assess` looks at on every box, before anything is touched. One row per finding; the text people read stands in `knowledge/checks.yml`,
the code that looks in `plugins/plugin_utils/checks_*.py`. This page is made of the catalogue (`tests/unit/assess/test_docs.py`).

* **Severity**: a *blocker* stops the box at the gate, a *warning* wants to be read, an *info* is good to know. Where two are given the
  check decides by what it finds, the first is the worst.
* **Accept**: `jeedom_accept: [{id: sudo_missing, reason: comes with the next image}]`, or for one subject `plugin_obsolete:karotz`. The
  reason is printed in the report. Unknown ids and missing reasons are errors. *no*: cannot be accepted, since nothing could work afterwards.
* **Consent**: `jeedom_remove_plugins: [timeline]` lets `prepare` remove that plugin with its equipments, inside the migration's
  transaction; its finding stops the box no more.
* **By itself**: the migration takes care of it (and gives settings back), nothing is to be done.
* Severity, texts and acceptance can be changed, and findings dropped (`removed: true`), by an overlay in `jeedom_knowledge`:
  `checks: [{id: custom_css_js, severity: blocker}]` with `schema: 1`. The same goes for versions, hops, traps, plugins and market rules.
* A box that is on its target already is asked only for what is marked *always*. While a migration of ours is open on the box, what it has
  stopped or moved itself is no finding.
* Facts may be missing, of any type, or hostile: a check that cannot digest them is named by `check_failed`, the others are told all the
  same; text of a box comes out without control characters and template marks.

PF numbers are those of the pre-flight table that this catalogue answers. Two of its severities are other here, since the migration itself
disarms the trap: the date limit (PF17) and the history purge (PF59) are told, not blocking. PF30 (a proved archive) is what the stages
backup and fetch make; it blocks in the second look, after prepare. PF12 and PF13 compute what this route needs instead of a fixed number.

'''
TAIL = '''
## The vendor's own page

`vendor_page` says what the upgrade page of V3 would do with this box. Its system rules (`vendor_os_rules` in `knowledge/debian.yml`) and
plugin rules (`knowledge/market_rules.yml`) are kept in its order; the first that matches wins. Unlike there, a plugin that the market does
not know is shown (`plugin_unknown`). With the market offline the rules that need no answer still hold (timeline, widget), the rest is
judged by `knowledge/plugins.yml` and the plugin's own info.json.

## Verdict

| verdict | when |
|---|---|
| `ready` | no blocker, no warning that is not accepted |
| `ready_with_warnings` | no blocker that is not accepted |
| `blocked` | at least one blocker that is neither accepted nor consented to |
| `already_done` | the core is the target or newer, and not half-way |
'''


def _cell(text: object) -> str:
    return str(text or '').replace('|', '\\|').replace('<', '&lt;').replace('\n', ' ').strip()


def _row(entry: dict) -> str:
    severity = entry['severity'] if isinstance(entry['severity'], str) else ', '.join(entry['severity'])
    notes = ['by itself'] if entry.get('automatic') else []
    notes += ['always'] if entry.get('always') else []
    accept = '' if 'blocker' not in severity else 'no' if entry.get('acceptable') is False else 'yes'
    cells = [f'`{entry["id"]}`', entry.get('pf', ''), severity, accept, *(_cell(entry[key]) for key in ('title', 'evidence', 'advice')), ', '.join(notes)]
    return f'| {" | ".join(cells)} |'


def page() -> str:
    """The text of docs/findings.md."""
    checks = list(knowledge.load().section('checks').values())
    groups = [('## Before the migration', [entry for entry in checks if not entry.get('post') and not entry.get('question')]),
              ('## Asked of the operator, since the box cannot tell', [entry for entry in checks if entry.get('question')]),
              ('## After the migration\n\nA blocker here means *failed*, a warning *degraded* (filter `jeedom.fleet.postflight`).',
               [entry for entry in checks if entry.get('post')])]
    parts = []
    for title, entries in groups:
        head = [title, '', '| id | PF | severity | accept | what is found | looked at | advice | |', '|---|---|---|---|---|---|---|---|']
        parts.append('\n'.join(head + [_row(entry) for entry in entries]) + '\n')
    return HEAD + '\n'.join(parts) + TAIL


def test_the_page_is_that_of_the_catalogue():
    if os.environ.get('REGENERATE'):
        PAGE.write_text(page(), encoding='utf-8')
    assert PAGE.read_text(encoding='utf-8') == page(), 'run it once with REGENERATE=1'
