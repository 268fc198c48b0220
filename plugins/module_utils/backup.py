# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proved archive exists: Jeedom's own backup as a job, and the proof that its success line is not (contract 2).

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import shutil
import socket
import threading
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import archive, complement, jobs, system
from ansible_collections.jeedom.fleet.plugins.module_utils.errors import BoxError
from ansible_collections.jeedom.fleet.plugins.module_utils.installation import COMMON_SPEC, Installation

ARGUMENT_SPEC = dict(
    COMMON_SPEC,
    max_age=dict(type='float', default=24.0),
    complement=dict(type='bool', default=True),
    min_free=dict(type='int', default=100),
    compression=dict(type='int', default=6, choices=list(range(1, 10))),
    **jobs.JOB_SPEC
)

# Lines of the backup script, in their order, French up to 4.2 and English later (contract 2.2).
_PHASES = ((re.compile(r'\[START BACKUP\]'), 'begin', 2), (re.compile(r'(?i)mysqlcheck|base de donn|database'), 'database', 10),
           (re.compile(r"(?i)archive"), 'archive', 30), (re.compile(r'(?i)nettoyage|clean|pruning'), 'prune', 60))
_PATH = re.compile(r'^(?:Nom de la sauvegarde|Backup name) ?: ?(.+)$')
_COMPLAINT = re.compile(r'^(?:tar|gzip): (?!Removing leading|warning: GZIP environment variable)')
# What gzip does when it is told nothing, which is how Jeedom calls it.
_USUAL_COMPRESSION = 6


def run(params, check_mode):
    """Say which proved archive there is, or start the job that makes one."""
    system.require_root()
    installation = Installation(params['web_root']).require()
    found = newest_proved(installation, params['max_age'], params['complement'])
    if found is not None:
        return dict(changed=False, backup=found)
    if check_mode:
        return dict(changed=True, backup=None)
    installation.database().scalar('SELECT 1')
    started = jobs.start('backup', 'backup', dict(web_root=installation.web_root, complement=params['complement'], min_free=params['min_free'],
                                                  compression=params['compression']),
                         key=installation.web_root, run_id=params['run_id'], controller=params['controller'])
    return jobs.started(started)


def backup_dir(installation, database):
    """Where Jeedom keeps its archives: config backup::path, relative to the web root unless absolute (contract 1.1)."""
    value = database.config('backup::path') or 'backup'
    return os.path.normpath(value if value.startswith('/') else installation.path(value))


def own_minute(folder, context):
    """Wait for the next minute where an archive was written in this one: Jeedom names archives by the minute in which they begin, and
    would write over that one (contract 2.3), also over what is being fetched."""
    while True:
        now = time.time()
        ages = [now - os.path.getmtime(os.path.join(folder, name)) for name in (os.listdir(folder) if os.path.isdir(folder) else ())
                if archive.NAME.match(name)]
        # minutes begin at the same moment in every time zone; a date in the future says nothing
        if not any(0 <= age <= now % 60 for age in ages):
            return
        context.check_stop()
        time.sleep(1)


def proof_path(name):
    """Where the proof of an archive is kept on the box."""
    return os.path.join(system.STATE_DIR, 'proofs', name + '.json')


def _identity(path):
    """What tells that a file is still the one that was proved."""
    stat = os.stat(path)
    return [stat.st_size, int(stat.st_mtime), stat.st_ino]


def newest_proved(installation, max_age, with_complement):
    """The newest archive that was proved, is still the same file, fits the core, and is younger than max_age hours; or None."""
    folder = os.path.join(system.STATE_DIR, 'proofs')
    best = None
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        proof = system.read_json(os.path.join(folder, name))
        if not proof or not os.path.exists(proof['path']) or _identity(proof['path']) != proof['identity']:
            continue
        if proof['manifest']['core_version'] != installation.version() or time.time() - proof['manifest']['created'] > max_age * 3600:
            continue
        if with_complement and not (proof['complement'] and os.path.exists(proof['complement']['path'])):
            continue
        if best is None or proof['manifest']['created'] > best['manifest']['created']:
            best = proof
    return best and dict((key, best[key]) for key in ('path', 'name', 'size', 'sha256', 'proved', 'manifest', 'complement', 'notes'))


