<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// JSON-RPC over POST, field request (contract 1.4).
require_once __DIR__ . '/../php/core.inc.php';
$request = json_decode(isset($_POST['request']) ? $_POST['request'] : '', true);
$answer = array('jsonrpc' => '2.0', 'id' => isset($request['id']) ? $request['id'] : null);
if (!isset($request['params']['apikey']) || $request['params']['apikey'] !== config::byKey('api')) {
    $answer['error'] = array('code' => -32001, 'message' => "Vous n'êtes pas autorisé à effectuer cette action");
} elseif ($request['method'] === 'version') {
    $answer['result'] = jeedom::version();
} elseif ($request['method'] === 'jeedom::isOk') {
    $answer['result'] = jeedom::isOk();
} elseif ($request['method'] === 'ping') {
    $answer['result'] = 'pong';
} else {
    $answer['error'] = array('code' => -32601, 'message' => 'Method not found');
}
header('Content-Type: application/json');
echo json_encode($answer);
