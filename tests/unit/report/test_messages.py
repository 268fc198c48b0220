# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences of the stages in French: each is one that a stage really writes, and what is not known stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.jeedom.fleet.plugins.plugin_utils import journal, report_data, report_messages

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
]


@pytest.mark.parametrize(('english', 'french', 'written'), SENTENCES)
def test_what_a_stage_writes_is_told_in_french(english, french, written):
    assert report_messages.told(english, 'fr') == french
    assert report_messages.told(english, 'en') == english
    assert written in CODE


def test_every_sentence_that_has_a_french_is_among_them():
    used = {next(number for number, (known, _french) in enumerate(report_messages._COMPILED) if known.fullmatch(english)) for english, *_rest in SENTENCES}
    assert used == set(range(len(report_messages._COMPILED)))


@pytest.mark.parametrize('message', ['', 'The disk is on fire.', 'The rollback point stands. And more.', '<b>x</b> is proved.', 'a b is proved.'])
def test_what_is_not_known_stays_as_it_is(message):
    assert report_messages.told(message, 'fr') == message


def test_the_report_tells_it(tmp_path):
    journal.record(tmp_path, 'box1', 'run', 'verify', 'ok', 'The box works and nothing is lost.', outcome='migrated')
    box = report_data.build(tmp_path, 'fr')['boxes'][0]
    assert [box['message'], *(stage['message'] for stage in box['stages'])] == ['La box fonctionne et rien n’est perdu.'] * 2
    assert report_data.build(tmp_path, 'en')['boxes'][0]['message'] == 'The box works and nothing is lost.'
