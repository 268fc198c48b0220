<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// From 4.1 on only: an updater that was fetched alone by a V3 or 4.0 cannot start without it (contract 4.1, preUpdate).
if (PHP_SAPI !== 'cli') {
    header('HTTP/1.0 404 Not Found');
    die('<h1>404 Non trouvé</h1>');
}
require_once __DIR__ . '/utils.inc.php';
read_arguments($argv);
