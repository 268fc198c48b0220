# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages tell people to type is there: programs, options, playbooks, variables, targets, files."""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from ansible.cli.playbook import PlaybookCLI

_spec = importlib.util.spec_from_file_location('docs_pages', Path(__file__).with_name('pages.py'))
pages = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(pages)

ROOT = pages.ROOT
PAGES = pytest.mark.parametrize('page', pages.pages(), ids=pages.name)
# Code that variables and names are looked for in: what ships, and what the clone's tools read.
CODE = '\n'.join(path.read_text(encoding='utf-8', errors='replace') for folder, kinds in (
    ('roles', ('yml', 'j2')), ('playbooks', ('yml',)), ('plugins', ('py', 'yml')), ('tests/tools', ('py',)), ('tests/sandbox', ('py',)),
    ('tests/integration', ('py',)), ('extensions', ('yml',)), ('tests/bench', ('py', 'yml')))
    for kind in kinds for path in sorted((ROOT / folder).rglob(f'*.{kind}')) if 'output' not in path.parts)
# Names of an example's own: a file, a group, a host name, a folder.
MADE_UP = {'jeedom_encryption', 'jeedom_update', 'jeedom_unzip', 'jeedom_watchdog', 'jeedom_board'}


def targets() -> set[str]:
    """Targets of the Makefile."""
    return set(re.findall(r'^([a-z-]+):', (ROOT / 'Makefile').read_text(encoding='utf-8'), re.MULTILINE))


def content() -> dict[str, set[str]]:
    """Names of the collection by kind."""
    return {'playbook': {path.stem for path in (ROOT / 'playbooks').glob('*.yml')},
            'role': {path.name for path in (ROOT / 'roles').iterdir()},
            'module': {path.stem for path in (ROOT / 'plugins/modules').glob('*.py')},
            'plugin': {path.stem for kind in ('action', 'callback', 'filter') for path in (ROOT / 'plugins' / kind).iterdir()}}


def expand(word: str) -> list[str]:
    """a.{py,yml} as a shell expands it."""
    found = re.match(r'(.*?)\{([^{}]*)\}(.*)', word)
    return [word] if not found else [each for part in found[2].split(',') for each in expand(found[1] + part.strip() + found[3])]


@PAGES
def test_targets_of_make_are_there(page):
    named = {target for found in re.findall(r'^make ((?:[a-z][a-z-]*\b(?!=) ?)+)', pages.code(page.read_text(encoding='utf-8')), re.MULTILINE)
             for target in found.split()[:1]}
    assert named <= targets()


@PAGES
def test_names_of_the_collection_are_there(page):
    named = set(re.findall(r'\bjeedom\.fleet\.([a-z_]+)\b', pages.code(page.read_text(encoding='utf-8'))))
    assert named <= set.union(*content().values(), {'attributes', 'plugins'})


@PAGES
def test_variables_are_read_by_the_code(page):
    text = pages.code(page.read_text(encoding='utf-8'))
    named = set(re.findall(r'\bjeedom_[a-z_]*[a-z]\b(?!\.(?:yml|zip|key))', text)) | set(re.findall(r'\bJEEDOM_[A-Z_]+[A-Z]\b', text))
    assert not {name for name in named - MADE_UP if not re.search(rf'\b{name}\b', CODE) and f'jeedom_fleet_{name}' not in CODE
                and not (name.startswith('jeedom_') and f"'{name.removeprefix('jeedom_')}'" in CODE)}


@PAGES
def test_files_are_there(page):
    text = pages.code(page.read_text(encoding='utf-8'))
    # plugins/<id> alone are Jeedom's own
    ours = r'plugins(?=/(?:action|callback|doc_fragments|filter|module_utils|modules|plugin_utils)/)'
    roots = '|'.join((ours, 'playbooks', 'roles', 'knowledge', 'docs', 'tests', 'extensions', 'meta', 'changelogs', r'\.ci'))
    named = {word.rstrip('.:,/') for word in re.findall(rf'(?<![\w./<>-])(?:{roots})/[\w./{{}},*<>-]*', text)}
    # what stands for a name that the reader chooses, and what runs make
    named = {each for word in named if '<' not in word and '...' not in word for each in expand(word)}
    assert not {word for word in named if not list(ROOT.glob(word)) and not list(page.parent.glob(word))}


