# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a fresh box with the updater and the market, and what is kept of it: see scenarios.py."""

from __future__ import annotations

from box import ROUTE, UPDATE, WEB
from scenarios import record


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
    return record(before=before, run=run, look=look, zip={one.filename: one.file_size for one in box.zipped(ROUTE[box.version])})


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
    box.misbehave('truncate', 'archive/')
    return record(run=box.update('4.4.20', 'plugins=0 core=1'), look=box.look())


def captive(box):
    """A web page instead of the zip."""
    box.misbehave('captive', 'archive/')
    return record(run=box.update('4.4.20'), look=box.look())


def wrong_certificate(box):
    """The download site's certificate is not trusted."""
    box.sh('rm /usr/local/share/ca-certificates/*; update-ca-certificates --fresh')
    return record(run=box.update(ROUTE[box.version]), look=box.look())


def unzip_disk_full(box):
    """/tmp holds the zip and half of what is in it."""
    size = box.zip_size(ROUTE[box.version]) + sum((one.file_size + 4095) // 4096 * 4096 for one in box.zipped(ROUTE[box.version])) // 2
    box.sh(f'mount -t tmpfs -o mode=1777,size={size} tmpfs /tmp; mkdir -p /tmp/jeedom; chown www-data /tmp/jeedom')
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
    box.misbehave('html', 'market.jeedom.com')
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

def _killed_when(box, condition: str):
    """An update to the next version that is killed."""
    box.config(market__enable='0', core__branch=ROUTE[box.version])
    return box.kill_when(condition)


def killed_early(box):
    """SIGKILL as soon as the move begins."""
    run = _killed_when(box, '"Moving files" in out')
    return record(run=run, look=box.look())


def killed_late(box):
    """SIGKILL when vendor is half moved, composer's lists before the packages; then the rest by hand and a second run."""
    run = _killed_when(box, '"Moving files" in out and waiting("vendor/symfony") and not waiting("vendor/composer")')
    look = box.look()
    broken = box.update()
    box.sh('cp -a /tmp/jeedom_unzip/core-*/. ' + WEB + '/; chown -R www-data: ' + WEB)
    return record(run=run, look=look, broken=broken, again=box.update(), healed=box.look())


def killed_in_scripts(box):
    """SIGKILL between two update scripts; then a second run."""
    run = _killed_when(box, '"Update system into" in out and out.count("Update system into") >= 2')
    look = box.look()
    return record(run=run, look=look, again=box.update(), healed=box.look())


def two_updates(box):
    """A second updater while the first one runs."""
    box.config(market__enable='0', core__branch=ROUTE[box.version], mini__slow='20')
    out = box.sh(f'cd /; (sudo -u www-data php {UPDATE} plugins=0 core=1 > /tmp/first 2>&1; echo "code $?" >> /tmp/first) & '
                 f'while ! grep -q "Update from" /tmp/first 2>/dev/null; do sleep 0.05; done; sudo -u www-data php {UPDATE} plugins=0 core=1; wait')
    return record(second=out, first=box.sh('cat /tmp/first').text)
