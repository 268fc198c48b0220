# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which copies of the store may go, and how they go: never the newest proved one, never what an open migration needs.

Nothing is deleted outside the box's own folder or through a link, and before anything goes the newest proved copy is read
to its end: what the older ones are for is the day on which that one turns out to be rotten.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, forms, journal, store

DAY = 86400.0
# An incomplete file that nobody has written to for so long is not on its way any more.
STALE = DAY
DELETING = '.deleting'


@dataclass(frozen=True)
class Policy:
    """Limits for one box; None is no limit. keep: proved copies. max_age: seconds. max_size: bytes of all proved copies."""

    keep: int | None = None
    max_age: float | None = None
    max_size: int | None = None

    def __post_init__(self) -> None:
        for name, least in (('keep', 1), ('max_age', 0), ('max_size', 0)):
            value = getattr(self, name)
            if value is not None and not value >= least:
                raise store.StoreError(f'{name} is {value} and has to be at least {least}: the newest proved copy always stays.', 'bad_policy')


def plan(copies: list[dict], policy: Policy, now: float, held: Collection[str] = ()) -> tuple[dict[str, str], dict[str, str]]:
    """({name: why it goes}, {name: why it stays}) of the proved copies, which come in any order; others are not judged.

    Order is that of arrival (store.order), so a clock that jumps cannot make an old copy the newest. Age counts back from
    the newest proved copy, or from now if that is earlier: a box that delivers nothing loses nothing to time.
    """
    going: dict[str, str] = {}
    staying: dict[str, str] = {}
    proved = sorted((copy for copy in copies if copy['proved']), key=store.order, reverse=True)
    total = 0
    for rank, copy in enumerate(proved):
        total += copy['bytes']
        age = min(now, proved[0]['fetched']) - copy['fetched']
        why = (f'{policy.keep} newer ones are proved' if policy.keep is not None and rank >= policy.keep
               else f'it is {age / DAY:.1f} days older than the newest' if policy.max_age is not None and age > policy.max_age
               else f'with the newer ones it takes {total} bytes' if policy.max_size is not None and total > policy.max_size else None)
        if rank == 0:
            staying[copy['name']] = 'it is the newest proved one'
        elif why and copy['name'] in held:
            staying[copy['name']] = 'an open migration refers to it'
        elif why:
            going[copy['name']] = why
        else:
            staying[copy['name']] = 'it is within the limits'
    return going, staying


def held(root: Path, host: str) -> tuple[set[str], bool]:
    """({names of archives that the open migration of a box refers to}, whether one is open whose archive is not known)."""
    entry = journal.read(root, host)
    stages = {name: stage for name, stage in ((entry or {}).get('stages') or {}).items() if isinstance(stage, dict)}

    def ended(name: str, statuses: tuple[str, ...]) -> float:
        stage = stages.get(name) or {}
        return float(stage.get('ended') or 0) if stage.get('status') in statuses else 0.0

    over = max(ended('commit', ('ok', 'skipped')), ended('rollback', ('ok', 'rolled_back')))
    begun = [stage for name, stage in stages.items() if name in ('prepare', 'upgrade', 'verify', 'commit', 'rollback')
             and stage.get('status') in ('started', 'ok', 'failed', 'unknown') and float(stage.get('started') or 0) >= over]
    begun = [stage for stage in begun if not (stage.get('ended') and float(stage['ended']) <= over)]
    if not begun:
        return set(), False
    names: set[str] = set()
    for run_id in {str(stage.get('run_id')) for stage in begun}:
        manifest = artifacts.read_json(Path(root) / artifacts.safe_name(run_id) / artifacts.safe_name(host) / 'manifest.json')
        if isinstance(manifest, dict) and manifest.get('name'):
            names.add(artifacts.safe_name(str(manifest['name'])))
    return names, not names


def prune(root: Path, host: str, policy: Policy, reader: forms.Forms, check_mode: bool = False, now: float | None = None) -> dict:
    """Delete what the policy does not keep. Returns {deleted, kept, unproved, parts, freed, before, after}, in check mode as it would be.

    Raises StoreError where the folder is none of ours, or cannot be written.
    """
    now = time.time() if now is None else now
    place = store.folder(root, host)
    # below jeedom_artifacts, which the operator may have linked to where he likes
    for path in (place.parent, place):
        if path.is_symlink():
            raise store.StoreError(f'{path} is a link, and nothing is deleted through links: move the folder there, or set jeedom_artifacts to where '
                                   'the link leads.', 'store_link')
    if not place.is_dir():
        return {'deleted': [], 'kept': [], 'unproved': [], 'parts': [], 'freed': 0, 'before': [], 'after': []}
    with contextlib.nullcontext() if check_mode else artifacts.locked(place):
        with _opened(place) as handle:
            return _prune(Path(root), host, place, handle, policy, reader, check_mode, now)


