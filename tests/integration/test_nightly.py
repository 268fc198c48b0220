# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A night with one box down and one full, and then the proof of the proof: copies that are restored on a spare machine.

JEEDOM_TEST_BOXES=8 is a fleet; CI takes four boxes. The spare machine is the first box, whose own Jeedom must not notice.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from testbox import ROOT, Box, fleet_name, need_root, sandbox

PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
NAME = fleet_name('ni')
BOXES = [f'box{number}' for number in range(1, int(os.environ.get('JEEDOM_TEST_BOXES', '4')) + 1)]
DOWN, FULL = BOXES[1], BOXES[2]
GOOD = [name for name in BOXES if name not in (DOWN, FULL)]
BACKUPS = '/var/www/html/backup'
LEFTOVERS = ('ls -d /var/lib/jeedom-fleet/restore-test /var/lib/jeedom-fleet/staging/restore-test/* 2>/dev/null; '
             "mysql -N -e \"SHOW DATABASES LIKE 'jeedom_fleet%'\"")

pytestmark = pytest.mark.sandbox


class Night:
    """The fleet, and a controller with a store of its own."""

    def __init__(self, folder: Path):
        self.folder, self.inventory, self.artifacts = folder, folder / 'hosts.yml', folder / 'artifacts'
        sandbox(NAME, '--inventory', str(self.inventory), 'up', '--boxes', str(len(BOXES)))
        self.boxes = {name: Box(self.inventory, name) for name in BOXES}

    def play(self, playbook: str, *arguments: str, **variables) -> subprocess.CompletedProcess:
        """A playbook, as an operator or a timer starts it."""
        given = {'jeedom_artifacts': str(self.artifacts), 'jeedom_reconnect_timeout': 5, **variables}
        return subprocess.run([str(PLAYBOOK), f'playbooks/{playbook}.yml', '-i', str(self.inventory), '-e', json.dumps(given), *arguments],
                              cwd=ROOT, capture_output=True, text=True, timeout=1200, check=False)

    def copies(self, host: str) -> list[Path]:
        """Manifests of the copies of a box, which come last and only for what is proved."""
        return sorted((self.artifacts / 'archives' / host).glob('*.manifest.json'))

    def forge(self, host: str, like: str, change) -> None:
        """The copy of a box that never was; change: what is done to its members ({name: bytes}) behind the back of its proof."""
        source, target = self.artifacts / 'archives' / like, self.artifacts / 'archives' / host
        shutil.copytree(source, target)
        manifest_path = self.copies(host)[0]
        manifest = json.loads(manifest_path.read_text())
        path = target / manifest['name']
        out = io.BytesIO()
        with tarfile.open(path) as old, tarfile.open(fileobj=out, mode='w:gz') as new:
            for member in old:
                data = old.extractfile(member).read() if member.isfile() else None
                if data is not None:
                    data = change(member.name.removeprefix('./'), data)
                    member.size = len(data)
                new.addfile(member, io.BytesIO(data) if data is not None else None)
        path.write_bytes(out.getvalue())
        manifest_path.write_text(json.dumps(dict(manifest, size=len(out.getvalue()), sha256=hashlib.sha256(out.getvalue()).hexdigest())))


@pytest.fixture(scope='module')
def night(tmp_path_factory):
    """One box is down, one has no room."""
    need_root()
    made = Night(tmp_path_factory.mktemp('night'))
    try:
        made.boxes[FULL].sh(f'mount -t tmpfs -o size=64k,mode=775,uid=33,gid=33 tmpfs {BACKUPS}')
        sandbox(NAME, 'power', DOWN, 'off')
        yield made
    finally:
        sandbox(NAME, 'down')


def test_a_night_with_one_box_down_and_one_full(night):
    done = night.play('backup')
    assert done.returncode == 2, done.stdout[-3000:]
    told = json.loads((night.artifacts / 'report/backups.json').read_text())
    assert told['selected'] == len(BOXES) and told['proved'] == len(GOOD), told
    assert [name for name, each in told['boxes'].items() if not each['proved']] == [DOWN, FULL]
    last = [line for line in done.stdout.splitlines() if line.strip()][-1]
    assert last.startswith(f'Backups: {len(GOOD)} of {len(BOXES)} boxes have a proved copy') and f'{DOWN} (' in last and f'{FULL} (' in last, last
    assert 'cannot be reached' in last and 'are free' in last
    assert 'Traceback' not in done.stdout + done.stderr
    for name in BOXES:
        assert len(night.copies(name)) == (name in GOOD), name
        assert not list((night.artifacts / 'archives').glob(f'{name}/*.part'))


