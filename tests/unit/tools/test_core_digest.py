# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool that computes pins gives, of a tag, what the zip of that tag has: without what GitHub leaves out, and without pictures that may be missing."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / 'tools/core_digest.py'
FILES = {'core/config/version': '9.9.9\n', 'index.php': '<?php\n', 'docs/images/large.gif': 'GIF', 'docs/index.md': 'x',
         'vendor/a/.gitattributes': '/tests export-ignore\n', 'vendor/a/tests/t.php': 't'}


@pytest.fixture
def repository(tmp_path):
    """A core of a few files, tagged 9.9.9, in a repository that lacks a picture and turns ends of lines on its way to the disk."""
    core = tmp_path / 'core'
    for name, content in FILES.items():
        (core / name).parent.mkdir(parents=True, exist_ok=True)
        (core / name).write_text(content)
    git = ['git', '-C', str(core), '-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false']
    for argv in (['init', '-q'], ['add', '-A'], ['commit', '-qm', 'x'], ['tag', '9.9.9'], ['config', 'core.autocrlf', 'true']):
        subprocess.run([*git, *argv], check=True)
    picture = hashlib.sha1(b'blob 3\0GIF', usedforsecurity=False).hexdigest()
    (core / '.git/objects' / picture[:2] / picture[2:]).unlink()
    return core


def tool(*arguments):
    return subprocess.run([sys.executable, str(TOOL), *map(str, arguments)], check=False, capture_output=True, text=True)


def test_a_tag_has_the_digest_of_its_zip(repository, tmp_path):
    with zipfile.ZipFile(tmp_path / 'core-9.9.9.zip', 'w') as archive:
        for name, content in FILES.items():
            if not name.startswith('vendor/a/tests'):
                archive.writestr(f'core-9.9.9/{name}', content)
    of_zip, of_tag = tool(tmp_path / 'core-9.9.9.zip'), tool(repository, '9.9.9')
    assert of_zip.returncode == of_tag.returncode == 0, of_tag.stderr
    assert len(of_zip.stdout.strip()) == 64 and of_tag.stdout == f'9.9.9 {of_zip.stdout}'


@pytest.mark.parametrize('arguments, words', [(['{core}', '1.2.3'], 'git has no archive'), (['{core}/docs/index.md'], 'is no zip')])
def test_what_has_no_digest_is_told_in_a_sentence(repository, arguments, words):
    done = tool(*(argument.format(core=repository) for argument in arguments))
    assert done.returncode == 1 and words in done.stderr and not done.stdout and 'Traceback' not in done.stderr
