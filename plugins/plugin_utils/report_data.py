# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report says, as data: read from journals and artifacts, judged, counted. docs/reference/report-schema.md."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible_collections.jeedom.fleet.plugins.plugin_utils import artifacts, journal, report_messages, runs, status, store, waves
from ansible_collections.jeedom.fleet.plugins.plugin_utils.report_shape import items, number, section, text, wave, whole

SCHEMA = 1
SEVERITIES = ('blocker', 'warning', 'info')


class Files:
    """The records of one box, newest run first: a stage that was skipped keeps those of the run that did it."""

    def __init__(self, root: Path, entry: dict):
        name = artifacts.safe_name(entry['host'])
        ids = [entry.get('run_id')]
        for stage in entry['stages'].values():
            ids += [stage.get('run_id'), (stage.get('done') or {}).get('run_id')]
        ids += [run.get('run_id') for run in reversed(entry.get('history') or [])]
        self.folders = [Path(root) / artifacts.safe_name(run_id) / name for run_id in dict.fromkeys(ids) if run_id]

    def read(self, name: str, default: Any = None) -> Any:
        """The newest record of a name."""
        return next(self._all(name), default)

    def before(self) -> Any:
        """The facts from before the first change: not those of a run that came upon its open migration and went on with it."""
        found = list(self._all('facts-before'))
        return next((facts for facts in found if section(facts, 'activity', 'transaction', 'open') is not True), found[0] if found else {})

    def _all(self, name: str) -> Iterator[Any]:
        for folder in self.folders:
            value = artifacts.read_json(folder / f'{name}.json')
            if value is not None:
                yield value


def stages(entry: dict, language: str) -> list[dict]:
    """The stages of a box in order, with times and durations (seconds)."""
    found = []
    for name in journal.order(entry['stages']):
        stage = entry['stages'][name]
        # What another run has failed at is history, or a backup since, whose own report tells it; what it has done still counts.
        earlier = stage.get('run_id') != entry.get('run_id')
        if earlier and stage.get('status') not in ('ok', 'skipped'):
            continue
        times = stage.get('done') if stage.get('status') == 'skipped' and stage.get('done') else stage
        begin, end = number(times.get('started')), number(times.get('ended'))
        found.append({'name': name, 'status': text(stage.get('status'), width=20), 'started': begin, 'ended': end,
                      'duration': max(0.0, end - begin) if begin and end else None, 'run_id': stage.get('run_id'),
                      'earlier': earlier or times is not stage,
                      'message': report_messages.told(text(stage.get('message'), language), language)})
    return found


def findings(value: Any, language: str) -> list[dict]:
    """The findings of a box, worst first."""
    found = []
    for item in items(value):
        if isinstance(item.get(language), dict):
            item = {**item, **{key: item[language][key] for key in ('title', 'advice') if item[language].get(key)}}
        severity = item.get('severity') if item.get('severity') in SEVERITIES else 'info'
        accepted = item.get('accepted') or {}
        evidence = item.get('evidence')
        lines = [text(line, language, 300) for line in (evidence if isinstance(evidence, (list, tuple)) else [evidence]) if line]
        found.append({'id': text(item.get('id'), width=80), 'severity': severity, 'title': text(item.get('title') or item.get('id'), language, 200),
                      'subject': text(item.get('subject'), width=80), 'evidence': lines[:20], 'advice': text(item.get('advice'), language),
                      'fix': text(item.get('fix'), language, 300), 'accepted': bool(accepted),
                      'reason': text(accepted.get('reason') if isinstance(accepted, dict) else item.get('reason'), language)})
    return sorted(found, key=lambda item: (SEVERITIES.index(item['severity']), item['id'], item['subject']))


def standing_findings(root: Path, host: str, found: list[dict]) -> list[dict]:
    """Without the remark that an archive is missing, where one has come since that look."""
    missing = [item for item in found if item['id'] == 'backup_not_proved']
    return [item for item in found if item not in missing] if missing and store.proved(root, host) else found


