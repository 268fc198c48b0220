# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pieces of the facts that hold knowledge: releases, hardware, widgets, code, files, statements."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import zlib

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    core_files, facts_custom, facts_look, facts_plugins, facts_system, facts_tree, system)
from ansible_collections.jeedom.fleet.plugins.module_utils.database import Database
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


@pytest.mark.parametrize('text, codename, major', [
    ('9.13\n', None, 9), ('10.4', None, 10), ('11.7', 'bullseye', 11), ('13', None, 13), ('bookworm/sid', None, 12), ('stretch/sid', None, 9),
    ('kali-rolling', None, None), (None, 'buster', 10), (None, None, None), ('', '', None)])
def test_the_release_of_debian(text, codename, major):
    assert facts_system.debian_major(text, codename) == major


@pytest.mark.parametrize('model, generation', [
    ('Raspberry Pi 4 Model B Rev 1.2', 4), ('Raspberry Pi 3 Model B Plus Rev 1.3', 3), ('Raspberry Pi Model B Rev 2', 1),
    ('Raspberry Pi Zero W Rev 1.1', 0), ('Raspberry Pi Zero 2 W Rev 1.0', 3), ('Raspberry Pi Compute Module 4', 4), ('Odroid C2', None), (None, None)])
def test_the_generation_of_a_pi(model, generation):
    assert facts_system.rpi_generation(model) == generation


@pytest.mark.parametrize('uri, suite, dead', [
    ('http://repo.jeedom.com/odroid/', 'stable', True), ('http://www.deb-multimedia.org', 'bullseye', True),
    ('http://deb.debian.org/debian', 'stretch', True), ('http://raspbian.raspberrypi.org/raspbian/', 'buster', True),
    ('http://archive.debian.org/debian', 'stretch', False), ('http://deb.debian.org/debian', 'bullseye', False),
    ('http://my.mirror.lan/debian-copy', 'stretch', False)])
def test_dead_package_sources(uri, suite, dead):
    assert facts_system._is_dead(dict(uri=uri, suite=suite)) is dead


@pytest.mark.parametrize('name, path, detected', [
    ('smart', '/media/boot/multiboot/meson64_odroidc2.dtb.linux', 'smart'), ('docker', '/.dockerenv', 'docker'),
    ('delta', '/usr/bin/grille-pain', 'freeboxDelta'), ('atlas', '/etc/update-motd.d/10-armbian-header-jeedomatlas', 'Atlas'),
    ('rpi', '/usr/bin/raspi-config', 'rpi'), ('none', None, 'diy')])
def test_hardware_is_told_by_its_files(monkeypatch, name, path, detected):
    monkeypatch.setattr(os.path, 'exists', lambda asked: asked == path)
    monkeypatch.setattr(system, 'read_text', lambda *args, **options: None)
    monkeypatch.setattr(os, 'uname', lambda: ('Linux', 'box', '4.9', '#1', 'aarch64'))
    assert facts_system.detect_hardware()[0] == detected


def test_the_miniplus_is_told_by_its_kernel(monkeypatch):
    monkeypatch.setattr(os.path, 'exists', lambda asked: False)
    monkeypatch.setattr(system, 'read_text', lambda *args, **options: None)
    monkeypatch.setattr(os, 'uname', lambda: ('Linux', 'jeedom', '3.14.29-cubox-i', '#1', 'armv7l'))
    assert facts_system.detect_hardware()[0] == 'miniplus'


@pytest.mark.parametrize('template, names', [
    ('{"dashboard":"light","mobile":"light"}', {'info.binary.light'}),
    ('{"dashboard":"core::light","mobile":"customtemp::mine"}', {'info.binary.light', 'info.binary.mine'}),
    ('{"dashboard":"default","mobile":""}', set()), ('[]', set()), ('{"dashboard":{"a":1}}', set()), ('{', set()), (None, set())])
def test_widget_names_of_a_command(template, names):
    assert facts_custom.template_names(template, 'info', 'binary') == names


