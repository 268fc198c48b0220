# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record, wave gate, callback, report and status as ansible-playbook runs them, with boxes that are only names."""

from __future__ import annotations

import json
import re

import pytest

from .plays import ANSIBLE, COLLECTIONS, WAVES

pytestmark = pytest.mark.skipif(not ANSIBLE.exists(), reason='ansible-playbook is not beside this Python')


def test_a_wave_over_the_limit_stops_the_roll_out_and_the_report_is_there(controller):
    controller.inventory(9, box3='fails')
    done = controller.run(WAVES, '-e', 'jeedom_max_failed=0', '-e', 'db_password=hunter2')
    assert done.returncode == 10 and 'REACHED' not in done.stdout and '"error_code": "wave_stopped"' in done.stdout
    assert 'In wave 2 (3 boxes) 1 ended badly (box3 rolled_back); none may. The roll-out stops here: the 5 boxes' in done.stdout
    assert re.search(r'Wave 2: 3 boxes in \d\d:\d\d', done.stdout) and '5 boxes left untouched' in done.stdout
    assert '4 boxes: 3 migrated, 1 rolled back; 5 not started.' in done.stdout
    assert f'Report:  {controller.artifacts}/report/index.html' in done.stdout
    assert "Go on:   ansible-playbook play.yml -i" in done.stdout and '-e jeedom_max_failed=0' in done.stdout
    assert not (controller.artifacts / 'journal' / 'box5.json').exists()
    told = controller.report()
    assert told['summary']['outcomes'] == {'migrated': 3, 'rolled_back': 1, 'none': 5}
    assert 'hunter2' not in json.dumps(told) and 'hunter2' not in (controller.artifacts / 'report' / 'index.html').read_text(encoding='utf-8')


def test_under_the_limit_it_goes_on_and_a_lost_box_is_unknown_and_counts(controller):
    controller.inventory(9, box3='fails', box7='lost')
    done = controller.run(WAVES, '-e', 'jeedom_max_failed_percent=34%')
    assert 'Wave 3: 5 boxes' in done.stdout and 'REACHED' in done.stdout
    assert controller.journal('box7')['outcome'] == 'unknown' and controller.journal('box7')['stages']['upgrade']['status'] == 'unknown'
    assert '9 boxes: 7 migrated, 1 rolled back, 1 unknown.' in done.stdout
    assert 'restore the link' in done.stdout and '--limit box3,box7' in done.stdout
    controller.inventory(9, box7='lost')
    done = controller.run(WAVES, '-e', 'jeedom_max_failed=0')
    assert done.returncode == 4 and 'In wave 3 (5 boxes) 1 ended badly (box7 unknown)' in done.stdout


ENDINGS = '''
- hosts: jeedom
  gather_facts: false
  tasks:
    - jeedom.fleet.record: {stage: verify, status: ok, outcome: "{{ fate }}", message: Ended.}
    - jeedom.fleet.wave_gate: {max_failed: 9}
'''


@pytest.mark.parametrize('fates, code', [
    (['migrated', 'already_done', 'ready'], 0), (['migrated', 'blocked'], 11), (['blocked', 'rolled_back', 'migrated'], 10),
    (['rolled_back', 'failed'], 2), (['failed', 'unknown', 'blocked'], 4), (['stopped'], 12)])
def test_the_exit_code_tells_the_worst_outcome_also_when_the_gate_let_it_pass(controller, fates, code):
    controller.inventory(len(fates), **{f'box{number}': fate for number, fate in enumerate(fates, 1)})
    done = controller.run(ENDINGS)
    assert done.returncode == code and 'Report: ' in done.stdout, done.stdout + done.stderr
    assert 'Traceback' not in done.stderr and not list((controller.folder / '.ansible' / 'tmp').glob('*'))
    assert controller.run(ENDINGS, JEEDOM_FLEET_EXIT_CODE='ansible').returncode == 0


