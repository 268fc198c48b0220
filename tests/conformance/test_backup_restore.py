# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chapters 2 and 6 of the contract: the core's own backup and restore."""

from __future__ import annotations

import re

import scenarios as do
from statements import FILE, V3, V40, V41, V44, V45, statement


@statement('2.2')
def test_a_good_backup_ends_with_its_marker_and_code_0(version, observe):
    run = observe(do.backup).run
    assert run.code == 0 and run.last == '[END BACKUP SUCCESS]' and run.count('[START BACKUP]') == 1


@statement('2.2')
def test_the_printed_path_is_not_normalised(version, observe):
    label = 'Nom de la sauvegarde : ' if version in (V3, V40, V41) else 'Backup name: '
    assert re.search(rf'^{label}/var/www/html/core/\w+/../../backup/backup-.*\.tar\.gz$', observe(do.backup).run.text, re.M)


@statement('2.3')
def test_the_name_loses_some_signs_and_keeps_others(version, observe):
    names = [name for name in observe(do.backup).look['archives'] if 'Box' in name]
    assert len(names) == 1
    assert re.fullmatch(rf"backup-Box_1__lété__xy-{re.escape(FILE[version])}-\d{{4}}-\d\d-\d\d-\d\dh\d\d\.tar\.gz", names[0]), names


@statement('2.2')
def test_archive_and_dump_belong_to_the_web_user_with_mode_775(version, observe):
    stat = observe(do.backup).look['stat']
    assert [line for line in stat if line.startswith('www-data 775 ') and line.endswith('DB_backup.sql')]
    assert [line for line in stat if line.startswith('www-data 775 ') and line.endswith('.tar.gz')]


@statement('1.1')
def test_the_dump_stays_in_the_tree_and_the_web_does_not_give_it(version, observe):
    assert 'DB_backup.sql' in observe(do.backup).look['files']
    assert observe(do.backup).http == '403'


@statement('2.3')
def test_the_archive_holds_relative_members_and_a_complete_dump(version, observe):
    seen = observe(do.backup)
    for name in ('./DB_backup.sql', './core/config/version', './cache.tar.gz', './plugins/virtual/plugin_info/info.json', './index.php'):
        assert name in seen.listing, name
    assert seen.dump.startswith('-- Dump completed on ')


@statement('0.9')
def test_the_archive_lacks_the_credentials(version, observe):
    assert './core/config/common.config.php' not in observe(do.backup).listing


@statement('0.9')
def test_the_archive_lacks_psr_log_up_to_4_4(version, observe):
    there = [name for name in observe(do.backup).listing if name.startswith('./vendor/psr/log/')]
    assert bool(there) == (version == V45)


@statement('0.9')
def test_the_archive_lacks_folders_with_unlucky_names_at_any_depth(version, observe):
    listing = observe(do.backup).listing
    assert not [name for name in listing if name.startswith(('./plugins/virtual/tmp', './data/docs', './backup'))]
    assert bool([name for name in listing if name.startswith('./plugins/virtual/data/log/')]) == (version == V45)


@statement('2.4')
def test_pruning_by_age(version, observe):
    folder = observe(do.backup).folder
    assert 'backup-old.tar.gz' not in folder
    assert ('notes.txt' in folder) == (version != V3)
    assert ('.htaccess' in folder) == (version != V3)


@statement('0.3')
def test_a_full_disk_under_tar_is_success_with_a_broken_archive(version, observe):
    seen = observe(do.backup_disk_full)
    assert seen.run.code == 0 and '[END BACKUP SUCCESS]' in seen.run.text
    assert 'No space left on device' in seen.run.text and seen.test.code != 0


@statement('2.6')
def test_a_missing_mysqldump_is_an_error_with_code_127(version, observe):
    run = observe(do.backup_without_mysqldump).run
    assert run.code == 255 and '[END BACKUP ERROR]' in run.text and '127' in run.text


@statement('2.6')
def test_a_stopped_database_is_an_error(version, observe):
    run = observe(do.database_down).backup
    assert run.code == 255 and '[2002]' in run.text and '[END BACKUP SUCCESS]' not in run.text


