# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second archive has what the first leaves out, whole or not at all."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import socket

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import complement
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


def test_the_complement_is_what_the_archive_lacks(tmp_path):
    web = tmp_path / 'html'
    for name in ('core/a.php', 'vendor/psr/log/x.php', 'log/http.error', 'log/.htaccess', 'backup/b.tar.gz', 'backup/.htaccess',
                 'plugins/p/data/log/kept', 'core/config/common.config.php', 'DB_backup.sql'):
        path = web / name
        if not path.parent.is_dir():
            os.makedirs(str(path.parent))
        path.write_bytes(b'x')
    archived = {'core', 'core/a.php', 'core/config', 'vendor', 'vendor/psr', 'plugins', 'plugins/p', 'plugins/p/data'}
    names = complement.missing(str(web), str(web / 'backup'), archived)
    assert names == ['backup', 'backup/.htaccess', 'core/config/common.config.php', 'log', 'log/.htaccess', 'plugins/p/data/log',
                     'plugins/p/data/log/kept', 'vendor/psr/log', 'vendor/psr/log/x.php']
    written = complement.write(str(tmp_path / 'c.tar.gz'), str(web), names)
    assert written['members'] == len(names)
    assert os.stat(str(tmp_path / 'c.tar.gz')).st_mode & 0o077 == 0


def test_a_socket_of_a_plugin_stands_in_no_ones_way(tmp_path, monkeypatch):
    # a path from where it is short: the kernel takes 107 bytes
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data').mkdir()
    (tmp_path / 'data' / 'kept').write_bytes(b'x')
    listening = socket.socket(socket.AF_UNIX)
    listening.bind('data/daemon.sock')
    names = complement.missing(str(tmp_path), str(tmp_path / 'backup'), set())
    listening.close()
    assert 'data/daemon.sock' in names
    assert complement.write(str(tmp_path / 'c.tar.gz'), str(tmp_path), names)['members'] == len(names) - 1


@pytest.mark.parametrize('left', [0, 20, 0.5, 0.9])
def test_a_complement_that_the_disk_did_not_keep_is_no_complement(tmp_path, monkeypatch, left):
    web = tmp_path / 'web'
    web.mkdir()
    # empty files: a cut falls into a header, which tarfile takes for the end
    names = ['log%04d' % number for number in range(500)]
    for name in names:
        (web / name).write_bytes(b'')
    path = str(tmp_path / 'c.tar.gz')
    assert complement.write(path, str(web), names)['members'] == 500
    monkeypatch.setattr(complement.os, 'fsync', lambda number: os.ftruncate(number, int(left if left > 1 else left * os.fstat(number).st_size)))
    with pytest.raises(BoxError) as caught:
        complement.write(path, str(web), names)
    assert caught.value.code == 'complement_broken' and path in caught.value.msg
