# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet in waves: failures under the limit let it go on, over the limit they stop it, and a second run ends it.

JEEDOM_TEST_BOXES=24 is the size of a customer; CI takes the smallest that has all kinds of waves.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from testbox import fleet_name

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SANDBOX = ROOT / 'tests/sandbox/sandbox.py'
PLAYBOOK = Path(sys.executable).with_name('ansible-playbook')
NAME = fleet_name('fl')
BOXES = int(os.environ.get('JEEDOM_TEST_BOXES', '6'))
# A canary, a wave with one failure, one with two, and boxes that must not be reached.
WAVES = '1,5,25%' if BOXES >= 24 else '1,2,2'
SECOND = 1 + (5 if BOXES >= 24 else 2)
UNDER, OVER = ['box2'], [f'box{SECOND + 1}', f'box{SECOND + 2}']
THIRD_ENDS = SECOND + (BOXES // 4 if BOXES >= 24 else 2)
# A hop of this box cannot change its tables: the user of Jeedom has lost the right to.
BREAK = 'mysql -e "REVOKE ALTER, CREATE ON jeedom.* FROM jeedom@localhost; FLUSH PRIVILEGES"'
REPAIR = 'mysql -e "GRANT ALTER, CREATE ON jeedom.* TO jeedom@localhost; FLUSH PRIVILEGES"'


class Fleet:
    """The boxes, and a controller with artifacts of its own."""

    def __init__(self, folder: Path):
        self.inventory, self.artifacts = folder / 'hosts.yml', folder / 'artifacts'

    def sandbox(self, *arguments: str) -> str:
        """What sandbox.py says."""
        return subprocess.run([sys.executable, str(SANDBOX), '--name', NAME, '--inventory', str(self.inventory), *arguments],
                              check=True, timeout=1800, capture_output=True, text=True).stdout

    def shell(self, box: str, command: str) -> str:
        """Output of a command as root on a box."""
        return self.sandbox('ssh', box, '--', command)

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """migrate.yml, as an operator types it."""
        return subprocess.run([str(PLAYBOOK), 'playbooks/migrate.yml', '-i', str(self.inventory), '-e', 'jeedom_acknowledge=true',
                               '-e', f'jeedom_artifacts={self.artifacts}', '-e', f'jeedom_waves={WAVES}', *arguments],
                              cwd=ROOT, capture_output=True, text=True, timeout=5400, check=False)

    def outcomes(self) -> dict[str, str]:
        """What the journal says of every box that it knows."""
        return {path.stem: json.loads(path.read_text(encoding='utf-8')).get('outcome') for path in (self.artifacts / 'journal').glob('box*.json')}

    def version(self, box: str) -> str:
        """The version that the files of a box say."""
        return self.shell(box, 'cat /var/www/html/core/config/version').strip()


@pytest.fixture(scope='module')
def fleet(tmp_path_factory):
    """All boxes on 3.3.60, three of them with a fault that shows in the first hop."""
    made = Fleet(tmp_path_factory.mktemp('fleet'))
    try:
        made.sandbox('up', '--boxes', str(BOXES))
        for box in (*UNDER, *OVER):
            made.shell(box, BREAK)
        yield made
    finally:
        made.sandbox('down')


@pytest.mark.sandbox
def test_a_fleet_stops_in_time_and_a_second_run_ends_it(fleet):
    # The folder names the run: waves, report and journal are read from it.
    first = fleet.run('-e', 'jeedom_max_failed=1', '-e', 'jeedom_run_id=first')
    said = first.stdout
    assert first.returncode == 10, said[-3000:]
    found = fleet.outcomes()
    done = [f'box{number}' for number in range(1, THIRD_ENDS + 1)]
    left = [f'box{number}' for number in range(THIRD_ENDS + 1, BOXES + 1)]
    assert found == {box: 'rolled_back' if box in (*UNDER, *OVER) else 'migrated' for box in done}, said[-4000:]

    waves = json.loads((fleet.artifacts / 'first/waves.json').read_text(encoding='utf-8'))
    assert [(wave['passed'], sorted(wave['bad'])) for wave in waves] == [(True, []), (True, UNDER), (False, sorted(OVER))]
    assert f'The roll-out stops here: the {len(left)} boxes of the next waves have not been touched.' in said
    assert 'Traceback' not in said + first.stderr
    report = json.loads((fleet.artifacts / 'report/report.json').read_text(encoding='utf-8'))
    told = {box['host']: box.get('outcome') for box in report['boxes']}
    assert {box: told.get(box) for box in done} == found
    page = (fleet.artifacts / 'report/index.html').read_text(encoding='utf-8')
    assert all(box in page for box in [*done, *left])

    for box in (*UNDER, *OVER):
        assert fleet.version(box) == '3.3.60', box
        assert fleet.shell(box, 'ls /etc/cron.d/jeedom; ls /var/www | tr "\\n" " "').split() == ['/etc/cron.d/jeedom', 'html'], box
    for box in left:
        assert fleet.shell(box, 'ls -A /var/lib/jeedom-fleet 2>/dev/null; cat /var/www/html/core/config/version').split() == ['3.3.60'], box

    # The way on is the command that the gate tells; it is taken word by word.
    for box in (*UNDER, *OVER):
        fleet.shell(box, REPAIR)
    command = shlex.split(re.search(r'go on with: (ansible-playbook .*?)(?:"|$)', said, re.M).group(1))
    assert command[1].endswith('migrate') or command[1].endswith('migrate.yml')
    second = subprocess.run([str(PLAYBOOK), *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=5400, check=False)
    assert second.returncode == 0, second.stdout[-4000:]
    everyone = [f'box{number}' for number in range(1, BOXES + 1)]
    assert {box: fleet.version(box) for box in everyone} == dict.fromkeys(everyone, '4.5.3')
    assert set(fleet.outcomes().values()) <= {'migrated', 'already_done'} and set(fleet.outcomes()) == set(everyone)
