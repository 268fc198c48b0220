# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a fresh box, and what is kept of it. Each runs once per version; many statements look at its record."""

from __future__ import annotations

from types import SimpleNamespace

from box import WEB


def record(**values) -> SimpleNamespace:
    """What a scenario leaves for the statements."""
    return SimpleNamespace(**values)


# ---- looking

def pristine(box):
    """A box as it is installed, looked at."""
    codes = {}
    for path in ('', 'here.html', 'core/config/version', 'backup/', 'install/update.php', 'index.php?v=d'):
        codes[path] = box.sh(f"curl -s -m 20 -o /dev/null -w '%{{http_code}}' 'http://127.0.0.1/{path}'").text
    rpc = box.sh('''curl -s --data-urlencode 'request={"jsonrpc":"2.0","id":"7","method":"version","params":{"apikey":"wrong"}}' '''
                 'http://127.0.0.1/core/api/jeeApi.php').text
    ping = box.sh('''curl -s --data-urlencode 'request={"jsonrpc":"2.0","id":"7","method":"ping"}' http://127.0.0.1/core/api/jeeApi.php''').text
    boot = box.php('echo jeedom::version();')
    return record(look=box.look(), codes=codes, refused=rpc, ping=ping, boot=boot)


def database_down(box):
    """MariaDB stopped."""
    box.sh('systemctl stop mariadb')
    out = box.sh("curl -s -m 20 -w ' %{http_code} %{size_download}' 'http://127.0.0.1/index.php?v=d'").text
    here = box.sh("curl -s -w ' %{http_code}' http://127.0.0.1/here.html").text
    return record(page=out, here=here, backup=box.backup(), update=box.update())


def no_tables(box):
    """A database that a broken restore has emptied."""
    box.sh('mysql -N -e "DROP DATABASE jeedom; CREATE DATABASE jeedom CHARACTER SET utf8mb4"')
    return record(page=box.sh("curl -s -m 20 -w ' %{http_code} %{size_download}' 'http://127.0.0.1/index.php?v=d'").text)


def without_vendor(box):
    """vendor is gone."""
    box.sh(f'mv {WEB}/vendor /root/')
    return record(page=box.sh("sleep 2.2; curl -s -m 20 -o /dev/null -w '%{http_code}' 'http://127.0.0.1/index.php?v=d'").text,
                  update=box.update(), boot=box.php('echo jeedom::version();'))


def without_psr_log(box):
    """What archives of V3 to 4.4 lack."""
    box.sh(f'rm -rf {WEB}/vendor/psr/log')
    return record(boot=box.php('echo jeedom::version();'), log=box.php('log::add("core", "error", "x"); echo "written";'))


def as_root(box):
    """The core's PHP run as root."""
    box.sh(f'''cd /; php -r 'require "{WEB}/core/php/core.inc.php"; log::add("rooted", "error", "x");' ''')
    return record(owner=box.sh(f'stat -c %U {WEB}/log/rooted').text.strip())


def config_rows(box):
    """Saving values through the core's own class."""
    box.php('config::save("update::allowCore", 0); config::save("mykey", "v"); config::save("api", "0123456789abcdef");')
    first = dict(box.sql("SELECT `key`, value FROM config WHERE plugin='core'"))
    box.php('config::save("update::allowCore", 1);')
    second = dict(box.sql("SELECT `key`, value FROM config WHERE plugin='core'"))
    return record(first=first, second=second, read=box.php('echo config::byKey("api"), " ", config::byKey("enableCron");').text)


# ---- time

def date_limit(box):
    """Everything that asks for the date, today."""
    box.sh('rm -f /tmp/jeedom/started; systemctl stop cron')
    check = box.php('var_dump(jeedom::isDateOk());')
    box.config(ignoreHourCheck='1')
    ignored = box.php('var_dump(jeedom::isDateOk());')
    box.config(ignoreHourCheck=None)
    number = box.sql("SELECT id FROM cron WHERE class='jeedom' AND `function`='cron'")[0][0]
    minute = box.www(f'php {WEB}/core/php/jeeCron.php "cron_id={number}"')
    started = box.sh('cat /tmp/jeedom/started').code == 0
    key = box.php('echo config::byKey("api");').text.strip()
    api = box.sh('curl -s -m 60 --data-urlencode \'request={"jsonrpc":"2.0","id":1,"method":"jeedom::isOk","params":{"apikey":"%s"}}\' '
                 'http://127.0.0.1/core/api/jeeApi.php' % key).text
    return record(check=check, ignored=ignored, minute=minute, started=started, api=api)


