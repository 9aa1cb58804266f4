"""What a program says, as the real server stores it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import php
from harness.answering import STORED, answering
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import CLIENTS

Program = Callable[..., Path]
Ini = dict[str, str]

SOURCE = CLIENTS / "php" / "ErrorStackClient.php"

pytestmark = [pytest.mark.client("php"), pytest.mark.usefixtures("toolchain")]

WIRES = {"curl": "", "streams": "curl_multi_exec"}
"""How it is sent, and which function a host forbids to have it so."""
LETTERS = "café € 😀 & = % + ; \\0"


@pytest.mark.parametrize("wire", WIRES)
def test_fields_are_stored_as_sent(
    program: Program, stack: Stack, live: Live, report: Report, platform: str, ini: Ini, wire: str
) -> None:
    settings = (
        f"""['release' => '2.4.1', 'environment' => 'test', 'fields' => ['shop' => "{LETTERS}"]]"""
    )
    said = program(
        f"""
        $by = new class {{ public function __toString(): string {{ return 'Ann'; }} }};
        $order = ['id' => 1017, 'items' => ['a', 'b'], 'paid' => null, 'by' => ['name' => $by]];
        $fields = ['order' => $order, 'ok' => false, 'sum' => 12.5, 'half' => "caf\\xe9 \\x80"];
        var_dump($errors->submit("died {LETTERS}", $fields), $errors->flush(), $errors->problem());
        """,
        stack.url,
        stack.key,
        settings,
    )
    done = php.run(said, ini={**ini, "disable_functions": WIRES[wire]})
    assert done.out.split() == ["bool(true)", "bool(true)", "string(0)", '""'], done
    (fields,) = stack.fields(1)
    whole = LETTERS.replace("\\0", "\0")
    assert fields.pop("host")
    assert fields == {
        "Msg": f"died {whole}",
        "File": str(said),
        "Line": "6",
        "order.id": "1017",
        "order.items": ["a", "b"],
        "order.by.name": "Ann",
        "ok": "false",
        "sum": "12.5",
        "half": "café €",
        "release": "2.4.1",
        "environment": "test",
        "shop": whole,
        "Platform": f"{platform} cli",
    }
    assert live.errors(1)[0]["fields"]["Msg"] == f"died {whole}"
    report("php", platform, sent="any fields", stored="exactly", live_ms=live.lags_ms[0])


def test_log_messages_come_before_the_error(program: Program, stack: Stack, ini: Ini) -> None:
    said = program(
        """
        $errors->log('deploying 2.4.1');
        $errors->log('deploying 2.4.1'); // a log repeats itself; that is no duplicate
        $errors->log(['step' => 'migrate', 'number' => 7]);
        $errors->submit('died');
        """,
        stack.url,
        stack.key,
    )
    assert php.run(said, ini=ini).code == 0
    told = [(log.get("text"), log.get("fields")) for log in stack.logs(3)]
    assert told[:2] == [("deploying 2.4.1", None)] * 2
    assert told[2][1] == {"step": "migrate", "number": "7"}
    assert len(stack.errors(1)[0]["before"]) == 3


def test_an_exception_has_its_causes_and_no_arguments(
    program: Program, stack: Stack, ini: Ini
) -> None:
    said = program(
        """
        function charge($card) { throw new LengthException('declined'); }
        function pay($card) {
            try { charge($card); }
            catch (Exception $cause) { throw new RuntimeException('unpaid', 7, $cause); }
        }
        pay('4000 0000 0000 0002');
        """,
        stack.url,
        stack.key,
    )
    assert php.run(said, ini=ini).code == 255
    (error,) = stack.errors(1)
    assert (error["title"], error["level"]) == ("RuntimeException: unpaid", "fatal")
    fields = error["fields"]
    assert (fields["File"], fields["Line"], fields["code"]) == (str(said), "6", "7")
    assert fields["stack"] == (
        f"RuntimeException: unpaid in {said}:6\nStack trace:\n#0 {said}(8): pay()\n#1 {{main}}\n\n"
        f"Caused by: LengthException: declined in {said}:3\nStack trace:\n"
        f"#0 {said}(5): charge()\n#1 {said}(8): pay()\n#2 {{main}}"
    )
    assert "4000" not in json.dumps(fields)


def test_a_deep_recursion_is_cut(program: Program, stack: Stack, ini: Ini) -> None:
    code = "function fall($n) { if (!$n) throw new Exception('low'); fall($n - 1); } fall(400);"
    php.run(program(code, stack.url, stack.key), ini=ini)
    (fields,) = stack.fields(1)
    assert fields["stack"].endswith("(301 outer calls are left out)")
    assert fields["stack"].count("fall()") == 100


def test_a_warning_has_its_trace(program: Program, stack: Stack, ini: Ini) -> None:
    code = (
        "function look() { return $nothing; }\nlook();\n@trigger_error('silenced', E_USER_WARNING);"
    )
    said = program(code, stack.url, stack.key)
    php.run(said, ini=ini)
    (error,) = stack.errors(1)
    assert (error["title"], error["level"]) == ("E_WARNING: Undefined variable $nothing", "warning")
    assert error["where"] == f"{said}:2"
    head = f"E_WARNING: Undefined variable $nothing in {said}:2\nStack trace:\n"
    assert error["fields"]["stack"] == f"{head}#0 {said}(3): look()\n#1 {{main}}"


def test_what_php_says_of_an_exception_has_no_arguments_either(
    program: Program, stack: Stack, ini: Ini
) -> None:
    """Thrown when it is too late for handlers, it comes as PHP's own words."""
    code = """
        function charge($card) { throw new LengthException('declined'); }
        register_shutdown_function(function () {
            try { charge('4000'); } catch (Exception $e) { throw new LogicException('no', 1, $e); }
        });
        """
    said = program(code, stack.url, stack.key)
    php.run(said, ini={**ini, "zend.exception_ignore_args": "0"})
    (error,) = stack.errors(1)
    assert error["title"] == "LogicException: no"
    assert error["where"] == f"{said}:5"
    outer, inner = error["fields"]["stack"].split("\n\nCaused by: ")
    assert outer == (
        f"LogicException: no in {said}:5\nStack trace:\n"
        "#0 [internal function]: {closure}()\n#1 {main}"
    )
    assert inner.startswith(
        f"LengthException: declined in {said}:3\nStack trace:\n#0 {said}(5): charge()\n"
    )
    assert "4000" not in inner


