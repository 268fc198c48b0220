# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters over the knowledge base."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.jeedom.fleet.plugins.module_utils import core_files
from ansible_collections.jeedom.fleet.plugins.plugin_utils import assessment, knowledge, routes


def route(start, target, php=None, debian=None, allow=(), overlays=()):
    """The hops from a version to a target; raises AnsibleFilterError with one sentence when there is no route."""
    try:
        return routes.find(knowledge.load(overlays or ()), start, target, routes.box(php, debian), tuple(allow or ()))
    except (routes.RouteError, knowledge.KnowledgeError) as error:
        raise AnsibleFilterError(str(error)) from error


def core_digests(versions):
    """Digests per folder of released cores, for the option core_manifest of the facts module; all versions for an empty list."""
    known = knowledge.manifests()
    return {name: core_files.digests(manifest) for name, manifest in known.items() if not versions or name in versions}


def postflight(facts_after, facts_before=None, health=None, target='4.5.3', overlays=()):
    """{verdict, findings, text} of the look after the migration."""
    try:
        found = assessment.postflight(facts_after, health, knowledge.load(overlays or ()), target, facts_before)
    except knowledge.KnowledgeError as error:
        raise AnsibleFilterError(str(error)) from error
    return {'verdict': found.verdict, 'findings': found.findings, 'text': found.summary['text']}


class FilterModule:
    """Filters of this file."""

    def filters(self):
        """Name to function."""
        return {'route': route, 'core_digests': core_digests, 'postflight': postflight}
