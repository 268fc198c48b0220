# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove an archive by reading it to its end once: gzip, tar, hash, members, the dump inside. Constant memory.

Python 2.7 and 3.5+, standard library only; used on the box and, during a fetch, on the controller.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import re
import tarfile
import threading
import zlib

from ansible_collections.jeedom.fleet.plugins.module_utils.dump_scan import DumpScanner

SCHEMA = 1
DUMP = 'DB_backup.sql'
VERSION = 'core/config/version'
# backup-<name>-<version>-<date>.tar.gz (contract 2.3; the name may hold anything but a slash)
NAME = re.compile(r'^backup-.+-\d+\.\d+(\.\d+)*-\d{4}-\d{2}-\d{2}-\d{2}h\d{2}\.tar\.gz$')
_INFO = re.compile(r'^plugins/([A-Za-z0-9_-]{1,64})/plugin_info/info\.(?:json|xml)$')
_CHUNK = 64 << 10
# What threads hand to each other: small enough for boxes and controllers with little memory, large enough that the handing costs nothing.
_PIECE = 128 << 10
VOLATILE = ('cache', 'event', 'queue', 'message', 'history', 'historyArch', 'timeline', 'cron', 'dataStore')
# No Jeedom has a million files; an archive that says so is none of ours.
MAX_MEMBERS = 1000000
MAX_PLUGINS = 10000
# Headers that tarfile reads whole into memory, each by recursion into the next: long names (GNU), attributes (pax).
_IN_MEMORY = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_MAX_HEADER = 1 << 20
_MAX_CHAIN = 8


class Broken(Exception):
    """The archive cannot be read to its end; str() says why."""


class _Member(tarfile.TarInfo):
    """A member whose headers cannot be made to fill the memory: tarfile itself believes every size it is told."""

    def _proc_member(self, tar):  # pylint: disable=arguments-renamed
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise Broken('the member %r is a sparse file, which the tar of Jeedom never makes' % self.name[:100])
        if self.type not in _IN_MEMORY:
            tar.chained = 0
            return tarfile.TarInfo._proc_member(self, tar)
        if self.size > _MAX_HEADER:
            raise Broken('a header of a member claims %d bytes, and %d are the most there can be' % (self.size, _MAX_HEADER))
        tar.chained = getattr(tar, 'chained', 0) + 1
        tar.lasting = getattr(tar, 'lasting', 0) + (self.type == tarfile.XGLTYPE)
        if max(tar.chained, tar.lasting) > _MAX_CHAIN:
            raise Broken('more than %d headers belong to one member, or to all' % _MAX_CHAIN)
        return tarfile.TarInfo._proc_member(self, tar)

    def _refuse_sparse(self, *_arguments):
        raise Broken('a member is a sparse file, which the tar of Jeedom never makes')

    # the ways in which pax headers tell it
    _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse_sparse


class HashingReader:
    """A raw stream that is hashed while somebody reads it."""

    def __init__(self, raw):
        self.raw = raw
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size=-1):
        """Next bytes."""
        data = self.raw.read(size)
        self.digest.update(data)
        self.size += len(data)
        return data


class _Gunzip:
    """Decompress a stream of gzip members; unlike the gzip module it never seeks, and says what is wrong."""

    def __init__(self, source):
        # one that reads ahead, or any stream
        self.more = getattr(source, 'some', None) or (lambda: source.read(_PIECE))
        self.engine = zlib.decompressobj(31)
        self.pending = b''
        self.ended = False
        self.started = False

    def read(self, size):
        """Up to size bytes, b'' at the end."""
        parts, missing = [], size
        while missing > 0 and not self.ended:
            if not self.pending:
                self.pending = self.more()
                if not self.pending:
                    if self.engine is not None and not self._at_end():
                        raise Broken('it is cut: the gzip stream has no end' if self.started else 'it is empty')
                    self.ended = True
                    break
            if self.engine is None:
                if not self.pending.strip(b'\0'):
                    # padding behind the last member is harmless
                    self.pending = b''
                    continue
                self.engine = zlib.decompressobj(31)
            self.started = True
            try:
                data = self.engine.decompress(self.pending, missing)
            except zlib.error as error:
                raise Broken('it is damaged: %s' % error)
            self.pending = self.engine.unconsumed_tail
            # Python 2 only tells the end by what it leaves unused, and leaves the same unconsumed when as much as was asked for has come.
            if getattr(self.engine, 'eof', None) or self.engine.unused_data:
                self.pending = self.engine.unused_data
                self.engine = None
            parts.append(data)
            missing -= len(data)
        return b''.join(parts)

    def _at_end(self):
        # Python 2 does not say whether a stream has ended; what comes behind an ended one is left unused.
        if hasattr(self.engine, 'eof') or not self.started:
            return False
        try:
            self.engine.decompress(b'?')
        except zlib.error:
            return False
        return bool(self.engine.unused_data)


