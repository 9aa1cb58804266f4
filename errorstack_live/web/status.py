"""How the server is: its door, database, feed and sockets, for members, as it changes."""

from dataclasses import dataclass

from quart import Blueprint

from errorstack_live import __version__
from errorstack_live.errors import ErrorStackError
from errorstack_live.web import section
from errorstack_live.web.auth import signed_in
from errorstack_live.web.render import number, size
from errorstack_live.web.state import State, now, state

SLOW_MS = 250
"""A database that takes longer to answer is slow, a feed that is further behind late."""

part = Blueprint("status", __name__)


@dataclass(frozen=True, slots=True)
class Health:
    """One part of the server: a word for how it is, and figures as label and text.

    ``is_well`` None means that it works, but not as it should.
    """

    label: str
    word: str
    is_well: bool | None
    figures: tuple[tuple[str, str], ...]


@part.get("/status")
async def status() -> str:
    """Every part and every process."""
    await signed_in()
    here = state()
    parts = [await _database(here), _door(here), _feed(here), _sockets(here)]
    return await section.render(
        "settings/status.html",
        parts=parts,
        is_well=all(each.is_well for each in parts),
        processes=await here.store.processes.alive(now()),
        running=__version__,
        began_at=here.began_at,
    )


async def _database(here: State) -> Health:
    try:
        answer_ms = await here.store.ping() * 1000
        free = await here.store.free_bytes()
    except ErrorStackError as away:
        return Health("Database", "away", False, (("says", away.message),))
    is_slow = answer_ms > SLOW_MS
    word = "slow" if is_slow else "well" if here.writer.has_space else "disk nearly full"
    figures = [
        ("answers in", f"{answer_ms:.1f} ms"),
        ("kind", "replica set" if here.store.is_replica_set else "standalone: one process only"),
        ("waiting for a batch", number(here.writer.queued)),
    ]
    if free is not None:
        figures.append(("free on its disk", size(free)))
    is_well = here.writer.has_space and (None if is_slow else True)
    return Health("Database", word, is_well, tuple(figures))


def _door(here: State) -> Health:
    if here.settings.role == "dashboard":
        return Health("Door", "in other processes", True, (("this process", "dashboard alone"),))
    counts = here.metrics.outcomes()
    accepted = sum(n for (_, outcome), n in counts.items() if outcome == "accepted")
    refused = sum(counts.values()) - accepted
    word = "open" if here.writer.has_space else "answers 503"
    figures = (("stored since start", number(accepted)), ("refused", number(refused)))
    return Health("Door", word, here.writer.has_space, figures)


def _feed(here: State) -> Health:
    lag_ms = here.feed.lag_s * 1000
    if not here.feed.is_live:
        return Health("Feed", "catching up", None, (("behind by", f"{lag_ms:.0f} ms"),))
    is_late = lag_ms > SLOW_MS
    word = "late" if is_late else "live"
    return Health("Feed", word, None if is_late else True, (("behind by", f"{lag_ms:.0f} ms"),))


def _sockets(here: State) -> Health:
    tally = here.hub.tally
    return Health(
        "Live views",
        "open",
        True,
        (
            ("open here", number(here.hub.total_viewers)),
            ("most at once", number(here.settings.max_viewers)),
            ("frames sent", number(tally.frames_sent)),
            ("frames lost to slow readers", number(tally.frames_dropped)),
        ),
    )
