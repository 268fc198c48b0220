<?php
// SPDX-License-Identifier: GPL-3.0-or-later
/** Table update: the core and each plugin with where it comes from. */
class update extends entity {
    const TABLE = 'update';

    public static function byTypeAndLogicalId($type, $logicalId) {
        $found = self::find('type=? AND logicalId=?', array($type, $logicalId));
        return $found ? $found[0] : false;
    }

    public static function byLogicalId($logicalId) {
        $found = self::find('logicalId=?', array($logicalId));
        return $found ? $found[0] : false;
    }

    public static function nbNeedUpdate() {
        $row = DB::Prepare("SELECT COUNT(*) AS n FROM `update` WHERE status='update'");
        return $row['n'];
    }

    /** A row for each plugin folder that has none. */
    public static function findNewUpdateObject() {
        foreach (plugin::listPlugin() as $plugin) {
            if (!is_object(self::byTypeAndLogicalId('plugin', $plugin->getId()))) {
                $update = new update();
                $update->setType('plugin')->setLogicalId($plugin->getId())->setName($plugin->getId())->setSource('market')
                    ->setLocalVersion(date('Y-m-d H:i:s'))->setConfiguration('version', 'stable')->save();
            }
        }
    }

    /** The core's version file, then the market in one call: what that throws aborts an update (contract 0.6). */
    public static function checkAllUpdate($filter = '', $findNew = true) {
        if ($findNew) {
            self::findNewUpdateObject();
        }
        $core = self::byTypeAndLogicalId('core', 'jeedom');
        if (!is_object($core)) {
            $core = new update();
            $core->setType('core')->setLogicalId('jeedom')->setName('jeedom')->setConfiguration('[]');
        }
        $core->setSource(config::byKey('core::repo::provider'))->setLocalVersion(jeedom::version())->save();
        $core->checkUpdate();
        if ($filter !== 'core' && config::byKey('market::enable') == 1) {
            $plugins = self::find("type='plugin' AND source='market' AND (status IS NULL OR status<>'hold')");
            if ($plugins) {
                repo_market::checkUpdate($plugins);
            }
        }
        config::save('update::lastCheck', date('Y-m-d H:i:s'));
    }

    /** Whatever the address answers is taken for a version, an error page too (contract 8). */
    public static function getLastAvailableVersion() {
        for ($try = 0; $try < 3; $try++) {
            $curl = curl_init('https://raw.githubusercontent.com/jeedom/core/' . str_replace('tag::', '', config::byKey('core::branch')) . '/core/config/version');
            curl_setopt_array($curl, array(CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 2, CURLOPT_SSL_VERIFYPEER => false, CURLOPT_SSL_VERIFYHOST => 0));
            $text = curl_exec($curl);
            if ($text !== false) {
                return trim($text);
            }
        }
        return null;
    }

    public function checkUpdate() {
        if ($this->getType() === 'core' && config::byKey('update::allowCore') == 1) {
            $this->setRemoteVersion(config::byKey('core::repo::provider') === 'default' ? self::getLastAvailableVersion() : $this->getLocalVersion());
            $this->setStatus(version_compare((string) $this->getRemoteVersion(), $this->getLocalVersion(), '>') ? 'update' : 'ok')->save();
        }
    }

    /** What a plugin's update throws is dropped: nobody learns of it (contract 4.2/14). */
    public static function updateAll() {
        foreach (self::find("type='plugin' AND status='update'") as $update) {
            mini_pause('plugin');
            try {
                $update->doUpdate();
            } catch (Throwable $error) {
                continue;
            }
        }
    }

    public function doUpdate() {
        log::add('update', 'alert', 'Début de la mise à jour de : ' . $this->getLogicalId());
        $folder = jeedom::getTmpFolder('market') . '/' . $this->getLogicalId();
        rrmdir($folder);
        mkdir($folder, 0775, true);
        $path = repo_market::download($this);
        if (!file_exists($path) || filesize($path) < 100) {
            throw new Exception('Échec lors du téléchargement du fichier.');
        }
        $zip = new ZipArchive();
        if ($zip->open($path) !== true || !$zip->extractTo($folder)) {
            throw new Exception("Impossible de décompresser l'archive zip : " . $path);
        }
        $inner = ls($folder);
        rmove(!file_exists($folder . '/plugin_info') && count($inner) === 1 ? $folder . '/' . $inner[0] : $folder,
            __DIR__ . '/../../plugins/' . $this->getLogicalId(), false);
        $plugin = plugin::byId($this->getLogicalId());
        if ($plugin->isActive()) {
            $plugin->setIsEnable(1);
        }
        $this->setLocalVersion($this->getRemoteVersion())->setStatus('ok')->save();
    }

    /** Uninstall: equipments, commands, history, configuration, folder and row go (contract 3.4). */
    public function deleteObjet() {
        if ($this->getType() === 'core') {
            throw new Exception('Vous ne pouvez pas supprimer le core de Jeedom');
        }
        $id = $this->getLogicalId();
        try {
            $plugin = plugin::byId($id);
            foreach (eqLogic::byType($id) as $eqLogic) {
                $eqLogic->remove();
            }
            $plugin->setIsEnable(0);
        } catch (Throwable $error) {
            // goes on with what is left
        }
        config::remove('*', $id);
        try {
            if ($this->getSource() === 'market' && config::byKey('market::enable') == 1) {
                repo_market::byLogicalIdAndType($id, 'plugin');
            }
        } catch (Throwable $error) {
            // the market's opinion does not matter
        }
        rrmdir(__DIR__ . '/../../plugins/' . $id);
        $this->remove();
    }
}
