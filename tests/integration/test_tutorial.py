# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/tutorial/first-box.md word by word: its commands in its order, in one shell, in a fresh copy of this clone; its outputs come out.

A block "shell" is typed, and the block "text" behind it is what has to be seen: its lines in this order, "..." standing for anything.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from testbox import fleet_name

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / 'docs/tutorial/first-box.md'
# The copy is what "git clone" makes, and a bare Debian's packages are no matter of this test.
GIVEN = ('apt-get ', 'git clone ', 'cd jeedom.fleet')
MARK = 'jeedom-tutorial-step'


def steps(text: str) -> list[tuple[list[str], str]]:
    """Commands and what is to be seen after them, in the order of the page."""
    found: list[tuple[list[str], str]] = []
    for language, block in re.findall(r'^```(shell|text)\n(.*?)^```', text, re.MULTILINE | re.DOTALL):
        if language == 'shell':
            found.append(([line for line in block.splitlines() if not line.startswith(GIVEN)], ''))
        else:
            found[-1] = (found[-1][0], found[-1][1] + block)
    return [step for step in found if step[0]]


def seen(expected: str, output: str) -> str | None:
    """The first line that is missing in the output, or None. Lines may have anything between them where "..." stands alone."""
    rest = output
    for line in expected.splitlines():
        if line.strip() == '...':
            continue
        parts = [re.escape(part) for part in line.split('...')]
        found = re.search('.*?'.join(parts), rest)
        if not found:
            return line
        rest = rest[found.end():]
    return None


def copy(folder: Path) -> None:
    """The files that git has, as they stand here."""
    names = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, check=True, capture_output=True).stdout
    packed = subprocess.run(['tar', 'c', '--null', '-T', '-'], cwd=ROOT, input=names, check=True, capture_output=True).stdout
    subprocess.run(['tar', 'x', '-C', str(folder)], input=packed, check=True)


def test_the_page_is_read_as_it_is_meant():
    assert steps('```shell\napt-get x\n```\n```shell\na\nb\n```\n```text\nc\n```\n') == [(['a', 'b'], 'c\n')]
    assert seen('a ... c\n...\ne', 'x\na b c\nd\ne\n') is None
    assert seen('e\na', 'a\ne\n') == 'a'
    assert seen('a.c', 'abc') == 'a.c'


@pytest.mark.sandbox
def test_a_newcomer_sees_what_the_page_says(tmp_path):
    copy(tmp_path)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_', 'VIRTUAL_ENV', 'PYTHON'))}
    # as in a shell in which no environment is active
    kept['PATH'] = ':'.join(part for part in kept['PATH'].split(':') if Path(part) != Path(sys.executable).parent)
    environment = kept | {'JEEDOM_SANDBOX_NAME': fleet_name('tu'), 'LC_ALL': 'C.UTF-8'}
    page = steps(TUTORIAL.read_text(encoding='utf-8'))
    assert len(page) > 10
    script = ''.join(f'{command} || {{ echo "{MARK} failed: exit code $?"; exit 1; }}\n' for commands, _text in page
                     for command in [*commands, f'echo {MARK}'])
    try:
        done = subprocess.run(['bash'], input=script, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=1800, check=False)
    finally:
        subprocess.run(['make', 'sandbox-down'], cwd=tmp_path, env=environment, check=False, capture_output=True, timeout=300)
    outputs = re.split(rf'^{MARK}$', done.stdout, flags=re.MULTILINE)
    assert done.returncode == 0, outputs[-1][-3000:]
    assert len(outputs) == len(page) + 1
    for (commands, text), output in zip(page, outputs, strict=False):
        assert seen(text, output) is None, f'{commands}\n{output[-3000:]}'
