# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look after the migration (user-pains 7, post-flight list): what must hold on the new core, against the look before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ansible_collections.jeedom.fleet.plugins.plugin_utils import versions
from ansible_collections.jeedom.fleet.plugins.plugin_utils.checks_base import Hit, View, hit, listed
from ansible_collections.jeedom.fleet.plugins.plugin_utils.knowledge import Knowledge

# Tables and the version that brought them (contract 1.2).
_TABLES = {'widgets': '4.0', 'timeline': '4.1', 'cache': '4.4', 'event': '4.4', 'queue': '4.5'}


@dataclass
class After:
    """The box after and before, and what the health module said."""

    after: View
    before: View
    health: View
    knowledge: Knowledge
    target: str

    @property
    def version(self) -> str | None:
        """Version of the files."""
        return self.after.text('core.version_file', 40)


def version(box: After) -> Iterator[Hit]:
    """Files and database are on the target."""
    database = box.after.text('core.version_db', 40)
    wanted = box.knowledge.version(box.target).get('file_version', box.target)
    if not versions.same(box.version, wanted) or not versions.same(database, wanted):
        yield hit('post_version', [f'core/config/version: {box.version}', f'config.version: {database}'], file=box.version or 'unknown',
                  db=database or 'unknown', target=box.target)


def engine(box: After) -> Iterator[Hit]:
    """Crons, scenarios and the scheduler are as before."""
    lines = []
    for key, word in (('enable_cron', 'crons'), ('enable_scenario', 'scenarios')):
        if box.after.flag(f'engine.{key}') is False and box.before.flag(f'engine.{key}') is not False:
            lines.append(f'{word} are off')
    if box.after.flag('engine.cron_file.active') is False and box.before.flag('engine.cron_file.active') is not False:
        lines.append('/etc/cron.d/jeedom is missing or runs nothing')
    if lines:
        yield hit('post_engine', lines)


def tables(box: After) -> Iterator[Hit]:
    """The schema is that of the new core."""
    there = {name for name, _value in box.after.pairs('database.tables')}
    missing = [name for name, since in _TABLES.items() if there and name not in there and versions.inside(box.version, {'min': since})]
    if missing:
        yield hit('post_tables', missing, names=listed(missing), web_root=box.after.text('web_root') or '/var/www/html')


def foreign_keys(box: After) -> Iterator[Hit]:
    """V3's foreign keys are gone."""
    count = box.after.number('database.foreign_keys')
    if count and versions.inside(box.version, {'min': '4.0'}):
        yield hit('post_foreign_keys', box.after.texts('database.foreign_key_names'), count=int(count))


def health(box: After) -> Iterator[Hit]:
    """Web page, API and start of the core, as the health module saw them."""
    status = box.health.text('status', 20)
    if status in ('failed', 'degraded'):
        bad = [item for item in box.health.items('checks') if item.text('status', 20) not in ('ok', 'skipped', None)]
        lines = [f'{item.text("name") or item.text("id")}: {item.text("message") or item.text("detail") or item.text("status", 20)}' for item in bad]
        names = [item.text('name', 40) or item.text('id', 40) or '?' for item in bad]
        yield hit('post_health', lines or [status], severity='blocker' if status == 'failed' else 'warning', names=listed(names) or 'some',
                  verb='failed' if status == 'failed' else 'are not well')


def fatal(box: After) -> Iterator[Hit]:
    """Apache's log has nothing new that is fatal."""
    new = (box.after.number('activity.http_error.fatal') or 0) - (box.before.number('activity.http_error.fatal') or 0)
    if new > 0:
        yield hit('post_fatal', box.after.text('activity.http_error.last_fatal', 200) or 'unknown', count=int(new))


def rows(box: After) -> Iterator[Hit]:
    """Nothing of the user became less: estimates of InnoDB are not good enough, so only exact counts are compared."""
    sums: list[int | float | None] = []
    for look in (box.before, box.after):
        counts = [look.number(f'history.{table}.rows') for table in ('history', 'historyArch')]
        sums.append(None if None in counts else sum(filter(None, counts)))
    # rows move from one table to the other, and go on being written
    before, after = sums
    lines = [f'history: {int(before)} before, {int(after)} after'] if before is not None and after is not None and after < before else []
    for name, value in box.before.pairs('census.entities'):
        before, after = View(value).number('count'), box.after.number(f'census.entities.{name}.count')
        if View(value).flag('volatile') is not True and before is not None and after is not None and after < before and name != 'history':
            lines.append(f'{name}: {int(before)} before, {int(after)} after')
    if lines:
        yield hit('post_rows', lines, names=listed(line.split(':', 1)[0] for line in lines))


def _states(look: View, key: str) -> dict[str, bool]:
    return {item.text('id', 60) or '?': item.flag(key) is True for item in look.items('plugins')}


def daemons(box: After) -> Iterator[Hit]:
    """No daemon is worse than before."""
    before, after = _states(box.before, 'daemon.alive'), _states(box.after, 'daemon.alive')
    down = [name for name, ran in before.items() if ran and after.get(name) is False]
    if down:
        yield hit('post_daemons', down, names=listed(down))


def plugins(box: After) -> Iterator[Hit]:
    """No plugin was switched off on the way; one that is gone was removed on purpose, and the census tells what went along."""
    before, after = _states(box.before, 'active'), _states(box.after, 'active')
    off = [name for name, was in before.items() if was and after.get(name) is False]
    if off:
        yield hit('post_plugins_inactive', off, names=listed(off))


def mitigation(box: After) -> Iterator[Hit]:
    """A box that stays on a version with a trap has its mitigation on."""
    missing = []
    if box.knowledge.trap('date_limit', box.version) and box.after.flag('core.ignore_hour_check') is False:
        missing.append('ignoreHourCheck')
    if box.knowledge.trap('history_purge', box.version) and box.after.flag('engine.history_archive.enabled') is True:
        missing.append('history::archive off')
    if missing:
        yield hit('post_mitigation', missing, file=box.version, names=listed(missing))


CHECKS: tuple[Callable[[After], Iterator[Hit]], ...] = (version, engine, tables, foreign_keys, health, fatal, rows, daemons, plugins, mitigation)
