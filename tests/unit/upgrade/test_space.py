# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room for a hop: every file system has what it gets, or nothing begins."""

from types import SimpleNamespace

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import core_space
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


class Sizes:
    def query(self, sql, *dummy):
        return [['/var/lib/mysql', str(50 << 20)]]


def room(archive, tmp_path, free, device):
    core_space.check(archive, str(tmp_path), '/tmp/jeedom', Sizes(), free=lambda path: free, device=device)


def test_paths_on_one_file_system_are_added_up(archive, tmp_path):
    need = core_space.needs(archive, str(tmp_path), '/tmp/jeedom', Sizes())
    total = sum(size for size, dummy in need.values()) + core_space.MARGIN
    room(archive, tmp_path, (total, 10000), lambda path: 1)
    with pytest.raises(BoxError) as caught:
        room(archive, tmp_path, (total - 1, 10000), lambda path: 1)
    assert caught.value.code == 'no_room' and '/tmp' in caught.value.msg


def test_inodes_are_asked_for_too(archive, tmp_path):
    with pytest.raises(BoxError) as caught:
        room(archive, tmp_path, (1 << 40, 3), lambda path: path)
    assert caught.value.code == 'no_inodes'
    room(archive, tmp_path, (1 << 40, None), lambda path: path)


def test_each_place_gets_what_is_written_there(archive, tmp_path):
    files = len(archive.files)
    unpacked = archive.unpacked + 2048 * files
    wanted = {'/tmp/jeedom': (archive.size, 1), '/tmp': (unpacked, int(files * 1.15)), str(tmp_path / 'web'): (unpacked, files)}

    def needs(*row):
        return core_space.needs(archive, str(tmp_path / 'web'), '/tmp/jeedom', SimpleNamespace(query=lambda sql: [row]))

    def away(sql):
        raise BoxError('no', 'database_error')

    assert core_space.needs(archive, str(tmp_path / 'web'), '/tmp/jeedom', SimpleNamespace(query=away)) == wanted
    assert needs(None, None) == wanted and needs(str(tmp_path / 'elsewhere'), '7') == wanted, 'the data are on another machine'
    assert needs(str(tmp_path) + '/', '1048576.0') == dict(wanted, **{str(tmp_path): (1 << 20, 8)})
    assert needs(str(tmp_path), None) == dict(wanted, **{str(tmp_path): (0, 8)})


def test_a_file_system_without_room_is_told_with_what_is_there_and_what_is_needed(archive, tmp_path, monkeypatch):
    need = {'/b': (3 << 20, 4), '/a': (2 << 20, 3), '/c': (1 << 20, 9)}
    monkeypatch.setattr(core_space, 'needs', lambda *dummy: need)
    asked = []

    def check(free):
        core_space.check(archive, '/b', '/a', None, free=lambda path: asked.append(path) or free, device=lambda path: path == '/c')

    check((37 << 20, 9))
    assert asked == ['/b', '/c'], 'one look at each'
    with pytest.raises(BoxError) as caught:
        check((36 << 20, 9))
    assert caught.value.msg == 'The file system of /a and /b has 36 MB free, but this hop needs 37 MB there: make room and run again.'
    assert caught.value.details == {'needed': 37 << 20, 'free': 36 << 20}
    with pytest.raises(BoxError) as caught:
        check((1 << 40, 8))
    assert caught.value.msg == 'The file system of /c has 8 inodes free, but this hop needs 9: remove small files there and run again.'
    assert caught.value.code == 'no_inodes' and caught.value.details == {'needed': 9, 'free': 8}


def test_a_folder_that_is_not_there_yet_will_be_on_the_file_system_of_the_next_one_up(tmp_path):
    assert core_space._device(str(tmp_path / 'not' / 'there')) == core_space._device(str(tmp_path)) == tmp_path.stat().st_dev


def test_what_an_earlier_updater_left_goes_and_a_link_leads_nowhere(tmp_path, monkeypatch):
    left = tmp_path / 'jeedom_unzip'
    monkeypatch.setattr(core_space, 'UNZIP_DIR', str(left))
    lines = []
    context = SimpleNamespace(log=lines.append)
    core_space.clean(context)
    (tmp_path / 'precious').mkdir()
    (tmp_path / 'precious/film').write_text('x')
    left.symlink_to(tmp_path / 'precious')
    core_space.clean(context)
    assert not left.is_symlink() and (tmp_path / 'precious/film').exists() and lines == []
    (left / 'core').mkdir(parents=True)
    core_space.clean(context)
    assert not left.exists() and len(lines) == 1 and str(left) in lines[0]
    left.mkdir()
    core_space.clean()
    assert not left.exists()
