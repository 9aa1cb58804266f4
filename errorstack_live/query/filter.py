"""A query's tree to a MongoDB filter on documents of ``errors``.

Every value from outside is text or a number inside ``$in``, a comparison, or a pattern that
``pattern`` wrote; every name from outside is below ``fields.`` or inside ``$literal``. So no text
of a query can become an operator.
"""

import re
from typing import Any, TypeAlias

from errorstack_live.model import JSON
from errorstack_live.query import pattern
from errorstack_live.query.node import (
    MEANINGS,
    PROPERTIES,
    SENDER_PREFIX,
    All,
    Compare,
    Equals,
    Like,
    Node,
    Not,
    Present,
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

Filter: TypeAlias = dict[str, Any]
Expression: TypeAlias = Filter | str | bool

_OPERATORS = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_EXISTS: Filter = {"$exists": True}
_IDS = {"id": "_id", "issue": "issue"}
_ID = re.compile(r"[0-9a-f]{24}")


def compiled(node: Node) -> Filter:
    """Return the filter; it asks nothing about stack and time."""
    match node:
        case Words():
            return _words(node.segments)
        case Term(name, tests):
            return _term(name, tests)
        case Not(part):
            return {"$nor": [compiled(part)]}
        case All(parts):
            return _joined("$and", [compiled(part) for part in parts])
        case Some(parts):
            return _joined("$or", [compiled(part) for part in parts])


def _joined(operator: str, filters: list[Filter]) -> Filter:
    if not filters:
        return {}
    return filters[0] if len(filters) == 1 else {operator: filters}


def _words(segments: tuple[str, ...]) -> Filter:
    return {"search": {"$regex": pattern.contains(segments)}} if segments else {}


def _term(name: str, tests: tuple[Test, ...]) -> Filter:
    alternatives = groups(tests)
    return _joined(
        "$or",
        [_joined("$and", [_group(name, group) for group in one]) for one in alternatives],
    )


def _group(name: str, tests: tuple[Test, ...]) -> Filter:
    """Return the filter of the documents where a value the name reaches passes one of the tests."""
    if name in _IDS:
        return _joined("$or", _id_filters(_IDS[name], tests))
    if name in MEANINGS:
        return _joined("$or", _at(PROPERTIES.get(name, name), tests, present={"$gt": ""}))
    name = field_name(name)
    steps = path(name)
    found = _at(SENDER_PREFIX + name, tests) if steps else []
    if steps is None or len(steps) > 1:
        found.append(_in_literal_name(name, tests))
    return _joined("$or", found)


def _at(place: str, tests: tuple[Test, ...], present: Filter = _EXISTS) -> list[Filter]:
    """Return the conditions on a path of MongoDB's, each on its own, so that indexes serve them."""
    values = _candidates(tests)
    found: list[Filter] = []
    if scalars := [value for value in values if value is not None]:
        found.append({place: {"$in": scalars}})
    if None in values:  # {"$in": [None]} would match what is missing, too
        found.append({place: {"$type": "null"}})
    for test in tests:
        match test:
            case Like(shape):
                found.append({place: {"$regex": pattern.like(shape)}})
            case Compare(operator, limit):
                found.append({place: {_OPERATORS[operator]: number(limit)}})
                found.append({place: {"$regex": pattern.compare(operator, limit)}})
            case Present():
                found.append({place: present})
    return found


def _in_literal_name(name: str, tests: tuple[Test, ...]) -> Filter:
    """Return the condition on a sender's field whose own name has dots, or ``$`` first."""
    own = {"$getField": {"field": {"$literal": name}, "input": "$fields"}}
    leaves = {"$cond": [{"$isArray": "$$own"}, {"$concatArrays": ["$$own", ["$$own"]]}, ["$$own"]]}
    passed = {"$map": {"input": leaves, "as": "value", "in": _expression("$$value", tests)}}
    is_there = {"$ne": [{"$type": "$$own"}, "missing"]}
    found = {"$and": [is_there, {"$anyElementTrue": [passed]}]}
    return {"$expr": {"$let": {"vars": {"own": own}, "in": found}}}


def _id_filters(name: str, tests: tuple[Test, ...]) -> list[Filter]:
    """Return the conditions on an ObjectId: equality by index, all else on its text."""
    ids = [test.text for test in tests if isinstance(test, Equals) and _ID.fullmatch(test.text)]
    others = tuple(test for test in tests if not isinstance(test, Equals))
    found: list[Filter] = [{"$expr": {"$eq": [f"${name}", {"$toObjectId": one}]}} for one in ids]
    if others:
        found.append({"$expr": _expression({"$toString": f"${name}"}, others)})
    return found or [{"$nor": [{}]}]


def _expression(value: Expression, tests: tuple[Test, ...]) -> Filter:
    """Return the aggregation expression that says whether a value passes one of the tests."""
    parts: list[Expression] = [{"$in": [value, {"$literal": _candidates(tests)}]}]
    for test in tests:
        match test:
            case Like(shape):
                parts.append(_fits(value, pattern.like(shape)))
            case Compare(operator, limit):
                relation = {_OPERATORS[operator]: [value, number(limit)]}
                parts.append({"$and": [{"$isNumber": value}, relation]})
                parts.append(_fits(value, pattern.compare(operator, limit)))
            case Present():
                parts.append(True)
    return {"$or": parts}


def _fits(value: Expression, regex: str) -> Filter:
    is_text = {"$eq": [{"$type": value}, "string"]}
    fits = {"$regexMatch": {"input": value, "regex": {"$literal": regex}}}
    return {"$cond": [is_text, fits, False]}


def _candidates(tests: tuple[Test, ...]) -> list[JSON]:
    return [one for test in tests if isinstance(test, Equals) for one in candidates(test.text)]
