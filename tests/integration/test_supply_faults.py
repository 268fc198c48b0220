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


def forget(box):
    """No archive on the box, and none in its proofs."""
    box.sh(f'rm -rf {BACKUPS}/backup-* /var/lib/jeedom-fleet/proofs /var/lib/jeedom-fleet/staging/*; rm -f {BACKUPS}/../DB_backup.sql')


def test_two_backups_in_one_minute_are_two_archives(box, before):
    made = [box.call('backup', max_age=0)['backup'] for _time in range(2)]
    assert made[0]['name'] != made[1]['name'] and all(each['proved'] for each in made), made
    for each in made:
        assert box.sh(f"sha256sum {each['path']} {BACKUPS}/{each['name']} | cut -c1-64 | sort -u").split() == [each['sha256']]
    forget(box)


@pytest.mark.parametrize('key, value', [('backup::keepDays', '-1'), ('backup::maxSize', '0')])
def test_jeedoms_pruning_does_not_eat_the_fresh_archive(box, before, key, value):
    """Each of these deletes everything in its folder, with a success line (contract 2.4); an older archive with a later date helps it."""
    box.sh(f"touch -d '+3 hours' {BACKUPS}/backup-a-3.3.60-2026-01-01-10h00.tar.gz; "
           f"mysql jeedom -e \"REPLACE INTO config (plugin, \\`key\\`, value) VALUES ('core', '{key}', '{value}')\"")
    # the tar of a real box takes its time; the archive of the miniature is made within the blink of an eye
    box.do('strike', program='tar', when='backup', how='after', action='sleep 3')
    try:
        result = box.call('backup', max_age=0)
        made = result.get('backup') or pytest.fail(str(result))
        assert made['proved'] and box.do('calm')['struck'], made
        assert box.sh(f"sha256sum {made['path']}").startswith(made['sha256'])
        gone = not box.sh(f"ls {BACKUPS}/{made['name']} 2>/dev/null; true").strip()
        assert gone == any('own pruning deleted' in note for note in made['notes']) and (gone or key != 'backup::keepDays'), made
        assert box.sh(f'stat -c %U:%a {BACKUPS}; ls {BACKUPS}/.htaccess').split() == ['www-data:775', f'{BACKUPS}/.htaccess']
    finally:
        box.sh(f"mysql jeedom -e \"DELETE FROM config WHERE \\`key\\`='{key}'\"")
        forget(box)


def test_the_level_of_compression_is_the_one_asked_for(box, before):
    # byte 8 of a gzip file: 4 for the fastest level, 2 for the smallest, 0 for the others
    for level, says in ((1, '04'), (9, '02'), (6, '00')):
        made = box.call('backup', max_age=0, compression=level)['backup']
        assert made['proved'] and box.sh(f"od -An -tx1 -j8 -N1 {made['path']}").strip() == says, (level, made['notes'])
        forget(box)
