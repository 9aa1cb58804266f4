"""Log messages: the last few of the last hour."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from quart import Response

from errorstack_live.live import rows
from errorstack_live.web import history
from errorstack_live.web.api.kind import Id, Millis
from errorstack_live.web.api.route import answer, reading
from errorstack_live.web.auth import Reader


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A log message: `text`, or `fields` where it has none."""

    id: Id
    at: Millis
    text: str | None = None
    fields: dict[str, Any] | None = None
    json: Annotated[bool, Field(description="Its sender wants it shown as JSON.")] = False


@dataclass(frozen=True, slots=True)
class Logs:
    """The log messages that live now, oldest first."""

    logs: list[LogMessage]


@reading("/logs", answers=Logs)
async def logs(who: Reader) -> Response:
    """List the log messages that live now, oldest first."""
    return answer({"logs": rows.fragments(map(rows.log, await history.logs(who)))})
