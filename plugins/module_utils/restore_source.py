# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore restores from: prove it, and make a new tree and a scratch schema of it beside the live ones.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import pwd
import re
import shutil

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    fault, point_away, restore_point, restore_schema, swap, system, tree, tree_extract)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import Installation

DUMP = 'DB_backup.sql'
CREDENTIALS = 'core/config/common.config.php'
# contract 5: what each core's own code needs; V3 is outside its vendor's ranges on PHP 8 and does not even parse there.
PHP = ((4, 5), (7, 1), None), ((4, 4), (7, 1), None), ((4, 0), (7, 0), None), ((0, 0), (5, 6), (8, 0))
NOBODY_ENTERS = 'Require all denied\n'


def numbers(version):
    """A version as a tuple of numbers."""
    return tuple(int(part) for part in re.findall(r'\d+', version or '')[:3])


def require_php(version):
    """Raise unless the PHP of the box can run this core."""
    done = system.run(['php', '-r', 'echo PHP_VERSION;'], timeout=20)
    php = numbers(done.out)
    if done.rc or not php:
        raise BoxError('PHP does not run on the box (%s), so no Jeedom could be started: repair it, then run again.'
                       % (done.err.strip().split('\n')[0] or 'code %d' % done.rc), 'no_php')
    for least, oldest, too_new in PHP:
        if numbers(version) >= least:
            break
    if php < oldest or (too_new and php >= too_new):
        raise BoxError('Jeedom %s needs PHP %s and the box has PHP %s, so it could not run here: restore it on a box with that PHP%s.'
                       % (version, 'below %d' % too_new[0] if too_new and php >= too_new else '%d.%d or newer' % oldest,
                          done.out.strip(), ', or restore a newer archive' if too_new else ''), 'core_cannot_run',
                       version=version, php=done.out.strip())


class Prepared:
    """What a source gives: folder (the new tree), entries (its listing), wanted (description of the database), version, kept."""

    def __init__(self, folder, entries, wanted, version, kept, remarks=()):
        self.folder, self.entries, self.wanted, self.version, self.kept = folder, entries, wanted, version, kept
        self.remarks = list(remarks)


class PointSource:
    """The rollback point on the box."""

    kind = 'rollback_point'

    def __init__(self):
        self.record = restore_point.manifest()
        if self.record is None:
            raise BoxError('There is no rollback point on the box: restore the archive on the controller instead '
                           '(jeedom_rollback_source: archive).', 'no_rollback_point')
        if point_away.is_away(self.record):
            raise BoxError('The rollback point of this box is the archive %s on the controller, since there was no room for one here: the '
                           'rollback playbook there takes the box back.' % self.record['archive']['name'], 'rollback_point_away')
        self.web_root = self.record['web_root']
        self.connection = self.record['connection']
        self.version = self.record['core_version']
        self.identity = self.record['dump']['sha256']
        self.web_user = self.record['web_user']

    def prepare(self, context, exchange):
        """Prove the copy and the scratch schema; a scratch schema that is not right is made anew from the dump."""
        point = restore_point.point_folder(self.web_root)
        if os.path.isdir(point):
            # Owners and modes only: Jeedom's updater sets them for everything in a web root that is a mount point.
            tree.dress(point, tree.load_listing(os.path.join(restore_point.folder(), 'tree.list'),
                                                self.record['tree']['listing_sha256']))
        entries = restore_point.prove(self.record)
        context.phase('prove', 20, 'database')
        wanted, remarks = self.record['database'], []
        problems = ['no scratch schema']
        if restore_schema.exists(exchange.root, exchange.new):
            problems, remarks = restore_schema.compare(restore_schema.describe(exchange.root, exchange.new), wanted)
        if problems or remarks:
            context.log('the scratch schema is not as it was (%s): importing the dump again' % (problems + remarks)[0])
            remarks = exchange.prepare(os.path.join(restore_point.folder(), 'dump.sql'), wanted)['remarks']
        return Prepared(point, entries, wanted, self.version, self.record['kept'], remarks)

    @staticmethod
    def files():
        """Files on the box that only this restore needs: none."""
        return []

    def cache(self):
        """The copy of what Jeedom kept in its temporary folder, or None."""
        path = os.path.join(swap.work_folder(self.web_root), restore_point.CACHE)
        return path if self.record.get('cache') and os.path.isdir(path) else None


