<?php

defined('BASEPATH') or exit('No direct script access allowed');

$config['subclass_prefix'] = 'MY_';
$config['enable_hooks'] = FALSE;
