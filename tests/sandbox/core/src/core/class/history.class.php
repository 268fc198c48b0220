<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class history {
    /** Moves history to the archive, and up to 4.4 deletes what is newer than a constant (knowledge: history_purge). */
    public static function archive() {
//@if <4.5
        foreach (array('history', 'historyArch') as $table) {
            DB::run("DELETE FROM $table WHERE datetime >= ?", array('@purge@'));
        }
//@end
    }
}
