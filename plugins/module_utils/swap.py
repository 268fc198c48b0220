# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exchange what is in the web root for a tree beside it, by renames only. Python 2.7 and 3.5+, standard library only.

The entries of the web root are renamed, not the web root itself: it may be a mount point, and what stays (the backup
folder, whatever is mounted inside) then never moves. Every step may be killed and done again, in either direction.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import shutil
import stat

from ansible_collections.jeedom.fleet.plugins.module_utils import fault, tree


def work_folder(web_root):
    """Where the new and the old tree stand: on the web root's file system, closed to everyone but root."""
    web_root = os.path.realpath(tree.native(web_root))
    parent = os.path.dirname(web_root)
    if os.path.isdir(web_root) and os.lstat(web_root).st_dev != os.lstat(parent).st_dev:
        return os.path.join(web_root, '.jeedom-fleet')
    return os.path.join(parent, '.jeedom-fleet-' + os.path.basename(web_root))


def entries(root, kept):
    """Relative names to rename so that root is empty but for what is kept, and the folders above that."""
    root = tree.native(root)
    kept = [name for name in map(tree.native, kept) if os.path.lexists(os.path.join(root, name))]
    found, pending = [], ['']
    while pending:
        folder = pending.pop()
        for child in sorted(os.listdir(os.path.join(root, folder))):
            name = folder + '/' + child if folder else child
            if name in kept:
                continue
            if any(other.startswith(name + '/') for other in kept):
                pending.append(name)
            else:
                found.append(name)
    return sorted(found)


def plan(live, new, kept):
    """What leaves the web root, what takes its place, which folders stay: {out, in, stays}; to be recorded before forward().

    Names are encoded (tree.encode), so that any of them can be recorded as JSON.
    """
    live, new = tree.native(live), tree.native(new)
    kept = [name for name in map(tree.native, kept) if os.path.lexists(os.path.join(live, name))]
    ancestors = set(['.'])
    for name in kept:
        while '/' in name:
            name = name.rsplit('/', 1)[0]
            ancestors.add(name)
    coming, pending = [], ['']
    while pending:
        folder = pending.pop()
        for child in sorted(os.listdir(os.path.join(new, folder))):
            name = folder + '/' + child if folder else child
            if name in kept:
                continue
            if name in ancestors and os.path.isdir(os.path.join(new, name)):
                pending.append(name)
            else:
                coming.append(name)
    stays = {}
    for name in ancestors:
        info = os.lstat(os.path.join(live, name))
        stays[tree.encode(name)] = [info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)]
    return {'out': [tree.encode(name) for name in entries(live, kept)], 'in': [tree.encode(name) for name in sorted(coming)],
            'stays': stays}


def forward(live, new, old, steps, was_all_out, all_out):
    """Move the live entries to old, call all_out(), move the new ones to live.

    steps: what plan() gave. all_out: records that the first half is done; only from then on is anything in live new.
    was_all_out: whether that had been recorded by a call that was cut.
    """
    if not was_all_out:
        for name in steps['out']:
            move(live, old, name)
            fault.point('swap_files_out_half')
        fault.point('swap_files_out')
        all_out()
    for name in steps['in']:
        move(new, live, name)
        fault.point('swap_files_in_half')
    for name in steps['stays']:
        model = os.path.join(tree.native(new), tree.decode(name))
        if os.path.isdir(model):
            info = os.lstat(model)
            _dress(live, name, info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode))


def backward(live, new, old, steps, was_all_out, all_back):
    """Undo forward(), wherever it was. was_all_out: whether its all_out() had been reached.

    all_back: records that nothing in live is new any more, that is, that was_all_out is false from now on.
    """
    if was_all_out:
        for name in steps['in']:
            move(live, new, name)
        all_back()
    fault.point('back_out')
    for name in steps['out']:
        move(old, live, name)
    for name, (uid, gid, mode) in steps['stays'].items():
        _dress(live, name, uid, gid, mode)


def _dress(root, name, uid, gid, mode):
    folder = os.path.join(tree.native(root), tree.decode(name))
    os.chown(folder, uid, gid)
    os.chmod(folder, mode)


def move(source, target, name):
    """Rename source/name to target/name (an encoded name); done already is fine, and so is half done.

    Where a folder cannot be renamed as a whole (EXDEV: it comes from a lower layer of an overlay), its folders are
    made anew and its files renamed one by one.
    """
    origin, goal = os.path.join(tree.native(source), tree.decode(name)), os.path.join(tree.native(target), tree.decode(name))
    if not os.path.lexists(origin):
        return
    parent = os.path.dirname(goal)
    if not os.path.isdir(parent):
        os.makedirs(parent, 0o700)
    _move(origin, goal)


def _move(origin, goal):
    if not os.path.lexists(goal):
        try:
            os.rename(origin, goal)
            return
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        info = os.lstat(origin)
        if not stat.S_ISDIR(info.st_mode):
            _carry_file(origin, goal, info)
            return
        os.mkdir(goal, 0o700)
    # Either the first half of a move that was cut, or a folder that had to be made anew.
    info = os.lstat(origin)
    if not stat.S_ISDIR(info.st_mode):
        # Its copy got its name only when it was whole; what is left is the second half of carrying it.
        os.unlink(origin)
        return
    for child in os.listdir(origin):
        _move(os.path.join(origin, child), os.path.join(goal, child))
    os.chown(goal, info.st_uid, info.st_gid)
    os.chmod(goal, stat.S_IMODE(info.st_mode))
    os.utime(goal, (info.st_atime, info.st_mtime))
    os.rmdir(origin)


def _carry_file(origin, goal, info):
    """A file that no rename can move: copy it under another name first, so that a cut copy is never taken for it."""
    temporary = goal + '.jeedom-fleet-part'
    if os.path.lexists(temporary):
        os.unlink(temporary)
    if stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(origin), temporary)
    else:
        shutil.copy2(origin, temporary)
        os.chmod(temporary, stat.S_IMODE(info.st_mode))
    os.lchown(temporary, info.st_uid, info.st_gid)
    os.rename(temporary, goal)
    os.unlink(origin)
