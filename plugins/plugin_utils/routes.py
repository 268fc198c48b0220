# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route of a box: the cheapest chain of hops that its updaters survive and its PHP and Debian carry."""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ansible_collections.jeedom.fleet.plugins.plugin_utils import versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.knowledge import Knowledge
from ansible_collections.jeedom.fleet.plugins.plugin_utils.progress import printable


# What of a version tells its zip from another one.
PINS = ('content_sha256', 'sha256')


class RouteError(Exception):
    """There is no route; str() is one sentence: what was found, what is needed, what to do."""

    def __init__(self, message: str, code: str, **details):
        super().__init__(message)
        self.code = code
        self.details = details


@dataclass(frozen=True)
class Box:
    """What of a box decides where its core can go; None is unknown and limits nothing.

    php: every PHP that will run Jeedom (command line and Apache). debian: major number. mariadb: version.
    """

    php: tuple[str, ...] = ()
    debian: int | None = None
    mariadb: str | None = None

    def obstacle(self, entry: dict) -> tuple[str, str] | None:
        """(code, what is found and what is needed) that keeps a core version from running here, or None."""
        need = entry.get('debian', {})
        if self.debian is not None and not versions.inside(self.debian, need):
            few = versions.parse(need.get('min')) or (0,)
            span = f'at least Debian {need["min"]}' if self.debian < few[0] else f'at most Debian {need["max"]}'
            return ('os_too_old' if self.debian < few[0] else 'os_too_new',
                    f'the box runs Debian {self.debian} and {entry["id"]} needs {span}')
        for php in self.php:
            limits = entry.get('php', {})
            if versions.parse(php) is not None and not versions.inside('.'.join(php.split('.')[:2]), limits):
                old = versions.key(php) < versions.key(limits.get('min'))
                span = f'at least PHP {limits.get("min")}' if old else f'at most PHP {limits.get("max")}'
                return ('php_too_old' if old else 'php_too_new',
                        f'the box runs PHP {printable(php, 30)} and {entry["id"]} needs {span}')
        if self.mariadb and versions.parse(self.mariadb) and not versions.inside(self.mariadb, entry.get('mariadb', {})):
            return ('database_too_old', f'the box runs MariaDB {printable(self.mariadb, 30)} and {entry["id"]} needs at least '
                                        f'{entry["mariadb"]["min"]}')
        return None


def box(php: object = None, debian: object = None, mariadb: object = None) -> Box:
    """A Box of loosely typed values: php may be one version or several."""
    several = [php] if isinstance(php, (str, int, float)) else list(php or ()) if isinstance(php, (list, tuple, set)) else []
    major = versions.parse(debian)
    return Box(tuple(str(item) for item in several if versions.parse(item)), major[0] if major else None,
               str(mariadb) if versions.parse(mariadb) else None)


def rule(knowledge: Knowledge, start: str, end: str, allow: Collection[str] = ()) -> dict | None:
    """The rule that makes a hop legal (the cheapest), or None. A hop that loses something needs its name in allow."""
    best = None
    for hop in knowledge.section('hops').values():
        if versions.inside(start, hop['from']) and versions.inside(end, hop['to']):
            if not hop['ok']:
                return None
            if set(hop.get('loses') or ()) <= set(allow) and (best is None or hop['cost'] < best['cost']):
                best = hop
    return best


def vetoes(knowledge: Knowledge, start: str, end: str) -> list[str]:
    """Why a direct hop is not legal, in words."""
    return [hop.get('reason', hop['id']) for hop in knowledge.section('hops').values()
            if not hop['ok'] and versions.inside(start, hop['from']) and versions.inside(end, hop['to'])]


def search(knowledge: Knowledge, start: str, target: str, where: Box = Box(), allow: Collection[str] = ()) -> list[str] | None:
    """The versions of the cheapest legal path after start, or None (Dijkstra over the waypoints and the target)."""
    nodes = {item['id']: item for item in knowledge.section('versions').values()
             if item['id'] == target or (item.get('waypoint') and item.get('target', True))}
    queue: list[tuple[int, tuple[str, ...]]] = [(0, (start,))]
    settled: set[str] = set()
    while queue:
        cost, path = heapq.heappop(queue)
        here = path[-1]
        if here == target and len(path) > 1:
            return list(path[1:])
        if here in settled:
            continue
        settled.add(here)
        for name, entry in nodes.items():
            if name in settled or versions.compare(name, here) <= 0 or where.obstacle(entry):
                continue
            hop = rule(knowledge, here, name, allow)
            if hop:
                heapq.heappush(queue, (cost + int(hop['cost']), path + (name,)))
    return None


