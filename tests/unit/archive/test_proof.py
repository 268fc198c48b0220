# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive is proved by reading it to its end, and every way of being broken is told."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib
import io
import os
import random
import sys
import tarfile
import threading
import time
import zlib

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import archive
from ansible_collections.jeedom.fleet.plugins.module_utils.dump_scan import DumpScanner

DUMP = (u'-- MariaDB dump\n'
        u'DROP TABLE IF EXISTS `config`;\n'
        u'CREATE TABLE `config` (\n  `key` varchar(127)\n) ENGINE=InnoDB;\n'
        u'LOCK TABLES `config` WRITE;\n'
        u"INSERT INTO `config` VALUES ('core','a','it\\'s; \\'),(\\''),('core','b','x\\\\'),('core','c',NULL);\n"
        u'UNLOCK TABLES;\n'
        u'CREATE TABLE `history` (\n  `cmd_id` int\n) ENGINE=InnoDB;\n'
        u"INSERT INTO `history` VALUES (1,'2026-01-01 00:00:00','21.5'),(2,'2026-01-01 00:00:00','\u00e9t\u00e9');\n"
        u"INSERT INTO `history` VALUES (3,'2026-01-01 00:00:00','1');\n"
        u'CREATE TABLE `empty``one` (\n  `id` int\n);\n'
        u'-- Dump completed on 2026-11-23 10:00:00\n').encode('utf-8')
ROWS = {'config': 3, 'history': 3, 'empty`one': 0}


def scan(data, step=None):
    scanner = DumpScanner()
    step = step or len(data)
    for start in range(0, len(data), step):
        scanner.feed(data[start:start + step])
    scanner.close()
    return scanner


def make(members=None, dump=DUMP):
    """The bytes of an archive as Jeedom makes it."""
    members = dict({'./core/config/version': b'3.3.60\n', './plugins/virtual/plugin_info/info.json': b'{}'}, **(members or {}))
    if dump is not None:
        members['./DB_backup.sql'] = dump
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:gz') as tar:
        for name in sorted(members):
            info = tarfile.TarInfo(name)
            info.size = len(members[name])
            tar.addfile(info, io.BytesIO(members[name]))
    return out.getvalue()


def gzipped(data):
    engine = zlib.compressobj(6, zlib.DEFLATED, 31)
    return engine.compress(data) + engine.flush()


def prove(data):
    return archive.prove(io.BytesIO(data))


@pytest.mark.parametrize('step', [None, 1, 2, 3, 7, 64, 1000])
def test_rows_are_counted_wherever_the_stream_is_cut(step):
    scanner = scan(DUMP, step)
    assert scanner.tables == ROWS
    assert scanner.complete and scanner.problem is None


def test_rows_on_lines_of_their_own_are_counted():
    # as newer MariaDB writes them
    data = b"CREATE TABLE `t` (\n);\nINSERT INTO `t` VALUES\n(1,'a'),\n(2,'b;'),\n(3,'c');\n-- Dump completed\n"
    for step in (None, 1, 5):
        assert scan(data, step).tables == {'t': 3}


def test_a_dump_of_one_endless_string_needs_no_memory():
    scanner = DumpScanner()
    scanner.feed(b"CREATE TABLE `t` (\n);\nINSERT INTO `t` VALUES (1,'")
    for _number in range(64):
        scanner.feed(b"x\\'" * (1 << 18))
        assert len(scanner._rest) <= 2 << 20
    scanner.feed(b"'),(2,'y');\n-- Dump completed\n")
    scanner.close()
    assert scanner.tables == {'t': 2}
    assert scanner.complete


def test_a_dump_of_one_endless_line_needs_no_memory():
    scanner = DumpScanner()
    for _number in range(32):
        scanner.feed(b'-- x' * (1 << 18))
        assert len(scanner._rest) <= 2 << 20


def slowly(statement):
    """Rows of one INSERT, byte by byte."""
    rows, depth, inside, escaped = 0, 0, False, False
    for char in statement.decode('latin-1'):
        if inside:
            inside = escaped or char != "'"
            escaped = not escaped and char == '\\'
        elif char == "'":
            inside = True
        elif char == '(':
            depth += 1
            rows += depth == 1
        elif char == ')':
            depth -= 1
    return rows


