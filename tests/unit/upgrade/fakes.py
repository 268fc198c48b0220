# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that knows the few statements that are used, and release zips."""

from __future__ import annotations

import re
import zipfile


class FakeDatabase:
    """The config and cron tables in memory; other statements give what the test says."""

    def __init__(self, rows=None, cron=None):
        self.rows = {('core', key): value for key, value in (rows or {}).items()}
        self.cron = dict(cron or {})
        self.update_source = 'default'
        self.statements = []

    def query(self, sql, *dummy, **dummies):
        if ';\n' in sql:
            return [row for part in sql.split(';\n') for row in self.query(part)]
        self.statements.append(sql)
        text = re.findall(r"'((?:[^'\\]|\\.)*)'", sql)
        if sql.startswith('SELECT `key`, value FROM config'):
            return [[key, self.rows[text[0], key]] for key in text[1:] if (text[0], key) in self.rows]
        if sql.startswith('REPLACE INTO config'):
            self.rows.update({(text[index], text[index + 1]): text[index + 2] for index in range(0, len(text), 3)})
            return []
        if sql.startswith('DELETE FROM config'):
            for key in text[1:]:
                self.rows.pop((text[0], key), None)
            return []
        if sql.startswith('SELECT enable FROM cron'):
            value = self.cron.get('::'.join(text))
            return [] if value is None else [[str(int(value))]]
        if sql.startswith('UPDATE cron'):
            self.cron['::'.join(text)] = 'enable=1' in sql
            return []
        if sql.startswith('UPDATE `update`'):
            self.update_source = text[0]
            return []
        raise AssertionError(f'unexpected statement {sql}')

    def scalar(self, sql, *dummy, **dummies):
        if 'SELECT source FROM `update`' in sql:
            return self.update_source
        if sql == 'SELECT 1':
            return '1'
        raise AssertionError(f'unexpected statement {sql}')

    def config(self, key, plugin='core'):
        return self.rows.get((plugin, key))


def make_zip(path, version='4.1.28', top='core-4.1.28', extra=None, leave_out=()):
    """A release zip like GitHub's; returns its files."""
    files = {'core/config/version': version + '\n', 'core/php/core.inc.php': '<?php // core', 'install/update.php': '<?php // update',
             'index.php': '<?php // index', 'desktop/js/a.js': 'var a', 'tests/x.php': 'test', '.travis.yml': 'x', 'empty.txt': ''}
    files.update(extra or {})
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f'{top}/', '')
        for name, text in files.items():
            if name not in leave_out:
                archive.writestr(f'{top}/{name}', text)
    return files
