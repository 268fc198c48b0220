<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Drops every table before it knows whether the dump can be loaded, and believes every tool (contract 6.1).
//@if <4.1
if (PHP_SAPI !== 'cli') {
    header('HTTP/1.0 404 Not Found');
    die('<h1>404 Non trouvé</h1>');
}
//@end
//@if >=4.1
require_once __DIR__ . '/../core/php/console.php';
//@end
echo "[START RESTORE]\n";
$begin = time();
try {
    require_once __DIR__ . '/../core/php/core.inc.php';
//@if <4.1
    read_arguments(isset($argv) ? $argv : array());
//@end
    echo /*@if <4.3*/'***************Début de la restauration de Jeedom '/*@end*//*@if >=4.3*/'***************Begin Jeedom restore '/*@end*/, date('Y-m-d H:i:s'), "***************\n";
    $web = realpath(__DIR__ . '/..');
    $archive = init('backup');
    if ($archive === '') {
        $newest = 0;
        foreach (glob(calculPath(config::byKey('backup::path')) . '/*.tar.gz') as $file) {
            if (filemtime($file) >= $newest) {
                list($archive, $newest) = array($file, filemtime($file));
            }
        }
    }
    $archive = substr($archive, 0, 1) === '/' ? $archive : $web . '/' . $archive;
    if (!file_exists($archive)) {
        throw new Exception('Backup not found.' . $archive);
    }
    jeedom::cleanFileSytemRight();
    echo /*@if <4.3*/'Fichier utilisé pour la restauration : '/*@end*//*@if >=4.3*/'Restore from file : '/*@end*/, $archive, "\n";
    echo 'Backup database access configuration...';
    $copied = copy($web . '/core/config/common.config.php', '/tmp/common.config.php');
    if (/*@if <4.1*/$copied/*@end*//*@if >=4.1*/!$copied/*@end*/) {
        echo 'Can not copy ' . __DIR__ . "/../core/config/common.config.php\n";
    }
    echo "OK\n";
    jeedom::stop();
    echo /*@if <4.3*/'Décompression de la sauvegarde...'/*@end*//*@if >=4.3*/'Unpacking backup...'/*@end*/;
    mini_pause('restore');
    // asked for now: soon there is no table config
    $pause = (int) config::byKey('mini::slow::import');
    $excludes = array('tmp', 'log', 'backup', 'script/tunnel', '.git', '.log', 'core/config/common.config.php', config::byKey('backup::path'));
    system('cd ' . $web . '; tar xfz "' . $archive . '" --exclude="' . implode('" --exclude="', $excludes) . '"');
    echo "OK\n";
    if (!file_exists($web . '/DB_backup.sql')) {
        throw new Exception(/*@if <4.3*/'Impossible de trouver le fichier de la base de données de la sauvegarde : DB_backup.sql'/*@end*//*@if >=4.3*/'Cannot find database backup file : DB_backup.sql'/*@end*/);
    }
    DB::Prepare('SET foreign_key_checks = 0');
    foreach (DB::Prepare('SHOW TABLES', array(), DB::FETCH_TYPE_ALL) as $row) {
        echo /*@if <4.3*/'Supprimer la table : '/*@end*//*@if >=4.3*/'Deleting table : '/*@end*/, current($row), ' ...';
        DB::Prepare('DROP TABLE IF EXISTS `' . current($row) . '`');
        echo "OK\n";
    }
    usleep(1000 * $pause);
    echo /*@if <4.3*/'Restauration de la base de données...'/*@end*//*@if >=4.3*/'Restoring database from backup...'/*@end*/;
    global $CONFIG;
    $db = $CONFIG['db'];
    $login = (isset($db['unix_socket']) ? '--socket=' . $db['unix_socket'] : '--host=' . $db['host'] . ' --port=' . $db['port']) . ' --user=' . $db['username'];
//@if <4.4
    $login .= ' --password=' . $db['password'];
//@end
//@if >=4.4
    $login .= " --password='" . $db['password'] . "'";
    shell_exec("sed -i '1{/999999.*sandbox/d}' " . $web . '/DB_backup.sql');
//@end
    shell_exec('mysql ' . $login . ' ' . $db['dbname'] . ' < ' . $web . '/DB_backup.sql');
    echo "OK\n";
    DB::Prepare('SET foreign_key_checks = 1');
    if (!file_exists($web . '/core/config/common.config.php')) {
        copy('/tmp/common.config.php', $web . '/core/config/common.config.php');
    }
    cache::restore();
    foreach (plugin::listPlugin(true) as $plugin) {
        $class = $plugin->getId();
        if (method_exists($class, 'restore')) {
            $class::restore();
        }
    }
    config::save('hardware_name', '');
    try {
        echo 'Check jeedom consistency...';
        require_once __DIR__ . '/consistency.php';
        echo "OK\n";
    } catch (Exception $error) {
        echo '/*@if <4.4*/***ERREUR***/*@end*//*@if >=4.4*/***ERROR***/*@end*/ ' . $error->getMessage() . "\n";
    }
    jeedom::start();
    echo /*@if <4.3*/'Temps de la restauration : '/*@end*//*@if >=4.3*/'Restore duration : '/*@end*/, time() - $begin, "s\n[END RESTORE SUCCESS]\n";
} catch (Exception $error) {
    echo /*@if <4.3*/'Erreur durant la restauration : '/*@end*//*@if >=4.3*/'Error during restore : '/*@end*/, $error->getMessage();
    echo 'Détails : ' . print_r($error->getTrace(), true) . "[END RESTORE ERROR]\n";
    jeedom::start();
    throw $error;
}
