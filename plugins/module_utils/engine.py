# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of a box: Jeedom's crons and scenarios, recorded, stopped and given back.

Stopping touches nothing in Jeedom's database: what a dump holds, and what a rollback gives back, stays as it was.
The cron files are what a half-migrated core must not find at the next boot (contract 0.7), so they stand aside, in
/var/lib/jeedom-fleet/cron.d. Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import io
import os
import pwd
import re
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import engine_processes, system, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.database import config_rows, set_config_rows
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

CRON_DIR = '/etc/cron.d'
# Installations from before /etc/cron.d/jeedom (and people) put the same lines there; a crontab may hold other lines, too.
CRONTABS = ('/etc/crontab', '/var/spool/cron/crontabs')
_JEEDOM_LINE = re.compile(br'^[ \t]*[^#\s].*/core/php/(?:jeeCron|watchdog)\.php')
# In front of a line that stands still: it tells by itself what has to come back, whatever else is edited meanwhile.
MUTE = b'#jeedom.fleet# '
# Absent means switched on (contract 1.3).
ROWS = ('enableCron', 'enableScenario')

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    state=dict(type='str', default='running', choices=['running', 'stopped', 'as_recorded']),
    timeout=dict(type='int', default=600),
)


def aside_dir():
    """Where the cron files stand while the engine is stopped."""
    return os.path.join(system.STATE_DIR, 'cron.d')


def _names(folder):
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    # cron itself ignores names with a dot (dpkg leftovers, backups of editors).
    # Our own, which wakes a box without systemd, is not Jeedom's.
    return sorted(name for name in names if name.startswith('jeedom') and not name.startswith('jeedom-fleet') and '.' not in name)


def _crontabs():
    """(path, lines with their ends) of every crontab."""
    found = []
    for path in CRONTABS:
        names = [os.path.join(path, name) for name in sorted(os.listdir(path))] if os.path.isdir(path) else [path]
        for name in names:
            try:
                with io.open(os.path.realpath(name), 'rb') as stream:
                    # Not splitlines(), which takes other bytes for the end of a line, too.
                    found.append((os.path.realpath(name), stream.read().split(b'\n')))
            except (IOError, OSError):
                continue
    return found


def _live(line):
    return bool(_JEEDOM_LINE.match(line))


def _mute(line):
    return line.startswith(MUTE)


def _with(test):
    """Paths of the crontabs with such a line."""
    return [path for path, lines in _crontabs() if any(test(line) for line in lines)]


def _change(test, make, context, word):
    """Write crontabs anew, with make(line) for the lines that test finds; cron sees it by the time of file and folder."""
    for path, lines in _crontabs():
        if any(test(line) for line in lines):
            status = os.stat(path)
            system.atomic_write(path, b'\n'.join(make(line) if test(line) else line for line in lines), status.st_mode & 0o7777,
                                status.st_uid, status.st_gid)
            if context:
                context.log("%s Jeedom's lines in %s" % (word, path))


def record(installation, database):
    """How the engine stands right now, as engine.start() needs it to give it back.

    {recorded, boot_id, cron_files: names in /etc/cron.d or already aside, cron_active: the cron service runs,
    rows: {enableCron, enableScenario: text or null for absent}, started: content of the marker or null (contract 1.4),
    temporary: Jeedom's temporary folder, daemons: plugins with a running process}.
    """
    temporary = installation.temporary(database)
    return dict(
        recorded=time.time(), boot_id=system.boot_id(),
        cron_files=sorted(set(_names(CRON_DIR)) | set(_names(aside_dir())) | set(_with(_live)) | set(_with(_mute))),
        cron_active=cron_active(),
        rows=config_rows(database, ROWS),
        started=system.read_text(os.path.join(temporary, 'started'), limit=100),
        temporary=temporary,
        daemons=engine_processes.daemons(installation.web_root),
    )


def cron_active():
    """Whether a cron daemon runs."""
    if os.path.isdir('/run/systemd/system'):
        return system.run(['systemctl', 'is-active', '--quiet', 'cron']).rc == 0
    return any(os.path.basename(line.split(' ')[0]) in ('cron', 'crond') for dummy, line in system.processes())


def stop(installation, context=None, timeout=600, force=False):
    """Put the cron files and the lines in crontabs aside and end Jeedom's command line processes and its plugins' daemons; never Apache's workers.

    timeout: seconds to wait for an update, backup or restore that somebody else runs. force: end that too (a restore
    must, after a hop that broke off). Raises jeedom_busy, engine_not_stopped. Stopping twice does no harm.
    """
    target = system.make_dir(system.state_dir('cron.d'))
    for name in _names(CRON_DIR):
        source, kept = os.path.join(CRON_DIR, name), os.path.join(target, name)
        status = os.stat(source)
        with io.open(source, 'rb') as stream:
            # Written before the first is taken away: a power cut between leaves both, and the one in place counts.
            system.atomic_write(kept, stream.read(), status.st_mode & 0o7777, status.st_uid, status.st_gid)
        os.unlink(source)
        if context:
            context.log('put %s aside' % source)
    _change(_live, lambda line: MUTE + line, context, 'muted')
    if not force:
        engine_processes.wait_idle(installation.web_root, timeout)
    engine_processes.end(installation.web_root, 0 if force else engine_processes.GRACE, context)


