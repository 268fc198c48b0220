# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals and artifacts of a fleet that never was: as many boxes as wanted, every outcome, the same for the same seed.

By hand: python tests/unit/report/fleet_fixture.py FOLDER BOXES [fr]
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / 'collections'))

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal, runs, waves  # noqa: E402

RUN = '20261123T080000-4242'
BEGIN = 1795420800.0
HOPS = ('4.0.63', '4.1.28', '4.4.20', '4.5.3')
TYPICAL = {'assess': 4, 'backup': 95, 'fetch': 40, 'prepare': 70, 'upgrade': 420, 'verify': 12, 'commit': 3, 'rollback': 110}
PLUGINS = (('zwave', 'Z-Wave', False), ('openzwave', 'Z-Wave (obsolete)', False), ('virtual', 'Virtuel', True), ('mqtt2', 'MQTT Manager', True),
           ('weather', 'Météo', True), ('mail', 'Mail', True), ('script', 'Script', True), ('camera', 'Caméra', True), ('enocean', 'EnOcean', True),
           ('alarm', 'Alarme', True), ('thermostat', 'Thermostat', True), ('mode', 'Mode', True), ('agenda', 'Agenda', True),
           ('rfxcom', 'RFXcom', None), ('blea', 'Bluetooth Advertisement', None), ('timeline', 'Timeline', False), ('homebridge', 'Homebridge', None),
           ('networks', 'Réseaux', True))
CHECKS = {
    'plugin_obsolete': ('blocker', 'A plugin does not exist for V4', 'Replace it by its successor, or consent to its removal.',
                        'jeedom_remove_plugins: [openzwave]'),
    'disk_space': ('blocker', 'Not enough room for the rollback point', 'Remove old backups or set jeedom_rollback_location: controller.', ''),
    'php_extension': ('warning', 'A PHP extension that V4 needs is missing', 'It will be installed in prepare.', ''),
    'custom_css': ('warning', 'Custom CSS is written for the V3 page', 'Look at the pages after the migration.', ''),
    'default_password': ('warning', 'A user still has the default password', 'Change it.', ''),
    'history_size': ('info', 'The history table is large', 'The upgrade takes longer; nothing to do.', ''),
    'old_widget': ('info', 'Third-party widgets will look different', 'See the list of widgets.', ''),
}
OUTCOMES = ('migrated',) * 17 + ('already_done', 'ready', 'blocked', 'blocked', 'rolled_back', 'unknown', 'failed')


def _stage(entry, name, status, clock, seconds, message='', inputs=None, result=None, outcome=None):
    journal.apply(entry, RUN, name, 'started', clock)
    journal.apply(entry, RUN, name, status, clock + seconds, message, inputs, result, outcome)
    return clock + seconds


def _census(chance):
    entities = {'objects': (8, 30), 'equipments': (20, 300), 'commands': (200, 4000), 'scenarios': (3, 60), 'users': (2, 4), 'designs': (0, 6),
                'scenario_expressions': (30, 900), 'active_plugins': (5, 12)}
    return {'schema': 1, 'entities': {name: {'count': chance.randint(*span), 'digest': 'x', 'items': None} for name, span in entities.items()},
            'history': {'history': {'rows': chance.randint(1000, 90000)}, 'historyArch': {'rows': chance.randint(10000, 900000)}},
            'files': {'count': chance.randint(10, 90)}}


def _facts(chance, number, version):
    chosen = chance.sample(PLUGINS, chance.randint(5, 11))
    return {'schema': 1, 'core': {'version_file': version, 'version_db': version, 'name': f'Maison {number}'},
            'os': {'pretty_name': 'Debian GNU/Linux 11 (bullseye)'}, 'hardware': {'model': chance.choice(['Jeedom Smart', 'Raspberry Pi 4 Model B', 'NUC'])},
            'php': {'cli': {'version': '7.4.33'}}, 'database': {'flavour': 'mariadb', 'version': '10.5.23'}, 'census': _census(chance),
            'plugins': {'count': len(chosen), 'items': [{
                'id': name, 'name': title, 'v4': v4, 'active': chance.random() > 0.2, 'equipments': chance.randint(0, 40),
                                                        'version': f'2.{chance.randint(0, 9)}'} for name, title, v4 in chosen]}}


