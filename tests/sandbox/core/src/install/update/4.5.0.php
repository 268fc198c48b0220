<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The cache starts anew, from what the updater of 4.4.19 or later saved: straight from older versions the last values are lost.
require_once __DIR__ . '/../../core/php/core.inc.php';
cache::flush();
if (file_exists('/tmp/jeedom/cache.json')) {
    $state = json_decode(file_get_contents('/tmp/jeedom/cache.json'), true);
    foreach ($state['cmd'] as $id => $value) {
        $cmd = cmd::byId($id);
        if (is_object($cmd)) {
            $cmd->setCache($value);
        }
    }
    unlink('/tmp/jeedom/cache.json');
    echo 'Save state cache found, load it....OK';
}
