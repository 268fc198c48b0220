# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controller pays for the report of a fleet: CPU, peak memory and size at 50 and 500 boxes, and the price of one more box.

controller.py: no box is needed. Prints a table; the last column is the cost of a box against the smallest fleet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FLEETS = (50, 200, 500)
REPORT = '''
import json, resource, sys, time
sys.path.insert(0, {collections!r})
from ansible_collections.jeedom.fleet.plugins.plugin_utils import report
begin = time.process_time()
files = report.write(sys.argv[1])
print(json.dumps([time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]), files['html'])
'''


def measure(boxes: int) -> tuple[float, float, float]:
    """CPU seconds, peak MiB and megabytes of the page, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(ROOT / 'tests/unit/report/fleet_fixture.py'), folder, str(boxes)], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run([sys.executable, '-c', REPORT.format(collections=str(ROOT / 'collections')), folder],
                              check=True, capture_output=True, text=True, env=dict(os.environ, PYTHONHASHSEED='0'))
        figures, page = done.stdout.strip().rsplit(' ', 1)
        cpu, memory = (float(part) for part in figures.strip('[]').split(','))
        return cpu, memory, Path(page).stat().st_size / 1e6


def main() -> int:
    """Print the table."""
    print(f'{"boxes":>6} {"CPU s":>7} {"MiB":>6} {"MB":>6} {"per box":>8}')
    first = None
    for boxes in FLEETS:
        cpu, memory, size = min(measure(boxes) for _run in range(3))
        first = first or cpu / boxes
        print(f'{boxes:>6} {cpu:>7.2f} {memory:>6.0f} {size:>6.2f} {cpu / boxes / first:>8.2f}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
