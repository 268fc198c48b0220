# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take secrets out of text that leaves the box. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

HIDDEN = '********'

# log/update holds plugin download addresses with market user, password hash and hardware key (contract 4.2);
# a PHP trace may print the arguments of the database connection (contract 2.6).
_PATTERNS = (
    re.compile(r'''(?i)((?:password|passwd|pwd|apikey|api_key|market_api_key|hwkey|token|secret|username)["']?\s*(?:=>|[=:])\s*["']?)'''
               r'''[^\s"'&,;)]+'''),
    re.compile(r'(?i)(--password=)\S+'),
    re.compile(r"(PDO->__construct\([^,]*,\s*)'[^)]*"),
)
_LONG_HEX = re.compile(r'\b(?=[0-9a-f]*[0-9])[0-9a-f]{40,}\b')


def redact(text, secrets=()):
    """text with everything that looks like a credential, and every given secret, replaced.

    secrets: strings known to be secret (the database password, API keys); short ones are left to the
    patterns, since replacing "a" everywhere would make the log unreadable.
    """
    for secret in secrets:
        if secret and len(secret) >= 4:
            text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(lambda match: match.group(1) + HIDDEN, text)
    return _LONG_HEX.sub(HIDDEN, text)
