# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""config and cron_task: compared by meaning, idempotent, reversible, and no secret in what they tell."""

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import config, cron_task, recorded
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


def run(box, values=None, check_mode=False, **more):
    params = {'web_root': box.web_root, 'values': values or {}, 'plugin': 'core', 'state': 'present', 'record': None}
    params.update(more)
    return config.run(params, check_mode)


def test_the_defaults_of_this_core_are_read_section_by_section(box):
    assert config.defaults(box)['update::allowCore'] == '1'
    assert config.defaults(box)['core::repo::provider'] == 'default'


def test_a_value_is_set_once(box):
    assert run(box, {'update::allowCore': 0})['changed'] is True
    assert box.fake.rows == {('core', 'update::allowCore'): '0'}
    assert run(box, {'update::allowCore': '0'})['changed'] is False


def test_check_mode_changes_nothing_and_tells_the_same(box):
    predicted = run(box, {'ignoreHourCheck': 1}, check_mode=True)
    assert box.fake.rows == {}
    assert predicted == run(box, {'ignoreHourCheck': 1})


@pytest.mark.parametrize('row', [None, '', '1'])
def test_absent_empty_and_the_default_mean_the_same(box, row):
    if row is not None:
        box.fake.rows['core', 'update::allowCore'] = row
    for wanted in (None, 1, True, '1', ''):
        assert run(box, {'update::allowCore': wanted})['changed'] is False


def test_a_value_that_becomes_the_default_becomes_an_absent_row(box):
    box.fake.rows['core', 'update::allowCore'] = '0'
    assert run(box, {'update::allowCore': 1})['changed'] is True
    assert box.fake.rows == {}


def test_null_removes_a_row_without_default(box):
    box.fake.rows['core', 'name'] = 'Home'
    assert run(box, {'name': None})['changed'] is True
    assert box.fake.rows == {}


def test_quotes_and_backslashes_reach_the_statement_escaped(box):
    run(box, {'name': "a'b\\c"})
    assert "'a\\'b\\\\c'" in box.fake.statements[-1]


@pytest.mark.parametrize('key', ['market::password', 'api', 'github::core::token', 'market::username'])
def test_credentials_are_not_told(box, key):
    box.fake.rows['core', key] = 'old-secret'
    result = run(box, {key: 'new-secret'})
    assert result['changed'] and 'secret' not in repr(result)


def test_what_was_changed_is_given_back_once(box):
    box.fake.rows['core', 'ignoreHourCheck'] = '0'
    box.fake.rows['core', 'name'] = 'Home'
    before = dict(box.fake.rows)
    run(box, {'update::allowCore': 0, 'name': 'Frozen'}, record='freeze')
    # a second task changes a further key and must not forget the first
    run(box, {'update::allowCore': 0, 'ignoreHourCheck': 1}, record='freeze')
    assert run(box, state='as_recorded', record='freeze')['changed'] is True
    assert config.effective(box.fake.config('ignoreHourCheck'), '0') == '0'
    box.fake.rows['core', 'ignoreHourCheck'] = '0'
    assert box.fake.rows == before
    assert recorded.load('freeze') == {}
    assert run(box, state='as_recorded', record='freeze')['changed'] is False


@pytest.mark.parametrize('name', ['', '../state', 'a/b', 'Freeze', 'x' * 41, 'a b'])
def test_a_record_whose_name_could_lead_elsewhere_is_refused(name):
    for call in (recorded.load, recorded.forget, lambda name: recorded.save(name, {})):
        with pytest.raises(BoxError) as caught:
            call(name)
        assert caught.value.code == 'bad_arguments' and repr(name) in caught.value.msg


def test_check_mode_records_nothing(box):
    run(box, {'update::allowCore': 0}, check_mode=True, record='freeze')
    assert recorded.load('freeze') == {}


def test_a_plugin_has_its_own_defaults(box, web_root):
    folder = web_root / 'plugins/virtual/core/config'
    folder.mkdir(parents=True)
    (folder / 'virtual.config.ini').write_text('[virtual]\nmode = soft\n')
    assert run(box, {'mode': 'soft'}, plugin='virtual')['changed'] is False
    assert run(box, {'mode': 'hard'}, plugin='virtual')['changed'] is True
    assert config.defaults(box, '../../../etc') == {}


def task(box, enabled=None, check_mode=False, **more):
    params = {'web_root': box.web_root, 'class_name': 'history', 'function': 'archive', 'enabled': enabled, 'state': 'present', 'record': None}
    params.update(more)
    return cron_task.run(params, check_mode)


def test_a_task_is_switched_once_and_given_back(box):
    box.fake.cron['history::archive'] = True
    assert task(box, False, check_mode=True, record='freeze')['changed'] is True
    assert box.fake.cron['history::archive'] is True
    assert task(box, False, record='freeze')['changed'] is True
    assert task(box, False, record='freeze')['changed'] is False
    assert task(box, state='as_recorded', record='freeze') == {
        'changed': True, 'before': False, 'after': True,
        'diff': {'before': 'history::archive: disabled\n', 'after': 'history::archive: enabled\n'}}
    assert task(box, state='as_recorded', record='freeze')['changed'] is False


def test_an_absent_task_counts_as_disabled(box):
    assert task(box, False)['changed'] is False
    with pytest.raises(BoxError) as caught:
        task(box, True)
    assert caught.value.code == 'no_such_cron'
