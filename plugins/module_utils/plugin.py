# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module plugin: a plugin is absent, enabled, disabled, up to date; done by Jeedom's own code as the web user.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.jeedom.fleet.plugins.module_utils import jobs, redact, system, transaction
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import clean
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation
from ansible_collections.jeedom.fleet.plugins.module_utils.plugin_impact import impact, sentence

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    name=dict(type='str', required=True),
    state=dict(type='str', required=True, choices=['absent', 'disabled', 'enabled', 'latest']),
    timeout=dict(type='int', default=600),
)
_ID = re.compile(r'^[A-Za-z0-9_][A-Za-z0-9_-]{0,126}$')
# No plugin: the core's own folder, its name in the table update, and the classes that a removal could confuse with one.
_RESERVED = frozenset(['core', 'jeedom'])
# What the sources write as the version offered when they got no answer, instead of raising (seen with a market that was down).
_SILENT = ('0000-01-01 00:00:00', 'error', 'repository not found')
_PROLOGUE = ('try { require_once getcwd() . "/core/php/core.inc.php"; %s echo "\\n@@done"; } '
             'catch (\\Throwable $e) { echo "\\n@@failed ", str_replace("\\n", " ", $e->getMessage()); exit(1); }')
# contract 3.4; the look for new rows gives a folder without a row one, so that it can be removed too
REMOVE = ('update::findNewUpdateObject(); $u = update::byTypeAndLogicalId("plugin", "%s"); '
          'if (is_object($u)) { $u->deleteObjet(); }')
ENABLE = 'plugin::byId("%s")->setIsEnable(%d);'
# Not $u->checkUpdate(), which swallows every error: a market that is down would look like "nothing new".
CHECK = ('$u = update::byTypeAndLogicalId("plugin", "%s"); $c = "repo_" . $u->getSource(); '
         'if (!class_exists($c) || !method_exists($c, "checkUpdate") || config::byKey($u->getSource() . "::enable") != 1) '
         '{ throw new Exception("source " . $u->getSource() . " is switched off or unknown on this box"); } $c::checkUpdate($u);')
UPDATE = '$u = update::byTypeAndLogicalId("plugin", "%s"); if (is_object($u)) { $u->doUpdate(); }'


def look(installation, name):
    """What is known of a plugin: {state: {...}, goes_along: {...}}, from files and SQL."""
    state, along = impact(installation.database(), name)
    folder = installation.path('plugins', name)
    info = system.read_json(os.path.join(folder, 'plugin_info/info.json'))
    state.update(folder=os.path.isdir(folder), version=clean(info.get('pluginVersion')) if isinstance(info, dict) else None,
                 require=clean(info.get('require')) if isinstance(info, dict) else None)
    return state, along


def present(state, along):
    """True when anything of the plugin is left."""
    return bool(state['folder'] or state['row'] or state['active'] or along['equipments']['count'])


def run_php(installation, code, name, timeout):
    """Run statements in Jeedom's own code as the web user; raises with Jeedom's own message when they fail."""
    argv = installation.as_web_user(['php', '-r', _PROLOGUE % code])
    done = system.run(argv, timeout=timeout, cwd=installation.web_root)
    if done.rc == 0 and '\n@@done' in done.out:
        return
    if done.rc == 124:
        raise BoxError("Jeedom's own code for plugin %s did not end within %d s: the market or a daemon may hang; look at the box "
                       'and run again.' % (name, timeout), 'plugin_timeout')
    message = done.out.rsplit('\n@@failed ', 1)[-1] if '\n@@failed ' in done.out else (done.err or done.out)
    lines = [line for line in message.split('\n') if line.strip()]
    raise BoxError("Jeedom's own code failed on plugin %s: %s. See the log of the box under log/."
                   % (name, redact.redact(clean(lines[0], 300), installation.secrets()) if lines else 'code %d' % done.rc),
                   'plugin_failed')


def _require_folder(state, name):
    if not state['folder']:
        raise BoxError('Plugin %s is not on the box: its folder is missing. Install it from the market first.' % name,
                       'plugin_not_installed')


