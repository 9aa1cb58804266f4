<?php

/**
 * Sends errors and log messages of PHP programs to an ErrorStack server. One file, PHP 7.4 or newer,
 * no dependencies; the program does not feel it, whatever the server does.
 *
 *     require 'ErrorStackClient.php';
 *     $errors = ErrorStack\Client::install('KEY', 'https://errors.example.com');
 *
 * A message waits in a bounded queue until the page is done, and is sent when the visitor has it
 * (php-fpm, LiteSpeed); a program on a terminal sends at once, without waiting for the answer. What
 * other requests must know (repeats, limits, that the server is away) is kept in APCu, else in a
 * directory of this user's own below the system's for temporary files; errors that could not be sent
 * wait there too.
 *
 * @license MIT
 */

declare(strict_types=1);

namespace ErrorStack;

use Throwable;

/**
 * What a program calls. Nothing here raises, and nothing but flush() and ask() waits. Parameters have
 * no types: PHP would raise into a program that gives something else.
 */
final class Client
{
    public const VERSION = '1.0.0';

    /** Every setting and its default; README says what they mean. */
    private const SETTINGS = [
        'release' => '',
        'environment' => '',
        'fields' => [],
        'scrub' => null,
        'levels' => E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED,
        'per_minute' => 60,
        'dedupe_s' => 10,
        'max_queue' => 50,
        'timeout_s' => 3.0,
        'visitor_s' => 1.0,
        'directory' => null,
        'ca_file' => '',
    ];
    private const MAX_TIMEOUT_S = 3.0;
    /** How long a call on a terminal looks after what it sends; the next call goes on with it. */
    private const LINGER_S = 0.05;
    private const EXIT_S = 2.0;
    private const MAX_FLUSH_S = 30.0;
    /** PHP's own log gets one line of our troubles in so many seconds. */
    private const TELL_EVERY_S = 600;
    private const MAX_RECENT = 200;

    private array $settings;
    private ?Courier $courier = null;
    private Ledger $ledger;
    private bool $isInside = false;
    private ?Handlers $handlers = null;
    private ?Ender $ender = null;
    private string $problem = '';
    /** Until when an error of PHP's is a repetition. */
    private array $recent = [];
    /** The minute in which there are too many, by path. */
    private array $full = [];
    private array $uncounted = ['repeat' => 0, 'limit' => 0];

    /** Make a client that also sees what nobody catches: errors, exceptions and fatal errors. */
    public static function install($key, $endpoint, $settings = []): self
    {
        $client = new self($key, $endpoint, $settings);
        $client->watch();
        return $client;
    }

    /**
     * $endpoint is "https://errors.example.com". Without a key, or with an endpoint that is no
     * address, nothing is sent, and problem() says why.
     */
    public function __construct($key, $endpoint, $settings = [])
    {
        $settings = (array) $settings;
        $this->settings = array_intersect_key($settings, self::SETTINGS) + self::SETTINGS;
        $this->ledger = new Ledger(new MemoryShelf());
        $this->inside(function () use ($key, $endpoint, $settings): bool {
            foreach (array_diff_key($settings, self::SETTINGS) as $name => $_) {
                $this->tell("there is no setting named $name");
            }
            return $this->begin(trim((string) $key), trim((string) $endpoint));
        });
        register_shutdown_function([$this, 'endLast']);
    }

    /** Where a shutdown function throws, those after it do not run; until then we are one of them. */
    public function __destruct()
    {
        $this->submitLastError();
        $this->end();
    }

    /** Whether there is a key and an endpoint to send to. */
    public function isEnabled(): bool
    {
        return $this->courier !== null;
    }

    /** What last went wrong, also if it went well since; '' when nothing did. */
    public function problem(): string
    {
        return $this->problem;
    }

    /**
     * Send an error: a Throwable, a message, or fields. False when it will not be sent.
     *
     * @param Throwable|string|array<string, mixed> $what
     * @param array<string, mixed>                  $fields
     */
    public function submit($what, $fields = []): bool
    {
        return $this->inside(function () use ($what, $fields): bool {
            return $this->offer(Message::SUBMIT, array_replace(Report::of($what), (array) $fields));
        });
    }

    /**
     * Send a log message, a text or fields; the last ten are shown with the errors that follow.
     *
     * @param string|array<string, mixed> $what
     * @param array<string, mixed>        $fields
     */
    public function log($what, $fields = []): bool
    {
        return $this->inside(function () use ($what, $fields): bool {
            $message = is_array($what) ? $what : ['_msg' => $what];
            return $this->offer(Message::LOG, array_replace($message, (array) $fields));
        });
    }

    /**
     * Send fields as an error and wait for the server's reply, timeout_s at the most.
     *
     * @param  array<string, mixed> $fields
     * @return array<string, mixed> 'success', and 'id' or 'errorMsg'
     */
    public function ask($fields): array
    {
        $reply = ['success' => false, 'errorMsg' => $this->problem ?: 'the client is off'];
        $this->inside(function () use ($fields, &$reply): bool {
            if (!$this->courier) {
                return false;
            }
            if ($this->ledger->refusal(Message::SUBMIT, '', (int) $this->settings['per_minute'], 0) !== '') {
                $reply['errorMsg'] = 'too many errors in this minute';
                return false;
            }
            $message = new Message(Message::SUBMIT, Values::merged(Values::texts((array) $fields), $this->always()));
            $reply = $this->courier->ask($message, $this->timeout());
            return $reply['success'] === true;
        });
        return $reply;
    }

    /** Wait until everything is sent or put by for later; false when something was not sent. */
    public function flush($seconds = self::EXIT_S): bool
    {
        return $this->courier === null || $this->inside(function () use ($seconds): bool {
            return $this->courier->finish(min((float) $seconds, self::MAX_FLUSH_S));
        });
    }

    /** See errors, exceptions and fatal errors that nobody catches; then what was there before runs. */
    public function watch(): void
    {
        if ($this->courier && !$this->handlers) {
            $this->handlers = new Handlers($this, (int) $this->settings['levels']);
            $this->handlers->install();
        }
    }

    /** Send the fatal error that the program ends with: for frameworks that exit when they end. */
    public function submitLastError(): void
    {
        $this->handlers && $this->handlers->shutdown();
    }

    /** @internal Whether PHP told this error a moment ago, in this very program. */
    public function isRepeated(string $error): bool
    {
        $now = time();
        if (($this->recent[$error] ?? 0) > $now) {
            $this->uncounted['repeat']++;
            return true;
        }
        if (count($this->recent) >= self::MAX_RECENT) {
            $this->recent = [];
        }
        $this->recent[$error] = $now + $this->dedupe();
        return false;
    }

    /** @internal When the program ends: after every other shutdown function, also later ones. */
    public function endLast(): void
    {
        register_shutdown_function([$this, 'end']);
    }

    /** @internal Send what waits, when the visitor has the page where the server can do that. */
    public function end(): void
    {
        $this->inside(function (): bool {
            $this->count();
            return true;
        });
        if (!$this->courier || !$this->courier->hasWork()) {
            return;
        }
        $isAlone = self::isTerminal();
        foreach (['fastcgi_finish_request', 'litespeed_finish_request'] as $finish) {
            if (function_exists($finish)) {
                $finish();
                $isAlone = true;
            }
        }
        $this->flush($isAlone ? min(self::EXIT_S, $this->timeout()) : $this->visitorTime());
    }

