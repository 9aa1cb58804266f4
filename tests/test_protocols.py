"""Every row of PROTOCOL that a protocol decides, held against each protocol in the table."""

import orjson
import pytest
from sample import KEY, submission

from errorstack_live.errors import (
    AddressTooLong,
    BadSubmission,
    Refused,
    StorageAway,
    TooLarge,
    TooMany,
    UnknownKey,
)
from errorstack_live.model import JSON, Kind, Outcome, OutcomeKind, Reply, Stored
from errorstack_live.protocols import PROTOCOLS, Protocol
from errorstack_live.protocols.beacon import PIXEL

_BEACONS = {path: each for path, each in PROTOCOLS.items() if each.name == "beacon"}
EVERY = pytest.mark.parametrize("protocol", _BEACONS.values(), ids=_BEACONS.keys())
FORM = "application/x-www-form-urlencoded"


def test_paths() -> None:
    """PROTOCOL 1"""
    assert {path: protocol.kind for path, protocol in PROTOCOLS.items()} == {
        "/submit": Kind.ERROR,
        "/log": Kind.LOG,
        "/mark": Kind.MARKER,
    }


@EVERY
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_every_method_reads_query_and_body(protocol: Protocol, method: str) -> None:
    """PROTOCOL 1: the key in the URL, the record in the body, together."""
    parsed = protocol.parse(
        submission(f"_s={KEY}&_r=json".encode(), b"msg=a&lineno=3", method=method)
    )
    assert (parsed.key, parsed.reply) == (KEY, "json")
    assert [draft.fields for draft in parsed.drafts] == [{"msg": "a", "lineno": "3"}]


@EVERY
@pytest.mark.parametrize(
    ("content_type", "body", "fields"),
    [
        (FORM, b"a=1&B=2", {"a": "1", "B": "2"}),
        (f"{FORM}; charset=x", b"a=caf%E9", {"a": "café"}),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: f; name="f"; filename="a.txt"\r\n\r\nabc\r\n--x--',
            {"f": {"name": "a.txt", "size": 3}},
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\nContent-Disposition: f; name="a"\n\nb',
            {"a": "b"},
        ),
        ("application/json", b'{"a":{"b":[1]}}', {"a": {"b": [1]}}),
        ("text/plain", b'{"a":1}', {"a": 1}),
        ("text/plain", b"a=1 2", {"a": "1 2"}),
        ("text/plain", b"some words", {"Msg": "some words"}),
        ("", b"a=1", {"a": "1"}),
        ("", b"", {}),
    ],
)
def test_bodies(
    protocol: Protocol, content_type: str, body: bytes, fields: dict[str, JSON]
) -> None:
    """PROTOCOL 3"""
    (draft,) = protocol.parse(submission(b"_s=K", body, content_type)).drafts
    assert draft.fields == fields


@EVERY
def test_an_array_holds_several(protocol: Protocol) -> None:
    """PROTOCOL 3"""
    parsed = protocol.parse(submission(b"_s=K", b'[{"a":1},{"b":2}]', "application/json"))
    assert [draft.fields for draft in parsed.drafts] == [{"a": 1}, {"b": 2}]


@EVERY
@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        (
            b"Msg=Uncaught%20Error%3A%20caf%E9%20%u20AC%20a+b%20%26c%3D%25d%20%uD83D%uDE00",
            {"Msg": "Uncaught Error: café € a b &c=%d 😀"},
        ),
        (b"Msg=node died&_s=K&_r=json", {"Msg": "node died"}),
        (b"Msg=caf%c3%a9", {"Msg": "café"}),
        (b"Msg=caf%E9", {"Msg": "café"}),
        (b"Msg=100%&x=%E", {"Msg": "100%", "x": "%E"}),
    ],
)
def test_encodings(protocol: Protocol, sent: bytes, fields: dict[str, JSON]) -> None:
    """PROTOCOL 4, in the query and in the body"""
    assert protocol.parse(submission(sent)).drafts[0].fields == fields
    assert protocol.parse(submission(b"", sent)).drafts[0].fields == fields


def outcome(refused: Refused) -> Outcome:
    """What ingest makes of a refusal."""
    return Outcome(
        OutcomeKind.INVALID,
        status=refused.status,
        reason=refused.reason,
        message=refused.message,
        retry_after_s=refused.retry_after_s,
    )


FIXED_HEADERS = {
    b"cache-control": b"no-store",
    b"cross-origin-resource-policy": b"cross-origin",
    b"x-content-type-options": b"nosniff",
}


def check(reply: Reply, status: int, content_type: bytes) -> dict[bytes, bytes]:
    """What holds for every reply; returns the headers that differ from case to case."""
    headers = dict(reply.headers)
    assert len(headers) == len(reply.headers)
    assert all(name == name.lower() for name in headers)
    assert reply.status == status
    assert headers.pop(b"content-type") == content_type
    assert FIXED_HEADERS.items() <= headers.items()
    assert not headers.keys() & {b"set-cookie", b"access-control-allow-origin"}
    return {name: value for name, value in headers.items() if name not in FIXED_HEADERS}


@EVERY
def test_stored(protocol: Protocol) -> None:
    """PROTOCOL 7, first row"""
    accepted = Outcome(OutcomeKind.ACCEPTED, stored=(Stored("5f"),))

    gif, words = protocol.reply(accepted, "gif"), protocol.reply(accepted, "json")

    assert check(gif, 200, b"image/gif") == {}
    assert gif.body == PIXEL
    assert check(words, 200, b"application/json") == {}
    answer = orjson.loads(words.body)
    assert answer["success"] is True
    assert answer["id"] == "5f"


@EVERY
@pytest.mark.parametrize(
    ("refused", "status", "headers"),
    [
        (UnknownKey(), 200, {b"x-errorstack-error": b"unknown-key"}),
        (
            TooMany("Too fast", retry_after_s=3),
            429,
            {b"x-errorstack-error": b"rate-limited", b"retry-after": b"3"},
        ),
        (
            StorageAway("Away"),
            503,
            {b"x-errorstack-error": b"storage-away", b"retry-after": b"2"},
        ),
        (TooLarge("Too large"), 413, {b"x-errorstack-error": b"too-large"}),
        (AddressTooLong("Too long"), 414, {b"x-errorstack-error": b"address-too-long"}),
        (
            BadSubmission("Broken", reason="bad-encoding"),
            400,
            {b"x-errorstack-error": b"bad-encoding"},
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Refused) else None,
)
def test_refused(
    protocol: Protocol, refused: Refused, status: int, headers: dict[bytes, bytes]
) -> None:
    """PROTOCOL 7: JSON also on failure, an image that loads in any case, the reason in a header."""
    gif = protocol.reply(outcome(refused), "gif")
    words = protocol.reply(outcome(refused), "json")

    assert check(gif, status, b"image/gif") == headers
    assert gif.body == PIXEL
    assert check(words, status, b"application/json") == headers
    assert orjson.loads(words.body) == {"success": False, "errorMsg": refused.message}


@EVERY
def test_unknown_key_in_the_words_senders_look_for(protocol: Protocol) -> None:
    """PROTOCOL 7, second row"""
    reply = protocol.reply(outcome(UnknownKey()), "json")
    assert orjson.loads(reply.body) == {"success": False, "errorMsg": "Unknown stack key"}
