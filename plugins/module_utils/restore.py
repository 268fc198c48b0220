# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restore module: the box is as in a rollback point or an archive again. Python 2.7 and 3.5+, stdlib only.

A transaction of its own, with a journal in state.json ("restore") whose step is written before the step begins:
prepare -> quiet -> files -> tables -> clean -> web -> drop, or -> back. Until "files" nothing of the box has changed, and a cut
restore is forgotten; from then on everything it needs stands proved on the disk, and it is finished.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

# recover is not called from here: the recovery at boot needs it among the code that is packed.
from ansible_collections.jeedom.fleet.plugins.module_utils import (  # noqa: F401, pylint: disable=unused-import
    engine, fault, jobs, point_away, recover, restore_checks, restore_clean, restore_point, restore_schema, restore_source, restore_unit,
    restore_web, swap, system, transaction, tree, tree_extract)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    source=dict(type='str', default='rollback_point', choices=['rollback_point', 'archive']),
    archive=dict(type='path'),
    complement=dict(type='path'),
    manifest=dict(type='path'),
    allow_foreign_host=dict(type='bool', default=False),
    force=dict(type='bool', default=False),
    reason=dict(type='str', default='asked for by the operator'),
    **jobs.JOB_SPEC
)
# From here on the live files or tables are, or may be, others: only forward.
BEGUN = ('files', 'tables', 'clean', 'web', 'drop', 'back')


def run(params, check_mode):
    """Restore, unless that is what the last one did and nothing has been opened since."""
    system.require_root()
    journal = transaction.journal()
    if not journal:
        done = _nothing_to_do(params)
        if done:
            return done
        if params['source'] == 'archive' and not params['archive']:
            raise BoxError('source is archive and no archive was named: give archive, complement and manifest.', 'bad_arguments')
        if (transaction.current() or {}).get('step') != transaction.OPENING:
            # Refusals that need no work come before a job is started.
            _source(params)
    if check_mode:
        return dict(changed=True, outcome=None, restored_version=None)
    live = jobs.running()
    if live and live['kind'] == 'recover':
        # The box is at it already, since its boot.
        return jobs.started(dict(id=live['id'], adopted=True, dir=live['dir']))
    given = dict((key, params[key]) for key in ('web_root', 'source', 'archive', 'complement', 'manifest', 'allow_foreign_host',
                                                'reason'))
    return jobs.started(jobs.start('restore', 'restore', given, params['archive'] or params['source'], params['run_id'],
                                   params['controller']))


def _nothing_to_do(params):
    last = transaction.last() or {}
    same = dict(changed=False, outcome='nothing_to_do', restored_version=last.get('version'))
    if params['source'] == 'rollback_point':
        if not transaction.current() and restore_point.manifest() is None and last.get('outcome') == 'rolled_back':
            return dict(same, msg='The box was taken back to %s already.' % last.get('version'))
        return None
    manifest = system.read_json(params['manifest']) if params['manifest'] else None
    if not params['force'] and not transaction.current() and last.get('outcome') in ('restored', 'rolled_back') and \
            last.get('identity') == (manifest or {}).get('sha256') and \
            Installation(params['web_root']).version() == last.get('version'):
        return dict(same, msg='The box was restored from this archive already; force does it again and loses what came since.')
    return None


def _source(params):
    return restore_source.PointSource() if params['source'] == 'rollback_point' else restore_source.ArchiveSource(params)


def job(params, context):
    """Finish a restore that was cut, or do a new one."""
    journal = transaction.journal()
    if journal and journal['step'] in BEGUN:
        context.log('note: a restore was cut in step %s; finishing it' % journal['step'])
        return Restore(context, journal).finish()
    if journal:
        forget(context, web=False)
    if (transaction.current() or {}).get('step') == transaction.OPENING:
        return _abort(Installation(transaction.current()['web_root']), context, params['reason'])
    return _restore(context, _source(params), params['reason'])


