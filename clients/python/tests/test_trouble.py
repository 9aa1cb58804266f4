"""Servers that are down, slow, full, or something else: the program does not feel them."""

import platform
import ssl
import statistics
import time
import urllib.request

import pytest
import trustme
from harness.answering import STORED, Answering, Reply, answering, slow
from harness.report import Report
from harness.stack import Stack
from harness.trouble import Trouble
from serving import eventually

from connecting import Connect
from errorstack_client import Client

BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nGIF8"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
MOVED = b"HTTP/1.1 301 Moved\r\nLocation: http://other.test/\r\nContent-Length: 0\r\n\r\n"
REPLIES: dict[str, bytes | Reply] = {
    "slow": slow,
    "429": BUSY,
    "503": AWAY,
    "page": PAGE,
    "redirect": MOVED,
    "garbage": b"\x00\xff\x00 no HTTP at all\r\n\r\n",
    "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
}


def felt_s(client: Client) -> list[float]:
    """Seconds that each of 60 errors cost the program, in two bursts."""
    spent = []
    for number in range(60):
        began = time.perf_counter()
        try:
            raise ValueError(f"number {number}")
        except ValueError as error:
            client.submit_exception(error, number=number)
        client.log(f"number {number}")
        spent.append(time.perf_counter() - began)
        if number == 30:
            client.flush(0.2)
    return spent


def test_what_a_call_costs(trouble: Trouble, connect: Connect, report: Report) -> None:
    """Called as fast as it goes, with a traceback each, while nothing can be sent."""
    client = connect("k", trouble.url)
    spent = felt_s(client)
    cost_ms = statistics.median(spent) * 1000
    report("python", f"CPython {platform.python_version()}", added_ms={trouble.name: cost_ms})
    assert cost_ms < 5


@pytest.mark.parametrize("name", REPLIES)
def test_the_program_does_not_feel_it(connect: Connect, name: str) -> None:
    with answering(REPLIES[name]) as server:
        client = connect("k", server.url, max_queue=20)
        spent = felt_s(client)
        began = time.monotonic()
        client.close(1)
        assert time.monotonic() - began < 2
        assert server.forms
    assert statistics.median(spent) < 0.005
    assert max(spent) < 0.5


def test_a_server_that_is_down(connect: Connect) -> None:
    client = connect("k", "http://127.0.0.1:1")
    spent = felt_s(client)
    assert statistics.median(spent) < 0.005
    began = time.monotonic()
    client.close(5)
    assert time.monotonic() - began < 2
    assert "ConnectionRefusedError" in client.last_problem


@pytest.mark.parametrize("name", ["slow", "429", "503", "page", "garbage", "cut"])
def test_it_is_tried_again_with_the_same_bytes(connect: Connect, name: str) -> None:
    with answering(REPLIES[name], STORED) as server:
        client = connect("k", server.url, timeout_s=0.3)
        client.submit(Msg="once")
        assert client.flush(10)
        first, second = server.forms
        assert first == second
        assert len(first["_id"]) == 32


def test_a_redirect_is_not_followed_and_told(connect: Connect) -> None:
    with answering(MOVED) as server:
        client = connect("k", server.url)
        client.submit(Msg="once")
        assert client.flush(10)
        assert len(server.forms) == 1
        assert client.last_problem == "the server answered 301 to http://other.test/"


def test_retry_after_is_honoured(connect: Connect) -> None:
    with answering(BUSY, STORED) as server:
        client = connect("k", server.url)
        client.submit(Msg="once")
        began = time.monotonic()
        assert client.flush(10)
        assert time.monotonic() - began > 0.9
        assert len(server.forms) == 2


def test_an_ambiguous_log_message_is_not_doubled(connect: Connect) -> None:
    with answering(slow, STORED) as server:
        client = connect("k", server.url, timeout_s=0.2)
        client.log("once")
        assert client.flush(10)
        assert server.paths == ["/log"]


def test_a_full_queue_drops_the_oldest_and_tells(connect: Connect) -> None:
    with answering(AWAY, STORED) as server:
        client = connect("k", server.url, max_queue=3)
        client.submit(Msg="0")
        eventually(lambda: server.forms, 10)  # it is on its way, not in the queue
        for number in range(1, 8):
            client.submit(Msg=str(number))
        assert client.flush(10)
        assert [form["Msg"] for form in server.forms] == ["0", "0", "5", "6", "7"]
        assert server.forms[2]["dropped_queue"] == "4"


def test_a_connection_is_kept_and_opened_again(connect: Connect) -> None:
    with answering(STORED, STORED, lambda _: b"", STORED) as server:
        client = connect("k", server.url)
        for number in range(3):
            client.submit(Msg=str(number))
        assert client.flush(10)
        assert [form["Msg"] for form in server.forms] == ["0", "1", "2", "2"]
        assert server.connections == 2


def test_https_is_verified(connect: Connect) -> None:
    authority = trustme.CA()
    here, there = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(here)
    authority.issue_cert("localhost").configure_cert(there)
    with answering(STORED, tls=there) as server:
        trusting, doubting = connect("k", server.url, tls=here), connect("k", server.url)
        doubting.submit(Msg="to a stranger")
        assert not doubting.flush(1)
        assert "CERTIFICATE_VERIFY_FAILED" in doubting.last_problem
        trusting.submit(Msg="to a friend")
        assert trusting.flush(10)
        assert [form["Msg"] for form in server.forms] == ["to a friend"]


def test_an_endpoint_may_have_a_path(connect: Connect) -> None:
    with answering(STORED) as server:
        for path in ("/x", "/x/", "/x/submit"):
            client = connect("k", server.url + path)
            client.submit(Msg="once")
            assert client.flush(10)
        assert server.paths == ["/x/submit"] * 3


def test_an_error_whose_answer_is_lost_is_stored_once(stack: Stack, connect: Connect) -> None:
    def forward(body: bytes) -> bytes:
        with urllib.request.urlopen(f"{stack.url}/submit", body, timeout=10) as answer:
            assert b'"success":true' in answer.read().replace(b" ", b"")
        return b""

    server: Answering
    with answering(forward, forward, STORED) as server:
        client = connect(stack.key, server.url)
        client.submit(Msg="once")
        assert client.flush(20)
        assert len(server.forms) == 3
    stack.errors(1)
