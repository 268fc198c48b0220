# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the core, its route, its engine and what goes on (PF01 to PF04, PF17, PF23 to PF25, PF59, PF60)."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ansible_collections.jeedom.fleet.plugins.plugin_utils import routes, versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import Case, Hit, check, hit, listed

_SIGNS = {'version_mismatch': 'files and database differ', 'update_row_behind': 'the update table still shows an older core',
          'engine_off': 'crons or scenarios are switched off', 'no_end_marker': 'the last update has no end in log/update',
          'unzip_leftover': 'unpacked files were not moved'}
_RUNNING = {'update': 'an update', 'backup': 'a backup', 'restore': 'a restore', 'consistency': 'a consistency check'}


@check('no_jeedom')
def no_jeedom(case: Case) -> Iterator[Hit]:
    """There is no core to migrate."""
    if case.facts.flag('core.present') is False or case.version is None or versions.parse(case.version) is None:
        yield hit('no_jeedom', f'core/config/version: {case.version or "missing"}', web_root=case.facts.text('web_root') or 'its web root')


def _signs(case: Case) -> list[str]:
    return [sign for sign in case.facts.texts('core.half_update_signs') if sign in _SIGNS]


def half_way(case: Case) -> bool:
    """The state that a failed one-click migration leaves (contract 4.3), and nothing of ours."""
    signs = set(_signs(case))
    if case.transaction or case.facts.flag('core.half_updated') is not True or signs == {'version_mismatch'}:
        return False
    # an update that failed before it moved files leaves a whole V3 with its engine off: those are findings of their own
    return not case.v3 or 'version_mismatch' in signs


@check('core_version_mismatch')
def core_version_mismatch(case: Case) -> Iterator[Hit]:
    """The files are of one version, the database of another."""
    file, database = case.version, case.facts.text('core.version_db', 40)
    if file and database and not versions.same(file, database) and not half_way(case) and not case.transaction:
        yield hit('core_version_mismatch', [f'core/config/version: {file}', f'config.version: {database}'], file=file, db=database,
                  web_root=case.facts.text('web_root') or '/var/www/html')


@check('half_migrated')
def half_migrated(case: Case) -> Iterator[Hit]:
    """A one-click migration died half-way."""
    if half_way(case):
        evidence = [_SIGNS[sign] for sign in _signs(case)]
        row = case.facts.text('core.update_row.local_version', 40)
        evidence.append(f'files {case.version}, database {case.facts.text("core.version_db", 40)}, update table {row or "unknown"}')
        yield hit('half_migrated', evidence, file=case.version, web_root=case.facts.text('web_root') or '/var/www/html')


@check('transaction_open')
def transaction_open(case: Case) -> Iterator[Hit]:
    """An earlier run of ours has not ended."""
    if case.transaction and case.phase == 'first':
        open_one = case.facts.view('activity.transaction')
        yield hit('transaction_open', f'from {open_one.text("from_version") or "unknown"}', step=open_one.text('step') or 'unknown',
                  run_id=open_one.text('run_id') or 'unknown', from_version=open_one.text('from_version') or 'where it was')


@check('core_old_v3')
def core_old_v3(case: Case) -> Iterator[Hit]:
    """A V3 that the route was not run with."""
    if versions.inside(case.version, {'min': '3.3', 'below': '3.3.60'}):
        yield hit('core_old_v3', f'core/config/version: {case.version}', file=case.version)


@check('core_newer_than_target', 'unknown_target', 'no_route')
def route(case: Case) -> Iterator[Hit]:
    """The chain of hops cannot be computed, whatever runs on the box."""
    error = case.route_error
    if error is None:
        return
    if error.code == 'already_done' and error.details.get('newer'):
        yield hit('core_newer_than_target', f'core/config/version: {case.version}', file=case.version, target=case.target)
    elif error.code == 'unknown_target':
        yield hit('unknown_target', str(error), target=case.target, nearest=', '.join(error.details.get('nearest', ())))
    elif error.code in ('no_route', 'loses'):
        yield hit('no_route', str(error), file=case.version, target=case.target, reason=str(error))


@check('target_not_resting')
def target_not_resting(case: Case) -> Iterator[Hit]:
    """The target has a trap of its own."""
    entry = case.knowledge.version(case.target)
    if entry and not entry.get('resting'):
        traps = [name for name in ('date_limit', 'history_purge') if case.knowledge.trap(name, case.target)]
        yield hit('target_not_resting', f'target {case.target}', target=case.target, traps=listed(traps))


