<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** A row of a table as an object: getX() and setX() for the column x, byId(), all(), save(), remove(). */
abstract class entity {
    const TABLE = '';
    /** Columns that hold JSON: getX(key, default), setX(key, value). */
    const JSON = array('configuration', 'display', 'template', 'options', 'position', 'css', 'status', 'category');
    protected $row = array();

    public static function find($where = '1', $values = array()) {
        $found = array();
        foreach (DB::Prepare('SELECT * FROM `' . static::TABLE . '` WHERE ' . $where, $values, DB::FETCH_TYPE_ALL) as $row) {
            // equipments and commands come as the classes of their plugin, where that is active
            $class = static::classOf($row);
            $object = new $class();
            $object->row = $row;
            $found[] = $object;
        }
        return $found;
    }

    protected static function classOf($row) {
        return get_called_class();
    }

    public static function all() {
        return static::find();
    }

    public static function byId($id) {
        $found = static::find('id=?', array($id));
        return $found ? $found[0] : false;
    }

    public function __call($name, $arguments) {
        $column = lcfirst(substr($name, 3));
        $json = static::TABLE !== 'cron' && in_array($column, self::JSON) && !(static::TABLE === 'update' && $column === 'status');
        $value = isset($this->row[$column]) ? $this->row[$column] : null;
        if (strpos($name, 'get') === 0) {
            if (!$json || !isset($arguments[0])) {
                return $value;
            }
            $all = json_decode($value, true);
            return isset($all[$arguments[0]]) ? $all[$arguments[0]] : (isset($arguments[1]) ? $arguments[1] : '');
        }
        if (strpos($name, 'set') !== 0) {
            throw new Error('Call to undefined method ' . get_class($this) . '::' . $name . '()');
        }
        if ($json && count($arguments) === 2) {
            $all = json_decode($value, true) ?: array();
            $all[$arguments[0]] = $arguments[1];
            $arguments[0] = json_encode($all, JSON_UNESCAPED_UNICODE);
        }
        $this->row[$column] = $arguments[0];
        return $this;
    }

    public function save() {
        $names = array_keys($this->row);
        $sql = 'INSERT INTO `' . static::TABLE . '` (`' . implode('`, `', $names) . '`) VALUES (' . implode(', ', array_fill(0, count($names), '?')) . ')';
        if (isset($this->row['id'])) {
            $sql .= ' ON DUPLICATE KEY UPDATE ' . implode(', ', array_map(function ($name) { return "`$name`=VALUES(`$name`)"; }, $names));
        }
        DB::Prepare($sql, array_values($this->row));
        if (!isset($this->row['id'])) {
            $this->row['id'] = DB::getConnection()->lastInsertId();
        }
        return true;
    }

    public function remove() {
        DB::Prepare('DELETE FROM `' . static::TABLE . '` WHERE id=?', array($this->row['id']));
    }
}
