<?php

// A stand-in: see README.md two folders above.

function load_class($class)
{
    static $loaded = [];
    if (!isset($loaded[$class])) {
        require_once BASEPATH . "core/$class.php";
        $own = config_item('subclass_prefix') . $class;
        if (is_file(APPPATH . "core/$own.php")) {
            require_once APPPATH . "core/$own.php";
        }
        $name = class_exists($own, false) ? $own : "CI_$class";
        $loaded[$class] = new $name();
    }
    return $loaded[$class];
}

function config_item($item)
{
    $config = [];
    require APPPATH . 'config/config.php';
    return $config[$item] ?? null;
}

function log_message($level, $message)
{
    file_put_contents(APPPATH . 'log', strtoupper($level) . " - $message\n", FILE_APPEND);
}

function _error_handler($severity, $message, $filepath, $line)
{
    $fatal = E_ERROR | E_PARSE | E_COMPILE_ERROR | E_CORE_ERROR | E_USER_ERROR;
    if ($severity & $fatal) {
        http_response_code(500);
    }
    if (!($severity & error_reporting())) {
        return;
    }
    load_class('Exceptions')->log_exception($severity, $message, $filepath, $line);
    if ($severity & $fatal) {
        exit(1);
    }
}

function _exception_handler($exception)
{
    $message = 'Exception: ' . $exception->getMessage();
    load_class('Exceptions')->log_exception('error', $message, $exception->getFile(), $exception->getLine());
    http_response_code(500);
    exit(1);
}

function _shutdown_handler()
{
    $last = error_get_last();
    $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_CORE_WARNING | E_COMPILE_ERROR | E_COMPILE_WARNING;
    if ($last && $last['type'] & $fatal) {
        _error_handler($last['type'], $last['message'], $last['file'], $last['line']);
    }
}
