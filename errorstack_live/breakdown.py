"""What the errors of an issue have in common: how many have which value, field by field."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from errorstack_live.meaning import MESSAGE_NAMES, TRACE_NAMES, UNGROUPED_NAMES, USER_NAMES
from errorstack_live.model import JSON, Error

TOLD_FIRST = (
    *("release", "version", "environment", "env", "service", "browser", "platform", "Platform"),
    *("os", "device", "host", "hostname", "server", "region", "PageURL", "URL", "UserAgent"),
)
"""Names that say most, in this order; others follow by how many errors have them."""
MAX_FIELDS = 8
MAX_VALUES = 5
MAX_DISTINCT = 500
"""A field with more values than this tells nothing apart; the rest of its values are not kept."""
MAX_VALUE_CHARS = 200
_UNTOLD = UNGROUPED_NAMES | {*MESSAGE_NAMES, *TRACE_NAMES, *USER_NAMES, "args"}


@dataclass(frozen=True, slots=True)
class Part:
    """One field: its most common values with how many errors have them, and the rest counted."""

    name: str
    values: tuple[tuple[str, int], ...]
    others: int
    missing: int


def breakdown(errors: Sequence[Error], names: Iterable[str] = ()) -> list[Part]:
    """Break errors down by these fields, or by those that say most about them."""
    counts: dict[str, Counter[str]] = {}
    for error in errors:
        for name, value in error.fields.items():
            text = _text(value)
            counted = counts.setdefault(name, Counter())
            if text and (text in counted or len(counted) < MAX_DISTINCT):
                counted[text] += 1
    chosen = list(names) or _telling(counts, len(errors))
    return [_part(name, counts.get(name, Counter()), len(errors)) for name in chosen[:MAX_FIELDS]]


def _telling(counts: dict[str, Counter[str]], total: int) -> list[str]:
    """Fields of which many errors have the same values: an id of its own for each tells nothing."""
    rank = {name: place for place, name in enumerate(TOLD_FIRST)}
    told = [
        name
        for name, counted in counts.items()
        if name not in _UNTOLD
        and counted
        and (name in rank or len(counted) <= max(1, counted.total() // 2))
    ]
    return sorted(told, key=lambda name: (rank.get(name, len(rank)), total - counts[name].total()))


def _part(name: str, counted: Counter[str], total: int) -> Part:
    common = counted.most_common(MAX_VALUES)
    shown = sum(count for _, count in common)
    missing = total - counted.total()
    return Part(name, tuple(common), counted.total() - shown, missing)


def _text(value: JSON) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else str(value).lower()
    return " ".join(text[:MAX_VALUE_CHARS].split())