def test_apcu_remembers_where_it_is_there(
    program: Program, stack: Stack, ini: Ini, tmp_path: Path
) -> None:
    code = "echo (int) $errors->submit(['Msg' => 'again']), (int) extension_loaded('apcu');"
    program(code, stack.url, stack.key, name="page.php")
    php.need("apcu")
    with php.fpm(tmp_path, tmp_path, {**ini, "apc.enabled": "1"}) as fpm:
        assert [fpm.get("page.php").body for _ in range(3)] == ["11", "01", "01"]
        stack.errors(1)
    assert not list(Path(ini["sys_temp_dir"]).glob("errorstack-*/state.json"))


def test_a_repeated_error_is_counted_across_processes(
    program: Program, stack: Stack, ini: Ini
) -> None:
    code = (
        "foreach (['a', 'a', 'b', 'c'] as $text) { echo (int) $errors->submit(['Msg' => $text]); }"
    )
    said = program(code, stack.url, stack.key)
    answers = [php.run(said, ini=ini).out for _ in range(2)]
    assert answers == ["1011", "0000"]
    last = program("echo (int) $errors->submit(['Msg' => 'last']);", stack.url, stack.key)
    assert php.run(last, ini=ini).out == "1"
    told = [int(fields.get("dropped_repeat", 0)) for fields in stack.fields(4)]
    assert sum(told) == 5


def test_so_many_a_minute_across_processes(program: Program, stack: Stack, ini: Ini) -> None:
    code = "for ($n = 0; $n < 5; $n++) { echo (int) $errors->submit(['Msg' => getmypid() . $n]); }"
    said = program(code, stack.url, stack.key, "['per_minute' => 6]")
    answers = [php.run(said, ini=ini).out for _ in range(3)]
    assert answers[0] == "11111"
    assert 6 <= "".join(answers).count("1") <= 12, "of 15; 6 in each minute that this met"


