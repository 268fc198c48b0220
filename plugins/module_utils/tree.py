# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exact copy of a folder, its listing, and reading tar files. Python 2.7 and 3.5+, standard library only.

A listing is a list of Entry. Names are relative to the folder, "." is the folder itself.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import contextlib
import hashlib
import os
import stat
import sys
import tarfile
import zlib

from ansible_collections.jeedom.fleet.plugins.module_utils import archive, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

try:
    from urllib.parse import quote_from_bytes as _quote, unquote_to_bytes
except ImportError:
    from urllib import quote as _quote, unquote as unquote_to_bytes

# kind: d(irectory), f(ile), l(ink), h(ard link), p(ipe). digest: sha256 of a file. link: target of l and h.
Entry = collections.namedtuple('Entry', 'kind mode uid gid size mtime digest link name')
CHUNK = 1 << 20
# Logs and caches change by themselves and are no part of what "as before" means.
VOLATILE = ('log', 'cache.tar.gz', 'install/update.log')


def native(path):
    """A path as the type that os and tarfile take names in: bytes on Python 2, text on Python 3."""
    if sys.version_info[0] == 2 and not isinstance(path, str):
        return path.encode('utf-8')
    return path


def is_below(name, folders):
    """Whether a relative name is one of the folders or inside one."""
    return any(name == folder or name.startswith(folder + '/') for folder in [native(folder) for folder in folders])


def walk(root, skip=()):
    """(name, lstat) of everything below root, "." first, parents before children, sorted; skip: names left out."""
    root, skip = native(root), set(native(name) for name in skip)
    yield '.', os.lstat(root)
    pending = ['']
    while pending:
        folder = pending.pop()
        below = []
        for child in sorted(os.listdir(os.path.join(root, folder))):
            name = folder + '/' + child if folder else child
            if name in skip:
                continue
            info = os.lstat(os.path.join(root, name))
            yield name, info
            if stat.S_ISDIR(info.st_mode):
                below.append(name)
        pending.extend(reversed(below))


def mount_points(root):
    """Relative names below root on which something else is mounted: they are neither copied nor moved."""
    root = os.path.realpath(native(root))
    found = []
    for line in (system.read_text('/proc/self/mountinfo') or '').splitlines():
        point = native(line.split(' ')[4]).replace('\\040', ' ').replace('\\011', '\t').replace('\\134', '\\')
        if point.startswith(root + '/'):
            found.append(os.path.relpath(point, root))
    return sorted(set(found))


def measure(root, skip=()):
    """Bytes on disk (in blocks of 4 KiB) and number of inodes that a copy of root needs."""
    size = count = 0
    for dummy, info in walk(root, skip):
        count += 1
        size += (info.st_size + 4095) // 4096 * 4096
    return size, count


def _kind(mode):
    for test, kind in ((stat.S_ISREG, 'f'), (stat.S_ISDIR, 'd'), (stat.S_ISLNK, 'l'), (stat.S_ISFIFO, 'p')):
        if test(mode):
            return kind
    return None


class Hashing:
    """A readable stream that hashes what passes."""

    def __init__(self, stream):
        self.stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size=-1):
        """Bytes of the stream."""
        data = self.stream.read(size)
        self.sha256.update(data)
        return data


def copy(root, target, skip=(), progress=None):
    """Copy everything below root into a new folder and return its listing.

    Owner, modes, times, links and hard links stay; sockets and devices are left out, for nothing of Jeedom's is one.
    skip: relative names left out with what is below. progress: called with the bytes done so far.
    Raises tree_changed when a file changed while it was read: nothing may write there meanwhile.
    """
    root, target = native(root), native(target)
    entries, linked, done = [], {}, 0
    for name, info in walk(root, skip):
        kind = _kind(info.st_mode)
        if kind is None:
            continue
        source, where = os.path.join(root, name), os.path.join(target, name)
        link, digest, size = '', '', 0
        if kind == 'f' and info.st_nlink > 1:
            kind = 'h' if (info.st_dev, info.st_ino) in linked else 'f'
            link = linked.setdefault((info.st_dev, info.st_ino), name) if kind == 'h' else ''
            linked.setdefault((info.st_dev, info.st_ino), name)
        if kind == 'd':
            os.mkdir(target if name == '.' else where, 0o700)
        elif kind == 'f':
            size = info.st_size
            digest = _copy_file(source, where, info)
        elif kind == 'h':
            os.link(os.path.join(target, link), where)
        elif kind == 'l':
            link = os.readlink(source)
            os.symlink(link, where)
        else:
            os.mkfifo(where, 0o600)
        entries.append(Entry(kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, size, int(info.st_mtime), digest, link, name))
        done += size
        if progress:
            progress(done)
    dress(target, entries)
    return entries


