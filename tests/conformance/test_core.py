# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chapter 1 of the contract and facts that belong to it: layout, tables, state, web, API, time, plugins."""

from __future__ import annotations

import json

import scenarios as do
from statements import ALL, FILE, V3, V40, V41, V44, V45, statement

TABLES = {V3: 27, V40: 28, V41: 28, V44: 30, V45: 31}


@statement('1.1')
def test_the_version_file_tells_the_version_of_the_files(version, observe):
    assert observe(do.pristine).look['file'] == FILE[version]
    assert observe(do.pristine).look['config']['core/version'] == FILE[version]


@statement('1.2')
def test_the_number_of_tables(version, observe):
    assert len(observe(do.pristine).look['tables']) == TABLES[version]


@statement('1.2')
def test_columns_that_come_and_go(version, observe):
    columns = observe(do.pristine).look['columns']
    index = ALL.index(version)
    for table, column, first, last in (('cmd', 'html', 0, 0), ('scenario', 'type', 0, 0), ('eqLogic', 'eqReal_id', 0, 1),
                                       ('widgets', 'name', 1, 4), ('planHeader', 'order', 1, 4), ('plan3dHeader', 'order', 1, 4),
                                       ('timeline', 'datetime', 2, 4), ('cache', 'key', 3, 4), ('event', 'name', 3, 4),
                                       ('update', 'updateDate', 3, 4), ('queue', 'id', 4, 4), ('cache', 'datetime', 3, 3)):
        assert (column in columns.get(table, {})) == (first <= index <= last), (table, column)
    assert columns['config']['key'] == ('varchar(255)' if version == V3 else 'varchar(127)')
    assert columns['config']['value'] == ('text' if index < 3 else 'mediumtext')


@statement('1.2', V3)
def test_v3_has_foreign_keys(version, observe):
    assert observe(do.pristine).look['foreign'] == 13


@statement('1.2')
def test_the_crons_of_the_core(version, observe):
    crons = observe(do.pristine).look['crons']
    for name in ('jeedom::cron', 'jeedom::backup', 'plugin::checkDeamon', 'history::archive', 'scenario::check', 'jeedom::cronDaily'):
        assert crons[name][0] == '1', name
    assert crons['jeedom::backup'][2] == '60'
    assert crons['history::archive'][1].startswith('00 5 * * *')


@statement('1.2')
def test_a_value_equal_to_the_default_has_no_row(version, observe):
    seen = observe(do.config_rows)
    assert seen.first['update::allowCore'] == '0'
    assert 'update::allowCore' not in seen.second
    assert seen.first['mykey'] == 'v'


@statement('1.3')
def test_from_4_1_on_the_api_key_is_stored_encrypted_and_read_in_clear(version, observe):
    seen = observe(do.config_rows)
    assert seen.first['api'].startswith('crypt:') == (version not in (V3, V40))
    assert '0123456789abcdef 1' in seen.read


@statement('1.4')
def test_the_bootstrap_one_liner_works(version, observe):
    boot = observe(do.pristine).boot
    assert boot.code == 0 and boot.text.strip().endswith(observe(do.pristine).look['file'])


@statement('1.4')
def test_the_login_page_is_long_and_holds_a_login_form(version, observe):
    page = observe(do.pristine).look['page']
    assert page['status'] == 200 and 17000 < page['size'] < 20500
    for mark in ('<title>Jeedom', 'id="in_login_username"', 'id="in_login_password"', 'id="bt_login_validate"', 'JEEDOM_PRODUCT_NAME'):
        assert mark in page['text'], mark


@statement('1.4')
def test_the_root_of_the_web_is_a_redirection(version, observe):
    assert observe(do.pristine).codes[''] == '302'
    assert observe(do.pristine).codes['here.html'] == '200'


@statement('1.1')
def test_the_web_shows_no_version_file_no_backup_folder(version, observe):
    assert observe(do.pristine).codes['core/config/version'] == '403'
    assert observe(do.pristine).codes['backup/'] == '403'


@statement('1.4')
def test_the_updater_cannot_be_called_by_the_web(version, observe):
    assert observe(do.pristine).codes['install/update.php'] == ('404' if version in (V3, V40) else '403')


@statement('1.4')
def test_the_api_answers_the_version(version, observe):
    assert json.loads(observe(do.pristine).look['api'])['result'] == observe(do.pristine).look['file']


@statement('1.4')
def test_the_api_refuses_a_wrong_key_with_code_2_and_answers_ping_to_anybody(version, observe):
    assert json.loads(observe(do.pristine).refused)['error']['code'] == 2
    assert json.loads(observe(do.pristine).ping)['result'] == 'pong'


@statement('1.4')
def test_with_the_database_down_the_page_is_200_with_48_bytes(version, observe):
    assert observe(do.database_down).page.endswith(' 200 48')
    assert observe(do.database_down).here == 'ok 200'


@statement('7')
def test_a_stopped_database_ends_an_update_without_touching_anything(version, observe):
    run = observe(do.database_down).update
    assert run.code == 255 and '[END UPDATE SUCCESS]' not in run.text


