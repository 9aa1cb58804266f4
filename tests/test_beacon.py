"""The beacon protocol: what real clients send is read as they meant it, and answered."""

import json
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample import Sample, read, samples, submission

from errorstack_live.model import Cut, Draft, Outcome, OutcomeKind, Parsed, Stored
from errorstack_live.protocols import PROTOCOLS
from errorstack_live.protocols.beacon import (
    LOG,
    MAX_KEY_CHARS,
    MAX_LOG_BYTES,
    MAX_PART_CHARS,
    PIXEL,
    SUBMIT,
    Beacon,
)

FORM = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_samples(sample: Sample) -> None:
    path, request = read(sample.content)
    protocol = PROTOCOLS[path]

    assert protocol.kind is sample.kind
    parsed = protocol.parse(request)
    assert parsed == sample.expected
    for draft, expected in zip(parsed.drafts, sample.expected.drafts, strict=True):
        assert list(draft.fields) == list(expected.fields)  # in the order sent


def parse(protocol: Beacon, query: bytes = b"", body: bytes = b"", kind: str = FORM) -> Parsed:
    return protocol.parse(submission(query, body, kind))


def draft(protocol: Beacon, query: bytes = b"", body: bytes = b"", kind: str = FORM) -> Draft:
    (found,) = parse(protocol, query, body, kind).drafts
    return found


# Reserved names (PROTOCOL 2)


@pytest.mark.parametrize(
    ("query", "body", "key"),
    [
        (b"_s=K", b"", "K"),
        (b"", b"_s=K", "K"),
        (b"_s=Q", b"_s=B", "Q"),
        (b"_s=", b"_s=B", "B"),
        (b"_s=+", b"s=B", "B"),
        (b"s=Q", b"_s=B", "B"),
        (b"s=Q", b"s=B", "Q"),
        (b"_s=+K%0A", b"", "K"),
        (b"_s=A&_s=B", b"", "A"),
        (b"_s=any+shape%21", b"", "any shape!"),
        (b"_S=K", b"", ""),
        (b"_s", b"", ""),
        (b"", b"", ""),
    ],
)
def test_key(query: bytes, body: bytes, key: str) -> None:
    assert parse(SUBMIT, query, body).key == key
    assert parse(LOG, query, body).key == key


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ('{"_s": "K"}', "K"),
        ('{"_s": 5}', "5"),
        ('{"_s": true}', "true"),
        ('{"_s": null, "s": "K"}', "K"),
        ('{"_s": ["", "K"]}', "K"),
        ('{"_s": {"$ne": null}}', '{"$ne": null}'),  # words, never a question to the database
        ('[{"Msg": "a"}, {"_s": "K"}]', "K"),
    ],
)
def test_key_in_json_is_always_text(sent: str, key: str) -> None:
    assert parse(SUBMIT, b"", sent.encode(), JSON_TYPE).key == key


def test_a_key_of_any_length_is_kept_short() -> None:
    assert parse(SUBMIT, b"_s=" + b"k" * 5000).key == "k" * MAX_KEY_CHARS


@pytest.mark.parametrize(
    ("query", "body"),
    [(b"_s=K&s=K", b""), (b"s=+K", b"_s=K"), (b"s=K", b""), (b"_s=K&_s=K2", b"_s=K3&s=K")],
)
def test_no_copy_of_the_key_stays_behind(query: bytes, body: bytes) -> None:
    found = draft(SUBMIT, query, body + b"&Msg=x")
    assert (found.fields, found.reserved) == ({"Msg": "x"}, None)


def test_fields_of_query_and_body_come_together_in_order() -> None:
    found = draft(SUBMIT, b"a=1&b=2", b"c=3&a=4&a=5")
    assert found.fields == {"a": ["1", "4", "5"], "b": "2", "c": "3"}
    assert list(found.fields) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("query", "part"),
    [
        (b"_id=8f3a", "8f3a"),
        (b"_id=+8f3a+", "8f3a"),
        (b"_id=", None),
        (b"_id=" + b"i" * MAX_PART_CHARS, "i" * MAX_PART_CHARS),
    ],
)
def test_part(query: bytes, part: str | None) -> None:
    assert draft(SUBMIT, query).part == draft(SUBMIT, b"", query).part == part


