# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get the core zips of a route onto the box, proved, before anything is touched; serve them to the updater on loopback.

So no 404, captive page, truncation or stall of the download site ever reaches an updater that has already switched the
automation off (contract 7). Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import binascii
import io
import os
import shutil
import socket
import ssl
import threading
import time

try:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from urllib.error import HTTPError
    from urllib.request import build_opener
except ImportError:  # Python 2
    from BaseHTTPServer import BaseHTTPRequestHandler, HTTPServer
    from urllib2 import HTTPError, build_opener  # pylint: disable=ansible-bad-import-from

from ansible_collections.jeedom.fleet.plugins.module_utils import core_route, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import Installation
from ansible_collections.jeedom.fleet.plugins.module_utils.release_zip import ReleaseZip

SOURCE = 'https://github.com/jeedom/core/archive/{ref}.zip'
ATTEMPTS = 3
_CHUNK = 1 << 18
# Which zips, and from where: options of core, and of rollback_point for those that it is to have on the box first.
SPEC = dict(
    version=dict(type='str', required=True),
    route=dict(type='list', elements='raw'),
    zips=dict(type='dict', default={}),
    source_url=dict(type='str', default=SOURCE),
    download_timeout=dict(type='int', default=3600),
    download_stall=dict(type='int', default=60),
)


def stage(params, context, share=100):
    """Have the zips of the hops that are still to do, proved, on the box; nothing else. params: SPEC and web_root. share: percent of the job."""
    installation = Installation(params['web_root'])
    todo = core_route.remaining(core_route.parse(params['version'], params['route']), installation.version())
    archives = fetch(todo, params, context, share)
    return dict(changed=True, outcome='staged', from_version=installation.version(), version=params['version'], hops=[],
                zips=dict((version, archive.path) for version, archive in archives.items()),
                msg='%d core zips stand on the box, %d MB.' % (len(archives), sum(item.size for item in archives.values()) >> 20))


def ensure(params, context, share):
    """stage(), unless the zips stand on the box and look whole; they are proved before they are used in any case."""
    todo = core_route.remaining(core_route.parse(params['version'], params['route']), Installation(params['web_root']).version())
    if len(staged(todo, params['zips'] or {})) < len(todo):
        stage(params, context, share)


def fetch(todo, params, context, share):
    """{version: proved ReleaseZip} of these hops. share: percent of the job."""
    found = {}
    if unpinned(todo):
        context.log('note: %s' % unpinned(todo))
    for index, hop in enumerate(todo):
        context.phase('fetch', share * index / float(len(todo)), step='core %s' % hop['version'])
        found[hop['version']] = get(hop, params['zips'] or {}, params['source_url'],
                                    dict(stall=params['download_stall'], download=params['download_timeout']), context)
    return found


def staged_path(version):
    """Where the zip of a version stands on the box."""
    return os.path.join(system.STATE_DIR, 'staging', 'core-%s.zip' % version)


def proved(path, hop):
    """The ReleaseZip at a path if it is what a hop needs: whole, of its version, and with the content that is pinned."""
    return ReleaseZip(path).check(hop['file_version'], hop['sha256'], hop.get('content_sha256'))


def unpinned(hops):
    """What to tell of hops whose content nobody has pinned, or an empty text."""
    names = [hop['version'] for hop in hops if not hop.get('content_sha256') and not hop['sha256']]
    return names and 'no checksum is known of core %s: that zip is whole and says that version, more was not looked at' % ', '.join(names) or ''


def get(hop, given, source, limits, context):
    """The proved ReleaseZip of a hop: from a given path, from staging, or downloaded.

    given: {version: path on the box}. source: address with {ref}. limits: {stall, download} in seconds.
    """
    path = given.get(hop['version'])
    if path:
        return proved(path, hop)
    path = staged_path(hop['version'])
    if os.path.exists(path):
        try:
            return proved(path, hop)
        except BoxError as error:
            context.log('note: %s; downloading it again' % error.msg)
            os.unlink(path)
    system.state_dir('staging')
    return obtain(hop, path, source, limits, context)


