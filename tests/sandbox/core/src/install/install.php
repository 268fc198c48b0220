<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// First set-up of an empty box whose tables are there already (contract 11).
require_once __DIR__ . '/../core/php/core.inc.php';
echo "[START INSTALL]\n";
DB::compareAndFix(json_decode(file_get_contents(__DIR__ . '/database.json'), true));
config::save('version', jeedom::version());
config::save('api', bin2hex(random_bytes(16)));
DB::run("INSERT INTO user (login, profils, password, options, hash, enable) VALUES ('admin', 'admin', SHA2('admin', 512), '{}', ?, 1)", array(bin2hex(random_bytes(32))));
DB::run("INSERT INTO `update` (type, name, logicalId, localVersion, source, status, configuration) VALUES ('core', 'jeedom', 'jeedom', ?, 'default', 'ok', '[]')", array(jeedom::version()));
cron::check();
if (!file_exists(__DIR__ . '/../data/jeedom_encryption.key')) {
    file_put_contents(__DIR__ . '/../data/jeedom_encryption.key', bin2hex(random_bytes(16)));
}
echo "[END INSTALL SUCCESS]\n";