def test_long_parts_stay_different() -> None:
    long = b"_id=" + b"i" * (MAX_PART_CHARS + 1)
    first, second = draft(SUBMIT, long).part, draft(SUBMIT, long + b"i").part
    assert first
    assert second
    assert first != second
    assert len(first) == len(second) == 64


def test_each_error_of_an_array_has_a_part_of_its_own() -> None:
    body = b'[{"_id":"x"},{"_id":"y"},{}]'
    by_body = [each.part for each in parse(SUBMIT, b"", body, JSON_TYPE).drafts]
    by_query = [each.part for each in parse(SUBMIT, b"_id=q", body, JSON_TYPE).drafts]
    assert by_body == ["x", "y", None]
    assert by_query == ["q", "q#1", "q#2"]


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        (b"_msg=x", {"Msg": "x"}),
        (b"Msg=&_msg=x", {"Msg": "x"}),
        (b"_msg=x&Msg=", {"Msg": "x"}),
        (b"_msg=x&reason=y", {"Msg": "x", "reason": "y"}),
        (b"_msg=x&error=y", {"error": "y"}),
        (b"Msg=y&_msg=x", {"Msg": "y"}),
    ],
)
def test_msg_alone_on_submit(sent: bytes, fields: dict[str, str]) -> None:
    assert draft(SUBMIT, sent).fields == fields


# Log messages (PROTOCOL 8)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"_msg=hello", Draft({}, text="hello")),
        (b"_msg=hello&_t=text", Draft({}, text="hello")),
        (b"_msg=%7B%22a%22:1%7D&_t=JSON", Draft({}, text='{"a":1}', is_json=True)),
        (b"_msg=not+json&_t=json", Draft({}, text="not json", is_json=True)),
        (b"a=1&b=2", Draft({"a": "1", "b": "2"})),
        (b"a=1&_msg=", Draft({"a": "1"})),
        (b"_msg=", Draft({}, text="")),
        (b"", Draft({})),
        (b"_msg=a&_msg=b", Draft({}, text='["a", "b"]', is_json=True)),
        (b"_msg=x&_id=7&_z=1", Draft({}, text="x", part="7", reserved={"_z": "1"})),
        (b"_msg=x&Level=info", Draft({}, text="x", cut=Cut(fields=1))),
        (b"Msg=words", Draft({"Msg": "words"})),
    ],
)
def test_log(query: bytes, expected: Draft) -> None:
    assert draft(LOG, query) == expected


def test_log_message_in_json() -> None:
    found = draft(LOG, b"", b'{"_msg": {"user": 7, "name": "\xc3\xa9"}}', JSON_TYPE)
    assert found == Draft({}, text='{"user": 7, "name": "é"}', is_json=True)


def test_log_message_of_the_query_comes_first() -> None:
    assert draft(LOG, b"_msg=q", b"_msg=b").text == "q"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a" * MAX_LOG_BYTES, MAX_LOG_BYTES),
        ("a" * (MAX_LOG_BYTES + 1), MAX_LOG_BYTES),
        ("é" * MAX_LOG_BYTES, MAX_LOG_BYTES // 2),
        ("€" * MAX_LOG_BYTES, MAX_LOG_BYTES // 3),
    ],
)
def test_a_long_log_message_is_cut_and_marked(text: str, kept: int) -> None:
    found = draft(LOG, b"", b"_msg=" + text.encode())
    size = len(text.encode())
    assert found.text == text[:kept]
    assert found.cut == (Cut(body_bytes=size) if size > MAX_LOG_BYTES else None)


def test_long_log_fields_are_cut_and_marked() -> None:
    found = draft(LOG, b"a=1&b=" + b"x" * MAX_LOG_BYTES + b"&c=3&d=4")
    assert found.fields == {"a": "1", "b": "x" * (MAX_LOG_BYTES - 3)}
    assert found.cut == Cut(body_bytes=MAX_LOG_BYTES + 7, fields=2)


def test_log_fields_up_to_the_limit_stay_as_they_are() -> None:
    body = json.dumps({"a": [1, {"b": None}], "c": "x" * (MAX_LOG_BYTES - 30)}).encode()
    assert draft(LOG, b"", body, JSON_TYPE) == Draft(json.loads(body))


# Limits (PROTOCOL 6)


def test_a_cut_body_is_marked_with_its_true_size() -> None:
    parsed = SUBMIT.parse(submission(b"_s=K", b"Msg=caf\xc3", FORM, body_bytes=9_000_000))
    assert parsed.drafts == (Draft({"Msg": "caf"}, cut=Cut(body_bytes=9_000_000)),)


