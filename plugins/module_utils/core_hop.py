# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One hop of a core upgrade: run Jeedom's own updater, prove the result, finish it once where that is known to end well.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import pwd
import time
import zlib

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    core_output, core_route, core_space, core_zips, engine, engine_processes, health_checks, settings, system)
from ansible_collections.jeedom.fleet.plugins.module_utils.database import config_rows
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# Seconds to wait for a second update to go away, and for a database that was restarted under us.
GUARD_WAIT = 60
DATABASE_WAIT = 180


class Hop(object):
    """One hop on one box.

    installation, database, context: as everywhere. hop: {version, ref, file_version}. archive: its proved ReleaseZip.
    limits: {hop, stall} in seconds. before: health_checks.counts() from before the first hop. share: (first, last)
    percent of the job that this hop stands for. php8: PHP 8 or later runs, where updaters fetch vendor by composer.
    from_version: of the files before the hop. tree_before: fingerprint() of then, when a job that is gone began the hop.
    """

    def __init__(self, installation, database, context, hop, archive, limits, before, from_version, share=(0, 100), php8=False,
                 tree_before=None):
        self.installation = installation
        self.database = database
        self.context = context
        self.hop = hop
        self.archive = archive
        self.limits = limits
        self.before = before
        self.share = share
        self.temporary = installation.temporary(database)
        # From 4.5 on (and on PHP 8 from 4.4 on) the updater removes vendor of the zip and calls composer (contract 4.2).
        self.own_vendor = php8 or core_route.at_least(from_version, '4.5')
        self.from_version = from_version
        self.tree_before = tree_before
        self.attempts = 0
        self.script_lost = False
        self.finished = False
        self.proof = []

    def perform(self, resume=False):
        """Do the hop; returns {version, from_version, seconds, attempts, finished, proof}. Raises hop_failed.

        resume: the hop was begun by a job that is gone, so look first how far it came.
        """
        begin = time.time()
        problems = self.prove([]) if resume else self._attempt()
        if problems and self._started():
            problems = self._finish(problems)
        elif problems and not self.context.stopping:
            self.context.log('the hop has changed nothing yet: once more (%s)' % '; '.join(problems))
            problems = self._attempt()
            if problems and self._started():
                problems = self._finish(problems)
        if problems:
            raise BoxError('The hop from %s to %s failed: %s.' % (self.from_version, self.hop['version'], told(problems)),
                           'hop_failed', hop=self.result(begin), problems=problems)
        return self.result(begin)

    def result(self, begin):
        """What is told about this hop."""
        return dict(version=self.hop['version'], from_version=self.from_version, seconds=round(time.time() - begin, 1),
                    attempts=self.attempts, finished=self.finished,
                    proof=dict((item['id'], '%s: %s' % (item['status'], item['message'])) for item in self.proof))

    # -- the updater

    def _attempt(self):
        engine_processes.wait_idle(self.installation.web_root, self.limits['busy'])
        core_space.clean(self.context)
        core_space.check(self.archive, self.installation.web_root, self.temporary, self.database)
        with core_zips.Loopback(self.archive.path) as server:
            settings.for_hop(self.database, server.url, self.hop['ref'])
            output, rc = self._updater()
            if output.marker == 'none_done':
                # Another process had the updater's path on its command line (contract 0.5).
                self.context.log('the updater saw another update and did not run: waiting, then once more')
                engine_processes.wait_idle(self.installation.web_root, GUARD_WAIT)
                output, rc = self._updater()
        return self.prove(output.problems(rc))

    def _updater(self):
        """Run install/update.php; returns (Output, exit code).

        As the web user through sudo alone, since any other wrapper counts as a second update (contract 4.1). Options:
        backup::before=0, because the rollback point is proved and better; plugins=0, because they come last, and because the
        market must not abort the hop; force=0, because 1 carries on after a failed download or unzip; never preUpdate, which
        bricks V3, and never update::reapply, which skips the download and still ends with SUCCESS (contract 0.10).
        """
        self.attempts += 1
        first, last = self.share
        told = [None]

        def tell(phase, percent):
            overall = first + (last - first) * percent * 0.9 / 100
            if phase != told[0]:
                told[0] = phase
                self.context.phase(phase, overall)
            else:
                self.context.percent(overall)

        output = core_output.Output(tell, [name for name, entry in self.archive.files.items() if not entry[0]])
        # A proxy of the box must not get between the updater and 127.0.0.1; sudo passes no environment on, env does.
        argv = self.installation.as_web_user(['env', 'no_proxy=127.0.0.1,localhost', 'php', self.installation.path('install/update.php'),
                                              'backup::before=0', 'plugins=0', 'core=1', 'force=0'])
        rc, dummy_lines = self.context.run(argv, on_line=output.line, timeout=self.limits['hop'], stall=self.limits['stall'])
        self.script_lost = self.script_lost or output.script_lost
        return output, rc

    def fingerprint(self):
        """A number that changes as soon as the updater has touched a file of the release in the tree, or the database version."""
        text = '%r %s' % (self.archive.differences(self.installation.web_root, self.own_vendor), self.database.config('version'))
        return zlib.crc32(text.encode('utf-8')) & 0xffffffff

    def _started(self):
        """Whether the updater has changed anything that a plain second attempt would stumble over."""
        try:
            wait_database(self.database, self.context)
            return self.tree_before is None or self.fingerprint() != self.tree_before
        except BoxError:
            return True

    # -- finishing

    def _finish(self, problems):
        """Second run in the new core's own code (contract 4.3, 7): fatal in consistency.php, killed in the move or in the version
        scripts, database restarted. Returns what is still wrong."""
        if self.script_lost:
            # Such as 4.1.15 on a direct jump: what it should have converted (positions on designs) would be lost for good.
            return problems + ['a version script of the core failed and was passed over, which a second run does not repeat']
        if self.own_vendor and not os.path.isdir(self.installation.path('vendor')):
            return problems
        self.context.phase('finish')
        self.context.log('the hop broke off: %s; finishing it with the new core' % '; '.join(problems))
        self.finished = True
        try:
            wait_database(self.database, self.context)
            # A version script outlives an updater that was killed: let it come to its end, cut at a point is worse.
            engine_processes.end(self.installation.web_root, self.limits['script'], self.context)
            names = [name for name, dummy in self.archive.differences(self.installation.web_root, self.own_vendor)]
            if names and self.database.config('version') != self.from_version:
                return problems + ['the version scripts ran while %d files of the release were missing or wrong, so some may have been '
                                   'left out' % len(names)]
            self._complete(names)
            settings.for_finish(self.database)
            output, rc = self._updater()
        except BoxError as error:
            return problems + [error.msg]
        except (IOError, OSError) as error:
            return problems + ['the tree cannot be completed (%s)' % error]
        return self.prove(output.problems(rc))

    def _complete(self, names):
        """Write what the move did not come to: the same content the updater would have moved."""
        if names:
            owner = pwd.getpwnam(self.installation.web_user)
            self.archive.complete(self.installation.web_root, names, owner.pw_uid, owner.pw_gid)
            self.context.log('completed %d files of the release, such as %s' % (len(names), names[0]))

    # -- the decision rule

    def prove(self, problems):
        """Contract 7, last paragraph, all of it. Returns what is wrong: the given problems and those found here."""
        self.context.phase('prove', self.share[0] + (self.share[1] - self.share[0]) * 0.92)
        try:
            wait_database(self.database, self.context, 30)
            if not core_route.at_least(self.hop['file_version'], settings.PURGE_HARMLESS):
                settings.purge_off(self.database)
            self.proof = prove_core(self.installation, self.database, self.hop['file_version'], self.before)
            wrong = self.archive.differences(self.installation.web_root, self.own_vendor)
            self.proof.append(health_checks.check(
                'files', not wrong, '%d files differ from the release, such as %s (%s)' % (len(wrong), wrong[0][0], wrong[0][1]) if wrong
                else '%d files as in the release' % len(self.archive.expected(self.own_vendor))))
        except BoxError as error:
            return problems + [error.msg]
        self.proof.append(health_checks.check('updater', not problems, '; '.join(problems) or '[END UPDATE SUCCESS], no bad line'))
        return problems + ['%s: %s' % (item['id'], item['message']) for item in self.proof
                           if item['status'] == 'failed' and item['id'] != 'updater']


