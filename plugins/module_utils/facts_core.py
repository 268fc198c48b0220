# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the core: its versions, engine, what runs there right now, its settings. docs/facts.md has every key.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.jeedom.fleet.plugins.module_utils import jobs, redact, system
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import (
    Unreadable, capped, clean, flag, json_object, number)

UNZIPPED = '/tmp/jeedom_unzip'
# Settings that people look at in a report; none of them is a secret (addresses of the house, keys and users are not here).
SHOWN = (
    'version', 'core::branch', 'core::repo::provider', 'update::allowCore', 'update::autocheck', 'update::check',
    'update::backupBefore', 'update::lastCheck', 'update::lastDateCore', 'enableCron', 'enableScenario', 'ignoreHourCheck',
    'timezone', 'language', 'hardware_name', 'backup::path', 'backup::keepDays', 'backup::maxSize', 'samba::enable',
    'samba::cloudUpload', 'market::enable', 'market::cloudUpload', 'market::allowDNS', 'folder::tmp', 'log::engine', 'log::level',
    'historyArchiveTime', 'historyArchivePackage', 'default_bootstrap_theme', 'default_bootstrap_theme_night',
    'mobile_theme_color', 'mobile_theme_color_night', 'jeedom_theme_main', 'jeedom_theme_alternate', 'enableCustomCss',
    'cache::engine', 'internalProtocol', 'internalPort', 'externalProtocol', 'externalPort', 'jeedom::firstUse',
    'timeline::maxevent', 'maxLineLog')
_VERSION = re.compile(r'^\d+(\.\d+)+$')
_PROCESSES = {
    'update': re.compile(r'\bphp\S* .*install/update\.php|\bphp\S* update\.php'),
    'backup': re.compile(r'\bphp\S* .*install/backup\.php'),
    'restore': re.compile(r'\bphp\S* .*install/restore\.php'),
    'consistency': re.compile(r'\bphp\S* .*install/consistency\.php'),
    'dependency': re.compile(r'resources/\S*(install|dep)\S*\.sh|packages_install|pip3? install'),
    'apt': re.compile(r'(^|/)(apt|apt-get|aptitude|dpkg|unattended-upgrade)( |$)'),
    'composer': re.compile(r'\bcomposer(\.phar)? '),
}

CORE_QUERIES = {
    'core.update_row': "SELECT localVersion, remoteVersion, source, status, LEFT(configuration, 20000) FROM `update` "
                       "WHERE type='core' ORDER BY id LIMIT 1",
}
ENGINE_QUERIES = {
    'engine.crons': 'SELECT id, class, function, enable, schedule, LENGTH(`option`), deamon, once FROM cron '
                    'ORDER BY class, function, id',
}


def version_tuple(text):
    """(3, 3, 60) of "3.3.60"; None of anything else."""
    text = (text or '').strip()
    return tuple(int(part) for part in text.split('.')) if _VERSION.match(text) and len(text) < 40 else None


def collect_core(look):
    """Section core."""
    home = look.installation
    core = dict(
        present=os.path.isfile(home.path('core/php/core.inc.php')),
        version_file=clean(home.version(), 40),
        encryption_key=os.path.isfile(home.path('data/jeedom_encryption.key')),
        leaked_credentials=os.path.isfile('/tmp/common.config.php'),
        unzip_leftover=sum(len(files) for dummy, dummy_dirs, files in os.walk(UNZIPPED)),
    )
    if core['version_file'] is None:
        look.note('core.version_file', 'core/config/version is missing or empty')
    for key, name in (('version_db', 'version'), ('branch', 'core::branch'), ('provider', 'core::repo::provider'),
                      ('last_update', 'update::lastDateCore'), ('last_check', 'update::lastCheck'), ('name', 'name'),
                      ('timezone', 'timezone'), ('language', 'language')):
        core[key] = look.attempt('core.' + key, lambda name=name: clean(look.setting(name)))
    for key, name in (('branch_default', 'core::branch'), ('provider_default', 'core::repo::provider')):
        core[key] = look.attempt('core.' + key, lambda name=name: clean(look.defaults().get(name)))
    core['allow_core'] = look.attempt('core.allow_core', lambda: _switch(look, 'update::allowCore', '1'))
    core['ignore_hour_check'] = look.attempt('core.ignore_hour_check', lambda: _switch(look, 'ignoreHourCheck', '0'))
    core['provider_settings'] = look.attempt('core.provider_settings', lambda: dict(
        (clean(key), redact.redact(clean(value))) for key, value in sorted(look.settings().get('core', {}).items())
        if re.match(r'^(github::core::(user|repository|branch)|github::enable|url::(enable|core::))', key)))
    core['update_row'] = look.attempt('core.update_row', lambda: _update_row(look))
    core['half_update_signs'] = look.attempt('core.half_update_signs', lambda: _signs(look, core), [])
    signs = core['half_update_signs']
    # An updater that was started by hand leaves no log; what it has not moved tells all the same, together with both switches off:
    # one of them an owner switches off, and a good update leaves a few files too (contract 4.2 step 6, 1.1).
    core['half_updated'] = 'version_mismatch' in signs or ('unzip_leftover' in signs and len(_off(look)) == 2) or (
        'no_end_marker' in signs and bool(set(signs) & set(['update_row_behind', 'engine_off', 'fatal_in_log'])))
    return core


