"""Shows an entry of the stream to each view of its stack."""

from collections.abc import Iterable

from errorstack_live.event import Entry, ErrorStored, IssueChanged, LogStored, Refused
from errorstack_live.live import rows
from errorstack_live.live.batch import Sighting
from errorstack_live.live.channel import Channel
from errorstack_live.model import LogMessage


def gather(entry: Entry, channels: Iterable[Channel]) -> list[Channel]:
    """Add an entry to the batches of those channels whose views show it, and return them."""
    match entry.event:
        case ErrorStored() as event:
            return _gather_error(event, entry.position, channels)
        case LogStored(message):
            return _gather_log(message, channels)
        case IssueChanged(issue):
            touched = _open(channels)
            if touched:
                encoded = rows.issue(issue)
                for channel in touched:
                    channel.batch.add_issue(issue.id, encoded)
            return touched
        case Refused() as refused:
            touched = _open(channels)
            for channel in touched:
                channel.batch.add_refused(refused)
            return touched
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


def _open(channels: Iterable[Channel]) -> list[Channel]:
    return [channel for channel in channels if channel.view.is_open]
