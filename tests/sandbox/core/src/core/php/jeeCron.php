<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Called by cron each minute as www-data.
require_once __DIR__ . '/core.inc.php';
if (init('cron_id') !== '') {
    if (jeedom::isStarted() && config::byKey('enableCron') == 0) {
        die('Tous les crons sont actuellement désactivés');
    }
    cron::perform(init('cron_id'));
    die();
}
if (!jeedom::isStarted()) {
    // After a reboot the engine comes back by itself, on a half-migrated core as well (contract 0.7).
    jeedom::start();
}
if (config::byKey('enableCron') == 0) {
    die("Tous les crons sont actuellement désactivés\n");
}
jeedom::isDateOk();
file_put_contents(jeedom::tmp() . '/jeeCron.pid', getmypid());
foreach (DB::run('SELECT id, schedule FROM cron WHERE enable=1')->fetchAll() as $row) {
    // Only fixed daily times: minute hour * * *
    if (preg_match('/^0*(\d+) 0*(\d+) \* \* \*/', $row[1], $at) && (int) date('i') === (int) $at[1] && (int) date('G') === (int) $at[2]) {
        cron::perform($row[0]);
    }
}
