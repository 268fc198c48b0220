# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command to go on with: Ansible reads it as it read the first one, on the same boxes, and it tells no secret."""

from __future__ import annotations

import json
import shlex

import pytest

from ansible.cli.playbook import PlaybookCLI
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv

from ansible_collections.jeedom.fleet.plugins.action import wave_gate
from ansible_collections.jeedom.fleet.plugins.plugin_utils import again, artifacts, report_data, report_page, runs, status


def called(*words):
    """The arguments of a call, as Ansible understands it."""
    cli = PlaybookCLI(['ansible-playbook', 'migrate.yml', '-i', 'hosts', *words])
    cli.init_parser()
    return vars(cli.post_process_args(cli.parser.parse_args(cli.args[1:])))


def variables(cliargs):
    """The extra variables of a call, as Ansible understands them; files by their name."""
    found = {}
    for text in cliargs['extra_vars']:
        if text.startswith('@'):
            found[text] = None
        else:
            found.update(DataLoader().load(text) if text[0] in '{[' else parse_kv(text))
    return found


def repeated(*words, **options):
    """What Ansible understands of the command to go on with after a call."""
    return called(*shlex.split(again.command(again.arguments(called(*words)), **options))[4:])


@pytest.mark.parametrize('extra', [
    '{jeedom_artifacts: /x, jeedom_target: canary}', '{"jeedom_target": "canary", "jeedom_soak": 5}', '{jeedom_waves: [1, 25%], jeedom_progress: no}',
    'jeedom_target=canary', "jeedom_target='canary:&site a' jeedom_soak=5", 'jeedom_target=canary\njeedom_soak=5', "jeedom_accept='[{id: a, reason: \"b c\"}]'",
    '''jeedom_accept="[{id: a, reason: it's so}]"''', 'jeedom_target="{{ site | default(\'a\') }}"', r'jeedom_target=a\\b', 'jeedom_target="a\\nb\\n"',
    'jeedom_window=', 'ansible_user=pi ansible_ssh_private_key_file=/k ansible_host_key_checking=no', 'jeedom_archive_key_file=/srv/key',
    'jeedom_archive_command="gpg -e -r me"', '@site.yml'])
def test_ansible_reads_what_was_said_as_before(extra):
    told = again.arguments(called('-e', extra))
    wanted = variables(called('-e', extra))
    assert variables(repeated('-e', extra)) == wanted != {}
    assert again.not_said(told) == '' and again.command(told)
    # over the file of the run, and with more behind it
    assert variables(called(*shlex.split(again.command(json.loads(json.dumps(told)), extra=('jeedom_acknowledge=true',)))[4:])) == {
        **wanted, 'jeedom_acknowledge': 'true'}


@pytest.mark.parametrize('words', [
    ('-u', 'pi', '--private-key', '/k', '--vault-password-file', '/v', '--vault-id', 'dev@/w', '-f', '50'), ('-b', '-K', '-k', '--ask-vault-pass'),
    ('--become-user', 'admin', '--become-method', 'su', '--become-password-file', '/p'), ('-c', 'paramiko', '-T', '70', '--connection-password-file', '/p'),
    ('--ssh-common-args', '-o ProxyJump=me@gate -o StrictHostKeyChecking=no', '--ssh-extra-args=-4', '--scp-extra-args=-q', '--sftp-extra-args=-q'),
    ('--check', '--diff', '--force-handlers'), ('--tags', 'a,b', '--skip-tags', 'c'), ('-l', 'x:&y', '-i', 'second'), ()])
def test_options_are_given_again(words):
    before, after = called(*words), repeated(*words)
    for both in (before, after):
        both['tags'], both['skip_tags'] = sorted(both['tags']), sorted(both['skip_tags'])
    assert after == before


def test_nothing_is_said_that_was_not():
    assert again.command(again.arguments(called('-l', 'box1'))) == f'ansible-playbook migrate.yml -i {called()["inventory"][0]} --limit box1'
    assert again.command(again.arguments({})) == 'ansible-playbook jeedom.fleet.migrate' and again.not_said(again.arguments({})) == ''


