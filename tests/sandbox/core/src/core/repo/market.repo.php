<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** The market's client: JSON-RPC in the form field request (contract 8). */
class repo_market {
    private static function identity() {
        $identity = array(
            'jeedomversion' => jeedom::version(), 'hwkey' => self::hardwareKey(), 'localIp' => trim((string) strtok((string) shell_exec('hostname -I'), ' ')),
            'jeedom_name' => config::byKey('name'), 'plugin_install_list' => plugin::listPlugin(false, false, false, true),
            'information' => array('nbMessage' => message::nbMessage(), 'nbUpdate' => update::nbNeedUpdate(), 'hardware' => jeedom::getHardwareName(),
                'uname' => php_uname(), 'language' => config::byKey('language')),
        );
        $user = config::byKey('market::username');
        if ($user !== '' && config::byKey('market::password') !== '') {
            $identity += array('username' => $user, 'password' => self::password(), 'password_type' => 'sha1',
                'market_api_key' => jeedom::getApiKey('apimarket'), 'url' => '');
//@if >=4.0
//@if <4.4
        } else {
            // 4.0 to 4.3 at least refuse to ask without a user: with plugins=1 and force=0 no update starts
            throw new Exception('Nom d\'utilisateur ou mot de passe pour market vide');
//@end
//@end
        }
        return $identity;
    }

    /** A password that was saved in clear is stored as its hash on first use. */
    private static function password() {
        $password = config::byKey('market::password');
        if (!preg_match('/^[0-9a-f]{40}$/i', $password)) {
            config::save('market::password', sha1($password));
        }
        return config::byKey('market::password');
    }

    private static function hardwareKey() {
        if (config::byKey('jeedom::installKey') === '') {
            config::save('jeedom::installKey', substr(hash('sha512', random_bytes(32)), 0, 63));
        }
        return config::byKey('jeedom::installKey');
    }

    private static function request($method, $parameters, $timeout) {
        $address = config::byKey('market::address') . '/core/api/api.php';
        $curl = curl_init($address);
        // as in the genuine client, names given by the box win over the caller's
        curl_setopt_array($curl, array(CURLOPT_RETURNTRANSFER => true, CURLOPT_POST => true, CURLOPT_TIMEOUT => $timeout,
            CURLOPT_POSTFIELDS => array('request' => json_encode(array('jsonrpc' => '2.0', 'id' => mt_rand(1, 9999), 'method' => $method,
                'params' => array_merge($parameters, array('apikey' => ''), self::identity()))))));
//@if <4.0
        $verify = false;
//@end
//@if >=4.0
        $verify = config::byKey('market::no_ssl_verify') != 1;
//@end
        curl_setopt_array($curl, array(CURLOPT_SSL_VERIFYPEER => $verify, CURLOPT_SSL_VERIFYHOST => $verify ? 2 : 0));
        $text = curl_exec($curl);
        if ($text === false) {
            throw new Exception('Erreur curl sur : ' . $address . '. Détail :' . curl_error($curl));
        }
        // everything but printable ASCII goes before the answer is read
        $answer = json_decode(preg_replace('/[^\x20-\x7e]/', '', $text), true);
        if (!is_array($answer)) {
            $status = curl_getinfo($curl, CURLINFO_HTTP_CODE);
            throw new Exception($status != 200 ? 'Erreur http : ' . $status . ' Details : ' . $text : '9999<br/>Reponse is not json : ' . $text);
        }
        if (!isset($answer['result'])) {
            throw new Exception('Code : ' . $answer['error']['code'] . '<br/>Message : ' . $answer['error']['message'], $answer['error']['code']);
        }
        config::save('market::lastCommunication', date('Y-m-d H:i:s'));
        return $answer['result'];
    }

    /** One plugin: 10 s. A list of pairs: 240 s, and an object keyed by type and name. */
    public static function byLogicalIdAndType($logicalId, $type = '') {
        return is_array($logicalId) ? self::request('market::byLogicalIdAndType', $logicalId, 240)
            : self::request('market::byLogicalIdAndType', array('logicalId' => $logicalId, 'type' => $type), 10);
    }

    public static function checkUpdate($updates) {
        $asked = array();
        foreach ($updates as $update) {
            $asked[] = array('logicalId' => $update->getLogicalId(), 'type' => $update->getType());
        }
        $answers = self::byLogicalIdAndType($asked);
        foreach ($updates as $update) {
            $key = $update->getType() . $update->getLogicalId();
            $known = isset($answers[$key]['id']);
            $branch = $update->getConfiguration('version', 'stable');
            $date = $known ? $answers[$key]['datetime'][$branch] : '0000-01-01 00:00:00';
            $update->setStatus($known && $update->getLocalVersion() < $date ? 'update' : 'ok')->setRemoteVersion($date)
                ->setConfiguration('market', $known ? 1 : 0)->save();
        }
    }

    /** A plugin's zip in the temporary folder. The address holds user, password hash and hardware key, and so does log/update. */
    public static function download($update) {
        $answer = self::byLogicalIdAndType($update->getLogicalId(), 'plugin');
        $path = jeedom::getTmpFolder('market') . '/' . $update->getLogicalId() . '.zip';
        $address = config::byKey('market::address') . '/core/php/downloadFile.php?' . http_build_query(array('id' => $answer['id'],
            'version' => $update->getConfiguration('version', 'stable'), 'jeedomversion' => jeedom::version(), 'hwkey' => self::hardwareKey(),
            'username' => config::byKey('market::username'), 'password' => self::password(), 'password_type' => 'sha1'));
        exec('wget --no-check-certificate "' . $address . '" -O ' . $path . ' >> ' . log::getPathToLog('update') . ' 2>&1');
        return $path;
    }

    public static function test() {
        return self::request('market::test', array(), 60);
    }
}
