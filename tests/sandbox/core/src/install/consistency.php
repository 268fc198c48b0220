<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Runs alone, and at the end of an update inside the process of the old version: what that one lacks is fatal (contract 0.1).
//@if <4.1
if (PHP_SAPI !== 'cli') {
    header('HTTP/1.0 404 Not Found');
    die('<h1>404 Non trouvé</h1>');
}
//@end
//@if >=4.1
require_once __DIR__ . '/../core/php/console.php';
//@end
echo "[START CONSISTENCY]\n";
echo shell_exec('php ' . __DIR__ . '/database.php');
try {
    require_once __DIR__ . '/../core/php/core.inc.php';
    mini_pause('consistency');
//@if >=4.2
    echo "Check jeedom package...OK\n";
//@end
//@if >=4.0
    try {
        echo 'Check jeedom database...';
        DB::compareAndFix(json_decode(file_get_contents(__DIR__ . '/database.json'), true), 'all', true);
        echo "OK\n";
    } catch (Exception $error) {
        echo '***ERREUR*** ' . $error->getMessage() . "\n";
    }
//@end
    if (config::byKey('object:summary') === '') {
        config::save('object:summary', array('security' => array('key' => 'security', 'name' => 'Alerte')));
    }
//@if >=4.4
    echo "Check crons...\n";
//@end
    cron::consistency();
    if (!file_exists(__DIR__ . '/../plugins')) {
        mkdir(__DIR__ . '/../plugins');
    }
    echo "\nCheck filesystem right...";
//@if <4.2
    jeedom::cleanFileSytemRight();
//@end
//@if >=4.2
    jeedom::cleanFileSystemRight();
//@end
    echo "OK\n";
    config::save('hardware_name', '');
    if (config::byKey('api') === '') {
        config::save('api', config::genKey());
    }
//@if >=4.4
    echo 'Check jeedom cmd...';
    foreach (cmd::all() as $cmd) {
        $changed = false;
        foreach (array('dashboard', 'mobile') as $view) {
            if (trim($cmd->getTemplate($view)) !== '' && strpos($cmd->getTemplate($view), '::') === false) {
                $cmd->setTemplate($view, 'core::' . $cmd->getTemplate($view));
                $changed = true;
            }
        }
        if ($changed) {
            $cmd->save();
        }
    }
    echo "OK\nCheck composer...OK\nCheck nodejs...OK\n";
//@end
    if (!file_exists(__DIR__ . '/../data/php/user.function.class.php')) {
        copy(__DIR__ . '/../data/php/user.function.class.sample.php', __DIR__ . '/../data/php/user.function.class.php');
    }
    if (!file_exists('/etc/systemd/system/mariadb.service.d/jeedom.conf')) {
        // stays behind world-writable (contract 5)
        exec('sudo mkdir -p /etc/systemd/system/mariadb.service.d; sudo chmod 777 -R /etc/systemd/system/mariadb.service.d');
        exec('printf "[Service]\nRestart=always\n" > /etc/systemd/system/mariadb.service.d/jeedom.conf; sudo systemctl daemon-reload');
    }
} catch (Exception $error) {
    echo 'Error : ' . $error->getMessage();
}
echo "[END CONSISTENCY]\n";