    private function begin(string $key, string $endpoint): bool
    {
        $url = Endpoint::read($endpoint);
        if ($key === '') {
            return $this->tell('there is no stack key');
        }
        if ($url === null) {
            return $this->tell("the endpoint is no http or https address: $endpoint");
        }
        $wire = Wire::best($this->timeout(), (string) $this->settings['ca_file']);
        $place = Place::find($this->settings['directory'], $key . $url);
        $this->ledger = new Ledger(Shelf::best($place, $key . $url));
        $spool = $place ? new Spool($place . DIRECTORY_SEPARATOR . 'later') : null;
        $this->courier = new Courier($url, $key, $wire, $this->ledger, $spool, [
            'scrub' => $this->settings['scrub'],
            'max_queue' => max(1, (int) $this->settings['max_queue']),
            'tell' => function (string $problem): void {
                $this->tell($problem);
            },
        ]);
        return true;
    }

    private function offer(string $path, array $fields): bool
    {
        if (!$this->courier || $this->isFull($path)) {
            return false;
        }
        $this->count();
        $texts = Values::texts($fields);
        $print = $path === Message::LOG ? '' : md5(serialize($texts));
        $refused = $this->ledger->refusal($path, $print, (int) $this->settings['per_minute'], $this->dedupe());
        if ($refused !== '') {
            $this->full[$path] = $refused === 'limit' ? intdiv(time(), 60) : 0;
            return false;
        }
        $always = $path === Message::LOG ? [] : $this->always();
        $this->courier->take(new Message($path, Values::merged($texts, $always)));
        if (self::isTerminal()) {
            $this->courier->linger(self::LINGER_S);
        } elseif (!$this->ender && Ender::isFatal(error_get_last())) {
            $this->ender = new Ender($this);
        }
        return true;
    }

    /** What a loop repeats ten thousand times must cost it nothing: this asks nobody else. */
    private function isFull(string $path): bool
    {
        $isFull = ($this->full[$path] ?? 0) === intdiv(time(), 60);
        $this->uncounted['limit'] += (int) $isFull;
        return $isFull;
    }

    /** Tell the others what this program was quick about. */
    private function count(): void
    {
        foreach (array_filter($this->uncounted) as $reason => $count) {
            $this->ledger->lose($reason, $count);
            $this->uncounted[$reason] = 0;
        }
    }

    private function dedupe(): int
    {
        return (int) $this->settings['dedupe_s'];
    }

    /** What goes with every error; what is nearer to it wins. */
    private function always(): array
    {
        $fields = $this->settings['fields'];
        return array_filter([
            'release' => (string) $this->settings['release'],
            'environment' => (string) $this->settings['environment'],
        ], 'strlen') + (array) ($fields instanceof \Closure ? $fields() : $fields) + Report::surroundings();
    }

    private static function isTerminal(): bool
    {
        return PHP_SAPI === 'cli' || PHP_SAPI === 'phpdbg';
    }

    private function timeout(): float
    {
        return min(max((float) $this->settings['timeout_s'], 0.05), self::MAX_TIMEOUT_S);
    }

    private function visitorTime(): float
    {
        return min(max((float) $this->settings['visitor_s'], 0.05), $this->timeout());
    }

    private function tell(string $problem): bool
    {
        if ($this->problem !== $problem) {
            $this->problem = $problem;
            if ($this->ledger->isFirstIn('told', self::TELL_EVERY_S)) {
                error_log("ErrorStack: $problem");
            }
        }
        return false;
    }

    /** Run this client's own code: never within itself, and nothing gets out of it. */
    private function inside(callable $do): bool
    {
        if ($this->isInside) {
            return false;
        }
        $this->isInside = true;
        $this->handlers && $this->handlers->makeRoom();
        set_error_handler(static function (): bool {
            return true;
        });
        try {
            return $do();
        } catch (Throwable $failure) {
            return $this->tell(get_class($failure) . ': ' . $failure->getMessage());
        } finally {
            restore_error_handler();
            $this->isInside = false;
        }
    }
}

/** PHP's three hooks, each followed by what was there before, or by what PHP does without any. */
final class Handlers
{
    private const RESERVE_BYTES = 65536;
    private const MORE_MEMORY_BYTES = 8388608;

    private Client $client;
    private int $levels;
    /** @var callable|null */
    private $previousError;
    /** @var callable|null */
    private $previousException;
    /** Given back when the memory is full. */
    private ?string $reserve = null;
    /** An error whose previous handler has not returned yet. */
    private ?array $held = null;
    /** Place and message of what was sent last: PHP tells some of it once more, as a fatal error. */
    private array $told = ['', ''];

    public function __construct(Client $client, int $levels)
    {
        $this->client = $client;
        $this->levels = $levels;
    }

    public function install(): void
    {
        $this->reserve = str_repeat(' ', self::RESERVE_BYTES);
        $this->previousError = set_error_handler([$this, 'error']);
        $this->previousException = set_exception_handler([$this, 'exception']);
        register_shutdown_function([$this, 'shutdown']);
    }

    /** An error that is masked, or that the previous handler turns into an exception, is not sent. */
    public function error(int $level, string $message, string $file = '', int $line = 0)
    {
        $isMeant = $level & $this->levels & error_reporting()
            && !$this->client->isRepeated("$file:$line:$message");
        $report = $isMeant ? Report::ofError($level, $message, $file, $line, Report::here()) : null;
        $this->told = $isMeant ? ["$file:$line", $message] : $this->told;
        if (!$this->previousError) {
            $report && $this->client->submit($report);
            return false;
        }
        $this->held = $report; // the handler may end the program
        try {
            $answer = ($this->previousError)(...func_get_args());
            $this->release();
            return $answer;
        } finally {
            $this->held = null;
        }
    }

    public function exception(Throwable $thrown): void
    {
        $this->told = [$thrown->getFile() . ':' . $thrown->getLine(), $thrown->getMessage()];
        $this->client->submit($thrown, ['level' => 'fatal']);
        if ($this->previousException) {
            ($this->previousException)($thrown);
            return;
        }
        throw $thrown; // PHP reports it as if there were no handler
    }

    public function shutdown(): void
    {
        $this->release();
        $last = error_get_last();
        if (!Ender::isFatal($last)) {
            return;
        }
        $place = "{$last['file']}:{$last['line']}";
        [$toldPlace, $message] = $this->told;
        if ($place !== $toldPlace || ($message !== '' && strpos($last['message'], $message) === false)) {
            $this->told = [$place, $last['message']];
            $trace = isset($last['trace']) && is_array($last['trace']) ? $last['trace'] : []; // PHP 8.5
            $report = Report::ofError($last['type'], $last['message'], $last['file'], $last['line'], $trace);
            $this->client->submit($report);
        }
    }

    /** Where the memory is full, give back what was put aside for this, and have a little more. */
    public function makeRoom(): void
    {
        if ($this->reserve === null || !Ender::isFatal(error_get_last())) {
            return;
        }
        $this->reserve = null;
        if (preg_match('/^Allowed memory size of (\d+) /', error_get_last()['message'], $found)) {
            ini_set('memory_limit', (string) ((int) $found[1] + self::MORE_MEMORY_BYTES));
        }
    }

    private function release(): void
    {
        if ($this->held) {
            $this->client->submit($this->held);
            $this->held = null;
        }
    }
}

/**
 * Ends a client when another shutdown function exits, and so ends all that come after it. An object
 * of that time: after a fatal error PHP calls no destructor of those there were.
 */
final class Ender
{
    private const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;

    private Client $client;

    public function __construct(Client $client)
    {
        $this->client = $client;
    }

    public function __destruct()
    {
        $this->client->end();
    }

