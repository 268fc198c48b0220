<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The schema of this version, in a process of its own.
require_once __DIR__ . '/../core/php/core.inc.php';
echo "[START CHECK AND FIX DB]\n";
DB::compareAndFix(json_decode(file_get_contents(__DIR__ . '/database.json'), true));
echo "[END CHECK AND FIX DB]\n";
