# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chapters 4, 7 and 8 of the contract: the updater where something fails, the market, and updaters that are killed."""

from __future__ import annotations

import json
import re

import scenarios_update as do
from statements import FILE, FROM, V3, V40, V41, V44, V45, new, off, statement


# ---- failed downloads

@statement('7')
def test_a_missing_ref_is_an_error(version, observe):
    seen = observe(do.no_such_ref)
    assert seen.run.code == 255 and 'Download failed please retry later' in seen.run.text and '[END UPDATE ERROR]' in seen.run.text
    assert seen.look['file'] == FILE[version]


@statement('0.7')
def test_a_failed_download_leaves_the_engine_off_in_v3_only(version, observe):
    assert off(observe(do.no_such_ref).look) == (version == V3)


@statement('7')
def test_a_failed_download_changes_no_file_of_the_core(version, observe):
    seen = observe(do.no_such_ref)
    changed = {name for name, size in seen.before['files'].items() if seen.look['files'].get(name) != size}
    assert not [name for name in changed if not name.startswith(('data/', 'cache.tar.gz', 'log/'))], changed


@statement('7', V3, V41, V44, V45)
def test_half_a_zip_cannot_be_unzipped(version, observe):
    run = observe(do.truncated).run
    assert run.code == 255 and 'Unable to unzip file' in run.text and '[END UPDATE ERROR]' in run.text
    assert off(observe(do.truncated).look) == (version == V3)


@statement('7', V3, V44)
def test_a_captive_portal_is_no_zip(version, observe):
    run = observe(do.captive).run
    assert run.code == 255 and 'Unable to unzip file' in run.text


@statement('4.2/7', *FROM)
def test_the_certificate_of_the_download_site_counts_from_4_1_on(version, observe):
    seen = observe(do.wrong_certificate)
    if version in (V3, V40):
        assert seen.run.code == 0 and seen.look['file'] == new(version)
    else:
        assert seen.run.code == 255 and 'Download failed' in seen.run.text


# ---- full disks

@statement('0.4', *FROM)
def test_a_full_disk_while_unzipping(version, observe):
    seen = observe(do.unzip_disk_full)
    if version == V3:
        assert seen.run.code == 0 and '[END UPDATE SUCCESS]' in seen.run.text
        assert seen.run.count('because size is 0') > 10
    else:
        assert seen.run.code == 255 and '[END UPDATE ERROR]' in seen.run.text
        assert seen.look['file'] == FILE[version]


@statement('7', V3, V41)
def test_a_full_web_root_while_moving_is_only_printed(version, observe):
    assert observe(do.move_disk_full).run.count('Error on move') > 5


# ---- the market

@statement('0.6', V3, V41, V44, V45)
def test_a_refused_market_aborts_an_update_with_plugins(version, observe):
    seen = observe(do.market_refused)
    assert seen.run.code == 255 and '[END UPDATE ERROR]' in seen.run.text and 'Erreur curl' in seen.run.text
    assert seen.look['file'] == FILE[version] and not off(seen.look)


@statement('0.6', V3, V41)
def test_a_refused_market_is_an_error_line_without_plugins(version, observe):
    seen = observe(do.market_refused_without_plugins)
    assert seen.run.code == 0 and '[END UPDATE SUCCESS]' in seen.run.text and '***ERREUR***' in seen.run.text
    assert seen.look['file'] == new(version)


@statement('7', V3)
def test_a_market_that_answers_html_aborts(version, observe):
    run = observe(do.market_html).run
    assert run.code == 255 and '[END UPDATE ERROR]' in run.text and 'not json' in run.text


@statement('8')
def test_4_0_and_4_1_do_not_update_with_plugins_and_without_a_market_user(version, observe):
    seen = observe(do.market_without_user)
    if version in (V40, V41):
        assert seen.run.code == 255 and 'market vide' in seen.run.text and seen.look['file'] == FILE[version]
    else:
        assert seen.run.code == 0


@statement('8', V3, V40, V41, V44)
def test_the_certificate_of_the_market_counts_from_4_0_on(version, observe):
    check = observe(do.market_untrusted).check
    assert check.text.strip().endswith('fine') == (version == V3)


