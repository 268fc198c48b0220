# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that stand in two schemas since MariaDB died inside a RENAME TABLE, and what makes them whole again.

MariaDB before 10.6 (Debian 9 to 11) renames a table file by file: its engine first, the .frm last, and nothing finishes that after
a crash. Such a table "doesn't exist in engine", and no statement can move or mend it. Seen on 10.5: 2 of 59 kills inside a
RENAME TABLE of 26 tables; the .frm, moved to where InnoDB has the table, made it whole. Python 2.7 and 3.5+, stdlib only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.jeedom.fleet.plugins.module_utils.database import quote

# "RENAME TABLE is atomic" since then; MySQL since 8.0.
ATOMIC = (10, 6)
FRM = '.frm'
# InnoDB moves these by itself when it recovers.
INNODB_FILES = ('.ibd', '.isl', '.cfg')
# A table's name ends there in the name of a file, and in InnoDB's for a partition.
_END = re.compile(r'\.|#[Pp]#')


def is_atomic(version):
    """Whether a server of this VERSION() finishes its renames by itself after a crash."""
    return tuple(int(part) for part in re.findall(r'\d+', version)[:2]) >= (ATOMIC if 'mariadb' in version.lower() else (8, 0))


def by_table(names):
    """{table: set of what follows it} of names of files."""
    found = {}
    for name in names:
        end = _END.search(name)
        if end and not name.startswith('#') and name != 'db.opt':
            found.setdefault(name[:end.start()], set()).add(name[end.start():])
    return found


def to_move(files, innodb, moves):
    """[(folder, other folder, file name)]: what makes the tables whole that stand in two of the schemas.

    files: {folder: by_table() of it}. innodb: {folder: names of the tables that InnoDB has there}. moves: [(from folder, to folder)],
    as the renames went that may have been cut.
    """
    found = []
    for source, target in moves:
        for table in sorted(set(files[source]) | set(files[target])):
            here, there = (set(name for name in files[folder].get(table, ()) if name not in INNODB_FILES) for folder in (source, target))
            at_source, at_target = table in innodb[source], table in innodb[target]
            if at_target and not at_source and FRM in here and FRM not in there:
                way = source, target
            elif at_source and not at_target and FRM in there and FRM not in here:
                way = target, source
            elif not (at_source or at_target) and here and there and not here & there:
                # MyISAM and Aria: what is still here belongs to what has gone on.
                way = source, target
            else:
                continue
            for end in sorted(files[way[0]][table] - set(INNODB_FILES)):
                found.append((way[0], way[1], table + end))
                files[way[0]][table].discard(end)
                files[way[1]].setdefault(table, set()).add(end)
    return found


def _of_innodb(root, schemas):
    """({schema: its folder}, {folder: names of the tables that InnoDB has there}), both as MariaDB spells them in names of files."""
    folders = dict(root.query(' UNION ALL '.join('SELECT %s, CAST(CONVERT(%s USING filename) AS BINARY)' % (quote(name), quote(name))
                                                 for name in schemas), schema=False))
    innodb = dict((folder, set()) for folder in folders.values())
    for name, in root.query('SELECT name FROM information_schema.innodb_sys_tables', schema=False):
        folder, dummy, table = name.partition('/')
        if folder in innodb:
            innodb[folder].add(_END.split(table)[0])
    return folders, innodb


def remove_strays(root, schema):
    """Remove the files that InnoDB made for a table and forgot when it died in CREATE TABLE; returns a sentence for each.

    They keep a schema from being dropped, and no statement removes them (seen on 10.5). schema: one that is to be dropped.
    """
    folders, innodb = _of_innodb(root, [schema])
    place = os.path.join(root.query('SELECT @@datadir', schema=False)[0][0], folders[schema])
    done = []
    for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
        if name.endswith(INNODB_FILES) and _END.split(name)[0] not in innodb[folders[schema]]:
            os.unlink(os.path.join(place, name))
            done.append('removed %s, a file of no table, from %s' % (name, folders[schema]))
    return done


def finish(root, moves):
    """Make tables whole that a crash left between two schemas; returns a sentence for each file moved.

    root: Database with root's rights. moves: [(schema, schema)], as the renames went that may have been cut.
    """
    schemas = sorted(set(schema for move in moves for schema in move))
    (version, data), = root.query('SELECT VERSION(), @@datadir', schema=False)
    if is_atomic(version):
        return []
    folders, innodb = _of_innodb(root, schemas)
    files = dict((folder, by_table(os.listdir(os.path.join(data, folder))) if os.path.isdir(os.path.join(data, folder)) else {})
                 for folder in innodb)
    done = []
    for source, target, name in to_move(files, innodb, [(folders[before], folders[after]) for before, after in moves]):
        os.rename(os.path.join(data, source, name), os.path.join(data, target, name))
        done.append('MariaDB %s had left %s of a table half renamed; moved it from %s to %s' % (version, name, source, target))
    if done:
        # What the server has looked up of these files is true no more.
        root.query('FLUSH TABLES', schema=False)
    return done
