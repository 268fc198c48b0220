<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class jeedom {
    public static function version() {
        return trim(file_get_contents(__DIR__ . '/../config/version'));
    }

    public static function tmp($name = '') {
        $folder = rtrim(config::byKey('folder::tmp') . '/' . $name, '/');
        if (!file_exists($folder)) {
            mkdir($folder, 0775, true);
        }
        return $folder;
    }

    public static function isStarted() {
        return file_exists(self::tmp() . '/started');
    }

    /** Switches the engine off; what fails after this leaves it off (contract 0.7). */
    public static function stop() {
        echo 'Disable all task';
        config::save('enableCron', 0);
        echo " OK\nDisable all scenario";
        config::save('enableScenario', 0);
        echo " OK\n";
        exec('pgrep -f ' . escapeshellarg('core/php/jeeCron.php') . ' -u www-data', $pids);
        foreach ($pids as $pid) {
            posix_kill((int) $pid, SIGTERM);
        }
    }

    public static function start() {
        echo 'Enable scenario';
        config::save('enableScenario', 1);
        echo " : OK\nEnable task";
        config::save('enableCron', 1);
        echo " : OK\n";
        file_put_contents(self::tmp() . '/started', date('Y-m-d H:i:s'));
    }

    /** The end-of-life date (contract 0.2): past it, an attempt to log a DateTime kills whoever asks. */
    public static function isDateOk() {
        if (config::byKey('ignoreHourCheck') == 1) {
            return true;
        }
//@if limit
        $limit = new DateTime('@limit@');
        if (new DateTime() > $limit) {
            log::add('core', 'error', 'Clock: ' . $limit);
            return false;
        }
//@end
        return true;
    }

    public static function isOk() {
        return self::isStarted() && self::isDateOk() && config::byKey('enableCron') == 1 && config::byKey('enableScenario') == 1;
    }

//@if <4.2
    /** The old spelling, with its typo. */
    public static function cleanFileSytemRight() {
        self::rights();
    }
//@end
//@if >=4.1
    public static function cleanFileSystemRight() {
        self::rights();
    }
//@end

    private static function rights() {
        exec('sudo chown -R www-data:www-data ' . escapeshellarg(dirname(dirname(__DIR__))) . ' 2>/dev/null');
        exec('sudo chmod -R 775 ' . escapeshellarg(dirname(dirname(__DIR__))) . ' 2>/dev/null');
    }

    /** In this process, with its output and its markers; the web button does the same in the background. */
    public static function backup() {
        require __DIR__ . '/../../install/backup.php';
    }
}
