# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The route of a core upgrade as the box sees it. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

_VERSION = re.compile(r'^\d+(\.\d+){1,3}$')
_REF = re.compile(r'^[A-Za-z0-9._-]{1,80}$')
_SHA256 = re.compile(r'^[0-9a-f]{64}$')


def parts(version):
    """A version as a list of numbers to compare; raises bad_version."""
    text = u'%s' % version
    if not _VERSION.match(text):
        raise BoxError('%r is no version of Jeedom: write it as three numbers, such as 4.5.3.' % version, 'bad_version')
    numbers = [int(part) for part in text.split('.')]
    return numbers + [0] * (4 - len(numbers))


def at_least(version, other):
    """Whether version is other or later."""
    return parts(version) >= parts(other)


def parse(version, route):
    """The hops as dicts {version, ref, file_version, sha256, content_sha256}, in order.

    version: the target. route: list of versions or dicts, or None for one direct hop. file_version is what
    core/config/version will say; it is not always the tag (contract 1.1: tag 4.0.63 holds 4.0.62).
    """
    hops = []
    for item in route or [version]:
        hop = dict(item) if isinstance(item, dict) else dict(version=item)
        if not hop.get('version') and hop.get('id'):
            hop['version'] = hop['id']
        parts(hop.get('version'))
        hop = dict(version=u'%s' % hop['version'], ref=u'%s' % (hop.get('ref') or hop['version']),
                   file_version=u'%s' % (hop.get('file_version') or hop['version']), sha256=hop.get('sha256'),
                   content_sha256=hop.get('content_sha256'))
        parts(hop['file_version'])
        if not _REF.match(hop['ref']) or hop['ref'].startswith('.'):
            raise BoxError('%r is no tag of jeedom/core.' % hop['ref'], 'bad_version')
        for name in ('sha256', 'content_sha256'):
            if hop[name] and not _SHA256.match(u'%s' % hop[name]):
                raise BoxError('%s of hop %s is no SHA-256 in hexadecimal, 64 small letters and digits: correct the route, or the knowledge overlay '
                               'that it comes from.' % (name, hop['version']), 'bad_arguments')
        hops.append(hop)
    if version and hops[-1]['version'] != u'%s' % version:
        raise BoxError('The route ends on %s, but version %s is wanted.' % (hops[-1]['version'], version), 'bad_route')
    for before, after in zip(hops, hops[1:]):
        if not at_least(after['version'], before['version']):
            raise BoxError('The route goes down from %s to %s.' % (before['version'], after['version']), 'bad_route')
    return hops


def remaining(hops, file_version):
    """The hops still to do from a version of the files."""
    for index in range(len(hops) - 1, -1, -1):
        if file_version == hops[index]['file_version']:
            return hops[index + 1:]
    return [hop for hop in hops if not at_least(file_version, hop['file_version'])]
