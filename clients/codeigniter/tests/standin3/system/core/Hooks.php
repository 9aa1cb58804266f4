<?php

// A stand-in: see README.md two folders above.

class CI_Hooks
{
    private $hooks = [];

    public function __construct()
    {
        if (config_item('enable_hooks')) {
            $hook = [];
            require APPPATH . 'config/hooks.php';
            $this->hooks = $hook;
        }
    }

    public function call_hook($which)
    {
        $hooks = $this->hooks[$which] ?? [];
        foreach (isset($hooks['function']) ? [$hooks] : $hooks as $hook) {
            require_once APPPATH . "{$hook['filepath']}/{$hook['filename']}";
            (new $hook['class']())->{$hook['function']}($hook['params'] ?? '');
        }
    }
}
