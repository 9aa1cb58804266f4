"""The live view's websocket, as its clients see it: on a real server and a real database."""

import asyncio
import json
import os
import re
import signal
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from fixtures_server import Server, serving
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from errorstack_live.access import Share
from errorstack_live.live import viewer as viewers
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod
from errorstack_live.web import conversation, linking, snapshot
from errorstack_live.web.password import Passwords
from errorstack_live.web.state import now

WAIT_S = 10.0
EMAIL, PASSWORD = "ada@example.org", "correct horse battery"


@pytest_asyncio.fixture
async def server(store: Store) -> AsyncIterator[Server]:
    async with serving(store) as running:
        yield running


@dataclass
class Watcher:
    """A client on one connection, that keeps what it was told."""

    socket: ClientConnection
    messages: list[Any] = field(default_factory=list)

    async def say(self, kind: str, **members: object) -> None:
        await self.socket.send(json.dumps({"type": kind, **members}))

    async def next(self, kind: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The next message of a kind that is wanted; all that come are kept."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = orjson.loads(await self.socket.recv())
                self.messages.append(message)
                if message["type"] == kind and wanted(message):
                    return message

    async def row(self, title: str) -> Any:
        """The next frame's row with this title."""
        frame = await self.next("frame", lambda frame: title in titles(frame))
        return next(row for row in frame["errors"] if row["title"] == title)

    async def closed(self) -> int:
        """The code it is closed with."""
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    self.messages.append(orjson.loads(await self.socket.recv()))
                except ConnectionClosed:
                    return self.socket.close_code or 0


def has_errors(message: Any) -> bool:
    return "errors" in message


def titles(message: Any) -> list[str]:
    return [row["title"] for row in message.get("errors", ())]


async def token(server: Server, **lasts: float) -> str:
    """A terminal's access."""
    ends_at = now() + timedelta(**lasts or {"hours": 1})
    return await server.state.store.sessions.create(None, now=now(), expires_at=ends_at)


def address(server: Server, path: str = "") -> str:
    path = path or f"/api/v1/stacks/{server.stack.slug}/live"
    return f"ws://127.0.0.1:{server.port}{path}"


@asynccontextmanager
async def opened(server: Server, path: str = "", **headers: str) -> AsyncIterator[Watcher]:
    async with connect(
        address(server, path), additional_headers=headers, max_size=1 << 26, proxy=None
    ) as made:
        yield Watcher(made)


@asynccontextmanager
async def watching(
    server: Server, query: str = "", **start: object
) -> AsyncIterator[tuple[Watcher, Any]]:
    """A terminal that has said its start, and the snapshot it got."""
    bearer = {"Authorization": f"Bearer {await token(server)}"}
    async with opened(server, **bearer) as watcher:
        await watcher.say("start", **{"query": query, "epoch": 1, **start})
        yield watcher, await watcher.next("snapshot")


async def submit(server: Server, title: str, path: str = "/submit", **fields: str) -> str:
    """Send an error as any program does; returns its id."""
    sent = {"_s": server.key, "_r": "json", "Msg": title, **fields}
    async with httpx.AsyncClient(base_url=server.url, verify=False) as http:  # noqa: S501 - plain http
        answer = (await http.post(path, data=sent, timeout=WAIT_S)).json()
    assert answer["success"], answer
    return str(answer["id"])


async def eventually(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def refused(server: Server, path: str = "", **headers: str) -> int:
    """The status that a handshake is answered with."""
    with pytest.raises(InvalidStatus) as caught:
        async with opened(server, path, **headers):
            pass
    return caught.value.response.status_code


# Watching


async def test_an_error_appears_live(server: Server) -> None:
    await submit(server, "before")
    async with watching(server) as (watcher, snapshot):
        assert watcher.messages[0]["type"] == "hello"
        assert watcher.messages[0]["viewers"] == 1
        assert titles(snapshot) == ["before"]
        assert (snapshot["recovered"], snapshot["complete"]) == (False, True)
        error_id = await submit(server, "boom", user="ada")
        row = await watcher.row("boom")
        assert row["id"] == error_id
        assert row["fields"] == {"Msg": "boom", "user": "ada"}
        frame = watcher.messages[-1]
        assert frame["counts"]["total"] == len(frame["errors"])
        assert 0 <= frame["lag_ms"] < 5000


async def test_log_messages_and_issues_appear_live(server: Server) -> None:
    async with watching(server, "nothing:here") as (watcher, _):
        await submit(server, "", "/log", _msg="deploying")
        frame = await watcher.next("frame", lambda frame: "logs" in frame)
        assert frame["logs"][0]["text"] == "deploying"
        await submit(server, "boom")
        frame = await watcher.next("frame", lambda frame: "issues" in frame)
        assert frame["issues"][0]["title"] == "boom"
        assert "errors" not in frame


async def test_a_query_filters_and_can_change(server: Server) -> None:
    for title in ("one", "two"):
        await submit(server, title, word=title)
    async with watching(server, "word:one") as (watcher, snapshot):
        assert titles(snapshot) == ["one"]
        await watcher.say("query", query="word:two", epoch=2)
        changed = await watcher.next("snapshot")
        assert (changed["epoch"], titles(changed)) == (2, ["two"])
        await submit(server, "one again", word="one")
        await submit(server, "two again", word="two")
        assert (await watcher.next("frame", has_errors))["errors"][0]["title"] == "two again"
        # A query without a meaning leaves the view as it is, under its epoch.
        await watcher.say("query", query="word:(", epoch=3)
        problem = await watcher.next("problem")
        assert (problem["epoch"], problem["at"]) == (3, 5)
        await submit(server, "two once more", word="two")
        frame = await watcher.next("frame", has_errors)
        assert (frame["epoch"], titles(frame)) == (3, ["two once more"])


async def test_who_changes_queries_all_the_time_makes_nobody_wait(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snapshots that are not wanted any more when it is their turn are not read."""
    began: list[str] = []
    may_go_on = asyncio.Event()
    read = snapshot.read

    async def slow(reader: Any, view: Any, *given: Any) -> Any:
        began.append(view.query.text)
        await may_go_on.wait()
        return await read(reader, view, *given)

    async with watching(server) as (watcher, _):
        monkeypatch.setattr(snapshot, "read", slow)
        for number in range(15):
            await watcher.say("query", query=f"word{number}", epoch=number + 2)
            await watcher.say("ping", at=number)
            await watcher.next("pong")
        assert len(began) == snapshot.READ_AT_ONCE
        may_go_on.set()
        await watcher.next("snapshot", lambda shown: shown["epoch"] == 16)
    assert began[snapshot.READ_AT_ONCE :] == ["word14"]


async def test_a_bad_first_query_waits_for_a_better_one(server: Server) -> None:
    bearer = {"Authorization": f"Bearer {await token(server)}"}
    async with opened(server, **bearer) as watcher:
        await watcher.say("start", query="(", epoch=1)
        assert (await watcher.next("problem"))["epoch"] == 1
        await watcher.say("query", query="", epoch=2)
        assert (await watcher.next("snapshot"))["epoch"] == 2


async def test_more_pages_back(server: Server) -> None:
    for number in range(7):
        await submit(server, f"error {number}")
    async with watching(server, limit=3) as (watcher, snapshot):
        found = titles(snapshot)
        last = snapshot["errors"][-1]
        while len(found) < 7:
            await watcher.say("more", before=[last["at"], last["id"]], epoch=1)
            page = await watcher.next("page")
            found += titles(page)
            last = page["errors"][-1]
        assert found == [f"error {number}" for number in reversed(range(7))]


async def test_whole_views_carry_everything(server: Server) -> None:
    await submit(server, "", "/log", _msg="deploying")
    async with watching(server, whole=True) as (watcher, _):
        await submit(server, "boom", trace="x" * 50_000)
        row = await watcher.row("boom")
        assert len(row["fields"]["trace"]) == 50_000
        assert [log["text"] for log in row["before"]] == ["deploying"]
    async with watching(server) as (_, snapshot):
        assert snapshot["errors"][0]["more"] is True
        assert len(snapshot["errors"][0]["fields"]["trace"]) < 2000


async def test_presence_and_ping(server: Server) -> None:
    async with watching(server) as (watcher, _):
        await watcher.say("ping", at=123)
        assert (await watcher.next("pong"))["at"] == 123
        async with watching(server):
            await watcher.next("presence", lambda message: message["viewers"] == 2)
        await watcher.next("presence", lambda message: message["viewers"] == 1)
    await eventually(lambda: server.state.hub.total_viewers == 0)


async def test_a_hidden_page_gets_counts_and_can_fill_them_in(server: Server) -> None:
    async with watching(server) as (watcher, snapshot):
        await watcher.say("mode", counts_only=True)
        await watcher.say("ping", at=1)
        await watcher.next("pong")
        for number in range(3):
            await submit(server, f"error {number}")
        skipped, cursor = 0, ""
        while skipped < 3:
            frame = await watcher.next("frame")
            assert "errors" not in frame
            skipped += frame.get("skipped", 0)
            cursor = frame["cursor"]
        await watcher.say("mode", counts_only=False)
        await watcher.say("fill", **{"from": snapshot["cursor"]}, to=cursor, epoch=1)
        fill = await watcher.next("fill")
        assert titles(fill) == ["error 2", "error 1", "error 0"]
        assert (fill["from"], fill["to"], fill["complete"]) == (snapshot["cursor"], cursor, True)
        await submit(server, "seen again")
        await watcher.row("seen again")


async def test_a_later_part_changes_the_row(server: Server) -> None:
    async with watching(server) as (watcher, _):
        error_id = await submit(server, "in parts", _id="p1")
        await watcher.row("in parts")
        await submit(server, "ignored", _id="p1", Line="42")
        frame = await watcher.next("frame", has_errors)
        [row] = frame["errors"]
        assert (row["id"], row["change"], row["fields"]["Line"]) == (error_id, True, "42")
        assert "counts" not in frame


# Coming back


async def test_nothing_is_missed_between_two_connections(server: Server) -> None:
    async with watching(server) as (watcher, _):
        await submit(server, "seen")
        await watcher.row("seen")
        cursor = watcher.messages[-1]["cursor"]
    await submit(server, "missed 1")
    await submit(server, "missed 2")
    await submit(server, "", "/log", _msg="missed log")
    async with watching(server, since=cursor) as (watcher, snapshot):
        assert snapshot["recovered"] is True
        assert titles(snapshot) == ["missed 2", "missed 1"]
        assert [log["text"] for log in snapshot["logs"]] == ["missed log"]
        assert [issue["title"] for issue in snapshot["issues"]] == ["missed 1", "seen"]
        await submit(server, "live")
        await watcher.row("live")


@pytest.mark.parametrize("since", ["no cursor", "AYJn.c2lnbmF0dXJl"])
async def test_a_foreign_cursor_is_a_fresh_start(server: Server, since: str) -> None:
    await submit(server, "boom")
    async with watching(server, since=since) as (_, snapshot):
        assert snapshot["recovered"] is False
        assert titles(snapshot) == ["boom"]


async def test_a_cursor_works_in_another_process_and_after_a_restart(store: Store) -> None:
    async with serving(store) as first:
        async with watching(first) as (watcher, snapshot):
            await submit(first, "seen")
            await watcher.row("seen")
            cursor = watcher.messages[-1]["cursor"]
        await submit(first, "missed")
    async with serving(store) as second:
        again = Server(second.url, second.port, second.state, first.stack)
        async with watching(again, since=cursor) as (_, snapshot):
            assert snapshot["recovered"] is True
            assert titles(snapshot) == ["missed"]


async def test_two_processes_tell_the_same_stream(store: Store) -> None:
    async with serving(store) as first, serving(store) as other:
        second = Server(other.url, other.port, other.state, first.stack)
        async with watching(first) as (one, _), watching(second) as (two, _):
            for number in range(20):
                await submit((first, second)[number % 2], f"error {number}")
            seen = [await told(watcher, 20) for watcher in (one, two)]
            assert seen[0] == seen[1]
            assert len(set(seen[0])) == 20


async def told(watcher: Watcher, count: int) -> list[str]:
    """The ids of so many errors, in the order they were told."""
    found: list[str] = []
    while len(found) < count:
        found += [row["id"] for row in (await watcher.next("frame", has_errors))["errors"]]
    return found


async def test_whoever_opens_a_view_under_load_has_all_of_it(server: Server) -> None:
    """Snapshot and frames together leave nothing out, whenever a viewer comes."""
    sent: list[str] = []

    async def load() -> None:
        for number in range(120):
            sent.append(await submit(server, f"error {number}"))  # noqa: PERF401 - others look on

    async def watch(delay: int) -> set[str]:
        await eventually(lambda: len(sent) > delay)
        async with watching(server, limit=1000) as (watcher, snapshot):
            seen = {row["id"] for row in snapshot["errors"]}
            await eventually(lambda: len(sent) == 120)
            while not seen.issuperset(sent):
                frame = await watcher.next("frame")
                seen |= {row["id"] for row in frame.get("errors", ())}
            return seen

    _, *seen = await asyncio.gather(load(), *(watch(delay) for delay in range(0, 100, 10)))
    assert all(each == set(sent) for each in seen)


# Who may watch


async def test_who_may_not_watch_gets_an_http_answer(server: Server) -> None:
    bearer = {"Authorization": f"Bearer {await token(server)}"}
    assert await refused(server) == 401
    assert await refused(server, Origin=server.url) == 401
    assert await refused(server, Authorization="Bearer wrong") == 401
    assert await refused(server, "/api/v1/stacks/none/live", **bearer) == 404
    assert await refused(server, Origin="https://evil.test", **bearer) == 403
    assert await refused(server, f"/v/{'0' * 24}/api/live", Origin=server.url) == 401
    assert server.state.hub.total_viewers == 0


async def test_a_members_cookie_needs_a_page_of_ours(server: Server) -> None:
    cookie = {"Cookie": await sign_in(server)}
    assert await refused(server, **cookie) == 403
    assert await refused(server, Origin="http://evil.test", **cookie) == 403
    assert await refused(server, Origin="null", **cookie) == 403
    async with opened(server, Origin=server.url, **cookie) as watcher:
        await watcher.say("start", query="", epoch=1)
        await watcher.next("snapshot")


async def sign_in(server: Server) -> str:
    """A member's cookie, by the form that people use."""
    locks = server.state
    async with httpx.AsyncClient(base_url=server.url, verify=False) as http:  # noqa: S501 - plain http
        await member(locks.store)
        page = await http.get("/login")
        found = re.search(r'name="form_token" value="([^"]+)"', page.text)
        assert found is not None
        form = {"form_token": found[1], "email": EMAIL, "password": PASSWORD}
        answer = await http.post("/login", data=form, headers={"Origin": server.url})
        assert answer.status_code == 302
        return "; ".join(f"{name}={value}" for name, value in http.cookies.items())


async def member(store: Store) -> None:
    await store.members.add(EMAIL, await Passwords().hash(PASSWORD), now())


@pytest.mark.parametrize("limit", ["max_viewers", "max_viewers_per_address"])
async def test_no_more_viewers_than_there_is_room_for(store: Store, limit: str) -> None:
    async with (
        serving(store, **{limit: 2}) as server,
        watching(server),
        watching(server) as (second, _),
    ):
        bearer = {"Authorization": f"Bearer {await token(server)}"}
        assert await refused(server, **bearer) == 429
        await second.socket.close()
        await eventually(lambda: server.state.hub.total_viewers == 1)
        async with watching(server):
            pass


# Share links


@dataclass
class Link:
    """A share link and the cookie that its address gives."""

    share: Share
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return f"/v/{self.share.id}/api/live"


async def share(server: Server, **limits: Any) -> Link:
    given: dict[str, Any] = {"query": "", "hidden": (), "with_logs": True, "expires_at": None}
    secret = f"secret {limits}"
    made = await server.state.store.shares.create(
        server.stack.id,
        token_sha256=linking.digest(secret),
        name="",
        now=now(),
        **{**given, **limits},
    )
    async with httpx.AsyncClient(base_url=server.url, verify=False) as http:  # noqa: S501 - plain http
        answer = await http.get(f"/share/{secret}")
        assert answer.status_code in {302, 303}, answer.text
        name, _, value = answer.headers["Set-Cookie"].partition(";")[0].partition("=")
    return Link(made, {"Cookie": f"{name}={value}"})


@asynccontextmanager
async def shared(
    server: Server, link: Link, query: str = "", **start: object
) -> AsyncIterator[tuple[Watcher, Any]]:
    async with opened(server, link.path, **link.headers) as watcher:
        await watcher.say("start", **{"query": query, "epoch": 1, **start})
        yield watcher, await watcher.next("snapshot")


async def test_a_limited_link_shows_its_view_alone(server: Server) -> None:
    link = await share(server, query="team:red", hidden=("user",), with_logs=False)
    await submit(server, "", "/log", _msg="a secret log")
    await submit(server, "red one", team="red", user="ada")
    await submit(server, "blue one", team="blue", user="bob")
    async with shared(server, link, whole=True) as (watcher, snapshot):
        assert titles(snapshot) == ["red one"]
        await submit(server, "", "/log", _msg="another secret log")
        await submit(server, "blue two", team="blue", user="bob")
        await submit(server, "red two", team="red", user="ada")
        await watcher.row("red two")
        row = snapshot["errors"][0]
        await watcher.say("more", before=[row["at"] + 60_000, "f" * 24], epoch=1)
        assert titles(await watcher.next("page")) == ["red two", "red one"]
        end = next(m for m in reversed(watcher.messages) if "cursor" in m)["cursor"]
        await watcher.say("fill", **{"from": snapshot["cursor"]}, to=end, epoch=1)
        assert titles(await watcher.next("fill")) == ["red two"]
        said = json.dumps(watcher.messages)
        assert not any(word in said for word in ("ada", "bob", "blue", "secret log"))
        assert snapshot["issues"] == snapshot["minutes"] == snapshot["logs"] == []


@pytest.mark.parametrize("query", ["user:ada", "user:*", "user:a*", "ada", "-user:bob user:*"])
async def test_a_viewers_query_finds_out_nothing_that_is_hidden(server: Server, query: str) -> None:
    link = await share(server, hidden=("user",))
    await submit(server, "before", user="ada")
    async with shared(server, link, query) as (watcher, snapshot):
        assert snapshot["errors"] == []
        await watcher.say("more", before=[int(now().timestamp() * 1000) + 9999, "f" * 24], epoch=1)
        assert (await watcher.next("page"))["errors"] == []
        await submit(server, "live", user="ada")
        await watcher.say("query", query="", epoch=2)
        await submit(server, "end", user="ada")
        await watcher.next("frame", lambda frame: "end" in titles(frame))
        assert not any(
            message.get("errors") for message in watcher.messages if message.get("epoch") == 1
        )


async def test_a_link_reaches_no_other_stack_and_no_other_link(server: Server) -> None:
    link, other = await share(server), await share(server, query="n:1")
    assert await refused(server, **link.headers) == 401
    assert await refused(server, link.path, Origin="https://evil.test", **link.headers) == 403
    assert await refused(server, other.path, **link.headers) == 401


async def test_revoking_closes_open_sockets_in_every_process(store: Store) -> None:
    async with serving(store) as first, serving(store) as second:
        link = await share(first)
        async with shared(first, link) as (one, _), shared(second, link) as (two, _):
            async with asyncio.timeout(2.0):
                await store.shares.revoke(link.share.id, now())
                assert [await one.closed(), await two.closed()] == [4403, 4403]
        assert one.messages[-1] == {"type": "bye", "code": 4403, "retry_s": 0.0}
        assert await refused(first, link.path, **link.headers) == 410


async def test_a_link_that_expires_closes_its_sockets(server: Server) -> None:
    link = await share(server, expires_at=now() + timedelta(seconds=1.5))
    async with shared(server, link) as (watcher, _):
        assert await watcher.closed() == 4403


async def test_signing_out_closes_the_sessions_sockets(server: Server) -> None:
    access = await token(server)
    async with opened(server, Authorization=f"Bearer {access}") as watcher:
        await watcher.say("start", query="", epoch=1)
        await watcher.next("snapshot")
        session = await server.state.store.sessions.by_token(access, now())
        assert session is not None
        async with asyncio.timeout(2.0):
            await server.state.store.sessions.end(session.id)
            assert await watcher.closed() == 4401


# Clients that misbehave, and the end


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        '{"type":"query","query":"","epoch":1}',
        '{"type":"more","before":[1,"000000000000000000000000"],"epoch":1}',
        '{"type":"unknown"}',
        b"\x00\x01",
        b"",
        "x" * 20_000,
    ],
)
async def test_what_cannot_be_read_ends_the_conversation(server: Server, said: str | bytes) -> None:
    bearer = {"Authorization": f"Bearer {await token(server)}"}
    async with opened(server, **bearer) as watcher:
        await watcher.socket.send(said)
        assert await watcher.closed() == 4400
    await eventually(lambda: server.state.hub.total_viewers == 0)


async def test_a_second_start_and_a_flood_end_it_too(server: Server) -> None:
    async with watching(server) as (watcher, _):
        await watcher.say("start", query="", epoch=2)
        assert await watcher.closed() == 4400
    async with watching(server) as (watcher, _):
        for number in range(conversation.MESSAGES_PER_S * 3):
            await watcher.say("ping", at=number)
        assert await watcher.closed() == 4400


async def test_what_is_asked_of_an_older_list_is_not_answered(server: Server) -> None:
    async with watching(server) as (watcher, _):
        await watcher.say("query", query="", epoch=2)
        await watcher.say("more", before=[1, "0" * 24], epoch=1)
        await watcher.say("more", before=[1, "0" * 24], epoch=2)
        assert (await watcher.next("page"))["epoch"] == 2
        assert [each["epoch"] for each in watcher.messages if each["type"] == "page"] == [2]


async def test_more_requests_than_a_page_makes_end_it(server: Server) -> None:
    async with watching(server) as (watcher, _):
        for _ in range(conversation.MAX_WAITING + 10):
            await watcher.say("more", before=[1, "0" * 24], epoch=1)
        assert await watcher.closed() == 4400


async def test_a_giant_message_is_not_gathered(server: Server) -> None:
    async with watching(server) as (watcher, _):
        with suppress(ConnectionClosed):  # it may be closed before all of it is sent
            await watcher.socket.send("x" * (64 << 20))
        assert await watcher.closed() in {1006, 1009}
    await eventually(lambda: server.state.hub.total_viewers == 0)


async def test_who_says_nothing_is_not_kept(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "START_TIMEOUT_S", 0.5)
    bearer = {"Authorization": f"Bearer {await token(server)}"}
    async with opened(server, **bearer) as watcher:
        assert await watcher.closed() == 4400


async def test_who_reads_nothing_is_cut_off(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "SEND_TIMEOUT_S", 0.5)
    stuck = await stuck_viewer(server)
    hub = server.state.hub
    try:
        await eventually(lambda: hub.total_viewers == 1)
        async with asyncio.timeout(WAIT_S):
            while hub.total_viewers:
                await submit(server, "boom", trace="x" * 900_000)
    finally:
        stuck.close()


async def stuck_viewer(server: Server) -> socket.socket:
    """A client that shakes hands, says its start, and never reads again."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, ("127.0.0.1", server.port))
    await loop.sock_sendall(made, handshake(server, await token(server)))
    assert (await loop.sock_recv(made, 1000)).startswith(b"HTTP/1.1 101")
    start = b'{"type":"start","query":"","epoch":1,"whole":true}'
    await loop.sock_sendall(made, b"\x81" + struct.pack("!B", 0x80 | len(start)) + bytes(4) + start)
    return made


def handshake(server: Server, access: str) -> bytes:
    lines = [
        f"GET /api/v1/stacks/{server.stack.slug}/live HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        f"Authorization: Bearer {access}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_who_vanishes_leaves_nothing_behind(server: Server) -> None:
    for _ in range(20):
        made = await stuck_viewer(server)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.close()  # a reset, no farewell
    await eventually(lambda: server.state.hub.total_viewers == 0)
    assert server.state.hub._all_channels() == []
    async with watching(server):
        assert server.state.hub.total_viewers == 1


async def test_the_end_of_the_server_tells_its_viewers_to_come_back(store: Store) -> None:
    async with serving(store) as server:
        bearer = {"Authorization": f"Bearer {await token(server)}"}
        watcher = Watcher(await connect(address(server), additional_headers=bearer, proxy=None))
        await watcher.say("start", query="", epoch=1)
        await watcher.next("snapshot")
    assert await watcher.closed() == 1012


# When something breaks


async def test_a_torn_stream_is_a_new_snapshot_for_every_viewer(server: Server) -> None:
    async with watching(server) as (watcher, _), watching(server, "word:red") as (other, _):
        await submit(server, "boom", word="red")
        await watcher.row("boom")
        await other.row("boom")
        server.state.hub.lost()
        for each in (watcher, other):
            snapshot = await each.next("snapshot")
            assert (snapshot["recovered"], titles(snapshot)) == (False, ["boom"])
        await submit(server, "after", word="red")
        await watcher.row("after")
        await other.row("after")


async def test_a_viewer_that_fell_behind_is_told_and_can_load_what_it_missed(
    server: Server,
) -> None:
    bearer = {"Authorization": f"Bearer {await token(server)}"}
    made = connect(
        address(server), additional_headers=bearer, max_size=1 << 26, max_queue=1, proxy=None
    )
    async with made as client:
        watcher = Watcher(client)
        await watcher.say("start", query="", epoch=1, whole=True)
        cursor = (await watcher.next("snapshot"))["cursor"]
        sent = []
        while server.state.hub.tally.errors_skipped == 0:  # nobody reads meanwhile
            sent.append(await submit(server, "big", trace="x" * 900_000))
        sent.append(await submit(server, "last"))
        seen, gap = set(), None
        while sent[-1] not in seen:
            frame = await watcher.next("frame")
            seen |= {row["id"] for row in frame.get("errors", ())}
            if "skipped" in frame:
                gap = cursor, frame["cursor"]
            cursor = frame["cursor"]
        assert gap is not None
        assert not seen.issuperset(sent)
        await watcher.say("fill", **{"from": gap[0]}, to=gap[1], epoch=1)
        fill = await watcher.next("fill")
        assert fill["complete"] is True
        assert seen | {row["id"] for row in fill["errors"]} == set(sent)


async def test_a_database_that_hangs_is_waited_for(server: Server, mongod: Mongod) -> None:
    async with watching(server) as (watcher, _):
        await submit(server, "boom")
        row = await watcher.row("boom")
        assert mongod.pid
        os.kill(mongod.pid, signal.SIGSTOP)
        try:
            await watcher.say("more", before=[row["at"] + 1, "f" * 24], epoch=1)
            page = await watcher.next("page")
            assert (page["complete"], page["errors"]) == (False, [])
            assert page["reached_at"] == row["at"] + 1
            await watcher.say("query", query="", epoch=2)
            await watcher.say("ping", at=1)
            await watcher.next("pong")
        finally:
            os.kill(mongod.pid, signal.SIGCONT)
        assert titles(await watcher.next("snapshot")) == ["boom"]
        await submit(server, "after")
        await watcher.row("after")


async def test_a_standalone_server_has_live_views_without_a_past(standalone_store: Store) -> None:
    async with serving(standalone_store) as server:
        async with watching(server) as (watcher, _):
            await submit(server, "boom")
            await watcher.row("boom")
            cursor = watcher.messages[-1]["cursor"]
        await submit(server, "missed")
        async with watching(server, since=cursor) as (_, snapshot):
            assert (snapshot["recovered"], titles(snapshot)) == (True, ["missed"])
    async with serving(standalone_store) as again:
        same = Server(again.url, again.port, again.state, server.stack)
        async with watching(same, since=cursor) as (_, snapshot):
            assert (snapshot["recovered"], titles(snapshot)) == (False, ["missed", "boom"])


async def test_the_views_of_a_deleted_stack_are_closed(server: Server) -> None:
    stacks = server.state.store.stacks
    kept = await stacks.create("Kept", now=now(), retention_days=1)
    async with watching(server) as (gone, _), watching(replace(server, stack=kept)) as (stays, _):
        await stacks.delete(server.stack.id, now())
        assert await gone.closed() == 4404
        await submit(replace(server, stack=kept), "still here")
        assert await stays.row("still here")
