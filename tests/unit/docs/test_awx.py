# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook of docs/how-to/awx.md against the rules that AWX has for surveys and workflows; AWX itself is not there."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SPEC = importlib.util.spec_from_file_location('jeedom_fleet_doc_pages_awx', HERE / 'pages.py')
pages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pages)
PAGE = (ROOT / 'docs/how-to/awx.md').read_text(encoding='utf-8')
# type of a question -> type of its default
TYPES = {'text': str, 'textarea': str, 'password': str, 'multiplechoice': str, 'multiselect': (list, str), 'integer': int, 'float': float}


def tasks(module: str) -> list[dict]:
    """The arguments of all tasks of the page's playbook that use a module, one for each item of a loop."""
    block = next(block for block in pages.blocks(PAGE) if block.text.startswith('# awx.yml'))
    found = []
    for task in yaml.safe_load(block.text)[0]['tasks']:
        if module in task:
            for item in task.get('loop', [{}]):
                found.append({key: value.replace('{{ item.name }}', item.get('name', '')) if isinstance(value, str) else value
                              for key, value in task[module].items()})
    return found


SURVEYS = [each['survey_spec'] for each in tasks('awx.awx.job_template') if 'survey_spec' in each]
QUESTIONS = [question for survey in SURVEYS for question in survey['spec']]
NODES = {node['identifier']: node for node in tasks('awx.awx.workflow_job_template')[0]['workflow_nodes']}


def test_a_survey_has_name_description_and_questions_about_different_variables():
    assert SURVEYS
    for survey in SURVEYS:
        assert isinstance(survey['name'], str) and isinstance(survey['description'], str) and survey['spec']
        variables = [question['variable'] for question in survey['spec']]
        assert len(variables) == len(set(variables))


@pytest.mark.parametrize('question', QUESTIONS, ids=lambda question: question['variable'])
def test_awx_would_take_the_question(question):
    assert all(isinstance(question[key], str) for key in ('type', 'question_name', 'variable')) and isinstance(question['required'], bool)
    assert question['type'] in TYPES
    if question.get('default', '') != '':
        assert isinstance(question['default'], TYPES[question['type']])
    if question['type'].startswith('multi'):
        assert all(isinstance(choice, str) for choice in question['choices'])
        assert question.get('default', question['choices'][0]) in question['choices']
    assert all(isinstance(question.get(key, 0), int) for key in ('min', 'max'))


@pytest.mark.parametrize('question', QUESTIONS, ids=lambda question: question['variable'])
def test_no_password_is_asked_and_what_is_asked_is_read(question):
    assert question['type'] != 'password'
    code = [*(ROOT / 'roles').rglob('*.yml'), *(ROOT / 'playbooks').glob('*.yml'), *(ROOT / 'plugins/action').glob('*.py')]
    name = question['variable']
    read = (name, f"'{name.removeprefix('jeedom_')}'")
    assert any(word in path.read_text(encoding='utf-8') for path in code for word in read)


def test_nodes_lead_to_nodes_and_templates_that_there_are():
    names = {template['name'] for template in tasks('awx.awx.job_template')}
    for node in NODES.values():
        for links in node.get('related', {}).values():
            assert {link['identifier'] for link in links} <= set(NODES)
        template = node['unified_job_template']
        assert template['type'] == 'workflow_approval' or template['name'] in names


def test_nothing_gets_to_migrate_without_approval():
    begin = set(NODES) - {link['identifier'] for node in NODES.values() for links in node.get('related', {}).values() for link in links}
    ways, ends = [[name] for name in begin], []
    while ways:
        way = ways.pop()
        after = [link['identifier'] for links in NODES[way[-1]].get('related', {}).values() for link in links]
        ways += [[*way, name] for name in after]
        ends += [way] if not after else []
    assert ends and all(way[-1] == 'migrate' for way in ends)
    for way in ends:
        approval = NODES[way[-2]]
        assert approval['unified_job_template']['type'] == 'workflow_approval' and list(approval['related']) == ['success_nodes']


def test_every_template_runs_a_playbook_of_the_project_which_is_one_of_ours():
    layout = next(block.text for block in pages.blocks(PAGE) if 'collections/requirements.yml' in block.text)
    for template in tasks('awx.awx.job_template'):
        assert template['playbook'] in layout and (ROOT / 'playbooks' / template['playbook']).exists()


@pytest.mark.parametrize('artifacts, hosts', [
    ({}, ['box1', 'box2', 'box3']), ({'jeedom_hosts_by_outcome': {'ready': ['box1', 'box3'], 'blocked': ['box2']}}, ['box1', 'box3']),
    ({'jeedom_hosts_by_outcome': {'blocked': ['box2']}}, [])])
def test_migrate_takes_what_was_approved_and_by_hand_all(tmp_path, artifacts, hosts):
    told = next(each for each in tasks('awx.awx.job_template') if each['playbook'] == 'migrate.yml')['extra_vars']
    # what awx.yml leaves in the template
    stored = {key: re.sub(r'{% (end)?raw %}', '', value) if isinstance(value, str) else value for key, value in told.items()}
    (tmp_path / 'hosts.yml').write_text('jeedom: {hosts: {box1: , box2: , box3: }}\n', encoding='utf-8')
    (tmp_path / 'vars.json').write_text(json.dumps({**stored, **artifacts}), encoding='utf-8')
    done = subprocess.run([str(Path(sys.executable).with_name('ansible-playbook')), str(ROOT / 'playbooks/migrate.yml'), '-i', 'hosts.yml', '-e', '@vars.json',
                           '--list-hosts'], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
                          env={'ANSIBLE_COLLECTIONS_PATH': str(ROOT / 'collections'), 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', 'HOME': str(tmp_path)})
    assert done.returncode == 0, done.stderr
    second = done.stdout.split('play #2')[1].split('play #3')[0]
    assert sorted(re.findall(r'^ +(box\d)$', second, re.MULTILINE)) == hosts, done.stdout
