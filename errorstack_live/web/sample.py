"""A test error, sent by a button on the way that every error takes."""

from typing import Any
from urllib.parse import quote

import orjson
from quart import request

from errorstack_live.errors import Conflict, StorageAway
from errorstack_live.model import Request, Stack, Submission
from errorstack_live.protocols import PROTOCOLS
from errorstack_live.web.state import now, state
from errorstack_live.web.view import living_key


async def send(stack: Stack) -> dict[str, Any]:
    """Submit it through the real ingest; returns what a sender is told of an error stored.

    Raises Conflict without a key, StorageAway when it was not stored.
    """
    key = living_key(stack)
    if not key:
        raise Conflict("Every key of this stack is revoked: add one first")
    protocol = PROTOCOLS["/submit"]
    submission = Submission(
        method="GET",
        query=_query(key),
        body=b"",
        body_bytes=0,
        content_type="",
        request=Request(
            ip=request.remote_addr or "",
            user_agent=request.headers.get("User-Agent", ""),
            referer="",
            protocol=protocol.name,
        ),
        received_at=now(),
    )
    reply = await state().ingest.accept(protocol, submission)
    said: dict[str, Any] = orjson.loads(reply.body)
    if not said.get("success"):
        raise StorageAway(str(said.get("errorMsg", "It was not stored")))
    return said


def _query(key: str) -> bytes:
    fields = {
        "_s": key,
        "_r": "json",
        "Msg": "This is a test error",
        "level": "info",
        "sent_by": "the test button",
    }
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()).encode()
