<?php
// SPDX-License-Identifier: GPL-3.0-or-later
class utils {
    private static function password() {
        $path = __DIR__ . '/../../data/jeedom_encryption.key';
        if (!file_exists($path)) {
            file_put_contents($path, config::genKey());
        }
        return hash('sha256', file_get_contents($path), true);
    }

    /** A value that only this box can read: the key is in data/. */
    public static function encrypt($text) {
        if ($text === '' || strpos($text, 'crypt:') === 0) {
            return $text;
        }
        $seed = random_bytes(16);
        return 'crypt:' . base64_encode($seed . openssl_encrypt($text, 'aes-256-cbc', self::password(), OPENSSL_RAW_DATA, $seed));
    }

    public static function decrypt($text) {
        if (strpos((string) $text, 'crypt:') !== 0) {
            return $text;
        }
        $raw = base64_decode(substr($text, 6));
        return openssl_decrypt(substr($raw, 16), 'aes-256-cbc', self::password(), OPENSSL_RAW_DATA, substr($raw, 0, 16));
    }
}
