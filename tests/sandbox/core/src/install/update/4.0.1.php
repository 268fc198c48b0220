<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Foreign keys go - but only in a schema that is called jeedom.
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (DB::Prepare("SELECT table_name AS t, constraint_name AS c FROM information_schema.key_column_usage
        WHERE constraint_schema='jeedom' AND referenced_table_name IS NOT NULL", array(), DB::FETCH_TYPE_ALL) as $row) {
    try {
        DB::Prepare('ALTER TABLE ' . $row['t'] . ' DROP FOREIGN KEY ' . $row['c']);
    } catch (Exception $error) {
        continue;
    }
}
