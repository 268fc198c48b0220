# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of real Debian boxes on one machine: up, down, reset, ssh, misbehave. See README.md beside this file."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import boxes  # noqa: E402
import cores  # noqa: E402
import machine  # noqa: E402
from boxes import Fleet  # noqa: E402
import standin  # noqa: E402
from machine import HERE, ROOT, SandboxError  # noqa: E402

DEFAULT_BOX = {'version': '3.3.60'}
INVENTORY = ROOT / 'inventory/sandbox/hosts.yml'


def default_name() -> str:
    """A fleet per clone, so that two clones on one machine never take each other's boxes."""
    return os.environ.get('JEEDOM_SANDBOX_NAME') or 'jf' + hashlib.sha256(str(ROOT).encode()).hexdigest()[:4]


def parse_fleet(path: Path) -> dict[str, dict]:
    """A fleet file: YAML where PyYAML is there, JSON always; {boxes: {box1: {version, plugins, dataset}}, market: {...}}."""
    try:
        text = path.read_text(encoding='utf-8')
    except OSError as error:
        raise SandboxError(f'{path} cannot be read: {error.strerror}.') from None
    try:
        import yaml
    except ImportError:
        try:
            value = json.loads(text)
        except ValueError:
            raise SandboxError(f'{sys.executable} lacks PyYAML to read {path}: install python3-yaml, or use .venv/bin/python.') from None
    else:
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SandboxError(f'{path} is no YAML: {" ".join(str(error).split())}.') from None
    if not isinstance(value, dict) or not isinstance(value.get('boxes'), dict) or not value['boxes']:
        raise SandboxError(f'{path} is no fleet file: it needs a mapping "boxes" of box1, box2 ...')
    for box, spec in value['boxes'].items():
        Fleet.index(box)
        if not isinstance(spec or {}, dict):
            raise SandboxError(f'{path}: {box} must be a mapping such as {{version: 3.3.60}}, not {spec!r}.')
        unknown = set(spec or {}) - {'version', 'plugins', 'dataset', 'vars'}
        if unknown:
            raise SandboxError(f'{path}: {box} has unknown keys {", ".join(sorted(unknown))}.')
    return value