def test_the_exit_code_of_other_playbooks_is_that_of_ansible(controller):
    controller.inventory(1, box1='blocked')
    assert controller.run(ENDINGS.replace('    - jeedom.fleet.wave_gate: {max_failed: 9}\n', '')).returncode == 0
    beside = ENDINGS + '''
- hosts: localhost
  gather_facts: false
  connection: local
  tasks:
    - ansible.builtin.command: "false"
'''
    assert controller.run(beside).returncode == 2


@pytest.mark.parametrize('setting', ['max_failed', 'max_failed_percent', 'soak'])
def test_a_limit_that_is_no_number_stops_at_the_gate(controller, setting):
    controller.inventory(1, box1='migrated')
    done = controller.run(ENDINGS.replace('{max_failed: 9}', f'{{{setting}: many}}'))
    assert done.returncode == 2 and '"error_code": "bad_limit"' in done.stdout and f"jeedom_{setting} is 'many'" in done.stdout


BEGINS = '''
- hosts: jeedom
  gather_facts: false
  tasks:
    - jeedom.fleet.backup_fetch: {backup: "{{ [] if fate | default('good') == 'lost' else {'proved': false, 'name': 'x'} }}"}
      vars: {jeedom_begins: fetch, jeedom_python: {path: /usr/bin/python3, version: [3, 9, 0], transport: stdin}}
      ignore_errors: true # it is refused on purpose; what counts is what the journal says of it
    - jeedom.fleet.record: {stage: fetch, status: ok, message: Here.}
      when: fate | default('good') == 'good'
'''


def test_a_stage_begins_with_its_first_task(controller):
    controller.inventory(2, box2='cut')
    done = controller.run(BEGINS)
    good, cut = (controller.journal(box)['stages']['fetch'] for box in ('box1', 'box2'))
    assert good['status'] == 'ok' and good['started'] < good['ended']
    # the callback knows of it, too: what nobody ends is told at the end
    assert cut['status'] == 'unknown' and cut['message'] == 'The run ended before this stage did.', done.stdout
    assert controller.journal('box2')['outcome'] == 'unknown' and '2 boxes: 1 unknown' in done.stdout


def test_a_stage_that_begins_in_a_dry_run_is_shown_and_not_written(controller):
    controller.inventory(1)
    done = controller.run(BEGINS, '--check')
    assert 'dry run' in done.stdout and 'box1' in done.stdout.split('PLAY RECAP')[1].split('\n\n', 1)[1] and not controller.artifacts.exists()


def test_all_boxes_of_a_run_share_one_run_id_and_a_second_run_has_another(controller):
    controller.inventory(9)
    assert controller.run(WAVES).returncode == 0
    first = {controller.journal(f'box{number}')['run_id'] for number in range(1, 10)}
    assert controller.run(WAVES).returncode == 0
    second = controller.journal('box1')
    assert len(first) == 1 and second['run_id'] not in first and second['history'][0]['outcome'] == 'migrated'


def test_a_run_id_that_comes_twice_hides_no_failure_of_the_second_run(controller):
    controller.inventory(9)
    assert controller.run(WAVES, '-e', 'jeedom_run_id=monday').returncode == 0
    controller.inventory(9, box3='fails')
    done = controller.run(WAVES, '-e', 'jeedom_run_id=monday')
    assert done.returncode == 10 and 'In wave 2 (3 boxes) 1 ended badly (box3 rolled_back)' in done.stdout
    controller.inventory(9)
    again = controller.run(WAVES, '-e', 'jeedom_run_id=monday')
    assert again.returncode == 0 and 'Wave 1: 1 box ' in again.stdout and '9 boxes: 9 migrated.' in again.stdout


def test_check_mode_shows_the_table_and_writes_nothing(controller):
    controller.inventory(4)
    done = controller.run(WAVES, '--check')
    assert done.returncode == 0 and '4 boxes: 4 migrated.' in done.stdout and 'dry run' in done.stdout
    assert not controller.artifacts.exists()


