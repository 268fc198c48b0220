<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class jeedom {
    public static function version() {
        return file_exists(__DIR__ . '/../config/version') ? trim(file_get_contents(__DIR__ . '/../config/version')) : '';
    }

    public static function getTmpFolder($name = null) {
        $folder = '/' . trim(config::byKey('folder::tmp'), '/') . ($name === null ? '' : '/' . $name);
        if (!file_exists($folder)) {
            mkdir($folder, 0774, true);
            exec('sudo chown -R www-data:www-data ' . $folder);
        }
        return $folder;
    }

    public static function isStarted() {
        return file_exists(self::getTmpFolder() . '/started');
    }

    /** Switches the engine off; what fails after this leaves it off (contract 0.7). Daemons of plugins go on. */
    public static function stop() {
        echo 'Disable all task';
        config::save('enableCron', 0);
        foreach (cron::all() as $cron) {
            if ($cron->running()) {
                $cron->halt();
                echo '.';
            }
        }
        echo " OK\n";
        if (cron::jeeCronRun()) {
            echo 'Stop cron master...';
            system::kill(trim(file_get_contents(self::getTmpFolder() . '/jeeCron.pid')));
            echo " OK\n";
        }
        echo 'Disable all scenario';
        config::save('enableScenario', 0);
        foreach (scenario::all() as $scenario) {
            $scenario->stop();
            echo '.';
        }
        echo " OK\n";
    }

    public static function start() {
        echo 'Enable scenario : ';
        config::save('enableScenario', 1);
        echo "OK\nEnable task : ";
        config::save('enableCron', 1);
        echo "OK\n";
//@if >=4.4
        echo 'Check Network Conf : ';
        config::save('internalAddr', trim((string) strtok((string) shell_exec('hostname -I'), ' ')));
        echo "OK\n";
//@end
    }

    /** Past its end-of-life date the attempt to put a DateTime into a sentence kills whoever asks (contract 0.2). */
    public static function isDateOk() {
        if (config::byKey('ignoreHourCheck') == 1) {
            return true;
        }
        if ((int) cache::byKey('hour')->getValue(0) > time()) {
            sleep(3);
            return false;
        }
//@if limit
        $limit = new DateTime('@limit@');
        if (time() > $limit->getTimestamp()) {
            // tries to set the clock first
            sleep(3);
            log::add('core', 'error', 'La date du système est incorrecte (après ' . $limit . ')');
            return false;
        }
//@end
        return true;
    }

    public static function isOk() {
        return self::isStarted() && self::isDateOk() && (config::byKey('enableScenario') != 0 || !scenario::all())
            && self::isCapable('sudo') && config::byKey('enableCron', 'core', 1, true) != 0;
    }

    public static function isCapable($what) {
        return trim((string) shell_exec('sudo -n -l > /dev/null 2>&1; echo $?')) === '0';
    }

    /** A few lines of the health page. */
    public static function health() {
        return array(
            array('key' => 'cron::enable', 'state' => config::byKey('enableCron', 'core', 1, true) != 0),
            array('key' => 'isStarted', 'state' => self::isStarted()),
            array('key' => 'hour', 'state' => self::isDateOk()),
        );
    }

    /** Would run the scenarios of this trigger and wait for them; those of the miniature have none. */
    public static function event($event) {
        return $event !== '' && scenario::all();
    }

    private static function background($script, $arguments, $log) {
        log::clear($log);
        system::php(__DIR__ . '/../../install/' . $script . ' ' . $arguments . ' >> ' . log::getPathToLog($log) . ' 2>&1 &');
    }

    /** In this process, with its output and its markers; the web button does it in the background with output to log/backup. */
    public static function backup($background = false) {
        if ($background) {
            return self::background('backup.php', '', 'backup');
        }
        require_once __DIR__ . '/../../install/backup.php';
    }

    public static function restore($backup = '', $background = false) {
        if ($background) {
            return self::background('restore.php', '"backup=' . $backup . '"', 'restore');
        }
        $_GET['backup'] = $backup;
        require_once __DIR__ . '/../../install/restore.php';
    }

    public static function update($options = array()) {
        $arguments = '';
        foreach ($options as $key => $value) {
            $arguments .= '"' . $key . '"="' . $value . '" ';
        }
        self::background('update.php', $arguments, 'update');
    }

    /** The only spelling until 4.1.19; with the other one missing, the consistency script of 4.2 and later is fatal (contract 0.1). */
    public static function cleanFileSytemRight() {
        $web = __DIR__ . '/../../';
        exec("sudo chown -R www-data:www-data {$web}*;sudo chmod 775 -R {$web}*;sudo find {$web}log -type f -exec chmod 665 {} +;sudo chmod 775 -R {$web}.*");
    }

//@if >=4.1
    public static function cleanFileSystemRight() {
        self::cleanFileSytemRight();
    }

//@end
    public static function getHardwareName() {
        if (config::byKey('hardware_name') === '') {
            $smart = file_exists('/media/boot/multiboot/meson64_odroidc2.dtb.linux');
            config::save('hardware_name', $smart ? 'smart' : (file_exists('/usr/bin/raspi-config') ? 'rpi' : (file_exists('/.dockerinit') ? 'docker' : 'diy')));
        }
        return config::byKey('hardware_name');
    }

    /** The core's API key, or that of a service, made on first use. */
    public static function getApiKey($plugin = 'core') {
        $name = $plugin === 'apimarket' ? 'apimarket' : 'api';
        if (config::byKey($name, $name === 'api' ? $plugin : 'core') === '') {
            config::save($name, config::genKey(), $name === 'api' ? $plugin : 'core');
        }
        return config::byKey($name, $name === 'api' ? $plugin : 'core');
    }

    /** Each minute. A box without the started marker is started, whatever state it is in (contract 0.7). */
    public static function cron() {
        if (!self::isStarted()) {
            echo date('Y-m-d H:i:s') . ' starting Jeedom';
            cache::restore();
            self::start();
            file_put_contents(self::getTmpFolder() . '/started', date('Y-m-d H:i:s'));
            self::event('start');
        }
        self::isDateOk();
        if (config::byKey('mini::live') == 1) {
            foreach (array_slice(cmd::find("type='info' AND isHistorized=1 ORDER BY id LIMIT 10"), 0) as $cmd) {
                $cmd->event(round(18 + rand(0, 60) / 10, 1));
            }
        }
    }

    public static function cronHourly() {
        cache::set('hour', time());
        update::checkAllUpdate();
    }

    public static function cronDaily() {
        log::chunk();
    }
}
