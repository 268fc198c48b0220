# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a Python of this machine on a sandbox box, as that box's /usr/bin/python3.

A box is a Debian 11, whose C library is too old for most interpreters of this machine. So an interpreter comes with the libraries and
the loader that it runs with here, and is told by patchelf to use these; what it starts (mysql, tar, php) runs with the box's own.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import interpreters

ROOT = Path(__file__).resolve().parent.parent.parent
# The boxes have these themselves, from Debian.
OF_THE_BOX = {'2.7': '/usr/bin/python2.7', '3.9': '/usr/bin/python3.9'}
LOOK = ('import json, os, sys, sysconfig; print(json.dumps([os.path.realpath(sys.executable), sysconfig.get_path("stdlib"), '
        '"%d.%d.%d" % sys.version_info[:3]]))')
# What no box needs, and what would bring half a desktop along.
LEFT_OUT = shutil.ignore_patterns('test', 'tests', 'site-packages', 'dist-packages', 'config-*', '__pycache__', 'idlelib', 'tkinter', '_tkinter*',
                                  'lib2to3', 'ensurepip', 'turtledemo', 'sitecustomize.py', '_test*')
# Empty since glibc 2.34, but libraries of the box ask for them, and its own do not fit the C library that comes along.
EMPTY_SHELLS = ('librt.so.1', 'libpthread.so.0', 'libdl.so.2', 'libutil.so.1', 'libresolv.so.2')


def home(version: str) -> str:
    """Where an interpreter stands on a box."""
    return f'/opt/python{version}'


def libraries(binaries: list[Path]) -> tuple[set[Path], Path]:
    """Shared libraries that these need, and the loader."""
    told = ''.join(subprocess.run(['ldd', str(path)], capture_output=True, text=True, check=False).stdout for path in binaries)
    found = {Path(name) for name in re.findall(r'=> (/\S+)', told)}
    loader = re.search(r'^\s+(/\S*/ld-\S+)', told, re.MULTILINE)
    if not loader:
        raise LookupError(f'{binaries[0]} names no loader: it is no dynamically linked program')
    return found, Path(loader[1])


def gather(python: str, version: str, folder: Path) -> None:
    """Interpreter, standard library, shared libraries, loader: as they stand below home(version)."""
    binary, library, _full = json.loads(subprocess.run([python, '-c', LOOK], check=True, capture_output=True, text=True).stdout)
    program = folder / f'bin/python{version}'
    program.parent.mkdir(parents=True)
    shutil.copy(binary, program)
    shutil.copytree(library, folder / f'lib/python{version}', symlinks=True, ignore=LEFT_OUT)
    extensions = sorted(folder.glob(f'lib/python{version}/lib-dynload/*.so'))
    found, loader = libraries([Path(binary), *extensions])
    beside = next(path.parent for path in found if path.name.startswith('libc.so'))
    for path in found | {beside / name for name in EMPTY_SHELLS if (beside / name).exists()}:
        shutil.copy(path, folder / 'lib' / path.name)
        if not path.name.startswith('libc.so'):
            extensions.append(folder / 'lib' / path.name)
    shutil.copy(loader, folder / 'lib' / loader.name)
    # a library that has a path of its own does not ask that of the program
    subprocess.run(['patchelf', '--remove-rpath', *map(str, extensions)], check=True)
    subprocess.run(['patchelf', '--set-interpreter', f'{home(version)}/lib/{loader.name}', '--force-rpath', '--set-rpath', '$ORIGIN/../lib',
                    str(program)], check=True)


def bundle(version: str) -> Path | None:
    """A tar of the interpreter with what it needs, made once; None when this machine has no such Python."""
    python = interpreters.find(version)
    if not python:
        return None
    told = subprocess.run([python, '-c', LOOK], check=True, capture_output=True, text=True).stdout
    mark = hashlib.sha256(told.encode() + Path(__file__).read_bytes()).hexdigest()[:12]
    path = ROOT / f'.cache/pythons/python{version}-{mark}.tar'
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as name:
            gather(python, version, Path(name) / home(version).strip('/'))
            part = path.with_suffix('.part')
            subprocess.run(['tar', 'c', '-f', str(part), '-C', name, '--owner=0', '--group=0', '.'], check=True)
            part.rename(path)
    return path


def here(version: str) -> bool:
    """Whether a box can be given this Python."""
    return version in OF_THE_BOX or interpreters.find(version) is not None


def path_on_box(version: str) -> str:
    """What ansible_python_interpreter is on a box with this Python."""
    return '/usr/bin/python2.7' if version == '2.7' else '/usr/bin/python3'


def give(box, version: str | None) -> str:
    """Make this the only Python that a box shows, None for none at all; its full version. box: a testbox.Box."""
    if version is None:
        box.sh('rm -f /usr/bin/python*')
        return ''
    if version == '2.7':
        box.sh('rm -f /usr/bin/python3')
    elif version not in OF_THE_BOX:
        packed = bundle(version)
        assert packed is not None, f'no Python {version} on this machine'
        box.sh('tar x -C / --no-overwrite-dir', packed.read_bytes())
        box.sh(f'ln -sf {home(version)}/bin/python{version} /usr/bin/python3')
    return box.sh(f'{path_on_box(version)} -c "import ssl, sys; print(\'%d.%d.%d\' % sys.version_info[:3])"').strip()
