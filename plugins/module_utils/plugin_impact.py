# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes along when a plugin is removed: Jeedom deletes its equipments with their commands and history.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import re

from ansible_collections.jeedom.fleet.plugins.module_utils.database import quote
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import Batch, Unreadable, capped, clean, number

_COMMAND = re.compile(r'#(\d+)#')
_EQUIPMENT = re.compile(r'#eqLogic(\d+)#|"eqLogic"\s*:\s*"?(\d+)')


class Mentions:
    """Finds the ids of a plugin's commands and equipments in any text of Jeedom."""

    def __init__(self, commands, equipments):
        self.commands, self.equipments = frozenset(commands), frozenset(equipments)

    def count(self, text):
        """How many of them a text mentions."""
        text = text or ''
        found = self.commands.intersection(_COMMAND.findall(text))
        others = self.equipments.intersection(one or two for one, two in _EQUIPMENT.findall(text))
        return len(found) + len(others)


def _statements(name):
    own = 'FROM cmd c JOIN eqLogic e ON e.id = c.eqLogic_id WHERE e.eqType_name = %s' % quote(name)
    ids = '(SELECT c.id %s)' % own
    equipments = '(SELECT id FROM eqLogic WHERE eqType_name = %s)' % quote(name)
    linked = "((link_type = 'eqLogic' AND link_id IN %s) OR (link_type = 'cmd' AND link_id IN %s))" % (equipments, ids)
    return (
        ('row', "SELECT status, localVersion, remoteVersion, source, LEFT(configuration, 20000) FROM `update` "
                "WHERE type = 'plugin' AND logicalId = %s" % quote(name)),
        ('active', "SELECT value FROM config WHERE plugin = %s AND `key` = 'active'" % quote(name)),
        ('settings', 'SELECT COUNT(*) FROM config WHERE plugin = %s' % quote(name)),
        ('equipments', 'SELECT e.id, e.name, o.name, e.isEnable FROM eqLogic e LEFT JOIN object o ON o.id = e.object_id '
                       'WHERE e.eqType_name = %s ORDER BY o.name, e.name' % quote(name)),
        ('commands', 'SELECT c.id %s' % own),
        ('history', 'SELECT COUNT(*) FROM history WHERE cmd_id IN %s' % ids),
        ('historyArch', 'SELECT COUNT(*) FROM historyArch WHERE cmd_id IN %s' % ids),
        ('scenarios', 'SELECT id, name, `group`, `trigger`, LEFT(scenarioElement, 20000) FROM scenario'),
        ('nested', 'SELECT e.expression, s.scenarioElement_id FROM scenarioExpression e JOIN scenarioSubElement s '
                   "ON s.id = e.scenarioSubElement_id WHERE e.type = 'element'"),
        ('expressions', "SELECT s.scenarioElement_id, LEFT(CONCAT_WS(' ', e.expression, e.options), 60000) FROM scenarioExpression e "
                        'JOIN scenarioSubElement s ON s.id = e.scenarioSubElement_id '
                        "WHERE CONCAT_WS(' ', e.expression, e.options) REGEXP '#(eqLogic)?[0-9]+#|eqLogic'"),
        ('others', "SELECT c.id, c.name, e.name, o.name, LEFT(CONCAT_WS(' ', c.value, c.configuration), 60000) FROM cmd c "
                   'JOIN eqLogic e ON e.id = c.eqLogic_id LEFT JOIN object o ON o.id = e.object_id '
                   "WHERE e.eqType_name <> %s AND CONCAT_WS(' ', c.value, c.configuration) REGEXP '#[0-9]+#'" % quote(name)),
        ('design_elements', 'SELECT COUNT(*) FROM plan WHERE ' + linked),
        ('view_entries', 'SELECT COUNT(*) FROM viewData WHERE ' + linked.replace('link_type', '`type`')),
        ('crons', 'SELECT COUNT(*) FROM cron WHERE class = %s' % quote(name)),
        ('listeners', 'SELECT COUNT(*) FROM listener WHERE class = %s' % quote(name)),
    )


