"""What a stretch of the stream showed in a view, for a viewer who was not there."""

from collections.abc import Iterable
from dataclasses import dataclass

from errorstack_live.event import Entry, ErrorStored, LogStored
from errorstack_live.live import rows
from errorstack_live.live.batch import Sighting
from errorstack_live.live.view import View


@dataclass(frozen=True, slots=True)
class Missed:
    """Rows newest first, log messages oldest first."""

    rows: list[bytes]
    logs: list[bytes]


def replay(view: View, entries: Iterable[Entry]) -> Missed:
    """Encode what entries, in the stream's order, show in a view; of an error its last state."""
    sightings: dict[str, Sighting] = {}
    logs: list[bytes] = []
    for entry in entries:
        match entry.event:
            case ErrorStored(error, is_change) if error.stack == view.stack:
                known = sightings.pop(error.id, None)
                shown = view.see(error)
                if shown is not None:
                    is_change = is_change and (known is None or known.is_change)
                    sightings[error.id] = Sighting(shown, entry.position, is_change=is_change)
            case LogStored(message) if message.stack == view.stack:
                log = view.see_log(message)
                if log is not None:
                    logs.append(rows.log(log))
            case _:
                pass
    return Missed([each.row(view) for each in reversed(sightings.values())], logs)
