<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Names of Font Awesome 4 become those of 5, by replacing text wherever icons may be (user-pains B5).
require_once __DIR__ . '/../../core/php/core.inc.php';
$replace = array('<i class=\\"fa ' => '<i class=\\"fas ', '<i class="fa ' => '<i class="fas ', '-o>' => '>', '-o\\">' => '\\">', '-o">' => '">',
    'fa-video-camera' => 'fa-video');
$columns = array('object' => array('configuration', 'display'), 'eqLogic' => array('configuration', 'display'), 'cmd' => array('configuration', 'display'),
    'scenario' => array('display', 'description'), 'scenarioExpression' => array('expression', 'options'), 'view' => array('display'));
foreach ($columns as $table => $names) {
    foreach ($names as $name) {
        foreach (DB::Prepare("SELECT id, `$name` AS v FROM `$table` WHERE `$name` LIKE '%-o%' OR `$name` LIKE '%fa%'", array(), DB::FETCH_TYPE_ALL) as $row) {
            DB::Prepare("UPDATE `$table` SET `$name`=? WHERE id=?", array(str_replace(array_keys($replace), $replace, $row['v']), $row['id']));
        }
    }
}
