<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** Table config. A value equal to the default of core/config/default.config.ini has no row (contract 1.2). */
class config {
//@if >=4.1
    const ENCRYPTED = array('api', 'apipro', 'apimarket', 'samba::backup::password', 'dns::token');
//@end
    private static $defaults = null;
    private static $cache = array();

    private static function defaultOf($key, $plugin) {
        if (self::$defaults === null) {
            self::$defaults = parse_ini_file(__DIR__ . '/../config/default.config.ini', true);
        }
        return $plugin === 'core' && isset(self::$defaults['core'][$key]) ? self::$defaults['core'][$key] : null;
    }

    public static function byKey($key, $plugin = 'core', $default = '', $fresh = false) {
        if ($fresh || !isset(self::$cache[$plugin . '::' . $key])) {
            $row = DB::Prepare('SELECT `value` FROM config WHERE `key`=? AND plugin=? LIMIT 1', array($key, $plugin));
            $value = $row ? $row['value'] : null;
            if ($value === null || $value === '') {
                $value = self::defaultOf($key, $plugin);
                $value = $value === null ? $default : $value;
            }
//@if >=4.1
            $value = utils::decrypt($value);
//@end
            self::$cache[$plugin . '::' . $key] = $value;
        }
        return self::$cache[$plugin . '::' . $key];
    }

    public static function save($key, $value, $plugin = 'core') {
        unset(self::$cache[$plugin . '::' . $key]);
        $value = is_array($value) ? json_encode($value, JSON_UNESCAPED_UNICODE) : $value;
        $default = self::defaultOf($key, $plugin);
        if ($default !== null && $default == $value) {
            self::remove($key, $plugin);
            return true;
        }
//@if >=4.1
        $value = $key === 'api' || ($plugin === 'core' && in_array($key, self::ENCRYPTED)) ? utils::encrypt($value) : $value;
//@end
        DB::Prepare('REPLACE config SET `key`=?, `value`=?, plugin=?', array($key, $value, $plugin));
    }

    public static function remove($key, $plugin = 'core') {
        self::$cache = array();
        DB::Prepare('DELETE FROM config WHERE plugin=?' . ($key === '*' ? '' : ' AND `key`=?'), $key === '*' ? array($plugin) : array($plugin, $key));
    }

    public static function genKey($length = 32) {
        return substr(strtr(base64_encode(random_bytes(2 * $length)), '+/=', 'abc'), 0, $length);
    }
}
