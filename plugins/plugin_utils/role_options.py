# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the variables of several roles have to look like, together: checked once, before the first of them is used."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

ROLES = Path(__file__).resolve().parent.parent.parent / 'roles'
# What a value is checked against. required is left out: a role may get a variable from the role before it.
CHECKED = ('type', 'elements', 'choices', 'options')


def role_options(roles: Iterable[str], folder: Path = ROLES) -> dict[str, dict]:
    """{variable: {type, elements, choices, options}} of the main entry points of roles, for validate_argument_spec.

    roles: names of roles of this collection. folder: where they are. Raises ValueError for a name that is none of them.
    """
    found: dict[str, dict] = {}
    for role in roles:
        path = folder / role / 'meta/argument_specs.yml'
        if '/' in role or not path.is_file():
            raise ValueError(f'There is no role {role} in the collection')
        specs = yaml.safe_load(path.read_text(encoding='utf-8'))['argument_specs']
        for name, option in specs['main'].get('options', {}).items():
            found[name] = {key: option[key] for key in CHECKED if key in option}
    return found
