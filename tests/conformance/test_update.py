# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chapters 1, 4, 7 and 11 of the contract: the updater where it gets through, jumps that are too long, and its guard."""

from __future__ import annotations

import json
import re

import pytest
import scenarios_update as do
from statements import FILE, FROM, V3, V40, V41, V44, V45, new, off, statement

# Empty in every release from 4.1 on, and told of in a good hop.
TOLD = re.compile(r'Ignore file \S*/docs/\w+/noteVersion\.md because size is 0')
# Lines that a good hop never has (contract 7).
BAD = ('Ignore file', 'Error on move', 'Error on copy', 'PHP Fatal')
# Names that are empty in every release stay where they were unpacked.
EMPTY = re.compile(r'empty|\.git|\.html|\.txt|/noteVersion\.md$')


# ---- the good path

@statement('4.2/17', *FROM)
def test_a_good_hop_ends_with_its_marker_and_code_0(version, observe):
    run = observe(do.hop).run
    assert run.code == 0 and run.count('[END UPDATE SUCCESS]') == 1 and run.count('[START UPDATE]') == 1, run.text[-400:]
    assert not [bad for bad in BAD if bad in TOLD.sub('', run.text)]


@statement('7', *FROM)
def test_after_a_good_hop_file_and_database_have_the_same_new_version(version, observe):
    look = observe(do.hop).look
    assert look['file'] == look['config']['core/version'] == look['update']['jeedom'][1] == new(version)
    assert not off(look) and 'core/enableCron' not in look['config']


@statement('7', *FROM)
def test_after_a_good_hop_web_and_api_answer(version, observe):
    look = observe(do.hop).look
    assert look['page']['status'] == 200 and 'id="in_login_username"' in look['page']['text']
    assert json.loads(look['api'])['result'] == new(version)


@statement('7', *FROM)
def test_a_good_hop_keeps_every_row_that_the_user_owns(version, observe):
    before, after = observe(do.hop).before['tables'], observe(do.hop).look['tables']
    for table in ('object', 'eqLogic', 'cmd', 'history', 'historyArch', 'scenario', 'scenarioElement', 'scenarioExpression', 'user', 'view',
                  'viewData', 'planHeader', 'plan', 'dataStore'):
        assert before[table] == after[table], table
    assert observe(do.hop).look['config']['weather/active'] == '1'
    assert observe(do.hop).look['enabled'] == observe(do.hop).before['enabled']


@statement('4.2/10', *FROM)
def test_every_file_of_the_zip_that_is_not_empty_is_there_with_its_size(version, observe):
    seen = observe(do.hop)
    for name, size in seen.zip.items():
        removed = name.startswith('tests/') and version == V3 or name in ('.travis.yml', 'phpunit.xml.dist')
        vendor = name.startswith('vendor/') and version == V45
        if size and not removed and not vendor:
            assert seen.look['files'].get(name) == size, name


@statement('4.2/10', *FROM)
def test_empty_files_of_the_zip_are_not_moved_and_stay_unpacked(version, observe):
    seen = observe(do.hop)
    assert seen.look['unzip'], 'something is left'
    for name, size in seen.look['unzip'].items():
        assert size == 0 and EMPTY.search(name), name


@statement('4.2/9', *FROM)
def test_a_hop_removes_old_documentation_and_support(version, observe):
    seen = observe(do.hop)
    left = [name for name in seen.look['files'] if name.startswith('support/') and name not in seen.zip]
    assert left == []


@statement('4.2/9', *FROM)
def test_v3_leaves_old_templates_and_v4_removes_them(version, observe):
    seen = observe(do.hop)
    stale = [name for name in seen.before['files'] if name.startswith('core/template/') and name not in seen.zip and name in seen.look['files']]
    assert bool(stale) == (version == V3)


@statement('4.2/10', *FROM)
def test_a_stale_old_file_stays_below_4_1_and_goes_from_4_1_on(version, observe):
    seen = observe(do.hop)
    assert ('desktop/stale.js' in seen.look['files']) == (version in (V3, V40))
    assert 'desktop/custom.js' in seen.look['files'] and 'data/mine' in seen.look['files']


@statement('4.2/10', *FROM)
def test_the_download_and_the_temporary_folder_go(version, observe):
    files = observe(do.hop).look['files']
    assert 'install/install.sql' not in files or version == V3
    assert 'core/config/common.config.php' in files


