# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pin of a core zip: what it holds, whatever its bytes are (knowledge/README.md)."""

import hashlib
import zipfile

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip

from .fakes import make_zip


def pin_of(files):
    """The digest as knowledge/README.md states it, of {path: content}."""
    lines = [path.encode() + b'\0' + str(len(content)).encode() + b'\0' + hashlib.sha256(content).hexdigest().encode() + b'\n'
             for path, content in files.items()]
    return hashlib.sha256(b''.join(sorted(lines))).hexdigest()


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / 'core.zip'
    make_zip(path)
    return path


@pytest.fixture
def pinned(tmp_path):
    """pinned(change): whether a zip passes with the pin of the genuine one; change(names: {path: content}, archive) before it is packed."""
    genuine = {name: content.encode() for name, content in make_zip(tmp_path / 'genuine.zip').items()}

    def passes(change=lambda files, archive: None, top='core-4.1.28', method=zipfile.ZIP_DEFLATED):
        path, files = tmp_path / 'other.zip', dict(genuine)
        with zipfile.ZipFile(path, 'w', method) as archive:
            change(files, archive)
            for name, content in files.items():
                archive.writestr(f'{top}/{name}', content)
        try:
            ReleaseZip(str(path)).check('4.1.28', content_sha256=pin_of(genuine))
        except BoxError as error:
            assert error.code == 'zip_content', error.msg
            return False
        return True
    return passes


def test_the_digest_is_the_one_that_is_documented(tmp_path):
    files = make_zip(tmp_path / 'x.zip', extra={'docs/fr/é.md': 'texte', 'a/b': 'x', 'a.b': 'y'})
    assert ReleaseZip(str(tmp_path / 'x.zip')).content_sha256() == pin_of({name: content.encode() for name, content in files.items()})


def test_another_packing_of_the_same_content_passes(pinned):
    def turned(files, archive):
        for name in reversed(list(files)):
            files[name] = files.pop(name)
        archive.writestr('core/', '')
        archive.writestr('core/desktop/', '')
    assert pinned() and pinned(turned, 'core', zipfile.ZIP_STORED)


@pytest.mark.parametrize('path', ['core/php/core.inc.php', 'tests/x.php', 'empty.txt'])
def test_a_file_with_other_content_is_refused(pinned, path):
    assert not pinned(lambda files, archive: files.update({path: b'<?php system($_GET["c"]);'}))


@pytest.mark.parametrize('path', ['shell.php', 'docs/shell.php', 'docs/images/shell.gif.php', 'docs/images/x.php.gif', 'docs/images/.htaccess',
                                  'docs/images/a/b.gif', 'x/docs/images/a.gif', 'docs/images/a.gif\n', 'docs/images/a.svg'])
def test_a_file_more_is_refused(pinned, path):
    assert not pinned(lambda files, archive: files.update({path: b'x'}))


def test_a_file_less_is_refused(pinned):
    assert not pinned(lambda files, archive: files.pop('desktop/js/a.js'))


def test_a_file_under_another_name_is_refused(pinned):
    assert not pinned(lambda files, archive: files.update({'desktop/js/b.js': files.pop('desktop/js/a.js')}))


def test_a_second_member_of_a_name_is_refused(pinned):
    # what is unpacked first or last may be another one for each unzip
    with pytest.warns(UserWarning, match='Duplicate name'):
        assert not pinned(lambda files, archive: archive.writestr('core-4.1.28/index.php', '<?php // evil'))


def test_a_link_counts_as_the_file_that_unzip_makes_of_it(pinned):
    def link(files, archive):
        info = zipfile.ZipInfo('core-4.1.28/shell.php')
        info.external_attr = 0o120777 << 16
        archive.writestr(info, '<?php system($_GET["c"]);')
    assert not pinned(link)


def test_pictures_of_the_documentation_do_not_count(pinned):
    assert pinned(lambda files, archive: files.update({'docs/images/search_intro.gif': b'GIF89a'}))


def test_another_content_is_told_with_what_was_found_and_what_is_needed(archive):
    found = ReleaseZip(str(archive)).content_sha256()
    with pytest.raises(BoxError) as caught:
        ReleaseZip(str(archive)).check('4.1.28', content_sha256='a1' * 32)
    assert caught.value.code == 'zip_content'
    assert caught.value.msg == (f'{archive} says that it is core 4.1.28, but its content has the checksum {found[:16]}... and a1a1a1a1a1a1a1a1... is needed: '
                         'get it from a source that you trust, or pin it by content_sha256 in a knowledge overlay where it is meant to differ.')


def test_members_are_read_once(archive, monkeypatch):
    opened, real = [], zipfile.ZipFile.open
    monkeypatch.setattr(zipfile.ZipFile, 'open', lambda self, name, *rest, **more: (
        opened.append(getattr(name, 'filename', name)), real(self, name, *rest, **more))[1])
    ReleaseZip(str(archive)).check('4.1.28', content_sha256=ReleaseZip(str(archive)).content_sha256())
    # once for the digest that the test asks for, once for the check; the version file is three words more
    names = [name for name in opened if not name.endswith('core/config/version')]
    assert all(names.count(name) == 2 for name in names)
