<?php

// A stand-in: see README.md two folders above.

class CI_Exceptions
{
    public function log_exception($severity, $message, $filepath, $line)
    {
        log_message('error', "Severity: $severity --> $message $filepath $line");
    }
}