@statement('4.2', *FROM)
def test_progress_lines_from_4_0_on(version, observe):
    text = observe(do.hop).run.text
    numbers = [int(number) for number in re.findall(r'^.*\[PROGRESS\]\[(\d+)\]', text, re.M)]
    if version == V3:
        assert numbers == []
    else:
        assert numbers == sorted(numbers) and numbers[-1] == 100
        assert {5, 10, 15, 25, 30, 40, 45, 50, 75, 90, 95} <= set(numbers)


@statement('4.2/6', *FROM)
def test_v3_switches_the_engine_off_before_the_download_and_v4_after_the_unzipping(version, observe):
    text = observe(do.hop).run.text
    assert (text.index('Disable all task') < text.index('Download url')) == (version == V3)


@statement('4.2/11', V3)
def test_from_v3_the_scripts_of_4_0_run(version, observe):
    text = observe(do.hop).run.text
    for script in ('3.4.0', '4.0.1', '4.0.2', '4.0.4', '4.0.5', '4.0.34'):
        assert f'Update system into : {script}...' in text, script
    assert observe(do.hop).look['foreign'] == 0


@statement('4.2/11', V3)
def test_widget_names_get_a_prefix_with_4_0(version, observe):
    templates = [json.loads(text) for text in observe(do.hop).look['templates'] if text.startswith('{')]
    assert {'core::badge'} <= {value for template in templates for value in template.values()}


@statement('4.2/11', V3)
def test_icons_get_the_names_of_font_awesome_5_with_4_0(version, observe):
    assert all('fas fa-home' in icon for icon in observe(do.hop).look['icons'])


@statement('4.2/11', V3, V40)
def test_the_personal_key_of_the_administrator_is_made_anew(version, observe):
    seen = observe(do.hop)
    assert seen.before['hash']['admin'] == 'old' and seen.look['hash']['admin'] not in ('old', '')
    assert seen.look['hash']['famille'] == seen.before['hash']['famille']


@statement('4.2/11', V40)
def test_positions_in_designs_become_pixels_with_4_1(version, observe):
    seen = observe(do.hop)
    before, after = ([json.loads(text) for text in look['positions']] for look in (seen.before, seen.look))
    for one, other in zip(before, after, strict=True):
        assert float(other['left']) == pytest.approx(float(one['left']) * 10)
        assert float(other['top']) == pytest.approx(float(one['top']) * 6)


@statement('1.2', V40)
def test_with_4_1_the_table_eqReal_stays_and_its_column_goes(version, observe):
    look = observe(do.hop).look
    assert 'eqReal' in look['tables'] and 'eqReal_id' not in look['columns']['eqLogic'] and 'timeline' in look['tables']


@statement('1.3', *(version for version in FROM if version != V44))
def test_the_date_of_the_core_is_recorded(version, observe):
    assert observe(do.hop).look['config']['core/update::lastDateCore'].startswith('20')


@statement('1.3', V44)
def test_the_updater_of_4_4_records_no_date_of_the_core(version, observe):
    assert 'core/update::lastDateCore' not in observe(do.hop).look['config']


@statement('4.2/5', *FROM)
def test_a_backup_inside_an_update_has_the_same_markers(version, observe):
    run = observe(do.hop_with_backup).run
    assert run.code == 0 and '[END BACKUP SUCCESS]' in run.text and '[END UPDATE SUCCESS]' in run.text
    assert run.text.index('[START BACKUP]') < run.text.index('[END BACKUP SUCCESS]') < run.text.index('Download url')
    assert len(observe(do.hop_with_backup).look['archives']) == 1


@statement('4.2/15', V3, V40, V41)
def test_without_a_market_user_a_good_hop_to_4_0_or_4_1_ends_with_an_error_line_about_the_market(version, observe):
    run = observe(do.hop_without_plugins).run
    assert run.code == 0 and '[END UPDATE SUCCESS]' in run.text
    assert ('***ERREUR***' in run.text and 'market vide' in run.text) == (version in (V3, V40))


@statement('1.3', V3, V41, V44)
def test_allowCore_0_downloads_nothing_and_is_a_success(version, observe):
    seen = observe(do.no_core)
    assert seen.run.code == 0 and '[END UPDATE SUCCESS]' in seen.run.text and 'Download url' not in seen.run.text
    assert seen.look['file'] == FILE[version]