def start_site(fleet: Fleet, kind, market: dict) -> None:
    """The stand-in site in the controller's namespace; an old one is replaced."""
    stop_site(fleet)
    state = fleet.state
    target = cores.zips(kind)
    link = state / 'zips'
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    (state / 'plugins.json').write_text(json.dumps(market), encoding='utf-8')
    (state / 'rules.json').write_text('[]', encoding='utf-8')
    (state / 'site.ready').unlink(missing_ok=True)
    certificate = cores.certificate(state)
    with open(state / 'site.log', 'ab') as log:
        process = subprocess.Popen(['ip', 'netns', 'exec', fleet.control, sys.executable, '-I', str(HERE / 'standin.py'), '--state', str(state),
                                    '--address', fleet.site_address, '--certificate', str(certificate)],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    (state / 'site.pid').write_text(f'{process.pid} {boxes._start_time(process.pid)}', encoding='ascii')
    if not boxes._wait((state / 'site.ready').exists, 15):
        raise SandboxError(f'The stand-in site did not start: look at {state / "site.log"}.')


def stop_site(fleet: Fleet) -> None:
    """End the stand-in site if it is ours and runs."""
    pid = boxes._read_pid(fleet.state / 'site.pid')
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    (fleet.state / 'site.pid').unlink(missing_ok=True)


def up(arguments: argparse.Namespace) -> None:
    """Bring up a fleet, or heal one that is there."""
    machine.install_tools()
    with machine.locked(f'fleet-{arguments.name}'):
        _up(arguments)


def inventory_path(arguments: argparse.Namespace, fleet: Fleet) -> Path:
    """Where this fleet's inventory goes; never over that of another one that is up."""
    path = Path(arguments.inventory).resolve() if arguments.inventory else INVENTORY
    owner = re.search(r'gone with the fleet (\w+)', path.read_text(encoding='utf-8').split('\n')[0]) if path.exists() else None
    if owner and owner.group(1) != fleet.name:
        other = Fleet(owner.group(1))
        if any(other.running(box) for box in other.boxes()):
            raise SandboxError(f'{path} is the inventory of fleet {other.name}, which is up: name another file with --inventory, '
                               f'or take that one down with --name {other.name} down.')
    return path


def _up(arguments: argparse.Namespace) -> None:
    begin = time.monotonic()
    fleet = Fleet(arguments.name)
    inventory = inventory_path(arguments, fleet)
    if not arguments.fleet and not 0 < arguments.boxes <= 240:
        raise SandboxError(f'--boxes {arguments.boxes}: a fleet has 1 to 240 boxes.')
    described = parse_fleet(Path(arguments.fleet)) if arguments.fleet else {
        'boxes': {f'box{number}': dict(DEFAULT_BOX) for number in range(1, arguments.boxes + 1)}}
    kind = cores.flavour(arguments.core)
    base = machine.base()
    specs = {box: dict(DEFAULT_BOX, **(spec or {})) for box, spec in described['boxes'].items()}
    layers = {box: cores.layer(kind, spec, base) for box, spec in specs.items()}
    fleet.state.mkdir(parents=True, exist_ok=True)
    fleet.network()
    start_site(fleet, kind, described.get('market') or {'virtual': {}})
    for box, layer in layers.items():
        noted = fleet.folder(box) / 'lower'
        before = noted.read_text(encoding='utf-8') if noted.exists() else ''
        if before and cores.same(before, f'{layer}\n{base}') and all(Path(line).is_dir() for line in before.splitlines()):
            if not fleet.running(box):
                # a machine that was off is switched on: what it wrote is still there
                print(f'sandbox: {box} was down, starting it again', flush=True)
                fleet.start(box, [Path(line) for line in before.splitlines()])
            continue
        if before:
            print(f'sandbox: {box} is replaced: another core or data is wanted, or they have changed', flush=True)
            fleet.stop(box)
        fleet.start(box, [layer, base], keep=False)
        (fleet.folder(box) / 'spec.json').write_text(json.dumps(dict(specs[box], core=kind.name)), encoding='utf-8')
    for box in set(fleet.boxes()) - set(layers):
        fleet.stop(box)
        shutil.rmtree(fleet.folder(box), ignore_errors=True)
    fleet.wait(list(layers))
    fleet.inventory(inventory, {box: spec.get('vars') or {} for box, spec in specs.items()}, cores.pins(kind, fleet.state))
    for box in layers:
        plugins = ', '.join(plugin if isinstance(plugin, str) else plugin['id'] for plugin in specs[box].get('plugins', ['virtual']))
        print(f'  {box:<6} {fleet.address(box):<13} {kind.name} core {specs[box]["version"]:<7} plugins: {plugins}')
    print(f'sandbox: {len(layers)} boxes are up after {time.monotonic() - begin:.0f} s; inventory: {inventory}', flush=True)


def down(arguments: argparse.Namespace) -> None:
    """Remove a fleet without a trace."""
    fleet = Fleet(arguments.name)
    with machine.locked(f'fleet-{fleet.name}'):
        # its own inventory only: another fleet's may be in the usual place
        noted = fleet.state / 'inventory'
        for path in filter(None, [noted.read_text(encoding='utf-8') if noted.exists() else '', arguments.inventory]):
            Path(path).unlink(missing_ok=True)
        if INVENTORY.exists() and f'gone with the fleet {fleet.name}.' in INVENTORY.read_text(encoding='utf-8'):
            INVENTORY.unlink()
        stop_site(fleet)
        fleet.remove()
    cores.sweep()
    cores.prune()
    print(f'sandbox: fleet {fleet.name} is gone')


def lower(fleet: Fleet, box: str) -> list[Path]:
    """What a box stands on."""
    Fleet.index(box)
    noted = fleet.folder(box) / 'lower'
    if not noted.exists():
        raise SandboxError(f'Fleet {fleet.name} has no {box}: it has {", ".join(fleet.boxes()) or "no boxes at all"}.')
    return [Path(line) for line in noted.read_text(encoding='utf-8').splitlines()]


def reset(arguments: argparse.Namespace) -> None:
    """Put boxes back to how they came up."""
    fleet = Fleet(arguments.name)
    chosen = arguments.box or fleet.boxes()
    layers = {box: lower(fleet, box) for box in chosen}
    for box in chosen:
        fleet.stop(box)
        fleet.start(box, layers[box], keep=False)
    fleet.wait(chosen)


def power(arguments: argparse.Namespace) -> None:
    """Pull the plug of a box, or put it back in: what was written stays."""
    fleet = Fleet(arguments.name)
    layers = lower(fleet, arguments.box)
    fleet.stop(arguments.box)
    if arguments.state == 'cycle':
        fleet.start(arguments.box, layers)
        fleet.wait([arguments.box])


def ssh(arguments: argparse.Namespace) -> None:
    """Run a command in a box as root; its exit code is ours."""
    fleet = Fleet(arguments.name)
    lower(fleet, arguments.box)
    command = ' '.join(arguments.command) or 'bash -l'
    done = subprocess.run(['ssh', *([] if arguments.command else ['-t']), '-F', str(fleet.ssh_config()), fleet.address(arguments.box),
                           f'sudo sh -c {boxes._quote(command)}'], check=False)
    sys.exit(done.returncode)


def execute(arguments: argparse.Namespace) -> None:
    """Run a command in every box as root, at the same time; our exit code is the worst of theirs."""
    fleet = Fleet(arguments.name)
    chosen = [box for box in fleet.boxes() if fleet.running(box)]
    if not chosen:
        raise SandboxError(f'No box of fleet {fleet.name} is up.')
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda box: fleet.ssh(box, ' '.join(arguments.command), check=False), chosen))
    for box, done in zip(chosen, made):
        for line in (done.stdout or '').splitlines() or ['']:
            print(f'{box:<6} {done.returncode} {line}')
    sys.exit(max(done.returncode for done in made))


