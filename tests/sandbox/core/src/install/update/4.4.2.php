<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Themes got new names; the one that looked like V3 is gone.
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (array('default_bootstrap_theme' => 'jeedom_theme_main', 'default_bootstrap_theme_night' => 'jeedom_theme_alternate') as $old => $new) {
    $value = config::byKey($old);
    if ($value !== '') {
        config::save($new, stripos($value, 'legacy') !== false ? 'core2019_Light' : $value);
    }
}
