# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assemble the miniature core of one version: sources with what belongs to the version, its schema, and filler files."""

from __future__ import annotations

import argparse
import calendar
import json
import os
import re
import sys
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What differs between the versions beyond the conditions in the sources. limit, purge: knowledge/traps.yml. useless: what the
# updater deletes when it is older than so many days. page: bytes of the login page. empty limit: none that matters.
VERSIONS = {
    '3.3.60': {'released': '2023-01-02', 'branch': 'master', 'purge': '2025-01-01 01:00:00', 'page': 18735},
    '4.0.63': {'released': '2021-01-04', 'branch': 'V4-stable', 'purge': '2025-01-01 01:00:00', 'page': 17084, 'limit': '2023-01-01',
               # the genuine tag 4.0.63 holds this (contract 1.1)
               'file': '4.0.62'},
    '4.1.28': {'released': '2022-01-17', 'branch': 'V4-stable', 'purge': '2025-01-01 01:00:00', 'page': 17320, 'limit': '2026-01-01',
               'useless': '3rdparty desktop mobile core docs install script vendor', 'useless_days': 7},
    '4.4.20': {'released': '2025-09-09', 'branch': 'master', 'purge': '2026-01-01 01:00:00', 'page': 19782, 'limit': '2026-01-01',
               'useless': '3rdparty desktop mobile core docs install script', 'useless_days': 30},
    '4.5.3': {'released': '2026-03-31', 'branch': 'master', 'page': 19927,
              'useless': '3rdparty desktop mobile core docs install script', 'useless_days': 30},
}
# Update scripts that a version no longer ships.
DROPPED = {'3.4.0': '<4.2', '4.0.34': '<4.1'}
BLOCK = re.compile(r'[ \t]*//@if (\S+)\n((?:(?!//@if)(?!//@end).)*?)[ \t]*//@end\n', re.S)
INLINE = re.compile(r'/\*@if (\S+?)\*/(.*?)/\*@end\*/', re.S)
WIDGETS = {
    '<4.0': 'action.other.circle action.other.fan action.other.light action.other.lock action.other.prise action.slider.light info.binary.alert '
            'info.binary.default info.binary.door info.binary.heat info.binary.light info.binary.lock info.binary.presence info.binary.window '
            'info.numeric.heatPiloteWire',
    '>=3.3': 'action.other.alert action.other.default action.slider.button action.slider.default info.binary.shutter info.numeric.badge '
             'info.numeric.default info.numeric.light info.numeric.line info.numeric.shutter info.numeric.tile info.string.default info.string.tile',
    '>=4.0': 'action.other.tmplicon action.slider.timeShutter info.binary.tmplicon info.numeric.compass info.numeric.rain info.string.multiline',
}
LIBRARIES = {
    '3rdparty': {'>=3.3': 'animate autosize bootbox bootstrap codemirror font-awesome5 jquery jquery.ui lodash php.js roboto snap.svg three.js waves wow',
                 '<4.0': 'bootstrap.rating font-awesome jquery.gridstack jquery.sew', '<4.4': 'datetimepicker fancybox jquery.toastr slick',
                 '>=4.0': 'text-security', '>=4.1': 'moment', '>=4.4': 'elfinder flatpickr nouislider sortable tippy'},
    'vendor': {'>=3.3': 'christian-riesen doctrine guzzle knplabs league mtdowling paragonie ralouphie sabre symfony touki',
               '>=4.1': 'bacon dragonmantank influxdb', '>=4.4': 'abbadon1334'},
}
AUTOLOAD = r'''<?php
// SPDX-License-Identifier: GPL-3.0-or-later
spl_autoload_register(function ($class) {
    $places = array('Psr\\Log\\' => '/psr/log/Psr/Log/', 'Monolog\\' => '/monolog/monolog/src/Monolog/');
    foreach ($places as $prefix => $folder) {
        $file = dirname(__DIR__) . $folder . substr($class, strlen($prefix)) . '.php';
        if (strpos($class, $prefix) === 0 && file_exists($file)) {
            require $file;
        }
    }
});
'''


def number(version: str) -> tuple[int, ...]:
    """A version that compares."""
    return tuple(int(part) for part in version.split('.'))


def holds(condition: str, version: str) -> bool:
    """Whether a condition of the sources holds: >=4.1, <4.5, =4.4; a bare word: the version has such a thing."""
    found = re.fullmatch(r'(>=|<|=)([\d.]+)', condition)
    if not found:
        return condition in VERSIONS[version]
    wanted = number(found.group(2))
    own = number(version)[:len(wanted)]
    return {'>=': own >= wanted, '<': own < wanted, '=': own == wanted}[found.group(1)]