def _abort(installation, context, reason):
    """The rollback point was not complete yet, so nothing has changed: give the engine back, and that is all."""
    restore_point.abort(installation, context)
    return dict(changed=True, outcome='rolled_back', restored_version=installation.version(), seconds=0, outage=0, reason=reason,
                msg='The rollback point had not been complete and nothing had been changed: engine and web are as they were.')


def take_back(installation, context, reason):
    """Restore the rollback point of the open transaction inside the calling job, verify, close the transaction.

    installation: Installation. context: the job's Context. reason: one sentence, why; kept in state.json.
    Returns {changed, outcome: "rolled_back", restored_version, seconds, outage (seconds without web), reason, verified}.
    Raises BoxError when the box could not be taken back; the transaction then stays open, and the next call goes on
    where this one stopped.
    """
    journal = transaction.journal()
    if journal and journal['step'] in BEGUN:
        return Restore(context, journal).finish()
    if journal:
        forget(context, web=False)
    if not transaction.current():
        raise BoxError('No migration of %s is open on the box, so there is nothing to take back.' % installation.web_root,
                       'no_transaction')
    return _restore(context, restore_source.PointSource(), reason)


def forget(context, web=True):
    """Undo a restore that was cut before it began to exchange anything: web and engine as they were, nothing left.

    web: False to leave the web stopped, for a restore that follows at once.
    """
    journal = transaction.journal()
    opened = transaction.current()
    # With the rollback point on the controller the tree may have been removed to make room: then the web stays stopped.
    if web and restore_web.has_been_stopped() and not point_away.is_away(opened):
        restore_web.start_or_log(context)
    if not opened:
        # With a transaction open the engine stays stopped, and the rollback point is needed still.
        exchange = restore_point.exchange(journal['web_root'], journal['connection'])
        engine.start(Installation(journal['web_root']), journal['engine'], context)
        restore_unit.remove()
        exchange.finish()
    if journal['source'] == 'archive':
        tree_extract.remove(os.path.join(swap.work_folder(journal['web_root']), 'new'))
        if not opened:
            tree_extract.remove(swap.work_folder(journal['web_root']))
            tree_extract.remove(restore_point.folder())
    transaction.write_journal(None)


def _restore(context, source, reason):
    opened = transaction.current()
    installation = Installation(source.web_root)
    context.secrets = installation.secrets()
    context.log('restoring %s %s: %s' % (source.kind, source.version, reason))
    context.phase('prove', 5)
    exchange = restore_point.exchange(source.web_root, source.connection, context.log)
    journal = dict(step='prepare', source=source.kind, identity=source.identity, version=source.version, web_root=source.web_root,
                   connection=dict((key, value) for key, value in source.connection.items()
                                   if key in ('host', 'port', 'unix_socket', 'dbname')),
                   work=swap.work_folder(source.web_root), reason=reason, began=time.time(), web_user=source.web_user,
                   engine=opened['engine'] if opened else _record(installation), web_before=restore_web.look()['ok'],
                   in_transaction=bool(opened), temporary=None, pushed=source.files())
    journal['temporary'] = journal['engine'].get('temporary')
    if source.kind == 'archive':
        # Without its marker Jeedom goes through its own start, which reads the cache that is in the archive.
        journal['engine'] = dict(journal['engine'], started=None)
    transaction.write_journal(journal)
    fault.point('restore_journal')
    try:
        if not opened:
            restore_unit.install()
        prepared = source.prepare(context, exchange)
    except Exception:
        forget(context)
        raise
    fault.point('restore_prepared')
    journal.update(new=prepared.folder, kept=prepared.kept, wanted=prepared.wanted, version=prepared.version, cache=source.cache(),
                   remarks=prepared.remarks)
    return Restore(context, journal, exchange).go(prepared)


def _record(installation):
    """How the engine stands; where the database is gone, what a healthy Jeedom has."""
    try:
        return engine.record(installation, installation.database())
    except BoxError:
        return dict(rows=dict.fromkeys(engine.ROWS), cron_files=[], started=None, boot_id=None, temporary='/tmp/jeedom')


