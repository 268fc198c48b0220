# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route as the box reads it; what is changed for the hops, and what is given back when."""

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import core_route, recorded, settings, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

from .fakes import FakeDatabase

ROUTE = [{'version': '4.0.63', 'file_version': '4.0.62'}, '4.1.28', {'version': '4.4.20', 'ref': '4.4.20', 'resting': False}, '4.5.3']
DEFAULTS = {'update::allowCore': '1', 'market::enable': '1', 'core::branch': 'master', 'core::repo::provider': 'default'}


def test_a_route_takes_versions_and_dictionaries():
    hops = core_route.parse('4.5.3', ROUTE)
    assert [hop['version'] for hop in hops] == ['4.0.63', '4.1.28', '4.4.20', '4.5.3']
    assert hops[0]['file_version'] == '4.0.62' and hops[1]['ref'] == '4.1.28'


def test_without_a_route_there_is_one_hop():
    assert [hop['version'] for hop in core_route.parse('4.5.3', None)] == ['4.5.3']


def test_a_route_keeps_what_the_content_of_its_zips_is_pinned_by():
    assert [hop['content_sha256'] for hop in core_route.parse('4.5.3', ['4.1.28', {'version': '4.5.3', 'content_sha256': 'a' * 64}])] == [None, 'a' * 64]


@pytest.mark.parametrize('version,route,code', [
    ('4.5.3', ['4.1.28'], 'bad_route'),
    ('4.0.63', ['4.1.28', '4.0.63'], 'bad_route'),
    ('4.5', ['4.5; rm -rf /'], 'bad_version'),
    ('latest', None, 'bad_version'),
    ('4.5.3', [{'version': '4.5.3', 'ref': '../../x'}], 'bad_version'),
    ('4.5.3', [{'version': '4.5.3', 'sha256': 'abc'}], 'bad_arguments'),
    ('4.5.3', [{'version': '4.5.3', 'content_sha256': 'A' * 64}], 'bad_arguments'),
    ('4.5.3', [{'version': '4.5.3', 'content_sha256': 12}], 'bad_arguments'),
])
def test_bad_routes_are_refused(version, route, code):
    with pytest.raises(BoxError) as caught:
        core_route.parse(version, route)
    assert caught.value.code == code


@pytest.mark.parametrize('here,left', [
    ('3.3.60', 4), ('4.0.62', 3), ('4.1.28', 2), ('4.2.5', 2), ('4.4.20', 1), ('4.5.3', 0), ('4.6.0', 0)])
def test_the_rest_of_a_route_begins_after_the_version_of_the_files(here, left):
    assert len(core_route.remaining(core_route.parse('4.5.3', ROUTE), here)) == left


def test_versions_compare_by_number():
    assert core_route.at_least('4.10.0', '4.9.9') and not core_route.at_least('4.5.1', '4.5.2')


def box_of_v3(**rows):
    return FakeDatabase(rows, {'history::archive': True})


def test_disarming_sets_the_flag_and_stops_the_purge_once():
    database = box_of_v3()
    assert settings.disarm(database) == ['ignoreHourCheck', 'history::archive']
    assert database.config('ignoreHourCheck') == '1' and database.cron['history::archive'] is False
    assert settings.disarm(database) == []


def test_on_a_good_version_everything_is_as_it_was():
    database = box_of_v3(**{'market::enable': '1', 'name': 'Home'})
    before = settings.record(database)
    rows = dict(database.rows)
    settings.disarm(database)
    settings.for_hop(database, 'http://127.0.0.1:1/core.zip', '4.5.3')
    assert settings.give_back(database, before, '4.5.3', {}) == []
    assert database.rows == rows
    assert database.cron['history::archive'] is True


def test_between_4_5_0_and_4_5_2_only_the_date_flag_stays():
    database = box_of_v3()
    before = settings.record(database)
    settings.disarm(database)
    kept = settings.give_back(database, before, '4.5.1', DEFAULTS)
    assert len(kept) == 1 and 'ignoreHourCheck' in kept[0]
    assert database.config('ignoreHourCheck') == '1' and database.cron['history::archive'] is True


