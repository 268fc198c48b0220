# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read Jeedom's database credentials out of PHP source without PHP, for boxes where PHP itself does not run.

Understands what people and installers write: array(...) and [...], both kinds of quotes, concatenated literals, numbers,
comments, and assignments such as $CONFIG['db']['host'] = '...'. Anything that would have to be computed is left out.
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

# contract 1.1
KEYS = ('host', 'port', 'dbname', 'username', 'password', 'unix_socket')

_TOKEN = re.compile(r'''
    (?P<comment>//[^\n]*|\#[^\n]*|/\*.*?\*/)
  | (?P<single>'(?:[^'\\]|\\.)*')
  | (?P<double>"(?:[^"\\]|\\.)*")
  | (?P<arrow>=>)
  | (?P<number>\d+)
  | (?P<word>\$?[A-Za-z_][A-Za-z0-9_]*)
  | (?P<mark>[][(){},;=.])
  | (?P<other>\S)
''', re.S | re.X)
_SINGLE = re.compile(r"\\([\\'])")
_DOUBLE = re.compile(r'\\(n|t|r|v|e|f|\\|\$|"|[0-7]{1,3}|x[0-9A-Fa-f]{1,2}|u\{[0-9A-Fa-f]{1,6}\})')
_NAMED = {'n': '\n', 't': '\t', 'r': '\r', 'v': '\v', 'e': '\x1b', 'f': '\f', '\\': '\\', '$': '$', '"': '"'}
# A variable inside double quotes is a computation.
_VARIABLE = re.compile(r'(?<!\\)(?:\\\\)*(?:\$[A-Za-z_{]|\{\$)')

try:
    _char = unichr
except NameError:
    _char = chr


def _escape(match):
    name = match.group(1)
    if name in _NAMED:
        return _NAMED[name]
    if name[0] == 'x':
        return _char(int(name[1:], 16))
    if name[0] == 'u':
        code = int(name[2:-1], 16)
        return _char(code) if code < 0x110000 else ''
    return _char(int(name, 8) & 0xff)


def _tokens(text):
    """(kind, value) pairs: string, word, or a mark; None as value of a string that must be computed."""
    for match in _TOKEN.finditer(text):
        kind, source = match.lastgroup, match.group()
        if kind == 'comment':
            continue
        if kind == 'single':
            yield 'string', _SINGLE.sub(r'\1', source[1:-1])
        elif kind == 'double':
            yield 'string', None if _VARIABLE.search(source[1:-1]) else _DOUBLE.sub(_escape, source[1:-1])
        elif kind == 'number':
            yield 'string', source
        elif kind == 'word':
            yield 'word', source
        else:
            yield source, source


def _value(tokens, at):
    """The literal value that begins at a position, with the position after it; value None = not a literal."""
    parts = []
    while at < len(tokens):
        kind, value = tokens[at]
        if kind == 'string':
            parts.append(value)
        elif kind == 'word' and value.lower() == 'null':
            parts.append(None)
        else:
            return None, at
        at += 1
        if at >= len(tokens) or tokens[at][0] != '.':
            break
        at += 1
    complete = at >= len(tokens) or tokens[at][0] in (',', ';', ')', ']')
    if not complete or not parts or None in parts:
        return None, at
    return ''.join(parts), at


def parse(text):
    """{key: value} of $CONFIG['db'] in PHP source; {} when there is nothing that can be told. Never raises."""
    tokens = list(_tokens(text))
    found = {}
    inside, depth, own_bracket = None, 0, None
    for at, (kind, value) in enumerate(tokens):
        if kind in ('(', '['):
            depth += 1
        elif kind in (')', ']'):
            depth -= 1
            if inside is not None and depth < inside and at != own_bracket:
                inside = None
        elif kind == 'string' and value == 'db':
            following = [token[0] for token in tokens[at + 1:at + 4]]
            if following[:1] == ['=>'] or following[:2] == [']', '=']:
                # 'db' => array(   or   $CONFIG['db'] = array(: its keys stand one level deeper
                inside, own_bracket = (depth + 1, None) if following[:1] == ['=>'] else (depth, at + 1)
            elif following[:2] == [']', '['] and len(tokens) > at + 5 and \
                    tokens[at + 3][1] in KEYS and [token[0] for token in tokens[at + 4:at + 6]] == [']', '=']:
                literal = _value(tokens, at + 6)[0]
                if literal is not None:
                    found[tokens[at + 3][1]] = literal
        elif kind == 'string' and value in KEYS and inside is not None and depth == inside and \
                at + 1 < len(tokens) and tokens[at + 1][0] == '=>':
            literal = _value(tokens, at + 2)[0]
            if literal is not None:
                found[value] = literal
    return found
