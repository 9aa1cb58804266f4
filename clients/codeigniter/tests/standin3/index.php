<?php

define('ENVIRONMENT', getenv('CI_ENV') ?: 'production');
error_reporting(E_ALL & ~E_NOTICE & ~E_DEPRECATED & ~E_USER_NOTICE & ~E_USER_DEPRECATED);
ini_set('display_errors', '0');

define('BASEPATH', __DIR__ . '/system/');
define('APPPATH', __DIR__ . '/application/');
require BASEPATH . 'core/CodeIgniter.php';