def _absent(installation, name, params, check_mode, before, along):
    if not present(before, along):
        return dict(changed=False, msg='Plugin %s is not on the box.' % name)
    result = dict(changed=True, msg=sentence(name, along))
    if check_mode:
        return result
    run_php(installation, REMOVE % name, name, params['timeout'])
    after, left = look(installation, name)
    remains = [text for here, text in (
        (after['folder'], 'its folder'), (after['row'], 'its row in the table update'), (after['settings'], 'settings'),
        (left['equipments']['count'], '%d equipments' % left['equipments']['count']), (left['commands'], '%d commands' % left['commands']),
        (after['active'], 'its activation')) if here]
    if remains:
        raise BoxError('Plugin %s was removed only in part: %s are still there. Look at the rights of plugins/%s and at the log of the '
                       'box, then run again.' % (name, ', '.join(remains), name), 'plugin_not_removed', remains=remains, goes_along=along)
    opened = transaction.current()
    if opened:
        # Whoever ends this migration, this run or another, knows from it what is gone on purpose.
        transaction.update(removed_plugins=sorted(set(opened.get('removed_plugins') or []) | set([name])))
    return dict(result, after=after)


def _switched(installation, name, params, check_mode, before):
    wanted = params['state'] == 'enabled'
    if wanted or before['active']:
        _require_folder(before, name)
    if before['active'] == wanted:
        return dict(changed=False, msg='Plugin %s is %s.' % (name, params['state']))
    result = dict(changed=True, msg='Plugin %s %s %s.' % (name, 'would be' if check_mode else 'is', params['state']))
    if check_mode:
        return result
    run_php(installation, ENABLE % (name, wanted), name, params['timeout'])
    after = look(installation, name)[0]
    if after['active'] != wanted:
        raise BoxError('Plugin %s is still not %s although Jeedom reported no error; see log/plugin on the box.'
                       % (name, params['state']), 'plugin_not_switched')
    return dict(result, after=after)


def _latest(installation, name, params, check_mode, before):
    if not before['row']:
        raise BoxError('Plugin %s is not in the table update, so Jeedom does not know where to get it; install it from the market.'
                       % name, 'plugin_not_installed')
    if before['pinned']:
        return dict(changed=False, pinned=True, msg='Plugin %s is pinned on the box (doNotUpdate) and stays as it is.' % name)
    if check_mode:
        would = before['status'] == 'update'
        return dict(changed=would, msg='Plugin %s %s, as of the last check for updates.'
                    % (name, 'would be updated' if would else 'is up to date'))
    run_php(installation, CHECK % name, name, params['timeout'])
    known = look(installation, name)[0]
    if known['remote_version'] in _SILENT:
        raise BoxError('The source %s does not tell anything about plugin %s: it is unknown there, or cannot be reached from the box; '
                       'the plugin stays at %s.' % (known['source'], name, known['local_version']), 'plugin_source_silent')
    if known['status'] != 'update':
        return dict(changed=False, after=known, msg='Plugin %s is up to date (%s).' % (name, known['local_version']))
    run_php(installation, UPDATE % name, name, params['timeout'])
    after = look(installation, name)[0]
    if after['status'] == 'update' and after['local_version'] == known['local_version']:
        raise BoxError('Plugin %s is still at %s although %s is offered: the download may have been refused; see log/update on the box.'
                       % (name, known['local_version'], known['remote_version']), 'plugin_not_updated')
    return dict(changed=after['local_version'] != before['local_version'], after=after,
                msg='Plugin %s is at %s now (%s before).' % (name, after['local_version'], before['local_version']))


def run(params, check_mode):
    """Result of the module plugin."""
    name = params['name']
    if not _ID.match(name) or name in _RESERVED:
        raise BoxError('%r is no id of a plugin: give the name of its folder under plugins/, such as virtual.' % name, 'bad_plugin')
    installation = Installation(params['web_root']).require()
    before, along = look(installation, name)
    if not check_mode:
        system.require_root()
        live = jobs.running()
        if live is not None:
            raise BoxError('Job %s is running on this box; wait for its end before plugins are changed.' % live['id'], 'job_busy')
    if params['state'] == 'absent':
        result = _absent(installation, name, params, check_mode, before, along)
    elif params['state'] == 'latest':
        result = _latest(installation, name, params, check_mode, before)
    else:
        result = _switched(installation, name, params, check_mode, before)
    result['plugin'] = dict(name=name, before=before, after=result.pop('after', before), goes_along=along)
    result['diff'] = dict(before=_described(before), after=_described(_predicted(params, result, before)))
    return result


def _predicted(params, result, before):
    """The state after, or what it would be in check mode."""
    after = dict(result['plugin']['after'])
    if result['changed'] and params['state'] == 'absent':
        after.update(folder=False, row=False, active=False)
    elif result['changed'] and params['state'] in ('enabled', 'disabled'):
        after['active'] = params['state'] == 'enabled'
    elif result['changed'] and after == before:
        after['local_version'] = before['remote_version']
    return after


def _described(state):
    if not (state['folder'] or state['row']):
        return 'absent\n'
    return '%s, %s\n' % ('enabled' if state['active'] else 'disabled', state['local_version'] or 'no version')
