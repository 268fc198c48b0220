# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of a tree is exact, proved, and comes back exactly; a hostile archive stays inside its folder."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import tarfile

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import tree, tree_extract
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


def write(path, content=b'x', mode=0o644):
    path = str(path)
    if not os.path.isdir(os.path.dirname(path)):
        os.makedirs(path and os.path.dirname(path))
    with open(path, 'wb') as stream:
        stream.write(content)
    os.chmod(path, mode)


@pytest.fixture
def web(tmp_path):
    root = tmp_path / 'html'
    write(root / 'core' / 'config' / 'version', b'3.3.60\n')
    write(root / 'core' / 'a b%c', b'space', 0o640)
    write(root / 'data' / 'secret', b'k' * 70000, 0o600)
    write(root / 'backup' / 'old.tar.gz', b'big')
    os.link(str(root / 'data' / 'secret'), str(root / 'data' / 'same'))
    os.symlink('../core', str(root / 'data' / 'link'))
    os.mkdir(str(root / 'empty'), 0o750)
    with open(os.path.join(os.fsencode(str(root)) if hasattr(os, 'fsencode') else str(root), b'caf\xe9'), 'wb') as stream:
        stream.write(b'latin')
    os.chmod(str(root), 0o755)
    return str(root)


def test_what_is_copied_is_as_it_was(web, tmp_path):
    target, listing = str(tmp_path / 'copy'), str(tmp_path / 'tree.list')
    entries = tree.copy(web, target, skip=('backup',))
    assert tree.load_listing(listing, tree.save_listing(listing, entries)) == entries
    assert tree.differences(target, entries, contents=True) == []
    assert tree.differences(web, entries, skip=('backup',), contents=True) == []
    assert not os.path.exists(os.path.join(target, 'backup'))
    assert os.stat(os.path.join(target, 'data/same')).st_ino == os.stat(os.path.join(target, 'data/secret')).st_ino
    assert os.stat(os.path.join(target, 'data/same')).st_ino != os.stat(os.path.join(web, 'data/same')).st_ino
    assert os.readlink(os.path.join(target, 'data/link')) == '../core'
    assert int(os.stat(os.path.join(target, 'data')).st_mtime) == int(os.stat(os.path.join(web, 'data')).st_mtime)


def test_an_archive_comes_back_as_it_was(web, tmp_path):
    entries = tree.copy(web, str(tmp_path / 'copy'))
    for mode in ('w', 'w:gz'):
        path, target = str(tmp_path / 'a.tar'), str(tmp_path / ('new' + mode[1:]))
        with tarfile.open(path, mode) as archive:
            # in order, as tar and newer Pythons do: which name of a hard link comes first is part of the listing
            for name in sorted(entry.name for entry in entries):
                archive.add(os.path.join(web, name), name, recursive=False)
        assert sorted(tree_extract.Extraction(target).add(path).finish()) == sorted(entries)
        assert tree.differences(target, entries, contents=True) == []


def test_differences_are_named(web, tmp_path):
    entries = tree.copy(web, str(tmp_path / 't'), skip=('backup',))
    write(os.path.join(web, 'core/config/version'), b'4.0.62\n')
    write(os.path.join(web, 'core/new'))
    os.chmod(os.path.join(web, 'empty'), 0o700)
    os.unlink(os.path.join(web, 'data/link'))
    assert sorted(tree.differences(web, entries, skip=('backup',), contents=True)) == [
        'core/config/version: another content', 'core/new: not there before', 'data/link: missing',
        'empty: mode 700 instead of 750']


def test_owners_and_modes_can_be_given_again(web, tmp_path):
    entries = tree.copy(web, str(tmp_path / 't'))
    os.chmod(os.path.join(str(tmp_path / 't'), 'data'), 0o777)
    os.chmod(os.path.join(str(tmp_path / 't'), 'data/secret'), 0o777)
    tree.dress(str(tmp_path / 't'), entries)
    assert tree.differences(str(tmp_path / 't'), entries) == []


