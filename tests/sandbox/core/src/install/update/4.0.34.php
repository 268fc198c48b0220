<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Administrators' personal keys are made anew, unless they said no (user-pains B16).
require_once __DIR__ . '/../../core/php/core.inc.php';
foreach (user::all() as $user) {
    if ($user->getProfils() === 'admin' && $user->getOptions('doNotRotateHash', 0) != 1) {
        $user->setHash('');
        $user->getHash();
    }
}
