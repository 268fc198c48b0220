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
_INSERT = re.compile(br'(?:INSERT|REPLACE)(?: IGNORE)? INTO `((?:[^`]|``)+)`(?: \([^)]*\))? VALUES\s*')
_STRING = re.compile(br"'[^'\\]*(?:\\.[^'\\]*)*'", re.S)
_STRING_END = re.compile(br"[^'\\]*(?:\\.[^'\\]*)*'", re.S)
_BETWEEN_ROWS = re.compile(br'\)\s*,\s*\(')
COMPLETED = b'-- Dump completed'
# A line that is no INSERT is looked at by its beginning only; an INSERT's head is never longer than this.
_HEAD = 70000


class DumpScanner:
    """Feed it the bytes of a dump, then ask: tables ({name: rows}), complete, problem."""

    def __init__(self):
        self.tables = {}
        self.complete = False
        self.size = 0
        self._rest = b''
        self._mode = 'line'
        self._table = None

    def feed(self, data):
        """Take the next bytes."""
        self.size += len(data)
        data = self._rest + data
        self._rest = b''
        while data:
            data = getattr(self, '_' + self._mode)(data)

    def close(self):
        """The end of the dump has come."""
        if self._mode == 'line' and self._rest:
            self._one_line(self._rest)
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
        if head and head.end() < len(data):
            self._table = _name(head.group(1))
            # the first row has nothing before it
            self.tables[self._table] = self.tables.get(self._table, 0) + 1
            self._mode = 'rows'
            return data[head.end():]
        line, newline, rest = data.partition(b'\n')
        if newline and (not line.startswith((b'INSERT', b'REPLACE')) or len(line) > _HEAD):
            self._one_line(line)
            return rest
        if newline:
            # INSERT INTO `t` VALUES and the rows on the next lines: more is needed to see
            self._rest = data
            return b''
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
        plain = _STRING.sub(b'', data)
        opened = plain.find(b"'")
        tail = b''
        if opened >= 0:
            # what follows is the beginning of a string whose end has not come yet
            plain, tail = plain[:opened], plain[opened:]
        end = plain.find(b';')
        if end >= 0:
            self.tables[self._table] += len(_BETWEEN_ROWS.findall(plain[:end]))
            self._mode = 'skip'
            # the rest of the line, in its original bytes: what follows the statement's end outside of any string
            return self._after_statement(data)
        self.tables[self._table] += len(_BETWEEN_ROWS.findall(plain))
        # "),(" may lie across the border: what could be its beginning is looked at again
        border = plain.rfind(b')')
        again = plain[border:] if border >= 0 and not plain[border + 1:].strip(b' \n\r\t,') else b''
        if len(tail) > (1 << 20):
            self._mode = 'string'
            self._rest = b''
            return tail[-2:] if tail.endswith(b'\\') and _odd(tail) else b''
        self._rest = again + tail
        return b''

    def _string(self, data):
        found = _STRING_END.match(data)
        if found:
            self._mode = 'rows'
            return data[found.end():]
        self._rest = b'\\' if data.endswith(b'\\') and _odd(data) else b''
        return b''

    def _after_statement(self, data):
        position = 0
        while True:
            quote, end = data.find(b"'", position), data.find(b';', position)
            if quote < 0 or end < quote:
                return data[end + 1:]
            position = _STRING.match(data, quote).end()


def _odd(data):
    return (len(data) - len(data.rstrip(b'\\'))) % 2 == 1


def _name(raw):
    return raw.replace(b'``', b'`').decode('utf-8', 'replace')
