"""What is new in the errors that are about to be stored: decided once, whoever is asked.

Only what this process has not met (``record``) is asked of the database, where a unique insert
decides: of several processes one at most calls something new. What cannot be told in time, or is
past a limit, is not told: unknown, rather than wrong.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from pymongo import IndexModel, UpdateOne
from pymongo.errors import BulkWriteError
from pymongo.write_concern import WriteConcern

from errorstack_live.errors import ErrorStackError
from errorstack_live.first import ISSUE, field_word, value_word
from errorstack_live.model import Error
from errorstack_live.storage.deadline import brief, deadline
from errorstack_live.storage.document import (
    Database,
    Document,
    decode_each,
    object_id,
    plain,
    raw_collection,
)
from errorstack_live.storage.record import Met, Record, digest

CLAIM_S = 0.5
"""No error waits longer than this for being told new ..."""
LOAD_WAIT_S = 0.25
"""... nor longer than this for the record of its stack; until that is here nothing is told."""
LOAD_S = 10.0
RETRY_S = 10.0
MAX_STACKS = 64
"""Whose record is in memory; the one unused for longest goes, and is read again when needed."""
MAX_MISSED = 1_000
"""Errors that come while a record is read; further ones are not learned from."""
SEEDED = 1_000
SEEDED_BYTES = 8 << 20
"""A record begins with so many of the newest errors, where there were some before it."""
AT_ONCE = 5_000
"""Documents written in one go."""
REFRESH_S = 30.0
"""So often what other processes counted is taken over."""
ISSUE_CLAIM = timedelta(hours=1)
"""By then the issue itself is there to be found."""

INDEXES = (
    IndexModel([("stack", 1), ("name", 1)]),
    IndexModel("expire_at", expireAfterSeconds=0),
)
# The error that follows is journaled, and with it what was written before it.
_QUICK: WriteConcern = WriteConcern(w=1, j=False)
_DUPLICATE = 11000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Claim:
    """Something that may be new in the error at ``index``: who inserts the document is right."""

    index: int
    word: str
    document: Document


@dataclass(slots=True)
class _Loading:
    """A record that is being read, and the errors that came meanwhile."""

    task: asyncio.Task[None]
    missed: list[Error] = field(default_factory=list)


class Firsts:
    """The collection ``firsts``, and what this process knows of it."""

    def __init__(self, database: Database) -> None:
        self._firsts = database.get_collection("firsts", write_concern=_QUICK)
        self._issues = database.issues
        self._errors = raw_collection(database, "errors")
        self._records: OrderedDict[str, Record] = OrderedDict()
        self._loading: dict[str, _Loading] = {}
        self._retry_at: dict[str, float] = {}
        self._unwritten: list[Document] = []
        self._released: list[str] = []

    async def of(
        self, errors: Sequence[Error], known_issues: Container[str] = ()
    ) -> dict[int, tuple[str, ...]]:
        """Tell what each of these errors, by its place, is the first of; most are of nothing.

        ``known_issues`` are known to be there. Takes CLAIM_S at most.
        """
        with suppress(ErrorStackError):
            async with deadline(CLAIM_S, in_turn=False):
                claims = await self._new_issues(errors, known_issues)
                for stack_id in dict.fromkeys(error.stack for error in errors):
                    await self._load(stack_id)
                for index, error in enumerate(errors):
                    claims += self._look(index, error)
                return _by_error(await self._granted(claims))
        return {}

    def release(self, error: Error) -> None:
        """Take back what was said of an error that the database refused."""
        record = self._records.get(error.stack)
        for word in error.new:
            self._released.append(_key(error, word))
            if record is not None:
                record.forget(word)

    async def flush(self) -> None:
        """Write what was learned and counted since the last time; take over what others counted."""
        async with deadline(in_turn=False):
            if self._released:
                await self._firsts.delete_many({"_id": {"$in": self._released}})
                self._released.clear()
            if self._unwritten:
                await self._insert(self._unwritten[:AT_ONCE])
                del self._unwritten[:AT_ONCE]
            counted = [
                one for key, record in self._records.items() for one in _counted(key, record)
            ]
            if counted:
                await self._firsts.bulk_write(counted, ordered=False)
        for stack_id, record in list(self._records.items()):
            if record.is_used and time.monotonic() - record.read_at > REFRESH_S:
                await self._refresh(stack_id, record)

    # One batch

    def _look(self, index: int, error: Error) -> list[_Claim]:
        """Learn an error's fields and values; return what may be new."""
        record = self._records.get(error.stack)
        if record is None:
            if error.stack in self._loading:
                missed = self._loading[error.stack].missed
                if len(missed) < MAX_MISSED:
                    missed.append(error)
            return []
        claims: list[_Claim] = []
        for met in record.learn(error.fields):
            document = _document(error.stack, met)
            if met.is_news:
                claims.append(_Claim(index, _word(met), document))
            else:
                self._unwritten.append(document)
        return claims

    async def _new_issues(
        self, errors: Sequence[Error], known_issues: Container[str]
    ) -> list[_Claim]:
        unknown: dict[str, int] = {}
        for index, error in enumerate(errors):
            if error.issue not in known_issues:
                unknown.setdefault(error.issue, index)
        if not unknown:
            return []
        which = {"_id": {"$in": [object_id(each) for each in unknown]}}
        for found in await self._issues.find(which, {"_id": 1}).to_list(None):
            del unknown[str(found["_id"])]
        until = datetime.now(UTC) + ISSUE_CLAIM
        return [
            _Claim(index, ISSUE, {"_id": f"{issue}:issue", "expire_at": until})
            for issue, index in unknown.items()
        ]

    async def _granted(self, claims: list[_Claim]) -> list[_Claim]:
        """Those of the claims that nobody has made before."""
        if not claims:
            return []
        taken = await self._insert([each.document for each in claims])
        return [each for index, each in enumerate(claims) if index not in taken]

    async def _insert(self, documents: Sequence[Document]) -> set[int]:
        """Insert what is not there yet; returns the places of what is."""
        try:
            await self._firsts.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return _taken(error)
        return set()

    # Records

    async def _load(self, stack_id: str) -> None:
        """See to it that the record of a stack is here, or comes; wait for it for a moment."""
        if stack_id in self._records:
            self._records.move_to_end(stack_id)
            return
        if stack_id not in self._loading:
            if time.monotonic() < self._retry_at.get(stack_id, 0.0):
                return
            # Not in this batch's context, which holds its deadline.
            reading = asyncio.create_task(self._read(stack_id), context=Context())
            self._loading[stack_id] = _Loading(reading)
        await asyncio.wait({self._loading[stack_id].task}, timeout=LOAD_WAIT_S)

    async def _read(self, stack_id: str) -> None:
        try:
            async with deadline(LOAD_S, in_turn=False):
                found = await self._firsts.find({"stack": object_id(stack_id)}).to_list(None)
                record = _record_of(found)
                if not any(each["_id"] == f"{stack_id}:since" for each in found):
                    await self._begin(stack_id, record)
        except Exception as problem:  # noqa: BLE001 - then nothing is told for a while
            _log.warning("firsts_not_read", problem=brief(problem))
            self._retry_at[stack_id] = time.monotonic() + RETRY_S
            self._loading.pop(stack_id, None)
            return
        self._retry_at.pop(stack_id, None)
        for error in self._loading.pop(stack_id).missed:
            self._learn_silently(stack_id, record, error)
        self._records[stack_id] = record
        while len(self._records) > MAX_STACKS:
            self._records.popitem(last=False)

    async def _begin(self, stack_id: str, record: Record) -> None:
        """Begin a stack's record with what its newest errors have."""
        which = {"stack": object_id(stack_id)}
        size = 0
        found = self._errors.find(which, {"fields": 1}, sort=[("at", -1)], limit=SEEDED)
        async for raw in found:
            size += len(raw.raw)
            if size > SEEDED_BYTES:
                break
            for document in decode_each([raw], dict):
                if isinstance(document, dict):
                    for met in record.learn(plain(document["fields"])):
                        self._unwritten.append(_document(stack_id, met))
        await self._insert([{"_id": f"{stack_id}:since", **which, "at": datetime.now(UTC)}])

    def _learn_silently(self, stack_id: str, record: Record, error: Error) -> None:
        self._unwritten += [_document(stack_id, met) for met in record.learn(error.fields)]

    async def _refresh(self, stack_id: str, record: Record) -> None:
        record.is_used = False
        record.read_at = time.monotonic()
        which = {"stack": object_id(stack_id), "name": {"$gt": ""}}
        async with deadline(in_turn=False):
            for each in await self._firsts.find(which).to_list(None):
                record.take_field(
                    each["name"],
                    each["seen"],
                    each.get("values", 0),
                    is_wide=each.get("wide", False),
                )


