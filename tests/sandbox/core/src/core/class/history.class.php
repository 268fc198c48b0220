<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class history {
    /** Nightly: old values go to the archive. Up to 4.4 everything newer than a constant is deleted first (knowledge: history_purge). */
    public static function archive() {
        foreach (array('history', 'historyArch') as $table) {
            DB::Prepare("DELETE FROM $table WHERE value IS NULL");
//@if <4.5
            DB::Prepare("DELETE FROM $table WHERE datetime <= '2000-01-01 01:00:00' OR datetime >= '@purge@'");
//@end
//@if >=4.4
            DB::Prepare("DELETE FROM $table WHERE cmd_id NOT IN (SELECT id FROM cmd WHERE type='info' AND isHistorized=1)");
//@end
        }
        $limit = date('Y-m-d H:i:s', strtotime('-' . max(1, (int) config::byKey('historyArchiveTime')) . ' hours'));
        DB::Prepare('REPLACE INTO historyArch (cmd_id, datetime, value) SELECT cmd_id, datetime, value FROM history WHERE datetime < ?', array($limit));
        DB::Prepare('DELETE FROM history WHERE datetime < ?', array($limit));
    }
}
