# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter about the run that is at work on a box; documentation in held_by.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.jeedom.fleet.plugins.plugin_utils import holder


def held_by(seen, silence=None, take_over=False):
    """Who holds the box and what is to be done, in words; empty when nobody does."""
    try:
        seconds = holder.SILENCE if silence in (None, '') else float(silence)
        return holder.held_by(seen or {}, silence=seconds, take_over=boolean(take_over))
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f'jeedom_holder_silence is to be a number of seconds and jeedom_take_over true or false: {error}.') from error


class FilterModule:
    """Filters of this file."""

    def filters(self):
        """Name to function."""
        return {'held_by': held_by}
