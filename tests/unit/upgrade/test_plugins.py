# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the market is asked at all: only when it gives a whole answer within seconds."""

import http.server
import threading
import time

import pytest

from ansible_collections.jeedom.fleet.plugins.module_utils import core_plugins

from .fakes import FakeDatabase


@pytest.fixture
def market():
    """A market; market.answer is (status, body, promised length)."""
    class Handler(http.server.BaseHTTPRequestHandler):
        answer = (200, b'{"jsonrpc": "2.0", "error": {"code": -32601, "message": "no method"}}', None)
        asked = []
        over = threading.Event()

        def do_POST(self):
            Handler.asked.append(self.rfile.read(int(self.headers['Content-Length'])))
            status, body, length = Handler.answer
            self.send_response(status)
            self.send_header('Content-Length', str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()
            if length:
                Handler.over.wait(60)

        def log_message(self, *dummy):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.database = FakeDatabase({'market::address': f'http://127.0.0.1:{server.server_port}'})
    yield Handler
    Handler.over.set()
    server.shutdown()
    server.server_close()


def test_any_whole_json_answer_will_do(market):
    assert core_plugins.market_answers(market.database, {}) is True
    assert len(market.asked) == 1


@pytest.mark.parametrize('answer', [
    (500, b'{}', None), (200, b'<html>log in</html>', None), (200, b'', None), (200, b'{"jsonrpc"', 5000)])
def test_a_market_that_fails_is_not_asked_for_plugins(market, answer):
    market.answer = answer
    begin = time.time()
    assert core_plugins.market_answers(market.database, {}, timeout=1) is False
    assert time.time() - begin < 30


def test_a_market_that_is_switched_off_is_not_asked(market):
    market.database.rows['core', 'market::enable'] = '0'
    assert core_plugins.market_answers(market.database, {}) is False
    assert market.asked == []