@contextlib.contextmanager
def _opened(place: Path) -> Iterator[int]:
    """A handle of the folder itself: whatever happens to its path meanwhile, deletions stay in it."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield handle
    finally:
        os.close(handle)


def _prune(root: Path, host: str, place: Path, handle: int, policy: Policy, reader: forms.Forms, check_mode: bool, now: float) -> dict:
    if not check_mode:
        _finish_deletions(place, handle)
    copies = store.look(place)
    names, unknown = held(root, host)
    if unknown:
        names = {copy['name'] for copy in copies}
    going, staying = plan(copies, policy, now, names)
    while going:
        first = max((copy for copy in copies if copy['proved']), key=store.order)
        if store.prove(first, reader)['proved']:
            break
        # It does not count any more, so the next one is the newest.
        going, staying = plan(copies, policy, now, names)
    parts = _stale(handle, now)
    by_name = {copy['name']: copy for copy in copies if copy['proved']}
    freed = sum(by_name[name]['bytes'] for name in going) + sum(size for _name, size in parts)
    if not check_mode:
        for name in going:
            _delete(by_name[name], handle)
        for name, _size in parts:
            _unlink(name, handle)
    listed = [copy['name'] for copy in copies]
    return {'deleted': [{'name': name, 'why': why, 'bytes': by_name[name]['bytes']} for name, why in going.items()],
            'kept': [{'name': name, 'why': why, 'bytes': by_name[name]['bytes']} for name, why in staying.items()],
            'unproved': [{'name': copy['name'], 'problems': copy['problems']} for copy in copies if not copy['proved']],
            'parts': [name for name, _size in parts], 'freed': freed,
            'before': sorted([*listed, *(name for name, _size in parts)]), 'after': sorted(set(listed) - set(going))}


def _plain(name: str) -> bool:
    return name not in ('', '.', '..') and '/' not in name and '\0' not in name


def _stale(handle: int, now: float) -> list[tuple[str, int]]:
    """[(name, bytes)] of incomplete files that nobody writes to any more. One from the future is left alone."""
    found = []
    for name in sorted(os.listdir(handle)):
        if name.endswith(('.part', '.part.json')) or name.startswith('.tmp-'):
            status = os.stat(name, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and now - status.st_mtime > STALE:
                found.append((name, status.st_size))
    # what tells of a .part that is still being written stays with it
    gone = {name for name, _size in found}
    there = set(os.listdir(handle))
    return [(name, size) for name, size in found
            if not (name.endswith('.part.json') and name[:-len('.json')] in there and name[:-len('.json')] not in gone)]


def _delete(copy: dict, handle: int) -> None:
    # From the moment of this rename on the copy does not count; a cut leaves what the next run finishes.
    os.rename(copy['name'] + store.MANIFEST, copy['name'] + DELETING, src_dir_fd=handle, dst_dir_fd=handle)
    os.fsync(handle)
    for name in copy['files']:
        _unlink(name, handle)
    _unlink(copy['name'] + DELETING, handle)


def _finish_deletions(place: Path, handle: int) -> None:
    for name in sorted(os.listdir(handle)):
        if not name.endswith(DELETING) or name.startswith('.'):
            continue
        archive = name[:-len(DELETING)]
        if not (place / (archive + store.MANIFEST)).exists():
            # fetched again under the same name, it belongs to the new manifest; otherwise to this one
            for victim in store.files_of(place, archive, name):
                _unlink(victim, handle)
        _unlink(name, handle)


def _unlink(name: str, handle: int) -> None:
    if not _plain(name):
        raise store.StoreError(f'{name!r} is no name of a file in the store; nothing was deleted there.', 'bad_name')
    try:
        if stat.S_ISREG(os.stat(name, dir_fd=handle, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=handle)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise store.StoreError(f'{name} cannot be deleted from the store: {error.strerror}. Check the rights of jeedom_artifacts.',
                               'store_unwritable') from error
