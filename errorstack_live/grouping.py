"""How a stack's own rules and merges change which issue an error is of.

A rule is a query with what becomes of the errors it matches: one issue under a name, or one for
each value of some fields. It is asked about errors as they come, with the issue they would have
without rules; what was stored before stays where it is. A merge sends all errors of one
fingerprint to another issue.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from errorstack_live import fingerprint, jsontext
from errorstack_live.errors import Invalid
from errorstack_live.model import JSON, Error, Grouping, Rule
from errorstack_live.query import MEANINGS, parse

MAX_RULES = 20
"""Of one stack. Each is asked about every error that comes: some microseconds."""
MAX_MERGES = 200
"""Fingerprints of one stack that go to another issue."""
MAX_GROUP_CHARS = 80
MAX_SPLIT = 3
"""Fields that one rule tells issues apart by."""
MAX_NAME_CHARS = 256
MAX_VALUE_CHARS = 60
"""Of a value in the name of its issue; the whole value counts."""
MAX_TITLE_CHARS = 300
MAX_COMPILED = 256
"""Stacks whose rules are kept compiled."""

MISSING = "(none)"


def grouped(error: Error, grouping: Grouping) -> Error:
    """Return the error with the issue that rules and merges give it."""
    if not (grouping.rules or grouping.merges):
        return error
    compiled = _compiled(grouping)
    for rule, matches in compiled.rules:
        if matches(error):
            error = _ruled(error, rule)
            break
    into = compiled.merges.get(error.fingerprint)
    return error if into is None else replace(error, issue=into)


def check(rule: Rule) -> Rule:
    """Return the rule. Raises Invalid for one that says nothing, QueryError for no query."""
    if parse(rule.query).is_empty:
        raise Invalid("A rule needs a query: without one it would be about every error")
    if bool(rule.group) == bool(rule.split):
        raise Invalid("A rule either names one issue or names fields to tell issues apart by")
    if len(rule.group) > MAX_GROUP_CHARS or not rule.group.isprintable():
        raise Invalid(f"An issue's name has at most {MAX_GROUP_CHARS} characters, on one line")
    if len(rule.split) > MAX_SPLIT or any(len(name) > MAX_NAME_CHARS for name in rule.split):
        raise Invalid(f"At most {MAX_SPLIT} fields tell issues apart")
    return rule


def check_all(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rules of one stack. Raises Invalid for too many, or as ``check``."""
    if len(rules) > MAX_RULES:
        raise Invalid(f"A stack has at most {MAX_RULES} rules")
    return tuple(check(rule) for rule in rules)


@dataclass(frozen=True, slots=True)
class _Compiled:
    rules: tuple[tuple[Rule, Callable[[Error], bool]], ...]
    merges: Mapping[str, str]


@lru_cache(maxsize=MAX_COMPILED)
def _compiled(grouping: Grouping) -> _Compiled:
    return _Compiled(
        tuple((rule, parse(rule.query).matches) for rule in grouping.rules),
        {merge.fingerprint: merge.into for merge in grouping.merges},
    )


def _ruled(error: Error, rule: Rule) -> Error:
    if rule.group:
        mark, group = fingerprint.named(rule.group), rule.group
    else:
        values = [_value(error, name) for name in rule.split]
        mark = fingerprint.split(error.fingerprint, values)
        group = _named_by(error, rule.split, values)
    return replace(
        error,
        fingerprint=mark,
        issue=fingerprint.issue_id(error.stack, mark),
        group=group,
    )


def _named_by(error: Error, names: tuple[str, ...], values: list[str]) -> str:
    pairs = zip(names, values, strict=True)
    told = ", ".join(f"{name} {value[:MAX_VALUE_CHARS] or MISSING}" for name, value in pairs)
    room = max(MAX_TITLE_CHARS - len(told) - 3, 0)
    return f"{error.title[:room]} · {told}"[:MAX_TITLE_CHARS]


def _value(error: Error, name: str) -> str:
    """A meaning's or a field's value as text; a dotted name also reaches into fields."""
    if name in MEANINGS:
        return str(getattr(error, name, ""))  # what an error is the first of is not known yet
    if name in error.fields:
        return _text(error.fields[name])
    value: JSON = dict(error.fields)
    for step in name.split("."):
        if not isinstance(value, dict) or step not in value:
            return ""
        value = value[step]
    return _text(value)


def _text(value: JSON) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else jsontext.write(value)
    return " ".join(text.split())
