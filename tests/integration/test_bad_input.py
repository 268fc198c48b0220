# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What migrate.yml cannot work with stops the box in assess, with one sentence, and nothing on the box has changed by then."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from testbox import fleet_name

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SANDBOX = ROOT / 'tests/sandbox/sandbox.py'
PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
FLEET = fleet_name('ba')
DIGEST = ('systemctl start mariadb; for i in $(seq 50); do mysqladmin ping >/dev/null 2>&1 && break; sleep 0.2; done; '
          '(cd /var/www/html && find . -path ./log -prune -o -type f -print0 | sort -z | xargs -0 sha256sum; '
          'mysqldump --skip-comments --skip-dump-date jeedom; ls -l /etc/cron.d; ls -R /var/lib/jeedom-fleet 2>/dev/null) | sha256sum')
CONFIG = '/var/www/html/core/config/common.config.php'
# name: (break it, repair it, extra vars, a word of the finding, outcome)
CASES = {
    'an unknown target': ('', '', {'jeedom_target_version': '4.9.9'}, 'not a known version', 'blocked'),
    'a variable that cannot be': ('', '', {'jeedom_hop_timeout': 'soon'}, "argument 'jeedom_hop_timeout' is of type str", 'failed'),
    'a web root without a Jeedom': ('', '', {'jeedom_web_root': '/srv'}, 'No Jeedom was found in /srv', 'blocked'),
    'the database down': ('systemctl stop mariadb', 'systemctl start mariadb', {}, "database cannot be used", 'blocked'),
    'a credentials file that is no PHP': (f'cp -p {CONFIG} /root/kept; echo "<?php broken(" > {CONFIG}', f'cp -p /root/kept {CONFIG}', {},
                                          "database cannot be used", 'blocked'),
    'no root': ('', '', {'ansible_become': False}, 'need root', 'unknown'),
    'no room to unpack': ('mount -t tmpfs -o size=20m tmpfs /tmp', 'umount -l /tmp', {}, '/tmp has', 'blocked'),
    'no Python': ('chmod 0 /usr/bin/python3.9 /usr/bin/python2.7', 'chmod 755 /usr/bin/python3.9 /usr/bin/python2.7', {}, 'no Python', 'unknown'),
}


@pytest.fixture(scope='module')
def box(tmp_path_factory):
    """One V3 box whose crons stand still, so that only we could change it."""
    inventory = tmp_path_factory.mktemp('inventory') / 'hosts.yml'

    def sandbox(*arguments: str) -> str:
        done = subprocess.run([sys.executable, str(SANDBOX), '--name', FLEET, '--inventory', str(inventory), *arguments],
                              check=True, timeout=900, capture_output=True, text=True)
        return done.stdout

    try:
        sandbox('up', '--boxes', '1')
        sandbox('ssh', 'box1', '--', 'systemctl stop cron; sleep 1')
        yield lambda command: sandbox('ssh', 'box1', '--', command), inventory
    finally:
        sandbox('down')


@pytest.mark.sandbox
@pytest.mark.parametrize('name', CASES)
def test_it_is_told_in_one_sentence_and_the_box_is_unchanged(box, tmp_path, name):
    broken, repair, variables, word, outcome = CASES[name]
    shell, inventory = box
    before = shell(DIGEST)
    shell(broken or 'true')
    try:
        done = subprocess.run([str(PLAYBOOK), 'playbooks/migrate.yml', '-i', str(inventory), '-e',
                               json.dumps(dict(variables, jeedom_acknowledge=True, jeedom_artifacts=str(tmp_path / 'artifacts')))],
                              cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    finally:
        shell(repair or 'true')
    entry = json.loads((tmp_path / 'artifacts/journal/box1.json').read_text(encoding='utf-8'))
    assert entry['outcome'] == outcome, done.stdout[-3000:]
    assert not set(entry['stages']) - {'assess'}, entry['stages'].keys()
    told = json.dumps(entry['stages']['assess'], ensure_ascii=False)
    assert word in told, told
    assert 'Traceback' not in done.stdout + done.stderr
    assert shell(DIGEST) == before
