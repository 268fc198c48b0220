# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip of a core release: prove it, compare a tree with it, complete a tree from it. Python 2.7 and 3.5+, stdlib only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# What a good run of an updater leaves out or removes again (contract 4.2): V3 removes tests, all remove the two files;
# files of no bytes are skipped by the move.
_LEFT_OUT = re.compile(r'^(\.travis\.yml|phpunit\.xml\.dist|tests/.*)$')
NEEDED = ('core/config/version', 'core/php/core.inc.php', 'install/update.php', 'index.php')
# What a pin leaves out (knowledge/README.md): nothing runs these pictures, and copies of jeedom/core lack the largest.
_UNPINNED = re.compile(br'docs/images/[A-Za-z0-9_]+\.gif\Z')
_CHUNK = 1 << 20


class ReleaseZip(object):
    """A zip as GitHub makes it of a tag: one top folder, inside it the tree.

    files: {path relative to the web root: (size, crc32, name in the zip)}. size, unpacked: bytes. Raises bad_zip.
    """

    def __init__(self, path):
        self.path = path
        self.files = {}
        self.unpacked = 0
        try:
            self.size = os.path.getsize(path)
            archive = zipfile.ZipFile(path)
        except (IOError, OSError, zipfile.BadZipfile, zipfile.LargeZipFile) as error:
            raise BoxError('%s %s: get it again.' % (path, _no_zip(path, error)), 'bad_zip')
        with archive:
            infos = archive.infolist()
            tops = set(info.filename.split('/', 1)[0] for info in infos)
            if len(tops) != 1:
                raise BoxError('%s has %d top folders instead of one, so it is no release of jeedom/core.' % (path, len(tops)), 'bad_zip')
            for info in infos:
                name = info.filename.split('/', 1)[1] if '/' in info.filename else ''
                if not name or name.endswith('/'):
                    continue
                if name.startswith('/') or '..' in name.split('/'):
                    raise BoxError('%s has the member %r, which leads out of the web root.' % (path, name), 'bad_zip')
                if stat.S_ISLNK(info.external_attr >> 16):
                    # PHP's unzip makes plain files of links; their content is not what the link shows.
                    continue
                self.files[name] = (info.file_size, info.CRC & 0xffffffff, info.filename)
                self.unpacked += info.file_size

    def content_sha256(self):
        """SHA-256 of the files and their content (knowledge/README.md), in hexadecimal, whatever the packing. Reads every member once, to its end.

        Counts all that an unzip makes files of, links and second members of a name as well. Raises bad_zip.
        """
        lines = []
        try:
            with zipfile.ZipFile(self.path) as archive:
                for info in archive.infolist():
                    name = _path_below_top(info)
                    digest, size = hashlib.sha256(), 0
                    with archive.open(info) as stream:
                        for chunk in iter(lambda: stream.read(_CHUNK), b''):
                            digest.update(chunk)
                            size += len(chunk)
                    if not info.filename.endswith('/') and not _UNPINNED.match(name):
                        lines.append(name + ('\0%d\0%s\n' % (size, digest.hexdigest())).encode('ascii'))
        except (IOError, OSError, zipfile.BadZipfile, zlib.error, RuntimeError, EOFError) as error:
            raise BoxError('%s is damaged (%s): remove it and run again.' % (self.path, error), 'bad_zip')
        return hashlib.sha256(b''.join(sorted(lines))).hexdigest()

    def check(self, file_version, sha256=None, content_sha256=None):
        """Raise unless every member reads to its end, and the tree is that version with that content.

        sha256: of the file. content_sha256: of what it holds. Raises bad_zip, zip_checksum, zip_content, zip_version.
        """
        if sha256 and file_digest(self.path) != sha256:
            raise BoxError('%s does not have the SHA-256 that the route gives: remove it and run again.' % self.path, 'zip_checksum')
        missing = [name for name in NEEDED if name not in self.files]
        if missing:
            raise BoxError('%s holds no %s, so it is no release of jeedom/core.' % (self.path, missing[0]), 'bad_zip')
        content = self.content_sha256()
        with zipfile.ZipFile(self.path) as archive:
            found = system.to_text(archive.read(self.files['core/config/version'][2])).strip()
        if found != file_version:
            raise BoxError('%s holds version %s of the core, but %s is needed: stage the zip of the right tag.'
                           % (self.path, found, file_version), 'zip_version')
        if content_sha256 and content != content_sha256:
            # the beginnings: what looks like a key is made unreadable in reports
            raise BoxError('%s says that it is core %s, but its content has the checksum %s... and %s... is needed: get it from a source that you '
                           'trust, or pin it by content_sha256 in a knowledge overlay where it is meant to differ.'
                           % (self.path, found, content[:16], content_sha256[:16]), 'zip_content')
        return self

    def expected(self, without_vendor=False):
        """The files that a good run leaves in the web root."""
        return dict((name, entry) for name, entry in self.files.items()
                    if entry[0] and not _LEFT_OUT.match(name) and not (without_vendor and name.startswith('vendor/')))

    def differences(self, web_root, without_vendor=False):
        """Files of the release that the tree lacks or holds with another content: [(path, what)], sorted."""
        found = []
        for name, (size, crc, dummy) in sorted(self.expected(without_vendor).items()):
            path = os.path.join(web_root, name)
            try:
                actual = os.lstat(path).st_size
            except OSError:
                found.append((name, 'missing'))
                continue
            if actual != size:
                found.append((name, '%d bytes instead of %d' % (actual, size)))
            elif file_crc(path) != crc:
                found.append((name, 'other content'))
        return found

    def complete(self, web_root, names, owner, group):
        """Write the named files of the release into the tree, each atomically. owner, group: numeric."""
        with zipfile.ZipFile(self.path) as archive:
            for name in names:
                path = os.path.join(web_root, name)
                folder = os.path.dirname(path)
                missing = []
                while not os.path.isdir(folder):
                    missing.append(folder)
                    folder = os.path.dirname(folder)
                for folder in reversed(missing):
                    os.mkdir(folder, 0o775)
                    os.chown(folder, owner, group)
                system.atomic_write(path, archive.read(self.files[name][2]), 0o775, owner, group)


def _path_below_top(info):
    """Path of a member below the top folder, as the bytes that stand in the zip."""
    name = info.filename
    if not isinstance(name, bytes):
        name = name.encode('utf-8' if info.flag_bits & 0x800 else 'cp437')
    return name.split(b'/', 1)[-1]


def _no_zip(path, error):
    """What is wrong with a file that cannot be opened as a zip, in words."""
    try:
        with io.open(path, 'rb') as stream:
            head = stream.read(60)
    except (IOError, OSError):
        return 'cannot be read (%s)' % error
    if not head:
        return 'is empty'
    if head.startswith(b'PK'):
        return 'is a zip that was cut off or damaged (%s)' % error
    if head.lstrip().startswith(b'<'):
        return 'is a web page instead of a zip, perhaps of a captive portal or proxy'
    return 'is no zip'


def file_crc(path):
    """CRC-32 of a file, or None when it cannot be read."""
    value = 0
    try:
        with io.open(path, 'rb') as stream:
            for chunk in iter(lambda: stream.read(_CHUNK), b''):
                value = zlib.crc32(chunk, value)
    except (IOError, OSError):
        return None
    return value & 0xffffffff


def file_digest(path):
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with io.open(path, 'rb') as stream:
        for chunk in iter(lambda: stream.read(_CHUNK), b''):
            digest.update(chunk)
    return digest.hexdigest()