def _findings(chance, outcome):
    blockers = ['plugin_obsolete', 'disk_space'] if outcome == 'blocked' else []
    others = ['php_extension', 'custom_css', 'default_password', 'history_size', 'old_widget']
    ids = blockers[:chance.randint(1, 2)] + chance.sample(others, chance.randint(0, 3))
    evidence = {'plugin_obsolete': ['plugin openzwave 2.4, 23 equipments, 4 scenarios'], 'disk_space': ['1.1 GB free in /var/lib, 2.4 GB needed'],
                'php_extension': ['missing: gmp, imap'], 'custom_css': ['desktop/custom/custom.css, 4 kB'], 'default_password': ['admin'],
                'history_size': ['812,345 rows'], 'old_widget': ['14 widgets, 81 commands']}
    told = [{'id': f'info_{number}', 'severity': 'info', 'subject': None, 'fix': '',
             'title': f'Something good to know about this box: {chance.randint(1, 200)}',
             'advice': 'Nothing is to be done before the migration; look at it afterwards.',
             'evidence': ['limit of 4.0.63: 2023-01-01', 'limit of 4.1.28: 2026-01-01', 'object.display: 5; cmd.display: 100']} for number in range(13)]
    return told + [{'id': name, 'severity': CHECKS[name][0], 'title': CHECKS[name][1], 'advice': CHECKS[name][2], 'fix': CHECKS[name][3],
                    'evidence': evidence[name], 'subject': 'openzwave' if name == 'plugin_obsolete' else None} for name in ids]


def _archive(root, host, name, chance):
    # sparse: the size counts, not the disk
    folder = artifacts.archive_dir(root, host)
    size = chance.randint(60, 900) * 1000003
    with open(folder / name, 'wb') as handle:
        handle.truncate(size)
    second = name.removesuffix('.tar.gz') + '.complement.tar.gz'
    (folder / second).write_bytes(b'x' * 5000)
    digest = hashlib.sha256(f'{host}{name}'.encode()).hexdigest()
    artifacts.write_json(folder / f'{name}.manifest.json', {'sha256': digest, 'size': size, 'core_version': '3.3.60', 'created': BEGIN + 100, 'proved': True,
                                                            'complement': {'name': second, 'size': 5000, 'sha256': digest[::-1]}})


def make_box(root: Path, number: int, outcome: str | None, chance: random.Random, begin: float, host: str | None = None) -> str:
    """One box with an outcome; returns its name."""
    host = host or f'box{number}'
    entry = {'schema': 1, 'host': host, 'run_id': RUN, 'started': begin, 'outcome': None, 'stages': {}, 'history': []}
    pace = chance.uniform(0.6, 1.7)
    facts = _facts(chance, number, '4.5.3' if outcome == 'already_done' else '3.3.60')
    folder = artifacts.run_dir(root, RUN, host)
    artifacts.write_json(folder / 'facts-before.json', facts)
    artifacts.write_json(folder / 'findings.json', _findings(chance, outcome))
    verdict = {'blocked': 'blocked', 'already_done': 'already_done'}.get(outcome, 'ready_with_warnings')
    last = outcome if outcome in ('blocked', 'already_done') else None
    clock = _stage(entry, 'assess', 'blocked' if last == 'blocked' else 'ok', begin, TYPICAL['assess'] * pace,
                   {'blocked': 'Plugin openzwave does not exist for V4 and its removal has not been consented to.',
                    'already_done': 'The box is on 4.5.3 and works.'}.get(outcome, 'Ready with warnings.'),
                   {'target_version': '4.5.3'}, {'verdict': verdict, 'route': list(HOPS) if verdict != 'already_done' else [],
                                                 'from_version': facts['core']['version_file']}, last)
    if last is None:
        for name in ('backup', 'fetch'):
            clock = _stage(entry, name, 'ok', clock, TYPICAL[name] * pace * chance.uniform(0.8, 1.2), 'Proved, 41 tables, 12 plugins.' if name == 'backup' else
                           'The copy on the controller has the same hash.')
        _archive(root, host, f'backup-{artifacts.safe_name(host)}-3.3.60-2026-11-23-08h02.tar.gz', chance)
        clock = _rest(root, entry, outcome, chance, clock, pace, facts, folder)
    entry['updated'] = clock
    artifacts.write_json(journal.path(root, host), entry)
    return host


