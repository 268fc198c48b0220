# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a core leaves behind outside of its tree, and the logs of a failure. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import pwd
import shutil

from ansible_collections.jeedom.fleet.plugins.module_utils import system, tree, tree_extract

# contract 1.1: unpacked core, never removed; and the database password in a file that all may read.
LEFTOVERS = ('/tmp/jeedom_unzip', '/tmp/common.config.php')
# What is Jeedom's in its temporary folder, where that is a folder which others use too.
OWN = ('cache', 'install', 'started', 'jeeCron.pid', 'event_cache_lock')
SHARED = ('/', '/tmp', '/var/tmp', '/var', '/run', '/home', '/root', '/dev/shm')
MOST_LOG = 20 << 20


def leftovers(temporary, cache, web_user):
    """Remove what the other version left; put the cache back that was kept with a rollback point. Returns lines for the log."""
    done = []
    for path in LEFTOVERS:
        if os.path.lexists(path):
            tree_extract.remove(path)
            done.append('removed ' + path)
    temporary = os.path.normpath(temporary)
    # Whoever may write in /tmp could have put a link there.
    if os.path.isdir(temporary) and not os.path.islink(temporary):
        names = [name for name in os.listdir(temporary) if temporary not in SHARED or name in OWN]
        for name in names:
            tree_extract.remove(os.path.join(temporary, name))
        if names:
            done.append('emptied ' + temporary)
        owner = pwd.getpwnam(web_user)
        if temporary not in SHARED and os.lstat(temporary).st_uid != owner.pw_uid:
            # A Jeedom that cannot write its cache there ends in an endless loop (seen: 10 GB of memory).
            os.chown(temporary, owner.pw_uid, owner.pw_gid)
            os.chmod(temporary, 0o777)
            done.append('gave %s to %s' % (temporary, web_user))
    if cache and os.path.isdir(cache) and not os.path.islink(temporary):
        if not os.path.isdir(temporary):
            owner = pwd.getpwnam(web_user)
            os.makedirs(temporary)
            os.chown(temporary, owner.pw_uid, owner.pw_gid)
            os.chmod(temporary, 0o777)
        tree.copy(cache, os.path.join(temporary, 'cache'))
        done.append('gave the cache back')
    return done


def missing_folders(live, kept, web_user):
    """Make the folders that are never copied (the backup folder) where they are gone with the web root; returns their names."""
    made = []
    owner = pwd.getpwnam(web_user)
    for name in kept:
        path = os.path.join(live, tree.native(name))
        if not os.path.lexists(path):
            os.makedirs(path)
            os.chown(path, owner.pw_uid, owner.pw_gid)
            os.chmod(path, 0o775)
            system.atomic_write(os.path.join(path, '.htaccess'), 'Require all denied\n', 0o664, owner.pw_uid, owner.pw_gid)
            made.append(name)
    return made


def sent(paths):
    """Remove what was sent to the box for a restore; an archive that stands elsewhere stays."""
    folder = os.path.join(system.STATE_DIR, 'staging', 'push')
    for path in paths:
        if path and os.path.dirname(path) == folder:
            tree_extract.remove(path)
    if os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)


def keep_log(old):
    """Keep the log folder of the tree that goes: it says why a hop failed. Only the newest one, root only."""
    source, target = os.path.join(old, 'log'), os.path.join(system.STATE_DIR, 'failed-log')
    if not os.path.isdir(source) or os.path.islink(source):
        return
    tree_extract.remove(target)
    if tree.measure(source)[0] > min(MOST_LOG, system.free_space(system.STATE_DIR)[0] // 2):
        return
    shutil.copytree(source, target, symlinks=True)
    os.chmod(target, 0o700)