    public static function isFatal(?array $error): bool
    {
        return $error && $error['type'] & self::FATAL;
    }
}

/** What happened, as fields with the names that the server understands. */
final class Report
{
    private const LEVELS = [
        E_WARNING => 'warning', E_USER_WARNING => 'warning', E_CORE_WARNING => 'warning',
        E_COMPILE_WARNING => 'warning', E_NOTICE => 'notice', E_USER_NOTICE => 'notice',
        E_DEPRECATED => 'notice', E_USER_DEPRECATED => 'notice', E_USER_ERROR => 'error',
        E_RECOVERABLE_ERROR => 'error',
    ];
    private const TYPES = [
        E_ERROR => 'E_ERROR', E_WARNING => 'E_WARNING', E_PARSE => 'E_PARSE', E_NOTICE => 'E_NOTICE',
        E_CORE_ERROR => 'E_CORE_ERROR', E_CORE_WARNING => 'E_CORE_WARNING',
        E_COMPILE_ERROR => 'E_COMPILE_ERROR', E_COMPILE_WARNING => 'E_COMPILE_WARNING',
        E_USER_ERROR => 'E_USER_ERROR', E_USER_WARNING => 'E_USER_WARNING',
        E_USER_NOTICE => 'E_USER_NOTICE', E_RECOVERABLE_ERROR => 'E_RECOVERABLE_ERROR',
        E_DEPRECATED => 'E_DEPRECATED', E_USER_DEPRECATED => 'E_USER_DEPRECATED',
    ];
    private const MAX_FRAMES = 100;
    private const MAX_CAUSES = 10;

    /** @param Throwable|string|array $what */
    public static function of($what): array
    {
        if ($what instanceof Throwable) {
            return self::ofThrown($what);
        }
        return is_array($what) ? $what : ['Msg' => $what] + self::callSite();
    }

    public static function ofError(int $level, string $message, string $file, int $line, array $trace): array
    {
        if (preg_match('/^Uncaught ([\w\\\\]+: .+ in .+:\d+\nStack trace:\n.+)$/sD', $message, $found)) {
            return self::ofUncaught($level, $found[1], $file, $line);
        }
        $type = self::TYPES[$level] ?? "E_$level";
        $head = "$type: " . Values::shortened($message) . " in $file:$line\nStack trace:\n";
        return [
            'Msg' => $message,
            'type' => $type,
            'level' => self::LEVELS[$level] ?? 'fatal',
            'File' => $file,
            'Line' => $line,
            'stack' => $trace ? $head . self::trace($trace) : null,
        ];
    }

    /** Of PHP's own words for an exception: the first cause first, and with the calls' arguments. */
    private static function ofUncaught(int $level, string $told, string $file, int $line): array
    {
        $told = preg_replace('/\n  thrown$/D', '', $told);
        $told = preg_replace('/^(#\d+ .+?(?:\(\d+\)|\]): [^(]*)\(.*\)$/m', '$1()', $told);
        $parts = array_reverse(explode("\n\nNext ", $told));
        preg_match('/^([\w\\\\]+): (.*?) in .+:\d+\nStack trace:\n/s', $parts[0], $thrown);
        return [
            'Msg' => $thrown[2] ?? $parts[0],
            'type' => $thrown[1] ?? self::TYPES[$level],
            'level' => 'fatal',
            'File' => $file,
            'Line' => $line,
            'stack' => implode("\n\nCaused by: ", $parts),
        ];
    }

    /** The calls that led here, without this file's own and without arguments: these are secrets. */
    public static function here(): array
    {
        $calls = debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS, self::MAX_FRAMES + 10);
        while ($calls && ($calls[0]['file'] ?? __FILE__) === __FILE__) {
            array_shift($calls);
        }
        if ($calls && ($calls[0]['class'] ?? '') === Handlers::class) {
            array_shift($calls); // the hook itself, called by the line at fault
        }
        return $calls;
    }

    /** Where and by whom this program runs. */
    public static function surroundings(): array
    {
        $found = ['Platform' => 'PHP ' . PHP_VERSION . ' ' . PHP_SAPI, 'host' => (string) gethostname()];
        if (!isset($_SERVER['REQUEST_METHOD'], $_SERVER['HTTP_HOST'])) {
            return $found;
        }
        $isTls = !in_array(strtolower((string) ($_SERVER['HTTPS'] ?? '')), ['', 'off'], true);
        return [
            'PageURL' => ($isTls ? 'https://' : 'http://') . $_SERVER['HTTP_HOST'] . ($_SERVER['REQUEST_URI'] ?? ''),
            'method' => $_SERVER['REQUEST_METHOD'],
            'UserAgent' => $_SERVER['HTTP_USER_AGENT'] ?? null,
        ] + $found;
    }

    private static function ofThrown(Throwable $thrown): array
    {
        return [
            'Msg' => $thrown->getMessage(),
            'type' => get_class($thrown),
            'code' => $thrown->getCode() ?: null,
            'File' => $thrown->getFile(),
            'Line' => $thrown->getLine(),
            'stack' => self::causes($thrown),
        ];
    }

    /** The whole trace, its causes below it, in PHP's own form. */
    private static function causes(Throwable $thrown): string
    {
        $parts = [];
        for ($each = $thrown; $each && count($parts) < self::MAX_CAUSES; $each = $each->getPrevious()) {
            $head = get_class($each) . ': ' . $each->getMessage() . " in {$each->getFile()}:{$each->getLine()}";
            $parts[] = Values::shortened($head) . "\nStack trace:\n" . self::trace($each->getTrace());
        }
        return implode("\n\nCaused by: ", $parts);
    }

    private static function trace(array $calls): string
    {
        $lines = [];
        foreach (array_slice(array_values($calls), 0, self::MAX_FRAMES) as $number => $call) {
            $where = isset($call['file']) ? "{$call['file']}({$call['line']})" : '[internal function]';
            $name = ($call['class'] ?? '') . ($call['type'] ?? '') . ($call['function'] ?? '');
            $lines[] = "#$number $where: $name()";
        }
        $left = count($calls) - count($lines);
        $lines[] = $left ? "($left outer calls are left out)" : '#' . count($lines) . ' {main}';
        return implode("\n", $lines);
    }

    private static function callSite(): array
    {
        foreach (debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS, 12) as $call) {
            if (isset($call['file']) && $call['file'] !== __FILE__) {
                return ['File' => $call['file'], 'Line' => $call['line']];
            }
        }
        return [];
    }
}

/**
 * Values of any kind as a form's names and texts, within bounds. Nested values become names with
 * dots, order.id, which the server's queries understand; a list of plain values gives its name once
 * for each.
 */
final class Values
{
    private const OURS = ['_s', '_r', '_id'];
    private const MAX_FIELDS = 200;
    private const MAX_ITEMS = 50;
    private const MAX_DEPTH = 4;
    private const MAX_NAME_BYTES = 200;
    private const MAX_TEXT_BYTES = 32768;
    /** Of all values together: three times as much when encoded, below the server's 1 MiB. */
    private const MAX_ALL_BYTES = 262144;

    /** @return array<int, array{string, string}> */
    public static function texts(array $fields): array
    {
        $found = [];
        $room = self::MAX_ALL_BYTES;
        self::flatten('', $fields, 0, $found, $room);
        return $found;
    }

    /** The texts, and those of further fields that they lack. */
    public static function merged(array $texts, array $further): array
    {
        $names = array_flip(array_column($texts, 0));
        $added = array_filter(self::texts($further), static function (array $text) use ($names): bool {
            return !isset($names[$text[0]]);
        });
        return array_merge($texts, $added);
    }

