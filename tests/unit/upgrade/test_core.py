# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the core module decides from the box, and what a hop does with a good and a broken updater."""

import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    core, core_hop, core_space, core_upgrade, core_zips, engine_processes, health_checks, jobs, restore, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

from .fakes import make_zip

ROUTE = [{'version': '4.0.63', 'file_version': '4.0.62'}, '4.1.28']


@pytest.fixture
def started(monkeypatch):
    """Jobs that would have been started."""
    found = []
    monkeypatch.setattr(jobs, 'start', lambda kind, module, params, key, run_id, controller: found.append((kind, params)) or {'id': 'x'})
    return found


def run(box, check_mode=False, **more):
    params = {'web_root': box.web_root, 'version': '4.1.28', 'route': ROUTE, 'on_failure': 'restore', 'plugins': True, 'zips': {},
              'state': 'present', 'source_url': 'https://x/{ref}', 'run_id': None, 'controller': None, 'wait': True, 'wait_timeout': 1}
    params.update(more)
    return core.run(params, check_mode)


def at(box, files, database=None):
    with open(box.path('core/config/version'), 'w') as stream:
        stream.write(files + '\n')
    box.fake.rows['core', 'version'] = database or files


def opened(box, step=transaction.OPEN, **keys):
    transaction.open(box.web_root, 'jeedom', {'rows': {}}, '3.3.60')
    return transaction.update(step=step, **keys)


def test_on_the_target_nothing_is_done(box, started):
    at(box, '4.1.28')
    result = run(box)
    assert result['changed'] is False and result['outcome'] == 'already_done' and not started


def test_a_begun_hop_is_looked_at_even_on_the_target_version(box, started):
    at(box, '4.1.28')
    opened(box, transaction.HOP, hop='4.1.28')
    assert run(box)['changed'] is True and started


def test_without_a_proved_rollback_point_no_hop_starts(box, started):
    at(box, '3.3.60')
    with pytest.raises(BoxError) as caught:
        run(box)
    assert caught.value.code == 'no_transaction'
    opened(box, transaction.OPENING)
    with pytest.raises(BoxError):
        run(box)
    assert not started
    transaction.update(step=transaction.OPEN)
    assert run(box)['job'] and started[0][0] == 'core'


def test_leave_needs_none(box, started):
    at(box, '3.3.60')
    assert run(box, on_failure='leave')['job']


def test_check_mode_predicts_the_hops(box, started):
    at(box, '4.0.62')
    result = run(box, check_mode=True)
    assert result['changed'] is True and result['hops'] == [{'version': '4.1.28'}] and not started


@pytest.mark.parametrize('files,database,code', [('4.2.0', '4.2.0', 'newer_core'), ('4.1.28', '4.0.5', 'half_migrated')])
def test_what_no_hop_can_mend_is_refused(box, started, files, database, code):
    at(box, files, database)
    with pytest.raises(BoxError) as caught:
        run(box, on_failure='leave')
    assert caught.value.code == code


def test_staging_starts_a_job_only_for_what_is_missing(box, started, tmp_path):
    at(box, '4.0.62')
    path = tmp_path / 'mine.zip'
    assert run(box, state='staged')['job']
    make_zip(path)
    assert run(box, state='staged', zips={'4.1.28': str(path)})['changed'] is False
    assert [kind for kind, dummy in started] == ['stage']


# -- one hop

class Context:
    """A job's context whose updater does what the test says."""
    stopping = False

    def __init__(self, updaters=()):
        self.updaters = list(updaters)
        self.commands = []
        self.secrets = []

    def log(self, line):
        pass

    phase = percent = lambda self, *dummy, **dummies: None

    def check_stop(self):
        if self.stopping:
            raise BoxError('stopped', 'job_stopped')

    def run(self, argv, on_line=None, **dummy):
        self.commands.append(argv)
        rc, lines = self.updaters.pop(0)()
        for line in lines:
            on_line(line)
        return rc, lines


GOOD = ['Moving files...OK', 'Check jeedom consistency...', '[END UPDATE SUCCESS]']


@pytest.fixture
def hop(box, archive, monkeypatch):
    """make(context) gives a hop to 4.1.28 whose web and bootstrap are well as long as the tree is whole."""
    at(box, '4.0.62')
    for name in ('bootstrap', 'web', 'counts', 'same_counts'):
        assert hasattr(health_checks, name)
    fine = {'id': 'x', 'status': 'ok', 'message': 'ok'}
    monkeypatch.setattr(health_checks, 'bootstrap', lambda installation: (dict(fine, id='bootstrap'), {}))
    monkeypatch.setattr(health_checks, 'web', lambda installation, facts: [dict(fine, id='login_page')])
    monkeypatch.setattr(health_checks, 'counts', lambda database: None)
    monkeypatch.setattr(health_checks, 'same_counts', lambda before, now: dict(fine, id='counts'))
    monkeypatch.setattr(core_space, 'check', lambda *dummy: None)
    monkeypatch.setattr(core_space, 'clean', lambda *dummy: None)
    monkeypatch.setattr(engine_processes, 'end', lambda *dummy: 0)
    monkeypatch.setattr(engine_processes, 'wait_idle', lambda *dummy: None)
    monkeypatch.setattr(core_hop, 'DATABASE_WAIT', 0)
    os.makedirs(box.path('vendor'))

    def make(context):
        work = core_hop.Hop(box, box.fake, context, {'version': '4.1.28', 'ref': '4.1.28', 'file_version': '4.1.28'}, archive,
                            {'hop': 1, 'stall': 1, 'busy': 1, 'script': 0}, None, '4.0.62')
        work.tree_before = work.fingerprint()
        return work
    monkeypatch.setattr(core_hop.pwd, 'getpwnam', lambda name: type('Owner', (), {'pw_uid': os.getuid(), 'pw_gid': os.getgid()}))
    return make


