"""The test error: sent the way every error comes."""

from dataclasses import dataclass

from quart import Response

from errorstack_live.web import sample
from errorstack_live.web.api.kind import Id
from errorstack_live.web.api.route import answer, writing
from errorstack_live.web.auth import Reader


@dataclass(frozen=True, slots=True)
class TestSent:
    """What the sender of an error is told."""

    success: bool
    id: Id
    issue: str = ""
    new: bool = False
    count: int = 0
    viewers: int = 0


@writing("POST", "/test", answers=TestSent)
async def send_test(who: Reader) -> Response:
    """Send a test error the way every error comes."""
    return answer(await sample.send(who.stack))
