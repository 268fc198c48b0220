# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed files: AES-256-GCM in frames, so that an archive is encrypted on its way and read again in constant memory.

This file stands alone on purpose: with Python 3.10+ and cryptography it opens a sealed archive on any machine, without
Ansible and without the rest of the collection (python3 sealing.py --help).

A file: header (magic, 16 bytes of file id, 8 bytes of key id), then frames of 1 MiB plaintext, the last one shorter (or
empty). A frame: 12 bytes of random nonce, ciphertext, 16 bytes of tag; bound to the header, its position and whether it is
the last one. The key of a file is derived from the key and the file id (HKDF-SHA256). So frames that are cut off, swapped,
repeated, taken from another file or added behind the end are refused, and so is another key, by name.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b'JFSEAL1\n'
HEADER = len(MAGIC) + 16 + 8
PLAIN = 1 << 20
OVERHEAD = 12 + 16
FRAME = PLAIN + OVERHEAD
SUFFIX = '.sealed'
KEY_VARIABLE, KEY_FILE_VARIABLE = 'JEEDOM_FLEET_ARCHIVE_KEY', 'JEEDOM_FLEET_ARCHIVE_KEY_FILE'
_HEX = re.compile(r'^[0-9a-fA-F]{64}$')


class SealError(Exception):
    """A file cannot be sealed or opened; str() is the sentence for people, code the one for machines."""

    def __init__(self, message: str, code: str):
        super().__init__(message)
        self.code = code


def _library() -> tuple[Any, Any, Any, Any]:
    """(AESGCM, HKDF, SHA256, InvalidTag) of cryptography, which is needed only where something is sealed."""
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ImportError as error:
        raise SealError(f'Sealed archives need the Python library cryptography, which {sys.executable} does not have: install it there '
                        '(pip install cryptography), or do without encryption.', 'no_cryptography') from error
    return AESGCM, HKDF, SHA256, InvalidTag


def _derive(key: bytes, salt: bytes, purpose: bytes, length: int) -> bytes:
    _aes, hkdf, sha256, _invalid = _library()
    return hkdf(algorithm=sha256(), length=length, salt=salt, info=b'jeedom.fleet ' + purpose).derive(key)


def key_id(key: bytes) -> bytes:
    """8 bytes that name a key without telling anything of it."""
    return _derive(key, b'', b'key id', 8)


def new_key() -> str:
    """A fresh key as text."""
    return base64.b64encode(os.urandom(32)).decode('ascii')


def parse_keys(text: str, where: str) -> list[bytes]:
    """The keys in a text, one per line: 32 bytes each, base64 or hex. The first one seals, all of them open.

    where: what to call the text in an error; the text itself is never shown.
    """
    keys = []
    for line in text.splitlines():
        word = line.strip()
        if not word or word.startswith('#'):
            continue
        try:
            key = bytes.fromhex(word) if _HEX.match(word) else base64.b64decode(word, validate=True)
        except (ValueError, binascii.Error):
            key = b''
        if len(key) != 32:
            raise SealError(f'{where} holds no key: needed are 32 random bytes as base64 or hex, one key per line; make one with '
                            '"openssl rand -base64 32".', 'bad_key')
        keys.append(key)
    if not keys:
        raise SealError(f'{where} is empty and should hold a key: make one with "openssl rand -base64 32".', 'bad_key')
    return keys


def read_key_file(path: str | os.PathLike) -> list[bytes]:
    """The keys in a file; refused when everybody can read it or its group can write it (systemd's credentials show a group that reads)."""
    try:
        with open(os.path.expanduser(path), encoding='ascii') as handle:
            if os.fstat(handle.fileno()).st_mode & 0o037:
                raise SealError(f'The key file {path} can be read by everybody, or changed by its group: chmod 600 it.', 'key_exposed')
            return parse_keys(handle.read(65536), f'The key file {path}')
    except UnicodeDecodeError as error:
        raise SealError(f'The key file {path} holds no key but other bytes: make one with "openssl rand -base64 32".', 'bad_key') from error
    except OSError as error:
        raise SealError(f'The key file {path} cannot be read: {error.strerror}. Check jeedom_archive_key_file.', 'no_key') from error


def keys_of_environment(environment: Mapping[str, str] | None = None) -> list[bytes]:
    """The keys that the environment (default: that of this process) names, or none."""
    environment = os.environ if environment is None else environment
    if environment.get(KEY_VARIABLE):
        return parse_keys(environment[KEY_VARIABLE], f'The environment variable {KEY_VARIABLE}')
    if environment.get(KEY_FILE_VARIABLE):
        return read_key_file(environment[KEY_FILE_VARIABLE])
    return []


