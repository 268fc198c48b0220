# -*- coding: utf-8 -*-
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about the machine: operating system, hardware, PHP. docs/facts.md has every key.

Python 2.7 and 3.5+, standard library only.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import glob
import json
import os
import re
import sys
import time

from ansible_collections.jeedom.fleet.plugins.module_utils import system
from ansible_collections.jeedom.fleet.plugins.module_utils.facts_look import Unreadable, capped, clean, number

COMMANDS = ('php', 'wget', 'curl', 'unzip', 'tar', 'gzip', 'sudo', 'mysql', 'mysqldump', 'mysqlcheck', 'apt-get', 'crontab',
            'composer', 'node')
CODENAMES = {'jessie': 8, 'stretch': 9, 'buster': 10, 'bullseye': 11, 'bookworm': 12, 'trixie': 13, 'forky': 14}
# user-pains 4.2, PF08: these answer no more; Debian moved its old releases to archive.debian.org.
_DEAD = re.compile(r'repo\.jeedom\.com|deb-multimedia')
_OLD_SUITE = re.compile(r'^(jessie|stretch|buster)\b')
_LIVE_ARCHIVE = re.compile(r'archive\.(debian|raspbian)\.org|legacy\.raspbian')
# knowledge/compat.yml php_extensions; what PHP calls them
REQUIRED = ('curl', 'gd', 'xml', 'zip', 'mbstring', 'soap', 'mysqli', 'pdo_mysql', 'json', 'opcache')
RECOMMENDED = ('imap', 'xmlrpc', 'ssh2', 'ldap')
_PACKAGES = {'mysqli': 'mysql', 'pdo_mysql': 'mysql'}
REIMAGE = 'install/update/JeedomSystemUpdate.img.gz'


def _os_release():
    found = {}
    for line in (system.read_text('/etc/os-release') or '').split('\n'):
        if '=' in line:
            key, value = line.split('=', 1)
            found[key] = clean(value.strip().strip('"\''))
    return found


def debian_major(text, codename=None):
    """11 of "11.7"; of "bookworm/sid" the release that it becomes; None when nothing tells."""
    match = re.match(r'\s*(\d+)', text or '')
    if match:
        return int(match.group(1))
    return CODENAMES.get((text or '').strip().split('/')[0]) or CODENAMES.get(codename or '')


def _sources():
    """(file, uri, suite) of every active apt source, both formats."""
    found = []
    for path in ['/etc/apt/sources.list'] + sorted(glob.glob('/etc/apt/sources.list.d/*.list')):
        for line in (system.read_text(path) or '').split('\n'):
            match = re.match(r'\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)', line)
            if match:
                found.append(dict(file=path, uri=_address(match.group(1)), suite=clean(match.group(2), 60)))
    for path in sorted(glob.glob('/etc/apt/sources.list.d/*.sources')):
        for block in re.split(r'\n\s*\n', system.read_text(path) or ''):
            fields = dict((key.lower(), value.split()) for key, value in re.findall(r'(?m)^([A-Za-z-]+):\s*(.*)$', block))
            if 'deb' in fields.get('types', []) and fields.get('enabled', ['yes']) != ['no']:
                found.extend(dict(file=path, uri=_address(uri), suite=clean(suite, 60))
                             for uri in fields.get('uris', []) for suite in fields.get('suites', []))
    return found


def _address(uri):
    """A package address without the password that some mirrors need."""
    return clean(re.sub(r'//[^/@]*@', '//', uri))


def _is_dead(source):
    return bool(_DEAD.search(source['uri'])) or bool(
        _OLD_SUITE.match(source['suite']) and not _LIVE_ARCHIVE.search(source['uri'])
        and re.search(r'debian\.org|raspbian|raspberrypi', source['uri']))


