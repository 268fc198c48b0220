# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the download site and the market: the same addresses, through the boxes' hosts file, and able to misbehave.

Runs in the controller's namespace of a fleet; answers on 80 and 443. Everything it needs is in the fleet's state folder:
core-<ref>.zip under zips/, plugins.json (what the market knows), rules.json (how to misbehave), access.log.
"""

from __future__ import annotations

import argparse
import http.server
import io
import json
import re
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse
import zipfile
import zlib
from pathlib import Path

# -I, with which it is started, leaves its own folder out
sys.path.insert(0, str(Path(__file__).resolve().parent))
import dataset  # noqa: E402

# captive, html: 200 with a page; truncate: a shorter file that looks whole; cut: the connection ends half-way; stall: half, then
# nothing; hang: nothing at all; drop: closed without an answer; certificate: one that nobody has signed (443 only).
RULES = ('404', '500', 'captive', 'html', 'truncate', 'cut', 'stall', 'slow', 'empty', 'hang', 'drop', 'certificate')
ARCHIVE = re.compile(r'^/jeedom/core/(?:archive|zip)/(?:refs/(?:tags|heads)/)?([\w.:-]+?)(?:\.zip)?$')
VERSION = re.compile(r'^/jeedom/core/(?:refs/(?:tags|heads)/)?([\w.-]+)/core/config/version$')
STALL = 600


class Site(http.server.BaseHTTPRequestHandler):
    """One request."""

    server_version = 'sandbox'
    protocol_version = 'HTTP/1.1'

    @property
    def state(self) -> Path:
        """The fleet's folder."""
        return self.server.state

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """One line a request, for the tests to look at."""
        with open(self.state / 'access.log', 'a', encoding='utf-8') as log:
            log.write(f'{time.time():.3f} {self.client_address[0]} {self.headers.get("Host", "-") if hasattr(self, "headers") else "-"} '
                      f'{format % args}\n')

    def rule(self) -> str | None:
        """How to misbehave on this request, if at all."""
        found = rules(self.state, self.headers.get('Host', '') + self.path, self.client_address[0])
        return next((rule for rule in found if rule != 'certificate'), None)

    def answer(self, body: bytes, kind: str = 'text/plain', status: int = 200) -> None:
        """Send a body, or what the rule of the moment makes of it."""
        rule = self.rule()
        if rule in ('hang', 'drop'):
            time.sleep(STALL if rule == 'hang' else 0)
            self.close_connection = True
            return
        if rule in ('404', '500'):
            status, body, kind = int(rule), f'{rule}: sandbox'.encode(), 'text/plain'
        if rule in ('captive', 'html'):
            status, body, kind = 200, b'<html><body>Please log in to the network</body></html>' * 20, 'text/html'
        if rule == 'empty':
            body = b''
        self.send_response(status)
        self.send_header('Content-Type', kind)
        # a cut answer that still claims its whole length is seen by every client; one that does not is the nasty kind
        self.send_header('Content-Length', str(len(body) // 2 if rule == 'truncate' else len(body)))
        self.end_headers()
        if self.command == 'HEAD':
            return
        if rule in ('truncate', 'cut'):
            body = body[:len(body) // 2]
            self.close_connection = True
        if rule == 'stall':
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            time.sleep(STALL)
            return
        if rule == 'slow':
            for start in range(0, len(body), 65536):
                self.wfile.write(body[start:start + 65536])
                time.sleep(0.05)
            return
        self.wfile.write(body)

    def do_GET(self):  # noqa: N802
        """Core archives, version files, archives of plugins."""
        path = urllib.parse.urlsplit(self.path).path
        if path == '/core/php/downloadFile.php':
            asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get('id', [''])[0]
            return self.plugin(asked)
        archive, version = ARCHIVE.match(path), VERSION.match(path)
        if archive:
            return self.zip(archive.group(1))
        if version:
            return self.version(version.group(1))
        if path == '/':
            return self.answer(b'sandbox\n')
        return self.missing()

    do_HEAD = do_GET  # noqa: N815

    def missing(self) -> None:
        """What the download site says of an address that it does not have."""
        self.answer(b'404: Not Found', status=404)

    def zip(self, ref: str) -> None:
        """The archive of a ref; branches stand for the version that they held last."""
        path = self.state / 'zips' / f'core-{self.alias(ref)}.zip'
        if not path.exists():
            return self.missing()
        return self.answer(path.read_bytes(), 'application/zip')

    def plugin(self, number: str) -> None:
        """The archive of a plugin as it is today: "stable" of the fleet file's market entry."""
        for name, plugin in known_plugins(self.state).items():
            if str(market_id(name)) == number:
                return self.answer(plugin_zip(name, plugin), 'application/zip')
        return self.missing()

    def version(self, ref: str) -> None:
        """The version file of a ref."""
        path = self.state / 'zips' / f'core-{self.alias(ref)}.version'
        if not path.exists():
            return self.missing()
        return self.answer(path.read_bytes())

    @staticmethod
    def alias(ref: str) -> str:
        """What a branch is today (compat: master is 4.5.3, V4-stable is frozen)."""
        return {'master': '4.5.3', 'V4-stable': '4.4.20', 'stable': '4.5.3'}.get(ref, ref)

    def do_POST(self):  # noqa: N802
        """The market's JSON-RPC (contract 8): multipart form with one field, request."""
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode('utf-8', 'replace')
        found = re.search(r'\{.*\}', body, re.S) or re.search(r'\{.*\}', urllib.parse.unquote_plus(body), re.S)
        try:
            request = json.loads(found.group(0)) if found else {}
        except ValueError:
            request = {}
        self.answer(json.dumps(self.market(request), ensure_ascii=True).encode('ascii'), 'application/json')

    def market(self, request: dict) -> dict:
        """The answer to one market call."""
        known = known_plugins(self.state)
        params = request.get('params') or {}
        reply = {'jsonrpc': '2.0', 'id': request.get('id')}
        if request.get('method') == 'market::byLogicalIdAndType':
            if 'logicalId' in params:
                plugin = known.get(params['logicalId'])
                if plugin is None:
                    return dict(reply, error={'code': -32500, 'message': f'Object not found: {params["logicalId"]}'})
                return dict(reply, result=describe(params['logicalId'], plugin))
            asked = [value for name, value in params.items() if name.isdigit() and isinstance(value, dict)]
            return dict(reply, result={f'{item.get("type", "plugin")}{item.get("logicalId")}': describe(item['logicalId'], known[item['logicalId']])
                                       for item in asked if item.get('logicalId') in known})
        if request.get('method') == 'market::test':
            return dict(reply, result='ok')
        return dict(reply, error={'code': -32601, 'message': 'Method not found'})


def rules(state: Path, target: str, client: str) -> list[str]:
    """Rules for a host and path, newest first."""
    try:
        found = json.loads((state / 'rules.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return []
    return [rule['rule'] for rule in found if re.search(rule['match'], target) and rule.get('box', client) == client]


def known_plugins(state: Path) -> dict[str, dict]:
    """What the market knows."""
    try:
        found = json.loads((state / 'plugins.json').read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return {name: plugin or {} for name, plugin in found.items()}


def market_id(name: str) -> int:
    """A number that stays with a plugin."""
    return 1 + zlib.crc32(name.encode()) % 100000


def plugin_zip(name: str, plugin: dict) -> bytes:
    """The files of the sandbox's plugins, with the date of their version; broken: a PHP file that does not parse."""
    files = dataset.plugin_files({'id': name, **plugin})
    files['plugin_info/stable'] = plugin.get('stable', '2020-01-01 00:00:00') + '\n'
    if plugin.get('broken'):
        files[f'core/class/{name}.class.php'] = '<?php\nclass {'
    made = io.BytesIO()
    with zipfile.ZipFile(made, 'w', zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return made.getvalue()


def describe(name: str, plugin: dict) -> dict:
    """A market entry as the client of 3.3.60 parses it (contract 8)."""
    return {'id': market_id(name), 'logicalId': name, 'type': 'plugin', 'name': plugin.get('name', name.capitalize()),
            'author': 'sandbox', 'certification': plugin.get('certification', 'Officiel'),
            'datetime': {'stable': plugin.get('stable', '2020-01-01 00:00:00'), 'beta': '2020-02-01 00:00:00'},
            'hardwareCompatibility': {'v4': str(plugin.get('v4', 1)), 'diy': '1'},
            'parameters': {'github::stable::version': plugin.get('version', 'abc')},
            'description': '', 'downloaded': 1, 'user_id': 1, 'version': '', 'categorie': '', 'status': {'stable': 1}, 'purchase': 0,
            'cost': 0, 'realCost': 0, 'rating': {'average': 0}, 'buyer': '', 'updateBy': '', 'private': 0, 'img': {}, 'link': {},
            'language': {}}


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A thread per request: one that stalls must not hold up the others."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that goes away or does not trust us is no error of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main() -> int:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--state', type=Path, required=True)
    parser.add_argument('--address', required=True)
    parser.add_argument('--certificate', type=Path, required=True, help='PEM with key and certificate')
    arguments = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.certificate)
    wrong = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    wrong.load_cert_chain(arguments.certificate.with_name('wrong.pem'))

    def choose(connection, name, _context):
        # the path is not known yet: such a rule goes by the host
        if 'certificate' in rules(arguments.state, f'{name or ""}/', connection.getpeername()[0]):
            connection.context = wrong

    context.sni_callback = choose
    for port in (80, 443):
        server = Server((arguments.address, port), Site)
        server.state = arguments.state
        if port == 443:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    (arguments.state / 'site.ready').touch()
    threading.Event().wait()
    return 0


if __name__ == '__main__':
    sys.exit(main())