def job(params, context):
    """Make the archive, prove it, keep it from Jeedom's pruning, add the complement."""
    installation = Installation(params['web_root']).require()
    context.secrets = installation.secrets()
    database = installation.database()
    folder = backup_dir(installation, database)
    _refuse_if_busy()
    _need_room(installation, folder, database, params['min_free'])
    own_minute(folder, context)
    guard = _Guard(folder)
    before = database.row_counts()
    begin = time.time()
    there = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    keeper = _Keeper(folder, there)
    keeper.start()
    try:
        path, proof, members = _proved(installation, database, context, begin, before, params.get('compression'), keeper)
    except BoxError as error:
        guard.restore()
        for kept in keeper.end().values():
            os.unlink(kept)
        if error.code in ('backup_failed', 'backup_incomplete', 'archive_not_proved'):
            _drop_new(folder, there, context)
        raise
    context.phase('keep', 88)
    notes = guard.restore()
    if os.path.dirname(path) != os.path.normpath(folder):
        notes.append("Jeedom's own pruning deleted %s (backup::keepDays, backup::maxSize, or a clock that was put back)" % os.path.basename(path))
    kept = keep_aside(path)
    if kept != path:
        notes.append('kept as %s, out of reach of Jeedom\'s own pruning' % kept)
    second = None
    if params['complement']:
        context.phase('complement', 92)
        names = complement.missing(installation.web_root, folder, members)
        target = os.path.join(system.state_dir('staging'), os.path.basename(path)[:-len('.tar.gz')] + '.complement.tar.gz')
        second = dict(complement.write(target, installation.web_root, names), path=target, name=os.path.basename(target))
    proof['proved'] = True
    manifest = dict(proof, name=os.path.basename(path), host=socket.gethostname(), created=begin, complement=second,
                    web_root=installation.web_root, duration=round(time.time() - begin, 1))
    result = dict(path=kept, name=os.path.basename(path), size=proof['size'], sha256=proof['sha256'], proved=True, manifest=manifest,
                  complement=second, notes=notes)
    system.state_dir('proofs')
    system.write_json(proof_path(os.path.basename(path)), dict(result, identity=_identity(kept)))
    _prune(kept)
    return dict(changed=True, backup=result)


def _proved(installation, database, context, begin, before, compression, keeper):
    """Run Jeedom's backup and prove what it has made; returns (path, proof, names of its members)."""
    context.phase('backup', 1)
    path = _path_of(_run_backup(installation, context, compression), begin, keeper.end())
    after = database.row_counts()
    context.phase('prove', 65)
    size = float(os.path.getsize(path) or 1)
    members = set()

    def on_name(name, dummy_member):
        members.add(name)

    with open(path, 'rb') as raw:
        proof = archive.prove(raw, lambda done: context.percent(65 + 20 * done / size), on_name)
    proof['problems'].extend(archive.compare(proof, before, after, plugin_folders(installation)) if proof['dump']['present'] else [])
    if proof['core_version'] and proof['core_version'] != installation.version():
        proof['problems'].append('it holds core %s, the box has %s' % (proof['core_version'], installation.version()))
    if proof['problems']:
        raise BoxError('The archive %s is not usable although Jeedom reported success: %s. Free space or repair what is named, then '
                       'run again.' % (os.path.basename(path), '; '.join(proof['problems'][:3])), 'archive_not_proved',
                       problems=proof['problems'], path=path)
    return path, proof, members


