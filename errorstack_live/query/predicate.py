"""A query's tree to a function that says whether one error matches it.

The functions are built once and called for every error of a stack and every view of it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter, ge, gt, le, lt
from typing import TypeAlias

from errorstack_live.model import JSON, Error, Fields
from errorstack_live.query import pattern
from errorstack_live.query.node import (
    MEANINGS,
    PROPERTIES,
    All,
    Compare,
    Equals,
    Like,
    Node,
    Not,
    Some,
    Term,
    Test,
    Words,
    candidates,
    field_name,
    groups,
    number,
    path,
)

Predicate: TypeAlias = Callable[[Error], bool]
Check: TypeAlias = Callable[[JSON], bool]

_RELATIONS: dict[str, Callable[[float, float], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}


def compiled(node: Node) -> Predicate:
    """Return the function; it never raises, whatever an error's fields are."""
    match node:
        case Words():
            return _words(node.segments)
        case Term(name, tests):
            return _term(name, tests)
        case Not(part):
            inner = compiled(part)
            return lambda error: not inner(error)
        case All(parts):
            return _all([compiled(part) for part in parts])
        case Some(parts):
            return _any([compiled(part) for part in parts])


def _words(segments: tuple[str, ...]) -> Predicate:
    if len(segments) == 1:
        only = segments[0]
        return lambda error: only in error.search
    return lambda error: _follow(error.search, segments)


def _follow(text: str, segments: tuple[str, ...]) -> bool:
    at = 0
    for segment in segments:
        found = text.find(segment, at)
        if found < 0:
            return False
        at = found + len(segment)
    return True


def _term(name: str, tests: tuple[Test, ...]) -> Predicate:
    return _any([_all([_reaching(name, group) for group in one]) for one in groups(tests)])


def _all(parts: Sequence[Predicate]) -> Predicate:
    return parts[0] if len(parts) == 1 else lambda error: all(part(error) for part in parts)


def _any(parts: Sequence[Predicate]) -> Predicate:
    return parts[0] if len(parts) == 1 else lambda error: any(part(error) for part in parts)


def _reaching(name: str, tests: tuple[Test, ...]) -> Predicate:
    """Return a predicate that is true when a value the name reaches passes one of the tests."""
    if name in MEANINGS:
        get, says = attrgetter(PROPERTIES.get(name, name)), _check(tests, present=bool)
        if name == "_new":  # the only one that has several values
            return lambda error: any(map(says, get(error)))
        return lambda error: says(get(error))
    name, check = field_name(name), _check(tests)
    steps = path(name)
    if steps is not None and len(steps) == 1:
        return lambda error: name in error.fields and _passes(error.fields[name], check)
    return lambda error: any(map(check, _reached(error.fields, name, steps)))


def _passes(value: JSON, check: Check) -> bool:
    if isinstance(value, list):
        return any(map(check, value)) or check(value)
    return check(value)


def _reached(fields: Fields, name: str, steps: tuple[str, ...] | None) -> Iterator[JSON]:
    if name in fields:
        yield from _leaves(fields[name])
    if steps is not None:
        yield from _walked(dict(fields), steps)


def _leaves(value: JSON) -> Iterator[JSON]:
    if isinstance(value, list):
        yield from value
    yield value


def _walked(value: JSON, steps: tuple[str, ...]) -> Iterator[JSON]:
    """Yield what MongoDB's path reaches: through objects and lists, by name or place."""
    if not steps:
        yield from _leaves(value)
    elif isinstance(value, dict):
        if steps[0] in value:
            yield from _walked(value[steps[0]], steps[1:])
    elif isinstance(value, list):
        for place, item in enumerate(value):
            if isinstance(item, dict):
                yield from _walked(item, steps)
            if str(place) == steps[0]:
                yield from _walked(item, steps[1:]) if steps[1:] else (item,)


def _check(tests: tuple[Test, ...], present: Check = lambda _: True) -> Check:
    """Return a function that says whether a value passes one of the tests."""
    texts = [test.text for test in tests if isinstance(test, Equals)]
    checks = [_equals(texts)] * bool(texts)
    checks += [_other_check(test, present) for test in tests if not isinstance(test, Equals)]
    return checks[0] if len(checks) == 1 else lambda value: any(one(value) for one in checks)


def _other_check(test: Test, present: Check) -> Check:
    match test:
        case Like(shape):
            matcher = re.compile(pattern.like(shape)).search
            return lambda value: isinstance(value, str) and matcher(value) is not None
        case Compare(operator, limit):
            return _compares(operator, limit)
        case _:
            return present


def _equals(texts: list[str]) -> Check:
    """Compare as MongoDB does: 5 equals 5.0, and neither true nor "5"."""
    known = frozenset((type(one) is bool, one) for text in texts for one in candidates(text))

    def check(value: JSON) -> bool:
        return not isinstance(value, (dict, list)) and (type(value) is bool, value) in known

    return check


def _compares(operator: str, limit: str) -> Check:
    matcher = re.compile(pattern.compare(operator, limit)).match
    relation, than = _RELATIONS[operator], number(limit)

    def check(value: JSON) -> bool:
        if isinstance(value, str):
            return matcher(value) is not None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return relation(value, than)

    return check
