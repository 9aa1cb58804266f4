"""The record of a stack: which fields and values its errors had, as far as one process knows.

It decides what is worth telling as new: a field always, a value only of a field that has few.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from errorstack_live.first import named
from errorstack_live.model import Fields

MAX_FIELDS = 500
"""Names of fields known of a stack; further ones are never called new."""
MAX_VALUES = 50
"""A field with more values is one of many, and none of them is called new."""
MAX_STACK_VALUES = 5_000
"""Values known of a stack; when there are more, further ones are never called new."""
ESTABLISHED = 10
"""A field's value is called new once so many errors had the field ..."""
SPREAD = 5
"""... and so many, on average, had each of its values: else every user would be new."""
MAX_SEEN = 10_000
"""Errors that had a field are counted up to here; more would say nothing more."""
DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Met:
    """A field, or one value of it, that the record did not have; ``is_news`` if that is worth
    telling, should no other process have had it either."""

    name: str
    value: str | None
    is_news: bool


@dataclass(slots=True)
class Field:
    """What is known of a field.

    ``values`` are digests, None where they are too many to be told apart. ``texts`` are those that
    this process has met: looking one up needs no digest. ``told`` is how many values others count.
    """

    seen: int = 0
    unwritten: int = 0
    told: int = 0
    values: set[str] | None = field(default_factory=set)
    texts: set[str] = field(default_factory=set)

    @property
    def value_count(self) -> int:
        """How many values it has had."""
        return max(self.told, MAX_VALUES + 1 if self.values is None else len(self.values))

    @property
    def is_telling(self) -> bool:
        """Whether a further value would be news."""
        return self.seen >= ESTABLISHED and self.value_count * SPREAD <= self.seen


class Record:
    """One stack's fields and values. ``read_at`` is by the monotonic clock."""

    def __init__(self, read_at: float) -> None:
        self.read_at = read_at
        self.is_used = False
        self.fields: dict[str, Field] = {}
        self._value_count = 0

    def learn(self, fields: Fields) -> Iterator[Met]:
        """Take in an error's fields; yield what it had before nobody else, as far as is known.

        All of a stack's first error is new, and not worth telling.
        """
        self.is_used = True
        is_first = not self.fields
        for name, text in named(fields):
            known = self.fields.get(name)
            if known is None:
                if len(self.fields) >= MAX_FIELDS:
                    continue
                known = self.fields[name] = Field()
                yield Met(name, None, not is_first)
            if text is not None and known.values is not None and text not in known.texts:
                yield from self._learn_value(known, name, text)
            if known.seen < MAX_SEEN:
                known.seen += 1
                known.unwritten += 1

    def _learn_value(self, known: Field, name: str, text: str) -> Iterator[Met]:
        assert known.values is not None  # asked by the caller
        if digest(text) in known.values:
            known.texts.add(text)
        elif len(known.values) >= MAX_VALUES:
            self._widen(known)
        elif self._value_count < MAX_STACK_VALUES:
            is_news = known.is_telling
            known.texts.add(text)
            known.values.add(digest(text))
            self._value_count += 1
            yield Met(name, text, is_news)

    def take_field(self, name: str, seen: int, told: int, *, is_wide: bool) -> None:
        """Take over what the database has of a field: what all processes counted."""
        if name not in self.fields and len(self.fields) >= MAX_FIELDS:
            return
        known = self.fields.setdefault(name, Field())
        known.seen = max(known.seen, seen + known.unwritten)
        known.told = max(known.told, told)
        if is_wide:
            self._widen(known)

    def take_values(self, name: str, digests: set[str]) -> None:
        """Take over which values the database has of a field."""
        known = self.fields[name]
        if known.values is None:
            return
        self._value_count += len(digests - known.values)
        known.values |= digests

    def forget(self, word: str) -> None:
        """Not to know what a word of ``Error.new`` tells of."""
        kind, _, rest = word.partition(":")
        name, _, text = rest.partition("=") if kind == "value" else (rest, "", "")
        known = self.fields.get(name)
        if known is None:
            return
        if kind == "field":
            del self.fields[name]
        elif known.values is not None:
            known.texts.discard(text)
            known.values.discard(digest(text))

    def _widen(self, known: Field) -> None:
        if known.values is not None:
            self._value_count -= len(known.values)
        known.values = None
        known.texts.clear()


def digest(text: str) -> str:
    """What is kept of a value or a name: enough to know it again, and not to tell it."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).hexdigest()
