# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes a box recover by itself, at its next boot or after its job was killed; there only while it is needed. Python 2.7 and 3.5+, stdlib only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import sys

from ansible_collections.jeedom.fleet.plugins.module_utils import jobs, restore_web, system, tree_extract

NAME = 'jeedom-fleet-recover.service'
UNIT = '/etc/systemd/system/' + NAME
WATCH = '/etc/systemd/system/jeedom-fleet-watch.service'
TIMER = '/etc/systemd/system/jeedom-fleet-watch.timer'
CRON = '/etc/cron.d/jeedom-fleet-recover'
CODE = 'recover.zip'
PROGRAM = 'import sys; sys.path.insert(0, %r); from %s import recover; sys.exit(recover.%s())'

_UNIT = '''# Written by jeedom.fleet for the time of a migration; gone when it has ended.
[Unit]
Description=jeedom.fleet: finish or take back a migration that a reboot cut
After=local-fs.target mariadb.service mysql.service
Before=apache2.service nginx.service cron.service
ConditionPathExists=/var/lib/jeedom-fleet/state.json

[Service]
Type=oneshot
TimeoutStartSec=120
ExecStart=%s -c "%s"

[Install]
WantedBy=multi-user.target
'''
_WATCH = '''# Written by jeedom.fleet for the time of a migration; gone when it has ended.
[Unit]
Description=jeedom.fleet: finish or take back a migration whose job was killed
ConditionPathExists=/var/lib/jeedom-fleet/state.json

[Service]
Type=oneshot
TimeoutStartSec=120
ExecStart=%s -c "%s"
'''
_TIMER = '''# Written by jeedom.fleet for the time of a migration; gone when it has ended.
[Unit]
Description=jeedom.fleet: look after a migration whose job was killed

[Timer]
OnActiveSec=5min
OnUnitInactiveSec=5min

[Install]
WantedBy=timers.target
'''
_DROP_IN = '''# Written by jeedom.fleet for the time of a migration: no web pages from a half-restored Jeedom.
[Unit]
ConditionPathExists=!/var/lib/jeedom-fleet/%s
'''


def _program(what):
    code = PROGRAM % (os.path.join(system.STATE_DIR, CODE), jobs.PACKAGE, what)
    return sys.executable or '/usr/bin/python3', code


def install():
    """Write code, unit and Apache's condition. The unit only decides and starts a job, so it delays no boot."""
    system.state_dir()
    temporary = os.path.join(system.STATE_DIR, '.' + CODE)
    jobs._pack(temporary)  # pylint: disable=protected-access
    os.rename(temporary, os.path.join(system.STATE_DIR, CODE))
    boot, watch = _program('main'), _program('watch')
    if not restore_web.has_systemd():
        system.atomic_write(CRON, '# Written by jeedom.fleet for the time of a migration; gone when it has ended.\n'
                            '@reboot root %s -c "%s"\n*/5 * * * * root %s -c "%s"\n' % (boot + watch), 0o644)
        return
    system.make_dir(os.path.dirname(restore_web.drop_in()), 0o755)
    system.atomic_write(restore_web.drop_in(), _DROP_IN % restore_web.STOPPED, 0o644)
    system.atomic_write(UNIT, _UNIT % boot, 0o644)
    system.atomic_write(WATCH, _WATCH % watch, 0o644)
    system.atomic_write(TIMER, _TIMER, 0o644)
    # one reload instead of three: each reads every unit of the box, and Jeedom waits meanwhile
    system.run(['systemctl', '--no-reload', 'enable', NAME, os.path.basename(TIMER)], timeout=120)
    system.run(['systemctl', 'daemon-reload'], timeout=120)
    system.run(['systemctl', 'start', os.path.basename(TIMER)], timeout=120)


def remove():
    """Remove all of it; gone already is fine."""
    there = traces()
    if not there:
        return
    units = [os.path.basename(path) for path in (UNIT, TIMER) if os.path.exists(path)]
    if units:
        system.run(['systemctl', '--no-reload', 'disable'] + units, timeout=120)
        system.run(['systemctl', 'stop', os.path.basename(TIMER)], timeout=120)
    for path in there:
        tree_extract.remove(path)
    folder = os.path.dirname(restore_web.drop_in())
    if os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)
    if restore_web.has_systemd():
        system.run(['systemctl', 'daemon-reload'], timeout=120)


def traces():
    """What of it is on the box."""
    return [path for path in (UNIT, WATCH, TIMER, restore_web.drop_in(), CRON, os.path.join(system.STATE_DIR, CODE)) if os.path.lexists(path)]
