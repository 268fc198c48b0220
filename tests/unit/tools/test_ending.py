# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tool that is killed takes down what it started, and nothing cuts it in that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
# Works until it is ended, and takes its fleet down by a child that takes its time.
TOOL = '''
import subprocess, sys, time
sys.path.insert(0, {tools!r})
import ending
ending.tidily()
try:
    print("up", flush=True)
    while True:
        time.sleep(0.05)
finally:
    print("going down", flush=True)
    subprocess.run(["sh", "-c", "read -r word; echo down"])
'''


def heeding():
    """Whoever runs the tests may have been started with nohup; the tool of a test has not."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def tool():
    """tool(prefix): the tool above, in a group of its own; a line to it lets its last child end."""
    started = []

    def start(*prefix, code=TOOL, arguments=()):
        process = subprocess.Popen([*prefix, sys.executable, '-c', code.format(tools=str(TOOLS)), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   text=True, start_new_session=True, preexec_fn=heeding)
        started.append(process)
        # matrix names the Pythons that are not here before
        assert 'up\n' in iter(process.stdout.readline, '')
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        process.stdin.close()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGHUP])
def test_a_tool_that_is_killed_takes_down_what_it_started(tool, number):
    process = tool()
    os.kill(process.pid, number)
    assert process.stdout.readline() == 'going down\n'
    # whoever kills again kills the whole group, with what takes the fleet down
    os.killpg(process.pid, signal.SIGTERM)
    os.killpg(process.pid, signal.SIGHUP)
    assert process.communicate('\n', timeout=60)[0] == 'down\n' and process.returncode == 128 + number


def test_a_terminal_that_closes_ends_no_tool_that_was_started_with_nohup(tool):
    process = tool('nohup')
    os.kill(process.pid, signal.SIGHUP)
    os.kill(process.pid, signal.SIGTERM)
    assert process.stdout.readline() == 'going down\n'
    assert process.communicate('\n', timeout=60)[0] == 'down\n' and process.returncode == 128 + signal.SIGTERM


MATRIX = '''
import sys, time
sys.path.insert(0, {tools!r})
import matrix

class Boxes:
    def __init__(self, *given):
        self.pythons = {{}}

    def up(self):
        print("up", flush=True)
        while True:
            time.sleep(0.05)

    def down(self):
        print("down", flush=True)

matrix.Matrix, matrix.installed = Boxes, lambda *each: each
sys.argv = ["matrix.py"]
sys.exit(matrix.main())
'''


def test_the_matrix_leaves_no_fleet_behind_when_it_is_killed(tool):
    process = tool(code=MATRIX)
    process.terminate()
    assert process.stdout.readline() == 'down\n' and process.wait(60) == 128 + signal.SIGTERM


CONFTEST = '''
import sys
sys.path.insert(0, {tools!r})
import ending

def pytest_configure():
    ending.tidy_pytest()
'''
SUITE = '''
import time
import pytest

@pytest.fixture(scope="session")
def box():
    try:
        yield
    finally:
        print("down", flush=True)

def test_one(box):
    print("up", flush=True)
    while True:
        time.sleep(0.05)

def test_another(box):
    print("another", flush=True)
'''
RUN = 'import pytest, sys; sys.exit(pytest.main(["-q", "-s", "-p", "no:cacheprovider", sys.argv[1]]))'


def test_a_suite_that_is_killed_leaves_through_its_fixtures(tool, tmp_path):
    (tmp_path / 'pytest.ini').write_text('[pytest]\n')
    (tmp_path / 'conftest.py').write_text(CONFTEST.format(tools=str(TOOLS)))
    (tmp_path / 'test_suite.py').write_text(SUITE)
    process = tool(code=RUN, arguments=[str(tmp_path)])
    process.terminate()
    said = process.communicate(timeout=60)[0]
    assert 'down\n' in said and 'another' not in said and process.returncode == 128 + signal.SIGTERM