def specialise(text: str, version: str) -> str:
    """The text of a source file as this version has it; blocks may be nested."""
    def choose(match: re.Match) -> str:
        return match.group(2) if holds(match.group(1), version) else ''
    while BLOCK.search(text):
        text = BLOCK.sub(choose, text)
    text = INLINE.sub(choose, text)
    for name, value in VERSIONS[version].items():
        text = text.replace(f'@{name}@', str(value))
    return text


def schema(version: str) -> dict:
    """Tables of a version from schema.txt: {name: {columns, keys, foreign, engine}}."""
    tables, table = {}, None
    for line in (HERE / 'schema.txt').read_text(encoding='utf-8').splitlines():
        if line.startswith('#') or not line.strip():
            continue
        if not line.startswith(' '):
            name, *rest = line.split()
            table = {'columns': {}, 'keys': [], 'foreign': [], 'engine': 'InnoDB'}
            table['engine'] = next((word for word in rest if word.isalpha()), 'InnoDB')
            if all(holds(word, version) for word in rest if not word.isalpha()):
                tables[name] = table
            continue
        name, rest = line.strip().split(' ', 1)
        if name in ('primary', 'unique') and not re.match(r'\w*(int|char|text)', rest):
            columns = ', '.join(f'`{column}`' for column in rest.split(','))
            table['keys'].append(f'PRIMARY KEY ({columns})' if name == 'primary' else f'UNIQUE KEY `{name}{len(table["keys"])}` ({columns})')
        elif name == 'foreign':
            column, target, action = rest.split()
            table['foreign'].append(f'FOREIGN KEY (`{column}`) REFERENCES `{target}` (`id`) '
                                    f'ON DELETE {"SET NULL" if action == "null" else action.upper()} ON UPDATE CASCADE')
        else:
            for choice in rest.split(', '):
                kind, *conditions = choice.split()
                if all(holds(condition, version) for condition in conditions):
                    table['columns'][name] = definition(kind)
                    break
    for table in tables.values():
        if 'id' in table['columns'] and not any(key.startswith('PRIMARY') for key in table['keys']):
            table['keys'].insert(0, 'PRIMARY KEY (`id`)')
    return tables


def definition(kind: str) -> str:
    """SQL of a column: varchar(45)!=x becomes varchar(45) NOT NULL DEFAULT 'x'."""
    base, empty, default = kind.partition('=')
    text = base.rstrip('!+') + (' NOT NULL' if '!' in base else '') + (' AUTO_INCREMENT' if '+' in base else '')
    return text + (f" DEFAULT '{default}'" if empty else '')


def sql(tables: dict) -> str:
    """install.sql: CREATE statements with foreign keys, which later versions drop."""
    statements = ['-- SPDX-License-' + 'Identifier: GPL-3.0-or-later\n']
    for name, table in tables.items():
        lines = [f'`{column}` {kind}' for column, kind in table['columns'].items()] + table['keys'] + table['foreign']
        statements.append(f'CREATE TABLE IF NOT EXISTS `{name}` ({", ".join(lines)}) ENGINE={table["engine"]};\n')
    return ''.join(statements)


