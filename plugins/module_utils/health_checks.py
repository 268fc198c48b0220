# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The single proofs that a Jeedom works; used after every hop and by the health module.

Every check is {id, status: ok | warning | failed | skipped, message}. Nothing here changes the box.
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import json
import os
import pwd
import re

from ansible_collections.jeedom.fleet.plugins.module_utils import engine, engine_processes, health_web, system

# Rows that only the user makes: exactly as many as before (contract 1.2, 7).
SAME = ('object', 'eqLogic', 'cmd', 'scenario', 'scenarioElement', 'scenarioSubElement', 'scenarioExpression', 'user', 'plan',
        'planHeader', 'plan3d', 'plan3dHeader', 'view', 'viewZone', 'viewData', 'interactDef', 'dataStore')
# The web is up during a hop and a daemon may still report values: these may grow, both together.
GROWING = (('history', 'historyArch'),)
# Logs in which a core that does not work says so.
LOGS = ('http.error', 'cron_execution')
_FATAL = re.compile(r'PHP Fatal error|PHP Parse error|could not be converted to string')
# Loads the whole core with database and vendor (contract 1.4), and reads the API key, which V4 may keep encrypted.
# Neither lists plugins, which would write (contract 0.11). The key only ever stands on this standard output.
_BOOTSTRAP = ('require %s; echo "\\n@@", json_encode(array("version" => jeedom::version(), "api" => config::byKey("api"), '
              '"mode" => config::byKey("api::core::jsonrpc::mode"), "http" => config::byKey("api::core::http::mode")));')


def check(name, good, message, warning=False):
    """One result; a check that is not good is a failure unless warning is set."""
    return dict(id=name, status='ok' if good else 'warning' if warning else 'failed', message=message)


def versions(installation, in_database, expected=None):
    """Version file and database agree, and are what is expected (text of core/config/version). in_database: config key version."""
    in_files = installation.version()
    good = bool(in_files) and in_files == in_database and expected in (None, in_files)
    return check('version', good, 'files %s, database %s%s' % (in_files, in_database, '' if expected is None else
                                                               ', expected %s' % expected))


def rows_on(rows, before=None):
    """enableCron and enableScenario are not switched off, but where they were so before. rows, before: {key: value} of both."""
    off = [key for key in engine.ROWS if rows[key] == '0' and (before or {}).get(key) != '0']
    return check('rows', not off, '%s switched off' % ' and '.join(off) if off else 'enableCron and enableScenario are on')


def bootstrap(installation, timeout=120):
    """(check, facts): the core loads for the web user; facts hold version, api (the key, secret) and the API's mode."""
    path = "'%s'" % installation.path('core/php/core.inc.php').replace('\\', '\\\\').replace("'", "\\'")
    done = system.run(installation.as_web_user(['php', '-r', _BOOTSTRAP % path]), timeout=timeout)
    text = done.out.rsplit('\n@@', 1)[-1] if '\n@@' in done.out else ''
    try:
        facts = json.loads(text)
    except ValueError:
        facts = {}
    if done.rc or not facts.get('version'):
        lines = [line for line in (done.err + '\n' + done.out).splitlines() if 'rror' in line] or ['no message']
        return check('bootstrap', False, 'the core does not load: code %d, %s' % (done.rc, lines[0][:200])), {}
    return check('bootstrap', True, 'the core loads and says %s' % facts['version']), facts


def web(installation, facts, timeout=60, ways=None):
    """Login page by content and, where the API is switched on, its version. facts: what bootstrap() gave."""
    page = health_web.login_page(installation.web_root, timeout, ways)
    found = [check('login_page', page['ok'], page['message'])]
    if not page['ok']:
        return found
    if not facts.get('api'):
        found.append(dict(id='api', status='skipped', message='no core API key is set on this box'))
    elif facts.get('mode') not in (None, '', 'enable', 'localhost'):
        found.append(dict(id='api', status='skipped', message='the API is %s on this box' % facts['mode']))
    else:
        answer = health_web.api_version(page['way'], facts['api'], timeout)
        good = answer['ok'] and answer['version'] == facts.get('version')
        found.append(check('api', good, answer['message']))
    return found


