# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the sandbox can be tested without boxes: fleet files, rules of the stand-in site, the market's answers, layers, data."""

from __future__ import annotations

import datetime
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import boxes  # noqa: E402
import cores  # noqa: E402
import dataset  # noqa: E402
import sandbox  # noqa: E402
import standin  # noqa: E402
from machine import SandboxError  # noqa: E402


@pytest.mark.parametrize('path', sorted((HERE / 'fleets').glob('*.yml')), ids=lambda path: path.stem)
def test_fleet_files_of_the_repository_are_right(path):
    fleet = sandbox.parse_fleet(path)
    for spec in fleet['boxes'].values():
        assert str(spec['version']) in cores.VERSIONS
        assert set(spec['plugins']) <= set(fleet['market'])


@pytest.mark.parametrize(('text', 'words'), [
    ('[]', 'needs a mapping "boxes"'),
    ('boxes: {}', 'needs a mapping "boxes"'),
    ('boxes: {kitchen: {version: 3.3.60}}', "'kitchen' is no box"),
    ('boxes: {box1: {colour: blue}}', 'unknown keys colour'),
    ('boxes: {box1: 3.3.60}', 'must be a mapping'),
    ('boxes: {box1: {', 'is no YAML'),
])
def test_a_wrong_fleet_file_is_refused_with_a_sentence(tmp_path, text, words):
    path = tmp_path / 'fleet.yml'
    path.write_text(text)
    with pytest.raises(SandboxError, match=words):
        sandbox.parse_fleet(path)


def test_a_missing_fleet_file_is_named(tmp_path):
    with pytest.raises(SandboxError, match='none.yml cannot be read'):
        sandbox.parse_fleet(tmp_path / 'none.yml')


@pytest.mark.parametrize('name', ['', 'toolong', 'a b', '../x'])
def test_names_of_fleets_become_device_names(name):
    with pytest.raises(SandboxError):
        boxes.Fleet(name)


@pytest.mark.parametrize('box', ['box0', 'box241', 'box', 'box1x', 'xbox1'])
def test_names_of_boxes(box):
    with pytest.raises(SandboxError):
        boxes.Fleet.index(box)


def test_a_clone_has_a_fleet_of_its_own(monkeypatch):
    monkeypatch.delenv('JEEDOM_SANDBOX_NAME', raising=False)
    mine = sandbox.default_name()
    monkeypatch.setattr(sandbox, 'ROOT', Path('/another/clone'))
    assert boxes.Fleet(mine).name == mine != sandbox.default_name()
    monkeypatch.setenv('JEEDOM_SANDBOX_NAME', 'mine')
    assert sandbox.default_name() == 'mine'


def test_a_box_is_not_replaced_because_midnight_passed():
    assert cores.same('/c/layers/mini-3.3.60-ab-20260101/upper\n/c/base', '/c/layers/mini-3.3.60-ab-20260102/upper\n/c/base')
    assert not cores.same('/c/layers/mini-3.3.60-ab-20260101/upper\n/c/base', '/c/layers/mini-3.3.60-cd-20260101/upper\n/c/base')


def test_the_miniature_is_pinned_in_the_inventory_and_the_genuine_core_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(cores, 'VERSIONS', ('4.5.3',))
    monkeypatch.setattr(cores, 'zips', lambda kind: tmp_path)
    monkeypatch.setattr(cores, 'CACHE', tmp_path)
    cores.Miniature().zip('4.5.3', tmp_path / 'core-4.5.3.zip')
    given = cores.pins(cores.Miniature(), tmp_path)
    assert given == {'jeedom_knowledge': [str(tmp_path / 'pins.json')]}
    pin, = json.loads((tmp_path / 'pins.json').read_text(encoding='utf-8'))['versions']
    cores.ReleaseZip(str(tmp_path / 'core-4.5.3.zip')).check('4.5.3', content_sha256=pin['content_sha256'])
    assert cores.pins(object.__new__(cores.Genuine), tmp_path) == {}, 'genuine zips pass with the pins of knowledge/'


@pytest.mark.parametrize(('path', 'ref'), [
    ('/jeedom/core/archive/4.1.28.zip', '4.1.28'),
    ('/jeedom/core/archive/refs/tags/4.4.20.zip', '4.4.20'),
    ('/jeedom/core/archive/V4-stable.zip', 'V4-stable'),
    ('/jeedom/core/zip/refs/heads/master', 'master'),
])
def test_addresses_of_archives(path, ref):
    assert standin.ARCHIVE.match(path).group(1) == ref


@pytest.mark.parametrize('path', ['/jeedom/core', '/other/core/archive/4.1.28.zip', '/jeedom/core/archive/../../x.zip', '/jeedom/core/archive/a/b.zip'])
def test_other_addresses_are_not_archives(path):
    assert not standin.ARCHIVE.match(path)


def test_rules_go_by_address_and_box_newest_first(tmp_path):
    assert standin.rules(tmp_path, 'github.com/', '10.0.0.1') == []
    (tmp_path / 'rules.json').write_text(json.dumps([
        {'rule': '404', 'match': 'archive/', 'box': '10.0.0.1'}, {'rule': 'stall', 'match': '^github.com/'}]))
    assert standin.rules(tmp_path, 'github.com/jeedom/core/archive/x.zip', '10.0.0.1') == ['404', 'stall']
    assert standin.rules(tmp_path, 'github.com/jeedom/core/archive/x.zip', '10.0.0.2') == ['stall']
    assert standin.rules(tmp_path, 'market.jeedom.com/core/api/api.php', '10.0.0.1') == []


def test_a_market_entry_has_what_the_client_reads_and_is_ascii():
    entry = standin.describe('weather', {'name': 'Météo', 'certification': 'Obsolète', 'v4': 0})
    assert entry['id'] and entry['certification'] == 'Obsolète' and entry['hardwareCompatibility']['v4'] == '0'
    assert json.dumps(entry, ensure_ascii=True).isascii()


def test_plugin_archives_have_the_plugin_at_the_top():
    with zipfile.ZipFile(io.BytesIO(standin.plugin_zip('weather', {'stable': '2026-01-01 00:00:00'}))) as archive:
        assert {'plugin_info/info.json', 'core/class/weather.class.php'} <= set(archive.namelist())
        assert archive.read('plugin_info/stable') == b'2026-01-01 00:00:00\n'
    with zipfile.ZipFile(io.BytesIO(standin.plugin_zip('weather', {'broken': True}))) as archive:
        assert b'class {' in archive.read('core/class/weather.class.php')


def test_data_have_their_sizes_and_reach_up_to_now():
    now = datetime.datetime(2026, 1, 2, 3, 4, 5)
    made = ''.join(dataset.statements({'history': 34000, 'equipments': 3, 'commands': 2}, [{'id': 'virtual'}, {'id': 'off', 'active': 0}], now))
    history = [line for part in made.split('INSERT INTO ') if part.startswith('`history') for line in part.splitlines()[1:]]
    assert len(history) == 34000 and '2026-01-02' in history[-1]
    assert "('virtual', 'active', '1')" in made and "('off', 'active', '0')" in made


def test_values_are_quoted():
    assert dataset._sql("l'été \\") == "'l\\'été \\\\'" and dataset._sql(None) == 'NULL' and dataset._sql({'a': 1}) == '\'{"a": 1}\''