def _switch(look, key, fallback):
    look.settings()
    return flag(look.effective(key, fallback))


def _update_row(look):
    rows = look.rows('core.update_row')
    if not rows:
        raise Unreadable('the table update has no row for the core')
    local, remote, source, status, configuration = (rows[0] + [None] * 5)[:5]
    return dict(local_version=clean(local), remote_version=clean(remote), source=clean(source), status=clean(status),
                do_not_update='%s' % json_object(configuration).get('doNotUpdate', '0') == '1')


def _off(look):
    """Which switches of the engine are off; none where the settings cannot be read."""
    try:
        return [key for key in ('enableCron', 'enableScenario') if _switch(look, key, '1') is False]
    except Unreadable:
        return []


def _signs(look, core):
    """What a failed update leaves (contract 4.3)."""
    signs = []
    in_files, in_schema = version_tuple(core['version_file']), version_tuple(core['version_db'])
    # Tag 4.0.63 says 4.0.62 in its file and in the database alike, so the two still have to agree (contract 1.1).
    if in_files and in_schema and in_files != in_schema:
        signs.append('version_mismatch')
    row = version_tuple((core['update_row'] or {}).get('local_version'))
    if row and in_files and row < in_files:
        signs.append('update_row_behind')
    if _off(look):
        signs.append('engine_off')
    log = read_log(look.installation.path('log/update'), 'UPDATE')
    if log['unfinished'] and not look.shared('processes', _processes)['update']:
        signs.append('no_end_marker')
        if any('PHP Fatal' in line for line in log['fatal']):
            # jeeCron switches the engine on again by itself (contract 0.7), so this may be all that is left to see
            signs.append('fatal_in_log')
    if core['unzip_leftover']:
        signs.append('unzip_leftover')
    return signs


def collect_engine(look):
    """Section engine."""
    temporary = look.temporary()
    started = os.path.join(temporary, 'started')
    cron_file = '/etc/cron.d/jeedom'
    lines = (system.read_text(cron_file) or '').split('\n')
    engine = dict(
        enable_cron=look.attempt('engine.enable_cron', lambda: _switch(look, 'enableCron', '1')),
        enable_scenario=look.attempt('engine.enable_scenario', lambda: _switch(look, 'enableScenario', '1')),
        started=os.path.exists(started),
        started_at=clean(system.read_text(started, limit=200), 40),
        cron_file=dict(present=os.path.isfile(cron_file), path=cron_file,
                       active=any('jeeCron.php' in line and not line.lstrip().startswith('#') for line in lines)),
        watchdog_file=os.path.isfile('/etc/cron.d/jeedom_watchdog'),
        master_pid=None,
        services=look.attempt('engine.services', lambda: _services(look)),
    )
    pid = number(system.read_text(os.path.join(temporary, 'jeeCron.pid'), limit=40))
    if pid and 'jeeCron.php' in (system.read_text('/proc/%d/cmdline' % pid) or ''):
        engine['master_pid'] = pid
    crons = look.attempt('engine.crons', lambda: _crons(look))
    engine['crons'] = None if crons is None else capped(crons)
    for key, name, function in (('history_archive', 'history', 'archive'), ('backup_cron', 'jeedom', 'backup')):
        engine[key] = None
        if crons is not None:
            same = [cron for cron in crons if (cron['class'], cron['function']) == (name, function)]
            engine[key] = dict(present=bool(same), enabled=any(cron['enabled'] for cron in same),
                               schedule=same[0]['schedule'] if same else None)
        else:
            look.note('engine.' + key, 'the table cron cannot be read')
    engine['update_check'] = look.attempt('engine.update_check', lambda: dict(
        enabled=_switch(look, 'update::autocheck', '1'), schedule=clean(look.effective('update::check'))))
    return engine