def find(knowledge: Knowledge, start: object, target: object, where: Box = Box(), allow: Collection[str] = ()) -> list[dict]:
    """The hops C([{version, ref, file_version, from, resting}]) from a box's file version to a target, with C(content_sha256) and
    C(sha256) where the knowledge pins them.

    Raises RouteError: unknown_target, unreadable_version, already_done, no_route, loses, os_too_old, os_too_new, php_too_old,
    php_too_new, database_too_old. details may hold C(reachable): the newest version that this box can be brought to.
    """
    wanted = knowledge.version(target)
    if not wanted or not wanted.get('target', True):
        near = nearest(str(target), knowledge.targets())
        raise RouteError(f'The target version {printable(str(target), 40)} is not known: set jeedom_target_version to one of '
                         f'{", ".join(near)}, or add it to a knowledge overlay.', 'unknown_target', nearest=near)
    if versions.parse(start) is None:
        raise RouteError(f'The version of the core on the box cannot be read (found {printable(str(start), 40) or "nothing"}): '
                         'check core/config/version in its web root.', 'unreadable_version')
    entry = knowledge.version(start)
    here = entry.get('id') or str(start)
    goal = wanted['id']
    if versions.compare(here, goal) >= 0:
        newer = versions.compare(here, goal) > 0
        raise RouteError(f'The box is on {here} already' + (f', newer than the target {goal}; nothing goes back by a hop.' if newer
                         else ': nothing to do.'), 'already_done', newer=newer)
    path = search(knowledge, here, goal, where, allow)
    if path is None:
        raise _why(knowledge, here, goal, where, allow)
    hops, previous = [], str(start)
    for name in path:
        item = knowledge.version(name)
        hops.append({'version': item['id'], 'ref': item['ref'], 'file_version': item['file_version'], 'from': previous,
                     'resting': bool(item.get('resting')), **{pin: item[pin] for pin in PINS if item.get(pin)}})
        previous = item['file_version']
    return hops


def reachable(knowledge: Knowledge, start: str, where: Box = Box(), allow: Collection[str] = ()) -> str | None:
    """The newest known version that a box can be brought to, or None."""
    for name in reversed(knowledge.targets()):
        if versions.compare(name, start) > 0 and search(knowledge, start, name, where, allow):
            return name
    return None


def nearest(wanted: str, names: Iterable[str], count: int = 3) -> list[str]:
    """The names most like the wanted one."""
    names = list(names)
    close = difflib.get_close_matches(wanted, names, n=count, cutoff=0.3)
    return close or names[-count:]


def _why(knowledge: Knowledge, start: str, target: str, where: Box, allow: Collection[str]) -> RouteError:
    """The reason why there is no route, as an error to raise."""
    free = search(knowledge, start, target, Box(), allow)
    if free is None:
        losses = knowledge.section('losses')
        lossy = search(knowledge, start, target, where, set(losses) | set(allow))
        if lossy:
            lost = [name for one, two in zip([start] + lossy, lossy, strict=False) for name in (rule(knowledge, one, two, losses) or {}).get('loses', ())]
            titles = ', '.join(losses[name].get('title', name) for name in dict.fromkeys(lost))
            return RouteError(f'The only route from {start} to {target} loses {titles}: add {", ".join(dict.fromkeys(lost))} to jeedom_allow if '
                              'that is meant.', 'loses', loses=lost)
        reasons = vetoes(knowledge, start, target)
        because = f' ({reasons[0]})' if reasons else ''
        return RouteError(f'No route is known from {printable(start, 40)} to {target}{because}: bring the box to a version that is known '
                          f'({", ".join(knowledge.section("versions"))}), or add the hop to a knowledge overlay.', 'no_route')
    best = reachable(knowledge, start, where, allow)
    code, text = next((found for found in (where.obstacle(knowledge.version(name)) for name in [target] + free) if found),
                      ('no_route', f'no chain of hops to {target} runs on this box'))
    advice = f'choose {best} as target for this box' if best else 'no V4 runs on this box as it is'
    remedy = {'os_too_old': 'or move it to a newer Debian first', 'php_too_old': 'or give it a newer PHP first',
              'php_too_new': 'or give it an older PHP first', 'os_too_new': 'or restore its archive on an older Debian',
              'database_too_old': 'or update its MariaDB first'}.get(code, 'or add the hop to a knowledge overlay')
    return RouteError(f'There is no route from {start} to {target} on this box: {text}; {advice}, {remedy}.', code, reachable=best)
