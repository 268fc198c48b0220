# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Problems provoked on a real box: assess.yml lists exactly these, and looking changes nothing; nor does migrate.yml without a yes.

JEEDOM_TEST_CORE puts a genuine core on the box: the same problems, found by the same look.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from testbox import Box, differences
from way import TARGET

ROOT = Path(__file__).resolve().parent.parent.parent
PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
WEB = '/var/www/html'
# What other work on this machine may make come or go between two looks.
OF_THE_MACHINE = ('memory_low', 'oom_kills', 'storage_errors', 'disk_nearly_full', 'slow_storage', 'facts_incomplete', 'clock_not_synchronized')
IMAGE = f'{WEB}/install/update/JeedomSystemUpdate.img.gz'


def sql(statement: str) -> str:
    """A shell command; the statement holds no double quotes and no dollar signs."""
    return 'mysql jeedom -e "' + statement.replace('`', '\\`') + '"'


def setting(name: str, value: str, plugin: str = 'core') -> str:
    """A row of the table config."""
    return sql(f"REPLACE INTO config (plugin, `key`, value) VALUES ('{plugin}', '{name}', '{value}')")


def plugin(name: str, info: str = '{"id": "%s", "name": "%s", "require": "3.0", "compatibility": ["v4"]}', row: bool = True, **columns: str) -> str:
    """A plugin as Jeedom has one: folder, info.json, row in the table update, switched on."""
    text = info.replace('%s', name)
    made = f'mkdir -p {WEB}/plugins/{name}/plugin_info; printf %s \'{text}\' > {WEB}/plugins/{name}/plugin_info/info.json; ' if info else ''
    values = {'type': 'plugin', 'name': name, 'logicalId': name, 'source': 'market', 'status': 'ok', 'localVersion': '2020-01-01 00:00:00', **columns}
    if row:
        made += sql(f"INSERT INTO `update` ({', '.join(f'`{key}`' for key in values)}) VALUES ({', '.join(repr(each) for each in values.values())})") + '; '
    return made + (setting('active', '1', name) if info else 'true')


# The finding that has to come -> what makes it. All at once, so that none hides another.
PROBLEMS = {
    'update_branch_set': setting('core::branch', 'beta'),
    'engine_off': setting('enableScenario', '0'),
    'backup_cloud': setting('market::cloudUpload', '1') + '; ' + setting('market::cloud::backup::password', 'secret'),
    'backup_samba': setting('samba::enable', '1') + '; ' + setting('samba::cloudUpload', '1'),
    'leaked_credentials': 'echo secret > /tmp/common.config.php',
    'unzip_leftover': 'mkdir -p /tmp/jeedom_unzip/core; echo x > /tmp/jeedom_unzip/core/x',
    'update_unfinished': f'echo "[START UPDATE]" > {WEB}/log/update',
    'custom_widgets': f'mkdir -p {WEB}/data/customTemplates/dashboard; echo "<b>#state#</b>" > {WEB}/data/customTemplates/dashboard/cmd.info.numeric.mine.html',
    'custom_css_js': setting('enableCustomCss', '1') + f'; mkdir -p {WEB}/desktop/custom; echo "body {{ color: red }}" > {WEB}/desktop/custom/custom.css',
    'designs_without_size': sql("INSERT INTO planHeader (id, name, configuration) VALUES (77, 'small', '{}')"),
    'scenario_code': sql("UPDATE scenarioExpression SET type='code', expression='cmd::byString(1); getHumanName(); trigger(1);' WHERE id = 1"),
    'code_files': f'mkdir -p {WEB}/data/php; echo "<?php function mine() {{ return cmd::byId(1)->setEventOnly(1); }}" '
                  f'> {WEB}/data/php/user.function.class.php',
    'timeline_file': f'echo "{{}}" > {WEB}/data/timeline.json',
    'listening_port': 'sed -i "s/^Listen 80$/Listen 8123/" /etc/apache2/ports.conf',
    'apache_private_tmp': 'echo "[Service]" > /etc/systemd/system/apache2.service.d/zz.conf; '
                          'echo "PrivateTmp=true" >> /etc/systemd/system/apache2.service.d/zz.conf; systemctl daemon-reload',
    'foreign_files': f'echo x > {WEB}/of_root; chown root: {WEB}/of_root',
    'database_extra_columns': sql('ALTER TABLE cmd ADD COLUMN mine INT'),
    'config_keys_long': setting('k' * 130, '1'),
    'plugin_timeline': plugin('timeline'),
    'plugin_widget': plugin('widget'),
    'plugin_superseded': plugin('sonos'),
    'plugin_not_from_market': plugin('ofgithub', source='github'),
    'plugin_folder_missing': plugin('gone', info=''),
    'plugin_old_format': plugin('older', info='not json', row=False),
    'plugin_pinned': plugin('pinned', status='hold'),
    'plugin_v4_unconfirmed': plugin('silent', info='{"id": "%s", "name": "%s", "require": "3.0"}'),
    'plugin_removed_api': plugin('calls') + f'; mkdir -p {WEB}/plugins/calls/core/class; echo "<?php class calls extends eqLogic '
                          f'{{ function a() {{ $this->setEventOnly(1); }} }}" > {WEB}/plugins/calls/core/class/calls.class.php',
    'serial_ports': setting('port', '/dev/ttyUSB0', 'virtual'),
}


