<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Positions in designs become pixels; needs a column that only 4.0's consistency brings: straight from 3.3 it fails unseen.
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (DB::run('SELECT p.id, p.position, h.configuration FROM plan p JOIN planHeader h ON p.planHeader_id=h.id ORDER BY h.`order`')->fetchAll() as $row) {
    $position = json_decode($row[1], true);
    $size = json_decode($row[2], true);
    $position['top'] = $position['top'] * (isset($size['desktopSizeY']) ? $size['desktopSizeY'] : 0) / 100;
    $position['left'] = $position['left'] * (isset($size['desktopSizeX']) ? $size['desktopSizeX'] : 0) / 100;
    DB::run('UPDATE plan SET position=? WHERE id=?', array(json_encode($position), $row[0]));
}
