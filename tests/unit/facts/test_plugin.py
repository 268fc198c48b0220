# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module plugin says what goes along, has Jeedom do it, and believes only what it sees afterwards."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import shutil

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import jobs, plugin, system, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


@pytest.fixture
def home(box, monkeypatch):
    """A box with the plugin virtual: one equipment, two commands that a nested scenario block, a design and a command mention."""
    box.write('plugins/virtual/plugin_info/info.json', u'{"require": "3.0"}')
    box.rows.update({
        'row': [['ok', '2020-01-01 00:00:00', '2020-01-01 00:00:00', 'market', '{"doNotUpdate":"0"}']], 'active': [['1']], 'settings': [['2']],
        'equipments': [['7', 'Lampe', 'Salon', '1']], 'commands': [['70'], ['71']], 'history': [['30']], 'historyArch': [['4']],
        'scenarios': [['1', 'Nuit', 'Maison', '["#99#"]', '["10"]'], ['2', 'Jour', None, '["#70#"]', '[]'], ['3', 'Rien', 'g', None, 'garbage']],
        'nested': [['11', '10']], 'expressions': [['11', '#71# == 1 and #700#'], ['11', '{"eqLogic":"7"}'], ['10', '#99#'], ['55', '#70#']],
        'others': [['90', 'Somme', 'Total', 'Salon', '{"calcul":"#70# + 1"}'], ['91', 'x', 'y', None, '#700#']],
        'design_elements': [['3']], 'view_entries': [['1']], 'crons': [['0']], 'listeners': [['0']]})
    box.php = []
    box.effect = lambda code: None
    box.answer = system.Completed(0, '\n@@done', '')

    def php(argv, stdin):
        if 'core.inc.php' not in argv[-1]:
            return system.Completed(0, '\n@@' + json.dumps({'dbname': 'jeedom', 'username': 'u', 'password': 'dbs3cr3t'}), '')
        box.php.append(argv)
        box.effect(argv[-1])
        return box.answer

    box.commands['php -r'] = php
    monkeypatch.setattr(system, 'require_root', lambda: None)
    box.call = lambda state, check=False, name='virtual': plugin.run(
        dict(web_root=box.root, name=name, state=state, timeout=60), check)
    return box


def gone(box):
    """What Jeedom's removal leaves behind: nothing."""
    def effect(code):
        shutil.rmtree(os.path.join(box.root, 'plugins/virtual'), ignore_errors=True)
        for name in ('row', 'active', 'settings', 'equipments', 'commands'):
            box.rows[name] = []
    return effect


def test_check_mode_says_what_goes_along_and_touches_nothing(home):
    found = home.call('absent', check=True)
    assert found['changed'] is True and home.php == []
    along = found['plugin']['goes_along']
    assert (along['commands'], along['history_rows'], along['design_elements'], along['view_entries']) == (2, 34, 3, 1)
    assert along['equipments']['items'] == [dict(id=7, name='[Salon][Lampe]', enabled=True)]
    assert along['scenarios']['items'] == [dict(id=1, name='[Maison][Nuit]', mentions=2), dict(id=2, name='[-][Jour]', mentions=1)]
    assert along['commands_elsewhere']['items'] == [dict(id=90, name='[Salon][Total][Somme]')]
    assert found['msg'].startswith('With plugin virtual go 1 equipments, 2 commands and 34 history rows; mentioned by 2 scenarios')
    assert found['diff'] == dict(before='enabled, 2020-01-01 00:00:00\n', after='absent\n')


def test_a_removal_is_done_by_jeedom_as_the_web_user_and_a_second_changes_nothing(home):
    home.effect = gone(home)
    found = home.call('absent')
    assert found['changed'] is True and found['plugin']['after']['folder'] is False
    assert len(home.php) == 1 and home.php[0][:3] == ['sudo', '-n', '-u']
    assert 'deleteObjet' in home.php[0][-1]
    again = home.call('absent')
    assert again['changed'] is False and len(home.php) == 1


def test_a_removal_in_an_open_migration_is_noted_there(home, tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path / 'state'))
    transaction.open(home.root, 'jeedom', {}, '3.3.60')
    home.effect = lambda code: None
    with pytest.raises(BoxError):
        home.call('absent')
    assert 'removed_plugins' not in transaction.current()
    home.effect = gone(home)
    home.call('absent')
    assert transaction.current()['removed_plugins'] == ['virtual']


@pytest.mark.parametrize('left', [('folder', 'its folder'), ('row', 'its row'), ('equipments', '1 equipments'), ('settings', 'settings')])
def test_a_removal_that_left_something_is_no_success(home, left):
    kept = dict(home.rows)

    def effect(code):
        gone(home)(code)
        if left[0] == 'folder':
            os.makedirs(os.path.join(home.root, 'plugins/virtual'))
        else:
            home.rows[left[0]] = kept[left[0]]

    home.effect = effect
    with pytest.raises(BoxError) as caught:
        home.call('absent')
    assert caught.value.code == 'plugin_not_removed' and left[1] in caught.value.msg