    /** Fields as a scrub hook reads them: a name given twice has a list. */
    public static function joined(array $texts): array
    {
        $fields = [];
        foreach ($texts as [$name, $text]) {
            $fields[$name] = isset($fields[$name]) ? array_merge((array) $fields[$name], [$text]) : $text;
        }
        return $fields;
    }

    public static function encoded(array $texts): string
    {
        return implode('&', array_map(static function (array $text): string {
            return urlencode($text[0]) . '=' . urlencode($text[1]);
        }, $texts));
    }

    /** UTF-8 of at most so many bytes; of a longer text the middle is left out. */
    public static function shortened(string $text, int $bytes = self::MAX_TEXT_BYTES): string
    {
        $over = strlen($text) - $bytes;
        if ($over <= 0) {
            return self::utf8($text);
        }
        $isUtf8 = preg_match('//u', $text) === 1;
        $head = substr($text, 0, intdiv($bytes, 2));
        $tail = substr($text, -intdiv($bytes, 2));
        if ($isUtf8) { // cut between letters
            $head = preg_replace('/[\xC0-\xFF][\x80-\xBF]*$/D', '', $head);
            $tail = preg_replace('/^[\x80-\xBF]+/', '', $tail);
        }
        return self::utf8($head) . "\n… $over bytes left out …\n" . self::utf8($tail);
    }

    private static function flatten(string $prefix, array $fields, int $depth, array &$found, int &$room): void
    {
        $count = 0;
        foreach ($fields as $name => $value) {
            if ($count++ >= ($depth ? self::MAX_ITEMS : self::MAX_FIELDS)) {
                return;
            }
            $name = self::utf8(substr($prefix . $name, 0, self::MAX_NAME_BYTES));
            if ($value === null || in_array($name, self::OURS, true)) {
                continue;
            }
            $value = $value instanceof \stdClass ? (array) $value : $value;
            if (is_array($value) && !self::isList($value) && $depth < self::MAX_DEPTH) {
                self::flatten("$name.", $value, $depth + 1, $found, $room);
                continue;
            }
            foreach (self::isList($value) ? array_slice($value, 0, self::MAX_ITEMS) : [$value] as $item) {
                $text = self::text($item);
                $room -= strlen($text);
                if ($room < 0 || count($found) >= self::MAX_FIELDS) {
                    return;
                }
                $found[] = [$name, $text];
            }
        }
    }

    /** Whether this is a list of plain values. */
    private static function isList($value): bool
    {
        return is_array($value) && $value && array_keys($value) === range(0, count($value) - 1)
            && count(array_filter($value, 'is_scalar')) === count($value);
    }

    private static function text($value): string
    {
        try {
            return self::shortened(self::plain($value));
        } catch (Throwable $failure) {
            return '<' . get_class($value) . ' that cannot be shown: ' . get_class($failure) . '>';
        }
    }

    private static function plain($value): string
    {
        if (is_string($value)) {
            return $value;
        }
        if (is_bool($value) || is_float($value)) {
            return var_export($value, true);
        }
        if ($value instanceof \DateTimeInterface) {
            return $value->format(DATE_ATOM);
        }
        if ($value instanceof \BackedEnum) { // @phpstan-ignore-line PHP 8.1
            return (string) $value->value;
        }
        if (is_scalar($value) || (is_object($value) && method_exists($value, '__toString'))) {
            return (string) $value;
        }
        // No object's own JSON: a model of a database reads half of it for that.
        $json = is_array($value) ? json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR, 8) : '';
        return $json ?: '<' . (is_object($value) ? get_class($value) : gettype($value)) . '>';
    }

    private static function utf8(string $text): string
    {
        if (preg_match('//u', $text) === 1) {
            return $text;
        }
        if (function_exists('mb_convert_encoding')) {
            return (string) mb_convert_encoding($text, 'UTF-8', 'Windows-1252');
        }
        return (string) preg_replace_callback('/[\x80-\xFF]/', static function (array $byte): string {
            return chr(0xC0 | ord($byte[0]) >> 6) . chr(0x80 | ord($byte[0]) & 0x3F); // Latin-1
        }, $text);
    }
}

/** One error or log message on its way. */
final class Message
{
    public const SUBMIT = '/submit';
    public const LOG = '/log';

    public string $path;
    public string $id;
    public array $texts;
    /** What is posted, each time the same; '' until it is packed. */
    public string $body = '';
    /** The file it waits in, or ''. */
    public string $file = '';
    public float $began = 0.0;

    public function __construct(string $path, array $texts)
    {
        $this->path = $path;
        $this->texts = $texts;
        $this->id = bin2hex(random_bytes(16));
    }

    /** One that was put by. */
    public static function again(string $file, string $body): self
    {
        $message = new self(self::SUBMIT, []);
        $message->body = $body;
        $message->file = $file;
        return $message;
    }
}

/** What became of a message. */
final class Answer
{
    public const STORED = 'stored';
    public const REFUSED = 'refused'; // and would be again
    public const LATER = 'later';     // not taken now
    public const UNKNOWN = 'unknown'; // sent, but no answer that can be understood

    private const MAX_RETRY_AFTER_S = 600;

    public string $fate;
    public string $problem;
    public int $retryAfter;
    /** What the server said. */
    public array $reply = [];

    public function __construct(string $fate, string $problem = '', int $retryAfter = 0)
    {
        $this->fate = $fate;
        $this->problem = $problem;
        $this->retryAfter = $retryAfter;
    }

    /** @param array<string, string> $headers by lower-case name */
    public static function read(int $status, array $headers, string $content): self
    {
        if ($status >= 500 || in_array($status, [408, 425, 429], true)) {
            return new self(self::LATER, "the server answered $status", self::seconds($headers['retry-after'] ?? ''));
        }
        if ($status >= 300) {
            $to = isset($headers['location']) ? ' to ' . substr($headers['location'], 0, 200) : '';
            return new self(self::REFUSED, "the server answered $status$to");
        }
        $said = json_decode($content, true, 16);
        if ($status < 200 || !is_array($said) || !isset($said['success'])) {
            return new self(self::UNKNOWN, "the answer is not an ErrorStack server's");
        }
        $problem = is_string($said['errorMsg'] ?? null) ? substr($said['errorMsg'], 0, 200) : 'refused';
        $answer = $said['success'] === true ? new self(self::STORED) : new self(self::REFUSED, $problem);
        $answer->reply = $said;
        return $answer;
    }

    /** The seconds that a Retry-After header asks for (RFC 9110, section 10.2.3), or 0. */
    private static function seconds(string $header): int
    {
        $header = trim($header);
        $wait = ctype_digit($header) ? (float) $header : (float) (strtotime($header) ?: 0) - time();
        return (int) min(max($wait, 0), self::MAX_RETRY_AFTER_S);
    }
}

/** Where a server is. */
final class Endpoint
{
    /** Returns "http://host:port/prefix", or null for what is no such address. */
    public static function read(string $endpoint): ?string
    {
        $parts = parse_url($endpoint);
        if (
            !is_array($parts) || empty($parts['host']) || preg_match('/[\x00-\x20]/', $endpoint)
            || !in_array(strtolower($parts['scheme'] ?? ''), ['http', 'https'], true)
        ) {
            return null;
        }
        $port = isset($parts['port']) ? ":{$parts['port']}" : '';
        $path = preg_replace('#(/submit)?/*$#D', '', $parts['path'] ?? '');
        return strtolower($parts['scheme']) . "://{$parts['host']}$port$path";
    }
}

