# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences of the stages in French: each is one that a stage really writes, and what is not known stays as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, census_difference, journal, report_data, report_messages, report_page

ROOT = Path(__file__).resolve().parents[3]
CODE = ' '.join(' '.join(path.read_text(encoding='utf-8').split()) for folder, kind in (('roles', '*.yml'), ('playbooks', '*.yml'), ('plugins', '*.py'))
                for path in sorted((ROOT / folder).rglob(kind)) if path.name != 'report_messages.py')
# English, French, and the part of it that stands in the code as it is
SENTENCES = [
    ('On 4.5.3 already.', 'Déjà en 4.5.3.', ' already.'),
    ('2 findings stop this box: a, b (first: x): correct what they name.',
     'Points bloquants pour cette box : 2. a, b (first: x): correct what they name.', ' this box: '),
    ('1 finding stops this box: a.', 'Points bloquants pour cette box : 1. a.', ' this box: '),
    ('backup-Jeedom-3.3.60.tar.gz is proved.', 'backup-Jeedom-3.3.60.tar.gz est prouvée.', ' is proved'),
    ('b.tar.gz is proved, and young enough.', 'b.tar.gz est prouvée, et assez récente.', ', and young enough.'),
    ('b.tar.gz is on the controller, byte for byte.', 'b.tar.gz est sur le contrôleur, octet pour octet.', ' is on the controller, byte for byte.'),
    ('b.tar.gz is here already, with the right hash.', 'b.tar.gz est déjà ici, avec la bonne empreinte.', ' is here already, with the right hash.'),
    ('Looked at, backed up and fetched; nothing was changed, since the findings have not been acknowledged: read them, then run again with '
     '-e jeedom_acknowledge=true.',
     'Examinée, sauvegardée et rapatriée ; rien n’a été modifié, car les constats n’ont pas été acceptés : lisez-les, puis relancez avec '
     '-e jeedom_acknowledge=true.', 'since the findings have not been acknowledged: read them, then run again with -e jeedom_acknowledge=true.'),
    ('The rollback point stands.', 'Le point de retour est en place.', 'The rollback point stands{{'),
    ('The rollback point stands on the controller, so this box cannot take itself back without it.',
     'Le point de retour est sur le contrôleur ; sans lui, cette box ne peut pas revenir d’elle-même.',
     ' on the controller, so this box cannot take itself back without it'),
    ('Version 3.3.60 became 4.5.3 in 4 hops and 15 s; the engine stood still for 23 s.',
     'La version 3.3.60 est devenue 4.5.3 en 4 sauts et 15 s ; le moteur est resté arrêté 23 s.',
     'Version %s became %s in %d hops and %d s; the engine stood still for %d s.'),
    ('The box runs version 4.5.3 already.', 'La box est déjà en version 4.5.3.', 'The box runs version %s already.'),
    ('The box works and nothing is lost.', 'La box fonctionne et rien n’est perdu.', 'The box works and nothing is lost.'),
    ('box1 is on 4.5.3 for good.', 'box1 est définitivement en 4.5.3.', ' for good.'),
    ('box1 is on its target version for good.', 'box1 est définitivement dans sa version cible.', "default('its target version')"),
    ('Back on 3.3.60, as it was, after 1.2 s without web.', 'De retour en 3.3.60, comme avant, après 1.2 s sans pages web.', "', as it was, after '"),
    ('The records of this box in the artifacts folder cannot be read (KeyError): look at them there.',
     'Les fichiers de cette box dans le dossier des artefacts ne peuvent pas être lus (KeyError) : examinez-les sur place.',
     'The records of this box in the artifacts folder cannot be read ('),
    ('The migration was cut before its end.', 'La migration a été coupée avant sa fin.', 'The migration was cut before its end.'),
    ('Looked at, backed up and fetched; nothing was changed: the maintenance window 22:00-05:00 has 12 min left, and what changes a box takes about '
     '30 min. Run again in the next one.',
     'Examinée, sauvegardée et rapatriée ; rien n’a été modifié : il reste 12 min de la fenêtre de maintenance 22:00-05:00, et modifier une box prend '
     'environ 30 min. Relancez dans la prochaine.',
     'nothing was changed: the maintenance window {window} has {int(left / 60)} min left, and what changes a box'),
    ('The rollback point stands, removed timeline, old_one.', 'Le point de retour est en place, supprimé : timeline, old_one.', "', removed ' ~"),
    ('The rollback point stands on the controller, so this box cannot take itself back without it, removed timeline.',
     'Le point de retour est sur le contrôleur ; sans lui, cette box ne peut pas revenir d’elle-même. Supprimé : timeline.', "', removed ' ~"),
    ('The box was taken back to 3.3.60 already.', 'La box était déjà revenue en 3.3.60.', 'The box was taken back to %s already.'),
    ('The rollback point had not been complete and nothing had been changed: engine and web are as they were.',
     'Le point de retour n’était pas complet et rien n’avait été modifié : moteur et pages web sont comme avant.', 'engine and web are as they were.'),
    ('A restore that could not be verified was undone: the box is as it was before it.',
     'Une restauration qui n’a pas pu être vérifiée a été annulée : la box est comme avant elle.',
     'A restore that could not be verified was undone: the box is as it was before it.'),
    ('box1 has no proved archive: run the backup again.', 'box1 n’a pas de sauvegarde prouvée : relancez la sauvegarde.',
     ' has no proved archive: run the backup again.'),
    ('The archive of box1 on the controller is not the one on the box: run the fetch again.',
     'La sauvegarde de box1 sur le contrôleur n’est pas celle de la box : relancez le rapatriement.', ' on the controller is not the one on the box: run the'),
    ('box1 is held by run 2026-1 of the controller pc (pid 12), whose job core-1 is running there: wait for that run to end, then run the playbook again.',
     'box1 est occupée par l’exécution 2026-1 du contrôleur pc (pid 12) : attendez qu’elle se termine, puis relancez le playbook.',
     "else 'then run the playbook again'"),
    ('box1 is held by run 2026-1 of the controller pc (pid 12), which has a migration open there and which gave its last sign of life 5 min ago: wait for that '
     'run to end, or, when that controller is gone, take the box over with -e jeedom_take_over=true (after 30 min of silence it is free without that).',
     'box1 est occupée par l’exécution 2026-1 du contrôleur pc (pid 12), dont le dernier signe de vie date de 5 min : attendez qu’elle se termine ou, si ce '
     'contrôleur n’existe plus, reprenez la box avec -e jeedom_take_over=true (après 30 min de silence elle est libre sans cela).',
     'take the box over with -e jeedom_take_over=true (after {_duration(silence)} of silence it is free'),
    ('The link to the box was lost: what ran there goes on.', 'La liaison avec la box a été perdue : ce qui y tournait continue.',
     'The link to the box was lost: what ran there goes on.'),
    ('A task failed; the output above says why.', 'Une tâche a échoué ; la sortie d’Ansible dit pourquoi.', 'A task failed; the output above says why.'),
    ('A task failed.', 'Une tâche a échoué.', "default('A task failed.', true)"),
    ('The run ended before this stage did.', 'L’exécution s’est terminée avant cette étape.', 'The run ended before this stage did.'),
    ('The run was interrupted; what runs on the box goes on.', 'L’exécution a été interrompue ; ce qui tourne sur la box continue.',
     'The run was interrupted; what runs on the box goes on.'),
    # health
    ('nothing to compare with', 'rien à quoi comparer', 'nothing to compare with'),
    ('the core loads and says 4.5.3', 'le core se charge et dit 4.5.3', 'the core loads and says %s'),
    ('the core does not load: code 255, PHP died', 'le core ne se charge pas : code 255, PHP died', 'the core does not load: code %d, %s'),
    ('no core API key is set on this box', 'aucune clé API du core sur cette box', 'no core API key is set on this box'),
    ('the API is disable on this box', 'l’API est en « disable » sur cette box', 'the API is %s on this box'),
    ('the API does not answer (x)', 'l’API ne répond pas (x)', 'the API does not answer (%s)'),
    ('the API answers HTTP 500: x', 'l’API répond HTTP 500 : x', 'the API answers HTTP %d: %s'),
    ('no web server answers on 127.0.0.1', 'aucun serveur web ne répond sur 127.0.0.1', 'no web server answers on 127.0.0.1'),
    ('port 80 answers HTTP 200 with 12 bytes that are not the login page',
     'le port 80 répond HTTP 200 avec 12 octets qui ne sont pas la page de connexion', 'port %d answers HTTP %d with %d bytes that are not the login page'),
    ('5000 bytes', '5000 octets', "'%d bytes'"),
    ('rows and active plugins as before', 'lignes et plugins actifs comme avant', 'rows and active plugins as before'),
    ('history + historyArch: 3 instead of 5', 'history + historyArch : 3 au lieu de 5', '%s: %d instead of %d'),
    ('plugins no longer active: a, b', 'plugins qui ne sont plus actifs : a, b', 'plugins no longer active: %s'),
    ('the web user owns the tree', 'l’arborescence appartient à l’utilisateur web', 'the web user owns the tree'),
    ('the web root is missing', 'la racine web manque', "or 'the web root'"),
    ('the web root belongs to another user', 'la racine web appartient à un autre utilisateur', "or 'the web root'"),
    ('core/config is missing', 'core/config manque', "'%s is missing'"),
    ('log belongs to another user', 'log appartient à un autre utilisateur', '%s belongs to another user'),
    ('not running: zwave, mqtt', 'ne tournent pas : zwave, mqtt', 'not running: %s'),
    ('2 running as before', '2 en marche comme avant', '%d running as before'),
    ('no new PHP error in the logs', 'aucune nouvelle erreur PHP dans les journaux', 'no new PHP error in the logs'),
    ('3 new, such as http.error: PHP Fatal', '3 nouvelles, dont http.error: PHP Fatal', '%d new, such as %s'),
    ('crons or scenarios were switched off before the migration and are so again', 'crons ou scénarios étaient coupés avant la migration et le sont de nouveau',
     'crons or scenarios were switched off before the migration and are so again'),
    ('the engine does not run: no cron daemon runs', 'le moteur ne tourne pas : aucun démon cron ne tourne', 'no cron daemon runs'),
    ('the engine does not run: /etc/cron.d/jeedom stands aside', 'le moteur ne tourne pas : /etc/cron.d/jeedom est mis de côté', 'jeedom stands aside'),
    ('the engine does not run: /etc/cron.d/jeedom is missing', 'le moteur ne tourne pas : /etc/cron.d/jeedom manque', '/etc/cron.d/jeedom is missing'),
    ('the engine does not run: a row switches it off', 'le moteur ne tourne pas : une ligne de la base le coupe', 'a row switches it off'),
]


