# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the report, in English and French, and how numbers and times are written."""

from __future__ import annotations

import time

from ansible_collections.jeedom.fleet.plugins.plugin_utils import report_messages

# key: (English, French)
_WORDS: dict[str, tuple[str, str]] = {
    'title': ('Jeedom migration report', 'Rapport de migration Jeedom'),
    'eyebrow': ('Jeedom V3 to V4 · migration report', 'Jeedom V3 vers V4 · rapport de migration'),
    'glance': ('At a glance', 'En un coup d’œil'),
    'next': ('What to do next', 'Ce qu’il reste à faire'),
    'nothing_left': ('Nothing is left to do: every box is on V4.', 'Il ne reste rien à faire : toutes les box sont en V4.'),
    'boxes': ('Boxes', 'Box'),
    'findings': ('Findings', 'Constats'),
    'plugins': ('Plugins', 'Plugins'),
    'census': ('Nothing lost: the census', 'Rien de perdu : le recensement'),
    'census_nav': ('Census', 'Recensement'),
    'archives': ('Archives', 'Sauvegardes'),
    'box': ('Box', 'Box'),
    'version': ('Version', 'Version'),
    'whole': ('all {n} boxes', 'les {n} box'),
    'part': ('page {n} of {total}', 'page {n} sur {total}'),
    'pages_text': ('One square per box; each of the {n} strips leads to the page that tells all about its boxes.',
                   'Un carré par box ; chacune des {n} bandes mène à la page qui dit tout de ses box.'),
    'need_look': ('{n} boxes are not on V4; those that need a look come first.', '{n} box ne sont pas en V4 ; d’abord celles à examiner.'),
    'and_rest': ('The first {most} are listed, {n} more fit: search, or choose a state.',
                 'Les {most} premières sont listées, {n} autres correspondent : cherchez, ou choisissez un état.'),
    'fit': ('{n} of {total} boxes fit', '{n} box sur {total} correspondent'),
    'and_more': ('and {n} more, on the pages of the boxes and in report.json', 'et {n} autres, sur les pages des box et dans report.json'),
    'archives_pages': ('Names and hashes are on the pages of the boxes and in report.json. Here stand only those that are not there any more.',
                       'Noms et empreintes sont sur les pages des box et dans report.json. Ici, seulement celles qui ne sont plus là.'),
    'footer_pages': ('Written by jeedom.fleet. Keep the files of this folder together; they load nothing else.',
                     'Écrit par jeedom.fleet. Gardez ensemble les fichiers de ce dossier ; ils ne chargent rien d’autre.'),
    'durations': ('Durations', 'Durées'),
    'waves': ('Waves', 'Vagues'),
    'map': ('Map of the fleet', 'Carte du parc'),
    'states': ('States of the boxes', 'États des box'),
    'skip': ('Skip to the content', 'Aller au contenu'),
    'theme': ('Light or dark', 'Clair ou sombre'),
    'generated': ('As of', 'État au'),
    'run': ('Run', 'Exécution'),
    'by': ('by {user} on {controller}', 'par {user} sur {controller}'),
    'median_migration': ('median time per migrated box', 'durée médiane par box migrée'),
    'archived': ('in {n} archives on the controller', 'en {n} sauvegardes sur le contrôleur'),
    'census_equal': ('censuses equal before and after', 'recensements identiques avant et après'),
    'outage': ('median outage per box', 'coupure médiane par box'),
    'search': ('Search boxes', 'Rechercher une box'),
    'search_hint': ('name, version, message …', 'nom, version, message …'),
    'all': ('All', 'Toutes'),
    'shown': ('{n} of {total} boxes shown', '{n} box sur {total} affichées'),
    'open_all': ('Open all', 'Tout ouvrir'),
    'close_all': ('Close all', 'Tout fermer'),
    'stage': ('Stage', 'Étape'),
    'result': ('Result', 'Résultat'),
    'began': ('Began', 'Début'),
    'took': ('Took', 'Durée'),
    'message': ('Message', 'Message'),
    'system': ('System', 'Système'),
    'route': ('Route', 'Chemin'),
    'hops': ('Hops', 'Sauts'),
    'left': ('Left to do', 'Reste à faire'),
    'earlier': ('done in an earlier run', 'fait lors d’une exécution précédente'),
    'health': ('Health after the migration', 'Santé après la migration'),
    'downtime': ('Outage', 'Coupure'),
    'before_runs': ('Earlier runs', 'Exécutions précédentes'),
    'severity': ('Severity', 'Gravité'),
    'blocker': ('Blocker', 'Bloquant'),
    'warning': ('Warning', 'Avertissement'),
    'info': ('Info', 'Info'),
    'accepted': ('accepted', 'accepté'),
    'fix': ('Fix', 'Correction'),
    'more': ('and {n} more that are good to know, see Findings', 'et {n} autres, bons à savoir, voir Constats'),
    'no_findings': ('No findings.', 'Aucun constat.'),
    'on_boxes': ('on {n} of {total} boxes', 'sur {n} box sur {total}'),
    'plugin': ('Plugin', 'Plugin'),
    'for_v4': ('Made for V4', 'Prévu pour la V4'),
    'v4_yes': ('yes', 'oui'),
    'v4_no': ('no', 'non'),
    'v4_unknown': ('does not say', 'ne le dit pas'),
    'active': ('active', 'actifs'),
    'equipments': ('Equipments', 'Équipements'),
    'removed': ('removed', 'supprimé'),
    'no_plugins': ('No plugins have been seen yet.', 'Aucun plugin relevé pour l’instant.'),
    'matrix': ('One square per box, in the order of the map.', 'Un carré par box, dans l’ordre de la carte.'),
    'census_text': ('What the owner has was counted and hashed before the first change and after the last one.',
                    'Ce que possède l’utilisateur a été compté et condensé avant le premier changement et après le dernier.'),
    'what': ('What', 'Quoi'),
    'before': ('Before', 'Avant'),
    'after': ('After', 'Après'),
    'difference': ('Difference', 'Écart'),
    'differences': ('Differences', 'Écarts'),
    'total_compared': ('Sum over the {n} boxes that were counted twice', 'Somme sur les {n} box comptées deux fois'),
    'no_difference': ('No difference on any box.', 'Aucun écart sur aucune box.'),
    'no_census': ('No box has been compared yet.', 'Aucune box n’a encore été comparée.'),
    'archive': ('Archive', 'Sauvegarde'),
    'size': ('Size', 'Taille'),
    'sha256': ('SHA-256', 'SHA-256'),
    'missing': ('not there any more', 'n’est plus là'),
    'no_archives': ('No archive has been fetched yet.', 'Aucune sauvegarde rapatriée pour l’instant.'),
    'archives_text': ('They hold passwords and keys: keep them safe, and delete them when they are no longer needed.',
                      'Elles contiennent des mots de passe et des clés : gardez-les en lieu sûr et supprimez-les quand elles ne servent plus.'),
    'median': ('Median', 'Médiane'),
    'longest': ('Longest', 'Maximum'),
    'slowest': ('Slowest box', 'Box la plus lente'),
    'no_durations': ('Nothing has been timed yet.', 'Rien n’a encore été chronométré.'),
    'wave': ('Wave', 'Vague'),
    'time': ('Time', 'Heure'),
    'passed': ('the next wave may start', 'la vague suivante peut partir'),
    'stopped_here': ('stopped here', 'arrêté ici'),
    'limit': ('limit', 'limite'),
    'machine': ('For machines', 'Pour les machines'),
    'footer': ('Written by jeedom.fleet. This page is complete in itself and loads nothing.',
               'Écrit par jeedom.fleet. Cette page se suffit à elle-même et ne charge rien.'),
    'go_on': ('To go on', 'Pour continuer'),
    'left_out': ('The command leaves out, so add yourself:', 'La commande ne reprend pas, à ajouter vous-même :'),
    'empty': ('No box has been worked on yet.', 'Aucune box n’a encore été traitée.'),
    'timeline': ('Timeline', 'Chronologie'),
    'of': ('of', 'sur'),
    # outcomes
    'o_migrated': ('On V4', 'En V4'),
    'o_already_done': ('Already on V4', 'Déjà en V4'),
    'o_ready': ('Ready', 'Prête'),
    'o_stopped': ('Stopped', 'Arrêtée'),
    'o_blocked': ('Blocked', 'Bloquée'),
    'o_rolled_back': ('Back as it was', 'Revenue à l’état d’avant'),
    'o_failed': ('Failed', 'Échec'),
    'o_unknown': ('Unknown', 'Inconnue'),
    'o_none': ('Not finished', 'Non terminée'),
    'o_untouched': ('Not started', 'Pas commencée'),
    # statuses of a stage
    's_started': ('running', 'en cours'),
    's_ok': ('ok', 'ok'),
    's_skipped': ('skipped', 'sautée'),
    's_blocked': ('blocked', 'bloquée'),
    's_failed': ('failed', 'échec'),
    's_unknown': ('unknown', 'inconnu'),
    's_rolled_back': ('taken back', 'ramenée'),
    # stages
    'assess': ('assess', 'examen'),
    'backup': ('backup', 'sauvegarde'),
    'fetch': ('fetch', 'rapatriement'),
    'prepare': ('prepare', 'préparation'),
    'upgrade': ('upgrade', 'mise à jour'),
    'verify': ('verify', 'vérification'),
    'commit': ('commit', 'validation'),
    'rollback': ('rollback', 'retour arrière'),
    # what to do
    'n_unknown': ('Restore the link to these boxes, then run again: work that still goes on there is adopted, not started twice.',
                  'Rétablissez la liaison avec ces box, puis relancez : le travail encore en cours y est repris, pas recommencé.'),
    'n_failed': ('Look at the reason given for each box. Its archive and complement are on the controller.',
                 'Voyez la raison donnée pour chaque box. Sa sauvegarde et son complément sont sur le contrôleur.'),
    'n_rolled_back': ('These boxes are as they were before. See to the reason given for each, then run again.',
                      'Ces box sont comme avant. Traitez la raison donnée pour chacune, puis relancez.'),
    'n_blocked': ('Nothing was changed on these boxes. Fix the blockers, or accept them by name with jeedom_accept, then run again.',
                  'Rien n’a été modifié sur ces box. Corrigez les points bloquants, ou acceptez-les nommément avec jeedom_accept, puis relancez.'),
    'n_stopped': ('These boxes were stopped on request. Run again to go on.', 'Ces box ont été arrêtées sur demande. Relancez pour continuer.'),
    'n_ready': ('Read the findings, then let these boxes go on.', 'Lisez les constats, puis laissez ces box continuer.'),
    'n_none': ('These boxes have not come to their end. Run again to go on: what is done is not done twice.',
               'Ces box ne sont pas arrivées au bout. Relancez pour continuer : ce qui est fait n’est pas refait.'),
    'n_untouched': ('These boxes have not been touched. Run again to go on.', 'Ces box n’ont pas été touchées. Relancez pour continuer.'),
    # census
    'c_objects': ('Objects', 'Objets'), 'c_equipments': ('Equipments', 'Équipements'), 'c_commands': ('Commands', 'Commandes'),
    'c_scenarios': ('Scenarios', 'Scénarios'), 'c_users': ('Users', 'Utilisateurs'), 'c_history': ('History rows', 'Lignes d’historique'),
    'c_historyArch': ('Archived history rows', 'Lignes d’historique archivées'), 'c_crons': ('Crons', 'Crons'), 'c_views': ('Views', 'Vues'),
    'c_designs': ('Designs', 'Designs'), 'c_interactions': ('Interactions', 'Interactions'), 'c_files': ('Files', 'Fichiers'),
    'c_active_plugins': ('Active plugins', 'Plugins actifs'), 'c_messages': ('Messages', 'Messages'), 'c_variables': ('Variables', 'Variables'),
    'c_scenario_elements': ('Scenario blocks', 'Blocs de scénario'), 'c_scenario_subelements': ('Parts of scenario blocks', 'Parties de blocs'),
    'c_scenario_expressions': ('Scenario expressions', 'Expressions de scénario'), 'c_design_elements': ('Design elements', 'Éléments de design'),
    'c_listeners': ('Listeners', 'Écouteurs'), 'c_plugin_settings': ('Plugin settings', 'Réglages de plugins'),
    'c_interaction_queries': ('Interaction queries', 'Requêtes d’interaction'), 'c_view_zones': ('View zones', 'Zones de vue'),
    'c_view_data': ('View entries', 'Entrées de vue'), 'c_designs_3d': ('3D designs', 'Designs 3D'),
    'c_design_3d_elements': ('3D design elements', 'Éléments de design 3D'), 'c_plugin_rows': ('Plugin entries', 'Entrées de plugin'),
}
MONTHS = {'en': 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(),
          'fr': 'janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.'.split()}