/** The way to the server: several posts at a time, none of them waited for longer than asked. */
abstract class Wire
{
    public const LATE = 'the server did not answer in time';
    protected const MAX_ANSWER_BYTES = 65536;
    protected const HEADERS = ['Content-Type: application/x-www-form-urlencoded; charset=utf-8'];

    protected float $timeout;
    protected string $caFile;

    final public function __construct(float $timeout, string $caFile)
    {
        $this->timeout = $timeout;
        $this->caFile = $caFile;
    }

    public static function best(float $timeout, string $caFile): self
    {
        // Some hosts forbid curl_multi_exec by name.
        $hasCurl = function_exists('curl_init') && function_exists('curl_multi_exec');
        return $hasCurl ? new CurlWire($timeout, $caFile) : new StreamWire($timeout, $caFile);
    }

    /** How many more posts it can begin now. */
    abstract public function room(): int;

    /** Begin a post. */
    abstract public function send(string $token, string $url, string $body): void;

    /**
     * Go on with the posts, until one is answered or the time is over.
     *
     * @return array<string, Answer> by token
     */
    abstract public function pump(float $seconds): array;

    /**
     * Give up what is on its way.
     *
     * @return string[] the tokens
     */
    abstract public function abandon(): array;

    /** How long a call that should be quick may pump, of so many seconds; below 0: not at all. */
    abstract public function linger(float $seconds): float;

    /** The same, with nothing on its way and no connections. */
    public function fresh(): self
    {
        return new static($this->timeout, $this->caFile);
    }

    protected function userAgent(): string
    {
        return 'errorstack-client/php ' . Client::VERSION;
    }

    protected static function now(): float
    {
        return hrtime(true) / 1e9;
    }

    /** "HTTP/1.1 200 OK" and headers, without the last empty line. */
    protected static function answer(string $head, string $content): Answer
    {
        if (!preg_match('#^HTTP/\d(?:\.\d)? (\d{3})#', $head, $status)) {
            return new Answer(Answer::UNKNOWN, 'the answer is no HTTP');
        }
        preg_match_all('/^([\w-]+):[ \t]*([^\r\n]*)/m', $head, $headers, PREG_SET_ORDER);
        $named = array_column(array_map(static function (array $header): array {
            return [strtolower($header[1]), $header[2]];
        }, $headers), 1, 0);
        return Answer::read((int) $status[1], $named, $content);
    }
}

final class CurlWire extends Wire
{
    private const MAX_AT_ONCE = 4;
    private const UNSENT = [
        CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
        CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT,
    ];
    /** Between two calls of pump() nothing moves; more than this of it is not the server's fault. */
    private const MAX_GAP_S = 0.5;

    /** What is on its way for longer is not looked after by calls that should be quick. */
    private const SLOW_S = 0.2;

    /** @var mixed Keeps the connections. */
    private $multi;
    /** @var array<string, Flight> */
    private array $flights = [];
    private float $pumpedAt = 0.0;

    public function room(): int
    {
        return self::MAX_AT_ONCE - count($this->flights);
    }

    public function linger(float $seconds): float
    {
        foreach ($this->flights as $flight) {
            $seconds = self::now() - $flight->began > self::SLOW_S ? 0.0 : $seconds;
        }
        return $seconds;
    }

    public function send(string $token, string $url, string $body): void
    {
        $this->multi = $this->multi ?: curl_multi_init();
        $flight = $this->flights[$token] = new Flight(curl_init(), self::now());
        curl_setopt_array($flight->handle, [
            CURLOPT_URL => $url,
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_HTTPHEADER => array_merge(self::HEADERS, ['Expect:', 'Accept: application/json']),
            CURLOPT_USERAGENT => $this->userAgent(),
            CURLOPT_FOLLOWLOCATION => false, // it would carry the key elsewhere
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_CONNECTTIMEOUT_MS => (int) ($this->timeout * 1000),
            CURLOPT_NOSIGNAL => true,
            CURLOPT_HEADERFUNCTION => static function ($_, string $line) use ($flight): int {
                $flight->head = strncmp($line, 'HTTP/', 5) === 0 ? $line : $flight->head . $line;
                return strlen($flight->head) < self::MAX_ANSWER_BYTES ? strlen($line) : 0;
            },
            CURLOPT_WRITEFUNCTION => static function ($_, string $data) use ($flight): int {
                $flight->content .= $data;
                return strlen($flight->content) < self::MAX_ANSWER_BYTES ? strlen($data) : 0;
            },
        ]);
        if ($this->caFile !== '') {
            curl_setopt($flight->handle, CURLOPT_CAINFO, $this->caFile);
        }
        curl_multi_add_handle($this->multi, $flight->handle);
    }

    public function pump(float $seconds): array
    {
        $end = self::now() + $seconds;
        $this->forgiveGap();
        $answers = [];
        while ($this->flights) {
            curl_multi_exec($this->multi, $active);
            $answers = $this->finished() + $this->overdue();
            $left = $end - self::now();
            if ($answers || $left <= 0) {
                break;
            }
            if (curl_multi_select($this->multi, min($left, 0.02)) === -1) {
                usleep(1000);
            }
        }
        $this->pumpedAt = self::now();
        return $answers;
    }

    public function abandon(): array
    {
        $tokens = array_map('strval', array_keys($this->flights));
        array_map([$this, 'drop'], $tokens);
        return $tokens;
    }

    private function forgiveGap(): void
    {
        $gap = $this->pumpedAt ? self::now() - $this->pumpedAt - self::MAX_GAP_S : 0.0;
        foreach ($gap > 0 ? $this->flights : [] as $flight) {
            $flight->began += $gap;
        }
    }

    private function finished(): array
    {
        $answers = [];
        while ($done = curl_multi_info_read($this->multi)) {
            foreach ($this->flights as $token => $flight) {
                if ($flight->handle === $done['handle']) {
                    $answers[$token] = $this->answered($flight, $done['result']);
                    $this->drop((string) $token);
                }
            }
        }
        return $answers;
    }

    private function answered(Flight $flight, int $code): Answer
    {
        // Too long an answer was cut by us (CURLE_WRITE_ERROR): its status counts.
        if ($code === CURLE_OK || $code === CURLE_WRITE_ERROR) {
            return self::answer($flight->head, $flight->content);
        }
        $problem = curl_error($flight->handle) ?: (string) curl_strerror($code);
        $fate = in_array($code, self::UNSENT, true) ? Answer::LATER : Answer::UNKNOWN;
        return new Answer($fate, substr($problem, 0, 200));
    }

    private function overdue(): array
    {
        $answers = [];
        foreach ($this->flights as $token => $flight) {
            if (self::now() - $flight->began > $this->timeout) {
                $answers[$token] = new Answer(Answer::UNKNOWN, self::LATE);
                $this->drop((string) $token);
            }
        }
        return $answers;
    }

    private function drop(string $token): void
    {
        curl_multi_remove_handle($this->multi, $this->flights[$token]->handle);
        unset($this->flights[$token]);
    }
}

/** A post that curl has on its way. */
final class Flight
{
    /** @var mixed */
    public $handle;
    public float $began;
    public string $head = '';
    public string $content = '';

    public function __construct($handle, float $began)
    {
        $this->handle = $handle;
        $this->began = $began;
    }
}

/** For PHP without curl: one post after another, each with a connection of its own. */
final class StreamWire extends Wire
{
    /** Token, address and body. */
    private ?array $next = null;

    public function room(): int
    {
        return $this->next ? 0 : 1;
    }

