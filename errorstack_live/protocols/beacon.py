"""The beacon protocol: ``/submit`` and ``/log`` (PROTOCOL 2, 5, 7 and 8).

Reserved names are taken out here; the fields that are left are the sender's own, as sent.
"""

from dataclasses import replace
from hashlib import sha256

import orjson

from errorstack_live import decode, jsontext
from errorstack_live.decode import MAX_FIELDS, Decoded
from errorstack_live.meaning import MESSAGE_NAMES
from errorstack_live.model import (
    JSON,
    Cut,
    Draft,
    Fields,
    Kind,
    Outcome,
    OutcomeKind,
    Parsed,
    Reply,
    Submission,
)

MAX_LOG_BYTES = 16 << 10
"""UTF-8 bytes of one log message; the rest is cut off and marked."""
MAX_KEY_CHARS = 200
"""A longer stack key is none of ours; its start is enough to be unknown by."""
MAX_PART_CHARS = 200
"""A longer ``_id`` is known by its SHA-256: it is a key in the database."""

GIF_REPLY = "gif"
JSON_REPLY = "json"
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
"""One transparent pixel in 43 bytes."""

_BETTER_NAMES = MESSAGE_NAMES[: MESSAGE_NAMES.index("_msg")]
"""Names of a message that win over ``_msg`` (PROTOCOL 9)."""
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"cross-origin"),  # for pages with COEP
    (b"x-content-type-options", b"nosniff"),
)


class Beacon:
    """One of the two endpoints; ``kind`` says what its submissions become."""

    name = "beacon"

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def hint(self, submission: Submission) -> str:
        """Tell the form of reply wanted by the query alone. Never raises."""
        if b"_r" not in submission.query:
            return GIF_REPLY
        return _form_of_reply(decode.form(submission.query).fields)

    def parse(self, submission: Submission) -> Parsed:
        """Read query and body together; there is always at least one draft. Never raises."""
        query = decode.form(submission.query)
        is_cut = submission.body_bytes > len(submission.body)
        bodies = decode.body(submission.body, submission.content_type, is_cut=is_cut)
        sources = [query.fields, *(body.fields for body in bodies)]
        key = (word("_s", *sources) or word("s", *sources))[:MAX_KEY_CHARS]
        read = _read_error if self.kind is Kind.ERROR else _read_log
        drafts = [read(query, body, key) for body in bodies]
        if batch := word("_id", query.fields):
            drafts = [
                replace(draft, part=_part(f"{batch}#{index}" if index else batch))
                for index, draft in enumerate(drafts)
            ]
        if is_cut:
            drafts[-1] = _marked(drafts[-1], body_bytes=submission.body_bytes)
        return Parsed(key, tuple(drafts), _form_of_reply(*sources))

    def reply(self, outcome: Outcome, hint: str) -> Reply:
        """Answer with JSON, or with the pixel and, on failure, the reason in a header."""
        headers: tuple[tuple[bytes, bytes], ...] = _HEADERS
        if outcome.kind is not OutcomeKind.ACCEPTED:
            headers = (*headers, (b"x-errorstack-error", outcome.reason.encode()))
        if outcome.retry_after_s:
            headers = (*headers, (b"retry-after", b"%d" % outcome.retry_after_s))
        if hint == JSON_REPLY:
            headers = ((b"content-type", b"application/json"), *headers)
            return Reply(outcome.status, headers, orjson.dumps(_answer(outcome)))
        return Reply(outcome.status, ((b"content-type", b"image/gif"), *headers), PIXEL)


def _read_error(query: Decoded, body: Decoded, key: str) -> Draft:
    fields, dropped = _join(query.fields, body.fields, {"_s", "_r", "_id"}, key)
    if "_msg" in fields:
        fields = _with_message(fields)
    return _draft(fields, query, body, dropped)


def _read_log(query: Decoded, body: Decoded, key: str) -> Draft:
    """Read a log message: ``_msg``, or without it the ordinary fields (PROTOCOL 8)."""
    taken = {"_s", "_r", "_id", "_t", "_msg"}
    fields, dropped = _join(query.fields, body.fields, taken, key)
    draft = _draft(fields, query, body, dropped)
    message = query.fields.get("_msg", body.fields.get("_msg"))
    if message is None or (message == "" and draft.fields):
        return _with_short_fields(draft)
    is_json = word("_t", query.fields, body.fields).lower() == "json"
    text = message if isinstance(message, str) else jsontext.write(message)
    short = _start(text, MAX_LOG_BYTES)
    draft = replace(
        _marked(draft, fields=len(draft.fields)),
        fields={},
        text=short,
        is_json=is_json or text is not message,
    )
    return draft if short is text else _marked(draft, body_bytes=len(text.encode()))


