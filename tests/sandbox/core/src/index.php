<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Answers 200 with whatever went wrong as its text: only the content tells a dead Jeedom from a live one (contract 1.4).
try {
    if (!isset($_GET['v'])) {
        header('Location: index.php?v=d');
        die();
    }
    require_once __DIR__ . '/core/php/core.inc.php';
    config::byKey('version');
    require_once __DIR__ . '/desktop/php/index.php';
} catch (Exception $error) {
    echo $error->getMessage();
}