@pytest.mark.parametrize(('english', 'french', 'written'), SENTENCES)
def test_what_a_stage_writes_is_told_in_french(english, french, written):
    assert report_messages.told(english, 'fr') == french
    assert report_messages.told(english, 'en') == english
    assert written in CODE


@pytest.mark.parametrize(('english', 'french'), [
    ('Backup, fetch, prepare and upgrade were skipped, since run 2026-1 had ended them well; proved again: The box works and nothing is lost.',
     'Sauvegarde, rapatriement, préparation et mise à jour ont été sautés, l’exécution 2026-1 les ayant bien terminés ; prouvé de nouveau : '
     'La box fonctionne et rien n’est perdu.'),
    ('box1 is not proved: not running: zwave; command [Salon][Lampe] is gone; 3 users fewer (1 instead of 4); strange',
     'box1 n’est pas prouvée : ne tournent pas : zwave ; commande [Salon][Lampe] n’y est plus ; 3 utilisateurs de moins (1 au lieu de 4) ; strange'),
])
def test_a_sentence_of_several_parts_is_told_part_by_part(english, french):
    assert report_messages.told(english, 'fr') == french
    for start in ('Backup, fetch, prepare and upgrade were skipped, since run ', ' is not proved: '):
        assert start in CODE


def counted(count, **others):
    return {'count': count, 'items': {str(number): [f'[Salon][{number}]', 'x', 'y'] for number in range(count)} | others}


