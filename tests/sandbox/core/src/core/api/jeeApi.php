<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// JSON-RPC over POST, form field request (contract 1.4). Always HTTP 200; errors are in the answer.
require_once __DIR__ . '/../php/core.inc.php';
$request = json_decode(init('request'), true);
$id = isset($request['id']) ? $request['id'] : 99999;
$parameters = isset($request['params']) ? $request['params'] : array();

function answer($what) {
    global $id;
    header('Content-Type: application/json');
    die(json_encode(array('jsonrpc' => '2.0', 'id' => $id) + $what));
}

function refuse($code, $message) {
    answer(array('error' => array('code' => $code, 'message' => $message)));
}

if (!isset($request['jsonrpc']) || $request['jsonrpc'] !== '2.0') {
    refuse(1, 'Requête invalide. Version JSON-RPC invalide : ');
}
if ($request['method'] === 'ping') {
    answer(array('result' => 'pong'));
}
$key = isset($parameters['apikey']) ? $parameters['apikey'] : '';
if ($key === '' || ($key !== config::byKey('api') && !is_object(user::byHash($key)))) {
    refuse(2, "Vous n'êtes pas autorisé à effectuer cette action/*@if <4.4*/ 2/*@end*/");
}
$methods = array(
    'version' => function () { return jeedom::version(); },
    'datetime' => function () { return microtime(true); },
    'jeedom::isOk' => function () { return jeedom::isOk(); },
    // these two return at once, and the second one asks no questions: plugins and core, no backup
    'jeedom::backup' => function () { jeedom::backup(true); return 'ok'; },
    'jeedom::update' => function () { jeedom::update(); return 'ok'; },
);
if (!isset($methods[$request['method']])) {
    refuse(500, 'Aucune méthode correspondante : ' . $request['method']);
}
// past the date limit isOk dies here: an empty answer
answer(array('result' => $methods[$request['method']]()));
