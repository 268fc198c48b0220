# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about what people changed and built: widgets, designs, themes, scenario code, files. docs/facts.md has every key.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import hashlib
import os
import re

from ansible_collections.jeedom.fleet.plugins.module_utils import core_files, system
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import (
    CAP, Unreadable, capped, clean, flag, json_object, number)
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_plugins import removed_calls
from ansible_collections.jeedom.fleet.plugins.module_utils.plugin_impact import scenario_owner

# user-pains B5: where V3 keeps icon markup
FA4_COLUMNS = (('object', 'display'), ('object', 'configuration'), ('eqLogic', 'display'), ('cmd', 'display'), ('plan', 'display'),
               ('plan3d', 'display'), ('view', 'display'), ('viewZone', 'configuration'), ('viewData', 'configuration'),
               ('scenario', 'display'), ('scenarioExpression', 'options'), ('config', 'value'))
_TRIGGER = re.compile(r'\btrigger(?:Value|Id)?\s*\(|#trigger(?:_\w+)?#')
_NAMES = re.compile(r'\b(byString|getHumanName)\s*\(')
_API = re.compile(r'jeeApi\.php[^\s"\'<]*?type=(\w+)')
# types of the HTTP API that belong to the core (user-pains B17)
CORE_TYPES = frozenset(['ask', 'cmd', 'interact', 'scenario', 'message', 'object', 'eqLogic', 'command', 'fullData', 'variable'])
WIDGET_PATTERNS = (('cmd_update', re.compile(r"jeedom\.cmd\.update\[\s*'#id#'")), ('toastr', re.compile(r'\btoastr\b')),
                   ('tooltipster', re.compile(r'tooltipster')), ('datetimepicker', re.compile(r'datetimepicker\s*\(')),
                   ('solidgauge', re.compile(r'solidgauge')), ('initTooltips', re.compile(r'initTooltips\s*\(')),
                   ('loadPage', re.compile(r'\bloadPage\s*\(')))
_FA4 = re.compile(r'\bfa fa-')
_OLD_JS = ("SUM(p.link_type = 'text' AND (p.display LIKE '%displayPlan(%' OR p.display LIKE '%planHeader_id%'))")
_CODE = ('trigger|byString|getHumanName|getInterface|getBackgroundColor|getType|setType|crypt|object::|new object|setEventOnly|eqReal|'
         'clearCacheWidget|addTimelineEvent|getRealTrigger|displayExeption|convertDayEnToFr|ajax::init')

CUSTOM_QUERIES = {
    'custom.templates': "SELECT template, type, subType, COUNT(*) FROM cmd WHERE template LIKE '{%:%' GROUP BY template, type, subType "
                        'LIMIT 5000',
    'custom.designs': "SELECT h.id, h.name, h.configuration REGEXP '\"desktopSizeX\" *: *\"?[0-9]', COUNT(p.id), " + _OLD_JS + ", "
                      "SUM(p.display LIKE '%<iframe%') FROM planHeader h LEFT JOIN plan p ON p.planHeader_id = h.id "
                      'GROUP BY h.id, h.name, h.configuration ORDER BY h.id LIMIT 2000',
    'custom.designs_3d': 'SELECT COUNT(*) FROM plan3dHeader',
    'custom.views': 'SELECT COUNT(*) FROM view',
    'custom.scenarios': 'SELECT id, name, isActive, LEFT(scenarioElement, 20000) FROM scenario LIMIT 5000',
    'custom.nested': 'SELECT e.expression, s.scenarioElement_id FROM scenarioExpression e JOIN scenarioSubElement s '
                     "ON s.id = e.scenarioSubElement_id WHERE e.type = 'element' LIMIT 50000",
    'custom.code': "SELECT s.scenarioElement_id, e.type, LEFT(CONCAT_WS(' ', e.expression, e.options), 60000) FROM scenarioExpression e "
                   "JOIN scenarioSubElement s ON s.id = e.scenarioSubElement_id WHERE CONCAT_WS(' ', e.expression, e.options) "
                   "REGEXP '" + _CODE + "' LIMIT 5000",
    'custom.api_cmd': "SELECT id, LEFT(configuration, 20000) FROM cmd WHERE configuration LIKE '%jeeApi.php%type=%' LIMIT 500",
    'custom.api_expression': "SELECT id, LEFT(CONCAT_WS(' ', expression, options), 20000) FROM scenarioExpression WHERE "
                             "CONCAT_WS(' ', expression, options) LIKE '%jeeApi.php%type=%' LIMIT 500",
}
for _table, _column in FA4_COLUMNS:
    CUSTOM_QUERIES['custom.fa4.%s.%s' % (_table, _column)] = \
        "SELECT COUNT(*) FROM `%s` WHERE `%s` LIKE '%%fa fa-%%'" % (_table, _column)


