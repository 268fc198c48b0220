<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// What designs show of an equipment moves from the equipment into the design.
require_once __DIR__ . '/../../core/php/core.inc.php';
echo "Begin migrate plan\n";
foreach (DB::Prepare("SELECT p.id, p.display FROM plan p JOIN eqLogic e ON p.link_type='eqLogic' AND p.link_id=e.id", array(), DB::FETCH_TYPE_ALL) as $row) {
    $display = array('color-defaut' => 0, 'background-defaut' => 0) + (json_decode($row['display'], true) ?: array());
    DB::Prepare('UPDATE plan SET display=? WHERE id=?', array(json_encode($display), $row['id']));
}
