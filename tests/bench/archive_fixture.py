# Copyright (c) 2026, jeedom.fleet contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive as boxes have them, for benchmarks: archive_fixture.py <path> <MiB>. Half pictures, the rest code and a dump with history."""

from __future__ import annotations

import io
import random
import sys
import tarfile
from collections.abc import Iterator


def dump(megabytes: int, chance: random.Random) -> Iterator[bytes]:
    """A dump whose rows are those of Jeedom's history."""
    yield b'-- MariaDB dump\nCREATE TABLE `history` (\n  `cmd_id` int\n) ENGINE=InnoDB;\n'
    size = 0
    while size < megabytes << 20:
        rows = b','.join(b"(%d,'2026-%02d-%02d %02d:%02d:00','%.2f')" % (
            chance.randrange(900), chance.randrange(1, 13), chance.randrange(1, 29), chance.randrange(24), chance.randrange(60), chance.random() * 100)
            for _row in range(8000))
        size += len(rows)
        yield b'INSERT INTO `history` VALUES ' + rows + b';\n'
    yield b'-- Dump completed on 2026-11-23\n'


def main(path: str, megabytes: int) -> None:
    """Write it."""
    chance = random.Random(1)
    words = [b'%06x' % chance.randrange(1 << 24) for _word in range(5000)]
    with tarfile.open(path, 'w:gz', compresslevel=6) as tar:
        def add(name: str, data: bytes) -> None:
            info = tarfile.TarInfo('./' + name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))

        add('core/config/version', b'3.3.60\n')
        for number in range(megabytes * 30):
            add(f'core/php/{number}.php', b' '.join(chance.choices(words, k=chance.randrange(50, 900))))
        for number in range(megabytes // 4):
            add(f'data/img/{number}.jpg', chance.randbytes(2 << 20))
        add('DB_backup.sql', b''.join(dump(megabytes, chance)))


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]))
