# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a sandbox box: call our box code, harm the box as a failed hop does, and tell exactly what it holds.

argv: a verb and its parameters as JSON; prints one JSON object. Python 2.7 and 3.5+.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import hashlib
import importlib
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), 'code.zip'))

from ansible_collections.jeedom.fleet.plugins.module_utils import errors, jobs, system, transaction, tree  # noqa: E402

WEB = '/var/www/html'
# What changes by itself on a box at rest: logs, caches, and what Apache or PHP write when a page is served.
OWNED = {'user': 'id, login, password, profils', 'history': 'cmd_id, datetime, value', 'eqLogic': 'id, name, eqType_name, isEnable',
         'cmd': 'id, eqLogic_id, name, type, subType', 'object': 'id, name, father_id', 'scenario': 'id, name, isActive'}
VOLATILE = ('log', 'cache.tar.gz', 'backup')


def sh(command):
    """Run a shell command that must succeed; its output."""
    return subprocess.check_output(['bash', '-ec', command]).decode('utf-8', 'replace')


def sql(text, schema='jeedom'):
    """Run SQL as root."""
    process = subprocess.Popen(['mysql', '-N', '--default-character-set=utf8mb4'] + ([schema] if schema else []), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    out = process.communicate(text.encode('utf-8'))[0]
    assert process.returncode == 0, text
    return out.decode('utf-8')


def call(name, params, timeout=240):
    """A module's result, its job waited for; {died: true} when the job's process vanished."""
    module = importlib.import_module(jobs.PACKAGE + '.' + name)
    given = dict((key, spec.get('default')) for key, spec in module.ARGUMENT_SPEC.items())
    given.update(params)
    check_mode = given.pop('check_mode', False)
    try:
        result = module.run(given, check_mode)
    except errors.BoxError as error:
        return error.as_result()
    job_id = (result.get('job') or {}).get('id')
    if not job_id:
        return result
    return follow(job_id, timeout)


def follow(job_id, timeout=240):
    """Wait for a job."""
    deadline = time.time() + timeout
    while time.time() < deadline:
        job = jobs.inspect(job_id)
        if job['state'] != 'running':
            return dict(job['result'] or {}, died=job['state'] == 'died', job=job_id)
        time.sleep(0.1)
    raise SystemExit('job %s does not end' % job_id)


def table_digests():
    """{table: sha256 of its dump}, and one key for views, triggers, routines and events."""
    if not sql("SELECT 1 FROM information_schema.schemata WHERE schema_name='jeedom'", None).strip():
        return {}
    found = {}
    dump = subprocess.Popen(['mysqldump', '--skip-comments', '--skip-triggers', '--skip-extended-insert', '--default-character-set=utf8mb4', 'jeedom'],
                            stdout=subprocess.PIPE)
    table = None
    for line in dump.stdout:
        # One dump for all tables; a view drops itself by another word.
        if line.startswith(b'DROP TABLE IF EXISTS `'):
            table = found.setdefault(line.split(b'`')[1].decode('utf-8'), hashlib.sha256())
        elif line.startswith(b'/*!50001 '):
            table = None
        if table:
            table.update(line)
    assert dump.wait() == 0
    found = dict((name, digest.hexdigest()) for name, digest in found.items())
    rest = 'mysqldump --skip-comments --no-data --no-create-info --triggers --routines --events jeedom; '
    rest += 'mysql -N -e "SELECT table_name, view_definition FROM information_schema.views WHERE table_schema=\'jeedom\' ORDER BY 1"'
    rest += '; mysql -N -e "SHOW CREATE DATABASE jeedom"'
    found['(others)'] = sh(rest)
    # What the user owns is the same in every version, whatever the tables around it look like. A hop may give everybody a new
    # hash for the API, but nobody another password.
    for name, columns in OWNED.items():
        found['(%s)' % name] = sql('SELECT COUNT(*), SUM(CRC32(CONCAT_WS("|", %s))) FROM `%s`' % (columns, name)) if name in found else None
    return found


def census(dummy):
    """Everything that a rollback has to give back."""
    files = dict((entry.name, [entry.kind, entry.mode, entry.uid, entry.gid, entry.digest, entry.link])
                 for entry in tree.listing(WEB) if not tree.is_below(entry.name, VOLATILE)) if os.path.isdir(WEB) else {}
    return dict(files=files, tables=table_digests())


def around(dummy):
    """What must be as it was beside files and tables, and what must not be left anywhere."""
    # A web server that is down is what is being looked at, and no error of the look.
    # Told, not failed: a box without a page or without Apache is what the tests compare.
    page = sh('curl -s "http://127.0.0.1/index.php?v=d" || true')
    return dict(
        page='password' in page and len(page) > 2000, apache=sh('systemctl is-active apache2 || true').strip(),
        cron_files=sorted(os.path.basename(name) for name in glob.glob('/etc/cron.d/jeedom*')),
        started=os.path.exists('/tmp/jeedom/started'),
        cache=sorted(os.listdir('/tmp/jeedom/cache')) if os.path.isdir('/tmp/jeedom/cache') else None,
        backup=sorted(os.listdir(WEB + '/backup')) if os.path.isdir(WEB + '/backup') else None,
        rows=sql("SELECT `key`, value FROM config WHERE `key` IN ('enableCron', 'enableScenario')"),
        schemas=sql('SHOW DATABASES', None).split(), transaction=transaction.current(), journal=transaction.journal(),
        leftovers=[path for path in glob.glob('/var/www/.jeedom-fleet*') + glob.glob('/var/www/html/.jeedom-fleet*') + glob.glob(
            '/var/lib/jeedom-fleet/*') + glob.glob('/var/lib/jeedom-fleet/cron.d/*') + glob.glob('/var/lib/jeedom-fleet/staging/*')
            + glob.glob('/etc/systemd/system/*jeedom-fleet*') + glob.glob('/etc/systemd/system/apache2.service.d/jeedom*') + [
                '/tmp/jeedom_unzip', '/tmp/common.config.php']
            if os.path.lexists(path) and os.path.basename(path) not in (
                'jobs', 'lock', 'start.lock', 'state.json', 'cron.d', 'staging', 'failed-log', 'proofs')])


def harm(params):
    """What a hop that dies half-way leaves, and worse: files, tables and leftovers of another version."""
    transaction.update(step=transaction.HOP, hop='4.1.28')
    sh('cd %s; echo 4.1.28 > core/config/version; rm -rf core/php/core.inc.php 3rdparty; mkdir -p core/themes/x; echo V4 > core/themes/x/f; '
       'echo broken > index.php; chown -R root: core/class; chmod -R 700 core/config; mkdir -p data/custom; '
       'mkdir -p /tmp/jeedom_unzip/core-4.1.28; echo secret > /tmp/common.config.php; mkdir -p /tmp/jeedom/install; '
       'rm -rf /tmp/jeedom/cache /tmp/jeedom/started; echo x > log/update' % WEB)
    sql("DROP TABLE IF EXISTS scenario; CREATE TABLE timeline (id INT PRIMARY KEY, name VARCHAR(64), FULLTEXT(name)) ENGINE=InnoDB;"
        "CREATE TABLE event (id INT PRIMARY KEY) ENGINE=MEMORY; DELETE FROM cmd; ALTER TABLE config ADD COLUMN extra INT;"
        "REPLACE INTO config (plugin, `key`, value) VALUES ('core', 'enableCron', '0'), ('core', 'version', '4.1.28');"
        "CREATE TABLE child (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES timeline (id)) ENGINE=InnoDB;"
        "CREATE TRIGGER harmed BEFORE INSERT ON child FOR EACH ROW SET NEW.up = NULL; CREATE VIEW seen AS SELECT * FROM timeline;")
    if params.get('web_gone'):
        sh('find %s -mindepth 1 -maxdepth 1 ! -name backup -exec rm -rf {} +' % WEB)
    if params.get('root_gone'):
        sh('rm -rf ' + WEB)
    if params.get('database_gone'):
        sql('DROP DATABASE jeedom', None)
    return {}


def enrich(dummy):
    """What a restore must carry along although Jeedom has none of it: keys, triggers, views, routines, odd names."""
    sh('cd %s; e=$(printf "\\303\\251"); l=$(printf "\\351"); mkdir -p "data/a folder" backup "t$e"; echo z > "t$e/$l"; echo t > "top$l"; '
       'echo x > "data/a folder/caf$e %%41"; ln -sf ../data data/self; echo y > data/one; '
       'ln -f data/one data/two; chmod 2750 "data/a folder"; echo old > backup/precious.tar.gz; chown -R www-data: data backup; '
       'mkdir -p /tmp/jeedom/cache; echo state > /tmp/jeedom/cache/kept; chown -R www-data: /tmp/jeedom' % WEB)
    sql(u"DROP VIEW IF EXISTS zview, aview; DROP TABLE IF EXISTS pchild, pparent, `an odd-t\u00e9`; "
        u"CREATE TABLE `an odd-t\u00e9` (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO `an odd-t\u00e9` VALUES (7); "
        "CREATE TABLE pparent (id INT PRIMARY KEY, t VARCHAR(80), d DATETIME, b BLOB) ENGINE=InnoDB CHARSET=utf8mb4;"
        "CREATE TABLE pchild (id INT PRIMARY KEY AUTO_INCREMENT, up INT, CONSTRAINT fk_up FOREIGN KEY (up) REFERENCES pparent (id)) "
        u"ENGINE=InnoDB; INSERT INTO pparent VALUES (1, 'caf\u00e9 \U0001f3e0', NOW(), x'00ff5c27'), (2, 'line\\nend', NULL, NULL);"
        "INSERT INTO pchild (up) VALUES (1), (2), (NULL); CREATE VIEW zview AS SELECT id FROM pparent;"
        "CREATE VIEW aview AS SELECT id FROM zview; DROP PROCEDURE IF EXISTS pp; DROP EVENT IF EXISTS ev;\n"
        "DELIMITER $$\nCREATE TRIGGER tr BEFORE INSERT ON pchild FOR EACH ROW BEGIN SET NEW.up = 1; SET @x = 1; END$$\n"
        "CREATE PROCEDURE pp() BEGIN SELECT 1; SELECT 2; END$$\nCREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SET @y = 1$$\n")
    return {}


def archive(params):
    """A proved archive of the box in staging/push, as backup_push leaves it; change: how to falsify it, manifest kept true or not."""
    made = call('backup', dict(max_age=0))
    assert made.get('backup'), made
    folder = system.state_dir('staging', 'push')
    manifest = dict(made['backup']['manifest'], **params.get('claims', {}))
    path, second = os.path.join(folder, 'a.tar.gz'), os.path.join(folder, 'a.complement.tar.gz')
    sh('cp %s %s; mv %s %s; rm -rf /var/lib/jeedom-fleet/proofs; rm -f %s/backup/backup-*' % (
        made['backup']['path'], path, made['backup']['complement']['path'], second, WEB))
    if os.path.exists(made['backup']['path']):
        os.unlink(made['backup']['path'])
    if params.get('change'):
        sh('rm -rf /root/x; mkdir /root/x; cd /root/x; tar xpzf %s; %s; tar cpzf %s .; rm -rf /root/x' % (path, params['change'], path))
        if params.get('rehash', True):
            manifest['sha256'] = tree.file_digest(path)
    if params.get('cut'):
        with open(path, 'r+b') as stream:
            stream.truncate(os.path.getsize(path) * params['cut'] // 100)
        if params.get('rehash'):
            manifest['sha256'] = tree.file_digest(path)
    system.write_json(path + '.manifest.json', manifest)
    return dict(archive=path, complement=second, manifest=path + '.manifest.json')


# What a shim does: once struck as often as asked for, it is the real program again. sudo: the updater is the web user.
SHIM = """#!/bin/bash
case " $* " in *%(when)s*)
    for n in $(seq %(times)d); do
        if sudo mkdir /root/test/struck/$n 2>/dev/null; then
            %(lines)s
        fi
    done;;
esac
exec %(real)s "$@"
"""
HOW = dict(before='sudo bash /root/test/action; break', instead='sudo bash /root/test/action; exit',
           after='%(real)s "$@"; rc=$?; sudo bash /root/test/action; exit $rc')


def strike(params):
    """Arm a fault: action (bash, as root) strikes before, after or instead of program when its arguments hold "when".

    That is how a fault hits the core at a point of its own choosing, on any core and at any speed of the machine: wget stands
    for the download, the rm of install/update for "unzipped, not moved yet", php for the updater and its version scripts.
    """
    calm({})
    sh('mkdir -p /root/test/struck')
    real = sh('PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v ' + params['program']).strip()
    system.atomic_write('/root/test/action', params['action'])
    how = HOW[params.get('how', 'before')]
    given = dict(when=params['when'], times=params.get('times', 1), real=real)
    text = SHIM % dict(given, lines=how % dict(real=real) if '%(' in how else how)
    path = '/usr/local/bin/' + params['program']
    system.atomic_write(path, text)
    os.chmod(path, 0o755)
    return {}


# Strikes when this part of the unpacked release has left its folder for the web root.
MOVED = """most=0
while :; do
    left=$(find /tmp/jeedom_unzip -type f 2>/dev/null | wc -l)
    [ $left -gt $most ] && most=$left
    [ $left -lt $most ] && [ $((100 * (most - left))) -ge $((%(percent)d * most)) ] && break
    sleep 0.02
done
"""


def watch(params):
    """Arm a fault that strikes when percent of the files have been moved, or when the shell condition "when" is true."""
    calm({})
    sh('mkdir -p /root/test/struck')
    wait = MOVED % params if 'percent' in params else 'until %s; do sleep 0.01; done\n' % params['when']
    system.atomic_write('/root/test/action', wait + params['action'] + '\nmkdir /root/test/struck/1\n')
    sh('systemd-run -q --collect --unit=test-watch --property=RuntimeMaxSec=300 bash /root/test/action')
    return {}


def calm(dummy):
    """Disarm; how often it has struck."""
    # the watcher has gone by itself when its fault has struck
    # There is none unless a test before this one set a watch.
    sh('systemctl stop test-watch 2>/dev/null || true; rm -f /usr/local/bin/php /usr/local/bin/rm /usr/local/bin/wget /usr/local/bin/tar')
    struck = len(os.listdir('/root/test/struck')) if os.path.isdir('/root/test/struck') else 0
    sh('/bin/rm -rf /root/test/struck')
    return dict(struck=struck)


def main():
    """Run one verb."""
    verb, params = sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
    if verb == 'call':
        value = call(params.pop('module'), params)
    elif verb == 'follow':
        value = follow(params['id'])
    elif verb == 'jobs':
        value = jobs.known()
    elif verb == 'last':
        value = transaction.last()
    elif verb == 'fail':
        system.atomic_write(os.path.join(system.state_dir(), 'fail-at'), params['at'])
        value = {}
    elif verb == 'step':
        value = transaction.update(**params)
    else:
        value = dict(census=census, around=around, harm=harm, enrich=enrich, archive=archive, strike=strike, watch=watch, calm=calm)[verb](params)
    print(json.dumps(value))


main()
