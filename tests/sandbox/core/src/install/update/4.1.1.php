<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Administrators' personal keys are made anew (user-pains B16).
require_once __DIR__ . '/../../core/php/core.inc.php';
DB::run("UPDATE user SET hash=SHA2(RAND(), 256) WHERE profils='admin' AND options NOT LIKE '%doNotRotateHash%'");