def purge(box):
    """The nightly job of the history."""
    before = box.sql("SELECT SUM(datetime >= '2025-01-01 01:00:00'), SUM(datetime >= '2026-01-01 01:00:00'), COUNT(*) FROM "
                     "(SELECT datetime FROM history UNION ALL SELECT datetime FROM historyArch) x")[0]
    run = box.php('history::archive();')
    after = box.sql("SELECT SUM(datetime >= '2025-01-01 01:00:00'), SUM(datetime >= '2026-01-01 01:00:00'), COUNT(*) FROM "
                    "(SELECT datetime FROM history UNION ALL SELECT datetime FROM historyArch) x")[0]
    return record(before=[int(float(x)) for x in before], after=[0 if x == 'NULL' else int(float(x)) for x in after], run=run)


def engine(box):
    """Switched off by hand, then the minute's cron with and without the started marker."""
    box.config(enableCron='0', enableScenario='0', ignoreHourCheck='1')
    box.sh('date > /tmp/jeedom/started; chown -R www-data /tmp/jeedom')
    asleep = box.www(f'php {WEB}/core/php/jeeCron.php')
    off = box.sql("SELECT `key` FROM config WHERE `key` IN ('enableCron', 'enableScenario') AND value='0'")
    box.sh('rm /tmp/jeedom/started')
    number = box.sql("SELECT id FROM cron WHERE class='jeedom' AND `function`='cron'")[0][0]
    box.www(f'php {WEB}/core/php/jeeCron.php "cron_id={number}"')
    on = box.sql("SELECT `key` FROM config WHERE `key` IN ('enableCron', 'enableScenario') AND value='0'")
    return record(asleep=asleep, off=off, on=on, started=box.sh('cat /tmp/jeedom/started').text)


def stop_and_start(box):
    """The engine by the core's own functions."""
    stop = box.php('jeedom::stop();')
    off = dict(box.sql("SELECT `key`, value FROM config WHERE `key` LIKE 'enable%'"))
    start = box.php('jeedom::start();')
    return record(stop=stop, off=off, start=start, on=dict(box.sql("SELECT `key`, value FROM config WHERE `key` LIKE 'enable%'")))


# ---- plugins

def missing_plugin(box):
    """A plugin's folder is away while somebody looks."""
    box.sh(f'mv {WEB}/plugins/weather /root/')
    named = box.php('echo json_encode(plugin::listPlugin(true, false, true, true));')
    untouched = box.look()
    box.php('plugin::listPlugin(true);')
    return record(named=named, untouched=untouched, look=box.look())


def uninstall(box):
    """Removal from the command line, market refused."""
    box.config(market__address='http://127.0.0.1:9')
    before = box.look()
    run = box.php('update::findNewUpdateObject(); $u = update::byTypeAndLogicalId("plugin", "weather"); $u->deleteObjet(); echo "done";')
    return record(before=before, run=run, look=box.look())


# ---- backup

def backup(box):
    """A good backup, with what archives lose."""
    box.sh(f'mkdir -p {WEB}/plugins/virtual/tmp {WEB}/data/docs; echo x > {WEB}/plugins/virtual/tmp/a; echo x > {WEB}/data/docs/a; '
           f'chown -R www-data {WEB}/plugins {WEB}/data; echo old > {WEB}/backup/notes.txt; touch -d "10 days ago" {WEB}/backup/notes.txt '
           f'{WEB}/backup/.htaccess; cp {WEB}/LICENSE {WEB}/backup/backup-old.tar.gz; touch -d "10 days ago" {WEB}/backup/backup-old.tar.gz')
    box.config(name="Box #1 & l''été + x-y")
    run = box.backup()
    look = box.look()
    listing = box.sh(f'tar tzf {WEB}/backup/backup-Box*.tar.gz').text.splitlines()
    dump = box.sh(f'tar xzOf {WEB}/backup/backup-Box*.tar.gz ./DB_backup.sql | tail -1').text
    folder = box.sh(f'ls -A {WEB}/backup').text.split('\n')
    http = box.sh("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/DB_backup.sql").text
    return record(run=run, look=look, listing=listing, dump=dump, folder=folder, http=http)


def backup_disk_full(box):
    """The backup folder cannot take the archive."""
    box.sh(f'mount -t tmpfs -o size=40k tmpfs {WEB}/backup; chown www-data {WEB}/backup')
    run = box.backup()
    return record(run=run, test=box.sh(f'gzip -t {WEB}/backup/*.tar.gz'))