class _Ahead(threading.Thread):
    """Reads a stream a few pieces ahead: hashing and inflating need no interpreter, so two cores share the work with who reads here.

    For tarfile it can seek, forward only.
    """

    DEPTH = 4

    def __init__(self, source):
        super(_Ahead, self).__init__()
        self.daemon = True
        self.source = source
        self.turn = threading.Condition()
        self.pieces, self.over, self.error = [], False, None
        # at: in the rest; past: the bytes of all pieces before it
        self.rest, self.at, self.past = b'', 0, 0
        self.start()

    def run(self):
        try:
            while True:
                data = self.source.read(_PIECE)
                with self.turn:
                    while len(self.pieces) >= self.DEPTH and not self.over:
                        self.turn.wait()
                    if self.over or not data:
                        break
                    self.pieces.append(data)
                    self.turn.notify_all()
        except BaseException as error:  # pylint: disable=broad-except
            # whatever it is, it belongs to who reads
            self.error = error
        with self.turn:
            self.over = True
            self.turn.notify_all()

    def _next(self):
        with self.turn:
            while not self.pieces and not self.over:
                self.turn.wait()
            self.past += len(self.rest)
            self.rest, self.at = self.pieces.pop(0) if self.pieces else b'', 0
            self.turn.notify_all()
        if not self.rest and self.error is not None:
            raise self.error
        return bool(self.rest)

    def some(self):
        """The next bytes as they are at hand, b'' at the end; raises what the source has raised, when it comes to that."""
        if self.at >= len(self.rest) and not self._next():
            return b''
        data, self.at = self.rest[self.at:] if self.at else self.rest, len(self.rest)
        return data

    def read(self, size):
        """So many bytes, fewer at the end only."""
        parts = []
        while size > 0 and (self.at < len(self.rest) or self._next()):
            data = self.rest[self.at:self.at + size]
            self.at += len(data)
            size -= len(data)
            parts.append(data)
        return parts[0] if len(parts) == 1 else b''.join(parts)

    def tell(self):
        """How many bytes were read or skipped."""
        return self.past + self.at

    def seek(self, position):
        """Skip what is between."""
        if position < self.tell():
            raise Broken('its members do not follow each other')
        while position > self.past + len(self.rest):
            if not self._next():
                return
        self.at = position - self.past

    def end(self):
        """Read no further."""
        with self.turn:
            self.over, self.pieces = True, []
            self.turn.notify_all()
        self.join()


def _clean(name):
    # Python 2 gives bytes
    name = name.decode('utf-8', 'replace') if isinstance(name, bytes) else name
    while name.startswith('./'):
        name = name[2:]
    return name


def _unsafe(member):
    """Why a member must never be extracted, or None."""
    name = member.name
    if name.startswith('/') or '..' in name.split('/'):
        return 'the member %r leads out of the tree' % name[:100]
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return 'the member %r is a device or worse' % name[:100]
    return None


