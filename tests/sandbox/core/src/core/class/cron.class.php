<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class cron {
    /** The core's own rows; consistency sets them again each time, switched on. */
    public static $own = array(array('jeedom', 'backup', '30 3 * * *', 60), array('history', 'archive', '00 5 * * *', 240),
        array('plugin', 'checkDeamon', '*/5 * * * *', 5), array('scenario', 'check', '* * * * *', 30));

    public static function check() {
        foreach (self::$own as $row) {
            if (DB::run('SELECT id FROM cron WHERE class=? AND `function`=?', array($row[0], $row[1]))->fetch()) {
                DB::run('UPDATE cron SET enable=1 WHERE class=? AND `function`=?', array($row[0], $row[1]));
                continue;
            }
            DB::run('INSERT INTO cron (enable, class, `function`, schedule, timeout, deamon) VALUES (1, ?, ?, ?, ?, 0)', $row);
        }
    }

    /** Run one row now, as jeeCron.php cron_id=N does. */
    public static function perform($id) {
        $row = DB::run('SELECT class, `function`, enable FROM cron WHERE id=?', array($id))->fetch();
        if ($row && method_exists($row[0], $row[1])) {
            call_user_func(array($row[0], $row[1]));
        }
    }
}
