# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Core zips on the controller: downloaded once and as patiently as a box does, used where they are, sent within the limit."""

from __future__ import annotations

import io
import os
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.jeedom.fleet.plugins.action import backup_push, core_stage
from ansible_collections.jeedom.fleet.plugins.module_utils import core_zips
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts
from tests.unit.upgrade.fakes import make_zip

ROLES = Path(__file__).resolve().parents[3] / 'roles'
HOP = {'version': '4.1.28', 'ref': '4.1.28', 'file_version': '4.1.28', 'sha256': None}


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """local(): the zip of the hop on the controller; stage.failures: errors of the next downloads, stage.tried: how many there were."""
    make_zip(tmp_path / 'site.zip')
    action = object.__new__(core_stage.ActionModule)
    action._display = SimpleNamespace(vv=lambda line: None)
    action.failures, action.tried, action.pauses = [], 0, []
    action.folder, action.hop = tmp_path / 'core', HOP

    def download(url, path, limits, context):
        action.tried += 1
        if action.failures:
            raise action.failures.pop(0)
        shutil.copy(tmp_path / 'site.zip', path)

    monkeypatch.setattr(core_zips, 'download', download)
    monkeypatch.setattr(core_zips, 'time', SimpleNamespace(sleep=action.pauses.append, time=time.time))
    action.local = lambda source='https://site/{ref}': action._local(
        action.folder, action.hop, {'source_url': source, 'download_stall': 5, 'download_timeout': 30})
    return action


def broken_off():
    return BoxError('It broke off.', 'download_failed')


def test_a_zip_is_downloaded_once_for_all_boxes(stage):
    assert stage.local() == stage.local() == stage.folder / 'core-4.1.28.zip'
    assert stage.tried == 1 and not list(stage.folder.glob('*.part'))


def test_a_download_that_breaks_off_is_tried_again_as_on_a_box(stage):
    stage.failures = [broken_off(), broken_off()]
    assert stage.local().exists()
    assert stage.tried == core_zips.ATTEMPTS == 3 and stage.pauses == [2, 4]


def test_a_download_that_cannot_succeed_ends_with_the_words_of_the_box(stage):
    stage.failures = [BoxError('The download site answered 404.', 'download_refused')]
    with pytest.raises(BoxError, match='answered 404') as caught:
        stage.local()
    assert caught.value.code == 'download_refused' and stage.tried == 1 and not stage.pauses


def test_who_waited_for_a_download_that_failed_takes_its_failure(stage, monkeypatch):
    now = time.time()
    stage.failures = [BoxError('The download site answered 404.', 'download_refused')]
    with pytest.raises(BoxError):
        stage.local()
    # another box, which began to wait before that failure
    monkeypatch.setattr(core_stage.time, 'time', lambda: now)
    with pytest.raises(BoxError, match='answered 404') as caught:
        stage.local()
    assert caught.value.code == 'download_refused' and stage.tried == 1
    assert stage.local('https://mirror/{ref}').exists(), 'the failure of another address is not its own'


def test_the_next_run_tries_again_what_failed(stage):
    stage.failures = [BoxError('The download site answered 404.', 'download_refused')]
    with pytest.raises(BoxError):
        stage.local()
    assert stage.local().exists() and stage.tried == 2


def test_the_rest_of_a_note_that_was_cut_off_is_no_failure(stage):
    stage.folder.mkdir()
    (stage.folder / '.core-4.1.28.lock').write_text('[17', encoding='ascii')
    assert stage.local().exists()


def refuses(*dummy, **dummies):
    raise PermissionError(13, 'Permission denied')


def test_a_good_zip_in_a_folder_that_is_only_for_reading_is_used(stage, monkeypatch):
    stage.folder.mkdir()
    make_zip(stage.folder / 'core-4.1.28.zip')
    monkeypatch.setattr(Path, 'open', refuses)
    monkeypatch.setattr(Path, 'mkdir', refuses)
    assert stage.local() == stage.folder / 'core-4.1.28.zip' and stage.tried == 0
    assert os.listdir(stage.folder) == ['core-4.1.28.zip']


def test_a_zip_of_another_version_in_the_folder_is_refused_and_stays(stage):
    stage.folder.mkdir()
    make_zip(stage.folder / 'core-4.1.28.zip', version='4.1.27')
    with pytest.raises(BoxError) as caught:
        stage.local()
    assert caught.value.code == 'zip_version' and stage.tried == 0 and (stage.folder / 'core-4.1.28.zip').exists()


