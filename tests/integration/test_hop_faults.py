# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault in the middle of a hop: the box ends exactly where it was, or equal to a box that was upgraded without one.

Faults are armed on the box at a point of the updater (on_box.py: strike, watch), so that no test depends on the speed of
the machine; every test asserts that its fault has struck. README.md in this folder is the list.
"""

from __future__ import annotations

import pytest
from testbox import assert_as_before, differences

pytestmark = pytest.mark.sandbox

HOP = {'version': '4.0.63', 'ref': '4.0.63', 'file_version': '4.0.62'}
DIRECT = {'version': '4.5.3', 'ref': '4.5.3', 'file_version': '4.5.3'}
# Tables in which every hop leaves its own time or key; in object the order in which it adds its colours. What the user owns in them is compared.
OF_THE_MOMENT = ('config', 'update', 'cron', 'message', 'event', 'user', 'object')
# In the release, and removed by the updater right after the move; when we finish a hop that broke off they stay.
STAY = ('.travis.yml', 'phpunit.xml.dist', 'tests')
KILL_UPDATER = 'pkill -9 -f install/update.php'
# Points of the updater, by the commands that it calls there.
UPDATER = {'program': 'php', 'when': 'install/update.php'}
UNZIPPED = {'program': 'rm', 'when': '/install/update/'}
SCRIPT = {'program': 'php', 'when': 'install/update/4.0.2.php'}
# The small disk under /var/www gets no room any more but a few files.
FULL = 'mount -o remount,size=$(($(df --output=used -k /mnt/small | tail -1) + 200))k /mnt/small'


class Hops:
    """The hop to 4.0.63 on the box, over and over: each test takes the box back to V3."""

    def __init__(self, box):
        self.box, self.zips = box, {}
        for hop in (HOP, DIRECT):
            staged = box.call('core', state='staged', version=hop['version'], route=[hop])
            assert staged.get('outcome') == 'staged', staged
            kept = f'/root/test/zips/core-{hop["version"]}.zip'
            box.sh(f'mkdir -p /root/test/zips; mv /var/lib/jeedom-fleet/staging/core-{hop["version"]}.zip {kept}')
            self.zips[hop['version']] = kept
        self.v3 = self.v4 = None
        self.look()

    def look(self):
        """The box on V3, and what a hop without a fault makes of it."""
        self.v3 = self.state()
        self.point()
        done = self.upgrade()
        assert done.get('outcome') == 'migrated', done
        self.v4 = self.state()
        self.take_back()
        assert_as_before(self.box, self.v3)

    def state(self):
        """What the box holds."""
        return self.box.do('census'), self.box.do('around')

    def point(self):
        """The rollback point that opens a migration."""
        taken = self.box.call('rollback_point')
        assert not taken.get('failed'), taken

    def upgrade(self, hop=None, **how):
        """The job that migrate.yml starts, without plugins and without waiting for a cron daemon that stands still."""
        hop = hop or HOP
        return self.box.call('core', version=hop['version'], route=[hop], zips=self.zips, **dict({'plugins': False, 'tick_timeout': 0}, **how))

    def take_back(self):
        """Back to V3."""
        back = self.box.call('restore')
        assert back.get('outcome') == 'rolled_back', back

    def assert_v4(self):
        """The box is as an undisturbed hop leaves it: every file and table, the page, the engine, nothing left over."""
        found = differences(self.state(), self.v4)
        known = (*(f'tables {name}:' for name in OF_THE_MOMENT), *(f'files {name}{end}' for name in STAY for end in ':/'), 'transaction:')
        told = [line for line in found if not line.startswith(known)]
        assert not told, '\n'.join(told)

    def struck(self):
        """How often the fault has struck; it is disarmed."""
        return self.box.do('calm')['struck']

    def end(self, result, expected, *words):
        """The first run has ended as expected, and a second one ends clean on V4."""
        assert self.struck() > 0, 'the fault never struck'
        assert result.get('outcome') == expected, result
        for word in words:
            assert word in str(result), result
        if expected == 'rolled_back':
            assert result['failed'] and '3.3.60 as before' in result['msg'], result
            assert_as_before(self.box, self.v3)
            self.point()
            again = self.upgrade()
            assert again.get('outcome') == 'migrated', again
        else:
            again = self.upgrade()
            assert again.get('outcome') == 'already_done' and not again['changed'], again
        self.assert_v4()
        self.take_back()
        assert_as_before(self.box, self.v3)


@pytest.fixture(scope='module')
def hops(box):
    """The box and what an undisturbed hop makes of it."""
    box.sh('systemctl stop cron; systemctl start apache2 mariadb')
    return Hops(box)


@pytest.fixture(autouse=True)
def clean(hops):
    """Whatever a failed test leaves does not spoil the next one."""
    if differences(hops.state(), hops.v3):
        hops.box.reset()
        hops.look()
    yield
    hops.struck()


@pytest.fixture
def slow(hops):
    """Time to strike in the middle of the move; the genuine core has files enough by itself."""
    hops.box.sh("mysql jeedom -e \"REPLACE INTO config (plugin, \\`key\\`, value) VALUES ('core', 'mini::slow', '10')\"")
    yield
    hops.box.sh("mysql jeedom -e \"DELETE FROM config WHERE \\`key\\`='mini::slow'\"")


@pytest.fixture
def small_disk(hops):
    """/var/www on a small file system of its own."""
    hops.box.sh('systemctl stop apache2; mkdir -p /mnt/small; mount -t tmpfs -o size=700m,mode=755 tmpfs /mnt/small; cp -a /var/www/. /mnt/small/; '
                'mount --bind /mnt/small /var/www; systemctl start apache2')
    yield
    hops.box.sh('systemctl stop apache2; umount -l /var/www /mnt/small; systemctl start apache2')


# -- the updater is killed


@pytest.mark.parametrize('percent', [3, 50, 97])
def test_the_updater_killed_in_the_move(hops, slow, percent):
    v3 = hops.state()
    hops.point()
    hops.box.do('watch', percent=percent, action=KILL_UPDATER)
    result = hops.upgrade()
    assert hops.struck(), 'the fault never struck'
    assert result.get('outcome') == 'migrated' and result['hops'][0]['finished'], result
    again = hops.upgrade()
    assert again.get('outcome') == 'already_done', again
    hops.assert_v4()
    hops.take_back()
    assert_as_before(hops.box, v3)


@pytest.mark.parametrize('at', [UNZIPPED, SCRIPT, {'program': 'wget', 'when': 'core'}], ids=['unzipped', 'in the version scripts', 'downloading'])
def test_the_updater_killed_at(hops, at):
    hops.point()
    hops.box.do('strike', action=KILL_UPDATER, **at)
    hops.end(hops.upgrade(), 'migrated')


def test_a_version_script_that_dies_is_never_passed_over(hops):
    hops.point()
    hops.box.do('strike', how='instead', action='echo "PHP Fatal error:  Uncaught Error: sandbox"; exit 255', times=9, **SCRIPT)
    hops.end(hops.upgrade(), 'rolled_back', 'hop_failed')


def test_an_updater_that_hangs_is_killed_and_run_again(hops):
    hops.point()
    hops.box.do('strike', how='instead', action='sleep 900', **UPDATER)
    hops.end(hops.upgrade(stall_timeout=15), 'migrated')


# -- it says that all is well


def test_exit_0_with_the_old_version_once(hops):
    hops.point()
    hops.box.do('strike', how='instead', action='echo "[START UPDATE]"; echo "[END UPDATE SUCCESS]"', **UPDATER)
    hops.end(hops.upgrade(), 'migrated')


def test_exit_0_with_the_old_version_always(hops):
    hops.point()
    hops.box.do('strike', how='instead', action='echo "[START UPDATE]"; echo "[END UPDATE SUCCESS]"', times=9, **UPDATER)
    hops.end(hops.upgrade(), 'rolled_back', 'hop_failed')


@pytest.mark.parametrize('loss', ['rm -rf /tmp/jeedom_unzip/*/desktop', 'for f in /tmp/jeedom_unzip/*/desktop/php/*.php; do : > $f; done'],
                         ids=['missing', 'empty'])
def test_the_success_line_with_files(hops, loss):
    hops.point()
    hops.box.do('strike', action=loss, **UNZIPPED)
    hops.end(hops.upgrade(), 'rolled_back', 'hop_failed')


def test_http_200_with_an_empty_page(hops):
    hops.point()
    # What is served is empty as soon as the core is V4, whatever its files are.
    hops.box.do('strike', how='after', times=9, **UPDATER, action=(
        'echo "<?php if (PHP_SAPI !== \'cli\' && @file_get_contents(\'/var/www/html/core/config/version\')[0] === \'4\') exit;" > /usr/local/empty.php; '
        'echo auto_prepend_file=/usr/local/empty.php > /etc/php/7.4/apache2/conf.d/99-empty.ini; systemctl restart apache2'))
    try:
        result = hops.upgrade()
    finally:
        hops.box.sh('rm -f /etc/php/7.4/apache2/conf.d/99-empty.ini; systemctl restart apache2')
    hops.end(result, 'rolled_back', 'hop_failed')


def test_the_direct_jump_that_dies_half_way(hops):
    hops.point()
    result = hops.upgrade(DIRECT)
    assert result.get('outcome') == 'rolled_back' and result['error_code'] == 'hop_failed', result
    assert_as_before(hops.box, hops.v3)


# -- the disk is full


def test_the_web_root_is_full_in_the_move(hops, small_disk):
    hops.point()
    hops.box.do('strike', action=FULL, times=1, **UNZIPPED)
    result = hops.upgrade()
    assert hops.struck() and result.get('outcome') == 'rolled_back', result
    hops.box.sh('mount -o remount,size=700m /mnt/small')
    assert_as_before(hops.box, hops.v3)
    hops.point()
    assert hops.upgrade().get('outcome') == 'migrated'
    hops.assert_v4()
    hops.take_back()


def test_tmp_is_full_at_the_unzip(hops):
    size = hops.box.sh('df --output=size -k /tmp | tail -1').strip()
    hops.point()
    hops.box.do('strike', program='wget', when='core', how='after', times=1,
                action='mount -o remount,size=$(($(df --output=used -k /tmp | tail -1) + 200))k /tmp')
    try:
        result = hops.upgrade()
    finally:
        hops.box.sh(f'mount -o remount,size={size}k /tmp')
    # What the unzip left out is completed from the zip, or the hop is taken back: both are whole, and end() looks at which it is.
    hops.end(result, result.get('outcome'))


def test_tmp_without_room_is_seen_before_the_updater_runs(hops):
    size = hops.box.sh('df --output=size -k /tmp | tail -1').strip()
    hops.point()
    hops.box.do('strike', action='true', **UPDATER)
    hops.box.sh('mount -o remount,size=$(($(df --output=used -k /tmp | tail -1) + 2000))k /tmp')
    try:
        result = hops.upgrade()
    finally:
        hops.box.sh(f'mount -o remount,size={size}k /tmp')
    assert result.get('outcome') == 'rolled_back' and result['error_code'] == 'no_room' and not hops.struck(), result
    assert_as_before(hops.box, hops.v3)


# -- the database goes away


@pytest.mark.parametrize('at', [UNZIPPED, SCRIPT], ids=['move', 'version scripts'])
@pytest.mark.parametrize('how', ['systemctl stop mariadb', 'systemctl kill -s KILL mariadb'], ids=['stopped', 'killed'])
def test_mariadb_goes_away_in_the(hops, at, how):
    hops.point()
    hops.box.do('strike', action=how, **at)
    result = hops.upgrade()
    hops.end(result, 'migrated' if at is UNZIPPED else result.get('outcome'))


# -- our own job goes away


def test_the_job_killed_in_the_move_is_taken_back(hops, slow):
    v3 = hops.state()
    hops.point()
    hops.box.do('watch', percent=50, action='kill -9 $(pgrep -f "jeedom-fleet/jobs/core-.*/code.zip")')
    result = hops.upgrade()
    assert result.get('died') and hops.struck(), result
    hops.take_back()
    assert_as_before(hops.box, v3)


def test_the_job_killed_in_the_scripts_is_finished_by_the_next(hops):
    hops.point()
    hops.box.do('strike', action='kill -9 $(pgrep -f "jeedom-fleet/jobs/core-.*/code.zip"); pkill -9 -f install/update.php', **SCRIPT)
    result = hops.upgrade()
    assert result.get('died') and hops.struck(), result
    second = hops.upgrade()
    assert second.get('outcome') == 'migrated', second
    hops.assert_v4()
    hops.take_back()
    assert_as_before(hops.box, hops.v3)
