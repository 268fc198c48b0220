# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact holds what is allowed, all of it, and nothing else."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


@pytest.fixture(scope='module')
def artifact():
    """tests/tools/artifact.py; tools are scripts, not a package."""
    sys.path.insert(0, str(TOOLS))
    try:
        spec = importlib.util.spec_from_file_location('jeedom_fleet_artifact', TOOLS / 'artifact.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(TOOLS))
    return module


PATTERNS = ['README.md', 'plugins/*/*.py', 'docs/**.md']
GOOD = {'README.md', 'plugins/modules/core.py', 'docs/how-to/a.md'}


def test_the_same_files_are_right(artifact):
    assert artifact.compare(GOOD, PATTERNS, GOOD | {'tests/unit/test_a.py'}) == []


def test_a_star_stays_within_its_folder(artifact):
    deep = 'plugins/modules/deep/core.py'
    assert artifact.compare(GOOD | {deep}, PATTERNS, GOOD | {deep}) == [f'{deep} is in the artifact, but no line of artifact_files.txt allows it']


def test_a_file_that_git_does_not_know_is_told(artifact):
    new = 'plugins/modules/secret.py'
    assert artifact.compare(GOOD | {new}, PATTERNS, GOOD) == [f'{new} is in the artifact, but not in git']


def test_a_file_that_build_ignore_drops_is_told(artifact):
    lost = 'plugins/modules/facts.py'
    assert artifact.compare(GOOD, PATTERNS, GOOD | {lost}) == [f'{lost} is in git and allowed, but build_ignore of galaxy.yml keeps it out']


def test_a_line_that_matches_nothing_is_told(artifact):
    assert artifact.compare(GOOD, [*PATTERNS, 'meta/runtime.yml'], GOOD) == ['the line meta/runtime.yml of artifact_files.txt matches no file']
