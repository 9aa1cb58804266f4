"""Values of any kind as a form's names and texts, within bounds.

Nested values become names with dots, ``order.id``, which the server's queries understand; a list
of plain values gives its name once for each.
"""

from __future__ import annotations

import reprlib
from itertools import islice
from typing import Any, Iterator, List, Mapping, Tuple

Texts = List[Tuple[str, str]]

MAX_FIELDS = 200
MAX_ITEMS = 50
"""Of one list, or of one mapping inside a field."""
MAX_DEPTH = 4
MAX_TEXT_CHARS = 32_768
"""Of one value; of a longer one the middle is left out and the rest says how much that was."""
MAX_NAME_CHARS = 200
MAX_ALL_CHARS = 262_144
"""Of all values together; what is past them is left out."""

_PLAIN = (str, bytes, bytearray, int, float, complex, type(None))
_LISTS = (list, tuple, set, frozenset)

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 1_000
_repr.maxdict = _repr.maxlist = _repr.maxtuple = _repr.maxset = _repr.maxfrozenset = 20
_repr.maxlevel = 3


def texts(fields: Mapping[str, Any]) -> Texts:
    """Return the fields as names and texts, in order, None as nothing."""
    found: Texts = []
    room = MAX_ALL_CHARS
    for name, value in islice(_flat("", fields, 0), MAX_FIELDS):
        room -= len(value)
        if room < 0:
            break
        found.append((name, value))
    return found


def text(value: Any) -> str:
    """Return a value's text, whatever its ``__str__`` does."""
    if isinstance(value, (bytes, bytearray)):
        return shorten(bytes(value[: MAX_TEXT_CHARS * 2]).decode("utf-8", "replace"))
    try:
        return shorten(_repr.repr(value) if isinstance(value, (dict, *_LISTS)) else str(value))
    except Exception as error:
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def shorten(whole: str, chars: int = MAX_TEXT_CHARS) -> str:
    """Return a text with its middle left out where it is too long: a trace's ends say most."""
    if len(whole) <= chars:
        return whole
    head, tail = whole[: chars // 2], whole[-chars // 2 :]
    return f"{head}\n… {len(whole) - chars} characters left out …\n{tail}"


def _flat(prefix: str, fields: Mapping[Any, Any], depth: int) -> Iterator[tuple[str, str]]:
    limit = MAX_ITEMS if depth else MAX_FIELDS
    for name, value in islice(fields.items(), limit):
        yield from _named(f"{prefix}{text(name)}"[:MAX_NAME_CHARS], value, depth)


def _named(name: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, Mapping) and depth < MAX_DEPTH:
        yield from _flat(f"{name}.", value, depth + 1)
    elif isinstance(value, _LISTS) and all(
        isinstance(item, _PLAIN) for item in islice(value, MAX_ITEMS)
    ):
        for item in islice(value, MAX_ITEMS):
            yield name, text(item)
    else:
        yield name, text(value)
