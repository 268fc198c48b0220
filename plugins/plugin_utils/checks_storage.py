# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of room, storage, database and backups (PF12 to PF15, PF18 to PF22, PF30 to PF33, PF56, PF57)."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.jeedom.fleet.plugins.plugin_utils import routes, versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import Case, Hit, View, check, hit, listed, size
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_system import _choice, _going, _obstacle

_MB = 1_000_000
# Head room on every file system: logs, caches and whatever else is written meanwhile.
_MARGIN = 50 * _MB
_TMP = ('tmp', 'jeedom_tmp')


def needs(case: Case, with_rollback: bool) -> dict[str, list[tuple[str, float]]]:
    """What the migration writes, as {name in storage.paths: [(what, bytes)]} (contract 5, 6.3)."""
    tree = case.facts.number('storage.tree.size') or 0
    archive = case.facts.number('storage.tree.archive_size') or tree
    database = case.facts.number('database.size') or 0
    unpacked, zipped = case.most('unpacked_mb', 100) * _MB, case.most('zip_mb', 48) * _MB
    staged = sum(int(entry.get('zip_mb', 48)) for entry in case.entries()) * _MB
    wanted: dict[str, list[tuple[str, float]]] = {
        'tmp': [('an unpacked core', unpacked)],
        'jeedom_tmp': [('the zip of a core', zipped)],
        'web_root': [('the new core', unpacked), ('the dump', database)],
        # measured: a compressed archive has 30 % of its tree; pictures and camera snapshots shrink less
        'backup': [('an archive', archive * 0.7 + database * 0.3)],
        'database': [('schema changes', database)],
        'state': [('staged zips', staged)],
    }
    if with_rollback:
        wanted['state'].append(('the rollback point', tree + database))
    return wanted


def _mounts(case: Case) -> dict[str, list[tuple[str, View]]]:
    """{mount point: [(name, path facts)]}."""
    found: dict[str, list[tuple[str, View]]] = {}
    for name, value in case.facts.pairs('storage.paths'):
        view = View(value)
        if view.text('mount'):
            found.setdefault(view.text('mount') or '', []).append((name, view))
    return found


@check('disk_space', 'disk_nearly_full', 'tmp_space')
def disk_space(case: Case) -> Iterator[Hit]:
    """Room on every file system that the migration writes to, added up where paths share one."""
    wanted, more = needs(case, False), needs(case, True)
    for mount, paths in _mounts(case).items():
        names = [name for name, _view in paths]
        free, total = paths[0][1].number('free'), paths[0][1].number('total')
        if free is None:
            continue
        parts = [part for name in names for part in wanted.get(name, ())]
        need = sum(count for _what, count in parts) + _MARGIN
        full = sum(count for name in names for _what, count in more.get(name, ())) + _MARGIN
        evidence = [f'{what}: {size(count)}' for what, count in parts]
        only_tmp = set(names) <= set(_TMP)
        if parts and _going(case) and not case.transaction:
            if free < need:
                yield hit('tmp_space' if only_tmp else 'disk_space', evidence, severity='blocker', subject=mount, where=mount,
                          free=size(free), needed=size(need))
                continue
            if free < full:
                yield hit('disk_space', evidence + ['with the rollback point on the box; without that room it streams to the controller'],
                          severity='warning', subject=mount, where=mount, free=size(free), needed=size(full))
                continue
        if total and free < 0.1 * total and not only_tmp:
            yield hit('disk_nearly_full', f'{size(free)} free of {size(total)} for {listed(names)}', subject=mount, where=mount,
                      percent=int(100 - 100 * free / total))


@check('inodes_short', 'read_only')
def file_systems(case: Case) -> Iterator[Hit]:
    """Inodes, and whether anything can be written at all."""
    files = case.most('files', 6000)
    for mount, paths in _mounts(case).items():
        names = [name for name, _view in paths]
        free = paths[0][1].number('inodes_free')
        need = sum(files for name in names if name in ('tmp', 'web_root')) + 500
        if free is not None and free < need and not case.transaction:
            yield hit('inodes_short', f'{int(free)} free for {listed(names)}', subject=mount, where=mount, free=int(free), needed=need)
        if any(view.flag('read_only') is True for _name, view in paths):
            yield hit('read_only', f'{listed(names)} on {paths[0][1].text("device") or "an unknown device"}', subject=mount, where=mount)


@check('storage_errors')
def storage_errors(case: Case) -> Iterator[Hit]:
    """A medium that is about to fail."""
    if case.facts.count('storage.io_errors'):
        yield hit('storage_errors', case.facts.texts('storage.io_errors', 160))


@check('slow_storage')
def slow_storage(case: Case) -> Iterator[Hit]:
    """SD cards need minutes for what takes a second elsewhere."""
    kinds = [f'{item.text("device")}: {item.text("kind")}' for item in case.facts.items('storage.media') if item.text('kind') == 'mmc']
    if kinds:
        flush = case.facts.text('database.settings.innodb_flush_log_at_trx_commit') or 'unknown'
        yield hit('slow_storage', kinds + [f'innodb_flush_log_at_trx_commit = {flush}'], kind='an SD card or eMMC',
                  steps=9900 if case.v3 else 'few')


# -- database