@statement('8')
def test_the_request_to_the_market(version, observe):
    text = observe(do.market_request).requests
    assert text.startswith('/core/api/api.php\nmultipart/form-data') and 'name="request"' in text
    request = json.loads(re.search(r'\{"jsonrpc.*\}', text).group(0))
    assert request['method'] == 'market::byLogicalIdAndType' and request['jsonrpc'] == '2.0'
    parameters = request['params']
    assert {parameters['0']['logicalId'], parameters['1']['logicalId']} == {'virtual', 'weather'}
    assert parameters['username'] == 'someone' and parameters['password_type'] == 'sha1' and parameters['password'] == 'a' * 40
    assert parameters['jeedomversion'] == FILE[version] and len(parameters['hwkey']) == 63
    assert set(parameters['plugin_install_list']) == {'virtual', 'weather'}
    assert {'market_api_key', 'localIp', 'jeedom_name', 'information', 'apikey'} <= set(parameters)


@statement('8')
def test_an_answer_that_is_not_ascii_is_read_all_the_same_and_a_later_date_means_update(version, observe):
    rows = observe(do.market_request).rows
    assert observe(do.market_request).run.text.strip().endswith('fine')
    assert rows['virtual'][1:] == ['2021-01-01 00:00:00', 'update']
    assert rows['weather'][2] == 'ok'


@statement('4.1', V3)
def test_preUpdate_straight_to_4_1_breaks_the_updater(version, observe):
    seen = observe(do.preupdate)
    assert seen.run.code == 0 and '[END UPDATE' not in seen.run.text
    assert 'console.php' in seen.look['logs']['update'] and seen.look['file'] == '3.3.60' and off(seen.look)


# ---- killed

@statement('7', *FROM)
def test_killed_early_in_the_move_leaves_the_old_version_and_the_engine_off(version, observe):
    seen = observe(do.killed_early)
    assert 'HIT' in seen.run.text and off(seen.look)
    assert seen.look['config']['core/version'] == FILE[version]
    assert [name for name, size in seen.look['unzip'].items() if size]


@statement('7', V3, V40)
def test_killed_late_in_the_move_is_the_new_version_file_over_the_old_database(version, observe):
    seen = observe(do.killed_late)
    assert 'HIT' in seen.run.text
    assert seen.look['file'] == new(version) and seen.look['config']['core/version'] == FILE[version]


@statement('7', V40)
def test_killed_late_in_the_move_to_4_1_the_core_is_dead(version, observe):
    # its list of files to load names one of a package that comes after it
    seen = observe(do.killed_late)
    assert seen.look['page']['status'] == 500 and seen.broken.code == 255


@statement('7', V3)
def test_killed_late_in_the_move_to_4_0_the_core_still_answers(version, observe):
    assert observe(do.killed_late).look['page']['status'] == 200


@statement('7', V3, V40)
def test_moving_the_rest_by_hand_and_a_second_run_finish_the_hop(version, observe):
    seen = observe(do.killed_late)
    assert seen.again.code == 0 and '[END UPDATE SUCCESS]' in seen.again.text
    assert seen.healed['file'] == seen.healed['config']['core/version'] == new(version) and not off(seen.healed)


@statement('7', V3)
def test_killed_between_scripts_leaves_a_version_in_between_and_a_second_run_goes_on(version, observe):
    seen = observe(do.killed_in_scripts)
    assert 'HIT' in seen.run.text and off(seen.look)
    assert seen.look['file'] == '4.0.62' and seen.look['config']['core/version'] not in ('3.3.60', '4.0.62')
    assert seen.again.code == 0 and seen.healed['config']['core/version'] == '4.0.62' and not off(seen.healed)


@statement('7', V3)
def test_a_second_update_waits_and_then_starts_or_gives_up(version, observe):
    seen = observe(do.two_updates)
    assert 'I will wait 10s' in seen.second.text and seen.second.code == 0
    assert 'code 0' in seen.first and '[END UPDATE SUCCESS]' in seen.first
