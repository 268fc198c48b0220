# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup playbook as a timer runs it: exit code, last line, file for monitoring; and the store modules in a play."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import journal

COLLECTIONS = Path(__file__).resolve().parents[3] / 'collections'
ANSIBLE = Path(sys.executable).with_name('ansible-playbook')
pytestmark = pytest.mark.skipif(not ANSIBLE.exists(), reason='ansible-playbook is not beside this Python')
KEY = bytes(range(32)).hex()
# nobody listens there
DOWN = {'ansible_connection': 'ssh', 'ansible_host': '127.0.0.2', 'ansible_port': 1}

# The stages of a box, played: what the roles would have left.
SUMMARY = '''
- hosts: jeedom
  gather_facts: false
  tasks:
    - ansible.builtin.set_fact:
        jeedom_archive: {proved: true, path: "/a/{{ inventory_hostname }}"}
      when: fate in ['good', 'not pruned']
    - ansible.builtin.set_fact:
        jeedom_backup_failure: "The disk of {{ inventory_hostname }} is full\\e[31m\\n: make room."
      when: fate in ['full', 'not pruned']
    - jeedom.fleet.backup_summary:
      run_once: true
      register: told
    - ansible.builtin.debug: {var: told}
'''
PRUNE = '''
- hosts: jeedom
  gather_facts: false
  tasks:
    - jeedom.fleet.store_info: {prove: true}
      register: seen
    - ansible.builtin.debug: {msg: "{{ seen.msg }} {{ seen.copies | map(attribute='how') | join(' ') }}"}
    - jeedom.fleet.store_prune:
        keep: "{{ keep | default(1) }}"
        max_size: "{{ size | default(omit) }}"
      register: done
    - ansible.builtin.debug: {msg: "{{ done.msg }}"}
'''


class Controller:
    """A folder from which playbooks are run."""

    def __init__(self, folder: Path):
        self.folder, self.artifacts = folder, folder / 'artifacts'

    def inventory(self, **hosts: dict) -> None:
        (self.folder / 'hosts.json').write_text(json.dumps({'jeedom': {'hosts': hosts}}), encoding='utf-8')

    def run(self, playbook: str, *options: str, **environment: str) -> subprocess.CompletedProcess:
        name = playbook
        if '\n' in playbook:
            (self.folder / 'play.yml').write_text(playbook, encoding='utf-8')
            name = 'play.yml'
        env = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_'))}
        env.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_NOCOLOR='1', ANSIBLE_DEPRECATION_WARNINGS='0', LC_ALL='C.UTF-8',
                   ANSIBLE_LOCALHOST_WARNING='0', ANSIBLE_HOME=str(self.folder / '.ansible'), ANSIBLE_CALLBACKS_ENABLED='jeedom.fleet.fleet', **environment)
        return subprocess.run([str(ANSIBLE), '-i', 'hosts.json', name, '-e', 'jeedom_progress=false', *options], cwd=self.folder, env=env,
                              capture_output=True, text=True, timeout=300, check=False)

    def told(self) -> dict:
        return json.loads((self.artifacts / 'report' / 'backups.json').read_text(encoding='utf-8'))


@pytest.fixture
def controller(tmp_path):
    return Controller(tmp_path)


def test_boxes_that_are_down_are_named_in_the_last_line_and_by_the_exit_code(controller, shelves):
    controller.inventory(box1=DOWN, box2=DOWN, box10=DOWN)
    shelves.Shelf(controller.artifacts, 'box2').add()
    journal.record(controller.artifacts, 'box10', 'earlier', 'commit', 'ok', outcome='migrated')
    done = controller.run('jeedom.fleet.backup', '-e', 'jeedom_reconnect_timeout=0')
    assert done.returncode == 2, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith('Backups: 0 of 3 boxes have a proved copy of this run here. Without: box1 (box1 cannot be reached')
    assert 'it has no proved copy at all); box2 (' in last and 'its newest proved copy is 0 h old); box10 (' in last
    told = controller.told()
    assert (told['selected'], told['proved'], told['failed'], told['summary']) == (3, 0, 3, last)
    assert told['boxes']['box1']['newest_proved'] is None and told['boxes']['box2']['newest_proved']['path'].endswith('.tar.gz')
    for host in ('box1', 'box2', 'box10'):
        assert f'fatal: [{host}]: FAILED!' in done.stdout
    # what is known of a migration is not lost to a night without a link
    outcomes = {entry['host']: entry['outcome'] for entry in journal.read_all(controller.artifacts)}
    assert outcomes['box10'] == 'migrated' and outcomes['box1'] != 'migrated'


