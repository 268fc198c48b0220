# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read an SQL dump as a stream: is it complete, which tables, how many rows in each. Constant memory.

Python 2.7 and 3.5+, standard library only; used on the box and, during a fetch, on the controller.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

_CREATE = re.compile(br'CREATE TABLE (?:IF NOT EXISTS )?`((?:[^`]|``)+)`')
_INSERT = re.compile(br'(?:INSERT|REPLACE)(?: IGNORE)? INTO `((?:[^`]|``)+)`(?: \([^)]*\))? VALUES\s*(?=\()')
# All bytes but those that open and close strings and rows.
_PLAIN = bytes(bytearray(set(range(256)) - set(bytearray(b"'()"))))
COMPLETED = b'-- Dump completed'
# A line that is no INSERT is looked at by its beginning only; an INSERT's head is never longer than this.
_HEAD = 70000
# Jeedom has some forty tables, plugins add a few.
_MAX_TABLES = 10000


class DumpScanner:
    """Feed it the bytes of a dump, then ask: tables ({name: rows}), complete, problem.

    Works on text whose escapes have been taken out first: what is left of the quotes opens and closes strings, so that
    everything is done by searches that read each byte a fixed number of times, whatever is inside.
    """

    def __init__(self):
        self.tables = {}
        self.complete = False
        self.size = 0
        self._escape = b''
        self._rest = b''
        self._mode = self._line
        self._table = None
        self._in_string = False
        self._row_closed = False

    def feed(self, data):
        """Take the next bytes."""
        self.size += len(data)
        data = self._escape + data
        backslashes = len(data) - len(data.rstrip(b'\\'))
        # what a last lone backslash escapes has not come yet
        self._escape = b'\\' if backslashes % 2 else b''
        if self._escape:
            data = data[:-1]
        data = self._rest + data.replace(b'\\\\', b'').replace(b"\\'", b'')
        self._rest = b''
        at = 0
        while at < len(data):
            at = self._mode(data, at)

    def close(self):
        """The end of the dump has come."""
        if self._mode == self._line and self._rest:
            self._one_line(self._rest)
        elif self._mode != self._line:
            self.complete = False
        self._rest = b''

    @property
    def problem(self):
        """Why this dump cannot be trusted, or None."""
        if not self.tables:
            return 'the dump holds no table'
        if len(self.tables) > _MAX_TABLES:
            return 'the dump claims more than %d tables' % _MAX_TABLES
        if not self.complete:
            return 'the dump has no completion line: it is cut'
        return None

    # each of these takes bytes and where to begin, and returns where the next state begins; _rest keeps what needs more input

    def _line(self, data, at):
        head = _INSERT.match(data, at)
        if head:
            self._table = self._known(_name(head.group(1)))
            # the first row has nothing before it
            self.tables[self._table] += 1
            self._mode = self._rows
            self._row_closed = self.complete = False
            return head.end()
        end = data.find(b'\n', at)
        if end >= 0 and (end - at > _HEAD or not data.startswith((b'INSERT', b'REPLACE'), at)):
            self._one_line(data[at:min(end, at + _HEAD)])
            return end + 1
        if len(data) - at > _HEAD:
            # a line without end that is no INSERT: only its beginning could matter
            self._one_line(data[at:at + _HEAD])
            self._mode = self._skip
        else:
            self._rest = data[at:]
        return len(data)

    def _skip(self, data, at):
        end = data.find(b'\n', at)
        if end < 0:
            return len(data)
        self._mode = self._line
        return end + 1

    def _one_line(self, line):
        found = _CREATE.match(line)
        if found:
            self._known(_name(found.group(1)))
        if line.strip():
            # only as the last line does it mean that everything before it is there
            self.complete = line.startswith(COMPLETED)

    def _known(self, table):
        # what comes after too many is counted together
        table = table if len(self.tables) < _MAX_TABLES or table in self.tables else u'...'
        self.tables.setdefault(table, 0)
        return table

    def _rows(self, data, at):
        end = self._statement_end(data, at)
        # of the rows this leaves brackets and quotes, and of strings without a bracket nothing
        plain = ((b"'" if self._in_string else b'') + data[at:end].translate(None, _PLAIN)).replace(b"''", b'')
        if b"'" in plain:
            parts = plain.split(b"'")
            self._in_string = len(parts) % 2 == 0
            plain = b'"'.join(parts[0::2])
        else:
            self._in_string = False
        rows = plain.count(b')(')
        if plain:
            # the border between two rows may lie between two pieces
            rows += self._row_closed and plain.startswith(b'(')
            self._row_closed = plain.endswith(b')')
        self.tables[self._table] += rows
        if end < len(data):
            self._mode = self._skip
        return end

    def _statement_end(self, data, at):
        """Where the first semicolon outside of strings stands, or the end of the data."""
        inside, seen = self._in_string, at
        if inside:
            seen = data.find(b"'", at) + 1
            if not seen:
                return len(data)
        while True:
            end = data.find(b';', seen)
            if end < 0:
                return len(data)
            if data.count(b"'", seen, end) % 2 == 0:
                return end
            seen = data.find(b"'", end) + 1
            if not seen:
                return len(data)


def _name(raw):
    return raw.replace(b'``', b'`').decode('utf-8', 'replace')
