<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Loads everything, as the genuine file of this name does: credentials, vendor, classes. Dies without its vendor folder.
date_default_timezone_set('Europe/Brussels');
require_once __DIR__ . '/../config/common.config.php';
require_once __DIR__ . '/../../vendor/autoload.php';
foreach (array('DB', 'config', 'log', 'plugin', 'cron', 'history', 'update', 'jeedom') as $class) {
    require_once __DIR__ . '/../class/' . $class . '.class.php';
}

/** A request or command line value. */
function init($name, $default = '') {
    return isset($_GET[$name]) && $_GET[$name] !== '' ? $_GET[$name] : $default;
}

/** key=value arguments of a command line; a second "=" cuts the value (contract 4.1). */
function read_arguments($argv) {
    foreach (array_slice($argv, 1) as $argument) {
        $parts = explode('=', $argument);
        if (isset($parts[1])) {
            $_GET[trim($parts[0], '"')] = trim($parts[1], '"');
        }
    }
}
if (PHP_SAPI === 'cli' && isset($argv)) {
    read_arguments($argv);
}
