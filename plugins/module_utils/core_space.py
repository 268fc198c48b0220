# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room for one core hop, asked before it starts: a full disk makes the updater say SUCCESS over a broken core (contract 7).

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import shutil

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

UNZIP_DIR = '/tmp/jeedom_unzip'
MARGIN = 32 << 20
# Half a block on average is lost at the end of each file.
PER_FILE = 2048


def needs(archive, web_root, temporary, database):
    """{path: (bytes, inodes)} of what one hop with this zip needs where (contract 5, last paragraph)."""
    files = len(archive.files)
    tree = archive.unpacked + files * PER_FILE
    wanted = {temporary: (archive.size, 1), '/tmp': (tree, int(files * 1.15)), web_root: (tree, files)}
    try:
        # Schema changes copy a table as a whole; history is the big one.
        folder, biggest = database.query('SELECT @@datadir, (SELECT MAX(data_length + index_length) FROM information_schema.tables '
                                         'WHERE table_schema=DATABASE())')[0]
    except BoxError:
        return wanted
    if folder and os.path.isdir(folder):
        wanted[os.path.normpath(folder)] = (int(float(biggest or 0)), 8)
    return wanted


def check(archive, web_root, temporary, database, free=system.free_space, device=None):
    """Raise no_room unless every file system has room for what it gets; paths on the same one are added up."""
    device = device or _device
    groups = {}
    for path, (size, inodes) in needs(archive, web_root, temporary, database).items():
        group = groups.setdefault(device(path), dict(paths=[], bytes=MARGIN, inodes=0))
        group['paths'].append(path)
        group['bytes'] += size
        group['inodes'] += inodes
    for group in groups.values():
        place = ' and '.join(sorted(group['paths']))
        there, inodes = free(group['paths'][0])
        if there < group['bytes']:
            raise BoxError('The file system of %s has %d MB free, but this hop needs %d MB there: make room and run again.'
                           % (place, there >> 20, group['bytes'] >> 20), 'no_room', needed=group['bytes'], free=there)
        if inodes is not None and inodes < group['inodes']:
            raise BoxError('The file system of %s has %d inodes free, but this hop needs %d: remove small files there and run again.'
                           % (place, inodes, group['inodes']), 'no_inodes', needed=group['inodes'], free=inodes)


def _device(path):
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return os.stat(path).st_dev


def clean(context=None):
    """Remove what an earlier updater left in /tmp: never needed again, since we hold the zip (contract 1.1)."""
    if os.path.islink(UNZIP_DIR):
        os.unlink(UNZIP_DIR)
    elif os.path.isdir(UNZIP_DIR):
        shutil.rmtree(UNZIP_DIR, ignore_errors=True)
        if context:
            context.log('removed %s of an earlier update' % UNZIP_DIR)
