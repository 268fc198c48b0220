# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of Jeedom's updater say (contract 4.2, 7). Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

_PROGRESS = re.compile(r'\[PROGRESS\]\[(\d+)\]')
_MARKER = re.compile(r'\[END UPDATE(?: (SUCCESS|ERROR))?\]')
# (text in the line, phase, percent of the hop). V3 prints no percentages; the texts are the same in all versions.
# A step prints its end on the line it began, so a finished line tells what comes next.
_STEPS = (
    ('[START UPDATE]', 'check', 1),
    ('Send begin of update event', 'rights', 3),
    ('Check rights', 'stop', 10),
    ('/core.zip', 'download', 15),
    ('Create temporary folder', 'unzip', 30),
    ('Clean temporary files', 'move', 46),
    ('Moving files', 'clean', 51),
    ('Update composer file', 'composer', 54),
    ('Remove temporary files', 'scripts', 56),
    ('Update jeedom information date', 'scripts', 59),
    ('Update system into', 'scripts', 60),
    ('Update database into', 'scripts', 60),
    ('Check jeedom consistency', 'consistency', 65),
    ('Check jeedom package', 'packages', 66),
    ('Check nodejs', 'packages', 70),
    ('Jeedom is up to date', 'end', 75),
    ('Update plugins', 'plugins', 76),
    ('[END UPDATE SUCCESS]', 'end', 100),
)
# A good hop has none of these (contract 7).
_BAD = re.compile(r'Ignore file .* because size is|Error on move|PHP Fatal error|PHP Parse error|Fatal error:|Parse error:|'
                  r'\*\*\*ERR|No space left on device|Disk quota exceeded')
# Told of every file that unpacking left empty; some are so in the release, such as docs/fr_FR/noteVersion.md from 4.1 on.
_IGNORED = re.compile(r'Ignore file \S*/jeedom_unzip/[^/\s]+/+(\S+) because size is 0')
SHOWN = 5


class Output(object):
    """Reads the updater's output line by line.

    tell: called with (phase, percent of the hop) whenever either changes. empty: paths of the files that have no bytes in the release.
    """

    def __init__(self, tell=None, empty=()):
        self._tell = tell
        self._empty = frozenset(empty)
        self.phase = 'check'
        self.percent = 0
        # success, error, none_done (it did not run: contract 0.5), or None when it broke off
        self.marker = None
        self.bad = []
        self.bad_count = 0
        # A version script died and the updater went on to the next step, so nothing will ever run that script again
        self.script_lost = False
        self._script_bad = False

    def line(self, text):
        """Take one line in."""
        before = (self.phase, self.percent)
        for mark, phase, percent in _STEPS:
            if mark in text:
                # A bad line of a script may stand on the line that its step began; only the next step tells that it was passed over.
                self.script_lost = self.script_lost or (self._script_bad and self.phase == 'scripts')
                self.phase, self.percent = phase, max(self.percent, percent)
        found = _PROGRESS.search(text)
        if found:
            self.percent = max(self.percent, min(100, int(found.group(1))))
        for found in _MARKER.finditer(text):
            self.marker = {'SUCCESS': 'success', 'ERROR': 'error', None: 'none_done'}[found.group(1)]
        if _BAD.search(_IGNORED.sub(lambda found: '' if found.group(1) in self._empty else found.group(0), text)):
            self._script_bad = self._script_bad or self.phase == 'scripts'
            self.bad_count += 1
            if len(self.bad) < SHOWN:
                self.bad.append(text.strip()[:300])
        if self._tell and before != (self.phase, self.percent):
            self._tell(self.phase, self.percent)

    def problems(self, rc):
        """Why this output does not stand for a good run: a list of sentences, empty when it does."""
        found = []
        if rc == 124:
            found.append('the updater was killed: it hung or took too long in phase %s' % self.phase)
        elif rc != 0:
            found.append('the updater ended with code %d in phase %s' % (rc, self.phase))
        if self.marker == 'none_done':
            found.append('the updater did not run, because it saw another update')
        elif self.marker != 'success':
            found.append('the updater ended %s' % ('with [END UPDATE ERROR]' if self.marker == 'error' else 'without its end line'))
        if self.bad_count:
            found.append('%d bad lines in its output, such as "%s"' % (self.bad_count, self.bad[0]))
        return found
