<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The updater, with the traps of its version (contract 4). It drives the whole step in the process of the old code.
//@if <4.1
if (PHP_SAPI !== 'cli') {
    header('HTTP/1.0 404 Not Found');
    die('<h1>404 Non trouvé</h1>');
}
//@end
//@if >=4.1
require_once __DIR__ . '/../core/php/console.php';
//@end
set_time_limit(1800);
echo "[START UPDATE]\n";
$begin = time();

function progress($percent) {
//@if >=4.0
    echo "[PROGRESS][$percent]\n";
//@end
}

function next_version($version) {
    $part = array_map('intval', explode('.', $version));
    if ($part[2]++ >= 100) {
        $part[2] = 0;
        if ($part[1]++ >= 100) {
            $part[1] = 0;
            $part[0]++;
        }
    }
    return implode('.', $part);
}

/** force=1 goes on where everybody else stops. */
function unless_forced($error) {
    if (init('force') != 1) {
        throw $error;
    }
    echo '***ERROR***' . $error->getMessage();
}

function begin() {
    if (!DB::getConnection()->inTransaction()) {
        DB::getConnection()->beginTransaction();
    }
}

function commit() {
    if (DB::getConnection()->inTransaction()) {
        DB::getConnection()->commit();
    }
}

function run_script($version) {
    $script = __DIR__ . '/update/' . $version . '.php';
    if (file_exists($script)) {
        echo 'Update system into : ' . $version . '...';
        mini_pause('script');
        // a process of its own, with the new code; nobody looks at how it ends
        echo exec('sudo php ' . $script);
        echo "OK\n";
    }
}

function download($zip) {
    $provider = config::byKey('core::repo::provider');
    $branch = config::byKey('core::branch');
    $address = 'https://github.com/jeedom/core/archive/' . $branch . '.zip';
//@if >=4.4
    if (strpos($branch, 'tag::') === 0) {
        $address = 'https://github.com/jeedom/core/archive/refs/tags/' . substr($branch, 5) . '.zip';
    }
//@end
    if ($provider !== 'default') {
        if ($provider !== 'url') {
            throw new Exception('Unable to find repo class : repo_' . $provider);
        }
        if (config::byKey('url::enable') != 1) {
            throw new Exception('Repo is disable : repo_' . $provider);
        }
        exec('wget --no-check-certificate --progress=dot --dot=mega ' . config::byKey('url::core::url') . ' -O ' . $zip);
        return;
    }
    echo 'Download url : ' . $address . "\nDownload in progress...";
    @unlink($zip);
    exec('wget/*@if <4.1*/ --no-check-certificate/*@end*/ --progress=dot --dot=mega ' . $address . ' -O ' . $zip);
}

