# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archives on the box, each proved or not and why; on demand each is read to its end now.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import stat
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import archive, backup, jobs, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    prove=dict(type='bool', default=False),
    **jobs.JOB_SPEC
)


def run(params, check_mode):
    """Tell of the archives from what is recorded, or start the job that reads them."""
    system.require_root()
    installation = Installation(params['web_root'])
    if not params['prove']:
        return report(installation)
    # A job: reading some GB takes minutes on a small board, longer than a link may last.
    started = jobs.start('backup_info', 'backup_info', dict(web_root=installation.web_root), key=installation.web_root,
                         run_id=params['run_id'], controller=params['controller'])
    return jobs.started(started, changed=False)


def job(params, context):
    """Read every archive to its end."""
    installation = Installation(params['web_root'])
    context.secrets = installation.secrets()
    context.phase('prove', 1)
    return report(installation, context)


def report(installation, context=None):
    """{changed, backups, newest_proved, folders, notes, msg}; newest first. context: of the job, when each is to be read.

    Raises no_jeedom only where there is no archive either: archives are wanted most of all on a box that is broken.
    """
    listed, notes = folders(installation)
    found = _archives(listed)
    if not found:
        installation.require()
    proofs, version = _proofs(), installation.version()
    whole, done = float(sum(entry['size'] for entry in found) or 1), 0
    for entry in found:
        proof = proofs.get(entry['name'])
        if context is None:
            _from_record(entry, proof)
        else:
            context.check_stop()
            context.log('reading %s' % entry['path'])
            _read(entry, proof, lambda count, before=done: context.percent(1 + 98 * (before + count) / whole))
            done += entry['size']
        entry.update(age=round((time.time() - entry['created']) / 3600.0, 2), proved=not entry['problems'])
        if entry['core_version'] and entry['core_version'] != version:
            entry['notes'].append('it holds core %s, the box has %s now' % (entry['core_version'], version))
        for key in ('_file', '_identity'):
            entry.pop(key)
    found.sort(key=lambda entry: entry['created'], reverse=True)
    proved = [entry['path'] for entry in found if entry['proved']]
    return dict(changed=False, backups=found, newest_proved=proved[0] if proved else None, folders=[_text(folder) for folder in listed],
                notes=notes, msg='%d archives, %d of them proved.' % (len(found), len(proved)))


def folders(installation):
    """Where archives are: our own folder, then Jeedom's; and notes on what could not be asked."""
    notes = []
    try:
        theirs = backup.backup_dir(installation, installation.database())
    except BoxError as error:
        theirs = installation.path('backup')
        notes.append('the database did not say where archives are (%s): looked in %s' % (error.msg.rstrip('.'), _text(theirs)))
    # Python 2: unicode would stumble over the first file name that is not UTF-8
    theirs = theirs if isinstance(theirs, str) else theirs.encode('utf-8')
    return [os.path.join(system.STATE_DIR, 'staging'), theirs], notes


def _text(name):
    """A file name for people and JSON; bytes that are no UTF-8 are replaced."""
    return name.decode('utf-8', 'replace') if isinstance(name, bytes) else name.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace')


def _proofs():
    """The recorded proofs by name of the archive; what is no proof is left out."""
    folder, found = os.path.join(system.STATE_DIR, 'proofs'), {}
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        proof = system.read_json(os.path.join(folder, name))
        if isinstance(proof, dict) and isinstance(proof.get('manifest'), dict) and proof.get('sha256'):
            found[_text(name)[:-len('.json')]] = proof
    return found


def _archives(listed):
    """One entry per file: the second name that keeps an archive from Jeedom's pruning is the same file."""
    found, seen = [], {}
    for folder in listed:
        try:
            names = sorted(os.listdir(folder))
        except (IOError, OSError):
            continue
        for name in names:
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:
                # Jeedom's pruning is free to work meanwhile
                continue
            # the folder belongs to the web user: a link there may lead anywhere
            if not stat.S_ISREG(status.st_mode) or not name.endswith('.tar.gz') or name.endswith('.complement.tar.gz'):
                continue
            key = (status.st_dev, status.st_ino)
            if key in seen:
                seen[key]['other_paths'].append(_text(path))
                continue
            seen[key] = dict(path=_text(path), name=_text(name), size=status.st_size, created=int(status.st_mtime), problems=[], notes=[],
                             other_paths=[], how=None, sha256=None, core_version=None, plugins=[], tables=None, rows=None, complement=None,
                             _file=path, _identity=[status.st_size, int(status.st_mtime), status.st_ino])
            if not archive.NAME.match(_text(name)):
                seen[key]['notes'].append('no restore of Jeedom accepts this name')
            found.append(seen[key])
    return found


def _from_record(entry, proof):
    """What the recorded proof says, if it is of this very file."""
    if proof is None:
        entry['problems'].append('it was never proved: the backup module has not made it, or its proof is gone')
    elif proof.get('identity') != entry['_identity']:
        entry['problems'].append('it is not the file that was proved (another size, date or inode)')
    else:
        _take_record(entry, proof)
        entry['how'] = 'record'


def _take_record(entry, proof):
    manifest = proof['manifest']
    _take(entry, dict(manifest, sha256=proof['sha256']))
    entry['created'] = manifest.get('created', entry['created'])
    second = proof.get('complement')
    if second:
        there = os.path.isfile(second['path']) and os.path.getsize(second['path']) == second['size']
        entry['complement'] = dict(path=second['path'], size=second['size'], sha256=second['sha256'], present=there)
        if not there:
            entry['problems'].append('its complement %s is gone or has another size' % second['path'])


def _take(entry, proof):
    tables = proof.get('dump', {}).get('tables', {})
    entry.update(sha256=proof['sha256'], core_version=proof.get('core_version'), plugins=proof.get('plugins', []), tables=len(tables),
                 rows=sum(tables.values()))


def _read(entry, proof, on_progress):
    """Read the archive to its end now; where there is a record of it, the same bytes must be found again."""
    try:
        with os.fdopen(os.open(entry['_file'], os.O_RDONLY | getattr(os, 'O_NOFOLLOW', 0)), 'rb') as raw:
            found = archive.prove(raw, on_progress)
    except (IOError, OSError) as error:
        entry['problems'].append('it is gone meanwhile' if error.errno == errno.ENOENT else 'it cannot be read: %s' % os.strerror(error.errno or errno.EIO))
        return
    entry['how'] = 'read'
    if proof and proof['sha256'] == found['sha256']:
        _take_record(entry, proof)
        if entry['complement'] and entry['complement']['present'] and _sha256(entry['complement']['path']) != entry['complement']['sha256']:
            entry['problems'].append('its complement %s is not the file that was written (another sha256)' % entry['complement']['path'])
    else:
        _take(entry, found)
        if proof and proof.get('identity') == entry['_identity']:
            entry['problems'].append('its bytes are not those that were proved (sha256 %s..., proved %s...): the disk loses data, or it was '
                                     'changed' % (found['sha256'][:12], proof['sha256'][:12]))
        entry['notes'].append('not compared with the tables, rows and plugins that the box had when it was made')
    entry['problems'].extend(found['problems'])


def _sha256(path):
    try:
        with open(path, 'rb') as raw:
            reader = archive.HashingReader(raw)
            while reader.read(1 << 20):
                pass
            return reader.digest.hexdigest()
    except (IOError, OSError):
        return None
