# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live lines of one job on one box, for people."""

from __future__ import annotations

import time
from collections.abc import Callable

# A line when something new happens; otherwise no oftener than this, in seconds.
QUIET = 15.0


def clock(seconds: float) -> str:
    """C(mm:ss), or C(h:mm:ss) from one hour on."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{rest:02d}' if hours else f'{minutes:02d}:{rest:02d}'


def printable(text: str, width: int = 60) -> str:
    """Text of a box without control characters, cut to a width: a box must not be able to paint on the terminal."""
    clean = ''.join(char if char.isprintable() else ' ' for char in str(text))
    clean = ' '.join(clean.split())
    return clean if len(clean) <= width else clean[:width - 1] + '…'


class Lines:
    """Prints what changed in a job's status, one line a time."""

    def __init__(self, host: str, stage: str, display: Callable[[str], None]):
        self.host, self.stage, self.display = host, stage, display
        self.seen: tuple = ()
        self.printed = 0.0
        self.begin = time.monotonic()

    def _print(self, percent: int | str, what: str, line: str = '') -> None:
        elapsed = clock(time.monotonic() - self.begin)
        tail = f'  {printable(line)}' if line else ''
        self.display(f'  {self.host:<14} {self.stage:<8} {percent:>4}  {elapsed}  {printable(what, 44):<28}{tail}'.rstrip())
        self.printed = time.monotonic()

    def update(self, status: dict) -> None:
        """Show a status if it says something new."""
        if not status:
            return
        now = (status.get('step'), status.get('phase'), int(status.get('percent') or 0) // 20)
        if now == self.seen and time.monotonic() - self.printed < QUIET:
            return
        self.seen = now
        what = ' '.join(str(part) for part in (status.get('step'), status.get('phase')) if part)
        self._print(f'{int(status.get("percent") or 0)}%', what, status.get('line') or '')

    def note(self, text: str) -> None:
        """Show a remark about the link."""
        self._print('--', text)

    def end(self, result: dict) -> None:
        """Show how it ended."""
        if result.get('failed'):
            self._print('!!', 'failed', result.get('msg', ''))
        else:
            self._print('100%', 'done')