    public function linger(float $seconds): float
    {
        return -1.0;
    }

    public function send(string $token, string $url, string $body): void
    {
        $this->next = [$token, $url, $body];
    }

    public function pump(float $seconds): array
    {
        if (!$this->next) {
            return [];
        }
        [$token, $url, $body] = $this->next;
        $this->next = null;
        return [$token => $this->post($url, $body, self::now() + min($seconds, $this->timeout))];
    }

    public function abandon(): array
    {
        $token = $this->next ? [$this->next[0]] : [];
        $this->next = null;
        return $token;
    }

    private function post(string $url, string $body, float $end): Answer
    {
        $to = parse_url($url);
        $isTls = $to['scheme'] === 'https';
        $port = $to['port'] ?? ($isTls ? 443 : 80);
        $ssl = ['peer_name' => trim($to['host'], '[]')] + ($this->caFile === '' ? [] : ['cafile' => $this->caFile]);
        $stream = stream_socket_client(
            "tcp://{$to['host']}:$port",
            $code,
            $problem,
            max($end - self::now(), 0.01),
            STREAM_CLIENT_CONNECT,
            stream_context_create(['ssl' => $ssl])
        );
        if (!$stream) {
            return new Answer(Answer::LATER, "no connection: $problem");
        }
        stream_set_blocking($stream, false);
        if ($isTls && !$this->encrypt($stream, $end)) {
            fclose($stream);
            return new Answer(Answer::LATER, 'no secure connection');
        }
        $host = $to['host'] . (isset($to['port']) ? ":$port" : '');
        $head = array_merge(["POST {$to['path']} HTTP/1.0", "Host: $host"], self::HEADERS, [
            'User-Agent: ' . $this->userAgent(),
            'Content-Length: ' . strlen($body),
            'Connection: close',
        ]);
        $isSent = $this->write($stream, implode("\r\n", $head) . "\r\n\r\n" . $body, $end);
        $answer = $isSent ? $this->read($stream, $end) : new Answer(Answer::UNKNOWN, 'the server did not read in time');
        fclose($stream);
        return $answer;
    }

    private function encrypt($stream, float $end): bool
    {
        while (($is = stream_socket_enable_crypto($stream, true, STREAM_CRYPTO_METHOD_TLS_CLIENT)) === 0) {
            if (!$this->wait([$stream], [], $end)) {
                return false;
            }
        }
        return $is === true;
    }

    private function write($stream, string $bytes, float $end): bool
    {
        while ($bytes !== '') {
            $count = fwrite($stream, $bytes);
            if ($count === false || !$this->wait([], [$stream], $end)) {
                return false;
            }
            $bytes = (string) substr($bytes, $count);
        }
        return true;
    }

    private function read($stream, float $end): Answer
    {
        $got = '';
        while (!feof($stream) && strlen($got) < self::MAX_ANSWER_BYTES && !self::isWhole($got)) {
            if (!$this->wait([$stream], [], $end)) {
                return new Answer(Answer::UNKNOWN, self::LATE);
            }
            $got .= fread($stream, 8192);
        }
        [$head, $content] = array_pad(explode("\r\n\r\n", $got, 2), 2, '');
        return self::answer($head, $content);
    }

    /** Whether that is all of an answer that says how long it is: then nobody waits for its end. */
    private static function isWhole(string $got): bool
    {
        [$head, $content] = array_pad(explode("\r\n\r\n", $got, 2), 2, null);
        return $content !== null && preg_match('/^content-length:[ \t]*(\d+)/mi', $head, $length)
            && strlen($content) >= (int) $length[1];
    }

    private function wait(array $read, array $write, float $end): bool
    {
        $left = $end - self::now();
        $none = null;
        if ($left > 0) { // in small steps: bytes that TLS has decrypted already do not show here
            stream_select($read, $write, $none, 0, (int) min($left * 1e6, 20000));
        }
        return $left > 0;
    }
}

/** The queue, and what becomes of each message in it. */
final class Courier
{
    private const RESEND_EVERY_S = 5;
    private const RESEND_COUNT = 10;

    private string $url;
    private string $key;
    private Wire $wire;
    private Ledger $ledger;
    private ?Spool $spool;
    private array $settings;
    /** @var Message[] */
    private array $queue = [];
    /** @var array<string, Message> by _id */
    private array $flying = [];
    /** A forked process has a copy of all this, which is its parent's to send. */
    private int $process;
    /** The _id that somebody waits for, and its answer. */
    private string $awaited = '';
    private ?Answer $heard = null;
    private int $unsent = 0;

    public function __construct(string $url, string $key, Wire $wire, Ledger $ledger, ?Spool $spool, array $settings)
    {
        $this->url = $url;
        $this->key = $key;
        $this->wire = $wire;
        $this->ledger = $ledger;
        $this->spool = $spool;
        $this->settings = $settings;
        $this->process = (int) getmypid();
    }

    public function take(Message $message): void
    {
        $this->beginInChild();
        $this->queue[] = $message;
        if (count($this->queue) > $this->settings['max_queue']) {
            array_shift($this->queue);
            $this->ledger->lose('queue');
        }
    }

    public function hasWork(): bool
    {
        $this->beginInChild();
        return $this->queue || $this->flying || ($this->spool && $this->spool->isFilled());
    }

    /** Send what waits, as far as that is done in so many seconds, or in no time on a slow wire. */
    public function linger(float $seconds): void
    {
        $seconds = $this->wire->linger($seconds);
        if ($seconds >= 0) {
            $this->run($seconds);
        }
    }

    /** Send what waits, for so long; what is on its way then stays on its way. */
    public function run(float $seconds): void
    {
        $end = self::now() + $seconds;
        do {
            $this->start();
            foreach ($this->wire->pump(max($end - self::now(), 0)) as $token => $answer) {
                $this->settle((string) $token, $answer);
            }
        } while (($this->queue || $this->flying) && self::now() < $end);
    }

    /** Send what waits, and put by what could not be sent; false when there was any. */
    public function finish(float $seconds): bool
    {
        $this->beginInChild();
        $end = self::now() + $seconds;
        $this->unsent = 0;
        $this->run($seconds);
        $this->stop();
        if (!$this->unsent && $this->resend()) {
            $this->run(max($end - self::now(), 0));
            $this->stop();
        }
        return !$this->unsent;
    }

    /** @return array<string, mixed> the server's reply */
    public function ask(Message $message, float $seconds): array
    {
        $this->beginInChild();
        $end = self::now() + $seconds;
        $this->queue[] = $message;
        [$this->awaited, $this->heard] = [$message->id, null];
        do {
            $this->start();
            foreach ($this->heard ? [] : $this->wire->pump(max($end - self::now(), 0)) as $token => $answer) {
                $this->settle((string) $token, $answer);
            }
        } while (!$this->heard && self::now() < $end);
        if (!$this->heard) {
            $this->stop();
        }
        $heard = $this->heard ?: new Answer(Answer::UNKNOWN, Wire::LATE);
        return $heard->reply ?: ['success' => false, 'errorMsg' => $heard->problem];
    }

    /** Errors and log messages in the order they came; of a kind, several at a time. */
    private function start(): void
    {
        while ($this->queue && $this->wire->room() > 0) {
            $next = reset($this->queue);
            $flying = reset($this->flying);
            if ($flying && $flying->path !== $next->path) {
                return;
            }
            array_shift($this->queue);
            if (!$this->isPacked($next)) {
                $this->hear($next, new Answer(Answer::REFUSED, 'the scrub hook wants nothing sent'));
                continue;
            }
            if (!$this->flying && !$this->ledger->mayTry()) {
                $this->keep($next, new Answer(Answer::LATER, 'the server was away a moment ago'));
                continue;
            }
            $this->flying[$next->id] = $next;
            $next->began = self::now();
            $this->wire->send($next->id, $this->url . $next->path, $next->body);
        }
    }

