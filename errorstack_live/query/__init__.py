"""The one language for filtering errors, everywhere: text to a Query (docs/query-language.md).

A Query is compiled twice: to a predicate for live errors and to a filter for the history. They
agree on every error: ``tests/test_query.py`` holds them together on a real server.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from errorstack_live.model import Error
from errorstack_live.query import filter as filters
from errorstack_live.query import predicate, syntax
from errorstack_live.query.node import EVERYTHING as EVERYTHING_NODE
from errorstack_live.query.node import MEANINGS, Node, all_of, canonical
from errorstack_live.query.relax import relaxed
from errorstack_live.query.syntax import MAX_QUERY_CHARS, MAX_TERMS

__all__ = ["EVERYTHING", "MAX_QUERY_CHARS", "MAX_TERMS", "MEANINGS", "Query", "both", "parse"]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; two are equal when they have the same canonical ``text``.

    ``matches(error)`` is compiled once and never raises.
    """

    text: str
    node: Node = field(compare=False, repr=False)
    matches: Callable[[Error], bool] = field(compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether every error matches."""
        return self.node == EVERYTHING_NODE

    def to_mongo(self) -> dict[str, Any]:
        """Return the filter on documents of ``errors``, without stack and time."""
        return filters.compiled(self.node)

    def relaxed(self, hidden: Collection[str]) -> "Query":
        """Return a query that asks nothing about hidden fields, nor about what may quote them.

        It matches at least every error that matches this query once those fields are cut out: find
        by it, redact what is found, then ask this query's ``matches``.
        """
        return _query(relaxed(self.node, hidden)) if hidden else self


def parse(text: str) -> Query:
    """Read a query's text. Raises QueryError with the offset of what is wrong."""
    return _query(syntax.read(text))


def both(first: Query, second: Query) -> Query:
    """Return the query that matches what both match."""
    return _query(all_of([first.node, second.node]))


def _query(node: Node) -> Query:
    return Query(canonical(node), node, predicate.compiled(node))


EVERYTHING = parse("")
"""The empty query."""
