<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The updater, with the traps of its version (contract 4): it drives the whole step in the process of the old code.
//@if >=4.1
require_once __DIR__ . '/../core/php/console.php';
//@end
echo "[START UPDATE]\n";
$begin = time();

function progress($percent) {
//@if >=4.0
    echo "[PROGRESS][$percent]\n";
//@end
}

/** Other updaters in the process list; lines with sudo are not counted, wrappers are (contract 0.5). */
function updaters() {
    exec('ps ax -o args | grep "install/update.php" | grep -v grep | grep -v sudo', $lines);
    return count($lines);
}

function next_version($version) {
    $part = array_map('intval', explode('.', $version));
    $part[2]++;
    if ($part[2] > 100) {
        $part[2] = 0;
        $part[1]++;
    }
    if ($part[1] > 100) {
        $part[1] = 0;
        $part[0]++;
    }
    return implode('.', $part);
}

/** Move a tree over another in alphabetical order; nothing is deleted there, and no failure stops it (contract 4.2/10). */
function move_tree($from, $to, $slow) {
    $names = array_diff(scandir($from), array('.', '..'));
    sort($names);
    foreach ($names as $name) {
        if (is_dir("$from/$name")) {
            if (!is_dir("$to/$name")) {
                @mkdir("$to/$name", 0775, true);
            }
            move_tree("$from/$name", "$to/$name", $slow);
            @rmdir("$from/$name");
            continue;
        }
        if ($slow) {
            usleep(1000 * $slow);
        }
        if (filesize("$from/$name") < 1) {
            echo "Ignore file $from/$name because size is 0\n";
            continue;
        }
        if (!@copy("$from/$name", "$to/$name")) {
            echo "Error on move $from/$name\n";
            continue;
        }
        unlink("$from/$name");
    }
}

function remove_tree($folder) {
    exec('sudo rm -rf ' . escapeshellarg($folder));
}

