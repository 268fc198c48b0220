<?php
// SPDX-License-Identifier: GPL-3.0-or-later
//@if <4.5
class log {
//@end
//@if >=4.5
// nothing boots without vendor/psr/log, which an upgraded box has from 4.4 (contract 0.9)
class log extends \Psr\Log\AbstractLogger {
//@end
    const LEVELS = array('debug' => 100, 'info' => 200, 'notice' => 250, 'warning' => 300, 'error' => 400, 'critical' => 500, 'alert' => 550);

    public static function getPathToLog($name) {
        return __DIR__ . '/../../log/' . $name;
    }

    public static function clear($name) {
        @file_put_contents(self::getPathToLog($name), '');
    }

    /** Writes through vendor's logger up to 4.4: without vendor/psr/log, which archives lack, the first line is fatal (contract 0.9). */
    public static function add($name, $level, $message, $logicalId = '') {
//@if <4.5
        new \Monolog\Logger($name);
//@end
        if (trim($message) !== '' && self::LEVELS[$level] >= config::byKey('log::level')) {
            file_put_contents(self::getPathToLog($name), '[' . date('Y-m-d H:i:s') . '][' . strtoupper($level) . '] : ' . $message . "\n", FILE_APPEND);
        }
    }

    /** Daily: only the last 500 lines of each log stay. */
    public static function chunk() {
        foreach (ls(self::getPathToLog('')) as $name) {
            $path = self::getPathToLog($name);
            if (is_file($path)) {
                exec('echo "$(tail -n ' . (int) config::byKey('maxLineLog') . " $path)\" > $path");
            }
        }
    }
}