@statement('1.4')
def test_without_tables_the_page_is_200_and_short(version, observe):
    page = observe(do.no_tables).page
    status, size = page.split()[-2:]
    assert status == '200' and 100 < int(size) < 400 and '42S02' in page


@statement('0.9')
def test_without_vendor_the_page_is_500_and_nothing_boots(version, observe):
    seen = observe(do.without_vendor)
    assert seen.page == '500' and seen.boot.code == 255
    assert seen.update.code == 255 and '[END UPDATE' not in seen.update.text


@statement('0.9', *ALL[:4])
def test_without_psr_log_the_core_boots_and_dies_at_its_first_log_line(version, observe):
    seen = observe(do.without_psr_log)
    assert seen.boot.code == 0
    assert seen.log.code == 255 and 'Psr\\Log\\LoggerInterface' in seen.log.text


@statement('0.9', V45)
def test_without_psr_log_a_4_5_does_not_even_boot(version, observe):
    seen = observe(do.without_psr_log)
    assert seen.boot.code == 255 and 'Psr\\Log\\AbstractLogger' in seen.boot.text


@statement('0.12')
def test_php_run_as_root_leaves_files_of_root(version, observe):
    assert observe(do.as_root).owner == 'root'


@statement('0.2')
def test_past_the_date_limit_isDateOk_crashes(version, observe):
    check = observe(do.date_limit).check
    if version in (V40, V41, V44):
        assert check.code == 255 and 'DateTime could not be converted to string' in check.text
    else:
        assert 'bool(true)' in check.text


@statement('0.2')
def test_ignoreHourCheck_avoids_the_date_limit(version, observe):
    assert 'bool(true)' in observe(do.date_limit).ignored.text


@statement('0.2', V40, V41, V44)
def test_past_the_date_limit_the_minute_cron_fails_after_it_has_started_the_box(version, observe):
    seen = observe(do.date_limit)
    assert seen.started
    assert 'DateTime could not be converted to string' in seen.minute.text


@statement('1.4')
def test_past_the_date_limit_isOk_has_no_result(version, observe):
    answer = observe(do.date_limit).api
    if version in (V40, V41, V44):
        assert '"result"' not in answer
    else:
        assert json.loads(answer)['result'] in (True, False)


@statement('compat/history_purge', V3, V40, V41)
def test_the_nightly_archive_deletes_history_newer_than_2025(version, observe):
    seen = observe(do.purge)
    assert seen.before[0] > 0 and seen.after[0] == 0


@statement('compat/history_purge', V44)
def test_the_nightly_archive_of_4_4_deletes_history_newer_than_2026(version, observe):
    seen = observe(do.purge)
    assert seen.before[1] > 0 and seen.after[1] == 0 and seen.after[0] > 0


@statement('compat/history_purge', V45)
def test_the_nightly_archive_of_4_5_keeps_new_history(version, observe):
    assert observe(do.purge).after[1] > 0


@statement('0.7')
def test_a_started_box_with_crons_off_stays_off(version, observe):
    seen = observe(do.engine)
    assert {row[0] for row in seen.off} == {'enableCron', 'enableScenario'}
    assert 'crons sont actuellement' in seen.asleep.text


@statement('0.7')
def test_without_the_started_marker_the_minute_cron_switches_the_engine_on(version, observe):
    seen = observe(do.engine)
    assert seen.on == [] and seen.started.startswith('20')


@statement('1.3')
def test_stop_leaves_zeros_and_start_removes_the_rows(version, observe):
    seen = observe(do.stop_and_start)
    assert seen.off['enableCron'] == '0' and seen.off['enableScenario'] == '0'
    assert seen.on == {}
    assert 'Disable all task' in seen.stop.text and 'Disable all scenario' in seen.stop.text
    assert 'Enable scenario : OK' in seen.start.text and 'Enable task : OK' in seen.start.text


@statement('0.11')
def test_looking_at_a_plugin_whose_folder_is_away_switches_it_off(version, observe):
    seen = observe(do.missing_plugin)
    assert seen.look['config'].get('weather/active') in (None, '0')
    assert seen.look['enabled']['weather'] == '0'


@statement('0.11')
def test_listing_names_only_changes_nothing(version, observe):
    seen = observe(do.missing_plugin)
    assert 'weather' in seen.named.text
    assert seen.untouched['config']['weather/active'] == '1' and seen.untouched['enabled']['weather'] != '0'


@statement('3.4')
def test_removing_a_plugin_takes_what_it_owns_even_without_the_market(version, observe):
    seen = observe(do.uninstall)
    assert seen.run.text.strip().endswith('done')
    assert 'weather' not in seen.look['enabled'] and 'weather' not in seen.look['update']
    assert not [name for name in seen.look['files'] if name.startswith('plugins/weather/')]
    assert not [name for name in seen.look['config'] if name == 'weather/active']
    assert seen.look['tables']['cmd'] < seen.before['tables']['cmd']
    assert seen.look['tables']['history'] < seen.before['tables']['history']


@statement('3.4')
def test_removing_a_plugin_leaves_the_others_alone(version, observe):
    seen = observe(do.uninstall)
    assert seen.look['enabled']['virtual'] == seen.before['enabled']['virtual']
    assert [name for name in seen.look['files'] if name.startswith('plugins/virtual/')]
