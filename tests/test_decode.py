"""Bytes to fields: PROTOCOL 3, 4 and 6 row by row, and by property."""

import codecs
import json
import math
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errorstack_live import decode
from errorstack_live.decode import MAX_DEPTH, MAX_FIELDS, MAX_NAME_BYTES, MAX_OBJECTS, Decoded
from errorstack_live.fields import clean, gather
from errorstack_live.jsontext import parse, parse_cut
from errorstack_live.model import JSON

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
JSON_TYPE = "application/json"
CONTENT_TYPES = (FORM, MULTIPART, "multipart/form-data", JSON_TYPE, "text/plain", "", "image/png")

LOOSE_PIECES = (
    *(b"%", b"%u", b"%uD83D", b"%uDE00", b"%u20ac", b"%u0000", b"%E9", b"%c3", b"%A9"),
    *(b"+", b"&", b"=", b"\xc3", b"\xa9", b"\xff", b"u", b"8", b"g", b"_s=", b"\0"),
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\\ud800", b"1e999", b"NaN"),
    *(b"\r\n", b"\n", b"--x", b"--", b";", b'name="', b"Content-Disposition: form-data"),
)
LOOSE_BYTES = st.one_of(
    st.binary(max_size=80),
    st.lists(st.sampled_from(LOOSE_PIECES), max_size=40).map(b"".join),
)


# PROTOCOL 4: names and values


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (
            b"Uncaught%20Error%3A%20caf%E9%20%u20AC%20a+b%20%26c%3D%25d%20%uD83D%uDE00",
            "Uncaught Error: café € a b &c=%d 😀",
        ),
        (b"node died", "node died"),
        (b"caf%c3%a9", "café"),
        (b"caf%E9", "café"),
        (b"100%", "100%"),
        (b"%E", "%E"),
        (b"", ""),
        (b"%", "%"),
        (b"%%41", "%A"),
        (b"%2B+", "+ "),  # a plus that was escaped is no space
        (b"%25u20AC", "%u20AC"),  # decoded once
        (b"%u20A", "%u20A"),
        (b"%U20AC", "%U20AC"),  # escape() writes a small u
        (b"%80%81%8d%8f%90%9d", "€\x81\x8d\x8f\x90\x9d"),  # the five holes
        (b"\xff", "ÿ"),
        (b"caf\xe9 %u20AC", "café €"),
        (b"caf\xc3\xa9 %u20AC", "café €"),
        (b"%C3%u20AC%A9", "Ã€©"),  # bytes on both sides of %u are not one character
        (b"%C3%A9 %u20AC %E9", "Ã© € é"),  # one value has one encoding
        (b"%uD83D", "\ufffd"),
        (b"%uDE00%uD83D", "\ufffd\ufffd"),
        (b"%uD83DA%uDE00", "\ufffdA\ufffd"),
        (b"%uD83D%u0041", "\ufffdA"),
        (b"%ED%A0%BD", "í\xa0½"),  # a surrogate is no UTF-8
        (b"a%00b%u0000", "a\0b\0"),
    ],
)
def test_text(sent: bytes, meant: str) -> None:
    assert decode.text(sent) == meant


def slow_text(raw: bytes) -> str:
    """The four steps of PROTOCOL 4 one character at a time: the reference to hold against."""
    raw = bytes(ord(" ") if byte == ord("+") else byte for byte in raw)
    units: list[int | bytes] = []  # a UTF-16 code unit, or a byte
    at = 0
    while at < len(raw):
        if raw[at : at + 2] == b"%u" and _is_hex(raw[at + 2 : at + 6], 4):
            units.append(int(raw[at + 2 : at + 6], 16))
            at += 6
        elif raw[at : at + 1] == b"%" and _is_hex(raw[at + 1 : at + 3], 2):
            units.append(bytes([int(raw[at + 1 : at + 3], 16)]))
            at += 3
        else:
            units.append(raw[at : at + 1])
            at += 1
    pieces: list[bytes | str] = []
    for unit in units:
        last = pieces[-1] if pieces else None
        if isinstance(unit, int):
            pieces[len(pieces) - isinstance(last, str) :] = [
                (last if isinstance(last, str) else "") + chr(unit)
            ]
        else:
            pieces[len(pieces) - isinstance(last, bytes) :] = [
                (last if isinstance(last, bytes) else b"") + unit
            ]
    try:
        return "".join(_joined(each) if isinstance(each, str) else each.decode() for each in pieces)
    except UnicodeDecodeError:
        return "".join(
            _joined(each) if isinstance(each, str) else "".join(map(_windows, each))
            for each in pieces
        )


