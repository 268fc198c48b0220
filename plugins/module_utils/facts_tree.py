# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One walk over the web root for all that want to know its files, and the section storage. docs/facts.md has every key.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import pwd
import re
import stat

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_core import version_tuple
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import Unreadable, capped, clean

# contract 2.3: these names are left out of Jeedom's own archive wherever they stand.
BLIND = frozenset(['tmp', 'log', 'docs', 'doc', 'tests', 'support', 'backup', '.git', '.log'])
# added by 4.4
BLIND_4_4 = frozenset(['node_modules', '.gitignore', 'python_venv'])
MOST_ENTRIES = 400000
_DISK_TROUBLE = re.compile(r'I/O error|EXT4-fs error|Buffer I/O|mmc\d+.*(error|timeout)|critical medium error', re.I)


class Tree:
    """Sizes, owners and blind spots of a web root, from one walk that follows no link."""

    def __init__(self, root, skip, owner, blind):
        self.root = root
        self.files = 0
        self.size = 0
        self.archive_size = 0
        self.complete = True
        self.foreign = 0
        self.foreign_examples = []
        self.blind_spots = []
        self.top = {}
        self.plugins = {}
        self._walk(skip, owner, blind)

    def _walk(self, skip, owner, blind):
        entries = 0
        # (folder, path inside the root, index of the blind spot that we are in)
        todo = [(self.root, '', None)]
        while todo:
            folder, inside, spot = todo.pop()
            try:
                names = os.listdir(folder)
            except OSError:
                continue
            for name in names:
                entries += 1
                if entries > MOST_ENTRIES:
                    self.complete = False
                    return
                path = os.path.join(folder, name)
                relative = inside + '/' + name if inside else name
                try:
                    info = os.lstat(path)
                except OSError:
                    continue
                # Apache opens its error log as root before it becomes the web user
                if owner is not None and info.st_uid != owner and relative != 'log/http.error':
                    self.foreign += 1
                    if len(self.foreign_examples) < 5:
                        self.foreign_examples.append(clean(relative))
                here = spot
                if here is None and name in blind and inside:
                    self.blind_spots.append([relative, 0, name])
                    here = len(self.blind_spots) - 1
                if stat.S_ISDIR(info.st_mode):
                    if path != skip:
                        todo.append((path, relative, here))
                    continue
                self.files += 1
                self._add(relative, info.st_size, here)

    def _add(self, relative, size, spot):
        self.size += size
        parts = relative.split('/', 2)
        top = parts[0] if len(parts) > 1 else ''
        self.top[top] = self.top.get(top, 0) + size
        if top == 'plugins' and len(parts) > 2:
            self.plugins[parts[1]] = self.plugins.get(parts[1], 0) + size
        if spot is not None:
            self.blind_spots[spot][1] += size
        elif top not in ('log', 'tmp', 'docs', 'doc', 'tests', 'support', '.git'):
            self.archive_size += size


def tree(look):
    """The walk, made once for all sections."""
    def collect():
        home = look.installation
        if not os.path.isdir(home.web_root):
            raise Unreadable('%s is no folder' % clean(home.web_root))
        try:
            owner = pwd.getpwnam(home.web_user).pw_uid
        except KeyError:
            owner = None
        blind = set(BLIND)
        if (version_tuple(home.version()) or (0,)) >= (4, 4):
            blind |= BLIND_4_4
        return Tree(home.web_root, look.backup_folder(), owner, blind)
    return look.shared('tree', collect)


def folder_size(path):
    """Bytes of the files right in a folder and below; None when there is none."""
    if not os.path.isdir(path):
        return None
    total = 0
    for folder, dummy, files in os.walk(path):
        for name in files:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                pass
    return total


def mounts():
    """[(mount point, device, type, read-only, major:minor)] as the kernel tells, deepest last."""
    found = []
    for line in (system.read_text('/proc/self/mountinfo') or '').split('\n'):
        head, dash, tail = line.partition(' - ')
        fields, rest = head.split(), tail.split()
        if dash and len(fields) >= 6 and len(rest) >= 3:
            point = re.sub(r'\\(\d{3})', lambda match: chr(int(match.group(1), 8)), fields[4])
            options = fields[5].split(',') + rest[2].split(',')
            found.append((point, rest[1], rest[0], 'ro' in options, fields[2]))
    return sorted(found, key=lambda item: len(item[0]))


def _place(path, table):
    """The file system that a path is on (or would be)."""
    real = os.path.realpath(path)
    while not os.path.exists(real):
        real = os.path.dirname(real)
    point, device, kind, read_only, numbers = '/', None, None, None, None
    for mount in table:
        if real == mount[0] or real.startswith(mount[0].rstrip('/') + '/'):
            point, device, kind, read_only, numbers = mount
    info = os.statvfs(real)
    return dict(path=clean(path), mount=clean(point), device=clean(device), fstype=clean(kind), total=info.f_blocks * info.f_frsize,
                free=info.f_bfree * info.f_frsize, inodes_total=info.f_files or None,
                inodes_free=info.f_ffree if info.f_files else None, read_only=read_only), numbers


def _media(numbers):
    """(device, kind) of the disk behind a file system; None when it has no block device of its own."""
    base = os.path.realpath('/sys/dev/block/%s' % numbers)
    if not os.path.exists(base):
        return None
    # a partition's folder lies inside its disk's
    disk = base if os.path.exists(os.path.join(base, 'queue')) else os.path.dirname(base)
    name = os.path.basename(disk)
    if name.startswith('mmcblk'):
        kind = 'mmc'
    elif name.startswith('nvme'):
        kind = 'nvme'
    elif name.startswith(('vd', 'xvd', 'loop', 'dm-', 'md')):
        kind = 'virtual'
    else:
        spins = (system.read_text(os.path.join(disk, 'queue/rotational')) or '').strip()
        kind = 'ssd' if spins == '0' else 'disk'
    return dict(device=clean(name), kind=kind)


def collect_storage(look):
    """Section storage."""
    home = look.installation
    table = mounts()
    wanted = dict(root='/', web_root=home.web_root, backup=look.backup_folder(), tmp='/tmp', jeedom_tmp=look.temporary(),
                  state=system.STATE_DIR)
    try:
        wanted['database'] = dict(row[:2] for row in look.rows('database.variables')).get('datadir') or '/var/lib/mysql'
    except Unreadable:
        wanted['database'] = '/var/lib/mysql'
    paths, media = {}, []
    for name, path in wanted.items():
        try:
            paths[name], numbers = _place(path, table)
        except (OSError, UnicodeError) as error:
            paths[name] = None
            look.note('storage.paths.' + name, '%s: %s' % (path, error))
            continue
        disk = _media(numbers) if name in ('web_root', 'database') else None
        if disk and disk not in media:
            media.append(disk)
    seen = look.attempt('storage.tree', lambda: tree(look))
    return dict(
        paths=paths, media=media, jeedom_tmp=look.temporary(),
        tree=seen and dict(size=seen.size, files=seen.files, archive_size=seen.archive_size, complete=seen.complete),
        log_size=seen and seen.top.get('log', 0), data_size=seen and seen.top.get('data', 0),
        plugins_size=seen and seen.top.get('plugins', 0), backup_size=folder_size(look.backup_folder()),
        io_errors=look.attempt('storage.io_errors', lambda: capped(
            [clean(line) for line in look.kernel_log() if _DISK_TROUBLE.search(line)])))
