#!/usr/bin/env python3
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assemble the miniature core of one version: sources with what belongs to the version, its schema, and filler files."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VERSIONS = ('3.3.60', '4.0.63', '4.1.28', '4.4.20', '4.5.3')
# The genuine tag 4.0.63 holds this (contract 1.1).
FILE_VERSION = {'4.0.63': '4.0.62'}
# End-of-life dates and purge constants: knowledge/traps.yml. None: this version has no limit that matters.
LIMIT = {'4.0.63': '2023-01-01', '4.1.28': '2026-01-01', '4.4.20': '2026-01-01'}
PURGE = {'3.3.60': '2025-01-01 01:00:00', '4.0.63': '2025-01-01 01:00:00', '4.1.28': '2025-01-01 01:00:00', '4.4.20': '2026-01-01 01:00:00'}
# What the updater of a version deletes when it is old: (folders, days).
USELESS = {'4.1.28': ('3rdparty desktop mobile core docs install script vendor', 7), '4.4.20': ('3rdparty desktop mobile core docs install script', 30),
           '4.5.3': ('3rdparty desktop mobile core docs install script', 30)}
BRANCH = {'3.3.60': 'master', '4.0.63': 'V4-stable', '4.1.28': 'V4-stable', '4.4.20': 'master', '4.5.3': 'master'}
SCRIPTS = {'4.0.2': '4.0', '4.0.4': '4.0', '4.1.1': '4.1', '4.1.15': '4.1'}
BLOCK = re.compile(r'//@if (\S+)\n((?:(?!//@if)(?!//@end).)*?)[ \t]*//@end\n', re.S)
INLINE = re.compile(r'/\*@if (\S+?)\*/(.*?)/\*@end\*/', re.S)


def number(version: str) -> tuple[int, ...]:
    """A version that compares."""
    return tuple(int(part) for part in version.split('.'))


def holds(condition: str, version: str) -> bool:
    """Whether a condition of the sources holds: >=4.1, <4.5, limit, useless."""
    if condition == 'limit':
        return version in LIMIT
    if condition == 'useless':
        return version in USELESS
    operator, operand = re.match(r'(>=|<)(.*)', condition).groups()
    wanted = number(operand)
    own = number(version)[:len(wanted)]
    return own >= wanted if operator == '>=' else own < wanted


def specialise(text: str, version: str) -> str:
    """The text of a source file as this version has it; blocks may be nested."""
    while BLOCK.search(text):
        text = BLOCK.sub(lambda match: match.group(2) if holds(match.group(1), version) else '', text)
    text = INLINE.sub(lambda match: match.group(2) if holds(match.group(1), version) else '', text)
    folders, days = USELESS.get(version, ('', 0))
    for mark, value in (('@limit@', LIMIT.get(version, '')), ('@purge@', PURGE.get(version, '')), ('@branch@', BRANCH[version]),
                        ('@useless@', folders), ('@useless_days@', str(days))):
        text = text.replace(mark, value)
    return text


def schema(version: str) -> dict:
    """Tables of a version: {name: {columns, keys, engine}} (contract 1.2)."""
    tables = json.loads((HERE / 'schema.json').read_text(encoding='utf-8'))
    result = {}
    for name, table in tables.items():
        if not all(holds(condition, version) for condition in table.get('when', [])):
            continue
        columns = {column: kind for column, kind in table['columns'].items() if not isinstance(kind, list)}
        columns.update({column: kind[1] for column, kind in table['columns'].items()
                        if isinstance(kind, list) and holds(kind[0], version)})
        result[name] = {'columns': columns, 'keys': table.get('keys', ['PRIMARY KEY (`id`)']), 'engine': table.get('engine', 'InnoDB')}
    return result


def sql(tables: dict) -> str:
    """CREATE statements."""
    statements = []
    for name, table in tables.items():
        lines = [f'`{column}` {kind}' for column, kind in table['columns'].items()] + table['keys']
        statements.append(f'CREATE TABLE IF NOT EXISTS `{name}` ({", ".join(lines)}) ENGINE={table["engine"]} DEFAULT CHARSET=utf8mb4;\n')
    return ''.join(statements)


def filler(version: str) -> dict[str, str]:
    """Files that only have to be there: some in every version, some in one, so that an upgrade overwrites, adds and leaves behind."""
    major = '.'.join(version.split('.')[:2])
    files = {}
    for index in range(60):
        files[f'3rdparty/lib{index:02d}/lib.js'] = f'// library {index} of {version}\n' * 20
        files[f'desktop/js/page{index:02d}.js'] = f'// page {index} of {version}\n' * 30
    for index in range(30):
        files[f'mobile/js/page{index:02d}.js'] = f'// mobile page {index} of {version}\n' * 20
        files[f'core/template/dashboard/cmd.info.numeric.w{index:02d}.html'] = f'<div>{index} {version}</div>\n'
        files[f'core/i18n/only-{major}-{index:02d}.json'] = f'{{"version": "{version}"}}\n'
    for theme in ('darksobre', 'blue') if number(version) < (4,) else ('core2019_Light', 'core2019_Dark'):
        files[f'core/themes/{theme}/style.css'] = f'/* {theme} */\n'
    if number(version) < (4, 5):
        files['vendor/autoload.php'] = f'<?php\n// {version}\n'
        files['vendor/psr/log/Psr/Log/LoggerInterface.php'] = '<?php\nnamespace Psr\\Log;\ninterface LoggerInterface {}\n'
        for index in range(20):
            files[f'vendor/lib{index:02d}/src/Lib.php'] = '<?php\n' + f'// library {index} of {version}\n' * 10
    for folder in ('data', 'log', 'backup', 'plugins/core'):
        files[f'{folder}/.htaccess'] = 'Require all denied\n'
    files['script/health.sh'] = '#!/bin/sh\nexit 0\n'
    files['desktop/custom/custom.css'] = ''
    return files


def build(version: str, out: Path) -> None:
    """Write the tree of a version."""
    for path in sorted((HERE / 'src').rglob('*')):
        if path.is_dir():
            continue
        name = path.relative_to(HERE / 'src')
        if name.parent.name == 'update' and not holds('>=' + SCRIPTS[name.stem], version):
            continue
        if name.name == 'console.php' and number(version) < (4, 1):
            continue
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(specialise(path.read_text(encoding='utf-8'), version), encoding='utf-8')
    for name, text in filler(version).items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding='utf-8')
    tables = schema(version)
    (out / 'install/database.json').write_text(json.dumps(tables, indent=1), encoding='utf-8')
    if number(version) < (4, 5):
        (out / 'install/install.sql').write_text(sql(tables), encoding='utf-8')
    (out / 'core/config').mkdir(parents=True, exist_ok=True)
    (out / 'core/config/version').write_text(FILE_VERSION.get(version, version), encoding='utf-8')
    (out / 'core/config/default.config.ini').write_text(f'[core]\ncore::branch = {BRANCH[version]}\ncore::repo::provider = default\n', encoding='utf-8')


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--version', required=True, choices=VERSIONS)
    parser.add_argument('--out', required=True, type=Path)
    arguments = parser.parse_args()
    build(arguments.version, arguments.out)
    return 0


if __name__ == '__main__':
    sys.exit(main())
