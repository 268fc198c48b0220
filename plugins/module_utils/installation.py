# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Jeedom is on the box, and how to speak to it. Python 2.7 and 3.5+, standard library only."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import pwd

from ansible_collections.jeedom.fleet.plugins.module_utils import credentials as php_source
from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.database import Database
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError

DEFAULT_WEB_ROOT = '/var/www/html'
# Options that every box module takes.
COMMON_SPEC = dict(
    web_root=dict(type='path', default=DEFAULT_WEB_ROOT),
)


class Installation:
    """One Jeedom in one web root. Reading never runs Jeedom's own PHP classes, which may write (contract 0.11)."""

    def __init__(self, web_root=DEFAULT_WEB_ROOT):
        # Python 2: a path of unicode would stumble over the first file name that is not UTF-8
        self.web_root = os.path.normpath(web_root if isinstance(web_root, str) else web_root.encode('utf-8'))
        self._credentials = None
        self.credentials_source = None

    def path(self, *parts):
        """A path inside the web root."""
        return os.path.join(self.web_root, *parts)

    def require(self):
        """Raise unless there is a Jeedom here."""
        if self.version() is None:
            raise BoxError('No Jeedom was found in %s on the box: core/config/version is missing. Set jeedom_web_root to '
                           'its web root.' % self.web_root, 'no_jeedom')
        return self

    def version(self):
        """Version of the files (contract 1.1), or None."""
        text = system.read_text(self.path('core/config/version'))
        return text.strip() if text and text.strip() else None

    @property
    def config_file(self):
        """The PHP file with the database credentials; never in Jeedom's own archive."""
        return self.path('core/config/common.config.php')

    def credentials(self):
        """host, port, dbname, username, password or unix_socket, read by PHP itself: values may be any PHP expression.

        Needs neither the database nor Jeedom's classes (contract 1.4). Where PHP does not run, its source is parsed
        instead, which understands literals only; credentials_source says C(php) or C(parsed).
        """
        if self._credentials is None:
            code = 'error_reporting(0); include %s; echo "\\n@@", json_encode($CONFIG["db"]);' % _php_string(self.config_file)
            done = system.run(['php', '-r', code], timeout=20)
            # JSON holds no bare line end, so a password with @@ in it does no harm.
            text = done.out.rsplit('\n@@', 1)[-1] if '\n@@' in done.out else ''
            try:
                value, source = json.loads(text), 'php'
            except ValueError:
                value = None
            if not isinstance(value, dict) or not value.get('dbname'):
                value, source = php_source.parse(system.read_text(self.config_file) or ''), 'parsed'
            if not value.get('dbname'):
                raise BoxError('The database credentials in %s cannot be read: PHP gave %s. Check that the file is there, is '
                               "valid PHP and fills $CONFIG['db']."
                               % (self.config_file, 'code %d' % done.rc if done.rc else 'no $CONFIG["db"]'),
                               'credentials_unreadable')
            # A port or a password may be a number in PHP; here everything is text, and what is not set is not there.
            self._credentials = dict((key, '%s' % item) for key, item in value.items() if item not in (None, '', False))
            self.credentials_source = source
        return self._credentials

    def database(self):
        """The Jeedom schema with Jeedom's own credentials."""
        return Database(self.credentials())

    def secrets(self):
        """Strings that must not leave the box in a log."""
        try:
            password = self.credentials().get('password')
        except BoxError:
            password = None
        return [password] if password else []

    @property
    def web_user(self):
        """Owner of the web root's core: who runs Jeedom's PHP. Running it as root leaves files that the web cannot write."""
        try:
            name = pwd.getpwuid(os.stat(self.path('core')).st_uid).pw_name
        except (OSError, KeyError):
            name = 'www-data'
        return 'www-data' if name == 'root' else name

    def as_web_user(self, argv):
        """argv, prefixed to run as the web user."""
        return system.as_user(self.web_user, argv)

    def temporary(self, database=None):
        """Jeedom's temporary folder, config key folder::tmp (contract 1.3)."""
        value = None
        if database is not None:
            value = database.config('folder::tmp')
        return value or '/tmp/jeedom'


def _php_string(text):
    """text as a PHP literal in single quotes."""
    return "'%s'" % text.replace('\\', '\\\\').replace("'", "\\'")