@statement('0.10', V3, V41, V44)
def test_reapply_downloads_nothing_and_is_a_success(version, observe):
    seen = observe(do.reapply)
    assert seen.run.code == 0 and '[END UPDATE SUCCESS]' in seen.run.text and 'Download url' not in seen.run.text
    assert seen.look['file'] == FILE[version]


@statement('0.10', V3)
def test_reapply_with_a_leading_space_is_harmless(version, observe):
    seen = observe(do.reapply_with_space)
    assert seen.run.code == 0 and 'Download url' in seen.run.text and seen.look['file'] == new(version)


@statement('1.3', V44)
def test_from_4_4_10_on_a_tag_can_be_asked_for(version, observe):
    seen = observe(do.tag_reference)
    assert seen.run.code == 0 and 'archive/refs/tags/4.5.3.zip' in seen.run.text and seen.look['file'] == '4.5.3'
    assert 'Remove useless files' not in seen.run.text


@statement('11', V3, V40)
def test_the_provider_url_takes_any_zip(version, observe):
    seen = observe(do.provider_url)
    assert seen.run.code == 0 and '[END UPDATE SUCCESS]' in seen.run.text and seen.look['file'] == new(version)


# ---- direct jumps

@statement('0.1', V3)
def test_straight_to_4_1_28_is_a_success_that_loses_the_positions_in_designs(version, observe):
    seen = observe(do.to_41)
    assert seen.run.code == 0 and '[END UPDATE SUCCESS]' in seen.run.text and seen.look['file'] == '4.1.28'
    assert re.search(r'4\.1\.15\.\.\..*PHP Fatal error', seen.run.text) or 'Unknown column' in seen.run.text


@statement('0.1', V3, V40)
def test_straight_to_4_4_dies_without_a_marker(version, observe):
    run = observe(do.to_44).run
    assert run.code == 255 and '[END UPDATE' not in run.text
    assert 'Call to undefined method jeedom::cleanFileSystemRight()' in run.text


@statement('0.1', V3, V40)
def test_straight_to_4_4_leaves_new_files_new_version_and_the_engine_off(version, observe):
    look = observe(do.to_44).look
    assert look['file'] == look['config']['core/version'] == '4.4.20' and off(look)
    assert look['update']['jeedom'][1] == FILE[version]
    assert 'id="in_login_username"' in look['page']['text']


@statement('4.3', V3, V40)
def test_a_second_run_by_the_new_updater_heals_the_jump(version, observe):
    seen = observe(do.to_44)
    assert seen.again.code == 0 and '[END UPDATE SUCCESS]' in seen.again.text
    assert not off(seen.healed) and seen.healed['update']['jeedom'][1] == '4.4.20'


@statement('4.3', V3)
def test_straight_to_4_5_dies_the_same_way_and_the_old_vendor_still_boots(version, observe):
    seen = observe(do.to_45)
    assert seen.run.code == 255 and '[END UPDATE' not in seen.run.text and off(seen.look)
    assert seen.look['file'] == '4.5.3' and seen.look['page']['status'] == 200


@statement('0.4', V41)
def test_4_1_to_4_5_with_an_old_vendor_is_a_success_and_a_dead_core(version, observe):
    seen = observe(do.to_45_old_vendor)
    assert seen.run.code == 0 and '[END UPDATE SUCCESS]' in seen.run.text
    assert seen.look['page']['status'] == 500 and 'vendor/autoload.php' not in seen.look['files']


# ---- the guard

@statement('0.5')
def test_a_wrapper_makes_the_updater_wait_and_give_up_with_code_0(version, observe):
    seen = observe(do.guard)
    assert seen.run.code == 0 and seen.run.count('I will wait 10s') == 1 and seen.run.seconds > 9
    assert seen.run.last == '[END UPDATE]' and seen.look['file'] == FILE[version]
    assert 'SUCCESS' not in seen.run.text


@statement('4.1', V3, V44)
def test_a_relative_path_is_not_seen_by_the_guard(version, observe):
    run = observe(do.guard_relative).run
    assert run.code == 0 and '[END UPDATE SUCCESS]' in run.text
