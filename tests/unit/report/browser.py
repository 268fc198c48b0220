# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium (Debian's package) over its debugging pipe: open a page, run script in it, take a picture."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def executable() -> str | None:
    """Chromium on this machine, or None."""
    return shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')


class Browser:
    """One browser with one page; use as a context manager. errors: script errors and policy violations seen so far."""

    def __init__(self):
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._ids = itertools.count(1)
        self._buffer = b''

    def __enter__(self) -> Browser:
        self._profile = tempfile.mkdtemp(prefix='jeedom-fleet-browser-')
        there, self._write = os.pipe()
        self._read, back = os.pipe()

        def descriptors() -> None:
            # The pipe is always 3 (commands) and 4 (answers); what we hold may have just these numbers.
            one, two = os.dup(there), os.dup(back)
            one, two = (os.dup(one), os.dup(two)) if min(one, two) < 5 else (one, two)
            os.dup2(one, 3)
            os.dup2(two, 4)

        self._process = subprocess.Popen(
            [executable(), '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--hide-scrollbars', '--no-first-run',
             '--disable-background-networking', '--disable-component-update', '--mute-audio', f'--user-data-dir={self._profile}',
             '--remote-debugging-pipe', 'about:blank'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=descriptors, close_fds=False)
        os.close(there)
        os.close(back)
        targets = self.call('Target.getTargets', session=None)['targetInfos']
        page = next(target for target in targets if target['type'] == 'page')
        self._session = self.call('Target.attachToTarget', session=None, targetId=page['targetId'], flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log', 'Network'):
            self.call(f'{domain}.enable')
        return self

    def __exit__(self, *details) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _message(self) -> dict:
        while b'\0' not in self._buffer:
            data = os.read(self._read, 1 << 20)
            if not data:
                raise RuntimeError('the browser has ended')
            self._buffer += data
        raw, self._buffer = self._buffer.split(b'\0', 1)
        message = json.loads(raw)
        method, params = message.get('method'), message.get('params', {})
        if method == 'Runtime.exceptionThrown':
            self.errors.append(json.dumps(params['exceptionDetails'])[:600])
        elif method == 'Log.entryAdded' and params['entry']['level'] == 'error':
            self.errors.append(params['entry']['text'])
        elif method == 'Network.requestWillBeSent':
            self.requests.append(params['request']['url'])
        return message

    def call(self, method: str, session: str | None = '', **params) -> dict:
        """One command of the protocol, and its result."""
        number = next(self._ids)
        command = {'id': number, 'method': method, 'params': params}
        if session is not None:
            command['sessionId'] = self._session
        os.write(self._write, json.dumps(command).encode() + b'\0')
        while True:
            message = self._message()
            if message.get('id') == number:
                if 'error' in message:
                    raise RuntimeError(f'{method}: {message["error"]}')
                return message['result']

    def size(self, width: int, height: int = 900, dark: bool = False, phone: bool = False) -> None:
        """The window, and which theme the system prefers."""
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def open(self, path: Path | str) -> None:
        """Load a page and wait until it is there."""
        url = path if str(path).startswith(('about:', 'file:')) else Path(path).resolve().as_uri()
        self.call('Page.navigate', url=str(url))
        deadline = time.time() + 120
        while self.run('document.readyState + location.href.slice(0, 5)') != 'complete' + str(url)[:5]:
            if time.time() > deadline:
                raise RuntimeError(f'{url} did not load')
            time.sleep(0.05)

    def run(self, script: str):
        """The value of an expression in the page."""
        answer = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(json.dumps(answer['exceptionDetails'])[:600])
        return answer['result'].get('value')

    def key(self, key: str, code: int) -> None:
        """Press a key."""
        for kind in ('keyDown', 'keyUp'):
            self.call('Input.dispatchKeyEvent', type=kind, key=key, code=key, windowsVirtualKeyCode=code, text='\r' if key == 'Enter' else '')

    def pdf(self, path: Path | str) -> None:
        """The page as printed."""
        Path(path).write_bytes(base64.b64decode(self.call('Page.printToPDF', printBackground=True)['data']))
