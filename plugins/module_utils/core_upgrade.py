# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole upgrade inside the job: zips, settings, every hop, plugins, engine; and the way back when something fails.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time
import traceback

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    census, config, core_hop, core_plugins, core_route, core_space, core_zips, engine, engine_processes, health_checks, health_web,
    minute_task, restore, restore_point, settings, system, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import Installation

# Percent of the job: zips before, plugins and engine after the hops.
HOPS_FROM, HOPS_TO = 8, 85


class Upgrade(object):
    """One run of the core job. params: those of the core module."""

    def __init__(self, params, context):
        self.params = params
        self.context = context
        self.installation = Installation(params['web_root'])
        context.secrets.extend(self.installation.secrets())
        self.database = self.installation.database()
        self.hops = core_route.parse(params['version'], params['route'])
        self.limits = dict(hop=params['hop_timeout'], stall=params['stall_timeout'], busy=600, script=300)
        self.opened = transaction.current()
        self.begin = time.time()
        self.done = []
        self.plugins = ([], [], [])
        self.kept = []
        # Without a transaction (on_failure: leave) the job remembers these for itself.
        self.engine = self.opened['engine'] if self.opened else None
        self.before = None
        self.settings = None

    def perform(self):
        """Returns the result of the core module; raises BoxError with outcome rolled_back or failed among its details."""
        try:
            return self._upgrade()
        except BoxError as error:
            self._give_up(error)
        except Exception as error:  # pylint: disable=broad-except
            # Whatever it was, the box must not stay in between.
            self.context.log(traceback.format_exc())
            self._give_up(BoxError('The upgrade stopped on an unexpected %s (%s).' % (type(error).__name__, error), 'internal_error'))

    # -- the good way

    def _upgrade(self):
        from_version = (self.opened or {}).get('from_version') or self.installation.version()
        self.from_version = from_version
        core_hop.wait_database(self.database, self.context)
        begun = self._begun()
        todo = core_route.remaining(self.hops, self.installation.version())
        if begun:
            todo = [begun] + [hop for hop in self.hops if self.hops.index(hop) > self.hops.index(begun)]
        archives = core_zips.fetch(todo, self.params, self.context, HOPS_FROM)
        self._prepare()
        span = (HOPS_TO - HOPS_FROM) / float(len(todo) or 1)
        php8 = self._php_major() >= 8
        for index, hop in enumerate(todo):
            self.context.check_stop()
            self.context.phase('check', HOPS_FROM + span * index, step='hop %d/%d to %s' % (index + 1, len(todo), hop['version']))
            self.done.append(self._hop(hop, archives[hop['version']], (HOPS_FROM + span * index, HOPS_FROM + span * (index + 1)), php8,
                                       resume=hop is begun))
        self.context.check_stop()
        self._plugins()
        self.context.check_stop()
        self._finish()
        return self._result()

    def _begun(self):
        """The hop that a job which is gone had begun, or None."""
        if not self.opened or self.opened.get('step') != transaction.HOP:
            return None
        for hop in self.hops:
            if hop['version'] == self.opened.get('hop'):
                return hop
        # The assessment of a half-done box computes another route: the one that was begun counts.
        begun = (self.opened.get('upgrade') or {}).get('route') or []
        for hop in begun:
            if hop['version'] == self.opened.get('hop') and begun[-1]['version'] == self.hops[-1]['version']:
                self.hops = begun
                return hop
        raise BoxError('A hop to %s was begun on the box, which is not on the way to %s.' % (self.opened.get('hop'), self.params['version']),
                       'other_route')

    def _prepare(self):
        """Stop the engine, record the settings once, disarm, remember what must be the same afterwards."""
        self.context.phase('prepare', HOPS_FROM, step='')
        known = (self.opened or {}).get('upgrade') or {}
        self.settings = known.get('settings') or settings.record(self.database)
        if self.engine is None:
            self.engine = engine.record(self.installation, self.database)
        engine.stop(self.installation, self.context)
        self.before = known.get('counts') or health_checks.counts(self.database)
        if self.opened and not known:
            page = health_web.login_page(self.installation.web_root)
            if not page['ok']:
                raise BoxError("Jeedom's login page cannot be had on the box before the upgrade (%s), so no hop could be proved: mend the "
                               'web server first.' % page['message'], 'web_not_provable')
            if self.opened.get('removed_plugins'):
                restore_point.expect(census.stable(self.installation))
            self.opened = transaction.update(upgrade=dict(settings=self.settings, counts=self.before, route=self.hops))
        for name in settings.disarm(self.database):
            self.context.log('disarmed %s' % name)

    def _php_major(self):
        done = system.run(['php', '-r', 'echo PHP_MAJOR_VERSION;'], timeout=30)
        return int(done.out) if done.out.isdigit() else 7

    def _hop(self, hop, archive, share, php8, resume):
        from_version = self.opened.get('hop_from') if resume else self.installation.version()
        work = core_hop.Hop(self.installation, self.database, self.context, hop, archive, self.limits, self.before, from_version,
                            share, php8, self.opened.get('hop_tree') if resume else None)
        if not resume:
            work.tree_before = work.fingerprint()
            if self.opened:
                transaction.update(step=transaction.HOP, hop=hop['version'], hop_from=from_version, hop_tree=work.tree_before)
        else:
            self.context.log('note: the job that began this hop is gone; looking how far it came')
        done = work.perform(resume)
        if self.opened:
            self.opened = transaction.update(step=transaction.HOP_PROVED, hop_tree=None)
        self.context.log('hop to %s proved after %s s' % (done['version'], done['seconds']))
        return done

    def _plugins(self):
        """Give the settings back, then bring the plugins up to date: they need the market and their own sources."""
        defaults = config.defaults(self.installation)
        version = self.installation.version()
        self.kept = settings.give_back(self.database, self.settings, version, defaults, archive=not self.opened)
        if not self.params['plugins']:
            return
        self.context.phase('plugins', HOPS_TO, step='')
        if not core_plugins.market_answers(self.database, defaults):
            self.context.log('the market does not answer: plugins stay as they are')
            self.plugins = ([], [], ['the market does not answer, so no plugin was updated'])
            return
        self.plugins = core_plugins.update(self.installation, self.database, self.context, self.limits)
        wrong = [item for item in core_hop.prove_core(self.installation, self.database, self.hops[-1]['file_version'], self.before)
                 if item['status'] == 'failed']
        if wrong:
            raise BoxError('After the plugins were updated the core is not sound: %s.'
                           % '; '.join('%s: %s' % (item['id'], item['message']) for item in wrong)[:500], 'plugins_broke_core')

    def _finish(self):
        """Engine as recorded; then see its minute task run on the new core."""
        self.context.phase('engine', 93, step='')
        core_space.clean()
        if self.opened:
            # From here on a PHP error in a log is the new core's; those before are of requests that met a tree in motion.
            noted = dict(self.opened['upgrade'], logs=health_checks.log_sizes(self.installation),
                         plugins_updated=[item['id'] for item in self.plugins[0]])
            self.opened = transaction.update(step=transaction.UPGRADED, upgrade=noted)
        marker = os.path.join(self.installation.temporary(self.database), 'jeeCron.pid')
        asked = time.time()
        engine.start(self.installation, self.engine, self.context)
        self.outage = time.time() - (self.opened['opened'] if self.opened else self.begin)
        if self.engine.get('cron_active', True) and self.params['tick_timeout']:
            minute_task.start(self.context)
            if not minute_task.seen(marker, asked, self.params['tick_timeout']):
                raise BoxError("Jeedom's minute task did not run within %d s after the engine was started: look at /etc/cron.d/jeedom and "
                               'log/cron_execution on the box.' % self.params['tick_timeout'], 'no_cron_tick')
        for hop in self.hops:
            path = core_zips.staged_path(hop['version'])
            if path not in (self.params['zips'] or {}).values() and os.path.exists(path):
                os.unlink(path)

    def _result(self):
        updated, old, problems = self.plugins
        seconds = sum(hop['seconds'] for hop in self.done)
        return dict(changed=True, outcome='migrated', from_version=self.from_version, version=self.hops[-1]['version'], hops=self.done,
                    outage=round(self.outage), kept_settings=self.kept, plugins_updated=updated, plugins_old=old,
                    plugin_problems=problems,
                    msg='Version %s became %s in %d hops and %d s; the engine stood still for %d s.'
                        % (self.from_version, self.hops[-1]['version'], len(self.done), seconds, self.outage))

    # -- the way back

    def _give_up(self, error):
        """Take the box back, then raise with the outcome."""
        details = dict(error.details, hops=self.done, from_version=getattr(self, 'from_version', None), version=self.hops[-1]['version'],
                       reason=error.msg)
        self.context.log('FAILED %s: %s' % (error.code, error.msg))
        if self.params['on_failure'] != 'restore' or not self.opened:
            self._leave()
            told = (error.msg, self.installation.version(), ', engine stopped' if self.opened else '')
            raise BoxError('%s The box stays as it is now, as you wished: version file %s%s.' % told, error.code,
                           **dict(details, outcome='failed'))
        self.context.phase('take_back', step='')
        try:
            engine_processes.end(self.installation.web_root, 0, self.context)
            back = restore.take_back(self.installation, self.context, error.msg)
        except BoxError as failure:
            raise BoxError('%s And the box could not be taken back: %s' % (error.msg, failure.msg), failure.code,
                           **dict(details, outcome='failed', first_error=error.code))
        raise BoxError('%s The box was taken back and is on version %s as before.' % (error.msg, back.get('restored_version')), error.code,
                       **dict(details, outcome='rolled_back', rollback=back))

    def _leave(self):
        """Without a way back: what is still the old, whole core gets its settings and its engine again.

        With an open migration nothing moves: what the box recorded from now on would be lost when it is taken back after all.
        """
        if self.opened:
            transaction.update(on_failure='leave')
            return
        try:
            if self.settings and self.installation.version() == self.database.config('version'):
                settings.give_back(self.database, self.settings, self.installation.version(), config.defaults(self.installation))
                engine.start(self.installation, self.engine, self.context)
        except BoxError as error:
            self.context.log('note: %s' % error.msg)
