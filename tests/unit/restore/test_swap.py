# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exchange of two trees may be cut after any rename, and ends whole in either direction."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import swap, tree

KEPT = ['backup', 'plugins/camera/records']


class Cut(Exception):
    """The process is gone."""


def write(*parts):
    path = os.path.join(*parts[:-1])
    if not os.path.isdir(os.path.dirname(path)):
        os.makedirs(os.path.dirname(path))
    with open(path, 'w') as stream:
        stream.write(parts[-1])


class Box:
    """Two trees, and a record of how far the exchange got, as state.json has it."""

    def __init__(self, base):
        self.live, self.new, self.old = (os.path.join(base, name) for name in ('live', 'new', 'old'))
        os.mkdir(self.old)
        for root, content in ((self.live, 'V4'), (self.new, 'V3')):
            for name in ('core/version', 'core/php/a.php', 'index.php', 'plugins/camera/info.json', 'plugins/virtual/x'):
                write(root, name, content)
        write(self.live, 'only-v4/file', 'V4')
        write(self.new, 'only-v3', 'V3')
        write(self.live, 'backup/precious', 'kept')
        write(self.live, 'plugins/camera/records/film', 'kept')
        self.steps = swap.plan(self.live, self.new, KEPT)
        self.out = False

    def all_out(self):
        self.out = True

    def forward(self):
        swap.forward(self.live, self.new, self.old, self.steps, self.out, self.all_out)

    def backward(self):
        swap.backward(self.live, self.new, self.old, self.steps, self.out, self.all_back)

    def all_back(self):
        self.out = False

    def content(self):
        return dict((name, open(os.path.join(self.live, name)).read()) for name, info in tree.walk(self.live)
                    if os.path.isfile(os.path.join(self.live, name)))


@pytest.fixture
def box(tmp_path):
    return Box(str(tmp_path))


def is_v3(content):
    assert content.pop('backup/precious') == content.pop('plugins/camera/records/film') == 'kept'
    return set(content.values()) == {'V3'} and 'only-v3' in content and len(content) == 6


def is_v4(content):
    assert content.pop('backup/precious') == content.pop('plugins/camera/records/film') == 'kept'
    return set(content.values()) == {'V4'} and 'only-v4/file' in content and len(content) == 6


def count_renames(box, monkeypatch, limit=None, exdev=()):
    """Replace os.rename by one that dies at call number limit, before or after doing its work."""
    real, calls = os.rename, []

    def rename(source, target):
        if limit is not None and len(calls) == limit[0] and limit[1] == 'before':
            raise Cut
        if os.path.isdir(source) and os.path.basename(source) in exdev:
            raise OSError(errno.EXDEV, 'lower layer')
        real(source, target)
        calls.append(source)
        if limit is not None and len(calls) == limit[0] + 1 and limit[1] == 'after':
            raise Cut

    monkeypatch.setattr(os, 'rename', rename)
    return calls


@pytest.mark.parametrize('exdev', [(), ('core', 'plugins', 'virtual')])
def test_every_cut_can_be_finished_or_undone(tmp_path, monkeypatch, exdev):
    os.mkdir(str(tmp_path / 'probe'))
    probe = Box(str(tmp_path / 'probe'))
    with monkeypatch.context() as patch:
        calls = count_renames(probe, patch, exdev=exdev)
        probe.forward()
    assert is_v3(probe.content())
    assert len(calls) >= 10
    for number in range(len(calls)):
        for when in ('before', 'after'):
            for end in ('forward', 'backward'):
                base = tmp_path / ('%d%s%s' % (number, when, end))
                os.mkdir(str(base))
                box = Box(str(base))
                with monkeypatch.context() as patch:
                    count_renames(box, patch, (number, when), exdev)
                    with pytest.raises(Cut):
                        box.forward()
                with monkeypatch.context() as patch:
                    count_renames(box, patch, None, exdev)
                    getattr(box, end)()
                assert (is_v3 if end == 'forward' else is_v4)(box.content()), (number, when, end)


def test_undoing_may_be_cut_and_done_again(tmp_path, monkeypatch):
    probe = Box(str(tmp_path))
    probe.forward()
    with monkeypatch.context() as patch:
        calls = count_renames(probe, patch)
        probe.backward()
    for number in range(len(calls)):
        for when in ('before', 'after'):
            base = tmp_path / ('%d%s' % (number, when))
            os.mkdir(str(base))
            box = Box(str(base))
            box.forward()
            with monkeypatch.context() as patch:
                count_renames(box, patch, (number, when))
                with pytest.raises(Cut):
                    box.backward()
            box.backward()
            box.backward()
            assert is_v4(box.content()), (number, when)