def test_an_archive_that_is_cut_anywhere_is_told(web, tmp_path):
    path = str(tmp_path / 'a.tar.gz')
    with tarfile.open(path, 'w:gz') as archive:
        archive.add(web, '.')
    with open(path, 'rb') as stream:
        whole = stream.read()
    tree_extract.Extraction(str(tmp_path / 'whole')).add(path)
    for length in sorted(set(range(1, len(whole), 41)) | {len(whole) - 1, len(whole) - 8, len(whole) - 9}):
        with open(path, 'wb') as stream:
            stream.write(whole[:length])
        with pytest.raises(BoxError) as caught:
            tree_extract.Extraction(str(tmp_path / ('new%d' % length))).add(path)
        assert caught.value.code == 'archive_damaged', length


def test_a_file_that_changes_meanwhile_is_named(web, tmp_path, monkeypatch):
    path = os.path.join(web, 'core/a b%c')
    real = tree._kind

    def kind(mode):
        with open(path, 'ab') as stream:
            stream.write(b'more')
        return real(mode)

    monkeypatch.setattr(tree, '_kind', kind)
    with pytest.raises(BoxError) as caught:
        tree.copy(web, str(tmp_path / 't'))
    assert caught.value.code == 'tree_changed' and caught.value.details['path'] == path


def test_a_damaged_listing_is_refused(web, tmp_path):
    listing = str(tmp_path / 'tree.list')
    digest = tree.save_listing(listing, tree.copy(web, str(tmp_path / 't')))
    write(listing, b'd 755 0 0 0 0 - - .\n')
    with pytest.raises(BoxError) as caught:
        tree.load_listing(listing, digest)
    assert caught.value.code == 'rollback_point_damaged'


def hostile(path, *members):
    with tarfile.open(str(path), 'w') as archive:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = link
            content = b'evil' if kind == tarfile.REGTYPE else b''
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return str(path)


@pytest.mark.parametrize('members', [
    [('../evil', tarfile.REGTYPE, '')],
    [('/tmp/evil', tarfile.REGTYPE, '')],
    [('./out', tarfile.SYMTYPE, '..'), ('./out/evil', tarfile.REGTYPE, '')],
    [('./hard', tarfile.LNKTYPE, '../victim')],
    [('./hard', tarfile.LNKTYPE, '/etc/passwd')],
    [('./f', tarfile.REGTYPE, ''), ('./f', tarfile.DIRTYPE, '')],
])
def test_a_hostile_archive_stays_inside(tmp_path, members):
    write(tmp_path / 'victim', b'as before')
    path = hostile(tmp_path / 'evil.tar', *members)
    with pytest.raises(BoxError) as caught:
        tree_extract.Extraction(str(tmp_path / 'new')).add(path)
    assert caught.value.code == 'archive_hostile'
    assert not os.path.exists(str(tmp_path / 'evil'))


def test_who_refuses_an_archive_names_it_and_the_member(tmp_path):
    path = hostile(tmp_path / 'evil.tar', ('./out', tarfile.SYMTYPE, '..'), ('./out/evil', tarfile.REGTYPE, ''))
    with pytest.raises(BoxError) as caught:
        tree_extract.Extraction(str(tmp_path / 'new')).add(path)
    assert caught.value.msg.startswith('%s has the member out, which would leave its folder' % path)
    path = hostile(tmp_path / 'link.tar', ('./hard', tarfile.LNKTYPE, '../victim'))
    with pytest.raises(BoxError) as caught:
        tree_extract.Extraction(str(tmp_path / 'other')).add(path)
    assert caught.value.msg.startswith('%s has the member hard,' % path)
    path = hostile(tmp_path / 'both.tar', ('./f', tarfile.REGTYPE, ''), ('./f', tarfile.DIRTYPE, ''))
    with pytest.raises(BoxError) as caught:
        tree_extract.Extraction(str(tmp_path / 'both')).add(path)
    assert caught.value.msg.startswith('%s has the member f,' % path)


def test_a_member_that_gives_less_than_it_says_is_cut(tmp_path):
    info = tarfile.TarInfo('data/x')
    info.size = 5
    work = tree_extract.Extraction(str(tmp_path / 'new'))
    with pytest.raises(BoxError) as caught:
        work._member('a.tar', 'data/x', info, io.BytesIO(b'four'))
    assert caught.value.code == 'archive_damaged' and caught.value.msg == 'a.tar is cut inside data/x.'


