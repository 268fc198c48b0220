# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action and the filters in a real ansible-playbook of the ansible-core that runs these tests."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.jeedom.fleet.plugins.plugin_utils import store

from .conftest import HEALTHY, put

ROOT = Path(__file__).resolve().parents[3]


def play(folder: Path, tasks: list, *arguments: str) -> subprocess.CompletedProcess:
    """Run tasks on a host that is never contacted."""
    (folder / 'play.yml').write_text(json.dumps([{'hosts': 'all', 'gather_facts': False, 'tasks': tasks}]), encoding='utf-8')
    (folder / 'ansible.cfg').write_text('[defaults]\n', encoding='utf-8')
    environment = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(ROOT / 'collections'), ANSIBLE_CONFIG=str(folder / 'ansible.cfg'),
                       ANSIBLE_LOCALHOST_WARNING='0', ANSIBLE_HOME=str(folder / 'home'), ANSIBLE_NOCOLOR='1')
    environment.pop('ANSIBLE_FORCE_COLOR', None)
    return subprocess.run([sys.executable, '-m', 'ansible', 'playbook', '-i', 'box/1,', str(folder / 'play.yml'), *arguments], cwd=folder, env=environment,
                          capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def hostile(facts, tmp_path):
    """Facts of a box that wants to be templated, in a file."""
    facts['plugins']['items'].append(dict(facts['plugins']['items'][0], id='timeline', name="{{ lookup('pipe', 'touch owned') }}",
                                          local_version="\x1b[2J{{ lookup('pipe', 'touch owned') }}"))
    # the action takes the controller's own clock
    facts['os']['time']['epoch'] = time.time()
    (tmp_path / 'facts.json').write_text(json.dumps(facts), encoding='utf-8')
    return tmp_path


def assess(**options) -> dict:
    """The task."""
    options.setdefault('market', 'offline')
    return {'jeedom.fleet.assess': dict({'facts': "{{ lookup('file', 'facts.json') | from_json }}"}, **options), 'register': 'result'}


def test_a_run(hostile):
    done = play(hostile, [
        assess(), {'copy': {'content': '{{ result | to_json }}', 'dest': str(hostile / 'result.json')}, 'delegate_to': 'localhost', 'connection': 'local'},
    ], '-e', 'jeedom_run_id=run1', '-e', f'ansible_python_interpreter={sys.executable}')
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((hostile / 'result.json').read_text())
    assert result['verdict'] == 'blocked' and result['changed'] is False
    assert [hop['version'] for hop in result['route']] == ['4.0.63', '4.1.28', '4.4.20', '4.5.3']
    assert '── box/1 ' in done.stdout and 'BLOCKER   plugin_timeline:timeline' in done.stdout and '\x1b' not in done.stdout
    folder = hostile / 'artifacts' / 'run1' / 'box%2F1'
    assert json.loads((folder / 'findings.json').read_text()) == result['findings']
    assert json.loads((folder / 'facts-before.json').read_text())['core'] == HEALTHY['core']
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / 'findings.json', folder / 'facts-before.json')] == [0o700, 0o600, 0o600]
    assert not list(hostile.rglob('owned'))


def test_an_archive_of_an_earlier_run_is_seen(hostile):
    place = store.folder(hostile / 'artifacts', 'box/1')
    place.mkdir(parents=True)
    manifest = {'proved': True, 'size': 3, 'sha256': 'a' * 64, 'created': 1.0}

    def listed() -> bool:
        done = play(hostile, [assess(show=False)], '-e', 'jeedom_run_id=r')
        assert done.returncode == 0, done.stdout + done.stderr
        return 'backup_not_proved' in {item['id'] for item in json.loads((hostile / 'artifacts/r/box%2F1/findings.json').read_text())}

    assert listed()
    (place / 'backup.tar.gz').write_bytes(b'abc')
    store.keep_manifest(place, 'backup.tar.gz', manifest)
    assert not listed()
    (place / 'backup.tar.gz').write_bytes(b'a')
    assert listed(), 'a copy that is not whole is none'


def test_the_second_look_keeps_the_first(hostile):
    options = {'remove_plugins': ['timeline'], 'show': False}
    done = play(hostile, [assess(), assess(phase='second', archive={'proved': True}, fail_on_blocker=True, **options)], '-e', 'jeedom_run_id=r')
    assert done.returncode == 0, done.stdout + done.stderr
    folder = hostile / 'artifacts' / 'r' / 'box%2F1'
    first, second = [{item['id']: item['severity'] for item in json.loads((folder / f'{name}.json').read_text())} for name in ('findings', 'findings-second')]
    assert first['plugin_timeline'] == 'blocker' and second['plugin_timeline'] == 'warning'


def test_a_dry_run_leaves_nothing_behind(hostile):
    that = ["result.verdict == 'blocked'", 'not result.recorded', "result.outcome == 'blocked'"]
    done = play(hostile, [assess(record=True), {'assert': {'that': that}}], '--check')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'BLOCKER' in done.stdout and not (hostile / 'artifacts').exists()