def test_copies_are_restored_on_a_spare_machine_that_does_not_notice(night):
    spare = night.boxes[GOOD[0]]
    spare.install()
    spare.calm()
    # what a test that was killed has left
    spare.sh('mkdir -p /var/lib/jeedom-fleet/restore-test/html/x; mysql -e "CREATE DATABASE jeedom_fleet_restore_test; '
             'CREATE TABLE jeedom_fleet_restore_test.old (a INT)"')
    before = spare.do('census')
    dry = night.play('restore_test', '--check', '--limit', 'localhost,' + ','.join(GOOD), jeedom_restore_test_host=spare.name, jeedom_restore_test_here=True)
    assert dry.returncode == 0 and f'{len(GOOD)} of {len(GOOD)} boxes have a copy that would be restored' in dry.stdout, dry.stdout[-3000:]
    done = night.play('restore_test', '--limit', 'localhost,' + ','.join(GOOD), jeedom_restore_test_host=spare.name, jeedom_restore_test_here=True)
    assert done.returncode == 0 and f'{len(GOOD)} of {len(GOOD)} boxes have a copy that was restored' in done.stdout, done.stdout[-4000:]
    for name in GOOD:
        noted = json.loads(night.copies(name)[0].read_text())['restored']
        assert noted['host'] == spare.name and noted['version'] == '3.3.60' and noted['tables'] > 20 and noted['php'] > 5 and not noted['notes'], noted
        rows = int(spare.sh('mysql -N jeedom -e "SELECT COUNT(*) FROM history"'))
        assert noted['rows'] > rows > 0 and noted['plugins'] == ['virtual']
    assert spare.sh(LEFTOVERS).split() == []
    now = spare.do('census')
    assert [part for part in before if before[part] != now[part]] == []


def test_what_cannot_be_restored_is_named_and_nothing_is_left(night):
    """Each of these has a manifest that fits its bytes: only a restore finds out."""
    spare = night.boxes[GOOD[0]]

    def rows(name, data):
        return data.replace(b'-- Dump completed', b"INSERT INTO `config` VALUES ('core','one','more');\n-- Dump completed") if name == 'DB_backup.sql' else data

    def cut(name, data):
        return data[:len(data) * 2 // 3] if name == 'DB_backup.sql' else data

    def code(name, data):
        return b'<?php\nclass jeedom {\n' if name == 'core/class/jeedom.class.php' else data

    def version(name, data):
        return b'4.5.3\n' if name == 'core/config/version' else data

    night.forge('rows', GOOD[0], rows)
    night.forge('cut', GOOD[0], cut)
    night.forge('code', GOOD[0], code)
    night.forge('version', GOOD[0], version)
    night.forge('short', GOOD[0], lambda name, data: data)
    archive = next(path for path in (night.artifacts / 'archives/short').glob('*.tar.gz') if 'complement' not in path.name)
    archive.write_bytes(archive.read_bytes()[:-100])
    wanted = {'rows': 'rows instead of', 'cut': 'no completion line', 'code': 'PHP cannot read core/class/jeedom.class.php', 'version': 'holds core 4.5.3',
              'short': 'short', 'never': 'There is no archive of never'}
    more = night.folder / 'more.yml'
    more.write_text(json.dumps({'jeedom': {'hosts': dict.fromkeys(wanted)}}))
    done = night.play('restore_test', '-i', str(more), '--limit', f'localhost,{GOOD[1]},' + ','.join(wanted), jeedom_restore_test_host=spare.name)
    assert done.returncode == 2 and f'Restores: 1 of {len(wanted) + 1} boxes' in done.stdout, done.stdout[-4000:]
    said = done.stdout[done.stdout.index('Restores: '):]
    for name, words in wanted.items():
        assert words in said, (name, said)
        noted = [json.loads(path.read_text()) for path in night.copies(name)]
        # the note that came along with the forged manifest is of another archive
        assert not [each for each in noted if each['restored']['sha256'] == each['sha256'] and name != 'short'], noted
    assert spare.sh(LEFTOVERS).split() == [] and 'Traceback' not in done.stdout


def test_a_spare_machine_without_room_or_without_mariadb(night):
    spare = night.boxes[GOOD[0]]
    spare.sh('mkdir -p /var/lib/jeedom-fleet/restore-test; mount -t tmpfs -o size=1m tmpfs /var/lib/jeedom-fleet/staging')
    try:
        done = night.play('restore_test', '--limit', f'localhost,{GOOD[1]}', jeedom_restore_test_host=spare.name)
    finally:
        spare.sh('umount -l /var/lib/jeedom-fleet/staging')
    assert done.returncode == 0 or 'Restores: 0 of 1' in done.stdout, done.stdout[-3000:]
    spare.sh('systemctl stop mariadb; systemctl mask --runtime mariadb mysql')
    try:
        done = night.play('restore_test', '--limit', f'localhost,{GOOD[1]}', jeedom_restore_test_host=spare.name)
    finally:
        spare.sh('systemctl unmask --runtime mariadb mysql; systemctl start mariadb')
    assert done.returncode == 2 and 'MariaDB does not let root in' in done.stdout, done.stdout[-3000:]
    assert spare.sh(LEFTOVERS).split() == []


def test_it_is_not_done_on_the_box_itself_unless_asked(night):
    done = night.play('restore_test', '--limit', f'localhost,{GOOD[0]}', jeedom_restore_test_host=GOOD[0])
    assert done.returncode == 2 and 'name a spare box with jeedom_restore_test_host' in done.stdout
    done = night.play('restore_test', '--limit', f'localhost,{GOOD[0]}')
    assert done.returncode == 2 and 'names no host of the inventory' in done.stdout


def test_the_next_night_all_is_well(night):
    night.boxes[FULL].sh(f'umount -l {BACKUPS}')
    sandbox(NAME, 'power', DOWN, 'cycle')
    done = night.play('backup')
    last = [line for line in done.stdout.splitlines() if line.strip()][-1]
    assert done.returncode == 0 and last.startswith(f'Backups: {len(BOXES)} of {len(BOXES)}'), done.stdout[-3000:]
    assert all(night.copies(name) for name in BOXES)
    # one that is young enough is not made again
    assert len(night.copies(GOOD[1])) == 1
