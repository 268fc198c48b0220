<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Drops every table before it knows that the dump can be loaded, and believes every tool (contract 6.1).
require_once __DIR__ . '/../core/php/core.inc.php';
echo "[START RESTORE]\n";
try {
    $web = realpath(__DIR__ . '/..');
    $archive = init('backup');
    if ($archive === '') {
        $found = glob($web . '/' . config::byKey('backup::path') . '/*.tar.gz');
        $archive = end($found);
    }
    $archive = $archive[0] === '/' ? $archive : $web . '/' . $archive;
    if (!file_exists($archive)) {
        throw new Exception('Backup not found : ' . $archive);
    }
    copy($web . '/core/config/common.config.php', '/tmp/common.config.php');
    jeedom::stop();
    system('mkdir -p ' . $web . '; cd ' . $web . '; tar xfz "' . $archive . '"');
    if (!file_exists($web . '/DB_backup.sql')) {
        throw new Exception('Impossible de trouver le fichier de la base de données : DB_backup.sql');
    }
    foreach (DB::run('SHOW TABLES')->fetchAll() as $row) {
        DB::run("DROP TABLE `{$row[0]}`");
    }
    global $CONFIG;
    $db = $CONFIG['db'];
    shell_exec('mysql --host=' . $db['host'] . ' --user=' . $db['username'] . ' --password=' . $db['password'] . ' ' . $db['dbname'] . ' < ' . $web . '/DB_backup.sql');
    copy('/tmp/common.config.php', $web . '/core/config/common.config.php');
    plugin::listPlugin();
    shell_exec('php ' . $web . '/install/consistency.php');
    jeedom::start();
    echo "[END RESTORE SUCCESS]\n";
} catch (Exception $error) {
    echo 'Error : ' . $error->getMessage() . "\n[END RESTORE ERROR]\n";
    throw $error;
}
