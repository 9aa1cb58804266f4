"""The one straight line every submission takes, whatever protocol brought it."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol as Interface

from errorstack_live.errors import Refused, TooMany, UnknownKey
from errorstack_live.keys import StackKeys
from errorstack_live.limit import TokenBuckets, neighbours
from errorstack_live.live.living import LivingLogs
from errorstack_live.model import (
    Draft,
    Error,
    Grouping,
    Kind,
    LogMessage,
    Marker,
    Origin,
    Outcome,
    OutcomeKind,
    Parsed,
    Reply,
    Request,
    Stack,
    Stored,
    Submission,
)
from errorstack_live.occurrence import derive
from errorstack_live.protocols import Protocol
from errorstack_live.scrub import scrub, scrub_text

MARKS_PER_S = 0.2
MARKS_BURST = 10
"""Markers that one stack key may set: anybody has it, and a few are all that is of use."""
MAX_MARKING_KEYS = 10_000
CHARGED_BYTES = 4096
"""So much of a body, unpacked, counts as one more submission of its address: reading a megabyte
takes a tenth of a second, and a kilobyte of gzip is enough to ask for that."""


class Writer(Interface):
    """What makes errors and log messages durable; see ``storage.writer``."""

    async def store(self, error: Error, grouping: Grouping = ...) -> Stored: ...
    async def store_log(self, message: LogMessage) -> Stored: ...
    async def store_marker(self, marker: Marker) -> Stored: ...
    def refuse(self, stack_id: str, reason: str) -> None: ...


class Ingest:
    """Takes submissions in: known key, within its rate, understood, scrubbed, durable, answered.

    ``viewers`` tells how many watch a stack, ``new_id`` makes ids, ``count`` is called once for
    every submission with its kind and how it ended (for metrics), ``note_use`` for every one that
    is stored with its stack, its key and itself.
    """

    def __init__(
        self,
        *,
        keys: StackKeys,
        writer: Writer,
        living: LivingLogs,
        address_limit: TokenBuckets,
        key_limit: TokenBuckets,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        viewers: Callable[[str], int],
        count: Callable[[Kind, str], None],
        note_use: Callable[[str, str, Submission], None],
    ) -> None:
        self._keys = keys
        self._writer = writer
        self._living = living
        self._address_limit = address_limit
        self._key_limit = key_limit
        self._mark_limit = TokenBuckets(MARKS_PER_S, MARKS_BURST, max_keys=MAX_MARKING_KEYS)
        self._clock = clock
        self._new_id = new_id
        self._viewers = viewers
        self._count = count
        self._note_use = note_use

    async def accept(self, protocol: Protocol, submission: Submission) -> Reply:
        """Store what a submission holds and answer it.

        The answer says ``stored`` only when all of it is durable. Never raises ``Refused``.
        """
        parsed = None
        try:
            address = neighbours(submission.request.ip)
            size = 1 + len(submission.body) // CHARGED_BYTES
            self._take(self._address_limit, address, "This address", size)
            parsed = protocol.parse(submission)
            stack = await self._stack(parsed, protocol.kind)
            stored = (
                []  # HEAD is answered like GET and stores nothing (PROTOCOL 1)
                if submission.method == "HEAD"
                else await self._store(protocol.kind, parsed, stack, submission)
            )
        except Refused as refused:
            return self.refuse(protocol, submission, refused, parsed)
        self._count(protocol.kind, OutcomeKind.ACCEPTED)
        self._note_use(stack.id, parsed.key, submission)
        outcome = Outcome(
            OutcomeKind.ACCEPTED, stored=tuple(stored), viewers=self._viewers(stack.id)
        )
        return protocol.reply(outcome, parsed.reply)

    def refuse(
        self,
        protocol: Protocol,
        submission: Submission,
        refused: Refused,
        parsed: Parsed | None = None,
    ) -> Reply:
        """Answer a submission that is not stored: counted, and shown to the stack's viewers.

        Without ``parsed`` the key is looked for in the query alone, which is short.
        """
        self._count(protocol.kind, refused.reason)
        parsed = parsed or _parse_query(protocol, submission)
        stack = self._keys.peek(parsed.key) if parsed else None
        if stack is not None:
            self._writer.refuse(stack.id, refused.reason)
        outcome = Outcome(
            _KINDS.get(refused.status, OutcomeKind.INVALID),
            status=refused.status,
            reason=refused.reason,
            message=refused.message,
            retry_after_s=refused.retry_after_s,
        )
        return protocol.reply(outcome, parsed.reply if parsed else protocol.hint(submission))

    async def _stack(self, parsed: Parsed, kind: Kind) -> Stack:
        stack = await self._keys.find(parsed.key)
        if stack is None:
            raise UnknownKey
        count = len(parsed.drafts)
        self._take(self._key_limit, parsed.key, "This stack key", count, rate=stack.rate_limit)
        if kind is Kind.MARKER:
            self._take(self._mark_limit, parsed.key, "This stack key")
        return stack

    def _take(
        self, limit: TokenBuckets, key: str, what: str, n: int = 1, *, rate: int | None = None
    ) -> None:
        wait_s = limit.take(key, self._clock(), n, rate=rate)
        if wait_s > 0:
            raise TooMany(f"{what} sends too fast", retry_after_s=math.ceil(wait_s))

    async def _store(
        self, kind: Kind, parsed: Parsed, stack: Stack, submission: Submission
    ) -> list[Stored]:
        store = {
            Kind.ERROR: self._store_error,
            Kind.LOG: self._store_log,
            Kind.MARKER: self._store_marker,
        }[kind]
        if len(parsed.drafts) == 1:
            return [await store(parsed.drafts[0], stack, submission)]
        return list(
            await asyncio.gather(*(store(draft, stack, submission) for draft in parsed.drafts))
        )

    async def _store_error(self, draft: Draft, stack: Stack, submission: Submission) -> Stored:
        error = self._error(draft, stack, submission)
        return await self._writer.store(error, stack.grouping)

    async def _store_log(self, draft: Draft, stack: Stack, submission: Submission) -> Stored:
        message = _log_message(draft, stack, self._new_id(), submission.received_at)
        stored = await self._writer.store_log(message)
        self._living.add(message)  # an error right behind it must find it, before the feed tells
        return stored

    async def _store_marker(self, draft: Draft, stack: Stack, submission: Submission) -> Stored:
        marker = Marker(
            id=self._new_id(),
            stack=stack.id,
            at=submission.received_at,
            text=scrub_text(draft.text or ""),
            origin=Origin.KEY,
            by=submission.request.ip,
        )
        return await self._writer.store_marker(marker)

    def _error(self, draft: Draft, stack: Stack, submission: Submission) -> Error:
        """Scrub before anything reads the fields: a title must not carry what they lost."""
        fields, scrubbed = scrub(draft.fields, stack.scrub)
        return derive(
            fields,
            stack.grouping,
            id=self._new_id(),
            stack=stack.id,
            at=submission.received_at,
            request=_scrubbed(submission.request),
            before=self._living.alive(stack.id, submission.received_at),
            part=draft.part,
            cut=draft.cut,
            scrubbed=scrubbed,
            reserved=draft.reserved,
        )


_KINDS = {429: OutcomeKind.RATE_LIMITED, 503: OutcomeKind.UNAVAILABLE}


def _scrubbed(request: Request) -> Request:
    """A page's address may carry a token, too."""
    return replace(request, referer=scrub_text(request.referer)) if request.referer else request


def _parse_query(protocol: Protocol, submission: Submission) -> Parsed | None:
    try:
        return protocol.parse(replace(submission, body=b"", body_bytes=0))
    except Refused:
        return None


def _log_message(draft: Draft, stack: Stack, log_id: str, at: datetime) -> LogMessage:
    if draft.text is not None:
        return LogMessage(
            log_id, stack.id, at, scrub_text(draft.text), is_json=draft.is_json, cut=draft.cut
        )
    fields, _ = scrub(draft.fields, stack.scrub)
    return LogMessage(log_id, stack.id, at, None, fields=fields, cut=draft.cut)
