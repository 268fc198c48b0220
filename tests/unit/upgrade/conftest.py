# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A box without a box: a state folder, a web root, and a database in memory."""

from __future__ import annotations

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import engine, installation, system
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip

from .fakes import FakeDatabase, make_zip


@pytest.fixture(autouse=True)
def state_dir(tmp_path, monkeypatch):
    """Where a box keeps what is ours."""
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path / 'state'))
    monkeypatch.setattr(system, 'require_root', lambda: None)
    monkeypatch.setattr(engine, 'CRONTABS', (str(tmp_path / 'crontab'), str(tmp_path / 'crontabs')))
    return tmp_path / 'state'


@pytest.fixture
def web_root(tmp_path):
    """A web root with a version and defaults."""
    root = tmp_path / 'web'
    (root / 'core/config').mkdir(parents=True)
    (root / 'core/config/version').write_text('3.3.60\n')
    (root / 'core/config/default.config.ini').write_text(
        '; comment\n[core]\nupdate::allowCore = 1\nignoreHourCheck = 0\nmarket::enable=1\n'
        'core::repo::provider = "default"\ncore::branch = master\nlanguage = fr_FR\n[other]\nupdate::allowCore = 7\n')
    return root


@pytest.fixture
def box(web_root, monkeypatch):
    """An installation whose database is a FakeDatabase, box.fake."""
    fake = FakeDatabase()
    monkeypatch.setattr(installation.Installation, 'database', lambda self: fake)
    found = installation.Installation(str(web_root))
    found.fake = fake
    return found


@pytest.fixture
def archive(tmp_path):
    """The release that a hop brings."""
    path = tmp_path / 'core.zip'
    make_zip(path)
    return ReleaseZip(str(path))
