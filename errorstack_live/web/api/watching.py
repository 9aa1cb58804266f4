"""Who watches a stack now."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.live.presence import told
from errorstack_live.web.api.kind import Id
from errorstack_live.web.api.route import answer, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import state


@dataclass(frozen=True, slots=True)
class MemberWatching:
    """A member who watches."""

    email: str
    viewers: Annotated[int, Field(description="Their open views.")]


@dataclass(frozen=True, slots=True)
class LinkWatching:
    """A share link that is watched by."""

    id: Id
    name: str
    viewers: int


@dataclass(frozen=True, slots=True)
class Watching:
    """Who watches, in all processes."""

    viewers: Annotated[int, Field(description="All open views, also of terminals.")]
    members: list[MemberWatching]
    links: list[LinkWatching]


@writing("GET", "/watching", answers=Watching)
async def watching(who: Reader) -> Response:
    """Tell who watches the stack now."""
    return answer(told(state().hub.presence.audience(who.stack.id)))