def test_scrub(program: Program, stack: Stack, ini: Ini) -> None:
    settings = """['scrub' => function (array $fields) {
        if ($fields['Msg'] === 'fails') { throw new RuntimeException('hook'); }
        return $fields['Msg'] === 'private' ? null : ['user' => '-'] + $fields;
    }]"""
    code = """
        foreach (['private', 'fails', 'public'] as $text) {
            $errors->submit($text, ['user' => 'Ann']);
            $errors->flush();
        }
        echo $errors->problem();
        """
    done = php.run(program(code, stack.url, stack.key, settings), ini=ini)
    assert done.out == "the scrub hook failed: RuntimeException: hook"
    (fields,) = stack.fields(1)
    assert (fields["Msg"], fields["user"], fields["dropped_scrub"]) == ("public", "-", "1")


def test_odd_values_break_nothing(program: Program, stack: Stack, ini: Ini) -> None:
    code = """
        class Odd {
            public function __toString(): string {
                $GLOBALS['errors']->submit('inside');
                throw new Error('no');
            }
        }
        $loop = ['a' => 1]; $loop['self'] = &$loop;
        echo (int) $errors->submit('odd', ['odd' => new Odd, 'loop' => $loop, '_s' => 'no',
            'long' => str_repeat('é', 30000), 'raw' => "\\xff", 'file' => STDIN, 'f' => fn() => 1,
            'many' => range(1, 300), 3 => 'three', 'nan' => NAN, 'none' => [],
            'when' => new DateTime('2026-01-02T03:04:05Z'),
            'data' => (object) ['a' => (object) ['b' => 1]], 'deep' => [[[[[['x' => 1]]]]]]]);
        """
    done = php.run(program(code, stack.url, stack.key), ini=ini)
    assert (done.out, done.code) == ("1", 0), done
    (fields,) = stack.fields(1)
    assert fields["odd"] == "<Odd that cannot be shown: Error>"
    assert re.search(r"é\n… 27232 bytes left out …\né", fields["long"])
    assert (fields["raw"], fields["3"], fields["nan"]) == ("ÿ", "three", "NAN")
    assert (fields["file"], fields["f"]) == ("<resource>", "<Closure>")
    assert fields["when"] == "2026-01-02T03:04:05+00:00"
    assert len(fields["many"]) == 50
    assert fields["data.a.b"] == "1"
    assert fields["deep.0.0.0.0"] == '[{"x":1}]'
    assert "_s" not in fields


def test_odd_arguments_break_nothing(stack: Stack, ini: Ini, tmp_path: Path) -> None:
    path = tmp_path / "odd.php"
    path.write_text(f"""<?php declare(strict_types=1); require '{SOURCE}';
        $off = ErrorStack\\Client::install(null, ['x'], null);
        $on = ErrorStack\\Client::install('{stack.key}', '{stack.url}',
            ['scrub' => 'no_such_function', 'timeout_s' => 'soon', 'max_queue' => null,
             'wrong' => 1]);
        var_export([$off->submit(null, null), $off->log(null), $off->ask(null)['success']]);
        echo $on->problem();
        var_export([$on->submit(null, 'x'), $on->submit(new stdClass), $on->log(false, 1.5)]);
        $on->flush('now');
        echo $on->problem();
        """)
    done = php.run(path, ini=ini)
    assert (done.code, done.err) == (0, "")
    assert re.findall("true|false", done.out) == ["false"] * 3 + ["true"] * 3
    assert "there is no setting named wrong" in done.out
    assert "the scrub hook failed: Error: Call to undefined function no_such_function" in done.out


@pytest.mark.parametrize(
    ("key", "url", "why"),
    [
        ("", "http://a", "there is no stack key"),
        ("k", "a:b", "the endpoint is no http or https address: a:b"),
        ("k", "", "the endpoint is no http or https address: "),
        ("k", "ftp://a", "the endpoint is no http or https address: ftp://a"),
    ],
)
def test_a_client_that_cannot_send_says_so(
    program: Program, ini: Ini, key: str, url: str, why: str, tmp_path: Path
) -> None:
    code = "var_export([$errors->isEnabled(), $errors->submit('x'), $errors->flush()]);"
    code += "echo $errors->problem();"
    done = php.run(program(code, url, key), ini=ini)
    assert done.out.endswith(why)
    assert re.findall("true|false", done.out) == ["false", "false", "true"]
    assert (tmp_path / "php.log").read_text().count("ErrorStack: ") == 1