def entity(count, digest='d'):
    return {'count': count, 'digest': digest}


DIFFERENT = [
    ({'entities': {'commands': counted(30)}}, {'entities': {'commands': counted(5)}}),
    ({'entities': {'commands': counted(22)}}, {'entities': {'commands': counted(1)}}),
    ({'entities': {'commands': counted(1)}}, {'entities': {'commands': counted(30)}}),
    ({'entities': {'equipments': counted(1, a=['A', 'x', 'y'], b=['B', 'x', 'y'])}},
     {'entities': {'equipments': counted(1, a=['A', 'z', 'y'], b=['B', 'x', 'z'])}}),
    ({'entities': {'users': counted(30)}}, {'entities': {'users': {'items': {str(n): [f'u{n}', 'z', 'y'] for n in range(30)}}}}),
    ({'entities': {'users': counted(30)}}, {'entities': {'users': {'items': {str(n): [f'u{n}', 'x', 'z'] for n in range(30)}}}}),
    *(({'entities': {key: entity(1500)}}, {'entities': {key: after}})
      for key in census_difference.NOUNS for after in (entity(1499), entity(0), entity(2500), entity(1500, 'e'), None)),
    *(({'entities': {}, 'history': {table: {'rows': 1500, 'digest': 'd', 'commands': {str(n): [5, 'd'] for n in range(25)}}}},
       {'entities': {}, 'history': {table: after}})
      for table in ('history', 'historyArch')
      for after in (None, {'rows': 1500, 'digest': 'e'}, {'rows': 1, 'digest': 'e'}, {'rows': 1499, 'digest': 'e'}, {'rows': 2500, 'digest': 'e'},
                    {'rows': 1500, 'digest': 'e', 'commands': {str(n): [5, 'e'] for n in range(25)}},
                    {'rows': 1500, 'digest': 'e', 'commands': {str(n): [4, 'd'] for n in range(25)}})),
    ({'entities': {}, 'plugin_folders': ['one']}, {'entities': {}, 'plugin_folders': ['two']}),
    ({'entities': {}, 'files': {'items': {'a': [1], 'b': [1]}}}, {'entities': {}, 'files': {'items': {'b': [2], 'c': [1]}}}),
    ({'entities': {}, 'files': {'items': {str(n): [1] for n in range(25)}}}, {'entities': {}, 'files': {'items': {str(n): [2] for n in range(25)}}}),
]
EXACT = [
    ({'exact': {'tables': {'a': {'rows': 5}, 'b': {}, 'c': {'rows': 2, 'checksum': 1}, 'e': {'rows': 2}},
                'folders': {str(n): [1] for n in range(25)} | {'x': [1], 'y': [1]}}},
     {'exact': {'tables': {'a': {'rows': 4}, 'd': {}, 'c': {'rows': 2, 'checksum': 2}, 'e': {'rows': 9}}, 'folders': {'x': [2], 'z': [1]}}}),
    ({'exact': {}}, {'exact': {'tables': {'a': {}}}}),
    ({'exact': {'tables': {'a': {}}}}, {'exact': {}}),
]
ENGLISH = re.compile(r'\b(is|are|gone|new|changed|fewer|more|instead|another|the|of|some|likewise|rows?|could|settings)\b')


