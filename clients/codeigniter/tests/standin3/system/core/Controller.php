<?php

// A stand-in: see README.md two folders above.

#[AllowDynamicProperties]
class CI_Controller
{
    public $load;

    public function __construct()
    {
        $this->load = new CI_Loader($this);
    }
}

class CI_Loader
{
    private $controller;

    public function __construct($controller)
    {
        $this->controller = $controller;
    }

    public function library($name)
    {
        $config = [];
        if (is_file(APPPATH . "config/$name.php")) {
            require APPPATH . "config/$name.php";
        }
        $class = ucfirst($name);
        require_once APPPATH . "libraries/$class.php";
        $this->controller->$name = new $class($config);
    }
}
