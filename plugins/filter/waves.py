# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for hosts, serial and window of a play in waves; documentation in wave_hosts.yml, wave_sizes.yml and window_refusal.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts as files
from ansible_collections.jeedom.fleet.plugins.plugin_utils import journal
from ansible_collections.jeedom.fleet.plugins.plugin_utils import waves as implementation

# Journals that are enough to know how long a box takes.
ENOUGH = 200


def _within(hosts, within):
    allowed = set(hosts if within is None else within)
    return [host for host in hosts if host in allowed]


def wave_hosts(waves, hosts, groups, within=None):
    """The pattern for C(hosts)."""
    try:
        return implementation.pattern(waves, _within(hosts, within), groups)
    except implementation.WaveError as error:
        raise AnsibleFilterError(str(error)) from error


def wave_sizes(waves, hosts, groups, within=None):
    """The list for C(serial)."""
    try:
        return implementation.sizes(waves, _within(hosts, within), groups)
    except implementation.WaveError as error:
        raise AnsibleFilterError(str(error)) from error


def window_refusal(window, artifacts=None, expected_minutes=None):
    """Why nothing may be changed any more in a window; empty when it may."""
    try:
        entries = journal.read_all(files.root({'jeedom_artifacts': artifacts}), most=ENOUGH) if window else []
        return implementation.too_late(window, entries, expected_minutes)
    except implementation.WaveError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of this file."""

    def filters(self):
        """Name to function."""
        return {'wave_hosts': wave_hosts, 'wave_sizes': wave_sizes, 'window_refusal': window_refusal}