/** Download, unzip, move over the web root. */
function fetch_core() {
    $temporary = jeedom::getTmpFolder('install');
    $zip = $temporary . '/jeedom_update.zip';
    $web = __DIR__ . '/..';
    mini_pause('download');
    download($zip);
    progress(25);
    if (filesize($zip) < 100) {
        throw new Exception('Download failed please retry later');
    }
    echo "OK\nCleaning folders...";
    $from = '/tmp/jeedom_unzip';
    rrmdir($from);
    echo "OK\n";
    progress(30);
    echo 'Create temporary folder...';
    if (!mkdir($from, 0777, true)) {
        throw new Exception('Can not write into  : ' . $from . '.');
    }
    echo "OK\n";
    progress(35);
    echo 'Unzip in progress...';
    $archive = new ZipArchive();
    if ($archive->open($zip) !== true) {
        throw new Exception('Unable to unzip file : ' . $zip);
    }
    // a full disk is not noticed here: files come out empty
    if (!$archive->extractTo($from)) {
        throw new Exception('Can not unzip file');
    }
    $archive->close();
    echo "OK\n";
    mini_pause('unzip');
//@if >=4.0
    if (disk_free_space($from) < 10) {
        throw new Exception('Error no more free space on ' . $from . '. Free space : ' . disk_free_space($from));
    }
//@end
    progress(40);
    $inner = ls($from);
    $from .= count($inner) === 1 && file_exists($from . '/' . $inner[0] . 'core') ? '/' . rtrim($inner[0], '/') : '';
    if (init('preUpdate') == 1) {
        echo 'Update updater...';
        rmove($from . '/install/update.php', __DIR__ . '/update.php');
        echo "OK\nRemove temporary files...";
        rrmdir($temporary);
        echo "OK\nWait 10s before relaunch update\n";
        sleep(10);
        $_GET['preUpdate'] = 0;
        jeedom::update($_GET);
        progress(100);
        die();
    }
    echo 'Clean temporary files (tmp)...';
    shell_exec("rm -rf $web/install/update/* $web/doc $web/docs $web/support/*@if >=4.0*/ $web/core/template/* $web/core/themes/*/*@end*/");
    echo "OK\n";
//@if >=4.0
    jeedom::stop();
    progress(45);
//@end
//@if >=4.5
    echo 'Remove vendor folder (not use anymore)...';
    shell_exec("rm -rf $from/vendor");
    echo "OK\n";
    progress(46);
//@end
//@if >=4.4
    echo 'Update modification date of unzip file...';
    shell_exec("find $from/ -exec touch {} +");
    echo "OK\n";
    progress(47);
//@end
    echo 'Moving files...';
    rmove($from, $web);
    echo "OK\n";
    progress(50);
    echo 'Remove temporary files...';
    rrmdir($temporary);
    shell_exec("rm -rf/*@if <4.0*/ $web/tests/*@end*/ $web/.travis.yml $web/phpunit.xml.dist");
    echo "OK\n";
//@if useless
    progress(52);
    // a tag is not cleaned from 4.4 on; the old ones take the vendor folder along, whether a new one has come or not
    if (/*@if <4.4*/true/*@end*//*@if >=4.4*/strpos(config::byKey('core::branch'), 'tag::') !== 0/*@end*/) {
        echo "Remove useless files...\n";
        foreach (explode(' ', '@useless@') as $folder) {
            echo 'Cleaning ' . $folder . "\n";
            shell_exec("find $web/$folder/* -mtime +@useless_days@ -type f ! -iname 'custom.*' ! -iname 'common.config.php' -delete");
        }
//@if >=4.4
        echo "OK\n";
//@end
    }
//@if >=4.4
    progress(53);
//@end
//@end
//@if >=4.5
    if (exec('which composer | wc -l') == 0) {
        echo "\nNeed to install composer...OK\n";
    }
    echo "Update composer file...\nOK\n";
    progress(58);
//@end
//@if >=4.4
    echo "Update jeedom information date...\n";
    $update = update::byLogicalId('jeedom');
    if (is_object($update)) {
        $update->setUpdateDate(date('Y-m-d H:i:s'))->save();
    }
    echo "OK\n";
    progress(59);
//@end
//@if <4.4
    config::save('update::lastDateCore', date('Y-m-d H:i:s'));
//@end
}

