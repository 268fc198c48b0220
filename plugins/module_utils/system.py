# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes, files and file systems of the box. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import errno
import io
import json
import os
import signal
import subprocess
import tempfile
import threading

from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

# Everything of ours on a box lives here (root, 0700).
STATE_DIR = '/var/lib/jeedom-fleet'

Completed = collections.namedtuple('Completed', 'rc out err')


def to_text(value):
    """Text of bytes that may hold anything: what is not UTF-8 is replaced, never raised."""
    if isinstance(value, bytes):
        return value.decode('utf-8', 'replace')
    return value


def environment(extra=None):
    """The environment for commands: messages in English, UTF-8, and the tools of /usr/sbin in reach."""
    env = dict(os.environ, LC_ALL='C.UTF-8', LANG='C.UTF-8')
    env['PATH'] = env.get('PATH', '') + ':/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    env.update(extra or {})
    return env


def run(argv, stdin=None, timeout=60, cwd=None, env=None):
    """Run a command to its end and return (rc, out, err) as text.

    stdin: bytes or None. timeout: seconds; when it is over the whole process group is killed and rc is 124.
    A command that does not exist gives rc 127, as in a shell, so that callers need one test only.
    """
    try:
        with open(os.devnull, 'rb') as devnull:
            process = subprocess.Popen(argv, stdin=subprocess.PIPE if stdin is not None else devnull,  # pylint: disable=ansible-bad-function
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd,
                                       env=environment(env), preexec_fn=os.setsid, close_fds=True)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.ENOTDIR):
            return Completed(127, '', '%s: %s' % (argv[0], os.strerror(error.errno)))
        raise
    expired = []

    def expire():
        expired.append(True)
        kill_group(process.pid)

    timer = threading.Timer(timeout, expire)
    timer.daemon = True
    timer.start()
    try:
        out, err = process.communicate(stdin)
    finally:
        timer.cancel()
    if expired:
        return Completed(124, to_text(out), '%s did not end within %s s' % (argv[0], timeout))
    return Completed(process.returncode, to_text(out), to_text(err))


def kill_group(pid, number=signal.SIGKILL):
    """Send a signal to the process group that pid leads; gone already is fine."""
    try:
        os.killpg(pid, number)
    except OSError as error:
        if error.errno != errno.ESRCH:
            raise


def as_user(user, argv):
    """argv, prefixed to run as another user.

    sudo and nothing else: Jeedom's updater ignores process lines with "sudo" when it looks for
    a second update, while su, runuser and timeout are taken for one (contract 0.5).
    """
    return ['sudo', '-n', '-u', user, '--'] + list(argv)


def which(name):
    """The absolute path of a command, or None."""
    for folder in environment()['PATH'].split(':'):
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return None


def read_text(path, default=None, limit=4 << 20):
    """The text of a file, or default when it cannot be read. limit: bytes read at most."""
    try:
        with io.open(path, 'rb') as handle:
            return to_text(handle.read(limit))
    except (IOError, OSError):
        return default


def read_json(path, default=None):
    """The value in a JSON file, or default when there is none that can be read."""
    text = read_text(path)
    try:
        return json.loads(text) if text else default
    except ValueError:
        return default


def atomic_write(path, data, mode=0o600, uid=None, gid=None):
    """Write bytes or text to path so that a reader sees the old or the new content, never a part."""
    if not isinstance(data, bytes):
        data = data.encode('utf-8')
    folder = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(prefix='.' + os.path.basename(path) + '.', dir=folder)
    try:
        with os.fdopen(handle, 'wb') as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        if uid is not None:
            os.chown(temporary, uid, gid)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_json(path, value, mode=0o600):
    """Write a value as JSON, atomically."""
    atomic_write(path, json.dumps(value, sort_keys=True, indent=1), mode)


def make_dir(path, mode=0o700):
    """Create a folder with its parents; an existing one is left as it is."""
    if not os.path.isdir(path):
        os.makedirs(path)
        os.chmod(path, mode)
    return path


def state_dir(*parts):
    """A folder of ours on the box, created when missing (root, 0700)."""
    make_dir(STATE_DIR)
    return make_dir(os.path.join(STATE_DIR, *parts))


def free_space(path):
    """Free bytes and inodes for root on the file system of path (or of its nearest existing parent)."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    stat = os.statvfs(path)
    # Some file systems (btrfs) have no fixed number of inodes and report 0 in all.
    inodes = stat.f_ffree if stat.f_files else None
    return stat.f_bfree * stat.f_frsize, inodes


def boot_id():
    """Identifies the current boot: a pid recorded under another one is certainly gone."""
    return (read_text('/proc/sys/kernel/random/boot_id') or '').strip()


def start_time(pid):
    """Start of a process in clock ticks since boot, or None when there is no such process.

    Together with the pid it names a process for good: pids come back, this pair does not.
    """
    text = read_text('/proc/%d/stat' % pid)
    if not text:
        return None
    # The second field is the command in parentheses and may hold spaces itself.
    fields = text.rsplit(')', 1)[-1].split()
    if fields[0] in 'ZX':
        return None
    return int(fields[19])


def processes():
    """(pid, command line) of every process, arguments joined by spaces."""
    found = []
    for name in os.listdir('/proc'):
        if name.isdigit():
            line = read_text('/proc/%s/cmdline' % name)
            if line:
                found.append((int(name), line.replace('\0', ' ').strip()))
    return found


def require_root():
    """Raise unless we are root: crons, Apache and the scratch schema need it."""
    if os.geteuid() != 0:
        raise BoxError('This task runs as user id %d on the box and needs root: set become: true.' % os.geteuid(),
                       'not_root')
