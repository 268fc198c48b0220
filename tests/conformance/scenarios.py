# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a fresh box, and what is kept of it. Each runs once per version; many statements look at its record."""

from __future__ import annotations

from types import SimpleNamespace

from box import ROUTE, UPDATE, WEB

LABORATORY = None


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


# ---- updates that go well

def hop(box):
    """The next version of the route, as the web button calls it, with everything that a user may have."""
    box.market_user()
    box.sql("UPDATE user SET options='{\"doNotRotateHash\":1}' WHERE login='famille'; UPDATE user SET hash='old' WHERE login='admin';"
            "UPDATE planHeader SET configuration='{\"desktopSizeX\":1000,\"desktopSizeY\":600}'")
    box.sh(f'echo mine > {WEB}/desktop/custom.js; touch -d "400 days ago" {WEB}/desktop/custom.js; echo mine > {WEB}/data/mine; '
           f'echo stale > {WEB}/desktop/stale.js; touch -d "400 days ago" {WEB}/desktop/stale.js')
    before = box.look()
    run = box.update(ROUTE[box.version], 'preUpdate=0 backup::before=0 plugins=1 core=1 force=0')
    look = box.look()
    zipped = box.python(f'''
import zipfile, urllib.request, ssl, io, json
data = urllib.request.urlopen('https://github.com/jeedom/core/archive/{ROUTE[box.version]}.zip', context=ssl._create_unverified_context()).read()
print(json.dumps({{i.filename.split('/', 1)[1]: i.file_size for i in zipfile.ZipFile(io.BytesIO(data)).infolist() if not i.filename.endswith('/')}}))
''').text
    import json
    return record(before=before, run=run, look=look, zip=json.loads(zipped))


def hop_with_backup(box):
    """With a backup inside."""
    box.config(market__enable='0')
    return record(run=box.update(ROUTE[box.version], 'backup::before=1 plugins=1 core=1'), look=box.look())


def hop_without_plugins(box):
    """plugins=0 with the market on and no market user."""
    return record(run=box.update(ROUTE[box.version], 'plugins=0 core=1'), look=box.look())


def no_core(box):
    """update::allowCore=0."""
    box.config(update__allowCore='0')
    return record(run=box.update(ROUTE[box.version]), look=box.look())


def reapply(box):
    """update::reapply."""
    return record(run=box.update(ROUTE[box.version], 'plugins=0 core=1 update::reapply=4.1.1'), look=box.look())


def reapply_with_space(box):
    """The web button's spelling of reapply."""
    return record(run=box.update(ROUTE[box.version], 'plugins=0 core=1 " update::reapply"=0'), look=box.look())


def tag_reference(box):
    """core::branch = tag::4.5.3."""
    return record(run=box.update('tag::4.5.3'), look=box.look())


def provider_url(box):
    """Provider url with a zip of the operator's."""
    box.config(core__repo__provider='url', url__enable='1', url__core__url=f'https://github.com/jeedom/core/archive/{ROUTE[box.version]}.zip')
    return record(run=box.update(), look=box.look())


# ---- updates that do not

def to_41(box):
    """Straight to 4.1.28."""
    return record(run=box.update('4.1.28'), look=box.look())


def to_44(box):
    """Straight to 4.4.20, and a second run."""
    box.config(market__enable='0')
    before = box.look()
    run = box.update('4.4.20', 'plugins=1 core=1')
    look = box.look()
    again = box.update()
    return record(before=before, run=run, look=look, again=again, healed=box.look())


def to_45(box):
    """Straight to 4.5.3."""
    return record(run=box.update('4.5.3'), look=box.look())


def to_45_old_vendor(box):
    """4.1.28 to 4.5.3 with files older than a week."""
    box.sh(f'find {WEB}/vendor -type f -exec touch -d "10 days ago" {{}} +')
    return record(run=box.update('4.5.3'), look=box.look())


