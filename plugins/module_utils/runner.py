# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs inside a job: one function, its log, its status, its result. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import fcntl
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback

from ansible_collections.jeedom.fleet.plugins.module_utils import database, redact, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

PACKAGE = 'ansible_collections.jeedom.fleet.plugins.module_utils'
HEARTBEAT = 2.0


class Stopped(BoxError):
    """The job was asked to stop."""

    def __init__(self):
        super(Stopped, self).__init__('The job was asked to stop and did.', 'job_stopped')


class Context:
    """What a job function gets besides its parameters: a way to tell what it does.

    The log holds one line per event, redacted; status.json is rewritten at every change and at least every two
    seconds (the heartbeat), so that slow can be told from dead.
    """

    def __init__(self, base, asked=()):
        """base: folder of the job. asked: grows when somebody asks the job to stop."""
        self.base = base
        self.secrets = []
        self.asked = asked
        self._guard = threading.RLock()
        self._log = io.open(os.path.join(base, 'log'), 'a', encoding='utf-8')
        os.chmod(os.path.join(base, 'log'), 0o600)
        self._status = dict(pid=os.getpid(), start_time=system.start_time(os.getpid()), boot_id=system.boot_id(),
                            started=time.time(), state='running', phase='starting', step='', percent=0, line='')
        self._beat()
        thread = threading.Thread(target=self._beats)
        thread.daemon = True
        thread.start()

    @property
    def stopping(self):
        """Whether somebody has asked the job to stop."""
        return bool(self.asked)

    def _beats(self):
        while True:
            time.sleep(HEARTBEAT)
            self._beat()

    def _beat(self, **changes):
        with self._guard:
            self._status.update(changes, heartbeat=time.time())
            try:
                system.write_json(os.path.join(self.base, 'status.json'), self._status)
            except (IOError, OSError):
                # A full disk must not end the job; the heartbeat just stays old until there is room again.
                pass

    def log(self, line):
        """Add a line to the log."""
        line = redact.redact(system.to_text(line), self.secrets).rstrip()
        with self._guard:
            try:
                self._log.write(u'%s %s\n' % (time.strftime('%H:%M:%S'), line))
                self._log.flush()
            except (IOError, OSError):
                pass
            self._status['line'] = line[:200]

    def phase(self, name, percent=None, step=None):
        """Say what is going on. name: short and stable (download, move, prove). percent: of the whole job.
        step: which part of several, for people ("hop 2/4 to 4.1.28")."""
        changes = dict(phase=name)
        if percent is not None:
            changes['percent'] = int(percent)
        if step is not None:
            changes['step'] = step
        self._beat(**changes)
        self.log('== %s%s' % (name, ' (%s)' % self._status['step'] if self._status['step'] else ''))

    def percent(self, value):
        """Progress of the whole job, 0 to 100."""
        if int(value) != self._status['percent']:
            self._beat(percent=int(value))

    def check_stop(self):
        """Raise Stopped if somebody asked for the end. Call it where stopping leaves nothing half-done."""
        if self.stopping:
            raise Stopped()

    def run(self, argv, on_line=None, timeout=14400, stall=None, cwd=None, env=None):
        """Run a command with its output, line by line, in the log. Returns (rc, lines).

        on_line: called with each line. timeout: seconds for all of it. stall: seconds without any output after which it
        is taken for hanging. Either way the process group is killed and rc is 124.
        """
        null = open(os.devnull, 'rb')
        process = subprocess.Popen(argv, stdin=null, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd,  # pylint: disable=ansible-bad-function
                                   env=system.environment(env), preexec_fn=os.setsid, close_fds=True)
        null.close()
        last = [time.time()]
        over = []
        done = threading.Event()

        def watch():
            begin = time.time()
            while not done.wait(1):
                now = time.time()
                if now - begin > timeout or (stall and now - last[0] > stall):
                    over.append('no end after %d s' % timeout if now - begin > timeout else 'no output for %d s' % stall)
                    system.kill_group(process.pid)
                    return

        watcher = threading.Thread(target=watch)
        watcher.daemon = True
        watcher.start()
        lines = []
        try:
            for raw in iter(process.stdout.readline, b''):
                last[0] = time.time()
                line = system.to_text(raw).rstrip('\r\n')
                lines.append(line)
                self.log(line)
                if on_line:
                    on_line(line)
            rc = process.wait()
        finally:
            done.set()
            process.stdout.close()
        if over:
            self.log('%s: %s, killed' % (os.path.basename(argv[0]), over[0]))
            return 124, lines
        return rc, lines


def _lock(context, job):
    """Hold the box for this job. flock ends with its owner, so a dead owner never blocks; it is only worth a note."""
    handle = open(os.path.join(system.STATE_DIR, 'lock'), 'a+')
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (IOError, OSError):
        raise BoxError('Another job of jeedom.fleet holds this box; wait for it or stop it with the job module.', 'job_busy')
    handle.seek(0)
    before = handle.read()
    if before.strip():
        try:
            owner = json.loads(before)
            context.log('note: took over the lock of %s, which ended without releasing it' % owner.get('job'))
        except ValueError:
            context.log('note: took over a lock that could not be read')
    handle.seek(0)
    handle.truncate()
    handle.write(json.dumps(dict(pid=os.getpid(), boot_id=system.boot_id(), job=job['id'], run_id=job.get('run_id'))))
    handle.flush()
    return handle


def _release(handle):
    handle.seek(0)
    handle.truncate()
    handle.close()


def main(base):
    """Run the job in a folder; the exit code is 0 or 1, and result.json says the rest."""
    job = system.read_json(os.path.join(base, 'job.json'))
    # The job lives where its folder is, whatever the default of this version of the code.
    system.STATE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(base)))
    # Our log takes umask-independent modes; what Jeedom's PHP creates gets its usual ones.
    os.umask(0o022)
    asked = []
    # Before the status names the process: whoever reads it may ask it to stop at once.
    signal.signal(signal.SIGTERM, lambda number, dummy_frame: asked.append(number))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    context = Context(base, asked)
    rc = 1
    lock = None
    try:
        lock = _lock(context, job)
        with database.kept_clients():
            result = importlib.import_module(PACKAGE + '.' + job['module']).job(job['params'], context)
        rc = 0
    except BoxError as error:
        context.log('FAILED %s: %s' % (error.code, error.msg))
        result = error.as_result()
    except Exception as error:  # pylint: disable=broad-except
        # The traceback is for us, in the log (redacted); people get a sentence.
        context.log(traceback.format_exc())
        result = dict(failed=True, error_code='internal_error',
                      msg='The job %s stopped on an unexpected %s: %s. The log on the box (%s/log) has the details.'
                          % (job['id'], type(error).__name__, redact.redact(str(error), context.secrets)[:300], base))
    _finish(context, base, result, rc)
    if lock:
        _release(lock)
    return rc


def _finish(context, base, result, rc):
    """Write the result; a disk that is full gets a few tries, since whoever waits needs to hear the end."""
    # Before rc, by which the end is known: whoever sees that must not find an older status.
    context._beat(state='finished' if rc == 0 else 'failed', percent=100 if rc == 0 else context._status['percent'])
    for attempt in range(30):
        try:
            system.write_json(os.path.join(base, 'result.json'), result)
            system.atomic_write(os.path.join(base, 'rc'), '%d\n' % rc)
            break
        except (IOError, OSError):
            time.sleep(min(10, 1 + attempt))


if __name__ == '__main__':
    sys.exit(main(sys.argv[1]))  # pylint: disable=ansible-bad-function
