# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restore an archive into a folder and a schema of its own, look at both, and remove them: whatever Jeedom this box has is not touched.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import os
import pwd
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    backup, jobs, restore_point, restore_schema, restore_source, system, tree, tree_extract)
from ansible_collections.jeedom.fleet.plugins.module_utils.database import identifier
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import Installation

ARGUMENT_SPEC = dict(
    archive=dict(type='path', required=True),
    complement=dict(type='path'),
    manifest=dict(type='path', required=True),
    **jobs.JOB_SPEC
)

SCHEMA = 'jeedom_fleet_restore_test'
# Root, whatever the archive says of its own server: the scratch schema is on this one.
SERVER = dict(host='localhost', port='3306', username='root', password='', dbname=SCHEMA)
# What a web request, the minute task and an update begin with.
ENTRIES = ('index.php', 'core/php/*.php', 'core/class/*.php', 'core/ajax/*.php', 'core/api/*.php', 'install/*.php')


def run(params, check_mode):
    """Start the job; the answer of the job is that of the test."""
    system.require_root()
    if check_mode:
        return dict(changed=False)
    params = dict((key, params[key]) for key in ('archive', 'complement', 'manifest', 'run_id', 'controller'))
    started = jobs.start('scratch_restore', 'scratch_restore', params, key=params['archive'], run_id=params['run_id'], controller=params['controller'])
    return jobs.started(started, changed=False)


def scratch():
    """The folder in which everything is unpacked."""
    return os.path.join(system.STATE_DIR, 'restore-test')


def clean(root=None, files=()):
    """Remove the scratch places, also those of a test that was killed, and what was sent for this one."""
    if root is not None:
        root.query('DROP DATABASE IF EXISTS %s' % identifier(SCHEMA), timeout=600, schema=False)
    tree_extract.remove(scratch())
    for path in files:
        if path and os.path.isfile(path):
            os.unlink(path)


def job(params, context):
    """Restore, look, remove. Returns restored: {version, tables, rows, files, plugins, php, seconds, notes}."""
    begin = time.time()
    sent = [path for path in (params['archive'], params['complement'], params['manifest']) if path]
    root = None
    try:
        root = restore_schema.server(SERVER)
        clean(root)
        found = _restore(params, context, root)
    finally:
        clean(root, sent)
    found['seconds'] = round(time.time() - begin, 1)
    return dict(changed=False, restored=found,
                msg='%s was restored in %.0f s: core %s, %d files, %d tables with %d rows.' % (
                    os.path.basename(params['archive']), found['seconds'], found['version'], found['files'], found['tables'], found['rows']))


def _manifest(params):
    manifest = system.read_json(params['manifest'])
    if not isinstance(manifest, dict) or not manifest.get('sha256') or not (manifest.get('dump') or {}).get('tables'):
        raise BoxError('The manifest of %s cannot be read or does not say which tables there are, so nothing could be compared: back up again.'
                       % os.path.basename(params['archive']), 'not_proved')
    return manifest


def _restore(params, context, root):
    name, manifest = os.path.basename(params['archive']), _manifest(params)
    context.phase('prove', 5)
    for path, sha256 in ((params['archive'], manifest['sha256']), (params['complement'], (manifest.get('complement') or {}).get('sha256'))):
        if path and tree.file_digest(path) != sha256:
            raise BoxError('%s is not the file of its manifest (another sha256): it was cut or changed; use another archive.'
                           % os.path.basename(path), 'not_proved')
    size, dump_size = _unpacked(params), int(manifest['dump'].get('size') or 0)
    restore_point.require_room([(system.STATE_DIR, size, int(manifest.get('members') or 0))] + restore_point.database_room(root, dump_size),
                               'Restoring %s for a test' % name)
    context.phase('extract', 20)
    system.make_dir(scratch())
    web_root = os.path.join(scratch(), 'html')
    owner = pwd.getpwnam('nobody')
    # Nobody's, and below a folder that only root enters: credentials of somebody's home lie in it.
    extraction = tree_extract.Extraction(web_root, (owner.pw_uid, owner.pw_gid))
    for path in (params['archive'], params['complement']):
        if path:
            extraction.add(path)
    entries = extraction.finish()
    context.phase('import', 50)
    dump = os.path.join(web_root, restore_source.DUMP)
    _complete(dump, name)
    tables = _database(root, dump, manifest, name)
    context.phase('look', 85)
    return dict(version=_version(web_root, manifest, name), tables=len(tables), rows=sum(tables.values()),
                files=sum(1 for entry in entries if entry.kind in 'fh'), plugins=_plugins(web_root, manifest, name),
                **_core(web_root, manifest, params, name))