def test_what_jeedom_says_when_it_fails_is_told_without_secrets(home):
    home.answer = system.Completed(1, "noise\n@@failed SQLSTATE refused for dbs3cr3t", '')
    with pytest.raises(BoxError) as caught:
        home.call('absent')
    assert caught.value.code == 'plugin_failed'
    assert 'SQLSTATE refused' in caught.value.msg and 'dbs3cr3t' not in caught.value.msg


def test_jeedom_that_does_not_come_back_from_a_plugin_is_not_waited_for_any_longer(home, monkeypatch):
    home.answer = system.Completed(124, '\n@@done', '')
    with pytest.raises(BoxError) as caught:
        home.call('absent')
    assert caught.value.code == 'plugin_timeout' and 'virtual' in caught.value.msg and '60 s' in caught.value.msg


def test_an_end_without_a_word_is_no_success(home):
    home.answer = system.Completed(0, '', '')
    with pytest.raises(BoxError) as caught:
        home.call('absent')
    assert caught.value.code == 'plugin_failed'


def test_a_plugin_is_disabled_and_enabled_once(home):
    def effect(code):
        home.rows['active'] = [['1' if '->setIsEnable(1)' in code else '0']]
    home.effect = effect
    assert [home.call(state)['changed'] for state in ('enabled', 'disabled', 'disabled', 'enabled')] == [False, True, False, True]
    assert len(home.php) == 2


def test_a_switch_that_did_not_switch_is_no_success(home):
    with pytest.raises(BoxError) as caught:
        home.call('disabled')
    assert caught.value.code == 'plugin_not_switched'


def test_a_plugin_that_is_not_there_cannot_be_enabled(home):
    shutil.rmtree(os.path.join(home.root, 'plugins/virtual'))
    home.rows['active'] = []
    with pytest.raises(BoxError) as caught:
        home.call('enabled')
    assert caught.value.code == 'plugin_not_installed'
    assert home.call('disabled')['changed'] is False


def test_an_update_is_made_when_one_is_offered(home):
    def effect(code):
        if 'checkUpdate' in code:
            home.rows['row'] = [['update', '2020-01-01 00:00:00', '2022-01-01 00:00:00', 'market', '']]
        if 'doUpdate' in code:
            home.rows['row'] = [['ok', '2022-01-01 00:00:00', '2022-01-01 00:00:00', 'market', '']]
    home.effect = effect
    found = home.call('latest')
    assert found['changed'] is True and found['plugin']['after']['local_version'] == '2022-01-01 00:00:00'
    home.effect = lambda code: None
    assert home.call('latest')['changed'] is False


@pytest.mark.parametrize('offered', ['repository not found', 'error', '0000-01-01 00:00:00'])
def test_a_source_that_cannot_be_asked_is_not_taken_for_nothing_new(home, offered):
    home.effect = lambda code: home.rows.update(row=[['ok', 'abc', offered, 'github', '']])
    with pytest.raises(BoxError) as caught:
        home.call('latest')
    assert caught.value.code == 'plugin_source_silent' and 'github' in caught.value.msg
    # the core's own method would swallow what the market says
    assert all('$u->checkUpdate()' not in argv[-1] for argv in home.php)


def test_an_update_that_brought_nothing_is_no_success(home):
    home.rows['row'] = [['update', '2020-01-01 00:00:00', '2022-01-01 00:00:00', 'market', '']]
    with pytest.raises(BoxError) as caught:
        home.call('latest')
    assert caught.value.code == 'plugin_not_updated'


def test_a_pinned_plugin_stays(home):
    home.rows['row'] = [['update', '2020', '2022', 'market', '{"doNotUpdate":"1"}']]
    found = home.call('latest')
    assert found['changed'] is False and found['pinned'] is True and home.php == []


@pytest.mark.parametrize('name', ['core', 'jeedom', '', '../x', 'a"b', "x');", 'a b', '-x', u'é', 'x' * 200])
def test_a_name_that_is_no_plugin_is_refused(home, name):
    with pytest.raises(BoxError) as caught:
        home.call('absent', name=name)
    assert caught.value.code == 'bad_plugin' and home.asked == []


def test_nothing_is_changed_while_a_job_runs(home, monkeypatch):
    monkeypatch.setattr(jobs, 'running', lambda: dict(id='core-20260101T000000-0000'))
    with pytest.raises(BoxError) as caught:
        home.call('absent')
    assert caught.value.code == 'job_busy' and home.php == []