@pytest.mark.parametrize('text, is_code, patterns', [
    ('$a = trigger();', True, {'trigger'}), ('#trigger# == "x"', False, {'trigger'}), ('triggerValue(#12#)', False, {'trigger'}),
    ('cmd::byString("#[a][b][c]#")', True, {'byString'}), ('cmd::byString("x")', False, set()),
    ('$s->getHumanName(true)', True, {'getHumanName'}), ('object::byId(3); jeeObject::byId(3)', True, {'class_object'}),
    ('jeeObject::byId(3)', True, set()), ('utils::encrypt($x)', True, {'utils_crypt'}),
    ('network::getInterfaceIp("eth0")', True, {'getInterface'}), ('ajax::init(true)', True, {'ajax_init'}), ("ajax::init(array('a'))", True, set()),
    ('the triggering of it', True, set())])
def test_scenario_code_that_v4_breaks(text, is_code, patterns):
    assert facts_custom.code_patterns(text, is_code) == patterns


@pytest.mark.parametrize('text, hit', [
    ('apt-get install -y python-pip python-dev', True), ('sudo pip2 install x', True), ('#!/usr/bin/env python\nprint 1', True),
    ('#!/usr/bin/python2.7\n', True), ('#!/usr/bin/env python3\n', False), ('apt-get install python3-pip', False), ('pip3 install x', False)])
def test_python_2_in_a_plugin(text, hit):
    assert bool(facts_plugins._PYTHON2.search(text)) is hit


@pytest.mark.parametrize('configuration, kinds', [
    ('{"request":"http:\\/\\/x\\/core\\/api\\/jeeApi.php?apikey=abc&type=mobile&id=1"}', ['type=mobile']),
    ('{"request":"/core/api/jeeApi.php?type=cmd&id=1"}', []), ('jeeApi.php?type=scenario jeeApi.php?a=1&type=geoloc', ['type=geoloc'])])
def test_old_api_calls(configuration, kinds):
    class Look:
        def rows(self, name):
            return [['7', configuration]] if name == 'custom.api_cmd' else []
    found = facts_custom._api_calls(Look())
    assert [item['text'] for item in found['items']] == kinds
    assert 'abc' not in repr(found)


# -- the tree

@pytest.fixture
def web(tmpdir):
    """A small web root."""
    for path, size in (('core/a.php', 10), ('plugins/p/data/log/x', 7), ('plugins/p/docs/y', 5), ('plugins/p/main.php', 3), ('log/http.error', 100),
                       ('data/tmp', 4), ('backup/big.tar.gz', 1000), ('index.php', 1)):
        tmpdir.join(*path.split('/')).ensure().write('x' * size)
    os.symlink('/', str(tmpdir.join('plugins', 'p', 'link')))
    return str(tmpdir)


def test_the_tree_leaves_out_backups_and_finds_blind_spots(web):
    tree = facts_tree.Tree(web, web + '/backup', os.getuid(), facts_tree.BLIND)
    assert sorted(tree.blind_spots) == [['data/tmp', 4, 'tmp'], ['plugins/p/data/log', 7, 'log'], ['plugins/p/docs', 5, 'docs']]
    link = os.lstat(web + '/plugins/p/link').st_size
    assert tree.size == 130 + link
    assert tree.archive_size == 14 + link
    assert tree.plugins == {'p': 15 + link}
    assert tree.foreign == 0 and tree.complete


def test_files_of_others_are_counted(web):
    tree = facts_tree.Tree(web, web + '/backup', os.getuid() + 1, facts_tree.BLIND)
    assert tree.foreign > 10 and len(tree.foreign_examples) == 5


def test_an_endless_tree_is_cut(web, monkeypatch):
    monkeypatch.setattr(facts_tree, 'MOST_ENTRIES', 5)
    assert facts_tree.Tree(web, '', None, facts_tree.BLIND).complete is False


def test_a_file_name_that_is_no_text_does_no_harm(web):
    with open(os.path.join(web.encode('utf-8'), b'plugins/p/\xff\xfe.php'), 'wb'):
        pass
    tree = facts_tree.Tree(web, web + '/backup', os.getuid() + 1, facts_tree.BLIND)
    assert tree.files == 9


# -- files of the core

