# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins last: bring them up to date once the new core is proved. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import ssl
import time

try:
    from urllib.parse import urlencode
    from urllib.request import HTTPSHandler, Request, build_opener
except ImportError:  # Python 2
    from urllib import urlencode
    from urllib2 import HTTPSHandler, Request, build_opener  # pylint: disable=ansible-bad-import-from

from ansible_collections.jeedom.fleet.plugins.module_utils import config, core_output, engine_processes
from ansible_collections.jeedom.fleet.plugins.module_utils.database import config_rows

DEFAULT_MARKET = 'https://market.jeedom.com'
RUNS = 2


def state(database):
    """{plugin id: {version, status, source}} of the update table."""
    rows = database.query("SELECT logicalId, localVersion, status, source FROM `update` WHERE type='plugin' ORDER BY logicalId")
    return dict((row[0], dict(version=row[1], status=row[2], source=row[3])) for row in rows)


def market_answers(database, defaults, timeout=15):
    """Whether the market gives a whole JSON-RPC answer within some seconds; Jeedom itself would wait 240 s for it (contract 8).

    Nothing of the box is sent. A web page (captive portal) and an answer that stalls half-way are none.
    """
    rows = config_rows(database, ['market::address', 'market::enable'])
    if config.effective(rows['market::enable'], defaults.get('market::enable', '1')) != '1':
        return False
    address = config.effective(rows['market::address'], defaults.get('market::address')) or DEFAULT_MARKET
    if not address.startswith(('http://', 'https://')):
        return False
    body = urlencode({'request': json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'market::test', 'params': {}})}).encode('ascii')
    deadline = time.time() + timeout
    try:
        # As Jeedom does: no look at the certificate.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        request = Request(address.rstrip('/') + '/core/api/api.php', body, {'User-Agent': 'jeedom.fleet'})
        answer = build_opener(HTTPSHandler(context=context)).open(request, timeout=timeout)
        text = b''
        while time.time() < deadline and len(text) < 1 << 20:
            chunk = answer.read(4096)
            if not chunk:
                return isinstance(json.loads(text.decode('utf-8', 'replace')), dict)
            text += chunk
    except Exception:  # pylint: disable=broad-except
        # Timeout, DNS, TLS, HTTP status, broken protocol, no JSON: whatever it is, no answer to update plugins by.
        return False
    return False


def update(installation, database, context, limits):
    """Update every plugin that has one, from its own source, with Jeedom's updater (core=0); twice when some are left over.

    A plugin that fails is reported nowhere by the core (contract 4.2 no. 14), so the update table is compared.
    Returns (updated: [{id, before, after}], old: [ids that still have an update], problems: [sentences]).
    """
    before = state(database)
    problems = []
    for dummy in range(RUNS):
        engine_processes.wait_idle(installation.web_root, limits['busy'])
        output = core_output.Output()
        argv = installation.as_web_user(['php', installation.path('install/update.php'), 'backup::before=0', 'plugins=1', 'core=0',
                                         'force=0'])
        rc, dummy_lines = context.run(argv, on_line=output.line, timeout=limits['hop'], stall=limits['stall'])
        problems = output.problems(rc)
        old = sorted(name for name, item in state(database).items() if item['status'] == 'update')
        if not old or problems:
            break
    after = state(database)
    updated = [dict(id=name, before=before[name]['version'], after=item['version']) for name, item in sorted(after.items())
               if name in before and before[name]['version'] != item['version']]
    return updated, old, problems
