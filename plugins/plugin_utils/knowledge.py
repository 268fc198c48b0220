# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The knowledge base: plain YAML in knowledge/, overlaid by the operator's own files, as one object.

Every file holds C(schema: 1) and sections, each a list of entries with an C(id). An overlay's entry is merged into the
entry of the same id (mappings go deep, everything else is replaced), or is added. An entry with C(removed: true) goes.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from ansible_collections.jeedom.fleet.plugins.plugin_utils import versions

SCHEMA = 1
FOLDER = Path(__file__).resolve().parents[2] / 'knowledge'
MANIFESTS = FOLDER / 'manifests'
_LOADER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


class KnowledgeError(Exception):
    """A knowledge file cannot be used; str() is the sentence for people."""

    code = 'bad_knowledge'


class Knowledge:
    """Sections of entries by id, in the order of the files."""

    def __init__(self, sections: Mapping[str, dict[str, dict]]):
        self.sections = sections

    def section(self, name: str) -> dict[str, dict]:
        """{id: entry} of a section; empty when there is none."""
        return self.sections.get(name, {})

    def entry(self, section: str, entry_id: object) -> dict:
        """One entry, or an empty dict."""
        return self.section(section).get(str(entry_id), {})

    def version(self, version: object) -> dict:
        """The entry of a core version, found by its number, its tag or what its files say (4.0.63 says 4.0.62)."""
        known = self.section('versions')
        exact = next((item for item in known.values() if versions.same(item['id'], version)), None)
        return exact or next((item for item in known.values() if versions.same(item.get('file_version'), version)), {})

    def targets(self) -> list[str]:
        """The versions that a box can be brought to, oldest first."""
        found = [item['id'] for item in self.section('versions').values() if item.get('target', True)]
        return sorted(found, key=versions.key)

    def trap(self, trap_id: str, version: object) -> dict | None:
        """The range of a trap that a version falls into, or None."""
        found = versions.inside_any(version, self.entry('traps', trap_id).get('ranges', ()))
        return dict(found) if found else None

    @staticmethod
    def manifest(version: object) -> dict[str, dict[str, list]]:
        """C({folder: {name: [size, crc32]}}) of the files that a version was released with; empty when it is not known."""
        found = next((file for file in MANIFESTS.glob('*.json') if versions.same(file.stem, version)), None)
        return _manifest(found) if found else {}


def manifests() -> dict[str, dict[str, dict[str, list]]]:
    """The manifests of all versions that have one, by version."""
    return {file.stem: _manifest(file) for file in sorted(MANIFESTS.glob('*.json'))}


@functools.lru_cache(maxsize=4)
def _manifest(file: Path) -> dict[str, dict[str, list]]:
    return json.loads(file.read_text(encoding='utf-8'))


def load(overlays: Iterable[str | os.PathLike] = ()) -> Knowledge:
    """The shipped knowledge with overlay files, or folders of them, merged in their order. Cached within a process.

    Raises KnowledgeError naming the file and what is wrong with it.
    """
    files = tuple(_files(FOLDER))
    for overlay in overlays or ():
        path = Path(os.path.expanduser(os.fspath(overlay)))
        if not path.exists():
            raise KnowledgeError(f'The knowledge overlay {path} does not exist: correct jeedom_knowledge.')
        files += tuple(_files(path))
    return _load(files, tuple(os.stat(file).st_mtime_ns for file in files))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in ('.yml', '.yaml', '.json') and file.is_file())


@functools.lru_cache(maxsize=8)
def _load(files: tuple[Path, ...], mtimes: tuple[int, ...]) -> Knowledge:
    sections: dict[str, dict[str, dict]] = {}
    for file, mtime in zip(files, mtimes, strict=True):
        for name, entries in _read(file, mtime).items():
            _merge_section(sections.setdefault(name, {}), entries, f'{file.name}, section {name}')
    return Knowledge(sections)


# One by one as well: what is shipped is read before workers are forked, and an overlay then costs each of them its own file only.
@functools.lru_cache(maxsize=64)
def _read(file: Path, _mtime: int) -> dict[str, list]:
    try:
        text = file.read_text(encoding='utf-8')
        value = json.loads(text) if file.suffix == '.json' else yaml.load(text, Loader=_LOADER)  # noqa: S506  a safe loader either way
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = ' '.join(str(error).split())
        raise KnowledgeError(f'The knowledge file {file} cannot be read ({reason}): correct it.') from error
    if not isinstance(value, dict) or value.get('schema') != SCHEMA:
        raise KnowledgeError(f'The knowledge file {file} does not say "schema: {SCHEMA}": this release reads no other.')
    found = {str(name): entries for name, entries in value.items() if name != 'schema'}
    for name, entries in found.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) and 'id' in entry for entry in entries):
            raise KnowledgeError(f'Section {name} of the knowledge file {file} is not a list of entries with an id.')
    return found


def _merge_section(known: dict[str, dict], entries: list[dict], where: str) -> None:
    seen = set()
    for entry in entries:
        entry_id = str(entry['id'])
        if entry_id in seen:
            raise KnowledgeError(f'The id {entry_id} occurs twice in {where}: keep one.')
        seen.add(entry_id)
        if entry.get('removed') is True:
            known.pop(entry_id, None)
        else:
            known[entry_id] = _merge(known.get(entry_id, {}), dict(entry, id=entry_id))


def _merge(base: Mapping, over: Mapping) -> dict:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else copy.deepcopy(value)
    return merged
