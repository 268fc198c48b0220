# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The census is the same before and after what V4 does to a database, and different after any loss."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import census, facts_look
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import Installation

COMMAND = census.KINDS['commands']


def row(kind, **values):
    """A row of a kind as its statement gives it."""
    cells = [values.pop('key', '1'), values.pop('human', '[a][b][c]'), values.pop('owner', '')]
    for name in kind.columns + kind.settings:
        cells.append(values.pop(name, ''))
    assert not values
    return cells


def digest(kind, **values):
    """The digest of one such row."""
    return census.tally(kind, [row(kind, **values)])['digest']


# contract 4.2 and install/update of the core: what the way from V3 to V4 writes into rows that nobody touched
@pytest.mark.parametrize('before, after', [
    ({'template': '{"dashboard":"light","mobile":"line"}'}, {'template': '{"dashboard":"core::light","mobile":"core::line"}'}),
    ({'template': '{"dashboard":"mine"}'}, {'template': '{"dashboard":"customtemp::mine","mobile":"default"}'}),
    ({'template': '[]'}, {'template': '{"dashboard":"core::default","mobile":"core::default"}'}),
    ({'template': ''}, {'template': '{"dashboard":"default","mobile":"default"}'}),
    ({'configuration': '{"a":"","b":null,"c":[],"d":"1"}'}, {'configuration': '{"d":1}'}),
    ({'configuration': '{"jeedomCheckCmdCmdActionId":"12","x":"y"}'}, {'configuration': '{"jeedomCheckCmdCmdActionId":"","x":"y"}'}),
    ({'configuration': '{"i":"<i class=\\"fa fa-clock-o\\"><\\/i>"}'}, {'configuration': '{"i":"<i class=\\"fas fa-clock-o\\"></i>"}'}),
    ({'configuration': '{"i":"<i class=\'fa fa-bell-o\'></i>"}'}, {'configuration': '{"i":"<i class=\'fas fa-bell\'></i>"}'}),
    ({'configuration': '{"i":"fa-video-camera"}'}, {'configuration': '{"i":"fa-video"}'}),
    ({'configuration': u'{"i":"\\u00e9t\\u00e9"}'}, {'configuration': u'{"i":"été"}'}),
    ({'configuration': '[]'}, {'configuration': '{}'}), ({'configuration': '["a"]'}, {'configuration': '{"0":"a"}'}),
    ({'alert': ''}, {'alert': '[]'}),
    ({'name': u"Commande d'état & \"co\""}, {'name': u'Commande détat co'}), ({'name': 'Chambre <b>1</b>'}, {'name': 'Chambre 1'}),
    ({'name': 'a  b'}, {'name': 'a b'}),
])
def test_what_v4_rewrites_is_no_difference(before, after):
    assert digest(COMMAND, **before) == digest(COMMAND, **after)


@pytest.mark.parametrize('before, after', [
    ({'name': 'a'}, {'name': 'b'}), ({'logicalId': '1'}, {'logicalId': '2'}), ({'unite': 'W'}, {'unite': ''}), ({'value': '#1#'}, {'value': '#2#'}),
    ({'template': '{"dashboard":"light"}'}, {'template': '{"dashboard":"core::lock"}'}), ({'template': '{"dashboard":"light"}'}, {'template': ''}),
    ({'configuration': '{"a":"1"}'}, {'configuration': '{"a":"2"}'}), ({'configuration': '{"a":"1"}'}, {'configuration': '{}'}),
    ({'configuration': '{"a":"1"}'}, {'configuration': '{"a":"1'}), ({'configuration': '{"a":{"b":["x","y"]}}'}, {'configuration': '{"a":{"b":["x"]}}'}),
    ({'alert': '{"warningif":"#value# > 3"}'}, {'alert': ''}), ({'isVisible': '1'}, {'isVisible': '0'}), ({'key': '1'}, {'key': '2'})])
def test_what_a_user_would_miss_is_a_difference(before, after):
    assert digest(COMMAND, **before) != digest(COMMAND, **after)


def test_settings_and_columns_are_told_apart():
    plain = census.tally(COMMAND, [row(COMMAND, name='a')])['items']['1']
    configured = census.tally(COMMAND, [row(COMMAND, name='a', configuration='{"x":"1"}')])['items']['1']
    assert plain[1] == configured[1] and plain[2] != configured[2]
    assert plain[0] == '[a][b][c]'


def test_the_plugin_that_something_belongs_to_is_told():
    assert census.tally(COMMAND, [row(COMMAND, owner='virtual')])['items']['1'][3] == 'virtual'
    assert 'eqType_name' in census.KINDS['commands'].sql() and 'eqType_name' in census.KINDS['equipments'].sql()


def test_the_order_of_rows_does_not_matter():
    rows = [row(COMMAND, key=str(number), name='n%d' % number) for number in range(5)]
    assert census.tally(COMMAND, rows) == census.tally(COMMAND, rows[::-1])


def test_two_rows_under_one_name_both_count():
    kind = census.KINDS['listeners']
    assert census.tally(kind, [row(kind, key='x'), row(kind, key='x')])['count'] == 2


def test_many_items_are_only_counted(monkeypatch):
    monkeypatch.setattr(census, 'MOST_ITEMS', 3)
    found = census.tally(COMMAND, [row(COMMAND, key=str(number)) for number in range(4)])
    assert found['count'] == 4 and found['items'] is None and found['digest']


