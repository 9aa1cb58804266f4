"""Servers that are down, slow, full, or something else: nobody feels it."""

import json
import ssl
import statistics
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trustme
from harness import php
from harness.answering import STORED, answering, slow
from harness.report import Report
from harness.stack import Stack
from harness.trouble import AWAY, BUSY, GARBAGE, MOVED, Trouble
from serving import eventually

Program = Callable[..., Path]
Ini = dict[str, str]

pytestmark = [pytest.mark.client("php"), pytest.mark.usefixtures("toolchain")]

SAYS = "for ($n = 0; $n < 3; $n++) { $errors->submit(uniqid('', true)); $errors->log('now'); }"
PAGE = f"{SAYS} echo 'page';"
VISITS = 12
VISITOR_MS = 1000
"""The setting visitor_s: what one visitor waits, once in a pause, where a page cannot end early."""
EXIT_MS = 2000
FELT_MS = 150
SLACK_MS = 1000
"""For a busy machine: a program that waits for such a server would wait for seconds, each time."""


def test_on_a_terminal(
    trouble: Trouble, program: Program, ini: Ini, report: Report, platform: str
) -> None:
    code = """
        $spent = [];
        for ($n = 0; $n < 60; $n++) {
            $began = hrtime(true);
            $errors->submit(new Exception("number $n"), ['n' => $n]);
            $errors->log("number $n");
            $spent[] = (hrtime(true) - $began) / 1e6;
        }
        echo json_encode($spent);
        """
    done = php.run(program(code, trouble.url, "k"), ini=ini)
    spent = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert done.spent_ms < sum(spent) + EXIT_MS + SLACK_MS
    assert statistics.median(spent) < FELT_MS
    assert max(spent) < 50 + 50 + SLACK_MS  # what a submit and a log look after theirs
    report("php", platform, added_ms={trouble.name: statistics.mean(spent)})


def test_behind_fpm(
    trouble: Trouble, program: Program, ini: Ini, report: Report, platform: str, tmp_path: Path
) -> None:
    program(PAGE, trouble.url, "k", name="page.php")
    program("echo 'page';", trouble.url, "k", name="bare.php")
    with php.fpm(tmp_path, tmp_path, ini) as fpm:
        fpm.get("bare.php")
        bare_ms = statistics.median(fpm.get("bare.php").spent_ms for _ in range(VISITS))
        pages = [fpm.get("page.php") for _ in range(VISITS)]
    assert {page.body for page in pages} == {"page"}
    added_ms = [page.spent_ms - bare_ms for page in pages]
    assert statistics.median(added_ms) < FELT_MS
    if trouble.server:
        assert trouble.server.forms, "and it was tried"
    report(
        "php",
        f"{platform} fpm",
        sent="a page's errors",
        added_ms={trouble.name: max(statistics.mean(added_ms), 0)},
    )


def test_behind_a_server_that_ends_no_page_early(
    trouble: Trouble, program: Program, ini: Ini, report: Report, platform: str, tmp_path: Path
) -> None:
    program(PAGE, trouble.url, "k", name="page.php")
    program("echo 'page';", trouble.url, "k", name="bare.php")
    with php.site(tmp_path, log=tmp_path / "site.log", ini=ini) as site:
        took_ms(site, "/bare.php")
        bare_ms = [-took_ms(site, "/bare.php") for _ in range(VISITS)]
        added_ms = [took_ms(site, "/page.php") + each for each in bare_ms]
    assert max(added_ms) < VISITOR_MS + SLACK_MS
    assert statistics.median(added_ms) < FELT_MS
    report(
        "php",
        f"{platform} cli-server",
        sent="a page's errors",
        added_ms={trouble.name: max(statistics.mean(added_ms), 0)},
    )


def took_ms(site: php.Site, path: str) -> float:
    began = time.perf_counter()
    assert site.get(path).text == "page"
    return (time.perf_counter() - began) * 1000


PAST = "@unlink(glob(sys_get_temp_dir() . '/errorstack-*/state.json')[0]);"
"""The pause is over: what is remembered of the server is forgotten."""


