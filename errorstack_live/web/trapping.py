"""Traps as a viewer sets them: read, set in the hub, and looked up for the time it was away."""

from collections.abc import Iterable

from errorstack_live.errors import QueryError, StorageAway
from errorstack_live.live import frames, rows
from errorstack_live.live.asking import Trap
from errorstack_live.live.hub import Hub
from errorstack_live.live.viewer import Viewer
from errorstack_live.query import Query, parse
from errorstack_live.web import history
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span
from errorstack_live.web.parameter import at_millis

TOO_MANY = "Too many traps are set for this stack"

Understood = list[tuple[Trap, Query]]


def put(hub: Hub, reader: Reader, viewer: Viewer, traps: Iterable[Trap]) -> Understood:
    """Set a viewer's traps, and return them; of one whose query has no meaning it is told so."""
    understood: Understood = []
    for trap in traps:
        try:
            understood.append((trap, parse(trap.query)))
        except QueryError as wrong:
            viewer.mailbox.notify(f"trap {trap.name}", frames.no_trap(trap.name, wrong.message))
    wanted = {trap.name: history.view_of(reader, query) for trap, query in understood}
    refused = hub.traps.set(viewer, wanted)
    for name in refused:
        viewer.mailbox.notify(f"trap {name}", frames.no_trap(name, TOO_MANY))
    return [each for each in understood if each[0].name not in refused]


async def look_back(reader: Reader, viewer: Viewer, traps: Understood) -> None:
    """Tell what each trap would have caught since its viewer was last here: the newest of it.

    Then that all is told; not where the database did not answer in time.
    """
    is_whole = True
    for trap, query in traps:
        if trap.since is None:
            continue
        try:
            page = await history.errors(
                reader, query, Span(since=at_millis(trap.since + 1)), limit=1
            )
        except StorageAway:
            is_whole = False
            continue
        for error in page.errors:
            text = frames.trap(trap.name, 1, rows.row(error))
            viewer.mailbox.notify(f"trap {trap.name}", text)
    if is_whole:
        viewer.mailbox.notify("traps", frames.traps([trap.name for trap, _ in traps]))