@pytest.mark.parametrize('words, missing', [
    (('-e', 'jeedom_soak=5 jeedom_api_key=hunter2'), '-e jeedom_api_key'), (('-e', '{ansible_password: hunter2, jeedom_soak: 5}'), '-e ansible_password'),
    (('-e', 'jeedom_soak=5', '-e', 'other=hunter2', '-e', 'other=hunter2'), '-e other'), (('-e', '{jeedom_waves: !vault hunter2}'), again.UNREADABLE),
    (('-e', '[hunter2]'), again.UNREADABLE), (('-e', '{jeedom_soak: 5, jeedom_x: 2026-01-01, jeedom_api_key: hunter2}'), '-e jeedom_x, -e jeedom_api_key'),
    (('-e', 'jeedom_source_url=https://me:hunter2@site/x'), '-e jeedom_source_url'),
    (('--ssh-common-args', '-o ProxyCommand="sshpass -p hunter2 ssh gate"'), '--ssh-common-args')])
def test_what_is_left_out_is_said_and_not_told(words, missing):
    told = again.arguments(called(*words))
    assert 'hunter2' not in json.dumps(told)
    assert again.not_said(told) == f'The command leaves out, so add yourself: {missing}.'
    # the rest of that option goes along
    assert ('jeedom_soak' in again.command(told)) is ('jeedom_soak' in ' '.join(words))


def test_the_name_of_a_run_is_not_given_to_the_next():
    told = again.arguments(called('-e', 'jeedom_run_id=monday jeedom_soak=5'))
    assert again.command(told).endswith('-e jeedom_soak=5') and again.not_said(told) == ''


@pytest.mark.parametrize('language, words', [('en', 'add yourself: -e &lt;other&gt;'), ('fr', 'à ajouter vous-même : -e &lt;other&gt;')])
def test_the_page_names_what_the_command_lacks(fleets, tmp_path, language, words):
    root = fleets.make(tmp_path, 20)
    assert 'add yourself' not in report_page.html(report_data.build(root))
    newest = runs.newest(root)
    run = runs.read(root, newest)
    artifacts.write_json(runs.path(root, newest), {**run, 'arguments': {**run['arguments'], 'left_out': ['-e <other>']}})
    told = report_data.build(root, language)
    assert told['next']['left_out'] == ['-e <other>'] and words in report_page.html(told)


@pytest.mark.parametrize('extra, lacks', [('other=z', ' (The command leaves out, so add yourself: -e other.)'), ('jeedom_soak=5', '')])
def test_a_gate_that_stops_says_what_the_command_lacks(monkeypatch, extra, lacks):
    monkeypatch.setattr(wave_gate.context, 'CLIARGS', called('-e', extra))
    command, told = wave_gate.ActionModule._again()
    assert told == command + lacks


def test_what_the_command_lacks_stands_beside_it():
    told = again.arguments(called('-e', 'other=z'))
    why, command = status.next_step({'a': 'unknown'}, told)
    assert why.endswith('. The command leaves out, so add yourself: -e other.') and 'other' not in command
    assert 'leaves out' not in status.next_step({'a': 'unknown'}, again.arguments(called('-e', 'jeedom_soak=5')))[0]


def test_a_word_that_was_given_is_not_given_twice():
    for extra in ('jeedom_acknowledge=true', '{jeedom_acknowledge: true}'):
        assert again.command(again.arguments(called('-e', extra)), extra=('jeedom_acknowledge=true',)).count('jeedom_acknowledge') == 1
    assert again.command(again.arguments(called('-e', 'jeedom_acknowledge=false')), extra=('jeedom_acknowledge=true',)).endswith('-e jeedom_acknowledge=true')


def test_what_was_said_for_one_restore_is_not_said_to_a_migration():
    """It would take a box that fails on its way back to the archive, and lose what came since."""
    told = again.arguments({'args': ('jeedom.fleet.rollback',), 'inventory': ('hosts',), 'extra_vars': (
        'jeedom_rollback_source=archive jeedom_waves="1 2"', '{"jeedom_restore_force": true}', '{"jeedom_restore_archive": "a", "jeedom_soak": 5}',
        'jeedom_restore_foreign_host=true', '@site.yml')})
    words = shlex.split(again.command(told, playbook='jeedom.fleet.migrate'))
    assert words == ['ansible-playbook', 'jeedom.fleet.migrate', '-i', 'hosts', '-e', "jeedom_waves='1 2'", '-e', '{"jeedom_soak": 5}', '-e', '@site.yml']
    assert 'jeedom_rollback_source=archive' in again.command(told)
    assert 'jeedom_rollback_source=archive' in again.command(told, playbook='playbooks/rollback.yml')