def _rest(root, entry, outcome, chance, clock, pace, facts, folder):
    if outcome == 'ready':
        return _stage(entry, 'prepare', 'skipped', clock, 0, 'Nothing was changed: the findings have not been acknowledged.', outcome='ready')
    clock = _stage(entry, 'prepare', 'ok', clock, TYPICAL['prepare'] * pace, 'Rollback point taken, history purge off.')
    if outcome in ('rolled_back', 'unknown', 'failed'):
        journal.apply(entry, RUN, 'upgrade', 'started', clock)
        clock += TYPICAL['upgrade'] * pace * 0.6
        if outcome == 'unknown':
            journal.apply(entry, RUN, 'upgrade', 'unknown', clock, 'box has not answered for 300 s while job core-20261123T081201-ab12 was running there.',
                          outcome='unknown')
            return clock
        journal.apply(entry, RUN, 'upgrade', 'failed', clock, 'Hop 3/4 to 4.4.20 ended without [END UPDATE SUCCESS]: no space left on device.')
        good = outcome == 'rolled_back'
        return _stage(entry, 'rollback', 'rolled_back' if good else 'failed', clock, TYPICAL['rollback'] * pace,
                      'Back on 3.3.60, census and files as before.' if good else
                      'The dump in the rollback point has no trailer; the archive is on the controller.',
                      outcome=outcome)
    seconds = TYPICAL['upgrade'] * pace
    clock = _stage(entry, 'upgrade', 'ok', clock, seconds, 'Four hops, each proved.', None,
                   {'from_version': '3.3.60', 'version': '4.5.3', 'outage': seconds * 0.8,
                    'hops': [{'version': version, 'seconds': seconds * 0.2, 'attempts': 1} for version in HOPS]})
    difference = [{'text': '1 scenario fewer: "Ouverture volets" (id 12)'}] if chance.random() < 0.03 else []
    artifacts.write_json(folder / 'facts-after.json', {**facts, 'core': {**facts['core'], 'version_file': '4.5.3'}})
    artifacts.write_json(folder / 'census-difference.json', difference)
    artifacts.write_json(folder / 'health.json', {'status': 'ok', 'checks': [{'id': 'login_page', 'status': 'ok', 'message': 'The login page is that of V4.'},
                                                                             {'id': 'engine', 'status': 'ok', 'message': 'Crons and scenarios run.'}]})
    clock = _stage(entry, 'verify', 'ok', clock, TYPICAL['verify'] * pace, 'The box works and nothing is lost.', None,
                   {'status': 'ok', 'census_difference': difference})
    return _stage(entry, 'commit', 'ok', clock, TYPICAL['commit'] * pace, 'On 4.5.3; nothing is lost.', outcome='migrated')


def make(root: Path, boxes: int = 24, seed: int = 3, language: str = 'en', untouched: int = 0, hosts: dict[int, str] | None = None) -> Path:
    """A fleet in a folder. hosts: other names for some boxes, by number."""
    # Nobody pulls the plug here, and a large fleet is 70,000 files.
    with mock.patch.object(os, 'fsync'):
        return _make(root, boxes, seed, language, untouched, hosts)


def _make(root: Path, boxes: int, seed: int, language: str, untouched: int, hosts: dict[int, str] | None) -> Path:
    chance = random.Random(seed)
    root = artifacts.make_dir(Path(root))
    names, sizes, states = [], [1, 5, max(1, boxes // 2), boxes], []
    outcomes = ['migrated'] + [chance.choice(OUTCOMES) for _number in range(boxes - 1)] if boxes > len(OUTCOMES) or boxes < 5 else \
        ['migrated', *chance.sample(OUTCOMES, boxes - 1)]
    wave, start = 0, BEGIN
    for number, outcome in enumerate(outcomes, 1):
        if number > sum(sizes[:wave + 1]):
            wave, start = wave + 1, start + 1100
        names.append(make_box(root, number, outcome, chance, start + chance.uniform(0, 6), (hosts or {}).get(number)))
        states.append((wave, names[-1], outcome))
    for index in range(wave + 1):
        told = {host: outcome for number, host, outcome in states if number == index}
        bad = [host for host, outcome in told.items() if outcome in journal.BAD_OUTCOMES]
        waves.add(root, RUN, {'number': index + 1, 'play': 'Migrate', 'started': BEGIN + 1100 * index, 'ended': BEGIN + 1100 * index + 1000,
                              'states': told, 'counts': {}, 'passed': index < wave or not untouched, 'limit': 'at most 5 may', 'bad': bad,
                              'left': boxes - len(states) + untouched})
    artifacts.write_json(runs.path(root, RUN), {
        'schema': 1, 'run_id': RUN, 'started': BEGIN, 'controller': 'ops1', 'user': 'camille', 'ansible': '2.19.4', 'language': language,
        'hosts': names + [f'box{boxes + number}' for number in range(1, untouched + 1)],
        'arguments': {'playbook': 'jeedom.fleet.migrate', 'inventory': ['inventory/customers.yml'], 'limit': None,
                      'extra': ['-e', 'jeedom_acknowledge=true jeedom_max_failed=2'], 'flags': []}})
    return root


if __name__ == '__main__':
    make(Path(sys.argv[1]), int(sys.argv[2]), language=sys.argv[3] if len(sys.argv) > 3 else 'en', untouched=int(sys.argv[4]) if len(sys.argv) > 4 else 0)