def test_of_a_cut_array_the_last_error_is_marked() -> None:
    request = submission(b"", b'[{"_s":"K","Msg":"a"},{"Msg":"b', JSON_TYPE, body_bytes=99)
    parsed = SUBMIT.parse(request)
    assert parsed.key == "K"
    assert parsed.drafts == (Draft({"Msg": "a"}), Draft({"Msg": "b"}, cut=Cut(body_bytes=99)))


def test_query_and_body_together_have_a_thousand_fields() -> None:
    query = "&".join(f"q{n}=1" for n in range(600)).encode()
    body = "&".join(f"b{n}=1" for n in range(600)).encode()
    found = draft(SUBMIT, query, body)
    assert len(found.fields) == 1000
    assert found.cut == Cut(fields=200)


def test_dropped_fields_and_short_names_are_marked() -> None:
    body = b"&".join(b"f%d=1" % n for n in range(1002)) + b"&_s=K"
    parsed = parse(SUBMIT, b"n" * 2000 + b"=1", body)
    assert parsed.key == "K"
    assert parsed.drafts[0].cut == Cut(fields=3, names=1)


# Replies (PROTOCOL 7)

STORED = Stored("5f0000000000000000000001", issue="6f0000000000000000000002", count=3)
ACCEPTED = Outcome(OutcomeKind.ACCEPTED, stored=(STORED,), viewers=2)


def test_hint_is_the_form_the_query_asks_for() -> None:
    table = {
        b"": "gif",
        b"_r=json": "json",
        b"a=1&_r=%4ason&b": "json",
        b"_r=+JSON+": "json",
        b"_r=img": "gif",
        b"_r=xml": "gif",
        b"_r=": "gif",
        b"_r": "gif",
        b"_r=%u": "gif",
        b"r=json": "gif",
    }
    assert {query: SUBMIT.hint(submission(query)) for query in table} == table
    assert {query: parse(LOG, query).reply for query in table} == table


def test_pixel() -> None:
    reply = SUBMIT.reply(ACCEPTED, "gif")
    assert reply.status == 200
    assert reply.body == PIXEL
    assert len(PIXEL) == 43
    assert PIXEL.startswith(b"GIF89a\x01\x00\x01\x00")
    assert dict(reply.headers) == {
        b"content-type": b"image/gif",
        b"cache-control": b"no-store",
        b"cross-origin-resource-policy": b"cross-origin",
        b"x-content-type-options": b"nosniff",
    }


def test_json_tells_what_its_sender_could_not_know() -> None:
    reply = SUBMIT.reply(ACCEPTED, "json")
    assert dict(reply.headers)[b"content-type"] == b"application/json"
    assert orjson.loads(reply.body) == {
        "success": True,
        "id": STORED.id,
        "issue": STORED.issue,
        "new": False,
        "count": 3,
        "viewers": 2,
    }


def test_json_of_a_log_message_and_of_several_errors() -> None:
    log = replace(ACCEPTED, stored=(Stored("5f0000000000000000000001"),))
    several = replace(ACCEPTED, stored=(STORED, replace(STORED, id="7f")))
    nothing = replace(ACCEPTED, stored=())  # HEAD stores nothing
    assert orjson.loads(LOG.reply(log, "json").body) == {
        "success": True,
        "id": STORED.id,
        "viewers": 2,
    }
    assert orjson.loads(SUBMIT.reply(several, "json").body)["ids"] == [STORED.id, "7f"]
    assert orjson.loads(SUBMIT.reply(nothing, "json").body) == {"success": True, "viewers": 2}


# Whatever comes


@given(st.binary(max_size=60), st.binary(max_size=60), st.text(max_size=30), st.integers(0, 9))
def test_parse_never_raises(query: bytes, body: bytes, kind: str, missing: int) -> None:
    for protocol in (SUBMIT, LOG):
        request = submission(query, body, kind, body_bytes=len(body) + missing)
        parsed = protocol.parse(request)
        assert parsed.drafts
        assert parsed.reply in {"gif", "json"}
        assert protocol.hint(request) in {"gif", "json"}
        for found in parsed.drafts:
            assert not any(name.startswith("_") for name in found.fields)
            assert all(name.startswith("_") for name in found.reserved or ())
            assert "_s" not in (found.reserved or ())
            assert found.part != ""
