# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of each copy on the controller: proved, or why not; and what a manifest from a hostile box cannot do."""

from __future__ import annotations

import json
import sys

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import forms, sealing, store

NAME = 'backup-a-3.3.60-2026-11-23-10h26.tar.gz'
KEY = bytes(range(32))
PLAIN = forms.Forms()
# "encrypts" by turning bytes around; no tool has to be installed for the test
TURN = [sys.executable, '-c', 'import sys; sys.stdout.buffer.write(bytes(255 - b for b in sys.stdin.buffer.read()))']


def sealed():
    return forms.Forms(keys=[KEY])


def turned():
    return forms.Forms(command=TURN, open_command=TURN, suffix='.turned')


FORMS = pytest.mark.parametrize('form', [forms.Forms, sealed, turned])


def manifest(shelf, **changes):
    path = shelf.place / (NAME + '.manifest.json')
    value = dict(json.loads(path.read_text()), **changes)
    path.write_text(json.dumps(value))
    return value


def one(shelf):
    copies = shelf.look()
    assert len(copies) == 1
    return copies[0]


@FORMS
def test_a_copy_is_proved_by_its_manifest_and_again_by_reading(shelf, form):
    shelf.add(form=form())
    copy = one(shelf)
    assert copy['proved'] and copy['how'] is None and copy['form'] == form().name and copy['core_version'] == '3.3.60' and copy['serial'] == 1
    assert sorted(copy['files'] + [NAME + '.manifest.json']) == shelf.names() and store.unchanged(copy)
    store.prove(copy, form())
    assert copy['proved'] and copy['how'] == 'read' and copy['notes'] == []


@FORMS
@pytest.mark.parametrize('which', ['main', 'complement'])
def test_one_changed_byte_is_found_by_reading(shelf, form, which):
    shelf.add(form=form())
    path = shelf.place / one(shelf)[which]['name']
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    assert one(shelf)['proved'], 'its size is right'
    copy = store.prove(one(shelf), form())
    assert not copy['proved'] and path.name in ' '.join(copy['problems'])
    assert not store.unchanged(one(shelf))
    with pytest.raises((store.StoreError, sealing.SealError)) as caught:
        store.require(one(shelf), form())
    assert caught.value.code in ('not_proved', 'seal_broken')


@FORMS
@pytest.mark.parametrize('which', ['main', 'complement'])
def test_a_cut_or_missing_file_is_found_at_once(shelf, form, which):
    shelf.add(form=form())
    path = shelf.place / one(shelf)[which]['name']
    path.write_bytes(path.read_bytes()[:-1])
    assert 'its manifest says' in one(shelf)['problems'][0]
    path.unlink()
    assert one(shelf)['problems'] == [f'{path.name} is missing']


@pytest.mark.parametrize('form, words', [(sealed, 'no key'), (turned, 'no jeedom_archive_open_command')])
def test_what_cannot_be_opened_is_proved_by_its_bytes_and_says_so(shelf, form, words):
    shelf.add(form=form())
    copy = store.prove(one(shelf), PLAIN)
    assert copy['proved'] and copy['how'] == 'hash' and words in copy['notes'][0]
    path = shelf.place / copy['main']['name']
    path.write_bytes(b'x' * path.stat().st_size)
    assert not store.prove(one(shelf), PLAIN)['proved']


def test_another_key_is_a_problem_not_a_crash(shelf):
    shelf.add(form=sealed())
    copy = store.prove(one(shelf), forms.Forms(keys=[bytes(32)]))
    assert not copy['proved'] and 'was sealed with the key' in copy['problems'][0]


def test_a_restore_is_noted_for_the_archive_that_was_restored_only(shelf):
    shelf.add()
    copy = one(shelf)
    assert store.note_restored(copy, {'host': 'spare'})['sha256'] == copy['sha256']
    before = manifest(shelf, sha256='0' * 64)
    with pytest.raises(store.StoreError) as caught:
        store.note_restored(copy, {'host': 'another'})
    assert caught.value.code == 'store_changed' and NAME in str(caught.value) and manifest(shelf) == before


