<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class system {
    /** Processes whose line matches, without lines that match $without: that is all the guard there is (contract 0.5). */
    public static function ps($find, $without = '') {
        $command = 'ps ax | grep -i "' . $find . '" | grep -v grep' . ($without === '' ? '' : ' | grep -v "' . $without . '"');
        return array_filter(explode("\n", trim((string) shell_exec($command))));
    }

    public static function kill($pid) {
        if (is_numeric($pid) && !posix_kill((int) $pid, SIGTERM)) {
            exec('sudo kill -9 ' . (int) $pid);
        }
    }

    public static function php($arguments) {
        return exec('php ' . $arguments);
    }
}
