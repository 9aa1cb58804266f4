"""One open websocket, as the hub knows it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from errorstack_live.live.mailbox import TOO_SLOW, Close, Mailbox
from errorstack_live.live.view import View

START_TIMEOUT_S = 10.0
"""A websocket that has not said by then what it wants to see is closed."""
SEND_TIMEOUT_S = 10.0
"""A message that the network has not taken by then never will be: the viewer is cut off."""

SIGNED_OUT = Close(4401, "sign in")
SHARE_ENDED = Close(4403, "share link ended")
STACK_DELETED = Close(4404, "the stack was deleted")
NO_START = Close(4400, "no start message")


@dataclass(frozen=True, slots=True)
class Pass:
    """Why a viewer may watch: a session or a share link, by id, and when that ends.

    ``name`` is the member's e-mail address, or the share link's name; a terminal has none.
    """

    session: str = ""
    share: str = ""
    expires_at: datetime | None = None
    name: str = ""

    @property
    def ended(self) -> Close:
        """What a viewer is told when it no longer holds."""
        return SHARE_ENDED if self.share else SIGNED_OUT


@dataclass(eq=False, slots=True)
class Viewer:
    """Someone who watches a stack.

    ``sees`` is all that may be shown to them. ``sending_since`` is set while ``task``, which talks
    with them, waits for the network.
    """

    stack: str
    address: str
    held: Pass
    mailbox: Mailbox
    entered_at: float
    sees: View
    has_started: bool = False
    sending_since: float | None = None
    task: asyncio.Task[object] | None = None

    def check(self, now: float, at: datetime) -> None:
        """Close it when its time is over: ``now`` is the hub's clock, ``at`` the time of day."""
        if self.held.expires_at is not None and at >= self.held.expires_at:
            self.mailbox.close(self.held.ended)
        if not self.has_started and now - self.entered_at > START_TIMEOUT_S:
            self.mailbox.close(NO_START)
        if self.sending_since is not None and now - self.sending_since > SEND_TIMEOUT_S:
            self._cut_off()
        if self.mailbox.is_behind(now):
            self.mailbox.close(TOO_SLOW)

    def _cut_off(self) -> None:
        if self.task is not None:
            self.task.cancel()
