# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive goes back to its box byte for byte, and takes up again where a link was cut."""

from __future__ import annotations

import hashlib
import json
import subprocess
from types import SimpleNamespace

import pytest

from ansible.errors import AnsibleConnectionFailure

from ansible_collections.jeedom.fleet.plugins.action import backup_push, restore_test
from ansible_collections.jeedom.fleet.plugins.plugin_utils import store, transfer

DATA = bytes(range(256)) * 1000


@pytest.fixture
def push(tmp_path, monkeypatch):
    """The action with a "box" that is a folder here; box.cut counts down the bytes until the link breaks."""
    monkeypatch.setattr(backup_push, 'STAGING', str(tmp_path / 'box'))
    monkeypatch.setattr(backup_push, 'BLOCK', 100_000)
    action = object.__new__(backup_push.ActionModule)
    action.task_vars = {'inventory_hostname': 'box1', 'jeedom_artifacts': str(tmp_path / 'artifacts')}
    action._task = SimpleNamespace(check_mode=False)
    action._templar = None
    action.interpreter = dict
    action.patience = lambda default: 60
    action.reset = lambda: None
    action.setting = lambda name, default: action.task_vars.get(name, default)
    action.sent, action.cut = [], None

    def shell(command, in_data=None):
        if in_data and action.cut is not None:
            if action.cut == 0:
                action.cut = None
                subprocess.run(['sh', '-c', command], input=in_data[:1000], check=True, capture_output=True)
                raise AnsibleConnectionFailure('the link broke')
            action.cut -= 1
        action.sent.append(len(in_data or b''))
        done = subprocess.run(['sh', '-c', command], input=in_data, capture_output=True, check=False)
        return {'rc': done.returncode, 'stdout': done.stdout.decode(), 'stderr': done.stderr.decode()}

    action.shell = shell
    monkeypatch.setattr(backup_push.follow.time, 'sleep', lambda seconds: None)
    folder = tmp_path / 'artifacts' / 'archives' / 'box1'
    folder.mkdir(parents=True)
    (folder / 'backup-a.tar.gz').write_bytes(DATA)
    (folder / 'backup-a.complement.tar.gz').write_bytes(b'second')
    sha256 = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ('backup-a.tar.gz', 'backup-a.complement.tar.gz')}
    (folder / 'backup-a.tar.gz.manifest.json').write_text(json.dumps({
        'sha256': sha256['backup-a.tar.gz'], 'size': len(DATA), 'core_version': '3.3.60', 'proved': True,
        'complement': {'name': 'backup-a.complement.tar.gz', 'size': 6, 'sha256': sha256['backup-a.complement.tar.gz']}}))
    action.folder, action.box = folder, tmp_path / 'box'
    return action


def test_archive_complement_and_manifest_arrive_once(push):
    result = push._push(None)
    assert result['changed'] is True and result['version'] == '3.3.60'
    assert (push.box / 'backup-a.tar.gz').read_bytes() == DATA
    assert sorted(path.name for path in push.box.iterdir()) == sorted(path.name for path in push.folder.iterdir())
    assert (push.box / 'backup-a.tar.gz').stat().st_mode & 0o777 == 0o600
    assert result['archive']['complement'].endswith('/backup-a.complement.tar.gz')
    push.sent.clear()
    assert push._push(None)['changed'] is False and max(push.sent) == 0


def test_a_cut_link_is_taken_up_where_it_broke(push):
    push.cut = 1
    assert push._push(None)['changed'] is True
    assert (push.box / 'backup-a.tar.gz').read_bytes() == DATA
    assert sum(push.sent) - len(b'second') - (push.folder / 'backup-a.tar.gz.manifest.json').stat().st_size == len(DATA) - 1000


def test_a_copy_that_is_not_the_one_of_its_manifest_is_not_sent(push):
    (push.folder / 'backup-a.tar.gz').write_bytes(DATA + b'x')
    with pytest.raises(store.StoreError) as caught:
        push._push(None)
    assert caught.value.code == 'not_proved' and not push.box.exists()


def test_what_the_disk_of_the_box_spoils_is_no_archive_there(push):
    shell = push.shell

    def spoiling(command, in_data=None):
        answer = shell(command, in_data)
        for part in push.box.glob('*.part') if in_data else ():
            part.write_bytes(b'x' * part.stat().st_size)
        return answer

    push.shell = spoiling
    with pytest.raises(transfer.TransferError) as caught:
        push._push(None)
    assert caught.value.code == 'push_hash' and 'backup-a.tar.gz' in str(caught.value) and 'box1' in str(caught.value)
    assert list(push.box.iterdir()) == []


def test_a_box_that_takes_no_file_says_why(push):
    push.box.write_text('in the way')
    with pytest.raises(transfer.TransferError) as caught:
        push._push(None)
    assert caught.value.code == 'push_failed' and 'box1' in str(caught.value) and 'Not a directory' in str(caught.value)


def test_a_disk_that_fills_up_on_the_way_ends_it(push):
    shell = push.shell
    # no file may become larger than this, and who tries is told instead of killed
    push.shell = lambda command, in_data=None: shell(f"trap '' XFSZ; ulimit -f 300; {command}", in_data)
    with pytest.raises(transfer.TransferError) as caught:
        push._push(None)
    assert caught.value.code == 'push_failed' and 'File too large' in str(caught.value) and 'Free space there' in str(caught.value)
    push.shell = shell
    assert push._push(None)['changed'] is True and (push.box / 'backup-a.tar.gz').read_bytes() == DATA


def test_an_archive_is_not_tested_on_the_box_that_it_came_from(push):
    test = object.__new__(restore_test.ActionModule)
    vars(test).update(vars(push))
    test._task = SimpleNamespace(check_mode=True, delegate_to=None)
    refused = test._test({'archive': None, 'here': False})
    assert refused['failed'] and refused['error_code'] == 'same_box' and 'jeedom_restore_test_host' in refused['msg']
    assert test._test({'archive': None, 'here': True})['host'] == 'box1'
    test._task.delegate_to = 'spare'
    assert test._test({'archive': None, 'here': False})['host'] == 'spare'


def test_check_mode_sends_nothing(push):
    push._task.check_mode = True
    assert push._push(None)['changed'] is True
    assert not push.box.exists() or not list(push.box.iterdir())


def test_without_an_archive_it_says_what_to_do(push):
    (push.folder / 'backup-a.tar.gz.manifest.json').unlink()
    with pytest.raises(store.StoreError) as caught:
        push._push(None)
    assert caught.value.code == 'no_archive' and 'jeedom_restore_archive' in str(caught.value)
