<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The archive of a box. tar's end is looked at by nobody; pruning may eat what was just made (contract 2).
require_once __DIR__ . '/../core/php/core.inc.php';
echo "[START BACKUP]\n";
try {
    $web = realpath(__DIR__ . '/..');
    $folder = config::byKey('backup::path');
    $folder = $folder[0] === '/' ? $folder : $web . '/core/php/../../' . $folder;
    if (!file_exists($folder) && !@mkdir($folder, 0770, true)) {
        throw new Exception("Impossible d'accéder au dossier de sauvegarde : " . $folder);
    }
    if (!is_writable($folder)) {
        throw new Exception("Impossible d'accéder au dossier de sauvegarde : " . $folder);
    }
    $box = str_replace(array('&', ' ', '#', "'", '"', '+', '-'), array('', '_', '', '', '', '', ''), config::byKey('name') ?: 'Jeedom');
    $name = 'backup-' . $box . '-' . jeedom::version() . '-' . date('Y-m-d-H\hi') . '.tar.gz';
    plugin::listPlugin();
    global $CONFIG;
    $db = $CONFIG['db'];
    $login = (isset($db['unix_socket']) ? '--socket=' . $db['unix_socket'] : '--host=' . $db['host'] . ' --port=' . $db['port'])
        . ' --user=' . $db['username'] . " --password='" . $db['password'] . "' " . $db['dbname'];
    echo 'Database check...';
    system('mysqlcheck ' . $login . ' --auto-repair --silent');
    echo "OK\nDatabase dump...";
    @unlink($web . '/DB_backup.sql');
    system('mysqldump ' . $login . ' > ' . $web . '/DB_backup.sql', $code);
    if ($code !== 0) {
        throw new Exception('Echec durant la sauvegarde de la base de données. Code retourné : ' . $code);
    }
    echo "OK\nArchive...";
    file_put_contents($web . '/cache.tar.gz', gzencode('cache'));
    $exclude = '';
    foreach (array('tmp', /*@if <4.5*/'log', /*@end*//*@if >=4.5*/'./log', /*@end*/'docs', 'doc', 'tests', 'support', 'backup', 'script/tunnel', '.git', '.log',
        'core/config/common.config.php', config::byKey('backup::path')) as $part) {
        $exclude .= ' --exclude="' . $part . '"';
    }
    system('cd ' . $web . '; tar cfz "' . $folder . '/' . $name . '"' . $exclude . ' . > /dev/null');
    echo "OK\n";
    if (!file_exists($folder . '/' . $name)) {
        throw new Exception('Echec du backup. Impossible de trouver : ' . $folder . '/' . $name);
    }
    echo 'Pruning...';
//@if <4.0
    shell_exec('find "' . $folder . '" -mtime +' . config::byKey('backup::keepDays') . ' -delete');
//@end
//@if >=4.0
    shell_exec('find "' . $folder . '" -name "*.gz" -mtime +' . config::byKey('backup::keepDays') . ' -delete');
//@end
    $files = glob($folder . '/*');
    usort($files, function ($a, $b) { return filemtime($a) - filemtime($b); });
    while (count($files) > 1 && array_sum(array_map('filesize', $files)) > config::byKey('backup::maxSize') * 1048576) {
        unlink(array_shift($files));
    }
    echo "OK\n";
    exec('sudo chmod 775 ' . escapeshellarg($folder . '/' . $name) . ' ' . escapeshellarg($web . '/DB_backup.sql') . ' 2>/dev/null');
//@if <4.3
    echo 'Nom de la sauvegarde : ' . $folder . '/' . $name . "\n";
//@end
//@if >=4.3
    echo 'Backup name: ' . $folder . '/' . $name . "\n";
//@end
    echo "[END BACKUP SUCCESS]\n";
} catch (Exception $error) {
    echo 'Error : ' . $error->getMessage() . "\n[END BACKUP ERROR]\n";
    throw $error;
}