def obtain(hop, path, source, limits, context):
    """The ReleaseZip of a hop, downloaded in a few attempts and proved before it stands at path. Also used by the controller."""
    for attempt in range(1, ATTEMPTS + 1):
        context.check_stop()
        try:
            download(source.replace('{ref}', hop['ref']), path + '.part', limits, context)
            archive = proved(path + '.part', hop)
            os.rename(path + '.part', path)
            archive.path = path
            return archive
        except BoxError as error:
            _drop(path + '.part')
            if error.code in ('bad_zip', 'zip_content'):
                error = BoxError('What came from %s %s' % (source.replace('{ref}', hop['ref']), error.msg.split('.part ', 1)[-1]), error.code)
            final = attempt == ATTEMPTS or error.code in ('download_refused', 'download_tls', 'zip_version', 'zip_checksum', 'zip_content')
            context.log('download of %s, attempt %d: %s' % (hop['version'], attempt, error.msg))
            if final:
                raise error
        time.sleep(2 ** attempt)
    return None


def staged(hops, given):
    """{version: path} of the zips that stand on the box and look whole at a glance; the job proves them."""
    found = {}
    for hop in hops:
        path = given.get(hop['version']) or staged_path(hop['version'])
        try:
            ReleaseZip(path)
        except BoxError:
            continue
        found[hop['version']] = path
    return found


def download(url, path, limits, context):
    """Download an address into a file. Raises download_refused, download_tls, download_failed, download_stalled."""
    begin = time.time()
    context.log('downloading %s' % url)
    try:
        answer = build_opener().open(url, timeout=limits['stall'])
        expected = answer.headers.get('Content-Length')
        size = 0
        with io.open(path, 'wb') as stream:
            os.chmod(path, 0o600)
            while True:
                chunk = answer.read(_CHUNK)
                if not chunk:
                    break
                stream.write(chunk)
                size += len(chunk)
                context.check_stop()
                if time.time() - begin > limits['download']:
                    raise BoxError('Downloading %s took longer than %d s: stage the core zips from the controller (jeedom_stage_zips: true).'
                                   % (url, limits['download']), 'download_stalled')
        answer.close()
    except HTTPError as error:
        raise BoxError('The download site answered %d for %s: check the version and the address.' % (error.code, url),
                       'download_refused' if error.code < 500 else 'download_failed')
    except ssl.SSLError as error:
        raise BoxError('The certificate for %s is not trusted (%s): check the clock of the box and its ca-certificates.'
                       % (url, error), 'download_tls')
    except socket.timeout:
        raise BoxError('The download of %s stood still for %d s: check the Internet link of the box, or stage the core zips from '
                       'the controller.' % (url, limits['stall']), 'download_stalled')
    except (IOError, OSError) as error:
        if isinstance(getattr(error, 'reason', None), ssl.SSLError):
            raise BoxError('The certificate for %s is not trusted (%s): check the clock of the box and its ca-certificates.'
                           % (url, error.reason), 'download_tls')
        raise BoxError('The download of %s failed (%s): check the Internet link of the box and the free space in %s.'
                       % (url, getattr(error, 'reason', None) or error, os.path.dirname(path)), 'download_failed')
    except Exception as error:  # pylint: disable=broad-except
        if isinstance(error, BoxError):
            raise
        # IncompleteRead and its kin: http.client's own exceptions are no IOError.
        raise BoxError('The download of %s broke off (%s).' % (url, type(error).__name__), 'download_failed')
    if expected and size != int(expected):
        raise BoxError('The download of %s broke off: %d of %s bytes came.' % (url, size, expected), 'download_failed')


def _drop(path):
    try:
        os.unlink(path)
    except OSError:
        pass


class Loopback(object):
    """Serves one zip on 127.0.0.1 under a name that nobody can guess, as long as the block lasts.

    url: the address.
    """

    def __init__(self, path):
        secret = '/%s/core.zip' % system.to_text(binascii.hexlify(os.urandom(16)))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # pylint: disable=invalid-name
                if self.path != secret:
                    self.send_error(404)
                    return
                with io.open(path, 'rb') as stream:
                    self.send_response(200)
                    self.send_header('Content-Type', 'application/zip')
                    self.send_header('Content-Length', str(os.fstat(stream.fileno()).st_size))
                    self.end_headers()
                    shutil.copyfileobj(stream, self.wfile, _CHUNK)

            def log_message(self, *dummy):  # pylint: disable=arguments-differ
                pass

        self._server = HTTPServer(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d%s' % (self._server.server_port, secret)
        # shutdown() waits for the next look, while the box stands still.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs=dict(poll_interval=0.05))
        self._thread.daemon = True

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *dummy):
        self._server.shutdown()
        self._server.server_close()
