<?php
// SPDX-License-Identifier: GPL-3.0-or-later
define('DEBUG', 0);
global $CONFIG;
$CONFIG = array(
    'db' => array('host' => '#HOST#', 'port' => '#PORT#', 'dbname' => '#DBNAME#', 'username' => '#USERNAME#', 'password' => '#PASSWORD#'),
);
