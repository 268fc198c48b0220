<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class plugin {
    /** Active plugins. Looking is not harmless: one whose folder is missing is switched off with all it owns (contract 0.11). */
    public static function listPlugin() {
        $found = array();
        foreach (DB::run("SELECT plugin FROM config WHERE `key`='active' AND value='1'")->fetchAll() as $row) {
            if (file_exists(__DIR__ . '/../../plugins/' . $row[0] . '/plugin_info/info.json')) {
                $found[] = $row[0];
                continue;
            }
            DB::run("DELETE FROM config WHERE `key`='active' AND plugin=?", array($row[0]));
            DB::run('UPDATE eqLogic SET isEnable=0 WHERE eqType_name=?', array($row[0]));
        }
        return $found;
    }
}