def test_what_somebody_tampered_with_goes_to_no_box(stage):
    stage.hop = dict(HOP, content_sha256='a' * 64)
    with pytest.raises(BoxError) as caught:
        stage.local()
    assert caught.value.code == 'zip_content' and stage.tried == 1 and not list(stage.folder.glob('*.zip*'))
    make_zip(stage.folder / 'core-4.1.28.zip')
    with pytest.raises(BoxError) as caught:
        stage.local()
    assert caught.value.code == 'zip_content' and stage.tried == 1


@pytest.mark.parametrize('pin, told', [(None, '; no checksum is known of core 4.1.28: that zip'), ('right', '.')])
def test_the_result_tells_of_a_zip_that_nobody_has_pinned(stage, pin, told):
    stage.folder.mkdir()
    make_zip(stage.folder / 'core-4.1.28.zip')
    hop = dict(HOP, content_sha256=pin and ReleaseZip(str(stage.folder / 'core-4.1.28.zip')).content_sha256())
    stage._task, stage.task_vars = SimpleNamespace(check_mode=False), {'inventory_hostname': 'box1'}
    stage.interpreter, stage.reset, stage.patience, stage._one = dict, None, lambda default: 1, lambda *rest: True
    result = stage._stage({'route': [hop], 'folder': str(stage.folder), 'rate': None})
    assert result['changed'] and result['msg'].startswith('1 core zips stand on box1' + told)


@pytest.mark.parametrize('what', ['open', 'mkdir'])
def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(stage, monkeypatch, what):
    monkeypatch.setattr(Path, what, refuses)
    with pytest.raises(artifacts.ArtifactError) as caught:
        stage.local()
    assert caught.value.code == 'artifacts_not_writable'
    assert str(caught.value).startswith(f'core-4.1.28.zip is not in {stage.folder} on the controller and cannot be brought there (Permission denied): put it ')


# -- the controller's line

@pytest.fixture
def link(monkeypatch):
    """send(size, rate): [(bytes, second at which they went)] over a link that takes no time."""
    clock = [100.0]
    monkeypatch.setattr(backup_push, 'time', SimpleNamespace(
        monotonic=lambda: clock[0], sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds)))
    action = object.__new__(backup_push.ActionModule)
    action._task, action.task_vars = SimpleNamespace(check_mode=False), {'inventory_hostname': 'box1'}
    went, there = [], [0]

    def must(command, data=None):
        if data is not None:
            went.append((len(data), clock[0] - 100))
            there[0] += len(data)
            return str(there[0])
        if command.startswith('umask 077; mkdir'):
            return '\n0'
        return 'hash  -'

    action._must = must

    def send(size, rate):
        action._send(io.BytesIO(bytes(size)), 'core.zip', size, 'hash', '/staging', rate)
        return went, clock[0] - 100
    return send


def test_what_goes_to_a_box_keeps_to_the_limit(link):
    went, seconds = link(10_000_000, 1_000_000)
    assert 9.9 < seconds < 10.1
    assert max(size for size, _at in went) <= 2_000_000, 'more at once than the limit lets through in two seconds'
    sent = 0
    for size, at in went:
        assert sent <= at * 1_000_000 + 1
        sent += size


def test_a_slow_limit_does_not_make_a_command_of_every_few_bytes(link):
    went, _seconds = link(200_000, 1000)
    assert len(went) == 4


@pytest.mark.parametrize('rate', [None, 0])
def test_without_a_limit_blocks_are_as_large_as_ever(link, rate):
    went, seconds = link(20_000_000, rate)
    assert seconds == 0 and went[0][0] == backup_push.BLOCK


@pytest.mark.parametrize('file, module', [('main.yml', 'core_stage'), ('away.yml', 'backup_fetch')])
def test_what_prepare_brings_over_the_line_has_the_limits_of_a_fetch(file, module):
    fetch = yaml.safe_load((ROLES / 'fetch/tasks/main.yml').read_text(encoding='utf-8'))[0]['block'][0]
    tasks = yaml.safe_load((ROLES / 'prepare/tasks' / file).read_text(encoding='utf-8'))
    task = next(task for task in tasks if f'jeedom.fleet.{module}' in task)
    assert task['throttle'] == fetch['throttle'] == '{{ jeedom_fetch_throttle }}'
    assert task[f'jeedom.fleet.{module}']['rate'] == fetch['jeedom.fleet.backup_fetch']['rate']
    defaults = {role: yaml.safe_load((ROLES / role / 'defaults/main.yml').read_text(encoding='utf-8')) for role in ('fetch', 'prepare')}
    for name in ('jeedom_fetch_rate', 'jeedom_fetch_throttle'):
        assert defaults['prepare'][name] == defaults['fetch'][name]