class Restore:
    """One restore from "quiet" on; everything it needs stands in its journal and on the disk."""

    def __init__(self, context, journal, exchange=None):
        self.context = context
        self.journal = journal
        self.installation = Installation(journal['web_root'])
        self.exchange = exchange or restore_point.exchange(journal['web_root'], journal['connection'], context.log)
        self.old = os.path.join(journal['work'], 'old')
        self.live = os.path.realpath(tree.native(journal['web_root']))

    def _step(self, name, percent, **keys):
        self.context.phase(name, percent, '')
        self.journal.update(keys, step=name)
        transaction.write_journal(self.journal)
        fault.point('restore_' + name)

    def go(self, prepared):
        """Quiet, plan, then finish()."""
        try:
            # What was unpacked must be on the disk before the old goes.
            system.run(['sync', '-f', prepared.folder], timeout=1800)
            self._step('quiet', 50, stopped=time.time())
            engine.stop(self.installation, self.context, force=True)
            restore_web.stop(self.context)
            fault.point('restore_stopped')
            tree_extract.remove(self.old)
            os.mkdir(self.old, 0o700)
            if not os.path.isdir(self.live):
                os.makedirs(self.live)
            plan = dict(files=swap.plan(self.live, prepared.folder, prepared.kept), tables=self.exchange.plan())
            self.journal['listing'] = os.path.join(restore_point.folder(), 'tree.list')
            if prepared.entries is None:
                self.journal['listing'] = os.path.join(self.journal['work'], 'tree.list')
                tree.save_listing(self.journal['listing'], tree.listing(prepared.folder))
            self._step('files', 55, plan=plan, all_out=False)
        except Exception:
            forget(self.context)
            raise
        return self.finish()

    def finish(self):
        """From "files" to the end, whatever of it is done already. A database that went away is started and tried again."""
        for attempt in range(3):
            try:
                return self._finish()
            except BoxError as error:
                if error.code != 'database_error' or attempt == 2:
                    self._back(error)
                    raise
                self.context.log('MariaDB went away (%s); trying again' % error.msg)
                self.exchange = restore_point.exchange(self.journal['web_root'], self.journal['connection'], self.context.log)
            except Exception as error:
                self._back(error)
                raise

    def _finish(self):
        context, journal = self.context, self.journal
        if journal['step'] != 'drop':
            # After a reboot neither is as it was left.
            engine.stop(self.installation, context, force=True)
            restore_web.stop(context)
        if journal['step'] == 'files':
            swap.forward(self.live, journal['new'], self.old, journal['plan']['files'], journal['all_out'], self._all_out)
            self._step('tables', 65)
        if journal['step'] == 'tables':
            self.exchange.forward(journal['plan']['tables'])
            self._step('clean', 70)
        if journal['step'] == 'clean':
            self._clean()
            self._verify()
            self._step('web', 75)
        if journal['step'] == 'web':
            self._start()
        if journal['step'] == 'back':
            self._undo()
            return dict(changed=False, outcome='taken_back', restored_version=None,
                        msg='A restore that could not be verified was undone: the box is as it was before it.')
        return self._drop()

    def _all_out(self, out=True):
        self.journal['all_out'] = out
        transaction.write_journal(self.journal)

    def _clean(self):
        journal = self.journal
        for line in restore_clean.leftovers(journal.get('temporary') or '/tmp/jeedom', journal.get('cache'), journal['web_user']):
            self.context.log(line)
        for name in restore_clean.missing_folders(self.live, journal['kept'], journal['web_user']):
            self.context.log('made the folder %s, which was gone with all in it' % name)
        fault.point('restore_cleaned')

    def _verify(self):
        """Files and tables, before anything of Jeedom runs again."""
        journal = self.journal
        restore_checks.ensure_login(self.installation, self.exchange.root)
        problems = tree.differences(self.live, tree.load_listing(journal['listing']), journal['kept'])
        # A service of the system may write a log line at any time.
        remarks = [problem for problem in problems if tree.is_below(problem.split(':')[0], tree.VOLATILE)]
        problems = [problem for problem in problems if problem not in remarks]
        found = restore_schema.describe(self.exchange.root, self.exchange.live)
        wrong, others = restore_schema.compare(found, journal['wanted'])
        if self.installation.version() != journal['version']:
            problems.insert(0, 'version file %s instead of %s' % (self.installation.version(), journal['version']))
        journal['verified'] = dict(files=not problems, tables=not wrong, problems=problems + wrong,
                                   remarks=journal.get('remarks', []) + remarks + others)
        for problem in problems + wrong + remarks + others:
            self.context.log('not as in the source: ' + problem)
        if problems or wrong:
            if not self._may_go_back():
                restore_web.start(self.context)
            raise self._not_verified((problems + wrong)[0])

    def _start(self):
        try:
            restore_web.start(self.context)
            seen = restore_web.wait(60)
        except BoxError as error:
            seen = dict(ok=False, status=None, bytes=0, problem=error.msg)
        journal = self.journal
        journal['verified']['web'] = seen
        journal['outage'] = round(time.time() - journal['stopped'], 1)
        self.context.log('login page: %s' % (seen['problem'] or 'served, %d bytes' % seen['bytes']))
        if not seen['ok'] and self._may_go_back():
            raise self._not_verified(seen['problem'])
        engine.start(self.installation, journal['engine'], self.context)
        fault.point('restore_started')
        self._step('drop', 90)

    def _not_verified(self, how):
        kept = ('so the box was given back as it was before the restore' if self._may_go_back() else
                'the old files stay in %s and the old tables in the schema %s: look at them, then run again'
                % (self.old, self.exchange.old))
        return BoxError('The restored Jeedom %s is not as in its source (%s); %s.' % (self.journal['version'], how, kept),
                        'restore_not_verified', verified=self.journal['verified'])

    def _may_go_back(self):
        """Whether what is swapped out was a working Jeedom, so that going back to it is better than an unproved restore."""
        journal = self.journal
        return journal['source'] == 'archive' and not journal['in_transaction'] and journal['web_before'] and \
            journal['step'] in ('files', 'tables', 'clean', 'web')

    def _back(self, error):
        """After an error in the exchange: undo it where the box was better before; otherwise the next call goes on."""
        if not self._may_go_back():
            self.context.log('the restore stopped in step %s (%s); the next call goes on there' % (self.journal['step'], error))
            return
        self.context.log('undoing the exchange: %s' % error)
        self._step('back', 80)
        self._undo()

    def _undo(self):
        restore_web.stop(self.context)
        self.exchange.backward(self.journal['plan']['tables'])
        fault.point('back_tables')
        swap.backward(self.live, self.journal['new'], self.old, self.journal['plan']['files'], self.journal['all_out'],
                      lambda: self._all_out(False))
        fault.point('back_files')
        self.journal['step'] = 'quiet'
        transaction.write_journal(self.journal)
        forget(self.context)

    def _drop(self):
        journal, context = self.journal, self.context
        restore_clean.keep_log(self.old)
        outcome = 'rolled_back' if journal['source'] == 'rollback_point' or journal['in_transaction'] else 'restored'
        restore_point.drop(journal['web_root'], journal['connection'])
        fault.point('restore_dropped')
        verified = journal['verified']
        result = dict(outcome=outcome, restored_version=journal['version'], seconds=round(time.time() - journal['began'], 1),
                      outage=journal.get('outage'), reason=journal['reason'], verified=verified)
        transaction.close(outcome, version=journal['version'], reason=journal['reason'], identity=journal['identity'],
                          seconds=result['seconds'], outage=result['outage'], web=verified['web'])
        restore_unit.remove()
        restore_clean.sent(journal.get('pushed') or ())
        context.log('%s: Jeedom %s, %.1f s without web' % (outcome, journal['version'], journal.get('outage') or 0))
        return dict(result, changed=True)
