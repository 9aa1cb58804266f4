"""Which issues are like one: of the same type, or with nearly the same title."""

from collections.abc import Iterable

from errorstack_live.fingerprint import normal
from errorstack_live.model import Issue

LEAST = 0.3
"""Of 1; having the same type makes 0.3, the same words make 0.7."""
_TYPE = 0.3


def similar(to: Issue, among: Iterable[Issue], *, limit: int = 5) -> list[Issue]:
    """The issues most like this one, the likest first and of those the one seen last."""
    words = _words(to)
    scored = [(_likeness(to, words, each), each) for each in among if each.id != to.id]
    found = [(score, each) for score, each in scored if score >= LEAST]
    found.sort(key=lambda one: (one[0], one[1].last_seen_at), reverse=True)
    return [each for _, each in found[:limit]]


def _likeness(to: Issue, words: frozenset[str], other: Issue) -> float:
    """The part of their words that both have, and whether they are of one type."""
    others = _words(other)
    shared = len(words & others) / max(1, len(words | others))
    is_same_type = bool(to.type) and to.type == other.type
    return (1 - _TYPE) * shared + _TYPE * is_same_type


def _words(of: Issue) -> frozenset[str]:
    """The title's words, without what varies, and without the type that it begins with."""
    title = of.title.removeprefix(of.type).lstrip(": ") if of.type else of.title
    return frozenset(normal(title).casefold().split())
