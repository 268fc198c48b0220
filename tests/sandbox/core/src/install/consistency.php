<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Runs alone, and at the end of an update inside the process of the old version: what that lacks is fatal (contract 0.1).
echo "[START CONSISTENCY]\n";
require_once __DIR__ . '/../core/php/core.inc.php';
echo shell_exec('php ' . __DIR__ . '/database.php');
cron::check();
config::save('hardware_name', '');
echo 'Check filesystem right...';
//@if <4.2
//@if <4.1
jeedom::cleanFileSytemRight();
//@end
//@if >=4.1
if (method_exists('jeedom', 'cleanFileSystemRight')) {
    jeedom::cleanFileSystemRight();
} else {
    jeedom::cleanFileSytemRight();
}
//@end
//@end
//@if >=4.2
jeedom::cleanFileSystemRight();
//@end
echo "OK\n[END CONSISTENCY]\n";
