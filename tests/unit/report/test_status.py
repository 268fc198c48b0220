# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a box stands: what is read of it in one look, and what that means beside the journal."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import board, journal, progress, status, status_look


@pytest.fixture
def box(tmp_path):
    """A folder that stands for a box: look() runs the very command there."""
    state = tmp_path / 'state'
    (state / 'jobs').mkdir(parents=True)
    (tmp_path / 'www' / 'core' / 'config').mkdir(parents=True)
    (tmp_path / 'www' / 'core' / 'config' / 'version').write_text('4.1.28\n', encoding='utf-8')

    def look():
        command = status_look.command(str(tmp_path / 'www')).replace('/var/lib/jeedom-fleet', str(state))
        done = subprocess.run(['sh', '-c', command], capture_output=True, text=True, check=True)
        assert done.stderr == ''
        return status_look.parse(done.stdout)

    def job(name, **told):
        folder = state / 'jobs' / name
        folder.mkdir()
        for file, content in told.items():
            (folder / file.replace('__', '.')).write_text(content if isinstance(content, str) else json.dumps(content), encoding='utf-8')

    look.job, look.state = job, state
    return look


def own_status(**keys):
    """status.json of a job that this very process is."""
    with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as handle:
        boot = handle.read().strip()
    with open('/proc/self/stat', encoding='utf-8') as handle:
        start = int(handle.read().rsplit(')', 1)[1].split()[19])
    return {'pid': os.getpid(), 'start_time': start, 'boot_id': boot, 'started': 100.0, 'heartbeat': 190.0, 'percent': 42, 'phase': 'move',
            'step': 'hop 2/4 to 4.1.28', 'line': 'x', **keys}


def test_a_box_that_was_never_touched(box):
    assert box() == {'uid': os.getuid(), 'version': '4.1.28', 'transaction': None, 'job': None}


def test_the_newest_job_is_shown_whatever_its_kind(box):
    box.job('rollback_point-20261123T090000-aaaa', rc='0\n', result__json={'changed': True}, status__json=own_status())
    box.job('core-20261123T100000-0001', status__json=own_status())
    box.job('zeta-20261122T100000-0001', rc='1\n', result__json={'msg': 'x'}, status__json=own_status())
    job = box()['job']
    assert (job['id'], job['kind'], job['state'], job['percent'], job['elapsed']) == ('core-20261123T100000-0001', 'core', 'running', 42, 90.0)


@pytest.mark.parametrize('told, state', [
    ({'rc': '0\n', 'result__json': {'changed': True}}, 'finished'), ({'rc': '1\n', 'result__json': {'msg': 'No room.'}}, 'failed'), ({}, 'died')])
def test_how_a_job_ended(box, told, state):
    box.job('core-20261123T100000-0001', status__json=own_status(pid=2 ** 22 - 1), **told)
    assert box()['job']['state'] == state


def test_an_open_migration_is_seen_and_a_damaged_state_survived(box):
    (box.state / 'state.json').write_text(json.dumps({'transaction': {'step': 'hop\x1b[2J', 'from_version': '3.3.60', 'secret': 'x'}}), encoding='utf-8')
    assert box()['transaction'] == {'step': 'hop [2J', 'from_version': '3.3.60', 'run_id': ''}
    (box.state / 'state.json').write_text('{"transaction": ', encoding='utf-8')
    assert box()['transaction'] is None


@pytest.mark.parametrize('text', ['', 'garbage', '@@jeedom-fleet-status@@' * 9, '\x00'])
def test_answers_of_any_kind_are_survived(text):
    assert status_look.parse(text)['uid'] is None


def entry(outcome, target='4.5.3', found=None):
    told = {'host': 'b', 'run_id': 'r', 'started': 1, 'outcome': None, 'stages': {}, 'history': []}
    begin = found or (target if outcome == 'already_done' else '3.3.60')
    journal.apply(told, 'r', 'assess', 'ok', 1, 'Ready.', {'target_version': target}, {'from_version': begin}, outcome)
    return told


def seen(version='3.3.60', transaction=None, job=None):
    return {'uid': 0, 'version': version, 'transaction': transaction, 'job': job}


OPEN = {'step': 'hop', 'from_version': '3.3.60', 'run_id': 'r'}
JOB = {'kind': 'core', 'state': 'running', 'percent': 42, 'elapsed': 90.0, 'step': 'hop 2/4', 'phase': 'move'}


@pytest.mark.parametrize('told, look, state, words', [
    (entry('migrated'), None, 'unreachable', 'last known here: migrated'), (None, None, 'unreachable', 'no journal here'),
    (entry('unknown'), seen('4.1.28', OPEN, JOB), 'running', 'core is running, 42 %, 01:30, hop 2/4: move'),
    (entry('unknown'), seen('4.1.28', OPEN), 'interrupted', 'run the migration again'), (entry('already_done'), seen('4.5.3', OPEN), 'interrupted', 'is open'),
    (entry('unknown'), seen('4.5.3'), 'interrupted', 'is on 4.5.3 though the journal says "unknown"'),
    (entry('migrated'), seen('4.4.20'), 'interrupted', 'somebody changed it'), (entry('migrated'), seen('4.5.3'), 'migrated', 'Ready.'),
    (None, seen(), 'new', 'not touched'), (None, seen(None), 'new', 'no Jeedom found'), (entry(None), seen(), 'stopped', 'Ready.'),
    (entry('already_done'), seen('3.3.60'), 'interrupted', 'was on 4.5.3 and is on 3.3.60 now: somebody changed it'),
    (entry('already_done', found='4.6.0'), seen('4.6.0'), 'already_done', 'Ready.'),
    (entry('already_done', found='4.6.0'), seen('4.5.3'), 'already_done', 'Ready.'),
    (entry('already_done'), seen(None), 'already_done', 'Ready.')])