def _copy_file(source, target, before):
    with open(source, 'rb') as stream:
        reader = Hashing(stream)
        handle = os.open(target, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        with os.fdopen(handle, 'wb', 0) as goal:
            for data in iter(lambda: reader.read(CHUNK), b''):
                goal.write(data)
        after = os.fstat(stream.fileno())
    if (after.st_size, after.st_mtime, after.st_ino) != (before.st_size, before.st_mtime, before.st_ino):
        raise BoxError('%s changed while it was copied, so the copy would be no single moment: stop what writes there, then run '
                       'again.' % source, 'tree_changed', path=source)
    return reader.sha256.hexdigest()


def dress(root, entries):
    """Give everything in a folder the owner, mode and time of its listing; children before their parents."""
    root = native(root)
    for entry in reversed(entries):
        where = os.path.join(root, entry.name)
        os.lchown(where, entry.uid, entry.gid)
        if entry.kind in 'dfp':
            os.chmod(where, entry.mode)
            os.utime(where, (entry.mtime, entry.mtime))


def _names():
    """How tarfile has to turn names into bytes so that os gives the same ones, whatever the locale."""
    return dict(encoding=sys.getfilesystemencoding(), errors='surrogateescape') if sys.version_info[0] > 2 else {}


def _bytes(name):
    return os.fsencode(name) if sys.version_info[0] > 2 else name


def _forget(stream):
    """Drop a file from the page cache, so that reading it back really asks the disk."""
    if hasattr(os, 'posix_fadvise'):
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class _Reading:
    """A member's stream that tells damage by our own error."""

    def __init__(self, path, stream):
        self.path = path
        self.stream = stream

    def read(self, size=None):
        """Bytes of the member; all of them without a size, for which the tarfile of Python 2 wants None."""
        with _damage(self.path):
            return self.stream.read(size)


@contextlib.contextmanager
def _damage(path):
    try:
        yield
    except (tarfile.TarError, EOFError, IOError, OSError, ValueError, zlib.error, archive.Broken) as error:
        raise BoxError('%s cannot be read to its end (%s): it is cut or damaged.' % (path, error), 'archive_damaged')


def members(path):
    """(relative name, TarInfo, stream or None) of a tar file, plain or compressed, read once from front to end."""
    with open(path, 'rb') as raw:
        packed = raw.read(2) == b'\x1f\x8b'
        raw.seek(0)
        # tarfile's own way takes a gzip stream that is cut between two members for whole.
        stream = archive._Gunzip(raw) if packed else raw  # pylint: disable=protected-access
        with _damage(path):
            found = tarfile.open(fileobj=stream, mode='r|', bufsize=CHUNK, **_names())
        while True:
            with _damage(path):
                member = found.next()
                # tarfile remembers every member it has seen
                found.members = []
            if member is None:
                break
            with _damage(path):
                content = _Reading(path, found.extractfile(member)) if member.isreg() else None
            yield os.path.normpath(member.name), member, content
        with _damage(path):
            while stream.read(CHUNK):
                pass


def digest_of(stream):
    """sha256 of a stream."""
    sha256 = hashlib.sha256()
    for data in iter(lambda: stream.read(CHUNK), b''):
        sha256.update(data)
    return sha256.hexdigest()


def file_digest(path):
    """sha256 of a file."""
    with open(path, 'rb') as stream:
        if hasattr(os, 'posix_fadvise'):
            # What was just written is asked from the disk, not from memory.
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return digest_of(stream)


def printable(name):
    """A name for messages: what is no UTF-8 is escaped."""
    return _quote(_bytes(name), safe="/ !#$&'()*+,:;=@[]~^{}|")


def encode(name):
    """A name as ASCII text, whatever bytes it has: for files of ours, which Python 2 and 3 must both be able to read."""
    return _quote(_bytes(name))


def decode(text):
    """The name that encode() was given."""
    data = unquote_to_bytes(str(text))
    return os.fsdecode(data) if sys.version_info[0] > 2 else data


# -- listings on disk

def save_listing(path, entries):
    """Write a listing, one line an entry, and return its sha256."""
    lines = [' '.join([entry.kind, '%o' % entry.mode, str(entry.uid), str(entry.gid), str(entry.size), str(entry.mtime),
                       entry.digest or '-', encode(entry.link) or '-', encode(entry.name)]) for entry in entries]
    data = ('\n'.join(lines) + '\n').encode('ascii')
    system.atomic_write(path, data)
    return hashlib.sha256(data).hexdigest()


def load_listing(path, digest=None):
    """The listing in a file; raises when it is not the one with this sha256."""
    with open(path, 'rb') as stream:
        data = stream.read()
    if digest and hashlib.sha256(data).hexdigest() != digest:
        raise BoxError('%s was changed since it was written: the rollback point is not proved.' % path, 'rollback_point_damaged')
    entries = []
    for line in data.decode('ascii').splitlines():
        kind, mode, uid, gid, size, mtime, sha256, link, name = line.split(' ')
        entries.append(Entry(kind, int(mode, 8), int(uid), int(gid), int(size), int(mtime), '' if sha256 == '-' else sha256,
                             '' if link == '-' else decode(link), decode(name)))
    return entries


def differences(root, entries, skip=(), contents=False, limit=20):
    """What differs between a folder and a listing, as "name: how"; at most limit of them.

    skip: names not looked at, with what is below. contents: compare digests too, not only kind, size, owner and mode.
    """
    root = native(root)
    wanted = dict((entry.name, entry) for entry in entries if not is_below(entry.name, skip))
    found = []
    for name, info in walk(root, skip):
        if len(found) >= limit:
            return found
        kind = _kind(info.st_mode)
        if kind is None or is_below(name, skip):
            continue
        entry = wanted.pop(name, None)
        if entry is None:
            found.append('%s: not there before' % printable(name))
            continue
        how = _difference(os.path.join(root, name), kind, info, entry, contents)
        if how:
            found.append('%s: %s' % (printable(name), how))
    found.extend('%s: missing' % printable(name) for name in sorted(wanted))
    return found[:limit]


def _difference(path, kind, info, entry, contents):
    if kind != entry.kind and (kind, entry.kind) != ('f', 'h'):
        return 'another kind of file'
    if (info.st_uid, info.st_gid) != (entry.uid, entry.gid):
        return 'owner %d:%d instead of %d:%d' % (info.st_uid, info.st_gid, entry.uid, entry.gid)
    if kind != 'l' and stat.S_IMODE(info.st_mode) != entry.mode:
        return 'mode %o instead of %o' % (stat.S_IMODE(info.st_mode), entry.mode)
    if entry.kind == 'f' and info.st_size != entry.size:
        return '%d bytes instead of %d' % (info.st_size, entry.size)
    if kind == 'l' and os.readlink(path) != entry.link:
        return 'another target'
    if contents and entry.kind == 'f' and file_digest(path) != entry.digest:
        return 'another content'
    return None


def listing(root):
    """The listing of a folder as it stands, with the contents read."""
    root = native(root)
    entries, linked = [], {}
    for name, info in walk(root):
        kind, link, digest = _kind(info.st_mode), '', ''
        if kind is None:
            continue
        if kind == 'f' and info.st_nlink > 1 and (info.st_dev, info.st_ino) in linked:
            kind, link = 'h', linked[info.st_dev, info.st_ino]
        elif kind == 'f':
            linked[info.st_dev, info.st_ino] = name
            digest = file_digest(os.path.join(root, name))
        elif kind == 'l':
            link = os.readlink(os.path.join(root, name))
        entries.append(Entry(kind, stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, info.st_size if kind == 'f' else 0,
                             int(info.st_mtime), digest, link, name))
    return entries