class ArchiveSource:
    """Jeedom's own archive, with its complement and manifest, somewhere on the box."""

    kind = 'archive'

    def __init__(self, params):
        self.archive, self.complement, self.manifest_path = params['archive'], params.get('complement'), params['manifest']
        self.web_root = os.path.normpath(params['web_root'])
        for path in (self.archive, self.complement, params['manifest']):
            if path and not os.path.isfile(path):
                raise BoxError('%s is not on the box: send it there first (backup_push).' % path, 'no_archive')
        self.manifest = system.read_json(params['manifest']) if params['manifest'] else None
        if not isinstance(self.manifest, dict) or not self.manifest.get('sha256'):
            raise BoxError('The archive %s has no manifest that can be read, so it is not proved: back up with the backup module, or '
                           'prove this archive with backup_info first.' % self.archive, 'not_proved')
        self.version = self.manifest.get('core_version')
        self.identity = self.manifest['sha256']
        self.live = Installation(self.web_root)
        host = self.manifest.get('host')
        if host and host != os.uname()[1] and not params.get('allow_foreign_host'):
            raise BoxError('The archive %s is of the host %s and this is %s: set allow_foreign_host (jeedom_restore_foreign_host: true) '
                           'if it shall really become that box.' % (os.path.basename(self.archive), host, os.uname()[1]), 'foreign_host')
        if not self.manifest.get('proved'):
            raise BoxError('The manifest of %s says that it was not proved (%s): use another archive.'
                           % (self.archive, '; '.join(self.manifest.get('problems') or ['no reason given'])), 'not_proved')
        point_away.require_mine(self.identity)
        self.foreign = bool(host) and host != os.uname()[1]
        require_php(self.version)
        self.web_user = self.live.web_user
        self.work = swap.work_folder(self.web_root)
        self.connection = self._connection()

    def _connection(self):
        try:
            return self.live.credentials()
        except BoxError:
            # The web root is broken or gone: the complement has the file.
            found = os.path.join(system.state_dir('staging'), 'credentials')
            for name, dummy, stream in tree.members(self.complement) if self.complement else ():
                if name == CREDENTIALS and stream:
                    system.atomic_write(os.path.join(system.make_dir(found + '/core/config'), 'common.config.php'), stream.read())
            try:
                return Installation(found).credentials()
            except BoxError:
                raise BoxError('Neither %s nor the complement of the archive has database credentials: give the complement, or put the '
                               'file back first.' % self.live.config_file, 'no_credentials')
            finally:
                tree_extract.remove(found)

    def prepare(self, context, exchange):
        """Prove the archive, unpack it with its complement, carry over what both leave out, import the dump."""
        for path, sha256 in ((self.archive, self.manifest['sha256']),
                             (self.complement, (self.manifest.get('complement') or {}).get('sha256'))):
            if path and sha256 and tree.file_digest(path) != sha256:
                raise BoxError('%s is not the file of its manifest (another sha256): it was cut or changed on its way; send it again.'
                               % path, 'not_proved')
        live_kept = self._kept(exchange)
        size, inodes = self._size(live_kept)
        dumped = self.manifest.get('dump') or {}
        tables = dumped.get('tables') or {}
        needs = [(self.work, size, inodes)] + restore_point.database_room(exchange.root, int(dumped.get('size') or size // 4))
        what = 'Unpacking %s beside %s' % (os.path.basename(self.archive), self.web_root)
        try:
            restore_point.require_room(needs, what)
        except BoxError:
            if not point_away.tree_size(self.web_root):
                raise
            point_away.make_room(self.web_root, live_kept, needs, what, context)
        context.phase('extract', 15)
        new = os.path.join(system.make_dir(self.work), 'new')
        tree_extract.remove(new)
        # It stays in the tree, as in that of every Jeedom after a backup.
        dump = os.path.join(new, DUMP)
        owner = pwd.getpwnam(self.web_user)
        extraction = tree_extract.Extraction(new, (owner.pw_uid, owner.pw_gid) if self.foreign else None)
        extraction.add(self.archive, live_kept + [CREDENTIALS])
        if self.complement:
            extraction.add(self.complement, live_kept)
        fault.point('archive_extracted')
        entries = extraction.finish(tree.Entry('d', 0o775, owner.pw_uid, owner.pw_gid, 0, 0, '', '', '.'))
        remarks = self._carry_over(new, set(entry.name for entry in entries), owner)
        found = Installation(new).version()
        if self.version and found != self.version:
            raise BoxError('The archive holds core %s and its manifest says %s: it is not proved.' % (found, self.version), 'not_proved')
        if not os.path.isfile(dump):
            raise BoxError('The archive %s holds no %s: it cannot give the database back.' % (self.archive, DUMP), 'not_proved')
        with open(dump, 'rb') as stream:
            stream.seek(max(0, os.path.getsize(dump) - 300))
            if b'-- Dump completed' not in stream.read():
                raise BoxError('The dump in %s has no completion line: it is cut, and half of the database would be missing. Use another '
                               'archive.' % self.archive, 'dump_cut')
        context.phase('import', 40)
        wanted = dict(tables=dict((name, dict(rows=rows)) for name, rows in tables.items()))
        if not tables:
            raise BoxError('The manifest of %s does not say which tables it has: it is not proved.' % self.archive, 'not_proved')
        described = exchange.prepare(dump, wanted)
        # No listing after carrying over: what counts is the tree as it stands now.
        return Prepared(new, None, described, found, live_kept, remarks + described['remarks'])

    def _kept(self, exchange):
        value = None
        try:
            value = exchange.at(exchange.live).config('backup::path')
        except BoxError:
            # No database to ask: the default is what nearly everybody has.
            value = None
        return restore_point.kept(self.web_root, value)

    def _size(self, kept):
        if point_away.tree_size(self.web_root):
            return point_away.tree_size(self.web_root)
        if os.path.isdir(self.web_root):
            size, inodes = tree.measure(self.web_root, kept)
            return max(size, 4 * os.path.getsize(self.archive)), inodes + 1000
        # Measured: an archive is about 30 % of its tree (contract 5).
        return 4 * os.path.getsize(self.archive), int(self.manifest.get('members') or 20000)

    def _carry_over(self, new, names, owner):
        """What the archive leaves out and Jeedom needs: credentials, log, vendor/psr/log; where from, in this order:
        the complement, the live tree of the same version."""
        remarks = []
        if not self.foreign and os.path.isfile(self.live.config_file):
            self._copy(self.live.config_file, os.path.join(new, CREDENTIALS))
        elif CREDENTIALS not in names:
            raise BoxError('There are no database credentials for the restored Jeedom: %s is not there, and no complement was given.'
                           % self.live.config_file, 'no_credentials')
        same = self.live.version() == Installation(new).version()
        if os.path.isdir(os.path.join(new, 'vendor')) and not os.path.isdir(os.path.join(new, 'vendor/psr/log')):
            if not same or not os.path.isdir(self.live.path('vendor/psr/log')):
                raise BoxError('The archive lacks vendor/psr/log, as every archive of Jeedom below 4.5 does, and a core without it dies at '
                               'its first log line: give the complement that was made with the archive.', 'incomplete_archive')
            shutil.copytree(self.live.path('vendor/psr/log'), os.path.join(new, 'vendor/psr/log'))
            for name, dummy in tree.walk(os.path.join(new, 'vendor/psr')):
                os.lchown(os.path.join(new, 'vendor/psr', name), owner.pw_uid, owner.pw_gid)
        if not self.complement:
            remarks.append('no complement was given: folders named log, docs, tests, tmp and the like are not restored')
        for folder in ('log', 'backup'):
            path = os.path.join(new, folder)
            if not os.path.lexists(path) and not (folder == 'backup' and os.path.lexists(self.live.path('backup'))):
                # Apache does not start without its log folder (contract 1.1).
                os.mkdir(path)
                os.chown(path, owner.pw_uid, owner.pw_gid)
                os.chmod(path, 0o775)
                system.atomic_write(os.path.join(path, '.htaccess'), NOBODY_ENTERS, 0o775, owner.pw_uid, owner.pw_gid)
        return remarks

    @staticmethod
    def _copy(source, target):
        info = os.lstat(source)
        if os.path.lexists(target):
            os.unlink(target)
        shutil.copy2(source, target)
        os.chown(target, info.st_uid, info.st_gid)

    def files(self):
        """Files on the box that may have been sent for this restore."""
        return [self.archive, self.complement, self.manifest_path]

    def cache(self):
        """Nothing: the archive has cache.tar.gz in its tree, which Jeedom's own start reads."""
        return None
