# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that are made: of the heads of playbooks, and of the tables of contents."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_spec = importlib.util.spec_from_file_location('tools_docs', ROOT / 'tests/tools/docs.py')
docs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(docs)


def test_every_playbook_is_on_the_page_with_its_head_and_its_plays():
    page = docs.playbooks()
    for path in (ROOT / 'playbooks').glob('*.yml'):
        assert f'\n## {path.stem}\n' in page
    assert 'jeedom_waves    waves as numbers' in page and '* Migrate Jeedom from V3 to V4' in page


def test_a_playbook_without_a_head_is_refused(tmp_path, monkeypatch):
    (tmp_path / 'playbooks').mkdir()
    (tmp_path / 'playbooks/mute.yml').write_text('---\n- hosts: all\n', encoding='utf-8')
    monkeypatch.setattr(docs, 'ROOT', tmp_path)
    with pytest.raises(SystemExit, match='mute.yml has no comment at its head'):
        docs.playbooks()


def test_a_page_that_no_table_of_contents_names_gets_into_one(tmp_path, monkeypatch):
    monkeypatch.setattr(docs, 'SOURCE', tmp_path)
    (tmp_path / 'fr').mkdir()
    (tmp_path / 'index.md').write_text('# A\n\n```{toctree}\n:hidden:\n\nnamed\nfr/index\n```\n', encoding='utf-8')
    (tmp_path / 'fr/index.md').write_text('# B\n\n```{toctree}\n\npage\n```\n', encoding='utf-8')
    for name in ('named', 'fr/page', 'new'):
        (tmp_path / f'{name}.md').write_text('# C\n', encoding='utf-8')
    assert docs.others().split('```')[1].split() == ['{toctree}', ':hidden:', ':caption:', 'More', 'new']
    (tmp_path / 'new.md').unlink()
    assert docs.others() == ''