def told(problems):
    """The first and the last of several problems: what was seen, and what stood in the way of mending it."""
    shown = [text[:220] for text in (problems if len(problems) < 4 else problems[:2] + problems[-1:])]
    return '; '.join(shown + (['%d more in the log' % (len(problems) - 3)] if len(problems) > 3 else []))


def prove_core(installation, database, file_version, before):
    """The part of the decision rule that holds at any time, as a list of checks."""
    rows = config_rows(database, engine.ROWS + ('version',))
    found = [health_checks.versions(installation, rows['version'], file_version), health_checks.rows_on(rows)]
    loads, facts = health_checks.bootstrap(installation)
    found.append(loads)
    found.extend(health_checks.web(installation, facts))
    found.append(health_checks.same_counts(before, health_checks.counts(database)))
    return found


def wait_database(database, context, timeout=DATABASE_WAIT):
    """Wait until MariaDB answers; start it once when it is down. Raises database_error when it does not come."""
    deadline = time.time() + timeout
    tried = False
    while True:
        try:
            database.scalar('SELECT 1', timeout=15)
            return
        except BoxError:
            if time.time() >= deadline:
                raise
        if not tried:
            tried = True
            context.log('MariaDB does not answer: starting it, waiting for it')
            for unit in ('mariadb', 'mysql'):
                if system.run(['systemctl', 'start', unit], timeout=120).rc == 0:
                    break
        time.sleep(2)
