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
_BETWEEN_ROWS = re.compile(br'\)\s*,\s*\(')
COMPLETED = b'-- Dump completed'
# A line that is no INSERT is looked at by its beginning only; an INSERT's head is never longer than this.
_HEAD = 70000


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
        self._mode = 'line'
        self._table = None
        self._in_string = False

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
        while data:
            data = getattr(self, '_' + self._mode)(data)

    def close(self):
        """The end of the dump has come."""
        if self._mode == 'line' and self._rest:
            self._one_line(self._rest)
        elif self._mode != 'line':
            self.complete = False
        self._rest = b''

    @property
    def problem(self):
        """Why this dump cannot be trusted, or None."""
        if not self.tables:
            return 'the dump holds no table'
        if not self.complete:
            return 'the dump has no completion line: it is cut'
        return None

    # each of these takes bytes and returns what is left for the next state, or keeps them in _rest for more input

    def _line(self, data):
        head = _INSERT.match(data)
        if head:
            self._table = _name(head.group(1))
            # the first row has nothing before it
            self.tables[self._table] = self.tables.get(self._table, 0) + 1
            self._mode = 'rows'
            self.complete = False
            return data[head.end():]
        line, newline, rest = data.partition(b'\n')
        if newline and (not line.startswith((b'INSERT', b'REPLACE')) or len(line) > _HEAD):
            self._one_line(line)
            return rest
        if len(data) > _HEAD:
            # a line without end that is no INSERT: only its beginning could matter
            self._one_line(data)
            self._mode = 'skip'
            return b''
        self._rest = data
        return b''

    def _skip(self, data):
        dummy, newline, rest = data.partition(b'\n')
        if newline:
            self._mode = 'line'
        return rest

    def _one_line(self, line):
        found = _CREATE.match(line)
        if found:
            self.tables.setdefault(_name(found.group(1)), 0)
        if line.strip():
            # only as the last line does it mean that everything before it is there
            self.complete = line.startswith(COMPLETED)

    def _rows(self, data):
        parts = data.split(b"'")
        outside = parts[1 if self._in_string else 0::2]
        plain = b'"'.join(outside)
        end = plain.find(b';')
        if end < 0:
            self.tables[self._table] += len(_BETWEEN_ROWS.findall(plain))
            self._in_string = self._in_string != (len(parts) % 2 == 0)
            # "),(" may lie across the border: what could be its beginning is looked at again
            border = plain.rfind(b')')
            if not self._in_string and border >= 0 and not plain[border + 1:].strip(b' \n\r\t,'):
                self._rest = plain[border:]
            return b''
        self.tables[self._table] += len(_BETWEEN_ROWS.findall(plain[:end]))
        index = 1 if self._in_string else 0
        while b';' not in parts[index]:
            index += 2
        self._in_string = False
        self._mode = 'skip'
        return b"'".join([parts[index].partition(b';')[2]] + parts[index + 1:])


def _name(raw):
    return raw.replace(b'``', b'`').decode('utf-8', 'replace')
