# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Detached jobs: they run on their own, tell how far they are, and never run twice."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import jobs, runner, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# The function that the test jobs run; packed into the job's code.zip like any of ours.
WORK = '''
import time
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
def job(params, context):
    context.secrets = ["hunter22"]
    context.phase("work", 10, step="part 1")
    context.log("the secret is hunter22")
    if params.get("fail"):
        raise BoxError("It did not work.", "no_work", found=1)
    if params.get("crash"):
        raise ValueError("hunter22 is in here")
    rc, lines = context.run(["sh", "-c", params.get("command", "echo one; echo two")], stall=params.get("stall"))
    while params.get("until_stopped"):
        context.check_stop()
        time.sleep(0.05)
    return dict(rc=rc, lines=lines)
'''


@pytest.fixture
def box(tmp_path, monkeypatch):
    """A state folder of its own, no systemd, and a job function named work."""
    state = str(tmp_path / 'state')
    monkeypatch.setattr(system, 'STATE_DIR', state)
    monkeypatch.setattr(system, 'require_root', lambda: None)
    monkeypatch.setattr(system, 'which', lambda name: None)
    packed = jobs._pack

    def pack(path):
        packed(path)
        import zipfile
        with zipfile.ZipFile(path, 'a') as archive:
            archive.writestr(jobs.PACKAGE.replace('.', '/') + '/work.py', WORK)

    monkeypatch.setattr(jobs, '_pack', pack)
    yield state
    live = jobs.running()
    if live:
        os.kill(live['status']['pid'], signal.SIGKILL)


def start(key='k', kind='work', **params):
    return jobs.start(kind, 'work', params, key, run_id='r1', controller='c1')


def wait(job_id, states=('finished', 'failed', 'died'), seconds=60):
    deadline = time.time() + seconds
    while time.time() < deadline:
        job = jobs.inspect(job_id)
        if job['state'] in states:
            return job
        time.sleep(0.05)
    raise AssertionError('still %s' % job['state'])


def test_result_and_exit_code_arrive(box):
    job = wait(start()['id'])
    assert job['state'] == 'finished'
    assert job['result'] == dict(rc=0, lines=['one', 'two'])
    assert job['status']['percent'] == 100


def test_secrets_do_not_reach_the_log(box):
    job = wait(start()['id'])
    log = open(os.path.join(job['dir'], 'log')).read()
    assert 'the secret is' in log
    assert 'hunter22' not in log


def test_an_expected_failure_is_one_sentence_with_a_code(box):
    job = wait(start(fail=True)['id'])
    assert job['state'] == 'failed'
    assert job['result'] == dict(failed=True, msg='It did not work.', error_code='no_work', found=1)


def test_an_unexpected_failure_tells_no_secret(box):
    job = wait(start(crash=True)['id'])
    assert job['result']['error_code'] == 'internal_error'
    assert 'ValueError' in job['result']['msg']
    assert 'hunter22' not in json.dumps(job['result'])


def test_the_same_work_is_adopted_and_other_work_is_refused(box):
    first = start(until_stopped=True)
    again = start(until_stopped=True)
    assert again['id'] == first['id']
    assert again['adopted'] and not first['adopted']
    with pytest.raises(BoxError) as caught:
        start(key='other')
    assert caught.value.code == 'job_busy'
    assert 'c1' in caught.value.msg
    jobs.stop(first['id'], timeout=60)


def test_a_stop_in_its_first_moment_does_not_kill_the_job(box, monkeypatch):
    folder = os.path.join(box, 'jobs', 'early')
    os.makedirs(folder)
    with open(os.path.join(folder, 'job.json'), 'w') as handle:
        json.dump(dict(id='early', module='work', params={}), handle)
    beat = runner.Context._beat

    def told(self, **changes):
        beat(self, **changes)
        if 'state' not in changes:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(runner.Context, '_beat', told)
    monkeypatch.setattr(runner.importlib, 'import_module', lambda name: Stopping)
    child = os.fork()
    if not child:
        os._exit(runner.main(folder))
    assert os.waitpid(child, 0)[1] == 1 << 8
    assert system.read_json(os.path.join(folder, 'result.json'))['error_code'] == 'job_stopped'


class Stopping(object):
    """A job that heeds a stop."""

    @staticmethod
    def job(dummy_params, context):
        context.check_stop()
        return {}


def test_stop_ends_at_a_safe_point(box):
    job_id = start(until_stopped=True)['id']
    job = jobs.stop(job_id, timeout=60)
    assert job['state'] == 'failed'
    assert job['result']['error_code'] == 'job_stopped'