def test_nobody_looks_into_a_tree_that_is_being_unpacked(tmp_path):
    path = hostile(tmp_path / 'a.tar', ('./sub/one', tarfile.REGTYPE, ''), ('./pipe', tarfile.FIFOTYPE, ''), ('./dir', tarfile.DIRTYPE, ''))
    target, seen = tmp_path / 'new', []
    work = tree_extract.Extraction(str(target), owner=(os.getuid(), os.getgid()))
    work.add(path, progress=seen.append)
    modes = dict((name, os.lstat(str(target / name)).st_mode & 0o7777) for name in ('.', 'sub', 'sub/one', 'dir', 'pipe'))
    assert modes == {'.': 0o700, 'sub': 0o700, 'sub/one': 0o600, 'dir': 0o700, 'pipe': 0o600}
    assert seen == [4, 4, 4], 'bytes of the members so far'


def test_a_folder_is_listed_once_as_it_was_told_last(tmp_path):
    paths = []
    for number, mode in enumerate((0o700, 0o751)):
        paths.append(str(tmp_path / ('%d.tar' % number)))
        with tarfile.open(paths[-1], 'w') as tar:
            # a file may come before its folder
            for name, kind in (('./sub/one', tarfile.REGTYPE), ('./sub', tarfile.DIRTYPE), ('.', tarfile.DIRTYPE), ('.', tarfile.DIRTYPE)):
                info = tarfile.TarInfo(name)
                info.type, info.mode, info.mtime = kind, mode, 1000 + number
                tar.addfile(info)
    target = str(tmp_path / 'new')
    work = tree_extract.Extraction(target, owner=(os.getuid(), os.getgid()))
    entries = work.add(paths[0]).add(paths[1]).finish(tree.Entry('d', 0o775, 0, 0, 0, 0, '', '', '.'))
    assert sorted((entry.name, entry.mode, entry.mtime) for entry in entries) == [('.', 0o751, 1001), ('sub', 0o751, 1001), ('sub/one', 0o751, 1001)]
    assert os.stat(target).st_mode & 0o7777 == os.stat(os.path.join(target, 'sub')).st_mode & 0o7777 == 0o751


def test_an_archive_without_its_top_gets_the_one_that_is_given(tmp_path):
    path = hostile(tmp_path / 'a.tar', ('./one', tarfile.REGTYPE, ''))
    top = tree.Entry('d', 0o775, os.getuid(), os.getgid(), 0, 0, '', '', '.')
    work = tree_extract.Extraction(str(tmp_path / 'new'), owner=(os.getuid(), os.getgid()))
    entries = work.add(path).finish(top)
    assert [entry.name for entry in entries] == ['.', 'one'] and entries[0] == top
    assert os.stat(str(tmp_path / 'new')).st_mode & 0o7777 == 0o775


def test_a_complement_adds_and_the_last_of_two_counts(tmp_path):
    first, second = tmp_path / 'a.tar', tmp_path / 'b.tar'
    hostile(first, ('./one', tarfile.REGTYPE, ''), ('./two', tarfile.REGTYPE, ''))
    hostile(second, ('./sub/three', tarfile.REGTYPE, ''), ('./two', tarfile.REGTYPE, ''))
    target = str(tmp_path / 'new')
    entries = tree_extract.Extraction(target, owner=(os.getuid(), os.getgid())).add(str(first)).add(str(second)).finish()
    assert sorted(entry.name for entry in entries) == ['one', 'sub', 'sub/three', 'two']
    assert os.stat(os.path.join(target, 'sub')).st_mode & 0o777 == 0o755


def test_removing_never_follows_a_link(tmp_path):
    write(tmp_path / 'keep' / 'file')
    os.mkdir(str(tmp_path / 'gone'))
    os.symlink(str(tmp_path / 'keep'), str(tmp_path / 'gone' / 'link'))
    tree_extract.remove(str(tmp_path / 'gone'))
    tree_extract.remove(str(tmp_path / 'gone'))
    assert os.path.exists(str(tmp_path / 'keep' / 'file')) and not os.path.exists(str(tmp_path / 'gone'))
