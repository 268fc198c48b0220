<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Loads vendor first, then credentials and classes: without its vendor folder, or without tables, nothing runs.
date_default_timezone_set('Europe/Brussels');
require_once __DIR__ . '/../../vendor/autoload.php';
require_once __DIR__ . '/../config/common.config.php';
require_once __DIR__ . '/../class/DB.class.php';
require_once __DIR__ . '/../class/config.class.php';
require_once __DIR__ . '/../class/jeedom.class.php';
require_once __DIR__ . '/../class/plugin.class.php';
require_once __DIR__ . '/utils.inc.php';
//@if >=4.5
require_once __DIR__ . '/../class/log.class.php';
//@end

/** Classes come when they are needed: in the process of an update, the later ones are those of the new version. */
spl_autoload_register(function ($class) {
    foreach (array("/../class/$class.class.php", '/../repo/' . substr($class, 5) . '.repo.php') as $file) {
        if (strpos($class, '\\') === false && file_exists(__DIR__ . $file)) {
            require_once __DIR__ . $file;
            return;
        }
    }
    $owner = preg_replace('/Cmd$/', '', $class);
    $file = __DIR__ . "/../../plugins/$owner/core/class/$owner.class.php";
    if (strpos($class, '\\') === false && file_exists($file) && config::byKey('active', $owner) == 1) {
        require_once $file;
    }
});

try {
    date_default_timezone_set(config::byKey('timezone'));
} catch (Exception $error) {
    // the caller finds out by itself
}
