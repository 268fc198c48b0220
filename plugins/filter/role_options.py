# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter about the variables of roles; documentation in role_options.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.jeedom.fleet.plugins.plugin_utils import role_options as implementation


def role_options(roles: list[str]) -> dict[str, dict]:
    """What the variables of roles of this collection have to look like."""
    try:
        return implementation.role_options(roles)
    except ValueError as error:
        raise AnsibleFilterError(f'role_options: {error}.') from error


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict:
        """Name to function."""
        return {'role_options': role_options}
