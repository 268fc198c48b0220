<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class scenario extends entity {
    const TABLE = 'scenario';

    /** Scenarios of the miniature do nothing, but they ask for the date each minute, and die of it (contract 0.2). */
    public static function check() {
        if (config::byKey('enableScenario') != 1) {
            return false;
        }
        return jeedom::isDateOk();
    }

    public static function control() {
    }

    public function stop() {
        return true;
    }
}
