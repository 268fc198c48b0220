# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollback point of a box that has no room for one: an archive made with the engine stopped, kept by the controller.

It needs room for a packed archive only, and gives that room back once the controller has it. The price: without the
controller such a box cannot take itself back. Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    backup, census, engine, fault, restore_point, restore_schema, restore_web, swap, system, transaction, tree, tree_extract)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# Value of "location" in the manifest, in the transaction, and of the module's parameter.
HERE, CONTROLLER = 'box', 'controller'


def is_away(record):
    """Whether a manifest or a transaction says that the rollback point is on the controller."""
    return bool(record) and record.get('location') == CONTROLLER


def check(installation):
    """What must be true before the engine is stopped; returns what take() goes on with."""
    installation.require()
    database = installation.database()
    root = restore_schema.server(installation.credentials())
    found, applied = installation.version(), database.config('version')
    if found != applied:
        raise BoxError('The files in %s are version %s and the database is version %s: such a box is half-way in an update already. '
                       'Finish that update, or restore an archive, then run again.' % (installation.web_root, found, applied),
                       'versions_differ', files=found, database=applied)
    lost = ', '.join('%d %s' % (count, kind) for kind, count in sorted(restore_schema.others(root, database.schema).items())
                     if count and kind in ('routines', 'events'))
    if lost:
        raise BoxError("The schema %s has %s, which Jeedom's archive leaves out, so an archive on the controller would not be the whole box: make "
                       'room for a rollback point on the box, or remove them.' % (database.schema, lost), 'archive_not_whole')
    size = sum(float(row[0] or 0) for row in root.query(
        'SELECT SUM(data_length + index_length) FROM information_schema.tables WHERE table_schema=%s' % restore_schema.quote(database.schema),
        schema=False))
    # The way back imports the dump beside the live tables, whatever becomes of the files.
    restore_point.require_room(restore_point.database_room(root, int(size)), 'The way back from a rollback point on the controller')
    return dict(database=database, root=root, version=found, kept=restore_point.kept(installation.web_root, database.config('backup::path')))


def take(installation, context, found, recorded):
    """Stop engine and web, make the archive and its complement, prove both, write the manifest. The transaction stays in "opening"
    until confirm(): nothing may change on the box before the controller has the archive."""
    folder = backup.backup_dir(installation, found['database'])
    # while the engine still runs; the archive of the backup stage may be of this minute
    backup.own_minute(folder, context)
    context.phase('stop', 5)
    begin = time.time()
    engine.stop(installation, context)
    restore_web.stop(context)
    fault.point('away_stopped')
    described = restore_schema.describe(found['root'], found['database'].schema)
    counted = census.stable(installation)
    made = backup.job(dict(web_root=installation.web_root, complement=True, min_free=50), context)['backup']
    restore_web.start(context)
    fault.point('away_made')
    record = dict(
        sent=[path for path in _files(made, folder) if path],
        schema=restore_point.SCHEMA, location=CONTROLLER, created=time.time(), host=os.uname()[1], web_root=installation.web_root,
        schema_name=found['database'].schema, core_version=found['version'], kept=found['kept'], web_user=installation.web_user,
        connection=dict((key, value) for key, value in installation.credentials().items() if key in ('host', 'port', 'unix_socket', 'dbname')),
        temporary=recorded.get('temporary'), tree_size=list(tree.measure(installation.web_root, found['kept'])),
        outage=round(time.time() - begin, 1), seconds=round(time.time() - begin, 1),
        census=counted, archive=made, database=described)
    system.make_dir(restore_point.folder())
    system.write_json(os.path.join(restore_point.folder(), 'manifest.json'), record)
    transaction.update(location=CONTROLLER)
    return record


def _files(made, folder):
    """What has to go from the box when the controller has it, or when it is not needed."""
    return made['path'], os.path.join(folder, made['name']), (made['complement'] or {}).get('path'), backup.proof_path(made['name'])


def confirm(record, sha256):
    """The controller has the archive: give its room back, and let the migration begin."""
    made = record['archive']
    if sha256 != made['sha256']:
        raise BoxError('The controller says that it has an archive with sha256 %s as rollback point, and the one made on the box has %s: '
                       'fetch it again.' % ((sha256 or 'none')[:12], made['sha256'][:12]), 'wrong_archive', needed=made['sha256'], found=sha256)
    transaction.update(step=transaction.OPEN)
    for path in record['sent']:
        tree_extract.remove(path)


def summary(record):
    """What of the manifest goes into a module result."""
    return dict(location=CONTROLLER, created=record['created'], core_version=record['core_version'], web_root=record['web_root'],
                kept=record['kept'], tables=len(record['database']['tables']),
                rows=sum(table['rows'] for table in record['database']['tables'].values()), outage=record['outage'],
                seconds=record['seconds'], proved=True, census=record.get('census'), archive=record['archive'],
                census_expected=restore_point.expected())


def require_mine(sha256):
    """Raise unless an archive is the rollback point that an open migration has on the controller."""
    record = restore_point.manifest()
    if transaction.current() and is_away(record) and record['archive']['sha256'] != sha256:
        raise BoxError('The rollback point of the open migration is the archive %s (sha256 %s...), and this one is %s...: name the right one '
                       'with jeedom_restore_archive.' % (record['archive']['name'], record['archive']['sha256'][:12], (sha256 or 'none')[:12]),
                       'wrong_archive', needed=record['archive']['sha256'], found=sha256)


def tree_size(web_root):
    """(bytes, inodes) that the tree of the open migration takes, when its rollback point is on the controller; else None."""
    record = restore_point.manifest()
    return tuple(record['tree_size']) if transaction.current() and is_away(record) and record['web_root'] == web_root else None


def make_room(web_root, kept, needs, what, context):
    """Remove the broken tree, to unpack the proved archive in its place; what is kept over a rollback stays.

    needs, what: as for restore_point.require_room. Only for a migration whose rollback point is on the controller, only when
    there is no room beside, and only after the archive on the box was proved: from here on that archive is all there is. A
    power cut now leaves a box without files, which the next run rebuilds. Raises no_room before anything is removed.
    """
    live = os.path.realpath(tree.native(web_root))
    if os.path.isdir(live):
        size, inodes = tree.measure(web_root, kept)
        path, wanted, more = needs[0]
        restore_point.require_room([(path, wanted - size, more - inodes)] + list(needs[1:]), what)
        restore_web.stop(context)
        context.log('making room: removing the tree in %s, which is not whole' % web_root)
        for name in swap.entries(live, kept):
            tree_extract.remove(os.path.join(live, name))
    fault.point('away_removed')
    restore_point.require_room(needs, what)
