<?php

namespace App\Libraries;

use ErrorStack\Client;

/**
 * ErrorStack for CodeIgniter 4. Key, endpoint and settings stand in app/Config/Logger.php, with the
 * handler (ErrorStackLog); or key and endpoint in .env: errorstack.key, errorstack.endpoint.
 *
 *     $reply = (new \App\Libraries\ErrorStack())->send_error(['Msg' => 'payment refused']);
 *     \App\Libraries\ErrorStack::client()->submit('payment refused', ['order' => 1017]);
 */
class ErrorStack
{
    /** The 43 bytes that a browser takes for an image of one transparent pixel. */
    private const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==';

    /** @var array<string, Client> by stack key */
    private static $clients = [];

    /** The client of a stack; without a key, of the one in app/Config/Logger.php. */
    public static function client(string $key = ''): Client
    {
        $chosen = config('Logger')->handlers[ErrorStackLog::class] ?? [];
        $key = $key ?: (string) ($chosen['key'] ?? '') ?: (string) env('errorstack.key', '');
        if (!isset(self::$clients[$key])) {
            require_once APPPATH . 'ThirdParty/ErrorStackClient.php';
            $endpoint = (string) ($chosen['endpoint'] ?? '') ?: (string) env('errorstack.endpoint', '');
            $settings = array_diff_key($chosen, array_flip(['handles', 'key', 'endpoint']));
            self::$clients[$key] = new Client($key, $endpoint, $settings + ['environment' => ENVIRONMENT]);
        }
        return self::$clients[$key];
    }

    /**
     * Send fields as an error and wait for the reply, three seconds at the most.
     *
     * @param  array<string, mixed> $params
     * @param  string               $type   'json' or 'img'
     * @return array<string, mixed>|string 'json': 'success', and 'id' or 'errorMsg'; 'img': a GIF
     */
    public function send_error($params, $key = '', $type = 'json')
    {
        $reply = self::client((string) $key)->ask((array) $params);
        return strtolower((string) $type) === 'img' ? base64_decode(self::GIF) : $reply;
    }
}
