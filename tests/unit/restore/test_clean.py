# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a core leaves behind goes; what is not Jeedom's stays."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import pwd

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import restore_clean

ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setattr(restore_clean, 'LEFTOVERS', (str(tmp_path / 'unzip'), str(tmp_path / 'secret.php')))
    (tmp_path / 'unzip' / 'core').mkdir(parents=True)
    (tmp_path / 'secret.php').write_text(u'x')
    (tmp_path / 'jeedom' / 'cache').mkdir(parents=True)
    (tmp_path / 'jeedom' / 'cache' / 'of-v4').write_text(u'x')
    (tmp_path / 'jeedom' / 'started').write_text(u'x')
    (tmp_path / 'kept').mkdir()
    (tmp_path / 'kept' / 'of-v3').write_text(u'x')
    return tmp_path


def test_leftovers_go_and_the_cache_comes_back(places):
    restore_clean.leftovers(str(places / 'jeedom'), str(places / 'kept'), ME)
    assert sorted(os.listdir(str(places))) == ['jeedom', 'kept']
    assert os.listdir(str(places / 'jeedom')) == ['cache'] and os.listdir(str(places / 'jeedom' / 'cache')) == ['of-v3']
    restore_clean.leftovers(str(places / 'jeedom'), str(places / 'kept'), ME)
    assert os.listdir(str(places / 'jeedom' / 'cache')) == ['of-v3']


def test_a_temporary_folder_that_others_use_keeps_what_is_not_jeedoms(places, monkeypatch):
    monkeypatch.setattr(restore_clean, 'SHARED', (str(places / 'jeedom'),))
    (places / 'jeedom' / 'of-somebody').write_text(u'x')
    restore_clean.leftovers(str(places / 'jeedom'), None, ME)
    assert os.listdir(str(places / 'jeedom')) == ['of-somebody']


def test_a_link_in_place_of_the_temporary_folder_is_not_followed(places):
    os.rename(str(places / 'jeedom'), str(places / 'precious'))
    os.symlink(str(places / 'precious'), str(places / 'jeedom'))
    restore_clean.leftovers(str(places / 'jeedom'), str(places / 'kept'), ME)
    assert sorted(os.listdir(str(places / 'precious'))) == ['cache', 'started']
    assert os.listdir(str(places / 'precious' / 'cache')) == ['of-v4']


def test_a_backup_folder_that_is_gone_is_made_and_closed_to_the_web(tmp_path):
    assert restore_clean.missing_folders(str(tmp_path), ['backup'], ME) == ['backup']
    assert 'denied' in (tmp_path / 'backup' / '.htaccess').read_text()
    assert restore_clean.missing_folders(str(tmp_path), ['backup'], ME) == []
