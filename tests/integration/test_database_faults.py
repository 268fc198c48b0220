# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""MariaDB stopped, killed, or left with tables that nobody can read: the box ends exactly where it was.

The boxes have MariaDB 10.5, which finishes no rename and no ALTER TABLE that it died in; 10.6 would.
"""

from __future__ import annotations

import pytest
from testbox import assert_as_before, differences, everything, present

pytestmark = pytest.mark.sandbox

# The schema is there before its tables, which take a second.
SCRATCH = "mysql -N -e \"SHOW TABLES FROM jeedom_fleet_new\" 2>/dev/null | grep -q ."
# It comes back by itself, some seconds later than anybody would ask it again.
DIES = 'systemctl kill -s KILL mariadb'
GONE = DIES + '; systemctl stop mariadb'


def test_mariadb_that_dies_while_a_rollback_point_is_taken(rich, before):
    rich.do('watch', when=SCRATCH, action=DIES)
    result = rich.call('rollback_point', route=['4.1.28'])
    assert rich.do('calm')['struck'], 'the fault never struck'
    assert result.get('failed'), result
    assert_as_before(rich, before)


def test_mariadb_that_dies_while_an_archive_is_prepared(rich, archived):
    files = archived()
    before = everything(rich)
    rich.do('watch', when=SCRATCH, action=DIES)
    result = rich.call('restore', source='archive', **files)
    assert rich.do('calm')['struck'], 'the fault never struck'
    assert result.get('failed'), result
    assert differences(everything(rich), before) == []
    assert rich.do('around')['transaction'] is None


def test_mariadb_that_is_stopped_is_started_for_a_restore(rich, before):
    present(rich)
    rich.do('harm')
    rich.sh('systemctl stop mariadb')
    assert rich.call('restore')['outcome'] == 'rolled_back'
    assert_as_before(rich, before)


@pytest.mark.parametrize('step', ['quiet', 'files', 'tables', 'clean'])
def test_mariadb_that_goes_away_in_the_middle_of_a_restore(rich, before, step):
    present(rich)
    rich.do('harm')
    rich.do('watch', when=f"grep -q '\"step\": \"{step}\"' /var/lib/jeedom-fleet/state.json", action=GONE)
    first = rich.call('restore')
    assert rich.do('calm')['struck'], 'the fault never struck'
    if first.get('outcome') != 'rolled_back':
        assert first['failed'] and 'Traceback' not in str(first), first
        assert rich.call('restore').get('outcome') in ('rolled_back', 'nothing_to_do')
    rich.sh('systemctl start mariadb')
    assert_as_before(rich, before)


# What MariaDB before 10.6 leaves when it dies between the two steps of a rename: InnoDB has the table in one schema and its .frm is
# in the other (seen at 2 of 59 kills); MyISAM renames its two files one after the other.
HALF_RENAMED = {
    'InnoDB on its way out': ('swap_tables_bare', 'jeedom', 'jeedom_fleet_old', 'config', '{old}/config.frm {live}/'),
    'InnoDB on its way in': ('swap_tables_renamed', None, None, None, '{live}/eqLogic.frm {new}/'),
    'MyISAM on its way out': ('swap_tables_bare', None, None, None, '{live}/interactQuery.MYI {old}/'),
    'MyISAM on its way in': ('swap_tables_renamed', None, None, None, '{live}/interactQuery.frm {live}/interactQuery.MYD {new}/'),
    'a name that is spelled otherwise in files': ('swap_tables_renamed', None, None, None, '{live}/an@0020odd@002dt*.frm {new}/'),
}


def half_rename(box, source, target, table, files):
    """Stop MariaDB, and leave a table between two schemas. files: arguments of mv."""
    if table:
        box.sh(f'mysql -e "RENAME TABLE {source}.{table} TO {target}.{table}"')
    folders = dict(live='jeedom', old='jeedom_fleet_old', new='jeedom_fleet_new')
    box.sh('systemctl stop mariadb; cd /var/lib/mysql; mv ' + files.format(**folders) + '; systemctl start mariadb')


@pytest.mark.parametrize('case', HALF_RENAMED)
def test_a_table_that_mariadb_left_half_renamed_is_made_whole(rich, before, case):
    step, *half = HALF_RENAMED[case]
    present(rich)
    rich.do('harm')
    rich.do('fail', at=step)
    assert rich.call('restore').get('died')
    half_rename(rich, *half)
    assert rich.call('restore').get('outcome') == 'rolled_back'
    assert_as_before(rich, before)


# What a hop leaves when MariaDB dies inside one of its ALTER TABLE: a table that is no more what its .frm says, an .frm without a
# table, a table that only InnoDB knows of, files with names that nobody sees. Its parent and its child, its trigger and its view too.
UNREADABLE = {
    'another table than its .frm says': 'cp -p config.frm cmd.frm; cp -p config.frm pparent.frm; cp -p cron.frm config.frm',
    'with a trigger': 'cp -p config.frm pchild.frm',
    'an .frm without a table': 'cp -p config.frm hollow.frm; cp -p config.frm scenario.frm',
    'a table without an .frm': 'rm pparent.frm eqLogic.frm',
    'all of it, and what ALTER TABLE was making': 'cp -p config.frm pchild.frm; rm pparent.frm eqLogic.frm; cp -p config.frm scenario.frm; '
                                                  'cp -p config.frm "#sql-1a2_3.frm"; mv cmd.frm "#sql2-1a2-3.frm"',
}


@pytest.mark.parametrize('case', UNREADABLE)
def test_a_hop_that_left_tables_nobody_can_read_is_taken_back(rich, before, case):
    present(rich)
    rich.do('harm')
    rich.sh(f'systemctl stop mariadb; cd /var/lib/mysql/jeedom; {UNREADABLE[case]}; systemctl start mariadb')
    result = rich.call('restore')
    assert result.get('outcome') == 'rolled_back', result
    assert_as_before(rich, before)
    assert not [name for name in rich.sh('ls -A /var/lib/mysql/jeedom').split('\n') if name.startswith('#')]


# What InnoDB leaves of a table when it dies in CREATE TABLE, as while a dump is imported: a file that no table has.
STRAY = 'head -c 65536 /dev/zero > /var/lib/mysql/{0}/message.ibd; chown mysql: /var/lib/mysql/{0}/message.ibd'


def test_a_file_of_no_table_does_not_keep_a_scratch_schema(rich, before):
    present(rich)
    rich.sh('mysql -e "DROP TABLE jeedom_fleet_new.message"; ' + STRAY.format('jeedom_fleet_new'))
    assert rich.call('rollback_point', state='absent')['changed'] is True
    assert_as_before(rich, before)


def test_a_file_of_no_table_does_not_keep_a_table_out(rich, before):
    present(rich)
    rich.do('harm')
    rich.sh('mysql -e "DROP TABLE jeedom.message"; ' + STRAY.format('jeedom'))
    assert rich.call('restore').get('outcome') == 'rolled_back'
    assert_as_before(rich, before)


@pytest.mark.parametrize('step', ['swap_schema_dropped', 'swap_tables_renamed'])
def test_taking_back_tables_nobody_can_read_is_finished_when_killed(rich, before, step):
    present(rich)
    rich.do('harm')
    unreadable = UNREADABLE['all of it, and what ALTER TABLE was making']
    rich.sh(f'systemctl stop mariadb; cd /var/lib/mysql/jeedom; {unreadable}; systemctl start mariadb')
    rich.do('fail', at=step)
    assert rich.call('restore').get('died')
    assert rich.call('restore').get('outcome') == 'rolled_back'
    assert_as_before(rich, before)


def test_a_lost_scratch_schema_is_made_anew_from_the_dump(rich, before):
    present(rich)
    rich.do('harm')
    rich.sh('mysql -e "DROP DATABASE jeedom_fleet_new"')
    assert rich.call('restore')['outcome'] == 'rolled_back'
    assert_as_before(rich, before)


def test_an_archive_takes_the_place_of_tables_nobody_can_read(rich, archived):
    files = archived()
    before = everything(rich)
    rich.sh('systemctl stop mariadb; cd /var/lib/mysql/jeedom; cp -p config.frm cmd.frm; rm pparent.frm; systemctl start mariadb')
    result = rich.call('restore', source='archive', **files)
    assert result.get('outcome') == 'restored' and result['verified']['problems'] == [], result
    assert differences(everything(rich), before) == []


def test_a_table_left_half_renamed_while_a_restore_is_undone_is_made_whole(rich, archived):
    files = archived(change='echo > index.php')
    before = everything(rich)
    rich.do('fail', at='restore_back')
    assert rich.call('restore', source='archive', **files).get('died')
    half_rename(rich, 'jeedom', 'jeedom_fleet_new', 'eqLogic', '{new}/eqLogic.frm {live}/')
    rich.call('restore', source='archive', **files)
    assert differences(everything(rich), before) == []
