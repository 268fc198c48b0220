<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class message extends entity {
    const TABLE = 'message';

    public static function removeAll($plugin, $logicalId) {
        DB::Prepare('DELETE FROM message WHERE plugin=? AND logicalId=?', array($plugin, $logicalId));
    }

    public static function nbMessage() {
        $row = DB::Prepare('SELECT COUNT(*) AS n FROM message');
        return $row['n'];
    }
}