def plugins(before: Any, after: Any) -> list[dict]:
    """The plugins of a box. v4: true, false, or null when the plugin does not say."""
    still = {text(plugin.get('id'), width=80) for plugin in items(section(after, 'plugins'))} if isinstance(section(after, 'plugins'), dict) else None
    found = []
    for plugin in items(section(before, 'plugins')):
        name = text(plugin.get('id'), width=80)
        if name:
            found.append({'id': name, 'name': text(plugin.get('name') or name, width=80), 'active': plugin.get('active') is True,
                          'v4': plugin.get('v4') if isinstance(plugin.get('v4'), bool) else None,
                          'version': text(plugin.get('version') or plugin.get('local_version'), width=40),
                          'equipments': int(number(plugin.get('equipments')) or 0),
                          'removed': still is not None and name not in still})
    return sorted(found, key=lambda plugin: plugin['id'].lower())


# What the owner knows by name comes first; parts of these (blocks of scenarios, elements of designs) follow.
CENSUS = ('objects', 'equipments', 'commands', 'scenarios', 'users', 'views', 'designs', 'interactions', 'active_plugins', 'history', 'historyArch')


def counts(census: Any) -> dict[str, int]:
    """The counts in a census (docs/facts.md), by name: what can be shown to people."""
    found = {}
    for part in ('entities', 'history'):
        told = section(census, part)
        for name, value in (told.items() if isinstance(told, dict) else ()):
            count = next((value[key] for key in ('count', 'rows') if number(value.get(key)) is not None), None) if isinstance(value, dict) else None
            if count is not None:
                found[text(name, width=60)] = int(count)
    if number(section(census, 'files', 'count')) is not None:
        found['files'] = int(census['files']['count'])
    return dict(sorted(found.items(), key=lambda item: (CENSUS.index(item[0]) if item[0] in CENSUS else len(CENSUS), item[0])))


def census(before: Any, after: Any, difference: Any, language: str) -> dict:
    """{before, after, compared, differences}: differences is what verify found, as sentences."""
    told = [text(item.get('text') or item.get('message') or item, language) if isinstance(item, dict) else text(item, language)
            for item in (difference if isinstance(difference, list) else [])]
    return {'before': counts(section(before, 'census')), 'after': counts(section(after, 'census')),
            'compared': isinstance(difference, list), 'differences': told[:100]}


def archives(root: Path, host: str) -> list[dict]:
    """The archives of a box on this controller: what their manifests say, and whether the file is there with that size."""
    found = []
    folder = Path(root) / 'archives' / artifacts.safe_name(host)
    for path in sorted(folder.glob('*.manifest.json')):
        manifest = artifacts.read_json(path, {})
        if not isinstance(manifest, dict):
            continue
        found.append(_archive(root, path.with_name(path.name.removesuffix('.manifest.json')), manifest, 'archive'))
        second = manifest.get('complement')
        if isinstance(second, dict) and second.get('name'):
            about = {key: value for key, value in manifest.items() if key != 'stored'}
            found.append(_archive(root, folder / artifacts.safe_name(text(second['name'], width=200)), {**about, **second}, 'complement'))
    return found


def _archive(root: Path, path: Path, manifest: dict, kind: str) -> dict:
    # a sealed copy has another name and another size
    stored = store.standing(path.name, manifest) or {}
    path, size = path.with_name(stored.get('name', path.name)), number(stored.get('size', manifest.get('size')))
    there = path.is_file() and (size is None or path.stat().st_size == size)
    return {'name': text(path.name, width=200), 'kind': kind, 'path': str(path.relative_to(root)), 'size': int(size or 0), 'present': there,
            'sha256': text(manifest.get('sha256'), width=64), 'core_version': text(manifest.get('core_version'), width=20),
            'created': number(manifest.get('created'))}


def hops(entry: dict) -> list[dict]:
    """The hops of the upgrade with their durations."""
    result = section(entry, 'stages', 'upgrade', 'result')
    return [{'version': text(hop.get('version') or hop.get('to'), width=20), 'duration': number(hop.get('seconds')),
             'attempts': int(number(hop.get('attempts')) or 1)} for hop in items(section(result, 'hops'))]


