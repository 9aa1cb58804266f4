"""A parsed query as a tree, its canonical text, and the rules every reader of the tree shares.

A field's name reaches values in the way MongoDB's own paths do, so that the two evaluators
(``predicate``, ``filter``) agree: see ``path``.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

from errorstack_live.model import JSON

MEANINGS = frozenset({"level", "type", "title", "where", "issue", "id", "_new"})
"""Names that mean the error's own properties; ``fields.level`` is a sender's field."""
PROPERTIES = {"_new": "new"}
"""What a meaning is called in an error, where that is not its own name. A sender's own field
``_new`` is one of the reserved names, which no query reaches."""

SENDER_PREFIX = "fields."
MAX_PATH_PARTS = 33
"""A field of a field …: the decoder keeps 32 levels (PROTOCOL 3)."""

_CONSTANTS: dict[str, JSON] = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_INT64 = range(-(2**63), 2**63)

_BARE_WORD = re.compile(r'(?!-)(?!(?:AND|OR|NOT)$)[^\s()":<>*]+')
_BARE_NAME = re.compile(r'(?!-)[^\s()":<>*]+')
_BARE_VALUE = re.compile(r'(?![<>]|//)[^\s()",*]+')
_BARE_RANGE = re.compile(r"-?[0-9.]+\.\.-?[0-9.]+")


@dataclass(frozen=True, slots=True)
class Equals:
    """The value is this text, or the number, true, false or null that it spells."""

    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """The value is a text of this shape: ``*`` stands for any text, case does not matter."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Compare:
    """The value, a number or a text that spells one, is ``>``, ``>=``, ``<`` or ``<=`` this."""

    operator: str
    number: str


@dataclass(frozen=True, slots=True)
class Range:
    """Some value is at least ``low`` and some value at most ``high``."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Present:
    """The field is there, whatever its value; a meaning is there when it is not empty."""


Test: TypeAlias = Equals | Like | Compare | Range | Present


@dataclass(frozen=True, slots=True)
class Words:
    """The title or any text field contains this text; ``is_pattern``: ``*`` stands for any text."""

    text: str
    is_pattern: bool = False

    @property
    def segments(self) -> tuple[str, ...]:
        """The texts that must follow each other, casefolded."""
        texts = self.text.casefold().split("*") if self.is_pattern else [self.text.casefold()]
        return tuple(text for text in texts if text)


@dataclass(frozen=True, slots=True)
class Term:
    """A value that ``name`` reaches passes one of the tests."""

    name: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part matches; with no parts: everything does."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part matches."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match; what is missing does not match either, so this is true of it."""

    part: "Node"


Node: TypeAlias = Words | Term | All | Some | Not


EVERYTHING: Node = All(())
NOTHING: Node = Not(Words("*", is_pattern=True))


def all_of(parts: list[Node]) -> Node:
    """Return one node for all of them, without nesting what need not be nested."""
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, All) else (part,)
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def some_of(parts: list[Node]) -> Node:
    """Return one node for any of them."""
    if EVERYTHING in parts:
        return EVERYTHING
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, Some) else (part,)
    return flat[0] if len(flat) == 1 else Some(tuple(flat))


def not_of(part: Node) -> Node:
    """Return the contrary of a node."""
    if part in (EVERYTHING, NOTHING):
        return NOTHING if part == EVERYTHING else EVERYTHING
    return part.part if isinstance(part, Not) else Not(part)


def groups(tests: tuple[Test, ...]) -> list[list[tuple[Test, ...]]]:
    """Return a term's tests as alternatives: of each, every group is passed by some value.

    A group is passed by a value that passes one of its tests. Only a range has two groups, as
    MongoDB also lets two elements of one list keep the two sides of a range.
    """
    simple: tuple[Test, ...] = tuple(test for test in tests if not isinstance(test, Range))
    ranges: list[list[tuple[Test, ...]]] = [
        [(Compare(">=", test.low),), (Compare("<=", test.high),)]
        for test in tests
        if isinstance(test, Range)
    ]
    return [[simple], *ranges] if simple else ranges


def field_name(name: str) -> str:
    """Return the sender's field that a term's name (not a meaning) stands for."""
    return name.removeprefix(SENDER_PREFIX)


def path(name: str) -> tuple[str, ...] | None:
    """Return the steps from field to inner field that a name spells, or None where it spells none.

    A dotted name is also looked up as it is: a sender's own field may have dots in its name.
    Names with ``$`` first or empty steps are only that.
    """
    parts = tuple(name.split("."))
    is_path = len(parts) <= MAX_PATH_PARTS and all(p and not p.startswith("$") for p in parts)
    return parts if is_path else None


def candidates(text: str) -> tuple[JSON, ...]:
    """Return the JSON values that a query's text stands for: itself and what it spells."""
    if text in _CONSTANTS:
        return (text, _CONSTANTS[text])
    if _NUMBER.fullmatch(text) and abs(spelled := number(text)) != float("inf"):
        return (text, spelled)
    return (text,)


def number(text: str) -> int | float:
    """Return the number as it would be stored: 64-bit integers exactly, all else as a double."""
    if text.removeprefix("-").isdecimal() and int(text) in _INT64:
        return int(text)
    return float(text)


def canonical(node: Node) -> str:
    """Return the text that parses to this tree and is the same for every spelling of it."""
    match node:
        case All(parts):
            return " ".join(_inner(part, Some) for part in parts)
        case Some(parts):
            return " OR ".join(canonical(part) for part in parts)
        case Not(part):
            return "-" + _inner(part, (All, Some))
        case Words(text, is_pattern):
            return text if is_pattern else _quoted(text, _BARE_WORD)
        case Term(name, tests):
            return _quoted(name, _BARE_NAME) + _values(tests)


def _inner(node: Node, bracketed: type | tuple[type, ...]) -> str:
    text = canonical(node)
    return f"({text})" if isinstance(node, bracketed) else text


def _values(tests: tuple[Test, ...]) -> str:
    if len(tests) == 1 and isinstance(tests[0], Compare):
        return tests[0].operator + tests[0].number
    return ":" + ",".join(map(_value, tests))


def _value(test: Test) -> str:
    match test:
        case Present():
            return "*"
        case Like(pattern):
            return pattern
        case Range(low, high):
            return f"{low}..{high}"
        case Compare(operator, limit):
            return operator + limit
        case Equals(text) if _BARE_RANGE.fullmatch(text):
            return f'"{text}"'
        case Equals(text):
            return _quoted(text, _BARE_VALUE)


def _quoted(text: str, bare: re.Pattern[str]) -> str:
    if bare.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