def _custom_files(home):
    found = []
    for pattern in ('desktop/custom/custom.*', 'mobile/custom/custom.*'):
        for path in sorted(glob.glob(home.path(pattern))):
            text = system.read_text(path)
            if text and text.strip():
                found.append(dict(path=clean(os.path.relpath(path, home.web_root)), size=os.path.getsize(path),
                                  sha256=hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()))
    return capped(found)


def template_names(template, kind, subtype):
    """Widget names (type.subtype.name) that a command's column template means, without V4's prefix; default is none."""
    found = set()
    for version in ('dashboard', 'mobile'):
        name = json_object(template).get(version)
        name = clean(name).split('::')[-1] if name and not isinstance(name, (dict, list)) else ''
        if name and name != 'default':
            found.add('%s.%s.%s' % (clean(kind), clean(subtype), name))
    return found


def _used_templates(look):
    used = {}
    for row in look.rows('custom.templates'):
        if len(row) == 4:
            for name in template_names(*row[:3]):
                used[name] = used.get(name, 0) + number(row[3], 0)
    return used


def _widgets(look, used):
    home = look.installation
    found = []
    for origin, folder in (('widget', 'plugins/widget/core/template'), ('data', 'data/customTemplates')):
        for version in ('dashboard', 'mobile'):
            for path in sorted(glob.glob(home.path(folder, version, 'cmd.*.html'))):
                text = system.read_text(path, '', 1 << 20)
                name = clean(os.path.basename(path)[len('cmd.'):-len('.html')])
                found.append(dict(path=clean(os.path.relpath(path, home.web_root)), name=name, version=version, origin=origin,
                                  size=len(text), commands=None if used is None else used.get(name, 0),
                                  patterns=[key for key, pattern in WIDGET_PATTERNS if pattern.search(text)],
                                  fa4=bool(_FA4.search(text)), iframe='<iframe' in text))
    return capped(found)


def _designs(look):
    return capped([dict(id=number(row[0]), name=clean(row[1]), has_size=row[2] == '1', elements=number(row[3], 0),
                        old_js=number(row[4], 0), iframes=number(row[5], 0)) for row in look.rows('custom.designs') if len(row) == 6])


def _fa4(look):
    found = {}
    for table, column in FA4_COLUMNS:
        name = '%s.%s' % (table, column)
        count = look.attempt('customisations.fa4.' + name, lambda name=name: number(look.cell('custom.fa4.' + name), 0))
        if count:
            found[name] = count
    return found


def _themes(look):
    users = {}
    for row in look.rows('access.users'):
        theme = json_object(row[5]).get('bootstrap_theme')
        if theme:
            users[clean(row[0])] = clean(theme)
    return dict(default=clean(look.setting('default_bootstrap_theme')), mobile=clean(look.setting('mobile_theme_color')), users=users)


def code_patterns(text, is_code=True):
    """Names of what V4 removed or changed in a piece of scenario (user-pains B20 to B22)."""
    found = set(['trigger']) if _TRIGGER.search(text) else set()
    if is_code:
        found.update(removed_calls(text))
        found.update(_NAMES.findall(text))
    return found


