# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which form a copy stands in the store: plain, sealed with a key of ours, or as a command of the operator made it.

A form gives a sink for the bytes of a download (they reach the disk in this form and in no other), and a stream to read
them back. Manifests name the form under C(stored); without that a copy is plain.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any, cast

from ansible_collections.jeedom.fleet.plugins.plugin_utils import sealing

CHUNK = 1 << 20
# So much is brought to the disk at a time while more is coming: all of it at the end would keep the operator waiting for the disk.
_BESIDE = 64 << 20
_SUFFIX = re.compile(r'^\.[A-Za-z0-9]{1,16}\Z')


class FormError(Exception):
    """A copy cannot be written or read in its form; str() is the sentence for people, code the one for machines."""

    def __init__(self, message: str, code: str):
        super().__init__(message)
        self.code = code


def _digest(stream: Any) -> tuple[str, int]:
    """(sha256, size) of a stream."""
    digest, size = hashlib.sha256(), 0
    for data in iter(lambda: stream.read(CHUNK), b''):
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size


class PlainSink:
    """The bytes as they come. here: how many an earlier try has left, which read() gives first."""

    def __init__(self, part: Path):
        self.file = open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), 'r+b', buffering=0)
        self.here = os.fstat(self.file.fileno()).st_size
        self.beside = concurrent.futures.ThreadPoolExecutor(1)
        self.syncing: concurrent.futures.Future[None] | None = None
        self.dirty = 0

    def restart(self) -> None:
        """Forget what is here."""
        os.ftruncate(self.file.fileno(), 0)
        self.file.seek(0)
        self.here = 0

    def read(self, size: int) -> bytes:
        """Up to size bytes of what is here; b'' when that is over."""
        return self.file.read(size)

    def write(self, data: bytes) -> None:
        """The next bytes of the download."""
        view = memoryview(data)
        while view:
            view = view[self.file.write(view):]
        self._to_disk(len(data))

    def _to_disk(self, size: int) -> None:
        self.dirty += size
        if self.dirty >= _BESIDE and (self.syncing is None or self.syncing.done()):
            self._synced()
            self.syncing, self.dirty = self.beside.submit(getattr(os, 'fdatasync', os.fsync), self.file.fileno()), 0

    def _synced(self) -> None:
        # The kernel tells an error of the disk once, to whoever asks first.
        if self.syncing is not None:
            self.syncing.result()

    def finish(self) -> dict | None:
        """All has come: bring it to the disk. Returns what the manifest says under C(stored), None for the bytes themselves."""
        self._synced()
        os.fsync(self.file.fileno())
        return None

    def close(self) -> None:
        """Let go, at the end or before."""
        self.beside.shutdown()
        self.file.close()


class SealedSink(PlainSink):
    """Sealed frames. An earlier try goes on behind its last whole frame, each of which is opened again on the way."""

    def __init__(self, part: Path, keys: list[bytes]):
        super().__init__(part)
        self.keys = keys
        self.pending = b''
        try:
            header = self.file.read(sealing.HEADER)
            self.frames = sealing.frames_for(header, keys[:1], part.name)
            self.hasher = hashlib.sha256(header)
            self.index, self.whole = 0, (self.here - sealing.HEADER) // sealing.FRAME
            self.here = self.whole * sealing.PLAIN
            self.writer: sealing.Writer | None = None
        except sealing.SealError as error:
            if error.code == 'no_cryptography':
                self.close()
                raise
            self.restart()

    def restart(self) -> None:
        super().restart()
        header = sealing.new_header(self.keys[0])
        self.frames = sealing.frames_for(header, self.keys, 'a new file')
        self.pending, self.index, self.whole = b'', 0, 0
        self.writer = sealing.Writer(self.file, self.frames, 0, hashlib.sha256())
        self.hasher = self.writer.hasher
        self.writer.put_raw(header)

    def read(self, size: int) -> bytes:
        if not self.pending and self.index < self.whole:
            frame = self._frame()
            plain = self.frames.open(self.index, False, frame)
            if plain is None:
                # the last frame of all, or damaged: from here on it comes from the box again
                self.whole = self.index
            else:
                self.hasher.update(frame)
                self.index += 1
                self.pending = plain
        data, self.pending = self.pending[:size], self.pending[size:]
        return data

    def _frame(self) -> bytes:
        parts = bytearray()
        while len(parts) < sealing.FRAME:
            data = self.file.read(sealing.FRAME - len(parts))
            if not data:
                break
            parts += data
        return bytes(parts)

    def _continue(self) -> sealing.Writer:
        if self.writer is None:
            end = sealing.HEADER + self.index * sealing.FRAME
            os.ftruncate(self.file.fileno(), end)
            self.file.seek(end)
            self.writer = sealing.Writer(self.file, self.frames, self.index, self.hasher)
        return self.writer

    def write(self, data: bytes) -> None:
        self._continue().write(data)
        self._to_disk(len(data))

    def finish(self) -> dict | None:
        self._continue().finish()
        super().finish()
        return {'form': 'sealed', 'sha256': self.hasher.hexdigest(), 'size': os.fstat(self.file.fileno()).st_size,
                'key_id': self.frames.header[-8:].hex()}


