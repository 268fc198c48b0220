# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Core zips: proved before anything is touched, compared with a tree, served on loopback."""

import hashlib
import http.server
import os
import threading
import urllib.error
import urllib.request
import zipfile

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import core_zips, release_zip
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip

from .fakes import make_zip

HOP = {'version': '4.1.28', 'ref': '4.1.28', 'file_version': '4.1.28', 'sha256': None}
LIMITS = {'stall': 5, 'download': 30}


class Context:
    """The part of a job's context that downloads use."""

    def __init__(self):
        self.lines = []

    def log(self, line):
        self.lines.append(line)

    def check_stop(self):
        pass


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(core_zips.time, 'sleep', lambda seconds: None)


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / 'core.zip'
    make_zip(path)
    return path


def code(call, *args):
    with pytest.raises(BoxError) as caught:
        call(*args)
    return caught.value


def test_a_good_zip_passes(archive):
    ReleaseZip(str(archive)).check('4.1.28', hashlib.sha256(archive.read_bytes()).hexdigest())


def test_another_version_is_refused(archive):
    assert code(ReleaseZip(str(archive)).check, '4.1.27').code == 'zip_version'


def test_another_checksum_is_refused(archive):
    assert code(ReleaseZip(str(archive)).check, '4.1.28', '0' * 64).code == 'zip_checksum'


@pytest.mark.parametrize('content,words', [
    (b'<html>log in</html>', 'captive portal'), (b'', 'empty'), (b'PK\x03\x04 cut', 'cut off'), (b'404: Not Found', 'no zip')])
def test_what_is_no_zip_is_named(tmp_path, content, words):
    path = tmp_path / 'x.zip'
    path.write_bytes(content)
    error = code(ReleaseZip, str(path))
    assert error.code == 'bad_zip' and words in error.msg


def test_a_zip_cut_in_its_middle_is_refused(archive):
    archive.write_bytes(archive.read_bytes()[:-200])
    assert code(ReleaseZip, str(archive)).code == 'bad_zip'


def test_a_zip_with_a_broken_member_is_refused(tmp_path):
    path = tmp_path / 'x.zip'
    make_zip(path, extra={'desktop/js/a.js': 'unique-text ' * 50})
    with zipfile.ZipFile(path) as opened:
        info = opened.getinfo('core-4.1.28/desktop/js/a.js')
    data = bytearray(path.read_bytes())
    data[info.header_offset + 60] ^= 0xff
    path.write_bytes(bytes(data))
    assert code(ReleaseZip(str(path)).check, '4.1.28').code == 'bad_zip'


def test_a_zip_that_leads_out_of_the_web_root_is_refused(tmp_path):
    path = tmp_path / 'x.zip'
    make_zip(path, extra={'../../etc/cron.d/x': 'x'})
    assert code(ReleaseZip, str(path)).code == 'bad_zip'


@pytest.mark.parametrize('name', release_zip.NEEDED)
def test_a_zip_without_a_core_is_refused(tmp_path, name):
    path = tmp_path / 'x.zip'
    make_zip(path, leave_out=[name])
    assert code(ReleaseZip(str(path)).check, '4.1.28').code == 'bad_zip'


def unpack(archive, root):
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(root)
    tree = root / 'core-4.1.28'
    return tree


def test_a_tree_of_the_release_differs_in_nothing(archive, tmp_path):
    tree = unpack(archive, tmp_path)
    # what a good run removes or skips
    (tree / 'tests/x.php').unlink()
    (tree / '.travis.yml').unlink()
    (tree / 'empty.txt').unlink()
    assert ReleaseZip(str(archive)).differences(str(tree)) == []


def test_missing_short_and_stale_files_are_found(archive, tmp_path):
    tree = unpack(archive, tmp_path)
    (tree / 'index.php').unlink()
    (tree / 'desktop/js/a.js').write_text('')
    stale = tree / 'core/php/core.inc.php'
    stale.write_text('X' * stale.stat().st_size)  # as long, but of the old version
    assert ReleaseZip(str(archive)).differences(str(tree)) == [
        ('core/php/core.inc.php', 'other content'), ('desktop/js/a.js', '0 bytes instead of 5'), ('index.php', 'missing')]


def test_a_tree_is_completed_from_the_zip(archive, tmp_path):
    release = ReleaseZip(str(archive))
    root = tmp_path / 'web'
    root.mkdir()
    names = [name for name, dummy in release.differences(str(root))]
    release.complete(str(root), names, os.getuid(), os.getgid())
    assert release.differences(str(root)) == []
    assert (root / 'core/php/core.inc.php').stat().st_mode & 0o777 == 0o775


