"""One query, everywhere the same: each place that filters finds the same errors."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server, serving
from test_socket import opened
from test_tail import following, is_error, shared, token

from errorstack_live.storage import group
from errorstack_live.storage.mongo import Store
from errorstack_live.web.api import export

ERRORS: list[dict[str, Any]] = [
    {"Msg": "payment failed", "level": "error", "service": "web", "took": 250, "user": {"id": 1}},
    {
        "Msg": "payment failed",
        "level": "error",
        "service": "web",
        "took": "12.5",
        "user": {"id": 2},
    },
    {"Msg": "payment failed", "level": "fatal", "service": "mail", "tags": ["eu", "slow"]},
    {"Msg": "Grüße aus Köln", "level": "info", "service": "web", "took": -3, "a.b": "dotted"},
    {"Msg": "disk full on node 7", "level": "warning", "$odd": "x", "user": {"id": "2"}},
    {"Msg": "quiet", "level": "debug", "service": "", "took": None, "nested": [{"k": 1}, {"k": 2}]},
]
QUERIES = {
    "": {0, 1, 2, 3, 4, 5},
    "service:web": {0, 1, 3},
    "service:web,mail": {0, 1, 2, 3},
    "-service:web": {2, 4, 5},
    "took>12": {0, 1},
    "took:-5..13": {1, 3},
    "level>=warning": {0, 1, 2, 4},
    "user.id:2": {1, 4},
    "tags:slow": {2},
    "nested.k:2": {5},
    "a.b:dotted": {3},
    "$odd:x": {4},
    "Msg:*köln": {3},
    "grüsse": {3},
    "full node": {4},
    "took:*": {0, 1, 3, 5},
    "(service:mail OR level:info) -tags:eu": {3},
    "payment service:*": {0, 1, 2},
}
"""What each finds, by place in ERRORS."""


@pytest_asyncio.fixture
async def running(store: Store) -> AsyncIterator[Server]:
    async with serving(store) as found:
        yield found


async def submit(running: Server, error: dict[str, Any]) -> str:
    async with httpx.AsyncClient(base_url=running.url) as http:
        answer = await http.post(f"/submit?_s={running.key}&_r=json", json=error)
    return str(answer.json()["id"])


def ids(rows: list[Any]) -> list[str]:
    return sorted(row["id"] for row in rows)


class Asker:
    """Asks every place that answers by HTTP the same question."""

    def __init__(self, http: httpx.AsyncClient, base: str, query: str) -> None:
        self._http = http
        self._base = base
        self._query = query

    async def get(self, path: str, **asked: str) -> httpx.Response:
        params = {"query": self._query, **asked}
        answer = await self._http.get(f"{self._base}/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer

    async def listed(self) -> list[str]:
        return ids((await self.get("errors")).json()["errors"])

    async def exported(self) -> list[str]:
        lines = (await self.get("export")).text.splitlines()
        return ids([json.loads(line) for line in lines])

    async def exported_as_table(self) -> list[str]:
        return sorted((await self.get("export", format="csv", columns="id")).text.split()[1:])

    async def counted(self) -> Counter[str]:
        minutes = (await self.get("minutes", since="1h")).json()["minutes"]
        levels: Counter[str] = Counter()
        for _, counts in minutes:
            levels.update(counts)
        return levels

    async def facets(self) -> Counter[str]:
        fields = (await self.get("fields")).json()["fields"]
        return Counter(
            {
                value: count
                for each in fields
                if each["name"] == "level"
                for value, count in each["values"]
            }
        )

    async def issues(self) -> Counter[str]:
        answer = (await self.get("issues")).json()
        assert answer["complete"] is True
        return Counter({each["id"]: each["count"] for each in answer["issues"]})


@pytest.mark.parametrize("limits", [None, {}, {"hidden": ["none of these"]}])
async def test_every_place_finds_the_same(running: Server, limits: dict[str, Any] | None) -> None:
    stored = [await submit(running, each) for each in ERRORS]
    _, bearer = await token(running)
    async with shared(running, **(limits or {})) as (link, cookies, _):
        base = f"/api/v1/stacks/{running.stack.slug}" if limits is None else f"/v/{link}/api"
        async with httpx.AsyncClient(
            base_url=running.url, headers=bearer if limits is None else {}, cookies=cookies
        ) as http:
            rows = {row["id"]: row for row in (await http.get(f"{base}/errors")).json()["errors"]}
            async with asyncio.timeout(10):  # counters are written every second
                while (await Asker(http, base, "").counted()).total() < len(ERRORS):
                    await asyncio.sleep(0.1)
            for query, places in QUERIES.items():
                ask = Asker(http, base, query)
                found = sorted(stored[place] for place in places)
                levels = Counter(rows[each]["level"] for each in found)
                assert await ask.listed() == found, query
                assert await ask.exported() == found, query
                assert await ask.exported_as_table() == found, query
                assert await ask.counted() == levels, query
                assert await ask.facets() == levels, query
                assert await ask.issues() == Counter(rows[each]["issue"] for each in found), query


async def test_what_is_live_is_what_is_found(running: Server) -> None:
    """Sockets and tails that watch before anything comes are told the same as history tells."""
    _, bearer = await token(running)

    async def live(query: str, count: int) -> list[str]:
        async with opened(running, **bearer) as watcher:
            await watcher.say("start", query=query, epoch=1)
            await watcher.next("snapshot")
            ready.append(query)
            seen: list[str] = []
            while len(seen) < count:
                frame = await watcher.next("frame", lambda frame: "errors" in frame)
                seen += [row["id"] for row in frame["errors"]]
            return sorted(seen)

    async def tailed(query: str, count: int) -> list[str]:
        asked = str(httpx.QueryParams(query=query))
        async with following(running, f"?{asked}", **bearer) as stream:
            await stream.record()
            ready.append(query)
            return ids([await stream.record(is_error) for _ in range(count)])

    ready: list[str] = []
    queries = {query: places for query, places in QUERIES.items() if places}
    watching = {
        (way.__name__, query): asyncio.create_task(way(query, len(places)))
        for query, places in queries.items()
        for way in (live, tailed)
    }
    async with asyncio.timeout(30):
        while len(ready) < len(watching):
            await asyncio.sleep(0.02)
        stored = [await submit(running, each) for each in ERRORS]
        for (way, query), told in watching.items():
            assert await told == sorted(stored[place] for place in queries[query]), (way, query)


async def test_grouping_says_where_it_ended(
    running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "MAX_GROUPS", 1)
    monkeypatch.setattr(export, "PAGE", 1)
    for each in ERRORS:
        await submit(running, each)
    _, bearer = await token(running)
    async with httpx.AsyncClient(base_url=running.url, headers=bearer) as http:
        base = f"/api/v1/stacks/{running.stack.slug}"
        answer = (await http.get(f"{base}/issues?query=level:error&status=open")).json()
        assert [each["count"] for each in answer["issues"]] == [2]
        assert (await http.get(f"{base}/issues?until=1h")).json()["issues"] == []
        assert (await http.get(f"{base}/issues?query=((")).status_code == 400
        assert (await http.get(f"{base}/issues?query=service:web&text=köln")).json()["issues"]
