<?php

namespace App\Libraries;

use CodeIgniter\Log\Handlers\BaseHandler;
use Throwable;

/**
 * What CodeIgniter 4 logs: warnings and what is worse become errors, the rest log messages, of which
 * the last ten are shown with the errors that follow. CodeIgniter logs what nobody catches, too; it
 * comes here with its type, place and whole trace.
 */
class ErrorStackLog extends BaseHandler
{
    private const MESSAGES = ['notice', 'info', 'debug'];
    private const MAX_CALLS = 15;
    private const MORE_MEMORY_BYTES = 8388608;

    /** True in any case: the other handlers have their turn. */
    public function handle($level, $message): bool
    {
        try {
            self::makeRoom();
            $this->send((string) $level, (string) $message);
        } catch (Throwable $failure) { // nothing of ours gets into the program
            error_log('ErrorStack: ' . $failure->getMessage());
        }
        return true;
    }

    private function send(string $level, string $message): void
    {
        $client = ErrorStack::client();
        if (in_array($level, self::MESSAGES, true)) {
            $client->log($message, ['level' => $level]);
            return;
        }
        $calls = debug_backtrace(0, self::MAX_CALLS);
        $thrown = self::thrown($calls);
        if ($thrown) {
            $isWhole = strpos($message, $thrown->getMessage()) === 0;
            $client->submit($thrown, ['level' => $level] + ($isWhole ? [] : ['logged' => $message]));
        } else {
            $client->submit($message, ['level' => $level] + self::callSite($calls));
        }
    }

    /** Where the program ended with a full memory, its last words need some. */
    private static function makeRoom(): void
    {
        $last = error_get_last();
        if ($last && preg_match('/^Allowed memory size of (\d+) /', $last['message'], $found)) {
            ini_set('memory_limit', (string) ((int) $found[1] + self::MORE_MEMORY_BYTES));
        }
    }

    /** The exception that a message is about: of CodeIgniter's handler, or in the message's context. */
    private static function thrown(array $calls): ?Throwable
    {
        foreach ($calls as $call) {
            foreach (self::isLogging($call) ? $call['args'] ?? [] : [] as $argument) {
                $found = is_array($argument) ? $argument['exception'] ?? null : $argument;
                if ($found instanceof Throwable) {
                    return $found;
                }
            }
        }
        return null;
    }

    private static function isLogging(array $call): bool
    {
        $class = $call['class'] ?? '';
        return strpos($class, 'CodeIgniter\\Log\\') === 0 || strpos($class, 'CodeIgniter\\Debug\\') === 0
            || $call['function'] === 'log_message';
    }

    /** Where the program logged. */
    private static function callSite(array $calls): array
    {
        foreach ($calls as $call) {
            $file = $call['file'] ?? __FILE__;
            if ($file !== __FILE__ && strpos($file, SYSTEMPATH) !== 0) {
                return ['File' => $file, 'Line' => $call['line']];
            }
        }
        return [];
    }
}
