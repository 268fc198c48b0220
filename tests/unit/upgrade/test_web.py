# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jeedom's web by its content: where it is on this box, and what counts as its login page."""

import http.server
import json
import threading
import urllib.parse

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import health_web

WEB = '/var/www/html'
PAGE = '<input id="in_login_username"><button id="bt_login_validate">' + 'x' * 5000


@pytest.mark.parametrize('text,first', [
    ('<VirtualHost *:80>\n DocumentRoot /var/www/html\n</VirtualHost>', ('http', 80, '')),
    ('<VirtualHost *:8080>\n ServerName home.lan\n DocumentRoot "/var/www/html/"\n</VirtualHost>', ('http', 8080, '')),
    ('<VirtualHost _default_:443>\n SSLEngine on\n DocumentRoot /var/www/html\n</VirtualHost>', ('https', 443, '')),
    ('<VirtualHost *:81>\n DocumentRoot /var/www\n</VirtualHost>', ('http', 81, '/html')),
    ('<VirtualHost *:80>\n DocumentRoot /srv/other\n Alias /home /var/www/html\n</VirtualHost>', ('http', 80, '/home')),
])
def test_the_site_is_read_from_apaches_configuration(text, first):
    ways = health_web.sites(WEB, [text])
    assert first in [(way['scheme'], way['port'], way['prefix']) for way in ways]


def test_plain_http_is_tried_before_tls():
    text = ('<VirtualHost *:443>\nSSLEngine on\nDocumentRoot /var/www/html\n</VirtualHost>\n'
            '<VirtualHost *:80>\nDocumentRoot /var/www/html\n</VirtualHost>')
    assert [way['port'] for way in health_web.sites(WEB, [text])][:2] == [80, 443]


def test_a_folder_that_only_begins_alike_is_not_the_root():
    ways = health_web.sites(WEB, ['<VirtualHost *:99>\nDocumentRoot /var/www/ht\n</VirtualHost>'])
    assert 99 not in [way['port'] for way in ways]


@pytest.fixture
def site():
    """A web server; site.pages maps paths to (status, headers, body)."""
    class Handler(http.server.BaseHTTPRequestHandler):
        pages = {}
        posted = []

        def _answer(self):
            status, headers, body = Handler.pages.get(self.path, (404, {}, 'not found'))
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = _answer

        def do_POST(self):
            Handler.posted.append(self.rfile.read(int(self.headers['Content-Length'])).decode())
            self._answer()

        def log_message(self, *dummy):
            pass

    server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.way = {'scheme': 'http', 'port': server.server_port, 'host': None, 'prefix': ''}
    yield Handler
    server.shutdown()
    server.server_close()


def login(site):
    return health_web.login_page(WEB, 5, [site.way])


def test_the_login_page_is_known_by_its_content(site):
    site.pages['/index.php?v=d'] = (200, {}, PAGE)
    assert login(site)['ok'] is True


@pytest.mark.parametrize('status,body', [
    (200, ''),                                     # HTTP 200 with an empty page
    (200, 'x' * 48),                               # database down (contract 1.4)
    (200, '<html>' + 'x' * 9000),                  # some other page
    (200, PAGE + '<b>Fatal error</b>: in core'),
    (500, PAGE),
    (200, PAGE[:200]),
])
def test_200_alone_is_no_proof(site, status, body):
    site.pages['/index.php?v=d'] = (status, {}, body)
    assert login(site)['ok'] is False


def test_redirects_on_the_box_are_followed(site):
    site.pages['/index.php?v=d'] = (302, {'Location': '/sub/index.php?v=d'}, '')
    site.pages['/sub/index.php?v=d'] = (200, {}, PAGE)
    assert login(site)['ok'] is True


def test_a_dead_server_is_told():
    answer = health_web.login_page(WEB, 2, [{'scheme': 'http', 'port': 1, 'host': None, 'prefix': ''}])
    assert answer['ok'] is False and 'no web server' in answer['message']


def test_the_api_tells_its_version(site):
    site.pages['/core/api/jeeApi.php'] = (200, {}, json.dumps({'jsonrpc': '2.0', 'result': '4.5.3'}))
    assert health_web.api_version(site.way, 'the-key')['version'] == '4.5.3'
    sent = json.loads(urllib.parse.parse_qs(site.posted[0])['request'][0])
    assert sent['method'] == 'version' and sent['params'] == {'apikey': 'the-key'}


@pytest.mark.parametrize('body', ['', '[]', '{"error": {"message": "no right"}}', '<html>'])
def test_an_api_that_does_not_answer_well_is_told(site, body):
    site.pages['/core/api/jeeApi.php'] = (200, {}, body)
    answer = health_web.api_version(site.way, 'the-key')
    assert answer['ok'] is False and 'the-key' not in answer['message']
