# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The minute task is started as cron starts it, and only where cron would start it, too."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import minute_task

LINE = '* * * * * www-data /usr/bin/php /var/www/html/core/php/jeeCron.php >> /dev/null\n'
COMMAND = '/usr/bin/php /var/www/html/core/php/jeeCron.php >> /dev/null'
Done = collections.namedtuple('Done', 'rc out err')


class Context(object):
    """A job's context that keeps its log."""

    def __init__(self):
        self.lines = []

    def log(self, line):
        self.lines.append(line)


def entry(folder, text, mode=0o644):
    path = folder / 'jeedom'
    path.write_text(u'%s' % text)
    os.chmod(str(path), mode)
    return minute_task.entry(str(folder), os.getuid())


def test_the_line_of_the_installer_is_read(tmp_path):
    assert entry(tmp_path, LINE) == ('www-data', COMMAND, {'SHELL': '/bin/sh', 'PATH': '/usr/bin:/bin'})


def test_variables_of_the_file_hold_and_comments_do_not(tmp_path):
    user, dummy, environment = entry(tmp_path, '# * * * * * root /x/core/php/jeeCron.php\nPATH="/usr/local/bin:/bin"\nMAILTO=\n' + LINE)
    assert user == 'www-data'
    assert environment == {'SHELL': '/bin/sh', 'PATH': '/usr/local/bin:/bin', 'MAILTO': ''}


@pytest.mark.parametrize('text', [
    LINE[:-1],                                       # cron: "Missing newline before EOF, this crontab file will be ignored"
    '*/5' + LINE[1:],                                # not each minute
    LINE.replace('>>', '%'),                         # a % is an end of line for cron
    '0 4 * * * root /var/www/html/core/php/watchdog.php\n', ''])
def test_what_cron_would_not_run_each_minute_is_left_to_it(tmp_path, text):
    assert entry(tmp_path, text) is None


@pytest.mark.parametrize('mode', [0o664, 0o646])
def test_a_file_that_others_may_write_is_left_to_cron(tmp_path, mode):
    assert entry(tmp_path, LINE, mode) is None


def test_a_file_of_somebody_else_or_none_is_left_to_cron(tmp_path):
    assert minute_task.entry(str(tmp_path), os.getuid()) is None
    entry(tmp_path, LINE)
    assert minute_task.entry(str(tmp_path), os.getuid() + 1) is None


@pytest.fixture(name='box')
def _box(monkeypatch):
    """A box on which everything is there; calls: what was run on it, old: a systemd that knows no --collect."""
    state = dict(calls=[], cron=True, systemd=True, old=False, entry=('nobody', COMMAND, {'SHELL': '/bin/sh', 'PATH': '/bin'}))

    def run(argv, **dummy):
        state['calls'].append(argv)
        return Done(1 if state['old'] and '--collect' in argv else 0, '', '')

    monkeypatch.setattr(minute_task, 'entry', lambda: state['entry'])
    monkeypatch.setattr(minute_task.engine, 'cron_active', lambda: state['cron'])
    monkeypatch.setattr(minute_task.restore_web, 'has_systemd', lambda: state['systemd'])
    monkeypatch.setattr(minute_task.system, 'which', lambda name: '/usr/bin/' + name)
    monkeypatch.setattr(minute_task.system, 'run', run)
    return state


def test_it_runs_as_its_user_in_a_unit_that_leaves_its_children_alone(box):
    context = Context()
    assert minute_task.start(context) is True
    argv = box['calls'][0]
    assert argv[:3] == ['systemd-run', '-q', '--collect'] and argv[-3:] == ['/bin/sh', '-c', COMMAND]
    assert '--uid=nobody' in argv and 'KillMode=process' in argv and '--setenv=PATH=/bin' in argv and '--setenv=LOGNAME=nobody' in argv
    assert len(box['calls']) == 1 and 'as nobody' in context.lines[0]


def test_an_old_systemd_is_asked_in_its_words(box):
    box['old'] = True
    assert minute_task.start(Context()) is True
    assert ['--collect' in argv for argv in box['calls']] == [True, False]


@pytest.mark.parametrize('missing', [dict(entry=None), dict(cron=False), dict(systemd=False), dict(entry=('no-such-user', COMMAND, {'SHELL': '/bin/sh'}))])
def test_nothing_is_run_where_only_cron_can_show_it(box, missing):
    box.update(missing)
    assert minute_task.start(Context()) is False
    assert box['calls'] == []


def test_only_a_newer_marker_counts(tmp_path):
    marker = tmp_path / 'jeeCron.pid'
    assert minute_task.seen(str(marker), 0, 0) is False
    marker.write_text(u'1')
    now = os.stat(str(marker)).st_mtime
    assert minute_task.seen(str(marker), now, 1) is True
    assert minute_task.seen(str(marker), now + 10, 0.1) is False
