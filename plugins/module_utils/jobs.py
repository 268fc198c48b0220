# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, look at, adopt and stop long work that outlives SSH and the controller.

A job is a folder, /var/lib/jeedom-fleet/jobs/<id>/:
job.json (what runs, for whom), code.zip (our own code, so that nothing depends on the connection any more), log,
status.json (phase, percent, heartbeat), and at the end result.json and rc.
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import fcntl
import marshal
import os
import random
import re
import shutil
import signal
import sys
import time
import zipfile

# runner is not called from here: it is imported to be among the code that _pack() takes along.
from ansible_collections.jeedom.fleet.plugins.module_utils import runner, system  # noqa: F401, pylint: disable=unused-import
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

PACKAGE = 'ansible_collections.jeedom.fleet.plugins.module_utils'
# A finished job's folder is kept for the operator and for a controller that comes back late.
KEEP_FINISHED = 20
_ID = re.compile(r'^[a-z_]+-[0-9]{8}T[0-9]{6}-[0-9a-f]{4}$')
# What every module that starts a job takes. run_id and controller only say who asked; they grant nothing.
JOB_SPEC = dict(
    wait=dict(type='bool', default=True),
    wait_timeout=dict(type='int', default=14400),
    run_id=dict(type='str'),
    controller=dict(type='str'),
)


def folder(job_id):
    """The folder of a job; raises for a name that could lead elsewhere."""
    if not _ID.match(job_id or ''):
        raise BoxError('%r is no job id: take it from the result of the task that started the job.' % job_id, 'bad_job_id')
    return os.path.join(system.STATE_DIR, 'jobs', job_id)


def job_ids():
    """Ids of all jobs kept on the box, oldest first."""
    try:
        names = os.listdir(os.path.join(system.STATE_DIR, 'jobs'))
    except OSError:
        return []
    return sorted((name for name in names if _ID.match(name)), key=lambda name: name.split('-', 1)[1])


def inspect(job_id):
    """What is known of a job: its job.json, status, whether its process lives, and its result when it has ended.

    state: running, finished (rc 0), failed (rc not 0), died (no result and no process: killed, or the box was
    rebooted).
    """
    base = folder(job_id)
    job = system.read_json(os.path.join(base, 'job.json'))
    if job is None:
        raise BoxError('There is no job %s on the box.' % job_id, 'no_such_job')
    status = system.read_json(os.path.join(base, 'status.json'), {})
    result = system.read_json(os.path.join(base, 'result.json'))
    alive = _alive(status)
    rc = (system.read_text(os.path.join(base, 'rc')) or '').strip()
    if rc and result is not None:
        state = 'finished' if rc == '0' else 'failed'
    elif alive or (not status and time.time() - job['created'] < 30):
        state = 'running'
    else:
        state = 'died'
    return dict(id=job_id, kind=job['kind'], run_id=job.get('run_id'), controller=job.get('controller'),
                created=job['created'], key=job.get('key'), state=state, status=status, result=result, dir=base,
                rebooted=bool(status) and status.get('boot_id') != system.boot_id(), followed=_followed(base))


def _followed(base):
    """{by, ago}: the controller that waits for the job, and the seconds since its last look; None when nobody ever did."""
    path = os.path.join(base, 'followed')
    try:
        return dict(by=(system.read_text(path) or '').strip(), ago=max(0.0, time.time() - os.stat(path).st_mtime))
    except OSError:
        return None


def _alive(status):
    return bool(status) and status.get('boot_id') == system.boot_id() and \
        status.get('start_time') is not None and system.start_time(status.get('pid') or 0) == status['start_time']


def known():
    """What is known of all jobs on the box, oldest first."""
    found = []
    for job_id in job_ids():
        try:
            found.append(inspect(job_id))
        except BoxError as error:
            # pruned by somebody else since
            if error.code != 'no_such_job':
                raise
    return found


def running():
    """The live job of this box, or None. There is never more than one: the lock sees to that."""
    return next((job for job in reversed(known()) if job['state'] == 'running'), None)


def live():
    """What everybody may know of the live job: {id, kind, run_id, controller, followed, ago (seconds since its start)}, or None."""
    job = running()
    return job and dict(((key, job[key]) for key in ('id', 'kind', 'run_id', 'controller', 'followed')),
                        ago=max(0.0, time.time() - job['created']))


def start(kind, module, params, key, run_id=None, controller=None):
    """Start module.job(params, context) detached, or adopt a live job that does the same.

    kind: the verb, part of the id. module: name in our module_utils. params: JSON-able, without secrets.
    key: what makes two jobs the same work (a version, an archive name). Raises job_busy when other work is under way.
    Returns {id, adopted, dir}.
    """
    system.require_root()
    system.state_dir('jobs')
    # Held for the moment of starting only: the runner takes the long lock itself, and says who it is.
    with open(os.path.join(system.STATE_DIR, 'start.lock'), 'w') as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        live = running()
        if live is not None:
            if live['kind'] == kind and live['key'] == key:
                return dict(id=live['id'], adopted=True, dir=live['dir'])
            raise BoxError('Job %s (%s, started by %s) is running on this box and does not do the same as %s %s: wait for it, '
                           'follow it, or stop it with the job module.'
                           % (live['id'], live['kind'], live['controller'] or 'an unknown controller', kind, key),
                           'job_busy', job=dict(id=live['id'], kind=live['kind'], run_id=live['run_id'],
                                                controller=live['controller']))
        _prune()
        job_id = '%s-%s-%04x' % (kind, time.strftime('%Y%m%dT%H%M%S', time.gmtime()), random.randrange(0x10000))
        base = folder(job_id)
        # Made aside: whoever looks meanwhile must not find half a job.
        aside = os.path.join(os.path.dirname(base), '.new')
        shutil.rmtree(aside, ignore_errors=True)
        system.make_dir(aside)
        _pack(os.path.join(aside, 'code.zip'))
        system.write_json(os.path.join(aside, 'job.json'),
                          dict(id=job_id, kind=kind, module=module, params=params, key=key, run_id=run_id,
                               controller=controller, created=time.time()))
        os.rename(aside, base)
        _launch(job_id, base)
        # Only now is it certain that the runner lives; a broken interpreter would show here.
        for dummy in range(500):
            if os.path.exists(os.path.join(base, 'status.json')):
                return dict(id=job_id, adopted=False, dir=base)
            time.sleep(0.02)
    raise BoxError('Job %s did not start within 10 s: %s.'
                   % (job_id, (system.read_text(os.path.join(base, 'stderr')) or 'no message').strip().split('\n')[-1]),
                   'job_not_started')