@statement('2.3')
def test_a_slash_in_the_name_of_the_box_is_an_error(version, observe):
    run = observe(do.backup_slash).run
    assert run.code == 255 and '[END BACKUP ERROR]' in run.text


@statement('2.3')
def test_a_command_in_the_name_of_the_box_is_run(version, observe):
    assert observe(do.backup_shell).owned


@statement('2.6')
def test_a_folder_that_is_not_writable_is_an_error(version, observe):
    run = observe(do.backup_not_writable).run
    assert run.code == 255 and '[END BACKUP ERROR]' in run.text and '/srv/locked' in run.text


@statement('2.4')
def test_pruning_by_size_deletes_the_new_archive_when_another_is_younger(version, observe):
    seen = observe(do.backup_pruned)
    assert seen.run.code == 0 and '[END BACKUP SUCCESS]' in seen.run.text
    assert seen.left == ['later.tar.gz']


@statement('2.4')
def test_keepDays_minus_one_deletes_the_new_archive(version, observe):
    seen = observe(do.backup_keep_minus_one)
    assert seen.run.code == 0 and '[END BACKUP SUCCESS]' in seen.run.text
    assert not [name for name in seen.left if name.endswith('.tar.gz')]


@statement('6.1')
def test_a_good_restore_brings_data_and_files_back(version, observe):
    seen = observe(do.restore)
    assert seen.run.code == 0 and seen.run.last == '[END RESTORE SUCCESS]', seen.run.text[-300:]
    assert seen.look['tables']['scenario'] == 4 and seen.before['tables']['scenario'] == 0
    assert seen.here == 'ok' and seen.look['page']['size'] > 15000


@statement('6.1')
def test_a_restore_deletes_no_file(version, observe):
    assert 'data/extra' in observe(do.restore).look['files']


@statement('1.1')
def test_a_restore_leaves_the_credentials_in_tmp_for_everybody(version, observe):
    assert observe(do.restore).look['tmp_config'] == '644'


@statement('6.1')
def test_the_copy_of_the_credentials_is_reported_wrongly_by_the_old_ones(version, observe):
    assert ('Can not copy' in observe(do.restore).run.text) == (version in (V3, V40))


@statement('6.1')
def test_after_a_restore_the_engine_is_on(version, observe):
    config = observe(do.restore).look['config']
    assert 'core/enableCron' not in config and 'core/enableScenario' not in config


@statement('0.8')
def test_a_dump_cut_in_the_middle_is_a_success_without_what_came_after(version, observe):
    seen = observe(do.restore_cut_dump)
    assert seen.run.code == 0 and '[END RESTORE SUCCESS]' in seen.run.text


@statement('0.8')
def test_an_empty_dump_leaves_no_table(version, observe):
    seen = observe(do.restore_empty_dump)
    assert seen.run.code == 255 and '[END RESTORE SUCCESS]' not in seen.run.text
    assert seen.tables == []


@statement('0.8')
def test_without_the_mysql_client_no_table_is_left(version, observe):
    seen = observe(do.restore_without_mysql)
    assert seen.run.code == 255 and seen.tables == []


@statement('0.8')
def test_the_sandbox_line_of_newer_dumps(version, observe):
    seen = observe(do.restore_sandbox_line)
    if version in (V44, V45):
        assert seen.run.code == 0 and len(seen.tables) > 20
    else:
        assert seen.run.code == 255 and seen.tables == []


@statement('6.1')
def test_a_bare_file_name_is_not_found_and_a_second_equals_sign_cuts(version, observe):
    seen = observe(do.restore_not_found)
    assert seen.bare.code == 255 and 'Backup not found' in seen.bare.text
    assert seen.relative.code == 0 and '[END RESTORE SUCCESS]' in seen.relative.text
    assert seen.cut.code == 255 and 'Backup not found' in seen.cut.text


@statement('6.1')
def test_no_archive_at_all_loads_the_old_dump_of_the_tree(version, observe):
    seen = observe(do.restore_no_archive)
    assert seen.run.code == 0 and '[END RESTORE SUCCESS]' in seen.run.text and seen.scenarios == '4'
