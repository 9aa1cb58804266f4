"""Which fields errors have and which values these take, counted. Pure and bounded.

The page counts the rows it holds by the same rules (`frontend/src/facets.ts`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from errorstack_live.model import JSON, Error, Fields

MAX_FIELDS_EACH = 40
"""Of one error so many fields are counted, nested ones by their path."""
MAX_NAMES = 200
"""Fields that are told of; the first that are met."""
MAX_VALUES = 2000
"""Values of one field that are told apart."""
MAX_NAME_CHARS = 200
MAX_VALUE_CHARS = 120
MAX_DEPTH = 8
SHOWN_VALUES = 20
TOLD = frozenset({"level", "levelname", "severity", "type", "Type"})
"""Names whose values the facets of level and type count already."""


@dataclass(frozen=True, slots=True)
class Facet:
    """One field: in how many errors it is, how many values it has, the most frequent of them."""

    name: str
    rows: int
    distinct: int
    values: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Counted:
    """What was counted so far."""

    rows: int = 0
    _counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, errors: Iterable[Error]) -> None:
        """Count these errors too."""
        for each in errors:
            self.rows += 1
            self._count("level", each.level.value)
            if each.type:
                self._count("type", each.type)
            for name, value in _flat(each.fields):
                if name not in TOLD and (text := _text(value)):
                    self._count(name, text)

    def facets(self) -> list[Facet]:
        """Each field that was met, in the order of the first error that has it."""
        return [
            Facet(name, values.total(), len(values), tuple(values.most_common(SHOWN_VALUES)))
            for name, values in self._counts.items()
        ]

    def _count(self, name: str, value: str) -> None:
        values = self._counts.get(name)
        if values is None:
            if len(self._counts) >= MAX_NAMES:
                return
            values = self._counts[name] = Counter()
        if value in values or len(values) < MAX_VALUES:
            values[value] += 1


def _flat(fields: Fields) -> list[tuple[str, JSON]]:
    found: list[tuple[str, JSON]] = []
    for name, value in _leaves(fields, "", MAX_DEPTH):
        if len(found) >= MAX_FIELDS_EACH:
            break
        if 0 < len(name) <= MAX_NAME_CHARS:
            found.append((name, value))
    return found


def _leaves(fields: Fields, path: str, depth: int) -> Iterator[tuple[str, JSON]]:
    for key, value in fields.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict) and value and depth:
            yield from _leaves(value, name, depth - 1)
        else:
            yield name, value


def _text(value: JSON) -> str:
    """A value as it is shown and asked for; lists and objects, and what is long, are none."""
    if isinstance(value, str):
        text = value
    elif value is None or isinstance(value, (dict, list)):
        return ""
    else:
        text = orjson.dumps(value).decode()
    return text if len(text) <= MAX_VALUE_CHARS else ""
