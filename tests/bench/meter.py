# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What processes use while something runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable
from pathlib import Path


class Memory(threading.Thread):
    """Peak of the summed memory of some processes, MiB, looked at every so many seconds.

    pids: says which they are now. Memory that processes share counts once (proportional set size).
    """

    def __init__(self, pids: Callable[[], Iterable[int]], every: float = 0.5):
        super().__init__(daemon=True)
        self.pids, self.every, self.peak, self.over = pids, every, 0.0, threading.Event()
        self.start()

    def run(self) -> None:
        """Look until end() is called."""
        while not self.over.wait(self.every):
            self.peak = max(self.peak, sum(pss(pid) for pid in self.pids()))

    def end(self) -> float:
        """The peak."""
        self.over.set()
        self.join()
        return self.peak


def tree(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for path in Path('/proc').glob('[0-9]*/stat'):
        try:
            fields = path.read_text().rsplit(')', 1)[1].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += parents.get(pid, [])
    return found


def pss(pid: int) -> float:
    """Proportional set size of a process, MiB; 0 when it is gone."""
    try:
        return int(re.search(r'^Pss: +(\d+)', Path(f'/proc/{pid}/smaps_rollup').read_text(), re.MULTILINE).group(1)) / 1024
    except (OSError, AttributeError):
        return 0.0
