<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// A widget's name gets a prefix that says where it is; unknown ones stay as they are (user-pains B2).
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (cmd::all() as $cmd) {
    foreach (array('dashboard', 'mobile') as $view) {
        $name = $cmd->getTemplate($view);
        if ($name === 'default' || strpos($name, '::') !== false) {
            continue;
        }
        $file = $view . '/cmd.' . $cmd->getType() . '.' . $cmd->getSubType() . '.' . $name . '.html';
        if ($name === '') {
            $cmd->setTemplate($view, 'default');
        } elseif (file_exists(__DIR__ . '/../../core/template/' . $file)) {
            $cmd->setTemplate($view, 'core::' . $name);
        } elseif (file_exists(__DIR__ . '/../../data/customTemplates/' . $file)) {
            $cmd->setTemplate($view, 'customtemp::' . $name);
        }
    }
    $cmd->save();
}
