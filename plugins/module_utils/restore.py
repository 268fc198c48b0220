# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restore module: the box is as in a rollback point or an archive again. Python 2.7 and 3.5+, stdlib only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


def take_back(installation, context, reason):
    """Restore the rollback point of the open transaction inside the calling job, verify, close the transaction.

    installation: Installation. context: the job's Context. reason: one sentence, why; kept in state.json.
    Returns {outcome: "rolled_back", restored_version, seconds, outage (seconds without web), verified: {...}}.
    Raises BoxError (code restore_failed and others) when the box could not be taken back; the transaction then stays
    open, and the next call goes on where this one stopped.
    """
    raise BoxError('Taking back is not implemented yet.', 'not_implemented')
