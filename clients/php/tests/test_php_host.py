"""A program that is watched does exactly what it does unwatched."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from harness import php
from harness.stack import Stack

Program = Callable[..., Path]
Ini = dict[str, str]

pytestmark = [pytest.mark.client("php"), pytest.mark.usefixtures("toolchain")]

EXCEPTION_HANDLER = (
    "set_exception_handler(function ($e) { echo 'own: ', $e->getMessage(); exit(3); });"
)
ERROR_HANDLER = "set_error_handler(function ($n, $text) { echo 'own: ', $text; return true; });"
STRICT = """set_error_handler(function ($n, $text, $file, $line) {
    throw new ErrorException($text, 0, $n, $file, $line);
});"""
MEMORY = "ini_set('memory_limit', '8M'); while (true) { $all[] = str_repeat('x', 1000); }"
BROKEN = "file_put_contents(__DIR__ . '/a.inc', '<?php $a = ;'); include __DIR__ . '/a.inc';"
LAST = "register_shutdown_function(function () { echo 'last'; });"

# What a program does before the client is there, after it, and the titles of what is stored.
PROGRAMS: dict[str, tuple[str, str, list[str]]] = {
    "ends well": ("", "echo 'fine';", []),
    "exits": ("", "echo 'fine'; exit(7);", []),
    "warns": ("", "echo $nothing; echo 'goes on';", ["E_WARNING: Undefined variable $nothing"]),
    "silences": ("", "echo @$nothing; @trigger_error('x', E_USER_WARNING); echo 'goes on';", []),
    "deprecates": ("", "trigger_error('old', E_USER_DEPRECATED); echo 'goes on';", []),
    "notes": ("", "trigger_error('hm', E_USER_NOTICE);", ["E_USER_NOTICE: hm"]),
    "gives up": ("", "trigger_error('no', E_USER_ERROR); echo 'never';", ["E_USER_ERROR: no"]),
    "throws": ("", "throw new DomainException('out');", ["DomainException: out"]),
    "throws a cause": (
        "",
        "throw new DomainException('out', 1, new LogicException('in'));",
        ["DomainException: out"],
    ),
    "throws an error": ("", "missing();", ["Call to undefined function missing()"]),
    "catches": ("", "try { missing(); } catch (Error $e) { echo 'caught'; }", []),
    "handles exceptions": (
        EXCEPTION_HANDLER,
        "throw new DomainException('out');",
        ["DomainException: out"],
    ),
    "handles errors": (ERROR_HANDLER, "echo $nothing;", ["E_WARNING: Undefined variable $nothing"]),
    "makes exceptions of errors, and catches them": (
        STRICT,
        "try { echo $nothing; } catch (ErrorException $e) { echo 'caught'; }",
        [],
    ),
    "makes exceptions of errors": (
        STRICT,
        "echo $nothing;",
        ["ErrorException: Undefined variable $nothing"],
    ),
    "ends in its error handler": (
        "set_error_handler(function () { echo 'bye'; exit(9); });",
        "echo $nothing;",
        ["E_WARNING: Undefined variable $nothing"],
    ),
    "sets its own handlers later": (
        "",
        f"{ERROR_HANDLER} echo $nothing; {EXCEPTION_HANDLER} throw new DomainException('out');",
        [],
    ),
    "fills the memory": (
        "",
        MEMORY,
        ["E_ERROR: Allowed memory size of"],
    ),
    "takes too long": (
        "",
        "set_time_limit(1); while (true) {}",
        ["E_ERROR: Maximum execution time of 1 second exceeded"],
    ),
    "cannot be parsed": (
        "",
        BROKEN,
        ["ParseError: syntax error, unexpected token"],
    ),
    "cannot be compiled": (
        "",
        "file_put_contents(__DIR__ . '/twice.inc', '<?php function ours() {} function ours() {}');"
        "include __DIR__ . '/twice.inc';",
        ["E_COMPILE_ERROR: Cannot redeclare ours()"],
    ),
    "has shutdown functions": (
        "register_shutdown_function(function () { echo 'first'; });",
        f"{LAST} throw new DomainException('out');",
        ["DomainException: out"],
    ),
    "throws at its end": (
        "",
        "register_shutdown_function(function () { throw new DomainException('late'); });",
        ["DomainException: late"],
    ),
    "forks": (
        "",
        "$errors && $errors->submit('before'); $child = pcntl_fork();"
        "if ($child) { pcntl_waitpid($child, $s); } else { throw new Exception('child'); }"
        "throw new Exception('parent');",
        ["before", "child", "parent"],
    ),
    "keeps its last error": ("", "@fopen('/nowhere', 'r'); echo error_get_last()['message'];", []),
    "buffers": (
        "ob_start('strtoupper');",
        "echo 'small'; throw new DomainException('out');",
        ["DomainException: out"],
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_host_does_not_see_it(name: str, program: Program, stack: Stack, ini: Ini) -> None:
    before, after, titles = PROGRAMS[name]
    # Opcache's own file cache and JIT are off on a terminal, so a line is a line.
    ini = {**ini, "display_errors": "1", "error_log": "", "log_errors": "0"}
    watched = program(after, stack.url, stack.key)
    lines = watched.read_text().split("\n", 1)
    begin = lines[0].removeprefix("<?php ")
    watched.write_text(f"<?php {before}{begin}\n{after}")
    with_client = php.run(watched, ini=ini)
    watched.write_text(f"<?php {before}$errors = null;\n{after}")
    without = php.run(watched, ini=ini)
    assert (told(with_client.out), with_client.err) == (told(without.out), without.err)
    assert with_client.code == without.code
    httpx.post(f"{stack.url}/submit", data={"_s": stack.key, "Msg": "the last"})
    stored = sorted(error["title"] for error in stack.errors(len(titles) + 1))
    wanted = sorted([*titles, "the last"])
    cut = [title[: len(want)] for title, want in zip(stored, wanted, strict=True)]
    assert cut == wanted


def told(output: str) -> str:
    """Without what differs: where the memory was full, and one more call in a trace."""
    return re.sub(
        r"tried to allocate \d+ bytes|in \S+ on line \d+|^#\d .*\n", "", output, flags=re.MULTILINE
    )


def test_a_page_is_the_same(program: Program, stack: Stack, ini: Ini, tmp_path: Path) -> None:
    program("header('X-Own: 1'); echo 'half'; missing();", stack.url, stack.key, name="page.php")
    (tmp_path / "plain.php").write_text("<?php header('X-Own: 1'); echo 'half'; missing();")
    with php.site(tmp_path, log=tmp_path / "site.log", ini=ini) as site:
        watched, plain = site.get("/page.php"), site.get("/plain.php")
    assert (watched.status_code, watched.text) == (plain.status_code, plain.text) == (500, "half")
    assert watched.headers["x-own"] == "1"
    stack.errors(1)


EXITS = """<?php
register_shutdown_function(function () {
    if (error_get_last()) { $GLOBALS['errors']->submit('told at the end'); echo 'sorry'; exit(1); }
});
"""


@pytest.mark.parametrize("wire", ["site", "fpm"])
def test_a_framework_that_exits_when_it_ends(
    wire: str, program: Program, stack: Stack, ini: Ini, tmp_path: Path
) -> None:
    """No further shutdown function runs then."""
    page = program(
        MEMORY,
        stack.url,
        stack.key,
        name="page.php",
    )
    page.write_text(EXITS + page.read_text().removeprefix("<?php"))
    if wire == "site":
        with php.site(tmp_path, log=tmp_path / "site.log", ini=ini) as site:
            assert site.get("/page.php").text == "sorry"
            assert stack.errors(1)[0]["title"] == "told at the end"
    else:
        with php.fpm(tmp_path, tmp_path, ini) as fpm:
            assert fpm.get("page.php").body == "sorry"
            assert stack.errors(1)[0]["title"] == "told at the end"  # sent after the page


def test_a_program_without_errors_sends_nothing(program: Program, ini: Ini) -> None:
    """Nor does it connect to anything: the address does not answer."""
    done = php.run(program("echo 'fine';", "http://192.0.2.1", "k"), ini=ini)
    bare = php.run("-r", "echo 'fine';", ini=ini)
    assert done.out == bare.out
    assert done.spent_ms < bare.spent_ms + 500