def _unpacked(params):
    """Bytes that archive and complement take when they are unpacked."""
    return sum(member.size for path in (params['archive'], params['complement']) if path for dummy, member, dummy_stream in tree.members(path))


def _complete(dump, name):
    if not os.path.isfile(dump):
        raise BoxError('%s holds no %s: it cannot give a database back; use another archive.' % (name, restore_source.DUMP), 'not_proved')
    with open(dump, 'rb') as stream:
        stream.seek(max(0, os.path.getsize(dump) - 300))
        if b'-- Dump completed' not in stream.read():
            raise BoxError('The dump in %s has no completion line: it is cut, and half of the database would be missing; use another archive.'
                           % name, 'dump_cut')


def _database(root, dump, manifest, name):
    """{table: rows} of the dump, imported; raises unless these are the rows that the proof has counted."""
    root.query('CREATE DATABASE %s CHARACTER SET utf8 COLLATE utf8_general_ci' % identifier(SCHEMA), schema=False)
    root.load(dump, SCHEMA)
    found = restore_schema.describe(root, SCHEMA)
    problems, dummy_remarks = restore_schema.compare(
        found, dict(tables=dict((table, dict(rows=rows)) for table, rows in manifest['dump']['tables'].items())))
    if problems:
        raise BoxError('The dump in %s does not give the database that its manifest describes: %s; use another archive.'
                       % (name, '; '.join(problems[:3])), 'dump_not_proved', problems=problems)
    return dict((table, each['rows']) for table, each in found['tables'].items())


def _version(web_root, manifest, name):
    version = Installation(web_root).version()
    if version != manifest.get('core_version'):
        raise BoxError('%s holds core %s and its manifest says %s: it is not proved; use another archive.'
                       % (name, version, manifest.get('core_version')), 'not_proved')
    return version


def _plugins(web_root, manifest, name):
    folders = backup.plugin_folders(Installation(web_root))
    lost = sorted(set(manifest.get('plugins') or ()) - set(folders))
    if lost:
        raise BoxError('The plugins %s of the manifest of %s are not in the restored tree; use another archive.'
                       % (', '.join(lost[:5]), name), 'not_proved')
    return sorted(folders)


def _core(web_root, manifest, params, name):
    """{php, notes}: whether this could become a Jeedom again. php: files of the core that PHP was asked to read."""
    notes = []
    try:
        Installation(web_root).credentials()
    except BoxError as error:
        if params['complement']:
            raise
        notes.append('no complement: credentials, and folders named log, docs, tests, tmp, are not in it (%s)' % error.code)
    if os.path.isdir(os.path.join(web_root, 'vendor')) and not os.path.isdir(os.path.join(web_root, 'vendor/psr/log')):
        if params['complement']:
            raise BoxError('Archive and complement of %s lack vendor/psr/log, without which a core dies at its first log line; back up again.'
                           % name, 'incomplete_archive')
        notes.append('no complement: vendor/psr/log is missing')
    try:
        restore_source.require_php(manifest.get('core_version'))
    except BoxError as error:
        return dict(php=0, notes=notes + ['the code was not read by PHP: %s' % error])
    files = sorted(path for pattern in ENTRIES for path in glob.glob(os.path.join(web_root, pattern)))
    if not files:
        raise BoxError('The restored tree of %s holds no code of a core; use another archive.' % name, 'not_proved')
    for path in files:
        done = system.run(['php', '-l', path], timeout=60)
        if done.rc:
            raise BoxError('PHP cannot read %s of the restored %s: %s; use another archive.'
                           % (os.path.relpath(path, web_root), name, (done.out + done.err).strip().split('\n')[0]), 'code_damaged')
    return dict(php=len(files), notes=notes)
