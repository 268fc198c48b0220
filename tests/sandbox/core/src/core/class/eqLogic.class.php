<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class eqLogic extends entity {
    const TABLE = 'eqLogic';

    protected static function classOf($row) {
        return $row['eqType_name'] !== '' && class_exists($row['eqType_name']) ? $row['eqType_name'] : 'eqLogic';
    }

    public static function byType($type) {
        return self::find('eqType_name=?', array($type));
    }

    public function getCmd() {
        return cmd::byEqLogicId($this->getId());
    }

    public function getCache() {
        return cache::byKey('eqLogicCacheAttr' . $this->getId())->getValue(array());
    }

    public function remove() {
        foreach ($this->getCmd() as $cmd) {
            $cmd->remove();
        }
        DB::Prepare("DELETE FROM viewData WHERE type='eqLogic' AND link_id=?", array($this->getId()));
        DB::Prepare("DELETE FROM plan WHERE link_type='eqLogic' AND link_id=?", array($this->getId()));
        parent::remove();
    }
}