def _by_error(granted: Iterable[_Claim]) -> dict[int, tuple[str, ...]]:
    new: dict[int, tuple[str, ...]] = {}
    for claim in granted:
        new[claim.index] = (*new.get(claim.index, ()), claim.word)
    return new


def _word(met: Met) -> str:
    return field_word(met.name) if met.value is None else value_word(met.name, met.value)


def _key(error: Error, word: str) -> str:
    return f"{error.issue}:issue" if word == ISSUE else f"{error.stack}:{digest(word)}"


def _document(stack_id: str, met: Met) -> Document:
    """The document of a field, or of one value, of which only a digest is kept."""
    document: Document = {
        "_id": f"{stack_id}:{digest(_word(met))}",
        "stack": object_id(stack_id),
    }
    if met.value is None:
        return {**document, "name": met.name, "seen": 0}
    return {**document, "of": digest(met.name), "value": digest(met.value)}


def _counted(stack_id: str, record: Record) -> Iterator[UpdateOne]:
    """What was counted of fields since the last time."""
    for name, known in record.fields.items():
        if not known.unwritten:
            continue
        changed: Document = {
            "$inc": {"seen": known.unwritten},
            "$max": {"values": known.value_count},
        }
        if known.values is None:
            changed["$set"] = {"wide": True}
        known.unwritten = 0
        yield UpdateOne({"_id": f"{stack_id}:{digest(field_word(name))}"}, changed)


def _record_of(found: Iterable[Document]) -> Record:
    record = Record(time.monotonic())
    values: dict[str, set[str]] = {}
    for each in found:
        if "name" in each:
            _take_field(record, each)
        elif "value" in each:
            values.setdefault(each["of"], set()).add(each["value"])
    for name in record.fields:
        record.take_values(name, values.get(digest(name), set()))
    return record


def _take_field(record: Record, found: Document) -> None:
    told, is_wide = found.get("values", 0), found.get("wide", False)
    record.take_field(found["name"], found["seen"], told, is_wide=is_wide)


def _taken(error: BulkWriteError) -> set[int]:
    """Which of the documents somebody else had inserted; raises what else went wrong."""
    failures = (error.details or {})["writeErrors"]
    if any(each["code"] != _DUPLICATE for each in failures):
        raise error
    return {each["index"] for each in failures}
