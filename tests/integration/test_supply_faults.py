# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a box gets from outside and what it puts aside: downloads that fail in every way, and a disk that fills up at the backup.

None of it changes anything on the box, and the next call gets there.
"""

from __future__ import annotations

import pytest
from testbox import assert_as_before

pytestmark = pytest.mark.sandbox

HOP = {'version': '4.0.63', 'ref': '4.0.63', 'file_version': '4.0.62'}
# How the download site misbehaves, and what is said of it.
DOWNLOADS = {
    '404': 'download_refused', '500': 'download_failed', 'captive': 'bad_zip', 'truncate': 'bad_zip', 'cut': 'download_failed',
    'stall': 'download_stalled', 'hang': 'download_stalled', 'empty': 'bad_zip', 'certificate': 'download_tls',
}
BACKUPS = '/var/www/html/backup'


@pytest.fixture
def before(box):
    """What the box holds; nothing must be left of the test."""
    box.sh('rm -rf /var/lib/jeedom-fleet/staging/*')
    yield box.do('census'), box.do('around')
    box.do('calm')
    box.sandbox('behave')


def stage(box):
    """Have the zip of one hop on the box."""
    return box.call('core', state='staged', version=HOP['version'], route=[HOP], download_stall=3, download_timeout=30)


@pytest.mark.parametrize('rule', DOWNLOADS)
def test_a_download_that_fails_is_told_and_leaves_nothing(box, before, rule):
    match = '^github.com/' if rule == 'certificate' else r'archive/4\.0\.63'
    box.sandbox('misbehave', rule, '--match', match, '--box', box.name)
    result = stage(box)
    assert result.get('failed') and result['error_code'] == DOWNLOADS[rule] and 'github.com' in result['msg'], result
    assert_as_before(box, before)
    box.sandbox('behave')
    assert stage(box).get('outcome') == 'staged'


@pytest.fixture
def small_backups(box):
    """The backup folder on a small disk of its own."""
    box.sh(f'rm -rf /root/kept; cp -a {BACKUPS} /root/kept; mount -t tmpfs -o size=600m,mode=775,uid=33,gid=33 tmpfs {BACKUPS}; '
           f'cp -a /root/kept/. {BACKUPS}/')
    yield
    box.sh(f'umount -l {BACKUPS}; rm -rf /root/kept')


def test_a_disk_that_fills_up_at_the_backup(box, before, small_backups):
    box.do('strike', program='tar', when='backup', times=9,
           action=f'mount -o remount,size=$(($(df --output=used -k {BACKUPS} | tail -1) + 40))k {BACKUPS}')
    result = box.call('backup', max_age=0)
    assert box.do('calm')['struck'] and result.get('failed') and not result.get('backup'), result
    box.sh(f'mount -o remount,size=600m {BACKUPS}')
    # Jeedom's own backup leaves its dump, and gives the tree its usual rights and its cache folder.
    assert_as_before(box, before, but=('files DB_backup.sql:', 'files data/php/user.function.class.php:', 'cache:'))
    made = box.call('backup', max_age=0)
    assert made['backup']['proved'], made
    box.sh(f"rm -f {made['backup']['path']} {made['backup']['complement']['path']}; rm -rf /var/lib/jeedom-fleet/proofs {BACKUPS}/../DB_backup.sql")


def test_a_disk_without_room_is_seen_before_the_backup(box, before, small_backups):
    box.do('strike', program='php', when='install/backup.php', action='true')
    box.sh(f'mount -o remount,size=$(($(df --output=used -k {BACKUPS} | tail -1) + 40))k {BACKUPS}')
    result = box.call('backup', max_age=0)
    assert result.get('failed') and result['error_code'] == 'no_room' and not box.do('calm')['struck'], result
    assert_as_before(box, before)
