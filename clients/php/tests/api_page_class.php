<?php

// How PHP programs sent since 2009: an array given to curl goes out as multipart/form-data. Nothing
// of ours is used here. php api_page_class.php ENDPOINT KEY

class ErrorStack
{
    var $key;
    var $url;

    function __construct($key, $url)
    {
        $this->key = $key;
        $this->url = $url;
    }

    function report($message, $file, $line)
    {
        return $this->send('/submit', array(
            '_s' => $this->key,
            '_r' => 'json',
            'Msg' => $message,
            'File' => $file,
            'Line' => $line,
        ));
    }

    function log($message, $type = 'text')
    {
        return $this->send('/log', array(
            '_s' => $this->key,
            '_r' => 'json',
            '_t' => $type,
            '_msg' => $message,
        ));
    }

    function send($path, $fields)
    {
        $ch = curl_init();
        curl_setopt($ch, CURLOPT_URL, $this->url . $path);
        curl_setopt($ch, CURLOPT_POST, 1);
        curl_setopt($ch, CURLOPT_POSTFIELDS, $fields);
        curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
        $answer = curl_exec($ch);
        curl_close($ch);
        return $answer;
    }
}

$stack = new ErrorStack($argv[2], $argv[1]);

echo $stack->log('cart emptied after 3 tries'), "\n";
echo $stack->log('{"user":7,"cart":["a","b"]}', 'json'), "\n";
// An error handler of that time: file and line are of where it happened.
echo $stack->report('Call to undefined function müsli()', __FILE__, __LINE__), "\n";
