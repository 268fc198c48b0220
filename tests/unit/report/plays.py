# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller on which playbooks run over boxes that are only names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COLLECTIONS = Path(__file__).resolve().parents[3] / 'collections'
ANSIBLE = Path(sys.executable).with_name('ansible-playbook')

WAVES = '''
- name: Waves
  hosts: jeedom
  gather_facts: false
  serial: [1, 3, 5]
  tasks:
    - block:
        - jeedom.fleet.record: {stage: assess, status: started, inputs: {target_version: 4.5.3}}
        - jeedom.fleet.record: {stage: assess, status: ok, message: Ready., result: {from_version: 3.3.60, target_version: 4.5.3}, files: {findings: []}}
        - jeedom.fleet.record: {stage: upgrade, status: started}
        - ansible.builtin.raw: "test {{ fate | default('good') }} != fails"
          changed_when: false
        - ansible.builtin.raw: "true"
          vars: {ansible_connection: ssh, ansible_host: 127.0.0.2, ansible_port: 1}
          when: fate | default('good') == 'lost'
        - jeedom.fleet.record: {stage: upgrade, status: ok, outcome: migrated, message: On 4.5.3.}
      rescue:
        - jeedom.fleet.record: {stage: rollback, status: rolled_back, outcome: rolled_back, message: "Hop 2/4 died: <script>alert(1)</script>"}
    - jeedom.fleet.wave_gate:
- name: Never reached after a stop
  hosts: localhost
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.debug: {msg: REACHED}
'''


class Controller:
    """A folder with an inventory, from which playbooks are run."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.artifacts = folder / 'artifacts'

    def inventory(self, boxes: int, **fates: str) -> None:
        hosts = {f'box{number}': ({'fate': fates[f'box{number}']} if f'box{number}' in fates else {}) for number in range(1, boxes + 1)}
        (self.folder / 'hosts.json').write_text(json.dumps({'jeedom': {'hosts': hosts, 'vars': {'ansible_connection': 'local'}}}), encoding='utf-8')

    def run(self, playbook: str, *options: str, callback: str | None = 'jeedom.fleet.fleet', **environment: str) -> subprocess.CompletedProcess:
        process = self.start(playbook, *options, callback=callback, **environment)
        stdout, stderr = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def start(self, playbook: str, *options: str, callback: str | None = 'jeedom.fleet.fleet', **environment: str) -> subprocess.Popen:
        name = playbook
        if '\n' in playbook:
            (self.folder / 'play.yml').write_text(playbook, encoding='utf-8')
            name = 'play.yml'
        env = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'JEEDOM_'))}
        env.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_NOCOLOR='1', ANSIBLE_DEPRECATION_WARNINGS='0',
                   ANSIBLE_LOCALHOST_WARNING='0', ANSIBLE_HOME=str(self.folder / '.ansible'), LC_ALL='C.UTF-8',
                   **({'ANSIBLE_CALLBACKS_ENABLED': callback} if callback else {}), **environment)
        return subprocess.Popen([str(ANSIBLE), '-i', 'hosts.json', name, *options], cwd=self.folder, env=env, text=True, start_new_session=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def journal(self, host: str) -> dict:
        return json.loads((self.artifacts / 'journal' / f'{host}.json').read_text(encoding='utf-8'))

    def report(self) -> dict:
        return json.loads((self.artifacts / 'report' / 'report.json').read_text(encoding='utf-8'))
