<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Called by cron each minute as www-data; calls itself with cron_id for each task that is due.
//@if <4.1
if (PHP_SAPI !== 'cli') {
    header('HTTP/1.0 404 Not Found');
    die('<h1>404 Non trouvé</h1>');
}
//@end
//@if >=4.1
require_once __DIR__ . '/console.php';
//@end
require_once __DIR__ . '/core.inc.php';
read_arguments($argv);
if (init('cron_id') !== '') {
    if (jeedom::isStarted() && config::byKey('enableCron', 'core', 1, true) == 0) {
        die('Tous les crons sont actuellement désactivés');
    }
    $cron = cron::byId(init('cron_id'));
    if (!is_object($cron)) {
        die();
    }
    $class = $cron->getClass();
    $function = $cron->getFunction();
    $cron->setState(array('state' => 'run', 'pid' => getmypid(), 'lastRun' => date('Y-m-d H:i:s')));
    try {
        $class::$function();
        $cron->setState(array('state' => 'stop', 'pid' => ''));
    } catch (Throwable $error) {
        // the date bug ends up here every minute (contract 0.2)
        $cron->setState(array('state' => 'error', 'pid' => ''));
        echo '[Erreur] ' . $cron->getName() . ' : ' . $error->getMessage() . "\n";
        log::add($class, 'error', 'Erreur sur ' . $cron->getName() . ' : ' . $error->getMessage());
    }
    die();
}
if (cron::jeeCronRun()) {
    die();
}
$started = jeedom::isStarted();
file_put_contents(jeedom::getTmpFolder() . '/jeeCron.pid', getmypid());
if ($started && config::byKey('enableCron', 'core', 1, true) == 0) {
    die('Tous les crons sont actuellement désactivés');
}
foreach (cron::all() as $cron) {
    // before the start only these run: jeedom::cron starts the box, a half-migrated one as well (contract 0.7)
    if ($cron->isDue() && ($started || $cron->getClass() === 'jeedom' || $cron->getFunction() === 'cron')) {
        $cron->run();
    }
}
