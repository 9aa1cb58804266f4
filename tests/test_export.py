"""A view as a file: everything that matches and nothing else, however much, and safely."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server, serving
from test_tail import shared, submit, token

from errorstack_live.errors import StorageAway
from errorstack_live.storage.error import Errors
from errorstack_live.storage.mongo import Store
from errorstack_live.web.api import export

WAIT_S = 10.0


@pytest_asyncio.fixture
async def running(store: Store) -> AsyncIterator[Server]:
    async with serving(store) as found:
        yield found


async def fill(running: Server, count: int, **fields: str) -> None:
    async with httpx.AsyncClient(base_url=running.url) as http:
        for start in range(0, count, 20):
            numbers = range(start, min(count, start + 20))
            errors = [{"Msg": f"number {n}", "n": n, **fields} for n in numbers]
            answer = await http.post(f"/submit?_s={running.key}&_r=json", json=errors)
            assert answer.json()["success"] is True


def path(running: Server) -> str:
    return f"/api/v1/stacks/{running.stack.slug}/export"


async def exported(running: Server, asked: str = "", **headers: str) -> httpx.Response:
    _, bearer = await token(running)
    async with httpx.AsyncClient(base_url=running.url, headers=bearer, timeout=WAIT_S) as http:
        return await http.get(path(running) + asked, headers=headers)


def lines(answer: httpx.Response) -> list[Any]:
    return [json.loads(line) for line in answer.text.splitlines()]


def table(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_everything_is_exported_once_newest_first(
    running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 7)
    await fill(running, 100)
    answer = await exported(running)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert sorted(each["fields"]["n"] for each in lines(answer)) == list(range(100))
    times = [each["at"] for each in lines(answer)]
    assert times == sorted(times, reverse=True)
    answer = await exported(running, "?format=csv&columns=n,level")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert sorted(int(row["n"]) for row in table(answer)) == list(range(100))


async def test_the_query_and_the_time_hold(running: Server) -> None:
    await submit(running, "a", level="error", service="web")
    await submit(running, "b", level="info", service="web")
    await submit(running, "c", level="error", service="mail")
    found = lines(await exported(running, "?query=level:error service:web"))
    assert [each["title"] for each in found] == ["a"]
    assert lines(await exported(running, "?until=1h")) == []
    assert len(lines(await exported(running, f"?issue={found[0]['issue']}"))) == 1
    for wrong in ("?query=((", "?format=xls", "?since=never"):
        assert (await exported(running, wrong)).status_code == 400


async def test_a_table_of_all_fields(running: Server) -> None:
    await submit(running, "boom", user="ada", note="=cmd()")
    [row] = table(await exported(running, "?format=csv"))
    assert (row["title"], row["level"], row["user"]) == ("boom", "error", "ada")
    assert row["note"] == "'=cmd()"


async def test_a_share_link_exports_what_it_shows(running: Server) -> None:
    await submit(running, "", "/log", _msg="a secret line")
    await submit(running, "boom lovelace", level="error", user="lovelace", page="/")
    await submit(running, "quiet", level="info")
    async with shared(running, query="level:error", hidden=["user", "Msg"]) as (link, cookies, _):
        where = f"/v/{link}/api/export"
        async with httpx.AsyncClient(base_url=running.url, cookies=cookies) as http:
            [only] = lines(await http.get(where))
            assert only["fields"] == {"level": "error", "page": "/"}
            answer = await http.get(f"{where}?format=csv")
            assert "lovelace" not in answer.text
            [row] = table(await http.get(f"{where}?format=csv&columns=user,page,fields.user"))
            assert row == {"user": "", "page": "/", "fields.user": ""}
            assert lines(await http.get(f"{where}?query=user:lovelace")) == []
        async with httpx.AsyncClient(base_url=running.url) as stranger:
            assert (await stranger.get(where)).status_code == 401


async def test_it_holds_a_page_at_a_time_and_ends_with_its_reader(
    running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that takes nothing makes the server read nothing more."""
    read: list[int] = []
    found = Errors.find

    async def counted(self: Errors, *given: Any, **named: Any) -> Any:
        page = await found(self, *given, **named)
        read.append(len(page.errors))
        return page

    monkeypatch.setattr(export, "PAGE", 5)
    monkeypatch.setattr(export, "MAX_EXPORTS", 1)
    await fill(running, 400, blob="x" * 40_000)
    monkeypatch.setattr(Errors, "find", counted)
    _, bearer = await token(running)
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=1024)
    head = f"GET {path(running)} HTTP/1.1\r\nHost: localhost\r\n"
    writer.write(f"{head}Authorization: {bearer['Authorization']}\r\n\r\n".encode())
    await reader.readuntil(b"number 399")
    await asyncio.sleep(0.5)
    held = len(read)
    await asyncio.sleep(0.5)
    assert len(read) == held
    assert sum(read) < 400
    refused = await exported(running)  # it is still there, waiting
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(export.RETRY_S))
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
    async with asyncio.timeout(WAIT_S):
        while (await exported(running, "?until=1h")).status_code == 429:
            await asyncio.sleep(0.05)


async def test_a_file_that_is_cut_short_is_seen_to_be(
    running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 5)
    monkeypatch.setattr(export, "TRY_S", 0.0)
    await fill(running, 20)
    found = Errors.find

    async def failing(self: Errors, *given: Any, **named: Any) -> Any:
        if named["before"] is not None:
            raise StorageAway("The database does not answer")
        return await found(self, *given, **named)

    monkeypatch.setattr(Errors, "find", failing)
    with pytest.raises(httpx.RemoteProtocolError):
        await exported(running)


async def test_a_page_that_fails_once_is_read_again(
    running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 5)
    monkeypatch.setattr(export, "TRY_S", 0.0)
    await fill(running, 20)
    found, failures = Errors.find, [StorageAway("away")] * 2

    async def failing(self: Errors, *given: Any, **named: Any) -> Any:
        if named["before"] is not None and failures:
            raise failures.pop()
        return await found(self, *given, **named)

    monkeypatch.setattr(Errors, "find", failing)
    assert len(lines(await exported(running))) == 20


async def test_readers_of_a_share_link_have_a_rate(store: Store) -> None:
    async with (
        serving(store, share_rate=1, share_burst=5) as running,
        shared(running) as (link, cookies, _),
        shared(running, query="x") as (other, other_cookies, _),
    ):
        where = f"/v/{link}/api/errors"
        async with httpx.AsyncClient(base_url=running.url, cookies=cookies) as http:
            statuses = [(await http.get(where)).status_code for _ in range(8)]
            assert statuses.count(200) in {4, 5, 6}  # opening the link may count as well
            refused = await http.get(where)
        assert (refused.status_code, refused.json()["error"]) == (429, "rate-limited")
        assert refused.headers["Retry-After"] == "1"
        async with httpx.AsyncClient(base_url=running.url, cookies=other_cookies) as http:
            assert (await http.get(f"/v/{other}/api/errors")).status_code == 200
        assert (await exported(running)).status_code == 200