def telling(entry: dict) -> dict:
    """The journal as of the run that is worth telling: that a migrated box was looked at again is not."""
    runs_before = [run for run in items(entry.get('history')) if run.get('outcome') == 'migrated']
    if entry.get('outcome') != 'already_done' or not runs_before:
        return entry
    return {**entry, **runs_before[-1], 'history': [run for run in items(entry.get('history')) if run is not runs_before[-1]]}


def _holds(entry: dict, name: str) -> bool:
    """Whether what a stage after the first hop found out is still true of the box: it has not been taken back since."""
    stage, rollback = entry['stages'].get(name) or {}, entry['stages'].get('rollback') or {}
    if stage.get('status') == 'started' or (rollback and _time(rollback) >= _time(stage)):
        return False
    return entry.get('outcome') in status.DONE or (bool(stage) and stage.get('run_id') == entry.get('run_id'))


def _time(stage: dict) -> float:
    return number(stage.get('ended')) or number(stage.get('started')) or 0


def box(root: Path, entry: dict, language: str) -> dict:
    """All that the report says about one box."""
    entry = telling(entry)
    files = Files(root, entry)
    verified, verify = _holds(entry, 'verify'), entry['stages'].get('verify') or {}
    before, after = files.before(), files.read('facts-after', {}) if verified else {}
    difference = files.read('census-difference', section(verify, 'result', 'census_difference')) if verified else None
    begin, target, now = status.versions(entry, before)
    opened = section(files.read('facts-before', {}), 'activity', 'transaction')
    if section(opened, 'open') is True and section(opened, 'from_version'):
        begin = opened['from_version']
    upgraded, upgrade = _holds(entry, 'upgrade'), section(entry, 'stages', 'upgrade', 'result')
    assess = section(entry, 'stages', 'assess', 'result')
    health = files.read('health') or {}
    php = text(section(before, 'php', 'cli', 'version'), width=20)
    if verify.get('status') not in ('ok', 'failed', 'skipped') or not (verified or verify.get('run_id') == entry.get('run_id')):
        health = {}
    return {
        'host': text(entry['host'], width=200) or repr(entry['host']), 'name': text(section(before, 'core', 'name'), width=80), 'outcome': entry.get('outcome'),
        'from_version': text(begin, width=20), 'target_version': text(target, width=20), 'version': text(now, width=20),
        'stage': journal.reached(entry), 'message': report_messages.told(text(status.message(entry), language), language), 'run_id': entry.get('run_id'),
        'started': number(entry.get('started')), 'updated': number(entry.get('updated')), 'duration': status.duration(entry),
        'stages': stages(entry, language), 'left': status.left(entry),
        'verdict': text(section(assess, 'verdict'), width=40), 'route': [text(step, width=20) for step in _route(assess)],
        'findings': standing_findings(root, entry['host'], findings(files.read('findings', []), language)), 'plugins': plugins(before, after),
        'census': census(before, after, difference, language),
        'archives': archives(root, entry['host']), 'hops': hops(entry) if upgraded else [],
        'outage': number(section(upgrade, 'outage')) if upgraded else None,
        'health': {'status': text(health.get('status') if isinstance(health, dict) else '', width=20),
                   'checks': [{'id': text(check.get('id') or check.get('name'), width=60), 'status': text(check.get('status'), width=20),
                               'message': text(check.get('message'), language, 300)} for check in items(section(health, 'checks'))]},
        'system': {'os': text(section(before, 'os', 'pretty_name'), width=80),
                   'hardware': text(section(before, 'hardware', 'model') or section(before, 'hardware', 'detected'), width=80),
                   'php': f'PHP {php}' if php else '',
                   'database': text(f'{section(before, "database", "flavour") or ""} {section(before, "database", "version") or ""}', width=60)},
        'history': [{'run_id': text(run.get('run_id'), width=80), 'started': number(run.get('started')), 'updated': number(run.get('updated')),
                     'outcome': run.get('outcome') if run.get('outcome') in journal.OUTCOMES else None} for run in items(entry.get('history'))],
    }


def _route(assess: Any) -> list:
    route = section(assess, 'route')
    if not isinstance(route, (list, tuple)):
        return []
    return [hop.get('version') if isinstance(hop, dict) else hop for hop in route]