class _Frames:
    """What sealing and opening have in common: the cipher of one file, and what a frame is bound to."""

    def __init__(self, header: bytes, key: bytes):
        aes, _hkdf, _sha256, self.invalid = _library()
        self.header = header
        self.cipher = aes(_derive(key, header[len(MAGIC):len(MAGIC) + 16], b'archive', 32))

    def _bound(self, index: int, final: bool) -> bytes:
        return self.header + index.to_bytes(8, 'big') + (b'\1' if final else b'\0')

    def seal(self, index: int, final: bool, plain: bytes) -> tuple[bytes, bytes]:
        # A nonce of its own for each frame, not a counter: a resumed download may seal a frame a second time.
        nonce = os.urandom(12)
        return nonce, self.cipher.encrypt(nonce, plain, self._bound(index, final))

    def open(self, index: int, final: bool, frame: bytes) -> bytes | None:
        """The plaintext, or None when the frame is not what it should be."""
        if len(frame) < OVERHEAD:
            return None
        try:
            return self.cipher.decrypt(frame[:12], frame[12:], self._bound(index, final))
        except self.invalid:
            return None


def new_header(key: bytes) -> bytes:
    """The header of a new file."""
    return MAGIC + os.urandom(16) + key_id(key)


def frames_for(header: bytes, keys: list[bytes], name: str) -> _Frames:
    """The cipher for a file that begins so. Raises SealError when it is no sealed file or none of the keys fits."""
    if len(header) < HEADER or header[:len(MAGIC)] != MAGIC:
        raise SealError(f'{name} is not a sealed file: its first bytes are others.', 'not_sealed')
    wanted = header[-8:]
    for key in keys:
        if key_id(key) == wanted:
            return _Frames(header, key)
    if not keys:
        raise SealError(f'{name} is sealed and no key is given: set jeedom_archive_key, jeedom_archive_key_file or {KEY_FILE_VARIABLE}.', 'no_key')
    have = ', '.join(key_id(key).hex() for key in keys)
    raise SealError(f'{name} was sealed with the key {wanted.hex()} and given is {have}: give that key.', 'wrong_key')


class Writer:
    """Seals what is written to it into a new or a continued file. finish() writes the last frame; without it the file stays refused.

    out: a raw file, positioned behind the whole frames that it has. index: how many these are.
    """

    def __init__(self, out: BinaryIO, frames: _Frames, index: int = 0, hasher: Any = None):
        self.out, self.frames, self.index = out, frames, index
        self.hasher = hasher if hasher is not None else hashlib.sha256()
        # pieces of the frame that is being filled, and their bytes
        self.parts: list[Any] = []
        self.held = 0

    def write(self, data: bytes) -> int:
        """Take plaintext; whole frames go out at once."""
        # a buffer that its owner fills again must not be kept
        view = memoryview(data if isinstance(data, bytes) else bytes(data))
        while view:
            # a full frame is kept back until more comes: it may be the last one
            if self.held == PLAIN:
                self._put(False)
            piece = view[:PLAIN - self.held]
            view = view[len(piece):]
            self.parts.append(piece)
            self.held += len(piece)
        return len(data)

    def finish(self) -> None:
        """No more comes."""
        self._put(True)

    def _put(self, final: bool) -> None:
        plain = self.parts[0] if len(self.parts) == 1 else b''.join(self.parts)
        for part in self.frames.seal(self.index, final, plain):
            self.put_raw(part)
        self.parts, self.held = [], 0
        self.index += 1

    def put_raw(self, data: bytes) -> None:
        """Write bytes as they are, and hash them."""
        self.hasher.update(data)
        view = memoryview(data)
        while view:
            view = view[self.out.write(view):]


