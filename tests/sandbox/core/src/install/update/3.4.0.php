<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Themes of V3 go, everybody gets those of V4.
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (ls(__DIR__ . '/../../core/themes') as $theme) {
    if (strpos($theme, 'core2019') === false) {
        rrmdir(__DIR__ . '/../../core/themes/' . $theme);
    }
}
foreach (user::all() as $user) {
    $user->setOptions('bootstrap_theme', 'core2019_Light')->setOptions('bootstrap_theme_night', 'core2019_Dark');
    $user->setOptions('theme_start_day_hour', '08:00')->setOptions('theme_end_day_hour', '20:00')->save();
}
