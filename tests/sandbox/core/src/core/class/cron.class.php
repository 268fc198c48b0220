<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class cron extends entity {
    const TABLE = 'cron';

    public static function byClassAndFunction($class, $function) {
        $found = self::find('class=? AND `function`=?', array($class, $function));
        return $found ? $found[0] : false;
    }

    /** The core's own rows. Consistency sets all of them again, except when the backup runs; what it switches on is in $enable. */
    public static function consistency() {
        $star = '/*@if <4.1*/ */*@end*/';
        $rows = array(
            array('plugin', 'cronDaily', '00 00 * * *' . $star, 240), array('jeedom', 'backup', rand(10, 59) . ' 0' . rand(0, 7) . ' * * *', 60),
            array('plugin', 'cronHourly', '00 * * * *' . $star, 60), array('scenario', 'check', '* * * * *' . $star, 30),
            array('scenario', 'control', '* * * * *' . $star, 30), array('jeedom', 'cronDaily', rand(0, 59) . ' ' . rand(0, 3) . ' * * *' . $star, 240),
            array('jeedom', 'cronHourly', rand(0, 59) . ' * * * *' . $star, 60), array('jeedom', 'cron5', '*/5 * * * *' . $star, 5),
            array('jeedom', 'cron10', '*/10 * * * *' . $star, 10), array('jeedom', 'cron', '* * * * *' . $star, 2),
            array('plugin', 'cron', '* * * * *' . $star, 2), array('plugin', 'cron5', '*/5 * * * *' . $star, 5),
            array('plugin', 'cron10', '*/10 * * * *' . $star, 10), array('plugin', 'cron15', '*/15 * * * *' . $star, 15),
            array('plugin', 'cron30', '*/30 * * * *' . $star, 30), array('plugin', 'checkDeamon', '*/5 * * * *' . $star, 5),
            array('cache', 'persist', '*/30 * * * *' . $star, 30), array('history', 'archive', '00 5 * * *' . $star, 240),
            array('plugin', 'heartbeat', '*/5 * * * *' . $star, 10),
//@if >=4.5
            array('queue', 'cron', '* * * * *', 2), array('network', 'cron10', implode(',', range(rand(0, 9), 59, 10)) . ' * * * *', 60),
//@end
        );
        $enable = array('cronDaily', 'cronHourly', 'check', 'control', 'heartbeat');
        foreach ($rows as $row) {
            $cron = self::byClassAndFunction($row[0], $row[1]);
            if (is_object($cron) && ($row[1] === 'backup' || $row[0] === 'network')) {
                continue;
            }
            if (!is_object($cron)) {
                echo 'Create ' . $row[0] . '::' . $row[1] . "\n";
                $cron = new cron();
                $cron->setClass($row[0])->setFunction($row[1])->setEnable(1);
            }
            if (in_array($row[1], $enable) || in_array($row[0] . $row[1], array('jeedomcron5', 'jeedomcron10'))) {
                $cron->setEnable(1);
            }
            $cron->setSchedule($row[2])->setTimeout($row[3])->setDeamon(0)->setDeamonSleepTime(1)->setOnce(0)->save();
        }
    }

    public function getName() {
        return $this->getClass() . '::' . $this->getFunction() . '()';
    }

    /** state, pid, lastRun: in the cache. */
    public function getState($key = 'state') {
        $state = cache::byKey('cronCacheAttr' . $this->getId())->getValue(array());
        return isset($state[$key]) ? $state[$key] : '';
    }

    public function setState($values) {
        $key = 'cronCacheAttr' . $this->getId();
        cache::set($key, $values + cache::byKey($key)->getValue(array()));
    }

    public function running() {
        return count(system::ps('cron_id=' . $this->getId() . '$')) > 0;
    }

    /** Also what has been missed up to maxCatchAllow minutes ago is due. */
    public function isDue() {
        $last = $this->getState('lastRun');
        if ($this->getEnable() != 1 || !method_exists($this->getClass(), $this->getFunction()) || substr($last, 0, 16) === date('Y-m-d H:i')) {
            return false;
        }
        if ($this->getState() === 'starting') {
            return true;
        }
        for ($back = 0; $back <= ($last === '' ? 0 : (int) config::byKey('maxCatchAllow')); $back++) {
            $moment = time() - 60 * $back;
            if ($last !== '' && date('Y-m-d H:i', $moment) <= substr($last, 0, 16)) {
                return false;
            }
            if ($this->matches($moment)) {
                return true;
            }
        }
        return false;
    }

    private function matches($moment) {
        $fields = array_slice(explode(' ', $this->getSchedule()), 0, 5);
        foreach (explode(' ', date('i G j n w', $moment)) as $index => $now) {
            $ok = false;
            foreach (explode(',', isset($fields[$index]) ? $fields[$index] : '*') as $part) {
                list($range, $step) = array_pad(explode('/', $part), 2, 1);
                $ok = $ok || ($range === '*' ? (int) $now % (int) $step === 0 : (int) $now === (int) $range);
            }
            if (!$ok) {
                return false;
            }
        }
        return true;
    }

    public function run() {
        if (!$this->running()) {
            system::php(__DIR__ . '/../php/jeeCron.php "cron_id=' . $this->getId() . '" >> ' . log::getPathToLog('cron_execution') . ' 2>&1 &');
        }
    }

    /** The next minute's master will run it. */
    public function start() {
        $this->setState(array('state' => 'starting'));
    }

    public function halt() {
        exec('pkill -f "cron_id=' . $this->getId() . '$"');
    }

    public static function jeeCronRun() {
        $pid = trim((string) @file_get_contents(jeedom::getTmpFolder() . '/jeeCron.pid'));
        return is_numeric($pid) && (int) $pid !== getmypid() && posix_getsid((int) $pid) !== false;
    }
}
