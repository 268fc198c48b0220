# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook changed on a box and must be able to give back: /var/lib/jeedom-fleet/recorded/<name>.json.

{"config": {plugin: {key: value or null}}, "cron": {"class::function": true or false}}, each as it was before the
first change. The name "transaction" stands for the open migration: its record is part of state.json and ends with it.
Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.jeedom.fleet.plugins.module_utils import system, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

TRANSACTION = 'transaction'
_NAME = re.compile(r'^[a-z0-9_-]{1,40}$')


def _path(name):
    if not _NAME.match(name):
        raise BoxError('%r is no name for a record: use lower case letters, digits, _ and -.' % name, 'bad_arguments')
    return os.path.join(system.STATE_DIR, 'recorded', name + '.json')


def load(name):
    """The record, or {} when there is none."""
    if name == TRANSACTION:
        return dict((transaction.current() or {}).get('settings') or {})
    value = system.read_json(_path(name), {})
    return value if isinstance(value, dict) else {}


def forget(name):
    """Remove a record without giving anything back; gone already is fine."""
    if os.path.exists(_path(name)):
        os.unlink(_path(name))


def save(name, value):
    """Write the record; an empty one is removed."""
    if name == TRANSACTION:
        transaction.update(settings=value)
        return
    path = _path(name)
    if any(value.get('config', {}).values()) or value.get('cron'):
        system.state_dir('recorded')
        system.write_json(path, value)
    elif os.path.exists(path):
        os.unlink(path)
