"""Bytes of a query or a body → ordered fields (PROTOCOL 3 and 4), whatever is wrong with them.

Nothing here raises: what cannot be read as one thing is read as the next, at worst as a message.
"""

import codecs
import json
import re
from dataclasses import replace
from itertools import chain, zip_longest

from errorstack_live import jsontext, multipart
from errorstack_live.fields import MAX_FIELDS, MAX_NAME_BYTES, Decoded, Pair, collect, limit
from errorstack_live.jsontext import MAX_DEPTH
from errorstack_live.model import JSON

__all__ = [
    "MAX_DEPTH",
    "MAX_FIELDS",
    "MAX_NAME_BYTES",
    "MAX_OBJECTS",
    "Decoded",
    "body",
    "form",
    "text",
]

MAX_OBJECTS = 1000
"""Errors in one JSON array; the fields of the rest are counted as dropped with the last one."""


def form(raw: bytes, *, is_cut: bool = False) -> Decoded:
    """Read ``name=value&name=value``; ``is_cut``: its end is missing."""
    pieces = [piece for piece in raw.replace(b"+", b" ").split(b"&") if piece]  # 1
    dropped = 0
    if len(pieces) > MAX_FIELDS:
        pieces, dropped = limit(pieces, _is_reserved_piece)
    last = pieces[-1] if is_cut and pieces else None
    return collect([_pair(piece, piece is last) for piece in pieces], dropped)


def text(raw: bytes) -> str:
    """Read one name or value by the four steps of PROTOCOL 4."""
    return _text(raw.replace(b"+", b" "))  # 1


def body(raw: bytes, content_type: str, *, is_cut: bool = False) -> list[Decoded]:
    """Read a body by its Content-Type: one result for each error in it, at least one."""
    if not raw:
        return [Decoded()]
    media = content_type.partition(";")[0].strip().lower()
    if media == "application/x-www-form-urlencoded":
        return [form(raw, is_cut=is_cut)]
    if media == "multipart/form-data":
        fields = _multipart(raw, content_type, is_cut)
        if fields is not None:
            return [fields]
    raw = _as_utf8(raw)
    content = _characters(raw, is_cut)
    if media == "application/json" or media.endswith("+json"):
        found = _json(content, is_cut)
        if found or content.lstrip()[:1] in _JSON_STARTS:
            return found or [Decoded({"Msg": content})]
    return _sniff(raw, content, is_cut)


def _pair(piece: bytes, is_cut: bool) -> Pair:
    name, _, value = piece.partition(b"=")
    if is_cut:
        value = _CUT_ESCAPE.sub(b"", value)
    return _text(name), _text(value, is_cut)


def _text(raw: bytes, is_cut: bool = False) -> str:
    if b"%" not in raw:
        return _characters(raw, is_cut)
    if b"%u" not in raw:
        return _characters(_unescape(raw), is_cut)
    parts = _UTF16_RUN.split(raw)  # 2
    plain = [_unescape(part) for part in parts[::2]]
    runs = [
        bytes.fromhex(run.replace(b"%u", b"").decode()).decode("utf-16-be", "replace")
        for run in parts[1::2]
    ]
    try:
        texts = [part.decode() for part in plain]
    except UnicodeDecodeError:
        texts = [_cp1252(part) for part in plain]
    return "".join(chain.from_iterable(zip_longest(texts, runs, fillvalue="")))


def _unescape(raw: bytes) -> bytes:
    """Step 3; a ``%`` that begins no escape stays."""
    head, *pieces = raw.split(b"%")
    return head + b"".join(
        [(_BYTES.get(piece[:2]) or b"%" + piece[:2]) + piece[2:] for piece in pieces]
    )


def _characters(raw: bytes, is_cut: bool = False) -> str:
    """Step 4. The end of a cut text may be half a character, which is left out."""
    try:
        return codecs.utf_8_decode(raw, "strict", not is_cut)[0]
    except UnicodeDecodeError:
        return _cp1252(raw)


def _cp1252(raw: bytes) -> str:
    return codecs.charmap_decode(raw, "strict", _CP1252)[0]


def _multipart(raw: bytes, content_type: str, is_cut: bool) -> Decoded | None:
    parts, dropped = multipart.split(raw, content_type)
    if not parts:
        return None
    pairs = [(_characters(part.name), _value(part, is_cut)) for part in parts]
    return collect(pairs, dropped)


def _value(part: multipart.Part, is_cut: bool) -> JSON:
    if part.filename is None:
        return _characters(part.content, is_cut)
    return {"name": _characters(part.filename), "size": len(part.content)}


def _json(content: str, is_cut: bool) -> list[Decoded]:
    """One result for an object, one for each in an array of them; else an empty list."""
    try:
        value = jsontext.parse(content)
    except ValueError:
        value = [*jsontext.parse_cut(content)] or None if is_cut else None
    if isinstance(value, str):
        return [Decoded({"Msg": value})]
    objects = [value] if isinstance(value, dict) else value
    if not jsontext.is_objects(objects):
        return []
    results = [collect([*each.items()]) for each in objects[:MAX_OBJECTS]] or [Decoded()]
    if len(objects) > MAX_OBJECTS:
        left_out = sum(len(each) or 1 for each in objects[MAX_OBJECTS:])
        results[-1] = replace(results[-1], dropped=results[-1].dropped + left_out)
    return results


def _sniff(raw: bytes, content: str, is_cut: bool) -> list[Decoded]:
    """A JSON object, else form fields, else a message."""
    if content.lstrip()[:1] == "{":
        found = _json(content, is_cut)
        if found:
            return found
    if _FORM_START.match(raw):
        return [form(raw, is_cut=is_cut)]
    return [Decoded({"Msg": content})]


def _as_utf8(raw: bytes) -> bytes:
    """Turn UTF-16 and UTF-32 into UTF-8: with a byte order mark, or where JSON shows them."""
    if raw.startswith(_WIDE_MARKS) or _WIDE_JSON.match(raw):
        return raw.decode(json.detect_encoding(raw), "replace").encode()
    return raw.removeprefix(codecs.BOM_UTF8)


def _is_reserved_piece(piece: bytes) -> bool:
    return piece.startswith((b"_", b"s="))


_HEX = "0123456789abcdefABCDEF"
_BYTES = {(a + b).encode(): bytes.fromhex(a + b) for a in _HEX for b in _HEX}
_UTF16_RUN = re.compile(rb"((?:%u[0-9A-Fa-f]{4})++)")
_CUT_ESCAPE = re.compile(rb"%(?:[0-9A-Fa-f]|u[0-9A-Fa-f]{0,3})?\Z")
_CP1252 = "".join(
    bytes([byte]).decode("latin-1" if byte in b"\x81\x8d\x8f\x90\x9d" else "cp1252")
    for byte in range(256)
)
"""Windows' Latin-1, with Latin-1 in its five holes."""
_JSON_STARTS = ("{", "[")
_FORM_START = re.compile(rb"[^ \r\n=]*+=")
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_WIDE_JSON = re.compile(rb"\x00{0,3}[{\[]\x00|\x00{1,3}[{\[]")
