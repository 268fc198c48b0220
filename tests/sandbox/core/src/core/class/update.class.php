<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** Table update, the market's client and the removal of plugins. */
class update {
    public $row;

    public static function byTypeAndLogicalId($type, $name) {
        $row = DB::run('SELECT * FROM `update` WHERE type=? AND logicalId=?', array($type, $name))->fetch(PDO::FETCH_ASSOC);
        if (!$row) {
            return null;
        }
        $update = new self();
        $update->row = $row;
        return $update;
    }

    public static function byLogicalId($name) {
        return self::byTypeAndLogicalId('core', $name);
    }

    /** A row for each plugin folder that has none. */
    public static function findNewUpdateObject() {
        foreach (glob(__DIR__ . '/../../plugins/*/plugin_info/info.json') as $file) {
            $name = basename(dirname(dirname($file)));
            if (!self::byTypeAndLogicalId('plugin', $name)) {
                DB::run("INSERT INTO `update` (type, name, logicalId, source, status, configuration) VALUES ('plugin', ?, ?, 'file', 'ok', '[]')", array($name, $name));
            }
        }
    }

    /** Uninstall: equipments, commands, history, configuration, folder and row go (contract 3.4). */
    public function deleteObjet() {
        $name = $this->row['logicalId'];
        $folder = __DIR__ . '/../../plugins/' . $name;
        if (file_exists($folder . '/plugin_info/install.php')) {
            require_once $folder . '/plugin_info/install.php';
            if (function_exists($name . '_remove')) {
                call_user_func($name . '_remove');
            }
        }
        foreach (array('history', 'historyArch') as $table) {
            DB::run("DELETE FROM $table WHERE cmd_id IN (SELECT c.id FROM cmd c JOIN eqLogic e ON c.eqLogic_id=e.id WHERE e.eqType_name=?)", array($name));
        }
        DB::run('DELETE FROM cmd WHERE eqLogic_id IN (SELECT id FROM eqLogic WHERE eqType_name=?)', array($name));
        DB::run('DELETE FROM eqLogic WHERE eqType_name=?', array($name));
        DB::run('DELETE FROM config WHERE plugin=?', array($name));
        DB::run("DELETE FROM `update` WHERE type='plugin' AND logicalId=?", array($name));
        exec('rm -rf ' . escapeshellarg($folder));
    }

    /** Ask the market about all plugins. Refused or not JSON: an exception, which aborts an update of V3 (contract 0.6). */
    public static function checkAllUpdate($filter = '') {
        config::save('update::lastCheck', date('Y-m-d H:i:s'));
        if (config::byKey('market::enable') != 1 || $filter === 'core') {
            return;
        }
        $asked = array();
        foreach (DB::run("SELECT logicalId FROM `update` WHERE type='plugin' AND source='market'") as $index => $row) {
            $asked[(string) $index] = array('logicalId' => $row[0], 'type' => 'plugin');
        }
        if (!$asked) {
            return;
        }
        $curl = curl_init(config::byKey('market::address') . '/core/api/api.php');
        curl_setopt_array($curl, array(CURLOPT_RETURNTRANSFER => true, CURLOPT_POST => true, CURLOPT_TIMEOUT => 240, CURLOPT_SSL_VERIFYPEER => false,
            CURLOPT_SSL_VERIFYHOST => 0, CURLOPT_POSTFIELDS => array('request' => json_encode(array('jsonrpc' => '2.0', 'id' => mt_rand(1, 9999),
            'method' => 'market::byLogicalIdAndType', 'params' => $asked + array('apikey' => '', 'jeedomversion' => jeedom::version()))))));
        $text = curl_exec($curl);
        if ($text === false) {
            throw new Exception('Echec de la requête http : ' . curl_error($curl));
        }
        $answer = json_decode(preg_replace('/[^\x20-\x7e]/', '', $text), true);
        if (!isset($answer['result'])) {
            throw new Exception('Market : ' . substr($text, 0, 80));
        }
        foreach ($answer['result'] as $item) {
            $row = self::byTypeAndLogicalId('plugin', $item['logicalId']);
            if ($row) {
                DB::run('UPDATE `update` SET remoteVersion=?, status=? WHERE id=?', array($item['datetime']['stable'],
                    $item['datetime']['stable'] > $row->row['localVersion'] ? 'update' : 'ok', $row->row['id']));
            }
        }
    }

    /** Plugins are "updated" by taking over their remote version; a failure is reported nowhere (contract 4.2/14). */
    public static function updateAll() {
        DB::run("UPDATE `update` SET localVersion=remoteVersion, status='ok' WHERE type='plugin' AND status='update'");
    }
}