def _is_hex(raw: bytes, size: int) -> bool:
    return len(raw) == size and all(byte in b"0123456789abcdefABCDEF" for byte in raw)


def _joined(units: str) -> str:
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _windows(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


@given(LOOSE_BYTES)
def test_text_follows_the_four_steps(raw: bytes) -> None:
    assert decode.text(raw) == slow_text(raw)


@given(LOOSE_BYTES)
def test_text_can_always_be_stored(raw: bytes) -> None:
    decode.text(raw).encode()


def javascript_escape(text: str) -> str:
    units = text.encode("utf-16-be")
    codes = [units[at] << 8 | units[at + 1] for at in range(0, len(units), 2)]
    return "".join(f"%{code:02X}" if code < 256 else f"%u{code:04X}" for code in codes)


@given(st.text())
def test_what_is_quoted_comes_back(text: str) -> None:
    assert decode.text(quote_plus(text).encode()) == text
    assert decode.text(quote(text).encode()) == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
@example("café €")
@example("😀 naïve")
def test_what_javascript_escaped_comes_back(text: str) -> None:
    latin = bytes(ord(char) for char in text if ord(char) < 256)
    parts = "".join(char if ord(char) < 256 else "\0" for char in text).split("\0")
    if not latin.isascii() and all(_is_utf8(part.encode("latin-1")) for part in parts):
        return  # nobody can tell these from UTF-8
    assert decode.text(javascript_escape(text).encode()) == text


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


# Forms


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        (b"", {}),
        (b"&&", {}),
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"b=2&a=1", {"b": "2", "a": "1"}),
        (b"a=1&b=x&a=2&a=3", {"a": ["1", "2", "3"], "b": "x"}),
        (b"a", {"a": ""}),
        (b"=a", {"": "a"}),
        (b"a=b=c", {"a": "b=c"}),
        (b"a;b=c", {"a;b": "c"}),
        (b"Msg=node died", {"Msg": "node died"}),
        (b"m+s+g=a+b", {"m s g": "a b"}),
        (b"a%00=1&a%E2%90%80=2", {"a\u2400": ["1", "2"]}),
        (b"$a.b=1&A=2&a=3", {"$a.b": "1", "A": "2", "a": "3"}),
        (b"%FF=%FF", {"ÿ": "ÿ"}),
    ],
)
def test_form(sent: bytes, fields: dict[str, JSON]) -> None:
    decoded = decode.form(sent)
    assert decoded == Decoded(fields)
    assert list(decoded.fields) == list(fields)


@given(st.lists(st.tuples(st.text(), st.text())))
def test_form_round_trip(pairs: list[tuple[str, str]]) -> None:
    sent = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
    expected: dict[str, list[str]] = {}
    for name, value in pairs:
        expected.setdefault(clean(name), []).append(value)

    found = decode.form(sent.encode()).fields

    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name] == (values[0] if len(values) == 1 else values)


# PROTOCOL 6: limits


def test_the_first_thousand_fields_are_kept_and_the_rest_is_counted() -> None:
    sent = "&".join(f"f{n}={n}" for n in range(MAX_FIELDS + 7))
    as_json = json.dumps({f"f{n}": n for n in range(MAX_FIELDS + 7)})
    for decoded in (decode.form(sent.encode()), decode.body(as_json.encode(), JSON_TYPE)[0]):
        assert len(decoded.fields) == MAX_FIELDS
        assert list(decoded.fields)[-1] == f"f{MAX_FIELDS - 1}"
        assert decoded.dropped == 7


