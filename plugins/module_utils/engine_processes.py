# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes of a box belong to Jeedom, and ending them. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import signal
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# What Jeedom and its plugins run on. Apache and php-fpm are not among them: the web is not ours to kill.
_INTERPRETER = re.compile(r'^(php[0-9.]*|python[0-9.]*|node|nodejs|perl|ruby|java|bash|dash|sh)$')
_MAINTENANCE = re.compile(r'install/(update|backup|restore|consistency|install)\.php$')
_PLUGIN = re.compile(r'/plugins/([A-Za-z0-9_-]+)/')
# Seconds that a cron task under way gets to come to its own end, and a process that was asked to end.
GRACE = 30
TERM_GRACE = 10


def find(web_root, table=None, is_program=None):
    """Processes that run Jeedom's or its plugins' code from the command line.

    Each is {pid, start_time, kind, plugin}; kind is update, backup, restore, consistency or install (their own scripts),
    cron (jeeCron.php), plugin (a daemon of a plugin) or other. No command line is returned: daemons carry API keys in theirs.
    """
    found = []
    own = os.getpid()
    for pid, arguments in (table if table is not None else _arguments()):
        if pid == own or not arguments:
            continue
        program = arguments[0] if is_program else _program(pid, arguments[0])
        inside = program.startswith(web_root + '/')
        if not inside and not _INTERPRETER.match(os.path.basename(program)):
            continue
        scripts = [program] if inside else _scripts(pid, arguments[1:], web_root)
        if not scripts:
            continue
        process = dict(_kind(scripts[0], web_root), pid=pid, start_time=system.start_time(pid))
        if process['kind'] == 'plugin' and os.path.basename(program) in ('bash', 'dash', 'sh'):
            # Most likely the installation of dependencies: apt must not be cut.
            process['kind'] = 'other'
        found.append(process)
    return found


def _arguments():
    for name in os.listdir('/proc'):
        if name.isdigit():
            line = system.read_text('/proc/%s/cmdline' % name)
            if line:
                yield int(name), line.rstrip('\0').split('\0')


def _program(pid, default):
    try:
        # The kernel adds " (deleted)" once an update has replaced the file.
        return os.readlink('/proc/%d/exe' % pid).split(' (deleted)')[0]
    except OSError:
        return default


def _scripts(pid, arguments, web_root):
    """Absolute paths inside the web root that an interpreter was given to run."""
    scripts = []
    for argument in arguments:
        if argument.startswith('-'):
            # Code on the command line that loads the core, as our own proofs do: over in a moment.
            continue
        path = argument
        if not path.startswith('/') and '/' not in path and not path.endswith('.php'):
            continue
        if not path.startswith('/'):
            try:
                path = os.path.join(os.readlink('/proc/%d/cwd' % pid), path)
            except OSError:
                continue
        path = os.path.normpath(path)
        if path.startswith(web_root + '/'):
            scripts.append(path)
            break
    return scripts


def _kind(script, web_root):
    inside = script[len(web_root):]
    plugin = _PLUGIN.match(inside)
    maintenance = _MAINTENANCE.search(inside)
    if maintenance:
        return dict(kind=maintenance.group(1), plugin=None)
    if inside == '/core/php/jeeCron.php':
        return dict(kind='cron', plugin=None)
    return dict(kind='plugin' if plugin else 'other', plugin=plugin.group(1) if plugin else None)


def maintenance(web_root):
    """The update, backup, restore, ... scripts that run right now."""
    return [process for process in find(web_root) if process['kind'] not in ('cron', 'plugin', 'other')]


def wait_idle(web_root, timeout):
    """Wait until no update, backup or restore runs; raise jeedom_busy when one still does after timeout seconds.

    Two at once mix files of two versions (contract 2.1), and the updater would not start anyway (contract 0.5).
    """
    deadline = time.time() + timeout
    while True:
        busy = maintenance(web_root)
        if not busy:
            return
        if time.time() >= deadline:
            raise BoxError("Jeedom's own %s.php (process %d) is running on the box and did not end within %d s: wait for it, "
                           'then run again.' % (busy[0]['kind'], busy[0]['pid'], timeout), 'jeedom_busy')
        time.sleep(1)


def end(web_root, grace=GRACE, context=None):
    """End every process of find(): daemons at once, others after they had time to finish. Returns how many had to be ended."""
    ended = {}
    deadline = time.time() + grace
    while True:
        alive = find(web_root)
        now = time.time()
        for process in alive:
            key = (process['pid'], process['start_time'])
            if process['kind'] != 'plugin' and now < deadline and key not in ended:
                continue
            first = ended.setdefault(key, now)
            _signal(process['pid'], signal.SIGKILL if now - first >= TERM_GRACE else signal.SIGTERM)
        if not alive:
            break
        if now > deadline + 3 * TERM_GRACE:
            raise BoxError('%d processes of Jeedom cannot be ended (%s): look at them on the box, then run again.'
                           % (len(alive), ', '.join(str(process['pid']) for process in alive)), 'engine_not_stopped')
        time.sleep(0.3)
    if context and ended:
        context.log('ended %d processes of Jeedom and its plugins' % len(ended))
    return len(ended)


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        # Gone in the meantime.
        pass


def daemons(web_root):
    """Ids of the plugins that have a process running, sorted."""
    return sorted(set(process['plugin'] for process in find(web_root) if process['kind'] == 'plugin'))
