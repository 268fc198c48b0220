# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge base: its schema, its references, overlays."""

from __future__ import annotations

import json

import pytest
import yaml
from ansible_collections.jeedom.fleet.plugins.plugin_utils import checks_base, knowledge, versions

jsonschema = pytest.importorskip('jsonschema')
SCHEMA = json.loads((knowledge.FOLDER / 'schema' / 'knowledge.schema.json').read_text(encoding='utf-8'))
FILES = sorted(knowledge.FOLDER.glob('*.yml'))


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.name)
def test_schema(file):
    jsonschema.Draft202012Validator(SCHEMA).validate(yaml.safe_load(file.read_text(encoding='utf-8')))


VERSION = {'id': '9.9.9', 'ref': '9.9.9', 'file_version': '9.9.9', 'php': {}, 'debian': {}, 'resting': True, 'source': 'its release'}


@pytest.mark.parametrize('pin', ['a1' * 32, None])
def test_schema_takes_pins(pin):
    jsonschema.Draft202012Validator(SCHEMA).validate({'schema': 1, 'versions': [dict(VERSION, content_sha256=pin, sha256=pin)]})


@pytest.mark.parametrize('wrong', [
    {'schema': 2}, {'versions': []}, {'schema': 1, 'typo': []}, {'schema': 1, 'hops': [{'id': 'x', 'source': 'abc', 'from': {}, 'to': {}, 'ok': True}]},
    {'schema': 1, 'versions': [dict(VERSION, content_sha256='abc')]}, {'schema': 1, 'versions': [dict(VERSION, sha256='A' * 64)]},
    {'schema': 1, 'plugins': [{'id': 'x', 'status': 'fine', 'source': 'abc'}]}, {'schema': 1, 'plugins': [{'id': 'x', 'status': 'ok'}]},
])
def test_schema_refuses(wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def test_every_waypoint_can_be_reached_and_left(known):
    ids = [item['id'] for item in known.section('versions').values()]
    assert ids == sorted(ids, key=versions.key)
    for hop in known.section('hops').values():
        assert set(hop.get('loses', ())) <= set(known.section('losses'))


def test_every_check_has_code_and_every_code_has_a_check(known):
    written = {name for ids, _function in checks_base.REGISTER.values() for name in ids}
    # told by the assessment itself
    written |= {'box_unreadable', 'check_failed'}
    assert written == {name for name, entry in known.section('checks').items() if not entry.get('post')}


def test_all_60_preflight_checks_are_there(known):
    assert {entry.get('pf') for entry in known.section('checks').values()} >= {f'PF{number:02d}' for number in range(1, 61)}


def test_overlay_merges_adds_and_removes(tmp_path):
    (tmp_path / 'a.yml').write_text('schema: 1\nchecks:\n  - {id: icons_fa4, severity: blocker}\n  - {id: themes_gone, removed: true}\n'
                                    'plugins:\n  - {id: ours, status: obsolete, source: we}\n')
    (tmp_path / 'b.json').write_text('{"schema": 1, "plugins": [{"id": "ours", "when": "before"}]}')
    over = knowledge.load([tmp_path])
    assert over.entry('checks', 'icons_fa4')['severity'] == 'blocker'
    assert over.entry('checks', 'icons_fa4')['pf'] == 'PF48', 'what the overlay does not name stays'
    assert not over.entry('checks', 'themes_gone')
    assert over.entry('plugins', 'ours') == {'id': 'ours', 'status': 'obsolete', 'source': 'we', 'when': 'before'}
    assert knowledge.load().entry('checks', 'icons_fa4')['severity'] == 'info', 'the shipped knowledge is not touched'


@pytest.mark.parametrize('name, content, word', [
    ('x.yml', 'schema: 1\nplugins: {a: b}\n', 'section'), ('x.yml', 'schema: 7\n', 'schema'), ('x.yml', 'a: [', 'cannot be read'),
    ('x.yml', 'schema: 1\nplugins:\n  - {id: a}\n  - {id: a}\n', 'twice'), ('x.json', '{', 'cannot be read'), ('x.yml', '- 1\n', 'schema'),
    ('x.yml', 'schema: 1\nplugins:\n  - !!python/object/apply:os.system [true]\n', 'cannot be read'),
])
def test_a_broken_overlay_is_named(tmp_path, name, content, word):
    (tmp_path / name).write_text(content)
    with pytest.raises(knowledge.KnowledgeError) as error:
        knowledge.load([tmp_path / name])
    assert name in str(error.value) and word in str(error.value).lower()


def test_a_missing_overlay_is_named(tmp_path):
    with pytest.raises(knowledge.KnowledgeError, match='does not exist'):
        knowledge.load([tmp_path / 'nowhere'])


def test_the_manifest_of_3_3_60(known):
    manifest = known.manifest('3.3.60')
    assert manifest['core/class']['jeedom.class.php'][0] > 1000
    assert known.manifest('9.9.9') == {}


def test_what_is_read_once_is_not_read_again_for_an_overlay(tmp_path, monkeypatch):
    """A worker for a box that has an overlay reads that file only; the rest was read before it was forked."""
    knowledge.load()
    overlay = tmp_path / 'mine.json'
    overlay.write_text('{"schema": 1, "versions": [{"id": "4.5.3", "content_sha256": "' + 'a' * 64 + '"}]}', encoding='utf-8')
    monkeypatch.setattr(knowledge.yaml, 'load', None)
    found = knowledge.load([overlay]).version('4.5.3')
    assert found['content_sha256'] == 'a' * 64 and found['ref'] == '4.5.3'
    assert knowledge.load().version('4.5.3')['content_sha256'] != 'a' * 64