def manifest_of(root):
    """What a release would list."""
    found = {}
    for base, dummy, files in os.walk(root):
        for name in files:
            with open(os.path.join(base, name), 'rb') as stream:
                data = stream.read()
            found.setdefault(os.path.relpath(base, root), {})[name] = [len(data), '%08x' % (zlib.crc32(data) & 0xffffffff)]
    return found


def test_an_untouched_core_has_no_differences(web):
    release = dict((folder, files) for folder, files in manifest_of(web).items() if folder.startswith('core'))
    found = core_files.compare(web, core_files.digests(release))
    assert found == dict(compared=1, different={}, truncated=False)


def test_edited_added_and_missing_files_of_the_core_are_named(web):
    os.mkdir(web + '/core/php')
    for name in ('one.php', 'two.php', 'custom.css'):
        open(web + '/core/php/' + name, 'w').close()
    release = dict((folder, files) for folder, files in manifest_of(web).items() if folder.startswith('core'))
    release['core/gone'] = {'left.php': [1, '00000000']}
    with open(web + '/core/a.php', 'w') as stream:
        stream.write('edited')
    os.unlink(web + '/core/php/two.php')
    os.mkdir(web + '/core/mine')
    for path in ('core/mine/new.php', 'core/php/extra.php'):
        open(web + '/' + path, 'w').close()
    with open(web + '/core/php/custom.css', 'w') as stream:
        stream.write('spared by updates')
    found = core_files.compare(web, core_files.digests(release))
    assert core_files.resolve(found['different'], release) == dict(
        edited=['core/a.php'], foreign=['core/mine/new.php', 'core/php/extra.php'], missing=['core/gone/left.php', 'core/php/two.php'])


def test_a_wholly_different_core_does_not_flood(web, monkeypatch):
    monkeypatch.setattr(core_files, 'MOST_LISTED', 2)
    for number in range(5):
        open(web + '/core/f%d' % number, 'w').close()
    found = core_files.compare(web, {'core': 'x'})
    assert found['truncated'] is True and found['different'] == {}


# -- statements in one client call

@pytest.fixture
def batch(monkeypatch):
    """A batch whose client answers what the test makes of the script."""
    made = facts_look.Batch(Database({'dbname': 'jeedom', 'username': 'u', 'password': 'p'}))
    monkeypatch.setattr(Database, '_tool', staticmethod(lambda *names: names[0]))

    def answer(function):
        def run(argv, stdin=None, timeout=60):
            mark = re.search(r"SELECT '(@@\w+)'", stdin.decode('utf-8')).group(1)
            return function(mark)
        monkeypatch.setattr(system, 'run', run)
    made.answer = answer
    for name in ('one', 'two', 'three'):
        made.add(name, 'SELECT\n  1')
    return made


def test_each_statement_gets_its_rows(batch):
    batch.answer(lambda mark: system.Completed(0, '%s\na\\tb\tNULL\nc\\\\n\td\n%s\n%s\nlast\n' % (mark, mark, mark), ''))
    assert batch.run() == {'one': [['a\tb', None], ['c\\n', 'd']], 'two': [], 'three': [['last']]}


def test_a_statement_that_fails_spoils_only_itself(batch):
    error = "ERROR 1146 (42S02) at line 4: Table 'jeedom.event' doesn't exist\n"
    batch.answer(lambda mark: system.Completed(1, '%s\n1\n%s\n%s\n3\n' % (mark, mark, mark), error))
    found = batch.run()
    assert (found['one'], found['three']) == ([['1']], [['3']])
    assert isinstance(found['two'], facts_look.Unreadable) and "jeedom.event" in str(found['two'])


def test_a_database_that_does_not_answer_is_one_error(batch):
    batch.answer(lambda mark: system.Completed(1, '', "ERROR 2002 (HY000): Can't connect\n"))
    with pytest.raises(BoxError) as caught:
        batch.run()
    assert caught.value.code == 'database_error' and "Can't connect" in caught.value.msg


def test_rows_cannot_forge_the_end_of_a_statement(batch):
    marks = []
    batch.answer(lambda mark: marks.append(mark) or system.Completed(0, "%s\n@@0123\n%s\n%s\n" % (mark, mark, mark), ''))
    assert batch.run()['one'] == [['@@0123']]
    batch.run()
    assert marks[0] != marks[1] and min(len(mark) for mark in marks) > 30
