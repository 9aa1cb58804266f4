"""JSON as senders write it → values that can be stored (PROTOCOL 3).

More is read than RFC 8259 allows (control characters in text, NaN), and every value comes out
such that a document can hold it: integers beyond 64 bit, NaN and infinities as text, containers
deeper than MAX_DEPTH as their JSON text, lone surrogates as U+FFFD, NUL in names as U+2400,
a name given twice as a list.
"""

import json
import math
import re
from typing import TypeGuard, cast

from errorstack_live.fields import Pair, clean, gather
from errorstack_live.model import JSON

MAX_DEPTH = 32
"""Containers inside each other in the value of one field; deeper ones become their JSON text."""


def parse(text: str) -> JSON:
    """Read JSON text. Raises ValueError, and nothing else, when it is none."""
    text = _without_lone_surrogates(text)
    levels = _levels(text)
    try:
        value: JSON = _DECODER.decode(text)
        if not _depth_exceeds(value, levels):
            return value
    except RecursionError:
        pass
    try:
        return cast("JSON", _DECODER.decode(_flatten(text, levels)))
    except RecursionError:  # brackets that never close
        raise ValueError("JSON without an end") from None


def parse_cut(text: str) -> list[dict[str, JSON]]:
    """Read an object, or an array of objects, whose end is missing: all members that are there.

    Of the last value the start is kept, as text. An empty list: there is no whole member.
    """
    text = _without_lone_surrogates(text)
    objects = _objects(text)
    levels = _levels(text)
    is_deep = _depth_exceeds(objects, levels if text.lstrip()[:1] == "[" else levels + 1)
    if is_deep:
        objects = _objects(_flatten(text, levels))
    return [each for each in objects if each]


def write(value: JSON) -> str:
    """JSON text of a value, as short as it can be read well."""
    return json.dumps(value, ensure_ascii=False)


def is_objects(value: object) -> TypeGuard[list[dict[str, JSON]]]:
    """Tell an array of objects."""
    return type(value) is list and all(type(each) is dict for each in value)


def _object(pairs: list[Pair]) -> dict[str, JSON]:
    fields = dict(pairs)
    if len(fields) == len(pairs) and "\0" not in "".join(fields):
        return fields
    return gather((clean(name), value) for name, value in pairs)


def _integer(digits: str) -> int | str:
    if len(digits) < 19:
        return int(digits)
    value = int(digits) if len(digits) <= 20 else _MAX_INT + 1
    return value if -_MAX_INT - 1 <= value <= _MAX_INT else digits


def _number(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


_MAX_INT = (1 << 63) - 1
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_number,
    parse_constant=str,
    strict=False,
)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_STRING = r'"(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\["\\/bfnrt])*+'
_MEMBER = re.compile(rf'\s*+[{{,]\s*+({_STRING}")\s*+:\s*+')
_ELEMENT = re.compile(r"\s*+[\[,]\s*+(?=\{)")
_STRING_START = re.compile(_STRING)


def _without_lone_surrogates(text: str) -> str:
    """Replace escapes of half a pair; what is between two backslashes is no escape."""
    if not _SURROGATE.search(text):
        return text
    return _ESCAPE.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], text)


def _depth_exceeds(value: object, levels: int) -> bool:
    """Walk level by level, without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        level = [
            each
            for container in level
            for each in (container.values() if isinstance(container, dict) else container)
            if isinstance(each, dict | list)
        ]
        if not level:
            return False
    return True


def _flatten(text: str, levels: int) -> str:
    """Turn containers below ``levels`` into strings that hold their text, exactly as sent."""
    pieces: list[str] = []
    depth = start = done = 0
    for token in _TOKEN.finditer(text):
        mark = text[token.start()]
        if mark in "[{":
            depth += 1
            if depth == levels + 1:
                start = token.start()
        elif mark in "]}":
            if depth == levels + 1:
                pieces += text[done:start], json.dumps(text[start : token.end()])
                done = token.end()
            depth -= 1
    pieces.append(text[done:])
    return "".join(pieces)


def _objects(text: str) -> list[dict[str, JSON]]:
    if text.lstrip()[:1] == "{":
        return [_members(text)]
    objects: list[dict[str, JSON]] = []
    at = 0
    while element := _ELEMENT.match(text, at):
        try:
            value, at = _DECODER.raw_decode(text, element.end())
        except (ValueError, RecursionError):
            value, at = _members(text[element.end() :]), len(text)
        objects.append(value)
    return objects


def _members(text: str) -> dict[str, JSON]:
    """Read the members of an object up to where it was cut."""
    pairs: list[Pair] = []
    at = 0
    while member := _MEMBER.match(text, at):
        try:
            value, at = _DECODER.raw_decode(text, member.end())
        except (ValueError, RecursionError):
            value, at = _start_of(text[member.end() :]), len(text)
        pairs.append((_DECODER.decode(member[1]), value))
    return _object(pairs)


def _start_of(rest: str) -> str:
    """What there is of a value that was cut: of a string its content, else its text."""
    string = _STRING_START.match(rest)
    return str(_DECODER.decode(string[0] + '"')) if string else rest


def _levels(text: str) -> int:
    """Containers inside each other in a whole text, so that a field has MAX_DEPTH."""
    return MAX_DEPTH + (2 if text.lstrip()[:1] == "[" else 1)
