# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a core with data on a box, once per kind of box: the result is kept as a layer that further boxes start from."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import inspect
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dataset
import machine
from boxes import Fleet
from machine import CACHE, HERE, ROOT, SandboxError, run

sys.path.insert(0, str(ROOT / 'collections'))
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip  # noqa: E402

BUILD = HERE / 'core/build.py'
VERSIONS = ('3.3.60', '4.0.63', '4.1.28', '4.4.20', '4.5.3')
# The last V3 has no tag any more.
REFS = {'3.3.60': '1fb1bc95b'}
# A box does without the documentation, and copies of the repository may lack its large pictures, which no pin counts (knowledge/README.md).
PATHS = ('.', ':(exclude)docs')
ZIP_PATHS = ('.', ':(exclude)docs/images/*.gif')


class Miniature:
    """Our own small core, tests/sandbox/core."""

    name = 'mini'

    def digest(self) -> str:
        """Changes when the miniature does."""
        total = hashlib.sha256()
        for path in sorted((HERE / 'core').rglob('*')):
            if path.is_file() and '__pycache__' not in path.parts and path.suffix != '.md':
                # relative: another clone has the same core
                total.update(str(path.relative_to(HERE)).encode() + path.read_bytes())
        return total.hexdigest()[:10]

    def tree(self, version: str, target: Path) -> None:
        """The files of a version; 4.5 ships no vendor folder and gets the one of 4.4.20, as an upgraded box has it."""
        self._build(version, target)
        if version.startswith('4.5'):
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                self._build('4.4.20', Path(folder))
                shutil.copytree(Path(folder) / 'vendor', target / 'vendor')

    @staticmethod
    def _build(version: str, target: Path) -> None:
        run(sys.executable, BUILD, '--version', version, '--out', target)

    def zip(self, version: str, target: Path) -> None:
        """The archive as the download site serves it."""
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            self._build(version, Path(folder) / f'core-{version}')
            made = shutil.make_archive(str(target.with_suffix('')), 'zip', folder)
            Path(made).replace(target)


class Genuine:
    """A core from a git directory that the operator names."""

    name = 'genuine'

    def __init__(self, path: Path):
        self.git = ['git', f'--git-dir={path}']
        if run(*self.git, 'rev-parse', '--verify', '-q', '4.5.3^{commit}', check=False).returncode:
            raise SandboxError(f'{path} is no git directory of jeedom/core: it has no tag 4.5.3.')

    def digest(self) -> str:
        """Tags do not move; the number is that of the way they are packed."""
        return 'git2'

    def tree(self, version: str, target: Path) -> None:
        """The files of a version; 4.5 ships no vendor folder and gets the one of 4.4.20, as an upgraded box has it."""
        target.mkdir(parents=True, exist_ok=True)
        wanted = [(REFS.get(version, version), PATHS)]
        if version.startswith('4.5'):
            wanted.insert(0, ('4.4.20', ('vendor',)))
        for ref, paths in wanted:
            data = subprocess.run([*self.git, 'archive', '--format=tar', ref, *paths], check=True, capture_output=True).stdout
            subprocess.run(['tar', '-x', '-C', str(target)], input=data, check=True)

    def zip(self, version: str, target: Path) -> None:
        """The archive as the download site serves it."""
        run(*self.git, 'archive', '--format=zip', '-1', f'--prefix=core-{version}/', '-o', target,
            REFS.get(version, version), *ZIP_PATHS)


def flavour(core: str | None) -> Miniature | Genuine:
    """The kind of core that --core names."""
    return Genuine(Path(core).resolve()) if core else Miniature()


def zips(kind: Miniature | Genuine) -> Path:
    """Folder with the archives and version files of all versions, made once."""
    path = CACHE / f'zips-{kind.name}-{kind.digest()}'
    with machine.locked('zips'):
        return _zips(kind, path)


def pins(kind: Miniature | Genuine, state: Path) -> dict[str, list[str]]:
    """Variables of the inventory: the miniature is another content under the numbers of the genuine core, so it brings pins of its own."""
    if isinstance(kind, Genuine):
        return {}
    versions = [{'id': version, 'content_sha256': ReleaseZip(str(zips(kind) / f'core-{version}.zip')).content_sha256(),
                 'source': 'what the stand-in site serves'} for version in VERSIONS]
    overlay = state / 'pins.json'
    overlay.write_text(json.dumps({'schema': 1, 'versions': versions}, indent=1), encoding='utf-8')
    return {'jeedom_knowledge': [str(overlay)]}


def _zips(kind: Miniature | Genuine, path: Path) -> Path:
    if (path / '.complete').exists():
        # in use: prune() goes by this
        (path / '.complete').touch()
        return path
    print(f'sandbox: packing the {kind.name} cores ...', flush=True)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    for version in VERSIONS:
        kind.zip(version, path / f'core-{version}.zip')
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            kind.tree(version, Path(folder) / 't')
            shutil.copy(Path(folder) / 't/core/config/version', path / f'core-{version}.version')
    (path / '.complete').touch()
    return path


