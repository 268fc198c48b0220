# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop and start the web server around a restore, and look at what it serves. Python 2.7 and 3.5+, stdlib only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import re
import ssl
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

try:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
except ImportError:
    from httplib import HTTPConnection, HTTPException, HTTPSConnection

# While this file is there Apache does not start, whoever asks for it: recover.py puts a condition into its unit.
STOPPED = 'web-stopped'
SERVERS = ('apache2', 'nginx')
PAGE = '/index.php?v=d'
# contract 1.4: the login page has 17 to 20 kB; no database gives 48 bytes, an empty one 205, both with status 200.
LEAST = 2000


def has_systemd():
    """Whether systemd runs the box."""
    return os.path.isdir('/run/systemd/system')


def server():
    """Name of the box's web server: the one that runs, otherwise the first that is there."""
    running_now = set(os.path.basename(line.split(' ')[0].rstrip(':')) for dummy, line in system.processes())
    for name in SERVERS:
        if name in running_now:
            return name
    for name in SERVERS:
        if system.which(name):
            return name
    return SERVERS[0]


def drop_in():
    """The file with the condition in the web server's unit."""
    return '/etc/systemd/system/%s.service.d/jeedom-fleet.conf' % server()


def _service(action):
    if has_systemd():
        return system.run(['systemctl', action, server()], timeout=180)
    return system.run(['service', server(), action], timeout=180)


def running():
    """Whether the web server runs."""
    name = server()
    return any(os.path.basename(line.split(' ')[0].rstrip(':')) == name for dummy, line in system.processes())


def has_been_stopped():
    """Whether we keep Apache from starting."""
    return os.path.exists(os.path.join(system.STATE_DIR, STOPPED))


def hold():
    """Keep Apache from being started by anyone, also after a reboot."""
    system.state_dir()
    system.atomic_write(os.path.join(system.STATE_DIR, STOPPED), 'A restore of jeedom.fleet is under way.\n')


def stop(context=None):
    """Stop Apache and keep it stopped. Raises when it still runs afterwards."""
    hold()
    done = _service('stop')
    deadline = time.time() + 30
    while running():
        if time.time() > deadline:
            raise BoxError('Apache on the box does not stop (%s): stop it with "systemctl stop apache2", then run again.'
                           % (done.err.strip().split('\n')[-1] or 'no message'), 'web_not_stopped')
        time.sleep(0.2)
    if context:
        context.log('web stopped')


def start(context=None):
    """Let Apache run again and start it. Raises with its own message when it does not."""
    try:
        os.unlink(os.path.join(system.STATE_DIR, STOPPED))
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
    done = _service('start')
    if done.rc:
        reason = system.run(['apache2ctl', 'configtest'], timeout=30)
        raise BoxError('Apache on the box does not start (%s): look at "systemctl status apache2" there.'
                       % ((reason.err if reason.rc else done.err).strip().split('\n')[-1] or 'no message'), 'web_not_started')
    if context:
        context.log('web started')


def start_or_log(context):
    """start(), where something more important must go on whatever the web server says."""
    try:
        start(context)
    except BoxError as error:
        context.log('note: ' + error.msg)


def ports():
    """(port, is https) that Apache listens on according to its configuration, http first."""
    found = set()
    for folder in ('/etc/apache2', '/etc/apache2/sites-enabled', '/etc/apache2/conf-enabled'):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if folder != '/etc/apache2' or name == 'ports.conf':
                text = system.read_text(os.path.join(folder, name)) or ''
                found.update(int(port) for port in re.findall(r'(?mi)^\s*Listen\s+(?:\S+:)?(\d+)', text))
    return sorted(((port, port == 443) for port in found or (80,)), key=lambda item: (item[1], item[0] != 80, item[0]))


def _get(port, secure, path):
    if secure:
        connection = HTTPSConnection('127.0.0.1', port, timeout=20, context=ssl._create_unverified_context())
    else:
        connection = HTTPConnection('127.0.0.1', port, timeout=20)
    try:
        connection.request('GET', path, headers={'Host': 'localhost'})
        answer = connection.getresponse()
        return answer.status, system.to_text(answer.read(1 << 20)), answer.getheader('Location') or ''
    finally:
        connection.close()


def look():
    """What the login page is right now: {ok, status, bytes, problem}. Never by its status alone (contract 1.4)."""
    problem = 'Apache listens nowhere'
    for port, secure in ports():
        try:
            status, text, location = _get(port, secure, PAGE)
        except (HTTPException, IOError, OSError) as error:
            problem = 'port %d: %s' % (port, error)
            continue
        if status in (301, 302) and location.startswith('https:') and not secure:
            problem = 'port %d leads to https' % port
            continue
        form = re.search(r'''(?i)type\s*=\s*["']?password|in_login_|name\s*=\s*["']?login''', text)
        if status == 200 and len(text) >= LEAST and form:
            return dict(ok=True, status=status, bytes=len(text), problem=None)
        return dict(ok=False, status=status, bytes=len(text),
                    problem='status %d with %d bytes and %s login form' % (status, len(text), 'a' if form else 'no'))
    return dict(ok=False, status=None, bytes=0, problem=problem)


def wait(seconds=60, wrong=10):
    """look() until it is ok or the time is over. wrong: seconds after which a page that is served, but wrong, stays wrong."""
    begin = time.time()
    while True:
        seen = look()
        if seen['ok'] or time.time() - begin > (wrong if seen['status'] else seconds):
            return seen
        time.sleep(1)
