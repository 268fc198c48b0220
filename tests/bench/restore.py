# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a rollback takes, and the web is gone, against Jeedom's own restore on the same box.

restore.py <inventory file>:<host> [runs]: a sandbox box on 3.3.60, which is as before afterwards. Prints a table.
Jeedom's own restore is timed on a box of the archive's version, the best case for it; what it leaves behind on another
version is counted by the second table.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'integration'))

from conftest import Box  # noqa: E402


def ours(box: Box) -> dict[str, float]:
    """One rollback point and one rollback of a box that a hop has broken."""
    taken = box.call('rollback_point')['rollback_point']
    box.do('harm')
    back = box.call('restore')
    if back.get('outcome') != 'rolled_back':
        raise SystemExit(f'the rollback failed: {back}')
    return {'rollback point': taken['seconds'], 'no web while it is taken': taken['outage'], 'rollback': back['seconds'],
            'no web while going back': back['outage']}


def archive(box: Box) -> dict[str, float]:
    """One restore of an archive with its complement."""
    files = box.do('archive')
    back = box.call('restore', source='archive', force=True, **files)
    if back.get('outcome') != 'restored':
        raise SystemExit(f'the restore failed: {back}')
    return {'restore of an archive': back['seconds'], 'no web while restoring it': back['outage']}


def theirs(box: Box) -> dict[str, float]:
    """Jeedom's own restore of an archive of the same version, and what of a V4 stays afterwards."""
    box.sh('sudo -u www-data php /var/www/html/install/backup.php >/dev/null 2>&1')
    name = box.sh('ls -t /var/www/html/backup/*.tar.gz | head -1').strip()
    box.sh('cd /var/www/html; mkdir -p core/themes/v4; for i in $(seq 200); do echo V4 > core/themes/v4/$i; done; chown -R www-data: core/themes')
    begin = time.monotonic()
    out = box.sh(f'sudo -u www-data php /var/www/html/install/restore.php backup={name} 2>&1 | tail -5', check=False)
    seconds = time.monotonic() - begin
    if '[END RESTORE SUCCESS]' not in out:
        raise SystemExit(f"Jeedom's own restore failed: {out}")
    stale = int(box.sh('ls /var/www/html/core/themes/v4 2>/dev/null | wc -l'))
    box.sh(f'rm -rf /var/www/html/core/themes/v4 {name}')
    return {"Jeedom's own restore (no web meanwhile)": seconds, 'files of the other version left by it, of 200': stale}


def main() -> int:
    """Run and print."""
    inventory, _colon, host = sys.argv[1].rpartition(':')
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    box = Box(Path(inventory), host)
    box.install()
    box.sh('systemctl stop cron')
    rows: dict[str, list[float]] = {}
    try:
        for _run in range(runs):
            for measure in (ours, archive, theirs):
                for name, value in measure(box).items():
                    rows.setdefault(name, []).append(value)
    finally:
        box.sh('systemctl start cron')
    print('| what | median | all |\n|---|---|---|')
    for name, values in rows.items():
        print(f'| {name} | {statistics.median(values):.1f} | {", ".join(f"{value:.1f}" for value in values)} |')
    return 0


if __name__ == '__main__':
    sys.exit(main())
