# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a file from a box to the controller over the connection that Ansible has: hashed, resumable, never whole in memory.

ansible.builtin.fetch with become takes about eight times the file in memory (1.7 GB for 200 MB); this takes a buffer.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import fcntl
import hashlib
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, forms

CHUNK = 1 << 20
# Blocks of the way that works over any connection: base64 through the ordinary command path.
BLOCK = 4 << 20
# No byte for so long: the link is dead even if nobody says so.
STALL = 120.0


class TransferError(Exception):
    """The file did not arrive; str() is the sentence for people, code the one for machines."""

    def __init__(self, message: str, code: str):
        super().__init__(message)
        self.code = code


class Source:
    """A file on a box, read from an offset. identity(): size, mtime, inode; open(): a stream with read() and close()."""

    def __init__(self, action: Any, path: str):
        self.action = action
        self.path = path

    def identity(self) -> list[int]:
        """[size, mtime, inode]; raises TransferError when there is no such file."""
        answer = self.action.shell(f'stat -Lc "%s %Y %i" -- {shlex.quote(self.path)}')
        words = (answer.get('stdout') or '').split()
        if answer.get('rc') or len(words) < 3:
            raise TransferError(f'{self.path} is not on {self.action.host}: make a backup first.', 'no_such_file')
        return [int(word) for word in words[-3:]]

    def open(self, offset: int) -> Any:
        """The bytes from offset on."""
        connection = self.action._connection
        # tail copies in pieces of 8 KiB, which a small board feels
        command = f'tail -c +{offset + 1} -- {shlex.quote(self.path)}' if offset else f'cat -- {shlex.quote(self.path)}'
        become = connection.become
        needs_password = bool(become and become.get_option('become_pass', playcontext=self.action._play_context))
        if connection.transport in ('ssh', 'ansible.builtin.ssh') and not needs_password and hasattr(connection, '_build_command') and self._gets_in():
            return _SshStream(connection, command)
        return _BlockStream(self.action, self.path, offset)

    def _gets_in(self) -> bool:
        """Whether an ssh of our own gets in: a password is asked for by Ansible's only, unless there is its shared connection to go through."""
        connection = self.action._connection
        if not (connection.get_option('password') or getattr(self.action._play_context, 'password', None)):
            return True
        check = connection._build_command(connection.get_option('ssh_executable'), 'ssh', '-O', 'check', _host(connection))
        return subprocess.run(check, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _host(connection: Any) -> str:
    return getattr(connection, 'host', None) or connection._play_context.remote_addr


class _SshStream:
    """ssh's own standard output, with the options and the shared connection of Ansible's ssh plugin."""

    def __init__(self, connection: Any, command: str):
        marker = b''
        if connection.become:
            command = connection.become.build_become_command(command, connection._shell)
            marker = connection.become.success.encode()
        argv = connection._build_command(connection.get_option('ssh_executable'), 'ssh', _host(connection), command)
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        self.out, self.err = cast(IO[bytes], self.process.stdout), cast(IO[bytes], self.process.stderr)
        with contextlib.suppress(OSError, AttributeError):
            # ssh goes on while we hash and write, at 64 KiB the two wait for each other; only Linux can have more
            fcntl.fcntl(self.out, fcntl.F_SETPIPE_SZ, CHUNK)
        self.words: list[bytes] = []
        self.last = time.monotonic()
        self.done = threading.Event()
        self.drain = threading.Thread(target=self._drain, daemon=True)
        self.drain.start()
        threading.Thread(target=self._watch, daemon=True).start()
        # become says when it is through; these bytes are not the file's
        if marker:
            seen = b''
            while marker not in seen:
                byte = self.out.read(1)
                if not byte or len(seen) > 10000:
                    self._fail()
                seen += byte
            while self.out.read(1) not in (b'\n', b''):
                pass

    def _drain(self) -> None:
        for line in self.err:
            self.words = [*self.words[-20:], line]

    def _watch(self) -> None:
        while not self.done.wait(5):
            if time.monotonic() - self.last > STALL:
                self.process.kill()
                return

    def _fail(self) -> None:
        self.close()
        # its last words may still be on their way; a connection that lives on (ControlPersist) may hold that end open
        self.drain.join(timeout=3)
        words = b''.join(self.words).decode('utf-8', 'replace').strip().splitlines()
        raise AnsibleConnectionFailure(words[-1] if words else 'the connection closed')

    def read(self, size: int) -> bytes:
        """Up to size bytes; b'' at the end. Raises AnsibleConnectionFailure when the end is not that of the file."""
        data = self.out.read(size)
        self.last = time.monotonic()
        if not data:
            try:
                code = self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                code = 1
            if code:
                self._fail()
        return data

    def close(self) -> None:
        """Let go, at the end or before."""
        self.done.set()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self.out.close()


class _BlockStream:
    """Block by block through the ordinary command path: slower, for any connection and any become method."""

    def __init__(self, action: Any, path: str, offset: int):
        self.action, self.path, self.offset, self.buffer = action, path, offset, b''

    def read(self, size: int) -> bytes:
        """Up to size bytes; b'' at the end."""
        if not self.buffer:
            answer = self.action.shell(f'test -r {shlex.quote(self.path)} && tail -c +{self.offset + 1} -- {shlex.quote(self.path)} | head -c {BLOCK} '
                                       '| base64 -w0 && echo')
            if answer.get('rc'):
                words = (answer.get('stderr') or '').strip().splitlines()
                raise AnsibleConnectionFailure(words[-1] if words else f'{self.path} cannot be read')
            self.buffer = base64.b64decode((answer.get('stdout') or '').split('\n')[0].strip())
            self.offset += len(self.buffer)
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def close(self) -> None:
        """Nothing is held."""


class Download:
    """One file on its way: C(<target>.part) until it is whole and proved, then the target by rename."""

    def __init__(self, source: Source, target: Path, rate: float | None = None, progress: Callable[[int, int, float], None] | None = None,
                 sink: Callable[[Path], Any] = forms.PlainSink):
        # rate: bytes a second at most; progress: called with bytes done, bytes in all, bytes a second over the link so far
        # sink: makes what the bytes are written to, given the .part (forms.py)
        self.source, self.target, self.sink = source, Path(target), sink
        self.part = self.target.with_name(self.target.name + '.part')
        self.note = self.target.with_name(self.target.name + '.part.json')
        self.rate, self.progress = rate if rate and rate > 0 else None, progress or (lambda done, size, speed: None)
        self.resumed = 0

    def fetch(self, size: int, sha256: str, consume: Callable[[Any], dict] | None = None) -> dict:
        """Bring the file here and return {sha256, size, resumed, seconds, stored} and what consume said of it.

        size, sha256: as the box has proved them. consume: reads a stream to its end and returns a dict (archive.prove), so
        that the copy is proved on its way, without a second read; by default only the hash is taken.
        Raises TransferError; AnsibleConnectionFailure leaves the .part for the next try.
        """
        identity = self.source.identity()
        if identity[0] != size:
            raise TransferError(f'{self.source.path} on {self.source.action.host} has {identity[0]} bytes and its proof says {size}: it was '
                                'replaced; make a new backup.', 'file_changed')
        self._make_room(size)
        known = artifacts.read_json(self.note, {})
        if known.get('identity') != identity or known.get('sha256') != sha256:
            self.part.unlink(missing_ok=True)
        artifacts.write_json(self.note, {'identity': identity, 'sha256': sha256})
        begin = time.monotonic()
        result = self._run(size, consume)
        if self.source.identity() != identity:
            self._forget()
            raise TransferError(f'{self.source.path} on {self.source.action.host} changed while it was read: run again.', 'file_changed')
        if result['size'] != size or result['sha256'] != sha256:
            self._forget()
            raise TransferError(f'The copy of {self.target.name} from {self.source.action.host} has sha256 {result["sha256"][:12]}... and {result["size"]} '
                                f'bytes, its proof says {sha256[:12]}... and {size}: the copy was thrown away; run again.', 'hash_differs')
        if not result.get('proved', True):
            self._forget()
            raise TransferError(f'The copy of {self.target.name} does not read to its end: {"; ".join(result["problems"][:2])}.', 'copy_not_proved')
        os.replace(self.part, self.target)
        _sync(self.target.parent)
        self.note.unlink(missing_ok=True)
        return dict(result, resumed=self.resumed, seconds=round(time.monotonic() - begin, 2))

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _make_room(self, size: int) -> None:
        artifacts.make_dir(self.target.parent)
        there = self.part.stat().st_size if self.part.exists() else 0
        stat = os.statvfs(self.target.parent)
        free = stat.f_bavail * stat.f_frsize
        if free < size - there + (16 << 20):
            raise TransferError(f'{self.target.name} needs {(size - there) >> 20} MB and {free >> 20} MB are free in {self.target.parent} on the controller: '
                                'make room, or set jeedom_artifacts to a larger disk.', 'controller_full')

    def _run(self, size: int, consume: Callable[[Any], dict] | None) -> dict:
        local = None
        try:
            local = self.sink(self.part)
            stream = _Tee(self, local, size)
            try:
                result = (consume or digest)(stream)
                # whoever consumes may have stopped early
                while stream.read(CHUNK):
                    pass
            finally:
                stream.close()
            result = dict(result, stored=local.finish())
        except OSError as error:
            if isinstance(error, AnsibleConnectionFailure):
                raise
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise TransferError(f'{self.part} cannot be written on the controller: {error.strerror}; make room, or set jeedom_artifacts to a '
                                    'larger disk.', 'controller_full') from error
            raise TransferError(f'{self.target.name} cannot be brought to the controller: {error.strerror or error}; look at {self.part.parent} there.',
                                'controller_failed') from error
        finally:
            if local is not None:
                local.close()
        return result


class _Tee:
    """What is here already, then what comes from the box, which is written down on its way."""

    def __init__(self, download: Download, local: Any, size: int):
        # here: how far an earlier try had come
        self.download, self.local, self.size, self.here = download, local, size, 0
        if local.here > size:
            local.restart()
        # under a limit what comes at once must not be more than the limit of half a second
        self.chunk = min(CHUNK, max(1, int(download.rate / 2))) if download.rate else CHUNK
        self.done = 0
        self.remote: Any = None
        self.begin = time.monotonic()

    def read(self, wanted: int) -> bytes:
        """Up to so many bytes of the file, from its beginning on."""
        if self.remote is None and self.done < self.local.here:
            data = self.local.read(min(wanted, self.local.here - self.done))
            self.done += len(data)
            if data:
                return data
        if self.done >= self.size:
            self.download.resumed = self.here = self.here if self.remote is not None else self.done
            return b''
        if self.remote is None:
            self.download.resumed = self.here = self.done
            self.begin = time.monotonic()
            self.remote = self.download.source.open(self.done)
        data = self.remote.read(min(wanted, self.chunk))
        if not data:
            raise AnsibleConnectionFailure(f'the stream ended after {self.done} of {self.size} bytes')
        if self.done + len(data) > self.size:
            data = data[:self.size - self.done]
        self.local.write(data)
        self.done += len(data)
        self._pace()
        self.download.progress(self.done, self.size, (self.done - self.here) / max(1e-3, time.monotonic() - self.begin))
        return data

    def _pace(self) -> None:
        if self.download.rate:
            ahead = (self.done - self.here) / self.download.rate - (time.monotonic() - self.begin)
            if ahead > 0:
                time.sleep(ahead)

    def close(self) -> None:
        """Let go of the box's end."""
        if self.remote is not None:
            self.remote.close()


def digest(stream: Any) -> dict:
    """{sha256, size} of a stream."""
    total, size = hashlib.sha256(), 0
    for data in iter(lambda: stream.read(CHUNK), b''):
        total.update(data)
        size += len(data)
    return {'sha256': total.hexdigest(), 'size': size}


def hash_file(path: Path) -> str:
    """sha256 of a file on the controller."""
    with open(path, 'rb') as stream:
        return digest(stream)['sha256']


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
