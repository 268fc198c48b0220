# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jeedom's minute task, run once as cron would run it, so that nobody waits up to a minute to see that the new core's engine turns.

Safe beside cron's own run in the same minute: jeeCron.php ends when another one runs, and a task that has begun in a minute is not
begun again in it (Jeedom's class cron, jeeCronRun and isDue). Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import pwd
import re
import stat
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import engine, restore_web, system

_LINE = re.compile(r'^[ \t]*\*(?:/1)?(?:[ \t]+\*){4}[ \t]+(\S+)[ \t]+([^%]*/core/php/jeeCron\.php[^%]*)$')
_VARIABLE = re.compile(r'^[ \t]*([A-Za-z_]\w*)[ \t]*=[ \t]*["\']?(.*?)["\']?[ \t]*$')
# What Debian's cron gives a command, crontab(5).
_ENVIRONMENT = dict(SHELL='/bin/sh', PATH='/usr/bin:/bin')


def entry(folder=engine.CRON_DIR, owner=0):
    """(user, command, environment) of the line that starts the minute task; None where cron would not run it each minute.

    Cron ignores a file that is not root's, that others may write, or whose last line has no end (cron(8), crontab(5)). owner:
    user id that counts as root.
    """
    path = os.path.join(folder, 'jeedom')
    try:
        status = os.stat(path)
    except OSError:
        return None
    text = system.read_text(path) or ''
    if not stat.S_ISREG(status.st_mode) or status.st_uid != owner or status.st_mode & 0o022 or not text.endswith('\n'):
        return None
    environment = dict(_ENVIRONMENT)
    for line in text.splitlines():
        variable, found = _VARIABLE.match(line), _LINE.match(line)
        if found:
            return found.group(1), found.group(2).strip(), environment
        if variable:
            environment[variable.group(1)] = variable.group(2)
    return None


def start(context):
    """Run the minute task in a unit of its own, as cron would; False where only cron itself can show that it does."""
    found = entry()
    if not found or not engine.cron_active() or not restore_web.has_systemd() or not system.which('systemd-run'):
        return False
    user, command, environment = found
    try:
        home = pwd.getpwnam(user).pw_dir
    except KeyError:
        return False
    # What the task starts goes on after it, daemons of plugins among it: neither our job nor the unit may take it along.
    argv = ['--uid=' + user, '-p', 'KillMode=process', '-p', 'WorkingDirectory=-' + home]
    argv += ['--setenv=%s=%s' % item for item in sorted(dict(environment, HOME=home, LOGNAME=user).items())]
    argv += [environment['SHELL'], '-c', command]
    # Old systemd knows no --collect (before 236, Debian 9 has 232).
    for collect in (['--collect'], []):
        if system.run(['systemd-run', '-q'] + collect + argv, timeout=30).rc == 0:
            context.log("ran Jeedom's minute task as cron does, as %s" % user)
            return True
    return False


def seen(marker, since, timeout):
    """Whether jeeCron's pid file is written after a moment (seconds since the epoch), within timeout seconds."""
    deadline = time.time() + timeout
    while True:
        try:
            # The file system may keep whole seconds.
            if os.stat(marker).st_mtime >= int(since):
                return True
        except OSError:
            pass
        if time.time() >= deadline:
            return False
        time.sleep(0.2)
