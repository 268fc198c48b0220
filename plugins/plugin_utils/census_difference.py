# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare two censuses of a box and say in words what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.jeedom.fleet.plugins.plugin_utils.progress import printable

# Differences named one by one; the rest of a kind is one more line with a number.
NAMED = 20
NOUNS = {
    'objects': ('object', 'objects'), 'equipments': ('equipment', 'equipments'), 'commands': ('command', 'commands'),
    'scenarios': ('scenario', 'scenarios'), 'scenario_elements': ('scenario block', 'scenario blocks'),
    'scenario_subelements': ('part of a scenario block', 'parts of scenario blocks'),
    'scenario_expressions': ('scenario expression', 'scenario expressions'), 'users': ('user', 'users'),
    'views': ('view', 'views'), 'view_zones': ('view zone', 'view zones'), 'view_data': ('view entry', 'view entries'),
    'designs': ('design', 'designs'), 'design_elements': ('design element', 'design elements'),
    'designs_3d': ('3D design', '3D designs'), 'design_3d_elements': ('3D design element', '3D design elements'),
    'interactions': ('interaction', 'interactions'), 'interaction_queries': ('interaction query', 'interaction queries'),
    'variables': ('variable', 'variables'), 'crons': ('cron', 'crons'), 'listeners': ('listener', 'listeners'),
    'messages': ('message', 'messages'), 'plugin_rows': ('plugin entry', 'plugin entries'),
    'active_plugins': ('active plugin', 'active plugins'), 'plugin_settings': ('plugin setting', 'plugin settings'),
    'files': ('file', 'files'), 'plugin_folders': ('plugin folder', 'plugin folders'), 'tables': ('table', 'tables'),
    'folders': ('folder', 'folders'),
}


def noun(what: str, count: int) -> str:
    """C(12 commands), C(1 command)."""
    one, many = NOUNS.get(what, (what, what))
    return f'{count:,} {one if count == 1 else many}'


def _one(what: str) -> str:
    return NOUNS.get(what, (what, what))[0]


def _mapping(value: Any) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _cells(value: Any) -> list:
    return list(value) if isinstance(value, (list, tuple)) else []


def _entry(what: str, kind: str, before: Any, after: Any, text: str, volatile: bool = False) -> dict:
    return {'what': what, 'kind': kind, 'before': before, 'after': after, 'text': printable(text, 240), 'volatile': volatile}


def _theirs(items: dict, key: str, updated: frozenset[str]) -> bool:
    """Whether a thing belongs to a plugin that was updated, which may rewrite it."""
    return len(items[key]) > 3 and items[key][3] in updated


def _listed(what: str, kind: str, names: list[tuple[str, Any, Any]], sentence: str, rest: str, volatile: bool) -> Iterator[dict]:
    """One entry per name up to NAMED, then one for the others. names: (name, before, after)."""
    for name, before, after in names[:NAMED]:
        yield _entry(what, kind, before, after, sentence.format(name=name), volatile)
    if len(names) > NAMED:
        more = len(names) - NAMED
        yield _entry(what, kind, more if kind != 'added' else 0, 0 if kind == 'missing' else more,
                     rest.format(count=noun(what, more), be='is' if more == 1 else 'are'), volatile)


def _items(what: str, before: Mapping, after: Mapping, updated: frozenset[str]) -> Iterator[dict]:
    """Differences of things that are kept one by one: {key: [name, digest, digest of settings]}."""
    volatile = bool(before.get('volatile') or after.get('volatile'))
    one = _one(what)
    old, new = ({key: _cells(item) for key, item in census['items'].items()} for census in (before, after))

    def label(item: list) -> str:
        return printable(item[0] if item else '?', 120)

    gone = [(label(old[key]), label(old[key]), None) for key in old if key not in new]
    fresh = [(label(new[key]), None, label(new[key])) for key in new if key not in old]
    columns = [key for key in old if key in new and old[key][1:2] != new[key][1:2]]
    settings = [key for key in old if key in new and old[key][1:2] == new[key][1:2] and old[key][2:3] != new[key][2:3]]
    yield from _listed(what, 'missing', gone, one + ' {name} is gone', 'another {count} {be} gone', volatile)
    for kind, keys, sentence, rest in (('changed', columns, one + ' {name} changed', 'another {count} changed'),
                                       ('settings', settings, f'the settings of {one} {{name}} changed',
                                        'the settings of another {count} changed')):
        for theirs in (False, True):
            named = [(label(old[key]), label(old[key]), label(new[key])) for key in keys if _theirs(old, key, updated) is theirs]
            yield from _listed(what, kind, named, sentence, rest, volatile or theirs)
    yield from _listed(what, 'added', fresh, one + ' {name} is new', 'another {count} {be} new', volatile)


