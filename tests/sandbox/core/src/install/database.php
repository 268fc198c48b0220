<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The schema of this version, in a process of its own; needs nothing but the credentials.
require_once __DIR__ . '/../core/config/common.config.php';
require_once __DIR__ . '/../core/class/DB.class.php';
echo "[START CHECK AND FIX DB]\n";
try {
    DB::compareAndFix(json_decode(file_get_contents(__DIR__ . '/database.json'), true), 'all', true);
} catch (Exception $error) {
    echo '***ERREUR*** ' . $error->getMessage() . "\n";
}
echo "[END CHECK AND FIX DB]\n";