def test_a_dry_run_is_not_judged_and_says_what_failed(controller):
    controller.inventory(5, box2='fails')
    # raw is skipped in a dry run
    checked = WAVES.replace('ansible.builtin.raw: "test {{ fate | default(\'good\') }} != fails"', 'ansible.builtin.assert: {that: "fate is not defined"}')
    done = controller.run(checked, '--check', '-e', 'jeedom_max_failed=0')
    # neither stopped in wave 2 nor called well
    assert done.returncode == 10 and '5 boxes: 4 migrated, 1 rolled back' in done.stdout and 'Wave 1' not in done.stdout


def test_no_task_of_ours_reports_a_change(controller):
    controller.inventory(2)
    assert re.findall(r'changed=([0-9]+)', controller.run(WAVES).stdout.replace('localhost', '')) == ['0', '0', '0']


def test_silence_for_playbooks_of_others(controller):
    controller.inventory(2)
    play = '- hosts: jeedom\n  gather_facts: false\n  tasks:\n    - ansible.builtin.raw: "true"\n'
    with_it, without = controller.run(play).stdout, controller.run(play, callback=None).stdout
    assert sorted(with_it.splitlines()) == sorted(without.splitlines()) and not controller.artifacts.exists()


@pytest.mark.parametrize('setting', ['JEEDOM_FLEET_REPORT', 'JEEDOM_FLEET_LIVE'])
def test_the_callback_can_be_quieter(controller, setting):
    controller.inventory(2)
    done = controller.run(WAVES, **{setting: 'false'})
    assert ('Report: ' in done.stdout) is (setting != 'JEEDOM_FLEET_REPORT') and ('Wave 1:' in done.stdout) is (setting != 'JEEDOM_FLEET_LIVE')
    assert '2 boxes: 2 migrated.' in done.stdout


def test_a_report_that_cannot_be_written_does_not_look_like_a_failed_migration(controller):
    controller.inventory(2, box2='fails')
    (controller.folder / 'artifacts').mkdir()
    (controller.folder / 'artifacts' / 'report').write_text('in the way', encoding='utf-8')
    done = controller.run(WAVES, '-e', 'jeedom_max_failed=1')
    assert done.returncode == 10 and 'could not write its report' in done.stdout + done.stderr
    # and what the operator needs most is said all the same
    assert '2 boxes: 1 migrated, 1 rolled back.' in done.stdout and 'Go on:   ansible-playbook play.yml' in done.stdout


def test_artifacts_that_cannot_be_written_are_said_in_one_sentence(controller):
    controller.inventory(1)
    (controller.folder / 'artifacts').write_text('a file', encoding='utf-8')
    done = controller.run('- hosts: jeedom\n  gather_facts: false\n  tasks:\n    - jeedom.fleet.record: {stage: assess, status: ok}\n')
    assert 'cannot be created on the controller (Not a directory): make it writable' in done.stdout
    assert done.returncode == 2 and '"error_code": "artifacts_not_writable"' in done.stdout


@pytest.mark.parametrize('bad', ['{stage: ../x, status: ok}', '{stage: x, status: splendid}', '{stage: x, status: ok, files: {../../a: 1}}', '{status: ok}'])
def test_record_refuses_what_it_does_not_know(controller, bad):
    controller.inventory(1)
    assert controller.run(f'- hosts: jeedom\n  gather_facts: false\n  tasks:\n    - jeedom.fleet.record: {bad}\n').returncode == 2
    assert not list(controller.folder.glob('**/a.json'))


def test_record_hides_credentials_in_its_message(controller):
    controller.inventory(1)
    controller.run('- hosts: jeedom\n  gather_facts: false\n  tasks:\n    - jeedom.fleet.record: '
                   '{stage: x, status: failed, message: "mysql --password=hunter2 failed"}\n')
    assert 'hunter2' not in json.dumps(controller.journal('box1')) and 'failed' in controller.journal('box1')['stages']['x']['message']