def _apt(look):
    sources = _sources()
    audit = look.attempt('os.apt.audit', _audit)
    try:
        age = int(time.time() - os.stat('/var/lib/apt/lists').st_mtime)
    except OSError:
        age = None
        look.note('os.apt.lists_age', '/var/lib/apt/lists is missing')
    return dict(
        audit=audit, locked=any(re.search(r'(^|/)(apt|apt-get|aptitude|dpkg)( |$)', line) for dummy, line in system.processes()),
        lists_age=age, sources=capped(sources), dead_sources=capped([item for item in sources if _is_dead(item)]),
        candidates=look.attempt('os.apt.candidates', lambda: _candidates(look)))


def _audit():
    done = system.run(['dpkg', '--audit'], timeout=20)
    if done.rc == 127:
        raise Unreadable('dpkg is not on the box')
    return capped([clean(line) for line in done.out.split('\n') if line.strip()])


def _candidates(look):
    php = look.shared('php', lambda: collect_php(look))
    if not php['cli']['version'] or php['missing_required'] is None:
        raise Unreadable('PHP does not run, so nothing tells which packages are missing')
    release = '.'.join(php['cli']['version'].split('.')[:2])
    names = sorted(set('php%s-%s' % (release, _PACKAGES.get(name, name)) for name in php['missing_required']))
    if not names:
        return {}
    done = system.run(['apt-cache', 'policy'] + names, timeout=20)
    known = dict((name, False) for name in names)
    current = None
    for line in done.out.split('\n'):
        if line and not line.startswith(' '):
            current = line.rstrip(':')
        elif 'Candidate:' in line and current in known:
            known[current] = '(none)' not in line
    return known


def _clock(look):
    units = look.attempt('os.time.ntp_service', look.units)
    service = None
    if units:
        active = [name for name in ('systemd-timesyncd', 'chrony', 'ntp', 'ntpsec', 'openntpd') if units[name] == 'active']
        service = active[0] if active else None
    zone = (system.read_text('/etc/timezone', limit=200) or '').strip()
    if not zone:
        zone = os.path.realpath('/etc/localtime').partition('zoneinfo/')[2]
    return dict(epoch=round(time.time(), 3), timezone=clean(zone) or None, ntp_service=service,
                ntp_synchronized=look.attempt('os.time.ntp_synchronized', _synchronized))


def _synchronized():
    """The kernel's own word, without asking any daemon: adjtimex with no mode bits only reads."""
    try:
        import ctypes
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    except (ImportError, OSError, AttributeError):
        raise Unreadable('adjtimex cannot be called')
    if state < 0:
        raise Unreadable('adjtimex is not allowed here')
    # 5 is TIME_ERROR: the clock is not synchronised
    return state != 5


def _container():
    text = (system.read_text('/run/systemd/container', limit=100) or '').strip()
    if text:
        return clean(text)
    if os.path.exists('/.dockerenv') or os.path.exists('/.dockerinit'):
        return 'docker'
    match = re.search(r'container=([^\0]+)', system.read_text('/proc/1/environ') or '')
    return clean(match.group(1)) if match else None


def _python(name):
    path = system.which(name)
    if not path:
        return None
    done = system.run([path, '-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'], timeout=15)
    return clean(done.out, 20) if done.rc == 0 else None


def collect_os(look):
    """Section os."""
    release = _os_release()
    raw = clean(system.read_text('/etc/debian_version', limit=200))
    if raw is None:
        look.note('os.debian_version', '/etc/debian_version is missing: this is no Debian')
    done = system.run(['dpkg', '--print-architecture'], timeout=15)
    if done.rc:
        look.note('os.architecture', 'dpkg is not on the box')
    uname = os.uname()
    major = debian_major(raw, release.get('VERSION_CODENAME'))
    if major is None:
        look.note('os.debian_major', 'neither /etc/debian_version nor /etc/os-release names a release of Debian')
    return dict(
        id=release.get('ID'), version_id=release.get('VERSION_ID'), codename=release.get('VERSION_CODENAME'),
        pretty_name=release.get('PRETTY_NAME'), debian_version=raw, debian_major=major,
        architecture=clean(done.out) if done.rc == 0 else None, machine=clean(uname[4]), kernel=clean(uname[2]),
        hostname=clean(uname[1]), bits=64 if sys.maxsize > 2 ** 32 else 32, systemd=os.path.isdir('/run/systemd/system'),
        container=_container(), uptime=number((system.read_text('/proc/uptime') or '').split(' ')[0]),
        python=dict(python3=_python('python3'), python2=_python('python2.7') or _python('python2')),
        commands=dict((name, system.which(name)) for name in COMMANDS), apt=_apt(look), time=_clock(look))


