"""An error made of its fields: all that is derived of them, put together in this one place."""

from datetime import datetime

from errorstack_live import fingerprint, meaning
from errorstack_live.grouping import grouped
from errorstack_live.model import (
    BY_FINGERPRINT,
    Cut,
    Error,
    Fields,
    Grouping,
    LogMessage,
    Request,
)


def derive(
    fields: Fields,
    grouping: Grouping = BY_FINGERPRINT,
    *,
    id: str,  # noqa: A002  the name of the error's own
    stack: str,
    at: datetime,
    request: Request,
    before: tuple[LogMessage, ...] = (),
    part: str | None = None,
    cut: Cut | None = None,
    scrubbed: tuple[str, ...] = (),
    reserved: Fields | None = None,
) -> Error:
    """Make an error: read what its fields mean, say of which issue it is and what words find it.

    ``fields`` are scrubbed already: a title quotes them. ``grouping`` is its stack's.
    """
    said = meaning.read(fields)
    mark = fingerprint.of(said, fields)
    error = Error(
        id=id,
        stack=stack,
        at=at,
        issue=fingerprint.issue_id(stack, mark),
        fingerprint=mark,
        title=said.title,
        type=said.type,
        level=said.level,
        where=said.where,
        fields=fields,
        request=request,
        before=before,
        part=part,
        cut=cut,
        scrubbed=scrubbed,
        reserved=reserved,
        search=meaning.search_text(said.title, fields),
    )
    return grouped(error, grouping)
