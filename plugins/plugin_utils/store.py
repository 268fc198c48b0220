# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: the copies of a box's archives on the controller, each proved or not and why.

C(archives/<host>/<archive>) with C(<archive>.manifest.json) and the complement beside it. The manifest comes last and goes
first: where it is, everything it speaks of is. Manifests hold C(serial), the order in which copies came, since clocks
jump; C(fetched), the controller's time; and C(stored), the form of a copy that is not plain (forms.py).
"""

from __future__ import annotations

import math
import os
import re
import stat
from pathlib import Path
from typing import Any

from ansible_collections.jeedom.fleet.plugins.module_utils import archive
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, forms, sealing

MANIFEST = '.manifest.json'
_TAR, _COMPLEMENT = '.tar.gz', '.complement.tar.gz'
# What a form adds to the name of an archive.
_REST = re.compile(r'^(?:\.(?!(?:json|part|deleting|gz)\Z)[A-Za-z0-9]{1,16})?\Z')
CHUNK = 1 << 20


class StoreError(Exception):
    """The store is not as needed; str() is the sentence for people, code the one for machines."""

    def __init__(self, message: str, code: str):
        super().__init__(message)
        self.code = code


def folder(root: Path, host: str) -> Path:
    """Where the copies of a box are; not created."""
    return Path(root) / 'archives' / artifacts.safe_name(host)


def complement_name(name: str) -> str:
    """Name of the complement of an archive."""
    return (name[:-len(_TAR)] if name.endswith(_TAR) else name) + _COMPLEMENT


def keep_manifest(place: Path, name: str, manifest: dict, stored: dict | None = None, complement_stored: dict | None = None) -> Path:
    """Write the manifest of a copy that is whole; the copy counts from here on. Returns its path.

    stored, complement_stored: C({name, form, sha256, size, ...}) of files that are not plain.
    """
    path = place / (name + MANIFEST)
    with artifacts.locked(place):
        known = [_number(read.get('serial')) for read in (artifacts.read_json(item, {}) for item in place.glob('*' + MANIFEST)) if isinstance(read, dict)]
        value = {key: item for key, item in manifest.items() if key not in ('stored', 'serial')}
        value.update(fetched=artifacts.now(), serial=int(max(known, default=0)) + 1)
        if stored:
            value['stored'] = stored
        if value.get('complement'):
            value['complement'] = {key: item for key, item in value['complement'].items() if key != 'stored'}
            if complement_stored:
                value['complement']['stored'] = complement_stored
        artifacts.write_json(path, value)
    return path


def note_restored(copy: dict, found: dict) -> dict:
    """Write into the manifest of a copy that it has been restored; returns what was noted: C({at, host, version, files, tables, ...})."""
    path = Path(copy['manifest'])
    noted = dict(found, at=artifacts.now(), sha256=copy['sha256'])
    with artifacts.locked(path.parent):
        manifest = artifacts.read_json(path, {})
        if manifest.get('sha256') != copy['sha256']:
            raise StoreError(f'{path.name} speaks of another archive since the test began, so nothing was noted: run the test again.', 'store_changed')
        artifacts.write_json(path, dict(manifest, restored=noted))
    return noted


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) else 0.0


def order(copy: dict) -> tuple:
    """Sort key, newest last: as they came; copies of before there were serials by their times."""
    return copy['serial'], copy['fetched'], copy['created'], copy['name']


def look(place: Path) -> list[dict]:
    """The copies in the folder of a box, newest first, judged by manifest, presence and size; see prove() for more.

    A copy: C({name, path, form, size, bytes, sha256, created, fetched, serial, core_version, host, proved, problems, notes, how,
    complement, manifest, files, main}); bytes counts all its files, files their names, which alone may be deleted; main and
    complement are what _file() tells of them.
    """
    try:
        names = sorted(os.listdir(place))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f'{place} cannot be read: {error.strerror}. Check the rights of jeedom_artifacts.', 'store_unreadable') from error
    found = [_copy(place, name[:-len(MANIFEST)]) for name in names if name.endswith(MANIFEST) and not name.startswith('.')]
    claimed = {item for copy in found for item in (*copy['files'], copy['name'])}
    for name in names:
        if _TAR in name and name not in claimed and not name.startswith('.') and _COMPLEMENT not in name and not name.endswith(('.part', '.json', '.deleting')):
            found.append(_orphan(place, name))
    return sorted(found, key=order, reverse=True)


def proved(root: Path, host: str) -> dict | None:
    """The newest proved copy of a box; None without, or where the store cannot be read, which those say who need to write there."""
    try:
        return next((copy for copy in look(folder(root, host)) if copy['proved']), None)
    except StoreError:
        return None


def _blank(place: Path, name: str) -> dict:
    return {'name': name, 'path': str(place / name), 'form': 'plain', 'size': 0, 'bytes': 0, 'sha256': None, 'created': 0.0, 'fetched': 0.0, 'serial': 0,
            'core_version': None, 'host': None, 'plugins': [], 'proved': False, 'problems': [], 'notes': [], 'how': None, 'complement': None,
            'manifest': None, 'files': [], 'main': None, 'restored': None}


def _orphan(place: Path, name: str) -> dict:
    copy = _blank(place, name)
    status = _regular(place / name)
    if status is not None:
        copy.update(size=status.st_size, bytes=status.st_size, fetched=status.st_mtime, created=status.st_mtime)
    copy['problems'].append('it has no manifest, so nothing is known of it: fetch it again')
    return copy


def _regular(path: Path) -> os.stat_result | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def files_of(place: Path, name: str, manifest_name: str) -> list[str]:
    """Names of the files that a manifest speaks of, those that are there and of this archive."""
    return _copy(place, name, manifest_name)['files']


def _copy(place: Path, name: str, manifest_name: str = '') -> dict:
    copy = _blank(place, name)
    path = place / (manifest_name or name + MANIFEST)
    manifest = artifacts.read_json(path)
    if _regular(path) is None or not isinstance(manifest, dict) or not isinstance(manifest.get('sha256'), str):
        copy['problems'].append('its manifest cannot be read')
        return copy
    copy.update(manifest=str(path), sha256=manifest['sha256'], created=_number(manifest.get('created')),
                fetched=_number(manifest.get('fetched')), serial=int(_number(manifest.get('serial'))), core_version=manifest.get('core_version'),
                host=manifest.get('host'), plugins=manifest.get('plugins') or [])
    restored = manifest.get('restored')
    copy['restored'] = restored if isinstance(restored, dict) and restored.get('sha256') == manifest['sha256'] else None
    if not manifest.get('proved'):
        copy['problems'].append('its manifest says that it was not proved')
    main = _file(place, name, manifest, copy)
    if main:
        copy.update(path=main['path'], form=main['form'], size=main['size'], main=main)
    second = manifest.get('complement')
    if isinstance(second, dict):
        # both names are as on the box; here they may be escaped
        own = str(manifest.get('name', name))
        if artifacts.safe_name(own) != name or second.get('name') != complement_name(own):
            copy['problems'].append('its complement has the name of something else')
        else:
            copy['complement'] = _file(place, artifacts.safe_name(second['name']), second, copy)
    copy['proved'] = not copy['problems']
    return copy


def standing(name: str, manifest: dict) -> dict | None:
    """{name, form, sha256, size} of the file that holds an archive or a complement, or None when its manifest names another's.

    A manifest comes from a box: what it names must be of this archive, and a plain name in this folder.
    """
    stored = manifest.get('stored')
    stored = stored if isinstance(stored, dict) else {'name': name, 'form': 'plain', 'sha256': manifest.get('sha256'), 'size': manifest.get('size')}
    actual = str(stored.get('name'))
    if not actual.startswith(name) or not _REST.match(actual[len(name):]):
        return None
    return {'name': actual, 'form': str(stored.get('form')), 'sha256': stored.get('sha256'), 'size': stored.get('size')}


def _file(place: Path, name: str, manifest: dict, copy: dict) -> dict | None:
    """{name, path, form, size, sha256, plain_sha256, plain_size} of one file of a copy; what is wrong goes to its problems."""
    stored = standing(name, manifest)
    if stored is None:
        copy['problems'].append(f'its manifest names a file that is not of {name}')
        return None
    actual = stored['name']
    status = _regular(place / actual)
    if status is None:
        copy['problems'].append(f'{actual} is missing')
        return None
    copy['files'].append(actual)
    copy['bytes'] += status.st_size
    if stored['size'] is not None and status.st_size != stored['size']:
        copy['problems'].append(f'{actual} has {status.st_size} bytes, its manifest says {stored["size"]}')
    return {**stored, 'path': str(place / actual), 'size': status.st_size, 'plain_sha256': manifest.get('sha256'), 'plain_size': manifest.get('size')}


def prove(copy: dict, reader: forms.Forms) -> dict:
    """Read a copy and its complement to their ends now; returns the copy with what that found. reader: has the keys or commands.

    What cannot be opened for want of a key is proved by the hash of its bytes as they stand, and a note says so.
    """
    if copy['how'] or copy['problems']:
        return copy
    copy['how'] = 'read'
    for item in (copy['main'], copy['complement']):
        if item:
            _prove_file(copy, item, reader)
    copy['proved'] = not copy['problems']
    return copy


def _prove_file(copy: dict, item: dict, reader: forms.Forms) -> None:
    closed = (item['form'] == 'sealed' and not reader.keys) or (item['form'] == 'command' and not reader.open_command)
    try:
        if closed:
            copy['how'] = 'hash'
            copy['notes'].append(f'{item["name"]} was not opened: {"no key" if item["form"] == "sealed" else "no jeedom_archive_open_command"} is given')
            with open(item['path'], 'rb') as raw:
                found, wanted = _hashed(raw), item['sha256']
        else:
            with reader.open(Path(item['path']), item['form']) as stream:
                found, wanted = (archive.prove(stream) if item is copy['main'] else _hashed(stream)), item['plain_sha256']
    except (sealing.SealError, forms.FormError) as error:
        copy['problems'].append(str(error).rstrip('.'))
        return
    except OSError as error:
        copy['problems'].append(f'{item["name"]} cannot be read: {error.strerror}')
        return
    if found['sha256'] != wanted:
        copy['problems'].append(f'{item["name"]} is not the file of its manifest (another sha256): the disk loses data, or it was changed')
    copy['problems'].extend(found.get('problems') or [])


def _hashed(stream: Any) -> dict:
    reader = archive.HashingReader(stream)
    while reader.read(CHUNK):
        pass
    return {'sha256': reader.digest.hexdigest()}


def unchanged(copy: dict) -> bool:
    """Whether the files of a proved copy still have the hashes of its manifest, as they stand, without opening them."""
    for item in (copy['main'], copy['complement']):
        if item:
            with open(item['path'], 'rb') as raw:
                if _hashed(raw)['sha256'] != item['sha256']:
                    return False
    return copy['proved']


def require(copy: dict, reader: forms.Forms) -> dict:
    """The copy, when what is inside its files has the hashes of its manifest. Raises StoreError not_proved, SealError, FormError."""
    why = '; '.join(copy['problems'][:2])
    for item in (copy['main'], copy['complement']):
        if item and not why:
            with reader.open(Path(item['path']), item['form']) as stream:
                if _hashed(stream)['sha256'] != item['plain_sha256']:
                    why = f'{item["name"]} has another sha256 than its manifest says'
    if why:
        raise StoreError(f'{copy["path"]} is not proved ({why}): fetch it again, or take another archive.', 'not_proved')
    return copy


def named(path: Path) -> dict:
    """The copy at a path, which may be that of the archive as it would be when plain. Raises StoreError not_proved."""
    for copy in look(path.parent):
        if copy['manifest'] and (Path(copy['path']).name == path.name or copy['name'] == path.name):
            return copy
    raise StoreError(f'{path} has no manifest that can be read beside it, so it is not proved: fetch the archive with its manifest again.', 'not_proved')


def newest(place: Path, host: str) -> dict:
    """The newest copy of a box that has a manifest, proved or not: what came last must not be passed over for an older one in silence.

    Raises StoreError no_archive.
    """
    for copy in look(place):
        if copy['manifest']:
            return copy
    raise StoreError(f'There is no archive of {host} with a manifest in {place}: name one (jeedom_restore_archive), or fetch one.', 'no_archive')