try {
    require_once __DIR__ . '/../core/php/core.inc.php';
    if (updaters() > 1) {
        echo "Update in progress. I will wait 10s\n";
        sleep(10);
        if (updaters() > 1) {
            echo "Update in progress. You need to wait before update\n[END UPDATE]\n";
            die();
        }
    }
    echo '****Update from ' . jeedom::version() . ' (' . date('Y-m-d H:i:s') . ")****\n";
    $current = config::byKey('version');
    $slow = (int) config::byKey('mini::slow');
    echo "Send begin of update event...OK\n";
    if (init('plugins', 1) == 1 && init('force') != 1) {
        echo 'Check update...';
        update::checkAllUpdate();
        echo "OK\n";
    }
    progress(5);
    echo "Check rights...OK\n";
    if (init('backup::before') == 1 && init('force') != 1) {
        jeedom::backup();
    }
    progress(10);
    if (init('core', 1) == 1) {
//@if <4.0
        jeedom::stop();
//@end
        $temporary = jeedom::tmp('install');
        if (init('update::reapply') === '' && config::byKey('update::allowCore') != 0) {
            $zip = $temporary . '/jeedom_update.zip';
            $provider = config::byKey('core::repo::provider');
            if ($provider === 'default') {
                $branch = config::byKey('core::branch');
                $address = 'https://github.com/jeedom/core/archive/' . $branch . '.zip';
//@if >=4.4
                if (strpos($branch, 'tag::') === 0) {
                    $address = 'https://github.com/jeedom/core/archive/refs/tags/' . substr($branch, 5) . '.zip';
                }
//@end
            } elseif ($provider === 'url') {
                $address = config::byKey('url::core::url');
            } else {
                throw new Exception('Unable to find repo class : repo_' . $provider);
            }
            echo "Download url : $address\nDownload in progress...";
            @unlink($zip);
//@if <4.1
            exec('wget --no-check-certificate --progress=dot --dot=mega ' . $address . ' -O ' . $zip . ' 2>&1');
//@end
//@if >=4.1
            exec('wget --progress=dot --dot=mega ' . $address . ' -O ' . $zip . ' 2>&1');
//@end
            if (@filesize($zip) < 100) {
                throw new Exception('Download failed please retry later');
            }
            echo "OK\n";
            progress(30);
            echo 'Create temporary folder...';
            remove_tree('/tmp/jeedom_unzip');
            mkdir('/tmp/jeedom_unzip', 0777, true);
            echo "OK\nUnzip in progress...";
            $archive = new ZipArchive();
            if ($archive->open($zip) !== true) {
                throw new Exception('Unable to unzip file : ' . $zip);
            }
            // a full disk is not noticed here: files come out empty or not at all
            @$archive->extractTo('/tmp/jeedom_unzip');
            $archive->close();
            echo "OK\n";
            progress(40);
            $inner = glob('/tmp/jeedom_unzip/*');
            $from = count($inner) === 1 && is_dir($inner[0] . '/core') ? $inner[0] : '/tmp/jeedom_unzip';
            if (init('preUpdate') == 1) {
                copy($from . '/install/update.php', __DIR__ . '/update.php');
                echo "Wait 10s before relaunch update\n";
                sleep(10);
                exec('nohup php ' . __DIR__ . '/update.php plugins=' . init('plugins', 1) . ' core=1 >> ' . __DIR__ . '/../log/update 2>&1 &');
                die();
            }
            echo 'Clean temporary files (tmp)...';
            remove_tree(__DIR__ . '/update');
//@if >=4.0
            remove_tree(__DIR__ . '/../core/template');
            remove_tree(__DIR__ . '/../core/themes');
//@end
            echo "OK\n";
//@if >=4.0
            jeedom::stop();
//@end
            echo 'Moving files...';
            move_tree($from, realpath(__DIR__ . '/..'), $slow);
            echo "OK\nRemove temporary files...";
            remove_tree($temporary);
            echo "OK\n";
            progress(50);
//@if useless
            if (strpos(config::byKey('core::branch'), 'tag::') !== 0) {
                echo "Remove useless files...\n";
                foreach (explode(' ', '@useless@') as $folder) {
                    shell_exec('find ' . __DIR__ . '/../' . $folder . '/* -mtime +@useless_days@ -type f ! -iname "custom.*" ! -iname "common.config.php" -delete');
                }
                echo "OK\n";
            }
//@end
//@if >=4.5
            echo "Update composer file...\nOK\n";
//@end
        } else {
//@if >=4.0
            jeedom::stop();
//@end
        }
        progress(60);
        if (init('update::reapply') !== '') {
            $current = init('update::reapply');
        }
        while (version_compare(jeedom::version(), $current, '>')) {
            $current = next_version($current);
            $script = __DIR__ . '/update/' . $current . '.php';
            if (file_exists($script)) {
                echo 'Update system into : ' . $current . '...';
                if ($slow) {
                    usleep(50000 * $slow);
                }
                // in a process of its own, with the new code; nobody looks at how it ends
                echo exec('sudo php ' . $script);
                echo "OK\n";
            }
            // one by one: thousands of writes from 3.3 to 4.0
            config::save('version', $current);
        }
        echo "Check jeedom consistency...\n";
        require __DIR__ . '/consistency.php';
        echo "OK\nCheck update...";
        update::checkAllUpdate('core');
        config::save('version', jeedom::version());
        DB::run("UPDATE `update` SET localVersion=?, status='ok' WHERE type='core'", array(jeedom::version()));
        echo "OK\n***************Jeedom is up to date in " . jeedom::version() . "***************\n";
    }
    progress(75);
    if (init('plugins', 1) == 1) {
        echo "***************Update plugins***************\n";
        update::updateAll();
        echo "***************Update plugin successfully***************\n";
    }
    progress(90);
    try {
        echo "Check update\n";
        update::checkAllUpdate();
        echo "OK\n";
    } catch (Exception $error) {
        echo '***ERREUR*** ' . $error->getMessage() . "\n";
    }
    jeedom::start();
    progress(100);
} catch (Exception $error) {
    echo 'Error during update : ' . $error->getMessage() . "\n[END UPDATE ERROR]\n";
    throw $error;
}
echo 'Update duration : ' . (time() - $begin) . "s\n[END UPDATE SUCCESS]\n";
