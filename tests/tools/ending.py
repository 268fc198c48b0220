# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tool has to undo, boxes that it started for one, is undone after a plain kill as well."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from types import FrameType

# A plain kill, and a terminal that was closed. Ctrl+C raises by itself.
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def tidily(leave: Callable[[int], object] = sys.exit) -> None:
    """From here on a plain kill ends this program as an exception would. Call it in the main thread.

    leave: raises what goes through every "finally"; given the code that a shell gives for the signal. A second signal does not cut
    what cleans up, nor its children.
    """
    def end(number: int, _frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        leave(128 + number)

    for each in SIGNALS:
        # nohup has it ignored, and means it
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, end)


def tidy_pytest() -> None:
    """The same for a run of pytest, which takes any other exception for the failure of one test."""
    import pytest  # pylint: disable=import-outside-toplevel

    tidily(lambda code: pytest.exit('killed', returncode=code))
