"""Who watches now, in every process: this one's crowd, and what the others say of theirs.

Each process writes down who watches in it when that changes (``Board``); the feed brings what the
others wrote. So any of them can tell of all, and a message costs nothing for each viewer.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from errorstack_live.access import LinkWatched, Watching
from errorstack_live.live import frames
from errorstack_live.live.crowd import Crowd
from errorstack_live.live.viewer import Viewer

LARGE = 100
LARGE_TICKS = 5
"""How many watch is told every second, in a large crowd, which changes all the time, every 5 s."""
BEAT_TICKS = 5
"""So often a process says that it lives, and reads what all of them say: what the feed missed."""
MAX_NAMED = 100
"""Members, and share links, that are told of by name, for a stack; further ones are counted."""


class Board(Protocol):
    """Where processes write down who watches in them (``storage.watching``)."""

    async def write(self, watching: Watching, now: datetime) -> None: ...
    async def beat(self, process_id: str, now: datetime) -> None: ...
    async def all(self, now: datetime) -> list[Watching]: ...
    async def leave(self, process_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Audience:
    """Who watches a stack, in all processes: ``viewers`` counts sockets, and all of them."""

    viewers: int
    members: tuple[tuple[str, int], ...] = ()
    links: tuple[LinkWatched, ...] = ()


class Presence:
    """What is known of who watches; ``process_id`` is this process's own."""

    def __init__(self, crowd: Crowd, process_id: str) -> None:
        self._crowd = crowd
        self._process = process_id
        self._elsewhere: dict[str, dict[str, Watching]] = {}
        self._untold: set[str] = set()
        self._unwritten: set[str] = set()
        self._heard: set[str] = set()
        self._ticks = 0

    def viewers(self, stack_id: str) -> int:
        """How many watch a stack, in all processes."""
        elsewhere = self._elsewhere.get(stack_id, {}).values()
        return self._crowd.count(stack_id) + sum(each.viewers for each in elsewhere)

    def audience(self, stack_id: str) -> Audience:
        """Who watches a stack, in all processes: members by e-mail, links by name."""
        members: Counter[str] = Counter()
        links: dict[str, LinkWatched] = {}
        for each in (self._here(stack_id), *self._elsewhere.get(stack_id, {}).values()):
            members.update(dict(each.members))
            for link in each.links:
                count = link.viewers + (links[link.share].viewers if link.share in links else 0)
                links[link.share] = LinkWatched(link.share, link.name, count)
        return Audience(
            self.viewers(stack_id),
            tuple(sorted(members.items())[:MAX_NAMED]),
            tuple(sorted(links.values(), key=lambda link: (link.name, link.share))[:MAX_NAMED]),
        )

    def take(self, watching: Watching) -> None:
        """Take over what the feed tells of another process."""
        if watching.process == self._process:
            return
        self._heard.add(watching.stack)
        known = self._elsewhere.setdefault(watching.stack, {})
        if watching.viewers:
            known[watching.process] = watching
        else:
            known.pop(watching.process, None)
        if not known:
            del self._elsewhere[watching.stack]
        self._untold.add(watching.stack)

    def replace(self, told: Iterable[Watching], *, but: Iterable[str] = ()) -> None:
        """Take over what all processes that live say: the others are gone.

        ``but`` not of these stacks: the feed told of them while that was read, and knows better.
        """
        before, now = self._elsewhere, dict[str, dict[str, Watching]]()
        for each in told:
            if each.process != self._process and each.viewers:
                now.setdefault(each.stack, {})[each.process] = each
        for stack_id in but:
            now.pop(stack_id, None)
            if stack_id in before:
                now[stack_id] = before[stack_id]
        self._elsewhere = now
        self._untold |= {one for one in {*before, *now} if before.get(one) != now.get(one)}

    def tick(self) -> None:
        """Once a second: tell those who watch a stack who else does, where that changed."""
        changed = self._crowd.take_changed()
        self._unwritten |= changed
        self._untold |= changed
        self._ticks += 1
        for stack_id in list(self._untold):
            viewers = self._crowd.of(stack_id)
            if len(viewers) < LARGE or self._ticks % LARGE_TICKS == 0:
                self._untold.remove(stack_id)
                if viewers:
                    self._tell(stack_id, viewers)

    async def write(self, board: Board) -> None:
        """Once a second: write down what changed here, and now and again read what all say."""
        now = datetime.now(UTC)
        while self._unwritten:
            stack_id = self._unwritten.pop()
            try:
                await board.write(self._here(stack_id), now)
            except BaseException:
                self._unwritten.add(stack_id)
                raise
        if self._ticks % BEAT_TICKS == 0:
            await board.beat(self._process, now)
            self._heard.clear()
            self.replace(await board.all(now), but=self._heard)

    async def leave(self, board: Board) -> None:
        """Say that nobody watches in this process any more."""
        await board.leave(self._process)

    def message(self, stack_id: str) -> str:
        """What members are told."""
        return frames.presence(**told(self.audience(stack_id)))

    def _tell(self, stack_id: str, viewers: Collection[Viewer]) -> None:
        """Members are told who; whoever came by a share link, how many."""
        who, how_many = self.message(stack_id), frames.presence(self.viewers(stack_id))
        for viewer in viewers:
            viewer.mailbox.notify("presence", how_many if viewer.held.share else who)

    def _here(self, stack_id: str) -> Watching:
        members: Counter[str] = Counter()
        links: dict[str, LinkWatched] = {}
        others = 0
        for viewer in self._crowd.of(stack_id):
            held = viewer.held
            if held.share and _has_room(links, held.share):
                count = links[held.share].viewers if held.share in links else 0
                links[held.share] = LinkWatched(held.share, held.name, count + 1)
            elif held.name and not held.share and _has_room(members, held.name):
                members[held.name] += 1
            else:
                others += 1
        named = tuple(members.items())
        return Watching(self._process, stack_id, named, tuple(links.values()), others)


def _has_room(named: Collection[str], name: str) -> bool:
    return name in named or len(named) < MAX_NAMED


def told(audience: Audience) -> dict[str, object]:
    """An audience as members read it, on the wire and from the API."""
    return {
        "viewers": audience.viewers,
        "members": [{"email": email, "viewers": count} for email, count in audience.members],
        "links": [
            {"id": each.share, "name": each.name, "viewers": each.viewers}
            for each in audience.links
        ],
    }
