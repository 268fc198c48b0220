# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first look at a box, by shell alone: is there a Python, root, and which way do modules get there."""

from __future__ import annotations

import shlex
import sys

# Oldest last: the newest Python on the box is the one most likely to be supported.
CANDIDATES = ('/usr/bin/python3', '/usr/local/bin/python3', '/usr/bin/python2.7', '/usr/bin/python')

SCRIPT = (
    'u=$(id -u); use=; echo "uid $u"; '
    'for p in {candidates}; do [ -x "$p" ] || continue; '
    'v=$("$p" -c \'import sys; print("%d.%d.%d" % sys.version_info[:3])\' 2>/dev/null </dev/null); echo "python $p $v"; '
    'case $v in 2.7.*|3.[5-9].*|3.[1-9][0-9].*) use=${{use:-$p}};; esac; done; '
)


class ProbeError(Exception):
    """The box cannot be worked with; str() is the sentence for people, code the one for machines."""

    def __init__(self, message: str, code: str):
        super().__init__(message)
        self.code = code


def script(interpreter: str | None = None, code: str | None = None, environment: str = '') -> str:
    """The shell command; interpreter: the one that the inventory names, tried first and taken when it can be used.

    code: Python that root's first usable Python runs at once, with the standard input of the command; without root or Python
    it does not run. environment: quoted assignments for it.
    """
    named = interpreter if interpreter and interpreter.startswith('/') else ''
    text = f'echo named {shlex.quote(named)}; ' if named else ''
    text += SCRIPT.format(candidates=' '.join(shlex.quote(name) for name in dict.fromkeys(filter(None, [named, *CANDIDATES]))))
    return text + ('true' if code is None else f'[ "$u" = 0 ] && [ -n "$use" ] && exec env {environment} "$use" -c {shlex.quote(code)}')


def parse(stdout: str, host: str) -> dict:
    """{uid, pythons: [{path, version}]} of the script's output; raises ProbeError when there is no usable Python.

    The Python that the inventory names is the only one, where it can be used: ordinary modules would run on it in any case.
    """
    uid, named, pythons = None, None, []
    for line in stdout.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == 'uid' and words[1].isdigit():
            uid = int(words[1])
        if len(words) == 2 and words[0] == 'named':
            named = words[1]
        if len(words) == 3 and words[0] == 'python' and words[2].count('.') == 2:
            version = [int(part) for part in words[2].split('.')]
            if tuple(version[:2]) == (2, 7) or tuple(version) >= (3, 5, 0):
                pythons.append({'path': words[1], 'version': version})
    if uid is None:
        raise ProbeError(f'The first look at {host} gave no answer that can be read: check that its login shell is a POSIX '
                         'shell that prints nothing of its own.', 'probe_failed')
    if not pythons:
        raise ProbeError(f'{host} has no Python that can be used (2.7, or 3.5 and newer is needed): install one there with '
                         '"apt-get install python3-minimal".', 'no_python')
    return {'uid': uid, 'pythons': [python for python in pythons if python['path'] == named] or pythons}


def minimum_python() -> tuple[int, int]:
    """Oldest Python 3 that modules of the running ansible-core work on (its own compatibility matrix)."""
    from ansible.release import __version__
    release = tuple(int(part) for part in __version__.split('.')[:2])
    # porting guides of ansible-core, and measured: older ones end in a SyntaxError that tells nobody anything
    table: dict[tuple[int, ...], tuple[int, int]] = {(2, 16): (3, 6), (2, 17): (3, 7), (2, 18): (3, 8), (2, 19): (3, 8)}
    return table.get(release, (3, 9))


def choose(pythons: list[dict], transport: str) -> dict:
    """Which Python and which way: {path, version, transport: module or stdin}."""
    best = max(pythons, key=lambda python: python['version'])
    if transport == 'auto':
        # Where the first look could not go over stdin: Ansible's own way, as far as it reaches.
        supported = tuple(best['version'][:2]) >= minimum_python()
        transport = 'module' if supported else 'stdin'
    return {'path': best['path'], 'version': best['version'], 'transport': transport}


if __name__ == '__main__':
    print(script(*sys.argv[1:2]))
