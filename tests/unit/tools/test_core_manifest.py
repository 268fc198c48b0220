# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool that makes a manifest of a release tells the files of the core, and tells them as boxes do."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import core_files
from ansible_collections.jeedom.fleet.plugins.plugin_utils import knowledge

TOOL = Path(__file__).resolve().parents[2] / 'tools/core_manifest.py'


@pytest.fixture
def repository(tmp_path):
    """A core of a few files, tagged 9.9.9, and an edit that is not."""
    core = tmp_path / 'core.git'
    for name, content in {'core/class/a.php': 'a', 'core/config/version': '9.9.9', 'desktop/js/é b.js': 'b', 'plugins/own/x': 'x', 'index.php': 'i'}.items():
        (core / name).parent.mkdir(parents=True, exist_ok=True)
        (core / name).write_text(content)
    git = ['git', '-C', str(core), '-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false']
    for argv in (['init', '-q'], ['add', '-A'], ['commit', '-qm', 'x'], ['tag', '9.9.9']):
        subprocess.run([*git, *argv], check=True)
    (core / 'core/class/a.php').write_text('edited')
    subprocess.run([*git, 'commit', '-qam', 'y'], check=True)
    return core


def test_it_tells_what_only_the_updater_writes_to(repository):
    done = subprocess.run([sys.executable, str(TOOL), str(repository), '9.9.9'], check=True, capture_output=True, text=True)
    (repository / 'made.json').write_text(done.stdout)
    found = knowledge._manifest(repository / 'made.json')
    assert found == {'core/class': {'a.php': [1, core_files.checksum(b'a')]}, 'core/config': {'version': [5, core_files.checksum(b'9.9.9')]},
                     'desktop/js': {'é b.js': [1, core_files.checksum(b'b')]}}
    # a box that was edited since differs by that file, by the means that boxes use
    different = core_files.compare(str(repository), core_files.digests(found))['different']
    assert core_files.resolve(different, found) == {'edited': ['core/class/a.php'], 'foreign': [], 'missing': []}


def test_a_release_that_is_not_there_makes_no_manifest(repository):
    done = subprocess.run([sys.executable, str(TOOL), str(repository), '1.2.3'], check=False, capture_output=True, text=True)
    assert done.returncode and not done.stdout


def test_the_manifests_that_are_shipped_are_in_its_form():
    spec = importlib.util.spec_from_file_location('core_manifest', TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    files = sorted(knowledge.MANIFESTS.glob('*.json'))
    assert files
    for file in files:
        assert tool.text(knowledge._manifest(file)) == file.read_text(encoding='utf-8')
