# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences that end a stage, in the language of the report. Journals hold them in English, whoever reads them later."""

from __future__ import annotations

import re

_NAME = r'([\w.@+-]+)'
_VERSION = r'([\d.]+)'
# The English sentence as stages write it -> French. What is not here (reasons of failures, names of checks) stays English.
_FRENCH: tuple[tuple[str, str], ...] = (
    (rf'On {_VERSION} already\.', r'Déjà en \1.'),
    (r'(\d+) findings? stops? this box: (.*)', r'Points bloquants pour cette box : \1. \2'),
    (rf'{_NAME} is proved\.', r'\1 est prouvée.'),
    (rf'{_NAME} is proved, and young enough\.', r'\1 est prouvée, et assez récente.'),
    (rf'{_NAME} is on the controller, byte for byte\.', r'\1 est sur le contrôleur, octet pour octet.'),
    (rf'{_NAME} is here already, with the right hash\.', r'\1 est déjà ici, avec la bonne empreinte.'),
    (r'Looked at, backed up and fetched; nothing was changed, since the findings have not been acknowledged: read them, then run again with '
     r'-e jeedom_acknowledge=true\.',
     'Examinée, sauvegardée et rapatriée ; rien n’a été modifié, car les constats n’ont pas été acceptés : lisez-les, puis relancez avec '
     '-e jeedom_acknowledge=true.'),
    (r'The rollback point stands\.', 'Le point de retour est en place.'),
    (r'The rollback point stands on the controller, so this box cannot take itself back without it\.',
     'Le point de retour est sur le contrôleur ; sans lui, cette box ne peut pas revenir d’elle-même.'),
    (rf'Version {_VERSION} became {_VERSION} in (\d+) hops and (\d+) s; the engine stood still for (\d+) s\.',
     r'La version \1 est devenue \2 en \3 sauts et \4 s ; le moteur est resté arrêté \5 s.'),
    (rf'The box runs version {_VERSION} already\.', r'La box est déjà en version \1.'),
    (r'The box works and nothing is lost\.', 'La box fonctionne et rien n’est perdu.'),
    (rf'{_NAME} is on {_VERSION} for good\.', r'\1 est définitivement en \2.'),
    (rf'{_NAME} is on its target version for good\.', r'\1 est définitivement dans sa version cible.'),
    (rf'Back on {_VERSION}, as it was, after ([\d.]+) s without web\.', r'De retour en \1, comme avant, après \2 s sans pages web.'),
    (r'The records of this box in the artifacts folder cannot be read \((\w+)\): look at them there\.',
     r'Les fichiers de cette box dans le dossier des artefacts ne peuvent pas être lus (\1) : examinez-les sur place.'),
    (r'The migration was cut before its end\.', 'La migration a été coupée avant sa fin.'),
)
_COMPILED = tuple((re.compile(english, re.DOTALL), french) for english, french in _FRENCH)


def told(message: str, language: str) -> str:
    """A sentence of the journal in the language of the report; as it is where there is no other."""
    if language == 'fr':
        for english, french in _COMPILED:
            found = english.fullmatch(message)
            if found:
                return found.expand(french)
    return message
