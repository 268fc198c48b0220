# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A household's worth of data as SQL, the same for the genuine core and the miniature, for every version from 3.3.60 on."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Iterator

# Only columns that exist from 3.3.60 to 4.5.3.
ROOMS = ('Maison', "Salle à manger de l'étage", 'Cuisine "ouverte"', 'Garage & atelier', 'Chambre <enfants>')
# A recent history as well as an old one: the purge bomb deletes what is newer than a constant (contract, compat.yml).
NEWEST_DAYS, OLDEST_DAYS = 0, 800


def _sql(value) -> str:
    if value is None:
        return 'NULL'
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (dict, list)):
        value = json.dumps(value, ensure_ascii=False)
    return "'" + str(value).replace('\\', '\\\\').replace("'", "\\'") + "'"


def insert(table: str, rows: list[dict]) -> str:
    """One INSERT of rows that all have the same columns."""
    names = ', '.join(f'`{name}`' for name in rows[0])
    values = ',\n'.join('(' + ', '.join(_sql(value) for value in row.values()) + ')' for row in rows)
    return f'INSERT INTO `{table}` ({names}) VALUES\n{values};\n'


def statements(size: dict, plugins: list[dict], now: datetime.datetime) -> Iterator[str]:
    """The data set. size: equipments, commands (per equipment), history (rows in all), designs, scenarios."""
    chance = random.Random(42)
    equipments, commands = size.get('equipments', 20), size.get('commands', 5)
    # The client of Debian 9 to 11 reads latin1 by default, Jeedom writes UTF-8.
    yield 'SET NAMES utf8mb4;\n'
    yield insert('object', [{'id': number, 'name': name, 'father_id': None if number == 1 else 1, 'isVisible': 1, 'position': number,
                             'configuration': {'parentNumber': 0 if number == 1 else 1}, 'display': {'icon': '<i class="fa fa-home"></i>'}}
                            for number, name in enumerate(ROOMS, 1)])
    yield insert('user', [{'login': 'famille', 'profils': 'user', 'password': 'x' * 128, 'options': {'bootstrap_theme': 'darksobre'},
                           'hash': 'h' * 64, 'rights': [], 'enable': 1}])
    owners = [plugin['id'] for plugin in plugins] or ['virtual']
    yield insert('eqLogic', [{'id': number, 'name': f'Équipement {number}', 'logicalId': f'l{number}', 'object_id': 1 + number % len(ROOMS),
                              'eqType_name': owners[number % len(owners)], 'configuration': {'createtime': '2019-01-01 00:00:00'},
                              'isVisible': 1, 'isEnable': 1, 'order': number, 'tags': ''} for number in range(1, equipments + 1)])
    yield insert('cmd', [{'id': number, 'eqLogic_id': (number - 1) // commands + 1, 'eqType': owners[((number - 1) // commands + 1) % len(owners)],
                          'logicalId': f'c{number}', 'order': number, 'name': f"Commande {number} d'état", 'configuration': {'minValue': '0'},
                          'template': {'dashboard': 'badge', 'mobile': 'badge'} if number % 3 else [], 'isHistorized': 1, 'type': 'info',
                          'subType': 'numeric', 'unite': '°C', 'display': {'icon': '<i class="fa fa-bolt"></i>'}, 'isVisible': 1}
                         for number in range(1, equipments * commands + 1)])
    scenarios = size.get('scenarios', 4)
    yield insert('scenarioElement', [{'id': number, 'order': 0, 'type': 'if', 'name': 'si'} for number in range(1, scenarios + 1)])
    yield insert('scenarioSubElement', [{'id': number, 'order': 0, 'scenarioElement_id': number, 'type': 'if', 'subtype': 'condition'}
                                        for number in range(1, scenarios + 1)])
    yield insert('scenarioExpression', [{'id': number, 'order': 0, 'scenarioSubElement_id': number, 'type': 'condition', 'subtype': '',
                                         'expression': f'#{number}# > 20 && #{number + 1}# < "l\'été"', 'options': {}}
                                        for number in range(1, scenarios + 1)])
    # inactive: a scenario that runs would change the data while a test looks at it
    yield insert('scenario', [{'id': number, 'name': f'Scénario {number}', 'group': 'Maison', 'isActive': 0, 'mode': 'schedule',
                               'schedule': '0 3 1 1 *', 'scenarioElement': [str(number)], 'timeout': 0, 'isVisible': 1, 'object_id': 1}
                              for number in range(1, scenarios + 1)])
    designs = size.get('designs', 1)
    if designs:
        yield insert('planHeader', [{'id': number, 'name': f'Plan {number}', 'configuration': {'desktopSizeX': '1000', 'desktopSizeY': '600'}}
                                    for number in range(1, designs + 1)])
        yield insert('plan', [{'planHeader_id': 1 + number % designs, 'link_type': 'eqLogic', 'link_id': str(number + 1),
                               'position': {'top': str(number * 7 % 90), 'left': str(number * 13 % 90)}, 'display': {}, 'css': {}}
                              for number in range(min(10, equipments))])
    yield insert('view', [{'id': 1, 'name': 'Vue', 'order': 1}])
    yield insert('viewZone', [{'id': 1, 'view_id': 1, 'type': 'widget', 'name': 'zone', 'position': 1}])
    yield insert('viewData', [{'order': 1, 'viewZone_id': 1, 'type': 'eqLogic', 'link_id': 1}])
    yield insert('message', [{'date': now.strftime('%Y-%m-%d %H:%M:%S'), 'logicalId': 'm', 'plugin': 'core', 'message': "Bonjour l'été", 'action': ''}])
    yield insert('dataStore', [{'type': 'scenario', 'link_id': -1, 'key': 'présence', 'value': '1'}])
    yield from history(size.get('history', 2000), equipments * commands, now, chance)
    for plugin in plugins:
        yield insert('update', [{'type': 'plugin', 'name': plugin['id'], 'logicalId': plugin['id'], 'localVersion': '2020-01-01 00:00:00',
                                 'remoteVersion': '2020-01-01 00:00:00', 'source': plugin.get('source', 'market'), 'status': 'ok',
                                 'configuration': {'version': 'stable'}}])
        yield insert('config', [{'plugin': plugin['id'], 'key': 'active', 'value': str(plugin.get('active', 1))}])


