<?php

// php example.php ENDPOINT KEY sends one of each: a log message, an error, a warning, an exception.

require __DIR__ . '/ErrorStackClient.php';

[, $endpoint, $key] = $argv + [1 => 'http://127.0.0.1:8700', 2 => ''];
$errors = ErrorStack\Client::install($key, $endpoint, ['release' => '2.4.1', 'environment' => 'example']);

$errors->log('deploying 2.4.1');
$errors->submit('payment refused', ['order' => ['id' => 1017, 'total' => 12.5]]);
echo $aVariableNobodySet;

throw new RuntimeException('nobody catches this');