def test_the_report_playbook_merges_what_two_workers_did(controller, fleets):
    controller.inventory(1)
    for worker, box in (('one', 'paris'), ('two', 'lyon')):
        fleets.make(controller.folder / worker, 1, hosts={1: box})
    done = controller.run('jeedom.fleet.report', '-e', json.dumps({'jeedom_report_sources': ['one', 'two'], 'jeedom_language': 'fr'}))
    assert done.returncode == 0, done.stdout
    told = controller.report()
    assert [each['host'] for each in told['boxes']] == ['lyon', 'paris'] and told['language'] == 'fr'
    assert 'Les 2 box sont en V4' in (controller.artifacts / 'report' / 'index.html').read_text(encoding='utf-8')
    done = controller.run('jeedom.fleet.report', '-e', '{"jeedom_report_sources": ["nowhere"]}')
    assert done.returncode == 2 and '"error_code": "no_journal"' in done.stdout and f'{controller.folder}/nowhere is no artifacts folder' in done.stdout


def test_the_status_playbook_tells_what_is_and_how_to_go_on(controller):
    controller.inventory(3, box2='fails')
    controller.run(WAVES, '-e', 'jeedom_max_failed=5')
    web = controller.folder / 'www' / 'core' / 'config'
    web.mkdir(parents=True)
    (web / 'version').write_text('4.5.3\n', encoding='utf-8')
    hosts = json.loads((controller.folder / 'hosts.json').read_text(encoding='utf-8'))
    hosts['jeedom']['hosts'].update({'new': {}, 'away': {'ansible_connection': 'ssh', 'ansible_host': '127.0.0.2', 'ansible_port': 1}})
    (controller.folder / 'hosts.json').write_text(json.dumps(hosts), encoding='utf-8')
    done = controller.run('jeedom.fleet.status', '-e', f'jeedom_web_root={controller.folder}/www', '-e', 'ansible_become=false')
    assert done.returncode == 0, done.stdout
    rows = {line.split()[0]: line for line in done.stdout.split('PLAY RECAP')[0].splitlines() if line.startswith(('box', 'new', 'away'))}
    assert 'migrated' in rows['box1'] and 'rolled back' in rows['box2'] and 'not touched from this controller' in rows['new']
    assert 'cannot be reached' in rows['away']
    assert re.search(r'^Go on:  ansible-playbook jeedom\.fleet\.migrate -i \S+ .*--limit box2,new,away$', done.stdout, re.MULTILINE)
    assert '(see to the reasons given in the report, then run again' in done.stdout


def test_a_box_that_cannot_be_asked_has_its_row_and_takes_none_from_the_others(controller):
    hosts = {'box1': {'ansible_host': '{{ nowhere }}', 'ansible_connection': 'ssh'}, 'box2': {'ansible_connection': 'no.such.plugin'}, 'box3': {},
             'box4': {'ansible_become': True, 'ansible_become_password': '{{ vault_sudo }}'}, 'box5': {'ansible_shell_executable': f'{controller.folder}/odd'}}
    mark = '@@jeedom-fleet-status@@'
    answer = f'0\\n{mark}\\n3.3.60\\n{mark}\\n{{}}\\n{mark}core-20261123T100000-0001\\n{mark}\\nnull\\n'
    (controller.folder / 'odd').write_text(f'#!/bin/sh\nprintf "{answer}"\n', encoding='utf-8')
    (controller.folder / 'odd').chmod(0o755)
    (controller.folder / 'hosts.json').write_text(json.dumps({'jeedom': {'hosts': hosts, 'vars': {
        'ansible_connection': 'local', 'ansible_become': False}}}), encoding='utf-8')
    done = controller.run('jeedom.fleet.status')
    assert done.returncode == 0, done.stdout
    rows = {line.split()[0]: line for line in done.stdout.split('PLAY RECAP')[0].splitlines() if re.match(r'box\d ', line)}
    assert sorted(rows) == sorted(hosts)
    for host, why in (('box1', 'nowhere'), ('box2', 'no.such.plugin'), ('box4', 'vault_sudo')):
        assert 'unreachable' in rows[host] and why in rows[host], rows[host]
    assert ' new ' in rows['box3'] and '3.3.60' in rows['box5']


