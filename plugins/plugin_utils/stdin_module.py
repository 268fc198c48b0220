# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a box function on a Python that this ansible-core does not speak to any more.

One command, one payload on stdin, nothing left on the box: a bootstrap line, then our module_utils and the
parameters as JSON. The modules are imported from memory, so a full disk on the box does not matter.
"""

from __future__ import annotations

import base64
import functools
import json
import zlib
from pathlib import Path

MODULE_UTILS = Path(__file__).resolve().parent.parent / 'module_utils'
PACKAGE = 'ansible_collections.jeedom.fleet.plugins.module_utils'
MARKER = '@@jeedom-fleet-result@@'

# The only code that ever stands on a command line; everything else comes in through stdin.
COMMAND = "import sys; exec(sys.stdin.readline())"

_BOOTSTRAP = r'''
import base64, json, sys, types, zlib
payload = json.loads(zlib.decompress(base64.b64decode(sys.stdin.readline())).decode("utf-8"))
PACKAGE = payload["package"]
class Loader(object):
    def get_source(self, name):
        return payload["sources"].get(name[len(PACKAGE) + 1:], "")
    def find(self, name):
        return PACKAGE == name or PACKAGE.startswith(name + ".") or (
            name.startswith(PACKAGE + ".") and name[len(PACKAGE) + 1:] in payload["sources"])
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
        exec(compile(source, module.__file__, "exec", 0, True), module.__dict__)
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


@functools.cache
def _sources() -> dict[str, str]:
    return {path.stem: path.read_text(encoding='utf-8') for path in MODULE_UTILS.glob('*.py')
            if path.stem not in ('__init__', 'shell')}


def payload(module: str, params: dict, check_mode: bool) -> bytes:
    """What goes to the stdin of C(python -c COMMAND) to run C(module.run(params, check_mode))."""
    data = json.dumps({'package': PACKAGE, 'sources': _sources(), 'module': module, 'params': params,
                       'check_mode': check_mode, 'marker': MARKER})
    bootstrap = json.dumps(_BOOTSTRAP)
    packed = base64.b64encode(zlib.compress(data.encode('utf-8'), 6))
    return b'exec(' + bootstrap.encode('ascii') + b')\n' + packed + b'\n'


def parse(stdout: str) -> dict | None:
    """The result in the output of a run, or None when the function did not come to its end."""
    for line in reversed(stdout.splitlines()):
        if line.startswith(MARKER):
            return json.loads(line[len(MARKER):])
    return None
