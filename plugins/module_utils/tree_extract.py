# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpack a tar file as root without leaving the folder it goes to. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os

from ansible_collections.jeedom.fleet.plugins.module_utils import tree
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


class Extraction:
    """Tar files unpacked into one new folder, the first on top of nothing, further ones beside it.

    target: must not exist; it and all in it belong to root alone until finish() gives everything its owner and mode.
    owner: (uid, gid) for everything, or None for what the tar file says.
    A member never goes through a symbolic link and never above target: whoever wrote the archive does not get to
    write elsewhere as root.
    """

    def __init__(self, target, owner=None):
        self.target = tree.native(target)
        self.owner = owner
        self.entries = []
        self._names = {}
        self._folders = {}
        os.mkdir(self.target, 0o700)
        self._folders['.'] = None

    def add(self, path, skip=(), progress=None):
        """Unpack one tar file. skip: relative names left out."""
        done = 0
        for name, member, stream in tree.members(path):
            if name.startswith('/') or name == '..' or name.startswith('../'):
                raise self._hostile(path, name)
            if tree.is_below(name, skip):
                continue
            self._member(path, name, member, stream)
            done += member.size
            if progress:
                progress(done)
        return self

    def _member(self, path, name, member, stream):
        self._need_folder(path, os.path.dirname(name) or '.', member)
        where = os.path.join(self.target, name) if name != '.' else self.target
        kind, link, digest = _kind_of(member), '', ''
        if kind is None:
            return
        if kind != 'd' and name in self._names:
            # Archive and complement may share a file, and GNU tar appends: the last one counts.
            os.unlink(where)
            self.entries[self._names.pop(name)] = None
        if kind == 'd':
            if name in self._folders:
                self._remember_folder(name, member)
                return
            if name in self._names:
                raise self._hostile(path, name)
            os.mkdir(where, 0o700)
        elif kind == 'f':
            digest = _write(stream, where, 0o600)
            if os.path.getsize(where) != member.size:
                raise BoxError('%s is cut inside %s.' % (path, tree.printable(name)), 'archive_damaged')
        elif kind == 'h':
            link = os.path.normpath(member.linkname)
            if link not in self._names or self.entries[self._names[link]].kind != 'f':
                raise self._hostile(path, name)
            os.link(os.path.join(self.target, link), where)
        elif kind == 'l':
            link = tree.native(member.linkname)
            os.symlink(link, where)
        else:
            os.mkfifo(where, 0o600)
        uid, gid = self.owner or (member.uid, member.gid)
        entry = tree.Entry(kind, member.mode & 0o7777, uid, gid, member.size if kind == 'f' else 0, int(member.mtime), digest, link,
                           name)
        if kind == 'd':
            self._folders[name] = len(self.entries)
        else:
            self._names[name] = len(self.entries)
        self.entries.append(entry)

    def _need_folder(self, path, name, member):
        """The folder of a member: made by us in this extraction, so it is no link that leads elsewhere."""
        if name in self._folders:
            return
        if name in self._names:
            raise self._hostile(path, name)
        self._need_folder(path, os.path.dirname(name) or '.', member)
        os.mkdir(os.path.join(self.target, name), 0o700)
        uid, gid = self.owner or (member.uid, member.gid)
        self._folders[name] = len(self.entries)
        self.entries.append(tree.Entry('d', 0o755, uid, gid, 0, int(member.mtime), '', '', name))

    def _remember_folder(self, name, member):
        uid, gid = self.owner or (member.uid, member.gid)
        entry = tree.Entry('d', member.mode & 0o7777, uid, gid, 0, int(member.mtime), '', '', name)
        if self._folders[name] is None:
            self._folders[name] = len(self.entries)
            self.entries.append(entry)
        else:
            self.entries[self._folders[name]] = entry

    def finish(self, top=None):
        """Give everything its owner, mode and time; returns the listing. top: Entry for "." when no archive has one."""
        self.entries = [entry for entry in self.entries if entry is not None]
        if top is not None and self._folders['.'] is None:
            self.entries.insert(0, top)
        tree.dress(self.target, self.entries)
        return self.entries

    @staticmethod
    def _hostile(path, name):
        return BoxError('%s has the member %s, which would leave its folder or replace another kind of file: it is not unpacked. '
                        'Such an archive was not made by Jeedom.' % (path, tree.printable(name)), 'archive_hostile')


def _kind_of(member):
    for test, kind in ((member.isreg, 'f'), (member.isdir, 'd'), (member.issym, 'l'), (member.islnk, 'h'), (member.isfifo, 'p')):
        if test():
            return kind
    return None


def _write(stream, where, mode):
    """Write a stream into a new file; returns its sha256."""
    reader = tree.Hashing(stream)
    handle = os.open(where, os.O_CREAT | os.O_WRONLY | os.O_EXCL | getattr(os, 'O_NOFOLLOW', 0), mode)
    with os.fdopen(handle, 'wb', 0) as target:
        for data in iter(lambda: reader.read(tree.CHUNK), b''):
            target.write(data)
    return reader.sha256.hexdigest()


def remove(path):
    """Remove a file or a folder with everything below; gone already is fine. Never follows a link, never leaves the file system."""
    path = tree.native(path)
    try:
        info = os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return
        raise
    _remove(path, info.st_dev)


def _remove(path, device):
    info = os.lstat(path)
    if (info.st_mode & 0o170000) != 0o040000:
        os.unlink(path)
        return
    if info.st_dev != device:
        raise BoxError('%s is another file system mounted inside a folder that is to be removed: unmount it first.' % path,
                       'mounted_inside')
    for child in os.listdir(path):
        _remove(os.path.join(path, child), device)
    os.rmdir(path)
