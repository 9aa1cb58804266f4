"""Following a stack by HTTP alone: lines for curl, events for browsers, on a real server."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import trustme
from fixtures_server import Server, serving

from errorstack_live.access import Scope
from errorstack_live.live import mailbox
from errorstack_live.storage.mongo import Store
from errorstack_live.web import linking, server
from errorstack_live.web.api import tail
from errorstack_live.web.state import now

WAIT_S = 10.0


@pytest_asyncio.fixture
async def running(store: Store) -> AsyncIterator[Server]:
    async with serving(store) as found:
        yield found


async def token(running: Server) -> tuple[str, dict[str, str]]:
    """A token's id, and the header that it is sent in."""
    made, text = await running.state.store.tokens.create(
        name="curl", scope=Scope.READ, stacks=None, member_id=None, now=now(), expires_at=None
    )
    return made.id, {"Authorization": f"Bearer {text}"}


async def submit(running: Server, title: str, path: str = "/submit", **fields: str) -> str:
    sent = {"_s": running.key, "_r": "json", "Msg": title, **fields}
    async with httpx.AsyncClient(base_url=running.url) as http:
        return str((await http.post(path, data=sent, timeout=WAIT_S)).json()["id"])


@dataclass
class Stream:
    """A response that is being read, line by line."""

    response: httpx.Response
    lines: AsyncIterator[str]
    seen: list[Any] = field(default_factory=list)

    async def record(self, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next record that is wanted, of lines."""
        async with asyncio.timeout(WAIT_S):
            async for line in self.lines:
                if not line:
                    continue
                self.seen.append(json.loads(line))
                if wanted(self.seen[-1]):
                    return self.seen[-1]
        raise AssertionError(f"the stream ended: {self.seen}")

    async def event(self) -> dict[str, str]:
        """The next event that carries something, of events."""
        found: dict[str, str] = {}
        async with asyncio.timeout(WAIT_S):
            async for line in self.lines:
                name, _, value = line.partition(": ")
                if line:
                    found[name] = value
                elif "data" in found:
                    self.seen.append(found)
                    return found
                else:
                    found = {}
        raise AssertionError(f"the stream ended: {self.seen}")

    async def ended(self) -> list[str]:
        """What is left of it."""
        async with asyncio.timeout(WAIT_S):
            return [line async for line in self.lines if line]


def is_error(record: Any) -> bool:
    return bool(record["kind"] == "error")


@asynccontextmanager
async def following(
    running: Server, asked: str = "", path: str = "", cookies: Any = None, **headers: str
) -> AsyncIterator[Stream]:
    path = path or f"/api/v1/stacks/{running.stack.slug}/tail"
    async with (
        httpx.AsyncClient(base_url=running.url, timeout=WAIT_S, cookies=cookies) as http,
        http.stream("GET", path + asked, headers=headers) as response,
    ):
        yield Stream(response, response.aiter_lines())


async def test_curl_gets_a_line_for_each_error_as_it_comes(running: Server) -> None:
    _, bearer = await token(running)
    await submit(running, "before")
    async with following(running, **bearer) as stream:
        assert stream.response.headers["Content-Type"] == "application/x-ndjson"
        assert (await stream.record())["kind"] == "live"
        error_id = await submit(running, "boom", user="ada", blob="x" * 9000)
        record = await stream.record()
        assert (record["kind"], record["id"], record["title"]) == ("error", error_id, "boom")
        assert (record["fields"]["user"], len(record["fields"]["blob"])) == ("ada", 9000)
        await submit(running, "", "/log", _msg="deployed")
        assert (await stream.record(lambda each: each["kind"] == "log"))["text"] == "deployed"


async def test_the_query_holds_for_history_and_for_what_comes(running: Server) -> None:
    _, bearer = await token(running)
    for title, level in (("old", "error"), ("quiet", "info")):
        await submit(running, title, level=level)
    async with following(running, "?query=level:error&since=1h", **bearer) as stream:
        assert [(await stream.record())["kind"], (await stream.record())["title"]] == [
            "live",
            "old",
        ]
        await submit(running, "hush", level="info")
        await submit(running, "new", level="error")
        assert (await stream.record())["title"] == "new"


async def test_events_go_on_where_they_ended(running: Server) -> None:
    _, bearer = await token(running)
    bearer["Accept"] = "text/event-stream"
    async with following(running, **bearer) as stream:
        assert stream.response.headers["Content-Type"] == "text/event-stream"
        assert (await stream.event())["event"] == "live"
        await submit(running, "one")
        first = await stream.event()
        assert (first["event"], json.loads(first["data"])["title"]) == ("error", "one")
    missed = [await submit(running, f"missed {number}") for number in range(5)]
    async with following(running, **bearer, **{"Last-Event-ID": first["id"]}) as stream:
        got = [json.loads((await stream.event())["data"])["id"] for _ in missed]
        assert got == missed
        await submit(running, "live again")
        assert json.loads((await stream.event())["data"])["title"] == "live again"


async def test_a_place_that_is_not_ours_is_a_gap_that_is_told(running: Server) -> None:
    _, bearer = await token(running)
    before = round((now() - timedelta(seconds=5)).timestamp() * 1000)
    await submit(running, "perhaps missed")
    bearer |= {"Accept": "text/event-stream", "Last-Event-ID": f"xZm9v.forged~{before}"}
    async with following(running, **bearer) as stream:
        assert (await stream.event())["event"] == "gap"
        assert json.loads((await stream.event())["data"])["title"] == "perhaps missed"


async def test_a_share_link_streams_what_it_shows(running: Server) -> None:
    async with (
        shared(running, query="level:error", hidden=["user"]) as (share_id, cookies, _),
        following(running, path=f"/v/{share_id}/api/tail", cookies=cookies) as stream,
    ):
        await stream.record()
        await submit(running, "secret", level="info")
        await submit(running, "boom", level="error", user="ada", page="/")
        record = await stream.record()
        assert record["title"] == "boom"
        assert "user" not in record["fields"]
        assert record["fields"]["page"] == "/"


@asynccontextmanager
async def shared(
    running: Server, **wish: Any
) -> AsyncIterator[tuple[str, dict[str, str], Callable[[], Awaitable[None]]]]:
    """A share link that was opened: its id, its cookie, and how to revoke it."""
    secret = f"secret-{wish}"
    made = await running.state.store.shares.create(
        running.stack.id,
        token_sha256=linking.digest(secret),
        name="",
        query=wish.get("query", ""),
        hidden=wish.get("hidden", []),
        with_logs=True,
        now=now(),
        expires_at=None,
    )
    async with httpx.AsyncClient(base_url=running.url) as http:
        await http.get(f"/share/{secret}")
        cookies = dict(http.cookies.items())
    yield made.id, cookies, lambda: running.state.store.shares.revoke(made.id, now())


async def test_it_ends_with_the_share_link(running: Server) -> None:
    async with (
        shared(running) as (share_id, cookies, revoke),
        following(running, path=f"/v/{share_id}/api/tail", cookies=cookies) as stream,
    ):
        await stream.record()
        await revoke()
        end = json.loads((await stream.ended())[-1])
        assert (end["kind"], end["code"], end["retry_s"]) == ("end", 4403, 0)


async def test_it_ends_with_the_token(running: Server) -> None:
    token_id, bearer = await token(running)
    async with following(running, **bearer) as stream:
        await stream.record()
        await running.state.store.tokens.revoke(token_id)
        assert json.loads((await stream.ended())[-1])["code"] == 4401
    async with following(running, **bearer) as refused:
        assert refused.response.status_code == 401


async def test_who_leaves_is_forgotten(running: Server) -> None:
    _, bearer = await token(running)
    async with following(running, **bearer) as stream:
        await stream.record()
        assert running.state.hub.viewers(running.stack.id) == 1
    async with asyncio.timeout(WAIT_S):
        while running.state.hub.viewers(running.stack.id):
            await asyncio.sleep(0.01)


async def test_a_silent_stream_outlives_the_read_timeout(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "READ_TIMEOUT_S", 0.2)
    monkeypatch.setattr(tail, "HEARTBEAT_S", 0.1)
    async with serving(store) as running:
        _, bearer = await token(running)
        async with following(running, **bearer) as stream:
            await stream.record()
            await asyncio.sleep(1.0)  # of silence from both: five times the timeout
            await submit(running, "still here")
            assert (await stream.record())["title"] == "still here"


async def test_it_outlives_the_read_timeout_over_http2_as_well(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "READ_TIMEOUT_S", 0.2)
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    trust = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    files = {"certfile": tmp_path / "cert.pem", "keyfile": tmp_path / "key.pem"}
    async with serving(store, **files, tls_port=port) as running:
        _, bearer = await token(running)
        path = f"https://127.0.0.1:{port}/api/v1/stacks/{running.stack.slug}/tail"
        async with (
            httpx.AsyncClient(http2=True, verify=trust, timeout=WAIT_S) as http,
            http.stream("GET", path, headers=bearer) as response,
        ):
            assert response.http_version == "HTTP/2"
            stream = Stream(response, response.aiter_lines())
            await stream.record()
            await asyncio.sleep(1.0)
            await submit(running, "still here")
            assert (await stream.record())["title"] == "still here"


async def test_a_reader_that_stops_reading_is_skipped_and_then_cut(
    running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its mailbox is bounded: the server holds no more for it, whatever comes."""
    monkeypatch.setattr(mailbox, "MAX_FRAMES", 4)
    _, bearer = await token(running)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
    head = f"GET /api/v1/stacks/{running.stack.slug}/tail HTTP/1.1\r\nHost: localhost\r\n"
    writer.write(f"{head}Authorization: {bearer['Authorization']}\r\n\r\n".encode())
    await reader.readuntil(b'{"kind":"live"}')
    dropped = running.state.hub.tally.frames_dropped
    async with asyncio.timeout(60):
        while running.state.hub.tally.frames_dropped == dropped:
            await submit(running, "big", blob="x" * 400_000)
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tail?query=((", 400),
        ("/tail?since=yesterday", 400),
        ("/live", 426),
        ("/live?epoch=x", 400),
    ],
)
async def test_what_cannot_be_followed_is_said_at_once(
    running: Server, path: str, status: int
) -> None:
    _, bearer = await token(running)
    path = f"/api/v1/stacks/{running.stack.slug}{path}"
    async with httpx.AsyncClient(base_url=running.url, headers=bearer) as http:
        assert (await http.get(path)).status_code == status
        assert (await http.head(path)).status_code == status


async def test_no_more_follow_than_may(store: Store) -> None:
    async with serving(store, max_viewers=1) as running:
        _, bearer = await token(running)
        async with following(running, **bearer) as stream:
            await stream.record()
            async with following(running, **bearer) as second:
                assert second.response.status_code == 429
                assert second.response.headers["Retry-After"]


# The live wire as events, for a page


async def test_events_carry_the_live_wire(running: Server) -> None:
    _, bearer = await token(running)
    bearer["Accept"] = "text/event-stream"
    old = await submit(running, "old")
    path = f"/api/v1/stacks/{running.stack.slug}/live"
    async with following(running, "?query=boom&epoch=7", path=path, **bearer) as stream:
        kinds = {}
        while "snapshot" not in kinds:
            message = json.loads((await stream.event())["data"])
            kinds[message["type"]] = message
        assert kinds["hello"]["version"]
        assert (kinds["snapshot"]["epoch"], kinds["snapshot"]["errors"]) == (7, [])
        new = await submit(running, "boom")
        while message["type"] != "frame" or "errors" not in message:
            message = json.loads((await stream.event())["data"])
        assert [row["id"] for row in message["errors"]] == [new]
    async with httpx.AsyncClient(base_url=running.url, headers=bearer) as http:
        row = message["errors"][0]
        asked = {"type": "more", "before": [row["at"], row["id"]], "epoch": 3}
        page = (await http.post(path, json={"ask": asked})).json()
        assert (page["type"], page["epoch"]) == ("page", 3)
        assert [each["id"] for each in page["errors"]] == [old]
        gap = {"from": kinds["snapshot"]["cursor"], "to": message["cursor"]}
        filled = (await http.post(path, json={"ask": {"type": "fill", "epoch": 3, **gap}})).json()
        assert [each["id"] for each in filled["errors"]] == [new]
        assert filled["complete"] is True
        pong = (await http.post(path, json={"ask": {"type": "ping", "at": 5}})).json()
        assert pong == {"type": "pong", "at": 5}
        for wrong in ({"type": "start", "query": "", "epoch": 1}, {"type": "odd"}, {}):
            assert (await http.post(path, json={"ask": wrong})).status_code == 400


async def test_a_hidden_page_gets_counts_alone(running: Server) -> None:
    _, bearer = await token(running)
    bearer["Accept"] = "text/event-stream"
    path = f"/api/v1/stacks/{running.stack.slug}/live"
    async with following(running, "?counts_only=true", path=path, **bearer) as stream:
        message = json.loads((await stream.event())["data"])
        while message["type"] != "snapshot":
            message = json.loads((await stream.event())["data"])
        await submit(running, "unseen")
        while not message.get("skipped"):
            message = json.loads((await stream.event())["data"])
        assert "errors" not in message
        assert message["counts"]["total"] == 1
