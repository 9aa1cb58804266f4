<?php

// A stand-in: see README.md two folders above.

require BASEPATH . 'core/Common.php';

set_error_handler('_error_handler');
set_exception_handler('_exception_handler');
register_shutdown_function('_shutdown_handler');

load_class('Hooks')->call_hook('pre_system');

require BASEPATH . 'core/Controller.php';
[, $name, $method] = explode('/', $_SERVER['PATH_INFO'] ?? '') + ['', 'welcome', 'index'];
require APPPATH . 'controllers/' . ucfirst($name) . '.php';
$controller = new $name();
load_class('Hooks')->call_hook('post_controller_constructor');
$controller->$method();
load_class('Hooks')->call_hook('post_system');
