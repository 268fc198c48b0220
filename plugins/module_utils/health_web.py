# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask the box's own web server: login page by content, API version (contract 1.4). Python 2.7 and 3.5+, stdlib only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import json
import os
import re
import socket
import ssl

try:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection
    from urllib.parse import urlencode, urlsplit
except ImportError:  # Python 2
    from httplib import HTTPConnection, HTTPException, HTTPSConnection
    from urllib import urlencode
    from urlparse import urlsplit

from ansible_collections.jeedom.fleet.plugins.module_utils import system

# Both stand in the login page of every version from 3.3.60 to 4.5.3. With the database down the status is 200 as well,
# with 48 bytes (contract 1.4).
LOGIN_MARKS = ('in_login_username', 'bt_login_validate')
MIN_BYTES = 2000
_DIRECTIVE = re.compile(r'^\s*(<VirtualHost\s+([^>]+)>|</VirtualHost>|DocumentRoot\s+("[^"]+"|\S+)|ServerName\s+(\S+)|'
                        r'SSLEngine\s+(\S+)|Alias\s+(\S+)\s+("[^"]+"|\S+)|Listen\s+(\S+))', re.I)
_FILES = ('/etc/apache2/sites-enabled/*', '/etc/apache2/conf-enabled/*', '/etc/apache2/ports.conf', '/etc/apache2/apache2.conf')


def sites(web_root, texts=None):
    """Ways to Jeedom's web on this box: [{scheme, port, host, prefix}], most likely first.

    Read from Apache's configuration; port 80 is always among them, for a web server that is not Apache.
    texts: contents of configuration files, for tests.
    """
    if texts is None:
        texts = [system.read_text(path, '') for pattern in _FILES for path in sorted(glob.glob(pattern))]
    found = []
    for text in texts:
        site = dict(ports=[], root=None, host=None, tls=False)
        for line in text.splitlines():
            match = _DIRECTIVE.match(line)
            if not match:
                continue
            whole, addresses, root, host, tls, alias, target, dummy_listen = match.groups()
            if addresses:
                site = dict(ports=[part.rsplit(':', 1)[-1] for part in addresses.split()], root=None, host=None, tls=False)
            elif root:
                site['root'] = os.path.normpath(root.strip('"'))
            elif host:
                site['host'] = host.split(':')[0]
            elif tls:
                site['tls'] = tls.lower() == 'on'
            elif alias and os.path.normpath(target.strip('"')) == web_root:
                found.extend(_ways(site, alias.rstrip('/')))
            elif whole.lower().startswith('</virtualhost') and site['root'] and _inside(web_root, site['root']):
                found.extend(_ways(site, web_root[len(site['root']):]))
    found.sort(key=lambda way: (way['prefix'], way['scheme'] == 'https'))
    for prefix in ('', '/jeedom'):
        way = dict(scheme='http', port=80, host=None, prefix=prefix)
        if way not in found:
            found.append(way)
    return found


def _inside(path, folder):
    return path == folder or path.startswith(folder.rstrip('/') + '/')


def _ways(site, prefix):
    ports = [int(port) for port in site['ports'] if port.isdigit()] or [443 if site['tls'] else 80]
    return [dict(scheme='https' if site['tls'] else 'http', port=port, host=site['host'], prefix=prefix) for port in ports]


def request(way, path, data=None, timeout=30):
    """(status, headers, body as text) of one request to the box itself; (None, {}, reason) when there is no answer.

    Redirects within the box are followed three times; certificates are not checked, since it is 127.0.0.1.
    """
    for dummy in range(4):
        try:
            if way['scheme'] == 'https':
                context = ssl.create_default_context()
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                connection = HTTPSConnection('127.0.0.1', way['port'], timeout=timeout, context=context)
            else:
                connection = HTTPConnection('127.0.0.1', way['port'], timeout=timeout)
            headers = {'User-Agent': 'jeedom.fleet', 'Connection': 'close', 'Host': way['host'] or 'localhost'}
            if data is not None:
                headers['Content-Type'] = 'application/x-www-form-urlencoded'
            connection.request('POST' if data is not None else 'GET', path, data, headers)
            answer = connection.getresponse()
            body = system.to_text(answer.read(4 << 20))
            found = dict((key.lower(), value) for key, value in answer.getheaders())
            connection.close()
        except (socket.error, ssl.SSLError, HTTPException, ValueError) as error:
            return None, {}, '%s' % error
        if answer.status not in (301, 302, 303, 307, 308) or not found.get('location'):
            return answer.status, found, body
        target = urlsplit(found['location'])
        if target.scheme:
            way = dict(way, scheme=target.scheme, port=target.port or (443 if target.scheme == 'https' else 80),
                       host=target.hostname)
        path = target.path if target.path.startswith('/') else path.rsplit('/', 1)[0] + '/' + target.path
        if target.query:
            path += '?' + target.query
    return answer.status, found, body


def login_page(web_root, timeout=30, ways=None):
    """{ok, message, bytes, way}: whether one of the ways to Jeedom serves its login page."""
    best = dict(ok=False, message='no web server answers on 127.0.0.1', bytes=0, way=None)
    for way in ways or sites(web_root):
        status, dummy_headers, body = request(way, way['prefix'] + '/index.php?v=d', timeout=timeout)
        if status is None:
            continue
        missing = [mark for mark in LOGIN_MARKS if mark not in body]
        if status == 200 and len(body) >= MIN_BYTES and not missing and 'PHP Fatal' not in body and '<b>Fatal error' not in body:
            return dict(ok=True, message='%d bytes' % len(body), bytes=len(body), way=way)
        if way['prefix'] == '' or best['way'] is None:
            best = dict(ok=False, way=way, bytes=len(body),
                        message='port %d answers HTTP %d with %d bytes that are not the login page' % (way['port'], status, len(body)))
    return best


def api_version(way, key, timeout=30):
    """{ok, version, message}: Jeedom's version as its JSON-RPC interface tells it.

    key: the core API key. Only ever call this with the right one: a wrong one is a failed login, which gets banned.
    """
    body = urlencode({'request': json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'version', 'params': {'apikey': key}})})
    status, dummy_headers, text = request(way, way['prefix'] + '/core/api/jeeApi.php', body.encode('ascii'), timeout)
    if status is None:
        return dict(ok=False, version=None, message='the API does not answer (%s)' % text)
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or 'result' not in answer:
        error = answer.get('error') if isinstance(answer, dict) else None
        message = error.get('message') if isinstance(error, dict) else '%d bytes that are no answer' % len(text)
        return dict(ok=False, version=None, message='the API answers HTTP %d: %s' % (status, message))
    return dict(ok=True, version=u'%s' % answer['result'], message=u'%s' % answer['result'])