def history(rows: int, commands: int, now: datetime.datetime, chance: random.Random) -> Iterator[str]:
    """History: the older half in historyArch, the newer one up to now in history."""
    for table, oldest, newest in (('historyArch', OLDEST_DAYS, OLDEST_DAYS // 2), ('history', OLDEST_DAYS // 2, NEWEST_DAYS)):
        count = rows // 2
        step = (oldest - newest) * 86400 / max(1, count)
        batch = []
        for number in range(count):
            moment = now - datetime.timedelta(seconds=(oldest * 86400) - number * step)
            batch.append({'cmd_id': 1 + number % commands, 'datetime': moment.strftime('%Y-%m-%d %H:%M:%S'),
                          'value': round(chance.uniform(15, 25), 1)})
            if len(batch) == 2000:
                yield insert(table, batch)
                batch = []
        if batch:
            yield insert(table, batch)


def plugin_files(plugin: dict) -> dict[str, str]:
    """Files of a plugin: small, loadable by the genuine core and by the miniature."""
    name = plugin['id']
    info = {'id': name, 'name': plugin.get('name', name.capitalize()), 'description': {'fr_FR': 'sandbox'}, 'licence': 'AGPL', 'author': 'sandbox',
            'require': plugin.get('require', '3.0'), 'category': 'programming', 'changelog': {}, 'documentation': {}}
    if plugin.get('v4', True):
        info['compatibility'] = ['diy', 'rpi', 'v4']
    return {
        'plugin_info/info.json': json.dumps(info, indent=1),
        'plugin_info/install.php': f'<?php\nfunction {name}_install() {{}}\nfunction {name}_update() {{}}\nfunction {name}_remove() {{}}\n',
        f'core/class/{name}.class.php': (f'<?php\nrequire_once __DIR__ . "/../../../../core/php/core.inc.php";\n'
                                         f'class {name} extends eqLogic {{}}\nclass {name}Cmd extends cmd {{\n'
                                         '    public function execute($_options = array()) {}\n}\n'),
        f'core/php/{name}.inc.php': f'<?php\nrequire_once __DIR__ . "/../class/{name}.class.php";\n',
        # what Jeedom's archive leaves out by accident (contract 0.9)
        'data/log/kept.txt': 'a plugin folder called log\n',
    }