def _scenarios(look):
    rows = [row for row in look.rows('custom.scenarios') if len(row) == 4]
    find = scenario_owner(rows, look.rows('custom.nested'))
    hits = {}
    for row in look.rows('custom.code'):
        patterns = code_patterns(row[2] or '', row[1] == 'code') if len(row) == 3 else ()
        if not patterns:
            continue
        scenario = find(row[0])
        hit = hits.setdefault(scenario[0] if scenario else None, dict(
            id=number(scenario[0]) if scenario else None, name=clean(scenario[1]) if scenario else None, patterns=set(), expressions=0))
        hit['patterns'].update(patterns)
        hit['expressions'] += 1
    items = sorted((dict(hit, patterns=sorted(hit['patterns'])) for hit in hits.values()), key=lambda hit: (hit['id'] is None, hit['id'] or 0))
    return dict(count=len(rows), active=sum(1 for row in rows if row[2] == '1'), items=items[:CAP])


def _code_files(home):
    found = []
    paths = glob.glob(home.path('data/php/*.php'))
    for base, dummy, files in os.walk(home.path('plugins/script/data')):
        paths.extend(os.path.join(base, name) for name in files if name.endswith('.php'))
    for path in sorted(paths)[:1000]:
        patterns = code_patterns(system.read_text(path, '', 1 << 20))
        if patterns:
            found.append(dict(path=clean(os.path.relpath(path, home.web_root)), patterns=sorted(patterns)))
    return capped(found)


def _api_calls(look):
    found = []
    for table, name in (('cmd', 'custom.api_cmd'), ('scenarioExpression', 'custom.api_expression')):
        for row in look.rows(name):
            for kind in sorted(set(_API.findall((row[1] or '').replace('\\/', '/'))) - CORE_TYPES):
                found.append(dict(where='%s %s' % (table, clean(row[0])), text='type=' + clean(kind)))
    return capped(found)


def _htaccess(home):
    path = home.path('.htaccess')
    data = system.read_text(path)
    if data is None:
        raise Unreadable('.htaccess is missing')
    with open(path, 'rb') as stream:
        digest = hashlib.sha256(stream.read(1 << 20)).hexdigest()
    return dict(sha256=digest, size=os.path.getsize(path), custom=os.path.exists(home.path('.htaccess_custom')))


def _core_files(look):
    manifest = look.params.get('core_manifest') or {}
    version = look.installation.version()
    if not isinstance(manifest.get(version), dict):
        raise Unreadable('no digests of the release %s were given' % clean(version, 40))
    return dict(reference=version, **core_files.compare(look.installation.web_root, manifest[version]))


def collect_customisations(look):
    """Section customisations."""
    home = look.installation
    used = look.attempt('customisations.core_widgets_used', lambda: _used_templates(look))
    found = dict(
        custom_files=_custom_files(home), widgets=look.attempt('customisations.widgets', lambda: _widgets(look, used)),
        core_widgets_used=None if used is None else dict(sorted(used.items(), key=lambda item: -item[1])[:300]),
        code_files=_code_files(home), htaccess=look.attempt('customisations.htaccess', lambda: _htaccess(home)),
        timeline_json=os.path.getsize(home.path('data/timeline.json')) if os.path.isfile(home.path('data/timeline.json')) else 0)
    for key, function in (('designs', _designs), ('fa4', _fa4), ('themes', _themes), ('scenarios', _scenarios),
                          ('old_api_calls', _api_calls), ('core_files', _core_files),
                          ('custom_css_enabled', lambda look: flag(look.effective('enableCustomCss', '1')) if look.settings() else None),
                          ('syslog_forwarding', lambda look: bool(look.setting('log::syslogudphost')))):
        found[key] = look.attempt('customisations.' + key, lambda function=function: function(look))
    for key in ('designs_3d', 'views'):
        found[key] = look.attempt('customisations.' + key, lambda key=key: number(look.cell('custom.' + key), 0))
    if look.database_error:
        found['fa4'] = None
    return found
