# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a box as root, from stdin: what a look at the files, the database, the web and the API tells, as JSON."""

import glob
import json
import os
import subprocess
import time

WEB = '/var/www/html'


def sh(command):
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode('utf-8', 'replace').strip('\n')


def sql(*queries):
    """Rows of each query, by one client for all; none where a query cannot be answered."""
    script = ''.join("%s;\nSELECT '--end--';\n" % query for query in queries)
    done = subprocess.run(['mysql', '--force', '--default-character-set=utf8mb4', '-N', '--raw', 'jeedom'], input=script.encode('utf-8'),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    answers = done.stdout.decode('utf-8', 'replace').split('--end--\n')
    return [[line.split('\t') for line in answer.split('\n') if line] for answer in answers[:len(queries)]]


def text(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as handle:
            return handle.read().strip()
    except OSError:
        return None


def page(address):
    out = sh("curl -s -m 20 -o /tmp/probe.page -w '%%{http_code} %%{size_download}' '%s'" % address).split()
    return {'status': int(out[0]), 'size': int(out[1]), 'text': (text('/tmp/probe.page') or '')[:40000] if int(out[1]) else ''}


def sizes(folder):
    found = {}
    for top, folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(top, name)
            found[os.path.relpath(path, folder)] = os.path.getsize(path)
    return found


# opcache looks at a file again two seconds after it did so for an earlier page
ASKED = '/run/probe.asked'
if os.path.exists(ASKED):
    time.sleep(max(0, 2.2 - (time.time() - os.path.getmtime(ASKED))))
(tables, columns, config, update, foreign, crons, templates, positions, icons, users, enabled) = sql(
    "SELECT table_name FROM information_schema.tables WHERE table_schema='jeedom'",
    "SELECT table_name, column_name, column_type FROM information_schema.columns WHERE table_schema='jeedom'",
    "SELECT plugin, `key`, REPLACE(COALESCE(value, ''), '\n', ' ') FROM config",
    'SELECT logicalId, type, localVersion, remoteVersion, source, status FROM `update`',
    "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema='jeedom'",
    'SELECT class, `function`, enable, schedule, timeout FROM cron',
    'SELECT DISTINCT template FROM cmd',
    'SELECT position FROM plan ORDER BY id',
    'SELECT DISTINCT display FROM object',
    "SELECT login, COALESCE(hash, '') FROM user",
    'SELECT eqType_name, SUM(isEnable) FROM eqLogic GROUP BY 1')
rows = sql(*('SELECT COUNT(*) FROM `%s`' % table for (table,) in tables))
of_table = {}
for table, column, kind in columns:
    of_table.setdefault(table, {})[column] = kind
key = sh("cd /; sudo -u www-data php -r 'require \"%s/core/php/core.inc.php\"; echo config::byKey(\"api\");' 2>/dev/null" % WEB)
rpc = {'jsonrpc': '2.0', 'id': 1, 'method': 'version', 'params': {'apikey': key}}
stat = sh("stat -c '%%U %%a %%n' %s/DB_backup.sql %s/backup/*.tar.gz %s/backup/.htaccess" % (WEB, WEB, WEB)).split('\n')
seen = {
    'file': text(WEB + '/core/config/version'),
    'config': {'%s/%s' % (plugin, name): value for plugin, name, value in config},
    'update': {row[0]: row[1:] for row in update},
    'tables': {table: int(count[0][0]) for (table,), count in zip(tables, rows)},
    'columns': of_table,
    'foreign': int(foreign[0][0]),
    'crons': {'%s::%s' % (row[0], row[1]): row[2:] for row in crons},
    'templates': sorted(row[0] for row in templates),
    'positions': [row[0] for row in positions],
    'icons': sorted(row[0] for row in icons),
    'hash': dict(users),
    'enabled': dict(enabled),
    'started': text('/tmp/jeedom/started'),
    'page': page('http://127.0.0.1/index.php?v=d'),
    'api': sh("curl -s -m 20 --data-urlencode 'request=%s' http://127.0.0.1/core/api/jeeApi.php" % json.dumps(rpc)),
    'apikey': key,
    'files': sizes(WEB),
    'unzip': sizes('/tmp/jeedom_unzip') if os.path.isdir('/tmp/jeedom_unzip') else None,
    'stat': stat,
    'archives': sorted(os.path.basename(path) for path in glob.glob(WEB + '/backup/*.tar.gz')),
    'tmp_config': sh("stat -c '%a' /tmp/common.config.php 2>/dev/null"),
    'logs': {os.path.basename(path): (text(path) or '')[-4000:] for path in glob.glob(WEB + '/log/*') if os.path.isfile(path)},
}
open(ASKED, 'w').close()
print(json.dumps(seen))