@pytest.mark.parametrize('kind', ['file', 'link'])
@pytest.mark.parametrize('cut', [False, True])
def test_what_no_rename_moves_is_carried_whole(tmp_path, monkeypatch, kind, cut):
    """A single file that comes from a lower layer of an overlay; a copy that was cut before is not taken for it."""
    source, target = str(tmp_path / 'source'), str(tmp_path / 'target')
    write(source, 'a', 'content')
    if kind == 'link':
        os.rename(os.path.join(source, 'a'), os.path.join(source, 'b'))
        os.symlink('b', os.path.join(source, 'a'))
    else:
        os.chmod(os.path.join(source, 'a'), 0o640)
        os.utime(os.path.join(source, 'a'), (1000, 2000))
    os.mkdir(target)
    goal = os.path.join(target, 'a')
    if cut:
        write(goal + '.jeedom-fleet-part', 'cont')
    owners, real = [], os.rename

    def rename(one, other):
        if os.path.dirname(one) != os.path.dirname(other):
            raise OSError(errno.EXDEV, 'lower layer')
        assert os.path.lexists(os.path.join(source, 'a')), 'the old goes last'
        real(one, other)

    monkeypatch.setattr(os, 'rename', rename)
    monkeypatch.setattr(os, 'lchown', lambda path, uid, gid: owners.append((uid, gid)))
    swap.move(source, target, 'a')
    assert os.listdir(target) == ['a'] and 'a' not in os.listdir(source) and owners == [(os.getuid(), os.getgid())]
    if kind == 'link':
        assert os.readlink(goal) == 'b'
    else:
        info = os.stat(goal)
        assert open(goal).read() == 'content' and info.st_mode & 0o7777 == 0o640 and info.st_mtime == 2000
    swap.move(source, target, 'a')


def test_a_folder_that_no_rename_moves_is_closed_until_all_is_in_it_and_then_as_it_was(tmp_path, monkeypatch):
    source, target = str(tmp_path / 'source'), str(tmp_path / 'target')
    write(source, 'd/a', 'content')
    os.chmod(os.path.join(source, 'd'), 0o751)
    os.utime(os.path.join(source, 'd'), (1000, 2000))
    modes, real = [], os.rename

    def rename(one, other):
        if os.path.isdir(one):
            raise OSError(errno.EXDEV, 'lower layer')
        modes.append(os.stat(os.path.dirname(other)).st_mode & 0o7777)
        real(one, other)

    monkeypatch.setattr(os, 'rename', rename)
    swap.move(source, target, 'd')
    info = os.stat(os.path.join(target, 'd'))
    assert modes == [0o700] and info.st_mode & 0o7777 == 0o751 and info.st_mtime == 2000 and os.listdir(source) == []


def test_any_other_error_of_a_rename_is_one(tmp_path, monkeypatch):
    write(str(tmp_path), 'source/a', 'content')

    def rename(one, other):
        raise OSError(errno.EACCES, 'no')

    monkeypatch.setattr(os, 'rename', rename)
    with pytest.raises(OSError):
        swap.move(str(tmp_path / 'source'), str(tmp_path / 'target'), 'a')
    assert (tmp_path / 'source/a').exists() and not (tmp_path / 'target/a').exists()


def test_the_trees_stand_on_the_file_system_of_the_web_root(tmp_path, monkeypatch):
    root = tmp_path / 'html'
    root.mkdir()
    os.symlink(str(root), str(tmp_path / 'www'))
    beside = str(tmp_path / '.jeedom-fleet-html')
    assert swap.work_folder(str(root)) == swap.work_folder(str(tmp_path / 'www')) == beside
    real = os.lstat

    class Other(object):
        st_dev, st_mode = -1, real(str(root)).st_mode

    monkeypatch.setattr(os, 'lstat', lambda path: Other if path == str(root) else real(path))
    assert swap.work_folder(str(root)) == str(root / '.jeedom-fleet'), 'a disk of its own'


def test_undone_and_done_again_is_done(box):
    box.forward()
    box.forward()
    assert is_v3(box.content())
    box.backward()
    box.backward()
    assert is_v4(box.content())


def test_a_web_root_that_is_gone_is_filled(tmp_path):
    box = Box(str(tmp_path))
    from ansible_collections.jeedom.fleet.plugins.module_utils import tree_extract
    tree_extract.remove(box.live)
    os.mkdir(box.live)
    box.steps = swap.plan(box.live, box.new, KEPT)
    box.forward()
    assert set(box.content().values()) == {'V3'}


def test_a_folder_that_stays_gets_the_mode_of_the_new_one_and_back(box):
    os.chmod(os.path.join(box.live, 'plugins'), 0o700)
    os.chmod(os.path.join(box.new, 'plugins'), 0o775)
    box.steps = swap.plan(box.live, box.new, KEPT)
    box.forward()
    assert os.stat(os.path.join(box.live, 'plugins')).st_mode & 0o777 == 0o775
    box.backward()
    assert os.stat(os.path.join(box.live, 'plugins')).st_mode & 0o777 == 0o700