def test_rows_are_those_that_a_slow_reader_counts():
    chance = random.Random(1)
    pieces = ['a', '(', ')', ',', ';', '),(', ');', '\\\\', "\\'", "''", '\n', '`', '"', u'\u00e9', ' ', "\\n"]
    for _number in range(400):
        rows = [u"(%d,'%s',NULL,'%s')" % (number, u''.join(chance.choice(pieces) for _piece in range(chance.randrange(9))), chance.choice(pieces))
                for number in range(chance.randrange(1, 6))]
        statement = (chance.choice([u',', u',\n', u', ']).join(rows)).encode('utf-8')
        data = b'CREATE TABLE `t` (\n);\nINSERT INTO `t` VALUES ' + statement + b';\nINSERT INTO `u` VALUES (1);\n-- Dump completed\n'
        found = scan(data, chance.choice([None, 1, 2, 5, 11]))
        assert found.tables == {'t': slowly(statement), 'u': 1} and found.complete, data


def test_a_dump_of_a_row_a_line_is_read_in_one_go():
    data = b'CREATE TABLE `t` (\n);\n' + b"INSERT INTO `t` VALUES (1,'a;');\n" * 200000 + b'-- Dump completed\n'
    assert scan(data, 1 << 20).tables == {'t': 200000}


def test_a_dump_of_endless_tables_needs_no_memory():
    found = scan(b''.join(b'CREATE TABLE `t%d` (\n);\nINSERT INTO `u%d` VALUES (1);\n' % (number, number) for number in range(20000)) + b'-- Dump completed\n')
    assert len(found.tables) <= 10001 and 'more than 10000 tables' in found.problem


@pytest.mark.parametrize('cut', range(1, len(DUMP) - 45, 23))
def test_a_cut_dump_is_never_complete(cut):
    assert scan(DUMP[:cut]).problem is not None


@pytest.mark.parametrize('step', [None, 1, 100])
def test_the_size_of_a_dump_is_that_of_all_its_pieces(step):
    assert scan(DUMP, step).size == len(DUMP)


@pytest.mark.parametrize('end', [b'', b'\n', b'\n\n \n'])
def test_the_last_line_needs_no_line_end(end):
    assert scan(DUMP.rstrip(b'\n') + end).complete
    # cut within a statement, or within a line that has no end
    assert not scan(DUMP + b"INSERT INTO `config` VALUES ('" + end).complete
    assert not scan(DUMP + b'x' * 80000 + end).complete
    assert not scan(DUMP + b'-- x' + end).complete


def test_something_after_the_completion_line_is_not_an_end():
    assert not scan(DUMP + b'CREATE TABLE `x` (\n').complete


def test_a_good_archive_is_proved():
    data = make()
    proof = prove(data)
    assert proof['proved'], proof['problems']
    assert proof['dump']['tables'] == ROWS
    assert proof['core_version'] == '3.3.60'
    assert proof['plugins'] == ['virtual']
    assert proof['size'] == len(data) and len(proof['sha256']) == 64