def test_an_unknown_key_is_told(program: Program, stack: Stack, ini: Ini, tmp_path: Path) -> None:
    code = "$errors->submit('lost'); $errors->flush(); echo $errors->problem();"
    said = program(code, stack.url, "0" * 32)
    assert [php.run(said, ini=ini).out for _ in range(2)] == ["Unknown stack key", ""]  # a repeat
    log = (tmp_path / "php.log").read_text()
    assert log.count("ErrorStack: Unknown stack key") == 1


def test_asking_waits_for_the_reply(program: Program, stack: Stack, ini: Ini) -> None:
    code = "echo json_encode([$errors->ask(['Msg' => 'asked']), $errors->ask(['Msg' => 'asked'])]);"
    first, second = json.loads(php.run(program(code, stack.url, stack.key), ini=ini).out)
    assert first["success"] is second["success"] is True
    assert [error["id"] for error in stack.errors(2)] == [first["id"], second["id"]]


def test_a_request_tells_where_it_was(
    program: Program, stack: Stack, ini: Ini, tmp_path: Path
) -> None:
    program("echo 'page'; throw new Exception('died');", stack.url, stack.key, name="page.php")
    with php.site(tmp_path, log=tmp_path / "site.log", ini=ini) as site:
        assert site.get("/page.php?q=1").status_code == 500
        url = site.url
    (fields,) = stack.fields(1)
    assert fields["PageURL"] == f"{url}/page.php?q=1"
    assert (fields["method"], fields["UserAgent"][:12]) == ("GET", "python-httpx")


STORMS = {
    "warnings": "echo $nothing;",
    "errors": "$errors->submit(['Msg' => \"number $n\"]);",
    "log messages": "$errors->log('again');",
}


@pytest.mark.parametrize("kind", STORMS)
def test_a_storm_costs_next_to_nothing(program: Program, ini: Ini, kind: str) -> None:
    """A loop that fails ten thousand times is not slower for being watched; and it is counted."""
    with answering(STORED) as server:
        code = f"""
            $errors->submit('first');
            $began = getrusage();
            for ($n = 0; $n < 10000; $n++) {{ {STORMS[kind]} }}
            $used = getrusage();
            fwrite(STDERR, (string) array_sum(array_map(
                fn($of) => ($used["ru_$of.tv_sec"] - $began["ru_$of.tv_sec"]) * 1000
                    + ($used["ru_$of.tv_usec"] - $began["ru_$of.tv_usec"]) / 1000,
                ['utime', 'stime'])));
            """
        done = php.run(program(code, server.url, "k"), ini=ini)
        assert float(done.err) < 1000, "milliseconds of the processor, for ten thousand"
        assert len(server.forms) <= 2 * 61
        last = "@unlink('nothing'); $errors->submit('last');"
        php.run(program(last, server.url, "k", "['per_minute' => 1000]"), ini=ini)
        told = [int(form.get(f"dropped_{why}", 0)) for form in server.forms for why in COUNTED]
        assert sum(told) + len(server.forms) == 10_002


COUNTED = ("repeat", "limit")


def test_a_call_is_cheap(program: Program, ini: Ini) -> None:
    """In the processor's time, which a busy machine does not change; with the sending."""
    with answering(STORED) as server:
        code = """
            function fall($n) { return $n ? fall($n - 1) : new Exception('deep'); }
            function spent_ms() {
                $used = getrusage();
                return ($used['ru_utime.tv_sec'] + $used['ru_stime.tv_sec']) * 1000
                    + ($used['ru_utime.tv_usec'] + $used['ru_stime.tv_usec']) / 1000;
            }
            $deep = fall(50);
            $began = spent_ms();
            for ($n = 0; $n < 100; $n++) { $errors->submit($deep, ['n' => $n]); }
            echo (spent_ms() - $began) / 100;
            """
        done = php.run(program(code, server.url, "k", "['per_minute' => 1000]"), ini=ini)
    assert float(done.out) < 5
    assert len(server.forms) == 100


def test_the_example(stack: Stack, ini: Ini) -> None:
    example = Path(__file__).parents[1] / "example.php"
    assert php.run(example, stack.url, stack.key, ini=ini).code == 255
    titles = [error["title"] for error in stack.errors(3)]
    assert titles[0] == "payment refused"
    assert titles[2].startswith("RuntimeException: ")
    assert [log["text"] for log in stack.logs(1)] == ["deploying 2.4.1"]