def test_a_run_over_one_box_ends_with_a_report_of_all(controller):
    controller.inventory(9, box1='fails')
    assert controller.run(WAVES).returncode == 10
    controller.inventory(9)
    done = controller.run(WAVES, '--limit', 'box1')
    assert 'Nothing is left to do on the boxes of this run; there are others.\nGo on:   ansible-playbook' in done.stdout, done.stdout
    told = controller.report()
    assert told['summary']['outcomes'] == {'migrated': 1, 'none': 8} and '--limit' not in told['next']['command']


def test_a_backup_since_shows_itself_and_leaves_what_is_known_of_the_migration(controller):
    controller.inventory(2, box2='fails')
    controller.run(WAVES, '-e', 'jeedom_max_failed=9')
    before = controller.journal('box2')
    done = controller.run('''
- hosts: jeedom
  gather_facts: false
  vars: {jeedom_beside_migration: true}
  tasks:
    - jeedom.fleet.record: {stage: backup, status: started}
    - jeedom.fleet.record: {stage: backup, status: ok, message: A new archive.}
      when: inventory_hostname == 'box2'
''')
    assert re.search(r'^box2 .* rolled back +backup +00:00 +A new archive\.$', done.stdout, re.MULTILINE), done.stdout
    now = controller.journal('box2')
    assert {key: now[key] for key in now if key != 'stages'} == {key: before[key] for key in now if key != 'stages'}
    assert controller.journal('box1')['outcome'] == 'migrated' and controller.journal('box1')['stages']['backup']['status'] == 'unknown'
    told = {box['host']: box for box in controller.report()['boxes']}
    assert told['box2']['outcome'] == 'rolled_back' and 'Hop 2/4 died' in told['box2']['message'] and told['box1']['outcome'] == 'migrated'


@pytest.mark.parametrize('strategy', ['free', 'host_pinned'])
def test_playbooks_run_as_they_have_to_whatever_strategy_the_operator_has_set(controller, strategy):
    """Under these two, modules that speak for a whole wave end a play at once, and run_once runs for every box."""
    import time
    controller.inventory(3)
    hour = (time.localtime().tm_hour + 3) % 24
    done = controller.run('jeedom.fleet.migrate', '-e', f'jeedom_window={hour:02d}:00-{hour:02d}:30', ANSIBLE_STRATEGY=strategy)
    assert done.stdout.count('"error_code": "outside_window"') == 1 and 'host loop' not in done.stdout + done.stderr, done.stdout
    done = controller.run('jeedom.fleet.report', ANSIBLE_STRATEGY=strategy)
    assert done.returncode == 0 and done.stdout.count('"msg": "0 boxes') == 1, done.stdout


def test_every_play_that_does_something_once_for_many_boxes_says_its_strategy():
    import yaml
    root = COLLECTIONS / 'ansible_collections/jeedom/fleet'
    once = ['run_once: true', 'ansible.builtin.pause:', *(f'jeedom.fleet.{file.stem}:' for file in sorted((root / 'plugins/action').glob('*.py'))
                                                         if 'BYPASS_HOST_LOOP = True' in file.read_text(encoding='utf-8'))]
    told = {}
    for file in sorted((root / 'playbooks').glob('*.yml')):
        for play in yaml.safe_load(file.read_text(encoding='utf-8')):
            text = yaml.safe_dump(play, width=1000)
            for role in set(re.findall(r'name: jeedom\.fleet\.(\w+)', text)):
                text += ''.join(tasks.read_text(encoding='utf-8') for tasks in sorted((root / 'roles' / role / 'tasks').glob('*.yml')))
            if any(word in text for word in once) and play['hosts'] != 'localhost':
                told[f'{file.stem}: {play["name"]}'] = play.get('strategy')
    assert len(told) >= 7 and set(told.values()) == {'linear'}, told