def test_vendor_is_left_out_where_composer_brings_it(tmp_path):
    path = tmp_path / 'x.zip'
    make_zip(path, extra={'vendor/a.php': 'a'})
    assert 'vendor/a.php' in ReleaseZip(str(path)).expected()
    assert 'vendor/a.php' not in ReleaseZip(str(path)).expected(without_vendor=True)


def test_vendor_counts_unless_composer_brings_it(tmp_path):
    path, root = tmp_path / 'x.zip', tmp_path / 'web'
    make_zip(path, extra={'vendor/a.php': 'a'})
    release = ReleaseZip(str(path))
    root.mkdir()
    assert ('vendor/a.php', 'missing') in release.differences(str(root)) and ('vendor/a.php', 'missing') not in release.differences(str(root), True)


def test_a_refused_zip_is_named_with_what_is_wrong(tmp_path):
    path = tmp_path / 'x.zip'
    with zipfile.ZipFile(path, 'w') as opened:
        opened.writestr('one/deep/a', 'x')
        opened.writestr('one/b', 'x')
        opened.writestr('two/c', 'x')
    assert code(ReleaseZip, str(path)).msg == f'{path} has 2 top folders instead of one, so it is no release of jeedom/core.'
    make_zip(path, leave_out=['index.php'])
    assert code(ReleaseZip(str(path)).check, '4.1.28').msg == f'{path} holds no index.php, so it is no release of jeedom/core.'
    make_zip(path)
    assert code(ReleaseZip(str(path)).check, '4.1.27').msg == \
        f'{path} holds version 4.1.28 of the core, but 4.1.27 is needed: stage the zip of the right tag.'
    assert code(ReleaseZip(str(path)).check, '4.1.28', '0' * 64).msg.startswith(f'{path} does not have the SHA-256')
    path.unlink()
    assert code(ReleaseZip, str(path)).msg.startswith(f'{path} cannot be read (')


def test_loopback_serves_only_its_secret_address(archive):
    with core_zips.Loopback(str(archive)) as server:
        assert server.url.startswith('http://127.0.0.1:')
        assert urllib.request.urlopen(server.url).read() == archive.read_bytes()
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(server.url.rsplit('/', 2)[0] + '/core.zip')


def test_the_end_of_loopback_does_not_keep_the_box_waiting(archive, monkeypatch):
    looks = []
    monkeypatch.setattr(core_zips.HTTPServer, 'serve_forever', lambda self, poll_interval=0.5: looks.append(poll_interval))
    monkeypatch.setattr(core_zips.HTTPServer, 'shutdown', lambda self: None)
    with core_zips.Loopback(str(archive)):
        pass
    assert looks and looks[0] <= 0.1, 'each hop waits for the next look of its server, half a second by default'