    private function isPacked(Message $message): bool
    {
        if ($message->body !== '') {
            return true;
        }
        $texts = $this->scrubbed($message->texts);
        if ($texts === null) {
            return false;
        }
        $always = [['_s', $this->key], ['_r', 'json']];
        if ($message->path === Message::SUBMIT) {
            $always[] = ['_id', $message->id];
            foreach ($this->ledger->takeLosses() as $reason => $count) {
                $texts[] = ["dropped_$reason", (string) $count];
            }
        }
        $message->body = Values::encoded(array_merge($always, $texts));
        return true;
    }

    private function scrubbed(array $texts): ?array
    {
        $scrub = $this->settings['scrub'];
        if ($scrub === null) {
            return $texts;
        }
        try {
            $kept = $scrub(Values::joined($texts));
        } catch (Throwable $failure) {
            $this->ledger->lose('scrub');
            ($this->settings['tell'])('the scrub hook failed: ' . get_class($failure) . ': ' . $failure->getMessage());
            return null;
        }
        return is_array($kept) ? Values::texts($kept) : null;
    }

    private function settle(string $token, Answer $answer): void
    {
        $message = $this->flying[$token] ?? null;
        if (!$message) {
            return;
        }
        unset($this->flying[$token]);
        if ($answer->fate === Answer::LATER || $answer->fate === Answer::UNKNOWN) {
            $this->ledger->failed($answer->retryAfter);
            $this->keep($message, $answer);
            return;
        }
        $this->ledger->succeeded(self::now() - $message->began);
        if ($answer->fate === Answer::REFUSED) {
            $this->ledger->lose('refused');
            ($this->settings['tell'])($answer->problem);
        }
        $this->spool && $this->spool->remove($message->file);
        $this->hear($message, $answer);
    }

    /** Put an error by until the server takes it. A log message has no _id and could be doubled. */
    private function keep(Message $message, Answer $answer): void
    {
        ($this->settings['tell'])($answer->problem);
        $isError = $message->path === Message::SUBMIT;
        $isKept = $message->file !== '' || ($isError && $this->spool && $this->spool->add($message));
        if (!$isKept) {
            $this->ledger->lose('unsent');
        }
        $this->unsent++;
        $this->hear($message, $answer);
    }

    private function hear(Message $message, Answer $answer): void
    {
        if ($message->id === $this->awaited) {
            $this->heard = $answer;
        }
    }

    /** Put by whatever is still here. */
    private function stop(): void
    {
        $late = new Answer(Answer::UNKNOWN, Wire::LATE);
        foreach ($this->wire->abandon() as $token) {
            $this->settle($token, $late);
        }
        foreach ($this->queue as $message) {
            if ($this->isPacked($message)) {
                $this->keep($message, $late);
            }
        }
        $this->queue = $this->flying = [];
    }

    /** Take up what was put by, a little at a time and one process at a time. */
    private function resend(): bool
    {
        if (
            !$this->spool || !$this->spool->isFilled() || $this->ledger->isPaused()
            || !$this->ledger->isFirstIn('resend', self::RESEND_EVERY_S)
        ) {
            return false;
        }
        [$this->queue, $aged] = $this->spool->take(self::RESEND_COUNT);
        $aged && $this->ledger->lose('unsent', $aged);
        return (bool) $this->queue;
    }

    private function beginInChild(): void
    {
        if ($this->process !== (int) getmypid()) {
            $this->process = (int) getmypid();
            $this->queue = $this->flying = [];
            $this->wire = $this->wire->fresh();
        }
    }

    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}

/** Errors in files, until the server takes them; at most so many, none older than the server's _id. */
final class Spool
{
    private const MAX_FILES = 50;
    private const MAX_FILE_BYTES = 1048576;
    /** The server knows an _id for an hour: what is older could be stored twice. */
    private const MAX_AGE_S = 3000;

    private string $directory;

    public function __construct(string $directory)
    {
        $this->directory = $directory;
    }

    /** Cheap: the directory is there only while something is in it. */
    public function isFilled(): bool
    {
        clearstatcache(true, $this->directory);
        return is_dir($this->directory);
    }

    public function add(Message $message): bool
    {
        if (strlen($message->body) > self::MAX_FILE_BYTES) {
            return false;
        }
        if (!is_dir($this->directory) && !mkdir($this->directory, 0700)) {
            return false;
        }
        $files = $this->files();
        if (count($files) >= self::MAX_FILES) {
            return false;
        }
        $file = $this->directory . DIRECTORY_SEPARATOR . sprintf('%010d-%s', time(), $message->id);
        $isWritten = file_put_contents("$file.new", $message->body) === strlen($message->body);
        return $isWritten && rename("$file.new", "$file.form");
    }

    /** @return array{Message[], int} the oldest, and how many were too old */
    public function take(int $count): array
    {
        $messages = [];
        $aged = 0;
        foreach ($this->files() as $file) {
            $at = (int) basename($file);
            if (abs(time() - $at) > self::MAX_AGE_S) {
                $this->remove($file);
                $aged++;
                continue;
            }
            if (count($messages) === $count) {
                break;
            }
            $body = (string) file_get_contents($file, false, null, 0, self::MAX_FILE_BYTES);
            if ($body !== '') {
                $messages[] = Message::again($file, $body . '&occurred_at=' . gmdate('Y-m-d\TH:i:s\Z', $at));
            }
        }
        $this->removeIfEmpty();
        return [$messages, $aged];
    }

    public function remove(string $file): void
    {
        if ($file !== '') {
            unlink($file);
            $this->removeIfEmpty();
        }
    }

    private function removeIfEmpty(): void
    {
        if (!$this->files()) {
            array_map('unlink', glob($this->directory . DIRECTORY_SEPARATOR . '*.new') ?: []);
            rmdir($this->directory);
        }
    }

    /** @return string[] oldest first */
    private function files(): array
    {
        return glob($this->directory . DIRECTORY_SEPARATOR . '*.form') ?: [];
    }
}

/** What requests must know of each other: how much was sent, what was lost, whether to try now. */
final class Ledger
{
    private const MAX_SEEN = 200;
    private const PAUSES_S = [5, 10, 20, 30];
    /** One request tries whether the server is back, the others go on without it. */
    private const PROBE_S = 3;
    /** An answer may take so many times longer than usual, within these bounds. */
    private const PATIENCE = 5;
    private const UNKNOWN_S = 0.02;
    private const MIN_WAIT_S = 0.05;
    private const MAX_WAIT_S = 1.0;
    /** A request that tried and was killed is waited for no longer. */
    private const FORGOTTEN_S = 10;
    private const MAX_AHEAD_S = 3600;

    private Shelf $shelf;

    public function __construct(Shelf $shelf)
    {
        $this->shelf = $shelf;
    }