@check('database_unreachable')
def database_unreachable(case: Case) -> Iterator[Hit]:
    """Jeedom's own credentials do not work, or cannot be read."""
    if case.facts.flag('database.reachable') is False:
        error = case.facts.text('database.error', 200) or 'no reason was given'
        yield hit('database_unreachable', f'credentials read by {case.facts.text("database.credentials.source") or "nobody"}', error=error.rstrip('.'))


@check('database_too_old', 'database_is_mysql')
def database_version(case: Case) -> Iterator[Hit]:
    """The server, against the versions of the route."""
    flavour, version = case.facts.text('database.flavour', 20), case.facts.text('database.version', 60)
    if flavour and flavour.lower() != 'mariadb':
        yield hit('database_is_mysql', f'{flavour} {version or "unknown"}', found=f'{flavour} {version or ""}'.strip())
    if _going(case) and case.box.mariadb:
        found = _obstacle(case, routes.Box(mariadb=case.box.mariadb), ('database_too_old',))
        if found:
            entry = found[1]
            yield hit('database_too_old', f'MariaDB {version}', found=version, needs_by=entry['id'], needed=entry['mariadb']['min'], **_choice(case))


@check('database_damaged')
def database_damaged(case: Case) -> Iterator[Hit]:
    """Tables that MariaDB cannot open, and CHECK TABLE of all where it was asked for (gather_subset database_check)."""
    for key in ('database.check.problems', 'database.unreadable'):
        if case.facts.count(key):
            yield hit('database_damaged', case.facts.texts(key), count=case.facts.count(key))
            return


@check('database_foreign_keys')
def database_foreign_keys(case: Case) -> Iterator[Hit]:
    """The script that drops V3's foreign keys looks into a schema called jeedom only."""
    name, count = case.facts.text('database.credentials.name', 64), case.facts.number('database.foreign_keys')
    if case.v3 and name and name != 'jeedom' and count:
        yield hit('database_foreign_keys', case.facts.texts('database.foreign_key_names'), count=int(count), name=name)


@check('database_password')
def database_password(case: Case) -> Iterator[Hit]:
    """Jeedom's restore puts it on a shell line without quotes up to 4.3."""
    if case.facts.flag('database.credentials.password_safe') is False and versions.inside(case.version, {'below': '4.4.2'}):
        yield hit('database_password', 'characters beside A-Z a-z 0-9 _ . -')


@check('database_extra_columns', 'config_keys_long')
def database_schema(case: Case) -> Iterator[Hit]:
    """Columns of known tables that V4's pass over the schema drops."""
    if case.v3:
        extra = []
        for table, columns in case.facts.pairs('database.columns'):
            known = case.knowledge.entry('tables', table).get('columns')
            if known and isinstance(columns, (list, tuple)):
                extra += [f'{table}.{column}' for column in View({'c': columns}).texts('c', 64) if column not in known]
        if extra:
            yield hit('database_extra_columns', extra, count=len(extra))
    if case.facts.count('database.long_config_keys'):
        yield hit('config_keys_long', case.facts.texts('database.long_config_keys', 160), count=case.facts.count('database.long_config_keys'))


@check('database_large')
def database_large(case: Case) -> Iterator[Hit]:
    """More than 1 GB."""
    count = case.facts.number('database.size')
    if count and count > 1e9:
        largest = [f'{item.text("name") or item.text("cmd_id")}: {item.text("rows")} rows' for item in case.facts.items('history.largest')]
        yield hit('database_large', largest, size=size(count))


# -- backups

@check('backup_blind_spots', 'backup_records')
def backup_blind_spots(case: Case) -> Iterator[Hit]:
    """Folders that Jeedom's unanchored excludes leave out at any depth."""
    if case.facts.count('backups.blind_spots'):
        lines = [f'{item.text("path")} ({size(item.number("size"))})' for item in case.facts.items('backups.blind_spots')]
        yield hit('backup_blind_spots', lines, count=case.facts.count('backups.blind_spots'))
    if case.facts.text('backups.record_dir'):
        yield hit('backup_records', f'recordDir = {case.facts.text("backups.record_dir")}', path=case.facts.text('backups.record_dir'))


@check('backup_retention')
def backup_retention(case: Case) -> Iterator[Hit]:
    """Archives on the box do not live long."""
    days, limit = case.facts.number('backups.keep_days'), case.facts.number('backups.max_size_mb')
    archives = case.facts.items('backups.archives')
    newest = (archives[0].number('size') or 0) / _MB if archives else 0
    if days is not None and (days < 7 or (limit and limit < 2 * newest)):
        yield hit('backup_retention', f'keepDays {int(days)}, maxSize {int(limit or 0)} MB, newest archive {newest:.0f} MB',
                  severity='warning' if days < 0 or (limit and limit < 2 * newest) else 'info', days=int(days), size=f'{int(limit or 0)} MB')


@check('backup_samba', 'backup_cloud')
def backup_remote(case: Case) -> Iterator[Hit]:
    """Where archives go besides."""
    if case.facts.flag('backups.samba.enabled') and case.facts.flag('backups.samba.cloud_upload'):
        yield hit('backup_samba', 'samba::enable and samba::cloudUpload are 1')
    cloud = case.facts.view('backups.cloud')
    if cloud.flag('upload') and cloud.flag('password_set') and cloud.flag('confirmation_matches') is False:
        yield hit('backup_cloud', 'market::cloudUpload is 1, the confirmation of the password is missing')