def counts(database):
    """{table: rows} of what the user owns, and the active plugins under the key "active_plugins"."""
    there = set(database.tables())
    names = [name for name in SAME if name in there] + [name for group in GROWING for name in group if name in there]
    found = database.row_counts(names)
    active = database.query("SELECT plugin FROM config WHERE `key`='active' AND value='1' ORDER BY plugin")
    return dict(tables=found, active_plugins=[row[0] for row in active])


def same_counts(before, now):
    """Compare two results of counts(); before None is skipped."""
    if before is None:
        return dict(id='counts', status='skipped', message='nothing to compare with')
    old, new = before['tables'], now['tables']
    wrong = ['%s: %d instead of %d' % (name, new.get(name, 0), old[name]) for name in SAME if name in old and old[name] != new.get(name, 0)]
    for group in GROWING:
        was, are = sum(old.get(name, 0) for name in group), sum(new.get(name, 0) for name in group)
        if are < was:
            wrong.append('%s: %d instead of %d' % (' + '.join(group), are, was))
    gone = sorted(set(before['active_plugins']) - set(now['active_plugins']))
    if gone:
        wrong.append('plugins no longer active: %s' % ', '.join(gone))
    return check('counts', not wrong, '; '.join(wrong) if wrong else 'rows and active plugins as before')


def permissions(installation):
    """The web user owns and can write what the core writes; root-owned files there break it later (contract 0.12)."""
    try:
        owner = pwd.getpwnam(installation.web_user).pw_uid
    except KeyError:
        return check('permissions', False, 'the web user %s does not exist' % installation.web_user)
    wrong = []
    for folder in ('', 'core', 'core/config', 'data', 'log', 'plugins', 'install', 'core/config/common.config.php'):
        path = installation.path(folder) if folder else installation.web_root
        try:
            status = os.stat(path)
        except OSError:
            if folder not in ('data', 'plugins'):
                wrong.append('%s is missing' % (folder or 'the web root'))
            continue
        if status.st_uid != owner and not status.st_mode & 0o002:
            wrong.append('%s belongs to another user' % (folder or 'the web root'))
    return check('permissions', not wrong, '; '.join(wrong) if wrong else 'the web user owns the tree', warning=True)


def daemons(installation, before):
    """Every plugin daemon that ran before runs again; one that is still missing is a warning."""
    if before is None:
        return dict(id='daemons', status='skipped', message='nothing to compare with')
    missing = sorted(set(before) - set(engine_processes.daemons(installation.web_root)))
    return check('daemons', not missing, 'not running: %s' % ', '.join(missing) if missing else '%d running as before' % len(before),
                 warning=True)


def log_sizes(installation):
    """{name: size} of the logs, as a baseline for new_fatals()."""
    found = {}
    for name in LOGS:
        try:
            found[name] = os.path.getsize(installation.path('log', name))
        except OSError:
            found[name] = 0
    return found


def new_fatals(installation, sizes):
    """PHP's fatal errors that came into the logs since log_sizes()."""
    if sizes is None:
        return dict(id='errors', status='skipped', message='nothing to compare with')
    found = []
    for name, size in sorted(sizes.items()):
        if name not in LOGS:
            continue
        try:
            with io.open(installation.path('log', name), 'rb') as stream:
                # A log that was cut since is read from its begin.
                stream.seek(size if os.fstat(stream.fileno()).st_size >= size else 0)
                text = system.to_text(stream.read(1 << 20))
        except (IOError, OSError):
            continue
        found.extend('%s: %s' % (name, line.strip()[:200]) for line in text.splitlines() if _FATAL.search(line))
    return check('errors', not found, '%d new, such as %s' % (len(found), found[0]) if found else 'no new PHP error in the logs',
                 warning=True)
