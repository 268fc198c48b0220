<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The widgets of the plugin widget become the user's own.
require_once __DIR__ . '/../../core/php/core.inc.php';
$from = __DIR__ . '/../../plugins/widget/core/template';
if (file_exists($from)) {
    exec('mkdir -p ' . __DIR__ . '/../../data/customTemplates; cp -R ' . $from . '/* ' . __DIR__ . '/../../data/customTemplates/');
}
