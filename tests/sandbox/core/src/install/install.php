<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// First set-up. The core does not even load without a table config: that one must be there before (contract 11).
require_once __DIR__ . '/../core/php/core.inc.php';
echo "[START INSTALL]\n";
try {
    echo '****Install jeedom from ' . jeedom::version() . ' (' . date('Y-m-d H:i:s') . ")****\n";
    DB::compareAndFix(json_decode(file_get_contents(__DIR__ . '/database.json'), true));
    config::save('api', config::genKey());
    require_once __DIR__ . '/consistency.php';
    $user = new user();
    $user->setLogin('admin')->setPassword(hash('sha512', 'admin'))->setProfils('admin')->setOptions('[]')->setRights('[]')->save();
    config::save('log::level', 400);
    config::save('version', jeedom::version());
} catch (Exception $error) {
    echo "Erreur durant l'installation : " . $error->getMessage() . "[END INSTALL ERROR]\n";
    throw $error;
}
echo "[END INSTALL SUCCESS]\n";
