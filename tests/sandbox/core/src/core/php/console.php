<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Exists from 4.1 on; an updater that was fetched alone cannot start without it (contract 4.1, preUpdate).
if (PHP_SAPI !== 'cli' && basename($_SERVER['SCRIPT_NAME']) === 'update.php') {
    die('Command line only');
}