def test_truncated_anywhere_it_is_not_proved():
    data = make()
    for cut in range(0, len(data) - 1, max(1, len(data) // 60)):
        proof = prove(data[:cut])
        assert not proof['proved'], cut
        assert proof['problems']


def test_the_hash_of_a_broken_archive_is_that_of_all_its_bytes():
    """Also when somebody has read ahead by the time that it turns out to be broken."""
    class Slow(io.BytesIO):
        def read(self, size=-1):
            data = io.BytesIO.read(self, min(size, 1000))
            # who reads ahead still has this in its hands when the other one takes over
            time.sleep(0.01 if threading.current_thread().name != 'MainThread' else 0)
            return data

    data = make()
    data = data[:len(data) // 3] + b'damage' + data[len(data) // 3 + 6:] + os.urandom(200000)
    found = archive.prove(Slow(data))
    assert not found['proved'] and found['size'] == len(data)
    assert found['sha256'] == hashlib.sha256(data).hexdigest()


def test_a_flipped_byte_anywhere_is_seen():
    data = bytearray(make())
    # the first ten bytes of gzip hold a time and a system that nobody checks
    for place in list(range(10, len(data), max(1, len(data) // 80))) + [len(data) - 1, len(data) - 6]:
        broken = bytearray(data)
        broken[place] ^= 0x55
        proof = prove(bytes(broken))
        assert not proof['proved'], place


def test_a_dump_cut_inside_a_whole_gzip_is_seen():
    proof = prove(make(dump=DUMP[:len(DUMP) // 2]))
    assert not proof['proved']
    assert 'completion line' in proof['problems'][0]


@pytest.mark.parametrize('data, word', [
    (b'', 'empty'), (b'not an archive at all' * 10, 'damaged'), (make(dump=None), 'DB_backup.sql'),
])
def test_what_is_no_archive_is_told(data, word):
    proof = prove(data)
    assert not proof['proved']
    assert any(word in problem for problem in proof['problems'])


@pytest.mark.parametrize('name', ['/etc/passwd', '../up', 'a/../../b'])
def test_a_member_that_leads_elsewhere_is_told(name):
    proof = prove(make({name: b'x'}))
    assert any('out of the tree' in problem for problem in proof['problems'])


@pytest.mark.parametrize('name', [u'./\u00e9t\u00e9', './with space', "./it's", './a"b', './$(reboot)', './new\nline'])
def test_any_file_name_may_be_inside(name):
    seen = []
    proof = archive.prove(io.BytesIO(make({name: b'x'})), on_name=lambda found, dummy: seen.append(found))
    assert proof['proved'], proof['problems']
    assert proof['members'] == 4
    assert len(seen) == 4


def test_a_bomb_is_read_without_being_unpacked():
    proof = prove(make({'./big': b'\0' * (64 << 20)}))
    assert proof['proved']


def header(name, kind, size):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    # tobuf() writes more headers of its own for a special one
    return info.create_ustar_header(info.get_info('utf-8', 'strict') if sys.version_info[0] == 2 else info.get_info(),
                                    *(() if sys.version_info[0] == 2 else ('utf-8', 'strict')))


@pytest.mark.parametrize('kind', [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_that_claims_to_be_huge_is_not_believed(kind):
    bomb = gzipped(header('x', kind, 900 << 20) + b'\0' * (64 << 20))
    found = prove(bomb)
    assert not found['proved'] and 'claims 943718400 bytes' in found['problems'][0]
    assert found['sha256'] == hashlib.sha256(bomb).hexdigest()


@pytest.mark.parametrize('kind', [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_headers_without_end_are_not_followed(kind):
    body = b'a\0' if kind == tarfile.GNUTYPE_LONGNAME else b'8 a=bcd\n'
    found = prove(gzipped((header('x', kind, len(body)) + body.ljust(512, b'\0')) * 5000))
    assert not found['proved'] and 'more than 8 headers' in found['problems'][0], found['problems']


@pytest.mark.parametrize('kind', [tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
@pytest.mark.parametrize('count, good', [(8, True), (9, False)])
def test_some_headers_may_belong_to_a_member(kind, count, good):
    body = b'a\0' if kind == tarfile.GNUTYPE_LONGNAME else b'8 a=bcd\n'
    found = prove(gzipped((header('x', kind, len(body)) + body.ljust(512, b'\0')) * count + header('x', tarfile.REGTYPE, 0) + b'\0' * 1024))
    assert (found['members'] == 1) is good and any('more than 8 headers' in problem for problem in found['problems']) is not good


def test_headers_for_all_members_are_counted_together():
    one = header('x', tarfile.XGLTYPE, 8) + b'8 a=bcd\n'.ljust(512, b'\0') + header('x', tarfile.REGTYPE, 0)
    assert prove(gzipped(one * 8 + b'\0' * 1024))['members'] == 8
    assert 'more than 8 headers' in prove(gzipped(one * 9 + b'\0' * 1024))['problems'][0]
    # those of one member are its own
    one = header('x', tarfile.GNUTYPE_LONGNAME, 2) + b'a\0'.ljust(512, b'\0') + header('x', tarfile.REGTYPE, 0)
    assert prove(gzipped(one * 50 + b'\0' * 1024))['members'] == 50


@pytest.mark.skipif(sys.version_info[0] == 2, reason='the tarfile of Python 2 knows no sparse files in attributes')
@pytest.mark.parametrize('attributes', [
    {'GNU.sparse.map': '0,1', 'GNU.sparse.size': '1'}, {'GNU.sparse.size': '1'}, {'GNU.sparse.major': '1', 'GNU.sparse.minor': '0'}])
def test_a_sparse_file_is_refused_however_it_says_so(attributes):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:gz', format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo('x')
        info.pax_headers, info.size = attributes, 1024
        tar.addfile(info, io.BytesIO(b'1\n0\n1\n'.ljust(1024, b'\0')))
    assert 'a member is a sparse file' in prove(out.getvalue())['problems'][0]


def test_what_is_not_in_an_archive_is_known_as_such():
    found = prove(make(dump=None))
    assert found['dump'] == dict(present=False, complete=False, tables={}, size=0)
    whole = prove(make())
    assert whole['dump'] == dict(present=True, complete=True, tables=ROWS, size=len(DUMP)) and whole['schema'] == archive.SCHEMA
    assert prove(make(dump=DUMP[:-45]))['dump']['complete'] is False


def test_every_member_is_told_with_its_size_and_how_far_it_is():
    sizes, seen = {}, []
    found = archive.prove(io.BytesIO(make({'./a': b'four'})), seen.append, lambda name, member: sizes.update({name: member.size}))
    assert sizes == {'a': 4, 'core/config/version': 7, 'plugins/virtual/plugin_info/info.json': 2, 'DB_backup.sql': len(DUMP)}
    assert len(seen) == 4 and seen == sorted(seen) and 0 < seen[-1] <= found['size']


def test_a_version_that_is_no_text_is_no_reason_to_stop():
    assert prove(make({'./core/config/version': b'3.3\xff\n'}))['core_version'] == u'3.3\ufffd'
    assert prove(make({'./core/config/version': b' \n'}))['core_version'] is None


def test_a_stream_without_end_is_read_in_pieces():
    class Pieces(io.BytesIO):
        def read(self, size=-1):
            assert 0 < size <= 1 << 20
            return io.BytesIO.read(self, size)

    data = os.urandom(300000)
    stream = archive._Gunzip(Pieces(gzipped(data) + gzipped(data) + b'\0' * 99))
    parts = list(iter(lambda: stream.read(1000), b''))
    assert b''.join(parts) == data + data and set(len(part) for part in parts) == {1000}


def test_a_member_of_less_than_nothing_leads_nowhere():
    data = bytearray(header('x', tarfile.REGTYPE, 0))
    # -512 in the base-256 form of a size, so that the next member would be this one again
    data[124:136] = b'\xff' * 10 + b'\xfe\x00'
    data[148:156] = b' ' * 8
    data[148:156] = ('%06o\0 ' % sum(data)).encode('ascii')
    found = prove(gzipped(bytes(header('y', tarfile.REGTYPE, 0)) + bytes(data) * 3))
    assert not found['proved'] and found['members'] < 3, found


def test_a_member_that_is_skipped_has_to_be_there():
    whole = bytes(header('x', tarfile.REGTYPE, 5 << 20)) + b'\0' * (5 << 20)
    for cut in (513, 1 << 20, len(whole) - 1):
        assert 'unexpected end of data' in prove(gzipped(whole[:cut]))['problems'][0]
    assert 'unexpected end of data' not in prove(gzipped(whole))['problems'][0]


def test_a_sparse_file_is_refused():
    found = prove(gzipped(header('x', tarfile.GNUTYPE_SPARSE, 10)))
    assert not found['proved'] and 'sparse' in found['problems'][0]


def test_long_names_and_attributes_of_honest_tars_are_read():
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w:gz', format=form) as tar:
            for name, data in (('./core/config/version', b'3.3.60'), ('./DB_backup.sql', DUMP), ('./data/' + 'long/' * 80 + 'x', b'1')):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        assert prove(out.getvalue())['problems'] == []


def test_missing_tables_rows_and_plugins_are_named():
    proof = prove(make())
    before = {'config': 3, 'history': 3, 'empty`one': 0, 'user': 2}
    after = dict(before)
    problems = archive.compare(proof, before, after, ['virtual', 'weather'])
    assert any('user' in problem for problem in problems)
    assert any('weather' in problem for problem in problems)
    assert archive.compare(proof, ROWS, ROWS, ['virtual']) == []
    assert archive.compare(proof, dict(ROWS, config=9), dict(ROWS, config=9), []) == [
        'table config has 3 rows in the dump and 9 to 9 on the box']


def test_rows_that_the_engine_writes_meanwhile_are_no_problem():
    proof = prove(make())
    assert archive.compare(proof, dict(ROWS, history=2), dict(ROWS, history=8), []) == []


@pytest.mark.parametrize('rows, good', [(155, True), (156, False), (45, True), (44, False)])
def test_tables_that_shrink_and_grow_may_differ_by_some_rows(rows, good):
    found = dict(dump=dict(tables=dict(event=rows, cmd=rows)), plugins=[])
    assert (archive.compare(found, dict(event=100), dict(event=100), []) == []) is good
    assert archive.compare(found, dict(cmd=100), dict(cmd=100), []) == ['table cmd has %d rows in the dump and 100 to 100 on the box' % rows]


@pytest.mark.parametrize('name, good', [
    ('backup-Jeedom-3.3.60-2026-11-23-10h26.tar.gz', True), (u'backup-Ma maison \u00e9t\u00e9-4.4-2026-11-23-10h26.tar.gz', True),
    ('backup-$(reboot)-3.3.60-2026-11-23-10h26.tar.gz', True), ('backup.tar.gz', False), ('backup-x-3.3.60-2026-11-23-10h26.tar', False),
])
def test_names_of_archives(name, good):
    assert bool(archive.NAME.match(name)) is good
