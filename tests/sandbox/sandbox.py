#!/usr/bin/env python3
# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of real Debian boxes on one machine: up, down, reset, ssh, misbehave. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import re
import signal
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import boxes  # noqa: E402
import cores  # noqa: E402
import machine  # noqa: E402
from boxes import Fleet  # noqa: E402
from machine import HERE, ROOT, SandboxError  # noqa: E402

DEFAULT_BOX = {'version': '3.3.60'}


def parse_fleet(path: Path) -> dict[str, dict]:
    """A fleet file: YAML where PyYAML is there, JSON always; {boxes: {box1: {version, plugins, dataset}}, market: {...}}."""
    text = path.read_text(encoding='utf-8')
    try:
        import yaml
        value = yaml.safe_load(text)
    except ImportError:
        value = json.loads(text)
    if not isinstance(value, dict) or not isinstance(value.get('boxes'), dict) or not value['boxes']:
        raise SandboxError(f'{path} is no fleet file: it needs a mapping "boxes" of box1, box2 ...')
    for box, spec in value['boxes'].items():
        Fleet.index(box)
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
        import os
        os.killpg(pid, signal.SIGKILL)
    (fleet.state / 'site.pid').unlink(missing_ok=True)


def up(arguments: argparse.Namespace) -> None:
    """Bring up a fleet, or heal one that is there."""
    begin = time.monotonic()
    machine.install_tools()
    fleet = Fleet(arguments.name)
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
        if fleet.running(box) and (fleet.folder(box) / 'lower').read_text(encoding='utf-8') == f'{layer}\n{base}':
            continue
        fleet.start(box, [layer, base], keep=False)
        (fleet.folder(box) / 'spec.json').write_text(json.dumps(specs[box]), encoding='utf-8')
    for box in set(fleet.boxes()) - set(layers):
        fleet.stop(box)
        shutil.rmtree(fleet.folder(box), ignore_errors=True)
    fleet.wait(list(layers))
    inventory = Path(arguments.inventory) if arguments.inventory else ROOT / 'inventory/sandbox/hosts.yml'
    fleet.inventory(inventory, {box: spec.get('vars') or {} for box, spec in specs.items()})
    for box in layers:
        plugins = ', '.join(plugin if isinstance(plugin, str) else plugin['id'] for plugin in specs[box].get('plugins', ['virtual']))
        print(f'  {box:<6} {fleet.address(box):<13} {kind.name} core {specs[box]["version"]:<7} plugins: {plugins}')
    print(f'sandbox: {len(layers)} boxes are up after {time.monotonic() - begin:.0f} s; inventory: {inventory}', flush=True)


def down(arguments: argparse.Namespace) -> None:
    """Remove a fleet without a trace."""
    fleet = Fleet(arguments.name)
    stop_site(fleet)
    fleet.remove()
    inventory = Path(arguments.inventory) if arguments.inventory else ROOT / 'inventory/sandbox/hosts.yml'
    inventory.unlink(missing_ok=True)
    print(f'sandbox: fleet {arguments.name} is gone')


def reset(arguments: argparse.Namespace) -> None:
    """Put boxes back to how they came up."""
    fleet = Fleet(arguments.name)
    chosen = arguments.box or fleet.boxes()
    for box in chosen:
        lower = [Path(line) for line in (fleet.folder(box) / 'lower').read_text(encoding='utf-8').splitlines()]
        fleet.stop(box)
        fleet.start(box, lower, keep=False)
    fleet.wait(chosen)


def power(arguments: argparse.Namespace) -> None:
    """Pull the plug of a box, or put it back in: what was written stays."""
    fleet = Fleet(arguments.name)
    lower = [Path(line) for line in (fleet.folder(arguments.box) / 'lower').read_text(encoding='utf-8').splitlines()]
    fleet.stop(arguments.box)
    if arguments.state == 'cycle':
        fleet.start(arguments.box, lower)
        fleet.wait([arguments.box])


def ssh(arguments: argparse.Namespace) -> None:
    """Run a command in a box as root; its exit code is ours."""
    fleet = Fleet(arguments.name)
    command = ' '.join(arguments.command) or 'bash -l'
    done = subprocess.run(['ssh', *([] if arguments.command else ['-t']), '-F', str(fleet.ssh_config()), fleet.address(arguments.box),
                           f'sudo sh -c {boxes._quote(command)}'], check=False)
    sys.exit(done.returncode)


def status(arguments: argparse.Namespace) -> None:
    """What is up."""
    fleet = Fleet(arguments.name)
    for box in fleet.boxes():
        print(f'  {box:<6} {fleet.address(box):<13} {"up" if fleet.running(box) else "down"}')
    if not fleet.boxes():
        print(f'sandbox: there is no fleet {arguments.name}')


def misbehave(arguments: argparse.Namespace) -> None:
    """Make the stand-in site misbehave on addresses that match."""
    fleet = Fleet(arguments.name)
    path = fleet.state / 'rules.json'
    re.compile(arguments.match)
    rule = {'rule': arguments.rule, 'match': arguments.match}
    if arguments.box:
        rule['box'] = fleet.address(arguments.box)
    path.write_text(json.dumps([rule, *json.loads(path.read_text(encoding='utf-8'))]), encoding='utf-8')


def behave(arguments: argparse.Namespace) -> None:
    """Let the stand-in site behave again."""
    (Fleet(arguments.name).state / 'rules.json').write_text('[]', encoding='utf-8')


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--name', default='jf', help='name of the fleet (default: %(default)s)')
    parser.add_argument('--inventory', help='where to write the inventory (default: inventory/sandbox/hosts.yml)')
    commands = parser.add_subparsers(dest='command_name', required=True)

    def command(function, **options) -> argparse.ArgumentParser:
        sub = commands.add_parser(function.__name__, help=function.__doc__.splitlines()[0], **options)
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
    command(status)
    sub = command(misbehave)
    sub.add_argument('rule', choices=['404', '500', 'captive', 'truncate', 'stall', 'slow', 'empty', 'html'])
    sub.add_argument('--match', default='.', help='regular expression for host and path')
    sub.add_argument('--box')
    command(behave)
    arguments = parser.parse_args()
    try:
        arguments.function(arguments)
    except SandboxError as error:
        print(f'sandbox: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
