# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the controller: where they are, names that cannot lead elsewhere, writes that are whole or not there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import multiprocessing
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

DEFAULT_ROOT = './artifacts'
# What stands beside the folders of runs.
RESERVED = ('archives', 'journal', 'report')
_PLAIN = frozenset('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-')
_FILE_KEY = re.compile(r'^[a-z0-9][a-z0-9_-]{0,63}$')
# File systems allow 255 bytes; .manifest.json, .part and a temporary name's additions must fit, too.
_LONGEST = 180


class ArtifactError(Exception):
    """Something about the files on the controller; str() is the sentence for people, code the one for machines."""

    def __init__(self, message: str, code: str = 'artifacts'):
        super().__init__(message)
        self.code = code


def safe_name(name: str) -> str:
    """One path component for a name that comes from a box or an inventory.

    Harmless names stay as they are; every other byte becomes C(%XX), so that two names never meet in one file, and
    nothing in it separates, hides, climbs or controls. Too long ones end in their hash. Raises ArtifactError when empty.
    """
    text = str(name)
    if not text:
        raise ArtifactError('A host or an archive has an empty name: nothing can be kept for it; look at the inventory.', 'bad_name')
    parts = []
    for index, char in enumerate(text):
        if char in _PLAIN and not (index == 0 and char in '.-'):
            parts.append(char)
        else:
            parts.extend(f'%{byte:02X}' for byte in char.encode('utf-8', 'surrogatepass'))
    escaped = ''.join(parts)
    if len(escaped) > _LONGEST:
        escaped = f'{escaped[:_LONGEST - 17]}%{hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]}'
    return escaped


def checked_name(name: str) -> str:
    """The name itself when it is harmless as a path component; raises ArtifactError otherwise (for archive names)."""
    if safe_name(name) != name:
        raise ArtifactError(f'{name!r} cannot be the name of a file here: letters, digits, dot, dash and underscore are '
                            'accepted, not beginning with a dot or dash; rename it on the box.', 'bad_name')
    return name


def root(task_vars: dict | None = None, templar: Any = None) -> Path:
    """The artifacts folder (variable jeedom_artifacts, relative to where ansible-playbook was started), absolute."""
    value = (task_vars or {}).get('jeedom_artifacts') or DEFAULT_ROOT
    if templar is not None:
        value = templar.template(value)
    return Path(os.path.abspath(os.path.expanduser(str(value))))


def make_dir(path: Path) -> Path:
    """Create a folder with its parents, each new one 0700; what is there already keeps its mode."""
    missing = []
    current = Path(path)
    while not current.exists():
        missing.append(current)
        current = current.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ArtifactError(f'{folder} cannot be created on the controller ({error.strerror}): make it writable, or set '
                                'jeedom_artifacts to another folder.', 'artifacts_not_writable') from error
    if not current.is_dir() or not Path(path).is_dir():
        raise ArtifactError(f'{path} is not a folder: set jeedom_artifacts to one.', 'artifacts_not_writable')
    return Path(path)


def run_dir(base: Path, run_id: str, host: str | None = None) -> Path:
    """C(<run id>) or C(<run id>/<host>), created when missing."""
    path = Path(base) / safe_name(run_id)
    return make_dir(path / safe_name(host) if host is not None else path)


def archive_dir(base: Path, host: str) -> Path:
    """C(archives/<host>), created when missing."""
    return make_dir(Path(base) / 'archives' / safe_name(host))


def file_key(name: str) -> str:
    """A name for C(<run id>/<host>/<name>.json): lower case letters, digits, dash, underscore."""
    if not _FILE_KEY.match(str(name)):
        raise ArtifactError(f'{name!r} cannot be the name of a record: lower case letters, digits, dash and underscore are '
                            'accepted.', 'bad_name')
    return str(name)


def write_atomic(path: Path, data: bytes | str | Iterable[bytes | str], mode: int = 0o600) -> None:
    """Write a file so that a reader, or a controller that comes back from a power cut, sees the old or the new one.

    data: the whole, or its pieces one after the other.
    """
    path = Path(path)
    pieces = [data] if isinstance(data, (bytes, str)) else data
    make_dir(path.parent)
    try:
        handle, temporary = tempfile.mkstemp(prefix='.tmp-', dir=path.parent)
    except OSError as error:
        raise ArtifactError(f'{path} cannot be written on the controller ({error.strerror}): make room or make it writable, '
                            'or set jeedom_artifacts to another folder.', 'artifacts_not_writable') from error
    try:
        with os.fdopen(handle, 'wb') as stream:
            for piece in pieces:
                stream.write(piece.encode('utf-8', 'surrogatepass') if isinstance(piece, str) else piece)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:
        raise ArtifactError(f'{path} cannot be written on the controller ({error.strerror}): make room or make it writable, '
                            'or set jeedom_artifacts to another folder.', 'artifacts_not_writable') from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    # The new name itself must survive a power cut, too; file systems that cannot do this do not need it.
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _plain(value: Any) -> str:
    """For what JSON does not know: dates and paths as text, anything else (a vaulted string!) by its type only."""
    if isinstance(value, os.PathLike) or hasattr(value, 'isoformat'):
        return str(value)
    return f'<{type(value).__name__}>'


