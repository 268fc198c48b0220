# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold before a restored Jeedom may run. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.jeedom.fleet.plugins.module_utils.database import identifier, quote
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


def ensure_login(installation, root):
    """Jeedom's own account can use its schema; made again when it cannot, as after a new installation of MariaDB."""
    credentials = installation.credentials()
    try:
        installation.database().query('SELECT 1 FROM config LIMIT 1')
        return
    except BoxError:
        pass
    for host in ('localhost', '127.0.0.1'):
        account = '%s@%s' % (quote(credentials.get('username') or 'jeedom'), quote(host))
        root.query('GRANT ALL PRIVILEGES ON %s.* TO %s IDENTIFIED BY %s'
                   % (identifier(credentials['dbname']), account, quote(credentials.get('password') or '')), schema=False)
    installation.database().query('SELECT 1 FROM config LIMIT 1')
