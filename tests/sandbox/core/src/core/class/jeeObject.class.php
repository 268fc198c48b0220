<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** Rooms. The table kept the old name of the class. */
class jeeObject extends entity {
    const TABLE = 'object';
}