def status(arguments: argparse.Namespace) -> None:
    """What is up."""
    fleet = Fleet(arguments.name)
    for box in fleet.boxes():
        state = 'down'
        if fleet.running(box):
            done = fleet.ssh(box, 'systemctl is-system-running; cat /var/www/html/core/config/version', check=False, timeout=15)
            words = (done.stdout or '').split()
            state = f'up, system {words[0]}, core {words[1]}' if len(words) == 2 else 'up, ssh does not answer'
        print(f'  {box:<6} {fleet.address(box):<13} {state}')
    if fleet.boxes():
        print(f'  site   {fleet.site_address:<13} {"up" if boxes._read_pid(fleet.state / "site.pid") else "down"}, '
              f'log: {fleet.state / "access.log"}')
    else:
        print(f'sandbox: there is no fleet {arguments.name}')
    others = sorted(path.name for path in (machine.CACHE / 'fleets').glob('*') if path.name != fleet.name)
    if others:
        print(f'sandbox: other fleets on this machine: {", ".join(others)}')


def site_log(arguments: argparse.Namespace) -> None:
    """Print what the boxes asked of the stand-in site."""
    path = Fleet(arguments.name).state / 'access.log'
    sys.stdout.write(path.read_text(encoding='utf-8') if path.exists() else '')


def misbehave(arguments: argparse.Namespace) -> None:
    """Make the stand-in site misbehave on addresses that match."""
    fleet = Fleet(arguments.name)
    path = fleet.state / 'rules.json'
    if not path.exists():
        raise SandboxError(f'There is no fleet {fleet.name}: bring it up first.')
    try:
        re.compile(arguments.match)
    except re.error as error:
        raise SandboxError(f'--match {arguments.match!r} is no regular expression: {error}.') from None
    rule = {'rule': arguments.rule, 'match': arguments.match}
    if arguments.box:
        rule['box'] = fleet.address(arguments.box)
    boxes.write(path, json.dumps([rule, *json.loads(path.read_text(encoding='utf-8'))]))


def behave(arguments: argparse.Namespace) -> None:
    """Let the stand-in site behave again."""
    fleet = Fleet(arguments.name)
    if fleet.state.exists():
        boxes.write(fleet.state / 'rules.json', '[]')


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--name', default=default_name(), help='name of the fleet (default: JEEDOM_SANDBOX_NAME, or one of this clone: %(default)s)')
    parser.add_argument('--inventory', help='where to write the inventory (default: inventory/sandbox/hosts.yml)')
    commands = parser.add_subparsers(dest='command_name', required=True)

    def command(function, **options) -> argparse.ArgumentParser:
        name = {'execute': 'exec', 'site_log': 'log'}.get(function.__name__, function.__name__)
        sub = commands.add_parser(name, help=function.__doc__.splitlines()[0], **options)
        sub.set_defaults(function=function)
        # --name and --inventory may stand behind the command as well
        sub.add_argument('--name', default=argparse.SUPPRESS)
        sub.add_argument('--inventory', default=argparse.SUPPRESS)
        return sub

    sub = command(up)
    sub.add_argument('--boxes', type=int, default=3)
    sub.add_argument('--fleet')
    sub.add_argument('--core', help='git directory of jeedom/core; default: the miniature core')
    command(down)
    command(reset).add_argument('box', nargs='*')
    sub = command(power)
    sub.add_argument('box')
    sub.add_argument('state', choices=['off', 'cycle'])
    sub = command(ssh)
    sub.add_argument('box')
    sub.add_argument('command', nargs='*')
    command(execute).add_argument('command', nargs='+')
    command(status)
    command(site_log)
    sub = command(misbehave)
    sub.add_argument('rule', choices=standin.RULES)
    sub.add_argument('--match', default='.', help='regular expression for host and path; host/ alone for certificate')
    sub.add_argument('--box', help='only for this box')
    command(behave)
    arguments = parser.parse_args()
    try:
        arguments.function(arguments)
    except SandboxError as error:
        print(f'sandbox: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('sandbox: interrupted; "up" goes on from here, "down" removes what is there', file=sys.stderr)
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