def prove(raw, on_progress=None, on_name=None):
    """Read an archive to its end and tell all that it says of itself.

    raw: a stream of the compressed bytes with read(). on_progress: called with compressed bytes so far. on_name: called
    with each member's name and size. Returns {proved, problems, sha256, size, members, names_digest, core_version, plugins,
    dump: {present, complete, tables, size}}; problems are sentences, and proved is their absence.
    """
    reader = HashingReader(raw)
    found = dict(schema=SCHEMA, problems=[], members=0, core_version=None, plugins=set(),
                 dump=dict(present=False, complete=False, tables={}, size=0))
    names = hashlib.sha256()
    packed = _Ahead(reader)
    stream = _Ahead(_Gunzip(packed))
    try:
        # not as a stream: tarfile would copy every byte several times, also of what nobody looks at
        with tarfile.open(fileobj=stream, mode='r:', tarinfo=_Member) as tar:
            for member in tar:
                # tarfile remembers every member otherwise
                tar.members = []
                name = _clean(member.name)
                found['members'] += 1
                names.update((u'%s\0%d\n' % (name, member.size if member.isfile() else -1)).encode('utf-8', 'replace'))
                bad = _unsafe(member)
                if bad and len(found['problems']) < 20:
                    found['problems'].append(bad)
                if found['members'] > MAX_MEMBERS:
                    raise Broken('it claims more than %d members' % MAX_MEMBERS)
                if on_name:
                    on_name(name, member)
                _look_at(tar, member, name, found)
                if on_progress:
                    on_progress(reader.size)
        # the rest of the stream belongs to the proof as well: checksum and length of gzip stand at its end
        while stream.some():
            pass
    except (Broken, tarfile.TarError, EOFError, ValueError) as error:
        # ValueError: numbers and names in headers that are none
        found['problems'].append('the archive cannot be read to its end: %s' % error)
    finally:
        # both, since what is left is read here, and two who read spoil the hash
        stream.end()
        packed.end()
    while reader.read(_CHUNK):
        pass
    _judge(found)
    found.update(sha256=reader.digest.hexdigest(), size=reader.size, names_digest=names.hexdigest(),
                 plugins=sorted(found['plugins']))
    found['proved'] = not found['problems']
    return found


def _look_at(tar, member, name, found):
    if name == DUMP and member.isfile():
        scanner, handle = DumpScanner(), tar.extractfile(member)
        for chunk in iter(lambda: handle.read(_CHUNK), b''):
            scanner.feed(chunk)
        scanner.close()
        found['dump'] = dict(present=True, complete=scanner.complete, tables=scanner.tables, size=scanner.size)
        if scanner.problem:
            found['problems'].append(scanner.problem)
    elif name == VERSION and member.isfile():
        found['core_version'] = tar.extractfile(member).read(100).decode('utf-8', 'replace').strip() or None
    else:
        info = _INFO.match(name)
        if info and len(found['plugins']) < MAX_PLUGINS:
            found['plugins'].add(info.group(1))


def _judge(found):
    if not found['dump']['present']:
        found['problems'].append('it holds no %s' % DUMP)
    if not found['core_version']:
        found['problems'].append('it holds no %s' % VERSION)


def compare(found, tables_before, tables_after, plugins):
    """What an archive lacks of the box it was made on: a list of sentences.

    tables_before, tables_after: live row counts around the backup; the dump must lie between, since the engine goes on
    writing meanwhile. plugins: folders of plugins on the box.
    """
    problems = []
    rows = found['dump']['tables']
    missing = sorted(set(tables_before) - set(rows))
    if missing:
        problems.append('the dump lacks the tables %s' % ', '.join(missing[:10]))
    for table in sorted(set(rows) & set(tables_before) & set(tables_after)):
        low, high = sorted((tables_before[table], tables_after[table]))
        # these shrink and grow while the engine runs
        slack = 50 + high // 20 if table in VOLATILE else 0
        if not low - slack <= rows[table] <= high + slack:
            problems.append('table %s has %d rows in the dump and %d to %d on the box' % (table, rows[table], low, high))
    lost = sorted(set(plugins) - set(found['plugins']))
    if lost:
        problems.append('the archive lacks the plugins %s' % ', '.join(lost[:10]))
    return problems