def test_below_4_5_both_stay_and_are_told():
    database = box_of_v3()
    before = settings.record(database)
    settings.disarm(database)
    assert len(settings.give_back(database, before, '4.4.20', DEFAULTS)) == 2
    assert database.config('ignoreHourCheck') == '1' and database.cron['history::archive'] is False


def test_a_purge_that_was_off_stays_off():
    database = FakeDatabase({}, {'history::archive': False})
    before = settings.record(database)
    database.cron['history::archive'] = True  # consistency.php does that
    settings.give_back(database, before, '4.5.3', DEFAULTS)
    assert database.cron['history::archive'] is False


@pytest.mark.parametrize('was, version, after', [(True, '4.5.3', True), (None, '4.5.3', True), (False, '4.5.3', False)])
def test_the_nightly_archive_waits_for_the_census(was, version, after):
    database = FakeDatabase({}, {} if was is None else {'history::archive': was})
    before = settings.record(database)
    database.cron['history::archive'] = True  # the last hop does that
    settings.give_back(database, before, version, DEFAULTS, archive=False)
    assert database.cron['history::archive'] is False
    settings.give_back_archive(database, before, version)
    assert database.cron['history::archive'] is after


def test_no_core_update_forbidden_by_hand_is_allowed_for_the_hop_and_forbidden_again():
    database = box_of_v3(**{'update::allowCore': '0'})
    before = settings.record(database)
    settings.for_hop(database, 'http://127.0.0.1:1/core.zip', '4.1.28')
    assert database.config('update::allowCore') is None
    settings.give_back(database, before, '4.5.3', DEFAULTS)
    assert database.config('update::allowCore') == '0'


def test_a_branch_that_leads_nowhere_is_not_given_back_and_told():
    database = box_of_v3(**{'core::branch': 'V4-stable'})
    before = settings.record(database)
    kept = settings.give_back(database, before, '4.5.3', DEFAULTS)
    assert database.config('core::branch') is None and 'V4-stable' in kept[0]


def test_the_provider_that_the_updater_noted_is_given_back():
    database = box_of_v3()
    before = settings.record(database)
    database.update_source = 'url'
    settings.give_back(database, before, '4.5.3', DEFAULTS)
    assert database.update_source == 'default'


def test_what_freeze_changed_counts_as_it_was_before_it():
    database = box_of_v3(**{'update::allowCore': '0', 'ignoreHourCheck': '1'})
    database.cron['history::archive'] = False
    recorded.save('freeze', {'config': {'core': {'update::allowCore': None, 'ignoreHourCheck': None}}, 'cron': {'history::archive': True}})
    before = settings.record(database)
    settings.give_back(database, before, '4.5.3', DEFAULTS)
    assert database.config('update::allowCore') is None and database.config('ignoreHourCheck') is None
    assert database.cron['history::archive'] is True


def test_what_prepare_changed_is_recorded_in_the_open_migration():
    transaction.open('/var/www/html', 'jeedom', {}, '3.3.60')
    recorded.save('transaction', {'config': {'core': {'ignoreHourCheck': None}}, 'cron': {'history::archive': True}})
    assert transaction.current()['settings']['cron'] == {'history::archive': True}
    database = FakeDatabase({'ignoreHourCheck': '1'}, {'history::archive': False})
    before = settings.record(database)
    assert before['rows']['ignoreHourCheck'] is None and before['purge'] is True


def test_a_record_of_a_migration_needs_one():
    with pytest.raises(BoxError) as caught:
        recorded.save('transaction', {'cron': {'a::b': True}})
    assert caught.value.code == 'no_transaction'


@pytest.mark.parametrize('name', ['../x', 'A', ''])
def test_a_record_has_a_plain_name(name):
    with pytest.raises(BoxError):
        recorded.load(name)


def test_finishing_downloads_nothing():
    database = box_of_v3()
    settings.for_finish(database)
    assert database.config('update::allowCore') == '0'
