# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client of Jeedom's market: which plugins it knows and what it says of them (contract 8).

It runs on the controller, sends no credentials, no hardware key and nothing about a box but the names of its plugins,
and asks once per run for the whole fleet: answers are kept in C(<run id>/market-cache.json).
"""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.parse
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts
from ansible_collections.jeedom.fleet.plugins.plugin_utils.progress import printable

ADDRESS = 'https://market.jeedom.com'
MODES = ('online', 'offline', 'auto')
# Seconds: for the first sign of life, and for a list.
PROBE, LIMIT = 3.0, 15.0
_MOST_BYTES = 8 << 20
_PLUGIN_ID = re.compile(r'^[A-Za-z0-9_.-]{1,64}$')
# What the rules of contract 3.2 look at; the rest of an answer is dropped.
_KEPT = ('id', 'logicalId', 'type', 'name', 'certification', 'hardwareCompatibility', 'parameters', 'datetime', 'private', 'cost')


class MarketError(Exception):
    """The market gave no usable answer; str() says why, in words."""


def _opener(validate_certs: bool):
    """An opener that refuses redirects: a moved market is told, not followed, since a POST would become a GET."""
    # Loaded when the market is asked only: every box has a worker of its own, and these take longer than the whole judgement.
    import ssl
    import urllib.request

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        """Refuses."""

        def redirect_request(self, req, fp, code, msg, headers, newurl):
            """Refuse."""
            raise MarketError(f'it has moved to {printable(newurl, 80)}; set jeedom_market_address')

    context = ssl.create_default_context()
    if not validate_certs:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.build_opener(NoRedirect, urllib.request.HTTPSHandler(context=context))


class Market:
    """Calls to one market."""

    def __init__(self, address: str = ADDRESS, validate_certs: bool = True, limit: float = LIMIT):
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ('http', 'https') or not parts.hostname:
            raise MarketError(f'{printable(address, 80)} is no http or https address; correct jeedom_market_address')
        self.url = address.rstrip('/') + '/core/api/api.php'
        self.limit = limit
        self.validate_certs = validate_certs

    def alive(self, limit: float = PROBE) -> None:
        """Raise MarketError unless anything answers in time."""
        parts = urllib.parse.urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == 'https' else 80)
        try:
            socket.create_connection((parts.hostname, port), timeout=limit).close()
        except OSError as error:
            raise MarketError(f'{parts.hostname} does not answer ({error.strerror or error})') from error

    def plugins(self, ids: Iterable[str], core_version: str = '3.3.60') -> dict[str, dict | None]:
        """{id: answer, or None when the market does not know it}, by one list request. Raises MarketError."""
        names = [name for name in dict.fromkeys(ids) if _PLUGIN_ID.match(name)]
        if not names:
            return {}
        params: dict[str, object] = {str(index): {'logicalId': name, 'type': 'plugin'} for index, name in enumerate(names)}
        params.update(apikey='', jeedomversion=core_version, hwkey='', information={}, plugin_install_list=names)
        result = self._call('market::byLogicalIdAndType', params)
        if not isinstance(result, (Mapping, list)):
            raise MarketError('its answer has an unknown form')
        known = result if isinstance(result, Mapping) else {}
        return {name: _kept(known.get(f'plugin{name}')) for name in names}

    def _call(self, method: str, params: dict) -> object:
        import urllib.error
        import urllib.request
        body = json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params})
        boundary = uuid.uuid4().hex
        data = f'--{boundary}\r\nContent-Disposition: form-data; name="request"\r\n\r\n{body}\r\n--{boundary}--\r\n'.encode()
        request = urllib.request.Request(self.url, data=data, headers={
            'Content-Type': f'multipart/form-data; boundary={boundary}', 'User-Agent': 'jeedom.fleet'})
        until = time.monotonic() + self.limit
        try:
            with _opener(self.validate_certs).open(request, timeout=self.limit) as answer:
                raw = b''
                while len(raw) <= _MOST_BYTES:
                    part = answer.read1(65536)
                    if not part:
                        break
                    raw += part
                    # the socket's limit counts from byte to byte; a market that drips must end as well
                    if time.monotonic() > until:
                        raise MarketError(f'its answer took longer than {self.limit:.0f} s')
        except MarketError:
            raise
        except urllib.error.HTTPError as error:
            raise MarketError(f'it answers with HTTP {error.code}') from error
        except (OSError, ValueError) as error:
            raise MarketError(f'no answer ({printable(str(getattr(error, "reason", error)), 100)})') from error
        if len(raw) > _MOST_BYTES:
            raise MarketError(f'its answer is larger than {_MOST_BYTES >> 20} MB')
        try:
            value = json.loads(raw.decode('utf-8', 'replace'))
        except (ValueError, RecursionError) as error:
            raise MarketError('its answer is not JSON; is there a captive portal?') from error
        if not isinstance(value, Mapping) or 'result' not in value:
            problem = value.get('error') if isinstance(value, Mapping) else None
            message = problem.get('message') if isinstance(problem, Mapping) else 'no result'
            raise MarketError(f'it refuses: {printable(str(message), 100)}')
        return value['result']


def _kept(answer: object) -> dict | None:
    """The parts of an answer that matter; None without an id, as the vendor's client has it."""
    if not isinstance(answer, Mapping) or not answer.get('id'):
        return None
    return {key: answer[key] for key in _KEPT if key in answer}


def ask(mode: str, ids: Iterable[str], cache: Path | None = None, address: str = ADDRESS, validate_certs: bool = True) -> dict:
    """C({mode, online, reason, plugins}) for the plugins of one box.

    mode: online asks, auto asks when the market answers within 3 s, offline never. cache: the file of this run; what one box
    has asked, the next one reads, and that the market is down is found out once. Never raises for a market that is down.
    """
    wanted = sorted(set(ids))
    if mode == 'offline':
        return {'mode': mode, 'online': False, 'reason': 'jeedom_market is offline', 'plugins': {}}
    if cache is None:
        return _ask(mode, wanted, {}, address, validate_certs)[0]
    with artifacts.locked(cache.parent):
        before = artifacts.read_json(cache, {})
        before = before if isinstance(before, dict) and before.get('address') == address else {}
        answer, after = _ask(mode, wanted, before, address, validate_certs)
        if after != before:
            artifacts.write_json(cache, after)
    return answer


def _ask(mode: str, wanted: list[str], before: dict, address: str, validate_certs: bool) -> tuple[dict, dict]:
    """The answer for one box, and the cache after it."""
    known = dict(before.get('plugins') or {})
    reason = before.get('down')
    missing = [name for name in wanted if name not in known]
    if missing and not reason:
        try:
            market = Market(address, validate_certs)
            if mode == 'auto':
                market.alive()
            known.update(market.plugins(missing))
        except MarketError as error:
            reason = f'The market {printable(address, 60)} cannot be used: {error}.'
    after = {'address': address, 'plugins': known, 'down': reason}
    return {'mode': mode, 'online': not reason, 'reason': reason, 'plugins': {name: known[name] for name in wanted if name in known}}, after