def untouched(host: str) -> dict:
    """A box that was among those wanted and has not been reached yet."""
    return box(Path('/nonexistent'), {'host': host, 'run_id': None, 'outcome': None, 'stages': {}}, 'en')


def any_box(root: Path, entry: dict, language: str) -> dict:
    """What the report says about one box, whatever it has sent: none of them may keep the others out of the report."""
    try:
        return box(root, whole(entry), language)
    except Exception as error:  # pylint: disable=broad-except
        # records are written as the box sent them
        outcome = entry.get('outcome') if entry.get('outcome') in journal.OUTCOMES else 'unknown'
        return {**untouched(entry['host']), 'outcome': outcome, 'message': report_messages.told(
            f'The records of this box in the artifacts folder cannot be read ({type(error).__name__}): look at them there.', language)}


def common_title(titles: list[str]) -> str:
    """One title for all: titles carry numbers and words of their box, and none of them may speak for another box."""
    if len(set(titles)) == 1:
        return titles[0]
    words = [first[0] for first in itertools.takewhile(lambda same: len(set(same)) == 1,
                                                       zip(*(title.split() for title in titles), strict=False))]
    return ' '.join([*words, '…'])


def by_finding(boxes: list[dict]) -> list[dict]:
    """Findings over all boxes, worst and most frequent first."""
    found: dict[tuple, dict] = {}
    for each in boxes:
        for item in each['findings']:
            entry = found.setdefault((item['id'], item['subject']), {**{key: item[key] for key in ('id', 'subject', 'severity', 'title', 'advice', 'fix')},
                                                                     'boxes': []})
            entry['severity'] = min(entry['severity'], item['severity'], key=SEVERITIES.index)
            entry['boxes'].append({'host': each['host'], 'title': item['title'], 'evidence': item['evidence'], 'accepted': item['accepted'],
                                   'reason': item['reason']})
    for entry in found.values():
        entry['title'] = common_title([each['title'] for each in entry['boxes']])
        for each in entry['boxes']:
            each['title'] = each['title'] if each['title'] != entry['title'] else ''
    return sorted(found.values(), key=lambda item: (SEVERITIES.index(item['severity']), -len(item['boxes']), item['id'], item['subject']))


def by_plugin(boxes: list[dict]) -> list[dict]:
    """The plugin matrix: who has what, and what the plugin says about V4."""
    found: dict[str, dict] = {}
    for each in boxes:
        for plugin in each['plugins']:
            entry = found.setdefault(plugin['id'], {'id': plugin['id'], 'name': plugin['name'], 'v4': plugin['v4'], 'boxes': [], 'active': 0,
                                                    'equipments': 0, 'removed': 0})
            # One box whose copy is too old for V4 is what somebody has to know of.
            states = (entry['v4'], plugin['v4'])
            entry['v4'] = False if False in states else None if None in states else True
            entry['boxes'].append({'host': each['host'], 'v4': plugin['v4'], 'active': plugin['active'], 'version': plugin['version'],
                                   'removed': plugin['removed']})
            entry['active'] += plugin['active']
            entry['equipments'] += plugin['equipments']
            entry['removed'] += plugin['removed']
    rank = {False: 0, None: 1, True: 2}
    return sorted(found.values(), key=lambda plugin: (rank[plugin['v4']], -len(plugin['boxes']), plugin['id'].lower()))


def by_stage(boxes: list[dict]) -> list[dict]:
    """Durations per stage over the boxes that have been through it."""
    found: dict[str, list[tuple[float, str]]] = {}
    for each in boxes:
        for stage in each['stages']:
            if stage['duration'] and stage['status'] in ('ok', 'skipped', 'rolled_back'):
                found.setdefault(stage['name'], []).append((stage['duration'], each['host']))
    return [{'stage': name, 'boxes': len(found[name]), 'median': statistics.median(value for value, _host in found[name]),
             'longest': max(found[name])[0], 'slowest_box': max(found[name])[1], 'total': sum(value for value, _host in found[name])}
            for name in journal.order(found)]