def moves(box, archive, leave_out=(), database=True):
    """An updater's work: the tree, and the version in the database."""
    names = [name for name in archive.expected() if name not in leave_out]
    archive.complete(box.web_root, names, os.getuid(), os.getgid())
    if database:
        box.fake.rows['core', 'version'] = '4.1.28'


def test_a_good_hop_is_proved_after_one_run(box, archive, hop):
    context = Context([lambda: moves(box, archive) or (0, GOOD)])
    done = hop(context).perform()
    assert (done['attempts'], done['finished']) == (1, False)
    assert done['proof']['files'].startswith('ok')


def test_a_file_that_is_empty_in_the_release_costs_no_second_run(box, archive, hop):
    told = 'Ignore file /tmp/jeedom_unzip/core-4.1.28///empty.txt because size is 0'
    done = hop(Context([lambda: moves(box, archive) or (0, [told, *GOOD])])).perform()
    assert (done['attempts'], done['finished']) == (1, False) and done['proof']['updater'].startswith('ok')


def test_the_updater_is_called_as_it_must_be(box, archive, hop):
    context = Context([lambda: moves(box, archive) or (0, GOOD)])
    hop(context).perform()
    argv = context.commands[0]
    assert argv[:3] == ['sudo', '-n', '-u'] and box.path('install/update.php') in argv
    # any of these would be taken for a second update, or is a trap (contract 0.5, 0.10, 4.1)
    assert not {'timeout', 'runuser', 'su', 'sh'} & set(argv)
    assert {'backup::before=0', 'plugins=0', 'core=1', 'force=0'} <= set(argv)
    assert not [item for item in argv if 'reapply' in item or 'preUpdate' in item]


def test_success_with_files_missing_is_never_finished(box, archive, hop):
    # /tmp full while unzipping (contract 7): the version scripts may be among what is missing, and would never run again
    context = Context([lambda: moves(box, archive, leave_out=['desktop/js/a.js']) or (0, GOOD)])
    with pytest.raises(BoxError) as caught:
        hop(context).perform()
    assert 'missing or wrong' in caught.value.msg and len(context.commands) == 1


def test_a_hop_is_finished_without_another_download(box, archive, hop):
    context = Context([lambda: moves(box, archive) or (255, GOOD[:1]), lambda: (0, GOOD)])
    assert hop(context).perform()['finished'] is True
    assert box.fake.config('update::allowCore') == '0'


def test_success_on_the_old_version_is_no_success(box, archive, hop):
    context = Context([lambda: (0, GOOD), lambda: (0, GOOD)])
    with pytest.raises(BoxError) as caught:
        hop(context).perform()
    assert caught.value.code == 'hop_failed' and len(context.commands) == 2


def test_a_killed_updater_is_finished_once(box, archive, hop):
    context = Context([lambda: moves(box, archive, leave_out=['index.php'], database=False) or (-9, GOOD[:1]),
                       lambda: moves(box, archive) or (0, GOOD)])
    assert hop(context).perform()['finished'] is True


def test_a_second_failure_ends_the_hop(box, archive, hop):
    context = Context([lambda: moves(box, archive, database=False) or (255, GOOD[:1]), lambda: (255, [])])
    with pytest.raises(BoxError) as caught:
        hop(context).perform()
    assert caught.value.code == 'hop_failed' and len(context.commands) == 2


def test_a_version_script_that_was_passed_over_is_never_finished(box, archive, hop):
    lines = ['Remove temporary files...OK', 'Update system into : 4.1.15...PHP Fatal error: x', 'Update system into : 4.1.16...OK']
    context = Context([lambda: moves(box, archive) or (0, lines + GOOD[1:])])
    with pytest.raises(BoxError) as caught:
        hop(context).perform()
    assert 'version script' in caught.value.msg and len(context.commands) == 1


def test_an_updater_that_did_not_run_is_asked_once_more(box, archive, hop):
    context = Context([lambda: (0, ['[END UPDATE]']), lambda: moves(box, archive) or (0, GOOD)])
    done = hop(context).perform()
    assert (done['attempts'], done['finished']) == (2, False)


def test_crons_left_off_fail_the_proof(box, archive, hop):
    def off():
        moves(box, archive)
        box.fake.rows['core', 'enableCron'] = '0'
        return 0, GOOD
    with pytest.raises(BoxError) as caught:
        hop(Context([off, lambda: (0, GOOD)])).perform()
    assert 'enableCron' in caught.value.msg