def _entity(what: str, before: Any, after: Any, updated: frozenset[str] = frozenset()) -> Iterator[dict]:
    if not isinstance(before, Mapping):
        return
    if not isinstance(after, Mapping):
        yield _entry(what, 'unknown', before.get('count'), None, f'the {NOUNS.get(what, (what, what))[1]} could not be counted again')
        return
    volatile = bool(before.get('volatile') or after.get('volatile'))
    if isinstance(before.get('items'), Mapping) and isinstance(after.get('items'), Mapping):
        yield from _items(what, before, after, updated)
        return
    count, now = _number(before.get('count')), _number(after.get('count'))
    if now != count:
        yield _entry(what, 'missing' if now < count else 'added', count, now,
                     f'{noun(what, abs(now - count))} {"fewer" if now < count else "more"} ({now:,} instead of {count:,})', volatile)
    elif before.get('digest') != after.get('digest'):
        yield _entry(what, 'changed', count, now, f'some of the {noun(what, count)} changed', volatile)


def _history(table: str, before: Any, after: Any, names: Mapping) -> Iterator[dict]:
    where = 'history rows' if table == 'history' else 'archived history rows'
    if not isinstance(before, Mapping):
        return
    if not isinstance(after, Mapping):
        yield _entry(table, 'unknown', before.get('rows'), None, f'the {where} could not be counted again')
        return
    if before.get('digest') == after.get('digest') and before.get('rows') == after.get('rows'):
        return
    old, new = _number(before.get('rows')), _number(after.get('rows'))
    if new < old:
        yield _entry(table, 'missing', old, new, f'{_rows(old - new, where)} fewer ({new:,} instead of {old:,})')
    elif new > old:
        yield _entry(table, 'added', old, new, f'{_rows(new - old, where)} more ({new:,} instead of {old:,})')
    elif not isinstance(before.get('commands'), Mapping) or not isinstance(after.get('commands'), Mapping):
        yield _entry(table, 'changed', old, new, f'some of the {old:,} {where} changed')
        return
    was, now = _mapping(before.get('commands')), _mapping(after.get('commands'))
    fewer, changed = [], []
    for command, (count, digest) in ((key, (_cells(value) + [None, None])[:2]) for key, value in was.items()):
        entry = (_cells(now.get(command)) + [None, None])[:2]
        count_now = _number(entry[0])
        name = printable(names.get(command) or f'command {command}', 120)
        if count_now < _number(count):
            fewer.append((f'{_rows(_number(count) - count_now, where)} fewer of {name}', count, count_now))
        elif count_now == count and entry[1] != digest:
            changed.append((f'{where} of {name} changed', count, count_now))
    for kind, found in (('missing', fewer), ('changed', changed)):
        for text, one, two in found[:NAMED]:
            yield _entry(table, kind, one, two, text)
        if len(found) > NAMED:
            yield _entry(table, kind, len(found) - NAMED, None, f'likewise for another {noun("commands", len(found) - NAMED)}')


def _rows(count: int, where: str) -> str:
    return f'{count:,} {where[:-1] if count == 1 else where}'


def _names(census: Mapping) -> dict[str, str]:
    commands = _mapping(_mapping(_mapping(census.get('entities')).get('commands')).get('items'))
    return {str(key): item[0] for key, item in commands.items() if isinstance(item, (list, tuple)) and item}


def _stable(before: Mapping, after: Mapping, updated: frozenset[str]) -> Iterator[dict]:
    for what in sorted(_mapping(before.get('entities'))):
        yield from _entity(what, before['entities'][what], _mapping(after.get('entities')).get(what), updated)
    names = _names(before)
    for table in sorted(_mapping(before.get('history'))):
        yield from _history(table, before['history'][table], _mapping(after.get('history')).get(table), names)
    for what, kind in (('plugin_folders', 'missing'), ('plugin_folders', 'added')):
        one, two = (set(map(str, _cells(census.get(what)))) for census in (before, after))
        names_left = sorted(one - two if kind == 'missing' else two - one)
        yield from _listed(what, kind, [(printable(name), name if kind == 'missing' else None, None if kind == 'missing' else name)
                                        for name in names_left],
                           'plugin folder {name} is ' + ('gone' if kind == 'missing' else 'new'),
                           'another {count} {be} ' + ('gone' if kind == 'missing' else 'new'), False)
    yield from _files(_mapping(before.get('files')), _mapping(after.get('files')))


