# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a box function by one command of the box's Python, whatever this ansible-core speaks to.

One payload on stdin, nothing left on the box: a bootstrap line, then the module_utils that the function imports and the
parameters as JSON. The modules are imported from memory, so a full disk on the box does not matter.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import zlib
from pathlib import Path

MODULE_UTILS = Path(__file__).resolve().parent.parent / 'module_utils'
PACKAGE = 'ansible_collections.jeedom.fleet.plugins.module_utils'
MARKER = '@@jeedom-fleet-result@@'

# The only code that ever stands on a command line; everything else comes in through stdin.
COMMAND = "import sys; exec(sys.stdin.readline())"

_BOOTSTRAP = r'''
import base64, json, sys, types, zlib
sources, payload = [json.loads(zlib.decompress(base64.b64decode(sys.stdin.readline())).decode("utf-8")) for part in "12"]
PACKAGE = payload["package"]
class Loader(object):
    compiled = {}
    def get_source(self, name):
        return sources.get(name[len(PACKAGE) + 1:], "")
    def find(self, name):
        return PACKAGE == name or PACKAGE.startswith(name + ".") or (
            name.startswith(PACKAGE + ".") and name[len(PACKAGE) + 1:] in sources)
    def find_module(self, name, path=None):
        return self if self.find(name) else None
    def load_module(self, name):
        if name in sys.modules:
            return sys.modules[name]
        module = sys.modules[name] = types.ModuleType(str(name))
        module.__loader__ = self
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module
    def exec_module(self, module):
        name = module.__name__
        if not name.startswith(PACKAGE + "."):
            module.__path__ = []
            module.__package__ = name
            return
        module.__package__ = PACKAGE
        source = self.get_source(name)
        if sys.version_info[0] == 2:
            # a coding line is an error in unicode source there
            source = source.encode("utf-8")
        module.__file__ = "<jeedom.fleet>/" + name.replace(".", "/") + ".py"
        self.compiled[name] = compile(source, module.__file__, "exec", 0, True)
        exec(self.compiled[name], module.__dict__)
    def create_module(self, spec):
        return None
    def find_spec(self, name, path=None, target=None):
        if not self.find(name):
            return None
        import importlib.machinery
        return importlib.machinery.ModuleSpec(name, self, is_package=not name.startswith(PACKAGE + "."))
sys.meta_path.insert(0, Loader())
import importlib
errors = importlib.import_module(PACKAGE + ".errors")
try:
    result = importlib.import_module(PACKAGE + "." + payload["module"]).run(payload["params"], payload["check_mode"])
except errors.BoxError as error:
    result = error.as_result()
print(payload["marker"] + json.dumps(result))
'''


# The two forms in which the box side imports itself; what else there is of them, a test would see.
_IMPORTED = re.compile(rf'^ *from {re.escape(PACKAGE)}(?:\.(\w+) import|(?: import (?:\(([^)]*)\)|(.*))))', re.MULTILINE)


def imports(source: str) -> set[str]:
    """Names of our own modules that a source imports."""
    found: set[str] = set()
    for module, several, one in _IMPORTED.findall(source):
        text = re.sub(r'#.*', '', several or one)
        found.update([module] if module else (part.split()[0] for part in text.split(',') if part.strip()))
    return found


def sources(module: str) -> dict[str, str]:
    """{name: source} of a module and of all it imports, so that a small question does not send and compile the whole box side.

    A job packs the same modules again for itself (C(jobs._pack)), so nothing is needed later either.
    """
    found: dict[str, str] = {}
    todo = {module, 'errors'}
    while todo:
        name = todo.pop()
        found[name] = (MODULE_UTILS / f'{name}.py').read_text(encoding='utf-8')
        todo |= imports(found[name]) - set(found)
    return found


@functools.cache
def code(module: str) -> bytes:
    """The part of the payload that is the same for every box; kept, so that a process that forks workers can have it ready for them."""
    return b'exec(' + json.dumps(_BOOTSTRAP).encode('ascii') + b')\n' + _line(sources(module))


def payload(module: str, params: dict, check_mode: bool) -> bytes:
    """What goes to the stdin of C(python -c COMMAND) to run C(module.run(params, check_mode))."""
    return code(module) + _line({'package': PACKAGE, 'module': module, 'params': params, 'check_mode': check_mode, 'marker': MARKER})


def _line(data: dict) -> bytes:
    return base64.b64encode(zlib.compress(json.dumps(data).encode('utf-8'), 6)) + b'\n'


def parse(stdout: str) -> dict | None:
    """The result in the output of a run, or None when the function did not come to its end."""
    for line in reversed(stdout.splitlines()):
        if line.startswith(MARKER):
            return json.loads(line[len(MARKER):])
    return None
