# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second small archive: what Jeedom's own leaves out of the tree (contract 0.9, 2.3). Holds secrets.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import os
import tarfile

from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# Made anew by whoever needs it, and never part of what the user owns: logs (but not their .htaccess), the file cache, the
# dump that the last backup left in the tree, and the tmp folder of the web root.
_EPHEMERAL_DIRS = ('log', 'tmp')
_EPHEMERAL_FILES = ('DB_backup.sql', 'cache.tar.gz')


def ephemeral(name):
    """Whether a path of the tree is a log, a cache or the like, which no archive needs to hold."""
    top, dummy, rest = name.partition('/')
    if top in _EPHEMERAL_DIRS and rest:
        return os.path.basename(name) != '.htaccess'
    return name in _EPHEMERAL_FILES


def missing(web_root, backup_dir, archived):
    """Paths below the web root that the archive does not have, sorted, folders before what is in them.

    archived: names of the archive's members. The backup folder's content and ephemeral files are left out on purpose.
    """
    found = []
    backup = os.path.realpath(backup_dir)
    for folder, names, files in os.walk(web_root):
        if os.path.realpath(folder) == backup:
            # the folder itself, with the .htaccess that keeps the web out, but no archive
            names[:] = []
            files = [name for name in files if name == '.htaccess']
        for name in sorted(names) + sorted(files):
            relative = os.path.relpath(os.path.join(folder, name), web_root)
            if relative not in archived and not ephemeral(relative):
                found.append(relative)
    return sorted(found)


def write(path, web_root, names):
    """Write the paths to a tar.gz (0600) and read it back; returns {size, sha256, members}."""
    written = 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, 'wb') as raw:
        with tarfile.open(fileobj=raw, mode='w:gz', format=tarfile.PAX_FORMAT) as tar:
            for name in names:
                full = os.path.join(web_root, name)
                if os.path.lexists(full):
                    tar.add(full, arcname='./' + name, recursive=False)
                    # none for a socket, which no archive can hold
                    written += len(tar.members)
                    tar.members = []
        raw.flush()
        os.fsync(raw.fileno())
    digest, count = hashlib.sha256(), 0
    with open(path, 'rb') as raw:
        for chunk in iter(lambda: raw.read(1 << 20), b''):
            digest.update(chunk)
    try:
        with tarfile.open(path, mode='r|gz') as tar:
            for dummy in tar:
                tar.members = []
                count += 1
        if count != written:
            # tarfile takes a file that is cut within a header for one that ends there.
            raise EOFError('it has %d of %d entries' % (count, written))
    except (tarfile.TarError, EOFError, IOError) as error:
        raise BoxError('The complement %s cannot be read back: %s. Check free space and run again.' % (path, error),
                       'complement_broken')
    return dict(size=os.path.getsize(path), sha256=digest.hexdigest(), members=count)