def _files(before: Mapping, after: Mapping) -> Iterator[dict]:
    if isinstance(before.get('items'), Mapping) and isinstance(after.get('items'), Mapping):
        old, new = before['items'], after['items']
        for kind, paths, sentence in (
                ('missing', [path for path in old if path not in new], 'gone'),
                ('changed', [path for path in old if path in new and _cells(old[path]) != _cells(new[path])], 'changed'),
                ('added', [path for path in new if path not in old], 'new')):
            be = '' if kind == 'changed' else 'is '
            yield from _listed('files', kind, [(printable(path, 160), old.get(path), new.get(path)) for path in sorted(paths)],
                               'file {name} ' + be + sentence,
                               'another {count} ' + ('' if kind == 'changed' else '{be} ') + sentence, False)
    elif before:
        yield from _entity('files', before, after)


def _exact(before: Mapping, after: Mapping) -> Iterator[dict]:
    old, new = _mapping(before.get('exact')), _mapping(after.get('exact'))
    if not old or not new:
        yield _entry('exact', 'unknown', bool(old), bool(new), 'no exact census was taken ' + ('before' if not old else 'after'))
        return
    was, now = _mapping(old.get('tables')), _mapping(new.get('tables'))
    for table in sorted(set(was) | set(now)):
        one, two, name = _mapping(was.get(table)), _mapping(now.get(table)), printable(table, 64)
        if table not in now:
            yield _entry('tables', 'missing', table, None, f'table {name} is gone')
        elif table not in was:
            yield _entry('tables', 'added', None, table, f'table {name} is new')
        elif one.get('rows') != two.get('rows'):
            less = _number(one.get('rows')) - _number(two.get('rows'))
            yield _entry('tables', 'missing' if less > 0 else 'added', one.get('rows'), two.get('rows'),
                         f'table {name} has {abs(less):,} row{"" if abs(less) == 1 else "s"} {"fewer" if less > 0 else "more"}')
        elif one.get('checksum') != two.get('checksum'):
            yield _entry('tables', 'changed', one.get('checksum'), two.get('checksum'), f'rows of table {name} changed')
    was, now = _mapping(old.get('folders')), _mapping(new.get('folders'))
    for kind, sentence, paths in (
            ('missing', 'is gone', [path for path in was if path not in now]),
            ('changed', 'changed', [path for path in was if path in now and _cells(was[path]) != _cells(now[path])]),
            ('added', 'is new', [path for path in now if path not in was])):
        yield from _listed('folders', kind, [(printable(path or '.', 160), was.get(path), now.get(path)) for path in sorted(paths)],
                           'folder {name} ' + sentence, 'another {count} ' + sentence.replace('is', '{be}'), False)


def difference(before: Any, after: Any, level: str = 'stable', everything: bool = False,
               updated_plugins: Sequence[str] = ()) -> list[dict]:
    """What differs between two censuses: [{what, kind, before, after, text, volatile}].

    level: C(stable) compares what must survive the way from V3 to V4, C(exact) every table and folder (after a rollback).
    everything: also what is new, and what a running box changes by itself. updated_plugins: ids of plugins that were updated in
    between: what they changed in their own equipments and commands is no loss, what they deleted is. Raises ValueError for anything but two censuses.
    """
    if level not in ('stable', 'exact'):
        raise ValueError(f'level is {level!r} and has to be stable or exact')
    for name, census in (('before', before), ('after', after)):
        if not isinstance(census, Mapping) or not ('entities' in census or level == 'exact' and 'exact' in census):
            raise ValueError(f'the census {name} is no census: take it with the module facts, '
                             f'gather_subset {"census" if level == "stable" else "census_exact"}')
    found = list(_stable(before, after, frozenset(map(str, updated_plugins))) if level == 'stable' else _exact(before, after))
    if everything or level == 'exact':
        return found
    return [entry for entry in found if entry['kind'] != 'added' and not entry['volatile']]
