<?php

defined('BASEPATH') or exit('No direct script access allowed');

/**
 * Tells ErrorStack of fatal errors, which CodeIgniter's shutdown function ends the program with. Where
 * you have a MY_Exceptions already, put the one line into its log_exception().
 */
class MY_Exceptions extends CI_Exceptions
{
    public function log_exception($severity, $message, $filepath, $line)
    {
        class_exists('ErrorStackHook', false) && ErrorStackHook::client()->submitLastError();
        parent::log_exception($severity, $message, $filepath, $line);
    }
}
