<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** Files under the temporary folder; what crons and commands remember is here and not in the database (contract 1.1). */
class cache {
    private $value;

    private static function path($key) {
        return jeedom::getTmpFolder('cache') . '/' . md5($key);
    }

    public static function byKey($key) {
        $cache = new self();
        $cache->value = json_decode((string) @file_get_contents(self::path($key)), true);
        return $cache;
    }

    public function getValue($default = '') {
        return $this->value === null ? $default : $this->value;
    }

    public static function set($key, $value) {
        file_put_contents(self::path($key), json_encode($value));
    }

    public static function flush() {
        array_map('unlink', glob(jeedom::getTmpFolder('cache') . '/*'));
    }

    public static function persist() {
        exec('cd ' . jeedom::getTmpFolder('cache') . ' && tar cfz ' . __DIR__ . '/../../cache.tar.gz . 2>/dev/null');
    }

    public static function restore() {
        exec('cd ' . jeedom::getTmpFolder('cache') . ' && tar xfz ' . __DIR__ . '/../../cache.tar.gz 2>/dev/null');
    }
}
