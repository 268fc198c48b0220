<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Answers 200 whatever happens: only the content tells a dead Jeedom from a live one (contract 1.4).
if (!isset($_GET['v'])) {
    header('Location: index.php?v=d');
    die();
}
try {
    require_once __DIR__ . '/core/php/core.inc.php';
    $version = jeedom::version();
    config::byKey('version');
} catch (PDOException $error) {
    die($error->getCode() === '42S02' ? str_pad('Database without tables: ' . $error->getCode(), 205, '.') : str_pad('No database', 48, '.'));
}
?><!DOCTYPE html>
<html lang="fr"><head><title>Jeedom</title><meta charset="utf-8"><meta name="author" content="sandbox"></head>
<body><div id="wrap"><div id="div_alert"></div><form id="login">
<input id="in_login_username" type="text"><input id="in_login_password" type="password">
<button id="bt_login_validate">Connexion</button></form></div>
<!-- <?php echo $version, ' ', str_repeat('a page as long as the genuine one. ', 500); ?> -->
</body></html>