def filler(version: str) -> dict[str, str]:
    """Files that only have to be there: an upgrade must overwrite some, add some, leave some behind, and find some empty."""
    major = '.'.join(version.split('.')[:2])
    files = {}
    for folder, groups in LIBRARIES.items():
        for library in ' '.join(names for condition, names in groups.items() if holds(condition, version)).split():
            for index in range(4):
                files[f'{folder}/{library}/lib{index}.{"php" if folder == "vendor" else "js"}'] = (
                    '<?php\n' if folder == 'vendor' else '') + f'// {library} {index} of {version}\n' * 20
    for widget in ' '.join(names for condition, names in WIDGETS.items() if holds(condition, version)).split():
        for view in ('dashboard', 'mobile'):
            files[f'core/template/{view}/cmd.{widget}.html'] = f'<div class="{widget}">{version}</div>\n'
    for index in range(30):
        files[f'desktop/js/page{index:02d}.js'] = f'// page {index} of {version}\n' * 30
        files[f'mobile/js/page{index:02d}.js'] = f'// mobile page {index} of {version}\n' * 20
        files[f'desktop/css/only-{major}-{index:02d}.css'] = f'/* {version} */\n'
    for theme in ('darksobre', 'blue', 'green') if holds('<4.0', version) else ('core2019_Light', 'core2019_Dark'):
        files[f'core/themes/{theme}/desktop/{theme}.css'] = f'/* {theme} of {version} */\n'
    if holds('<4.5', version):
        files.update({
            'vendor/autoload.php': "<?php\nrequire_once __DIR__ . '/composer/autoload_real.php';\n",
            # from 4.1 on composer's list names a file of a package that is moved after it
            'vendor/composer/autoload_real.php': AUTOLOAD + ("require dirname(__DIR__) . '/symfony/polyfill-intl-normalizer/bootstrap.php';\n"
                                                             if holds('>=4.1', version) else ''),
            'vendor/symfony/polyfill-intl-normalizer/bootstrap.php' if holds('>=4.1', version) else 'vendor/symfony/README.md': '<?php\n',
            'vendor/psr/log/Psr/Log/LoggerInterface.php': '<?php\nnamespace Psr\\Log;\ninterface LoggerInterface {}\n',
            'vendor/psr/log/Psr/Log/AbstractLogger.php': '<?php\nnamespace Psr\\Log;\nabstract class AbstractLogger implements LoggerInterface {}\n',
            'vendor/monolog/monolog/src/Monolog/Logger.php': '<?php\nnamespace Monolog;\nclass Logger implements \\Psr\\Log\\LoggerInterface {}\n',
            'vendor/sabre/event/bin/.empty': '',
        })
    else:
        files = {name: text for name, text in files.items() if not name.startswith('vendor/')}
    for folder in ('data data/custom log backup plugins/core core/class core/config core/repo install/update' + (
            ' install' if holds('>=4.1', version) else '') + (' script support tests' if holds('<4.4', version) else ' tests')).split():
        files[f'{folder}/.htaccess'] = 'Require all denied\n'
    files.update({
        # names that are empty in every release: an updater leaves them where they are, without a word
        'log/empty': '', 'core/template/scenario/cmd.action.other.default.html': '',
        '.gitignore': 'log/*\n', 'docs/fr_FR/index.md': f'# {version}\n', 'tests/run.php': '<?php\n', 'composer.json': '{"require": {"php": ">=7.0"}}\n',
        'robots.txt': 'User-agent: *\nDisallow: /\n', 'LICENSE': 'GPL-3.0-or-later\n', 'phpunit.xml.dist': '<phpunit/>\n', 'data/plan/info': 'plans\n',
    })
    if holds('<4.1', version):
        files['.travis.yml'] = 'language: php\n'
    else:
        # empty in these releases as well, and the updater does tell
        files['docs/fr_FR/noteVersion.md'] = ''
    if holds('<4.4', version):
        files.update({'script/health.sh': '#!/bin/sh\nexit 0\n', 'support/info': 'support\n'})
    else:
        files.update({'resources/install_composer.sh': '#!/bin/sh\nexit 0\n', '.well-known/security.txt': 'none\n'})
    return files


def build(version: str, out: Path) -> None:
    """Write the tree of a version; its files are as old as the release."""
    texts = filler(version)
    for path in sorted((HERE / 'src').rglob('*')):
        name = path.relative_to(HERE / 'src')
        if path.is_dir():
            continue
        if name.parent.name == 'update':
            minor = '4.0' if name.stem == '3.4.0' else '.'.join(name.stem.split('.')[:2])
            if not holds(f'>={minor}', version) or not holds(DROPPED.get(name.stem, '>=3.3'), version):
                continue
        if name.name == 'console.php' and holds('<4.1', version):
            continue
        texts[str(name)] = specialise(path.read_text(encoding='utf-8'), version)
    tables = schema(version)
    texts['install/database.json'] = json.dumps({name: {key: table[key] for key in ('columns', 'keys', 'engine')}
                                                 for name, table in tables.items()}, indent=1)
    if holds('<4.0', version):
        texts['install/install.sql'] = sql(tables)
    texts['core/config/version'] = VERSIONS[version].get('file', version) + '\n'
    moment = calendar.timegm(time.strptime(VERSIONS[version]['released'], '%Y-%m-%d'))
    for name, text in texts.items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding='utf-8')
        os.utime(target, (moment, moment))


def pack(tree: Path, ref: str, target: Path) -> None:
    """The archive of a tree as the download site serves it."""
    with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(tree.rglob('*')):
            archive.write(path, f'core-{ref}/{path.relative_to(tree)}')


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--version', required=True, choices=VERSIONS)
    parser.add_argument('--out', required=True, type=Path, help='folder of the tree; is made')
    parser.add_argument('--zip', type=Path, help='also pack the tree into this file')
    parser.add_argument('--ref', help='name of the ref in the zip (default: the version)')
    arguments = parser.parse_args()
    build(arguments.version, arguments.out)
    if arguments.zip:
        pack(arguments.out, arguments.ref or arguments.version, arguments.zip)
    return 0


if __name__ == '__main__':
    sys.exit(main())
