# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stages, checks and differences say, in the language of the report. Journals hold it in English, whoever reads it later."""

from __future__ import annotations

import re

from ansible_collections.jeedom.fleet.plugins.plugin_utils import census_difference

_NAME = r'([\w.@+-]+)'
_VERSION = r'([\d.]+)'
# The English sentence as stages write it -> French. What is not here (reasons of failures deep down) stays English.
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
    (r'Looked at, backed up and fetched; nothing was changed: the maintenance window (\S+) has (\d+) min left, and what changes a box takes about (\d+) min\. '
     r'Run again in the next one\.',
     r'Examinée, sauvegardée et rapatriée ; rien n’a été modifié : il reste \2 min de la fenêtre de maintenance \1, et modifier une box prend environ \3 min. '
     r'Relancez dans la prochaine.'),
    (r'The rollback point stands\.', 'Le point de retour est en place.'),
    (r'The rollback point stands, removed ([\w., @+-]+)\.', r'Le point de retour est en place, supprimé : \1.'),
    (r'The rollback point stands on the controller, so this box cannot take itself back without it\.',
     'Le point de retour est sur le contrôleur ; sans lui, cette box ne peut pas revenir d’elle-même.'),
    (r'The rollback point stands on the controller, so this box cannot take itself back without it, removed ([\w., @+-]+)\.',
     r'Le point de retour est sur le contrôleur ; sans lui, cette box ne peut pas revenir d’elle-même. Supprimé : \1.'),
    (rf'Version {_VERSION} became {_VERSION} in (\d+) hops and (\d+) s; the engine stood still for (\d+) s\.',
     r'La version \1 est devenue \2 en \3 sauts et \4 s ; le moteur est resté arrêté \5 s.'),
    (rf'The box runs version {_VERSION} already\.', r'La box est déjà en version \1.'),
    (r'The box works and nothing is lost\.', 'La box fonctionne et rien n’est perdu.'),
    (rf'{_NAME} is on {_VERSION} for good\.', r'\1 est définitivement en \2.'),
    (rf'{_NAME} is on its target version for good\.', r'\1 est définitivement dans sa version cible.'),
    (rf'Back on {_VERSION}, as it was, after ([\d.]+) s without web\.', r'De retour en \1, comme avant, après \2 s sans pages web.'),
    (rf'The box was taken back to {_VERSION} already\.', r'La box était déjà revenue en \1.'),
    (r'The rollback point had not been complete and nothing had been changed: engine and web are as they were\.',
     'Le point de retour n’était pas complet et rien n’avait été modifié : moteur et pages web sont comme avant.'),
    (r'A restore that could not be verified was undone: the box is as it was before it\.',
     'Une restauration qui n’a pas pu être vérifiée a été annulée : la box est comme avant elle.'),
    (r'The records of this box in the artifacts folder cannot be read \((\w+)\): look at them there\.',
     r'Les fichiers de cette box dans le dossier des artefacts ne peuvent pas être lus (\1) : examinez-les sur place.'),
    (r'The migration was cut before its end\.', 'La migration a été coupée avant sa fin.'),
    (rf'{_NAME} has no proved archive: run the backup again\.', r'\1 n’a pas de sauvegarde prouvée : relancez la sauvegarde.'),
    (rf'The archive of {_NAME} on the controller is not the one on the box: run the fetch again\.',
     r'La sauvegarde de \1 sur le contrôleur n’est pas celle de la box : relancez le rapatriement.'),
    (rf'{_NAME} is held by run (\S+) of the controller (.+ \(pid \d+\)), .*: wait for that run to end, then run the playbook again\.',
     r'\1 est occupée par l’exécution \2 du contrôleur \3 : attendez qu’elle se termine, puis relancez le playbook.'),
    (rf'{_NAME} is held by run (\S+) of the controller (.+ \(pid \d+\)), .* and which gave its last sign of life (.+) ago: wait for that run to end, or, '
     r'when that controller is gone, take the box over with (-e \S+) \(after (.+) of silence it is free without that\)\.',
     r'\1 est occupée par l’exécution \2 du contrôleur \3, dont le dernier signe de vie date de \4 : attendez qu’elle se termine ou, si ce contrôleur '
     r'n’existe plus, reprenez la box avec \5 (après \6 de silence elle est libre sans cela).'),
    # what the callback says for boxes that cannot do so themselves
    (r'The link to the box was lost: what ran there goes on\.', 'La liaison avec la box a été perdue : ce qui y tournait continue.'),
    (r'A task failed; the output above says why\.', 'Une tâche a échoué ; la sortie d’Ansible dit pourquoi.'),
    (r'A task failed\.', 'Une tâche a échoué.'),
    (r'The run ended before this stage did\.', 'L’exécution s’est terminée avant cette étape.'),
    (r'The run was interrupted; what runs on the box goes on\.', 'L’exécution a été interrompue ; ce qui tourne sur la box continue.'),
    # health
    (r'nothing to compare with', 'rien à quoi comparer'),
    (rf'the core loads and says {_VERSION}', r'le core se charge et dit \1'),
    (r'the core does not load: code (-?\d+), (.*)', r'le core ne se charge pas : code \1, \2'),
    (r'no core API key is set on this box', 'aucune clé API du core sur cette box'),
    (r'the API is (\w+) on this box', r'l’API est en « \1 » sur cette box'),
    (r'the API does not answer \((.*)\)', r'l’API ne répond pas (\1)'),
    (r'the API answers HTTP (\d+): (.*)', r'l’API répond HTTP \1 : \2'),
    (r'no web server answers on 127\.0\.0\.1', 'aucun serveur web ne répond sur 127.0.0.1'),
    (r'port (\d+) answers HTTP (\d+) with (\d+) bytes that are not the login page',
     r'le port \1 répond HTTP \2 avec \3 octets qui ne sont pas la page de connexion'),
    (r'(\d+) bytes', r'\1 octets'),
    (r'rows and active plugins as before', 'lignes et plugins actifs comme avant'),
    (r'([\w+ ]+): (\d+) instead of (\d+)', r'\1 : \2 au lieu de \3'),
    (r'plugins no longer active: ([^;]*)', r'plugins qui ne sont plus actifs : \1'),
    (r'the web user owns the tree', 'l’arborescence appartient à l’utilisateur web'),
    (r'the web root is missing', 'la racine web manque'),
    (r'the web root belongs to another user', 'la racine web appartient à un autre utilisateur'),
    (r'([\w./-]+) is missing', r'\1 manque'),
    (r'([\w./-]+) belongs to another user', r'\1 appartient à un autre utilisateur'),
    (r'not running: ([^;]*)', r'ne tournent pas : \1'),
    (r'(\d+) running as before', r'\1 en marche comme avant'),
    (r'no new PHP error in the logs', 'aucune nouvelle erreur PHP dans les journaux'),
    (r'(\d+) new, such as (.*)', r'\1 nouvelles, dont \2'),
    (r'crons or scenarios were switched off before the migration and are so again',
     'crons ou scénarios étaient coupés avant la migration et le sont de nouveau'),
    (r'the engine does not run: no cron daemon runs', 'le moteur ne tourne pas : aucun démon cron ne tourne'),
    (r'the engine does not run: /etc/cron\.d/jeedom stands aside', 'le moteur ne tourne pas : /etc/cron.d/jeedom est mis de côté'),
    (r'the engine does not run: /etc/cron\.d/jeedom is missing', 'le moteur ne tourne pas : /etc/cron.d/jeedom manque'),
    (r'the engine does not run: a row switches it off', 'le moteur ne tourne pas : une ligne de la base le coupe'),
)
# A beginning that the rest of the sentence, told by itself, follows.
_BEGINNINGS: tuple[tuple[str, str], ...] = (
    (r'Backup, fetch, prepare and upgrade were skipped, since run (\S+) had ended them well; proved again: ',
     r'Sauvegarde, rapatriement, préparation et mise à jour ont été sautés, l’exécution \1 les ayant bien terminés ; prouvé de nouveau : '),
    (rf'{_NAME} is not proved: ', r'\1 n’est pas prouvée : '),
)
# The French of census_difference.NOUNS, by its keys: which differences are found, and when, is decided there alone.
_NOUNS: dict[str, tuple[str, str]] = {
    'objects': ('objet', 'objets'), 'equipments': ('équipement', 'équipements'), 'commands': ('commande', 'commandes'),
    'scenarios': ('scénario', 'scénarios'), 'scenario_elements': ('bloc de scénario', 'blocs de scénario'),
    'scenario_subelements': ('partie de bloc de scénario', 'parties de blocs de scénario'),
    'scenario_expressions': ('expression de scénario', 'expressions de scénario'), 'users': ('utilisateur', 'utilisateurs'),
    'views': ('vue', 'vues'), 'view_zones': ('zone de vue', 'zones de vue'), 'view_data': ('entrée de vue', 'entrées de vue'),
    'designs': ('design', 'designs'), 'design_elements': ('élément de design', 'éléments de design'),
    'designs_3d': ('design 3D', 'designs 3D'), 'design_3d_elements': ('élément de design 3D', 'éléments de design 3D'),
    'interactions': ('interaction', 'interactions'), 'interaction_queries': ('requête d’interaction', 'requêtes d’interaction'),
    'variables': ('variable', 'variables'), 'crons': ('cron', 'crons'), 'listeners': ('écouteur', 'écouteurs'),
    'messages': ('message', 'messages'), 'plugin_rows': ('entrée de plugin', 'entrées de plugin'),
    'active_plugins': ('plugin actif', 'plugins actifs'), 'plugin_settings': ('réglage de plugin', 'réglages de plugins'),
    'files': ('fichier', 'fichiers'), 'plugin_folders': ('dossier de plugin', 'dossiers de plugin'), 'tables': ('table', 'tables'),
    'folders': ('dossier', 'dossiers'),
}
_THINGS = {word: french for key, words in census_difference.NOUNS.items() for word, french in zip(words, _NOUNS.get(key, words), strict=True)}
_THINGS |= {'history row': 'ligne d’historique', 'history rows': 'lignes d’historique', 'row': 'ligne', 'rows': 'lignes',
            'archived history row': 'ligne d’historique archivée', 'archived history rows': 'lignes d’historique archivées'}
