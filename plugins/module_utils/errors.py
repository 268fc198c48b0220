# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the box side. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class BoxError(Exception):
    """Something on the box is not as needed.

    msg: one sentence, what failed on what, found versus needed, what to do next.
    code: stable machine name of the error, C(snake_case).
    details: further JSON-able keys for the module's result.
    """

    def __init__(self, msg, code, **details):
        super(BoxError, self).__init__(msg)
        self.msg = msg
        self.code = code
        self.details = details

    def as_result(self):
        """The keys of a failed module result."""
        result = dict(self.details)
        result.update(failed=True, msg=self.msg, error_code=self.code)
        return result