def detect_hardware():
    """(name, what told) by files and kernel, never by Jeedom's own cached answer (user-pains 6)."""
    uname = ' '.join(os.uname())
    for path in ('/.dockerinit', '/.dockerenv'):
        if os.path.exists(path):
            return 'docker', path
    if os.path.exists('/media/boot/multiboot/meson64_odroidc2.dtb.linux'):
        return 'smart', '/media/boot/multiboot/meson64_odroidc2.dtb.linux'
    board = clean(system.read_text('/etc/jeedom_board', limit=200)) or ''
    for word, name in (('smart', 'smart'), ('miniplus', 'miniplus'), ('mini+', 'miniplus'), ('atlas', 'Atlas'), ('luna', 'Luna')):
        if word in board.lower():
            return name, '/etc/jeedom_board'
    for word in ('cubox', 'imx6'):
        if word in uname:
            return 'miniplus', 'uname: ' + word
    if os.path.exists('/usr/bin/grille-pain'):
        return 'freeboxDelta', '/usr/bin/grille-pain'
    if os.path.exists('/etc/update-motd.d/10-armbian-header-jeedomatlas'):
        return 'Atlas', '/etc/update-motd.d/10-armbian-header-jeedomatlas'
    if 'Luna' in os.uname()[1]:
        return 'Luna', 'hostname'
    model = _model() or ''
    if 'Raspberry Pi' in model:
        return 'rpi', 'device tree'
    if os.path.exists('/usr/bin/raspi-config'):
        return 'rpi', '/usr/bin/raspi-config'
    return 'diy', 'nothing else fits'


def _model():
    for path in ('/proc/device-tree/model', '/sys/class/dmi/id/product_name'):
        text = clean((system.read_text(path, limit=400) or '').rstrip('\0'))
        if text:
            return text
    return None


def rpi_generation(model):
    """4 of "Raspberry Pi 4 Model B Rev 1.2"; 1 of a plain Model B; 0 of a Zero; None when it is no Pi."""
    if not model or 'Raspberry Pi' not in model:
        return None
    match = re.search(r'Raspberry Pi (?:Compute Module )?(\d)', model)
    if match:
        return int(match.group(1))
    # a Zero 2 has the chip of a Pi 3
    return (3 if 'Zero 2' in model else 0) if 'Zero' in model else 1


def _memory():
    found = dict(re.findall(r'(?m)^(\w+):\s+(\d+)', system.read_text('/proc/meminfo') or ''))

    def size(*names):
        values = [int(found[name]) * 1024 for name in names if name in found]
        return values[0] if values else None
    # MemAvailable is there from Linux 3.14 on
    return dict(total=size('MemTotal'), available=size('MemAvailable', 'MemFree'), swap_total=size('SwapTotal'),
                swap_free=size('SwapFree'))


