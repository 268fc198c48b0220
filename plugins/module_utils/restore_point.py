# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollback point: take it, prove it, drop it. Python 2.7 and 3.5+, standard library only.

It stands ready to be swapped in: a complete copy of the web root beside it (restore_point folder "point"), the database
imported into the scratch schema, and in /var/lib/jeedom-fleet/rollback the dump, the listing and manifest.json, which is
written last. So a rollback needs no more room than there is already, and takes no longer than the renames.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    census, engine, fault, restore_schema, restore_unit, restore_web, swap, system, transaction, tree, tree_extract)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

SCHEMA = 1
SPARE = 48 << 20    # bytes that must stay free on every file system
EXPECTED = 'expected.json'   # the census after consented removals and before the first hop
CACHE = 'cache'     # what Jeedom keeps in its temporary folder and would miss


def folder():
    """Where manifest, listing and dump stand."""
    return os.path.join(system.STATE_DIR, 'rollback')


def manifest():
    """The manifest of a complete rollback point, or None."""
    return system.read_json(os.path.join(folder(), 'manifest.json'))


def expect(counted):
    """Keep the census that the end of the migration is measured by: what was removed with consent is gone from it."""
    system.write_json(os.path.join(folder(), EXPECTED), counted)


def expected():
    """What expect() kept, or None."""
    return system.read_json(os.path.join(folder(), EXPECTED))


def point_folder(web_root):
    """The copy of the web root."""
    return os.path.join(swap.work_folder(web_root), 'point')


def kept(web_root, backup_path=None):
    """Relative names that are neither copied nor moved: backup folder, what is mounted inside, our own folder."""
    root = os.path.realpath(tree.native(web_root))
    path = os.path.realpath(os.path.join(root, tree.native(backup_path or 'backup')))
    names = set(tree.mount_points(root))
    for inside in (path, swap.work_folder(root)):
        if inside.startswith(root + '/'):
            names.add(os.path.relpath(inside, root))
    return sorted(names)


def require_room(needs, what):
    """Raise unless every file system has what is needed. needs: [(path, bytes, inodes)]; those on one file system add up."""
    wanted = {}
    for path, size, inodes in needs:
        while not os.path.exists(path):
            path = os.path.dirname(path)
        device = os.stat(path).st_dev
        old = wanted.get(device, (path, 0, 0))
        wanted[device] = (old[0], old[1] + size, old[2] + inodes)
    for path, size, inodes in wanted.values():
        free, free_inodes = system.free_space(path)
        if free < size + SPARE:
            raise BoxError('%s needs %d MiB on the file system of %s and finds %d MiB: free some there (old archives, logs), then '
                           'run again.' % (what, (size + SPARE + (1 << 20) - 1) >> 20, path, free >> 20), 'no_room',
                           needed=size + SPARE, found=free, path=path)
        if free_inodes is not None and free_inodes < inodes + 1000:
            raise BoxError('%s needs %d free inodes on the file system of %s and finds %d: remove small files there (caches, '
                           'sessions), then run again.' % (what, inodes + 1000, path, free_inodes), 'no_inodes',
                           needed=inodes + 1000, found=free_inodes, path=path)