def _services(look):
    units = look.units()
    return dict(cron=units['cron'] == 'active', apache=units['apache2'] == 'active',
                database='active' in (units['mariadb'], units['mysql']))


def _crons(look):
    found = []
    for row in look.rows('engine.crons'):
        if len(row) == 8:
            found.append({'class': clean(row[1]), 'function': clean(row[2]), 'enabled': row[3] == '1',
                          'schedule': clean(row[4]), 'option': bool(number(row[5])), 'deamon': row[6] == '1',
                          'once': row[7] == '1'})
    return found


def _processes():
    """{kind: [{pid, age}]}, each program once: a sudo in front of it does not count."""
    found = dict((kind, []) for kind in _PROCESSES)
    ticks = os.sysconf('SC_CLK_TCK')
    uptime = float((system.read_text('/proc/uptime') or '0').split()[0])
    for pid, line in system.processes():
        if pid == os.getpid() or line.startswith(('sudo ', '/usr/bin/sudo ', 'sh -c', '/bin/sh -c')):
            continue
        for kind, pattern in _PROCESSES.items():
            if pattern.search(line):
                start = system.start_time(pid)
                if start is not None:
                    found[kind].append(dict(pid=pid, age=max(0, int(uptime - start / ticks))))
    return found


def collect_activity(look):
    """Section activity."""
    home = look.installation
    processes = dict((kind, items[:20]) for kind, items in look.shared('processes', _processes).items())
    # The nightly backup runs inside a cron process that names itself by the id of its row only (contract 1.4).
    cron_id = look.attempt('activity.processes.backup', lambda: [row[0] for row in look.rows('engine.crons')
                                                                 if row[1:3] == ['jeedom', 'backup']], [])
    for pid, line in system.processes():
        if any(re.search(r'jeeCron\.php.*cron_id=%s\b' % re.escape(item), line) for item in cron_id):
            processes['backup'].append(dict(pid=pid, age=None))
    logs = dict((kind, read_log(home.path('log', kind), kind.upper())) for kind in ('update', 'backup', 'restore'))
    return dict(processes=processes, logs=logs, http_error=_http_error(home.path('log/http.error')),
                job=look.attempt('activity.job', _job), transaction=look.attempt('activity.transaction', _transaction))


def _tail(path, size=262144):
    """(text of the end of a file, size, mtime); None for text when there is no file."""
    try:
        with open(path, 'rb') as stream:
            stat = os.fstat(stream.fileno())
            stream.seek(max(0, stat.st_size - size))
            return system.to_text(stream.read(size)), stat.st_size, int(stat.st_mtime)
    except (IOError, OSError):
        return None, None, None


def read_log(path, word):
    """What the end of one of Jeedom's own logs says; word: UPDATE, BACKUP or RESTORE (contract 8: markers)."""
    text, size, mtime = _tail(path)
    if text is None:
        return dict(present=False, size=None, mtime_epoch=None, last_marker=None, last_line=None, unfinished=False, fatal=[])
    last, unfinished = None, False
    for match in re.finditer(r'\[((START|END) %s(?: [A-Z]+)?)\]' % word, text):
        last, unfinished = match.group(1), match.group(2) == 'START'
    lines = [line for line in text.split('\n') if line.strip()]
    fatal = [redact.redact(clean(line, 300)) for line in lines if 'PHP Fatal' in line or '***ERR' in line]
    return dict(present=True, size=size, mtime_epoch=mtime, last_marker=last,
                last_line=redact.redact(clean(lines[-1], 300)) if lines else None, unfinished=unfinished, fatal=fatal[-5:])


def _http_error(path):
    text, size, dummy = _tail(path)
    fatal = [line for line in (text or '').split('\n') if 'PHP Fatal' in line]
    return dict(size=size, fatal=len(fatal), last_fatal=redact.redact(clean(fatal[-1], 300)) if fatal else None)


def _job():
    live = jobs.running()
    return live and dict((key, clean(live.get(key))) for key in ('id', 'kind', 'state', 'run_id'))


def _transaction():
    state = system.read_json(os.path.join(system.STATE_DIR, 'state.json'), {})
    open_one = state.get('transaction') if isinstance(state, dict) else None
    if not isinstance(open_one, dict):
        return dict(open=False, step=None, from_version=None, run_id=None)
    return dict(open=True, **dict((key, clean(open_one.get(key))) for key in ('step', 'from_version', 'run_id')))


def collect_config(look):
    """Section config."""
    settings = look.settings()
    core = settings.get('core', {})
    return dict(rows=sum(len(rows) for rows in settings.values()),
                values=dict((key, clean(core[key])) for key in SHOWN if key in core))