def start(installation, recorded, context=None):
    """Give the engine back as recorded: rows, started marker, cron files. Nothing else is touched. Repeating does no harm."""
    database = installation.database()
    wanted = (recorded or {}).get('rows', {})
    now = config_rows(database, sorted(wanted))
    set_config_rows(database, dict((key, value) for key, value in wanted.items() if now[key] != value))
    _restore_marker(installation, recorded or {})
    give_back_files(context)


def give_back_files(context=None):
    """Move the cron files back to /etc/cron.d, and give the lines in other crontabs back."""
    for name in _names(aside_dir()):
        kept, place = os.path.join(aside_dir(), name), os.path.join(CRON_DIR, name)
        status = os.stat(kept)
        with io.open(kept, 'rb') as stream:
            system.atomic_write(place, stream.read(), status.st_mode & 0o7777, status.st_uid, status.st_gid)
        os.unlink(kept)
        if context:
            context.log('gave %s back' % place)
    _change(_mute, lambda line: line[len(MUTE):], context, 'gave back')


def _restore_marker(installation, recorded):
    """The started marker, when it was lost without a reboot; after one Jeedom must go through its own start."""
    if not recorded.get('started') or recorded.get('boot_id') != system.boot_id():
        return
    path = os.path.join(recorded.get('temporary') or '/tmp/jeedom', 'started')
    if os.path.exists(path):
        return
    owner = pwd.getpwnam(installation.web_user)
    try:
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
            os.chown(os.path.dirname(path), owner.pw_uid, owner.pw_gid)
            os.chmod(os.path.dirname(path), 0o777)
        system.atomic_write(path, recorded['started'], 0o644, owner.pw_uid, owner.pw_gid)
    except (IOError, OSError) as error:
        if error.errno not in (errno.ENOSPC, errno.EROFS):
            raise


def running(installation, database=None):
    """Whether crons and scenarios can run: cron files in place, cron daemon alive, neither row switched off."""
    return _runs(config_rows(database or installation.database(), ROWS), cron_active())


def _runs(rows, active):
    return bool(('jeedom' in _names(CRON_DIR) or _with(_live)) and not _names(aside_dir()) and not _with(_mute) and active
                and '0' not in rows.values())


def state(installation, database):
    """What the module returns: {running, cron_files, aside, cron_active, enableCron, enableScenario, started, daemons}."""
    now = record(installation, database)
    return dict(running=_runs(now['rows'], now['cron_active']), cron_files=_names(CRON_DIR) + _with(_live), aside=_names(aside_dir()) + _with(_mute),
                cron_active=now['cron_active'], enableCron=now['rows']['enableCron'] != '0',
                enableScenario=now['rows']['enableScenario'] != '0', started=bool(now['started']), daemons=now['daemons'])


def run(params, check_mode):
    """The engine module: running, stopped, or as the open transaction recorded it."""
    installation = Installation(params['web_root']).require()
    database = installation.database()
    before = state(installation, database)
    wanted = params['state']
    opened = transaction.current()
    if wanted == 'as_recorded':
        if not opened:
            return dict(changed=False, engine=before, before=before)
        recorded = opened['engine']
    else:
        recorded = dict(rows=dict.fromkeys(ROWS))
    if wanted == 'stopped':
        changed = bool(before['cron_files']) or bool(engine_processes.find(installation.web_root))
    else:
        rows = recorded.get('rows', {})
        changed = bool(before['aside']) or any((rows.get(key) != '0') != before[key] for key in ROWS)
        if wanted == 'running':
            if opened:
                raise BoxError('A migration of this box is open (run %s), so the engine is not started: finish it, or take it back '
                               'with the rollback playbook.' % opened.get('run_id'), 'transaction_open')
            _require_startable(before)
    if changed and not check_mode:
        system.require_root()
        if wanted == 'stopped':
            stop(installation, timeout=params['timeout'])
        else:
            start(installation, recorded)
    after = state(installation, database) if changed and not check_mode else _predicted(before, wanted) if changed else before
    return dict(changed=changed, engine=after, before=before, diff=dict(before=_text(before), after=_text(after)))


def _require_startable(before):
    if not before['cron_active']:
        raise BoxError('No cron daemon runs on the box, so nothing would start Jeedom\'s tasks: start it (systemctl start cron).',
                       'cron_inactive')
    if not any(name == 'jeedom' or name.startswith('/') for name in before['cron_files'] + before['aside']):
        raise BoxError("/etc/cron.d/jeedom is missing on the box, so nothing would start Jeedom's tasks: reinstall it with "
                       "Jeedom's install script.", 'no_cron_file')


def _predicted(before, wanted):
    if wanted == 'stopped':
        return dict(before, running=False, cron_files=[], aside=sorted(before['cron_files'] + before['aside']), daemons=[])
    return dict(before, running=True, cron_files=sorted(before['cron_files'] + before['aside']), aside=[], enableCron=True,
                enableScenario=True)


def _text(state_now):
    keys = ('running', 'cron_files', 'enableCron', 'enableScenario')
    return ''.join('%s: %s\n' % (key, ', '.join(state_now[key]) if isinstance(state_now[key], list) else state_now[key])
                   for key in keys)
