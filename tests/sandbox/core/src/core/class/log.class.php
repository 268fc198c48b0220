<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** Logs need vendor/psr/log, which Jeedom's own archive leaves out (contract 0.9). */
class log {
    public static function add($name, $level, $message) {
//@if <4.5
        if (!interface_exists('Psr\Log\LoggerInterface')) {
            require_once __DIR__ . '/../../vendor/psr/log/Psr/Log/LoggerInterface.php';
        }
//@end
        file_put_contents(__DIR__ . '/../../log/' . basename($name), '[' . date('Y-m-d H:i:s') . '][' . strtoupper($level) . '] : ' . $message . "\n", FILE_APPEND);
    }
}
