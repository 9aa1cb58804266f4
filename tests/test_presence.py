"""Who watches: told by each process, merged by all; to share links only a number."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
from fixtures_server import Server, serving
from fixtures_storage import following
from test_socket import Watcher, opened, share, shared, token, watching

from errorstack_live.access import LinkWatched, Watching
from errorstack_live.event import WatchingChanged
from errorstack_live.live.crowd import Crowd
from errorstack_live.live.presence import MAX_NAMED, Presence
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Pass, Viewer
from errorstack_live.storage.mongo import Store
from errorstack_live.web.state import now

STACK = "6732a1b0c4d5e6f708192aaa"
LINK = "6732a1b0c4d5e6f708192acc"
ADA, KIM = "ada@example.org", "kim@example.org"


class Scene:
    """A process's presence, with a board that keeps what is written on it."""

    def __init__(self) -> None:
        self.crowd = Crowd(lambda: 0.0)
        self.presence = Presence(self.crowd, "here")
        self.board: dict[str, Watching] = {}
        self.beats = 0

    def enter(self, **held: Any) -> Viewer:
        viewer = self.crowd.enter(View(STACK), Pass(**held), "192.0.2.1")
        viewer.mailbox.release()
        return viewer

    def said(self, viewer: Viewer) -> Any:
        """What this viewer is told next of who watches."""
        item = viewer.mailbox._next()
        return orjson.loads(item) if isinstance(item, str) else None

    async def write(self, watching: Watching, now: datetime) -> None:
        del now
        self.board[watching.stack] = watching

    async def beat(self, process_id: str, now: datetime) -> None:
        del process_id, now
        self.beats += 1

    async def all(self, now: datetime) -> list[Watching]:
        del now
        return list(self.board.values())

    async def leave(self, process_id: str) -> None:
        assert process_id == "here"
        self.board.clear()


def elsewhere(process: str = "there", **who: Any) -> Watching:
    return Watching(process, STACK, **who)


async def test_members_are_told_who_and_share_links_how_many() -> None:
    scene = Scene()
    ada, guest = scene.enter(session="1", name=ADA), scene.enter(share=LINK, name="A guest")
    scene.enter(session="2", name=ADA)
    scene.enter(session="3")  # a terminal
    scene.presence.take(elsewhere(members=((KIM, 1),), links=(LinkWatched(LINK, "A guest", 2),)))
    scene.presence.tick()
    assert scene.said(ada) == {
        "type": "presence",
        "viewers": 7,
        "members": [{"email": ADA, "viewers": 2}, {"email": KIM, "viewers": 1}],
        "links": [{"id": LINK, "name": "A guest", "viewers": 3}],
    }
    assert scene.said(guest) == {"type": "presence", "viewers": 7}
    scene.presence.tick()
    assert scene.said(ada) is None, "nothing changed"


async def test_what_another_process_says_replaces_what_it_said_before() -> None:
    scene = Scene()
    ada = scene.enter(session="1", name=ADA)
    for viewers, told in ((3, 4), (1, 2), (0, 1)):
        scene.presence.take(elsewhere(others=viewers))
        scene.presence.tick()
        assert scene.said(ada)["viewers"] == told
    assert scene.presence.viewers(STACK) == 1
    scene.presence.take(Watching("here", STACK, others=50))  # its own words, come back to it
    assert scene.presence.viewers(STACK) == 1


async def test_processes_that_say_nothing_any_more_are_gone() -> None:
    scene = Scene()
    ada = scene.enter(session="1", name=ADA)
    scene.presence.take(elsewhere("one", others=1))
    scene.presence.take(elsewhere("two", others=2))
    scene.presence.tick()
    assert scene.said(ada)["viewers"] == 4
    scene.presence.replace([elsewhere("two", others=2)])
    scene.presence.tick()
    assert scene.said(ada)["viewers"] == 3
    scene.presence.replace([elsewhere("two", others=2)])
    scene.presence.tick()
    assert scene.said(ada) is None


async def test_the_feed_knows_better_than_what_was_read_before_it_told() -> None:
    scene = Scene()
    ada = scene.enter(session="1", name=ADA)
    scene.board = {STACK: elsewhere(others=1)}

    async def read_then_hear(now: datetime) -> list[Watching]:
        old = await Scene.all(scene, now)
        scene.presence.take(elsewhere(others=5))
        return old

    scene.all = read_then_hear  # type: ignore[method-assign]
    await scene.presence.write(scene)
    scene.presence.tick()
    assert scene.said(ada)["viewers"] == 6


async def test_only_what_changed_is_written() -> None:
    scene = Scene()
    ada = scene.enter(session="1", name=ADA)
    scene.presence.tick()
    await scene.presence.write(scene)
    assert scene.board[STACK] == Watching("here", STACK, members=((ADA, 1),))
    scene.board.clear()
    scene.presence.tick()
    await scene.presence.write(scene)
    assert scene.board == {}
    scene.crowd.leave(ada)
    scene.presence.tick()
    await scene.presence.write(scene)
    assert scene.board[STACK].viewers == 0


