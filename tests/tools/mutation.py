# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make one thing wrong at a time in modules that decide, and see whether a unit test fails: a score per module, and what no test notices.

mutmut does it, in a copy under .cache/mutation where the path of a file is the name by which tests import it. The table also goes to
build/mutation.txt. Look at one: cd .cache/mutation && mutmut show NAME. Score: noticed of those tried; words of messages count as well, so
that 100 % is not the aim.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / '.cache/mutation'
RESULT = ROOT / 'build/mutation.txt'
COLLECTION = 'ansible_collections/jeedom/fleet'
# Pure enough for a test to fail at once, and a mistake in them costs a box. With the tests that are to notice: folders and files of tests/unit.
ASSESS = tuple(f'assess/test_{name}.py' for name in (
    'assessment', 'base', 'checks', 'evidence', 'evidence_core', 'french', 'market', 'postflight', 'properties', 'routes', 'sentences', 'table',
    'vendor_rules', 'versions'))
BOX = {
    'archive': ('archive', 'store/test_backup_info.py'),
    'core_output': ('upgrade/test_output.py', 'upgrade/test_core.py'),
    'core_route': ('upgrade/test_route_and_settings.py',),
    'core_space': ('upgrade',),
    'dump_scan': ('archive',),
    'recorded': ('upgrade', 'restore/test_decisions.py'),
    'redact': ('foundation/test_text.py',),
    'release_zip': ('upgrade',),
    'settings': ('upgrade/test_route_and_settings.py',),
    'swap': ('restore',),
    'transaction': ('restore', 'upgrade'),
    'tree': ('restore', 'archive'),
    'tree_extract': ('restore',),
}
CONTROLLER = {
    **dict.fromkeys(('assessment', 'checks_base', 'checks_core', 'checks_custom', 'checks_plugins', 'checks_storage', 'checks_system'), ASSESS),
    'census_difference': ('facts/test_census_difference.py',),
    'retention': ('store/test_retention.py',),
    'routes': ('assess/test_routes.py', 'assess/test_properties.py'),
    'versions': ('assess/test_versions.py', 'assess/test_routes.py', 'assess/test_checks.py'),
    'waves': ('report/test_waves.py',),
}
MODULES = {**BOX, **CONTROLLER}
# Which mutants of a function are in a share: by the last digit of their number, so that every function has one.
DIGITS = {1: '', 2: '13579', 5: '16', 10: '1'}
SETTINGS = '''[tool.mutmut]
source_paths = ["{collection}/plugins"]
only_mutate = [{modules}]
also_copy = ["{collection}/tests", "{collection}/knowledge"]
pytest_add_cli_args_test_selection = [{tests}]
pytest_add_cli_args = ["--import-mode=importlib", "-p", "no:cacheprovider"]
# Branches for other Pythons; make matrix has their tests.
do_not_mutate_patterns = ["sys.version_info", "^__metaclass__"]
track_dependencies = false
use_git_change_detection = false
'''
CAUGHT = ('killed', 'timeout')
REGISTERED = re.compile(r'^@(check\(.*?\))\ndef (\w+)', re.MULTILINE | re.DOTALL)


def undecorated(code: str) -> str:
    """A module of checks whose functions are registered at its end: mutmut leaves alone what has a decorator."""
    calls = [f'{call}({name})\n' for call, name in REGISTERED.findall(code)]
    return REGISTERED.sub(r'def \2', code) + ('\n\n' + ''.join(calls) if calls else '')


def listed(names: list[str]) -> str:
    """Names as they stand in a list of TOML."""
    return ', '.join(f'"{name}"' for name in names)


def tree(modules: list[str]) -> None:
    """The copy, with the settings for mutmut."""
    shutil.rmtree(WORK, ignore_errors=True)
    names = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard', 'plugins', 'tests/unit', 'knowledge'], cwd=ROOT,
                           check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split('\0')):
        if (ROOT / name).is_file():
            goal = WORK / COLLECTION / name
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, goal)
            if goal.name.startswith('checks_'):
                goal.write_text(undecorated(goal.read_text(encoding='utf-8')), encoding='utf-8')
    tests = sorted({test for name in modules for test in MODULES[name]})
    paths = [f'*/module_utils/{name}.py' if name in BOX else f'*/plugin_utils/{name}.py' for name in modules]
    (WORK / 'pyproject.toml').write_text(SETTINGS.format(
        collection=COLLECTION, modules=listed(paths), tests=listed([f'{COLLECTION}/tests/unit/{name}' for name in tests])), encoding='utf-8')


def table(results: str) -> list[str]:
    """A line for each module, and one for all, out of what C(mutmut results --all true) prints."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, status in re.findall(r'^\s*(\S+__mutmut_\d+): (.+)$', results, re.MULTILINE):
        if status != 'not checked':
            module = re.sub(r'\.x[_ǁ].*', '', name).rpartition('.')[2]
            counts[module][status] += 1
            counts['together'][status] += 1
    rows = [f'{"module":<20}{"tried":>7}{"noticed":>9}{"not":>6}{"no test":>9}{"score":>8}']
    for module, count in sorted(counts.items(), key=lambda item: (item[0] == 'together', item[0])):
        caught = sum(count[status] for status in CAUGHT)
        rows.append(f'{module:<20}{count.total():>7}{caught:>9}{count.total() - caught - count["no tests"]:>6}{count["no tests"]:>9}'
                    f'{100 * caught / count.total():>7.1f}%')
    return rows


def main(arguments: list[str]) -> int:
    """0 when mutmut has run, whatever the score: survivors are for people to judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('modules', nargs='*', choices=[*MODULES, []], metavar='module', help='default: all of ' + ', '.join(MODULES))
    parser.add_argument('--share', type=int, choices=sorted(DIGITS), default=1, help='try one mutant in so many')
    parser.add_argument('--processes', type=int, default=2, help='mutants tried at a time (default: %(default)s)')
    options = parser.parse_args(arguments)
    modules = options.modules or [*MODULES]
    tree(modules)
    patterns = [f'*__mutmut_*{digit}' for digit in DIGITS[options.share]]
    mutmut = [sys.executable, '-m', 'mutmut']
    ended = subprocess.run([*mutmut, 'run', '--max-children', str(options.processes), *patterns], cwd=WORK, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
    if ended.returncode:
        print('\n'.join(ended.stdout.splitlines()[-40:]))
        return 1
    found = subprocess.run([*mutmut, 'results', '--all', 'true'], cwd=WORK, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    unnoticed = [line.strip() for line in found.splitlines() if line.endswith((': survived', ': no tests'))]
    lines = [*table(found), '', f'One mutant in {options.share}. Not noticed:', *unnoticed]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    print('\n'.join(table(found)) + f'\nWhat no test noticed: {RESULT.relative_to(ROOT)}')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
