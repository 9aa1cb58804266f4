"""Servers that are down, slow, full, or something else: the program does not feel them."""

import json
import ssl
import urllib.request

import pytest
import trustme
from harness.answering import STORED, Reply, answering, slow
from harness.csharp import Platform, Program, mono
from harness.report import Report
from harness.stack import Stack
from harness.trouble import AWAY, BUSY, MOVED, WORTH_ANOTHER_TRY, Trouble

MAX_MEDIAN_MS = 5
MAX_CALL_MS = 500


def test_the_program_does_not_feel_it(
    host: Program, platform: Platform, trouble: Trouble, report: Report
) -> None:
    done = host("felt", trouble.url, "k")
    assert done.code == 0, done.stderr
    said = {name: float(value) for name, value in done.said.items() if name != "problem"}
    assert said["median_ms"] < MAX_MEDIAN_MS
    assert said["max_ms"] < MAX_CALL_MS
    assert said["close_s"] < 2
    assert trouble.server is None or trouble.server.forms
    report("dotnet", platform.name, added_ms={trouble.name: said["median_ms"]})


@pytest.mark.parametrize("reply", WORTH_ANOTHER_TRY.values(), ids=WORTH_ANOTHER_TRY)
def test_it_is_tried_again_with_the_same_bytes(host: Program, reply: bytes | Reply) -> None:
    with answering(reply, STORED) as server:
        assert host("once", server.url, "k").said["flushed"] == "True"
    first, second = server.forms
    assert first == second
    assert len(first["_id"]) == 32


def test_a_redirect_is_not_followed_and_told(host: Program) -> None:
    with answering(MOVED) as server:
        said = host("once", server.url, "k").said
    assert len(server.forms) == 1
    assert said["problem"] == "the server answered 301 to http://127.0.0.1:1/"


def test_retry_after_is_honoured(host: Program) -> None:
    with answering(BUSY, STORED) as server:
        assert float(host("once", server.url, "k").said["seconds"]) > 0.9
    assert len(server.forms) == 2


def test_an_ambiguous_log_message_is_not_doubled(host: Program) -> None:
    with answering(slow, STORED) as server:
        assert host("log-once", server.url, "k").said["stored"] == "False"
    assert server.paths == ["/log"]


def test_whoever_waits_waits_as_long_as_told(host: Program) -> None:
    with answering(slow) as server:
        said = host("wait", server.url, "k", "short").said
    assert said["stored"] == "False"
    assert float(said["seconds"]) < 1.5


def test_a_full_queue_drops_the_oldest_and_tells(host: Program) -> None:
    with answering(AWAY, STORED) as server:
        assert host("queue", server.url, "k").said["flushed"] == "True"
    assert [form["Message"] for form in server.forms] == ["0", "0", "5", "6", "7"]
    assert server.forms[2]["dropped_queue"] == "4"


def test_a_connection_is_kept_and_nothing_asks_to_continue(host: Program) -> None:
    with answering(STORED) as server:
        assert host("twice", server.url, "k").said["flushed"] == "True"
    assert len(server.forms) == 3
    assert server.connections == 1
    assert not any("expect" in headers for headers in server.headers)


# .NET Core 3.1 wants an OpenSSL 1.1 beside it, which no machine has any more.
@pytest.mark.parametrize("platform", [mono], indirect=True, ids=["mono"])
def test_https_is_verified(host: Program) -> None:
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(there)
    with answering(STORED, tls=there) as server:
        assert host("tls", server.url, "k").said["flushed"] == "False"
        assert not server.forms
        assert host("tls", server.url, "k", "trusting").said["flushed"] == "True"
    assert [form["Message"] for form in server.forms] == ["over https"]


@pytest.mark.parametrize("path", ["/x", "/x/", "/x/submit"])
def test_an_endpoint_may_have_a_path(host: Program, path: str) -> None:
    with answering(STORED) as server:
        host("once", server.url + path, "k")
    assert server.paths == ["/x/submit"]


def test_an_error_whose_answer_is_lost_is_stored_once(stack: Stack, host: Program) -> None:
    def forward(body: bytes) -> bytes:
        with urllib.request.urlopen(f"{stack.url}/submit", body, timeout=10) as answer:  # noqa: S310
            assert json.load(answer)["success"]
        return b""

    with answering(forward, forward, STORED) as server:
        assert host("once", server.url, stack.key).said["flushed"] == "True"
    assert len(server.forms) == 3
    stack.errors(1)
