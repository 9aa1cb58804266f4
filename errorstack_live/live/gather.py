"""Shows an entry of the stream to each view of its stack."""

from collections.abc import Callable, Iterable

from errorstack_live.event import (
    Entry,
    ErrorStored,
    IssueChanged,
    LogStored,
    MarkerChanged,
    Refused,
)
from errorstack_live.live import rows
from errorstack_live.live.batch import Batch, Sighting
from errorstack_live.live.channel import Channel
from errorstack_live.model import LogMessage


def gather(entry: Entry, channels: Iterable[Channel]) -> list[Channel]:
    """Add an entry to the batches of those channels whose views show it, and return them."""
    match entry.event:
        case ErrorStored() as event:
            return _gather_error(event, entry.position, channels)
        case LogStored(message):
            return _gather_log(message, channels)
        case IssueChanged() | MarkerChanged() | Refused() as event:
            return _gather_beside(event, channels)
        case _:
            return []


def _gather_error(event: ErrorStored, position: str, channels: Iterable[Channel]) -> list[Channel]:
    """Redact once for each audience and encode once for all; match each view's own query."""
    touched: list[Channel] = []
    admitted: dict[tuple[str, frozenset[str]], Sighting | None] = {}
    for channel in channels:
        audience = channel.view.audience
        if audience not in admitted:
            error = channel.view.admit(event.error)
            admitted[audience] = (
                None if error is None else Sighting(error, position, is_change=event.is_change)
            )
        sighting = admitted[audience]
        if sighting is not None and channel.view.query.matches(sighting.error):
            channel.batch.add_error(sighting)
            touched.append(channel)
    return touched


def _gather_log(message: LogMessage, channels: Iterable[Channel]) -> list[Channel]:
    touched: list[Channel] = []
    encoded: dict[frozenset[str], bytes] = {}
    for channel in channels:
        shown = channel.view.see_log(message)
        if shown is not None:
            hidden = channel.view.hidden
            if hidden not in encoded:
                encoded[hidden] = rows.log(shown)
            channel.batch.add_log(encoded[hidden])
            touched.append(channel)
    return touched


def _gather_beside(
    event: IssueChanged | MarkerChanged | Refused, channels: Iterable[Channel]
) -> list[Channel]:
    """What tells of the whole stack is shown where nothing of it is kept back."""
    touched = [channel for channel in channels if channel.view.is_open]
    if not touched:
        return touched
    add = _adding(event)
    for channel in touched:
        add(channel.batch)
    return touched


def _adding(event: IssueChanged | MarkerChanged | Refused) -> Callable[[Batch], None]:
    """Encode once, and say how it is added to each batch."""
    match event:
        case IssueChanged(issue):
            issue_bytes = rows.issue(issue)
            return lambda batch: batch.add_issue(issue.id, issue_bytes)
        case MarkerChanged(marker):
            marker_bytes = rows.marker(marker)
            return lambda batch: batch.add_marker(marker.id, marker_bytes)
        case Refused() as refused:
            return lambda batch: batch.add_refused(refused)