    /** Why a message may not go in: 'repeat', said a moment ago; 'limit', too many a minute; else ''. */
    public function refusal(string $path, string $print, int $perMinute, int $dedupe): string
    {
        $change = static function (array &$state) use ($path, $print, $perMinute, $dedupe): string {
            $now = time();
            $seen = array_filter($state['seen'] ?? [], static function (int $until) use ($now): bool {
                return self::isAhead($until, $now);
            });
            if ($print !== '' && isset($seen[$print])) {
                $state['seen'] = $seen;
                return self::lost($state, 'repeat');
            }
            $minute = intdiv($now, 60);
            if (($state['minute'] ?? 0) !== $minute) {
                $state['minute'] = $minute;
                $state['count'] = [];
            }
            $count = ($state['count'][$path] ?? 0) + 1;
            if ($count > $perMinute) {
                return self::lost($state, 'limit');
            }
            $state['count'][$path] = $count;
            if ($print !== '' && $dedupe > 0) {
                $seen[$print] = $now + min($dedupe, self::MAX_AHEAD_S);
            }
            $state['seen'] = array_slice($seen, -self::MAX_SEEN, null, true);
            return '';
        };
        return (string) $this->shelf->change($change);
    }

    public function lose(string $reason, int $count = 1): void
    {
        $this->shelf->change(static function (array &$state) use ($reason, $count): void {
            self::lost($state, $reason, $count);
        });
    }

    /** @return array<string, int> and forget them */
    public function takeLosses(): array
    {
        return (array) $this->shelf->change(static function (array &$state): array {
            $lost = $state['lost'] ?? [];
            unset($state['lost']);
            return $lost;
        });
    }

    public function isPaused(): bool
    {
        return (bool) $this->shelf->change(static function (array &$state): bool {
            return self::isAhead($state['pause'] ?? 0, time());
        });
    }

    /**
     * Whether to try the server: not during a pause, after it one at a time, and not while another
     * request waits for longer than usual: a server that hangs must not hold them all.
     */
    public function mayTry(): bool
    {
        return (bool) $this->shelf->change(static function (array &$state): bool {
            if (empty($state['fails'])) {
                $waited = microtime(true) - ($state['trying'] ?? 0);
                $usual = self::PATIENCE * ($state['took'] ?? self::UNKNOWN_S);
                $usual = min(max($usual, self::MIN_WAIT_S), self::MAX_WAIT_S);
                if ($waited > $usual && $waited < self::FORGOTTEN_S) {
                    return false;
                }
                $state['trying'] = $waited < $usual ? $state['trying'] ?? 0 : microtime(true);
                return true;
            }
            $now = time();
            if (self::isAhead(max($state['pause'] ?? 0, $state['probe'] ?? 0), $now)) {
                return false;
            }
            $state['probe'] = $now + self::PROBE_S;
            return true;
        });
    }

    public function failed(int $retryAfter): void
    {
        $this->shelf->change(static function (array &$state) use ($retryAfter): void {
            $fails = min(($state['fails'] ?? 0) + 1, count(self::PAUSES_S));
            $state['fails'] = $fails;
            unset($state['trying']);
            $state['pause'] = time() + ($retryAfter ?: self::PAUSES_S[$fails - 1]);
            unset($state['probe']);
        });
    }

    /** The server answered, after so many seconds. */
    public function succeeded(float $took): void
    {
        $this->shelf->change(static function (array &$state) use ($took): void {
            unset($state['fails'], $state['pause'], $state['probe'], $state['trying']);
            $state['took'] = round(0.8 * ($state['took'] ?? $took) + 0.2 * $took, 4);
        });
    }

    /** Whether nobody did this for so many seconds. */
    public function isFirstIn(string $what, int $seconds): bool
    {
        return (bool) $this->shelf->change(static function (array &$state) use ($what, $seconds): bool {
            if (self::isAhead($state['until'][$what] ?? 0, time())) {
                return false;
            }
            $state['until'][$what] = time() + $seconds;
            return true;
        });
    }

    private static function lost(array &$state, string $reason, int $count = 1): string
    {
        $state['lost'][$reason] = ($state['lost'][$reason] ?? 0) + $count;
        return $reason;
    }

    /** Never further than MAX_AHEAD_S: a clock that was set back must not stop us for days. */
    private static function isAhead(int $until, int $now): bool
    {
        return $until > $now && $until <= $now + self::MAX_AHEAD_S;
    }
}

/** Keeps a small array for other requests. */
abstract class Shelf
{
    /** Run $change on the array, alone where that is possible; returns what it returns. */
    abstract public function change(callable $change);

    public static function best(?string $place, string $name): self
    {
        if (function_exists('apcu_enabled') && apcu_enabled()) {
            return new ApcuShelf('errorstack:' . md5($name));
        }
        return $place ? new FileShelf($place . DIRECTORY_SEPARATOR . 'state.json') : new MemoryShelf();
    }
}

final class MemoryShelf extends Shelf
{
    private array $state = [];

    public function change(callable $change)
    {
        return $change($this->state);
    }
}

final class ApcuShelf extends Shelf
{
    private const KEEP_S = 3600;
    private const LOCK_TRIES = 10;

    private string $name;

    public function __construct(string $name)
    {
        $this->name = $name;
    }

    public function change(callable $change)
    {
        $tries = self::LOCK_TRIES;
        while (!($isLocked = apcu_add("$this->name:lock", 1, 1)) && $tries-- > 0) {
            usleep(500);
        }
        $state = apcu_fetch($this->name);
        $state = is_array($state) ? $state : [];
        $before = $state;
        $result = $change($state);
        if ($state !== $before) {
            apcu_store($this->name, $state, self::KEEP_S);
        }
        $isLocked && apcu_delete("$this->name:lock");
        return $result;
    }
}

final class FileShelf extends Shelf
{
    private const MAX_BYTES = 65536;
    private const LOCK_TRIES = 10;

    private string $path;
    /** Where the file cannot be had now. */
    private array $state = [];

    public function __construct(string $path)
    {
        $this->path = $path;
    }

    public function change(callable $change)
    {
        $file = fopen($this->path, 'c+');
        if (!$file || !self::isLocked($file)) {
            return $change($this->state);
        }
        $state = json_decode((string) stream_get_contents($file, self::MAX_BYTES), true);
        $state = $before = is_array($state) ? $state : [];
        try {
            return $change($state);
        } finally {
            if ($state !== $before) {
                rewind($file);
                ftruncate($file, 0);
                fwrite($file, (string) json_encode($state));
            }
            fclose($file); // and unlocks
        }
    }

    private static function isLocked($file): bool
    {
        for ($tries = self::LOCK_TRIES; $tries > 0; $tries--) {
            if (flock($file, LOCK_EX | LOCK_NB)) {
                return true;
            }
            usleep(500);
        }
        return false;
    }
}

/** A directory that is this user's alone. */
final class Place
{
    /**
     * Below $directory, else below the system's for temporary files; false: none is wanted. In a
     * directory that all may write to, somebody else can have made ours first: then it is not used.
     */
    public static function find($directory, string $name): ?string
    {
        if ($directory === false) {
            return null;
        }
        $base = rtrim((string) ($directory ?: sys_get_temp_dir()), '/\\');
        $user = function_exists('posix_geteuid') ? posix_geteuid() : get_current_user();
        $place = $base . DIRECTORY_SEPARATOR . 'errorstack-' . substr(md5("$user $name"), 0, 16);
        if (!is_dir($place) && !mkdir($place, 0700)) {
            return is_dir($place) ? self::owned($place) : null; // made by another request just now
        }
        return self::owned($place);
    }

    private static function owned(string $place): ?string
    {
        if (is_link($place) || !is_writable($place)) {
            return null;
        }
        if (DIRECTORY_SEPARATOR === '\\' || !function_exists('posix_geteuid')) {
            return $place;
        }
        return fileowner($place) === posix_geteuid() && !(fileperms($place) & 0077) ? $place : null;
    }
}
