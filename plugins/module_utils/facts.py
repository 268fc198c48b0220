# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module facts: all that can be told of a box in one look, read-only. docs/facts.md has every key.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import platform
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    census, facts_access, facts_core, facts_custom, facts_database, facts_plugins, facts_system, facts_tree, jobs, transaction)
from ansible_collections.jeedom.fleet.plugins.module_utils.database import keeping_clients
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import Look, clean
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    gather_subset=dict(type='list', elements='str', default=['all']),
    core_manifest=dict(type='dict', default={}),
    census_until=dict(type='str'),
    urls=dict(type='list', elements='str', default=[]),
)
SCHEMA = 1


def _php(look):
    return look.shared('php', lambda: facts_system.collect_php(look))


# name: (collector, queries); in the order in which they are looked at
SECTIONS = (
    ('core', facts_core.collect_core, (facts_core.CORE_QUERIES,)),
    ('php', _php, ()),
    ('os', facts_system.collect_os, ()),
    ('hardware', facts_system.collect_hardware, ()),
    ('database', facts_database.collect_database, (facts_database.DATABASE_QUERIES,)),
    ('engine', facts_core.collect_engine, (facts_core.ENGINE_QUERIES,)),
    ('activity', facts_core.collect_activity, (facts_core.ENGINE_QUERIES,)),
    ('storage', facts_tree.collect_storage, (facts_database.DATABASE_QUERIES,)),
    ('plugins', facts_plugins.collect_plugins, (facts_plugins.PLUGIN_QUERIES,)),
    ('customisations', facts_custom.collect_customisations, (facts_custom.CUSTOM_QUERIES, facts_access.ACCESS_QUERIES)),
    ('backups', facts_access.collect_backups, ()),
    ('access', facts_access.collect_access, (facts_access.ACCESS_QUERIES,)),
    ('history', facts_database.collect_history, (facts_database.HISTORY_QUERIES,)),
    ('config', facts_core.collect_config, ()),
    ('census', lambda look: census.stable(look.installation, look.params.get('census_until')), ()),
)
# Reads every row or file, or the network: only when named.
ON_REQUEST = ('database_check', 'census_exact', 'network')
MINIMUM = ('core', 'os', 'php', 'database', 'engine', 'activity')
CONFIG_QUERY = ('config', 'SELECT plugin, `key`, LEFT(value, 2000) FROM config')


def subset(names):
    """The sections that a gather_subset means, as a set; raises for a name that there is none of."""
    every = [section[0] for section in SECTIONS]
    wanted, unwanted = set(), set()
    for name in names or ['all']:
        bare = name.lstrip('!')
        if bare == 'all':
            group = every
        elif bare == 'min':
            group = MINIMUM
        elif bare in every or bare in ON_REQUEST:
            group = [bare]
        else:
            raise BoxError('gather_subset knows no %r: choose of all, min, %s.' % (bare, ', '.join(every + list(ON_REQUEST))),
                           'bad_subset')
        (unwanted if name.startswith('!') else wanted).update(group)
    if not wanted:
        wanted = set(every)
    return wanted - unwanted


def _present(installation):
    """False only when nothing of Jeedom is there: a half-migrated or broken core must be seen by the assessment."""
    return installation.version() is not None or os.path.isdir(installation.path('core'))


def collect(installation, params):
    """The facts of one box (docs/facts.md)."""
    begin = time.time()
    wanted = subset(params.get('gather_subset'))
    statements = dict([CONFIG_QUERY])
    for name, dummy, queries in SECTIONS:
        if name in wanted:
            for group in queries:
                statements.update(group)
    look = Look(installation, params, sorted(statements.items()))
    found = dict(schema=SCHEMA, web_root=clean(installation.web_root), web_user=clean(installation.web_user),
                 collected=time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(begin)), python=platform.python_version(),
                 unreadable=look.unreadable)
    durations = found['durations'] = {}

    def section(name, collector):
        start = time.time()
        value = look.attempt(name, lambda: collector(look))
        durations[name] = round(time.time() - start, 3)
        return value

    for name, collector, dummy in SECTIONS:
        if name in wanted:
            found[name] = section(name, collector)
    if 'network' in wanted:
        found['network'] = section('network', facts_access.collect_network)
    if 'database_check' in wanted:
        found.setdefault('database', {})
        if isinstance(found['database'], dict):
            found['database']['check'] = section('database_check', facts_database.check_tables)
    if 'census_exact' in wanted:
        exact = section('census_exact', lambda look: census.exact(installation))
        if not isinstance(found.get('census'), dict):
            found['census'] = {}
        found['census']['exact'] = exact
    if look.database_error:
        look.note('database', look.database_error)
    found['duration'] = round(time.time() - begin, 3)
    return found


@keeping_clients
def run(params, check_mode):
    """Result of the module facts; nothing is changed, so check mode is the same."""
    installation = Installation(params['web_root'])
    if not _present(installation):
        raise BoxError('No Jeedom was found in %s on the box: neither core/config/version nor a folder core is there. Set '
                       'jeedom_web_root to its web root.' % installation.web_root, 'no_jeedom', under_way=_under_way())
    return dict(changed=False, under_way=_under_way(), ansible_facts=dict(jeedom=collect(installation, params)))


def _under_way():
    """What an earlier run of ours left: {transaction, restore, live_job}, each None when there is none; None when that cannot be told."""
    try:
        state = transaction.state()
    except BoxError:
        return None
    return dict(transaction=transaction.told(state['transaction']), restore=transaction.told_restore(state['restore']), live_job=jobs.live())