def _branch(case: Case) -> str:
    return case.facts.text('core.branch') or case.facts.text('core.branch_default') or 'master'


@check('update_branch_set')
def update_branch_set(case: Case) -> Iterator[Hit]:
    """Somebody chose another branch."""
    row, default = case.facts.text('core.branch'), case.facts.text('core.branch_default')
    if row and row != (default or 'master'):
        yield hit('update_branch_set', f'core::branch = {row}', branch=row)


@check('core_update_exposed')
def core_update_exposed(case: Case) -> Iterator[Hit]:
    """One click, or one API call, away from the half-migrated state."""
    if case.v3 and case.facts.flag('core.allow_core') is not False and not case.transaction and versions.parse(_branch(case)) is None:
        yield hit('core_update_exposed', [f'update::allowCore is not 0, core::branch is {_branch(case)}'])


@check('update_source')
def update_source(case: Case) -> Iterator[Hit]:
    """The core does not come from the default place."""
    provider = case.facts.text('core.provider')
    if provider and provider != 'default':
        settings = [f'{name} = {value}' for name, value in case.facts.pairs('core.provider_settings')]
        yield hit('update_source', [f'core::repo::provider = {provider}'] + settings, provider=provider)


# -- the two time bombs

@check('date_limit_active', 'date_limit_ahead')
def date_limit(case: Case) -> Iterator[Hit]:
    """A date written into the core has come, on the box now or on a version of the route."""
    if case.facts.flag('core.ignore_hour_check') is True:
        return
    today = time.strftime('%Y-%m-%d', time.gmtime(case.now))
    now_hit = case.knowledge.trap('date_limit', case.version)
    if now_hit and str(now_hit.get('from')) <= today:
        yield hit('date_limit_active', [f'core {case.version}, limit {now_hit["from"]}, ignoreHourCheck is not set'], file=case.version,
                  date=now_hit['from'])
    if case.route_error is not None and case.route_error.code == 'already_done':
        return
    limits = {name: str((case.knowledge.trap('date_limit', name) or {}).get('from', '9999')) for name in case.hops()}
    ahead = [name for name, limit in limits.items() if limit <= today]
    if ahead:
        yield hit('date_limit_ahead', [f'limit of {name}: {limits[name]}' for name in ahead],
                  versions=', '.join(ahead))


@check('history_purge')
def history_purge(case: Case) -> Iterator[Hit]:
    """The nightly task that deletes recent history is armed."""
    trap = case.knowledge.trap('history_purge', case.version)
    if not trap or case.facts.flag('engine.history_archive.enabled') is not True or case.transaction:
        return
    since = 'since_2025' if str(trap['from']) < '2026' else 'since_2026'
    rows = [case.facts.number(f'history.{table}.{since}') for table in ('history', 'historyArch')]
    at_risk = int(sum(count for count in rows if count))
    known = any(count is not None for count in rows)
    yield hit('history_purge', [f'cron history::archive, schedule {case.facts.text("engine.history_archive.schedule") or "unknown"}',
                                f'{at_risk if known else "an unknown number of"} rows since {trap["from"]}'],
              severity='warning', date=trap['from'], rows=at_risk if known else 'An unknown number of')


# -- engine and activity

@check('engine_off')
def engine_off(case: Case) -> Iterator[Hit]:
    """Crons or scenarios are switched off, and it was not us."""
    if case.transaction or half_way(case):
        return
    off = [name for name, key in (('Crons', 'enable_cron'), ('Scenarios', 'enable_scenario')) if case.facts.flag(f'engine.{key}') is False]
    if off:
        done = case.route_error is not None and case.route_error.code == 'already_done'
        yield hit('engine_off', [f'{name} are off' for name in off], severity='warning' if done else 'blocker',
                  what=f'{" and ".join(off).capitalize()} are')


@check('engine_not_started')
def engine_not_started(case: Case) -> Iterator[Hit]:
    """The scheduler of Jeedom does not run."""
    if case.transaction:
        return
    evidence = []
    if case.facts.flag('engine.started') is False:
        evidence.append('the started marker is missing in the temporary folder')
    if case.facts.flag('engine.cron_file.present') is False or case.facts.flag('engine.cron_file.active') is False:
        evidence.append('/etc/cron.d/jeedom is missing or runs nothing')
    if case.facts.flag('engine.services.cron') is False:
        evidence.append('the cron service is down')
    if evidence:
        yield hit('engine_not_started', evidence)