def _drop_new(folder, there, context):
    """Remove archives that a failed backup has left: on Jeedom's own page they look like any other (contract 2.5)."""
    for name in sorted(set(os.listdir(folder)) - there):
        if archive.NAME.match(name):
            os.unlink(os.path.join(folder, name))
            context.log('removed %s, which cannot be restored' % name)


def plugin_folders(installation):
    """Ids of the plugins on the box: folders with an info file."""
    base = installation.path('plugins')
    return [name for name in (os.listdir(base) if os.path.isdir(base) else ())
            if os.path.exists(os.path.join(base, name, 'plugin_info', 'info.json'))]


def _refuse_if_busy():
    """Two backups at once write one file, and a backup in an update mixes versions, both with success lines (contract 2.1)."""
    for pid, line in system.processes():
        if re.search(r'php\S* .*install/(backup|update|restore)\.php', line) and 'sudo' not in line.split()[0]:
            raise BoxError('%s runs already on the box (process %d): wait for its end, then run again.'
                           % (re.search(r'install/(\w+)\.php', line).group(1).capitalize(), pid), 'jeedom_busy')


def _need_room(installation, folder, database, least):
    """The dump and the archive must fit: a full disk gives a cut archive and a success line (contract 2.6)."""
    schema = int(database.scalar('SELECT IFNULL(SUM(data_length), 0) FROM information_schema.tables WHERE table_schema=DATABASE()') or 0)
    tree = 0
    skip = os.path.realpath(folder)
    for base, names, files in os.walk(installation.web_root):
        if os.path.realpath(base) == skip:
            names[:] = []
            continue
        for name in files:
            try:
                tree += os.lstat(os.path.join(base, name)).st_size
            except OSError:
                continue
    # archives measured about a third of the tree; media that is packed already does not shrink, hence the larger share
    need = 2 * schema + tree * 6 // 10 + least * (1 << 20)
    free = system.free_space(folder)[0]
    if free < need:
        raise BoxError('The backup needs about %d MB on the file system of %s and %d MB are free: remove old archives or logs, or set '
                       'backup::path to a larger disk.' % (need >> 20, folder, free >> 20), 'no_room', needed=need, free=free)


def _run_backup(installation, context, compression):
    script = installation.path('install/backup.php')
    # Jeedom's tar calls gzip, and this is the one way to speak to that gzip from outside; every gzip since 1.2 listens to it.
    quicker = [] if compression in (None, _USUAL_COMPRESSION) else ['env', 'GZIP=-%d' % compression]

    def on_line(line):
        for pattern, name, percent in _PHASES:
            if pattern.search(line) and percent > on_line.percent:
                on_line.percent = percent
                context.phase(name, percent)
                return

    on_line.percent = 0
    rc, lines = context.run(installation.as_web_user(quicker + ['php', script]), on_line, timeout=6 * 3600, stall=3600)
    success = [line for line in lines if '[END BACKUP SUCCESS]' in line]
    complaints = [line for line in lines if _COMPLAINT.match(line.strip())]
    if rc or len(success) != 1:
        raise BoxError("Jeedom's backup failed with code %d: %s. Look at the job's log, remove the cause and run again."
                       % (rc, _last_words(lines)), 'backup_failed', rc=rc)
    if complaints:
        raise BoxError("Jeedom's backup reported success, but its archiver complained: %s. Free space or repair rights, then run again."
                       % complaints[0], 'backup_incomplete')
    return lines


def _path_of(lines, begin, kept):
    """Where the archive is that these lines of a successful backup speak of. kept: second names by name."""
    paths = [_PATH.match(line.strip()).group(1) for line in lines if _PATH.match(line.strip())]
    path = os.path.normpath(paths[-1]) if paths else None
    if path and not os.path.isfile(path):
        path = kept.get(os.path.basename(path), path)
    if not path or not os.path.isfile(path) or os.path.getmtime(path) < int(begin) - 60:
        raise BoxError("Jeedom's backup reported success, but the archive %s is not there: its own pruning (backup::keepDays, "
                       'backup::maxSize) may have deleted it; check these settings and the clock.' % path, 'archive_gone')
    if not archive.NAME.match(os.path.basename(path)):
        raise BoxError('The archive is called %r, which no restore would accept: take special characters out of the name of the box '
                       'in Jeedom (config name).' % os.path.basename(path), 'bad_archive_name')
    return path