class Reader:
    """The plaintext of a sealed file: read() and seek(), a frame in memory. size: of the plaintext, as the file's length says.

    Every byte that read() gives has been proved; b'' comes only behind the proved last frame. Raises SealError otherwise.
    """

    def __init__(self, path: str | os.PathLike, keys: list[bytes]):
        self.name = os.path.basename(path)
        self.raw = open(path, 'rb')
        try:
            self.length = os.fstat(self.raw.fileno()).st_size
            header = self.raw.read(HEADER)
            self.frames = frames_for(header, keys, self.name)
        except BaseException:
            self.raw.close()
            raise
        body = self.length - HEADER
        self.count = max(1, -(-body // FRAME))
        self.size = body - self.count * OVERHEAD
        self.index, self.buffer, self.at = 0, b'', 0

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_what: object) -> None:
        self.close()

    def _load(self) -> bool:
        if self.index >= self.count:
            return False
        self.raw.seek(HEADER + self.index * FRAME)
        final = self.index == self.count - 1
        frame = self.raw.read(FRAME)
        plain = self.frames.open(self.index, final, frame)
        if plain is None:
            cut = final and self.frames.open(self.index, False, frame) is not None
            raise SealError(f'{self.name} is {"cut: its last frame is missing" if cut else "damaged or was changed"} (frame {self.index + 1} of {self.count}): '
                            'use another copy.', 'seal_broken')
        self.index += 1
        self.buffer, self.at = plain, 0
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to size bytes (at most a frame's), b'' at the end."""
        while self.at >= len(self.buffer):
            if not self._load():
                return b''
        end = len(self.buffer) if size is None or size < 0 else self.at + size
        data = self.buffer[self.at:end]
        self.at += len(data)
        return data

    def seek(self, offset: int) -> None:
        """Go on from this byte of the plaintext."""
        self.index, inside = divmod(min(offset, self.size), PLAIN)
        if self.index >= self.count:
            # the end falls on the border of a full last frame
            self.index, inside = self.count - 1, PLAIN
        self.buffer, self.at = b'', 0
        if inside:
            self._load()
            self.at = inside

    def close(self) -> None:
        """Let go of the file."""
        self.raw.close()


def _open(args: argparse.Namespace) -> int:
    keys = read_key_file(args.key_file) if args.key_file else keys_of_environment()
    with Reader(args.file, keys) as reader:
        if args.to == '-':
            _pour(reader, sys.stdout.buffer)
            return 0
        default = str(args.file)[:-len(SUFFIX)] if str(args.file).endswith(SUFFIX) else str(args.file) + '.opened'
        target = Path(args.to or default)
        if target.exists():
            raise SealError(f'{target} is there already: name another file with --to.', 'target_exists')
        # Only what was proved to its end gets the name.
        handle, part = tempfile.mkstemp(prefix='.opening-', dir=target.parent)
        try:
            with os.fdopen(handle, 'wb') as out:
                digest = _pour(reader, out)
                out.flush()
                os.fsync(out.fileno())
            # unlike a rename, a link never replaces what came meanwhile
            os.link(part, target)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(part)
    print(f'{target}: {reader.size} bytes, sha256 {digest}')
    return 0


def _pour(reader: Reader, out: BinaryIO) -> str:
    digest = hashlib.sha256()
    for data in iter(lambda: reader.read(PLAIN), b''):
        digest.update(data)
        out.write(data)
    return digest.hexdigest()


def _check(args: argparse.Namespace) -> int:
    keys = read_key_file(args.key_file) if args.key_file else keys_of_environment()
    with Reader(args.file, keys) as reader:
        digest = hashlib.sha256()
        for data in iter(lambda: reader.read(PLAIN), b''):
            digest.update(data)
        print(f'{args.file}: whole, {reader.size} bytes, sha256 of what is inside {digest.hexdigest()}')
    return 0


def main(argv: list[str] | None = None) -> int:
    """The command: open, check, new-key."""
    parser = argparse.ArgumentParser(prog='sealing.py', description='Open archives that jeedom.fleet has sealed.', epilog=f'''
        The key is read from --key-file, or from the environment: {KEY_VARIABLE} (the key) or {KEY_FILE_VARIABLE} (a file with it).
        Exit code 0: everything was proved to its last byte; 1: not, and what went to standard output must not be used.''')
    commands = parser.add_subparsers(dest='command', required=True)
    for name, words in (('open', 'decrypt a file'), ('check', 'read a file to its end without writing anything')):
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument('file')
        command.add_argument('--key-file')
        command.set_defaults(call=_open if name == 'open' else _check)
        if name == 'open':
            command.add_argument('--to', help='file to write (0600; default: the name without .sealed), or - for standard output')
    commands.add_parser('new-key', help='print a fresh key').set_defaults(call=lambda args: print(new_key()) or 0)
    args = parser.parse_args(argv)
    try:
        return args.call(args)
    except SealError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f'{error.filename or args.file}: {error.strerror}.', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main())
