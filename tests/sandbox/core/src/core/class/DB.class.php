<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** One connection for the life of a process: once lost it does not come back (contract 7). */
class DB {
    const FETCH_TYPE_ROW = 0;
    const FETCH_TYPE_ALL = 1;
    private static $connection = null;

    public static function getConnection() {
        if (self::$connection === null) {
            global $CONFIG;
            $db = $CONFIG['db'];
            $where = isset($db['unix_socket']) ? 'unix_socket=' . $db['unix_socket'] : 'host=' . $db['host'] . ';port=' . $db['port'];
            self::$connection = new PDO('mysql:' . $where . ';dbname=' . $db['dbname'], $db['username'], $db['password'],
                array(PDO::MYSQL_ATTR_INIT_COMMAND => 'SET NAMES utf8', PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_SILENT));
        }
        return self::$connection;
    }

    public static function Prepare($sql, $values = array(), $type = self::FETCH_TYPE_ROW) {
        $statement = self::getConnection()->prepare($sql);
        $done = $statement !== false && $statement->execute($values);
        $error = $statement === false ? self::getConnection()->errorInfo() : $statement->errorInfo();
        if (!$done) {
            throw new Exception('[MySQL] Error code : ' . $error[0] . ' (' . $error[1] . '). ' . $error[2] . '  : ' . $sql);
        }
        if ($statement->columnCount() === 0) {
            return null;
        }
        $rows = $statement->fetchAll(PDO::FETCH_ASSOC);
        return $type === self::FETCH_TYPE_ALL ? $rows : ($rows ? $rows[0] : false);
    }

    /** Make the schema that of install/database.json. Unknown columns are dropped, unknown tables stay; errors wait till the end. */
    public static function compareAndFix($database, $table = 'all', $verbose = false) {
        $errors = '';
        foreach ($database as $name => $wanted) {
            $there = array();
            foreach (self::Prepare('SELECT column_name AS n, column_type AS t, is_nullable AS o FROM information_schema.columns
                WHERE table_schema=DATABASE() AND table_name=?', array($name), self::FETCH_TYPE_ALL) as $row) {
                $there[$row['n']] = $row['t'] . ($row['o'] === 'NO' ? ' NOT NULL' : '');
            }
            $fixes = $there ? array() : array(self::createTable($name, $wanted));
            foreach ($there ? $wanted['columns'] : array() as $column => $type) {
                if (!isset($there[$column])) {
                    $fixes[] = "ALTER TABLE `$name` ADD `$column` $type";
                } elseif (strpos($type, $there[$column]) !== 0 || strpos($type, 'NOT NULL') !== strpos($there[$column], 'NOT NULL')) {
                    $fixes[] = "ALTER TABLE `$name` MODIFY COLUMN `$column` $type";
                }
            }
            foreach (array_diff(array_keys($there), array_keys($wanted['columns'])) as $column) {
                $fixes[] = "ALTER TABLE `$name` DROP `$column`";
            }
            foreach ($fixes as $sql) {
                try {
                    echo $verbose ? "\nFix : " . $sql : '';
                    self::Prepare($sql);
                } catch (Exception $error) {
                    $errors .= $error->getMessage() . "\n";
                }
            }
        }
        if ($errors !== '') {
            throw new Exception($errors);
        }
        return true;
    }

    private static function createTable($name, $wanted) {
        $lines = $wanted['keys'];
        foreach (array_reverse($wanted['columns']) as $column => $type) {
            array_unshift($lines, "`$column` $type");
        }
        return "CREATE TABLE IF NOT EXISTS `$name` (" . implode(', ', $lines) . ') ENGINE ' . $wanted['engine'];
    }
}
