<?php
// SPDX-License-Identifier: GPL-3.0-or-later

/** A request or command line value. */
function init($name, $default = '') {
    return isset($_GET[$name]) ? $_GET[$name] : (isset($_POST[$name]) ? $_POST[$name] : $default);
}

/** key=value arguments of a command line; a second "=" cuts the value (contract 4.1). */
function read_arguments($argv) {
    foreach ($argv as $argument) {
        $parts = explode('=', $argument);
        if (isset($parts[1])) {
            $_GET[$parts[0]] = $parts[1];
        }
    }
}

/** A path of the configuration: relative ones start at the web root. Deliberately not normalised (contract 2.2). */
function calculPath($path) {
    return strpos($path, '/') === 0 ? $path : __DIR__ . '/../../' . $path;
}

function rrmdir($path) {
    exec('rm -rf ' . escapeshellarg($path) . ' 2>/dev/null || sudo rm -rf ' . escapeshellarg($path));
    return !file_exists($path);
}

/** Names in a folder without hidden ones; folders end with a slash. */
function ls($folder, $pattern = '*') {
    return array_map(function ($path) {
        return basename($path) . (is_dir($path) ? '/' : '');
    }, glob($folder . '/' . $pattern) ?: array());
}

function getDirectorySize($folder) {
    $size = 0;
    if (!is_dir($folder)) {
        return $size;
    }
    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($folder, FilesystemIterator::SKIP_DOTS)) as $file) {
        $size += $file->isLink() ? 0 : $file->getSize();
    }
    return $size;
}

/** Move a tree over another in alphabetical order. Nothing is deleted there and no failure stops it (contract 4.2/10). */
function rmove($from, $to, $log = true) {
    if (is_dir($from)) {
        if (!file_exists($to)) {
            @mkdir($to);
        }
        foreach (array_diff(scandir($from), array('.', '..')) as $name) {
            rmove($from . '/' . $name, $to . '/' . $name, $log);
        }
        return;
    }
    mini_pause('move');
    $size = filesize($from);
    if ($size < 1) {
        // some names are empty in every release: they neither move nor tell
        if ($log && !preg_match('/empty|\.git|\.html|\.txt/', $from)) {
            echo 'Ignore file ' . $from . ' because size is ' . $size . "\n";
        }
        return;
    }
    $code = 0;
    if (!rename($from, $to)) {
        exec('sudo mv ' . $from . ' ' . $to, $output, $code);
    }
    clearstatcache(true, $to);
    if ($log && ($code !== 0 || $size !== @filesize($to))) {
        echo 'Error on move ' . $from . ' to ' . $to . "\n";
    }
}

/** Hook of the fault tests: config key mini::slow::<phase> in ms; mini::slow for each moved file, 50 times that for a script. */
function mini_pause($phase) {
    static $pauses = array();
    if (!isset($pauses[$phase])) {
        $factors = array('move' => 1, 'script' => 50);
        $pauses[$phase] = config::byKey('mini::slow::' . $phase)
            ?: (int) config::byKey('mini::slow') * (isset($factors[$phase]) ? $factors[$phase] : 0);
    }
    usleep(1000 * (int) $pauses[$phase]);
}