def scenario_owner(scenarios, nested):
    """A function from the id of a scenario element to the scenario's row; blocks may stand inside blocks."""
    owner, parents = {}, dict((row[0], row[1]) for row in nested if len(row) == 2)
    for row in scenarios:
        try:
            elements = json.loads(row[-1] or '[]')
        except (ValueError, RuntimeError):
            elements = []
        for element in elements if isinstance(elements, list) else []:
            owner['%s' % element] = row

    def find(element):
        climbed = 0
        while element not in owner and element in parents and climbed < 100:
            element, climbed = parents[element], climbed + 1
        return owner.get(element)

    return find


def _mentioning(rows, mentions):
    """Scenarios whose trigger or expressions mention something of the plugin."""
    hits = {}
    find = scenario_owner(rows['scenarios'], rows['nested'])
    for row in rows['scenarios']:
        count = mentions.count(row[3])
        if count:
            hits[row[0]] = [row, count]
    for element, text in rows['expressions']:
        count = mentions.count(text)
        scenario = find(element) if count else None
        if scenario:
            hits.setdefault(scenario[0], [scenario, 0])[1] += count
    return [dict(id=number(row[0]), name='[%s][%s]' % (clean(row[2]) or '-', clean(row[1]) or '-'), mentions=count)
            for row, count in sorted(hits.values(), key=lambda hit: number(hit[0][0], 0))]


def impact(database, name):
    """(state, goes_along) of a plugin as the database knows it. Raises BoxError when the database does not answer."""
    batch = Batch(database)
    for key, sql in _statements(name):
        batch.add(key, sql)
    rows = dict((key, [] if isinstance(value, Unreadable) else value) for key, value in batch.run(timeout=300).items())

    def count(key):
        return number(rows[key][0][0], 0) if rows[key] else 0

    equipments = [dict(id=number(row[0]), name='[%s][%s]' % (clean(row[2]) or '-', clean(row[1]) or '-'), enabled=row[3] == '1')
                  for row in rows['equipments']]
    mentions = Mentions([row[0] for row in rows['commands']], [row[0] for row in rows['equipments']])
    others = [dict(id=number(row[0]), name='[%s][%s][%s]' % (clean(row[3]) or '-', clean(row[2]) or '-', clean(row[1]) or '-'))
              for row in rows['others'] if len(row) == 5 and mentions.count(row[4])]
    row = rows['row'][0] if rows['row'] else None
    state = dict(row=row is not None, status=clean(row[0]) if row else None, local_version=clean(row[1]) if row else None,
                 remote_version=clean(row[2]) if row else None, source=clean(row[3]) if row else None,
                 pinned=bool(row) and bool(re.search(r'"doNotUpdate"\s*:\s*"?1', row[4] or '')),
                 active=bool(rows['active']) and rows['active'][0][0] == '1', settings=count('settings'))
    along = dict(equipments=capped(equipments), commands=len(rows['commands']), history_rows=count('history') + count('historyArch'),
                 scenarios=capped(_mentioning(rows, mentions)), commands_elsewhere=capped(others))
    for key in ('design_elements', 'view_entries', 'crons', 'listeners'):
        along[key] = count(key)
    return state, along


def sentence(name, along):
    """What goes along, for people."""
    text = 'With plugin %s go %d equipments, %d commands and %d history rows' % (
        name, along['equipments']['count'], along['commands'], along['history_rows'])
    touched = [(along['scenarios']['count'], 'scenarios'), (along['commands_elsewhere']['count'], 'commands of other plugins'),
               (along['design_elements'], 'design elements'), (along['view_entries'], 'view entries')]
    touched = ['%d %s' % item for item in touched if item[0]]
    return text + ('; mentioned by ' + ', '.join(touched) if touched else '') + '.'