@pytest.mark.parametrize("wire", ["curl", "streams"])
@pytest.mark.parametrize(
    "reply", [slow, BUSY, AWAY, GARBAGE, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"]
)
def test_it_is_tried_again_with_the_same_id(
    program: Program, ini: Ini, reply: bytes, wire: str
) -> None:
    ini |= {"disable_functions": "curl_multi_exec"} if wire == "streams" else {}
    with answering(reply, STORED) as server:
        settings = "['timeout_s' => 0.3]"
        first = program(
            "$errors->submit('once'); $errors->log('never twice');", server.url, "k", settings
        )
        php.run(first, ini=ini)
        again = program(f"{PAST} $errors->flush();", server.url, "k", settings)
        php.run(again, ini=ini)
        sent = [form for form in server.forms if "Msg" in form]
        assert [form["Msg"] for form in sent] == ["once", "once"]
        first_form, second_form = sent
        assert len(first_form["_id"]) == 32
        assert second_form.pop("occurred_at").startswith("20")
        assert first_form == second_form
        assert server.paths.count("/log") <= 1
    assert not list(Path(ini["sys_temp_dir"]).glob("errorstack-*/later"))


def test_errors_of_an_outage_arrive_when_it_is_over(
    program: Program, stack: Stack, ini: Ini
) -> None:
    replies = {"now": lambda _: AWAY}
    code = "foreach (['a', 'b', 'c'] as $text) { $errors->submit($text); } echo $errors->problem();"
    with answering(lambda body: replies["now"](body)) as server:  # noqa: PLW0108 it changes
        out = php.run(program(code, server.url, stack.key), ini=ini).out
        assert out in {"the server answered 503", "the server was away a moment ago"}
        kept = list(Path(ini["sys_temp_dir"]).glob("errorstack-*/later/*.form"))
        assert len(kept) == 3
        assert {path.parent.parent.stat().st_mode & 0o077 for path in kept} == {0}
        replies["now"] = forward(stack)
        php.run(program(f"{PAST} $errors->submit('d');", server.url, stack.key), ini=ini)
        errors = stack.errors(4)
    assert {error["fields"]["Msg"] for error in errors} == {"a", "b", "c", "d"}
    assert sum("occurred_at" in error["fields"] for error in errors) == 3


def test_an_error_whose_answer_is_lost_is_stored_once(
    program: Program, stack: Stack, ini: Ini
) -> None:
    sends = forward(stack)

    def forward_and_hang_up(body: bytes) -> bytes:
        sends(body)
        return b""

    with answering(forward_and_hang_up, forward_and_hang_up, sends) as server:
        for code in ("$errors->submit('once');", PAST, PAST):
            php.run(program(code, server.url, stack.key), ini=ini)
        assert len(server.forms) == 3
    stack.errors(1)


def forward(stack: Stack) -> Callable[[bytes], bytes]:
    def send(body: bytes) -> bytes:
        with urllib.request.urlopen(f"{stack.url}/submit", body, timeout=10) as answer:  # noqa: S310 ours
            assert b'"success":true' in answer.read().replace(b" ", b"")
        return STORED

    return send


def test_a_pause_grows_and_is_kept_by_all(program: Program, ini: Ini) -> None:
    with answering(AWAY) as server:
        said = program("$errors->submit(uniqid('', true));", server.url, "k")
        for _ in range(5):
            php.run(said, ini=ini)
        assert len(server.forms) == 1, "the others did not try"


def test_a_server_that_hangs_does_not_hold_all_requests(program: Program, ini: Ini) -> None:
    """One waits for the answer; those that come later do not begin to wait."""
    with answering(STORED, slow) as server:
        code = "$errors->submit(uniqid('', true)); $errors->flush(1.5);"
        said = program(code, server.url, "k")
        php.run(said, ini=ini)  # and now it is known how long an answer takes
        with ThreadPoolExecutor() as pool:
            held = pool.submit(php.run, said, ini=ini)
            eventually(lambda: len(server.forms) == 2)
            time.sleep(0.6)
            late = php.run(said, ini=ini)
            assert late.spent_ms + 300 < held.result().spent_ms
        assert len(server.forms) == 2
    assert len(list(Path(ini["sys_temp_dir"]).glob("errorstack-*/later/*.form"))) == 2


def test_retry_after_is_honoured(program: Program, ini: Ini) -> None:
    with answering(BUSY, STORED) as server:
        code = "$errors->submit('a'); $errors->flush(); usleep(1100000);"
        code += "$errors->submit('b'); $errors->flush();"
        php.run(program(code, server.url, "k"), ini=ini)
        assert [form["Msg"] for form in server.forms] == ["a", "b", "a"]


def test_a_redirect_is_not_followed_and_told(program: Program, ini: Ini) -> None:
    with answering(MOVED) as server:
        code = "$errors->submit('once'); $errors->flush(); echo $errors->problem();"
        done = php.run(program(code, server.url, "k"), ini=ini)
        assert done.out == "the server answered 301 to http://127.0.0.1:1/"
        assert len(server.forms) == 1


def test_what_waits_is_bounded(program: Program, ini: Ini) -> None:
    code = 'for ($n = 0; $n < 80; $n++) { $errors->submit("number $n"); } $errors->flush();'
    settings = "['per_minute' => 1000]"
    with answering(AWAY) as server:
        php.run(program(code, server.url, "k", settings), ini=ini)
        assert len(list(Path(ini["sys_temp_dir"]).glob("errorstack-*/later/*"))) == 50


def test_a_full_queue_drops_the_oldest_and_tells(
    program: Program, ini: Ini, tmp_path: Path
) -> None:
    code = "for ($n = 0; $n < 7; $n++) { $errors->submit(\"number $n\"); } echo 'page';"
    with answering(STORED) as server:
        program(code, server.url, "k", "['max_queue' => 3]", name="page.php")
        with php.site(tmp_path, log=tmp_path / "site.log", ini=ini) as site:
            site.get("/page.php")
        assert [form["Msg"] for form in server.forms] == ["number 4", "number 5", "number 6"]
        assert server.forms[0]["dropped_queue"] == "4"


@pytest.mark.parametrize("wire", ["curl", "streams"])
def test_an_endless_answer_is_cut(program: Program, ini: Ini, wire: str) -> None:
    ini |= {"disable_functions": "curl_multi_exec"} if wire == "streams" else {}
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000
    with answering(endless) as server:
        code = "$errors->submit('once'); $errors->flush(); echo $errors->problem();"
        done = php.run(program(code, server.url, "k"), ini=ini)
        assert done.out == "the answer is not an ErrorStack server's"


@pytest.mark.parametrize("wire", ["curl", "streams"])
def test_https_is_verified(program: Program, ini: Ini, tmp_path: Path, wire: str) -> None:
    ini |= {"disable_functions": "curl_multi_exec"} if wire == "streams" else {}
    authority = trustme.CA()
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(there)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with answering(STORED, tls=there) as server:
        code = "$errors->submit('%s'); $errors->flush(); echo $errors->problem();"
        doubting = program(code % "to a stranger", server.url, "k", "['directory' => false]")
        assert any(word in php.run(doubting, ini=ini).out for word in ("certificate", "secure"))
        assert not server.forms
        trusting = program(
            code % "to a friend",
            server.url,
            "k",
            f"['ca_file' => '{tmp_path}/authority.pem', 'directory' => false]",
        )
        assert php.run(trusting, ini=ini).out == ""
        assert [form["Msg"] for form in server.forms] == ["to a friend"]


def test_an_endpoint_may_have_a_path(program: Program, ini: Ini) -> None:
    with answering(STORED) as server:
        for path in ("/x", "/x/", "/x/submit"):
            php.run(program(f"$errors->submit('{path}');", server.url + path, "k"), ini=ini)
        assert server.paths == ["/x/submit"] * 3


def test_a_directory_of_somebody_else_is_not_used(program: Program, ini: Ini) -> None:
    """In a directory for all, others can make ours before we do, to read or to mislead."""
    with answering(AWAY) as server:
        said = program("$errors->submit('private');", server.url, "k")
        php.run(said, ini=ini)
        (place,) = Path(ini["sys_temp_dir"]).glob("errorstack-*")
        for path in place.rglob("*.form"):
            path.unlink()
        place.chmod(0o777)
        php.run(said, ini=ini)
        assert not list(place.rglob("*.form"))


def test_a_connection_is_kept(program: Program, ini: Ini) -> None:
    with answering(STORED) as server:
        code = 'for ($n = 0; $n < 5; $n++) { $errors->submit("number $n"); $errors->flush(); }'
        php.run(program(code, server.url, "k"), ini=ini)
        assert len(server.forms) == 5
        assert server.connections == 1


def test_a_long_program_is_not_late_by_its_own_sleep(program: Program, ini: Ini) -> None:
    """An answer that came while the program slept is an answer."""

    def later(_: bytes) -> bytes:
        time.sleep(0.3)
        return STORED

    with answering(later) as server:
        code = "$errors->submit('a'); sleep(2); $errors->flush(); echo $errors->problem();"
        assert php.run(program(code, server.url, "k", "['timeout_s' => 1]"), ini=ini).out == ""
        assert len(server.forms) == 1