@PAGES
def test_playbook_commands_are_understood_by_ansible(page):
    for command in pages.commands(page.read_text(encoding='utf-8')):
        words = shlex.split(command, comments=True)
        if words[0] != 'ansible-playbook' or '...' in command or len(words) == 1:
            continue
        cli = PlaybookCLI(words)
        cli.init_parser()
        options = cli.parser.parse_args(words[1:])
        for playbook in options.args:
            assert playbook.startswith('jeedom.fleet.') or (ROOT / playbook).exists(), command
        for extra in options.extra_vars:
            if extra.startswith('{'):
                assert isinstance(json.loads(extra), dict)
            elif not extra.startswith('@'):
                assert re.fullmatch(r'jeedom_\w+=.*|key=value', extra, re.DOTALL), command


@PAGES
def test_blocks_are_what_they_say(page):
    for block in pages.blocks(page.read_text(encoding='utf-8')):
        if block.language == 'yaml':
            assert yaml.safe_load(block.text) is not None
        elif block.language == 'json':
            json.loads(block.text)
        elif block.language == 'ini':
            assert configparser.RawConfigParser(strict=False).read_string(block.text) is None
        elif block.language == 'shell':
            assert all(shlex.split(line, comments=True) is not None for line in block.text.splitlines())


@PAGES
def test_links_lead_somewhere(page):
    made = {'reference/playbooks.md', 'reference/collection/index.rst'}
    for target in pages.links(page.read_text(encoding='utf-8')):
        path = (page.parent / target.partition('#')[0]).resolve()
        assert path.exists() or (path.is_relative_to(ROOT / 'docs') and str(path.relative_to(ROOT / 'docs')) in made), target


@pytest.mark.parametrize('page', [page for page in pages.pages() if page.is_relative_to(pages.FRENCH) and page.name != 'index.md'], ids=pages.name)
def test_a_french_page_says_to_type_what_the_english_one_says(page):
    """Commands are the same, settings mean the same; the French page may leave something out, and says where to read on."""
    english = pages.blocks((ROOT / 'docs' / page.relative_to(pages.FRENCH)).read_text(encoding='utf-8'))
    french = pages.blocks(page.read_text(encoding='utf-8'))

    def said(block):
        return yaml.safe_load(block.text) if block.language == 'yaml' else [line for line in block.text.splitlines() if not line.startswith('#')]
    assert [block for block in french if said(block) not in [said(each) for each in english]] == []
    shell = [block for block in english if block.language == 'shell']
    assert [block for block in french if block.language == 'shell'] == shell


def test_every_playbook_role_and_variable_of_the_fleet_is_told_of():
    told = '\n'.join(path.read_text(encoding='utf-8') for path in pages.pages() if 'fr' not in path.relative_to(ROOT).parts)
    assert {name for name in content()['playbook'] if not re.search(rf'jeedom\.fleet\.{name}\b|playbooks/{name}\.yml', told)} == set()
    gates = set(re.findall(r'jeedom_(?:waves|target|max_failed|max_failed_percent|soak|window|expected_minutes)\b', CODE))
    assert {name for name in gates if f'`{name}`' not in told} == set()
    roles = '\n'.join(path.read_text(encoding='utf-8') for path in (ROOT / 'roles').glob('*/meta/argument_specs.yml'))
    # what plugins read of the play, but for the name of the stage, which our playbooks give
    read = set(re.findall(r"setting\('(jeedom_\w+)'", CODE)) - {'jeedom_stage'}
    assert len(read) > 5 and {name for name in read if f'`{name}`' not in told and f' {name}:' not in roles} == set()


@pytest.mark.parametrize('path', sorted((ROOT / 'knowledge').glob('*.yml')), ids=lambda path: path.name)
def test_variables_that_findings_advise_are_read_by_the_code(path):
    named = set(re.findall(r'\bjeedom_[a-z_]*[a-z]\b', path.read_text(encoding='utf-8')))
    assert {name for name in named - MADE_UP if not re.search(rf'\b{name}\b', CODE)} == set()


def test_the_pages_are_told_apart_from_what_they_forbid():
    """The rules above see what they are for: each finds its own kind of slip."""
    text = 'Type `make nothing`, `jeedom.fleet.nothing` and\n\n```shell\nansible-playbook playbooks/nothing.yml \\\n  -e jeedom_nothing=1\n```\n'
    assert pages.commands(text) == ['ansible-playbook playbooks/nothing.yml    -e jeedom_nothing=1', 'make nothing']
    assert pages.links('[a](b.md#c) [d](https://e) ```[f](g)```') == ['b.md#c']
    assert pages.blocks('1. x\n\n   ```yaml\n   a: 1\n   ```\n') == [('yaml', 'a: 1\n')]
    assert expand('a/{b,c}.py') == ['a/b.py', 'a/c.py']
