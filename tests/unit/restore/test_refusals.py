# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore refuses before it touches anything, and what it does not go on after."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import tarfile

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import (
    restore, restore_schema, restore_source, restore_web, rollback_point, system, transaction, tree, tree_extract)
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError


class Done(object):
    """What system.run gives."""

    def __init__(self, rc=0, out='', err=''):
        self.rc, self.out, self.err = rc, out, err


class Root(object):
    """A database that gives the same rows to every statement."""

    def __init__(self, rows=()):
        self.rows, self.asked = rows, []

    def query(self, sql, **dummies):
        self.asked.append(sql)
        return list(self.rows)


@pytest.fixture
def state_dir(tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'STATE_DIR', str(tmp_path / 'state'))
    monkeypatch.setattr(system, 'require_root', lambda: None)
    return tmp_path / 'state'


def code(function, *arguments):
    with pytest.raises(BoxError) as caught:
        function(*arguments)
    return caught.value.code


# -- the database

def test_a_schema_that_is_not_there_is_not_an_empty_one():
    assert code(restore_schema.describe, Root(), 'jeedom') == 'no_schema'


def test_a_schema_whose_neighbour_would_have_too_long_a_name_is_refused_before_a_statement():
    root = Root()
    longest = 64 - len(restore_schema.NEW)
    assert restore_schema.Exchange(root, 'j' * longest, '/nowhere').new == 'j' * longest + restore_schema.NEW
    assert code(restore_schema.Exchange, root, 'j' * (longest + 1), '/nowhere') == 'schema_name_too_long'
    assert not root.asked


def described(**tables):
    others = dict(views=0, triggers=0, routines=0, events=0)
    return dict(tables=dict((name, dict(dict(rows=2, checksum='7', engine='InnoDB'), **keys)) for name, keys in tables.items()), others=others)


@pytest.mark.parametrize('found, problem', [
    (described(), 'table cmd is missing'),
    (described(cmd={}, ghost={}), 'table ghost was not there before'),
    (described(cmd=dict(rows=1)), 'table cmd has 1 rows instead of 2'),
    (dict(described(cmd={}), others=dict(views=0, triggers=0, routines=0, events=1)), '1 events instead of 0'),
])
def test_a_restored_schema_that_differs_is_a_problem(found, problem):
    assert restore_schema.compare(found, described(cmd={})) == ([problem], [])


def test_bytes_that_are_stored_otherwise_are_told_and_no_problem():
    assert restore_schema.compare(described(cmd=dict(checksum='8')), described(cmd={})) == ([], ['table cmd has another checksum'])


def test_a_table_in_memory_is_not_compared():
    assert restore_schema.compare(described(cmd=dict(rows=0, engine='MEMORY')), described(cmd={})) == ([], [])


# -- what runs a Jeedom

@pytest.mark.parametrize('done, words', [(Done(127, '', 'php: not found\nmore'), 'php: not found'), (Done(0, ''), 'code 0'), (Done(0, 'no numbers'), 'code 0')])
def test_no_jeedom_is_restored_where_php_does_not_run(monkeypatch, done, words):
    monkeypatch.setattr(system, 'run', lambda *dummy, **dummies: done)
    with pytest.raises(BoxError) as caught:
        restore_source.require_php('4.4.20')
    assert caught.value.code == 'no_php' and words in caught.value.msg and 'more' not in caught.value.msg