def test_a_store_that_cannot_be_read_is_not_an_empty_one(tmp_path):
    (tmp_path / 'box1').write_text('in the way')
    with pytest.raises(store.StoreError) as caught:
        store.look(tmp_path / 'box1')
    assert caught.value.code == 'store_unreadable' and f'{tmp_path}/box1' in str(caught.value) and 'Not a directory' in str(caught.value)
    assert store.look(tmp_path / 'box2') == []


def test_no_plaintext_is_on_the_disk_when_sealed(shelf, shelves):
    data = shelves.tar_gz(b'x' * 1000)
    shelf.add(form=sealed(), data=data)
    for name in shelf.names():
        raw = (shelf.place / name).read_bytes()
        assert data[:64] not in raw and b'second' + NAME.encode() not in raw
    with sealing.Reader(shelf.place / (NAME + '.sealed'), [KEY]) as reader:
        assert reader.read() == data


def test_newer_is_what_came_later_whatever_the_clocks_said(shelf):
    late = shelf.add('backup-b-3.3.60-2026-11-25-10h26.tar.gz', fetched=9e9)
    later = shelf.add('backup-c-3.3.60-2020-01-01-10h26.tar.gz', fetched=1.0)
    assert [copy['name'] for copy in shelf.look()] == [later, late]
    assert store.newest(shelf.place, 'box1')['name'] == later


def test_a_file_without_manifest_is_told_and_nobody_takes_it_for_a_copy(shelf):
    (shelf.place / NAME).write_bytes(b'x')
    assert 'no manifest' in one(shelf)['problems'][0]
    with pytest.raises(store.StoreError) as caught:
        store.newest(shelf.place, 'box1')
    assert caught.value.code == 'no_archive'
    assert store.look(shelf.place.with_name('box2')) == []


def test_the_newest_is_not_passed_over_in_silence_when_it_is_broken(shelf):
    shelf.add('backup-b-3.3.60-2026-11-22-10h26.tar.gz')
    shelf.add()
    (shelf.place / NAME).write_bytes(b'x')
    with pytest.raises(store.StoreError) as caught:
        store.require(store.newest(shelf.place, 'box1'), PLAIN)
    assert caught.value.code == 'not_proved' and NAME in str(caught.value)


@FORMS
def test_a_copy_is_found_by_its_path_or_by_that_of_the_plain_archive(shelf, form):
    shelf.add(form=form())
    assert store.named(shelf.place / NAME)['name'] == NAME
    assert store.named(form().path(shelf.place / NAME))['name'] == NAME
    with pytest.raises(store.StoreError) as caught:
        store.named(shelf.place / 'other.tar.gz')
    assert caught.value.code == 'not_proved'


@pytest.mark.parametrize('changes', [
    {'stored': {'name': '../../../etc/passwd', 'form': 'plain', 'size': 1, 'sha256': 'x'}},
    {'stored': {'name': '/etc/passwd', 'form': 'plain', 'size': 1, 'sha256': 'x'}},
    {'stored': {'name': 'backup-b-3.3.60-2026-11-24-10h26.tar.gz', 'form': 'plain', 'size': 1, 'sha256': 'x'}},
    {'stored': {'name': NAME + '/../x', 'form': 'plain'}},
    {'stored': {'name': NAME + '.manifest.json', 'form': 'plain'}},
    {'complement': {'name': 'backup-b-3.3.60-2026-11-24-10h26.tar.gz', 'size': 1, 'sha256': 'x'}},
    {'complement': {'name': '../../x.complement.tar.gz', 'size': 1, 'sha256': 'x'}},
    {'name': '../x.tar.gz', 'complement': {'name': '../x.complement.tar.gz', 'size': 1, 'sha256': 'x'}},
    {'proved': False}, {'sha256': 5}, {'size': 10**400},
])
def test_a_manifest_that_lies_claims_no_other_file(shelf, changes):
    other = shelf.add('backup-b-3.3.60-2026-11-24-10h26.tar.gz')
    shelf.add()
    manifest(shelf, **changes)
    copy = next(copy for copy in shelf.look() if copy['name'] == NAME)
    assert not copy['proved'] and not {name for name in copy['files'] if not name.startswith('backup-a-')}
    assert next(copy for copy in shelf.look() if copy['name'] == other)['proved']