def test_values_of_one_name_count_as_fields() -> None:
    decoded = decode.form(b"a=1&" * (MAX_FIELDS + 1))
    assert decoded == Decoded({"a": ["1"] * MAX_FIELDS}, dropped=1)


def test_a_key_at_the_end_is_found_behind_too_many_fields() -> None:
    sent = b"a=1&" * (MAX_FIELDS + 1) + b"_s=K&s=L"
    decoded = decode.form(sent)
    assert (decoded.fields["_s"], decoded.fields["s"]) == ("K", "L")
    assert decoded.dropped == 1


@pytest.mark.parametrize(
    ("name", "kept", "shortened"),
    [
        ("a" * MAX_NAME_BYTES, "a" * MAX_NAME_BYTES, 0),
        ("a" * (MAX_NAME_BYTES + 1), "a" * MAX_NAME_BYTES, 1),
        ("é" * MAX_NAME_BYTES, "é" * (MAX_NAME_BYTES // 2), 1),
        ("a" + "€" * MAX_NAME_BYTES, "a" + "€" * 341, 1),  # never half a character
        ("😀" * (MAX_NAME_BYTES // 4), "😀" * (MAX_NAME_BYTES // 4), 0),
    ],
)
def test_names_are_kept_up_to_their_limit(name: str, kept: str, shortened: int) -> None:
    expected = Decoded({kept: "1"}, shortened=shortened)
    assert decode.form(f"{quote(name)}=1".encode()) == expected
    assert decode.body(json.dumps({name: "1"}).encode(), JSON_TYPE) == [expected]


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        (b"a=1&b=caf%C3", {"a": "1", "b": "caf"}),
        (b"a=1&b=caf\xc3", {"a": "1", "b": "caf"}),
        (b"a=1&b=%E2%82", {"a": "1", "b": ""}),
        (b"a=1&b=x%2", {"a": "1", "b": "x"}),
        (b"a=1&b=x%u20A", {"a": "1", "b": "x"}),
        (b"a=1&b=x%u20AC", {"a": "1", "b": "x€"}),
        (b"a=caf%C3&b=1", {"a": "cafÃ", "b": "1"}),  # only the end was cut
        (b"a=1&b", {"a": "1", "b": ""}),
        (b"", {}),
    ],
)
def test_a_form_that_was_cut_ends_with_a_whole_character(
    sent: bytes, fields: dict[str, JSON]
) -> None:
    assert decode.form(sent, is_cut=True) == Decoded(fields)


# PROTOCOL 3: bodies


@pytest.mark.parametrize(
    ("content_type", "sent", "fields"),
    [
        (FORM, b"Msg=x", {"Msg": "x"}),
        (f"{FORM}; charset=ISO-8859-1", b"Msg=caf%c3%a9", {"Msg": "café"}),
        (FORM.upper() + " ;x", b"Msg=caf%e9", {"Msg": "café"}),
        (FORM, b'{"Msg":"x"}', {'{"Msg":"x"}': ""}),  # what its sender said it is
        (JSON_TYPE, b'{"a":{"b":[1,null,true,"x",1.5]}}', {"a": {"b": [1, None, True, "x", 1.5]}}),
        ("Application/JSON; charset=utf-8", b'{"a":1}', {"a": 1}),
        ("application/problem+json", b'{"a":1}', {"a": 1}),
        (JSON_TYPE, b'"words"', {"Msg": "words"}),
        (JSON_TYPE, b"5", {"Msg": "5"}),
        (JSON_TYPE, b"[1,2]", {"Msg": "[1,2]"}),
        (JSON_TYPE, b'[{"a":1},2]', {"Msg": '[{"a":1},2]'}),
        (JSON_TYPE, b"[]", {}),
        (JSON_TYPE, b"{}", {}),
        (JSON_TYPE, b'{"a":"x=y', {"Msg": '{"a":"x=y'}),
        (JSON_TYPE, b"Msg=x&b=1", {"Msg": "x", "b": "1"}),
        (JSON_TYPE, b"", {}),
        ("text/plain", b'{"a":1}', {"a": 1}),
        ("text/plain", b'\n {"a":1} ', {"a": 1}),
        ("text/plain", b'{"a=1', {'{"a': "1"}),
        ("text/plain", b'[{"a":1}]', {"Msg": '[{"a":1}]'}),
        ("text/plain", b"a=1&b=2", {"a": "1", "b": "2"}),
        ("text/plain", b"a=x y\nz", {"a": "x y\nz"}),
        ("text/plain", b"it is a=1", {"Msg": "it is a=1"}),
        ("text/plain", b"line\na=1", {"Msg": "line\na=1"}),
        ("text/plain", b"100%25+1 %u20AC", {"Msg": "100%25+1 %u20AC"}),
        ("text/plain", "Größe".encode("cp1252"), {"Msg": "Größe"}),
        ("text/plain", codecs.BOM_UTF8 + b"a=1", {"a": "1"}),
        ("text/plain", "x €".encode("utf-16"), {"Msg": "x €"}),
        ("text/plain", "a=€".encode("utf-16"), {"a": "€"}),
        ("", b"a=1", {"a": "1"}),
        ("", b"hello", {"Msg": "hello"}),
        ("image/png", b"\x89PNG", {"Msg": "‰PNG"}),
        ("nonsense;;", b"hello", {"Msg": "hello"}),
        ("", b"", {}),
    ],
)
def test_body(content_type: str, sent: bytes, fields: dict[str, JSON]) -> None:
    assert decode.body(sent, content_type) == [Decoded(fields)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-16", "utf-32"])
def test_json_in_any_unicode(encoding: str) -> None:
    sent = '{"Msg": "Größe 😀"}'.encode(encoding)
    assert decode.body(sent, JSON_TYPE) == [Decoded({"Msg": "Größe 😀"})]


def test_an_array_of_objects_is_one_error_each() -> None:
    sent = b'[{"Msg":"a"},{"Msg":"b","Line":1}]'
    assert decode.body(sent, JSON_TYPE) == [
        Decoded({"Msg": "a"}),
        Decoded({"Msg": "b", "Line": 1}),
    ]


def test_an_array_has_at_most_so_many_errors() -> None:
    sent = json.dumps([{"Msg": n, "x": 1} for n in range(MAX_OBJECTS)] + [{}, {"a": 1, "b": 2}])
    decoded = decode.body(sent.encode(), JSON_TYPE)
    assert len(decoded) == MAX_OBJECTS
    assert decoded[-1] == Decoded({"Msg": MAX_OBJECTS - 1, "x": 1}, dropped=3)


# JSON


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775808", -9223372036854775808),
        ("-9223372036854775809", "-9223372036854775809"),
        ("1" * 5000, "1" * 5000),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("-1e999", "-1e999"),
        ("1e-999", 0.0),
        ("1.0", 1.0),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\ud83d"', "\ufffd"),
        ('"\\ude00\\ud83d"', "\ufffd\ufffd"),
        ('"\\ud83d\\n"', "\ufffd\n"),
        ('"\\\\ud83d"', "\\ud83d"),
        ('"\\u0000"', "\0"),
        ('"a\nb\tc"', "a\nb\tc"),  # as many senders forget to escape
        ('{"a\\u0000":1,"a\u2400":2}', {"a\u2400": [1, 2]}),
        ('{"a":1,"b":2,"a":3}', {"a": [1, 3], "b": 2}),
        ('{"a":[1],"a":[2],"a":[3]}', {"a": [[1], [2], [3]]}),
        ('{"":1}', {"": 1}),
        (nested(MAX_DEPTH), json.loads(nested(MAX_DEPTH))),
    ],
)
def test_json_values(text: str, value: JSON) -> None:
    assert parse(f'{{"x":{text}}}') == {"x": value}
    assert parse(f'[{{"x":{text}}}]') == [{"x": value}]


def test_deeper_values_become_their_text() -> None:
    inner = '{"k": [1, "]}\\"", {"z":2}]}'
    sent = "[" * MAX_DEPTH + f"{inner}, 7" + "]" * MAX_DEPTH
    (found,) = decode.body(f'{{"x":{sent},"y":[{nested(5)}]}}'.encode(), JSON_TYPE)
    assert found.fields == {
        "x": json.loads("[" * MAX_DEPTH + json.dumps([inner, 7])[1:-1] + "]" * MAX_DEPTH),
        "y": [json.loads(nested(5))],
    }


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[{" * 50_000])
def test_brackets_that_never_close_are_a_message(text: str) -> None:
    assert decode.body(text.encode(), JSON_TYPE) == [Decoded({"Msg": text})]


def test_brackets_without_number_that_close_are_text() -> None:
    (found,) = decode.body(f'{{"a":{nested(100_000)}}}'.encode(), JSON_TYPE)
    assert storable(found.fields["a"]) == MAX_DEPTH


@pytest.mark.parametrize(
    ("sent", "results"),
    [
        ('{"Msg":"a","Line":5,"stack":"at f\\nat', [{"Msg": "a", "Line": 5, "stack": "at f\nat"}]),
        ('{"Msg":"caf\\u00e', [{"Msg": "caf"}]),
        ('{"Msg":"a\\', [{"Msg": "a"}]),
        ('{"Msg":"a","x":[1,{"b":2', [{"Msg": "a", "x": '[1,{"b":2'}]),
        ('{"Msg":"a","na', [{"Msg": "a"}]),
        ('{"Msg":"a","n":tr', [{"Msg": "a", "n": "tr"}]),
        ('{"Msg":"a"', [{"Msg": "a"}]),
        ('[{"Msg":"a"},{"Msg":"b","x":"y', [{"Msg": "a"}, {"Msg": "b", "x": "y"}]),
        ('[{"Msg":"a"},{"Msg":"b"},', [{"Msg": "a"}, {"Msg": "b"}]),
        ('{"M', [{"Msg": '{"M'}]),
        ("[1,2,", [{"Msg": "[1,2,"}]),
    ],
)
def test_json_that_was_cut_keeps_what_there_is(sent: str, results: list[dict[str, JSON]]) -> None:
    found = decode.body(sent.encode(), JSON_TYPE, is_cut=True)
    assert [decoded.fields for decoded in found] == results


def test_deep_json_that_was_cut() -> None:
    sent = f'{{"a":{nested(40)},"b":{"[" * 2000}'
    (found,) = parse_cut(sent)
    assert storable(found["a"]) == MAX_DEPTH
    assert str(found["b"]).startswith("[[[")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def as_stored(value: Any) -> JSON:
    """What DESIGN 2.9 makes of a JSON value."""
    if isinstance(value, dict):
        return {name: as_stored(each) for name, each in value.items()}
    if isinstance(value, list):
        return [as_stored(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)
    if type(value) is int and not -(2**63) <= value < 2**63:
        return str(value)
    return value  # type: ignore[no-any-return]


@given(st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), VALUES))
def test_json_round_trip(sent: dict[str, JSON]) -> None:
    expected = as_stored(sent)
    assert isinstance(expected, dict)
    for ensure_ascii in (True, False):
        body = json.dumps(sent, ensure_ascii=ensure_ascii).replace("\\u0000", "\\u0001")
        (found,) = decode.body(body.encode(), JSON_TYPE)
        assert found.fields == json.loads(json.dumps(expected).replace("\\u0000", "\\u0001"))
        assert list(found.fields) == list(expected)


# multipart


def multipart(*parts: tuple[str, str], end: str = "--x--\r\n", line: str = "\r\n") -> bytes:
    head = 'Content-Disposition: form-data; name="{}"'
    return (
        "".join(
            f"--x{line}{head.format(name)}{line}{line}{value}{line}" for name, value in parts
        ).encode()
        + end.encode()
    )


@pytest.mark.parametrize(
    ("content_type", "sent", "fields"),
    [
        (MULTIPART, multipart(("a", "1"), ("b", "ü €"), ("a", "2")), {"a": ["1", "2"], "b": "ü €"}),
        (MULTIPART, multipart(("a", "x%20+%u20AC")), {"a": "x%20+%u20AC"}),
        (MULTIPART, multipart(("a", "")), {"a": ""}),
        (MULTIPART, multipart(("a", "x\r\n")), {"a": "x\r\n"}),
        (MULTIPART, multipart(("a", "x\r")), {"a": "x\r"}),
        (MULTIPART, multipart(("a", "--x in it\r\n--xy\r\n")), {"a": "--x in it\r\n--xy\r\n"}),
        (MULTIPART, multipart(("a", "1"), end=""), {"a": "1"}),
        (MULTIPART, multipart(("a", "1"), end="--"), {"a": "1"}),
        (MULTIPART, multipart(("a", "1"), end="--x"), {"a": "1", "": ""}),
        (MULTIPART, multipart(("a", "1"), line="\n"), {"a": "1"}),
        (MULTIPART, b"preamble\r\n" + multipart(("a", "1")) + b"epilogue", {"a": "1"}),
        (MULTIPART, multipart(("a", "1")).replace(b"--x\r", b"--x \t\r"), {"a": "1"}),
        ('multipart/form-data; boundary="x"', multipart(("a", "1")), {"a": "1"}),
        ("multipart/form-data; Boundary=x; charset=utf-8", multipart(("a", "1")), {"a": "1"}),
        ("multipart/form-data", multipart(("a", "1")), {"a": "1"}),
        ("multipart/form-data; boundary=wrong", multipart(("a", "1")), {"a": "1"}),
        ("multipart/form-data; boundary=", multipart(("a", "1")), {"a": "1"}),
        (MULTIPART, b"a=1&b=2", {"a": "1", "b": "2"}),
        (MULTIPART, b'{"a":1}', {"a": 1}),
        (MULTIPART, b"no boundary anywhere", {"Msg": "no boundary anywhere"}),
        (MULTIPART, b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", {"a": "1"}),
        (MULTIPART, b"--x\r\n\r\nnameless\r\n--x--", {"": "nameless"}),
        (MULTIPART, b'--x\r\nContent-Disposition: form-data; name="a', {"a": ""}),
        (MULTIPART, multipart(("%22q%22%0D%0A", "1")), {'"q"\r\n': "1"}),
        (MULTIPART, multipart(('\\"q\\"', "1")), {'"q"': "1"}),
        (MULTIPART, multipart(("a\0b", "1")), {"a\u2400b": "1"}),
        (MULTIPART, multipart(("caf\u00e9", "1")).replace(b"\xc3\xa9", b"\xe9"), {"café": "1"}),
        (
            MULTIPART,
            multipart(('f"; filename="C:\\dir\\a.txt', "content")),
            {"f": {"name": "C:\\dir\\a.txt", "size": 7}},
        ),
        (
            MULTIPART,
            multipart(('f"; filename="', "")),
            {"f": {"name": "", "size": 0}},
        ),
    ],
)
def test_multipart(content_type: str, sent: bytes, fields: dict[str, JSON]) -> None:
    assert decode.body(sent, content_type) == [Decoded(fields)]


def test_multipart_that_is_too_much() -> None:
    sent = multipart(*((f"f{n}", "1") for n in range(5000)))
    (found,) = decode.body(sent, MULTIPART)
    assert len(found.fields) == MAX_FIELDS
    assert found.dropped == 4000


@given(st.lists(st.tuples(st.text("abcé😀", max_size=5), st.text()), min_size=1))
def test_multipart_round_trip(pairs: list[tuple[str, str]]) -> None:
    (found,) = decode.body(multipart(*pairs), MULTIPART)
    assert found.fields == gather(pairs)


@given(st.lists(st.tuples(st.text("abc", max_size=5), st.text("ab\r\n-x")), min_size=1), st.data())
def test_truncated_multipart_yields_its_start(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    whole = multipart(*pairs)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    (found,) = decode.body(cut, MULTIPART)
    assert set(found.fields) <= {name[:size] for name, _ in pairs for size in range(6)} | {"Msg"}


# Whatever comes


def storable(value: JSON, depth: int = 0) -> int:
    """Check a value and tell how deep its containers go."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, int):
        assert -(2**63) <= value < 2**63
    elif isinstance(value, list):
        return max([storable(each, depth + 1) for each in value], default=depth + 1)
    elif isinstance(value, dict):
        for name in value:
            assert "\0" not in name
            name.encode()
        return max([storable(each, depth + 1) for each in value.values()], default=depth + 1)
    return depth


@given(LOOSE_BYTES, st.sampled_from(CONTENT_TYPES), st.booleans())
@example(b"\x00{", JSON_TYPE, False)
@example(b"{\x00", "", True)
@example(b"\xff\xfe\x00\xd8", "", False)
@example(b'{"\\q":1,', JSON_TYPE, True)
def test_any_body_becomes_fields_that_can_be_stored(
    raw: bytes, content_type: str, is_cut: bool
) -> None:
    found = decode.body(raw, content_type, is_cut=is_cut)
    assert found
    for decoded in found:
        for name, value in decoded.fields.items():
            assert "\0" not in name
            assert len(name.encode()) <= MAX_NAME_BYTES
            assert storable(value) <= MAX_DEPTH + 1


@given(st.text(), st.binary())
def test_any_content_type(content_type: str, raw: bytes) -> None:
    assert decode.body(raw, content_type)


HOSTILE: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "separators": (FORM, lambda n: b"&" * n),
    "fields": (FORM, lambda n: b"a&" * n),
    "reserved": (FORM, lambda n: b"_a&" * n),
    "percents": (FORM, lambda n: b"a=" + b"%" * n),
    "escapes": (FORM, lambda n: b"a=" + b"%41" * n),
    "runs": (FORM, lambda n: b"a=" + b"%u20AC" * n),
    "half runs": (FORM, lambda n: b"a=" + b"%u20A%u" * n),
    "open brackets": (JSON_TYPE, lambda n: b"[" * n),
    "brackets": (JSON_TYPE, lambda n: b'{"a":' + nested(n).encode() + b"}"),
    "arrays": (JSON_TYPE, lambda n: b"[" + b"[]," * n + b"[]]"),
    "objects": (JSON_TYPE, lambda n: b"[" + b"{}," * n + b"{}]"),
    "members": (JSON_TYPE, lambda n: b"{" + b'"a":1,' * n + b'"a":1}'),
    "digits": (JSON_TYPE, lambda n: b'{"a":' + b"1" * n + b"}"),
    "backslashes": (JSON_TYPE, lambda n: b'{"a":"' + b"\\" * n),
    "surrogates": (JSON_TYPE, lambda n: b'{"a":"' + b"\\ud83d" * n + b'"}'),
    "quotes": (JSON_TYPE, lambda n: b'"' * n),
    "parts": (MULTIPART, lambda n: b"--x\r\n\r\n\r\n" * n),
    "parameters": (MULTIPART, lambda n: b"--x\r\nContent-Disposition: form-data" + b";a=b" * n),
    "line ends": (MULTIPART, lambda n: b"\r" * n),
}


def steps(call: Callable[[], object]) -> int:
    """Lines of Python that run: a measure of work that no other load can disturb."""
    count = 0

    def trace(_frame: FrameType, _event: str, _argument: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("is_cut", [False, True])
def test_hostile_input_costs_in_proportion_to_its_size(kind: str, *, is_cut: bool) -> None:
    content_type, make = HOSTILE[kind]
    few, many = (
        steps(partial(decode.body, make(size), content_type, is_cut=is_cut))
        for size in (5_000, 20_000)
    )
    assert many <= 4.4 * few + 1_000
