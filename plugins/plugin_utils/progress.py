# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live lines for people: one job on one box, aligned, quiet, and never able to paint on the terminal."""

from __future__ import annotations

import shutil
import statistics
import sys
import time
import unicodedata
from collections.abc import Callable

# A line when something new happens; otherwise no oftener than this, in seconds: on a terminal, and in a log (AWX, CI).
QUIET, QUIET_LOG = 15.0, 60.0
STAGE_WIDTH = 8
# Names of boxes: at least so wide, and at most so wide or a third of the line, unless they could not be told apart then.
MIN_HOST, MAX_HOST = 10, 28

# Looked at once, in the main process: newer cores give their workers no terminal.
TTY = sys.stdout.isatty()
COLUMNS = shutil.get_terminal_size((110, 24)).columns if TTY else 180

# Set by the callback in the main process; workers are forked from it and see them. Without the callback the defaults hold.
host_width = 14
# stage -> durations in seconds of the boxes that have been through it
durations: dict[str, list[float]] = {}


def clock(seconds: float) -> str:
    """C(mm:ss), or C(h:mm:ss) from one hour on."""
    minutes, rest = divmod(int(max(0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{rest:02d}' if hours else f'{minutes:02d}:{rest:02d}'


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in 'WF' else 1 for char in text)


def printable(text: object, width: int = 60) -> str:
    """Text of a box without control characters, cut to a width: a box must not be able to paint on the terminal."""
    clean = ''.join(char if char.isprintable() else ' ' for char in str(text))
    clean = ' '.join(clean.split())
    if width_of(clean) <= width:
        return clean
    return _beginning(clean, width - 1).rstrip() + '…'


def _beginning(text: str, width: int) -> str:
    """As much of a text as goes into a width."""
    columns = 0
    for index, char in enumerate(text):
        columns += width_of(char)
        if columns > width:
            return text[:index]
    return text


def pad(text: object, width: int, right: bool = False) -> str:
    """A cell of a table: printable, cut and filled to exactly a width."""
    clean = printable(text, width)
    fill = ' ' * (width - width_of(clean))
    return fill + clean if right else clean + fill


def host_name(host: str, width: int) -> str:
    """The name of a box, printable and filled to exactly a width, cut in the middle: fleets count at the end of names, and domains begin them."""
    clean = printable(host, 10 ** 6)
    if width_of(clean) > width:
        head = _beginning(clean, (width - 1) // 2)
        tail = _beginning(clean[::-1], width - 1 - width_of(head))[::-1]
        clean = f'{head}…{tail}'
    return pad(clean, width)


def host_column(hosts: list[str], least: int = 3) -> int:
    """How wide a column of names of boxes has to be: whole where there is room, and in any case so that no two of them look the same."""
    longest = max((width_of(printable(host, 10 ** 6)) for host in hosts), default=least)
    width = max(least, min(longest, max(MAX_HOST, COLUMNS // 3)))
    different = len(set(hosts))
    while width < longest and len({host_name(host, width) for host in hosts}) < different:
        width += 1
    return width


def fit_hosts(hosts: list[str]) -> None:
    """Choose the width of the column of hosts; called in the main process."""
    global host_width  # noqa: PLW0603 - the point of it: workers are forks and inherit it
    host_width = host_column(hosts, MIN_HOST)


def line(host: str, stage: str, mark: str, elapsed: str, left: str, what: str, tail: str = '') -> str:
    """One line: box, stage, percent or mark, elapsed, what is left, what is going on, last line of the log."""
    start = f'  {host_name(host, host_width)}  {pad(stage, STAGE_WIDTH)} {mark:>4}  {elapsed:>7}  {left:<7}'
    room = max(20, COLUMNS - width_of(start) - 2)
    text = printable(what, room)
    if tail and room - width_of(text) > 12:
        text = pad(text, max(32, width_of(text))) if room > 70 else text
        text += '  ' + printable(tail, room - width_of(text) - 2)
    return f'{start}  {text}'.rstrip()


def shower(display) -> Callable[..., None]:
    """How to print: to stderr where stdout belongs to a machine (a JSON stdout callback), else as the default callback does."""
    from ansible import constants
    machine = 'json' in str(constants.config.get_config_value('DEFAULT_STDOUT_CALLBACK')).lower()

    def show(text: str, color: str | None = None) -> None:
        display.display(text, color=color, stderr=machine)

    return show


class Lines:
    """Prints what changed in a job's status, one line a time."""

    def __init__(self, host: str, stage: str, display: Callable[[str], None]):
        self.host, self.stage, self.display = host, stage, display
        self.seen: tuple = ()
        self.printed = 0.0
        self.begin = time.monotonic()
        self.elapsed = 0.0
        self.quiet = QUIET if TTY else QUIET_LOG

    def _print(self, mark: str, what: str, left: str = '', tail: str = '') -> None:
        self.display(line(self.host, self.stage, mark, clock(self.elapsed), left, what, tail))
        self.printed = time.monotonic()

    def _left(self, percent: int) -> str:
        """What is left: from boxes that have been through this, the more by the percentage the further it is; empty when it would be a guess."""
        known = durations.get(self.stage)
        by_others = max(0.0, statistics.median(known) - self.elapsed) if known else None
        by_percent = self.elapsed * (100 - percent) / percent if 15 <= percent <= 100 and self.elapsed > 10 else None
        if by_others is not None and by_percent is not None:
            share = percent / 100
            left = by_others * (1 - share) + by_percent * share
        else:
            left = (by_others if by_percent is None else by_percent) or 0.0
        return '-' + clock(left) if left >= 1 and percent < 100 else ''

    def update(self, status: dict) -> None:
        """Show a status if it says something new."""
        if not status:
            return
        # By the clock of the box: a job that was adopted is older than our looking at it.
        self.elapsed = max(0.0, float(status.get('heartbeat') or 0) - float(status.get('started') or 0))
        percent = min(100, max(0, int(status.get('percent') or 0)))
        now = (status.get('step'), status.get('phase'), percent // 20)
        if now == self.seen and time.monotonic() - self.printed < self.quiet:
            return
        self.seen = now
        what = ': '.join(str(part) for part in (status.get('step'), status.get('phase')) if part)
        # The runner's own headings in the log say what the line says already.
        line_of_log = str(status.get('line') or '')
        self._print(f'{percent}%', what, self._left(percent), '' if line_of_log.startswith('== ') else line_of_log)

    def note(self, text: str) -> None:
        """Show a remark about the link."""
        self._print('--', text)

    def end(self, result: dict) -> None:
        """Show how it ended."""
        self.elapsed = self.elapsed or time.monotonic() - self.begin
        if result.get('failed'):
            self._print('!!', 'failed: ' + str(result.get('msg', '')))
        else:
            self._print('100%', 'done')
