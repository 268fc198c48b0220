<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Widgets get a prefix (user-pains B2).
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (DB::run("SELECT id, template FROM cmd WHERE template NOT IN ('', '[]')")->fetchAll() as $row) {
    $template = json_decode($row[1], true);
    foreach ($template as $view => $name) {
        $template[$view] = strpos($name, '::') === false ? 'core::' . $name : $name;
    }
    DB::run('UPDATE cmd SET template=? WHERE id=?', array(json_encode($template), $row[0]));
}