def database_room(root, size):
    """[(path, bytes, inodes)] that a schema of so many bytes takes in the data folder of MariaDB."""
    return [(root.query('SELECT @@datadir', schema=False)[0][0], size + size // 4 + (16 << 20), 200)]


class Taking:
    """Taking one rollback point, inside a job that holds the box."""

    def __init__(self, installation, context):
        self.installation = installation
        self.context = context
        self.web_root = installation.web_root

    def check(self):
        """Everything that a later rollback needs, before anything is touched; returns what take() goes on with."""
        self.installation.require()
        database = self.installation.database()
        root = restore_schema.server(self.installation.credentials())
        found, applied = self.installation.version(), database.config('version')
        if found != applied:
            raise BoxError('The files in %s are version %s and the database is version %s: such a box is half-way in an update '
                           'already. Finish that update, or restore an archive, then run again.' % (self.web_root, found, applied),
                           'versions_differ', files=found, database=applied)
        stays = kept(self.web_root, database.config('backup::path'))
        size, inodes = tree.measure(self.web_root, stays)
        described = int(float(root.query(
            'SELECT IFNULL(SUM(data_length + index_length), 0) FROM information_schema.tables WHERE table_schema=%s'
            % restore_schema.quote(database.schema), schema=False)[0][0]))
        restore_schema.Exchange(root, database.schema, folder())
        require_room([(swap.work_folder(self.web_root), size, inodes), (system.STATE_DIR, described + described // 2, 20)]
                     + database_room(root, described), 'A rollback point of %d MiB files and %d MiB database'
                     % (size >> 20, described >> 20))
        return dict(database=database, root=root, version=found, kept=stays, size=size)

    def take(self, found, recorded):
        """Stop, copy, prove, write the manifest. The transaction is open already, in step "opening"."""
        context, root, schema = self.context, found['root'], found['database'].schema
        begin = time.time()
        context.phase('stop', 5)
        engine.stop(self.installation, context)
        restore_web.stop(context)
        stopped = time.time()
        fault.point('point_stopped')
        system.make_dir(folder())
        work = system.make_dir(swap.work_folder(self.web_root))
        context.phase('dump', 10)
        described = restore_schema.describe(root, schema)
        counted = census.stable(self.installation)
        dump = os.path.join(folder(), 'dump.sql')
        root.dump(dump)
        fault.point('point_dumped')
        context.phase('copy', 25)
        point = point_folder(self.web_root)
        entries = tree.copy(self.web_root, point, found['kept'],
                            lambda done: context.percent(25 + 35 * done // max(1, found['size'])))
        cache = os.path.join(recorded.get('temporary') or '/tmp/jeedom', 'cache')
        has_cache = os.path.isdir(cache) and not os.path.islink(cache)
        if has_cache:
            tree.copy(cache, os.path.join(work, CACHE))
        fault.point('point_copied')
        # Nothing is read from the live tree any more: people get their web pages back.
        restore_web.start(context)
        outage = time.time() - stopped
        context.phase('prove', 60)
        listing = tree.save_listing(os.path.join(folder(), 'tree.list'), entries)
        system.run(['sync', '-f', point], timeout=1800)
        problems = tree.differences(point, entries, contents=True)
        if problems:
            raise BoxError('The copy of %s is not as the original: %s. Check the disk, then run again.'
                           % (self.web_root, '; '.join(problems[:3])), 'copy_not_proved', problems=problems)
        context.phase('prove', 80, 'database')
        imported = restore_schema.Exchange(root, schema, folder()).prepare(dump, described)
        for remark in imported['remarks']:
            context.log('note: in the scratch schema ' + remark)
        fault.point('point_proved')
        record = dict(
            schema=SCHEMA, created=time.time(), host=os.uname()[1], web_root=self.web_root, schema_name=schema,
            core_version=found['version'], kept=found['kept'], web_user=self.installation.web_user, cache=has_cache,
            # no password: root comes in through the socket, and Jeedom's own is in the copied tree
            connection=dict((key, value) for key, value in self.installation.credentials().items()
                            if key in ('host', 'port', 'unix_socket', 'dbname')),
            temporary=recorded.get('temporary'), outage=round(outage, 1), seconds=round(time.time() - begin, 1),
            census=counted, tree=dict(listing_sha256=listing, entries=len(entries), files=sum(entry.kind in 'fh' for entry in entries),
                                      bytes=sum(entry.size for entry in entries)),
            dump=dict(size=os.path.getsize(dump), sha256=tree.file_digest(dump)), database=described)
        system.write_json(os.path.join(folder(), 'manifest.json'), record)
        transaction.update(step=transaction.OPEN)
        return record


def summary(record):
    """What of a manifest goes into a module result."""
    return dict(created=record['created'], core_version=record['core_version'], web_root=record['web_root'],
                kept=record['kept'], files=record['tree']['files'], bytes=record['tree']['bytes'],
                tables=len(record['database']['tables']), rows=sum(table['rows'] for table in record['database']['tables'].values()),
                dump_bytes=record['dump']['size'], outage=record['outage'], seconds=record['seconds'], proved=True,
                census=record.get('census'), census_expected=expected())


def prove(record, contents=True):
    """The listing of the rollback point after having proved it; raises rollback_point_damaged.

    contents: read every file of the copy again. The scratch schema is looked at by restore.py, which can make it anew
    from the dump.
    """
    entries = tree.load_listing(os.path.join(folder(), 'tree.list'), record['tree']['listing_sha256'])
    point = point_folder(record['web_root'])
    if not os.path.isdir(point):
        raise _damaged('the copy %s is gone' % point)
    problems = tree.differences(point, entries, contents=contents)
    dump = os.path.join(folder(), 'dump.sql')
    if not os.path.exists(dump) or os.path.getsize(dump) != record['dump']['size'] or \
            (contents and tree.file_digest(dump) != record['dump']['sha256']):
        problems.append('dump.sql is not the one that was written')
    if problems:
        raise _damaged('; '.join(problems[:3]))
    return entries


def _damaged(how):
    return BoxError('The rollback point on the box was changed after it had been proved: %s. Restore from the archive on the '
                    'controller instead (jeedom_rollback_source: archive).' % how, 'rollback_point_damaged')


def exchange(web_root, connection, log=None):
    """The Exchange of a rollback point or an installation."""
    return restore_schema.Exchange(restore_schema.server(connection), connection['dbname'], folder(), log)


def traces(web_root):
    """Which parts of a rollback point or of a cut restore are on the box."""
    names = [path for path in (folder(), swap.work_folder(web_root), os.path.join(system.STATE_DIR, restore_web.STOPPED))
             if os.path.lexists(path)]
    return names + restore_unit.traces()


def drop(web_root, connection):
    """Remove the rollback point with everything that belongs to it. connection: dict(dbname, host, unix_socket) or None."""
    # An archive that was made for the controller, and that nobody has fetched.
    for path in (manifest() or {}).get('sent') or ():
        tree_extract.remove(path)
    # The manifest first: what is not complete any more must not look complete.
    tree_extract.remove(os.path.join(folder(), 'manifest.json'))
    fault.point('drop_manifest')
    if connection and connection.get('dbname'):
        exchange(web_root, connection).finish()
    fault.point('drop_schemas')
    tree_extract.remove(swap.work_folder(web_root))
    tree_extract.remove(folder())


def abort(installation, context, connection=None):
    """Undo a rollback point that did not come to its end: engine and web as they were, nothing left."""
    opened = transaction.current()
    if restore_web.has_been_stopped() or not restore_web.running():
        restore_web.start_or_log(context)
    # That it died may be why we are here.
    restore_schema.server(connection or installation.credentials())
    engine.start(installation, opened['engine'], context)
    drop(installation.web_root, connection or installation.credentials())
    restore_unit.remove()
    transaction.close('aborted', message='the rollback point did not come to its end; nothing had been changed')
