# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for hosts and serial of a play in waves; documentation in wave_hosts.yml and wave_sizes.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.jeedom.fleet.plugins.plugin_utils import waves as implementation


def wave_hosts(waves, target='jeedom'):
    """The pattern for C(hosts)."""
    try:
        return implementation.pattern(waves, target)
    except implementation.WaveError as error:
        raise AnsibleFilterError(str(error)) from error


def wave_sizes(waves, hosts, groups, target='jeedom'):
    """The list for C(serial)."""
    try:
        return implementation.sizes(waves, hosts, groups, target)
    except implementation.WaveError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of this file."""

    def filters(self):
        """Name to function."""
        return {'wave_hosts': wave_hosts, 'wave_sizes': wave_sizes}
