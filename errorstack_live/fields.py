"""Ordered fields from names and values: order kept, repeats kept, names clean, numbers bounded.

What is over a limit of PROTOCOL 6 is left out and counted, never an error.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from errorstack_live.model import JSON

MAX_FIELDS = 1000
"""Fields of one error; the rest is dropped and counted."""
MAX_NAME_BYTES = 1024
"""Of a longer name, in UTF-8, the start is kept."""

NUL_SIGN = "\u2400"
"""Stands for a NUL in a name, which no document can hold."""

Pair = tuple[str, JSON]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Fields, with how many were dropped and how many names shortened."""

    fields: dict[str, JSON] = field(default_factory=dict)
    dropped: int = 0
    shortened: int = 0


def collect(pairs: Sequence[Pair], dropped: int = 0) -> Decoded:
    """Make bounded fields of ``pairs``; ``dropped`` were left out before."""
    if len(pairs) > MAX_FIELDS:
        pairs, more = limit(pairs, lambda pair: is_reserved(pair[0]))
        dropped += more
    fields = dict(pairs)
    joined = "".join(fields)
    if len(fields) == len(pairs) and len(joined) * 4 <= MAX_NAME_BYTES and "\0" not in joined:
        return Decoded(fields, dropped)  # as nearly all are
    names = [clean(name) for name, _ in pairs]
    short = [shorten(name) for name in names]
    shortened = sum(before != after for before, after in zip(names, short, strict=True))
    values = (value for _, value in pairs)
    return Decoded(gather(zip(short, values, strict=True)), dropped, shortened)


def gather(pairs: Iterable[Pair]) -> dict[str, JSON]:
    """Keep every value: a name given twice holds the list of its values, where it first stood."""
    fields: dict[str, JSON] = {}
    repeats: dict[str, list[JSON]] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif name in repeats:
            repeats[name].append(value)
        else:
            fields[name] = repeats[name] = [fields[name], value]
    return fields


def limit(items: Sequence[T], is_reserved: Callable[[T], bool]) -> tuple[list[T], int]:
    """Keep the first MAX_FIELDS, and tell how many were left out.

    Reserved names have room of their own: the stack key often comes last.
    """
    room = {True: MAX_FIELDS, False: MAX_FIELDS}
    kept = []
    for item in items:
        kind = is_reserved(item)
        if room[kind]:
            room[kind] -= 1
            kept.append(item)
    return kept, len(items) - len(kept)


def is_reserved(name: str) -> bool:
    """Tell a reserved name (PROTOCOL 2); ``s`` may stand for the key."""
    return name.startswith("_") or name == "s"


def clean(name: str) -> str:
    """Replace what no document can hold in a name."""
    return name.replace("\0", NUL_SIGN) if "\0" in name else name


def shorten(name: str) -> str:
    """Cut a name at MAX_NAME_BYTES of UTF-8, between characters."""
    if len(name) * 4 <= MAX_NAME_BYTES:
        return name
    return name.encode()[:MAX_NAME_BYTES].decode("utf-8", "ignore")
