# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-builder finds in the collection what an execution environment needs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# in tests/requirements.txt; a venv of one's own may lack it
pytest.importorskip('ansible_builder')


def introspect(folder: Path) -> dict:
    """What ansible-builder reads out of the collections below a folder."""
    done = subprocess.run([sys.executable, '-m', 'ansible_builder', 'introspect', str(folder)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)


@pytest.fixture
def installed(tmp_path):
    """The part of an installed collection that ansible-builder reads."""
    home = tmp_path / 'ansible_collections/jeedom/fleet'
    shutil.copytree(ROOT / 'meta', home / 'meta')
    shutil.copy(ROOT / 'galaxy.yml', home)
    return home


def test_the_ssh_client_is_asked_for_on_both_families_of_systems(installed):
    found = introspect(installed.parents[2])
    assert {line.split('#')[0].strip() for line in found['system']} == {
        'openssh-clients [platform:rpm]', 'openssh-client [platform:dpkg]', 'sshpass [platform:rpm]', 'sshpass [platform:dpkg]'}
    assert not found['python']


def test_without_the_file_nothing_would_be_asked_for(installed):
    (installed / 'meta/execution-environment.yml').unlink()
    assert not introspect(installed.parents[2])['system']


def test_the_collection_asks_for_no_python_package():
    """What it imports on the controller comes with ansible-core: jinja2, yaml, cryptography, packaging."""
    assert yaml.safe_load((ROOT / 'meta/execution-environment.yml').read_text(encoding='utf-8')) == {
        'version': 1, 'dependencies': {'system': 'meta/ee-bindep.txt'}}


def test_the_definition_on_the_page_makes_a_build_context(tmp_path):
    page = (ROOT / 'docs/how-to/awx.md').read_text(encoding='utf-8')
    definition = re.search(r'```yaml\n(# execution-environment.yml\n.*?)```', page, re.DOTALL)[1]
    (tmp_path / 'execution-environment.yml').write_text(definition, encoding='utf-8')
    done = subprocess.run([sys.executable, '-m', 'ansible_builder', 'create', '-f', str(tmp_path / 'execution-environment.yml'),
                           '-c', str(tmp_path / 'context')], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'jeedom.fleet' in (tmp_path / 'context/_build/requirements.yml').read_text(encoding='utf-8')
    # named after the container engine that this machine has, or has not
    made = [*(tmp_path / 'context').glob('Containerfile'), *(tmp_path / 'context').glob('Dockerfile')]
    assert ['fedora:42' in path.read_text(encoding='utf-8') for path in made] == [True]
