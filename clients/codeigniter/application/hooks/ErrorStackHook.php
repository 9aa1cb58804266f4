<?php

defined('BASEPATH') or exit('No direct script access allowed');

require_once APPPATH . 'third_party/ErrorStackClient.php';

/**
 * ErrorStack for CodeIgniter 3: PHP's errors and what nobody catches. In application/config/hooks.php:
 *
 *     $hook['pre_system'][] = array('class' => 'ErrorStackHook', 'function' => 'watch',
 *         'filename' => 'ErrorStackHook.php', 'filepath' => 'hooks');
 *
 * and $config['enable_hooks'] = TRUE. CodeIgniter's own handlers still run. They end the program after
 * a fatal error, before anybody else sees it: core/MY_Exceptions.php tells us of these.
 */
class ErrorStackHook
{
    /** @var ErrorStack\Client|null */
    private static $client;

    /** The client of application/config/errorstack.php. */
    public static function client(): ErrorStack\Client
    {
        if (!self::$client) {
            $config = array();
            include APPPATH . 'config/errorstack.php';
            $settings = array_diff_key($config, array('key' => 1, 'endpoint' => 1));
            self::$client = new ErrorStack\Client($config['key'] ?? '', $config['endpoint'] ?? '', $settings);
        }
        return self::$client;
    }

    public function watch(): void
    {
        self::client()->watch();
    }
}
