# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tool has to undo, boxes that it started for one, is undone after a plain kill as well."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

# A plain kill, and a terminal that was closed. Ctrl+C raises by itself.
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def end(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave through every "finally", with the code that a shell gives for this signal. A second one does not cut what cleans up, nor its children."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def tidily() -> None:
    """From here on a plain kill ends this program as an exception would. Call it in the main thread."""
    for each in SIGNALS:
        # nohup has it ignored, and means it
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, end)