def _draft(fields: dict[str, JSON], query: Decoded, body: Decoded, dropped: int) -> Draft:
    reserved = {name: value for name, value in fields.items() if name[:1] == "_"}
    if reserved:
        fields = {name: value for name, value in fields.items() if name not in reserved}
    draft = Draft(fields, part=_part(word("_id", body.fields)) or None, reserved=reserved or None)
    return _marked(
        draft,
        fields=query.dropped + body.dropped + dropped,
        names=query.shortened + body.shortened,
    )


def _join(query: Fields, body: Fields, taken: set[str], key: str) -> tuple[dict[str, JSON], int]:
    """Put the fields of both sources together without ``taken``; tell how many had no room.

    A second copy of the key must not stay behind as a field: a shared view would show it.
    """
    if not query or not body:  # as nearly always: nothing to put together
        source = query or body
        if "s" not in source and len(source) <= MAX_FIELDS:
            return {name: value for name, value in source.items() if name not in taken}, 0
    fields: dict[str, JSON] = {}
    dropped = 0
    for source in (query, body):
        for name, value in source.items():
            if name in taken or (name == "s" and word("s", source) == key):
                continue
            if name in fields and name != "_msg":
                fields[name] = [*_values(fields[name]), *_values(value)]
            elif len(fields) < MAX_FIELDS:
                fields.setdefault(name, value)
            else:
                dropped += 1
    return fields, dropped


def _with_message(fields: dict[str, JSON]) -> dict[str, JSON]:
    """Let ``_msg`` stand for ``Msg`` where there is no other message."""
    if any(fields.get(name) not in ("", None) for name in _BETTER_NAMES):
        return fields
    return {
        ("Msg" if name == "_msg" else name): value
        for name, value in fields.items()
        if name != "Msg"
    }


def _with_short_fields(draft: Draft) -> Draft:
    """Keep the first MAX_LOG_BYTES of names and values."""
    fields: dict[str, JSON] = {}
    size = 0
    for name, value in draft.fields.items():
        text = value if isinstance(value, str) else jsontext.write(value)
        room = MAX_LOG_BYTES - size - len(name.encode())
        size += len(name.encode()) + len(text.encode())
        if size <= MAX_LOG_BYTES:
            fields[name] = value
        elif room > 0:
            fields[name] = _start(text, room)
    if size <= MAX_LOG_BYTES:
        return draft
    dropped = len(draft.fields) - len(fields)
    return _marked(replace(draft, fields=fields), body_bytes=size, fields=dropped)


def _start(text: str, size: int) -> str:
    """The start of a text, at most ``size`` bytes of UTF-8."""
    if len(text) * 4 <= size:
        return text
    encoded = text.encode()
    return text if len(encoded) <= size else encoded[:size].decode("utf-8", "ignore")


def _marked(draft: Draft, *, body_bytes: int = 0, fields: int = 0, names: int = 0) -> Draft:
    """Add what is not stored to what was marked before."""
    if not (body_bytes or fields or names):
        return draft
    cut = draft.cut or Cut()
    return replace(
        draft,
        cut=Cut(max(cut.body_bytes, body_bytes), cut.fields + fields, cut.names + names),
    )


def word(name: str, *sources: Fields) -> str:
    """The first value of a reserved name that is not empty, trimmed: the query's comes first."""
    for fields in sources:
        for value in _values(fields.get(name)):
            if value is not None:
                text = value if isinstance(value, str) else jsontext.write(value)
                if text := text.strip():
                    return text
    return ""


def _values(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _part(word: str) -> str:
    return word if len(word) <= MAX_PART_CHARS else sha256(word.encode()).hexdigest()


def _form_of_reply(*sources: Fields) -> str:
    return JSON_REPLY if word("_r", *sources).lower() == "json" else GIF_REPLY


def _answer(outcome: Outcome) -> dict[str, object]:
    """The JSON reply: beside the id it tells what its sender could not know."""
    if outcome.kind is not OutcomeKind.ACCEPTED:
        return {"success": False, "errorMsg": outcome.message or outcome.reason}
    answer: dict[str, object] = {"success": True}
    if outcome.stored:
        first = outcome.stored[0]
        answer["id"] = first.id
        if len(outcome.stored) > 1:
            answer["ids"] = [stored.id for stored in outcome.stored]
        if first.issue is not None:
            answer |= {"issue": first.issue, "new": first.is_new, "count": first.count}
    return answer | {"viewers": outcome.viewers}


SUBMIT = Beacon(Kind.ERROR)
LOG = Beacon(Kind.LOG)
