# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about Jeedom's own backups, and about who may do what. docs/facts.md has every key.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import os
import re
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import Unreadable, capped, clean, flag, json_object, number
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_tree import tree

try:
    from urllib.request import Request, build_opener
except ImportError:
    from urllib2 import Request, build_opener  # pylint: disable=ansible-bad-import-from

ACCESS_QUERIES = {
    # Jeedom keeps sha512(password); the comparison is made by the server, so that no hash ever leaves it.
    'access.users': "SELECT login, profils, enable, IFNULL(`password` = SHA2('admin', 512), 0), IFNULL(LENGTH(`hash`), 0) > 0, "
                    'LEFT(options, 20000) FROM `user` ORDER BY login LIMIT 2000',
}


def collect_backups(look):
    """Section backups."""
    folder = look.backup_folder()
    archives = []
    try:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if name.endswith(('.tar.gz', '.tgz')) and os.path.isfile(path):
                info = os.stat(path)
                archives.append(dict(name=clean(name), size=info.st_size, mtime_epoch=int(info.st_mtime)))
    except OSError as error:
        look.note('backups.archives', '%s: %s' % (folder, error.strerror))
        archives = None
    spots = look.attempt('backups.blind_spots', lambda: [
        dict(path=clean(path), size=size, why=clean(name)) for path, size, name in tree(look).blind_spots
        if path.startswith(('plugins/', 'data/'))])
    on = look.attempt('backups.samba', lambda: (look.settings(), dict(
        enabled=flag(look.effective('samba::enable', '0')), cloud_upload=flag(look.effective('samba::cloudUpload', '0'))))[1])
    return dict(
        path=clean(folder), keep_days=look.attempt('backups.keep_days', lambda: _number(look, 'backup::keepDays')),
        max_size_mb=look.attempt('backups.max_size_mb', lambda: _number(look, 'backup::maxSize')),
        archives=None if archives is None else capped(sorted(archives, key=lambda item: -item['mtime_epoch'])),
        blind_spots=None if spots is None else capped(sorted(spots, key=lambda item: -item['size'])),
        record_dir=look.attempt('backups.record_dir', lambda: clean(look.setting('recordDir', 'camera'))),
        samba=on, cloud=look.attempt('backups.cloud', lambda: _cloud(look)))


def _number(look, key):
    look.settings()
    value = number(look.effective(key))
    if value is None:
        raise Unreadable('neither a row nor a default says %s' % key)
    return value


def _cloud(look):
    password = look.setting('market::cloud::backup::password')
    return dict(upload=flag(look.effective('market::cloudUpload', '0')), password_set=bool(password),
                confirmation_matches=bool(password) and password == look.setting('market::cloud::backup::password_confirmation'))


def _users(look):
    found = []
    for row in look.rows('access.users'):
        if len(row) == 6:
            options = json_object(row[5])
            found.append(dict(login=clean(row[0]), profile=clean(row[1]), enabled=row[2] == '1', default_password=row[3] == '1',
                              api_key=row[4] == '1', keeps_key='%s' % options.get('doNotRotateHash', '0') == '1'))
    return capped(found)


def _sudo(look):
    user = look.installation.web_user
    done = system.run(system.as_user(user, ['sudo', '-n', 'true']), timeout=20)
    if done.rc == 127:
        raise Unreadable('sudo is not on the box')
    return done.rc == 0


def _private_tmp():
    done = system.run(['systemctl', 'show', 'apache2', '-p', 'PrivateTmp', '-p', 'LoadState'], timeout=15)
    if done.rc or 'LoadState=loaded' not in done.out:
        raise Unreadable('systemd knows no unit apache2')
    return 'PrivateTmp=yes' in done.out


def _ports():
    found = set()
    for pattern in ('ports.conf', 'conf-enabled/*.conf', 'sites-enabled/*'):
        for path in glob.glob('/etc/apache2/' + pattern):
            for port in re.findall(r'(?mi)^\s*Listen\s+(?:\S+:)?(\d+)', system.read_text(path) or ''):
                found.add(int(port))
    return sorted(found)


def _api_keys(look):
    settings = look.settings()
    return dict(core=bool(settings.get('core', {}).get('api')),
                plugins=sorted(clean(plugin) for plugin, rows in settings.items() if plugin != 'core' and rows.get('api')))


def _addresses(look):
    found = {}
    for side in ('internal', 'external'):
        protocol, port, rest = (clean(look.effective(side + name)) or '' for name in ('Protocol', 'Port', 'Complement'))
        found[side] = '%s<address>%s%s' % (protocol, ':' + port if port else '', rest)
    return found


def collect_access(look):
    """Section access."""
    core = look.attempt('access.market', lambda: look.settings().get('core', {}))
    seen = look.attempt('access.ownership', lambda: tree(look))
    if core is None:
        for key in ('api_modes', 'dns', 'addresses'):
            look.note('access.' + key, look.unreadable['access.market'])
    return dict(
        sudo=look.attempt('access.sudo', lambda: _sudo(look)),
        ownership=seen and dict(foreign=seen.foreign, examples=seen.foreign_examples),
        private_tmp=look.attempt('access.private_tmp', _private_tmp),
        users=look.attempt('access.users', lambda: _users(look)), api_keys=look.attempt('access.api_keys', lambda: _api_keys(look)),
        api_modes=None if core is None else dict((clean(key), clean(value)) for key, value in sorted(core.items())
                                                 if re.match(r'^api::[\w:]*mode$', key)),
        listen=_ports(), dns=None if core is None else flag(look.effective('market::allowDNS', '0')),
        addresses=None if core is None else _addresses(look),
        market=None if core is None else dict(
            enabled=flag(look.effective('market::enable', '1')), address=clean(look.effective('market::address')),
            username_set=bool(core.get('market::username')), password_set=bool(core.get('market::password'))))


def collect_network(look):
    """Section network: can the box reach these addresses? 5 s each."""
    found = {}
    for url in (look.params.get('urls') or [])[:20]:
        begin = time.time()
        answer = dict(ok=False, status=None, error=None)
        if not url.startswith(('https://', 'http://')):
            answer['error'] = 'only http and https are asked'
        else:
            request = Request(url)
            request.get_method = lambda: 'HEAD'
            try:
                answer['status'] = build_opener().open(request, timeout=5).getcode()
                answer['ok'] = 200 <= answer['status'] < 400
            except Exception as error:  # pylint: disable=broad-except
                # every kind of network trouble is an answer here; HTTPError carries the status
                answer.update(status=getattr(error, 'code', None), error=clean(error))
        found[clean(url)] = dict(answer, seconds=round(time.time() - begin, 2))
    return dict(urls=found)