def test_the_end_of_the_stage_is_recorded(hostile):
    done = play(hostile, [assess(record=True), assess(record=True, outcome='ready', remove_plugins=['timeline'])], '-e', 'jeedom_run_id=r')
    assert done.returncode == 0, done.stdout + done.stderr
    entry = json.loads((hostile / 'artifacts' / 'journal' / 'box%2F1.json').read_text())
    assert entry['outcome'] == 'ready' and entry['stages']['assess']['status'] == 'ok'
    assert entry['stages']['assess']['result']['route'] == ['4.0.63', '4.1.28', '4.4.20', '4.5.3']
    assert entry['stages']['assess']['message'] == '3.3.60 -> 4.0.63 -> 4.1.28 -> 4.4.20 -> 4.5.3'


def test_a_box_that_does_not_answer_is_unknown_and_old_facts_do_not_stand_in(hostile):
    done = play(hostile, [assess(record=True, facts_error='box/1 cannot be reached (timed out): check its power.', connection_lost=True)],
                '-e', 'jeedom_run_id=r')
    assert done.returncode == 0, done.stdout + done.stderr
    entry = json.loads((hostile / 'artifacts' / 'journal' / 'box%2F1.json').read_text())
    assert entry['outcome'] == 'unknown' and entry['stages']['assess']['status'] == 'unknown'
    assert entry['stages']['assess']['message'] == 'box/1 cannot be reached (timed out): check its power.'
    assert 'BLOCKER   box_unreadable' in done.stdout and 'plugin_timeline' not in done.stdout


@pytest.mark.parametrize('options, sentence', [
    ({'fail_on_blocker': True}, '1 finding stops this box: plugin_timeline:timeline'),
    ({'accept': [{'id': 'plugin_timline', 'reason': 'x'}]}, 'did you mean plugin_timeline?'),
    ({'knowledge': ['/nowhere/at/all']}, 'The knowledge overlay /nowhere/at/all does not exist'),
    ({'market': 'sometimes'}, 'value of market must be one of'),
])
def test_refusals_are_one_sentence(hostile, options, sentence):
    done = play(hostile, [assess(**options)])
    assert done.returncode == 2 and sentence in done.stdout + done.stderr and 'Traceback' not in done.stdout + done.stderr


def test_the_filters(tmp_path):
    done = play(tmp_path, [
        {'assert': {'that': [
            "'3.3.60' | jeedom.fleet.route('4.5.3', php='7.4', debian=11) | map(attribute='version') | list == ['4.0.63', '4.1.28', '4.4.20', '4.5.3']",
            "'3.3.60' | jeedom.fleet.route('4.1.28', allow=['design_positions']) | map(attribute='version') | list == ['4.1.28']",
            "([] | jeedom.fleet.core_digests)['3.3.60']['core/class'] | length == 12",
            "({'core': {'version_file': '4.5.3', 'version_db': '4.5.3'}} | jeedom.fleet.postflight({}, {}, '4.5.3')).verdict == 'ok'"]}},
        {'debug': {'msg': "{{ '3.3.60' | jeedom.fleet.route('4.5.3', debian=9) }}"}},
    ])
    assert done.returncode == 2 and 'Debian 9 and 4.5.3 needs at least Debian 11; choose 4.1.28' in ' '.join((done.stdout + done.stderr).split()), done.stdout


def test_facts_come_from_the_host_when_none_are_given(tmp_path, facts):
    put(facts, 'core.version_file', '4.5.3')
    put(facts, 'core.version_db', '4.5.3')
    (tmp_path / 'facts.json').write_text(json.dumps(facts), encoding='utf-8')
    done = play(tmp_path, [
        {'set_fact': {'jeedom': "{{ lookup('file', 'facts.json') | from_json }}", 'cacheable': True}},
        {'jeedom.fleet.assess': {'market': 'offline', 'save': False}, 'register': 'result'}, {'assert': {'that': "result.verdict == 'already_done'"}},
    ])
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / 'artifacts').exists()


@pytest.mark.parametrize('opened, begin', [({'open': True, 'from_version': '3.3.60'}, '3.3.60'), ({'open': False}, '4.5.3'), ({'open': True}, '4.5.3')])
def test_a_box_whose_migration_is_open_comes_from_where_that_began(facts, tmp_path, opened, begin):
    put(facts, 'activity.transaction', opened)
    put(facts, 'core.version_file', '4.5.3')
    put(facts, 'core.version_db', '4.5.3')
    (tmp_path / 'facts.json').write_text(json.dumps(facts), encoding='utf-8')
    done = play(tmp_path, [assess(record=True)], '-e', 'jeedom_run_id=run1')
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / 'artifacts/journal/box%2F1.json').read_text())['stages']['assess']['result']['from_version'] == begin