def to_json(value: Any) -> str:
    """Readable JSON of a value of a task; never raises for what a template may have produced."""
    return json.dumps(value, indent=1, sort_keys=True, default=_plain, ensure_ascii=False) + '\n'


def write_json(path: Path, value: Any, mode: int = 0o600) -> None:
    """Write a value as JSON, atomically."""
    write_atomic(path, to_json(value), mode)


def read_json(path: Path, default: Any = None) -> Any:
    """The value in a JSON file, or default when there is none that can be read."""
    try:
        return json.loads(Path(path).read_text(encoding='utf-8', errors='surrogatepass'))
    except (OSError, ValueError):
        return default


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes of this and other runs; released by the kernel when we die.

    Raises ArtifactError when it cannot be held.
    """
    make_dir(folder)
    path = Path(folder) / '.lock'
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context(open(path, 'a', encoding='utf-8'))
            # another user's, or on a share without modes: it holds all the same
            with contextlib.suppress(OSError):
                os.chmod(path, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            raise ArtifactError(f'{path} cannot be locked on the controller ({error.strerror}): let the user that runs ansible-playbook write it, '
                                'or set jeedom_artifacts to another folder.', 'artifacts_not_writable') from error
        yield


def now() -> float:
    """Seconds since 1970, to the millisecond: all times in our files."""
    return round(time.time(), 3)


def stamp(seconds: float) -> str:
    """UTC time as C(YYYYMMDDTHHMMSS), sortable and fit for file names."""
    return time.strftime('%Y%m%dT%H%M%S', time.gmtime(seconds))


def _process_start(pid: int) -> tuple[float, str]:
    """When a process began: seconds since 1970, and what the system itself calls that moment."""
    try:
        ticks = int(Path(f'/proc/{pid}/stat').read_text(encoding='utf-8', errors='replace').rsplit(')', 1)[1].split()[19])
        boot = next(int(line.split()[1]) for line in Path('/proc/stat').read_text(encoding='utf-8').splitlines()
                    if line.startswith('btime '))
        return boot + ticks / os.sysconf('SC_CLK_TCK'), str(ticks)
    except (OSError, IndexError, ValueError, StopIteration):
        # no /proc: macOS, BSD
        shown = subprocess.run(['ps', '-o', 'lstart=', '-p', str(pid)], capture_output=True, text=True, check=False,
                               env=dict(os.environ, LC_ALL='C')).stdout.strip()
        try:
            return time.mktime(time.strptime(shown, '%a %b %d %H:%M:%S %Y')), shown
        except ValueError:
            return 0.0, ''


def _here() -> str:
    """What tells this machine, and this container on it, from others that write to the same folder; the same as long as it runs."""
    try:
        # no name: that of a laptop changes with its network
        machine = Path('/proc/sys/kernel/random/boot_id').read_text(encoding='ascii').strip()
    except (OSError, ValueError):
        machine = socket.gethostname()
    try:
        return f'{machine} {os.stat("/proc/self/ns/pid").st_ino}'
    except OSError:
        return machine


def process_run_id() -> str:
    """Names this run of ansible-playbook: the same in its main process (callbacks) and in all its workers (actions).

    It is made of the start time and the id of the main process, so nobody has to hand it around. Containers that begin in the same
    second have the same ids of processes: the hash tells them apart.
    """
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent is not None and parent.pid else os.getpid()
    seconds, moment = _process_start(pid)
    return f'{stamp(seconds)}-{pid}-{hashlib.sha256(f"{_here()} {moment}".encode()).hexdigest()[:6]}'


def run_id(task_vars: dict | None = None, templar: Any = None) -> str:
    """The id of this run: variable jeedom_run_id when it is set (it must be a harmless name), else process_run_id()."""
    value = (task_vars or {}).get('jeedom_run_id')
    if templar is not None and value:
        value = templar.template(value)
    if not value:
        return process_run_id()
    if str(value) in RESERVED:
        raise ArtifactError(f'jeedom_run_id cannot be {str(value)!r}: that folder has another use; choose another name.', 'bad_name')
    return checked_name(str(value))