def test_the_purge_is_switched_off_again_after_the_hop(box, archive, hop):
    def consistency():
        moves(box, archive)
        box.fake.cron['history::archive'] = True
        return 0, GOOD
    hop(Context([consistency])).perform()
    assert box.fake.cron['history::archive'] is False


def test_a_hop_that_a_gone_job_had_ended_well_is_only_proved(box, archive, hop):
    moves(box, archive)
    context = Context()
    done = hop(context).perform(resume=True)
    assert done['attempts'] == 0 and not context.commands


# -- the way back

@pytest.fixture
def upgrade(box, monkeypatch):
    """An upgrade that fails in its preparation."""
    at(box, '3.3.60')
    monkeypatch.setattr(box.__class__, 'secrets', lambda self: [])
    monkeypatch.setattr(core_zips, 'fetch', lambda *dummy: {})
    monkeypatch.setattr(engine_processes, 'end', lambda *dummy: 0)
    params = {'web_root': box.web_root, 'version': '4.1.28', 'route': ROUTE, 'on_failure': 'restore', 'plugins': False, 'zips': {},
              'hop_timeout': 1, 'stall_timeout': 1, 'source_url': core_zips.SOURCE}

    def fails(self):
        raise BoxError('It broke.', 'hop_failed')
    monkeypatch.setattr(core_upgrade.Upgrade, '_prepare', fails)
    return params


def test_a_failure_takes_the_box_back(box, upgrade, monkeypatch):
    opened(box)
    reasons = []
    monkeypatch.setattr(restore, 'take_back', lambda installation, context, reason: reasons.append(reason) or {'restored_version': '3.3.60'})
    with pytest.raises(BoxError) as caught:
        core_upgrade.Upgrade(upgrade, Context()).perform()
    assert caught.value.details['outcome'] == 'rolled_back' and reasons == ['It broke.']
    assert caught.value.code == 'hop_failed'


def test_a_way_back_that_fails_is_failed_not_rolled_back(box, upgrade, monkeypatch):
    opened(box)

    def broken(*dummy):
        raise BoxError('No way.', 'restore_failed')
    monkeypatch.setattr(restore, 'take_back', broken)
    with pytest.raises(BoxError) as caught:
        core_upgrade.Upgrade(upgrade, Context()).perform()
    assert caught.value.details['outcome'] == 'failed' and caught.value.code == 'restore_failed'


def test_an_unexpected_error_takes_the_box_back_too(box, upgrade, monkeypatch):
    opened(box)
    monkeypatch.setattr(core_upgrade.Upgrade, '_prepare', lambda self: {}['x'])
    monkeypatch.setattr(restore, 'take_back', lambda *dummy: {'restored_version': '3.3.60'})
    with pytest.raises(BoxError) as caught:
        core_upgrade.Upgrade(upgrade, Context()).perform()
    assert caught.value.details['outcome'] == 'rolled_back' and caught.value.code == 'internal_error'


def test_leave_takes_nothing_back(box, upgrade, monkeypatch):
    opened(box)
    monkeypatch.setattr(restore, 'take_back', lambda *dummy: pytest.fail('taken back'))
    with pytest.raises(BoxError) as caught:
        core_upgrade.Upgrade(dict(upgrade, on_failure='leave'), Context()).perform()
    assert caught.value.details['outcome'] == 'failed'
    assert transaction.current()['on_failure'] == 'leave' and 'engine stopped' in caught.value.msg


def test_a_begun_hop_outside_the_new_route_goes_on_with_the_old_one(box, upgrade):
    opened(box, transaction.HOP, hop='4.0.63', upgrade={'route': core_upgrade.core_route.parse('4.1.28', ROUTE)})
    work = core_upgrade.Upgrade(dict(upgrade, route=['4.1.28']), Context())
    assert work._begun()['version'] == '4.0.63' and len(work.hops) == 2


@pytest.mark.parametrize('removed, counted', [(None, []), (['timeline'], [{'equipments': 2}])])
def test_the_census_without_what_was_removed_is_kept_before_the_first_hop(box, monkeypatch, removed, counted):
    at(box, '3.3.60')
    opened(box, removed_plugins=removed)
    kept = []
    for module, name, gives in ((core_upgrade.engine, 'stop', None), (health_checks, 'counts', {}), (core_upgrade.settings, 'record', {}),
                                (core_upgrade.settings, 'disarm', []), (core_upgrade.census, 'stable', {'equipments': 2}),
                                (core_upgrade.health_web, 'login_page', {'ok': True})):
        monkeypatch.setattr(module, name, lambda *dummy, gives=gives: gives)
    monkeypatch.setattr(box.__class__, 'secrets', lambda self: [])
    monkeypatch.setattr(core_upgrade.restore_point, 'expect', kept.append)
    params = {'web_root': box.web_root, 'version': '4.1.28', 'route': ROUTE, 'hop_timeout': 1, 'stall_timeout': 1}
    core_upgrade.Upgrade(params, Context())._prepare()
    # a job that goes on after one that was cut is past that moment
    core_upgrade.Upgrade(params, Context())._prepare()
    assert kept == counted
