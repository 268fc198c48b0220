# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store with copies in it, for the tests of this folder."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

from ansible_collections.jeedom.fleet.plugins.module_utils import archive
from ansible_collections.jeedom.fleet.plugins.plugin_utils import forms, store

DUMP = b"CREATE TABLE `config` (\n);\nINSERT INTO `config` VALUES (1),(2);\n-- Dump completed on 2026-11-23\n"
DAY = 86400


def tar_gz(content: bytes = b'', dump: bytes = DUMP) -> bytes:
    """An archive; content makes it another one."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w:gz') as tar:
        for name, data in (('./DB_backup.sql', dump), ('./core/config/version', b'3.3.60\n'), ('./data/x', content)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def write(form: forms.Forms, path: Path, data: bytes) -> dict | None:
    """A file in a form, as a download writes it; returns what the manifest says of it."""
    sink = form.sink(form.path(path))
    sink.write(data)
    stored = sink.finish()
    sink.close()
    return stored and dict(stored, name=form.path(path).name)


class Shelf:
    """archives/<host> below a root."""

    def __init__(self, root: Path, host: str = 'box1'):
        self.root, self.host = root, host
        self.place = store.folder(root, host)
        self.place.mkdir(parents=True, exist_ok=True)

    def add(self, name: str = 'backup-a-3.3.60-2026-11-23-10h26.tar.gz', fetched: float | None = None, data: bytes | None = None,
            form: forms.Forms | None = None, complement: bool = True, **changes) -> str:
        """One proved copy, as backup_fetch leaves it; returns its name. fetched: by the clock of the controller then."""
        form, data = form or forms.Forms(), tar_gz(os.urandom(64)) if data is None else data
        manifest = dict(archive.prove(io.BytesIO(data)), name=name, host='jeedom', created=1.0)
        stored = [write(form, self.place / name, data)]
        if complement:
            second = store.complement_name(name)
            stored.append(write(form, self.place / second, b'second' + name.encode()))
            manifest['complement'] = {'name': second, 'size': 6 + len(name), 'sha256': hashlib.sha256(b'second' + name.encode()).hexdigest()}
        path = store.keep_manifest(self.place, name, manifest, *stored)
        if fetched is not None:
            changes['fetched'] = fetched
        if changes:
            path.write_text(json.dumps(dict(json.loads(path.read_text()), **changes)))
        return name

    def names(self) -> list[str]:
        """What is in the folder, without the lock."""
        return sorted(name for name in os.listdir(self.place) if name != '.lock')

    def look(self) -> list[dict]:
        """The copies."""
        return store.look(self.place)
