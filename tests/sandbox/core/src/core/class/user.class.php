<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class user extends entity {
    const TABLE = 'user';

    public static function byHash($hash) {
        $found = self::find('hash=?', array($hash));
        return $found ? $found[0] : false;
    }

    /** The personal API key, made on first use. */
    public function getHash() {
        if (empty($this->row['hash'])) {
            $this->setHash(config::genKey());
            $this->setOptions('hashGenerated', date('Y-m-d H:i:s'));
            $this->save();
        }
        return $this->row['hash'];
    }
}