class CommandSink:
    """What a command of the operator makes of its standard input (age, gpg). A cut download starts over: nobody here can read it."""

    def __init__(self, part: Path, argv: list[str]):
        self.part, self.argv, self.here = part, argv, 0
        self.words = tempfile.TemporaryFile()
        self.file = open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), 'r+b', buffering=0)
        try:
            self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=self.file, stderr=self.words, bufsize=0)
            self.stdin = cast(IO[bytes], self.process.stdin)
        except OSError as error:
            self.file.close()
            raise FormError(f'The command {argv[0]} of jeedom_archive_command cannot be run on the controller: {error.strerror}. Install it, or '
                            'correct the variable.', 'command_failed') from error

    def restart(self) -> None:
        """Nothing is here, ever."""

    def read(self, size: int) -> bytes:
        """Nothing is here, ever."""
        return b''

    def write(self, data: bytes) -> None:
        """The next bytes of the download."""
        try:
            view = memoryview(data)
            while view:
                view = view[self.stdin.write(view):]
        except BrokenPipeError:
            self._failed(self.process.wait())

    def finish(self) -> dict:
        """The command has to end well; what it wrote is hashed."""
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        code = self.process.wait()
        if code:
            self._failed(code)
        os.fsync(self.file.fileno())
        self.file.seek(0)
        sha256, size = _digest(self.file)
        return {'form': 'command', 'command': os.path.basename(self.argv[0]), 'sha256': sha256, 'size': size}

    def _failed(self, code: int) -> None:
        raise _command_failed(self.argv, code, self.words, 'jeedom_archive_command')

    def close(self) -> None:
        """Let go, at the end or before."""
        with contextlib.suppress(OSError):
            self.stdin.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.file.close()
        self.words.close()


def _command_failed(argv: list[str], code: int, words: Any, variable: str) -> FormError:
    words.seek(0)
    said = words.read(4000).decode('utf-8', 'replace').strip().splitlines()
    return FormError(f'The command {argv[0]} of {variable} ended with code {code}: {said[-1] if said else "no message"}. Run it by hand, and '
                     'correct the variable.', 'command_failed')


