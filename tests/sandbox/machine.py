# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox needs of the machine under it: commands, packages, the cache folder, the Debian base of the boxes."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'jeedom-fleet'
SUITE = 'bullseye'
TOOLS = {'mmdebstrap': 'mmdebstrap', 'systemd-nspawn': 'systemd-container', 'nc.openbsd': 'netcat-openbsd', 'ip': 'iproute2',
         'openssl': 'openssl', 'ssh': 'openssh-client', 'ssh-keygen': 'openssh-client', 'git': 'git', 'sysctl': 'procps'}
# What a Jeedom box of 2019 to 2023 has, as far as Debian 11 brings it.
PACKAGES = ('systemd systemd-sysv dbus openssh-server sudo cron python3 python2.7 apache2 libapache2-mod-php php-cli php-mysql '
            'php-zip php-curl php-xml php-mbstring php-gd php-soap mariadb-server unzip wget curl ca-certificates openssl '
            'procps iproute2 net-tools lsof locales-all less').split()


class SandboxError(Exception):
    """Something did not work; str() is the sentence for people."""


def run(*argv: str | Path, check: bool = True, quiet: bool = True, **options) -> subprocess.CompletedProcess:
    """Run a command; raises SandboxError with its last words when it fails."""
    if quiet:
        options.setdefault('stdout', subprocess.PIPE)
        options.setdefault('stderr', subprocess.STDOUT)
    if 'input' not in options:
        options.setdefault('stdin', subprocess.DEVNULL)
    # nothing here takes that long: a command that does, hangs
    options.setdefault('timeout', 900)
    try:
        done = subprocess.run([str(part) for part in argv], check=False, text=True, errors='replace', **options)
    except subprocess.TimeoutExpired:
        if not check:
            return subprocess.CompletedProcess(argv, 124, '', '')
        raise SandboxError(f'{" ".join(str(part) for part in argv[:4])} ... did not end within {options["timeout"]} s.') from None
    if check and done.returncode:
        words = (done.stdout or '').strip().splitlines()[-3:]
        raise SandboxError(f'{argv[0]} {" ".join(str(part) for part in argv[1:4])} ... ended with code {done.returncode}: '
                           f'{" / ".join(words) or "no message"}')
    return done


@contextlib.contextmanager
def locked(what: str, seconds: float = 1800) -> Iterator[None]:
    """One at a time, also when two clones share the cache."""
    CACHE.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = CACHE / f'{what}.lock'
    with open(path, 'a+', encoding='ascii') as handle:
        begin, told = time.monotonic(), False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                owner = path.read_text(encoding='ascii').strip() or 'unknown'
                if time.monotonic() - begin > seconds:
                    raise SandboxError(f'Process {owner} has held {path} for {seconds:.0f} s: let it end, or end it.') from None
                if not told and time.monotonic() - begin > 3:
                    print(f'sandbox: waiting for process {owner}, which works on {what} ...', flush=True)
                    told = True
            time.sleep(0.1)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def install_tools() -> None:
    """Debian packages of the controller that are missing."""
    if os.geteuid():
        raise SandboxError('The sandbox makes network namespaces and mounts: run it as root.')
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        print(f'sandbox: installing {", ".join(missing)} ...', flush=True)
        environment = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
        run('apt-get', '-qq', 'update', env=environment)
        run('apt-get', '-qq', '-y', '--no-install-recommends', 'install', *missing, env=environment)
    # Each box watches its own cgroups; the usual 128 would do for 20 boxes only.
    current = int(Path('/proc/sys/fs/inotify/max_user_instances').read_text(encoding='ascii'))
    if current < 1024:
        run('sysctl', '-q', '-w', 'fs.inotify.max_user_instances=1024', check=False)


def mirror() -> list[str]:
    """Where packages come from: as for this machine, or JEEDOM_SANDBOX_MIRROR; mmdebstrap's default where neither tells."""
    if os.environ.get('JEEDOM_SANDBOX_MIRROR'):
        return [os.environ['JEEDOM_SANDBOX_MIRROR']]
    for path in [Path('/etc/apt/sources.list'), *sorted(Path('/etc/apt/sources.list.d').glob('*'))]:
        if path.suffix in ('.list', '.sources') and path.exists():
            for line in path.read_text(encoding='utf-8', errors='replace').splitlines():
                words = line.split()
                if line.startswith(('URIs:', 'deb ')) and len(words) > 1:
                    address = next((word for word in words[1:] if '://' in word), '')
                    if address.rstrip('/').endswith('/debian'):
                        return [address]
    return []


def key() -> Path:
    """The ssh key of all sandbox boxes, made once."""
    path = CACHE / 'id_sandbox'
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True, mode=0o700)
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'jeedom.fleet sandbox', '-f', path)
    return path


def authority() -> tuple[Path, Path]:
    """Certificate authority of the stand-in site: (key, certificate), made once; the base trusts it."""
    # not ca.crt, which older clones on this machine made and use: Python 3.13 trusts no authority without its key usage
    private, public = CACHE / 'authority.key', CACHE / 'authority.crt'
    if not public.exists():
        CACHE.mkdir(parents=True, exist_ok=True, mode=0o700)
        run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=jeedom.fleet sandbox',
            '-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-keyout', private, '-out', public)
    return private, public


def base() -> Path:
    """Root file system of all boxes, read-only by agreement; built once per list of packages and set-up."""
    setup = (HERE / 'base-setup.sh').read_text(encoding='utf-8')
    mark = hashlib.sha256('\n'.join([SUITE, *PACKAGES, setup, key().with_suffix('.pub').read_text(encoding='ascii'),
                                     authority()[1].read_text(encoding='ascii')]).encode()).hexdigest()[:12]
    path = CACHE / f'base-{SUITE}-{mark}'
    with locked('base'):
        return _base(path, setup)


def _base(path: Path, setup: str) -> Path:
    if (path / '.complete').exists():
        (path / '.complete').touch()
        return path
    print(f'sandbox: building the Debian base ({SUITE}), once, about a minute ...', flush=True)
    building = path.with_name(path.name + '.part')
    shutil.rmtree(building, ignore_errors=True)
    run('mmdebstrap', '--variant=minbase', '--include=' + ','.join(PACKAGES), SUITE, building, *mirror())
    shutil.copy(key().with_suffix('.pub'), building / 'root/key.pub')
    shutil.copy(authority()[1], building / 'usr/local/share/ca-certificates/jeedom-fleet-sandbox.crt')
    run('chroot', building, 'sh', '-e', input=setup)
    (building / '.complete').touch()
    building.rename(path)
    return path


if __name__ == '__main__':
    sys.exit('Use sandbox.py.')