def collect_hardware(look):
    """Section hardware."""
    name, by = detect_hardware()
    model = _model()
    done = system.run(['systemd-detect-virt'], timeout=10)
    virtual = clean(done.out) if done.rc in (0, 1) else None
    if done.rc not in (0, 1):
        look.note('hardware.virtualization', 'systemd-detect-virt cannot be run')
    serial = []
    for path in sorted(glob.glob('/dev/serial/by-id/*'))[:100]:
        serial.append(dict(name=clean(os.path.basename(path)), target=clean(os.path.realpath(path))))
    ttys = [path for pattern in ('ttyUSB*', 'ttyACM*', 'ttyAMA*', 'ttyAML*', 'ttyS[1-9]') for path in glob.glob('/dev/' + pattern)]
    return dict(
        detected=name, detected_by=by, model=model, rpi_generation=rpi_generation(model),
        config_name=look.attempt('hardware.config_name', lambda: clean(look.setting('hardware_name'))),
        virtualization=None if virtual == 'none' else virtual, cpus=os.sysconf('SC_NPROCESSORS_ONLN'), memory=_memory(),
        oom_kills=look.attempt('hardware.oom_kills', lambda: sum(
            1 for line in look.kernel_log() if 'Out of memory' in line or 'oom-kill:' in line)),
        reimage_files=[path for path in [look.installation.path(REIMAGE)] if os.path.exists(path)],
        serial_by_id=serial, ttys=sorted(clean(path) for path in ttys)[:100])


_PHP = ('$e = array_merge(get_loaded_extensions(), get_loaded_extensions(true)); '
        'echo "\\n@@", json_encode(array(PHP_VERSION, $e));')


def collect_php(look):
    """Section php."""
    path = system.which('php')
    cli = dict(path=path, version=None, runs=False, extensions=None, warnings=[])
    if path is None:
        look.note('php.cli.version', 'php is not on the box')
        look.note('php.cli.extensions', 'php is not on the box')
    else:
        done = system.run([path, '-r', _PHP], timeout=20)
        try:
            version, names = json.loads(done.out.rsplit('\n@@', 1)[1])
            cli.update(version=clean(version, 40), runs=True,
                       extensions=sorted(set(_extension(name) for name in names)))
        except (IndexError, ValueError, TypeError):
            message = clean((done.err or done.out).strip().split('\n')[0]) or 'code %d' % done.rc
            look.note('php.cli.version', 'php does not run: ' + message)
            look.note('php.cli.extensions', 'php does not run: ' + message)
        noise = (done.err + '\n' + done.out.rsplit('\n@@', 1)[0]).split('\n')
        cli['warnings'] = [clean(line) for line in noise if 'arning' in line or 'rror' in line][:5]
    extensions = cli['extensions']
    if extensions is None:
        look.note('php.missing_required', 'PHP does not run')
        look.note('php.missing_recommended', 'PHP does not run')
    return dict(
        cli=cli, apache=_apache_php(look),
        missing_required=None if extensions is None else [name for name in REQUIRED if name not in extensions],
        missing_recommended=None if extensions is None else [name for name in RECOMMENDED if name not in extensions],
        installed=sorted(re.findall(r'/usr/bin/php(\d+\.\d+)\b', ' '.join(glob.glob('/usr/bin/php?.?')))))


def _extension(name):
    return clean(name, 60).lower().replace('zend ', '')


def _apache_php(look):
    versions = sorted(set(re.findall(r'php(\d(?:\.\d+)?)\.load', ' '.join(glob.glob('/etc/apache2/mods-enabled/php*.load')))))
    extensions = None
    if versions:
        folder = '/etc/php/%s/apache2/conf.d' % versions[-1]
        files = glob.glob(folder + '/*.ini')
        if files:
            extensions = sorted(set(re.sub(r'^\d+-|\.ini$', '', os.path.basename(path)) for path in files))
    if extensions is None:
        look.note('php.apache.extensions', 'Apache has no PHP module, or no folder /etc/php/<version>/apache2/conf.d')
    program = system.which('apache2') or system.which('httpd')
    text = system.run([program, '-v'], timeout=15).out if program else ''
    match = re.search(r'Apache/(\S+)', text)
    if not match:
        look.note('php.apache.version', 'apache2 is not on the box')
    fpm = re.findall(r'php(\d\.\d+)-fpm', ' '.join(glob.glob('/etc/systemd/system/multi-user.target.wants/php*-fpm.service')))
    return dict(versions=versions, extensions=extensions, fpm=sorted(set(fpm)), version=clean(match.group(1), 40) if match else None)