def _last_words(lines):
    for line in reversed(lines):
        if line.strip() and not line.startswith('#'):
            return line.strip()[:300]
    return 'no output'


class _Guard:
    """What Jeedom's pruning takes along although it is not an archive: the .htaccess of the backup folder, and the folder (contract 2.4)."""

    def __init__(self, folder):
        self.folder = folder
        self.found = os.stat(folder) if os.path.isdir(folder) else None
        self.path = os.path.join(folder, '.htaccess')
        self.text = system.read_text(self.path)
        self.stat = os.stat(self.path) if self.text is not None else None

    def restore(self):
        """Put it back if it is gone; returns notes for people."""
        if self.found and not os.path.isdir(self.folder):
            os.makedirs(self.folder)
            os.chown(self.folder, self.found.st_uid, self.found.st_gid)
            os.chmod(self.folder, self.found.st_mode & 0o7777)
        if self.text is None or os.path.exists(self.path):
            return []
        system.atomic_write(self.path, self.text, self.stat.st_mode & 0o777, self.stat.st_uid, self.stat.st_gid)
        return ["put back %s, which Jeedom's pruning had deleted" % self.path]


class _Keeper(threading.Thread):
    """Gives each new archive a second name in our own folder as soon as it begins to be written: Jeedom's pruning comes before its
    success line, and with keepDays=-1 or a clock that was put back it deletes the very archive of this backup (contract 2.4)."""

    def __init__(self, folder, there):
        super(_Keeper, self).__init__()
        self.daemon = True
        self.folder, self.there, self.staging = folder, there, system.state_dir('staging')
        self.ended = threading.Event()
        self.kept = {}

    def run(self):
        while not self.ended.wait(0.05):
            for name in set(os.listdir(self.folder) if os.path.isdir(self.folder) else ()) - self.there - set(self.kept):
                if not archive.NAME.match(name):
                    continue
                target = os.path.join(self.staging, name)
                try:
                    if os.path.exists(target):
                        os.unlink(target)
                    os.link(os.path.join(self.folder, name), target)
                    self.kept[name] = target
                except OSError:
                    # another file system: keep_aside() copies it when it is whole
                    self.kept[name] = None

    def end(self):
        """Paths of the second names, by name."""
        self.ended.set()
        self.join()
        return dict((name, path) for name, path in self.kept.items() if path)


def keep_aside(path):
    """A second name for the archive in our own folder, so that Jeedom's pruning cannot eat it; the path of that."""
    target = os.path.join(system.state_dir('staging'), os.path.basename(path))
    if os.path.exists(target):
        if os.path.samefile(path, target):
            return target
        os.unlink(target)
    try:
        os.link(path, target)
    except OSError:
        # another file system: a copy, where there is plenty of room for it
        if system.free_space(system.STATE_DIR)[0] < 2 * os.path.getsize(path) + (200 << 20):
            return path
        shutil.copy2(path, target)
    return target


def _prune(keep, count=2):
    """Our own folder holds the newest archives only: each is on the controller or still in Jeedom's folder."""
    folder = os.path.join(system.STATE_DIR, 'staging')
    archives = sorted((name for name in os.listdir(folder) if archive.NAME.match(name)),
                      key=lambda name: os.path.getmtime(os.path.join(folder, name)))
    for name in archives[:-count]:
        if os.path.join(folder, name) != keep:
            for victim in (os.path.join(folder, name), os.path.join(folder, name[:-len('.tar.gz')] + '.complement.tar.gz'), proof_path(name)):
                if os.path.exists(victim):
                    os.unlink(victim)