_THING = '(?P<thing>' + '|'.join(sorted(map(re.escape, _THINGS), key=len, reverse=True)) + ')'
_COUNT = r'(?P<count>[\d,]+)'
# {thing} and numbers are put in; a pair is for one and for many.
_CENSUS: tuple[tuple[str, str | tuple[str, str]], ...] = (
    (rf'{_COUNT} {_THING} (?:fewer) \((?P<now>[\d,]+) instead of (?P<then>[\d,]+)\)', '{count} {thing} de moins ({now} au lieu de {then})'),
    (rf'{_COUNT} {_THING} (?:more) \((?P<now>[\d,]+) instead of (?P<then>[\d,]+)\)', '{count} {thing} de plus ({now} au lieu de {then})'),
    (rf'{_COUNT} {_THING} fewer of (?P<name>.+)', '{count} {thing} de moins pour {name}'),
    (rf'some of the {_COUNT} {_THING} changed', 'des changements parmi {count} {thing}'),
    (rf'another {_COUNT} {_THING} (?:is|are) gone', ('{count} autre {thing} n’y est plus', '{count} autres {thing} n’y sont plus')),
    (rf'another {_COUNT} {_THING} (?:is|are) new', ('{count} autre {thing} est en plus', '{count} autres {thing} sont en plus')),
    (rf'another {_COUNT} {_THING} changed', ('{count} autre {thing} a changé', '{count} autres {thing} ont changé')),
    (rf'the settings of another {_COUNT} {_THING} changed', ('réglages changés : {count} autre {thing}', 'réglages changés : {count} autres {thing}')),
    (rf'likewise for another {_COUNT} {_THING}', ('de même pour {count} autre {thing}', 'de même pour {count} autres {thing}')),
    (rf'the {_THING} could not be counted again', 'n’ont pas pu être comptés de nouveau : {thing}'),
    (rf'the settings of {_THING} (?P<name>.+) changed', 'réglages changés : {thing} {name}'),
    (rf'table (?P<name>\S+) has {_COUNT} {_THING} fewer', 'table {name} : {count} {thing} de moins'),
    (rf'table (?P<name>\S+) has {_COUNT} {_THING} more', 'table {name} : {count} {thing} de plus'),
    (rf'{_THING} of table (?P<name>\S+) changed', 'des {thing} de la table {name} ont changé'),
    (r'(?P<thing>(?:archived )?history rows) of (?P<name>.+) changed', 'des {thing} de {name} ont changé'),
    (rf'{_THING} (?P<name>.+) is gone', '{thing} {name} n’y est plus'),
    (rf'{_THING} (?P<name>.+) is new', '{thing} {name} est en plus'),
    (rf'{_THING} (?P<name>.+) changed', '{thing} {name} a changé'),
    (r'no exact census was taken before', 'aucun recensement exact n’a été fait avant'),
    (r'no exact census was taken after', 'aucun recensement exact n’a été fait après'),
)