async def test_names_past_the_limit_are_only_counted() -> None:
    scene = Scene()
    last = [scene.enter(session=str(n), name=f"{n:03}@x.org") for n in range(MAX_NAMED + 5)][-1]
    for n in range(MAX_NAMED + 5):
        scene.enter(share=f"{n:024}", name="guest")
    for _ in range(5):
        scene.presence.tick()
    said = scene.said(last)
    assert said["viewers"] == 2 * MAX_NAMED + 10
    assert (len(said["members"]), len(said["links"])) == (MAX_NAMED, MAX_NAMED)


# In the database


async def test_the_feed_tells_changes_and_no_heartbeats(store: Store) -> None:
    watching = Watching("there", STACK, ((ADA, 2),), (LinkWatched(LINK, "A.guest", 1),), 3)
    async with following(store) as heard:
        await store.watchings.write(watching, now())
        await store.watchings.beat("there", now())
        await store.watchings.write(replace(watching, others=0), now())
        await store.watchings.write(Watching("there", STACK), now())
        await heard.until(lambda heard: len(heard.events(WatchingChanged)) >= 3)
    assert heard.events(WatchingChanged) == [
        WatchingChanged(watching),
        WatchingChanged(replace(watching, others=0)),
        WatchingChanged(Watching("there", STACK)),
    ]


async def test_a_dead_process_is_forgotten(store: Store) -> None:
    alive, silent, killed = (Watching(name, STACK, others=1) for name in ("a", "s", "k"))
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await ended.wait()
    await store.watchings.write(alive, now())
    await store.watchings.write(silent, now() - timedelta(seconds=31))
    await store.watchings.write(killed, now())
    found = store.database.watching
    await found.update_one({"process": "k"}, {"$set": {"pid": ended.pid}})
    await found.update_one({"process": "s"}, {"$set": {"host": "another", "pid": os.getpid()}})
    assert await store.watchings.all(now()) == [alive]
    assert await found.count_documents({}) == 1
    await store.watchings.leave("a")
    assert await store.watchings.all(now()) == []


# On two servers


@asynccontextmanager
async def signed_in(server: Server, email: str) -> AsyncIterator[Watcher]:
    """A member's page, by a bearer token of their session."""
    store = server.state.store
    who = await store.members.add(email, "x", now())
    ends_at = now() + timedelta(hours=1)
    made = await store.sessions.create(who.id, now=now(), expires_at=ends_at)
    async with opened(server, Authorization=f"Bearer {made}") as watcher:
        await watcher.say("start", query="", epoch=1)
        await watcher.next("snapshot")
        yield watcher


async def test_two_servers_tell_the_same(store: Store) -> None:
    async with serving(store) as first, serving(store) as other:
        second = replace(other, stack=first.stack)
        async with signed_in(first, ADA) as ada, signed_in(second, KIM) as kim:
            link = await share(second)
            async with shared(second, link) as (guest, _), watching(first):
                for member in (ada, kim):
                    said = await member.next("presence", lambda said: said["viewers"] == 4)
                    assert [each["email"] for each in said["members"]] == [ADA, KIM]
                    assert [each["viewers"] for each in said["links"]] == [1]
                await guest.next("presence", lambda said: said["viewers"] == 4)
                told = str(guest.messages)
                assert "@" not in told
                assert all(set(each) == {"type", "viewers"} for each in guest.messages
                           if each["type"] == "presence")  # fmt: skip
                assert (await first_submit(first))["viewers"] == 4
            said = await ada.next("presence", lambda said: said["viewers"] == 2)
            assert said.get("links") is None


async def first_submit(server: Server) -> Any:
    """What a sender is told, who learns how many watch."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/submit", data={"_s": server.key, "_r": "json", "Msg": "x"})
        return answer.json()


async def test_the_api_tells_members_alone(store: Store) -> None:
    async with (
        serving(store) as server,
        signed_in(server, ADA) as ada,
        shared(server, await share(server)),
        httpx.AsyncClient(base_url=server.url) as http,
    ):
        await ada.next("presence", lambda said: said["viewers"] == 2)
        path = f"/api/v1/stacks/{server.stack.slug}"
        bearer = {"Authorization": f"Bearer {await token(server)}"}
        assert (await http.get(f"{path}/watching")).status_code == 401
        said = (await http.get(f"{path}/watching", headers=bearer)).json()
        assert said["members"] == [{"email": ADA, "viewers": 1}]
        found = (await http.get(f"{path}/shares", headers=bearer)).json()
        assert [each["viewers"] for each in found["shares"]] == [1]