def test_what_journal_and_box_mean_together(told, look, state, words):
    judged = status_look.judge(told, look)
    assert judged['state'] == state and words in judged['text']


def test_what_is_left_to_do():
    told = entry(None)
    journal.apply(told, 'r', 'backup', 'ok', 2)
    journal.apply(told, 'r', 'fetch', 'ok', 3)
    journal.apply(told, 'r', 'prepare', 'skipped', 4, outcome='ready')
    assert status.left(told) == ['prepare', 'upgrade', 'verify', 'commit']
    told['updated'] = 4
    journal.apply(told, 'night', 'backup', 'started', 9, beside=True)
    assert status.left(told) == ['backup', 'prepare', 'upgrade', 'verify', 'commit']
    journal.apply(told, 'night', 'backup', 'ok', 11, 'Here.', beside=True)
    assert status.left(told) == ['prepare', 'upgrade', 'verify', 'commit']
    row = status.row(told, 'night')
    assert (row['outcome'], row['stage'], row['duration'], row['message']) == ('ready', 'backup', 2, 'Here.')
    assert status.left(entry('migrated')) == [] and status.left(None) == list(status.WAY)


@pytest.mark.parametrize('playbook, extra', [
    ('jeedom.fleet.migrate', ['-e', 'jeedom_acknowledge=true']), ('playbooks/migrate.yml', ['-e', 'jeedom_acknowledge=true']), ('site.yml', []), (None, [])])
def test_the_way_on_is_the_migration_that_was_begun_over_the_boxes_asked_about(playbook, extra):
    mine = {'playbook': 'jeedom.fleet.status', 'inventory': ['here'], 'limit': 'box1,box2', 'extra': [], 'flags': []}
    begun = {'playbook': playbook, 'inventory': ['there'], 'limit': 'box1', 'extra': ['-e', 'jeedom_acknowledge=true'], 'flags': ['--forks', '5']}
    told = status.to_go_on(mine, {'arguments': begun} if playbook else {})
    assert told['extra'] == extra and told['inventory'] == ['here'] and told['limit'] == 'box1,box2'
    assert told['playbook'] == (playbook if extra else 'jeedom.fleet.status')


@pytest.mark.parametrize('begun', [['-e', 'jeedom_acknowledge=true jeedom_target=site_a'],
                                   ['-e', '{"jeedom_target": "site_a"}', '-e', "jeedom_acknowledge=true"]])
@pytest.mark.parametrize('mine, group', [
    (['-e', 'jeedom_target=site_b'], ['-e', 'jeedom_target=site_b']), (['-e', "jeedom_target='b:&c'"], ['-e', "jeedom_target='b:&c'"]),
    (['-e', '{"jeedom_target": "site_b"}'], ['-e', 'jeedom_target=site_b']), ([], [])])
def test_the_way_on_never_leads_to_another_site(begun, mine, group):
    told = status.to_go_on({'inventory': ['here'], 'limit': None, 'extra': mine}, {'arguments': {'playbook': 'jeedom.fleet.migrate', 'extra': begun}})
    assert told['extra'] == ['-e', 'jeedom_acknowledge=true', *group]


def row(host, outcome, left, text='A reason that is told.'):
    return {'host': host, 'version': '3.3.60', 'target': '4.5.3', 'state': outcome, 'outcome': outcome, 'text': text, 'left': left,
            'reachable': True, 'root': True}


@pytest.mark.parametrize('columns', [80, 180])
@pytest.mark.parametrize('outcome', ['ready', 'stopped', 'rolled_back', 'blocked', 'failed', 'unknown'])
def test_what_is_left_stands_in_the_table_however_narrow_it_is(monkeypatch, columns, outcome):
    monkeypatch.setattr(progress, 'COLUMNS', columns)
    way = list(status.WAY)
    rows = [row('a', outcome, way), row('b', outcome, way[4:]), row('c', outcome, way[5:]), row('d', outcome, ['backup', 'upgrade']), row('e', 'migrated', [])]
    head, *lines = [text for text, _colour in board.standing(rows)][:6]
    begin = head.index('left')
    assert [line[begin:begin + 17].strip() for line in lines] == ['all', 'upgrade to commit', 'verify, commit', 'backup, upgrade', '-']
    assert all('A reason' in line for line in lines)


ODD = ['null', '[1]', '{"percent": "12%"}', '{"heartbeat": "x"}', '{"started": null, "heartbeat": [1]}', '{"percent": 1e999}', '{"percent": NaN}', '7',
       '{"percent": 1' + '0' * 400 + '}', '[' * 100000, '{"boot_id": {}, "start_time": "x", "phase": {}, "step": [1], "line": 3}']


@pytest.mark.parametrize('text', ODD)
def test_a_damaged_status_of_a_job_is_survived(box, text):
    box.job('core-20261123T100000-0001', status__json=text)
    job = box()['job']
    assert job['state'] == 'died' and job['percent'] == 0 and job['elapsed'] == 0


@pytest.mark.parametrize('text', ['["x"]', 'null', '3', '{', '[' * 100000])
def test_a_damaged_result_of_a_job_is_survived(box, text):
    box.job('core-20261123T100000-0001', rc='1\n', result__json=text, status__json=own_status())
    assert box()['job']['state'] == 'failed' and box()['job']['msg'] == ''


def test_a_number_of_another_script_is_no_user():
    assert status_look.parse('\u00b2\n@@jeedom-fleet-status@@')['uid'] is None