def layer(kind: Miniature | Genuine, spec: dict, base: Path) -> Path:
    """The layer for one kind of box: built once in a box of its own, then shared read-only."""
    version = str(spec.get('version', '3.3.60'))
    if version not in VERSIONS:
        raise SandboxError(f'There is no core {version} for a sandbox box: known are {", ".join(VERSIONS)}.')
    plain = {key: spec[key] for key in sorted(spec) if key in ('version', 'dataset', 'plugins')}
    code = ''.join((HERE / name).read_text(encoding='utf-8') for name in ('dataset.py', 'install-core.sh'))
    code += inspect.getsource(type(kind)) + inspect.getsource(_layer)
    mark = hashlib.sha256(json.dumps([plain, kind.name, kind.digest(), base.name, code]).encode()).hexdigest()[:12]
    # History reaches up to today: a layer is good for a day.
    path = CACHE / 'layers' / f'{kind.name}-{version}-{mark}-{datetime.date.today():%Y%m%d}'
    if (path / '.complete').exists():
        # today's, so that prune() leaves it alone: no need to wait for somebody who builds another
        return _layer(kind, version, spec, base, path)
    with machine.locked('layers'):
        return _layer(kind, version, spec, base, path)


def same(one: str, other: str) -> bool:
    """Whether two notes of layers name the same but for the day they were made: no reason to replace a box that runs."""
    return re.sub(r'-\d{8}/upper', '', one) == re.sub(r'-\d{8}/upper', '', other)


def prune(days: float = 2) -> list[Path]:
    """Remove layers, archives and bases that no fleet stands on and that are older than so many days."""
    used = ''.join(path.read_text(encoding='utf-8') for path in CACHE.glob('fleets/*/box*/lower'))
    used += ''.join(f'{path.resolve()}\n' for path in CACHE.glob('fleets/*/zips'))
    used += Path('/proc/mounts').read_text(encoding='utf-8')
    gone = []
    for path in [*CACHE.glob('layers/*'), *CACHE.glob('zips-*/'), *CACHE.glob('base-*/')]:
        touched = (path / '.complete' if (path / '.complete').exists() else path).stat().st_mtime
        if time.time() - touched > days * 86400 and str(path) not in used:
            # out of sight first: what is half removed must not be taken for a layer
            away = path.with_name(f'.gone-{path.name}')
            path.rename(away)
            shutil.rmtree(away, ignore_errors=True)
            gone.append(path)
    return gone


def _builder() -> Fleet:
    """Where layers are made: one per cache, as the lock is the cache's."""
    return Fleet('mk' + hashlib.sha256(str(CACHE).encode()).hexdigest()[:4])


def sweep() -> None:
    """Remove a builder that was killed at its work, unless one is at work now."""
    with contextlib.suppress(SandboxError), machine.locked('layers', 0):
        _builder().remove()


def _layer(kind: Miniature | Genuine, version: str, spec: dict, base: Path, path: Path) -> Path:
    if (path / '.complete').exists():
        (path / '.complete').touch()
        return path / 'upper'
    print(f'sandbox: preparing a box with the {kind.name} core {version}, once ...', flush=True)
    builder = _builder()
    builder.remove()
    builder.network()
    try:
        builder.start('box1', [base])
        builder.wait(['box1'])
        root = builder.folder('box1') / 'root'
        web = root / 'var/www/html'
        shutil.rmtree(web)
        kind.tree(version, web)
        plugins = [plugin if isinstance(plugin, dict) else {'id': plugin} for plugin in spec.get('plugins', ['virtual'])]
        for plugin in plugins:
            for name, text in dataset.plugin_files(plugin).items():
                file = web / 'plugins' / plugin['id'] / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding='utf-8')
        (root / 'root/data.sql').write_text(''.join(dataset.statements(spec.get('dataset') or {}, plugins, datetime.datetime.now())),
                                            encoding='utf-8')
        builder.ssh('box1', (HERE / 'install-core.sh').read_text(encoding='utf-8'))
        builder.stop('box1', gently=True)
        path.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(path / 'upper', ignore_errors=True)
        run('cp', '-a', '--reflink=auto', builder.folder('box1') / 'upper', path / 'upper')
        for name in ('etc/hosts', 'etc/hostname', 'etc/machine-id'):
            (path / 'upper' / name).unlink(missing_ok=True)
        (path / '.complete').touch()
    finally:
        builder.remove()
    return path / 'upper'


def certificate(state: Path) -> Path:
    """Key and certificate of the stand-in site, signed by the sandbox's authority."""
    from boxes import SITE_NAMES
    path = state / 'site.pem'
    private, public = machine.authority()
    names = ','.join(f'DNS:{name}' for name in SITE_NAMES)
    run('openssl', 'req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=github.com', '-keyout', state / 'site.key', '-out', state / 'site.csr')
    (state / 'site.ext').write_text(f'subjectAltName={names}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n', encoding='ascii')
    run('openssl', 'x509', '-req', '-days', '825', '-in', state / 'site.csr', '-CA', public, '-CAkey', private, '-CAcreateserial',
        '-CAserial', state / 'site.srl', '-extfile', state / 'site.ext', '-out', state / 'site.crt')
    path.write_bytes((state / 'site.key').read_bytes() + (state / 'site.crt').read_bytes())
    # and one that nobody trusts, for the rule "certificate"
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '825', '-subj', '/CN=portal.example', '-keyout', state / 'wrong.key',
        '-out', state / 'wrong.crt')
    (state / 'wrong.pem').write_bytes((state / 'wrong.key').read_bytes() + (state / 'wrong.crt').read_bytes())
    return path
