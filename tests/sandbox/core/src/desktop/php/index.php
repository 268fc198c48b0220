<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// The login page: name, identifiers and length like those of the genuine one.
?><!DOCTYPE html>
<html lang="fr">
<head>
<title><?php echo config::byKey('product_name'); ?></title>
<meta charset="utf-8">
<script>var JEEDOM_PRODUCT_NAME = 'Jeedom'; var JEEDOM_AJAX_TOKEN = ''; <?php /*@if <4.4*/ ?>var jeedom_langage = 'fr_FR';<?php /*@end*/ ?></script>
</head>
<body>
<div id="wrap"><div id="div_alert"></div>
<span id="titre_login_btn">Jeedom</span>
<form id="login">
<input type="text" id="in_login_username" placeholder="Nom d'utilisateur"/>
<input type="password" id="in_login_password" placeholder="Mot de passe"/>
<a class="btn btn-primary" id="bt_login_validate">Connexion</a>
</form>
<span id="phrase_login_btn"></span>
<input type="text" id="in_login_username_market"/><input type="password" id="in_login_password_market"/><a id="bt_login_validate_market">Market</a>
</div>
<!-- <?php echo str_repeat('as long as the genuine page. ', (@page@ - 728) / 29); ?> -->
</body>
</html>