def test_a_web_server_that_does_not_stop_is_no_ground_for_an_exchange(state_dir, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(restore_web.time, 'time', lambda: clock[0])
    monkeypatch.setattr(restore_web.time, 'sleep', lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(restore_web, '_service', lambda action: Done(1, '', 'Job failed.\nTimed out'))
    monkeypatch.setattr(restore_web, 'running', lambda: True)
    with pytest.raises(BoxError) as caught:
        restore_web.stop()
    assert caught.value.code == 'web_not_stopped' and 'Timed out' in caught.value.msg
    assert restore_web.has_been_stopped(), 'nobody may start it meanwhile'


def test_a_web_server_that_takes_its_time_is_waited_for(state_dir, monkeypatch):
    answers = [True, True, False]
    monkeypatch.setattr(restore_web.time, 'sleep', lambda seconds: None)
    monkeypatch.setattr(restore_web, '_service', lambda action: Done())
    monkeypatch.setattr(restore_web, 'running', lambda: answers.pop(0))
    restore_web.stop()
    assert not answers and restore_web.has_been_stopped()


def test_a_web_server_that_does_not_start_tells_why_and_is_held_no_more(state_dir, monkeypatch):
    restore_web.hold()
    monkeypatch.setattr(restore_web, '_service', lambda action: Done(1, '', 'Job for apache2.service failed.'))
    monkeypatch.setattr(system, 'run', lambda *dummy, **dummies: Done(1, '', 'AH00526: Syntax error on line 3\nInvalid command Frobnicate'))
    with pytest.raises(BoxError) as caught:
        restore_web.start()
    assert caught.value.code == 'web_not_started' and 'Invalid command Frobnicate' in caught.value.msg
    assert not restore_web.has_been_stopped()


# -- the tree

def test_a_file_system_mounted_inside_is_never_emptied(tmp_path):
    folder = tmp_path / 'old'
    (folder / 'nas').mkdir(parents=True)
    (folder / 'nas' / 'film').write_text(u'precious')
    device = os.lstat(str(folder)).st_dev
    assert code(tree_extract._remove, str(folder), device + 1) == 'mounted_inside'
    assert (folder / 'nas' / 'film').read_text() == u'precious'


def test_what_is_mounted_below_the_web_root_is_known_by_its_name(tmp_path, monkeypatch):
    root = tmp_path / 'html'
    root.mkdir()
    line = u'36 35 98:0 / %s rw,noatime master:1 - ext4 /dev/sda1 rw'
    points = [str(root), str(root) + '/backup', str(root) + '/data/my\\040film\\011s\\134x', str(root) + '/backup', str(root) + '-old/nas', '/']
    monkeypatch.setattr(system, 'read_text', lambda path: u'\n'.join(line % point for point in points) if path == '/proc/self/mountinfo' else None)
    os.symlink(str(root), str(tmp_path / 'www'))
    for asked in (root, tmp_path / 'www'):
        assert tree.mount_points(str(asked)) == ['backup', 'data/my film\ts\\x']


def test_a_machine_that_does_not_tell_its_mounts_has_none(monkeypatch):
    monkeypatch.setattr(system, 'read_text', lambda path: None)
    assert tree.mount_points('/var/www/html') == []


def test_a_link_is_removed_and_what_it_shows_stays(tmp_path):
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'elsewhere' / 'film').write_text(u'precious')
    (tmp_path / 'old').mkdir()
    os.symlink(str(tmp_path / 'elsewhere'), str(tmp_path / 'old' / 'link'))
    tree_extract.remove(str(tmp_path / 'old'))
    tree_extract.remove(str(tmp_path / 'old'))
    assert os.listdir(str(tmp_path)) == ['elsewhere'] and (tmp_path / 'elsewhere' / 'film').read_text() == u'precious'


def test_the_room_of_a_tree_is_that_of_all_its_files_in_whole_blocks(tmp_path):
    root = tmp_path / 'web'
    (root / 'skipped').mkdir(parents=True)
    sizes = {'a': 1, 'b': 4096, 'c': 4097, 'skipped/d': 9000}
    for name in sizes:
        (root / name).write_bytes(b'')
    # folders are as large as the file system likes
    empty, inodes = tree.measure(str(root))
    assert inodes == 2 + len(sizes)
    for name, size in sizes.items():
        (root / name).write_bytes(b'x' * size)
    assert tree.measure(str(root)) == (empty + 4096 * (1 + 1 + 2 + 3), inodes)
    assert tree.measure(str(root), ('skipped',))[1] == inodes - 2


def test_a_proved_copy_is_of_the_same_sizes_kinds_and_owners(tmp_path):
    root = tmp_path / 'web'
    root.mkdir()
    (root / 'a').write_bytes(b'four')
    entries = tree.copy(str(root), str(tmp_path / 'copy'))
    assert tree.differences(str(root), entries) == []
    (root / 'a').write_bytes(b'fives')
    assert [text for text in tree.differences(str(root), entries) if '5 bytes instead of 4' in text]
    os.unlink(str(root / 'a'))
    os.mkdir(str(root / 'a'))
    assert [text for text in tree.differences(str(root), entries) if 'another kind of file' in text]


@pytest.mark.parametrize('change, problem', [
    (lambda path: os.chmod(path, 0o600), 'mode 600 instead of 644'),
    pytest.param(lambda path: os.chown(path, 12, 34), 'owner 12:34 instead of %d:%d' % (os.getuid(), os.getgid()),
                 marks=pytest.mark.skipif(os.getuid() != 0, reason='only root gives a file away; CI is root')),
])
def test_rights_and_owners_are_part_of_what_is_proved(tmp_path, change, problem):
    root = tmp_path / 'web'
    root.mkdir()
    (root / 'a').write_bytes(b'four')
    os.chmod(str(root / 'a'), 0o644)
    entries = tree.copy(str(root), str(tmp_path / 'copy'))
    change(str(root / 'a'))
    (text,) = tree.differences(str(root), entries)
    assert problem in text


# -- what comes out

JOURNAL = dict(web_root='/web', source='archive', in_transaction=False, web_before=True, step='clean', work='/aside', listing='/aside/tree.list',
               kept=[], wanted=dict(tables={}), version='3.3.60', connection=dict(dbname='jeedom'))


@pytest.fixture
def restored(monkeypatch):
    """restored(files, tables, version, page, journal...): a Restore that finds these differences; web: what was done with the web server."""
    def call(files=(), tables=(), version='3.3.60', page=None, **journal):
        work = restore.Restore(Job(), dict(JOURNAL, **journal), restore_schema.Exchange(Root(), 'jeedom', '/aside'))
        work.installation.version = lambda: version
        monkeypatch.setattr(restore.restore_checks, 'ensure_login', lambda *dummy: None)
        monkeypatch.setattr(tree, 'load_listing', lambda path: [])
        monkeypatch.setattr(tree, 'differences', lambda *dummy: list(files))
        monkeypatch.setattr(restore_schema, 'describe', lambda *dummy: {})
        monkeypatch.setattr(restore_schema, 'compare', lambda *dummy: (list(tables), []))
        work.web = []
        monkeypatch.setattr(restore_web, 'start', lambda context: work.web.append('start'))
        monkeypatch.setattr(restore_web, 'wait', lambda seconds: dict(ok=not page, problem=page, bytes=7, status=200))
        return work
    return call


class Job(object):
    """A job's context that keeps what is told."""

    def __init__(self):
        self.lines = []

    def log(self, line):
        self.lines.append(line)


@pytest.mark.parametrize('found, words', [
    (dict(files=['core/a.php: is missing']), 'core/a.php: is missing'),
    (dict(tables=['table cmd is missing']), 'table cmd is missing'),
    (dict(version='4.1.28'), 'version file 4.1.28 instead of 3.3.60'),
    (dict(version=None, files=['core/config/version: is missing']), 'version file None instead of 3.3.60'),
])
@pytest.mark.parametrize('sound', [True, False])
def test_a_restore_that_is_not_as_its_source_goes_back_to_what_worked_or_keeps_it(restored, found, words, sound):
    work = restored(web_before=sound, **found)
    with pytest.raises(BoxError) as caught:
        work._verify()
    assert caught.value.code == 'restore_not_verified' and '(%s)' % words in caught.value.msg and '3.3.60' in caught.value.msg
    assert caught.value.details['verified']['files'] is ('tables' in found) and caught.value.details['verified']['tables'] is ('tables' not in found)
    assert ('was given back as it was' in caught.value.msg) is sound
    assert sound or '/aside/old' in caught.value.msg and 'jeedom_fleet_old' in caught.value.msg
    # where nothing goes back, what there is has to be served
    assert work.web == ([] if sound else ['start']) and [line for line in work.context.lines if words in line]


def test_a_log_line_more_is_told_and_proves_nothing(restored):
    work = restored(files=['log/http.error: 9 bytes instead of 7'])
    work._verify()
    assert work.journal['verified']['files'] and work.journal['verified']['remarks'] == ['log/http.error: 9 bytes instead of 7']


def test_a_restored_jeedom_that_serves_no_page_goes_back_to_the_one_that_did(restored, monkeypatch):
    work = restored(page='answer 500', step='web', verified={}, stopped=0, engine={})
    monkeypatch.setattr(restore.engine, 'start', lambda *dummy: pytest.fail('started'))
    with pytest.raises(BoxError) as caught:
        work._start()
    assert caught.value.code == 'restore_not_verified' and '(answer 500)' in caught.value.msg and 'given back' in caught.value.msg


class Jeedom(object):
    """A live Jeedom without credentials."""
    config_file = '/web/core/config/common.config.php'

    def credentials(self):
        raise BoxError('no', 'credentials_unreadable')


def complement_of(folder, **files):
    """A complement that holds these files of core/config."""
    path = str(folder / 'c.tar.gz')
    with tarfile.open(path, 'w:gz') as tar:
        for name, text in files.items():
            info = tarfile.TarInfo('./core/config/%s.config.php' % name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    return path


@pytest.mark.parametrize('files', [None, dict(other=b'<?php $CONFIG["db"] = ["dbname" => "x"];'), dict(common=b'<?php // emptied')])
def test_credentials_that_are_nowhere_are_asked_for(state_dir, tmp_path, monkeypatch, files):
    monkeypatch.setattr(system, 'run', lambda *dummy, **dummies: Done(1))
    source = object.__new__(restore_source.ArchiveSource)
    source.live, source.complement = Jeedom(), None if files is None else complement_of(tmp_path, **files)
    with pytest.raises(BoxError) as caught:
        source._connection()
    assert caught.value.code == 'no_credentials' and Jeedom.config_file in caught.value.msg and 'complement' in caught.value.msg
    assert os.listdir(str(state_dir / 'staging')) == [], 'nothing secret is left behind'


def test_credentials_of_a_broken_tree_come_from_the_complement(state_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(system, 'run', lambda *dummy, **dummies: Done(1))
    text = b"<?php\nglobal $CONFIG;\n$CONFIG = array('db' => array('host' => 'localhost', 'dbname' => 'jeedom', 'username' => 'u', 'password' => 'p'));\n"
    source = object.__new__(restore_source.ArchiveSource)
    source.live, source.complement = Jeedom(), complement_of(tmp_path, common=text)
    assert source._connection()['dbname'] == 'jeedom' and os.listdir(str(state_dir / 'staging')) == []


def test_a_tree_without_credentials_is_not_put_in_place(tmp_path):
    source = object.__new__(restore_source.ArchiveSource)
    source.foreign, source.live = True, Jeedom()
    with pytest.raises(BoxError) as caught:
        source._carry_over(str(tmp_path), {'core/config/version'}, None)
    assert caught.value.code == 'no_credentials' and 'no complement was given' in caught.value.msg


# -- the rollback point

def test_an_open_migration_without_its_rollback_point_is_told_where_to_go(state_dir, monkeypatch):
    transaction.open('/var/www/html', 'jeedom', dict(rows={}), '3.3.60', run_id='r1')
    transaction.update(step=transaction.OPEN)
    params = dict(web_root='/var/www/html', state='present', fetched=None, location='auto', route=[], on_failure='restore', run_id='r2', controller='c')
    with pytest.raises(BoxError) as caught:
        rollback_point.run(params, False)
    assert caught.value.code == 'rollback_point_missing' and 'r1' in caught.value.msg and 'jeedom_rollback_source: archive' in caught.value.msg
    assert transaction.current()['step'] == transaction.OPEN


def present(**keys):
    given = dict(web_root='/var/www/html', state='present', fetched=None, location='auto', route=[], on_failure='restore', stage=None, run_id='r2',
                 controller='c2')
    return rollback_point.run(dict(given, **keys), False)


def test_the_open_migration_of_another_run_is_told_by_whom_it_is(state_dir, monkeypatch):
    transaction.open('/var/www/html', 'jeedom', dict(rows={}), '3.3.60', run_id='r1', controller='c1')
    transaction.update(step=transaction.HOP, hop='4.0.63')
    monkeypatch.setattr(rollback_point.restore_point, 'manifest', lambda: dict(created=1))
    monkeypatch.setattr(rollback_point, '_summary', lambda record: record)
    told = present()
    assert not told['changed'] and (told['transaction']['run_id'], told['transaction']['controller']) == ('r1', 'c1')
    assert (told['held']['run_id'], told['held']['by']) == ('r1', 'c1') and 0 <= told['held']['ago'] < 60


@pytest.mark.parametrize('adopted', [True, False])
def test_a_job_of_another_run_is_told_by_whom_it_is(state_dir, monkeypatch, adopted):
    monkeypatch.setattr(rollback_point, '_check', lambda installation, location: None)
    monkeypatch.setattr(rollback_point.jobs, 'start', lambda *dummy: dict(id='rollback_point-1', adopted=adopted, dir=''))
    monkeypatch.setattr(rollback_point.jobs, 'running', lambda: dict(
        id='rollback_point-1', kind='rollback_point', run_id='r1', controller='c1', followed=None, created=1))
    told = present()
    assert told['job']['id'] == 'rollback_point-1'
    assert (told['live_job'] and (told['live_job']['run_id'], told['live_job']['controller'])) == (('r1', 'c1') if adopted else None)
    # The transaction that the job opens says whose it is; a job that opens none leaves no note.
    assert not (state_dir / transaction.HELD).exists()


def test_zips_that_cannot_be_had_open_nothing(state_dir, monkeypatch):
    class Context(object):
        def phase(self, *dummy, **dummies):
            pass

    def refuses(params, context, share):
        assert params['web_root'] == '/var/www/html'
        raise BoxError('The download site answered 404.', 'download_refused')

    monkeypatch.setattr(rollback_point.Installation, 'secrets', lambda self: [])
    monkeypatch.setattr(rollback_point.core_zips, 'ensure', refuses)
    with pytest.raises(BoxError) as caught:
        rollback_point.job(dict(web_root='/var/www/html', stage=dict(version='4.5.3')), Context())
    assert caught.value.code == 'download_refused' and transaction.current() is None