def guard(box):
    """Through a wrapper that the guard counts."""
    return record(run=box.update(ROUTE.get(box.version, '4.5.3'), start='timeout 300 php'), look=box.look())


def guard_relative(box):
    """By a relative path from install/, behind a wrapper."""
    box.config(core__branch=ROUTE.get(box.version, '4.5.3'), market__enable='0')
    return record(run=box.sh(f'cd {WEB}/install; timeout 300 sudo -u www-data php update.php plugins=0 core=1 2>&1'))


def no_such_ref(box):
    """The download answers 404."""
    before = box.look()
    return record(before=before, run=box.update('9.9.9'), look=box.look())


def truncated(box):
    """Half a zip."""
    LABORATORY.misbehave(box, 'truncate', 'archive/')
    return record(run=box.update('4.4.20', 'plugins=0 core=1'), look=box.look())


def captive(box):
    """A web page instead of the zip."""
    LABORATORY.misbehave(box, 'captive', 'archive/')
    return record(run=box.update('4.4.20'), look=box.look())


def wrong_certificate(box):
    """The download site's certificate is not trusted."""
    box.sh('rm /usr/local/share/ca-certificates/*; update-ca-certificates --fresh')
    return record(run=box.update(ROUTE[box.version]), look=box.look())


def unzip_disk_full(box):
    """/tmp holds the zip and half of what is in it."""
    size = box.python(f'''
import zipfile, urllib.request, ssl, io
data = urllib.request.urlopen('https://github.com/jeedom/core/archive/{ROUTE[box.version]}.zip', context=ssl._create_unverified_context()).read()
print(len(data) + sum((i.file_size + 4095) // 4096 * 4096 for i in zipfile.ZipFile(io.BytesIO(data)).infolist()) // 2)
''').text
    box.sh(f'mount -t tmpfs -o mode=1777,size={int(size)} tmpfs /tmp; mkdir -p /tmp/jeedom; chown www-data /tmp/jeedom')
    return record(run=box.update(ROUTE[box.version]), look=box.look())


def move_disk_full(box):
    """One folder of the web root cannot take its new files."""
    box.sh(f'cp -a {WEB}/desktop /root/; mount -t tmpfs -o size=16k tmpfs {WEB}/desktop; mkdir {WEB}/desktop/php; '
           f'cp /root/desktop/php/index.php /root/desktop/php/connection.php {WEB}/desktop/php/; chown -R www-data {WEB}/desktop')
    return record(run=box.update(ROUTE[box.version]))


def market_refused(box):
    """Nobody listens at the market's address."""
    box.market_user()
    box.config(market__address='http://127.0.0.1:9')
    return record(run=box.update(ROUTE.get(box.version, '4.5.3'), 'plugins=1 core=1 force=0'), look=box.look())


def market_refused_without_plugins(box):
    """The same with plugins=0."""
    box.market_user()
    box.config(market__address='http://127.0.0.1:9')
    return record(run=box.update(ROUTE[box.version], 'plugins=0 core=1 force=0'), look=box.look())


def market_html(box):
    """The market answers with a page."""
    box.market_user()
    LABORATORY.misbehave(box, 'html', 'market.jeedom.com')
    return record(run=box.update(ROUTE[box.version], 'plugins=1 core=1 force=0'), look=box.look())


def market_without_user(box):
    """A working market and no market user."""
    return record(run=box.update(ROUTE.get(box.version, '4.5.3'), 'plugins=1 core=1 force=0'), look=box.look())


def market_untrusted(box):
    """The market's certificate is not trusted."""
    box.market_user()
    box.sh('rm /usr/local/share/ca-certificates/*; update-ca-certificates --fresh')
    return record(check=box.php('update::checkAllUpdate("", false); echo "fine";'))