try {
    require_once __DIR__ . '/../core/php/core.inc.php';
//@if <4.1
    read_arguments($argv);
//@end
    progress(1);
    for ($try = 0; count(system::ps('install/update.php', 'sudo')) > 1; $try++) {
        if ($try > 0) {
            echo "Update in progress. You need to wait before update\n[END UPDATE]\n";
            die();
        }
        echo "Update in progress. I will wait 10s\n";
        sleep(10);
    }
    echo '****Update from ' . jeedom::version() . ' (' . date('Y-m-d H:i:s') . ")****\nParameters : " . json_encode($_GET) . "\n";
    $current = config::byKey('version');
    echo 'Send begin of update event...';
    jeedom::event('begin_update');
    echo "OK\n";
    if (init('plugins', 1) == 1 && init('force') != 1) {
        echo 'Check update...';
        update::checkAllUpdate('', false);
        echo "OK\n";
    }
    progress(5);
    echo 'Check rights...';
    jeedom::cleanFileSytemRight();
    echo "OK\n";
    if (init('backup::before') == 1 && init('force') != 1) {
//@if <4.5
        global $NO_PLUGIN_BACKUP;
        $NO_PLUGIN_BACKUP = true;
//@end
        jeedom::backup();
    }
    progress(10);
//@if =4.4
    echo 'Save cache state of cmd and eqLogic...';
    $state = array('cmd' => array(), 'eqLogic' => array());
    foreach (array_merge(cmd::all(), eqLogic::all()) as $object) {
        $state[$object instanceof cmd ? 'cmd' : 'eqLogic'][$object->getId()] = $object->getCache();
    }
    file_put_contents('/tmp/jeedom/cache.json', json_encode($state));
    echo 'OK';
    progress(12);
//@end
    if (init('core', 1) == 1) {
        if (init('mode') === 'force') {
            echo "/!\ Force update /!\ \n";
        }
//@if <4.0
        // V3 switches the engine off before it downloads; all others after they unzipped
        jeedom::stop();
//@end
        progress(15);
        if (init('update::reapply') == '' && config::byKey('update::allowCore', 'core', 1) != 0) {
            try {
                fetch_core();
            } catch (Exception $error) {
                unless_forced($error);
            }
//@if >=4.0
        } else {
            jeedom::stop();
//@end
        }
        progress(/*@if <4.4*/55/*@end*//*@if >=4.4*/60/*@end*/);
        if (init('update::reapply') != '') {
            run_script(init('update::reapply'));
        } else {
            // one by one: thousands of writes from 3.3 to 4.0, here a hundred per commit so that tests need not wait for the disk
            for ($steps = 1; version_compare(jeedom::version(), $current, '>'); $steps++) {
                $current = next_version($current);
                if (file_exists(__DIR__ . '/update/' . $current . '.php') || $steps % 100 === 0) {
                    commit();
                }
                run_script($current);
                begin();
                config::save('version', $current);
            }
            commit();
        }
        try {
            echo 'Check jeedom consistency.../*@if >=4.0*/' . "\n" . '/*@end*/';
            require_once __DIR__ . '/consistency.php';
            echo "OK\n";
        } catch (Exception $error) {
            echo '/*@if <4.4*/***ERREUR***/*@end*//*@if >=4.4*/***ERROR***/*@end*/ ' . $error->getMessage() . "\n";
        }
        try {
            echo 'Check update...';
            update::checkAllUpdate('core', false);
            config::save('version', jeedom::version());
            echo "OK\n";
        } catch (Exception $error) {
            echo '/*@if <4.4*/***ERREUR***/*@end*//*@if >=4.4*/***ERROR***/*@end*/ ' . $error->getMessage() . "\n";
        }
        echo '***************Jeedom is up to date in ' . jeedom::version() . "***************\n";
    }
    progress(75);
    if (init('plugins', 1) == 1) {
        echo "***************Update plugins***************\n";
        update::updateAll();
        echo "***************Update plugin successfully***************\n";
    }
    progress(90);
    try {
        message::removeAll('update', 'newUpdate');
        echo "Check update\n";
        update::checkAllUpdate();
        echo "OK\n";
    } catch (Exception $error) {
        echo '/*@if <4.4*/***ERREUR***/*@end*//*@if >=4.4*/***ERROR***/*@end*/ ' . $error->getMessage() . "\n";
    }
    progress(95);
    jeedom::start();
    config::save('version', jeedom::version());
    progress(100);
} catch (Exception $error) {
    echo 'Error during update : ' . $error->getMessage() . 'Details : ' . print_r($error->getTrace(), true) . "[END UPDATE ERROR]\n";
    throw $error;
}
echo "Launch cron dependancy plugins...";
$cron = cron::byClassAndFunction('plugin', 'checkDeamon');
if (is_object($cron)) {
    $cron->start();
}
echo "OK\nSend end of update event...";
jeedom::event('end_update');
echo "OK\nUpdate duration : " . (time() - $begin) . "s\n[END UPDATE SUCCESS]\n";
