# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The market client against a stand-in on this machine (contract 8)."""

from __future__ import annotations

import http.server
import json
import re
import socket
import threading
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.plugin_utils import market


class Server(http.server.ThreadingHTTPServer):
    """Remembers the requests and answers as it is told."""

    daemon_threads = True

    def __init__(self):
        self.requests: list[dict] = []
        self.raw: list[str] = []
        self.known: dict = {}
        self.behave = None
        super().__init__(('127.0.0.1', 0), Handler)

    @property
    def address(self):
        """Its URL."""
        return f'http://127.0.0.1:{self.server_address[1]}'


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    def log_message(self, *args):
        """Quiet."""

    def do_POST(self):  # noqa: N802
        """JSON-RPC in a multipart form."""
        body = self.rfile.read(int(self.headers['Content-Length'])).decode()
        self.server.raw.append(self.path + '\n' + str(self.headers) + body)
        assert self.headers['Content-Type'].startswith('multipart/form-data; boundary=')
        assert 'name="request"' in body
        request = json.loads(re.search(r'\{.*\}', body, re.S).group(0))
        self.server.requests.append(request)
        if self.server.behave:
            return self.server.behave(self)
        asked = [value for key, value in request['params'].items() if key.isdigit()]
        result = {item['type'] + item['logicalId']: self.server.known[item['logicalId']] for item in asked if item['logicalId'] in self.server.known}
        return self.send(json.dumps({'jsonrpc': '2.0', 'id': request['id'], 'result': result}).encode('ascii'))

    def send(self, data: bytes, code: int = 200, **headers):
        """An answer."""
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server():
    """A running stand-in."""
    with Server() as site:
        threading.Thread(target=site.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True).start()
        yield site
        site.shutdown()


def test_a_list_is_asked_for_at_once_and_the_unknown_are_none(server):
    server.known = {'virtual': {'id': 1, 'name': 'Virtuel', 'certification': 'Obsolète', 'description': 'long', 'hardwareCompatibility': {'v4': '1'}},
                    'ghost': {'name': 'without an id'}}
    found = market.Market(server.address).plugins(['virtual', 'ghost', 'unknown', 'virtual'])
    assert found == {'virtual': {'id': 1, 'name': 'Virtuel', 'certification': 'Obsolète', 'hardwareCompatibility': {'v4': '1'}}, 'ghost': None, 'unknown': None}
    request, = server.requests
    assert request['method'] == 'market::byLogicalIdAndType'
    assert request['params']['0'] == {'logicalId': 'virtual', 'type': 'plugin'} and request['params']['2']['logicalId'] == 'unknown'
    assert server.raw[0].startswith('/core/api/api.php\n')


def test_nothing_but_plugin_names_leaves_the_controller(server):
    market.Market(server.address).plugins(['virtual'])
    params = server.requests[0]['params']
    assert set(params) == {'0', 'apikey', 'jeedomversion', 'hwkey', 'information', 'plugin_install_list'}
    assert not params['apikey'] and not params['hwkey'] and not params['information']
    assert socket.gethostname() not in server.raw[0].split('\n', 1)[1].replace('127.0.0.1', '')


def test_names_that_are_none_are_not_sent(server):
    found = market.Market(server.address).plugins(['../../x', 'a b', 'ok', '', '{{ x }}', 'é' * 5])
    assert list(found) == ['ok'] and 'x' not in [value.get('logicalId') for value in server.requests[0]['params'].values() if isinstance(value, dict)]


