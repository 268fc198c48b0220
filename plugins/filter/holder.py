# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter about the run that is at work on a box; documentation in held_by.yml."""

from __future__ import annotations

from ansible_collections.jeedom.fleet.plugins.plugin_utils import holder


def held_by(seen):
    """Who holds the box, in words; empty when nobody does."""
    return holder.held_by(seen or {})


class FilterModule:
    """Filters of this file."""

    def filters(self):
        """Name to function."""
        return {'held_by': held_by}