def over(boxes: list[dict]) -> dict:
    """What is told of some boxes: {summary, boxes, findings, plugins, stages}."""
    durations = [each['duration'] for each in boxes if each['outcome'] == 'migrated']
    done = [each for each in boxes if each['census']['compared']]
    return {
        'summary': {'boxes': len(boxes), 'outcomes': dict(Counter(each['outcome'] or 'none' for each in boxes)),
                    'median_duration': statistics.median(durations) if durations else None,
                    'archives': sum(len(each['archives']) for each in boxes),
                    'archive_bytes': sum(archive['size'] for each in boxes for archive in each['archives']),
                    'census_compared': len(done), 'census_different': sum(bool(each['census']['differences']) for each in done)},
        'boxes': boxes, 'findings': by_finding(boxes), 'plugins': by_plugin(boxes), 'stages': by_stage(boxes)}


def _urgency(each: dict) -> tuple:
    """Sort key: what somebody has to look at first, what has not begun last."""
    if not each['stages']:
        return len(status.URGENCY), status.natural(each['host'])
    return status.URGENCY.index(each['outcome']) if each['outcome'] in status.URGENCY else 0, status.natural(each['host'])


def collect(roots: list[Path]) -> list[tuple[Path, dict]]:
    """The journals of several controllers; of a box that two of them know, the newer one."""
    found: dict[str, tuple[Path, dict]] = {}
    for root in roots:
        for entry in journal.read_all(root):
            if not entry['host']:
                # nobody's
                continue
            other = found.get(entry['host'])
            if other is None or (number(entry.get('updated')) or 0) > (number(other[1].get('updated')) or 0):
                found[entry['host']] = (root, entry)
    return [found[host] for host in sorted(found)]


def build(root: Path, language: str | None = None, sources: tuple[Path, ...] = ()) -> dict:
    """The whole report as data.

    root: the artifacts folder. language: C(fr) or C(en), default that of the newest run. sources: artifacts folders of other
    controllers (slices, ansible-runner workers) that are to be in the report, too.
    """
    roots = [Path(root), *(Path(source) for source in sources)]
    records = [(place, runs.every(place)) for place in roots]
    begun = sorted(((number(run.get('started')) or 0, str(place), run) for place, found in records for run in found), key=lambda each: each[:2], reverse=True)
    home, run = (Path(begun[0][1]), begun[0][2]) if begun else (Path(root), {})
    chosen = runs.language(language or run.get('language'))
    boxes = [any_box(place, entry, chosen) for place, entry in collect(roots)]
    known = {each['host'] for each in boxes}
    wanted = dict.fromkeys(host for _place, found in records for host in runs.wanted(found))
    boxes += [untouched(host) for host in wanted if host not in known]
    boxes.sort(key=_urgency)
    step = _go_on({each['host']: each['outcome'] for each in boxes}, [each[2] for each in begun])
    return {
        'schema': SCHEMA, 'generated': artifacts.now(), 'language': chosen, 'artifacts': str(root),
        'run': {key: run.get(key) for key in ('run_id', 'started', 'controller', 'user', 'ansible')},
        'next': step,
        'waves': [wave(each) for each in waves.read(home, run['run_id']) if isinstance(each, dict)] if run else [],
        **over(boxes)}


def _go_on(outcomes: dict[str, str | None], begun: list[dict]) -> dict | None:
    """How to go on, told by the newest run that was about all boxes with something left; else by the newest about any, for its boxes."""
    todo = {host for host, outcome in outcomes.items() if outcome not in status.DONE}
    hosts = [set(runs.hosts(run)) for run in begun]
    about = next((index for index, mine in enumerate(hosts) if todo <= mine), None)
    if about is None:
        about = next((index for index, mine in enumerate(hosts) if todo & mine), None)
        if about is not None:
            outcomes = {host: outcome for host, outcome in outcomes.items() if host in hosts[about]}
    arguments = begun[about or 0].get('arguments') or {} if begun else {}
    step = status.next_step(outcomes, arguments)
    return {'why': step[0], 'command': step[1], 'left_out': arguments.get('left_out') or []} if step else None