class CommandReader:
    """What a command of the operator gives back of a copy. read() and seek(); seeking back starts the command again."""

    def __init__(self, path: Path, argv: list[str]):
        self.path, self.argv, self.at = Path(path), argv, 0
        self.process: Any = None
        self.words: Any = None

    def __enter__(self) -> CommandReader:
        return self

    def __exit__(self, *_what: object) -> None:
        self.close()

    def _start(self) -> None:
        self.words = tempfile.TemporaryFile()
        with self.path.open('rb') as source:
            try:
                self.process = subprocess.Popen(self.argv, stdin=source, stdout=subprocess.PIPE, stderr=self.words)
            except OSError as error:
                raise FormError(f'The command {self.argv[0]} of jeedom_archive_open_command cannot be run on the controller: {error.strerror}. '
                                'Install it, or correct the variable.', 'command_failed') from error
        self.at = 0

    def read(self, size: int = CHUNK) -> bytes:
        """Up to size bytes, b'' only when the command has ended well."""
        if self.process is None:
            self._start()
        data = self.process.stdout.read(size)
        self.at += len(data)
        if not data:
            code = self.process.wait()
            if code:
                raise _command_failed(self.argv, code, self.words, 'jeedom_archive_open_command')
        return data

    def seek(self, offset: int) -> None:
        """Go on from this byte."""
        if self.process is None or offset < self.at:
            self.close()
            self._start()
        while self.at < offset and self.read(min(CHUNK, offset - self.at)):
            pass

    def close(self) -> None:
        """Let go, at the end or before."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.kill()
            self.process.stdout.close()
            self.process.wait()
            self.words.close()
            self.process = None


class Forms:
    """How copies are written, and with what those that are there are read.

    keys: the first one seals. command, open_command, suffix: of the operator. With neither copies are plain.
    """

    def __init__(self, keys: list[bytes] | None = None, command: list[str] | None = None, open_command: list[str] | None = None, suffix: str = '.enc'):
        self.keys, self.command, self.open_command, self.suffix = keys or [], command or [], open_command or [], suffix
        if self.keys and self.command:
            raise FormError('Both a key and jeedom_archive_command are set, so it is open how archives are to be encrypted: unset one.', 'bad_settings')
        if self.command and (not _SUFFIX.match(suffix) or suffix in ('.part', '.json', '.deleting', '.gz', sealing.SUFFIX)):
            raise FormError(f'jeedom_archive_suffix cannot be {suffix!r}: a dot and up to 16 letters or digits, for example .age.', 'bad_settings')

    @property
    def name(self) -> str:
        """plain, sealed or command."""
        return 'sealed' if self.keys else 'command' if self.command else 'plain'

    def path(self, plain: Path) -> Path:
        """Where a copy stands, by the path that it would have as plain."""
        return plain.with_name(plain.name + {'plain': '', 'sealed': sealing.SUFFIX, 'command': self.suffix}[self.name])

    def sink(self, part: Path) -> Any:
        """Where a download writes to."""
        if self.keys:
            return SealedSink(part, self.keys)
        return CommandSink(part, self.command) if self.command else PlainSink(part)

    def present(self, path: Path, size: int, sha256: str) -> dict | None:
        """{stored} as a download gives it, when these very bytes are there already in the form that is wanted; else None."""
        if not path.is_file() or self.name == 'command':
            return None
        try:
            with self.open(path, self.name) as stream:
                found = _digest(stream)
        except (sealing.SealError, OSError):
            return None
        if found != (sha256, size):
            return None
        if self.name == 'plain':
            return {'stored': None}
        with path.open('rb') as raw:
            header = raw.read(sealing.HEADER)
            raw.seek(0)
            stored, length = _digest(raw)
        return {'stored': {'form': 'sealed', 'sha256': stored, 'size': length, 'key_id': header[-8:].hex()}}

    def open(self, path: Path, form: str) -> Any:
        """The plaintext of a copy as a stream with read(), seek() and close(), also as a context manager."""
        if form == 'sealed':
            return sealing.Reader(path, self.keys)
        if form == 'command':
            if not self.open_command:
                raise FormError(f'{path.name} was encrypted by a command: set jeedom_archive_open_command to the one that decrypts it.', 'no_open_command')
            return CommandReader(path, self.open_command)
        return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), 'rb')


def from_variables(task_vars: dict, templar: Any = None) -> Forms:
    """The forms that the variables of a task ask for.

    jeedom_archive_key, jeedom_archive_key_file, the environment (in this order); jeedom_archive_command,
    jeedom_archive_open_command, jeedom_archive_suffix. Raises FormError and sealing.SealError.
    """
    def setting(name: str, default: Any) -> Any:
        # templated whatever it is: a vaulted string is no str everywhere
        value = task_vars.get(name)
        return default if value is None else templar.template(value) if templar is not None else value

    command, opener = setting('jeedom_archive_command', None), setting('jeedom_archive_open_command', None)
    for name, value in (('jeedom_archive_command', command), ('jeedom_archive_open_command', opener)):
        if value and (not isinstance(value, (list, tuple)) or not all(isinstance(word, str) for word in value)):
            raise FormError(f'{name} has to be a list of words, for example ["age", "-r", "age1..."]: no shell takes part.', 'bad_settings')
    key, path = setting('jeedom_archive_key', None), setting('jeedom_archive_key_file', None)
    keys = sealing.parse_keys(str(key), 'jeedom_archive_key') if key else sealing.read_key_file(str(path)) if path else []
    if not keys and not command:
        keys = sealing.keys_of_environment()
    return Forms(keys, [str(word) for word in command or ()], [str(word) for word in opener or ()], str(setting('jeedom_archive_suffix', '.enc') or '.enc'))
