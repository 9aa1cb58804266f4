<?php

defined('BASEPATH') or exit('No direct script access allowed');

// Of both the library and the hook. Further settings are those of ErrorStack\Client.
$config['key'] = '';
$config['endpoint'] = '';
$config['environment'] = ENVIRONMENT;
