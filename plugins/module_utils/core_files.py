# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of the core were edited or added: one digest per folder goes to the box, listings of what differs come back.

A release has some 4,600 files but 500 folders, so the digests of a version are a few kB. Used on both sides.
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import io
import os
import zlib

# What the updater itself spares, or what is different on every box (user-pains B4).
SPARED = frozenset(['common.config.php', 'jeedom.config.php', '.htaccess', 'version'])
# Files listed at most; a box with another core under the same version number differs everywhere.
MOST_LISTED = 600


def spared(name):
    """True for a file that an update leaves alone."""
    return name in SPARED or name.startswith('custom.')


def checksum(data):
    """CRC-32 as eight hex digits: enough to see an edit, small enough to ship."""
    return '%08x' % (zlib.crc32(data) & 0xffffffff)


def folder_digest(entries):
    """Digest of the files right in one folder; entries: (name, size, crc) in any order."""
    lines = sorted('%s\t%d\t%s' % entry for entry in entries if not spared(entry[0]))
    return hashlib.sha1('\n'.join(lines).encode('utf-8', 'replace')).hexdigest()[:12]


def listing(folder):
    """[(name, size, crc)] of the files right in a folder; links are not followed."""
    found = []
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if spared(name) or os.path.islink(path) or not os.path.isfile(path):
            continue
        try:
            with io.open(path, 'rb') as stream:
                data = stream.read()
        except (IOError, OSError):
            data = b''
        text = name if not isinstance(name, bytes) else name.decode('utf-8', 'replace')
        found.append((text, len(data), checksum(data)))
    return found


def compare(root, digests):
    """What differs from a release: {compared: files read, different: {folder: [[name, size, crc]]}, truncated}.

    digests: {folder relative to the web root: folder_digest()}. Folders below the same top folders that the release does
    not have are listed too; one that the box lacks is listed empty.
    """
    compared, different, listed, truncated = 0, {}, 0, False
    seen = set()
    for top in sorted(set(folder.split('/')[0] for folder in digests)):
        for base, folders, dummy in os.walk(os.path.join(root, top)):
            folders.sort()
            inside = os.path.relpath(base, root)
            inside = inside if not isinstance(inside, bytes) else inside.decode('utf-8', 'replace')
            files = listing(base)
            compared += len(files)
            seen.add(inside)
            if not files and inside not in digests:
                continue
            if folder_digest(files) == digests.get(inside):
                continue
            if listed + len(files) > MOST_LISTED:
                truncated = True
                continue
            listed += len(files)
            different[inside] = [list(entry) for entry in sorted(files)]
    for folder in digests:
        if folder not in seen:
            different[folder] = []
    return dict(compared=compared, different=different, truncated=truncated)


def digests(manifest):
    """{folder: digest} of a whole manifest {folder: {name: [size, crc]}}."""
    return dict((folder, folder_digest([(name, entry[0], entry[1]) for name, entry in files.items()]))
                for folder, files in manifest.items())


def resolve(different, manifest):
    """{edited, foreign, missing}: sorted paths, of the listings that compare() gave and the release's whole manifest."""
    edited, foreign, missing = [], [], []
    for folder, entries in different.items():
        release = manifest.get(folder, {})
        found = dict((entry[0], [entry[1], entry[2]]) for entry in entries)
        for name, entry in found.items():
            if name not in release:
                foreign.append(folder + '/' + name)
            elif list(release[name]) != entry:
                edited.append(folder + '/' + name)
        missing.extend(folder + '/' + name for name in release if name not in found and not spared(name))
    return dict(edited=sorted(edited), foreign=sorted(foreign), missing=sorted(missing))