def _compiled(sentences: tuple) -> tuple:
    return tuple((re.compile(english, re.DOTALL), french) for english, french in sentences)


_COMPILED, _STARTS, _DIFFERENCES = _compiled(_FRENCH), _compiled(_BEGINNINGS), _compiled(_CENSUS)


def _difference(sentence: str) -> str | None:
    """What differs between two censuses, in French."""
    for english, french in _DIFFERENCES:
        found = english.fullmatch(sentence)
        if found:
            words = {key: value.replace(',', '\u202f') if key in ('count', 'now', 'then') else value for key, value in found.groupdict().items()}
            words['thing'] = _THINGS.get(words.get('thing', ''), '')
            return (french if isinstance(french, str) else french[words['count'] != '1']).format(**words)
    return None


def _french(message: str) -> str | None:
    for english, french in _COMPILED:
        found = english.fullmatch(message)
        if found:
            return found.expand(french)
    for english, french in _STARTS:
        found = english.match(message)
        if found:
            rest = message[found.end():]
            return found.expand(french) + (_french(rest) or rest)
    if '; ' in message:
        # verify names all that is wrong in one line
        parts = message.split('; ')
        told_parts = [_french(part) for part in parts]
        if any(told_parts):
            return ' ; '.join(french or part for french, part in zip(told_parts, parts, strict=True))
    return _difference(message)


def told(message: str, language: str) -> str:
    """A sentence of the journal in the language of the report; as it is where there is no other."""
    return (_french(message) or message) if language == 'fr' else message