def _local(seconds: float) -> time.struct_time | None:
    """By the clock of the controller; None for what no calendar holds."""
    try:
        return time.localtime(seconds)
    except (OverflowError, OSError, ValueError):
        return None


class Words:
    """Words and numbers in one language."""

    def __init__(self, language: str):
        self.language = language
        self._index = 1 if language == 'fr' else 0

    def __call__(self, key: str, **values: object) -> str:
        """The word for a key; an unknown key (a stage of somebody else) is its own word."""
        found = _WORDS.get(key)
        word = found[self._index] if found else key.removeprefix('c_').removeprefix('s_').replace('_', ' ')
        return word.format(**values) if values else word

    def told(self, sentence: str) -> str:
        """A sentence that journals and records hold in English."""
        return report_messages.told(sentence, self.language)

    def count(self, number: int) -> str:
        """A number with thousands apart."""
        return f'{int(number):,}'.replace(',', '\u202f' if self.language == 'fr' else ',')

    def boxes(self, number: int) -> str:
        """C(1 box), C(2 boxes); in French a box stays a box."""
        return f'{self.count(number)} box' + ('es' if self.language == 'en' and number != 1 else '')

    def size(self, count: float) -> str:
        """Bytes for people, powers of ten."""
        units = ('o', 'ko', 'Mo', 'Go', 'To') if self.language == 'fr' else ('B', 'kB', 'MB', 'GB', 'TB')
        value, unit = float(count), 0
        while value >= 999.5 and unit < len(units) - 1:
            value, unit = value / 1000, unit + 1
        shown = f'{value:.0f}' if value >= 100 or unit == 0 else f'{value:.1f}'
        return f'{shown.replace(".", "," if self.language == "fr" else ".")}\u00a0{units[unit]}'

    @staticmethod
    def duration(seconds: float | None) -> str:
        """C(8 s), C(7 min 03 s), C(1 h 04 min)."""
        if seconds is None:
            return '–'
        whole = int(seconds + 0.5)
        if whole < 60:
            return f'{whole}\u00a0s'
        if whole < 3600:
            return f'{whole // 60}\u00a0min {whole % 60:02d}\u00a0s'
        return f'{whole // 3600}\u00a0h {whole % 3600 // 60:02d}\u00a0min'

    def moment(self, seconds: float | None) -> str:
        """Day and time of the controller's clock."""
        if not seconds:
            return '–'
        when = _local(seconds)
        return '–' if when is None else f'{when.tm_mday} {MONTHS[self.language][when.tm_mon - 1]} {when.tm_year}, {when.tm_hour:02d}:{when.tm_min:02d}'

    @staticmethod
    def clock(seconds: float | None) -> str:
        """Time of day with seconds."""
        when = _local(seconds) if seconds else None
        return time.strftime('%H:%M:%S', when) if when else '–'

    def headline(self, done: int, total: int) -> str:
        """What the reader wants to know first."""
        if self.language == 'fr':
            return (f'Les {self.count(total)} box sont en V4' if done == total > 1 else 'La box est en V4' if done == total == 1 else 'La box n’est pas en V4'
                    if total == 1 else f'{self.count(done)} box sur {self.count(total)} {"est" if done == 1 else "sont"} en V4')
        return (f'All {self.count(total)} boxes are on V4' if done == total > 1 else 'The box is on V4' if done == total == 1 else 'The box is not on V4'
                if total == 1 else f'{self.count(done)} of {self.count(total)} boxes {"is" if done == 1 else "are"} on V4')
