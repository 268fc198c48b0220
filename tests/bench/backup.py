# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the level of compression costs and gives: Jeedom's own backup of one box at some levels, its time and its size.

backup.py [--levels 1,6,9] [--runs 3] [--core DIR]: a sandbox box; with --core (the git directory of a genuine core) one as people have it.
Code and pictures of the core pack as they do at home; a large history packs better. Medians; a table in Markdown.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'integration'))

from testbox import Box, sandbox  # noqa: E402

NAME = os.environ.get('JEEDOM_SANDBOX_NAME', 'benchb')


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--levels', default='1,6,9')
    parser.add_argument('--runs', type=int, default=3)
    parser.add_argument('--core')
    options = parser.parse_args()
    levels = [int(level) for level in options.levels.split(',')]
    folder = Path(tempfile.mkdtemp(prefix='backup-bench-'))
    try:
        sandbox(NAME, '--inventory', str(folder / 'hosts.yml'), 'up', '--boxes', '1', *(['--core', options.core] if options.core else []))
        box = Box(folder / 'hosts.yml', 'box1')
        box.install()
        box.calm()
        found: dict[int, list[tuple[float, int]]] = {level: [] for level in levels}
        for _run in range(options.runs):
            for level in levels:
                made = box.call('backup', max_age=0, compression=level, complement=False)['backup']
                found[level].append((made['manifest']['duration'], made['size']))
                box.sh('rm -rf /var/www/html/backup/backup-* /var/lib/jeedom-fleet/proofs /var/lib/jeedom-fleet/staging/*')
    finally:
        sandbox(NAME, 'down')
        shutil.rmtree(folder)
    usual = statistics.median(time for time, _size in found[6 if 6 in found else levels[0]])
    print('| level of gzip | backup and proof, s | of level 6 | MB |\n|---|---|---|---|')
    for level, runs in found.items():
        seconds, size = statistics.median(time for time, _size in runs), statistics.median(size for _time, size in runs)
        print(f'| {level} | {seconds:.1f} | {seconds / usual:.2f} | {size / 1e6:.1f} |')
    return 0


if __name__ == '__main__':
    sys.exit(main())
