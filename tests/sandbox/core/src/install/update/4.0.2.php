<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Font Awesome 4 names become those of 5, by replacing text (user-pains B5).
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (array('object' => 'display', 'cmd' => 'display') as $table => $column) {
    DB::run("UPDATE `$table` SET `$column`=REPLACE(`$column`, 'fa ', 'fas ')");
}
