<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Positions in designs become pixels; asks for a column that only the consistency of 4.0 brings: straight from V3 it fails, unseen.
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (DB::Prepare('SELECT p.id, p.position, h.configuration, h.`order` FROM plan p JOIN planHeader h ON p.planHeader_id=h.id', array(), DB::FETCH_TYPE_ALL) as $row) {
    $position = json_decode($row['position'], true);
    $size = json_decode($row['configuration'], true);
    $position['top'] = $position['top'] * (isset($size['desktopSizeY']) ? $size['desktopSizeY'] : 0) / 100;
    $position['left'] = $position['left'] * (isset($size['desktopSizeX']) ? $size['desktopSizeX'] : 0) / 100;
    DB::Prepare('UPDATE plan SET position=? WHERE id=?', array(json_encode($position), $row['id']));
}
