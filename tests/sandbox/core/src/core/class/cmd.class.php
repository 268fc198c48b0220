<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class cmd extends entity {
    const TABLE = 'cmd';

    protected static function classOf($row) {
        return $row['eqType'] && class_exists($row['eqType'] . 'Cmd') ? $row['eqType'] . 'Cmd' : 'cmd';
    }

    public static function byEqLogicId($id) {
        return self::find('eqLogic_id=?', array($id));
    }

    /** Last value and date: in the cache, in no table. */
    public function getCache() {
        return cache::byKey('cmdCacheAttr' . $this->getId())->getValue(array());
    }

    public function setCache($value) {
        cache::set('cmdCacheAttr' . $this->getId(), $value);
    }

    /** A new value: into the cache, and into the history. */
    public function event($value) {
        $this->setCache(array('value' => $value, 'valueDate' => date('Y-m-d H:i:s')));
        if ($this->getIsHistorized() == 1) {
            DB::Prepare('REPLACE INTO history (cmd_id, datetime, value) VALUES (?, ?, ?)', array($this->getId(), date('Y-m-d H:i:s'), $value));
        }
    }

    public function remove() {
        foreach (array('history', 'historyArch') as $table) {
            DB::Prepare("DELETE FROM $table WHERE cmd_id=?", array($this->getId()));
        }
        parent::remove();
    }
}