def test_a_killed_job_is_dead_and_its_lock_is_taken_over(box):
    job_id = start(until_stopped=True)['id']
    # it tells its pid a moment before it takes the lock
    deadline = time.time() + 60
    while jobs.inspect(job_id)['status'].get('phase') != 'work' and time.time() < deadline:
        time.sleep(0.05)
    os.kill(jobs.inspect(job_id)['status']['pid'], signal.SIGKILL)
    assert wait(job_id)['state'] == 'died'
    job = wait(start(key='next')['id'])
    assert job['state'] == 'finished'
    assert 'took over the lock of ' + job_id in open(os.path.join(job['dir'], 'log')).read()


def test_a_command_without_output_is_taken_for_hanging(box):
    job = wait(start(command='echo begin; sleep 60', stall=1)['id'])
    assert job['result']['rc'] == 124
    assert job['result']['lines'] == ['begin']


def test_a_job_of_an_earlier_boot_is_dead(box):
    job_id = start(until_stopped=True)['id']
    path = os.path.join(jobs.folder(job_id), 'status.json')
    pid = jobs.inspect(job_id)['status']['pid']
    os.kill(pid, signal.SIGKILL)
    wait(job_id)
    status = json.load(open(path))
    status.update(boot_id='another', pid=os.getpid(), start_time=system.start_time(os.getpid()))
    system.write_json(path, status)
    job = jobs.inspect(job_id)
    assert job['state'] == 'died'
    assert job['rebooted']


@pytest.mark.parametrize('name', ['../../etc', 'work-1', '', None, 'work-20260101T000000-zzzz', 'work-20260101T000000-00ff/..'])
def test_a_job_id_cannot_lead_elsewhere(name):
    with pytest.raises(BoxError) as caught:
        jobs.folder(name)
    assert caught.value.code == 'bad_job_id'


@pytest.mark.parametrize('said, told', [('Traceback\nSyntaxError: invalid syntax\n', 'SyntaxError: invalid syntax.'), ('', 'no message.')])
def test_a_job_that_never_shows_up_says_what_kept_it(box, monkeypatch, said, told):
    def launch(job_id, base):
        with open(os.path.join(base, 'stderr'), 'w') as stream:
            stream.write(said)

    monkeypatch.setattr(jobs, '_launch', launch)
    monkeypatch.setattr(jobs, 'running', lambda: None)
    monkeypatch.setattr(jobs.time, 'sleep', lambda seconds: None)
    with pytest.raises(BoxError) as caught:
        start()
    assert caught.value.code == 'job_not_started' and caught.value.msg.endswith('within 10 s: ' + told)


def test_code_without_a_source_is_not_sent_into_a_job(box):
    class Loader(object):
        def get_source(self, name):
            return None

    class Compiled(object):
        __loader__ = Loader()

    with pytest.raises(BoxError) as caught:
        jobs._source('ours.compiled', Compiled())
    assert caught.value.code == 'no_source' and 'ours.compiled' in caught.value.msg


def test_old_jobs_are_pruned(box, monkeypatch):
    monkeypatch.setattr(jobs, 'KEEP_FINISHED', 1)
    for number in range(3):
        wait(start(key=str(number))['id'])
    assert len(jobs.job_ids()) <= 2


def test_the_code_of_a_job_goes_when_it_has_ended_and_its_result_stays(box):
    ended = wait(start(key='1')['id'])['id']
    following = start(key='2')['id']
    assert not os.path.exists(os.path.join(jobs.folder(ended), 'code.zip')) and jobs.inspect(ended)['result'] is not None
    assert os.path.exists(os.path.join(jobs.folder(following), 'code.zip'))
    wait(following)


def test_whoever_looks_finds_whole_jobs_only(box, monkeypatch):
    seen = []
    pack = jobs._pack

    def looks(path):
        pack(path)
        seen.append((jobs.job_ids(), jobs.running()))

    monkeypatch.setattr(jobs, '_pack', looks)
    wait(start()['id'])
    assert seen == [([], None)]
    # pruned by another run between two looks
    monkeypatch.setattr(jobs, 'job_ids', lambda: ['job-20260101T000000-0001'])
    assert jobs.running() is None and jobs.known() == []


def test_the_job_outlives_whoever_started_it(box):
    code = ('import sys; sys.path.insert(0, %r)\n'
            'import conftest\n'
            'from ansible_collections.jeedom.fleet.plugins.module_utils import jobs, system\n'
            'system.STATE_DIR = %r\nsystem.require_root = lambda: None\nsystem.which = lambda name: None\n'
            'print(jobs.start("job", "job", {}, "k")["id"])\n'
            % (os.path.dirname(os.path.dirname(os.path.abspath(__file__))), box))
    out = subprocess.check_output([sys.executable, '-c', code])
    # the job module has no job(): what matters is that somebody wrote the end although the starter is gone
    job = wait(out.decode().strip())
    assert job['state'] == 'failed'