@pytest.mark.parametrize('hostile', [None, '', '{"a":' * 2000, '[' * 2000, '7', '"x"', '{"a": 1e999}', u'\x00\x1b', 'NULL'])
def test_hostile_cells_do_not_crash(hostile):
    for kind in census.KINDS.values():
        found = census.tally(kind, [[hostile] * (3 + len(kind.columns) + len(kind.settings)), [], [hostile]])
        assert found['count'] == 1
        json.dumps(found)


def test_neither_passwords_nor_api_keys_are_among_the_columns():
    users = census.KINDS['users']
    assert not set(users.columns + users.settings) & set(['password', 'hash', 'options'])
    assert census.KINDS['plugin_settings'].columns == () and census.KINDS['plugin_settings'].settings == ()


def test_history_sums_do_not_depend_on_groups():
    one = census._history([['1', '2', str(0b1100), '20', '2026-01-01 00:00:00'], ['2', '1', str(0b1010), '7', '2026-02-01 00:00:00']])
    assert one['rows'] == 3 and one['newest'] == '2026-02-01 00:00:00'
    assert one['digest'] == '%08x%x' % (0b0110, 27)
    assert one['commands'] == {'1': [2, '0000000c14'], '2': [1, '0000000a7']}


# -- a whole census

@pytest.fixture
def home(tmpdir, monkeypatch):
    """An installation with a few user files; its database answers with home.rows."""
    for path in ('core/config/version', 'data/php/user.function.class.php', 'data/jeedom_encryption.key', 'desktop/custom/custom.css',
                 'plugins/virtual/plugin_info/info.json', 'log/http.error', 'backup/a.tar.gz', 'DB_backup.sql', 'cache.tar.gz'):
        tmpdir.join(*path.split('/')).ensure().write('x')
    found = Installation(str(tmpdir))
    found._credentials = {'dbname': 'jeedom'}
    found.rows = {}
    found.asked = {}

    def batch(self, timeout=120):
        found.asked.update(self.statements)
        return dict((name, found.rows.get(name, [['0']])) for name, dummy in self.statements)

    monkeypatch.setattr(facts_look.Batch, 'run', batch)
    return found


def test_a_census_tells_all_that_the_user_owns(home):
    home.rows['objects'] = [row(census.KINDS['objects'], name='Maison')]
    home.rows['history'] = [['1', '2', '3', '4', '2026-01-01 00:00:00']]
    found = census.stable(home, '2026-01-01 00:00:00')
    assert set(found['entities']) == set(census.KINDS) | set(census.COUNTED)
    assert found['entities']['objects']['count'] == 1
    assert found['history']['history']['rows'] == 2
    assert found['plugin_folders'] == ['virtual']
    assert sorted(found['files']['items']) == ['data/php/user.function.class.php', 'desktop/custom/custom.css']
    json.dumps(found)


def test_history_is_counted_up_to_the_moment_given(home):
    census.stable(home, '2026-01-01 00:00:00')
    assert "`datetime` <= '2026-01-01 00:00:00'" in home.asked['history']


@pytest.mark.parametrize('until', ["2026-01-01", "x' OR 1=1 -- ", ''])
def test_a_moment_that_is_none_is_refused(home, until):
    with pytest.raises(BoxError) as caught:
        census.stable(home, until)
    assert caught.value.code == 'bad_moment'


def test_a_table_that_is_not_there_is_told(home):
    home.rows['views'] = facts_look.Unreadable("MariaDB: Table 'jeedom.view' doesn't exist")
    found = census.stable(home, '2026-01-01 00:00:00')
    assert found['entities']['views'] is None and 'jeedom.view' in found['unreadable']['views']


def folders(home):
    return census._folders(home.web_root, census.PASSING_PATHS)


def differing(one, two):
    return sorted(path for path in set(one) | set(two) if one.get(path) != two.get(path))


def test_logs_caches_and_archives_are_no_part_of_the_exact_census(home):
    before = folders(home)
    for path in ('log/http.error', 'backup/b.tar.gz', 'DB_backup.sql', 'cache.tar.gz'):
        with open(home.path(path), 'a') as stream:
            stream.write('more')
    assert differing(before, folders(home)) == []


def test_where_a_link_leads_shows_in_its_folder(home):
    os.symlink('/etc', home.path('data/link'))
    before = folders(home)
    os.unlink(home.path('data/link'))
    os.symlink('/usr', home.path('data/link'))
    assert differing(before, folders(home)) == ['data']


@pytest.mark.parametrize('change, where', [
    (lambda root: open(root + '/core/config/version', 'w').close(), 'core/config'),
    (lambda root: open(root + '/core/new.php', 'w').close(), 'core'),
    (lambda root: os.unlink(root + '/desktop/custom/custom.css'), 'desktop/custom'),
    (lambda root: os.chmod(root + '/core/config/version', 0o600), 'core/config'),
    (lambda root: os.symlink('/etc', root + '/data/link'), 'data'),
    (lambda root: os.mkdir(root + '/data/empty'), 'data/empty')])
def test_every_change_of_a_file_shows_in_its_folder(home, change, where):
    os.chmod(home.path('core/config/version'), 0o644)
    before = folders(home)
    change(home.web_root)
    assert where in differing(before, folders(home))