@pytest.mark.parametrize('options', [(), ('-e', 'jeedom_target=nobody')])
def test_an_empty_group_is_no_good_night(controller, options):
    controller.inventory(**({'box1': DOWN} if options else {}))
    done = controller.run('jeedom.fleet.backup', *options)
    assert done.returncode != 0 and 'No box matches' in done.stdout


def test_the_summary_tells_good_boxes_from_others(controller):
    controller.inventory(**{host: {'fate': fate, 'ansible_connection': 'local'} for host, fate in
                            {'box1': 'good', 'box2': 'full', 'box3': 'lost', 'box4': 'not pruned'}.items()})
    done = controller.run(SUMMARY)
    assert done.returncode == 0, done.stdout + done.stderr
    line = controller.told()['summary']
    assert line == ('Backups: 2 of 4 boxes have a proved copy of this run here. Without: box2 (The disk of box2 is full [31m : make room; it has no proved '
                    'copy at all); box3 (it did not come to its end; the output above says why; it has no proved copy at all). '
                    'Have one, but: box4 (The disk of box4 is full [31m : make room).')
    assert done.stdout.count(line) >= 2 and '\x1b' not in done.stdout
    assert [host for host, box in controller.told()['boxes'].items() if box['proved']] == ['box1', 'box4'] and controller.told()['failed'] == 3


def test_a_dry_run_writes_no_file(controller):
    controller.inventory(box1={'fate': 'none', 'ansible_connection': 'local'})
    done = controller.run(SUMMARY, '--check')
    assert done.returncode == 0 and 'Backups: a dry run' in done.stdout and not controller.artifacts.exists()


class TestStoreModules:
    @pytest.fixture
    def three(self, controller, shelves):
        from ansible_collections.jeedom.fleet.plugins.plugin_utils import forms
        controller.inventory(box1={})
        shelf = shelves.Shelf(controller.artifacts)
        form = forms.Forms(keys=[bytes.fromhex(KEY)])
        shelf.added = [shelf.add(f'backup-a-3.3.60-2026-11-0{day}-10h26.tar.gz', form=form) for day in (1, 2, 3)]
        return shelf

    def test_prune_with_the_key_from_the_environment(self, controller, three):
        done = controller.run(PRUNE, JEEDOM_FLEET_ARCHIVE_KEY=KEY)
        assert done.returncode == 0 and '3 copies of box1, 3 of them proved. read read read' in done.stdout, done.stdout + done.stderr
        assert 'Deleted 2 copies of box1' in done.stdout and [copy['name'] for copy in three.look()] == three.added[2:]
        done = controller.run(PRUNE)
        assert 'changed=0' in done.stdout and 'hash' in done.stdout and 'Deleted 0 copies' in done.stdout

    def test_a_dry_run_shows_what_would_go(self, controller, three):
        before = sorted(os.listdir(three.place))
        done = controller.run(PRUNE, '--check', '--diff')
        assert 'Would delete 2 copies' in done.stdout and f'-{three.added[0]}' in done.stdout and f'-{three.added[2]}' not in done.stdout
        assert 'changed=1' in done.stdout and sorted(os.listdir(three.place)) == before

    @pytest.mark.parametrize('options, code', [(('-e', 'keep=0'), 'bad_policy'), (('-e', 'size=much'), 'bad_policy'),
                                               (('-e', 'jeedom_archive_key=hunter2'), 'bad_key'), (('-e', 'jeedom_archive_command=age'), 'bad_settings')])
    def test_nonsense_is_refused_with_one_sentence(self, controller, three, options, code):
        done = controller.run(PRUNE, *options)
        assert done.returncode == 2 and f'"error_code": "{code}"' in done.stdout and 'Traceback' not in done.stdout + done.stderr
        assert len(three.look()) == 3 and 'hunter2' not in done.stdout

    def test_a_vaulted_key_opens_and_is_printed_nowhere(self, controller, three):
        (controller.folder / 'pw').write_text('x\n')
        vault = [str(ANSIBLE.with_name('ansible-vault')), 'encrypt_string', '--vault-password-file', 'pw', '--stdin-name', 'jeedom_archive_key']
        vaulted = subprocess.run(vault, input=KEY, cwd=controller.folder, capture_output=True, text=True, check=True, timeout=120,
                                 env={**os.environ, 'ANSIBLE_HOME': str(controller.folder / '.ansible')}).stdout
        (controller.folder / 'secret.yml').write_text(vaulted)
        done = controller.run(PRUNE, '-e', '@secret.yml', '--vault-password-file', 'pw', '-vvvv')
        assert done.returncode == 0 and 'read read read' in done.stdout, done.stdout[-3000:] + done.stderr
        assert KEY not in done.stdout + done.stderr
        assert not [path for path in controller.artifacts.rglob('*') if path.is_file() and KEY.encode() in path.read_bytes()]
