# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thin AnsibleModule around a plain function; the stdin path (action plugin box) does without it."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


def main(implementation, **options):
    """Run implementation.run(params, check_mode) with implementation.ARGUMENT_SPEC as an Ansible module."""
    module = AnsibleModule(argument_spec=implementation.ARGUMENT_SPEC, supports_check_mode=True, **options)
    try:
        result = implementation.run(module.params, module.check_mode)
    except BoxError as error:
        result = error.as_result()
        result.pop("failed")
        module.fail_json(**result)
    module.exit_json(**result)