@pytest.fixture
def site(archive):
    """A download site; site.answer(handler) does what the test wants."""
    class Handler(http.server.BaseHTTPRequestHandler):
        count = 0
        answers = []

        def do_GET(self):
            Handler.count += 1
            answer = Handler.answers.pop(0) if len(Handler.answers) > 1 else Handler.answers[0]
            status, body, length = answer
            self.send_response(status)
            self.send_header('Content-Length', str(length if length is not None else len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *dummy):
            pass

    server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Handler.url = f'http://127.0.0.1:{server.server_port}/{{ref}}.zip'
    Handler.good = (200, archive.read_bytes(), None)
    yield Handler
    server.shutdown()
    server.server_close()


def test_a_zip_is_downloaded_once(site):
    site.answers = [site.good]
    path = core_zips.get(HOP, {}, site.url, LIMITS, Context()).path
    assert path == core_zips.staged_path('4.1.28') and os.path.exists(path) and not os.path.exists(path + '.part')
    core_zips.get(HOP, {}, site.url, LIMITS, Context())
    assert site.count == 1


def test_a_download_that_breaks_off_is_tried_again(site):
    body = site.good[1]
    site.answers = [(200, body[:-300], len(body)), (503, b'busy', None), site.good]
    assert core_zips.get(HOP, {}, site.url, LIMITS, Context())
    assert site.count == 3


def test_what_a_mirror_tampered_with_is_refused_at_once_and_leaves_nothing(site):
    site.answers = [site.good]
    error = code(core_zips.get, dict(HOP, content_sha256='a' * 64), {}, site.url, LIMITS, Context())
    assert error.code == 'zip_content' and site.count == 1
    assert error.msg.startswith(f'What came from {site.url.replace("{ref}", "4.1.28")} says that it is core 4.1.28, but ')
    assert os.listdir(os.path.dirname(core_zips.staged_path('x'))) == []


def test_a_staged_zip_of_other_content_is_replaced(site):
    site.answers = [site.good]
    path = core_zips.get(HOP, {}, site.url, LIMITS, Context()).path
    pin = ReleaseZip(path).content_sha256()
    make_zip(path, extra={'shell.php': 'evil'})
    assert core_zips.get(dict(HOP, content_sha256=pin), {}, site.url, LIMITS, Context()).path == path
    assert site.count == 2 and ReleaseZip(path).content_sha256() == pin


def test_a_given_zip_of_other_content_is_refused(archive):
    assert code(core_zips.get, dict(HOP, content_sha256='a' * 64), {'4.1.28': str(archive)}, '', LIMITS, Context()).code == 'zip_content'


@pytest.mark.parametrize('pin, told', [
    ({}, True), ({'content_sha256': None}, True), ({'content_sha256': 'a' * 64}, False), ({'sha256': 'a' * 64}, False)])
def test_the_run_tells_of_a_zip_that_nobody_has_pinned(monkeypatch, pin, told):
    monkeypatch.setattr(core_zips, 'get', lambda *dummy: None)
    context = Context()
    context.phase = lambda *dummy, **dummies: None
    core_zips.fetch([dict(HOP, **pin)], {'zips': {}, 'source_url': '', 'download_stall': 1, 'download_timeout': 1}, context, 5)
    assert context.lines == (['note: no checksum is known of core 4.1.28: that zip is whole and says that version, more was not looked at'] if told else [])


@pytest.mark.parametrize('answer,wanted,count', [
    ((404, b'no', None), 'download_refused', 1),
    ((500, b'no', None), 'download_failed', 3),
    ((200, b'<html>log in</html>', None), 'bad_zip', 3),
])
def test_a_download_that_cannot_succeed_ends(site, answer, wanted, count):
    site.answers = [answer]
    assert code(core_zips.get, HOP, {}, site.url, LIMITS, Context()).code == wanted
    assert site.count == count
    assert os.listdir(os.path.dirname(core_zips.staged_path('x'))) == []


def test_a_damaged_staged_zip_is_replaced(site):
    path = core_zips.staged_path('4.1.28')
    os.makedirs(os.path.dirname(path))
    with open(path, 'wb') as stream:
        stream.write(b'<html>')
    site.answers = [site.good]
    context = Context()
    core_zips.get(HOP, {}, site.url, LIMITS, context)
    assert any('downloading it again' in line for line in context.lines)


def test_a_given_zip_is_never_replaced(site, tmp_path):
    site.answers = [site.good]
    path = tmp_path / 'mine.zip'
    path.write_bytes(b'broken')
    assert code(core_zips.get, HOP, {'4.1.28': str(path)}, site.url, LIMITS, Context()).code == 'bad_zip'
    assert path.exists() and site.count == 0


def test_staged_names_only_what_opens(archive):
    hops = [HOP, dict(HOP, version='4.4.20')]
    assert core_zips.staged(hops, {'4.1.28': str(archive)}) == {'4.1.28': str(archive)}


# -- what rollback_point has on the box first

@pytest.fixture
def needed(archive, tmp_path, monkeypatch):
    """ensure(zips): what rollback_point asks for on a box on 4.0.62; needed.staged: whether the zips were fetched."""
    class Needed:
        staged = []

        def ensure(self, zips):
            core_zips.ensure({'version': '4.1.28', 'route': ['4.1.28'], 'zips': zips, 'web_root': '/var/www/html'}, None, 5)

    monkeypatch.setattr(core_zips.Installation, 'version', lambda self: '4.0.62')
    monkeypatch.setattr(core_zips, 'stage', lambda params, context, share: Needed.staged.append(share))
    Needed.staged = []
    return Needed()


def test_zips_that_stand_on_the_box_are_not_fetched_again(needed, archive):
    needed.ensure({'4.1.28': str(archive)})
    assert not needed.staged


def test_zips_that_are_missing_are_fetched(needed):
    needed.ensure({})
    assert needed.staged == [5]