def test_every_difference_of_a_census_is_told_in_french():
    texts = {entry['text'] for level, cases in (('stable', DIFFERENT), ('exact', EXACT)) for before, after in cases
             for entry in census_difference.difference(before, after, level, everything=True)}
    told = {text: report_messages.told(text, 'fr') for text in texts}
    assert not {text: french for text, french in told.items() if ENGLISH.search(french)}
    # as many differences as before: no two have become the same
    assert len(set(told.values())) == len(texts) > 200
    used = {next(number for number, (known, _french) in enumerate(report_messages._DIFFERENCES) if known.fullmatch(text)) for text in texts}
    assert used == set(range(len(report_messages._DIFFERENCES)))


@pytest.mark.parametrize(('english', 'french'), [
    ('another 1 command is gone', '1 autre commande n’y est plus'), ('another 2 commands are new', '2 autres commandes sont en plus'),
    ('12,500 archived history rows fewer (1 instead of 12,501)', '12\u202f500 lignes d’historique archivées de moins (1 au lieu de 12\u202f501)'),
    ('1 history row fewer of [Salon][Lampe]', '1 ligne d’historique de moins pour [Salon][Lampe]'),
    ('the settings of equipment [Salon] changed', 'réglages changés : équipement [Salon]'),
    ('scenario block x {count} is gone', 'bloc de scénario x {count} n’y est plus'),
])
def test_numbers_and_names_of_a_difference_stay(english, french):
    assert report_messages.told(english, 'fr') == french


def test_every_kind_of_thing_has_a_french_name():
    assert set(report_messages._NOUNS) == set(census_difference.NOUNS)


def test_the_page_tells_differences_and_health_in_french(tmp_path):
    journal.record(tmp_path, 'box1', 'run', 'verify', 'failed', 'box1 is not proved: command [A] is gone', outcome='failed')
    folder = tmp_path / 'run' / 'box1'
    artifacts.write_json(folder / 'census-difference.json', [{'what': 'commands', 'kind': 'missing', 'text': 'command [A] is gone'}])
    bad = {'id': 'daemons', 'status': 'warning', 'message': 'not running: zwave'}
    artifacts.write_json(folder / 'health.json', {'status': 'degraded', 'checks': [bad]})
    pages = report_page.pages(report_data.build(tmp_path, 'fr'))
    page = ''.join(piece if isinstance(piece, str) else piece.decode() for _name, pieces in pages for piece in pieces)
    # of the stage, of the box, among all differences
    assert page.count('commande [A] n’y est plus') >= 3 and 'ne tournent pas : zwave' in page
    assert 'is gone' not in page and 'not running' not in page


def test_every_sentence_that_has_a_french_is_among_them():
    used = {next(number for number, (known, _french) in enumerate(report_messages._COMPILED) if known.fullmatch(english)) for english, *_rest in SENTENCES}
    assert used == set(range(len(report_messages._COMPILED)))


@pytest.mark.parametrize('message', [
    '', 'The disk is on fire.', 'The disk; the fire.', 'The rollback point stands. And more.', '<b>x</b> is proved.', 'a b is proved.'])
def test_what_is_not_known_stays_as_it_is(message):
    assert report_messages.told(message, 'fr') == message


def test_the_report_tells_it(tmp_path):
    journal.record(tmp_path, 'box1', 'run', 'verify', 'ok', 'The box works and nothing is lost.', outcome='migrated')
    box = report_data.build(tmp_path, 'fr')['boxes'][0]
    assert [box['message'], *(stage['message'] for stage in box['stages'])] == ['La box fonctionne et rien n’est perdu.'] * 2
    assert report_data.build(tmp_path, 'en')['boxes'][0]['message'] == 'The box works and nothing is lost.'
