# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check DOCUMENTATION and argument_specs with antsibull-docs, make the reference out of them, build all pages with Sphinx.

Every warning is an error, a broken link inside the pages among them. Addresses elsewhere are not asked, so that no network is needed
but for the first installation of docs/requirements.lock. The result is build/docs/index.html.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
WORK = ROOT / '.cache/docs'
SOURCE = WORK / 'source'
RESULT = ROOT / 'build/docs'
LOCK = ROOT / 'docs/requirements.lock'


def environment() -> dict[str, str]:
    """Settings of this clone and of nobody else, with the tools of the venv in front."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(('ANSIBLE_', 'PYTHON', 'VIRTUAL_ENV'))}
    return kept | {'PATH': f'{WORK / "venv/bin"}:{kept.get("PATH", "")}', 'ANSIBLE_COLLECTIONS_PATH': str(ROOT / 'collections'),
                   'ANSIBLE_CONFIG': str(ROOT / 'ansible.cfg'), 'LC_ALL': 'C.UTF-8', 'NO_COLOR': '1'}


def call(*argv: str) -> None:
    """A command in the clone's root; CalledProcessError when it does not end well."""
    print('$ ' + ' '.join(argv), flush=True)
    subprocess.run(argv, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=True)


def venv() -> None:
    """A venv with docs/requirements.lock; built anew when that file or the interpreter changes."""
    folder, stamp = WORK / 'venv', WORK / 'venv/.complete'
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode() + str(folder).encode()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding='utf-8') == wanted:
        return
    subprocess.run([sys.executable, '-m', 'venv', '--clear', str(folder)], check=True)
    subprocess.run([str(folder / 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', str(LOCK)], check=True)
    stamp.write_text(wanted, encoding='utf-8')


def playbooks() -> str:
    """A page with what stands at the head of each playbook: its comment, or else the comment before its first play."""
    pages = ['# Playbooks\n\nMade of the comments at the head of `playbooks/*.yml`. Installed, `playbooks/assess.yml` is '
             '`jeedom.fleet.assess`.\n']
    for path in sorted((ROOT / 'playbooks').glob('*.yml')):
        text = path.read_text(encoding='utf-8')
        head = re.match(r'---\n((?:#.*\n)+)', text)
        if not head:
            raise SystemExit(f'{path.relative_to(ROOT)} has no comment at its head that says what it does.')
        lines = [line[2:] for line in head[1].splitlines()]
        prose = '\n'.join(line for line in lines if not line.startswith('  '))
        rest = '\n'.join(line[2:] for line in lines if line.startswith('  '))
        plays = '\n'.join(f'* {play["name"]}' for play in yaml.safe_load(text))
        pages.append(f'## {path.stem}\n\n{prose}\n' + (f'\n```text\n{rest}\n```\n' if rest else '') + f'\nPlays:\n\n{plays}\n')
    return '\n'.join(pages)


def listed(index: Path) -> set[str]:
    """Pages in the tables of contents of an index page, as names from the top folder on, without suffix."""
    blocks = re.findall(r'```\{toctree\}\n(.*?)```', index.read_text(encoding='utf-8'), re.DOTALL)
    return {str((index.parent / line).relative_to(SOURCE)) for block in blocks for line in block.splitlines() if line and not line.startswith(':')}


def others() -> str:
    """A table of contents of the pages that no index page names, so that a page can be added without one; empty when there is none."""
    known = {'index', 'fr/index'} | listed(SOURCE / 'index.md') | listed(SOURCE / 'fr/index.md')
    names = sorted(str(path.relative_to(SOURCE).with_suffix('')) for path in SOURCE.rglob('*.md'))
    rest = [name for name in names if name not in known]
    return '\n```{toctree}\n:hidden:\n:caption: More\n\n' + '\n'.join(rest) + '\n```\n' if rest else ''


def assemble() -> None:
    """The pages as Sphinx reads them: docs/, and what is made of the code."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    # every page anew: what is kept between builds hides warnings
    shutil.rmtree(WORK / 'doctrees', ignore_errors=True)
    shutil.copytree(ROOT / 'docs', SOURCE, ignore=shutil.ignore_patterns('_build'))
    (SOURCE / 'reference/playbooks.md').write_text(playbooks(), encoding='utf-8')
    with open(SOURCE / 'index.md', 'a', encoding='utf-8') as index:
        index.write(others())
    reference = SOURCE / 'reference/collection'
    reference.mkdir()
    call('antsibull-docs', 'collection', '--use-current', '--squash-hierarchy', '--fail-on-error', '--no-add-antsibull-docs-version',
         '--dest-dir', str(reference), 'jeedom.fleet')
    for page in reference.glob('*.rst'):
        # the theme has this beside every page, and shows an error where a page brings its own
        page.write_text(re.sub(r'^\.\. contents::\n(?:[ ]+:.*\n)*', '', page.read_text(encoding='utf-8'), flags=re.MULTILINE), encoding='utf-8')


def main() -> int:
    """Lint, assemble, build; 1 when one of them complains."""
    try:
        venv()
        call('antsibull-docs', 'lint-collection-docs', '--plugin-docs', '--disallow-unknown-collection-refs', '.')
        assemble()
        shutil.rmtree(RESULT, ignore_errors=True)
        call('sphinx-build', '-q', '-W', '--keep-going', '-j', 'auto', '-b', 'html', '-d', str(WORK / 'doctrees'), str(SOURCE), str(RESULT))
        if spoiled := [page.name for page in RESULT.rglob('*.html') if re.search('system-message|this-will-duplicate-information', page.read_text('utf-8'))]:
            print(f'The theme or docutils shows an error on {", ".join(sorted(spoiled))}.')
            return 1
    except subprocess.CalledProcessError as error:
        print(f'{error.cmd[0]} ended with exit code {error.returncode}; the lines above say why.')
        return 1
    print(f'Documentation: {RESULT / "index.html"}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
