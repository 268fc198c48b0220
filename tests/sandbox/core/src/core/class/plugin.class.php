<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class plugin {
    private $info;

    private static function folder($id) {
        return __DIR__ . '/../../plugins/' . $id;
    }

    public static function byId($id) {
        $info = json_decode((string) @file_get_contents(self::folder($id) . '/plugin_info/info.json'), true);
        if (!is_array($info)) {
            // looking is not harmless: a plugin whose folder is away is switched off with all it owns (contract 0.11)
            config::save('active', 0, $id);
            DB::Prepare('UPDATE eqLogic SET isEnable=0 WHERE eqType_name=?', array($id));
            throw new Exception('Plugin introuvable : ' . $id);
        }
        $plugin = new self();
        $plugin->info = $info;
        return $plugin;
    }

    public static function listPlugin($active = false, $byCategory = false, $translate = true, $names = false) {
        $found = array();
        $wanted = $active ? array_column(DB::Prepare("SELECT plugin FROM config WHERE `key`='active' AND `value`='1'", array(), DB::FETCH_TYPE_ALL), 'plugin')
            : array_map(function ($path) { return basename(dirname(dirname($path))); }, glob(self::folder('*') . '/plugin_info/info.json'));
        foreach ($wanted as $id) {
            try {
                $found[] = $names ? $id : self::byId($id);
            } catch (Exception $error) {
                log::add('plugin', 'error', $error->getMessage());
            }
        }
        return $found;
    }

    public function getId() {
        return $this->info['id'];
    }

    public function getName() {
        return $this->info['name'];
    }

    public function getRequire() {
        return isset($this->info['require']) ? $this->info['require'] : '';
    }

    public function isActive() {
        return config::byKey('active', $this->getId(), 0);
    }

    public function callInstallFunction($function) {
        $file = self::folder($this->getId()) . '/plugin_info/install.php';
        if (file_exists($file)) {
            require_once $file;
        }
        $function = $this->getId() . '_' . $function;
        return function_exists($function) ? $function() : null;
    }

    public function setIsEnable($state) {
        if ($state == 1 && version_compare(jeedom::version(), $this->getRequire(), '<')) {
            throw new Exception("Votre version de Jeedom n'est pas assez récente pour activer ce plugin");
        }
        $before = $this->isActive();
        if ($state == 1) {
            config::save('active', 1, $this->getId());
        }
        foreach (eqLogic::byType($this->getId()) as $eqLogic) {
            if ($state == 0) {
                $eqLogic->setConfiguration('previousIsEnable', $eqLogic->getIsEnable())->setConfiguration('previousIsVisible', $eqLogic->getIsVisible());
                $eqLogic->setIsEnable(0)->setIsVisible(0)->save();
            } elseif ($before != 1) {
                $eqLogic->setIsEnable($eqLogic->getConfiguration('previousIsEnable', 1))->setIsVisible($eqLogic->getConfiguration('previousIsVisible', 1))->save();
            }
        }
        $this->callInstallFunction($state == 1 ? ($before == 1 ? 'update' : 'install') : 'remove');
        if ($state == 0) {
            config::save('active', 0, $this->getId());
        }
        return true;
    }

    public static function checkDeamon() {
        self::listPlugin(true);
    }
}