@pytest.mark.parametrize('text', ['', '[]', 'null', '{', '{"sha256": null}', '\udc80'])
def test_a_broken_manifest_is_told(shelf, text):
    shelf.add()
    (shelf.place / (NAME + '.manifest.json')).write_bytes(text.encode('utf-8', 'surrogateescape'))
    assert any('manifest' in problem for copy in shelf.look() for problem in copy['problems'])


@pytest.mark.parametrize('changes', [{'serial': 'x'}, {'serial': float('inf')}, {'fetched': float('nan')}, {'created': None}, {'serial': True}])
def test_numbers_that_are_none_count_as_nought(shelf, changes):
    shelf.add(**changes)
    copy = one(shelf)
    assert copy[next(iter(changes))] == 0 and copy['proved']
    shelf.add('backup-b-3.3.60-2026-11-24-10h26.tar.gz')
    assert shelf.look()[0]['name'].startswith('backup-b')


def test_links_are_no_copies(shelf, tmp_path):
    shelf.add()
    path = shelf.place / NAME
    target = tmp_path / 'elsewhere'
    path.rename(target)
    path.symlink_to(target)
    assert f'{NAME} is missing' in one(shelf)['problems']


def test_a_manifest_from_a_box_sets_neither_order_nor_form(shelf):
    shelf.add()
    value = manifest(shelf)
    store.keep_manifest(shelf.place, NAME, dict(value, serial=1000, stored={'name': 'x', 'form': 'sealed'},
                                                complement=dict(value['complement'], stored={'form': 'command'})))
    now = manifest(shelf)
    assert now['serial'] == 2 and 'stored' not in now and 'stored' not in now['complement'] and one(shelf)['proved']


def test_accents_and_long_names_are_escaped_alike(shelf):
    from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts
    for raw in ('backup-Été à la $(mer)-3.3.60-2026-11-23-10h26.tar.gz', 'backup-' + 'é' * 120 + '-3.3.60-2026-11-23-10h26.tar.gz'):
        name, second = artifacts.safe_name(raw), artifacts.safe_name(store.complement_name(raw))
        (shelf.place / name).write_bytes(b'x')
        (shelf.place / second).write_bytes(b'y')
        import hashlib
        store.keep_manifest(shelf.place, name, {
            'name': raw, 'proved': True, 'size': 1, 'sha256': hashlib.sha256(b'x').hexdigest(),
            'complement': {'name': store.complement_name(raw), 'size': 1, 'sha256': hashlib.sha256(b'y').hexdigest()}})
        copy = shelf.look()[0]
        assert copy['problems'] == [] and copy['complement']['name'] == second and store.unchanged(copy)


@FORMS
def test_the_report_finds_a_copy_in_its_form(shelf, form):
    from ansible_collections.jeedom.fleet.plugins.plugin_utils import report_data
    shelf.add(form=form())
    told = report_data.archives(shelf.root, shelf.host)
    assert [item['kind'] for item in told] == ['archive', 'complement'] and all(item['present'] for item in told)
    assert told[0]['name'] == form().path(shelf.place / NAME).name and told[0]['size'] == (shelf.place / told[0]['name']).stat().st_size
    (shelf.place / told[1]['name']).unlink()
    assert [item['present'] for item in report_data.archives(shelf.root, shelf.host)] == [True, False]