def market_request(box):
    """What the client sends, and what it makes of an answer that is not ASCII."""
    box.market_user()
    box.sh('''cat > /root/market.py <<'END'
import http.server, json
class H(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        with open('/root/requests', 'ab') as log:
            log.write(self.path.encode() + b'\\n' + self.headers['Content-Type'].encode() + b'\\n' + body + b'\\n--end--\\n')
        item = {'id': 1, 'logicalId': 'virtual', 'type': 'plugin', 'name': 'Virtuel', 'certification': 'Obsol\\u00e8te',
                'datetime': {'stable': '2021-01-01 00:00:00', 'beta': '2021-01-01 00:00:00'}, 'hardwareCompatibility': {'v4': '1'},
                'parameters': {}, 'img': {}, 'link': {}, 'language': {}, 'status': {'stable': 1}, 'user_id': 1, 'version': '', 'categorie': '',
                'description': '', 'downloaded': 1, 'author': 'x', 'private': 0, 'purchase': 0, 'cost': 0, 'realCost': 0,
                'rating': {'average': 0}, 'buyer': '', 'updateBy': ''}
        answer = json.dumps({'jsonrpc': '2.0', 'id': 1, 'result': {'pluginvirtual': item}}, ensure_ascii=False).encode()
        self.send_response(200); self.end_headers(); self.wfile.write(answer)
    def log_message(self, *a): pass
http.server.HTTPServer(('127.0.0.1', 8099), H).serve_forever()
END
setsid python3 /root/market.py >/dev/null 2>&1 & sleep 1''')
    box.config(market__address='http://127.0.0.1:8099')
    run = box.php('update::checkAllUpdate("", false); echo "fine";')
    return record(run=run, requests=box.sh('cat /root/requests').text, rows={row[0]: row[1:] for row in box.sql(
        'SELECT logicalId, localVersion, remoteVersion, status FROM `update`')})


def preupdate(box):
    """preUpdate=1 straight to 4.1.28: only the updater is fetched."""
    box.config(market__enable='0')
    run = box.update('4.1.28', 'preUpdate=1 plugins=0 core=1')
    box.sh('sleep 4')
    return record(run=run, look=box.look())


# ---- killed

def killed_early(box):
    """SIGKILL as soon as the move begins."""
    run = box.kill_when('"Moving files" in out')
    return record(run=run, look=box.look())


def killed_late(box):
    """SIGKILL when vendor is half moved, composer's lists before the packages; then the rest by hand and a second run."""
    run = box.kill_when('"Moving files" in out and waiting("vendor/symfony") and not waiting("vendor/composer")')
    look = box.look()
    broken = box.update()
    box.sh('cp -a /tmp/jeedom_unzip/core-*/. ' + WEB + '/; chown -R www-data: ' + WEB)
    return record(run=run, look=look, broken=broken, again=box.update(), healed=box.look())


def killed_in_scripts(box):
    """SIGKILL between two update scripts; then a second run."""
    run = box.kill_when('"Update system into" in out and out.count("Update system into") >= 2')
    look = box.look()
    return record(run=run, look=look, again=box.update(), healed=box.look())


for _scenario in (killed_early, killed_late, killed_in_scripts):
    def _with_branch(box, scenario=_scenario):
        box.config(market__enable='0', core__branch=ROUTE[box.version])
        return scenario(box)
    _with_branch.__name__ = _scenario.__name__
    globals()[_scenario.__name__] = _with_branch


def two_updates(box):
    """A second updater while the first one runs."""
    box.config(market__enable='0', core__branch=ROUTE[box.version], mini__slow='20')
    out = box.sh(f'cd /; (sudo -u www-data php {UPDATE} plugins=0 core=1 > /tmp/first 2>&1; echo "code $?" >> /tmp/first) & '
                 f'while ! grep -q "Update from" /tmp/first 2>/dev/null; do sleep 0.05; done; sudo -u www-data php {UPDATE} plugins=0 core=1; wait')
    return record(second=out, first=box.sh('cat /tmp/first').text)
