<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** One connection; never comes back once it is lost, as in the genuine core (contract 7). */
class DB {
    private static $connection = null;

    public static function connection() {
        if (self::$connection === null) {
            global $CONFIG;
            $db = $CONFIG['db'];
            $where = isset($db['unix_socket']) ? 'unix_socket=' . $db['unix_socket'] : 'host=' . $db['host'] . ';port=' . $db['port'];
            self::$connection = new PDO('mysql:' . $where . ';dbname=' . $db['dbname'] . ';charset=utf8mb4', $db['username'], $db['password'],
                array(PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION));
        }
        return self::$connection;
    }

    public static function run($sql, $values = array()) {
        $statement = self::connection()->prepare($sql);
        $statement->execute($values);
        return $statement;
    }

    /** Make the schema that of install/database.json: new tables and columns come, unknown columns go (user-pains B13). */
    public static function compareAndFix($wanted) {
        foreach ($wanted as $table => $columns) {
            $there = array();
            foreach (self::run('SELECT column_name FROM information_schema.columns WHERE table_schema=DATABASE() AND table_name=?', array($table)) as $row) {
                $there[] = $row[0];
            }
            if (!$there) {
                self::run(self::create($table, $columns));
                continue;
            }
            foreach ($columns['columns'] as $name => $type) {
                if (!in_array($name, $there)) {
                    self::run("ALTER TABLE `$table` ADD `$name` $type");
                }
            }
            foreach (array_diff($there, array_keys($columns['columns'])) as $name) {
                self::run("ALTER TABLE `$table` DROP `$name`");
            }
        }
    }

    public static function create($table, $description) {
        $lines = array();
        foreach ($description['columns'] as $name => $type) {
            $lines[] = "`$name` $type";
        }
        foreach ($description['keys'] as $key) {
            $lines[] = $key;
        }
        return "CREATE TABLE IF NOT EXISTS `$table` (" . implode(', ', $lines) . ') ENGINE=' . $description['engine'] . ' DEFAULT CHARSET=utf8mb4';
    }
}
