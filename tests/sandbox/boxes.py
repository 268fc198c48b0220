# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes: Debian machines under systemd-nspawn, each with its own root over the shared base and its own network namespace.

Nothing of the test network exists in the host's own namespace: a namespace for the controller holds the bridge, and ssh
reaches it by passing a connected descriptor (ProxyUseFdpass).
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import machine
from machine import CACHE, SandboxError, run

CGROUPS = Path('/sys/fs/cgroup')


class Fleet:
    """Boxes of one name; two fleets with different names live side by side."""

    def __init__(self, name: str = 'jf'):
        if not name.isalnum() or len(name) > 6:
            raise SandboxError(f'{name!r} cannot be the name of a fleet: up to 6 letters and digits, it becomes part of device names.')
        self.name = name
        self.state = CACHE / 'fleets' / name
        self.control = f'{name}Ctl'
        # A network of its own per fleet name, the same each time.
        self.net = f'10.77.{(sum(ord(char) * (index + 7) for index, char in enumerate(name)) % 250) + 1}'

    @property
    def site_address(self) -> str:
        """Where the stand-in site listens."""
        return f'{self.net}.1'

    def address(self, box: str) -> str:
        """IP address of a box."""
        return f'{self.net}.{10 + self.index(box)}'

    @staticmethod
    def index(box: str) -> int:
        """Number of a box, from its name box<N>."""
        box = str(box)
        if not box.startswith('box') or not box[3:].isdigit() or not 0 < int(box[3:]) <= 240:
            raise SandboxError(f'{box!r} is no box: they are called box1 to box240.')
        return int(box[3:])

    def folder(self, box: str) -> Path:
        """Where a box's files are."""
        return self.state / box

    def namespace(self, box: str) -> str:
        """Name of a box's network namespace."""
        return f'{self.name}{box}'

    def boxes(self) -> list[str]:
        """Boxes that this fleet has, running or not."""
        found = [path.name for path in self.state.glob('box*') if path.is_dir()] if self.state.exists() else []
        return sorted(found, key=self.index)

    # -- the network

    def network(self) -> None:
        """The controller's namespace with the bridge."""
        if self.control not in namespaces():
            run('ip', 'netns', 'add', self.control)
        run('ip', '-n', self.control, 'link', 'set', 'lo', 'up')
        if run('ip', '-n', self.control, 'link', 'show', 'br0', check=False).returncode:
            run('ip', '-n', self.control, 'link', 'add', 'br0', 'type', 'bridge')
            run('ip', '-n', self.control, 'addr', 'add', f'{self.site_address}/24', 'dev', 'br0')
        run('ip', '-n', self.control, 'link', 'set', 'br0', 'up')

    def cable(self, box: str) -> None:
        """The box's namespace, wired to the bridge."""
        name = self.namespace(box)
        if name in namespaces():
            run('ip', 'netns', 'del', name)
        # the old end of the cable may outlive its namespace for a moment
        run('ip', '-n', self.control, 'link', 'del', f'v{box}', check=False)
        run('ip', 'netns', 'add', name)
        run('ip', '-n', name, 'link', 'set', 'lo', 'up')
        run('ip', 'link', 'add', f'v{box}', 'netns', self.control, 'type', 'veth', 'peer', 'name', 'host0', 'netns', name)
        # The same address as before it was started anew: the controller would go on sending to the old one for half a minute.
        run('ip', '-n', name, 'link', 'set', 'host0', 'address', f'02:4a:00:00:00:{10 + self.index(box):02x}')
        run('ip', '-n', self.control, 'link', 'set', f'v{box}', 'master', 'br0', 'up')
        run('ip', '-n', name, 'addr', 'add', f'{self.address(box)}/24', 'dev', 'host0')
        run('ip', '-n', name, 'link', 'set', 'host0', 'up')

    # -- one box

    def running(self, box: str) -> bool:
        """Whether the box's own process lives."""
        return _alive(self.folder(box) / 'pid')

    def start(self, box: str, lower: list[Path], keep: bool = True) -> None:
        """Boot a box over the given layers, topmost first. keep: its own changes of earlier; False forgets them."""
        folder = self.folder(box)
        if self.running(box):
            return
        self.stop(box)
        if not keep:
            self._hang_up(folder)
            shutil.rmtree(folder / 'upper', ignore_errors=True)
        for part in ('upper', 'work', 'root'):
            (folder / part).mkdir(parents=True, exist_ok=True)
        # Nothing waits for the disk, which most of the time of a box went into: a box whose plug is pulled loses nothing by it, since the
        # machine under it stays on. The kernel marks the folder as lost with that machine; it is not.
        shutil.rmtree(folder / 'work' / 'work' / 'incompat', ignore_errors=True)
        (folder / 'lower').write_text('\n'.join(str(path) for path in lower), encoding='utf-8')
        run('mount', '-t', 'overlay', 'overlay', '-o',
            f'volatile,lowerdir={":".join(str(path) for path in lower)},upperdir={folder / "upper"},workdir={folder / "work"}', folder / 'root')
        root = folder / 'root'
        (root / 'etc/hostname').write_text(box + '\n', encoding='ascii')
        (root / 'etc/hosts').write_text(f'127.0.0.1 localhost {box}\n' + ''.join(
            f'{self.site_address} {name}\n' for name in SITE_NAMES), encoding='ascii')
        self.cable(box)
        self._spawn(box)

    def _spawn(self, box: str) -> None:
        folder, name = self.folder(box), self.namespace(box)
        groups = []
        for hierarchy in hierarchies():
            group = hierarchy / self.name / box
            group.mkdir(parents=True, exist_ok=True)
            groups.append(group)
        # Without --register a reboot inside ends nspawn with 133: start it again, as a machine would.
        script = ''.join(f'echo $$ > {group}/cgroup.procs; ' for group in groups) + (
            'rc=133; while [ $rc = 133 ]; do '
            f'systemd-nspawn -q -D {shlex.quote(str(folder))}/root -M {name} --register=no --keep-unit --network-namespace-path=/run/netns/{name} '
            '--resolv-conf=off --timezone=off --link-journal=no -b; rc=$?; done; exit $rc')
        with open(folder / 'log', 'ab') as log:
            process = subprocess.Popen(['bash', '-c', script], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       start_new_session=True)
        (folder / 'pid').write_text(f'{process.pid} {_start_time(process.pid)}', encoding='ascii')

    def stop(self, box: str, gently: bool = False) -> None:
        """End a box and unmount it; whatever state it is in. gently: let its services stop first."""
        folder, name = self.folder(box), self.namespace(box)
        inside = _pids(name)
        if gently and inside:
            # RTMIN+4 asks systemd, the first process in there, to power off
            with contextlib.suppress(ProcessLookupError):
                os.kill(min(inside), signal.SIGRTMIN + 4)
            _wait(lambda: not _pids(name), 20)
        pid = _read_pid(folder / 'pid')
        if pid:
            # first the loop that would start it again
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        for number in range(50):
            left = _pids(name)
            if not left:
                break
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.05 * (1 + number // 10))
        (folder / 'pid').unlink(missing_ok=True)
        while str(folder / 'root') in mounts():
            if run('umount', folder / 'root', check=False).returncode:
                run('umount', '-l', folder / 'root', check=False)
        if name in namespaces():
            run('ip', 'netns', 'del', name, check=False)

    @staticmethod
    def _hang_up(folder: Path) -> None:
        """End shared ssh connections to a box that is gone: the next command would wait in them for minutes."""
        for socket in folder.glob('cp-*'):
            run('ssh', '-F', '/dev/null', '-o', f'ControlPath={socket}', '-O', 'exit', 'box', check=False, timeout=5)
            socket.unlink(missing_ok=True)

    def remove(self) -> None:
        """Every trace of this fleet."""
        for box in self.boxes():
            self.stop(box)
            self._hang_up(self.folder(box))
        for name in namespaces():
            if name == self.control or (name.startswith(f'{self.name}box') and name[len(self.name) + 3:].isdigit()):
                for pid in _pids(name):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                run('ip', 'netns', 'del', name, check=False)
        for mount in mounts():
            if mount.startswith(str(self.state) + '/'):
                run('umount', '-l', mount, check=False)
        for hierarchy in hierarchies():
            _remove_groups(hierarchy / self.name)
        shutil.rmtree(self.state, ignore_errors=True)

    # -- speaking with boxes

    def ssh_config(self) -> Path:
        """An ssh configuration that reaches the boxes from the host's own namespace."""
        path = self.state / 'ssh_config'
        text = (f'Host {self.net}.*\n  ProxyCommand ip netns exec {self.control} nc.openbsd -F %h %p\n  ProxyUseFdpass yes\n'
                f'  UserKnownHostsFile /dev/null\n  StrictHostKeyChecking no\n  LogLevel ERROR\n  IdentityFile "{machine.key()}"\n'
                '  IdentitiesOnly yes\n  User jeedom\n')
        if not path.exists() or path.read_text(encoding='utf-8') != text:
            # a playbook may read it at this moment
            write(path, text)
        return path

    def ssh(self, box: str, command: str, check: bool = True, **options) -> subprocess.CompletedProcess:
        """Run a shell command in a box as root."""
        return run('ssh', '-F', self.ssh_config(), '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10', self.address(box), f'sudo sh -c {_quote(command)}',
                   check=check, **options)

    def init(self, box: str) -> int | None:
        """The process on this machine that is the box's first one; None before it has booted that far."""
        for pid in _pids(self.namespace(box)):
            with contextlib.suppress(OSError):
                words = dict(line.split(':', 1) for line in Path(f'/proc/{pid}/status').read_text(encoding='ascii', errors='replace').splitlines())
                if words['NSpid'].split()[1:] == ['1'] and words['Name'].strip() == 'systemd':
                    return pid
        return None

    def enter(self, box: str, command: str, **options) -> subprocess.CompletedProcess:
        """Run a shell command in a box as root from within, not over ssh: ten times as fast, for those who look at a box all the time."""
        pid = self.init(box)
        if pid is None:
            raise SandboxError(f'{box} of fleet {self.name} does not run: look at {self.folder(box) / "log"}.')
        return run('nsenter', f'--target={pid}', '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--',
                   'env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'USER=root', 'LOGNAME=root',
                   'sh', '-c', command, check=False, **options)

    def wait(self, boxes: list[str], seconds: float = 60) -> None:
        """Until ssh, MariaDB and Apache of all boxes answer."""
        for box in boxes:
            ready = ('[ -S /run/mysqld/mysqld.sock ] && mysqladmin ping >/dev/null 2>&1 && systemctl is-active -q apache2 cron')
            if not _wait(lambda name=box, test=ready: self.ssh(name, test, check=False, timeout=20).returncode == 0, seconds):
                raise SandboxError(f'{box} did not come up within {seconds:.0f} s: look at {self.folder(box) / "log"}.')

    def inventory(self, path: Path, facts: dict[str, dict], common: dict) -> None:
        """Write an inventory of the boxes. facts: further variables per box. common: of all of them."""
        hosts = {}
        for box in self.boxes():
            # Shared connections of its own, so that they end with the box, and never lead to one of the same address before it.
            hosts[box] = {'ansible_host': self.address(box), 'ansible_control_path': f'{self.folder(box)}/cp-%%r', **facts.get(box, {})}
        value = {'jeedom': {'hosts': hosts, 'vars': {
            'ansible_user': 'jeedom', 'ansible_become': True, 'ansible_ssh_common_args': f'-F {shlex.quote(str(self.ssh_config()))}',
            'ansible_python_interpreter': '/usr/bin/python3', 'sandbox_site': self.site_address, **common}}}
        path.parent.mkdir(parents=True, exist_ok=True)
        # JSON is YAML; nothing to install for that.
        write(path, f'# Written by tests/sandbox/sandbox.py; gone with the fleet {self.name}.\n' + json.dumps(value, indent=2) + '\n')
        write(self.state / 'inventory', str(path.resolve()))


SITE_NAMES = ('github.com', 'codeload.github.com', 'raw.githubusercontent.com', 'api.github.com', 'market.jeedom.com',
              'www.jeedom.com', 'jeedom.com', 'repo.packagist.org', 'packagist.org', 'getcomposer.org', 'deb.nodesource.com')


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def write(path: Path, text: str) -> None:
    """Write a file that others read meanwhile."""
    part = path.with_name(f'{path.name}.{os.getpid()}.part')
    part.write_text(text, encoding='utf-8')
    part.replace(path)


def hierarchies() -> list[Path]:
    """Roots of the control group trees that a box needs a place in: one with version 2, several with version 1."""
    if (CGROUPS / 'cgroup.controllers').exists():
        return [CGROUPS]
    return [CGROUPS / name for name in ('systemd', 'memory', 'cpuacct', 'unified') if (CGROUPS / name).is_dir()]


def namespaces() -> list[str]:
    """Names of all network namespaces."""
    return [line.split()[0] for line in run('ip', 'netns', 'list').stdout.splitlines() if line.strip()]


def mounts() -> list[str]:
    """Mount points, innermost last."""
    return [line.split()[1] for line in Path('/proc/mounts').read_text(encoding='utf-8').splitlines()]


def _pids(namespace: str) -> list[int]:
    done = run('ip', 'netns', 'pids', namespace, check=False)
    return [int(word) for word in done.stdout.split() if word.isdigit()] if done.returncode == 0 else []


def _start_time(pid: int) -> str:
    try:
        fields = Path(f'/proc/{pid}/stat').read_text(encoding='ascii', errors='replace').rsplit(')', 1)[1].split()
    except (OSError, IndexError):
        return ''
    # a zombie that nobody collects is dead all the same
    return '' if fields[0] in 'ZX' else fields[19]


def _read_pid(path: Path) -> int | None:
    """The recorded process, if it is still the one that was recorded."""
    try:
        pid, start = path.read_text(encoding='ascii').split()
    except (OSError, ValueError):
        return None
    return int(pid) if start and _start_time(int(pid)) == start else None


def _alive(path: Path) -> bool:
    return _read_pid(path) is not None


def _wait(test, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if test():
            return True
        time.sleep(0.2)
    return False


def _remove_groups(path: Path) -> None:
    """Remove a cgroup with all below; they are folders that only rmdir can remove, innermost first."""
    if not path.is_dir():
        return
    for _try in range(100):
        for folder, _names, _files in os.walk(path, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        if not path.is_dir():
            return
        # the last process in there is still on its way out
        time.sleep(0.1)