@pytest.mark.parametrize('behave, word', [
    (lambda handler: handler.send(b'<html>portal</html>'), 'captive portal'),
    (lambda handler: handler.send(b'', 500), 'HTTP 500'),
    (lambda handler: handler.send(b'', 301, Location='http://elsewhere/'), 'jeedom_market_address'),
    (lambda handler: handler.send(b'{"error": {"code": -32601, "message": "Method not found"}}'), 'Method not found'),
    (lambda handler: handler.send(b'{"result": "text"}'), 'unknown form'),
    (lambda handler: handler.send(b'[1]'), 'refuses'), (lambda handler: handler.send(b'null'), 'refuses'),
    (lambda handler: handler.send(b'{"result": ' + b'[' * 100000 + b']' * 100000 + b'}'), 'not JSON'),
    (lambda handler: handler.send(b'{"result": "' + b'x' * (9 << 20) + b'"}'), 'larger than'),
    (lambda handler: handler.connection.close(), 'no answer'),
])
def test_a_market_that_misbehaves_is_told_in_words(server, behave, word):
    server.behave = behave
    answer = market.ask('online', ['virtual'], address=server.address)
    assert answer['online'] is False and answer['plugins'] == {} and word in answer['reason'] and answer['reason'].endswith('.')


def test_an_answer_with_nonsense_inside_knows_nothing(server):
    server.known = {'a': 'text', 'b': [1], 'c': None, 'd': {'id': 0}, 'e': {'id': 5, 'name': {'x': 1}}}
    found = market.Market(server.address).plugins('abcde')
    assert [name for name, value in found.items() if value] == ['e']


@pytest.mark.parametrize('drip', [False, True], ids=['stalls', 'drips'])
def test_a_market_that_hangs_is_left_within_seconds(server, drip):
    def hang(handler):
        handler.send_response(200)
        handler.end_headers()
        for _part in range(600):
            if drip:
                handler.wfile.write(b' ')
                handler.wfile.flush()
            time.sleep(0.1)
    server.behave = hang
    begin = time.monotonic()
    with pytest.raises(market.MarketError):
        market.Market(server.address, limit=0.6).plugins(['virtual'])
    assert time.monotonic() - begin < 30


def test_one_request_serves_the_fleet(server, tmp_path):
    server.known = {name: {'id': 1, 'name': name} for name in ('virtual', 'weather')}
    cache = tmp_path / 'market-cache.json'
    first = market.ask('auto', ['virtual', 'weather'], cache, server.address)
    second = market.ask('auto', ['weather'], cache, server.address)
    assert first['online'] and set(first['plugins']) == {'virtual', 'weather'} and set(second['plugins']) == {'weather'}
    assert len(server.requests) == 1
    third = market.ask('auto', ['weather', 'ghost'], cache, server.address)
    assert third['plugins']['ghost'] is None
    assert [value['logicalId'] for key, value in server.requests[1]['params'].items() if key.isdigit()] == ['ghost']
    assert cache.stat().st_mode & 0o777 == 0o600


def test_boxes_that_ask_at_the_same_time_ask_once(server, tmp_path):
    server.known = {'virtual': {'id': 1}}
    threads = [threading.Thread(target=market.ask, args=('auto', ['virtual'], tmp_path / 'market-cache.json', server.address)) for _box in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1


def test_a_market_that_is_down_is_found_out_once(tmp_path, monkeypatch):
    calls = []

    def down(self, limit=3):
        calls.append(limit)
        raise market.MarketError('it does not answer')
    monkeypatch.setattr(market.Market, 'alive', down)
    for _box in range(3):
        answer = market.ask('auto', ['virtual'], tmp_path / 'c.json', 'http://127.0.0.1:9')
        assert answer['online'] is False and 'does not answer' in answer['reason']
    assert len(calls) == 1


def test_offline_asks_nobody(server, tmp_path):
    assert market.ask('offline', ['virtual'], tmp_path / 'c.json', server.address)['online'] is False
    assert server.requests == [] and not (tmp_path / 'c.json').exists()


def test_another_address_does_not_read_the_cache(server, tmp_path):
    cache = tmp_path / 'c.json'
    market.ask('online', ['virtual'], cache, 'http://127.0.0.1:9')
    assert market.ask('online', ['virtual'], cache, server.address)['online'] is True


@pytest.mark.parametrize('address', ['file:///etc/passwd', 'ftp://x', 'market.jeedom.com', ''])
def test_only_http_addresses(address):
    assert 'jeedom_market_address' in market.ask('online', ['virtual'], address=address)['reason']
