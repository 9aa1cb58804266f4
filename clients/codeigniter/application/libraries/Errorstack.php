<?php

defined('BASEPATH') or exit('No direct script access allowed');

require_once APPPATH . 'third_party/ErrorStackClient.php';

/**
 * ErrorStack for CodeIgniter 3, with the settings of application/config/errorstack.php.
 *
 *     $this->load->library('errorstack');
 *     $reply = $this->errorstack->send_error(array('Msg' => 'payment refused'), $key, 'json');
 */
class Errorstack
{
    /** The 43 bytes that a browser takes for an image of one transparent pixel. */
    private const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==';

    private $config;
    /** @var array<string, ErrorStack\Client> by stack key */
    private $clients = array();

    /** @param array<string, mixed> $config what CodeIgniter read in application/config/errorstack.php */
    public function __construct($config = array())
    {
        $this->config = $config + array('key' => '', 'endpoint' => '');
    }

    /**
     * Send fields as an error and wait for the reply, three seconds at the most.
     *
     * @return array<string, mixed>|string 'json': 'success', and 'id' or 'errorMsg'; 'img': a GIF
     */
    public function send_error($params, $key = '', $type = 'json')
    {
        $reply = $this->client($key)->ask((array) $params);
        return strtolower((string) $type) === 'img' ? base64_decode(self::GIF) : $reply;
    }

    /** Send an error when the page is done: a Throwable, a message, or fields. */
    public function submit($what, $fields = array())
    {
        return $this->client()->submit($what, $fields);
    }

    /** Send a log message. */
    public function log($what, $fields = array())
    {
        return $this->client()->log($what, $fields);
    }

    private function client($key = '')
    {
        $key = (string) $key === '' ? $this->config['key'] : (string) $key;
        if ($key === $this->config['key'] && class_exists('ErrorStackHook', false)) {
            return ErrorStackHook::client();
        }
        if (!isset($this->clients[$key])) {
            $settings = array_diff_key($this->config, array('key' => 1, 'endpoint' => 1));
            $this->clients[$key] = new ErrorStack\Client($key, $this->config['endpoint'], $settings);
        }
        return $this->clients[$key];
    }
}
