"""A trap tells of what matches it, whatever the list shows, hidden or not, and since when."""

import asyncio
from typing import Any

import making
import orjson
import pytest
from fixtures_server import Server
from test_socket import Watcher, server, share, shared, submit, watching

from errorstack_live.event import ErrorStored
from errorstack_live.live import trap as trapped
from errorstack_live.live.asking import MAX_TRAPS
from errorstack_live.live.crowd import Crowd
from errorstack_live.live.rows import millis
from errorstack_live.live.trap import Traps
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Pass
from errorstack_live.query import parse
from errorstack_live.web.state import now

__all__ = ["server"]  # the fixture


class Scene:
    def __init__(self) -> None:
        self.now = 1000.0
        self.traps = Traps(lambda: self.now)
        self.crowd = Crowd(lambda: self.now)

    def viewer(self, **sees: Any) -> Any:
        return self.crowd.enter(View(making.STACK, **sees), Pass(), "")

    def see(self, *numbers: int, is_change: bool = False, **fields: Any) -> None:
        for number in numbers:
            one = making.error(number, **({"fields": fields} if fields else {}))
            self.traps.see(ErrorStored(one, is_change=is_change))

    def told(self, viewer: Any) -> list[tuple[str, int, str]]:
        found = []
        while (item := viewer.mailbox._next()) is not None:
            said = orjson.loads(item)
            found.append((said["id"], said["count"], said["error"]["title"]))
        return found


async def test_the_first_is_told_at_once_then_once_a_second() -> None:
    scene = Scene()
    one, two = scene.viewer(), scene.viewer()
    view = View(making.STACK, parse("n>1"))
    scene.traps.set(one, {"a": view, "b": View(making.STACK)})
    scene.traps.set(two, {"x": view})
    scene.see(1, 2)
    assert sorted(scene.told(one)) == [("a", 1, "error 2"), ("b", 1, "error 1")]
    assert scene.told(two) == [("x", 1, "error 2")]
    scene.see(3, 4)
    scene.traps.tick()
    assert scene.told(two) == []
    scene.now += 1
    scene.traps.tick()
    assert scene.told(two) == [("x", 2, "error 4")]
    assert sorted(scene.told(one)) == [("a", 2, "error 4"), ("b", 3, "error 4")]
    scene.now += 1
    scene.see(5, is_change=True)
    scene.traps.tick()
    assert scene.told(two) == []


async def test_what_is_dropped_is_not_told() -> None:
    scene = Scene()
    one = scene.viewer()
    scene.traps.set(one, {"a": View(making.STACK)})
    scene.see(1, 2)
    scene.told(one)
    scene.traps.drop(one)
    scene.now += 5
    scene.traps.tick()
    scene.see(3)
    assert scene.told(one) == []
    assert scene.traps._stacks == {}
    scene.traps.drop(one)


async def test_the_different_traps_of_a_stack_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trapped, "MAX_VIEWS", 2)
    scene = Scene()
    one, two = scene.viewer(), scene.viewer()
    views = {name: View(making.STACK, parse(f"n:{name}")) for name in ("1", "2", "3")}
    assert scene.traps.set(one, views) == ["3"]
    assert scene.traps.set(two, {"a": views["2"], "b": views["3"]}) == ["b"]
    scene.see(2, 3)
    assert scene.told(one) == [("2", 1, "error 2")]
    assert scene.told(two) == [("a", 1, "error 2")]
    scene.traps.drop(one)
    assert scene.traps.set(two, {"b": views["3"], "a": views["2"]}) == []


async def caught(watcher: Watcher, name: str, title: str) -> Any:
    return await watcher.next(
        "trap", lambda said: said["id"] == name and said["error"]["title"] == title
    )


def trap(name: str, query: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "query": query, **more}


async def test_a_hidden_page_is_told_whatever_its_list_shows(server: Server) -> None:
    async with watching(server, "level:fatal") as (watcher, _):
        await watcher.say("mode", counts_only=True)
        await watcher.say("traps", traps=[trap("a", "plan:pro"), trap("new", "_new:issue")])
        await watcher.say("ping", at=1)
        await watcher.next("pong")
        await submit(server, "one", plan="free")
        await caught(watcher, "new", "one")
        await submit(server, "two", plan="pro")
        assert (await caught(watcher, "a", "two"))["count"] == 1
        await watcher.say("traps", traps=[])
        await watcher.say("ping", at=2)
        await watcher.next("pong", lambda said: said["at"] == 2)
        seen = len(watcher.messages)
        await submit(server, "three", plan="pro", level="fatal")
        await watcher.next("frame", lambda frame: frame.get("skipped"))
        assert all(each["type"] != "trap" for each in watcher.messages[seen:])


async def test_what_came_while_the_page_was_away_is_told(server: Server) -> None:
    before = millis(now()) - 1
    await submit(server, "old", plan="pro")
    await asyncio.sleep(0.002)
    between = millis(now())
    async with watching(server) as (watcher, _):
        wanted = [
            trap("late", "plan:pro", since=between),
            trap("early", "plan:pro", since=before),
            trap("no", "a:(", since=before),
        ]
        await watcher.say("traps", traps=wanted)
        await caught(watcher, "early", "old")
        assert (await watcher.next("traps"))["ids"] == ["late", "early"]
        assert (await problem(watcher))["id"] == "no"
        assert all(each.get("id") != "late" for each in watcher.messages)


async def problem(watcher: Watcher) -> Any:
    found = [each for each in watcher.messages if each["type"] == "trap" and "message" in each]
    return found[0] if found else await watcher.next("trap", lambda said: "message" in said)


async def test_a_share_links_traps_see_what_it_shows(server: Server) -> None:
    link = await share(server, query="team:red", hidden=("user",))
    async with shared(server, link) as (guest, _):
        await submit(server, "past", team="blue", user="ada")
        wanted = [trap("user", "user:ada", since=1), trap("blue", "team:blue", since=1),
                  trap("red", "team:red")]  # fmt: skip
        await guest.say("traps", traps=wanted)
        await guest.say("ping", at=1)
        await guest.next("pong")
        await submit(server, "blue", team="blue", user="ada")
        await submit(server, "red", team="red", user="ada")
        said = await caught(guest, "red", "red")
        assert "ada" not in str(said)
        assert [each["id"] for each in guest.messages if each["type"] == "trap"] == ["red"]


async def test_too_many_traps_are_a_bad_message(server: Server) -> None:
    async with watching(server) as (watcher, _):
        await watcher.say("traps", traps=[trap(str(n), "") for n in range(MAX_TRAPS + 1)])
        assert await watcher.closed() == 4400