def _launch(job_id, base):
    argv = [sys.executable or 'python3', os.path.join(base, 'code.zip'), base]
    if os.path.isdir('/run/systemd/system') and system.which('systemd-run'):
        # A unit of its own is the only way that also survives the end of the login session.
        done = system.run(['systemd-run', '-q', '--collect', '--unit=jeedom-fleet-' + job_id,
                           '--description=jeedom.fleet ' + job_id, '-p', 'KillMode=mixed',
                           '-p', 'TimeoutStopSec=120'] + argv)
        if done.rc == 0:
            return
        # Old systemd knows no --collect (before 236, Debian 9 has 232).
        done = system.run(['systemd-run', '-q', '--unit=jeedom-fleet-' + job_id, '-p', 'TimeoutStopSec=120'] + argv)
        if done.rc == 0:
            return
    _daemonise(argv, os.path.join(base, 'stderr'))


def _daemonise(argv, stderr):
    """The classic double fork, for boxes without systemd."""
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        log = os.open(stderr, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, 256)
        os.chdir('/')
        os.execvp(argv[0], argv)
    finally:
        os._exit(127)


def _pack(path):
    """Write our own code, as loaded right now, as an executable zip."""
    # Everything imported from our package is what the job can need: its module is among the imports of the caller.
    sources = {}
    for name, loaded in list(sys.modules.items()):
        if name.startswith(PACKAGE + '.') and loaded is not None:
            sources[name] = _source(name, loaded)
    # Stored as they are: to deflate them takes longer than to write them, and the zip goes when the job has ended.
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:
        parts = PACKAGE.split('.')
        for count in range(1, len(parts) + 1):
            archive.writestr('/'.join(parts[:count]) + '/__init__.py', '')
        for name, source in sources.items():
            archive.writestr(name.replace('.', '/') + '.py', source)
            code = _bytecode(name, sys.modules.get(name))
            if code:
                archive.writestr(name.replace('.', '/') + '.pyc', code)
        archive.writestr('__main__.py', 'import sys\nfrom %s import runner\nsys.exit(runner.main(sys.argv[1]))\n' % PACKAGE)
    os.chmod(path, 0o600)


def _bytecode(name, loaded):
    """A module as a .pyc, where it has been compiled just now and an import from a zip takes that; otherwise None.

    It saves the job a second of a small board's time. Another Python, such as after an upgrade of Debian, takes the source.
    """
    compiled = getattr(getattr(loaded, '__loader__', None), 'compiled', {}).get(name)
    if compiled is None or sys.version_info < (3, 8):
        return None
    import importlib.util  # Python 2 has none
    # PEP 552: by hash, which is not to be checked, so that times in the zip do not matter
    return importlib.util.MAGIC_NUMBER + b'\x01\0\0\0' + bytes(8) + marshal.dumps(compiled)


def _source(name, loaded):
    loader = getattr(loaded, '__loader__', None)
    if hasattr(loader, 'get_source'):
        source = loader.get_source(name)
    else:
        # Python 2 gives no loader to a module that comes from a plain file.
        source = system.read_text(os.path.splitext(loaded.__file__)[0] + '.py')
    if source is None:
        raise BoxError('The source of %s is not at hand, so no job can be started.' % name, 'no_source')
    return source.encode('utf-8') if not isinstance(source, bytes) else source


def _prune():
    """Drop the code of finished jobs, and the folders of old ones."""
    ended = [job['id'] for job in known() if job['state'] != 'running']
    for job_id in ended:
        if os.path.exists(os.path.join(folder(job_id), 'code.zip')):
            os.unlink(os.path.join(folder(job_id), 'code.zip'))
    for job_id in ended[:-KEEP_FINISHED]:
        shutil.rmtree(folder(job_id), ignore_errors=True)


def stop(job_id, timeout=120):
    """Ask a job to stop at its next safe point and wait for its end; returns the inspected job."""
    job = inspect(job_id)
    if job['state'] != 'running':
        return job
    try:
        os.kill(job['status']['pid'], signal.SIGTERM)
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise
    deadline = time.time() + timeout
    while time.time() < deadline:
        job = inspect(job_id)
        if job['state'] != 'running':
            return job
        time.sleep(0.5)
    raise BoxError('Job %s did not stop within %d s: it is in a step that must not be cut (%s). Wait for it.'
                   % (job_id, timeout, job['status'].get('phase')), 'job_not_stopped')


def started(result, changed=True):
    """The module result for a job that start() gave; the action plugin box follows it when wait is set."""
    return dict(changed=changed, job=result)