@check('service_down')
def service_down(case: Case) -> Iterator[Hit]:
    """Apache or the database is not running."""
    names = {'apache': 'apache2', 'database': 'mariadb'}
    down = [unit for key, unit in names.items() if case.facts.flag(f'engine.services.{key}') is False]
    if down and not case.transaction:
        yield hit('service_down', [f'{unit} is not active' for unit in down], names=' '.join(down))


@check('jeedom_busy', 'dependencies_busy')
def busy(case: Case) -> Iterator[Hit]:
    """Something of Jeedom is under way."""
    ours = case.facts.text('activity.job.id')
    found = [(name, case.facts.items(f'activity.processes.{name}')) for name in _RUNNING]
    lines = [f'{_RUNNING[name]}: pid {item.text("pid")} for {item.text("age") or "?"} s' for name, items in found for item in items]
    if lines and not ours:
        yield hit('jeedom_busy', lines, what=' and '.join(_RUNNING[name] for name, items in found if items).capitalize())
    others = [name for name in ('dependency', 'composer') if case.facts.items(f'activity.processes.{name}')]
    if others:
        words = {'dependency': 'a dependency installation', 'composer': 'composer'}
        yield hit('dependencies_busy', [f'{name}: {len(case.facts.items(f"activity.processes.{name}"))} processes' for name in others],
                  what=' and '.join(words[name] for name in others).capitalize())


@check('job_running')
def job_running(case: Case) -> Iterator[Hit]:
    """A job of ours is under way."""
    job = case.facts.view('activity.job')
    if job.text('id'):
        yield hit('job_running', f'{job.text("kind") or "job"} of run {job.text("run_id") or "unknown"}: {job.text("state") or "unknown"}', id=job.text('id'))


@check('update_unfinished', 'unzip_leftover')
def update_unfinished(case: Case) -> Iterator[Hit]:
    """The last update left its traces."""
    if case.transaction or half_way(case):
        return
    log = case.facts.view('activity.logs.update')
    running = case.facts.items('activity.processes.update')
    if log.flag('unfinished') is True and not running:
        yield hit('update_unfinished', [f'last line: {log.text("last_line") or "none"}'] + log.texts('fatal'))
    count = case.facts.number('core.unzip_leftover')
    if count and not running:
        yield hit('unzip_leftover', f'{int(count)} files below /tmp/jeedom_unzip', count=int(count))


@check('leaked_credentials')
def leaked_credentials(case: Case) -> Iterator[Hit]:
    """restore.php leaves the credentials readable by everybody."""
    if case.facts.flag('core.leaked_credentials') is True:
        yield hit('leaked_credentials', '/tmp/common.config.php exists')


@check('facts_incomplete')
def facts_incomplete(case: Case) -> Iterator[Hit]:
    """Some facts are null; their reasons."""
    reasons = case.facts.pairs('unreadable')
    if reasons:
        # a whole section, or what decides about the route and the state of the box
        grave = any('.' not in name or name.startswith(('core.version', 'database.reachable', 'engine.enable')) for name, _reason in reasons)
        yield hit('facts_incomplete', [f'{name}: {reason}' for name, reason in reasons], severity='warning' if grave else 'info', count=len(reasons))


@check('backup_not_proved')
def backup_not_proved(case: Case) -> Iterator[Hit]:
    """Nothing may change on a box without a proved archive on the controller."""
    proved = case.archive is not None and case.archive.get('proved') is True
    if case.phase == 'second' and case.archive is not None and not proved:
        yield hit('backup_not_proved', 'the archive of this run is not proved', severity='blocker')
    elif case.phase == 'first' and not proved:
        newest = case.facts.items('backups.archives')[:1]
        yield hit('backup_not_proved', [f'newest archive on the box: {newest[0].text("name")}' if newest else 'no archive on the box'], severity='info')


def ideal_path(case: Case) -> list[str]:
    """The route that a box without limits would take; what the obstacles are told against."""
    start = case.knowledge.version(case.version).get('id') or case.version
    target = case.knowledge.version(case.target).get('id')
    if not start or not target or versions.parse(start) is None or versions.compare(start, target) >= 0:
        return []
    return routes.search(case.knowledge, start, target, allow=tuple(case.policy.get('allow') or ())) or []