def backup_without_mysqldump(box):
    """The dump tool is away."""
    box.sh('mv /usr/bin/mysqldump /root/; rm -f /usr/bin/mariadb-dump')
    return record(run=box.backup(), archives=box.sh(f'ls {WEB}/backup').text)


def backup_slash(box):
    """A name that is a path."""
    box.config(name='up/down')
    return record(run=box.backup())


def backup_shell(box):
    """A name that is a command."""
    # neither blank nor slash survive in a name, but this does
    box.config(name='$(touch${IFS}owned)')
    run = box.backup()
    return record(run=run, owned=box.sh(f'test -e {WEB}/owned').code == 0)


def backup_not_writable(box):
    """Nobody may write into the folder."""
    box.sh('mkdir /srv/locked; chmod 500 /srv/locked')
    box.config(backup__path='/srv/locked')
    return record(run=box.backup())


def backup_pruned(box):
    """Pruning by size meets an older entry with a later date, and an archive that is too large by itself."""
    box.sh(f'head -c 3000000 /dev/urandom > {WEB}/data/big; chown www-data {WEB}/data/big; '
           f'head -c 1000 /dev/urandom > {WEB}/backup/later.tar.gz; touch -d "tomorrow" {WEB}/backup/later.tar.gz; chown -R www-data {WEB}/backup')
    box.config(backup__maxSize='1')
    run = box.backup()
    return record(run=run, left=box.sh(f'ls {WEB}/backup').text.split())


def backup_keep_minus_one(box):
    """keepDays -1."""
    box.config(backup__keepDays='-1')
    run = box.backup()
    return record(run=run, left=box.sh(f'ls {WEB}/backup 2>&1').text.split())


# ---- restore

def restore(box):
    """A good restore over a changed box."""
    made = box.backup()
    box.sql("DELETE FROM scenario; UPDATE eqLogic SET name=CONCAT('x', id)")
    box.sh(f'echo extra > {WEB}/data/extra; echo broken > {WEB}/here.html; chown www-data {WEB}/data/extra')
    before = box.look()
    run = box.restore()
    return record(made=made, before=before, run=run, look=box.look(), here=box.sh(f'cat {WEB}/here.html').text)


def _archive(box, change: str) -> str:
    """Make an archive and change what is in it."""
    box.backup()
    box.sh(f'mkdir /root/x; cd /root/x; tar xzf {WEB}/backup/*.tar.gz; {change}; tar czf {WEB}/backup/changed.tar.gz .; '
           f'chown www-data {WEB}/backup/changed.tar.gz')
    return f'{WEB}/backup/changed.tar.gz'


def restore_cut_dump(box):
    """The dump ends in the middle."""
    archive = _archive(box, "sed -i '/CREATE TABLE `scenario`/,$d' DB_backup.sql")
    return record(run=box.restore(archive), tables=[row[0] for row in box.sql('SHOW TABLES FROM jeedom')])


def restore_empty_dump(box):
    """The dump is empty."""
    archive = _archive(box, ': > DB_backup.sql')
    return record(run=box.restore(archive), tables=box.sql('SHOW TABLES FROM jeedom'))


def restore_sandbox_line(box):
    """A dump of a newer MariaDB."""
    archive = _archive(box, r"sed -i '1i /*!999999\\- enable the sandbox mode */' DB_backup.sql")
    return record(run=box.restore(archive), tables=box.sql('SHOW TABLES FROM jeedom'))


def restore_without_mysql(box):
    """The client is away."""
    box.backup()
    box.sh('for p in mysql mariadb; do cp -L /usr/bin/$p /root/$p; rm /usr/bin/$p; done')
    run = box.restore()
    tables = box.sh('/root/mysql -N jeedom -e "SHOW TABLES"').text.split()
    return record(run=run, tables=tables)


def restore_not_found(box):
    """A bare name is not looked for in the backup folder, and a second = cuts the path."""
    box.backup()
    name = box.sh(f'ls {WEB}/backup').text.split()[0]
    box.sh(f'cp {WEB}/backup/{name} /srv/a=b.tar.gz; chmod 644 /srv/*')
    return record(bare=box.restore(name), relative=box.restore('backup/' + name), cut=box.restore('/srv/a=b.tar.gz'))


def restore_no_archive(box):
    """A file that is no archive, with an old dump in the tree."""
    box.backup()
    box.sh('echo no > /srv/no.tar.gz')
    box.sql("DELETE FROM scenario")
    run = box.restore('/srv/no.tar.gz')
    return record(run=run, scenarios=box.sql('SELECT COUNT(*) FROM scenario')[0][0])