@pytest.fixture(scope='module')
def look(box: Box, tmp_path_factory):
    """Assess the box: {id: finding}, the verdict, what was printed."""
    folder = tmp_path_factory.mktemp('artifacts')

    def assess(*arguments: str) -> tuple[dict, str, str]:
        done = subprocess.run([str(PLAYBOOK), 'playbooks/assess.yml', '-i', str(box.inventory), '-e', f'jeedom_artifacts={folder}', *arguments],
                              cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        journal = json.loads((folder / 'journal/box1.json').read_text(encoding='utf-8'))
        found = json.loads((folder / journal['run_id'] / 'box1/findings.json').read_text(encoding='utf-8'))
        by_id = {each['id']: each for each in found if each['id'] not in OF_THE_MACHINE}
        return by_id, journal['stages']['assess'].get('result', {}).get('verdict', ''), done.stdout

    return assess


# What the sandbox has by itself -> what ends it.
REPAIRS = {
    'default_password': sql("UPDATE user SET password = SHA2('a long one', 512)"),
    'core_update_exposed': setting('update::allowCore', '0'),
    'market_link': setting('market::username', 'me') + '; ' + setting('market::password', 'secret'),
    'history_purge': sql("UPDATE cron SET enable = 0 WHERE class = 'history' AND function = 'archive'"),
    'backup_blind_spots': f'rm -rf {WEB}/plugins/*/data/log',
}
# What hides other things or comes with some, so each by itself: findings that have to come, what makes them, what ends them.
ALONE = {
    'an update is running': ({'jeedom_busy'}, 'systemd-run -q --collect --unit=busy bash -c \'exec -a "php install/update.php" sleep 600\'',
                             'systemctl stop busy'),
    'no room': ({'disk_space'}, f'mount -t tmpfs -o size=30m tmpfs {WEB}/backup; head -c 29M /dev/zero > {WEB}/backup/x; sync',
                f'umount {WEB}/backup'),
    'a new system waits for the next start': ({'reimage_pending'}, f'mkdir -p {IMAGE.rpartition("/")[0]}; echo x > {IMAGE}', f'rm {IMAGE}'),
    'no sudo': ({'sudo_missing'}, 'sed -i "s/^www-data/# www-data/" /etc/sudoers.d/jeedom', 'sed -i "s/^# www-data/www-data/" /etc/sudoers.d/jeedom'),
    # What a MariaDB before 10.6 leaves that died inside an ALTER TABLE.
    'a table that MariaDB cannot open': ({'database_damaged'}, sql('CREATE TABLE broken (i INT PRIMARY KEY)') + '; systemctl stop mariadb; '
                                         'cd /var/lib/mysql/jeedom; cp -p cron.frm broken.frm; systemctl start mariadb', sql('DROP TABLE broken')),
    'a failed one-click migration': ({'half_migrated'}, f'cp -a {WEB}/core/config/version /root/kept; echo 4.1.28 > {WEB}/core/config/version; '
                                     'mkdir -p /tmp/jeedom_unzip; echo x > /tmp/jeedom_unzip/left; ' + setting('enableCron', '0'),
                                     f'cp -a /root/kept {WEB}/core/config/version; rm /tmp/jeedom_unzip/left; ' + setting('enableCron', '1')),
}


def test_exactly_what_was_made_is_listed_and_a_look_changes_nothing(box, look):
    base, _verdict, _printed = look()
    for command in PROBLEMS.values():
        box.sh(command)
    before = box.do('census')
    found, verdict, printed = look()
    assert set(found) - set(base) == set(PROBLEMS), 'more or less than was made'
    assert set(base) <= set(found), 'one problem hides another'
    assert verdict == 'blocked'
    for name, each in found.items():
        assert each['title'] and each['evidence'] and (each['severity'] == 'info' or each['advice']), each
        # blockers and warnings stand in the table by their names or titles
        assert each['severity'] == 'info' or name in printed or each['title'] in ' '.join(printed.split()), name
    assert differences((box.do('census'), {}), (before, {})) == []


def test_what_is_repaired_is_listed_no_more(box, look):
    base, _verdict, _printed = look()
    for command in REPAIRS.values():
        box.sh(command)
    found, _verdict, _printed = look()
    assert set(base) - set(found) == set(REPAIRS) and set(found) <= set(base)


def test_names_are_read_as_jeedom_shows_them(box):
    longest = ', '.join(f"(1, '2024-01-01 00:00:00' + INTERVAL {number} MINUTE, '1')" for number in range(200))
    box.sh(sql(f'INSERT INTO historyArch (cmd_id, datetime, value) VALUES {longest}'))
    largest = box.call('facts')['ansible_facts']['jeedom']['history']['largest']
    assert largest[0]['name'] == "[Salle à manger de l'étage][Équipement 1][Commande 1 d'état]", largest
    rest = [(-item['rows'], item['cmd_id']) for item in largest]
    assert len(rest) == 5 and rest == sorted(rest), largest


@pytest.mark.parametrize('name', ALONE)
def test_what_hides_other_things_is_listed_by_itself(box, look, name):
    expected, harm, repair = ALONE[name]
    base, _verdict, _printed = look()
    box.sh(harm)
    try:
        found, verdict, _printed = look()
    finally:
        box.sh(repair)
    assert expected <= set(found) - set(base), (sorted(set(found) - set(base)), sorted(set(base) - set(found)))
    assert verdict == 'blocked' and all(found[each]['severity'] == 'blocker' for each in expected)
    assert set(look()[0]) == set(base)


# -- the operator's word


@pytest.fixture
def v3(box: Box):
    """The box as it came up, with a plugin that V4 does not bear."""
    box.reset()
    box.sh(plugin('timeline'))
    return box


def migrate(box: Box, folder: Path, *arguments: str) -> list[str]:
    """The command that people type, without a word of consent."""
    return [str(PLAYBOOK), 'playbooks/migrate.yml', '-i', str(box.inventory), '-e', json.dumps(
        {'jeedom_artifacts': str(folder), 'jeedom_target_version': TARGET, 'jeedom_remove_plugins': ['timeline']}), *arguments]


def typed(argv: list[str], answer: str) -> str:
    """Run a command on a terminal of its own where somebody types the answer when asked; what stood there in the end."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(ROOT)
        os.execvpe(argv[0], argv, dict(os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_FORCE_COLOR='0'))
    said = b''
    with contextlib.suppress(OSError):
        # the end of the other side is an error of this one
        while True:
            if select.select([terminal], [], [], 3)[0]:
                said += os.read(terminal, 65536)
            elif b'Type yes' in said:
                # what is typed before it listens is thrown away, so again
                os.write(terminal, answer.encode() + b'\r')
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b'Type yes' in said, said[-3000:].decode(errors='replace')
    return said.decode(errors='replace')


def plugins(box: Box) -> set[str]:
    """Folders of plugins on the box."""
    return set(box.sh(f'ls {WEB}/plugins').split())


def entry(folder: Path) -> dict:
    """What the journal says of the box."""
    return json.loads((folder / 'journal/box1.json').read_text(encoding='utf-8'))


@pytest.mark.parametrize('answer', [None, 'no'], ids=['nobody is there', 'no'])
def test_without_a_yes_nothing_is_changed_after_fetch(v3, tmp_path, answer):
    before = v3.do('census')
    if answer is None:
        subprocess.run(migrate(v3, tmp_path), cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, timeout=400, check=False)
    else:
        typed(migrate(v3, tmp_path), answer)
    found = entry(tmp_path)
    assert found['outcome'] == 'ready' and found['stages']['fetch']['status'] == 'ok', found
    assert 'have not been acknowledged' in found['stages']['prepare']['message'] and 'upgrade' not in found['stages']
    # Jeedom's own backup leaves its dump, and gives the tree its usual rights
    usual = ('files DB_backup.sql:', 'files data/', 'files plugins/timeline')
    assert [line for line in differences((v3.do('census'), {}), (before, {})) if not line.startswith(usual)] == []
    assert v3.do('around')['transaction'] is None and {'timeline', 'virtual'} <= plugins(v3)


def test_a_yes_lets_the_named_plugin_go_and_the_box_migrate(v3, tmp_path):
    v3.sh('systemctl start cron')
    said = typed(migrate(v3, tmp_path), 'yes')
    found = entry(tmp_path)
    assert found['outcome'] == 'migrated', said[-3000:]
    assert found['stages']['prepare']['result']['removed_plugins'] == ['timeline']
    assert 'timeline' not in plugins(v3) and 'virtual' in plugins(v3)
    # the findings stood there before the question
    assert said.index('timeline') < said.index('Type yes')
