"""WSGI and ASGI applications that raise, and what their servers then see."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from harness.stack import Stack

from errorstack_client import Client, asgi, wsgi

Start = Callable[..., Any]


def request(**more: Any) -> dict[str, Any]:
    environ = {
        "SCRIPT_NAME": "",
        "PATH_INFO": "/buy",
        "QUERY_STRING": "id=7",
        "HTTP_USER_AGENT": "curl",
        **more,
    }
    setup_testing_defaults(environ)
    return environ


def start(*_: Any) -> None:
    return None


def raising(environ: dict[str, Any], _: Start) -> list[bytes]:
    raise ValueError(environ["PATH_INFO"])


class Pieces:
    """An answer that fails after its first piece, and knows whether it was closed."""

    is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"one"
        raise ValueError("later")

    def close(self) -> None:
        self.is_closed = True


def test_wsgi(stack: Stack, client: Client) -> None:
    with pytest.raises(ValueError, match="/buy"):
        wsgi.ErrorStackMiddleware(raising, client)(request(), start)
    client.submit(Msg="after it")
    assert client.flush(10)
    fields, after = stack.fields(2)
    assert (fields["type"], fields["method"], fields["UserAgent"]) == ("ValueError", "GET", "curl")
    assert fields["PageURL"] == "http://127.0.0.1/buy?id=7"
    assert "PageURL" not in after


def test_wsgi_answers_in_pieces(stack: Stack, client: Client) -> None:
    pieces = Pieces()
    answer = wsgi.ErrorStackMiddleware(lambda *_: pieces, client)(request(), start)
    iterator = iter(answer)
    assert next(iterator) == b"one"
    client.submit(Msg="between the pieces")
    with pytest.raises(ValueError, match="later"):
        next(iterator)
    answer.close()  # type: ignore[attr-defined]
    assert pieces.is_closed
    assert client.flush(10)
    between, raised = stack.fields(2)
    assert "PageURL" not in between
    assert raised["PageURL"].endswith("/buy?id=7")


def test_wsgi_leaves_ready_answers_alone(client: Client) -> None:
    with open(__file__, "rb") as file:  # noqa: PTH123
        wrapped = FileWrapper(file)
        for answer in ([b"whole"], (b"whole",), wrapped):
            app = wsgi.ErrorStackMiddleware(lambda *_, answer=answer: answer, client)
            assert app(request(**{"wsgi.file_wrapper": FileWrapper}), start) is answer
    app = wsgi.ErrorStackMiddleware(lambda *_: iter([b"a", b"b"]), client)
    assert list(app(request(), start)) == [b"a", b"b"]


def test_wsgi_to_the_letter(client: Client) -> None:
    def app(_: dict[str, Any], start: Start) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return iter([b"a", b"b"])

    guarded = validator(wsgi.ErrorStackMiddleware(validator(app), client))
    answer = guarded(request(), lambda *_: lambda _: None)
    assert b"".join(answer) == b"ab"
    answer.close()  # type: ignore[attr-defined]


SCOPE = {
    "type": "http",
    "scheme": "https",
    "method": "PUT",
    "path": "/buy",
    "query_string": b"id=7",
    "headers": [(b"host", b"shop.test"), (b"user-agent", b"curl")],
}


async def channel(*_: Any) -> Any:
    return None


def test_asgi(stack: Stack, client: Client) -> None:
    async def fail(_: asgi.Scope, receive: asgi.Channel, send: asgi.Channel) -> None:
        client.submit(Msg="on the way", level="info")
        await send(await receive())
        raise ValueError("raised")

    app = asgi.ErrorStackMiddleware(fail, client)
    for scope in (SCOPE, {"type": "lifespan"}):
        with pytest.raises(ValueError, match="raised"):
            asyncio.run(app({**scope}, channel, channel))
    assert client.flush(10)
    way, raised, *lifespan = stack.fields(4)
    for fields in (way, raised):
        assert (fields["method"], fields["UserAgent"]) == ("PUT", "curl")
        assert fields["PageURL"] == "https://shop.test/buy?id=7"
    assert [fields["method"] for fields in lifespan] == ["lifespan", "lifespan"]


def test_a_cancelled_request_is_no_error(stack: Stack, client: Client) -> None:
    async def cancelled(*_: Any) -> None:
        raise asyncio.CancelledError

    app = asgi.ErrorStackMiddleware(cancelled, client)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(app({**SCOPE}, channel, channel))
    client.submit(Msg="only this")
    assert client.flush(10)
    stack.errors(1)
