<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** Table config. A value equal to the default has no row (contract 1.2). */
class config {
    public static $defaults = array(
        'enableCron' => 1, 'enableScenario' => 1, 'core::repo::provider' => 'default', 'core::branch' => '@branch@', 'update::allowCore' => 1,
        'backup::path' => 'backup', 'backup::keepDays' => 3, 'backup::maxSize' => 500, 'market::enable' => 1,
        'market::address' => 'https://market.jeedom.com', 'ignoreHourCheck' => 0, 'folder::tmp' => '/tmp/jeedom', 'name' => '', 'mini::slow' => 0,
    );

    public static function byKey($key, $plugin = 'core', $default = '') {
        $row = DB::run('SELECT value FROM config WHERE plugin=? AND `key`=?', array($plugin, $key))->fetch();
        if ($row) {
            return $row[0];
        }
        return $plugin === 'core' && isset(self::$defaults[$key]) ? self::$defaults[$key] : $default;
    }

    public static function save($key, $value, $plugin = 'core') {
        if ($plugin === 'core' && isset(self::$defaults[$key]) && (string) self::$defaults[$key] === (string) $value) {
            return self::remove($key, $plugin);
        }
        DB::run('REPLACE INTO config (plugin, `key`, value) VALUES (?, ?, ?)', array($plugin, $key, $value));
    }

    public static function remove($key, $plugin = 'core') {
        DB::run('DELETE FROM config WHERE plugin=? AND `key`=?', array($plugin, $key));
    }
}
