<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Makes the archive of a box. Nobody looks at how tar ends, and pruning may eat what has just been made (contract 2).
//@if <4.1
if (PHP_SAPI !== 'cli') {
    header('HTTP/1.0 404 Not Found');
    die('<h1>404 Non trouvé</h1>');
}
//@end
//@if >=4.1
require_once __DIR__ . '/../core/php/console.php';
//@end
echo "[START BACKUP]\n";
$begin_backup = time();
try {
    require_once __DIR__ . '/../core/php/core.inc.php';
//@if <4.1
    read_arguments(isset($argv) ? $argv : array());
//@end
    echo '***************Start of Jeedom backup at ' . date('Y-m-d H:i:s') . "***************\n";
    echo /*@if <4.3*/"Envoi l'évènement de début de sauvegarde..."/*@end*//*@if >=4.3*/'Send begin backup event...'/*@end*/;
    jeedom::event('begin_backup');
    echo "OK\n", /*@if <4.3*/'Vérification des droits sur les fichiers...'/*@end*//*@if >=4.3*/'Checking files rights...'/*@end*/;
    jeedom::cleanFileSytemRight();
    echo "OK\n";
    global $CONFIG, $NO_PLUGIN_BACKUP;
    $web = realpath(__DIR__ . '/..');
    $folder = calculPath(config::byKey('backup::path'));
    if (!file_exists($folder)) {
        mkdir($folder, 0770, true);
    }
    if (!is_writable($folder)) {
        throw new Exception(/*@if <4.3*/"Impossible d'accéder au dossier de sauvegarde. Veuillez vérifier les droits : "/*@end*//*@if >=4.3*/"Can't access backup folder. Check rights: "/*@end*/ . $folder);
    }
    $box = str_replace(array('&', '#', "'", '"', '+', '-', ' '), array('', '', '', '', '', '', '_'), config::byKey('name', 'core', 'Jeedom'));
    $name = 'backup-' . $box . '-' . jeedom::version() . '-' . date('Y-m-d-H\hi') . '.tar.gz';
    $plugins = empty($NO_PLUGIN_BACKUP) ? plugin::listPlugin(true, false, true, false) : array();
    foreach ($plugins as $plugin) {
        $class = $plugin->getId();
        if (method_exists($class, 'backup')) {
            echo /*@if <4.3*/'Backup plugin '/*@end*//*@if >=4.3*/'Backing up plugin '/*@end*/ . $class . '...';
            $class::backup();
            echo "OK\n";
        }
    }
    $db = $CONFIG['db'];
    // quoted by hand: a password with an apostrophe breaks out
    $login = (isset($db['unix_socket']) ? '--socket=' . $db['unix_socket'] : '--host=' . $db['host'] . ' --port=' . $db['port'])
        . ' --user=' . $db['username'] . " --password='" . $db['password'] . "' " . $db['dbname'];
    echo /*@if <4.3*/'Vérification de la base de données...'/*@end*//*@if >=4.3*/'Checking  database...'/*@end*/;
    system('mysqlcheck ' . $login . ' --auto-repair --silent');
    echo "OK\n", /*@if <4.3*/'Sauvegarde la base de données...'/*@end*//*@if >=4.3*/'Backing up database...'/*@end*/;
    $dump = $web . '/DB_backup.sql';
    if (file_exists($dump) && !unlink($dump)) {
        system('sudo rm ' . $dump);
    }
    system('mysqldump ' . $login . ' > ' . $dump, $code);
    if ($code !== 0) {
        throw new Exception(/*@if <4.3*/'Echec durant la sauvegarde de la base de données. Vérifiez que mysqldump est présent. Code retourné : '/*@end*//*@if >=4.3*/'Backing up database failed. Check mysqldump installation. Code: '/*@end*/ . $code);
    }
    echo "OK\n", /*@if <4.3*/'Persistance du cache : '/*@end*//*@if >=4.3*/'Cache persistence: '/*@end*/, "\n";
    cache::persist();
    echo "OK\n", /*@if <4.3*/"Création de l'archive..."/*@end*//*@if >=4.3*/"Creating archive...\n"/*@end*/;
    mini_pause('backup');
    // none of them is anchored: they hit at any depth
    $excludes = array('tmp', /*@if <4.5*/'log'/*@end*//*@if >=4.5*/'./log'/*@end*/, 'docs', 'doc', 'tests', 'support', 'backup', 'script/tunnel', '.git', '.log',
        'core/config/common.config.php', config::byKey('backup::path'));
//@if >=4.4
    $excludes = array_merge($excludes, array('.gitignore', 'node_modules', 'data/imgOs', 'python_venv', 'resources/venv'));
    foreach ($plugins as $plugin) {
        $class = $plugin->getId();
        foreach (method_exists($class, 'backupExclude') ? $class::backupExclude() : array() as $part) {
            $excludes[] = 'plugins/' . $class . '/' . $part;
        }
    }
//@end
    if (config::byKey('recordDir', 'camera') !== '') {
        $excludes[] = config::byKey('recordDir', 'camera');
    }
    // the name of the box reaches the shell in double quotes (contract 2.3)
    system('cd ' . $web . ';tar cfz "' . $folder . '/' . $name . '" --exclude="' . implode('" --exclude="', $excludes) . '" . > /dev/null');
    echo "OK\n";
    clearstatcache();
    if (!file_exists($folder . '/' . $name)) {
        throw new Exception(/*@if <4.3*/'Echec du backup. Impossible de trouver : '/*@end*//*@if >=4.3*/"Backup failed. Can't find: "/*@end*/ . $folder . '/' . $name);
    }
    echo /*@if <4.3*/"Nettoyage de l'ancienne sauvegarde..."/*@end*//*@if >=4.3*/'Cleaning old backup...'/*@end*/;
    shell_exec('find "' . $folder . '"/*@if >=4.0*/ -name "*.gz"/*@end*/ -mtime +' . config::byKey('backup::keepDays') . ' -delete');
    echo "OK\n", /*@if <4.3*/'Limitation de la taille des sauvegardes à ' . config::byKey('backup::maxSize') . ' Mo...'/*@end*//*@if >=4.3*/'Limiting backup size to ' . config::byKey('backup::maxSize') . ' Mb...'/*@end*/, "\n";
    for ($removed = 0; $removed < 50 && getDirectorySize($folder) > config::byKey('backup::maxSize') * 1048576 && count(ls($folder)) > 1; $removed++) {
        $files = array_filter(array_merge(glob($folder . '/*'), glob($folder . '/*/*')), 'is_file');
        usort($files, function ($one, $other) { return filemtime($one) - filemtime($other); });
        echo /*@if <4.3*/'Supprime : '/*@end*//*@if >=4.3*/'Delete: '/*@end*/, $files[0], "\n";
        unlink($files[0]);
        clearstatcache();
    }
    echo "OK\n", /*@if <4.3*/'Nom de la sauvegarde : '/*@end*//*@if >=4.3*/'Backup name: '/*@end*/, $folder . '/' . $name, "\n";
    echo /*@if <4.3*/'Vérification des droits sur les fichiers...'/*@end*//*@if >=4.3*/'Checking files rights...'/*@end*/;
    jeedom::cleanFileSytemRight();
    echo "OK\n", /*@if <4.3*/"Envoi l'évènement de fin de sauvegarde..."/*@end*//*@if >=4.3*/'Send end backup event...'/*@end*/;
    jeedom::event('end_backup');
    echo "OK\n", /*@if <4.3*/'Durée de la sauvegarde : '/*@end*//*@if >=4.3*/'Backup operation duration: '/*@end*/, time() - $begin_backup, "s\n";
    echo /*@if <4.3*/'***************Fin de la sauvegarde de Jeedom***************'/*@end*//*@if >=4.3*/'***************Jeedom backup end***************'/*@end*/, "\n";
    echo "[END BACKUP SUCCESS]\n";
} catch (Exception $error) {
    echo /*@if <4.3*/'Erreur durant la sauvegarde : '/*@end*//*@if >=4.3*/'Error during backup: '/*@end*/, $error->getMessage();
    echo 'Détails : ' . print_r($error->getTrace(), true) . "[END BACKUP ERROR]\n";
    throw $error;
}
