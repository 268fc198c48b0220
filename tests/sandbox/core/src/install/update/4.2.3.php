<?php
// SPDX-License-Identifier: GPL-3.0-or-later
require_once __DIR__ . '/../../core/php/core.inc.php';
echo 'Fix repo issue';
