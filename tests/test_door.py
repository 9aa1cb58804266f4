"""The ingest door on a real Hypercorn and a real mongod: PROTOCOL 1, 5, 6, 7, 8 by table."""

import asyncio
import gzip
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from fixtures_server import Server, serving

from errorstack_live.model import Error
from errorstack_live.protocols.beacon import PIXEL as GIF
from errorstack_live.query import parse
from errorstack_live.storage.mongo import Store
from errorstack_live.web.body import MAX_DECLARED_BYTES
from errorstack_live.web.door import MAX_URL_BYTES
from errorstack_live.web.script import scripts
from errorstack_live.web.state import now

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*/*.http"))
SAMPLE_KEY = b"0123456789abcdef0123456789abcdef"
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def errors_of(server: Server) -> list[Error]:
    page = await server.state.store.errors.find(server.stack.id, parse(""), limit=1000)
    return list(page.errors)


async def only_error(server: Server) -> Error:
    (error,) = await errors_of(server)
    return error


async def some_errors(server: Server) -> list[Error]:
    """The stack's errors, when there are any: for senders that do not wait for the answer."""
    async with asyncio.timeout(5):
        while not (errors := await errors_of(server)):
            await asyncio.sleep(0.01)
    return errors


async def raw(server: Server, request: bytes) -> bytes:
    """What the server answers to these bytes, until it closes or has answered one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ),
            0,
        )
        body = await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    return head + body


@pytest.mark.parametrize("path", ["/submit", "/submit/", "/x/submit", "/x/submit/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_stores_and_answers_the_gif(
    server: Server, http: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await http.request(method, path, params={"_s": server.key, "Msg": "Hello"})

    assert (answer.status_code, answer.content) == (200, GIF)
    assert answer.headers["content-type"] == "image/gif"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    assert (await only_error(server)).fields == {"Msg": "Hello"}


async def test_json_reply_tells_what_the_sender_could_not_know(
    server: Server, http: httpx.AsyncClient
) -> None:
    form = {"_s": server.key, "_r": "JSON", "Msg": "Hello"}
    first = (await http.post("/submit", data=form)).json()
    second = (await http.post("/submit", data=form)).json()

    stored = await errors_of(server)
    assert [first["id"], second["id"]] == [error.id for error in reversed(stored)]
    assert first["success"] is True
    assert (first["new"], second["new"]) == (True, False)
    assert first["issue"] == second["issue"] == stored[0].issue
    assert first["viewers"] == 0


@pytest.mark.parametrize("key", ["", "nosuchkey", "0" * 4000])
async def test_unknown_key_is_200_and_says_so(
    server: Server, http: httpx.AsyncClient, key: str
) -> None:
    gif = await http.get("/submit", params={"_s": key, "Msg": "x"})
    assert (gif.status_code, gif.content) == (200, GIF)
    assert gif.headers["x-errorstack-error"] == "unknown-key"
    words = await http.get("/submit", params={"_s": key, "Msg": "x", "_r": "json"})
    assert words.status_code == 200
    assert words.json()["success"] is False
    assert words.json()["errorMsg"] == "Unknown stack key"
    assert await errors_of(server) == []


async def test_revoked_key_stops_working_at_once(server: Server, http: httpx.AsyncClient) -> None:
    form = {"_s": server.key, "Msg": "x"}
    await server.state.store.stacks.revoke_key(server.stack.id, server.key, server.stack.created_at)
    async with asyncio.timeout(5):
        while "x-errorstack-error" not in (await http.get("/submit", params=form)).headers:
            await asyncio.sleep(0.01)


async def test_new_key_works_before_the_feed_has_told_of_it(
    server: Server, http: httpx.AsyncClient
) -> None:
    stack = await server.state.store.stacks.create(
        "Another", now=server.stack.created_at, retention_days=30
    )
    answer = await http.get("/submit", params={"_s": stack.keys[0].key, "_r": "json", "Msg": "x"})
    assert answer.json()["success"] is True


async def test_head_answers_like_get_and_stores_nothing(
    server: Server, http: httpx.AsyncClient
) -> None:
    answer = await http.head("/submit", params={"_s": server.key, "Msg": "x"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(GIF))
    assert await errors_of(server) == []


async def test_options_is_a_preflight(http: httpx.AsyncClient) -> None:
    answer = await http.options("/submit", headers={"origin": "https://shop.example"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert answer.headers["access-control-max-age"] == "86400"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_405(http: httpx.AsyncClient, method: str) -> None:
    answer = await http.request(method, "/submit")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("origin", ["https://shop.example", "null"])
async def test_cors_echoes_the_origin(server: Server, http: httpx.AsyncClient, origin: str) -> None:
    answer = await http.post(
        "/submit", data={"_s": server.key, "Msg": "x"}, headers={"origin": origin}
    )
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-expose-headers"] == "retry-after, x-errorstack-error"
    assert answer.headers["vary"] == "Origin"


async def test_query_and_body_are_read_together(server: Server, http: httpx.AsyncClient) -> None:
    await http.post("/submit", params={"_s": server.key, "a": "1"}, data={"b": "2"})
    assert (await only_error(server)).fields == {"a": "1", "b": "2"}


async def test_array_of_objects_is_one_error_each(server: Server, http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/submit", params={"_s": server.key, "_r": "json"}, json=[{"Msg": "a"}, {"Msg": "b"}]
    )
    assert len(answer.json()["ids"]) == 2
    assert sorted(str(error.fields["Msg"]) for error in await errors_of(server)) == ["a", "b"]


async def test_gzip_body_is_unpacked(server: Server, http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/submit",
        params={"_s": server.key, "_r": "json"},
        content=gzip.compress(b"Msg=packed"),
        headers={**FORM, "content-encoding": "gzip"},
    )
    assert answer.json()["success"] is True
    assert (await only_error(server)).fields == {"Msg": "packed"}


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (b"no gzip at all", "gzip", 400),
        (gzip.compress(b"Msg=a") + gzip.compress(b"Msg=b"), "gzip", 400),
        (gzip.compress(b"Msg=" + b"a" * 9_000_000), "gzip", 413),
        (gzip.compress(b"Msg=" + b"a" * 1000)[:-20], "gzip", 400),
        (b"Msg=a", "br", 400),
    ],
)
async def test_bad_encodings_get_a_clear_answer(
    server: Server, http: httpx.AsyncClient, content: bytes, encoding: str, status: int
) -> None:
    answer = await http.post(
        "/submit",
        params={"_s": server.key, "_r": "json"},
        content=content,
        headers={**FORM, "content-encoding": encoding},
    )
    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert await errors_of(server) == []


@pytest.mark.parametrize("pack", [False, True])
async def test_body_over_the_limit_is_kept_to_the_limit_and_marked(
    server: Server, http: httpx.AsyncClient, pack: bool
) -> None:
    limit = server.state.settings.max_body_bytes
    body = b"Msg=" + b"a" * (limit + 1000)
    answer = await http.post(
        "/submit",
        params={"_s": server.key, "_r": "json"},
        content=gzip.compress(body) if pack else body,
        headers={**FORM, **({"content-encoding": "gzip"} if pack else {})},
    )
    assert answer.json()["success"] is True
    error = await only_error(server)
    assert error.cut is not None
    assert error.cut.body_bytes == len(body)
    assert len(str(error.fields["Msg"])) == limit - len("Msg=")


async def test_declared_length_over_the_limit_is_413(server: Server) -> None:
    answer = await raw(
        server,
        b"POST /submit?_r=json&_s=%s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n"
        % (server.key.encode(), MAX_DECLARED_BYTES + 1),
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"success":false' in answer.replace(b" ", b"")


async def test_url_over_the_limit_is_414(server: Server, http: httpx.AsyncClient) -> None:
    fits = "x" * (MAX_URL_BYTES - 200)
    assert (await http.get("/submit", params={"_s": server.key, "Msg": fits})).status_code == 200
    answer = await http.get("/submit", params={"_s": server.key, "Msg": fits + "x" * 300})
    assert answer.status_code == 414
    assert answer.headers["x-errorstack-error"] == "address-too-long"


async def test_two_lengths_are_refused(server: Server) -> None:
    answer = await raw(
        server,
        b"POST /submit?_s=%s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nMsg=a\r\n0\r\n\r\n" % server.key.encode(),
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert await errors_of(server) == []


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /submit?_s=%s&Msg=old HTTP/1.0\r\n\r\n",
        b"GET http://anything.example/submit?_s=%s&Msg=old HTTP/1.1\r\nHost: other\r\n\r\n",
        b"GET /submit?_s=%s&Msg=old HTTP/1.1\r\nHost: any.example:99\r\n\r\n",
        b"POST /submit?_s=%s HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\nMsg=old",
        b"POST /submit?_s=%s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        b"4\r\nMsg=\r\n3\r\nold\r\n0\r\n\r\n",
    ],
    ids=["http/1.0", "absolute-form", "any-host", "expect", "chunked"],
)
async def test_speaks_what_old_clients_speak(server: Server, request_line: bytes) -> None:
    answer = await raw(server, request_line % server.key.encode())
    if b" 100 " in answer.split(b"\r\n", 1)[0]:
        await some_errors(server)
    else:
        assert b" 200 " in answer.split(b"\r\n", 1)[0]
        assert answer.endswith(GIF)
    assert (await only_error(server)).fields == {"Msg": "old"}


def sample(path: Path) -> tuple[bytes, dict[str, Any]]:
    return path.read_bytes(), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_every_captured_request_is_stored_as_its_client_meant_it(
    server: Server, path: Path
) -> None:
    content, expected = sample(path)
    await raw(server, content.replace(SAMPLE_KEY, server.key.encode()))
    if expected["kind"] == "log":
        assert await server.state.store.logs.alive(server.stack.id, now())
        return
    errors = await some_errors(server)
    assert len(errors) == len(expected["drafts"])


async def test_parts_of_one_error_come_together_in_any_order(
    server: Server, http: httpx.AsyncClient
) -> None:
    parts = [{"Msg": "split"}, {"Line": "7"}, {"stack": "at f (a.js:1:2)"}, {"Msg": "late"}]
    await asyncio.gather(
        *(
            http.get("/submit", params={"_s": server.key, "_id": "one", **part})
            for part in parts[1:3]
        )
    )
    await http.get("/submit", params={"_s": server.key, "_id": "one", **parts[0]})
    await http.get("/submit", params={"_s": server.key, "_id": "one", **parts[3]})

    error = await only_error(server)
    assert dict(error.fields) == {"Msg": "split", "Line": "7", "stack": "at f (a.js:1:2)"}
    assert error.title.startswith("split")


async def test_a_retry_with_the_same_id_is_stored_once(
    server: Server, http: httpx.AsyncClient
) -> None:
    form = {"_s": server.key, "_id": "retry-1", "_r": "json", "Msg": "once"}
    answers = await asyncio.gather(*(http.post("/submit", data=form) for _ in range(8)))
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await errors_of(server)) == 1


async def test_rate_limit_answers_429_and_is_counted(
    slow_server: Server,
) -> None:
    """``slow_server`` allows each key 5 submissions at once and one a second."""
    async with httpx.AsyncClient(base_url=slow_server.url) as http:
        answers = [
            await http.get("/submit", params={"_s": slow_server.key, "Msg": "x"}) for _ in range(7)
        ]
        words = await http.get("/submit", params={"_s": slow_server.key, "_r": "json"})
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert answers[-1].content == GIF
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert words.json()["success"] is False
    metrics = slow_server.state.metrics.text().decode()
    assert 'errorstack_submissions_total{kind="error",outcome="rate-limited"} 3.0' in metrics


async def test_large_bodies_use_up_an_addresss_rate_sooner(store: Store) -> None:
    """A kilobyte of gzip that unpacks to a megabyte is charged for the megabyte."""
    packed = gzip.compress(b"Msg=" + b"%41" * 300_000)
    async with (
        serving(store, address_rate=1, address_burst=500) as server,
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        form = {"_s": server.key, "_r": "json"}
        headers = {**FORM, "content-encoding": "gzip"}
        answers = [
            await http.post("/submit", params=form, content=packed, headers=headers)
            for _ in range(3)
        ]
        small = await http.get("/submit", params={**form, "Msg": "x"})
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 1
    assert small.status_code == 200


async def test_log_messages_are_kept_with_the_error_behind_them(
    server: Server, http: httpx.AsyncClient
) -> None:
    for n in range(12):
        await http.get("/log", params={"_s": server.key, "_msg": f"step {n}"})
    await http.post("/submit", data={"_s": server.key, "Msg": "boom"})

    alive = await server.state.store.logs.alive(server.stack.id, now())
    assert [message.text for message in alive] == [f"step {n}" for n in range(2, 12)]
    error = await only_error(server)
    assert [message.text for message in error.before] == [f"step {n}" for n in range(2, 12)]


async def test_log_messages_are_kept_with_an_error_after_a_restart(store: Store) -> None:
    async with serving(store) as before, httpx.AsyncClient(base_url=before.url) as http:
        await http.get("/log", params={"_s": before.key, "_msg": "before the restart"})
    async with serving(store) as after, httpx.AsyncClient(base_url=after.url) as http:
        await http.get("/submit", params={"_s": before.key, "Msg": "boom"})
        page = await after.state.store.errors.find(before.stack.id, parse(""))
    assert [message.text for message in page.errors[0].before] == ["before the restart"]


async def test_secrets_never_reach_the_database(server: Server, http: httpx.AsyncClient) -> None:
    await http.post("/submit", data={"_s": server.key, "Msg": "x", "password": "hunter2"})
    error = await only_error(server)
    assert "hunter2" not in repr(error)
    assert error.scrubbed == ("password",)


async def test_the_page_it_came_from_is_kept_without_its_secrets(
    server: Server, http: httpx.AsyncClient
) -> None:
    here = {"referer": "https://shop.example/reset?token=s3cr3t-t0k3n-value&step=2"}
    await http.get("/submit", params={"_s": server.key, "Msg": "x"}, headers=here)
    error = await only_error(server)
    assert error.request.referer.startswith("https://shop.example/reset?")
    assert "s3cr3t" not in error.request.referer


async def test_the_collectors_own_address_is_no_page(
    server: Server, http: httpx.AsyncClient
) -> None:
    here = {"referer": f"{server.url}/submit"}
    await http.get("/submit", params={"_s": server.key, "Msg": "x"}, headers=here)
    assert (await only_error(server)).request.referer == ""


async def test_script_is_served_beside_the_door(http: httpx.AsyncClient) -> None:
    for path in ("/beacon.js", "/x/beacon.js"):
        answer = await http.get(path)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["cache-control"] == "public, max-age=3600"
        assert b"unhandledrejection" in answer.content


@pytest.mark.parametrize("prefix", ["", "/x"])
async def test_a_release_of_the_script_keeps_its_address(
    http: httpx.AsyncClient, prefix: str
) -> None:
    path = next(path for path in scripts() if path.startswith("/beacon/"))
    answer = await http.get(prefix + path)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) <= 2048
    plain = await http.get(prefix + path, headers={"accept-encoding": "identity"})
    assert plain.content == answer.content
    told = {"if-none-match": f'"other", {answer.headers["etag"]}'}
    again = await http.get(prefix + path, headers=told)
    assert (again.status_code, again.content) == (304, b"")
    assert (await http.post(prefix + path)).status_code == 405
    assert (await http.head(prefix + path)).content == b""
    assert (await http.get(f"{prefix}/beacon/0.0.0.js")).status_code == 404


def test_the_newest_script_is_that_of_the_highest_version(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        (tmp_path / f"{version}.js").write_text(version)
    assert scripts(tmp_path)["/beacon.js"].content == b"1.10.0"
    assert scripts(tmp_path / "nothing") == {}


async def test_how_long_storing_took_is_told_to_who_accepts_json(
    server: Server, http: httpx.AsyncClient
) -> None:
    sent = {"_s": server.key, "_r": "json", "Msg": "x"}
    plain = await http.post("/submit", data=sent)
    assert "server-timing" not in plain.headers
    asked = {"Accept": "application/json", "Origin": "https://shop.example"}
    timed = await http.post("/submit", data=sent, headers=asked)
    found = re.fullmatch(r"store;dur=([\d.]+)", timed.headers["server-timing"])
    assert found
    assert 0 < float(found[1]) < timed.elapsed.total_seconds() * 1000
    exposed = timed.headers["access-control-expose-headers"].split(", ")
    assert exposed == ["server-timing", "retry-after", "x-errorstack-error"]
    await server.state.store.uses.flush()
    used = (await server.state.store.uses.of_stack(server.stack.id))[server.key]
    assert [each.name for each in used.origins] == ["shop.example"]
    assert used.count == 2
